#include "node/request.h"

#include "base/mem.h"

#include <string.h>

/* A spare request has room for so many bytes of arguments, and there are at most so many. */
#define SPARE_ROOM ((size_t)128)
#ifdef __SANITIZE_ADDRESS__
#define SPARE_MAX 0 /* it is to see who uses one that is over */
#else
#define SPARE_MAX 1024
#endif

static size_t bytes_of(const struct slice *argv, size_t argc)
{
	size_t n = 0;

	for (size_t i = 0; i < argc; i++)
		n += argv[i].len;
	return n;
}

void request_pool_init(struct request_pool *p)
{
	list_init(&p->spare);
	p->count = 0;
}

void request_pool_close(struct request_pool *p)
{
	struct list *it;

	while ((it = list_pop_front(&p->spare)) != NULL)
		mem_free(LIST_ITEM(it, struct request, link));
	p->count = 0;
}

/* Memory with at least that much room; what stands there is undefined. */
static struct request *request_take(struct request_pool *p, size_t room, size_t *got)
{
	*got = MAX(room, SPARE_ROOM);
	if (room > SPARE_ROOM || list_empty(&p->spare))
		return mem_alloc(sizeof(struct request) + *got);
	p->count--;
	return LIST_ITEM(list_pop_front(&p->spare), struct request, link);
}

struct request *request_new(struct request_pool *p, const struct command *command,
			    const struct slice *argv, size_t argc)
{
	size_t len = bytes_of(argv, argc), room;
	struct request *r = request_take(p, argc * sizeof(*argv) + len, &room);
	uint8_t *bytes = (uint8_t *)(r + 1) + argc * sizeof(*argv);

	*r = (struct request){.command = command,
			      .argc = argc,
			      .argv = (struct slice *)(r + 1),
			      .bytes = len,
			      .pool = p,
			      .room = room};
	list_init(&r->link);
	list_init(&r->waiting);
	list_init(&r->ageing);
	for (size_t i = 0; i < argc; i++) {
		if (argv[i].len)
			memcpy(bytes, argv[i].data, argv[i].len);
		r->argv[i] = slice_of(bytes, argv[i].len);
		bytes += argv[i].len;
	}
	return r;
}

void request_free(struct request *r)
{
	struct request_pool *p = r->pool;

	list_remove(&r->link);
	list_remove(&r->waiting);
	list_remove(&r->ageing);
	buf_free(&r->reply);
	buf_free(&r->watches);
	buf_free(&r->page.name);
	buf_free(&r->change);
	transaction_local_free(r->local);
	mem_free(r->later);
	mem_free(r->copies);
	if (r->room > SPARE_ROOM || p->count == SPARE_MAX) {
		mem_free(r);
		return;
	}
	list_push_front(&p->spare, &r->link);
	p->count++;
}

struct resp_writer request_writer(struct request *r)
{
	return (struct resp_writer){.out = &r->reply, .protocol = r->protocol};
}
