#ifndef CONCLAVE_SIM_WORLD_H
#define CONCLAVE_SIM_WORLD_H

/*
 * The world that breaks things: virtual time, a network, and hosts with disks and clocks, on which
 * members run - the same objects as in the server. Everything that happens is an event at a
 * moment; everything that is left to chance comes from one seed.
 */

#include "base/hash_table.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/random.h"
#include "checker/history.h"
#include "node/member.h"
#include "sim/counts.h"
#include "sim/kv.h"
#include "sim/watch_company.h"
#include "storage/vault_memory.h"
#include "support/sim_disk.h"

#define SIM_HOSTS_MAX	 9
#define HOST_ADDRESS_MAX 24
#define SIM_NEVER	 UINT64_MAX

struct world;
struct host;
struct sim_mode;
struct stream;
struct callers;
struct company;
struct model;

/* Something that will happen. The owner embeds it; `fire` frees whatever it is part of. */
struct event {
	struct heap_node node;
	uint64_t at_us;
	uint64_t order; /* events of the same moment happen in the order in which they were set */
	void (*fire)(struct world *w, struct event *e);
};

/* Questions for rows of one member that another one has heard and not answered yet, at most. */
#define HELPED_QUESTIONS 16

/* A state that is given to another host, as it was seen from outside; forgotten with the process.
 */
struct helped {
	uint64_t open[HELPED_QUESTIONS]; /* requests; 0: none */
	unsigned next;			 /* place in `open`, counted on and on */
	uint64_t behind;		 /* bytes that went out and are ahead of the rate */
	uint64_t sent_us;		 /* as of this time, on the host's clock */
	uint64_t largest;
};

enum host_state {
	HOST_DOWN,   /* no process */
	HOST_UP,     /* running */
	HOST_PAUSED, /* stopped: what arrives waits */
};

/* One machine: its disk and clocks outlive the member's process. */
struct host {
	struct world *world;
	unsigned index;
	char name[8];
	enum host_state state;
	struct sim_disk *disk;
	bool joins;	    /* started without the list of initial members */
	bool suspect;	    /* its disk lost something: it counts against what may be lost */
	bool rotten;	    /* a row of its engine is damaged */
	bool wiped;	    /* came back with another directory and waits to be replaced */
	uint64_t flip_jobs; /* appends that must follow a flipped bit before it may be found; 0:
			       none */
	uint64_t id;	    /* of its directory, 0 before the first start */
	uint64_t lost_id;   /* of the directory it had before it was wiped, */
	uint64_t lost_term; /* and what was seen of its last term and vote */
	uint64_t lost_vote;
	struct slice names[SIM_HOSTS_MAX];
	uint32_t level;		  /* highest feature level of its version; 0: not drawn yet */
	bool left_unread;	  /* its log, in part, since it started */
	uint64_t drift_id;	  /* the directory whose state was made wrong last; 0: none was */
	bool drifts;		  /* it still is */
	uint64_t drift_index;	  /* verdicts up to this entry are about what was before */
	uint64_t quarantined_us;  /* since when its member has known it; 0: it is in none */
	bool disk_quarantined;	  /* so says its stored state, and so will its next process */
	bool storing_quarantined; /* so says the one that is being stored */
	uint64_t unstored_us;	  /* since when that is not so any more, and not stored; 0: it is */
	uint64_t seen_disagreements;
	bool space_low;
	bool dark;  /* its machine has no power */
	bool dying; /* at a crash point or a cut disk: cut off, and destroyed when it returns */

	/* clocks */
	uint64_t clock_us; /* local monotonic time at `clock_at_us` */
	uint64_t clock_at_us;
	int32_t drift_ppm;
	int64_t wall_skew_ms;
	bool clock_wrong; /* since the beginning, and nobody has set it yet */

	/* disk */
	uint64_t slow_until_us;
	uint64_t hang_until_us;
	uint64_t full_until_us; /* 0: it is not full */

	/* the engine's side of the disk, in mode members */
	struct vault_memory vault;
	bool flip_fetched;  /* a bit flips in the state that it fetches next */
	const char *excuse; /* why its member may say that it cannot go on; NULL: for nothing */

