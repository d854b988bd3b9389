#ifndef CONCLAVE_SIM_MODEL_H
#define CONCLAVE_SIM_MODEL_H

/*
 * What the log says: the same entries as the members apply, executed by other code that keeps
 * every state there ever was. It is the witness of all checks of whole members: an acknowledged
 * write has one place in it, a read must be the state at some revision that its client may see, and
 * every member's rows must be its state at that member's revision.
 *
 * It shares with the code under test how entries are spelled, and nothing of what they mean.
 */

#include "base/entry.h"
#include "base/hash_table.h"
#include "sim/words.h"
#include "storage/position.h"

struct world;
struct model;

#define MODEL_NOW UINT64_MAX

/* ---- values ---------------------------------------------------------------------------------- */

struct model_piece;

struct model_field {
	struct buf name;
	struct buf text;
};

/* Does not change once it is in a cell. */
struct model_value {
	unsigned holders;
	bool is_hash;
	struct buf text;	     /* of a short string; of others use text_part */
	struct model_piece **pieces; /* of a long one, owned; NULL: it is short */
	size_t len;		     /* of a long one */
	struct model_field *fields;  /* in the order in which replies have them */
	size_t count;
	size_t cap;
};

struct model_value *value_text(struct slice text);
/* A hash with the fields of this one, NULL: none; to be changed before it goes into a cell. */
struct model_value *value_hash(const struct model_value *from);
struct model_value *value_hold(struct model_value *v);
void value_release(struct model_value *v);
/* NULL: no such field. */
const struct model_field *value_field(const struct model_value *v, struct slice name);
/* True: it is new. */
bool value_set_field(struct model_value *v, struct slice name, struct slice text);
/* False: there was none. */
bool value_remove_field(struct model_value *v, struct slice name);

/* The same of strings, short or long (model_text.c). */
size_t text_len(const struct model_value *v);
void text_part(const struct model_value *v, size_t from, size_t len, struct buf *out);
bool text_holds(const struct model_value *v, size_t from, struct slice part);
/* What `from` (NULL: nothing) becomes when `part` is written into it, with zeros between. */
struct model_value *text_written(const struct model_value *from, size_t at, struct slice part);
/* For value_release: what the string itself takes. */
void text_release(struct model_value *v);

/* ---- cells ----------------------------------------------------------------------------------- */

/* What a key of a database is from a revision on. */
struct model_version {
	uint64_t at;
	uint64_t mod;		   /* of the newest change of what stands here; 0: none */
	struct model_value *value; /* NULL: absent */
	uint64_t deadline_ms;	   /* 0: none */
};

struct model_cell {
	struct hash_node node;
	unsigned database;
	struct buf key;
	struct model_version *versions; /* the first one: absent, from revision 0 on */
	size_t count;
	size_t cap;
	uint64_t indexed_ms; /* the row of deadlines that it has; 0: none */
};

/* ---- the whole ------------------------------------------------------------------------------- */

struct model_origin {
	uint64_t member;
	uint64_t incarnation;
	uint64_t seq;
};

/* The horizon from a place in the log on. */
struct model_horizon {
	uint64_t revision; /* the newest one there */
	uint64_t horizon;
};

/* What became of a command of the log. */
struct model_result {
	struct hash_node node;
	uint64_t incarnation;
	uint64_t seq;
	uint64_t before; /* main revision */
	uint64_t after;
	struct buf reply;
};

struct model {
	struct world *world;
	uint64_t index;
	uint64_t revision;
	uint64_t now_ms;     /* cluster time of the newest entry */
	uint64_t *revisions; /* [index] after it */
	size_t revisions_cap;
	uint64_t *times; /* [revision] cluster time of it */
	size_t times_cap;
	struct hash_table cells;
	struct model_cell **all;
	size_t cell_count;
	size_t cell_cap;
	uint32_t keyspaces[DATABASE_COUNT];
	uint64_t mapped_at[DATABASE_COUNT]; /* the revision that gave it its keyspace */
	uint32_t next_keyspace;
	struct model_origin *origins;
	size_t origin_count;
	size_t origin_cap;
	struct hash_table results;
	struct model_horizon *moves; /* of the horizon; the first one: 0 at revision 0 */
	size_t move_count;
	size_t move_cap;
	uint64_t *horizons; /* [index] after it */
	size_t horizons_cap;
	uint64_t *in_need; /* members that are short of space */
	size_t need_count;
	size_t need_cap;
	uint32_t level;
	bool changes; /* something changed under revision + 1 */
};

uint64_t model_horizon(const struct model *m);

/* The horizon moves there, at once. */
void model_compact(struct model *m, uint64_t horizon);

/* The level after the newest entry, as the first member to apply it found. */
void model_learns_level(struct model *m, uint64_t index, uint32_t level);

struct model *model_new(struct world *w);
void model_free(struct model *m);

/* Never NULL. */
struct model_cell *model_cell(struct model *m, unsigned database, struct slice key);
const struct model_version *cell_at(const struct model_cell *c, uint64_t revision);

/* Until model_end everything that changes does so under one revision. */
void model_begin(struct model *m);
void model_end(struct model *m);
/* The cell holds this, NULL: nothing, as a change; takes the value over. */
void cell_put(struct model *m, struct model_cell *c, struct model_value *value,
	      uint64_t deadline_ms);
/* Keys that are there. */
size_t model_key_count(const struct model *m, unsigned database, uint64_t revision);
void model_flush(struct model *m, unsigned database);
void model_swap(struct model *m, unsigned a, unsigned b);
/* A row of deadlines has come up. */
void model_expire(struct model *m, uint64_t row_ms, uint32_t keyspace, struct slice key);

/* ---- commands (model_command.c) -------------------------------------------------------------- */

struct model_call {
	struct model *m;
	unsigned database;
	const struct slice *argv;
	size_t argc;
	uint64_t at;	    /* the revision that is read; MODEL_NOW: it may change things */
	uint64_t until;	    /* receives the first revision at which it might read something else */
	uint64_t horizon;   /* as of which it is read */
	bool asked_horizon; /* receives whether the answer depends on that */
	bool exact;	    /* the time is that of the model, not some time later */
	struct buf *reply;
};

/* False: the model does not know this command. */
MUST_USE bool model_run(struct model_call *c);

/* ---- the log (model_log.c) ------------------------------------------------------------------- */

/* An entry that a member is about to apply: nothing happens if another one came first. */
void model_apply(struct model *m, uint64_t index, const struct entry *e);

/* What became of that command; NULL: nothing, it was cancelled. */
const struct model_result *model_result(const struct model *m, uint64_t incarnation, uint64_t seq);

#endif
