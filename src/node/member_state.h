#ifndef CONCLAVE_NODE_MEMBER_STATE_H
#define CONCLAVE_NODE_MEMBER_STATE_H

/* Inside node only: the state behind struct member and struct session, and what their files offer
 * each other. */

#include "base/hash_table.h"
#include "command/cluster.h"
#include "command/desk.h"
#include "command/slowlog.h"
#include "lease/cluster_time.h"
#include "node/batch.h"
#include "node/control_entry.h"
#include "node/copy_waits.h"
#include "node/deeds.h"
#include "node/expiry_entry.h"
#include "node/lookahead.h"
#include "node/member.h"
#include "node/origin.h"
#include "node/request.h"
#include "storage/state_check.h"
#include "storage/vault.h"

/*
 * What a session has said of a transaction that is still to come.
 *
 *	         WATCH                   MULTI                     EXEC
 *	CLOSED --------> CLOSED, watches ------> OPEN, queued ------------> CLOSED
 *	   ^                                       |     with elements of the session's own:
 *	   +---------------------------------------+     held until it is known whether it ran
 *	        DISCARD, RESET, EXEC after an error
 */
struct multi {
	bool open;
	bool failed;		   /* an error while it was queued: EXEC will refuse */
	struct list queued;	   /* of struct request */
	size_t bytes;		   /* what they take in the log at most */
	size_t memory;		   /* what they take while they wait */
	struct hash_table watches; /* of struct watched, by database and key */
	uint64_t number;	   /* grows whenever watches are forgotten */
	size_t watching;	   /* WATCHes under way: EXEC waits for them */
	bool watch_failed;	   /* a key that was to be watched is not */
	struct request *exec;	   /* under way, and all behind it is held; NULL: none */
	struct client after;	   /* what the client is if `exec` runs */
	struct deeds deeds;	   /* what else is done then */
};

struct session {
	struct member *member;
	const struct session_events *events;
	void *ctx;
	struct list link;     /* in the member */
	struct list touched;  /* in the member: has output to tell of */
	struct list full;     /* in the member: was told to wait */
	struct list requests; /* in order of arrival */
	size_t count;	      /* of these and of those that are held */
	size_t bytes;	      /* of their arguments, as far as they are kept */
	struct buf out;
	size_t behind;	  /* bytes of replies that wait for those before them */
	size_t out_limit; /* of both together; 0: none */
	bool cut;	  /* nothing more is run or taken */
	bool advancing;
	struct buf address;	/* of its client; empty: not known */
	uint64_t author;	/* the number its changes go under; 0: none was given yet */
	struct buf author_name; /* the client's name when it was given */
	uint64_t changed_at;	/* the revision of its last change; 0: there was none */
	struct client client;
	struct multi multi;
	struct list held;     /* requests that came behind one that decides what they mean */
	struct list released; /* in the member: what is held may go on */
	struct list monitor;  /* in the member: is shown what the others ask */
	bool killed;
	struct later *later; /* what the command that is being run waits for; owned */
	struct list copying; /* requests that wait for copies of writes that are under way */
	uint64_t written;    /* index of the entry with its newest write that is resolved */
	uint64_t opened_ms;
	uint64_t heard_ms; /* when its newest request came */
	const struct command *newest;
};

/* Reads that share one view, on their way through the pool. */
struct read_batch {
	struct job job;
	struct list link; /* in the member, until it is back */
	struct member *member;
	struct clock clock; /* its own: the pool asks it how long a read takes */
	struct view *view;
	struct fetched *note;
	struct txn txn;
	struct list requests;
	struct list *at;  /* the next one to run */
	uint64_t changes; /* of the member when the view was opened */
	bool damaged;	  /* it came to rows that are not what was stored */
};

/* A step of an entry that missed a row, run dry to find out which. */
struct dry_run {
	struct job job;
	struct member *member;
	struct view *view;
	struct fetched *note;
	struct txn txn;
	struct buf reply;
	struct blob *payload;
	int (*run)(struct dry_run *d);
	int result;
	bool stale; /* the state is another one by now */

	/* a command */
	struct batch_command command;
	struct slice *argv;

	/* a deadline */
	struct expiry_item item;
};

