/* The state machine's side of a host: its file on the disk, and getting another member's state. */

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "sim/host.h"

#include <inttypes.h>
#include <string.h>

#define FETCH_CHUNK 512

/*
 * A file written beside the one it is to replace: remove a leftover, create, write, sync, and for
 * storing also rename and sync the directory. One call a step.
 */
struct file_job {
	struct job job;
	struct host *host;
	const char *path;
	struct disk_file *file;
	struct buf bytes;
	int next; /* step */
	int last; /* step after which it is done */
	int error;
};

enum { FILE_REMOVE, FILE_CREATE, FILE_WRITE, FILE_SYNC, FILE_RENAME, FILE_SYNC_DIRECTORY };

struct machine_state {
	struct file_job store;
	struct file_job install;
	struct host *source; /* of the state being fetched */
	uint64_t source_index;
	size_t fetched;
	struct buf offered; /* what others may fetch: the newest stored state */
	uint64_t offered_index;
	uint64_t storing_index;
};

static int file_step_once(struct file_job *f)
{
	struct disk *disk = sim_disk_interface(f->host->disk);
	int rc;

	switch (f->next) {
	case FILE_REMOVE:
		rc = disk_remove(disk, f->path);
		return rc == ERR_NOT_FOUND ? OK : rc;
	case FILE_CREATE:
		return disk_open(disk, f->path, DISK_CREATE, &f->file);
	case FILE_WRITE:
		return disk_write(f->file, 0, f->bytes.data, f->bytes.len);
	case FILE_SYNC:
		rc = disk_sync(f->file);
		disk_close(f->file);
		f->file = NULL;
		return rc;
	case FILE_RENAME:
		return disk_rename(disk, f->path, STATE_PATH);
	default:
		return disk_sync_directory(disk, "data");
	}
}

static enum job_progress file_step(struct job *job)
{
	struct file_job *f = CONTAINER_OF(job, struct file_job, job);

	f->error = file_step_once(f);
	if (f->error != OK || f->next == f->last)
		return JOB_DONE;
	f->next++;
	return JOB_MORE;
}

static void file_reset(struct file_job *f, struct host *h, const char *path, int first, int last)
{
	disk_close(f->file);
	f->file = NULL;
	f->host = h;
	f->path = path;
	f->next = first;
	f->last = last;
	f->error = OK;
	f->job.step = file_step;
}

static struct machine_state *state_of(struct host *h)
{
	return h->machine_state;
}

static struct job *machine_store(void *ctx, const struct snapshot *s)
{
	struct host *h = ctx;
	struct machine_state *m = state_of(h);
	struct snapshot named = *s;
	uint8_t where[8];

	/* After a failure the same state once more. */
	if (m->storing_index == s->index && m->store.error != OK) {
		file_reset(&m->store, h, STATE_TMP, FILE_REMOVE, FILE_SYNC_DIRECTORY);
		return &m->store.job;
	}
	CHECK(s->index == h->kv.index && s->term == h->kv.term);
	fixed64_put(where, s->index);
	named.where = slice_of(where, sizeof(where));
	file_reset(&m->store, h, STATE_TMP, FILE_REMOVE, FILE_SYNC_DIRECTORY);
	buf_clear(&m->store.bytes);
	kv_encode(&h->kv, &named, &m->store.bytes);
	m->storing_index = s->index;
	return &m->store.job;
}

static int machine_store_done(void *ctx, struct buf *where)
{
	struct host *h = ctx;
	struct machine_state *m = state_of(h);

	if (m->store.error != OK)
		return m->store.error;
	COUNT(h->world, STATE_STORED);
	TRACE(h->world, h, "state stored at %" PRIu64, m->storing_index);
	buf_clear(&m->offered);
	buf_append_slice(&m->offered, buf_slice(&m->store.bytes));
	m->offered_index = m->storing_index;
	buf_append_fixed64(where, m->storing_index);
	return OK;
}

/* A chunk at a time, as long as both are there and the source still has that state. */
static enum job_progress fetch_step(struct job *job)
{
	struct file_job *f = CONTAINER_OF(job, struct file_job, job);
	struct host *h = f->host;
	struct world *w = h->world;
	struct machine_state *m = state_of(h);
	struct machine_state *theirs = m->source ? m->source->machine_state : NULL;
	size_t n;

	if (!theirs || m->source->state != HOST_UP || theirs->offered_index != m->source_index ||
	    w->links[m->source->index][h->index].cut || w->links[h->index][m->source->index].cut) {
		f->error = ERR_UNAVAILABLE;
		return JOB_DONE;
	}
	n = MIN((size_t)FETCH_CHUNK, theirs->offered.len - m->fetched);
	buf_append(&f->bytes, theirs->offered.data + m->fetched, n);
	m->fetched += n;
	if (m->fetched < theirs->offered.len)
		return JOB_MORE;
	f->job.step = file_step;
	return JOB_MORE;
}

