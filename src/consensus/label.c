#include "consensus/label.h"

#include "base/error.h"

#include <string.h>

/* What stands behind the first `at` goes to `rest`; false: there is none. */
static bool part(struct slice *text, uint8_t at, struct slice *rest)
{
	const uint8_t *found = text->len ? memchr(text->data, at, text->len) : NULL;
	size_t len;

	if (!found)
		return false;
	len = (size_t)(found - text->data);
	*rest = slice_of(found + 1, text->len - len - 1);
	text->len = len;
	return true;
}

struct label label_of(struct slice text)
{
	struct label l = {.name = text};

	if (!part(&l.name, '=', &l.address))
		return l;
	(void)part(&l.address, '/', &l.client);
	return l;
}

struct label label_of_member(const struct participant *member)
{
	return label_of(slice_of(member->label, member->label_len));
}

void label_put(struct slice name, struct slice address, struct buf *out)
{
	buf_append_slice(out, name);
	if (address.len == 0)
		return;
	buf_append_byte(out, '=');
	buf_append_slice(out, address);
}

struct slice label_place(struct slice addresses)
{
	struct slice client;

	(void)part(&addresses, '/', &client);
	return addresses;
}

void label_put_address(struct slice host, uint16_t port, struct buf *out)
{
	bool brackets = host.len && memchr(host.data, ':', host.len);

	buf_printf(out, brackets ? "[%.*s]:%u" : "%.*s:%u", (int)host.len, (const char *)host.data,
		   (unsigned)port);
}

static int port_of(struct slice text, uint16_t *port)
{
	uint32_t value = 0;

	if (text.len == 0 || text.len > 5)
		return ERR_INVALID;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return ERR_INVALID;
		value = value * 10 + (uint32_t)(text.data[i] - '0');
	}
	*port = (uint16_t)value;
	return value == 0 || value > UINT16_MAX ? ERR_INVALID : OK;
}

int label_address(struct slice address, struct slice *host, uint16_t *port)
{
	size_t at = address.len;

	while (at > 0 && address.data[at - 1] != ':')
		at--;
	if (at < 2)
		return ERR_INVALID;
	*host = slice_of(address.data, at - 1);
	if (host->data[0] == '[') {
		if (host->len < 3 || host->data[host->len - 1] != ']')
			return ERR_INVALID;
		*host = slice_of(host->data + 1, host->len - 2);
	} else if (memchr(host->data, ':', host->len)) {
		return ERR_INVALID;
	}
	return port_of(slice_of(address.data + at, address.len - at), port);
}

/* A label stands in lines of a log. */
static bool is_plain(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < ' ' || text.data[i] == 0x7f)
			return false;
	return true;
}

int label_check(struct slice text)
{
	struct label l = label_of(text);
	struct slice host;
	uint16_t port;

	if (l.name.len == 0 || text.len > MEMBER_LABEL_MAX || !is_plain(text))
		return ERR_INVALID;
	if (l.address.len && label_address(l.address, &host, &port) != OK)
		return ERR_INVALID;
	return l.client.len ? label_address(l.client, &host, &port) : OK;
}

uint64_t label_id(struct slice text)
{
	uint64_t id = 0;

	for (size_t i = 0; i < text.len && text.len == 16; i++) {
		uint8_t c = text.data[i];
		bool digit = c >= '0' && c <= '9';

		if (!digit && (c < 'a' || c > 'f'))
			return 0;
		id = id << 4 | (uint64_t)(digit ? c - '0' : c - 'a' + 10);
	}
	return id;
}

const struct participant *label_find(const struct membership *m, struct slice who)
{
	for (uint32_t i = 0; i < m->count; i++)
		if (slice_equal(label_of_member(&m->members[i]).name, who))
			return &m->members[i];
	return membership_find(m, label_id(who));
}
