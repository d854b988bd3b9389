/*
 * Cluster time among five members with logs, elections, cuts, restarts, wrong and stepped clocks,
 * against true time. Elections follow Raft's rule (a majority with logs no newer), and a commit is
 * what a majority has. What is checked of every two committed stamps, whoever gave them:
 *
 *	order	the later one is not smaller
 *	early	between them there is not more than true time, 0.1 % and a millisecond
 *	late	between them there is not less than true time, less 0.2 %, less what messages of
 *		this run may need for each election and a millisecond
 *
 * and of every estimate that comes from the leader: it is not ahead of the leader.
 */

#include "base/error.h"
#include "base/mem.h"
#include "base/random.h"
#include "lease/cluster_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MEMBERS	 5
#define MAJORITY 3
#define LOG_MAX	 1500
#define SECOND	 INT64_C(1000000)
#define HOUR	 (3600 * SECOND)
#define BIRTH_MS INT64_C(1700000000000)

struct stamped {
	uint64_t term;
	uint64_t stamp;
	uint8_t kind;
};

struct member {
	struct cluster_time time;
	bool cut;
	int64_t drift_ppm;
	int64_t mono_us;  /* its monotonic clock ... */
	int64_t since_us; /* ... at this true time */
	int64_t wall_off_us;
	size_t log_len;
	struct stamped log[LOG_MAX];
};

struct model {
	struct random random;
	int64_t now_us;	  /* true time since the beginning */
	int64_t delay_us; /* of messages, at most */
	uint64_t term;
	int leader; /* of the newest term */
	int elections;
	struct member members[MEMBERS];
	size_t committed;
	uint64_t committed_term;
	uint64_t newest_stamp;
	double early; /* the least of stamp less fastest time, in us */
	double late;  /* the most of stamp less slowest time and allowance */
};

static int64_t draw(struct model *w, int64_t low, int64_t high)
{
	return low + (int64_t)random_below(&w->random, (uint64_t)(high - low + 1));
}

static uint64_t mono_of(const struct model *w, const struct member *m)
{
	int64_t passed = w->now_us - m->since_us;

	return (uint64_t)(m->mono_us + passed + passed * m->drift_ppm / 1000000);
}

static uint64_t wall_of(const struct model *w, const struct member *m)
{
	return (uint64_t)(BIRTH_MS + (w->now_us + m->wall_off_us) / 1000);
}

static void clock_set(struct model *w, struct member *m, int64_t drift_ppm)
{
	m->mono_us = (int64_t)mono_of(w, m);
	m->since_us = w->now_us;
	m->drift_ppm = drift_ppm;
}

static bool connected(const struct model *w, int a, int b)
{
	return a == b || (!w->members[a].cut && !w->members[b].cut);
}

/* ---- logs -------------------------------------------------------------------------------------*/

static void member_append(struct model *w, struct member *m, struct stamped s)
{
	struct entry e = {.term = s.term, .stamp = s.stamp, .kind = s.kind};

	assert_true(m->log_len < LOG_MAX);
	if (m->log_len)
		assert_true(s.stamp >= m->log[m->log_len - 1].stamp);
	m->log[m->log_len++] = s;
	cluster_time_appended(&m->time, mono_of(w, m), &e);
	assert_null(cluster_time_broken(&m->time));
}

static void replicate(struct model *w, const struct member *from, struct member *to)
{
	size_t same = 0;

	while (same < MIN(from->log_len, to->log_len) &&
	       memcmp(&from->log[same], &to->log[same], sizeof(from->log[0])) == 0)
		same++;
	if (same == from->log_len)
		return;
	to->log_len = same;
	while (to->log_len < from->log_len)
		member_append(w, to, from->log[to->log_len]);
}

static uint64_t last_term(const struct member *m)
{
	return m->log_len ? m->log[m->log_len - 1].term : 0;
}

static bool log_older(const struct member *m, const struct member *than)
{
	if (last_term(m) != last_term(than))
		return last_term(m) < last_term(than);
	return m->log_len < than->log_len;
}

