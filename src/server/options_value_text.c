/* Values and what is expected of them, in words for people. */

#include "server/options_limits.h"
#include "server/options_value.h"

#include "resp/integer.h"

#include <inttypes.h>
#include <string.h>

static void words_put(const struct options_words *w, struct buf *out)
{
	for (size_t i = 0; i < w->count; i++)
		buf_printf(out, "%s%s", i ? " " : "", w->words[i]);
}

static void members_put(const struct options_members *m, struct buf *out)
{
	for (size_t i = 0; i < m->count; i++)
		buf_printf(out, "%s%s=%s:%u", i ? "," : "", m->list[i].name, m->list[i].host,
			   m->list[i].port);
}

void options_value_put(enum options_kind kind, const void *field, struct buf *out)
{
	const char *const *text = field;
	const uint64_t *number = field;
	const int64_t *later = field;

	switch (kind) {
	case OPTION_TEXT:
	case OPTION_MAYBE:
		buf_printf(out, "%s", *text ? *text : "");
		return;
	case OPTION_WORDS:
		words_put(field, out);
		return;
	case OPTION_NUMBER:
	case OPTION_MS:
	case OPTION_SIZE:
		buf_printf(out, "%" PRIu64, *number);
		return;
	case OPTION_FLAG:
		buf_printf(out, "%s", *number ? "yes" : "no");
		return;
	case OPTION_LEVEL:
		buf_printf(out, "%s", log_level_name((enum log_level) * number));
		return;
	case OPTION_MEMBERS:
		members_put(field, out);
		return;
	case OPTION_ACCESS:
		buf_printf(out, "%s", options_access_name(*number));
		return;
	case OPTION_FACE:
		buf_printf(out, "%s", options_face_name(*number));
		return;
	case OPTION_LATER:
		buf_printf(out, "%" PRId64, *later);
		return;
	case OPTION_OCTAL:
		buf_printf(out, "%" PRIo64, *number);
		return;
	case OPTION_LIMITS:
		options_limits_put(field, out);
		return;
	case OPTION_FACT:
		return;
	}
}

static bool is_bare(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~' ||
		    strchr("\"'\\#", (char)text.data[i]))
			return false;
	return text.len > 0;
}

void options_value_quote(struct slice text, struct buf *out)
{
	if (is_bare(text)) {
		buf_append_slice(out, text);
		return;
	}
	buf_append_byte(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			buf_printf(out, "\\x%02x", c);
		else
			buf_append_byte(out, c);
	}
	buf_append_byte(out, '"');
}

void options_value_expects(enum options_kind kind, struct options_bounds bounds, struct buf *out)
{
	switch (kind) {
	case OPTION_TEXT:
		buf_printf(out, "one word, in quotes if it has blanks");
		return;
	case OPTION_MAYBE:
		buf_printf(out, "one word, or \"\" for none");
		return;
	case OPTION_WORDS:
		buf_printf(out, "one or more words");
		return;
	case OPTION_NUMBER:
		buf_printf(out, "a number from %" PRIu64 " to %" PRIu64, bounds.min, bounds.max);
		return;
	case OPTION_SIZE:
		buf_printf(out,
			   "a number of bytes from %" PRIu64 " to %" PRIu64
			   ", or with a unit: 512kb, 16mb, 1gb",
			   bounds.min, bounds.max);
		return;
	case OPTION_MS:
		buf_printf(out,
			   "milliseconds, from %" PRIu64 " to %" PRIu64
			   ", or with a unit: 500ms, 10s, 5m, 1h, 7d",
			   bounds.min, bounds.max);
		return;
	case OPTION_FLAG:
		buf_printf(out, "yes or no");
		return;
	case OPTION_LEVEL:
		buf_printf(out, "error, warning, notice or debug");
		return;
	case OPTION_ACCESS:
		buf_printf(out, "no, local or yes");
		return;
	case OPTION_FACE:
		buf_printf(out, "master or raft");
		return;
	case OPTION_MEMBERS:
		buf_printf(out, "name=host:port,name=host:port,... with each name once");
		return;
	case OPTION_LATER:
		buf_printf(out, "a number from 0 to %" PRIu64 ", or -1 for never", bounds.max);
		return;
	case OPTION_OCTAL:
		buf_printf(out, "an octal number from %" PRIo64 " to %" PRIo64, bounds.min,
			   bounds.max);
		return;
	case OPTION_LIMITS:
		buf_printf(out, "normal, replica or pubsub, bytes, bytes, seconds; or several of "
				"these");
		return;
	case OPTION_FACT:
		return;
	}
}

#define NOT_INTEGER "argument couldn't be parsed into an integer"

/* The least stands behind `minus`. */
static void number_complain(struct options_bounds bounds, const char *minus, struct slice value,
			    const char *what, struct buf *out)
{
	int64_t number;

	if (resp_integer_parse(value, &number))
		buf_printf(out, "argument must be between %s%" PRIu64 " and %" PRIu64 " inclusive",
			   minus, bounds.min, bounds.max);
	else
		buf_printf(out, "%s", what);
}

void options_value_complain(enum options_kind kind, struct options_bounds bounds,
			    const struct slice *words, size_t count, struct buf *out)
{
	struct slice value = count == 1 ? words[0] : (struct slice){0};

	switch (kind) {
	case OPTION_NUMBER:
		number_complain(bounds, "", value, NOT_INTEGER, out);
		return;
	case OPTION_LATER:
		bounds.min = 1;
		number_complain(bounds, "-", value, NOT_INTEGER, out);
		return;
	case OPTION_SIZE:
		number_complain(bounds, "", value, "argument must be a memory value", out);
		return;
	case OPTION_FLAG:
		buf_printf(out, "argument must be 'yes' or 'no'");
		return;
	case OPTION_LEVEL:
		buf_printf(out, "argument(s) must be one of the following: error, warning, "
				"notice, debug");
		return;
	case OPTION_ACCESS:
		buf_printf(out, "argument(s) must be one of the following: no, local, yes");
		return;
	case OPTION_FACE:
		buf_printf(out, "argument(s) must be one of the following: master, raft");
		return;
	case OPTION_OCTAL:
		buf_printf(out, "argument couldn't be parsed as an octal number");
		return;
	case OPTION_LIMITS:
		options_limits_complain(words, count, out);
		return;
	default:
		buf_printf(out, "argument must be ");
		options_value_expects(kind, bounds, out);
		return;
	}
}
