#include "server/options_value.h"

#include "base/error.h"
#include "base/mem.h"
#include "consensus/membership.h"
#include "server/options_limits.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

static bool is_text(struct slice s)
{
	return s.len > 0 && !memchr(s.data, '\0', s.len);
}

/* Digits at the front; what stands behind them is left in `*rest`. */
static int number_parse(struct slice s, uint64_t *value, struct slice *rest)
{
	size_t at = 0;

	*value = 0;
	for (; at < s.len && s.data[at] >= '0' && s.data[at] <= '9'; at++) {
		uint64_t digit = s.data[at] - (uint64_t)'0';

		if (*value > (UINT64_MAX - digit) / 10)
			return ERR_INVALID;
		*value = *value * 10 + digit;
	}
	*rest = slice_of(s.data + at, s.len - at);
	return at > 0 ? OK : ERR_INVALID;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit no_units[] = {
	{"", 1},
	{0},
};

static const struct unit size_units[] = {
	{"", 1},
	{"b", 1},
	{"k", 1000},
	{"kb", UINT64_C(1) << 10},
	{"m", UINT64_C(1000000)},
	{"mb", UINT64_C(1) << 20},
	{"g", UINT64_C(1000000000)},
	{"gb", UINT64_C(1) << 30},
	{0},
};

static const struct unit time_units[] = {
	{"", 1},
	{"ms", 1},
	{"s", 1000},
	{"m", UINT64_C(60) * 1000},
	{"h", UINT64_C(3600) * 1000},
	{"d", UINT64_C(86400) * 1000},
	{0},
};

static int unit_parse(const struct unit *units, struct slice s, uint64_t *factor)
{
	for (; units->name; units++) {
		if (s.len == strlen(units->name) &&
		    strncasecmp((const char *)s.data, units->name, s.len) == 0) {
			*factor = units->factor;
			return OK;
		}
	}
	return ERR_INVALID;
}

static int number_set(const struct unit *units, struct options_bounds bounds, uint64_t *target,
		      struct slice s)
{
	uint64_t value, factor = 1;
	struct slice rest;

	if (number_parse(s, &value, &rest) != OK)
		return ERR_INVALID;
	if (unit_parse(units, rest, &factor) != OK)
		return ERR_INVALID;
	if (value > UINT64_MAX / factor)
		return ERR_INVALID;
	value *= factor;
	if (value < bounds.min || value > bounds.max)
		return ERR_INVALID;
	*target = value;
	return OK;
}

static int later_set(struct options_bounds bounds, int64_t *target, struct slice s)
{
	uint64_t value;

	if (slice_equal(s, SLICE_LITERAL("-1"))) {
		*target = -1;
		return OK;
	}
	if (number_set(no_units, bounds, &value, s) != OK)
		return ERR_INVALID;
	*target = (int64_t)value;
	return OK;
}

static int octal_set(struct options_bounds bounds, uint64_t *target, struct slice s)
{
	uint64_t value = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] < '0' || s.data[i] > '7' || value > bounds.max)
			return ERR_INVALID;
		value = value * 8 + (s.data[i] - (uint64_t)'0');
	}
	if (s.len == 0 || value < bounds.min || value > bounds.max)
		return ERR_INVALID;
	*target = value;
	return OK;
}

static int flag_set(uint64_t *target, struct slice s)
{
	bool yes = slice_equal(s, SLICE_LITERAL("yes"));

	if (!yes && !slice_equal(s, SLICE_LITERAL("no")))
		return ERR_INVALID;
	*target = yes;
	return OK;
}

static const char *const access_names[] = {"no", "local", "yes"};

const char *options_access_name(uint64_t access)
{
	return access < ARRAY_LEN(access_names) ? access_names[access] : "unknown";
}

static const char *const face_names[] = {"master", "raft"};

const char *options_face_name(uint64_t face)
{
	return face < ARRAY_LEN(face_names) ? face_names[face] : "unknown";
}