	/* its connections, where they are streams of bytes (streams.h) */
	struct wires wires;
	struct list backlog;	       /* reached it, and were not accepted yet */
	uint64_t refuses_till_us;      /* something before it refuses who connects */
	const struct stream *heard;    /* what its process is being told of */
	const struct host *refused_by; /* who refuses it right now */
	uint16_t port;		       /* where its process listens */
	char address[HOST_ADDRESS_MAX];
	const struct host *asks; /* whom it asks to let it join; NULL: nobody */
	char ask_at[HOST_ADDRESS_MAX];

	/* process */
	struct company *company;
	struct company_seen seen;
	struct driver *driver;
	struct member *member; /* in mode members: whose driver it is */
	struct engine *engine;
	struct member_events member_events;
	struct job *(*store)(void *ctx, const struct snapshot *s); /* the member's own */
	int (*store_done)(void *ctx, struct buf *where);
	int (*install_fetched)(void *ctx);
	int (*install_done)(void *ctx);
	uint64_t seen_incarnation;
	uint64_t seen_dropped;
	struct kv kv;
	struct machine_state *machine_state;
	struct node_io io;
	struct machine machine;
	struct driver_events events;
	struct crash_points crash_points;
	struct logger logger;
	enum crash_point crash_at;
	unsigned crash_countdown; /* passes of crash_at until it strikes; 0: never */
	struct event turn;	  /* the next turn of its loop */
	unsigned hurries;	  /* turns in a row after which the next was due at once */
	struct event resume;	  /* while paused */
	struct list lanes[4];	  /* jobs waiting, first one running, but for LANE_READ */
	struct list held_frames;  /* arrived while paused */
	struct list pending;	  /* client operations handed to this member */
	uint64_t next_request;

	/* what the checks saw of it */
	enum raft_role seen_role;
	uint64_t seen_term;
	uint64_t seen_commit;
	uint64_t seen_base;
	uint64_t seen_held;	   /* as raft_held_index said, */
	uint64_t seen_held_ms;	   /* and until when that must hold, on its clock */
	uint64_t seen_trim;	   /* of its log, what was on disk and applied */
	uint64_t seen_change;	   /* the change of members that it was asked for last */
	uint64_t seen_memberships; /* as raft_state.h counts them, and one more, */
	uint64_t seen_roster;	   /* and its commit index, when they were looked at */
	struct helped helped[SIM_HOSTS_MAX];
	uint64_t disk_id; /* whose disk the following was seen on */
	uint64_t disk_last;
	uint64_t disk_last_term;
	uint64_t disk_term;
	uint64_t disk_vote;
	struct {
		uint64_t id;
		uint64_t nonce;
	} damaged_peers[SIM_HOSTS_MAX]; /* whom it knew to be damaged, as leader, and since when */
	size_t damaged_count;
	uint64_t marked_id; /* directory whose log has carried the damage mark */
	bool seen_damaged;
	bool seen_born;
	bool seen_joint;
	uint64_t log_first; /* index of chain[0] */
	size_t log_len;
	size_t log_cap;
	struct chain {
		uint64_t term;
		uint64_t hash;
	} * chain;
};

/* One direction between two hosts. */
struct link {
	bool cut;
	uint64_t slow_us;
	uint64_t last_us; /* when the newest frame on it arrives: nothing overtakes it in order */
};

/* How wild a seed is: each seed draws its own mixture. */
struct profile {
	unsigned members;
	unsigned clients;
	unsigned keys;
	bool ordered; /* frames of a link do not overtake each other */
	bool prevote;
	bool check_quorum;
	uint32_t loss_ppm;
	uint32_t duplicate_ppm;
	uint32_t reorder_ppm;
	uint64_t delay_us;
	uint64_t disk_us;
	uint64_t snapshot_entries;
	uint64_t log_max_bytes;
	uint64_t log_read_bytes;
	uint64_t tail_bytes;
	uint32_t append_bytes;
	uint64_t think_us;     /* a client waits up to so long between two operations */
	uint64_t fault_gap_us; /* mean time between two faults */
	uint32_t faults;       /* bit set of fault groups in use */
	bool crashes;	       /* crashes are among them */