/* The entry that is being applied, when it could not be applied at once. */
struct applying {
	uint64_t index; /* 0: none */
	uint32_t done;	/* steps of it that are behind: commands, or deadlines */
	size_t at;	/* where the next one begins in the payload */
	uint32_t asked; /* one more than the step for which the rest was fetched ahead; 0: none */
	uint64_t asked_worked; /* what that step had done by then */
	bool awaits;	       /* rows that are being fetched ahead */
	bool awaits_all;       /* of them, not just the next ones that come */
	uint64_t landed;       /* jobs that had come back when it began to wait */
};

enum member_install_phase {
	INSTALL_IDLE,
	INSTALL_BEGINNING,
	INSTALL_ASKING,
	INSTALL_WRITING,
	INSTALL_READING,
	INSTALL_VERIFYING,
	INSTALL_FETCHED,
	INSTALL_ADOPTING,
	INSTALL_DISCARDING,
};

/* Another member's state on its way in (member_install.c). */
struct install {
	struct job job;
	enum member_install_phase phase;
	struct vault *vault;
	uint64_t from;
	uint64_t index;
	uint32_t level; /* of the state that was read */
	bool wanted;	/* begin when the phase is IDLE again */
	bool dropped;	/* the driver does not want it any more */
	struct engine *fresh;
	struct engine_file *file; /* being filled; NULL: none */
	uint64_t file_bytes;
	enum engine_family family;
	bool family_ends; /* with the answer at hand */
	struct buf last;  /* key of the last row that was taken */
	struct blob *answer;
	struct store_intake intake;
	struct state_check *check; /* under way; NULL: none */
	const char *wrong;	   /* what it found; NULL: nothing */
	uint64_t request;
	uint64_t ask_again_ms;
	uint64_t patience_ms; /* until then */
	uint64_t give_up_ms;
	int error;   /* of the job */
	int failure; /* of the whole */
};

/* An engine that lived before, being closed and removed. */
struct discarding {
	struct job job;
	struct vault *vault;
	struct engine *engine;
};

/* What the leader knows of the next round of expiry; cluster times are the store's. */
struct expiry {
	struct expiry_scan *scan; /* in the pool; NULL: none */
	uint64_t proposed; /* index of the newest entry: the round lasts until it is applied */
	uint64_t due_ms;   /* on the monotonic clock: no round begins before */
	uint64_t ahead_ms;
	uint64_t next_ms; /* what the last scan has not collected begins at this time, */
	struct buf next;  /* with this row */
};

/* What the leader knows of the next round of moving the horizon. */
struct horizon {
	struct horizon_search *search; /* in the pool; NULL: none */
	uint64_t proposed;	       /* index of the newest entry */
	uint64_t due_ms;	       /* the next round, on the monotonic clock, */
	uint64_t pace_ms;	       /* or already at this time, if more was stored than */
	uint64_t stored;	       /* what the engine held at the last one */
};

/* Rows on their way into memory for entries to come. */
struct prefetch {
	struct list waiting; /* of struct prefetch_job, in order; the last one is being filled */
	struct list flying;  /* in the pool */
	unsigned waiting_count;
	unsigned flying_count;
	uint64_t landed; /* jobs that came back */

	/* rows that will be looked for together */
	struct buf rows; /* their keys, one behind the other */
	struct {
		size_t len;
		uint64_t index; /* of the entry that needs it */
	} noted[ROW_CACHE_TOGETHER];
	size_t noted_count;
	struct lookahead lookahead;

	struct slice *argv;
	size_t argv_cap;
	struct slice *element_argv; /* of a transaction */
	size_t element_argv_cap;
};

/* An entry of the log that this member has not applied yet. */
struct lag_entry {
	uint64_t index;
	uint32_t len;
};

/* How far applying is behind, and what waits for it to catch up. */
struct lag {
	struct lag_entry *ring; /* appended since the start and not applied, in order */
	size_t cap;		/* power of two */
	size_t first;
	size_t count;
	uint64_t bytes;	  /* of all these */
	struct list held; /* of struct held_batch: forwarded to this leader, in order */
	size_t held_bytes;
};

struct check_answer {
	uint64_t member;
	struct digests digests;
};

/* Comparing all members' data (member_check.c). */
struct check {
	struct digests own; /* as of the newest CHECK applied; index 0: none was */
	bool to_tell;	    /* the leader has not got them */

