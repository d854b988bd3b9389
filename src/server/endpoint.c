#include "server/endpoint.h"

#include "base/check.h"

#include <netdb.h>
#include <stdio.h>

static int look_up(const struct endpoint *e, int flags, struct addrinfo **out)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
	char port[8];

	snprintf(port, sizeof(port), "%u", e->port);
	return getaddrinfo(e->host, port, &hints, out);
}

void endpoint_init(struct endpoint *e, const char *host, uint16_t port)
{
	*e = (struct endpoint){.host = host, .port = port};
	e->is_number = look_up(e, AI_NUMERICHOST, &e->found) == 0;
	if (!e->is_number)
		e->found = NULL;
	e->current = e->found;
}

void endpoint_close(struct endpoint *e)
{
	if (e->found)
		freeaddrinfo(e->found);
	if (e->answer)
		freeaddrinfo(e->answer);
	*e = (struct endpoint){0};
}

const struct addrinfo *endpoint_address(const struct endpoint *e)
{
	return e->current;
}

static enum job_progress endpoint_step(struct job *job)
{
	struct endpoint *e = CONTAINER_OF(job, struct endpoint, job);

	e->failure = look_up(e, AI_ADDRCONFIG, &e->answer);
	if (e->failure)
		e->answer = NULL;
	return JOB_DONE;
}

struct job *endpoint_lookup(struct endpoint *e)
{
	CHECK(!e->looking);
	e->looking = true;
	e->job.step = endpoint_step;
	list_init(&e->job.link);
	return &e->job;
}

const char *endpoint_found(struct endpoint *e)
{
	e->looking = false;
	if (e->failure)
		return gai_strerror(e->failure);
	if (e->found)
		freeaddrinfo(e->found);
	e->found = e->answer;
	e->answer = NULL;
	e->current = e->found;
	return NULL;
}

void endpoint_failed(struct endpoint *e)
{
	if (e->current)
		e->current = e->current->ai_next;
	if (!e->current && e->is_number)
		e->current = e->found;
}
