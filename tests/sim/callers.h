#ifndef CONCLAVE_SIM_CALLERS_H
#define CONCLAVE_SIM_CALLERS_H

/*
 * Clients of whole members: each has a connection most of the time, sends requests on it in
 * bursts without waiting for the answers, leaves it whenever it likes, and opens another one
 * somewhere else. What they ask stands in a table of works; what they hear is held against what
 * they asked.
 */

#include "sim/reply.h"
#include "sim/world.h"

#define REQUEST_WORDS_MAX 8
#define REQUEST_BYTES_MAX 2048
#define UNSURE_MAX	  256

/* Values are multiples of this, so that what was incremented is never taken for another one. */
#define VALUE_STEP 1000

/* Counters come behind the registers in the history. */
#define COUNTER_KEY 1000
#define COUNTERS    2

struct work;

/* One request of a connection, in order. */
struct asked {
	struct list link;
	const struct work *work;
	uint64_t key;
	uint64_t value;
	uint64_t op; /* in the history, where the work keeps one */
	uint64_t asked_us;
	bool handed; /* to the member */
	size_t argc;
	size_t ends[REQUEST_WORDS_MAX]; /* of the words, in `bytes` */
	struct buf bytes;
};

/*
 * Two keys that nobody but one connection uses: what they hold is known exactly, but for what
 * writes of unknown outcome may have done.
 */
struct own_keys {
	uint64_t number;	     /* of the connection, which names them */
	uint64_t value;		     /* 0: none */
	uint64_t unsure[UNSURE_MAX]; /* values written since, of which nobody knows */
	size_t unsure_count;
	uint64_t low; /* the counter is at least this, and at most `high` */
	uint64_t high;
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
	struct own_keys own;
};

/* Of a value that was written: each is another one. */
struct written {
	uint64_t op;	     /* in the history, if `shared` */
	uint64_t applied_at; /* the tick at which a member applied it first; 0: none has */
	bool shared;
	uint8_t state;
	uint8_t seen; /* times that it stands in the history of the store */
};

enum { WRITTEN_OPEN, WRITTEN_DONE, WRITTEN_REFUSED };

struct callers {
	struct caller *all;
	uint64_t connections;
	struct written *written; /* value / VALUE_STEP */
	size_t written_cap;
	struct buf changes;	/* all that were ever made, each as a string */
	uint64_t changes_upto;	/* main revision of the last */
	bool changes_forgotten; /* some were dropped before anybody looked */
};

/* One kind of request. */
struct work {
	const char *name;
	unsigned weight;
	enum sim_count count;
	/* Fills in the request's words, and what is needed to understand its answer. */
	void (*ask)(struct caller *c, struct asked *a);
	/* An answer, an error too. Elements of an array follow in `rest`. */
	void (*hear)(struct caller *c, struct asked *a, const struct reply *r, struct slice rest);
};

/* callers.c */
void callers_start(struct world *w);
void callers_close(struct world *w);
void callers_cut(struct host *h);
bool callers_wait(struct world *w);
/* Fails if somebody still waits who should have been answered. */
void callers_watch_answered(struct world *w);

/* callers_work.c */
const struct work *work_draw(struct world *w);
/* A member has just applied this command: it has taken effect by now, whatever its client hears. */
void works_applied(struct world *w, const struct slice *argv, size_t argc);
/* The number that a text begins with, 0 if there is none. */
uint64_t number_in_front(struct slice s);
/* The number that this value stands for; fails when it was not written to this key. */
uint64_t value_read(struct world *w, struct slice text, char kind, uint64_t key);

/* callers_last.c */
/* A member has applied up to this revision: its new changes are kept, before their past goes. */
void works_keep_changes(struct world *w, struct host *h);

/*
 * When all is over: every value that was ever written against the rows of the leader's history, and
 * what the shared keys hold, as if somebody had read them.
 */
void works_look(struct world *w);

#endif