static int name_set(const char *const *names, size_t count, uint64_t *target, struct slice s)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_equal(s, slice_of_text(names[i]))) {
			*target = i;
			return OK;
		}
	}
	return ERR_INVALID;
}

static int level_set(uint64_t *target, struct slice s)
{
	for (unsigned level = LOG_ERROR; level <= LOG_DEBUG; level++) {
		if (slice_equal(s, slice_of_text(log_level_name((enum log_level)level)))) {
			*target = level;
			return OK;
		}
	}
	return ERR_INVALID;
}

static int text_set(char **target, struct slice s)
{
	if (!is_text(s))
		return ERR_INVALID;
	mem_free(*target);
	*target = slice_to_text(s);
	return OK;
}

/* An empty one is none. */
static int path_set(char **target, struct slice s)
{
	if (s.len > 0)
		return text_set(target, s);
	mem_free(*target);
	*target = NULL;
	return OK;
}

static void words_free(struct options_words *w)
{
	for (size_t i = 0; i < w->count; i++)
		mem_free(w->words[i]);
	mem_free(w->words);
	*w = (struct options_words){0};
}

static void words_copy(struct options_words *to, const struct options_words *from)
{
	to->words = mem_zalloc(from->count, sizeof(*to->words));
	to->count = from->count;
	for (size_t i = 0; i < from->count; i++)
		to->words[i] = slice_to_text(slice_of_text(from->words[i]));
}

static int words_set(struct options_words *target, const struct slice *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!is_text(words[i]))
			return ERR_INVALID;
	words_free(target);
	target->words = mem_zalloc(count, sizeof(*target->words));
	target->count = count;
	for (size_t i = 0; i < count; i++)
		target->words[i] = slice_to_text(words[i]);
	return OK;
}

static void members_free(struct options_members *m)
{
	for (size_t i = 0; i < m->count; i++) {
		mem_free(m->list[i].name);
		mem_free(m->list[i].host);
	}
	mem_free(m->list);
	*m = (struct options_members){0};
}

static void members_copy(struct options_members *to, const struct options_members *from)
{
	to->list = mem_zalloc(from->count, sizeof(*to->list));
	to->count = from->count;
	for (size_t i = 0; i < from->count; i++)
		to->list[i] = (struct options_member){
			.name = slice_to_text(slice_of_text(from->list[i].name)),
			.host = slice_to_text(slice_of_text(from->list[i].host)),
			.port = from->list[i].port,
		};
}

