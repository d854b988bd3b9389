#include "ctl/status.h"

#include "base/error.h"
#include "ctl/info_text.h"
#include "ctl/member.h"

#include <inttypes.h>
#include <stdio.h>

#define CLIENT_PORT 6379

struct remote_address remote_address_of(const struct arguments *a)
{
	return (struct remote_address){.host = a->host,
				       .port = a->port ? (uint16_t)a->port : CLIENT_PORT,
				       .user = a->user,
				       .password = a->password};
}

/* ---- in words -------------------------------------------------------------------------------- */

static void put_uptime(uint64_t s, struct buf *out)
{
	if (s < 60) {
		buf_printf(out, "%" PRIu64 " s", s);
		return;
	}
	if (s >= 86400)
		buf_printf(out, "%" PRIu64 " d ", s / 86400);
	if (s >= 3600)
		buf_printf(out, "%" PRIu64 " h ", s / 3600 % 24);
	buf_printf(out, "%" PRIu64 " min", s / 60 % 60);
}

/* The lines "db0:keys=1,expires=0,avg_ttl=0". */
static void put_keys(struct slice info, struct buf *out)
{
	bool some = false;
	char name[8];

	for (unsigned db = 0; db < 16; db++) {
		struct slice keys;

		snprintf(name, sizeof(name), "db%u", db);
		keys = info_field(info, name);
		if (keys.len == 0)
			continue;
		buf_printf(out, "%s %s %.*s\n", some ? "        " : "keys    ", name, (int)keys.len,
			   (const char *)keys.data);
		some = true;
	}
	if (!some)
		buf_printf(out, "keys     none\n");
}

static void put_role(struct slice info, struct buf *out)
{
	struct slice role = info_field(info, "raft_role"), leader = info_field(info, "raft_leader");

	buf_printf(out, "\nrole     %.*s of term %" PRIu64 ", ", (int)role.len,
		   (const char *)role.data, info_number(info, "raft_term"));
	if (leader.len)
		buf_printf(out, "%.*s leads\n", (int)leader.len, (const char *)leader.data);
	else
		buf_printf(out, "nobody is known to lead\n");
}

static void put_status(const struct remote_address *a, struct slice info, struct buf *out)
{
	struct slice name = info_field(info, "raft_name");
	struct slice version = info_field(info, "conclave_version");

	buf_printf(out, "member   %.*s at %s:%u, version %.*s, up for ", (int)name.len,
		   (const char *)name.data, a->host, a->port, (int)version.len,
		   (const char *)version.data);
	put_uptime(info_number(info, "uptime_in_seconds"), out);
	if (info_number(info, "removed"))
		buf_printf(out, "\nrole     none, it was removed from the cluster\n");
	else
		put_role(info, out);
	buf_printf(out, "log      %" PRIu64 " of %" PRIu64 " committed entries are applied\n",
		   info_number(info, "raft_applied_index"), info_number(info, "raft_commit_index"));
	buf_printf(out, "history  revision %" PRIu64 ", readable from %" PRIu64 " on\n",
		   info_number(info, "revision"), info_number(info, "horizon"));
	put_keys(info, out);
	if (info_number(info, "no_space"))
		buf_printf(out, "alarm    the disk of some member is full\n");
	if (info_number(info, "quarantined"))
		buf_printf(out, "alarm    the data of this member differs, and it serves nobody\n");
	buf_append_byte(out, '\n');
}

/* ---- for programs ---------------------------------------------------------------------------- */

static void put_status_json(struct slice info, struct buf *out)
{
	static const char *const texts[] = {"raft_name", "raft_role", "raft_leader",
					    "conclave_version"};
	static const char *const numbers[] = {
		"raft_term", "raft_commit_index", "raft_applied_index",
		"revision",  "horizon",		  "uptime_in_seconds",
		"no_space",  "quarantined",	  "removed"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		buf_printf(out, "\"%s\":", texts[i]);
		buf_append_json(out, info_field(info, texts[i]));
		buf_append_byte(out, ',');
	}
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		buf_printf(out, "\"%s\":%" PRIu64 ",", numbers[i], info_number(info, numbers[i]));
}

/* ---- the command ----------------------------------------------------------------------------- */

static int ask_both(struct remote *r, bool json, bool *has_leader, struct buf *out,
		    struct buf *problem)
{
	static const struct slice info[] = {
		{(const uint8_t *)"INFO", 4},
		{(const uint8_t *)"server", 6},
		{(const uint8_t *)"raft", 4},
		{(const uint8_t *)"keyspace", 8},
	};
	static const struct slice list[] = {{(const uint8_t *)"MEMBER", 6},
					    {(const uint8_t *)"LIST", 4}};
	struct slice reply, text;
	int rc = remote_ask(r, info, ARRAY_LEN(info), &reply, problem);

	if (rc != OK)
		return rc;
	text = info_text(reply);
	*has_leader = info_field(text, "raft_leader").len > 0;
	if (info_field(text, "raft_role").len == 0) {
		buf_printf(problem, "%s:%u: who answers there is no conclave-server",
			   r->address.host, r->address.port);
		return ERR_UNAVAILABLE;
	}
	if (json) {
		buf_append_byte(out, '{');
		put_status_json(text, out);
		buf_append_slice(out, SLICE_LITERAL("\"members\":"));
	} else {
		put_status(&r->address, text, out);
	}
	rc = remote_ask(r, list, ARRAY_LEN(list), &reply, problem);
	if (rc == OK)
		rc = member_list_put(reply, json, out);
	else if (json)
		buf_append_slice(out, SLICE_LITERAL("null"));
	if (json)
		buf_append_slice(out, SLICE_LITERAL("}\n"));
	return rc;
}

int ctl_status(const struct arguments *a, const char *const *words, struct buf *problem)
{
	struct remote_address address = remote_address_of(a);
	struct remote remote;
	struct buf out = {0};
	bool has_leader = false;
	int rc = remote_open(&remote, &address, problem);

	(void)words;
	if (rc != OK)
		return ERR_UNAVAILABLE;
	rc = ask_both(&remote, a->given & ARGUMENT_JSON, &has_leader, &out, problem);
	/* A member that cannot say who takes part has said of itself what it can. */
	if (out.len)
		fwrite(out.data, 1, out.len, stdout);
	if (rc == OK && !has_leader) {
		buf_printf(problem, "no leader is known: fewer than a majority of the members can "
				    "be reached, or an election is under way");
		rc = ERR_UNAVAILABLE;
	}
	buf_free(&out);
	remote_close(&remote);
	return rc == OK ? OK : ERR_UNAVAILABLE;
}
