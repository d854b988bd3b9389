#include "node/request.h"

#include "base/mem.h"

#include <string.h>

static size_t bytes_of(const struct slice *argv, size_t argc)
{
	size_t n = 0;

	for (size_t i = 0; i < argc; i++)
		n += argv[i].len;
	return n;
}

struct request *request_new(const struct command *command, const struct slice *argv, size_t argc)
{
	size_t len = bytes_of(argv, argc);
	struct request *r = mem_alloc(sizeof(*r) + argc * sizeof(*argv) + len);
	uint8_t *bytes = (uint8_t *)(r + 1) + argc * sizeof(*argv);

	*r = (struct request){
		.command = command, .argc = argc, .argv = (struct slice *)(r + 1), .bytes = len};
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
	list_remove(&r->link);
	list_remove(&r->waiting);
	list_remove(&r->ageing);
	buf_free(&r->reply);
	buf_free(&r->watches);
	buf_free(&r->page.name);
	buf_free(&r->change);
	transaction_local_free(r->local);
	mem_free(r->later);
	mem_free(r);
}

struct resp_writer request_writer(struct request *r)
{
	return (struct resp_writer){.out = &r->reply, .protocol = r->protocol};
}
