/* MEMBER: who takes part in the cluster, and how that is changed. */

#include "base/error.h"
#include "command/cluster.h"
#include "command/family.h"
#include "consensus/label.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ID_DIGITS 16

static const char *role_name(uint8_t roles)
{
	if (roles & MEMBER_VOTER)
		return "voter";
	if (roles & MEMBER_LEARNER)
		return "learner";
	return "leaving"; /* until the change is complete */
}

static void put_text(struct call *c, const char *name, struct slice value)
{
	resp_write_bulk(c->reply, slice_of_text(name));
	resp_write_bulk(c->reply, value);
}

static void put_member(struct call *c, const struct participant *p)
{
	struct label label = label_of_member(p);
	char id[ID_DIGITS + 1];

	snprintf(id, sizeof(id), "%016" PRIx64, p->id);
	resp_write_map(c->reply, 6);
	put_text(c, "id", slice_of_text(id));
	put_text(c, "name", label.name);
	put_text(c, "address", label.address);
	put_text(c, "role", slice_of_text(role_name(p->roles)));
	resp_write_bulk(c->reply, SLICE_LITERAL("leads"));
	resp_write_integer(c->reply, p->id == c->members->leader);
	resp_write_bulk(c->reply, SLICE_LITERAL("auto-promote"));
	resp_write_integer(c->reply, (p->roles & MEMBER_RISES) != 0);
}

static int member_list(struct call *c)
{
	const struct membership *m;

	if (!c->members)
		return reply_error(c, "ERR MEMBER is not allowed in transactions");
	m = c->members->membership;
	if (c->members->outside)
		return reply_error(c, c->members->outside);
	resp_write_array(c->reply, m->count);
	for (uint32_t i = 0; i < m->count; i++)
		put_member(c, &m->members[i]);
	return OK;
}

static int check_address(struct call *c, struct slice address)
{
	struct slice host;
	uint16_t port;

	if (label_address(address, &host, &port) == OK)
		return OK;
	return reply_error(c, "ERR the address is no host:port for other members");
}

/* The name and address of a newcomer, or of a member whose address is another one now. */
static int check_label(struct call *c, struct slice name, struct slice address)
{
	struct buf label = {0};
	bool fits;

	if (check_address(c, address) != OK)
		return CALL_REFUSED;
	label_put(name, address, &label);
	fits = name.len && !memchr(name.data, '=', name.len) &&
	       label_check(buf_slice(&label)) == OK;
	buf_free(&label);
	return fits ? OK
		    : reply_error(c, "ERR a name has printable characters without =, and "
				     "with its address at most 254 bytes");
}

/* MEMBER ADD id name host:port [LEARNER] */
static int member_add(struct call *c)
{
	bool learner = c->argc == 6 && argument_is(c->argv[5], "learner");

	if (c->argc > 6 || (c->argc == 6 && !learner))
		return reply_syntax(c);
	if (!label_id(c->argv[2]))
		return reply_error(c,
				   "ERR the id of a newcomer is 16 hexadecimal digits, as its log "
				   "says; with --join it comes by itself");
	if (check_label(c, c->argv[3], c->argv[4]) != OK)
		return CALL_REFUSED;
	*c->cluster = (struct cluster_request){.change = CLUSTER_ADD,
					       .who = c->argv[2],
					       .name = c->argv[3],
					       .address = c->argv[4],
					       .rises = !learner};
	return OK;
}

static int ask(struct call *c, enum cluster_change change)
{
	*c->cluster = (struct cluster_request){.change = change, .who = c->argv[2]};
	return OK;
}

static int member_promote(struct call *c)
{
	return ask(c, CLUSTER_PROMOTE);
}

static int member_demote(struct call *c)
{
	return ask(c, CLUSTER_DEMOTE);
}

static int member_remove(struct call *c)
{
	return ask(c, CLUSTER_REMOVE);
}

static int member_transfer(struct call *c)
{
	return ask(c, CLUSTER_TRANSFER);
}

/* MEMBER REPLACE old new */
static int member_replace(struct call *c)
{
	*c->cluster = (struct cluster_request){
		.change = CLUSTER_REPLACE, .who = c->argv[2], .name = c->argv[3]};
	return OK;
}

/* MEMBER UPDATE who host:port */
static int member_update(struct call *c)
{
	if (check_address(c, c->argv[3]) != OK)
		return CALL_REFUSED;
	*c->cluster = (struct cluster_request){
		.change = CLUSTER_UPDATE, .who = c->argv[2], .address = c->argv[3]};
	return OK;
}

#define CHANGES (COMMAND_FLAG_ADMIN | COMMAND_FLAG_NOSCRIPT)

static const struct command rows[] = {
	COMMAND_ROW("MEMBER|ADD", -5, COMMAND_CLUSTER, CHANGES, member_add,
		    COMMAND_DOC(GROUP_CLUSTER, "0.1.0", "O(1)", "id name address [LEARNER]",
				"Takes in a newcomer, which gets a vote when it has caught up")),
	COMMAND_ROW("MEMBER|DEMOTE", 3, COMMAND_CLUSTER, CHANGES, member_demote,
		    COMMAND_DOC(GROUP_CLUSTER, "0.1.0", "O(1)", "member",
				"Takes its vote from a member, which stays as a learner")),
	COMMAND_ROW("MEMBER|HELP", 2, COMMAND_LOCAL, COMMAND_FLAG_LOADING | COMMAND_FLAG_STALE,
		    reply_help,
		    COMMAND_DOC(GROUP_CLUSTER, "0.1.0", "O(1)", "", "Describes the subcommands")),
	COMMAND_ROW("MEMBER|LIST", 2, COMMAND_LOCAL, COMMAND_FLAG_LOADING | COMMAND_FLAG_STALE,
		    member_list,
		    COMMAND_DOC(GROUP_CLUSTER, "0.1.0", "O(N), N members", "",
				"Tells who takes part, where, and in which role")),
	COMMAND_ROW(
		"MEMBER|PROMOTE", 3, COMMAND_CLUSTER, CHANGES, member_promote,
		COMMAND_DOC(GROUP_CLUSTER, "0.1.0", "O(1)", "member", "Gives a learner a vote")),
	COMMAND_ROW("MEMBER|REMOVE", 3, COMMAND_CLUSTER, CHANGES, member_remove,
		    COMMAND_DOC(GROUP_CLUSTER, "0.1.0", "O(1)", "member",
				"Takes a member out, for ever")),
	COMMAND_ROW("MEMBER|REPLACE", 4, COMMAND_CLUSTER, CHANGES, member_replace,
		    COMMAND_DOC(GROUP_CLUSTER, "0.1.0", "O(1)", "member learner",
				"Gives the vote of a member that goes to a learner, in one step")),
	COMMAND_ROW(
		"MEMBER|TRANSFER", 3, COMMAND_CLUSTER, CHANGES, member_transfer,
		COMMAND_DOC(GROUP_CLUSTER, "0.1.0", "O(1)", "member", "Makes a member the leader")),
	COMMAND_ROW("MEMBER|UPDATE", 4, COMMAND_CLUSTER, CHANGES, member_update,
		    COMMAND_DOC(GROUP_CLUSTER, "0.1.0", "O(1)", "member address",
				"Tells the others where a member is to be reached")),
};

const struct command_family member_family = COMMAND_FAMILY(rows);
