#include "resp/parser.h"

#include "base/check.h"
#include "base/error.h"
#include "resp/inline.h"
#include "resp/integer.h"

#include <stdio.h>
#include <string.h>

/*
 *	BEGIN --+--> INLINE ------------------------------------------> a request
 *	        +--> COUNT ---> LENGTH ---> BULK ---> LENGTH ... -----> a request
 *	                          |
 *	                          +-------> NAME, SKIP ---> LENGTH ...  too large
 *
 * From any of them to BROKEN, and there it stays.
 */
enum phase {
	PHASE_BEGIN,
	PHASE_INLINE,
	PHASE_COUNT,
	PHASE_LENGTH,
	PHASE_BULK,
	PHASE_NAME,
	PHASE_SKIP,
	PHASE_BROKEN,
};

enum step {
	STEP_ON,   /* a part was read; go on with the next */
	STEP_WAIT, /* the next part is not complete */
	STEP_END,  /* the request is complete */
	STEP_BROKEN,
};

struct view {
	uint8_t *data;
	size_t len;
	size_t start;	/* here begins what the parser still needs of the request */
	size_t missing; /* after STEP_WAIT */
};

#define CRLF_LEN ((size_t)2)

void resp_parser_init(struct resp_parser *p, const struct resp_limits *limits)
{
	*p = (struct resp_parser){.limits = limits};
}

void resp_parser_close(struct resp_parser *p)
{
	resp_args_free(&p->args);
}

static uint8_t *parser_here(const struct resp_parser *p, const struct view *v)
{
	return v->data + v->start + p->at;
}

static size_t parser_have(const struct resp_parser *p, const struct view *v)
{
	return v->len - v->start - p->at;
}

/* What was read so far is not needed any more. */
static void parser_drop_read(struct resp_parser *p, struct view *v)
{
	v->start += p->at;
	p->at = 0;
}

static enum step parser_wait(struct view *v, size_t missing)
{
	v->missing = missing;
	return STEP_WAIT;
}

static enum step parser_break(struct resp_parser *p, const char *text)
{
	int len = snprintf(p->error, sizeof(p->error), "ERR Protocol error: %s", text);

	CHECK(len > 0 && (size_t)len < sizeof(p->error));
	p->error_len = (size_t)len;
	p->phase = PHASE_BROKEN;
	return STEP_BROKEN;
}

/* Everything about one request is forgotten, except what was found of it. */
static void parser_rewind(struct resp_parser *p)
{
	p->phase = PHASE_BEGIN;
	p->too_large = false;
	p->at = 0;
	p->scanned = 0;
	p->elements = 0;
	p->passed = 0;
	p->bulk_left = 0;
}

/* An empty request was read: on to what is behind it. */
static enum step parser_ignore(struct resp_parser *p, struct view *v)
{
	parser_drop_read(p, v);
	parser_rewind(p);
	return STEP_ON;
}

/*
 * Looks for the line that ends with `end`. STEP_ON: `*len` bytes stand before it. The limit is
 * applied to what is searched, not to what has come, or one and the same line could be too long
 * or not, depending on how it was cut.
 */
static enum step parser_find_line(struct resp_parser *p, struct view *v, uint8_t end,
				  const char *too_long, size_t *len)
{
	const uint8_t *line = parser_here(p, v);
	size_t searched = MIN(parser_have(p, v), p->limits->max_line_bytes + 1);
	const uint8_t *found = NULL;

	if (searched > p->scanned)
		found = memchr(line + p->scanned, end, searched - p->scanned);
	if (found) {
		*len = (size_t)(found - line);
		return STEP_ON;
	}
	p->scanned = searched;
	if (searched > p->limits->max_line_bytes)
		return parser_break(p, too_long);
	return parser_wait(v, 1);
}

static enum step parser_read_inline(struct resp_parser *p, struct view *v)
{
	uint8_t *line = parser_here(p, v);
	size_t len = 0;
	enum step step = parser_find_line(p, v, '\n', "too big inline request", &len);

