/*
 * Transactions. Accounts in two databases: what one of them loses another one gains, and their sum
 * is nothing at every revision. A transfer reads two of them under WATCH and writes what it
 * computed; whoever came in between makes it fail. Others claim a key if nobody has touched it.
 */

#include "base/check.h"
#include "resp/integer.h"
#include "sim/callers.h"

#include <inttypes.h>
#include <stdio.h>

#define ACCOUNTS 5

static unsigned below(struct caller *c, unsigned n)
{
	return (unsigned)random_below(&c->world->random, n);
}

/* Accounts with odd numbers are in database 1. */
static unsigned database_of(unsigned account)
{
	return account % 2;
}

/* A line b<amount>; none is nothing. */
static bool balance_read(struct slice line, int64_t *balance)
{
	size_t at = 0;

	*balance = 0;
	if (line.len && line.data[0] == '_')
		return true;
	while (at < line.len && line.data[at] != 'b')
		at++;
	return at < line.len &&
	       resp_integer_parse(slice_of(line.data + at + 1, line.len - at - 2), balance);
}

static void set_marker(struct caller *c)
{
	char key[16];

	snprintf(key, sizeof(key), "x%u", c->number);
	ask_value(c, ask(c, "SET %s", key), key);
}

/* What was asked while the caller watched other keys means nothing any more. */
static bool is_of_now(const struct caller *c, const struct asked *a)
{
	return c->watching && a->watch_number == c->watch_number;
}

static void begin_to_watch(struct caller *c)
{
	c->watching = true;
	c->watch_number++;
}

static void heard_exec(struct caller *c, const struct asked *a, enum heard heard,
		       struct slice plain)
{
	if (heard == HEARD_DONE && plain.data[0] == '*')
		COUNT(c->world, EXEC_DONE);
	if (is_of_now(c, a))
		c->watching = false;
}

static void give_up(struct caller *c)
{
	c->watching = false;
	c->step = NULL;
	ask(c, "UNWATCH");
}

/* ---- transfers ------------------------------------------------------------------------------- */

static void transfer_balance(struct caller *c, unsigned i, int64_t amount)
{
	work_use(c, database_of(c->keys[i]));
	ask(c, "SET a%u b%" PRId64, c->keys[i], c->balances[i] + amount);
}

static void transfer_moves(struct caller *c)
{
	unsigned database = c->database;
	int64_t amount = 1 + below(c, 100);

	c->step = NULL;
	ask(c, "MULTI");
	transfer_balance(c, 0, -amount);
	transfer_balance(c, 1, amount);
	set_marker(c);
	work_use(c, database);
	ask(c, "EXEC")->then = heard_exec;
}

static void heard_balance(struct caller *c, const struct asked *a, enum heard heard,
			  struct slice plain)
{
	struct slice argv[WORDS_MAX];
	unsigned i;

	if (!is_of_now(c, a))
		return;
	words_borrow(&a->words, argv);
	i = argv[1].data[1] - '0' == (int)c->keys[1];
	if (heard != HEARD_DONE) {
		give_up(c);
		return;
	}
	if (!balance_read(plain, &c->balances[i]))
		world_fail(c->world, "client %u reads no balance", c->number);
	if (i == 1) {
		c->watch_most = c->world->model->revision;
		c->step = transfer_moves;
	}
}

static void transfer_watches(struct caller *c, unsigned account)
{
	work_use(c, database_of(account));
	ask(c, "WATCH a%u", account);
	ask(c, "GET a%u", account)->then = heard_balance;
}

void work_transfer(struct caller *c)
{
	if (c->watching)
		return;
	begin_to_watch(c);
	c->keys[0] = below(c, ACCOUNTS);
	c->keys[1] = (c->keys[0] + 1 + below(c, ACCOUNTS - 1)) % ACCOUNTS;
	transfer_watches(c, c->keys[0]);
	transfer_watches(c, c->keys[1]);
}