static struct job *machine_install_fetch(void *ctx, uint64_t from, const struct snapshot *s)
{
	struct host *h = ctx;
	struct machine_state *m = state_of(h);

	file_reset(&m->install, h, INSTALL_TMP, FILE_REMOVE, FILE_SYNC);
	buf_clear(&m->install.bytes);
	m->install.job.step = fetch_step;
	m->source = host_by_id(h->world, from);
	m->source_index = s->where.len == 8 ? fixed64_get(s->where.data) : 0;
	m->fetched = 0;
	TRACE(h->world, h, "fetches the state at %" PRIu64, s->index);
	return &m->install.job;
}

static int machine_install_fetched(void *ctx)
{
	struct host *h = ctx;
	struct machine_state *m = state_of(h);
	struct slice descriptor;
	struct kv kv;
	int rc = m->install.error;

	if (rc == OK) {
		rc = kv_decode(buf_slice(&m->install.bytes), &kv, &descriptor);
		if (rc == OK)
			kv_close(&kv);
	}
	if (rc != OK)
		COUNT(h->world, INSTALL_FAILED);
	return rc;
}

static struct job *machine_install_swap(void *ctx)
{
	struct host *h = ctx;
	struct machine_state *m = state_of(h);

	file_reset(&m->install, h, INSTALL_TMP, FILE_RENAME, FILE_SYNC_DIRECTORY);
	return &m->install.job;
}

static int machine_install_done(void *ctx)
{
	struct host *h = ctx;
	struct machine_state *m = state_of(h);
	struct slice descriptor;
	struct kv kv;

	if (m->install.error != OK)
		return m->install.error;
	CHECK(kv_decode(buf_slice(&m->install.bytes), &kv, &descriptor) == OK);
	kv_close(&h->kv);
	h->kv = kv;
	COUNT(h->world, STATE_INSTALLED);
	watch_installed(h, kv.index, kv.digest);
	return OK;
}

static void machine_install_drop(void *ctx)
{
	struct host *h = ctx;

	COUNT(h->world, INSTALL_FAILED);
}

static bool machine_is_within(void *ctx)
{
	(void)ctx;
	return false;
}

static bool machine_wants_store(void *ctx)
{
	(void)ctx;
	return false;
}

static bool machine_apply(void *ctx, uint64_t index, const struct entry *e)
{
	struct host *h = ctx;
	struct kv_command c;
	struct kv_result result;

	bool command = kv_apply(&h->kv, index, e, &c, &result);

	if (h->dying)
		return true;
	watch_apply(h, index, e, h->kv.digest);
	if (command)
		client_applied(h, index, e->term, &c, &result);
	return true;
}

void host_machine_init(struct host *h)
{
	h->machine_state = MEM_NEW(struct machine_state);
	kv_init(&h->kv);
	h->machine = (struct machine){
		.ctx = h,
		.apply = machine_apply,
		.is_within = machine_is_within,
		.wants_store = machine_wants_store,
		.store = machine_store,
		.store_done = machine_store_done,
		.install_fetch = machine_install_fetch,
		.install_fetched = machine_install_fetched,
		.install_swap = machine_install_swap,
		.install_done = machine_install_done,
		.install_drop = machine_install_drop,
	};
}

void host_machine_close(struct host *h)
{
	struct machine_state *m = state_of(h);

	if (!m)
		return;
	disk_close(m->store.file);
	disk_close(m->install.file);
	buf_free(&m->store.bytes);
	buf_free(&m->install.bytes);
	buf_free(&m->offered);
	mem_free(m);
	h->machine_state = NULL;
	kv_close(&h->kv);
}

int host_machine_load(struct host *h, struct buf *out)
{
	struct disk *disk = sim_disk_interface(h->disk);
	struct machine_state *m = state_of(h);
	struct disk_file *file;
	struct slice descriptor;
	uint64_t size = 0;
	size_t got = 0;
	int rc;

	if (disk_open(disk, STATE_PATH, 0, &file) != OK)
		return OK;
	if (disk_size(file, &size) == OK &&
	    disk_read(file, 0, buf_reserve(&m->offered, (size_t)size), (size_t)size, &got) == OK)
		buf_commit(&m->offered, got);
	/*
	 * A process that was killed between rename and sync left it in the page cache only. The
	 * log will be released on the strength of this state: it has to survive a power loss.
	 */
	rc = disk_sync(file);
	disk_close(file);
	if (rc == OK)
		rc = disk_sync_directory(disk, "data");
	if (rc != OK)
		return rc;
	if (kv_decode(buf_slice(&m->offered), &h->kv, &descriptor) == OK) {
		buf_append_slice(out, descriptor);
		m->offered_index = h->kv.index;
		return OK;
	}
	TRACE(h->world, h, "the stored state is damaged");
	kv_init(&h->kv);
	buf_clear(&m->offered);
	return OK;
}