	if (step != STEP_ON)
		return step;
	p->at = len + 1;
	p->scanned = 0;
	if (resp_inline_split(line, len, &p->args) != OK)
		return parser_break(p, "unbalanced quotes in request");
	if (p->args.len == 0)
		return parser_ignore(p, v);
	return STEP_END;
}

/*
 * Reads a line that ends with \r and any one byte: Redis 7.0 does not look at that byte, nor at
 * the two behind a bulk string. The first byte of the line can be read even if the line is empty.
 */
static enum step parser_read_header(struct resp_parser *p, struct view *v, const char *too_long,
				    struct slice *line)
{
	size_t len = 0;
	enum step step = parser_find_line(p, v, '\r', too_long, &len);

	if (step != STEP_ON)
		return step;
	if (parser_have(p, v) < len + CRLF_LEN)
		return parser_wait(v, 1);
	*line = slice_of(parser_here(p, v), len);
	p->at += len + CRLF_LEN;
	p->scanned = 0;
	return STEP_ON;
}

/* The request will not be kept: from here on its bytes are consumed as they are read. */
static void parser_give_up_request(struct resp_parser *p, const struct view *v)
{
	p->too_large = true;
	if (p->args.len > 0) {
		const struct resp_span *first = &p->args.spans[0];

		p->name_len = MIN(first->len, (size_t)RESP_NAME_MAX);
		memcpy(p->name, v->data + v->start + first->at, p->name_len);
	}
	resp_args_clear(&p->args);
}

static enum step parser_read_count(struct resp_parser *p, struct view *v)
{
	struct slice line;
	int64_t count;
	enum step step = parser_read_header(p, v, "too big mbulk count string", &line);

	if (step != STEP_ON)
		return step;
	if (!resp_integer_parse(slice_of(line.data + 1, line.len - 1), &count) || count > INT32_MAX)
		return parser_break(p, "invalid multibulk length");
	if (count <= 0)
		return parser_ignore(p, v);
	if (p->unauthenticated && (size_t)count > p->limits->max_unauthenticated_elements)
		return parser_break(p, "unauthenticated multibulk length");
	p->elements = (size_t)count;
	if (p->elements > p->limits->max_elements)
		parser_give_up_request(p, v);
	p->phase = PHASE_LENGTH;
	return STEP_ON;
}

static enum step parser_break_unexpected(struct resp_parser *p, uint8_t got)
{
	enum step step = parser_break(p, "expected '$', got '?'");
	char *mark = memchr(p->error, '?', p->error_len);

	/* A line end would end the error too early. Any other byte goes back as it came. */
	*mark = (char)(got == '\r' || got == '\n' ? ' ' : got);
	return step;
}

static enum step parser_read_length(struct resp_parser *p, struct view *v)
{
	const struct resp_limits *limits = p->limits;
	struct slice line;
	int64_t len;
	enum step step = parser_read_header(p, v, "too big bulk count string", &line);

	if (step != STEP_ON)
		return step;
	if (line.data[0] != '$')
		return parser_break_unexpected(p, line.data[0]);
	if (!resp_integer_parse(slice_of(line.data + 1, line.len - 1), &len) || len < 0 ||
	    (uint64_t)len > limits->max_bulk_bytes)
		return parser_break(p, "invalid bulk length");
	if (p->unauthenticated && (size_t)len > limits->max_unauthenticated_bulk_bytes)
		return parser_break(p, "unauthenticated bulk length");
	p->bulk_left = (size_t)len + CRLF_LEN;
	if (!p->too_large && p->at + p->bulk_left > limits->max_request_bytes)
		parser_give_up_request(p, v);
	if (!p->too_large)
		p->phase = PHASE_BULK;
	else
		p->phase = p->passed == 0 ? PHASE_NAME : PHASE_SKIP;
	return STEP_ON;
}

static enum step parser_end_bulk(struct resp_parser *p)
{
	p->bulk_left = 0;
	p->phase = PHASE_LENGTH;
	return ++p->passed == p->elements ? STEP_END : STEP_ON;
}

