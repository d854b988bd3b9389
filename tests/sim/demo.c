#include "sim/demo.h"

#include "base/error.h"
#include "base/mem.h"
#include "sim/host.h"
#include "sim/trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define X_KEY 0

/* Segments are looked for by name up to this number, and up to so many bytes. */
#define SEGMENTS_MAX  64
#define SEGMENT_BYTES 65536

static struct demo *demo_of(const struct host *h)
{
	return CONTAINER_OF(h->world, struct demo, world);
}

double demo_ms(const struct demo *d, uint64_t since_us)
{
	return (double)(d->world.now_us - since_us) / 1000;
}

void demo_say(const struct demo *d, const struct host *h, const char *fmt, ...)
{
	va_list args;

	printf("%9.1f ms  %-3s ", demo_ms(d, 0), h ? h->name : "");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

/* ---- what members tell by themselves --------------------------------------------------------- */

static void say_leads(struct demo *d, const struct host *h, uint64_t term)
{
	if (d->since_us)
		demo_say(d, h, "is elected leader of term %" PRIu64 ", %.1f ms after that", term,
			 demo_ms(d, d->since_us));
	else
		demo_say(d, h, "is elected leader of term %" PRIu64, term);
}

static void demo_changed(void *ctx, const struct raft_status *s)
{
	struct host *h = ctx;
	struct demo *d = demo_of(h);
	uint64_t *led = &d->leader_term[h->index];

	if (s->role == RAFT_LEADER && *led != s->term)
		say_leads(d, h, s->term);
	if (s->role != RAFT_LEADER && *led)
		demo_say(d, h, "steps down");
	*led = s->role == RAFT_LEADER ? s->term : 0;
	if (!d->born[h->index] && s->born)
		demo_say(d, h, "knows that all three have the same list of ids on disk: born");
	d->born[h->index] = s->born;
	if (d->damaged[h->index] && !s->damaged)
		demo_say(d, h, "has got back what it lost: it counts again");
	d->damaged[h->index] = s->damaged;
}

static void demo_read_ready(void *ctx, uint64_t request)
{
	struct host *h = ctx;
	struct demo *d = demo_of(h);

	if (h->dying || h != d->read_at || request != d->read_asked)
		return;
	d->read_answered = true;
	d->read_value = h->kv.cells[X_KEY].value;
}

/* Of what a member logs, only the word about its damage is shown. */
static void demo_log(void *ctx, enum log_level level, const char *text, size_t len)
{
	struct host *h = ctx;
	struct buf line = {0};

	world_trace(h->world, h, "| %.*s", (int)len, text);
	buf_append(&line, text, len);
	buf_append_byte(&line, 0);
	if (level == LOG_ERROR && strstr((const char *)line.data, "damaged from entry"))
		demo_say(demo_of(h), h, "says: %.*s", (int)strcspn(text, "(") - 1, text);
	buf_free(&line);
}

/* ---- the world ------------------------------------------------------------------------------- */

void demo_open(struct demo *d, uint64_t seed)
{
	static const struct profile profile = {
		.members = 3,
		.ordered = true,
		.prevote = true,
		.check_quorum = true,
		.delay_us = 400,
		.disk_us = 200,
		.snapshot_entries = 100000,
		.tail_bytes = 1 << 20,
		.append_bytes = 4096,
	};
	struct run_options o = {.seed = seed, .trace = true};

	*d = (struct demo){0};
	world_open(&d->world, &o, &profile);
	for (unsigned i = 0; i < d->world.host_count; i++) {
		struct host *h = &d->world.hosts[i];

		h->events.changed = demo_changed;
		h->events.read_ready = demo_read_ready;
		h->logger.write = demo_log;
	}
}

void demo_close(struct demo *d)
{
	world_close(&d->world);
}

void demo_kill(struct demo *d, struct host *h)
{
	d->leader_term[h->index] = 0;
	host_kill(h, false);
}

static bool demo_wait(struct demo *d, uint64_t end_us, demo_seen *seen, const void *arg)
{
	struct world *w = &d->world;

	while (!seen(d, arg))
		if (!world_step(w, end_us)) {
			if (!w->done)
				w->now_us = end_us;
			return seen(d, arg) && !w->done;
		}
	return !w->done;
}

/* What led to it stands in the last lines of the debug trace. */
static void demo_disappointed(struct demo *d, const char *what)
{
	trace_print(d->world.ring);
	if (d->world.failure[0])
		demo_say(d, NULL, "A RULE WAS BROKEN: %s", d->world.failure);
	demo_say(d, NULL, "NOT SEEN: %s", what);
}

bool demo_await(struct demo *d, uint64_t within_ms, const char *what, demo_seen *seen,
		const void *arg)
{
	if (demo_wait(d, d->world.now_us + within_ms * 1000, seen, arg))
		return true;
	demo_disappointed(d, what);
	return false;
}

void demo_pass(struct demo *d, uint64_t for_ms)
{
	uint64_t end_us = d->world.now_us + for_ms * 1000;

	while (world_step(&d->world, end_us))
		;
	if (!d->world.done)
		d->world.now_us = end_us;
}

bool demo_never(struct demo *d, uint64_t for_ms, const char *what, demo_seen *seen, const void *arg)
{
	if (!demo_wait(d, d->world.now_us + for_ms * 1000, seen, arg) && !d->world.done)
		return true;
	demo_disappointed(d, what);
	return false;
}

/* ---- the client ------------------------------------------------------------------------------ */

/* How a value is found again on a disk; it travels behind the command, which ignores it. */
static void value_text(uint64_t value, char *text, size_t size)
{
	snprintf(text, size, "<x = %" PRIu64 ">", value);
}

bool demo_write(struct demo *d, struct host *h, uint64_t value, struct demo_write *out)
{
	struct kv_command c = {.op = d->ops++, .kind = HISTORY_WRITE, .key = X_KEY, .value = value};
	struct entry e = {.kind = ENTRY_COMMAND, .stamp = clock_wall_ms(&h->io.clock)};
	struct buf bytes = {0};
	struct raft_status s;
	char text[32];
	int rc;

	value_text(value, text, sizeof(text));
	kv_command_encode(&c, &bytes);
	buf_append_slice(&bytes, slice_of_text(text));
	e.blob = blob_copy(buf_slice(&bytes));
	e.data = e.blob->data;
	e.len = (uint32_t)e.blob->len;
	*out = (struct demo_write){.at = h, .value = value};
	rc = driver_propose(h->driver, &e, 1, &out->index);
	driver_status(h->driver, &s);
	out->term = s.term;
	blob_release(e.blob);
	buf_free(&bytes);
	host_after(h);
	return rc == OK;
}

bool demo_acknowledged(struct demo *d, const void *write)
{
	const struct demo_write *p = write;

	(void)d;
	return p->at->state == HOST_UP && p->at->kv.index >= p->index &&
	       raft_term_at(driver_raft(p->at->driver), p->index) == p->term;
}

int demo_read(struct demo *d, struct host *h)
{
	int rc;

	d->read_at = h;
	d->read_asked = ++h->next_request;
	d->read_answered = false;
	rc = driver_read(h->driver, d->read_asked);
	host_after(h);
	return rc;
}

/* ---- damage ---------------------------------------------------------------------------------- */

static bool flip_in_segment(struct sim_disk *disk, const char *path, const char *text)
{
	uint8_t *bytes = mem_alloc(SEGMENT_BYTES);
	size_t len = sim_disk_peek(disk, path, 0, bytes, SEGMENT_BYTES);
	const uint8_t *at = memmem(bytes, len, text, strlen(text));
	bool flipped = false;
	uint8_t byte;

	if (at) {
		byte = *at ^ 1;
		flipped = sim_disk_patch(disk, path, (uint64_t)(at - bytes), &byte, 1);
	}
	mem_free(bytes);
	return flipped;
}

bool demo_flip(struct demo *d, struct host *h, uint64_t value)
{
	char text[32], path[64];

	(void)d;
	value_text(value, text, sizeof(text));
	for (uint64_t i = 1; i <= SEGMENTS_MAX; i++) {
		snprintf(path, sizeof(path), HOST_LOG_DIR "/%016" PRIx64 ".log", i);
		if (flip_in_segment(h->disk, path, text)) {
			h->suspect = true; /* the checks expect what it says of itself then */
			return true;
		}
	}
	return false;
}