/* The last ':' divides, so that an IPv6 address may stand before it, with or without brackets. */
static int member_parse(struct slice s, struct options_member *out)
{
	const uint8_t *equal = memchr(s.data, '=', s.len);
	const uint8_t *colon = memrchr(s.data, ':', s.len);
	struct slice name, host;
	uint64_t port = 0;

	if (!equal || !colon || colon < equal)
		return ERR_INVALID;
	name = slice_of(s.data, (size_t)(equal - s.data));
	host = slice_of(equal + 1, (size_t)(colon - equal - 1));
	if (host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
		host = slice_of(host.data + 1, host.len - 2);
	if (!is_text(name) || name.len > MEMBER_LABEL_MAX || !is_text(host) ||
	    number_set(no_units, (struct options_bounds){1, UINT16_MAX}, &port,
		       slice_of(colon + 1, (size_t)(s.data + s.len - colon - 1))) != OK)
		return ERR_INVALID;
	*out = (struct options_member){
		.name = slice_to_text(name),
		.host = slice_to_text(host),
		.port = (uint16_t)port,
	};
	return OK;
}

static bool members_have(const struct options_members *m, const char *name)
{
	for (size_t i = 0; i < m->count; i++)
		if (strcmp(m->list[i].name, name) == 0)
			return true;
	return false;
}

static int members_set(struct options_members *target, struct slice s)
{
	struct options_members found = {0};
	size_t cap = 0;
	int rc = OK;

	while (s.len > 0 && rc == OK) {
		const uint8_t *comma = memchr(s.data, ',', s.len);
		size_t len = comma ? (size_t)(comma - s.data) : s.len;
		struct options_member member = {0};

		rc = member_parse(slice_of(s.data, len), &member);
		if (rc == OK) {
			if (members_have(&found, member.name))
				rc = ERR_INVALID;
			MEM_GROW(found.list, cap, found.count + 1);
			found.list[found.count++] = member;
		}
		s = comma ? slice_of(comma + 1, s.len - len - 1) : (struct slice){0};
		if (comma && s.len == 0)
			rc = ERR_INVALID;
	}
	if (rc != OK) {
		members_free(&found);
		return rc;
	}
	members_free(target);
	*target = found;
	return OK;
}

int options_value_set(enum options_kind kind, struct options_bounds bounds, void *target,
		      const struct slice *words, size_t count)
{
	if (count == 0 || (count > 1 && !options_value_is_list(kind)))
		return ERR_INVALID;
	switch (kind) {
	case OPTION_TEXT:
		return text_set(target, words[0]);
	case OPTION_MAYBE:
		return path_set(target, words[0]);
	case OPTION_WORDS:
		return words_set(target, words, count);
	case OPTION_NUMBER:
		return number_set(no_units, bounds, target, words[0]);
	case OPTION_MS:
		return number_set(time_units, bounds, target, words[0]);
	case OPTION_SIZE:
		return number_set(size_units, bounds, target, words[0]);
	case OPTION_FLAG:
		return flag_set(target, words[0]);
	case OPTION_LEVEL:
		return level_set(target, words[0]);
	case OPTION_ACCESS:
		return name_set(access_names, ARRAY_LEN(access_names), target, words[0]);
	case OPTION_FACE:
		return name_set(face_names, ARRAY_LEN(face_names), target, words[0]);
	case OPTION_MEMBERS:
		return members_set(target, words[0]);
	case OPTION_LATER:
		return later_set(bounds, target, words[0]);
	case OPTION_OCTAL:
		return octal_set(bounds, target, words[0]);
	case OPTION_LIMITS:
		return options_limits_set(target, words, count);
	case OPTION_FACT:
		break;
	}
	return ERR_INVALID;
}

size_t options_value_size(enum options_kind kind)
{
	switch (kind) {
	case OPTION_TEXT:
	case OPTION_MAYBE:
		return sizeof(char *);
	case OPTION_WORDS:
		return sizeof(struct options_words);
	case OPTION_MEMBERS:
		return sizeof(struct options_members);
	case OPTION_NUMBER:
	case OPTION_MS:
	case OPTION_SIZE:
	case OPTION_FLAG:
	case OPTION_LEVEL:
	case OPTION_ACCESS:
	case OPTION_FACE:
	case OPTION_OCTAL:
		return sizeof(uint64_t);
	case OPTION_LATER:
		return sizeof(int64_t);
	case OPTION_LIMITS:
		return sizeof(struct options_limits);
	case OPTION_FACT:
		break;
	}
	return 0;
}

void options_value_copy(enum options_kind kind, void *to, const void *from)
{
	const struct options_words *words = from;
	const struct options_members *members = from;
	const char *const *text = from;

	switch (kind) {
	case OPTION_TEXT:
	case OPTION_MAYBE:
		*(char **)to = *text ? slice_to_text(slice_of_text(*text)) : NULL;
		return;
	case OPTION_WORDS:
		words_copy(to, words);
		return;
	case OPTION_MEMBERS:
		members_copy(to, members);
		return;
	default:
		memcpy(to, from, options_value_size(kind));
		return;
	}
}

bool options_value_is_list(enum options_kind kind)
{
	return kind == OPTION_WORDS || kind == OPTION_LIMITS;
}

bool options_value_adds_up(enum options_kind kind)
{
	return kind == OPTION_LIMITS;
}

void options_value_free(enum options_kind kind, void *target)
{
	if (kind == OPTION_TEXT || kind == OPTION_MAYBE) {
		mem_free(*(char **)target);
		*(char **)target = NULL;
	} else if (kind == OPTION_WORDS) {
		words_free(target);
	} else if (kind == OPTION_MEMBERS) {
		members_free(target);
	}
}
