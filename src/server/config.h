#ifndef CONCLAVE_SERVER_CONFIG_H
#define CONCLAVE_SERVER_CONFIG_H

/* What CONFIG asks of the process: its options while they are in force. */

#include "server/options.h"

/* Whoever lives by these options. */
struct config_events {
	void *ctx;
	/*
	 * Whether what live directives would be then can be; if not, ERR_INVALID and why, to stand
	 * behind the name of a directive. What it takes for that it may do already.
	 */
	int (*check)(void *ctx, const struct options *wanted, struct buf *problem);
	/* The options have changed. */
	void (*changed)(void *ctx);
};

/* The functions of struct command_host (command/host.h), with the options they are about. */
const char *config_name(size_t i);
void config_value(const struct options *o, size_t i, struct buf *out);
MUST_USE int config_set(struct options *o, const struct config_events *events,
			const struct slice *pairs, size_t count, struct buf *problem);
MUST_USE int config_rewrite(const struct options *o, struct buf *problem);

#endif
