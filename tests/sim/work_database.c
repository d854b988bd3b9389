/* Databases that are emptied and swapped, and keys that go from one place to another. */

#include "sim/callers.h"

static unsigned below(struct caller *c, unsigned n)
{
	return (unsigned)random_below(&c->world->random, n);
}

/* One of the two that are emptied and swapped; what stands in the others stays. */
static unsigned draw_database(struct caller *c)
{
	unsigned database = 2 + below(c, 2);

	work_use(c, database);
	return database;
}

void work_empty(struct caller *c)
{
	draw_database(c);
	ask(c, below(c, 10) ? "FLUSHDB" : "FLUSHALL");
}

void work_swap(struct caller *c)
{
	bool other_way = below(c, 2);

	ask(c, other_way ? "SWAPDB 3 2" : "SWAPDB 2 3");
}

/* Too long to stand in a record. */
static void set_long(struct caller *c, unsigned key)
{
	unsigned number = below(c, 1000);

	ask(c, "SET m%u long%0*u", key, 80 + (int)below(c, 200), number);
}

/* One that takes another one's place is what is changed then. */
static void place_long(struct caller *c)
{
	unsigned key = below(c, 3), other = (key + 1) % 3;

	set_long(c, key);
	if (below(c, 2))
		return;
	set_long(c, other);
	ask(c, "RENAME m%u m%u", other, key);
	ask(c, "APPEND m%u +%u", key, below(c, 10));
}

void work_place(struct caller *c)
{
	draw_database(c);
	if (below(c, 4) == 0)
		place_long(c);
	else if (below(c, 3) == 0)
		ask(c, "SET m%u %u PX %u", below(c, 3), below(c, 100), 100 + below(c, 5000));
	else if (below(c, 3) == 0)
		ask(c, "DEL m%u", below(c, 3));
	else
		ask(c, "SET m%u w%u", below(c, 3), below(c, 1000));
}

static void draw_key(struct caller *c, char key[static 4])
{
	key[0] = below(c, 3) ? 'm' : (below(c, 2) ? 'h' : 't');
	key[1] = (char)('0' + below(c, 3));
	key[2] = 0;
}

void work_move(struct caller *c)
{
	unsigned database = draw_database(c);
	char from[4], to[4];

	draw_key(c, from);
	draw_key(c, to);
	if (from[0] == to[0] && from[1] == to[1])
		to[1] = (char)('0' + (to[1] - '0' + 1) % 3);
	switch (below(c, 5)) {
	case 4:
		ask(c, "APPEND %s +%u", to, below(c, 10));
		break;
	case 0:
		ask(c, "RENAME %s %s", from, to);
		break;
	case 1:
		ask(c, "MOVE %s %u", from, 5 - database);
		break;
	case 2:
		ask(c, "COPY %s %s REPLACE", from, to);
		break;
	case 3:
		ask(c, "COPY %s %s DB %u", from, to, 5 - database);
		break;
	}
}

void work_size(struct caller *c)
{
	draw_database(c);
	if (below(c, 3) == 0)
		ask(c, "MGET m0 m1 m2");
	else if (below(c, 2))
		ask(c, "DBSIZE");
	else
		ask(c, "EXISTS m0 m1 m2 t0 t1 h0 h1");
}
