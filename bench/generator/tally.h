#ifndef CONCLAVE_BENCH_GENERATOR_TALLY_H
#define CONCLAVE_BENCH_GENERATOR_TALLY_H

/* What came of the requests that count, command by command, and of the connections. */

#include "base/bytes.h"
#include "histogram.h"

#define TALLY_KINDS	64
#define TALLY_KIND_NAME 32

/* What is counted under no code of a server. */
#define TALLY_LOST "(connection lost)"
#define TALLY_LATE "(no reply in time)"

struct tally_kind {
	char name[TALLY_KIND_NAME];
	uint64_t count;
};

/* Of one command. Every request is answered, an error, or both counted and timed by nobody. */
struct tally_command {
	struct histogram times; /* ns, of those that were answered and not by an error */
	uint64_t errors;	/* requests that were lost are errors, too */
	uint64_t nulls;		/* of those answered: there was nothing */
};

struct tally {
	struct tally_command *commands;
	size_t count;
	struct tally_kind
		kinds[TALLY_KINDS]; /* errors; the last stands for all that have no place */
	size_t kind_count;
	uint64_t connected;  /* connections made, */
	uint64_t failures;   /* attempts that made none, */
	uint64_t lost;	     /* and connections that ended before they were to */
	uint64_t unsent;     /* requests for which nobody was there until the end */
	uint64_t last_reply; /* when the last of these requests was resolved, ns */
};

void tally_init(struct tally *t, size_t commands);
void tally_free(struct tally *t);

/* One request was answered after `ns`. */
void tally_answer(struct tally *t, size_t command, uint64_t ns, bool null);

/* One request was not; `kind` is the first word of an error, or one of the names above. */
void tally_error(struct tally *t, size_t command, struct slice kind);

/* Adds all that `from`, of the same commands, has. */
void tally_merge(struct tally *t, const struct tally *from);

/* Requests that were resolved. */
uint64_t tally_command_requests(const struct tally_command *c);
uint64_t tally_requests(const struct tally *t);
uint64_t tally_errors(const struct tally *t);

#endif