	/* of connections that are streams of bytes, in mode members */
	bool streams;
	size_t window_bytes;  /* of a connection that are under way or unread */
	uint64_t bytes_per_s; /* of a connection; 0: no limit */
	uint32_t corrupt_ppm;
	uint32_t reset_ppm;
	size_t queued_bytes; /* that wait for a connection */
	uint32_t leave_ms;
	uint32_t move_ppm; /* that a process is started elsewhere */

	/* of members */
	uint32_t request_timeout_ms;
	size_t overlay_bytes;
	size_t header_cache_bytes;
	size_t value_cache_bytes;
	size_t batch_bytes;
	size_t unresolved_bytes;
	size_t lag_bytes;
	size_t session_requests;
	uint64_t history_retention_ms;
	uint64_t history_max_bytes;
	uint64_t compact_pace_ms;
	size_t share_bytes;
	uint64_t share_bytes_per_s; /* 0: without a limit */
	unsigned burst;		    /* most requests that a client sends at once */
	uint32_t leave_ppm;	    /* that it leaves its connection rather than asking */
	size_t padding_bytes;	    /* of the longer values, at most */
	size_t big_bytes;	    /* of big values, at most; 0: there are none */
	size_t large_bytes;	    /* of strings that are changed in place; 0: there are none */
	uint64_t work_limit;	    /* of a command; 0: as a new cluster has it */
	uint64_t check_interval_ms;

	uint64_t calm_at_us; /* when faults stop */
	uint64_t end_at_us;  /* when everybody must be equal at the latest */
};

/* What is known to be committed, by index. */
struct committed {
	uint64_t term;
	uint64_t in_term; /* that it was committed in at the latest: leaders behind it have it */
	uint64_t hash;	  /* of the entry */
	uint64_t digest;  /* of the state after it */
	uint64_t rows;	  /* hash of all rows that make this state; 0: nobody has looked */
};

struct entry_seen {
	struct hash_node node;
	uint64_t index;
	uint64_t term;
	uint64_t chain; /* hash over this entry and all before it */
};

struct leader_seen {
	uint64_t term;
	uint64_t id;
};

struct world {
	const struct sim_mode *mode;
	uint64_t seed;
	struct random random;
	uint64_t now_us;
	uint64_t order;
	struct heap events;
	struct profile profile;
	struct host *hosts;
	unsigned host_count;
	struct link links[SIM_HOSTS_MAX][SIM_HOSTS_MAX];
	struct list flying; /* frames on their way */
	struct list streams;
	struct list strangers; /* who connect, and are no members */
	uint64_t stream_count; /* that there ever were */
	struct frames_said frames_said;
	uint64_t promoted;	/* the id that was promoted last because somebody asked for it */
	uint64_t votes_move_us; /* until then somebody may have asked for it, and nothing is lost */
	bool born;		/* some member knows that the cluster exists */
	bool calm;
	bool done;
	struct sim_counts counts;

	struct nemesis *nemesis;
	struct client *clients;
	struct callers *callers; /* in mode members */
	struct model *model;	 /* the same */
	bool quiet;		 /* clients begin nothing new */
	struct history history;
	uint64_t tick;	     /* numbers what clients see, so that no two moments are equal */
	uint64_t next_value; /* every written value is unique */
	uint64_t ops_in_calm;
	uint32_t level;		/* the highest feature level that anybody has applied */
	uint64_t verdict_index; /* of the newest VERDICT that anybody has applied */

	struct committed *committed; /* [index] */
	uint64_t committed_last;
	size_t committed_cap;
	uint64_t *removed; /* by memberships that were committed: for good */
	size_t removed_count;
	size_t removed_cap;
	struct hash_table entries_seen;
	struct leader_seen *leaders;
	size_t leader_count;
	size_t leader_cap;

	bool trace;
	char failure[2048]; /* empty: none */
	struct trace_ring *ring;
};

/* world.c */
void world_at(struct world *w, struct event *e, uint64_t at_us,
	      void (*fire)(struct world *, struct event *));