/* ---- checks -----------------------------------------------------------------------------------*/

static void check_committed(struct model *w, uint64_t stamp)
{
	double us = (double)((int64_t)stamp - BIRTH_MS) * 1000, now = (double)w->now_us;
	double early = us - now * 1.0010003, late = us - now * 0.9979;

	late += (double)w->elections * (double)(w->delay_us + 1000);
	assert_true(stamp >= w->newest_stamp);
	assert_true(early <= w->early + 1010);
	assert_true(late >= w->late - 1010);
	w->newest_stamp = stamp;
	w->early = MIN(w->early, early);
	w->late = MAX(w->late, late);
}

static void check_estimates(struct model *w)
{
	struct member *l = &w->members[w->leader];
	uint64_t at_ms, ms;

	if (!l->time.leading)
		return;
	at_ms = cluster_time_stamp(&l->time, mono_of(w, l), wall_of(w, l));
	for (int i = 0; i < MEMBERS; i++) {
		struct member *m = &w->members[i];

		assert_null(cluster_time_broken(&m->time));
		if (m->time.term == w->term && cluster_time_estimate(&m->time, mono_of(w, m), &ms))
			assert_true(ms <= at_ms);
	}
}

/* ---- what happens -----------------------------------------------------------------------------*/

static void heartbeat(struct model *w, bool everybody)
{
	struct member *l = &w->members[w->leader];
	uint8_t note[CLUSTER_TIME_NOTE_SIZE];

	if (!l->time.leading)
		return;
	cluster_time_note(&l->time, mono_of(w, l), wall_of(w, l), note);
	w->now_us += draw(w, 0, w->delay_us);
	for (int i = 0; i < MEMBERS; i++) {
		struct member *m = &w->members[i];

		if (i == w->leader || !connected(w, w->leader, i) || (!everybody && draw(w, 0, 2)))
			continue;
		cluster_time_follow(&m->time);
		assert_int_equal(
			cluster_time_heard(&m->time, mono_of(w, m), slice_of(note, sizeof(note))),
			OK);
	}
}

/* A leader that is cut off goes on proposing, in vain. */
static void propose(struct model *w, int leader)
{
	struct member *l = &w->members[leader];
	int have = 1;
	uint64_t stamp;

	if (!l->time.leading)
		return;
	stamp = cluster_time_stamp(&l->time, mono_of(w, l), wall_of(w, l));
	member_append(w, l, (struct stamped){l->time.term, stamp, ENTRY_COMMAND});
	if (leader != w->leader)
		return;
	for (int i = 0; i < MEMBERS; i++) {
		if (i == leader || !connected(w, leader, i) || draw(w, 0, 4) == 0)
			continue;
		cluster_time_follow(&w->members[i].time);
		replicate(w, l, &w->members[i]);
		have++;
	}
	if (have < MAJORITY)
		return;
	w->committed = l->log_len;
	w->committed_term = w->term;
	check_committed(w, stamp);
}

static void elect(struct model *w, int candidate)
{
	struct member *c = &w->members[candidate];
	struct stamped begin = {w->term + 1, 0, ENTRY_NOOP};
	uint8_t note[CLUSTER_TIME_NOTE_SIZE];
	int votes = 1;

	for (int i = 0; i < MEMBERS; i++)
		votes += i != candidate && connected(w, candidate, i) &&
			 !log_older(c, &w->members[i]);
	if (votes < MAJORITY)
		return;
	cluster_time_follow(&c->time);
	cluster_time_campaign(&c->time);
	votes = 1;
	for (int i = 0; i < MEMBERS && votes < MAJORITY; i++) {
		struct member *m = &w->members[(candidate + 1 + i) % MEMBERS];

		if (m == c || m->cut || log_older(c, m))
			continue;
		cluster_time_follow(&m->time);
		cluster_time_note(&m->time, mono_of(w, m), wall_of(w, m), note);
		assert_int_equal(
			cluster_time_voter(&c->time, mono_of(w, c), slice_of(note, sizeof(note))),
			OK);
		votes++;
	}
	assert_true(c->log_len >= w->committed); /* the model's Raft is one */
	assert_true(w->term == 0 || c->time.running);
	begin.stamp = cluster_time_quiet_stamp(&c->time);
	member_append(w, c, begin);
	w->elections++;
	w->leader = candidate;
	cluster_time_lead(&c->time, ++w->term, mono_of(w, c), wall_of(w, c));
	heartbeat(w, true);
}

