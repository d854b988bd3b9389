/*
 * RANDOMKEY. Keys are not numbered, so none can be drawn evenly without counting them all. Instead
 * the way goes from the beginning of all keys to one of them, and where keys part the next byte is
 * drawn: evenly among those between the smallest and the largest that there are, and one that no
 * key has counts for the next that some have. So each key can be drawn, at the cost of a few seeks
 * for each place where keys part.
 */

#include "base/error.h"
#include "base/random.h"
#include "command/family.h"
#include "command/key_range.h"

struct walk {
	struct call *call;
	struct random random;
	struct buf prefix; /* the key begins so */
	struct buf first;  /* of the keys that do */
	struct buf last;
};

/* The first key of a range, or its last one. ERR_NOT_FOUND: there is none. */
static int walk_find(struct walk *w, const struct key_range *range, bool backward, struct buf *out)
{
	struct record_scan s;
	struct slice key;
	struct record r;
	int rc = key_range_scan(w->call, range, backward, &s), close;

	buf_clear(out);
	if (rc != OK)
		return rc;
	rc = ERR_NOT_FOUND;
	if (record_scan_next(&s, &key, &r)) {
		buf_append_slice(out, key);
		rc = OK;
	}
	close = record_scan_close(&s);
	return close == OK ? rc : close;
}

/* The ends of what begins with the prefix. */
static int walk_look(struct walk *w)
{
	struct key_range range;
	int rc;

	key_range_of_prefix(buf_slice(&w->prefix), &range);
	rc = walk_find(w, &range, false, &w->first);
	if (rc == OK)
		rc = walk_find(w, &range, true, &w->last);
	key_range_free(&range);
	return rc;
}

/* The prefix goes on, from where the ends part, with a byte that some key has and that is drawn. */
static int walk_on(struct walk *w, size_t common, uint8_t byte)
{
	struct key_range range = {0};
	struct buf key = {0};
	int rc;

	buf_append(&range.from, w->last.data, common);
	buf_append_byte(&range.from, byte);
	buf_append_slice(&range.to, buf_slice(&w->last));
	buf_append_byte(&range.to, 0);
	rc = walk_find(w, &range, false, &key);
	buf_clear(&w->prefix);
	if (rc == OK)
		buf_append(&w->prefix, key.data, common + 1);
	buf_free(&key);
	key_range_free(&range);
	return rc;
}

/* The key drawn stands in `first`. */
static int walk_draw(struct walk *w)
{
	int rc;

	while ((rc = walk_look(w)) == OK &&
	       !slice_equal(buf_slice(&w->first), buf_slice(&w->last))) {
		size_t common = w->prefix.len;
		unsigned low, high;
		uint64_t drawn;

		while (common < w->first.len && w->first.data[common] == w->last.data[common])
			common++;
		/* A key that ends here is one way to go, before all bytes. */
		low = common < w->first.len ? w->first.data[common] + 1u : 0;
		high = w->last.data[common] + 1u;
		drawn = random_between(&w->random, low, high);
		if (drawn == 0)
			return OK;
		rc = walk_on(w, common, (uint8_t)(drawn - 1));
		if (rc != OK)
			return rc;
	}
	return rc;
}

static int random_key(struct call *c)
{
	struct walk w = {.call = c};
	int rc;

	random_seed(&w.random, call_random_seed(c));
	rc = walk_draw(&w);
	if (rc == OK)
		resp_write_bulk(c->reply, buf_slice(&w.first));
	else if (rc == ERR_NOT_FOUND)
		resp_write_null(c->reply);
	buf_free(&w.prefix);
	buf_free(&w.first);
	buf_free(&w.last);
	return rc == ERR_NOT_FOUND ? OK : rc;
}

static const struct command rows[] = {
	COMMAND_ROW("RANDOMKEY", 1, COMMAND_READ, COMMAND_FLAG_READONLY, random_key,
		    COMMAND_DOC(GROUP_GENERIC, "1.0.0", "O(L), L bytes of the name", "",
				"Draws a key of the database",
				.tips = "request_policy:all_shards nondeterministic_output",
				.differs = "Keys with much in common are drawn less evenly: none "
					   "are numbered",
				.of_member = true)),
};

const struct command_family random_key_family = COMMAND_FAMILY(rows);
