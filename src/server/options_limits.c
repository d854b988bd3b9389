#include "server/options_limits.h"

#include "base/error.h"
#include "server/options_value.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

/* A class, three numbers. */
#define WORDS_PER_CLASS 4

#define LIMIT_BYTES_MAX	  ((uint64_t)1 << 40)
#define LIMIT_SECONDS_MAX ((uint64_t)INT32_MAX)

/* As CONFIG GET has them; the replicas are called so, too, by those who came later. */
static const char *const class_names[OUTPUT_CLASSES] = {"normal", "slave", "pubsub"};

static bool is_word(struct slice word, const char *name)
{
	return word.len == strlen(name) &&
	       strncasecmp((const char *)word.data, name, word.len) == 0;
}

static int class_find(struct slice word)
{
	for (int i = 0; i < OUTPUT_CLASSES; i++)
		if (is_word(word, class_names[i]))
			return i;
	return is_word(word, "replica") ? OUTPUT_REPLICA : -1;
}

static int limit_set(struct output_limit *limit, const struct slice *words)
{
	const struct options_bounds bytes = {0, LIMIT_BYTES_MAX}, seconds = {0, LIMIT_SECONDS_MAX};

	if (options_value_set(OPTION_SIZE, bytes, &limit->hard, &words[0], 1) != OK ||
	    options_value_set(OPTION_SIZE, bytes, &limit->soft, &words[1], 1) != OK)
		return ERR_INVALID;
	return options_value_set(OPTION_NUMBER, seconds, &limit->soft_s, &words[2], 1);
}

int options_limits_set(struct options_limits *limits, const struct slice *words, size_t count)
{
	struct options_limits found = *limits;

	if (count == 0 || count % WORDS_PER_CLASS != 0)
		return ERR_INVALID;
	for (size_t i = 0; i < count; i += WORDS_PER_CLASS) {
		int class = class_find(words[i]);

		if (class < 0 || limit_set(&found.classes[class], words + i + 1) != OK)
			return ERR_INVALID;
	}
	*limits = found;
	return OK;
}

void options_limits_put(const struct options_limits *limits, struct buf *out)
{
	for (int i = 0; i < OUTPUT_CLASSES; i++) {
		const struct output_limit *l = &limits->classes[i];

		buf_printf(out, "%s%s %" PRIu64 " %" PRIu64 " %" PRIu64, i ? " " : "",
			   class_names[i], l->hard, l->soft, l->soft_s);
	}
}

void options_limits_complain(const struct slice *words, size_t count, struct buf *out)
{
	const char *problem = "Error in hard, soft or soft_seconds setting in buffer limit "
			      "configuration.";

	if (count == 0 || count % WORDS_PER_CLASS != 0) {
		buf_printf(out, "Wrong number of arguments in buffer limit configuration.");
		return;
	}
	for (size_t i = 0; i < count; i += WORDS_PER_CLASS) {
		if (class_find(words[i]) < 0) {
			problem = "Invalid client class specified in buffer limit configuration.";
			break;
		}
	}
	buf_printf(out, "%s", problem);
}
