/*
 * Damages the segments of a good log as the input says and opens it: it must not crash, hang or
 * leak, and whatever is read back must be what was written.
 *
 * Input: the first byte chooses the log; then commands: kind and file (one byte), offset (two
 * bytes), and what the kind needs.
 */

#include "base/check.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/mem.h"
#include "storage/log_segment.h"
#include "support/sim_disk.h"

#include <stdlib.h>
#include <string.h>

#define SEGMENTS  8
#define MAX_INDEX 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Says which entries may be read at an index: every one that ever stood there. */
struct written {
	uint64_t hashes[MAX_INDEX][8];
	size_t counts[MAX_INDEX];
	uint64_t next_stamp;
};

static uint64_t entry_hash(const struct entry *e)
{
	return hash64_salted(entry_payload(e), hash64_pair(e->term << 8 | e->kind, e->stamp));
}

static void append(struct log *log, struct written *w, uint64_t first, size_t count, uint32_t len)
{
	struct entry entries[16];
	struct log_state state = {first + count, first, 1};
	struct log_batch batch = {
		.first_index = first, .entries = entries, .count = count, .state = &state};
	struct job *job;

	CHECK(count <= 16 && first + count < MAX_INDEX);
	for (size_t i = 0; i < count; i++) {
		struct entry *e = &entries[i];

		*e = (struct entry){.term = 1 + w->next_stamp / 20,
				    .stamp = w->next_stamp++,
				    .kind = i == 3 ? ENTRY_MEMBERSHIP : ENTRY_COMMAND};
		e->blob = blob_new(len);
		e->data = e->blob->data;
		e->len = len;
		memset(e->blob->data, (int)e->stamp, len);
		if (w->counts[first + i] < ARRAY_LEN(w->hashes[0]))
			w->hashes[first + i][w->counts[first + i]++] = entry_hash(e);
	}
	log_add(log, &batch);
	job = log_start(log);
	while (job->step(job) == JOB_MORE)
		;
	CHECK(log_complete(log) == OK);
	for (size_t i = 0; i < count; i++)
		blob_release(entries[i].blob);
}

static void maintain(struct log *log)
{
	struct job *job;

	while ((job = log_maintain(log)) != NULL) {
		while (job->step(job) == JOB_MORE)
			;
		CHECK(log_maintain_complete(log) == OK);
	}
}

static void write_log(struct sim_disk *disk, const struct log_options *options, uint8_t variant,
		      struct written *w)
{
	struct log_recovery rec;
	struct log *log;

	for (int session = 0; session < 2; session++) {
		CHECK(log_open(&log, sim_disk_interface(disk), options, &rec) == OK);
		log_recovery_free(&rec);
		for (int i = 0; i < 6; i++) {
			append(log, w, log_last_index(log) + 1, 1 + (variant + i) % 6,
			       100u * (variant % 16));
			if (variant & 16)
				maintain(log);
			if (variant & 32 && i == 3)
				append(log, w, log_last_index(log) - 1, 4, 50);
			if (variant & 64)
				log_release(log, log_last_index(log) / 2);
		}
		log_close(log);
		sim_disk_crash(disk);
	}
}

/* One command; false: the input ends. */
static bool damage(struct sim_disk *disk, struct cursor *c)
{
	uint8_t command = cursor_fixed8(c);
	uint64_t offset = cursor_fixed16(c);
	struct log_path path = log_path_segment("log", 1 + (command >> 2) % SEGMENTS);
	struct log_path other;
	struct slice bytes;

	if (c->failed)
		return false;
	switch (command & 3) {
	case 0:
		bytes = cursor_bytes(c, MIN(cursor_fixed8(c), cursor_left(c)));
		sim_disk_patch(disk, path.text, offset, bytes.data, bytes.len);
		return true;
	case 1:
		if (offset % 8 == 0)
			sim_disk_lose(disk, path.text);
		else
			sim_disk_shorten(disk, path.text, offset);
		return true;
	case 2: {
		/* A block from elsewhere, as a disk that mixes up its addresses would give. */
		uint8_t block[DISK_BLOCK];
		uint8_t from = cursor_fixed8(c);
		size_t got;

		other = log_path_segment("log", 1 + from % SEGMENTS);
		got = sim_disk_peek(disk, other.text, (uint64_t)(from / SEGMENTS % 4) * DISK_BLOCK,
				    block, sizeof(block));
		sim_disk_patch(disk, path.text, offset / DISK_BLOCK * DISK_BLOCK, block, got);
		return true;
	}
	default: {
		uint8_t byte;

		if (sim_disk_peek(disk, path.text, offset, &byte, 1) == 1) {
			byte ^= (uint8_t)(1u << (command >> 5));
			sim_disk_patch(disk, path.text, offset, &byte, 1);
		}
		return true;
	}
	}
}

static void check_entry(const struct written *w, uint64_t index, const struct entry *e)
{
	uint64_t hash = entry_hash(e);

	CHECK(index < MAX_INDEX);
	for (size_t i = 0; i < w->counts[index]; i++) {
		if (w->hashes[index][i] == hash)
			return;
	}
	CHECK(false);
}

static void read_all(struct log *log, const struct written *w)
{
	uint64_t next = log_base_index(log) + 1;

	while (next <= log_durable_index(log)) {
		struct log_read read;

		CHECK(log_read_start(log, &read, next, 4000) == OK);
		while (read.job.step(&read.job) == JOB_MORE)
			;
		/* What log_open() vouched for can be read. */
		CHECK(log_read_complete(log, &read) == OK);
		for (size_t i = 0; i < read.count; i++)
			check_entry(w, next + i, &read.entries[i]);
		next += read.count;
		log_read_free(&read);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct log_options options = {
		.dir = "log", .segment_bytes = 16384, .direct = true, .identity = {5, 6}};
	struct cursor c = cursor_of(slice_of(data, size));
	uint8_t variant = cursor_fixed8(&c);
	struct sim_disk *disk = sim_disk_new(variant);
	struct written *w = MEM_NEW(struct written);
	struct log_recovery rec;
	struct log *log;

	write_log(disk, &options, variant, w);
	while (damage(disk, &c))
		;
	for (int i = 0; i < 2; i++) {
		if (log_open(&log, sim_disk_interface(disk), &options, &rec) != OK)
			break;
		read_all(log, w);
		if (log_last_index(log) + 5 < MAX_INDEX)
			append(log, w, log_last_index(log) + 1, 4, 300);
		read_all(log, w);
		maintain(log);
		log_recovery_free(&rec);
		log_close(log);
		sim_disk_crash(disk);
	}
	sim_disk_free(disk);
	mem_free(w);
	return 0;
}