void world_cancel(struct world *w, struct event *e);
void world_fail(struct world *w, const char *fmt, ...) PRINTF_LIKE(2, 3);
void world_trace(struct world *w, const struct host *h, const char *fmt, ...) PRINTF_LIKE(3, 4);
#define TRACE(w, h, ...)                                    \
	do {                                                \
		if ((w)->trace)                             \
			world_trace((w), (h), __VA_ARGS__); \
	} while (0)
#define COUNT(w, what) ((w)->counts.n[COUNT_##what]++)

/* network.c */
uint64_t network_delay_us(struct world *w, const struct host *from, const struct host *to);
void network_send(struct host *h, uint64_t to, const struct frame *frame);
void network_send_to_name(struct host *h, struct slice name, const struct frame *frame);
/* The process of `from` is gone: `to` sees the connection close behind all that was sent on it. */
void network_close(struct world *w, struct host *from, struct host *to);
/* Whatever lay between the two is gone: each sees a new connection, unless one is not running. */
void network_connect(struct world *w, struct host *a, struct host *b);
void network_hold_release(struct host *h);
void network_drop_all(struct world *w);

/* host.c */
void host_init(struct world *w, struct host *h, unsigned index);
void host_close(struct host *h);
void host_start(struct host *h);
void host_kill(struct host *h, bool power);
void host_pause(struct host *h, uint64_t for_us);
void host_wipe(struct host *h);
void host_deliver(struct host *h, const struct host *from, enum frame_kind kind, struct blob *body);
void host_hears_connected(struct host *h, const struct host *other);
void host_hears_gone(struct host *h, const struct host *other);
void host_wake(struct host *h);
void host_after(struct host *h);
struct host *host_by_id(struct world *w, uint64_t id);
struct host *host_by_name(struct world *w, struct slice name);
uint64_t host_clock_us(const struct host *h);
struct host *world_leader(struct world *w);
bool host_takes_part(struct host *h);

/* client.c */
void client_applied(struct host *h, uint64_t index, uint64_t term, const struct kv_command *c,
		    const struct kv_result *result);
void client_read_ready(struct host *h, uint64_t request);
void client_host_died(struct host *h);
void clients_start(struct world *w);
void clients_close(struct world *w);

/* nemesis_rows.c: a job is about to take a step */
void nemesis_before_step(struct host *h);

/* nemesis_strangers.c */
void strangers_close(struct world *w);

/* nemesis.c */
void nemesis_start(struct world *w);
void nemesis_calm(struct world *w);
void nemesis_close(struct world *w);

/* watch.c, watch_office.c: the checks after every step */
void watch_turn(struct host *h);
/* It dies in the middle of a turn, and others may have heard of what it was. */
void watch_dying(struct host *h);
void watch_started(struct host *h);
void watch_died(struct host *h);
void watch_apply(struct host *h, uint64_t index, const struct entry *e, uint64_t digest);
void watch_installed(struct host *h, uint64_t index, uint64_t digest);
/* A hash over all rows of the state at `index`. */
void watch_rows(struct host *h, uint64_t index, uint64_t hash);
void watch_end(struct world *w);
void watch_close(struct world *w);

/* watch_help.c: what it does for those that are behind, before watch_turn */
void watch_held(struct host *h);
/* It hears a question for rows, and sends an answer. */
void watch_question(struct host *h, const struct host *from, const struct blob *body);
void watch_answer(struct host *h, const struct host *to, struct slice bytes);

/* run.c */
struct run_options {
	const struct sim_mode *mode; /* NULL: the core */
	uint64_t seed;
	bool trace; /* keep the last lines of its story, printed when something is found */
	bool live;  /* print all of it as it happens */
};
/* Runs one seed; true if nothing was found. `failure` has room for 2048 bytes. */
bool run_seed(const struct run_options *o, struct sim_counts *counts, char *failure);
/* Its parts, for other stories: hosts that are down in a world of this profile; NULL: drawn. */
void world_open(struct world *w, const struct run_options *o, const struct profile *given);
/* Lets the next thing happen, if it is due by then; false: it is not, or something was found. */
bool world_step(struct world *w, uint64_t end_us);
/* Frees what world_open made, but not `w`. */
void world_close(struct world *w);

#endif