void work_sum(struct caller *c)
{
	unsigned database = c->database;

	if (c->watching)
		return;
	ask(c, "MULTI");
	work_use(c, 0);
	ask(c, "MGET a0 a2 a4");
	work_use(c, 1);
	ask(c, "MGET a1 a3");
	work_use(c, database);
	ask(c, "EXEC");
}

void transfers_watch(struct world *w)
{
	const struct model_cell *accounts[ACCOUNTS];
	struct model *m = w->model;
	char key[16];

	COUNT(w, CHECK_SUM);
	for (unsigned i = 0; i < ACCOUNTS; i++) {
		snprintf(key, sizeof(key), "a%u", i);
		accounts[i] = model_cell(m, database_of(i), slice_of_text(key));
	}
	for (uint64_t revision = 0; revision <= m->revision; revision++) {
		int64_t sum = 0, balance;

		for (unsigned i = 0; i < ACCOUNTS; i++) {
			const struct model_version *v = cell_at(accounts[i], revision);
			struct slice text =
				v->value ? buf_slice(&v->value->text) : SLICE_LITERAL("b0");

			CHECK(resp_integer_parse(slice_of(text.data + 1, text.len - 1), &balance));
			sum += balance;
		}
		if (sum != 0) {
			world_fail(w, "the accounts add up to %" PRId64 " at revision %" PRIu64,
				   sum, revision);
			return;
		}
	}
}

/* ---- claims ---------------------------------------------------------------------------------- */

static void claim_sets(struct caller *c)
{
	unsigned database = c->database;

	c->step = NULL;
	if (database == 2 && below(c, 2))
		ask(c, "WATCH m%u", c->keys[0]); /* the first one counts */
	ask(c, "MULTI");
	work_use(c, 2);
	ask(c, "SET m%u k%u", c->keys[0], c->number);
	ask(c, "PTTL m%u", c->keys[0]);
	set_marker(c);
	work_use(c, database);
	ask(c, "EXEC")->then = heard_exec;
}

static void heard_claim(struct caller *c, const struct asked *a, enum heard heard,
			struct slice plain)
{
	(void)plain;
	if (!is_of_now(c, a))
		return;
	if (heard != HEARD_DONE) {
		give_up(c);
		return;
	}
	c->watch_most = c->world->model->revision;
	c->step = claim_sets;
}

/* The database is emptied, swapped, and its keys come and go. */
void work_claim(struct caller *c)
{
	if (c->watching)
		return;
	begin_to_watch(c);
	c->keys[0] = below(c, 3);
	work_use(c, 2);
	ask(c, "WATCH m%u", c->keys[0]);
	ask(c, "EXISTS m%u", c->keys[0])->then = heard_claim;
}

/* ---- transactions without conditions --------------------------------------------------------- */

static void queue_one(struct caller *c)
{
	switch (below(c, 8)) {
	case 0:
		set_marker(c);
		break;
	case 1:
		ask(c, "INCR x%u", c->number); /* refused where it holds a text */
		break;
	case 2:
		ask(c, "INCR c%u", below(c, 2));
		break;
	case 3:
		ask(c, "GET r%u", below(c, c->world->profile.keys));
		break;
	case 4:
		ask(c, "HSET h%u f%u %u", below(c, 3), below(c, 6), below(c, 100));
		break;
	case 5:
		ask(c, "SET t%u %u PX %u", below(c, 4), below(c, 100), 50 + below(c, 3000));
		break;
	case 6:
		ask(c, "PTTL t%u", below(c, 4));
		break;
	case 7:
		ask(c, "PING");
		break;
	}
}

void work_queue(struct caller *c)
{
	if (c->watching)
		return;
	work_use(c, 0);
	ask(c, "MULTI");
	for (unsigned n = 1 + below(c, 6); n > 0; n--)
		queue_one(c);
	if (below(c, 10) == 0) {
		ask(c, "DISCARD");
		return;
	}
	ask(c, "INCR c%u", below(c, 2));
	ask(c, "EXEC");
}
