#ifndef CONCLAVE_SERVER_ENDPOINT_H
#define CONCLAVE_SERVER_ENDPOINT_H

/*
 * Where another member listens: host and port as configured, and the addresses that the host's
 * name stands for. A name is looked up by a job, since that can take seconds; an address written
 * in digits needs none. Each failure moves on to the next address, and behind the last one the name
 * is looked up anew.
 */

#include "base/job.h"

#include <stdint.h>
#include <sys/socket.h>

struct addrinfo;

struct endpoint {
	const char *host; /* borrowed */
	uint16_t port;
	struct addrinfo *found;		/* all addresses */
	const struct addrinfo *current; /* NULL: to be looked up */
	bool is_number;

	struct job job;
	bool looking; /* the job is under way */
	struct addrinfo *answer;
	int failure; /* of getaddrinfo */
};

/* `host` outlives it. */
void endpoint_init(struct endpoint *e, const char *host, uint16_t port);

/* No job of it is under way, or none will run any more. */
void endpoint_close(struct endpoint *e);

/* The address to be tried; NULL: run endpoint_lookup first. */
const struct addrinfo *endpoint_address(const struct endpoint *e);

/* The job that looks the name up; the caller sets `done` and `owner`, and calls endpoint_found. */
struct job *endpoint_lookup(struct endpoint *e);

/* Takes the job's result. NULL, or why nothing was found. */
const char *endpoint_found(struct endpoint *e);

/* Nobody was reached at the present address. */
void endpoint_failed(struct endpoint *e);

#endif
