#include "scenario_words.h"

#include <string.h>

struct words words_of(struct slice line)
{
	return (struct words){.left = line};
}

void words_fail(struct words *words, const char *expected)
{
	if (!words->wrong)
		words->wrong = expected;
	words->left.len = 0;
}

static void skip_blanks(struct words *words)
{
	while (words->left.len && words->left.data[0] == ' ') {
		words->left.data++;
		words->left.len--;
	}
}

/* The next word, still to be read. */
static struct slice words_peek(struct words *words)
{
	size_t n = 0;

	skip_blanks(words);
	while (n < words->left.len && words->left.data[n] != ' ')
		n++;
	return slice_of(words->left.data, n);
}

static void words_skip(struct words *words, struct slice word)
{
	words->left.data += word.len;
	words->left.len -= word.len;
	skip_blanks(words);
}

struct slice words_next(struct words *words)
{
	struct slice word = words_peek(words);

	words_skip(words, word);
	return word;
}

static bool number_of(struct slice word, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < word.len; i++) {
		if (word.data[i] < '0' || word.data[i] > '9')
			return false;
		*value = *value * 10 + (uint64_t)(word.data[i] - '0');
	}
	return word.len > 0;
}

uint64_t words_number(struct words *words)
{
	uint64_t value;

	if (!number_of(words_next(words), &value))
		words_fail(words, "a number");
	return value;
}

bool words_take(struct words *words, const char *word)
{
	struct slice next = words_peek(words);

	if (!slice_equal(next, slice_of_text(word)))
		return false;
	words_skip(words, next);
	return true;
}

void words_expect(struct words *words, const char *word)
{
	if (!words_take(words, word))
		words_fail(words, word);
}

bool words_take_flag(struct words *words, const char *word, bool *flag, bool value)
{
	if (!words_take(words, word))
		return false;
	*flag = value;
	return true;
}

bool words_take_setting(struct words *words, const char *name, uint64_t *value)
{
	struct slice next = words_peek(words);
	size_t len = strlen(name);

	if (next.len <= len || memcmp(next.data, name, len) != 0)
		return false;
	if (!number_of(slice_of(next.data + len, next.len - len), value))
		words_fail(words, name);
	words_skip(words, next);
	return true;
}

void words_entry(struct words *words, struct image *image, uint64_t term)
{
	struct entry e = {.term = term, .kind = ENTRY_NOOP};

	if (!words_take(words, "noop")) {
		struct slice text = words_next(words);

		e.kind = ENTRY_COMMAND;
		e.blob = blob_copy(text);
		e.data = e.blob->data;
		e.len = (uint32_t)text.len;
	}
	image_append(image, &e);
	blob_release(e.blob);
}
