#include "lease/cluster_time.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/error.h"

#define MILLION	     UINT64_C(1000000)
#define NOTE_LAYOUT  1
#define TIME_MAX_US  (CLUSTER_TIME_MAX_MS * 1000)
#define NO_WALL	     UINT64_MAX
#define WITHIN(a, b) MIN((uint64_t)(a), (uint64_t)(b))

_Static_assert((MILLION + CLUSTER_TIME_DRIFT_PPM) * (MILLION - CLUSTER_TIME_DOUBT_PPM) <=
		       (MILLION - CLUSTER_TIME_DRIFT_PPM) * (MILLION - CLUSTER_TIME_STEER_PPM),
	       "the fastest estimate is not faster than the slowest leader");

struct note {
	bool running;
	uint64_t term;
	uint64_t at_us;
	uint64_t wall_ms;
};

static int note_decode(struct slice bytes, struct note *n)
{
	struct cursor c = cursor_of(bytes);
	uint8_t layout = cursor_fixed8(&c);
	uint8_t running = cursor_fixed8(&c);

	n->running = running == 1;
	n->term = cursor_fixed64(&c);
	n->at_us = cursor_fixed64(&c);
	n->wall_ms = cursor_fixed64(&c);
	if (!cursor_done(&c) || layout != NOTE_LAYOUT || running > 1)
		return ERR_MALFORMED;
	if (n->at_us > TIME_MAX_US || (n->running ? n->term == 0 : n->term != 0 || n->at_us != 0))
		return ERR_MALFORMED;
	return OK;
}

void cluster_time_init(struct cluster_time *t, uint64_t log_term, uint64_t log_stamp)
{
	*t = (struct cluster_time){
		.term = log_term,
		.log_stamp = WITHIN(log_stamp, CLUSTER_TIME_MAX_MS),
		.voters_wall_ms = NO_WALL,
	};
}

/* How far an estimate has moved after `elapsed` on the own clock, rounded down. */
static uint64_t carried_us(uint64_t elapsed)
{
	uint64_t doubt = elapsed / MILLION * CLUSTER_TIME_DOUBT_PPM;

	doubt += (elapsed % MILLION * CLUSTER_TIME_DOUBT_PPM + MILLION - 1) / MILLION;
	return elapsed - doubt;
}

/* The time now, in microseconds; not RESTING. A leader's is exact only right after an advance. */
static uint64_t time_at_us(const struct cluster_time *t, uint64_t mono_us)
{
	uint64_t elapsed = mono_us - t->mono_us;

	CHECK(t->running && mono_us >= t->mono_us);
	return WITHIN(t->at_us + (t->leading ? elapsed : carried_us(elapsed)), TIME_MAX_US);
}

/* The leader's step: as long as its monotonic clock took, and a little towards its wall clock. */
static void leader_advance(struct cluster_time *t, uint64_t mono_us, uint64_t wall_ms)
{
	uint64_t elapsed = mono_us - t->mono_us;
	uint64_t now_us = t->at_us + elapsed;
	uint64_t wall_us = WITHIN(wall_ms, CLUSTER_TIME_MAX_MS) * 1000;
	/* Steps are often shorter than what a whole microsecond of steering needs. */
	uint64_t allowed = t->steer + elapsed * CLUSTER_TIME_STEER_PPM;

	CHECK(mono_us >= t->mono_us);
	if (wall_us > now_us)
		now_us += WITHIN(wall_us - now_us, allowed / MILLION);
	else
		now_us -= WITHIN(now_us - wall_us, allowed / MILLION);
	CHECK(now_us >= t->at_us);
	t->steer = allowed % MILLION;
	t->at_us = WITHIN(now_us, TIME_MAX_US);
	t->mono_us = mono_us;
}

static void set_time(struct cluster_time *t, uint64_t term, uint64_t at_us, uint64_t mono_us)
{
	t->running = true;
	t->term = term;
	t->at_us = at_us;
	t->mono_us = mono_us;
}

/* Word of a newer leader may come before cluster_time_follow does. */
static void leave_if_newer(struct cluster_time *t, uint64_t term)
{
	if (t->leading && term > t->term)
		cluster_time_follow(t);
}

int cluster_time_heard(struct cluster_time *t, uint64_t mono_us, struct slice note)
{
	struct note n;
	int r = note_decode(note, &n);

	if (r != OK)
		return r;
	leave_if_newer(t, n.term);
	if (t->leading)
		return OK;
	t->voters_wall_ms = NO_WALL;
	/*
	 * Within a term, too, the leader's word replaces what was carried on from an earlier one,
	 * also downwards: its machine may have slept, and the sum of that would stay.
	 */
	if (n.running && n.term >= t->term)
		set_time(t, n.term, n.at_us, mono_us);
	return OK;
}

void cluster_time_campaign(struct cluster_time *t)
{
	t->voters_wall_ms = NO_WALL;
}