	/* the leader */
	struct check_answer answers[MEMBERSHIP_MAX]; /* the newest of each member */
	uint32_t answer_count;
	uint64_t due_ms;	   /* when the next CHECK is proposed */
	uint64_t proposed;	   /* index of the newest one */
	uint64_t verdict_proposed; /* and of the newest VERDICT */
	uint64_t decided;	   /* index of the CHECK on which a majority agreed last */
	uint64_t alarmed;	   /* and of the one of which it was said that none does */
	uint64_t leave_due_ms;	   /* one that should not lead tries to hand over again */

	bool unreadable;  /* the stored state could not be read for others */
	bool damage_told; /* and that reads come to it */
};

/* What no session runs for a while. */
struct pause {
	uint64_t till_ms;	 /* on the monotonic clock; 0: nothing is paused */
	bool all;		 /* not only what writes */
	uint64_t sleeps_till_ms; /* the same for everything; 0: not */
};

/* What is counted of the commands that run here. */
struct tally {
	struct command_stats stats;
	uint64_t second;   /* of the monotonic clock, */
	uint64_t calls;	   /* before which so many had run, */
	uint64_t rate;	   /* of these, in the second before */
	uint64_t saved_ms; /* since 1970: when the state was stored last, or the member started */
};

/* What the process has said of its disk. */
enum space_told { SPACE_UNTOLD, SPACE_ENOUGH, SPACE_LOW };

/* A command that was not run here, and will not be. */
#define QUARANTINE_TEXT                                                             \
	"CLUSTERDOWN The data of this member was found to differ from that of the " \
	"others: it serves nobody until it is refilled, see its log"

/* So many changes that others asked for are remembered. */
#define CHANGES_REMEMBERED 64

/* A change that some member asked for, by its number there. */
struct change_taken {
	uint64_t from;
	uint64_t number;
};

/* Changes of the membership: what this member asks for, and what it does as the leader. */
struct changing {
	struct list asked; /* requests, by their `waiting` */
	uint64_t number;   /* that was given last */
	uint64_t again_due_ms;
	uint64_t announce_due_ms;
	bool announced; /* the membership had this member where it says that it is */

	/* up to this term an earlier run of this member may have led, and have taken changes */
	uint64_t earlier_term;
	/* what was answered, or will be: a frame that comes once more asks for nothing new */
	struct change_taken taken[CHANGES_REMEMBERED];
	unsigned taken_next; /* place, counted on and on */

	/* as the leader: the one under way that somebody waits for */
	bool under_way;
	uint64_t from; /* who asked */
	uint64_t from_number;
	uint64_t transfer_to; /* it is no change: the office goes to this one */
	uint64_t index;	      /* of the entry that makes the change */
	uint64_t term;

	/* as the leader: the learner that has caught up, and since when */
	uint64_t rising;
	uint64_t rising_since_ms;
};

struct member {
	struct member_options options;
	const struct node_io *io;
	struct engine *engine;
	const struct member_events *events;
	struct machine machine;
	struct driver_events driver_events;
	struct driver *driver;
	struct store *store;
	struct raft_status status; /* as last told */
	uint64_t leaderless_ms;	   /* since when no leader is known; 0: one is */
	bool failed;
	bool removed; /* from the cluster: it serves nobody any more */
	struct cluster_time time;

	/* apply */
	struct txn txn;
	struct applying applying;
	struct fetched *pinned;	 /* rows for the command that is to run once more */
	struct dry_run *dry_run; /* under way; NULL: none */
	struct slice *argv;
	size_t argv_cap;
	uint64_t changes; /* commands that changed something, since the start */

	/* the engine's writer, on the monotonic clock */
	uint64_t stored_ms; /* when the state was stored last */
	struct {
		uint64_t changes; /* as many had been made */
		uint64_t since_ms;
	} rest;			 /* nothing has changed */
	uint64_t compact_due_ms; /* when what is dead is dropped next */

	struct changing changing;
	struct expiry expiry;
	struct horizon horizon;
	struct prefetch prefetch;
	struct lag lag;

	/* the cluster as a whole */
	struct check check;
	uint64_t level_proposed; /* index of the newest LEVEL entry */
	enum space_told space;
	uint64_t alarm_due_ms; /* when it is said again */
	struct member_stats stats;

	/* writes */
	struct origin origin;
	uint64_t register_due_ms; /* when a registration is proposed again */
	uint64_t progress_ms;	  /* when a write was handed out or resolved last */
	uint64_t handed_term;	  /* of the leader that has what was sent */

