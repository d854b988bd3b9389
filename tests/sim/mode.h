#ifndef CONCLAVE_SIM_MODE_H
#define CONCLAVE_SIM_MODE_H

/*
 * What runs on the hosts, and who uses it. World, network, disks, clocks and the nemesis are the
 * same for all modes; a seed is lived in one of them.
 */

#include "sim/world.h"

/* How far a host's state has come. */
struct state_seen {
	uint64_t index;
	uint64_t term;
	uint64_t digest; /* equal on all hosts at the same index */
};

struct sim_mode {
	const char *name;
	const char *again;    /* the target of make that runs it */
	unsigned in;	      /* enum count_in */
	enum sim_count reads; /* what jobs that read are counted as */

	/* What of the profile is this mode's own. */
	void (*draw)(struct world *w);

	/* What of a host outlives the process beside disk and clocks; its loss. */
	void (*host_open)(struct host *h);
	void (*host_close)(struct host *h);
	void (*host_wipe)(struct host *h);

	/*
	 * The process. When it starts, h->driver is set, or an error returned; `stop` follows in
	 * both cases. Then its clients hear of its death.
	 */
	int (*start)(struct host *h, const struct driver_options *o);
	void (*stop)(struct host *h);
	void (*clients_cut)(struct host *h);

	void (*turn)(struct host *h);
	uint64_t (*deadline_ms)(const struct host *h);
	void (*receive)(struct host *h, const struct host *from, enum frame_kind kind,
			struct blob *body);
	void (*gone)(struct host *h, const struct host *other);
	/* A connection between the two stands anew; NULL: nobody wants to know. */
	void (*connected)(struct host *h, const struct host *other);
	/* The member says that it cannot go on. */
	void (*failed)(struct host *h, int error);

	struct state_seen (*state)(const struct host *h);

	void (*clients_start)(struct world *w);
	void (*clients_close)(struct world *w);
	/* Whether a client still waits for an answer that must come. */
	bool (*clients_wait)(struct world *w);
	/* When all is over: what is there to be read goes to the history. */
	void (*clients_look)(struct world *w);

	/* Members are to come to the end: what goes slowly on purpose does so no more. */
	void (*hasten)(struct world *w);

	/* What the operator does beside; NULL: nothing. */
	void (*janitor)(struct world *w);

	/* Checks beside those of consensus: after each turn, and in the end. */
	void (*watch_turn)(struct host *h);
	void (*watch_end)(struct world *w);
};

/* Consensus, log and driver under a small state machine, with clients that see inside. */
extern const struct sim_mode mode_core;

/* Whole members with store and sessions, and clients that speak the protocol. */
extern const struct sim_mode mode_members;

#endif