static enum step parser_read_bulk(struct resp_parser *p, struct view *v)
{
	size_t have = parser_have(p, v);

	if (have < p->bulk_left)
		return parser_wait(v, p->bulk_left - have);
	resp_args_add(&p->args, p->at, p->bulk_left - CRLF_LEN);
	p->at += p->bulk_left;
	return parser_end_bulk(p);
}

/* Keeps the beginning of a first argument that is going to be skipped. */
static enum step parser_read_name(struct resp_parser *p, struct view *v)
{
	size_t len = MIN(p->bulk_left - CRLF_LEN, (size_t)RESP_NAME_MAX);
	size_t have = parser_have(p, v);

	if (have < len)
		return parser_wait(v, len - have);
	memcpy(p->name, parser_here(p, v), len);
	p->name_len = len;
	p->phase = PHASE_SKIP;
	return STEP_ON;
}

static enum step parser_skip_bulk(struct resp_parser *p, struct view *v)
{
	size_t passed = MIN(parser_have(p, v), p->bulk_left);

	p->at += passed;
	p->bulk_left -= passed;
	if (p->bulk_left > 0)
		return parser_wait(v, 1);
	return parser_end_bulk(p);
}

static enum step parser_begin(struct resp_parser *p, struct view *v)
{
	if (parser_have(p, v) == 0)
		return parser_wait(v, 1);
	p->phase = *parser_here(p, v) == '*' ? PHASE_COUNT : PHASE_INLINE;
	return STEP_ON;
}

static enum step parser_step(struct resp_parser *p, struct view *v)
{
	switch ((enum phase)p->phase) {
	case PHASE_BEGIN:
		return parser_begin(p, v);
	case PHASE_INLINE:
		return parser_read_inline(p, v);
	case PHASE_COUNT:
		return parser_read_count(p, v);
	case PHASE_LENGTH:
		return parser_read_length(p, v);
	case PHASE_BULK:
		return parser_read_bulk(p, v);
	case PHASE_NAME:
		return parser_read_name(p, v);
	case PHASE_SKIP:
		return parser_skip_bulk(p, v);
	case PHASE_BROKEN:
		break;
	}
	return STEP_BROKEN;
}

static enum resp_outcome parser_end_request(struct resp_parser *p, const struct view *v,
					    struct resp_found *found)
{
	enum resp_outcome outcome = p->too_large ? RESP_TOO_LARGE : RESP_REQUEST;

	found->consumed = v->start + p->at;
	if (p->too_large) {
		found->argc = p->elements;
		found->name = slice_of(p->name, p->name_len);
	} else {
		found->argc = p->args.len;
		found->argv = resp_args_resolve(&p->args, v->data + v->start);
	}
	parser_rewind(p);
	return outcome;
}

enum resp_outcome resp_parser_next(struct resp_parser *p, uint8_t *data, size_t len,
				   struct resp_found *found)
{
	struct view v = {.data = data, .len = len};
	enum step step = STEP_ON;

	*found = (struct resp_found){0};
	/* The caller gives back what it was not told to drop. */
	CHECK(p->phase == PHASE_BROKEN || p->at + p->scanned <= len);
	if (p->phase == PHASE_BEGIN)
		resp_args_clear(&p->args);
	/* An empty view may be NULL, where not even the distance 0 is defined. */
	if (len == 0 && p->phase != PHASE_BROKEN)
		step = parser_wait(&v, 1);
	while (step == STEP_ON) {
		step = parser_step(p, &v);
		if (p->too_large && step != STEP_END)
			parser_drop_read(p, &v);
	}
	switch (step) {
	case STEP_END:
		return parser_end_request(p, &v, found);
	case STEP_BROKEN:
		found->consumed = len;
		found->error = slice_of(p->error, p->error_len);
		return RESP_BROKEN;
	default:
		found->consumed = v.start;
		found->missing = v.missing;
		return RESP_MORE;
	}
}
