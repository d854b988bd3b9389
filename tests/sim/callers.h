#ifndef CONCLAVE_SIM_CALLERS_H
#define CONCLAVE_SIM_CALLERS_H

/*
 * Clients of whole members: each has a connection most of the time, sends requests on it in
 * bursts without waiting for the answers, leaves it whenever it likes, and opens another one
 * somewhere else. What they ask stands in a table of works; what they hear is held against the
 * model (sim/witness.c).
 */

#include "sim/model.h"
#include "sim/reply.h"
#include "sim/world.h"

/* Values are multiples of this, so that what was incremented is never taken for another one. */
#define VALUE_STEP 1000

struct asked;
struct caller;
struct roster;

/* What an answer says of the request. */
enum heard { HEARD_DONE, HEARD_REFUSED, HEARD_UNCERTAIN, HEARD_UNREADABLE };

enum asked_kind {
	ASKED_LOCAL, /* the answer is known beforehand, or any one will do */
	ASKED_READ,
	ASKED_WRITE,
};

/* One command of a transaction. */
struct queued {
	struct words words;
	unsigned database;
	enum asked_kind kind;
	uint64_t value;
};

/* One request of a connection, in order. */
struct asked {
	struct list link;
	const char *name;     /* of the work that it is part of */
	enum asked_kind kind; /* in MULTI: once it is executed */
	struct words words;
	unsigned database;
	struct queued *queued; /* of an EXEC, owned */
	size_t queued_count;
	uint64_t watch_floor; /* what it watches was seen at this revision or later, */
	uint64_t watch_most;  /* and no later than this */
	uint64_t value;	      /* that it sets, 0: none */
	bool past;	      /* it asks for a revision */
	uint64_t revision;
	uint64_t asked_us;
	uint64_t watch_number; /* of the caller then */
	uint64_t floor;	       /* it must not see less than this revision */
	uint64_t seating;      /* place of the newest membership that was committed then */
	uint64_t own_seating;  /* of the caller then, */
	uint64_t own_term;     /* and seating_term */
	size_t leaders;	       /* by place: who led then, by its own word */
	bool unmodelled;       /* whoever asked looks at the answer */
	bool handed;	       /* to the member */
	struct buf expected;   /* of ASKED_LOCAL; empty: anything */
	const struct model_result
		*result; /* of a write that its member has applied; NULL: not yet */
	/* Told what it heard, if anything; may ask more. */
	void (*then)(struct caller *c, const struct asked *a, enum heard heard, struct slice plain);
};

/* Over a database, page by page; it outlives connections. */
struct walk {
	bool on;
	bool waits; /* for a page */
	unsigned database;
	uint64_t cursor;
	uint64_t floor;	  /* the newest revision that was known when it began */
	struct buf names; /* that it has come to, each behind a byte with its length */
};

struct caller {
	struct event acts;
	struct event arrives; /* requests, at the member */
	struct event hears;   /* replies, here */
	struct world *world;
	unsigned number;
	struct host *host;	 /* NULL: not connected */
	struct session *session; /* NULL: not connected, or the member's process is gone */
	struct list asked;
	size_t asked_count;
	struct buf heard;

	/* the connection, as what was asked leaves it */
	const char *working; /* name of the work that asks at the moment */
	unsigned database;
	bool readonly;
	struct asked *multi;   /* the MULTI that is open; NULL: none */
	uint64_t floor;	       /* revision that it has seen */
	uint64_t seating;      /* of the change that was acknowledged to it last, */
	uint64_t seating_term; /* and the term that its member led then; 0: it did not */
	uint64_t watch_floor;  /* what the oldest WATCH of the next EXEC must have seen */

	/* what it watches keys for; the step that follows, once it may come */
	bool watching;
	uint64_t watch_number; /* grows with each time that it begins to watch */
	void (*step)(struct caller *c);
	uint64_t watch_most; /* its WATCHes are answered at this revision */
	unsigned keys[2];
	int64_t balances[2];

	struct walk walk;
};

/* Of a value that was written: each is another one. */
struct written {
	uint8_t state;
	uint8_t seen; /* times that the log wrote it */
};

enum { WRITTEN_OPEN, WRITTEN_DONE, WRITTEN_REFUSED };

struct callers {
	struct caller *all;
	struct written *written; /* value / VALUE_STEP */
	size_t written_cap;
	uint64_t floor;	  /* the newest revision that anybody has heard of */
	uint64_t address; /* number of the newest one that somebody asked to give */
	struct roster *roster;
	size_t largest; /* bytes that any request so far takes in the log, at most */
};

/* callers.c */
void callers_start(struct world *w);
void callers_close(struct world *w);
void callers_cut(struct host *h);
bool callers_wait(struct world *w);
/* Fails if somebody still waits who should have been answered. */
void callers_watch_answered(struct world *w);
/* Asks on the caller's connection, behind all it has asked before; words as words_print. */
struct asked *ask(struct caller *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* One more word, for those that are no short text; before anything else is asked. */
void ask_word(struct caller *c, struct asked *a, struct slice word);

/* witness.c */
/* A member's batch is about to be applied there: its commands get their results. */
struct batch_command;
void witness_applied(struct host *h, uint64_t incarnation, uint64_t seq,
		     const struct batch_command *command);
/* An answer to the oldest request. */
enum heard witness_hears(struct caller *c, struct asked *a, struct slice plain);

/* values.c: values that say where they belong */
uint64_t value_new(struct world *w);
/* The value as a word of `a`, for this key. */
void ask_value(struct caller *c, struct asked *a, const char *key);
void value_is(struct world *w, uint64_t value, uint8_t state);
/* The log has just executed this command for the first time. */
void works_applied(struct world *w, const struct slice *argv, size_t argc);
/* In the end: every value that was acknowledged was written. */
void values_look(struct world *w);

/* works.c */
struct work {
	const char *name;
	unsigned weight;
	enum sim_count count;
	void (*ask)(struct caller *c);
};
const struct work *work_draw(struct world *w);
/* When all is over: what must hold of all that was asked. */
void works_look(struct world *w);

/* The works, in files of their own. */
void work_set(struct caller *c);
void work_get(struct caller *c);
void work_incr(struct caller *c);
void work_delete(struct caller *c);
void work_count(struct caller *c);
void work_own(struct caller *c);
void work_big(struct caller *c);
void work_large(struct caller *c);
void work_members(struct caller *c);
void work_local(struct caller *c);
void work_nonsense(struct caller *c);
void work_transfer(struct caller *c);
void work_sum(struct caller *c);
void work_expire(struct caller *c);
void work_remaining(struct caller *c);
void work_empty(struct caller *c);
void work_swap(struct caller *c);
void work_place(struct caller *c);
void work_move(struct caller *c);
void work_size(struct caller *c);
void work_hash(struct caller *c);
void work_fields(struct caller *c);
void work_past(struct caller *c);
void work_history(struct caller *c);
void work_compact(struct caller *c);
void work_scan(struct caller *c);
void work_queue(struct caller *c);
void work_claim(struct caller *c);
void work_heavy(struct caller *c);

/* Limits of work that worlds have, and keys that are more than any of them allows. */
#define WORK_LIMIT_LEAST 45
#define WORK_LIMIT_MOST	 55
#define WORK_LIMIT_KEYS	 60

/* Begins as the caller's database. */
void work_use(struct caller *c, unsigned database);

/* work_transfer.c: nothing is lost or made, at any revision. */
void transfers_watch(struct world *w);
/* work_expire.c: nothing lives on that should be gone. */
void expiry_watch(struct world *w);

#endif
