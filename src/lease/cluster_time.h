#ifndef CONCLAVE_LEASE_CLUSTER_TIME_H
#define CONCLAVE_LEASE_CLUSTER_TIME_H

/*
 * Cluster time, as one member knows it. The leader makes it: it advances with the leader's
 * monotonic clock, is steered towards the leader's wall clock by at most CLUSTER_TIME_STEER_PPM,
 * never goes back, and stamps every command. Heartbeats carry it, followers remember it, and who
 * leads next goes on from there. No clock is read here: the monotonic time of this member (us) and
 * its wall clock (ms since 1970) come with the calls.
 *
 *	init --> RESTING <--- installed --- RUNNING <--- follow --- LEADING
 *	          |   |                      ^   |                    ^
 *	          |   +--- heard, voter -----+   +------- lead -------+
 *	          +------------------------- lead --------------------+
 *
 * RESTING: since its start this member was told no time that counts. RUNNING: it was, and its own
 * monotonic clock carries it on. LEADING: it makes the time.
 *
 * Whose time. Each estimate carries the term of the leader that made the time: terms are not mixed.
 * An estimate of a newer term replaces one of an older; within a term an older word of the leader
 * gives way to a newer one. Without that, a member that was cut off while the others had to start
 * from rest, behind it, would one day be elected or vote, and make time jump to where it thinks it
 * is, over all that was promised meanwhile. A command of a newer term tells time, too, so whoever
 * holds a command also holds an estimate of its term or a newer one. What consensus appends by
 * itself tells none: such an entry repeats the newest stamp, and that may be from yesterday.
 *
 * Too low and too high. An estimate that is too low makes deadlines late, and the next leader takes
 * the largest. One that is too high makes them early. So everything errs downwards: a message is
 * taken as if it had needed no time, a clock that stood still while the machine slept is not
 * corrected, and an estimate is carried on CLUSTER_TIME_DOUBT_PPM slower than the own clock runs.
 * With clocks that are true to CLUSTER_TIME_DRIFT_PPM it cannot overtake the leader that it comes
 * from, however long ago that was: estimates need not be given up with age. What a process does not
 * see while it is stopped is not lost either, since its monotonic clock goes on.
 *
 * What it means for a deadline `d` after some stamp, in true time (drift and steering at their
 * limits, and nobody resting):
 *
 *	earliest	d less 0.1 %
 *	latest		d and 0.1 %; and for each change of leader 0.2 % of the time since the
 *			best informed voter heard, and as long as that message took
 *
 * Two exceptions. In a start from rest, nobody in the new leader's majority has an estimate of a
 * term as new as the leader's log. It believes wall clocks, since nothing else says how long the
 * rest was: the smallest, an older estimate counting as a clock, and never less than the log. And a
 * leader whose monotonic clock stood still for less than an election timeout may stamp that much
 * too low; if it dies before its next heartbeat, deadlines made between are early by it.
 */

#include "base/bytes.h"
#include "base/entry.h"

/* How far from true time a monotonic clock may run, as ntpd and chronyd bound it. */
#define CLUSTER_TIME_DRIFT_PPM 500
/* How much faster or slower than its monotonic clock a leader makes time. */
#define CLUSTER_TIME_STEER_PPM 500
/* How much slower than its monotonic clock a follower carries an estimate on. */
#define CLUSTER_TIME_DOUBT_PPM (2 * CLUSTER_TIME_DRIFT_PPM + CLUSTER_TIME_STEER_PPM)
/* Clocks further apart than this are no basis for a cluster. */
#define CLUSTER_TIME_APART_MS 60000
/* Larger times are nonsense and taken as this one; microseconds up to here can be added safely. */
#define CLUSTER_TIME_MAX_MS (UINT64_C(1) << 52)

/*
 * What goes with heartbeats and vote replies:
 *
 *	u8   layout, 1; others are not read
 *	u8   1: with an estimate, 0: resting, and the next two are 0
 *	u64  term of the leader the estimate comes from
 *	u64  the estimate, in microseconds
 *	u64  the sender's wall clock, in milliseconds
 */
#define CLUSTER_TIME_NOTE_SIZE 26

