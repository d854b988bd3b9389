#ifndef CONCLAVE_COMMAND_HOST_H
#define CONCLAVE_COMMAND_HOST_H

/*
 * The process around a member, for commands that are about it. Whoever runs members without a
 * process gives none, and these commands leave out what only a process knows, or say that they
 * cannot be done.
 */

#include "base/bytes.h"

/* What INFO tells of the process; texts are borrowed. */
struct info_process {
	const char *version; /* of Conclave */
	const char *os;
	const char *run_id;	/* 40 hexadecimal digits, others at each start */
	const char *executable; /* its whole path */
	int64_t pid;
	uint16_t port; /* for clients */
	uint64_t uptime_s;

	uint64_t clients; /* connections now, and at most */
	uint64_t clients_max;
	uint64_t accepted; /* connections since the start, */
	uint64_t rejected; /* and those that were one too many */
	uint64_t bytes_in;
	uint64_t bytes_out;

	uint64_t disk_free; /* bytes, where there is less; UINT64_MAX: not known */
	uint64_t disk_used; /* bytes of the member's files; 0: nobody counts them */
	uint64_t disk_reserve;
	uint64_t disk_quota;

	uint64_t resident_bytes; /* memory, now and at most */
	uint64_t resident_peak_bytes;
	uint64_t machine_bytes;
	uint64_t cpu_system_us;
	uint64_t cpu_user_us;
};

struct command_host {
	void *owner;

	/* ---- info_* -------------------------------------------------------------------------- */

	void (*info_process)(void *owner, struct info_process *out);

	/* ---- shutdown ------------------------------------------------------------------------ */

	/* The process ends as it does by a signal; with `at_once` nobody else is waited for. */
	void (*shutdown)(void *owner, bool at_once);

	/* ---- config_* ------------------------------------------------------------------------ */

	/* The directives, one after the other; NULL behind the last. The name is lower case. */
	const char *(*config_name)(void *owner, size_t i);
	/* Appends the value in force of number `i`. */
	void (*config_value)(void *owner, size_t i, struct buf *out);
	/*
	 * Sets `count` directives, `pairs` being name, value, name, value: all, or none. An error:
	 * `problem` is the reply, from "ERR" on.
	 */
	int (*config_set)(void *owner, const struct slice *pairs, size_t count,
			  struct buf *problem);
	/*
	 * Begins to bring the file of directives up to date with what holds now; returns a number
	 * to ask for its end with. 0: it cannot, and `problem` is the reply.
	 */
	uint64_t (*config_rewrite)(void *owner, struct buf *problem);
	/* OK: the file is; ERR_BUSY: not yet; others: it was not done, with `problem` as above. */
	int (*config_rewritten)(void *owner, uint64_t number, struct buf *problem);
	/* Counts of what the process did begin anew. */
	void (*config_reset_stats)(void *owner);
};

#endif
