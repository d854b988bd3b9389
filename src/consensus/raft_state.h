#ifndef CONCLAVE_CONSENSUS_RAFT_STATE_H
#define CONCLAVE_CONSENSUS_RAFT_STATE_H

/* Inside consensus only: the state behind struct raft and what its files offer each other. */

#include "base/random.h"
#include "consensus/peer.h"
#include "consensus/raft.h"

#define TIME_NEVER UINT64_MAX

/* Terms and indexes beyond this are nobody's honest value: messages with them are malformed. */
#define NUMBER_MAX ((uint64_t)1 << 62)

/* The request under which a damaged member asks on its own behalf when it is whole again. */
#define DAMAGE_REQUEST UINT64_MAX

/* In haste votes get this many times failover_ms: unlike pre-votes they need disks. */
#define HASTY_VOTES_MIN 2
#define HASTY_VOTES_MAX 10

struct membership_entry {
	uint64_t index;
	struct membership membership;
};

struct writing {
	uint64_t seq;
	uint64_t last;	     /* the newest entry it makes durable; lowered when a suffix is cut */
	uint64_t started_ms; /* when it was handed out */
};

struct pending_read {
	uint64_t from; /* who asked; this member's id for its own */
	uint64_t request;
	uint64_t run; /* of the asker */
};

struct read_list {
	struct pending_read *items;
	size_t count;
	size_t cap;
};

struct message_list {
	struct raft_message *items;
	size_t count;
	size_t cap;
};

struct raft {
	struct raft_options options;
	uint64_t id;
	struct random random;
	uint64_t run; /* tells answers to this run's questions from those to an earlier one's */
	const struct logger *logger;
	uint64_t now_ms;
	uint64_t stamp;
	uint8_t note_len;
	uint8_t note[RAFT_NOTE_MAX];

	/* persistent */
	struct raft_hard_state hard;
	struct raft_log log;
	bool damaged;

	/* memberships in the log, ascending; the first is the newest at or below base */
	struct membership_entry **memberships;
	size_t membership_count;
	uint64_t memberships_seen; /* grows with each that comes or goes */
	size_t membership_cap;

	/* every role */
	enum raft_role role;
	uint64_t leader;
	uint64_t commit;
	uint64_t applied;
	struct peer *peers; /* everybody else who takes part, and whoever is being shown out */
	size_t peer_count;
	size_t peer_cap;
	uint64_t election_due_ms; /* when a follower or candidate starts the next attempt */
	uint64_t heard_leader_ms; /* when a leader last spoke; TIME_NEVER: not in this silence */
	uint64_t hasty_until_ms;  /* nobody leads for sure: attempts follow each other quickly */
	uint64_t vote_seq;	  /* the write that puts a candidate's vote for itself on disk */
	bool withheld;		  /* its vote from one with an older log, since a leader spoke */

	/* follower */
	uint64_t verified; /* the log agrees with the leader's of this term up to here */
	uint64_t ack_nonce;
	bool ack_pending;
	uint64_t damage_target; /* durable up to here means whole again; 0: not known yet */
	struct snapshot install;
	struct blob *install_bytes; /* what `install.where` lies in; NULL: none offered */
	bool install_offered;	    /* to be given to the driver in the next ready */

	/* leader */
	uint64_t term_start;  /* index of the entry that began this term */
	uint64_t term_commit; /* the commit index when it began */
	uint64_t heartbeat_due_ms;
	uint64_t quorum_due_ms; /* before this no majority can have been silent for too long */
	uint64_t uncommitted_bytes;
	uint64_t round;	       /* the newest heartbeat round; unique in the term */
	uint64_t flying_round; /* what `flying` waits for */
	struct read_list waiting;
	struct read_list flying;
	bool beat_now;
	bool abdicate_pending; /* with the next ready, after what is to be sent */
	uint64_t transfer_to;
	uint64_t transfer_due_ms;
	struct blob *snapshot_bytes; /* the newest snapshot of this member's own state, encoded */
	uint64_t snapshot_index;

	/* the disk */
	uint64_t seq;
	struct writing *writing; /* handed out, not yet on disk; ascending */
	size_t writing_count;
	size_t writing_cap;
	struct raft_hard_state hard_handed;
	bool reset_pending;
	bool clear_damage_pending;