/*
 * T1 Who leads has an estimate, and so knows of a term.
 * T2 A leader's time is not below the newest stamp of its log.
 * T3 Times are at most CLUSTER_TIME_MAX_MS.
 * T4 The part of a microsecond that steering has saved up is less than one, and only a leader's.
 * T5 Voters' clocks are remembered only between a campaign and its end.
 */
struct cluster_time {
	bool leading;
	bool running;		 /* at_us and mono_us say something: not RESTING */
	uint64_t term;		 /* of the leader that made the time, or of the log while RESTING */
	uint64_t at_us;		 /* cluster time ... */
	uint64_t mono_us;	 /* ... when the own monotonic clock showed this */
	uint64_t steer;		 /* steering not used yet, in millionths of a microsecond */
	uint64_t log_stamp;	 /* of the newest entry of the own log */
	uint64_t voters_wall_ms; /* smallest clock told by a voter; UINT64_MAX: none */
};

/* A member that starts, RESTING; term and stamp are those of its log's newest entry, or 0. */
void cluster_time_init(struct cluster_time *t, uint64_t log_term, uint64_t log_stamp);

/* A heartbeat brought this note. ERR_MALFORMED: it is none; nothing has changed. */
MUST_USE int cluster_time_heard(struct cluster_time *t, uint64_t mono_us, struct slice note);

/* This member asks for votes: replies to an earlier campaign say nothing of the clocks of now. */
void cluster_time_campaign(struct cluster_time *t);

/* A vote reply, granting or not, brought this note. ERR_MALFORMED: as above. */
MUST_USE int cluster_time_voter(struct cluster_time *t, uint64_t mono_us, struct slice note);

/*
 * This member leads `term`, and goes on from its estimate, which is the best among its voters' by
 * now; from rest it takes the smallest wall clock among theirs and its own (a member that votes
 * alone has only that). Never from less than its log's newest stamp. Called once a term, when all
 * notes that came with the election have been told.
 */
void cluster_time_lead(struct cluster_time *t, uint64_t term, uint64_t mono_us, uint64_t wall_ms);

/*
 * This member does not lead any more; nothing happens if it did not. A newer leader's heartbeat or
 * entry says the same.
 */
void cluster_time_follow(struct cluster_time *t);

/*
 * Entries were appended to this member's log, by whomever, behind others or in the place of some;
 * this is the last of them.
 */
void cluster_time_appended(struct cluster_time *t, uint64_t mono_us, const struct entry *newest);

/* The log starts over behind a snapshot, whose newest entry has this term and stamp. */
void cluster_time_installed(struct cluster_time *t, uint64_t term, uint64_t stamp);

/*
 * The stamp for commands that are proposed now, in milliseconds: never less than one given before,
 * in this term or in the log. This member leads: between its election and cluster_time_lead no
 * command may be proposed, as nobody knows yet from where time goes on.
 */
uint64_t cluster_time_stamp(struct cluster_time *t, uint64_t mono_us, uint64_t wall_ms);

/*
 * The stamp for what consensus appends by itself. It promises nothing but the order of stamps in
 * the log: so it is to be handed to consensus anew after each of the calls above.
 */
uint64_t cluster_time_quiet_stamp(const struct cluster_time *t);

/* The note to be attached to heartbeats and vote replies that are sent now. */
void cluster_time_note(struct cluster_time *t, uint64_t mono_us, uint64_t wall_ms,
		       uint8_t note[CLUSTER_TIME_NOTE_SIZE]);

/* Cluster time in milliseconds as far as this member can tell; false while RESTING. */
bool cluster_time_estimate(const struct cluster_time *t, uint64_t mono_us, uint64_t *out);

/* The metric: cluster time less `wall_ms`, in milliseconds; false while RESTING. */
bool cluster_time_offset_ms(const struct cluster_time *t, uint64_t mono_us, uint64_t wall_ms,
			    int64_t *out);

/* Whether two members with these wall clocks may be born into one cluster. */
bool cluster_time_clocks_agree(uint64_t one_wall_ms, uint64_t other_wall_ms);

/* NULL, or the text of the numbered rule that the state breaks. */
const char *cluster_time_broken(const struct cluster_time *t);

#endif