int cluster_time_voter(struct cluster_time *t, uint64_t mono_us, struct slice note)
{
	struct note n;
	int r = note_decode(note, &n);
	bool better;

	if (r != OK || t->leading)
		return r;
	t->voters_wall_ms = MIN(t->voters_wall_ms, n.wall_ms);
	if (!n.running)
		return OK;
	/* Should the estimate turn out to be of too old a term to go on from, it is still a clock.
	 */
	t->voters_wall_ms = MIN(t->voters_wall_ms, n.at_us / 1000);
	better = n.term > t->term;
	if (n.term == t->term)
		better = !t->running || n.at_us > time_at_us(t, mono_us);
	if (better)
		set_time(t, n.term, n.at_us, mono_us);
	return OK;
}

void cluster_time_lead(struct cluster_time *t, uint64_t term, uint64_t mono_us, uint64_t wall_ms)
{
	uint64_t at_us;

	CHECK(!t->leading && term > 0);
	if (t->running)
		at_us = time_at_us(t, mono_us);
	else
		at_us = WITHIN(MIN(t->voters_wall_ms, wall_ms), CLUSTER_TIME_MAX_MS) * 1000;
	set_time(t, term, MAX(at_us, t->log_stamp * 1000), mono_us);
	t->leading = true;
	t->voters_wall_ms = NO_WALL;
}

void cluster_time_follow(struct cluster_time *t)
{
	t->leading = false;
	t->steer = 0;
}

void cluster_time_appended(struct cluster_time *t, uint64_t mono_us, const struct entry *newest)
{
	leave_if_newer(t, newest->term);
	/* Not the largest ever seen: what was cut off the log was never promised to anybody. */
	t->log_stamp = WITHIN(newest->stamp, CLUSTER_TIME_MAX_MS);
	if (t->leading || newest->kind < ENTRY_COMMAND || newest->term < t->term)
		return;
	/* RESTING it stays: this may be an old entry that is made up for, and tells no time. */
	if (!t->running)
		t->term = newest->term;
	else if (newest->term > t->term || t->log_stamp * 1000 > time_at_us(t, mono_us))
		set_time(t, newest->term, t->log_stamp * 1000, mono_us);
}

void cluster_time_installed(struct cluster_time *t, uint64_t term, uint64_t stamp)
{
	CHECK(!t->leading);
	t->log_stamp = WITHIN(stamp, CLUSTER_TIME_MAX_MS);
	if (term > t->term) {
		t->term = term;
		t->running = false;
	}
}

uint64_t cluster_time_stamp(struct cluster_time *t, uint64_t mono_us, uint64_t wall_ms)
{
	CHECK(t->leading);
	leader_advance(t, mono_us, wall_ms);
	return t->at_us / 1000;
}

uint64_t cluster_time_quiet_stamp(const struct cluster_time *t)
{
	return t->leading ? t->at_us / 1000 : t->log_stamp;
}

void cluster_time_note(struct cluster_time *t, uint64_t mono_us, uint64_t wall_ms,
		       uint8_t note[CLUSTER_TIME_NOTE_SIZE])
{
	if (t->leading)
		leader_advance(t, mono_us, wall_ms);
	note[0] = NOTE_LAYOUT;
	note[1] = t->running;
	fixed64_put(note + 2, t->running ? t->term : 0);
	fixed64_put(note + 10, t->running ? time_at_us(t, mono_us) : 0);
	fixed64_put(note + 18, wall_ms);
}

bool cluster_time_estimate(const struct cluster_time *t, uint64_t mono_us, uint64_t *out)
{
	if (!t->running)
		return false;
	*out = time_at_us(t, mono_us) / 1000;
	return true;
}

bool cluster_time_offset_ms(const struct cluster_time *t, uint64_t mono_us, uint64_t wall_ms,
			    int64_t *out)
{
	uint64_t now_ms;

	if (!cluster_time_estimate(t, mono_us, &now_ms))
		return false;
	*out = (int64_t)now_ms - (int64_t)WITHIN(wall_ms, CLUSTER_TIME_MAX_MS);
	return true;
}

bool cluster_time_clocks_agree(uint64_t one_wall_ms, uint64_t other_wall_ms)
{
	uint64_t later = MAX(one_wall_ms, other_wall_ms);

	return later - MIN(one_wall_ms, other_wall_ms) <= CLUSTER_TIME_APART_MS;
}

const char *cluster_time_broken(const struct cluster_time *t)
{
	if (t->leading && (!t->running || t->term == 0))
		return "T1: who leads has an estimate and a term";
	if (t->leading && t->at_us / 1000 < t->log_stamp)
		return "T2: a leader's time is not below the newest stamp of its log";
	if (t->at_us > TIME_MAX_US || t->log_stamp > CLUSTER_TIME_MAX_MS)
		return "T3: times have a limit";
	if (t->steer >= MILLION || (t->steer && !t->leading))
		return "T4: a leader saves up less than a microsecond of steering";
	if (t->leading && t->voters_wall_ms != NO_WALL)
		return "T5: voters' clocks are remembered until the campaign ends";
	return NULL;
}
