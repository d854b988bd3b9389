#ifndef CONCLAVE_COMMAND_DESK_H
#define CONCLAVE_COMMAND_DESK_H

/*
 * The member behind a LOCAL command, as far as it may be asked: figures, the records that it keeps
 * of what it runs, its other clients. Nothing here needs a quorum.
 */

#include "command/client.h"
#include "command/client_socket.h"
#include "command/stats.h"
#include "consensus/membership.h"
#include "storage/store.h"

struct slowlog;

/* Another member, as a leader sees it. */
struct info_follower {
	uint64_t id;
	uint64_t index;	  /* of the newest entry on its disk, as far as is known */
	uint64_t lag_ms;  /* since it was heard */
	bool is_fetching; /* a state, for it is too far behind for entries */
};

/* What INFO tells of the member; everything is borrowed. */
struct info_member {
	uint64_t id;
	struct slice name; /* as it was started */
	const char *raft_role;
	uint64_t term;
	uint64_t leader; /* 0: none is known */
	uint64_t commit;
	const struct membership *membership;
	const struct position *position;
	struct store_stats store;
	bool announces_leader; /* else every member calls itself master */
	bool leads;
	struct info_follower followers[MEMBERSHIP_MAX]; /* of a leader: those it hears */
	size_t follower_count;
	uint64_t sessions;
	uint64_t ops_per_second;
	uint64_t unsaved; /* entries that are applied, and not in the engine yet */
	uint64_t saved_s; /* since 1970: when the state was stored last, or the member started */
	bool saving;
	bool save_failed;
	bool removed; /* from the cluster */
	bool quarantined;
	bool no_space;
	uint64_t checks; /* comparisons of all members' data */
	uint64_t verdicts;
};

/* A client of this member; everything is borrowed. */
struct client_row {
	void *session; /* for clients_kill */
	const struct client *client;
	const struct command *command; /* its newest; NULL: none yet */
	struct slice address;
	struct client_socket socket;
	uint64_t age_s;
	uint64_t idle_s;
	int queued; /* commands in its transaction; -1: it has none */
	size_t queued_bytes;
	size_t argument_bytes;
	size_t output_bytes;
	bool monitors;
	bool is_self; /* it is the one that asks */
};

/* What a LOCAL command waits for before it is answered. */
enum later_kind {
	LATER_SLEPT = 1,   /* the time is over; no session runs anything until then: OK */
	LATER_SAVED,	   /* all that is applied is in the engine: OK */
	LATER_ENDS,	   /* the same, if it is to be saved; then the process ends: nothing */
	LATER_COPIED,	   /* what this session wrote is on so many disks of others: their number */
	LATER_COPIED_HERE, /* and on this member's own: both numbers */
	LATER_REWRITTEN,   /* the file of directives is what holds: OK, or why not */
};

struct later {
	enum later_kind kind;
	uint64_t ms;	 /* SLEPT, COPIED: no longer than that; of the latter 0 is for ever */
	int64_t here;	 /* COPIED_HERE: 1, if this member's disk is to have it */
	int64_t others;	 /* COPIED: so many */
	uint64_t number; /* REWRITTEN: what the process calls it */
	bool saves;	 /* ENDS */
	bool forced;	 /* ENDS: also when it cannot be saved */
	bool at_once;	 /* ENDS: nobody is waited for */
};

struct desk {
	void *self; /* the session that asks */
	struct command_stats *stats;
	struct slowlog *slowlog;
	void (*info)(void *self, struct info_member *out);
	/* Whether the member calls itself master (command/replication.h): without all the rest. */
	bool (*is_master)(void *self);

	/* Whether a connection has to say a password before anything else, and whether it is this.
	 */
	bool (*password_needed)(void *self);
	bool (*password_fits)(void *self, struct slice password);

	/* All clients of this member, by ascending id. */
	void (*clients_each)(void *self, void (*tell)(void *ctx, const struct client_row *row),
			     void *ctx);
	/*
	 * Its connection ends when what it has handed out is resolved; nothing that comes later is
	 * run. Whoever asks for its own end still gets this reply. This and the next two: within a
	 * transaction it takes place once that has run.
	 */
	void (*clients_kill)(void *self, const struct client_row *row);
	/*
	 * No command that writes, or with `all` none at all, is run for a client of this member for
	 * so long; of two pauses the longer and the stricter counts.
	 */
	void (*clients_pause)(void *self, uint64_t ms, bool all);
	void (*clients_unpause)(void *self);

	/* The session is shown what this member receives from now on, until RESET. */
	void (*monitor)(void *self);

	/*
	 * On how many disks all is for sure that this session wrote and that was answered: of this
	 * member, and of others.
	 */
	void (*copies)(void *self, int64_t *here, int64_t *others);
	/*
	 * The command is answered when this is so, and its handler writes no reply. Not within a
	 * transaction.
	 */
	void (*later)(void *self, const struct later *later);
	/* All that is applied goes to the engine now. */
	void (*save)(void *self);
	/* Whether this client may use DEBUG. */
	bool (*debug_allowed)(void *self);
	/*
	 * Whoever is furthest of the others is to lead. ERR_NOT_LEADER: this one does not;
	 * ERR_BUSY: somebody is to already; ERR_NOT_FOUND, ERR_UNAVAILABLE: nobody can.
	 */
	MUST_USE int (*hand_over)(void *self);
};

#endif
