#ifndef CONCLAVE_STORAGE_ROW_H
#define CONCLAVE_STORAGE_ROW_H

/*
 * What stands in the engine, as bytes: docs/disk-format.md gives every one. The history family
 * holds one change a row, under its revision. The state family holds what is newest: records by
 * keyspace and key, elements by incarnation, deadlines in order of time, and the position.
 *
 * Keys are made so that bytes sort as what they mean. Values are read through a cursor and never
 * trusted: a decoder says ERR_MALFORMED (ERR_VERSION for a form that a newer version writes) and
 * leaves nothing behind. Slices in what was decoded are borrowed from the bytes.
 */

#include "base/bytes.h"

/* The `sub`-th change, from 0 on, of the `main`-th command that changed anything, from 1 on. */
struct revision {
	uint64_t main; /* 0: none */
	uint32_t sub;
};

static inline bool revision_equal(struct revision a, struct revision b)
{
	return a.main == b.main && a.sub == b.sub;
}

/* <0, 0, >0 */
int revision_compare(struct revision a, struct revision b);

/* ---- keys ------------------------------------------------------------------------------------ */

/* The first byte of a key in the state family; numbers never change meaning. */
enum state_tag {
	STATE_META = 1,
	STATE_RECORD = 2,
	STATE_ELEMENT = 3,
	STATE_DEADLINE = 4,
	STATE_LEASE = 5,
	STATE_GARBAGE = 6,
	STATE_AUTHOR = 16,
};

#define HISTORY_KEY_BYTES 12

void history_key_put(uint8_t at[static HISTORY_KEY_BYTES], struct revision r);
MUST_USE int history_key_decode(struct slice key, struct revision *r);

/*
 * All of these append to `out`. An element's `order` has the same length for all elements of a
 * type (none, if they sort by themselves): that keeps apart what would otherwise read the same.
 */
void meta_key(struct buf *out, struct slice name);
void record_key(struct buf *out, uint32_t keyspace, struct slice key);
void element_key(struct buf *out, uint64_t incarnation, struct slice order, struct slice element);
void deadline_key(struct buf *out, uint64_t deadline_ms, uint32_t keyspace, struct slice key);

MUST_USE int record_key_decode(struct slice row, uint32_t *keyspace, struct slice *key);
MUST_USE int deadline_key_decode(struct slice row, uint64_t *deadline_ms, uint32_t *keyspace,
				 struct slice *key);

/* What nobody can see any more once the horizon has reached the change that ended it. */
enum garbage_kind {
	GARBAGE_KEYSPACE = 1,	 /* its records, and the elements of those that are collections */
	GARBAGE_INCARNATION = 2, /* its elements */
	GARBAGE_AUTHOR = 4,	 /* its row; `id` is the run's, see author_garbage_key */
	GARBAGE_AUTHORS_OF = 5,	 /* the rows of all authors of a run of a member */
};

/* `ended`: main of the change. */
void garbage_key(struct buf *out, uint64_t ended, enum garbage_kind kind, uint64_t id);
MUST_USE int garbage_key_decode(struct slice row, uint64_t *ended, enum garbage_kind *kind,
				uint64_t *id);

/* ---- records --------------------------------------------------------------------------------- */

enum record_type {
	RECORD_NONE = 0, /* a tombstone: the key was deleted at `mod` */
	RECORD_STRING = 1,
	RECORD_HASH = 2,
	RECORD_LIST = 3,
	RECORD_SET = 4,
	RECORD_SORTED_SET = 5,
	RECORD_STREAM = 6,
	RECORD_CHUNKS = 7, /* a big string that was changed in place: its chunks are elements */
};

/* A string up to this stands in its record, a longer one only in the change that set it. */
#define RECORD_INLINE_MAX 64

/*
 * R1 create <= mod and value_at <= mod, except in a tombstone, which has mod alone: all else is
 *    zero. (What was moved here is younger than its value: value_at < create.)
 * R2 Only strings have `value_at` and `inlined`; only collections, chunks too, an incarnation.
 * R3 inlined implies value.len == size <= RECORD_INLINE_MAX; else there is no value.
 * R4 keep >= 1, except in a tombstone.
 */
struct record {
	enum record_type type;
	struct revision mod;	  /* its newest change */
	struct revision create;	  /* since when the key exists */
	struct revision value_at; /* the change that holds the value of a string */
	uint64_t version;	  /* changes since then, the first included */
	uint64_t incarnation;	  /* what its elements are kept under */
	uint64_t deadline_ms;	  /* on cluster time; 0: none */
	uint64_t indexed_ms;	  /* the deadline row it has; 0: none */
	uint64_t lease;		  /* 0: none */
	uint64_t digest;	  /* its share in the digest of the living */
	uint64_t size;		  /* bytes of a string, number of elements */
	uint8_t keep;		  /* versions that outlive compaction, at least 1 */
	bool inlined;
	struct slice value; /* of a string that stands here */
	struct slice
		beside;	    /* of one that does not, if it is in memory all the same; not written */
	struct slice extra; /* what the type keeps beside: ends of a list, last id of a stream */
	struct slice row;   /* what it was decoded from; stale in a copy that was changed */
};

