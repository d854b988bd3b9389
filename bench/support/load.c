#include "load.h"

#include <string.h>

void load_init(struct load *l, uint64_t seed)
{
	*l = (struct load){0};
	random_seed(&l->random, seed);
	for (size_t i = 0; i < sizeof(l->pool); i++)
		l->pool[i] = (uint8_t)random_next(&l->random);
	memcpy(l->key, "key:000000000000", LOAD_KEY_BYTES);
}

void load_close(struct load *l)
{
	buf_free(&l->batch);
}

uint64_t load_any(struct load *l, uint64_t keys)
{
	return random_below(&l->random, keys);
}

static struct slice load_value(struct load *l)
{
	size_t at = random_below(&l->random, LOAD_POOL_BYTES - LOAD_VALUE_BYTES);

	return slice_of(l->pool + at, LOAD_VALUE_BYTES);
}

size_t load_command(struct load *l, enum load_command what, uint64_t key)
{
	for (size_t i = LOAD_KEY_BYTES; i > 4; i--) {
		l->key[i - 1] = (uint8_t)('0' + key % 10);
		key /= 10;
	}
	l->argv[1] = slice_of(l->key, LOAD_KEY_BYTES);
	switch (what) {
	case LOAD_SET:
		l->argv[0] = SLICE_LITERAL("SET");
		l->argv[2] = load_value(l);
		return 3;
	case LOAD_INCR:
		l->argv[0] = SLICE_LITERAL("INCR");
		l->key[0] = 'n'; /* numbers are keys of their own */
		return 2;
	case LOAD_GET:
		break;
	}
	l->argv[0] = SLICE_LITERAL("GET");
	return 2;
}

struct blob *load_batch(struct load *l, const struct batch_header *h, enum load_command what,
			uint64_t keys, uint64_t first)
{
	buf_clear(&l->batch);
	(void)buf_reserve(&l->batch, BATCH_HEADER_BYTES);
	buf_commit(&l->batch, BATCH_HEADER_BYTES);
	batch_header_put(l->batch.data, h);
	for (uint32_t i = 0; i < h->count; i++) {
		struct batch_command c = {.argv = l->argv};

		c.argc = load_command(l, what, keys ? load_any(l, keys) : first + i);
		batch_command_encode(&c, &l->batch);
		l->key[0] = 'k';
	}
	return blob_copy(buf_slice(&l->batch));
}
