#include "base/mem.h"
#include "storage/engine_rocks_internal.h"

struct engine_view *rocks_view_open(struct engine *e)
{
	struct rocks_view *v = MEM_NEW(struct rocks_view);

	v->rocks = rocks_of(e);
	v->snapshot = rocksdb_create_snapshot(v->rocks->db);
	v->options = rocksdb_readoptions_create();
	rocksdb_readoptions_set_snapshot(v->options, v->snapshot);
	return &v->view;
}

void rocks_view_close(struct engine_view *view)
{
	struct rocks_view *v = rocks_view_of(view);

	rocksdb_readoptions_destroy(v->options);
	rocksdb_release_snapshot(v->rocks->db, v->snapshot);
	mem_free(v);
}

/* Appends what is pinned, NULL: no row, to `out`, and lets it go. */
static int rocks_value_take(rocksdb_pinnableslice_t *pinned, struct buf *out)
{
	const char *data;
	size_t len;

	if (!pinned)
		return ERR_NOT_FOUND;
	data = rocksdb_pinnableslice_value(pinned, &len);
	buf_append(out, data, len);
	rocksdb_pinnableslice_destroy(pinned);
	return OK;
}

int rocks_view_get(struct engine_view *view, enum engine_family family, struct slice key,
		   struct buf *out)
{
	struct rocks_view *v = rocks_view_of(view);
	char *text = NULL;
	rocksdb_pinnableslice_t *pinned =
		rocksdb_get_pinned_cf(v->rocks->db, v->options, v->rocks->families[family],
				      rocks_text(key), key.len, &text);

	if (text)
		return rocks_read_error(v->rocks, text);
	return rocks_value_take(pinned, out);
}

/* No key of ours is behind sixteen bytes that are all ones. */
uint64_t rocks_view_bytes(struct engine_view *view, enum engine_family family, struct slice from)
{
	static const uint8_t end[] = {255, 255, 255, 255, 255, 255, 255, 255,
				      255, 255, 255, 255, 255, 255, 255, 255};
	struct rocks *r = rocks_view_of(view)->rocks;
	const char *first = rocks_text(from), *last = (const char *)end;
	size_t last_len = sizeof(end);
	char *text = NULL;
	uint64_t bytes = 0;
	int rc;

	rocksdb_approximate_sizes_cf(r->db, r->families[family], 1, &first, &from.len, &last,
				     &last_len, &bytes, &text);
	rc = rocks_error(r, LOG_WARNING, "measuring", text);
	return rc == OK ? bytes : 0;
}

/* One pass over those of one family; the arrays have room for all. */
struct rocks_batch {
	struct engine_get **gets;
	const char **keys;
	size_t *lens;
	rocksdb_pinnableslice_t **pinned;
	char **texts;
};

static void rocks_batch_get(struct rocks_view *v, struct rocks_batch *b, enum engine_family family,
			    size_t count)
{
	rocksdb_batched_multi_get_cf(v->rocks->db, v->options, v->rocks->families[family], count,
				     b->keys, b->lens, b->pinned, b->texts, false);
	for (size_t i = 0; i < count; i++) {
		struct engine_get *get = b->gets[i];

		buf_clear(&get->value);
		get->result = b->texts[i] ? rocks_read_error(v->rocks, b->texts[i])
					  : rocks_value_take(b->pinned[i], &get->value);
	}
}

void rocks_view_get_many(struct engine_view *view, struct engine_get *gets, size_t count)
{
	struct rocks_batch b = {
		.gets = mem_zalloc(count, sizeof(*b.gets)),
		.keys = mem_zalloc(count, sizeof(*b.keys)),
		.lens = mem_zalloc(count, sizeof(*b.lens)),
		.pinned = mem_zalloc(count, sizeof(*b.pinned)),
		.texts = mem_zalloc(count, sizeof(*b.texts)),
	};

	for (unsigned family = 0; family < FAMILY_COUNT; family++) {
		size_t n = 0;

		for (size_t i = 0; i < count; i++) {
			if (gets[i].family != family)
				continue;
			b.gets[n] = &gets[i];
			b.keys[n] = rocks_text(gets[i].key);
			b.lens[n] = gets[i].key.len;
			n++;
		}
		if (n > 0)
			rocks_batch_get(rocks_view_of(view), &b, family, n);
	}
	mem_free(b.gets);
	mem_free(b.keys);
	mem_free(b.lens);
	mem_free(b.pinned);
	mem_free(b.texts);
}