	/* reads */
	struct txn read_txn;
	struct buf read_row;
	struct list reads_waiting; /* for the barrier after the one under way */
	struct list reads_flying;  /* for the one under way */
	struct list reads_at_once; /* for none: they run with the next turn */
	uint64_t barrier;	   /* its number */
	uint64_t barrier_due_ms;   /* when it is asked for again; 0: none is under way */
	struct read_batch *batch;  /* to be handed to the pool at the end of the turn */
	struct list batches;	   /* in the pool */
	struct scan_names scan_names;
	uint64_t reads_run; /* on the loop, since the start */

	/* states of others and for others */
	struct install install;
	struct discarding *discarding; /* NULL: none */
	struct list shares;
	struct list share_jobs;
	uint64_t share_free_us; /* when the next answer may go out, on the monotonic clock */
	struct job *cleaning;	/* closes views that nobody reads any more; NULL: not under way */

	/* sessions */
	struct request_pool requests; /* of all of them */
	uint64_t heard_ms;	      /* when a request came last, or a turn began */
	uint64_t lap_us; /* while reads run one behind the other: when the last one ended, */
	uint64_t lap_ms; /* and the cluster time for all of them; else 0 */
	struct list sessions;
	struct list touched;  /* have output to tell of */
	struct list full;     /* were told to wait */
	struct list released; /* hold requests that may go on, */
	bool released_wait;   /* when there is room for writes again */
	struct list ageing;   /* requests, oldest first */
	uint64_t last_client; /* the id that was given last */
	uint64_t last_author; /* the number that was given last, in this run */
	struct buf password;  /* empty: none is needed */
	struct list monitors; /* sessions that are shown what comes */
	struct slowlog slowlog;
	struct tally tally;
	struct pause pause;
	struct list later; /* requests whose answer takes time, but for these: */
	struct copy_waits copy_waits;
	uint64_t save_index; /* up to here the engine is to hold what is applied */
};

uint64_t member_now_us(const struct member *m);
uint64_t member_now_ms(const struct member *m);
void member_fail(struct member *m, int error);

/* member_apply.c */
void dry_run_free(struct dry_run *d);
void member_forget_dry_run(struct member *m);
bool member_apply(struct member *m, uint64_t index, const struct entry *e);
/* A deadline of this entry missed a row. */
void member_dry_run_item(struct member *m, const struct expiry_item *item, const struct entry *e);
/* The step that missed rows has run. */
void member_unpin(struct member *m);

/* member_expiry.c */
void member_expiry_reset(struct member *m); /* another leader, or another term */
void member_expiry_turn(struct member *m);
uint64_t member_expiry_due_ms(const struct member *m);
void member_expiry_close(struct member *m);
/* True when the entry is behind; false when it has to go on later. */
bool member_expiry_apply(struct member *m, const struct entry *e);

/* member_horizon.c */
void member_horizon_reset(struct member *m); /* another leader, or another term */
void member_horizon_turn(struct member *m);
uint64_t member_horizon_due_ms(const struct member *m);
void member_horizon_close(struct member *m);
void member_horizon_apply(struct member *m, const struct entry *e);
/* member_change.c */
void member_ask_change(struct session *s, const struct command *command, const struct slice *argv,
		       size_t argc);
void member_hear_change(struct member *m, uint64_t from, struct slice body);
void member_hear_changed(struct member *m, struct slice body);
void member_change_turn(struct member *m); /* before the driver's */
void member_change_done(struct member *m); /* behind it */
uint64_t member_change_due_ms(const struct member *m);

/* member_change_lead.c */
/*
 * The leader makes a change that was asked for. OK: its entry is in the log, or leadership is on
 * its way. Else `why` is the reply, an error, and nothing was or will be done.
 */
MUST_USE int member_make_change(struct member *m, const struct cluster_request *c, struct buf *why);
/* Who has caught up and is to rise, rises. */
void member_promote_turn(struct member *m);

/* member_time.c */
void member_time_init(struct member *m);
void member_time_note(struct member *m, const struct raft_note *note);
void member_time_changed(struct member *m, const struct raft_status *status);
void member_time_appended(struct member *m, const struct entry *newest);
void member_time_turn(struct member *m);
/* For what is read now: it says how long something lives on, and decides nothing. */
uint64_t member_time_now(struct member *m);
/* For what is proposed now; this member leads. */
uint64_t member_time_stamp(struct member *m);

