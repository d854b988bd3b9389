#include "node/batch.h"

#include "base/error.h"
#include "base/mem.h"

#define BATCH_VERSION 1

void batch_header_put(uint8_t *at, const struct batch_header *h)
{
	at[0] = BATCH_VERSION;
	fixed64_put(at + 1, h->member);
	fixed64_put(at + 9, h->incarnation);
	fixed64_put(at + 17, h->seq);
	fixed64_put(at + 25, h->term);
	fixed32_put(at + 33, h->level);
	fixed32_put(at + 37, h->count);
}

int batch_header_decode(struct cursor *c, struct batch_header *h)
{
	uint8_t version = cursor_fixed8(c);

	h->member = cursor_fixed64(c);
	h->incarnation = cursor_fixed64(c);
	h->seq = cursor_fixed64(c);
	h->term = cursor_fixed64(c);
	h->level = cursor_fixed32(c);
	h->count = cursor_fixed32(c);
	if (c->failed)
		return ERR_MALFORMED;
	if (version != BATCH_VERSION)
		return version > BATCH_VERSION ? ERR_VERSION : ERR_MALFORMED;
	return OK;
}

void batch_command_encode(const struct batch_command *command, struct buf *out)
{
	buf_append_varint(out, command->flags);
	buf_append_varint(out, command->database);
	buf_append_varint(out, command->author);
	buf_append_varint(out, command->users_version);
	buf_append_varint(out, command->argc);
	for (size_t i = 0; i < command->argc; i++)
		buf_append_string(out, command->argv[i]);
}

int batch_command_decode(struct cursor *c, struct batch_command *command, struct slice **argv,
			 size_t *argv_cap)
{
	uint64_t argc;

	command->flags = cursor_varint(c);
	command->database = cursor_varint(c);
	command->author = cursor_varint(c);
	command->users_version = cursor_varint(c);
	argc = cursor_varint(c);
	/* An argument takes a byte at least: no count can ask for more memory than came. */
	if (c->failed || argc == 0 || argc > cursor_left(c))
		return ERR_MALFORMED;
	MEM_GROW(*argv, *argv_cap, (size_t)argc);
	for (size_t i = 0; i < argc; i++)
		(*argv)[i] = cursor_string(c);
	command->argc = (size_t)argc;
	command->argv = *argv;
	return c->failed ? ERR_MALFORMED : OK;
}

void registration_encode(const struct registration *r, struct buf *out)
{
	buf_append_fixed64(out, r->member);
	buf_append_fixed64(out, r->replaces);
	buf_append_fixed64(out, r->nonce);
	buf_append_fixed32(out, r->level);
}

int registration_decode(struct slice bytes, struct registration *r)
{
	struct cursor c = cursor_of(bytes);

	r->member = cursor_fixed64(&c);
	r->replaces = cursor_fixed64(&c);
	r->nonce = cursor_fixed64(&c);
	r->level = cursor_fixed32(&c);
	return cursor_done(&c) && r->level ? OK : ERR_MALFORMED;
}