/*
 * Not if a majority could be left of which nobody knows the newest time: starting from rest is
 * another matter, since it believes wall clocks, and these are wrong here.
 */
static void restart(struct model *w, int victim)
{
	struct member *v = &w->members[victim];
	uint64_t need = MAX(w->committed_term, last_term(v));
	int know = 0;

	for (int i = 0; i < MEMBERS; i++)
		if (!w->members[i].time.running)
			need = MAX(need, w->members[i].time.term);
	for (int i = 0; i < MEMBERS; i++)
		know += i != victim && w->members[i].time.running &&
			w->members[i].time.term >= need;
	if (know < MAJORITY || (victim == w->leader && v->time.leading))
		return;
	clock_set(w, v, draw(w, -500, 500));
	v->mono_us = draw(w, 0, HOUR); /* another machine, for all the clock knows */
	cluster_time_init(&v->time, last_term(v), v->log_len ? v->log[v->log_len - 1].stamp : 0);
}

static void cut(struct model *w, int who)
{
	int cuts = 0;

	for (int i = 0; i < MEMBERS; i++)
		cuts += w->members[i].cut;
	if (w->members[who].cut || cuts < MEMBERS - MAJORITY)
		w->members[who].cut = !w->members[who].cut;
	if (!w->members[w->leader].cut)
		return;
	if (draw(w, 0, 1))
		w->now_us += draw(w, 0, 3 * SECOND); /* and nobody leads the others */
	elect(w, (int)draw(w, 0, MEMBERS - 1));
}

static void step(struct model *w)
{
	int who = (int)draw(w, 0, MEMBERS - 1);
	int64_t kind = draw(w, 0, 99);

	w->now_us += draw(w, 0, 200000);
	if (kind < 45)
		heartbeat(w, false);
	else if (kind < 75)
		propose(w, draw(w, 0, 5) ? w->leader : who);
	else if (kind < 80)
		cut(w, who);
	else if (kind < 84)
		elect(w, who);
	else if (kind < 88)
		restart(w, who);
	else if (kind < 92)
		w->members[who].wall_off_us += draw(w, -10 * HOUR, 10 * HOUR);
	else if (kind < 96)
		clock_set(w, &w->members[who], draw(w, 0, 1) ? 500 : -500);
	else if (kind < 98)
		w->now_us += draw(w, 0, 20 * SECOND);
	else if (kind < 99)
		w->now_us += draw(w, 0, 24 * HOUR);
	check_estimates(w);
}

static void run_model(uint64_t seed, int64_t delay_us)
{
	struct model *w = mem_zalloc(1, sizeof(*w));

	random_seed(&w->random, seed);
	w->delay_us = delay_us;
	w->early = 1e30;
	w->late = -1e30;
	for (int i = 0; i < MEMBERS; i++) {
		struct member *m = &w->members[i];

		m->mono_us = draw(w, 0, HOUR);
		m->drift_ppm = draw(w, -500, 500);
		m->wall_off_us = draw(w, 0, 30 * SECOND) + 20 * 24 * HOUR;
		cluster_time_init(&m->time, 0, 0);
	}
	elect(w, 0);
	for (int i = 0; i < 2500; i++)
		step(w);
	assert_true(w->elections > 5 && w->committed > 50);
	mem_free(w);
}

static void stamps_follow_true_time_whatever_happens(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++)
		run_model(seed, 50000);
}

/* Whoever was stopped reads heartbeats that are seconds old. */
static void late_messages_make_time_late_and_never_early(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 100; seed++)
		run_model(seed, 5 * SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stamps_follow_true_time_whatever_happens),
		cmocka_unit_test(late_messages_make_time_late_and_never_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