/* What TYPE calls a string, in whichever form. */
static inline bool record_is_string(const struct record *r)
{
	return r->type == RECORD_STRING || r->type == RECORD_CHUNKS;
}

/* Appends to `out`. Equal records give equal bytes, here and below: nothing has two forms. */
void record_encode(const struct record *r, struct buf *out);
MUST_USE int record_decode(struct slice bytes, struct record *r);

/* NULL, or which of R1 to R4 is broken. */
const char *record_broken(const struct record *r);

/* ---- elements -------------------------------------------------------------------------------- */

#define ELEMENT_ORDER_MAX 8

/* What all keys of one incarnation begin with: the tag and that. */
#define ELEMENT_KEY_HEAD (1 + 8)

/*
 * What the elements of a type are sorted by: those of hashes, sets and sorted sets by the hash of
 * their names, others by themselves. Returns its length, the same for all elements of a type.
 */
size_t element_order_put(enum record_type type, struct slice element,
			 uint8_t order[static ELEMENT_ORDER_MAX]);

/* The element in a row's key, the type known. */
MUST_USE int element_key_decode(struct slice row, enum record_type type, uint64_t *incarnation,
				struct slice *element);

/* What an element adds to its record's digest, whatever key and incarnation that has. */
uint64_t element_share(struct slice row, struct slice value);
/* ---- authors --------------------------------------------------------------------------------- */

/* Who made a change: a number that a run of a member gave to one of its clients. */
struct author {
	uint64_t incarnation; /* of the run */
	uint64_t number;      /* 0: nobody in particular */
};

/* What is known of one. */
struct author_text {
	struct slice user;
	struct slice address;
	struct slice client; /* as it calls itself; may be empty */
};

void author_key(struct buf *out, struct author a);
void author_text_encode(const struct author_text *t, struct buf *out);
MUST_USE int author_text_decode(struct slice bytes, struct author_text *t);

/* As garbage_key, for one author; garbage_key_decode gives the incarnation. */
void author_garbage_key(struct buf *out, uint64_t ended, struct author a);
uint64_t author_garbage_number(struct slice row);

/* ---- changes --------------------------------------------------------------------------------- */

enum change_kind {
	CHANGE_SET = 1,		/* the key holds `value`, or a new collection under `incarnation` */
	CHANGE_DELETE = 2,	/* the key is gone */
	CHANGE_EXPIRE = 3,	/* the key is gone, its time had come */
	CHANGE_DEADLINE = 4,	/* another deadline; the value stands at `value_at` */
	CHANGE_ELEMENT_SET = 5, /* `element` of the key holds `value` */
	CHANGE_ELEMENT_DELETE = 6, /* `element` is gone */
	CHANGE_MOVED_AWAY = 7,	   /* the key is gone to `other_key` in `other_keyspace` */
	CHANGE_MOVED_HERE = 8,	   /* the key holds what `other_key` in `other_keyspace` held */
	/* The db in `value` (fixed32) has `keyspace` from now on, and had `other_keyspace` before;
	 * `previous` is the change that gave it that. */
	CHANGE_KEYSPACE = 9,
};

/*
 * One change of one key, whole: what a reader of the past, a feed or a replay needs.
 */
struct change {
	enum change_kind kind;
	enum record_type type; /* of the record afterwards; of a deleted one, before */
	uint32_t keyspace;
	struct slice key;
	struct revision
		previous;	/* the record's change before this one, a tombstone too; 0: none */
	struct revision create; /* of the record afterwards */
	/* DEADLINE, MOVED_HERE of a string: where its value stands; MOVED_AWAY: where that of the
	 * string stands that went along. */
	struct revision value_at;
	/* Where the value of the string before stood, if neither in `previous`, nor needed by this
	 * record or one that it was moved to. */
	struct revision displaced;
	uint64_t version;
	uint64_t time_ms;     /* cluster time */
	struct author author; /* who did it */
	uint64_t deadline_ms; /* of the record afterwards */
	uint64_t lease;	      /* of the record afterwards */
	uint64_t incarnation; /* of a collection, one that is gone with this change too */
	uint8_t keep;
	uint8_t kept; /* what the record before kept, if that was more; else 0 */
	struct slice value;
	struct slice element;
	bool has_before; /* elements: it was there before, and held `before` */
	struct slice before;
	uint32_t other_keyspace;
	struct slice other_key;
	uint64_t size; /* of what has an incarnation: elements, or bytes in chunks */
};

/* Appends to `out`. */
void change_encode(const struct change *c, struct buf *out);
MUST_USE int change_decode(struct slice bytes, struct change *c);

/* The same for the change at this revision: what it names is older, so every way back ends. */
MUST_USE int change_decode_at(struct slice bytes, struct revision at, struct change *c);

/* Whether it leaves a tombstone. */
bool change_ends_record(const struct change *c);

/* Never NULL. */
const char *change_kind_name(enum change_kind kind);
const char *record_type_name(enum record_type type); /* as TYPE says it: "string", "none", ... */

#endif