/* desk.c */
/* The member as commands of this session may ask it. */
struct desk session_desk(struct session *s);
/*
 * A command of this session was run. It began when member_begins said, or it took so long and was
 * done by now; the times are of the monotonic clock.
 */
uint64_t member_begins(const struct member *m);
void member_ran(struct session *s, const struct call *c, uint64_t began_us);
void member_tally(struct session *s, const struct call *c, uint64_t usec, uint64_t now_us);
/* What was written to `out` last is an error. */
void member_count_error(struct member *m, const struct buf *out);

/* later.c */
void session_later(struct session *s, const struct later *later);
/* The request is answered when this is so; it is taken. */
void session_await(struct request *r, struct later *later);
/* The engine is to hold what is applied, soon; an entry that is being applied now as a whole. */
void member_save(struct member *m);
void member_later_turn(struct member *m);
uint64_t member_later_due_ms(const struct member *m);

/* copies.c */
/* On how many disks what the session has written is for sure: of this member, and of others. */
void session_copies(struct session *s, int64_t *here, int64_t *others);
/* Its `later` says on how many disks what its session wrote before is to be. */
void copies_await(struct request *r);
/* Nobody waits for this request any more, whatever it is. */
void copies_forget(struct member *m, struct request *r);
/* A request of this session is over: what waits for copies of it may look for them. */
void session_count_copies(struct session *s);
/* None of its requests waits for copies any more: member_later_turn answers them with an error. */
void session_end_copies(struct session *s);
void member_copies_turn(struct member *m);

/* monitors.c */
void session_monitor(struct session *s);
/* A request that came, shown to whoever watches; it is going to be run or queued. */
void member_show(struct session *s, const struct command *command, const struct slice *argv,
		 size_t argc);

/* pause.c */
/* Whether this request of a session has to wait for the end of a pause. */
bool session_pauses(const struct session *s, const struct slice *argv, size_t argc);
void member_pause(struct member *m, uint64_t ms, bool all);
void member_unpause(struct member *m);
void member_pause_turn(struct member *m);
uint64_t member_pause_due_ms(const struct member *m);

/* member_store.c */
void member_machine_init(struct member *m);
void member_store_turn(struct member *m);
uint64_t member_store_due_ms(const struct member *m);

/* member_share.c */
void member_hear_fetch(struct member *m, struct blob *body);
void member_share_turn(struct member *m);
uint64_t member_share_due_ms(const struct member *m);
void member_share_close(struct member *m);

/* member_install.c */
struct job *member_install_fetch(struct member *m, uint64_t from, const struct snapshot *s);
int member_install_fetched(struct member *m);
struct job *member_install_swap(struct member *m);
int member_install_done(struct member *m);
void member_install_drop(struct member *m);
void member_hear_rows(struct member *m, struct blob *body);
void member_install_turn(struct member *m);
uint64_t member_install_due_ms(const struct member *m);
void member_install_close(struct member *m);

/* member_prefetch.c */
void member_prefetch_init(struct member *m);
void member_prefetch_close(struct member *m);
void member_prefetch_turn(struct member *m);
void member_prefetch_appended(struct member *m, uint64_t first, const struct entry *entries,
			      size_t count);
/* A command of the entry that is being applied is next: the memory is asked for later ones' rows.
 */
void member_prefetch_go_on(struct member *m);
/*
 * The step at hand of the entry that is being applied misses a row. True: rows are being fetched,
 * and it is to run again when some or all are back. False: it has to be run dry.
 */
bool member_prefetch_missing(struct member *m, const struct entry *e);
/* Whether a step waits for rows, and those that it waits for have not come back since. */
bool member_prefetch_awaited(const struct member *m);

/* member_lag.c */
void member_lag_init(struct member *m);
void member_lag_close(struct member *m);
void member_lag_turn(struct member *m);
void member_lag_appended(struct member *m, uint64_t first, const struct entry *entries,
			 size_t count);
/* Whether applying is so far behind that nothing more should be proposed here. */
bool member_lags(const struct member *m);
/* A batch that was forwarded to this leader is proposed, now or when applying has caught up. */
void member_lag_admit(struct member *m, const struct batch_header *h, struct blob *body);
/* member_level.c */
void member_level_turn(struct member *m);
/* False: this version does not support the level, and the member has stopped. */
bool member_level_apply(struct member *m, const struct entry *e);
/* ERR_VERSION: this version does not support the level, and the log says so. */
MUST_USE int member_level_fits(const struct member *m, uint32_t level);

