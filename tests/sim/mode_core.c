/* Consensus, log and driver alone: everything is looked at from inside, nothing is in the way. */

#include "sim/host.h"
#include "sim/mode.h"

#include "base/error.h"

static void core_nothing_of_world(struct world *w)
{
	(void)w;
}

static void core_nothing(struct host *h)
{
	(void)h;
}

static int core_start(struct host *h, const struct driver_options *o)
{
	struct driver_stored stored = {0};
	struct buf descriptor = {0};
	int rc;

	host_machine_init(h);
	rc = disk_make_directory(h->io.disk, "data");
	if (rc == OK)
		rc = host_machine_load(h, &descriptor);
	stored.snapshot = buf_slice(&descriptor);
	if (rc == OK)
		rc = driver_new(&h->driver, o, &h->io, &h->machine, &h->events, &stored);
	buf_free(&descriptor);
	return rc;
}

static void core_stop(struct host *h)
{
	driver_free(h->driver);
	host_machine_close(h);
}

static void core_turn(struct host *h)
{
	driver_turn(h->driver);
}

static uint64_t core_deadline_ms(const struct host *h)
{
	return driver_deadline_ms(h->driver);
}

static void core_receive(struct host *h, const struct host *from, enum frame_kind kind,
			 struct blob *body)
{
	(void)from;
	driver_receive(h->driver, kind, body);
}

static void core_gone(struct host *h, const struct host *other)
{
	driver_peer_gone(h->driver, other->id);
}

static void core_failed(struct host *h, int error)
{
	(void)h;
	(void)error;
}

static struct state_seen core_state(const struct host *h)
{
	return (struct state_seen){h->kv.index, h->kv.term, h->kv.digest};
}

/* Whoever is not answered has given up by himself. */
static bool core_clients_wait(struct world *w)
{
	(void)w;
	return false;
}

const struct sim_mode mode_core = {
	.name = "core",
	.again = "sim",
	.in = COUNT_IN_CORE,
	.reads = COUNT_DISK_LOAD,
	.draw = core_nothing_of_world,
	.host_open = core_nothing,
	.host_close = core_nothing,
	.host_wipe = core_nothing,
	.start = core_start,
	.stop = core_stop,
	.clients_cut = client_host_died,
	.turn = core_turn,
	.deadline_ms = core_deadline_ms,
	.receive = core_receive,
	.gone = core_gone,
	.failed = core_failed,
	.state = core_state,
	.clients_start = clients_start,
	.clients_close = clients_close,
	.clients_wait = core_clients_wait,
	.clients_look = core_nothing_of_world,
	.watch_turn = core_nothing,
	.hasten = core_nothing_of_world,
	.watch_end = core_nothing_of_world,
};