	/* collected for the next ready */
	bool in_ready;
	struct message_list out_now;
	struct message_list out_after;
	struct raft_read *reads;
	size_t read_count;
	size_t read_cap;
	struct raft_note *notes;
	size_t note_count;
	size_t note_cap;
	struct raft_load *loads;
	size_t load_count;
	size_t load_cap;
	struct entry *staged; /* loaded entries that messages of this ready point at; held */
	size_t staged_count;
	size_t staged_cap;
};

/* raft.c: roles */
void raft_enter_term(struct raft *r, uint64_t term, uint64_t vote);
void raft_become_follower(struct raft *r, uint64_t term, uint64_t leader);
void raft_become_leader(struct raft *r);
void raft_reset_election_timer(struct raft *r);
struct raft_message *raft_message_now(struct raft *r, uint8_t type, uint64_t to);
struct raft_message *raft_message_after(struct raft *r, uint8_t type, uint64_t to);
void raft_attach_note(const struct raft *r, struct raft_message *m);

/* raft.c: the others */
struct peer *raft_peer(struct raft *r, uint64_t id);
bool raft_may_stand(const struct raft *r);
bool raft_disk_stuck(const struct raft *r);
/* When a leader whose log does not move hands over; who is alone has nobody to hand over to. */
uint64_t raft_disk_patience_ms(const struct raft *r);
/* Whether those for whom `holds` is true, and this member if `self`, decide. */
bool raft_majority(const struct raft *r, bool self, bool (*holds)(const struct peer *, uint64_t),
		   uint64_t arg);
/* Whether this member decides by itself. */
bool raft_is_alone(const struct raft *r);
/* The newest moment at which a majority had been heard. */
uint64_t raft_majority_heard_ms(const struct raft *r);

/* raft_elect.c */
void raft_campaign(struct raft *r, enum raft_role role, bool forced);
int raft_step_vote(struct raft *r, const struct raft_message *m);
void raft_step_vote_resp(struct raft *r, const struct raft_message *m);
void raft_count_votes(struct raft *r);
bool raft_in_lease(const struct raft *r);

/* raft_follow.c */
int raft_step_append(struct raft *r, const struct raft_message *m);
void raft_step_heartbeat(struct raft *r, const struct raft_message *m);
void raft_step_commit(struct raft *r, const struct raft_message *m);
int raft_step_snapshot(struct raft *r, const struct raft_message *m);
void raft_follow_commit(struct raft *r, uint64_t commit);
void raft_forget_install(struct raft *r);
void raft_damage_progress(struct raft *r);

/* raft_lead.c */
void raft_append_own(struct raft *r, struct entry *e);
int raft_step_append_resp(struct raft *r, const struct raft_message *m);
void raft_step_heartbeat_resp(struct raft *r, const struct raft_message *m);
void raft_lead_commit(struct raft *r);
void raft_lead_heartbeats(struct raft *r);
void raft_lead_tick(struct raft *r);
struct peer *raft_furthest_voter(struct raft *r);

/* raft_send.c */
void raft_send_entries(struct raft *r);

/* raft_read.c */
void raft_ask_read(struct raft *r, uint64_t request);
void raft_step_read(struct raft *r, const struct raft_message *m);
void raft_step_read_resp(struct raft *r, const struct raft_message *m);
void raft_reads_start(struct raft *r);
void raft_reads_confirm(struct raft *r);
void raft_reads_forget(struct raft *r);

/* raft_change.c */
const struct membership *raft_latest(const struct raft *r);
uint64_t raft_latest_index(const struct raft *r);
int raft_adopt(struct raft *r, uint64_t index, struct slice bytes);
void raft_memberships_cut(struct raft *r, uint64_t index);
void raft_memberships_release(struct raft *r, uint64_t index);
void raft_memberships_reset(struct raft *r, uint64_t index, const struct membership *m);
void raft_peers_sync(struct raft *r);
void raft_change_committed(struct raft *r);
void raft_peers_leave(struct raft *r, bool all);

/* raft_transfer.c */
void raft_transfer_progress(struct raft *r, struct peer *p);
void raft_transfer_end(struct raft *r);
void raft_abdicate(struct raft *r);
void raft_step_timeout_now(struct raft *r, const struct raft_message *m);
void raft_step_transfer(struct raft *r, const struct raft_message *m);

#endif