/* member_check.c */
void member_check_turn(struct member *m);
void member_check_reset(struct member *m); /* another leader, or another term */
void member_check_tell_again(struct member *m);
void member_check_forget(struct member *m);
void member_hear_digests(struct member *m, uint64_t from, struct slice body);
void member_check_apply(struct member *m, uint64_t index, const struct entry *e);
void member_verdict_apply(struct member *m, const struct entry *e);
bool member_is_quarantined(const struct member *m);
/* If it is in quarantine: the log says so, and what to do. */
void member_say_quarantined(struct member *m);

/* member_alarm.c */
/* Whether somebody is short of space, and what may make the state grow is refused. */
bool member_has_alarm(const struct member *m);
void member_alarm_turn(struct member *m);
uint64_t member_alarm_due_ms(const struct member *m);
void member_hear_alarm(struct member *m, uint64_t from, struct slice body);
void member_alarm_apply(struct member *m, const struct entry *e);

/* member_write.c */
void member_collect(struct member *m, struct request *r, const struct slice *argv, size_t argc);
/* Nothing of this session will be written any more under the author it has. */
void member_end_author(struct session *s);
void member_write_turn(struct member *m);
/* This member leads. As driver_propose, for one entry, which is stamped. */
MUST_USE int member_propose(struct member *m, uint8_t kind, struct blob *payload, uint64_t waiter,
			    uint64_t *index);
/* The same with a copy of these bytes. */
MUST_USE int member_propose_bytes(struct member *m, uint8_t kind, const struct buf *bytes,
				  uint64_t waiter, uint64_t *index);
bool member_takes_part(const struct member *m, uint64_t member);
void member_forwarded(struct member *m, uint64_t from, struct blob *body);
void member_hear_registration(struct member *m, uint64_t from, struct slice body);
void member_registered(struct member *m, uint64_t index, const struct registration *r, bool ok);
void member_write_resolved(struct member *m, struct request *r);
bool member_writes_full(const struct member *m);

/* member_read.c */
void member_read(struct member *m, struct request *r);
void member_read_now(struct member *m, struct request *r);
void member_read_turn(struct member *m);
void member_barrier_met(struct member *m, uint64_t request);
void member_barrier_void(struct member *m);
void member_read_launch(struct member *m);
void read_batch_free(struct read_batch *b);

/* session.c */
void session_answer_late(struct request *r);
/* It was not run: this member is in quarantine. */
void session_answer_quarantined(struct request *r);
struct resp_writer session_writer(struct request *r);
void session_before_write(struct session *s, const struct request *r);
void session_done(struct request *r);
void session_check_output(struct session *s); /* cuts it if it holds too much */
void session_advance(struct session *s);
/* A request with a copy of these arguments: its reply is the next one. */
struct request *session_add(struct session *s, const struct command *command,
			    const struct slice *argv, size_t argc);
void session_answer_done(struct request *r);
void session_answer_error(struct session *s, const char *text);
void request_answer_error(struct request *r, const char *text);
void session_touch(struct session *s); /* its owner is told */
void session_kill(struct session *s);
bool session_is_browser(struct session *s, struct slice name); /* then it has been killed */
void session_drop_held(struct session *s); /* what came behind what decides its meaning */
void member_release_sessions(struct member *m);
void member_expire_requests(struct member *m);
void member_tell_sessions(struct member *m);
uint64_t member_request_due_ms(const struct member *m);

/* session_local.c */
/* NULL, or that it knows of no members yet, itself included, and why; as an error. */
const char *member_is_outside(const struct member *m);
void session_run_local(struct session *s, const struct command *command, const struct slice *argv,
		       size_t argc);
/* The same for a command that says which replies are wanted. */
void session_run_reply(struct session *s, const struct command *command, const struct slice *argv,
		       size_t argc);

/* session_multi.c */
void multi_init(struct multi *t);
void multi_close(struct multi *t);
void multi_fail(struct multi *t); /* if one is open */
void multi_end(struct multi *t);  /* neither watched nor queued is anything any more */
bool multi_holds(const struct multi *t, struct slice name);
void multi_request_done(struct session *s, struct request *r);
void session_queue(struct session *s, const struct command *command, const struct slice *argv,
		   size_t argc);
bool session_play(struct session *s, const struct command *command, const struct slice *argv,
		  size_t argc);

#endif
