#ifndef CONCLAVE_SIM_DEMO_H
#define CONCLAVE_SIM_DEMO_H

/*
 * The stage of `conclave-sim demo`: a world without faults of its own, one client, and somebody
 * who tells what happens. Roles and damage are told by themselves, whenever a member changes
 * them; the rest is told by the story, which waits for each thing that it claims.
 */

#include "sim/world.h"

struct demo {
	struct world world; /* members find the demo by the world they live in */
	uint64_t since_us;  /* role changes are told with the time that passed since; 0: without */
	uint64_t leader_term[SIM_HOSTS_MAX]; /* the term that this host was last seen leading */
	bool born[SIM_HOSTS_MAX];	     /* what this host last said of itself */
	bool damaged[SIM_HOSTS_MAX];
	uint64_t ops;	     /* numbers the commands */
	uint64_t read_asked; /* the newest read: its request, */
	struct host *read_at;
	bool read_answered; /* whether it was answered, and what */
	uint64_t read_value;
};

/* A proposed change of x. */
struct demo_write {
	struct host *at;
	uint64_t index;
	uint64_t term;
	uint64_t value;
};

/* Something that is awaited; `arg` is whatever the one who waits passes on. */
typedef bool demo_seen(struct demo *d, const void *arg);

/* A world of three members that are down. */
void demo_open(struct demo *d, uint64_t seed);

void demo_close(struct demo *d);

/* The process dies, the machine runs on: the others see that nobody listens any more. */
void demo_kill(struct demo *d, struct host *h);

/* One line: the virtual time, who, and what. `h` may be NULL. */
void demo_say(const struct demo *d, const struct host *h, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Milliseconds from `since_us` until now. */
double demo_ms(const struct demo *d, uint64_t since_us);

/*
 * Lets the world go on until `seen` is true. False: it was not within so many virtual milliseconds,
 * or a rule was broken; then that is said, and `what` was awaited.
 */
MUST_USE bool demo_await(struct demo *d, uint64_t within_ms, const char *what, demo_seen *seen,
			 const void *arg);

/* Lets so many virtual milliseconds pass. */
void demo_pass(struct demo *d, uint64_t for_ms);

/* The same; false if `seen` became true within them. */
MUST_USE bool demo_never(struct demo *d, uint64_t for_ms, const char *what, demo_seen *seen,
			 const void *arg);

/* Hands x = `value` to the member; false if it does not take it. */
MUST_USE bool demo_write(struct demo *d, struct host *h, uint64_t value, struct demo_write *out);

/* The member that was given the write (a struct demo_write) has applied it. */
bool demo_acknowledged(struct demo *d, const void *write);

/* Asks the member for x; an error as of driver_read. The answer comes in d->read_answered. */
MUST_USE int demo_read(struct demo *d, struct host *h);

/* Flips one bit in the record of x = `value` on the host's disk; false if there is none. */
MUST_USE bool demo_flip(struct demo *d, struct host *h, uint64_t value);

#endif
