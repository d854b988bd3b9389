#include "lone.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "node/driver.h"
#include "server/threads.h"
#include "storage/disk.h"
#include "storage/engine_memory.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define READERS	    2
#define REST_MS_MAX 100u
#define REQUEST_MS  600000u

static uint64_t lone_random(void *ctx)
{
	struct lone *l = ctx;

	return random_next(&l->random);
}

static void lone_send(void *ctx, uint64_t to, const struct frame *frame)
{
	(void)ctx;
	(void)to;
	(void)frame;
}

static void lone_send_to_name(void *ctx, struct slice name, const struct frame *frame)
{
	(void)ctx;
	(void)name;
	(void)frame;
}

static void lone_run(void *ctx, enum job_lane lane, struct job *job)
{
	struct lone *l = ctx;

	threads_run(l->threads, lane, job);
}

static void lone_wake(void *ctx)
{
	struct lone *l = ctx;
	uint64_t one = 1;

	atomic_store(&l->finished, true);
	CHECK(write(l->woken, &one, sizeof(one)) == sizeof(one));
}

static void lone_changed(void *ctx, const struct raft_status *status)
{
	(void)ctx;
	(void)status;
}

static void lone_failed(void *ctx, int error)
{
	(void)ctx;
	fprintf(stderr, "the member cannot go on: %s\n", error_text(error));
	_exit(1);
}

static const char *path_text(const struct buf *path)
{
	return (const char *)path->data;
}

void lone_init(struct lone *l, const char *dir)
{
	static const struct slice names[] = {{(const uint8_t *)"n1", 2}};
	static struct disk disk;

	disk = disk_posix();
	*l = (struct lone){.disk = &disk, .options = member_options_default(), .woken = -1};
	buf_printf(&l->dir, "%s%c", dir, '\0');
	buf_printf(&l->log_dir, "%s/log%c", dir, '\0');
	buf_printf(&l->engine_dir, "%s/engine%c", dir, '\0');
	random_seed(&l->random, 1);
	l->logger = logger_to_stream(stderr, LOG_WARNING);
	l->engine = engine_rocks_defaults(path_text(&l->engine_dir));
	l->engine.logger = &l->logger;
	l->options.driver.dir = path_text(&l->log_dir);
	l->options.driver.raft.logger = &l->logger;
	l->options.request_timeout_ms = REQUEST_MS; /* a slow machine is slow, and no failure */
	l->options.driver.name = names[0];
	l->options.driver.names = names;
	l->options.driver.name_count = 1;
	l->io = (struct node_io){
		.ctx = l,
		.clock = clock_system(),
		.disk = l->disk,
		.logger = &l->logger,
		.random = lone_random,
		.send = lone_send,
		.send_to_name = lone_send_to_name,
		.run = lone_run,
	};
	l->events =
		(struct member_events){.ctx = l, .changed = lone_changed, .failed = lone_failed};
}

static void must(int rc, const char *doing)
{
	if (rc == OK)
		return;
	fprintf(stderr, "%s: %s\n", doing, error_text(rc));
	_exit(1);
}

static void lone_open_engine(struct lone *l)
{
	if (!l->in_memory) {
		must(engine_rocks_open(&l->rows_engine, &l->engine), "opening RocksDB");
		return;
	}
	if (!l->rows)
		l->rows = engine_memory_new();
	l->rows_engine = engine_memory_open(l->rows);
}

static bool lone_leads(const struct lone *l)
{
	struct raft_status status;

	driver_status(member_driver(l->member), &status);
	return status.role == RAFT_LEADER;
}

void lone_start(struct lone *l)
{
	struct threads_options threads = {.readers = READERS, .wake = lone_wake, .ctx = l};

	l->woken = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	CHECK(l->woken >= 0);
	must(threads_new(&l->threads, &threads), "starting threads");
	lone_open_engine(l);
	must(member_new(&l->member, &l->options, &l->io, l->rows_engine, &l->events),
	     "starting the member");
	while (!lone_leads(l)) {
		lone_turn(l);
		lone_rest(l);
	}
}

void lone_stop(struct lone *l)
{
	if (!l->member)
		return;
	threads_free(l->threads);
	member_free(l->member);
	engine_close(l->rows_engine);
	close(l->woken);
	l->threads = NULL;
	l->member = NULL;
	l->rows_engine = NULL;
	l->woken = -1;
}

static void remove_files(struct lone *l, const char *dir)
{
	struct disk_names names = {0};

	must(disk_list(l->disk, dir, &names), "listing files");
	for (size_t i = 0; i < names.count; i++) {
		struct buf path = {0};

		buf_printf(&path, "%s/%s%c", dir, names.names[i], '\0');
		if (unlink(path_text(&path)) != 0)
			perror(path_text(&path));
		buf_free(&path);
	}
	disk_names_free(&names);
	if (rmdir(dir) != 0)
		perror(dir);
}

void lone_close(struct lone *l)
{
	lone_stop(l);
	if (!l->in_memory)
		must(engine_rocks_destroy(path_text(&l->engine_dir)), "removing the engine");
	engine_memory_free(l->rows);
	remove_files(l, path_text(&l->log_dir));
	if (rmdir(path_text(&l->dir)) != 0)
		perror(path_text(&l->dir));
	buf_free(&l->dir);
	buf_free(&l->log_dir);
	buf_free(&l->engine_dir);
}

void lone_complete(struct lone *l)
{
	uint64_t times;

	/* Not a call to the system for each turn: only if there is something. */
	if (!atomic_exchange(&l->finished, false))
		return;
	(void)!read(l->woken, &times, sizeof(times));
	threads_complete(l->threads);
}

void lone_turn(struct lone *l)
{
	lone_complete(l);
	member_turn(l->member);
}

void lone_wait(struct lone *l, unsigned ms)
{
	struct pollfd p = {.fd = l->woken, .events = POLLIN};

	CHECK(poll(&p, 1, (int)ms) >= 0 || errno == EINTR);
}

void lone_rest(struct lone *l)
{
	uint64_t now = clock_monotonic_us(&l->io.clock) / 1000;
	uint64_t due = member_deadline_ms(l->member);

	if (due > now)
		lone_wait(l, (unsigned)MIN(due - now, REST_MS_MAX));
}
