#include "server/clients.h"

#include "base/mem.h"
#include "server/client.h"

#include <unistd.h>

/* Seconds are what `timeout` counts. */
#define LOOK_MS 1000

struct clients *clients_new(const struct clients_options *options)
{
	struct clients *c = MEM_NEW(struct clients);

	c->options = *options;
	list_init(&c->all);
	list_init(&c->dirty);
	list_init(&c->resumed);
	list_init(&c->ended);
	list_init(&c->lingering);
	return c;
}

void clients_free(struct clients *c)
{
	if (!c)
		return;
	list_for_each_safe (it, &c->all)
		client_close(LIST_ITEM(it, struct client, link));
	mem_free(c);
}

void clients_accept(struct clients *c, int fd)
{
	static const char refusal[] = "-ERR max number of clients reached\r\n";

	if (c->count < c->options.max) {
		c->stats.accepted++;
		client_new(c, fd);
		return;
	}
	c->stats.rejected++;
	/* A courtesy: whether it arrives or not, the connection ends. */
	if (write(fd, refusal, sizeof(refusal) - 1) < 0)
		LOG(c->options.logger, LOG_DEBUG, "a connection beyond maxclients was closed");
	close(fd);
}

static void clients_resume(struct clients *c)
{
	struct list *node;

	while ((node = list_pop_front(&c->resumed)) != NULL)
		client_resume(LIST_ITEM(node, struct client, paused));
}

static void clients_write(struct clients *c)
{
	struct list *node;

	while ((node = list_pop_front(&c->dirty)) != NULL)
		client_write(LIST_ITEM(node, struct client, dirty));
}

static void clients_settle(struct clients *c, uint64_t now_ms)
{
	list_for_each_safe (it, &c->ended)
		client_settle(LIST_ITEM(it, struct client, end), now_ms);
	list_for_each_safe (it, &c->lingering) {
		struct client *client = LIST_ITEM(it, struct client, end);

		if (client->linger_till > now_ms)
			break;
		client_close(client);
	}
}

static bool clients_need_looks(const struct clients *c)
{
	const struct options *o = c->options.settings;

	return c->count > 0 && (o->timeout_s || o->output_limits.classes[OUTPUT_NORMAL].soft);
}

/* Returns when the next look is due. */
static uint64_t clients_look(struct clients *c, uint64_t now_ms)
{
	if (!clients_need_looks(c))
		return UINT64_MAX;
	if (now_ms >= c->look_due) {
		c->look_due = now_ms + LOOK_MS;
		list_for_each_safe (it, &c->all)
			client_look(LIST_ITEM(it, struct client, link), now_ms);
	}
	return c->look_due;
}

uint64_t clients_turn(struct clients *c, uint64_t now_ms)
{
	bool again = !list_empty(&c->resumed);
	uint64_t due;

	clients_resume(c);
	clients_write(c);
	clients_settle(c, now_ms);
	due = clients_look(c, now_ms);
	if (again || !list_empty(&c->dirty))
		return 0;
	if (list_empty(&c->lingering))
		return due;
	return MIN(due, LIST_ITEM(c->lingering.next, struct client, end)->linger_till);
}

void clients_stop_reading(struct clients *c)
{
	c->reading_stopped = true;
	list_for_each (it, &c->all)
		ev_io_stop(c->options.ev, &LIST_ITEM(it, struct client, link)->readable);
}

void clients_part(struct clients *c, uint64_t now_ms)
{
	list_for_each_safe (it, &c->all) {
		struct client *client = LIST_ITEM(it, struct client, link);

		if (client->state != CLIENT_LINGERING) {
			client_linger(client, now_ms);
		} else if (list_empty(&client->end)) {
			client->linger_till = now_ms + CLIENT_LINGER_MS;
			list_push_back(&c->lingering, &client->end);
		}
	}
}

bool clients_are_written(const struct clients *c)
{
	return c->unwritten == 0 && list_empty(&c->dirty);
}

void clients_settings_changed(struct clients *c)
{
	c->options.max = c->options.settings->maxclients;
	list_for_each (it, &c->all)
		client_set_limit(LIST_ITEM(it, struct client, link));
}

size_t clients_count(const struct clients *c)
{
	return c->count;
}

void clients_reset_stats(struct clients *c)
{
	c->stats = (struct clients_stats){0};
}

const struct clients_stats *clients_stats(const struct clients *c)
{
	return &c->stats;
}

size_t clients_max(const struct clients *c)
{
	return c->options.max;
}
