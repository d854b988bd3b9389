#include "command/client.h"

void client_init(struct client *c, uint64_t id, const struct clock *clock)
{
	c->id = id;
	c->protocol = 2;
	c->clock = clock;
}

void client_free(struct client *c)
{
	buf_free(&c->name);
	buf_free(&c->library);
	buf_free(&c->library_version);
}

static void text_copy(struct buf *to, const struct buf *from)
{
	buf_clear(to);
	buf_append_slice(to, buf_slice(from));
}

void client_copy(struct client *to, const struct client *from)
{
	struct buf name = to->name, library = to->library, version = to->library_version;

	text_copy(&name, &from->name);
	text_copy(&library, &from->library);
	text_copy(&version, &from->library_version);
	*to = *from;
	to->name = name;
	to->library = library;
	to->library_version = version;
}

void client_reset(struct client *c)
{
	c->database = 0;
	c->protocol = 2;
	c->readonly = false;
	c->no_evict = false;
	c->no_touch = false;
	c->replies = REPLIES_ON;
	buf_clear(&c->name);
}
