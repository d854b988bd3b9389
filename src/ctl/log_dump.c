#include "ctl/log_dump.h"

#include "base/mem.h"
#include "storage/log_scan.h"
#include "storage/log_segment.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct dump {
	struct disk *disk;
	const char *dir;
	bool json;
	FILE *out;
	uint64_t *sequences;
	size_t count;
	size_t cap;
	uint64_t member_id;
};

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int dump_list(struct dump *d, bool *marked)
{
	struct disk_names names = {0};
	int rc = disk_list(d->disk, d->dir, &names);

	for (size_t i = 0; i < names.count && rc == OK; i++) {
		uint64_t sequence;

		*marked = *marked || strcmp(names.names[i], LOG_MARK_NAME) == 0;
		if (!log_segment_name_parse(names.names[i], &sequence))
			continue;
		MEM_GROW(d->sequences, d->cap, d->count + 1);
		d->sequences[d->count++] = sequence;
	}
	disk_names_free(&names);
	if (d->count > 0)
		qsort(d->sequences, d->count, sizeof(*d->sequences), by_number);
	return rc == OK && d->count == 0 ? ERR_NOT_FOUND : rc;
}

static void dump_mark(const struct dump *d)
{
	uint8_t bytes[DISK_BLOCK];
	struct log_damage m = {0};
	struct disk_file *file;
	size_t got = 0;

	if (disk_open(d->disk, log_path(d->dir, LOG_MARK_NAME).text, DISK_READ_ONLY, &file) != OK)
		return;
	if (disk_read(file, 0, bytes, sizeof(bytes), &got) == OK)
		log_mark_decode(slice_of(bytes, got), &m);
	disk_close(file);
	fprintf(d->out,
		d->json ? "{\"type\":\"mark\",\"from\":%" PRIu64 ",\"to\":%" PRIu64
			  ",\"last\":%" PRIu64 ",\"held\":%" PRIu64 ",\"segment\":%" PRIu64
			  ",\"offset\":%" PRIu64 "}\n"
			: "damage mark: entries %" PRIu64 " to %" PRIu64 ", traces to %" PRIu64
			  ", %" PRIu64 " held before, segment %" PRIu64 " offset %" PRIu64 "\n",
		m.from_index, m.to_index, m.last_index, m.held, m.segment, m.offset);
}

static void dump_header(const struct dump *d, uint64_t sequence, uint64_t file_bytes,
			const struct log_segment_header *h)
{
	fprintf(d->out,
		d->json ? "{\"type\":\"segment\",\"sequence\":%" PRIu64 ",\"bytes\":%" PRIu64
			  ",\"intact\":true,\"version\":%u,\"member\":\"%016" PRIx64
			  "\",\"cluster\":\"%016" PRIx64 "\",\"previous\":%" PRIu64
			  ",\"first_index\":%" PRIu64 ",\"base_term\":%" PRIu64 ",\"term\":%" PRIu64
			  ",\"vote\":\"%016" PRIx64 "\",\"flags\":%" PRIu32
			  ",\"membership_index\":%" PRIu64 ",\"membership_bytes\":%" PRIu32
			  ",\"durable_upto\":%" PRIu64 "}\n"
			: "segment %" PRIu64 ": %" PRIu64 " bytes, version %u, member %016" PRIx64
			  ", cluster %016" PRIx64 ", previous %" PRIu64 ", first index %" PRIu64
			  ", base term %" PRIu64 ", term %" PRIu64 ", vote %016" PRIx64
			  ", flags %" PRIu32 ", membership of index %" PRIu64 " (%" PRIu32
			  " bytes), durable up to %" PRIu64 "\n",
		sequence, file_bytes, LOG_FORMAT_VERSION, h->member_id, h->cluster_id, h->previous,
		h->first_index, h->base_term, h->term, h->vote, h->flags, h->membership_index,
		h->membership_bytes, h->durable_upto);
}

static void dump_no_header(const struct dump *d, uint64_t sequence, uint64_t file_bytes, int error)
{
	fprintf(d->out,
		d->json ? "{\"type\":\"segment\",\"sequence\":%" PRIu64 ",\"bytes\":%" PRIu64
			  ",\"intact\":false,\"error\":\"%s\"}\n"
			: "segment %" PRIu64 ": %" PRIu64 " bytes, header cannot be read: %s\n",
		sequence, file_bytes, error_text(error));
}

static void dump_record(const struct dump *d, uint64_t offset, uint64_t index,
			const struct log_record *r)
{
	const char *checksum = r->intact ? "ok" : "BAD";

	if (!r->intact)
		fprintf(d->out,
			d->json ? "{\"type\":\"record\",\"offset\":%" PRIu64 ",\"length\":%" PRIu32
				  ",\"checksum\":\"%s\"}\n"
				: "    record at %" PRIu64 ": %" PRIu32 " bytes, checksum %s\n",
			offset, r->length, checksum);
	else if (r->type == LOG_RECORD_STATE)
		fprintf(d->out,
			d->json ? "{\"type\":\"state\",\"offset\":%" PRIu64 ",\"term\":%" PRIu64
				  ",\"vote\":\"%016" PRIx64 "\",\"flags\":%" PRIu32
				  ",\"checksum\":\"%s\"}\n"
				: "    state at %" PRIu64 ": term %" PRIu64 ", vote %016" PRIx64
				  ", flags %" PRIu32 ", checksum %s\n",
			offset, r->state.term, r->state.vote, r->state.flags, checksum);
	else
		fprintf(d->out,
			d->json ? "{\"type\":\"entry\",\"offset\":%" PRIu64 ",\"index\":%" PRIu64
				  ",\"term\":%" PRIu64 ",\"kind\":%u,\"stamp\":%" PRIu64
				  ",\"length\":%zu,\"checksum\":\"%s\"}\n"
				: "    entry at %" PRIu64 ": index %" PRIu64 ", term %" PRIu64
				  ", kind %u, stamp %" PRIu64 ", %zu bytes, checksum %s\n",
			offset, index, r->term, r->kind, r->stamp, r->payload.len, checksum);
}

static void dump_group(const struct dump *d, uint64_t salt, uint64_t offset,
		       const struct log_found_group *found)
{
	const struct log_group_header *g = &found->header;
	uint64_t index = g->first_index;
	size_t at = LOG_GROUP_SIZE;
	struct log_record r;

	fprintf(d->out,
		d->json ? "{\"type\":\"group\",\"offset\":%" PRIu64 ",\"length\":%" PRIu32
			  ",\"first_index\":%" PRIu64 ",\"entries\":%" PRIu32
			  ",\"records\":%" PRIu32 ",\"durable_upto\":%" PRIu64 ",\"intact\":%s}\n"
			: "  group at %" PRIu64 ": %" PRIu32 " bytes, first index %" PRIu64
			  ", %" PRIu32 " entries in %" PRIu32 " records, durable up to %" PRIu64
			  ", intact: %s\n",
		offset, g->length, g->first_index, g->entries, g->records, g->durable_upto,
		found->found == LOG_FOUND_GROUP ? "true" : "false");
	for (uint32_t i = 0; i < g->records; i++) {
		size_t begin = at;

		if (!log_record_decode(found->bytes, salt, offset, &at, &r))
			break;
		dump_record(d, offset + begin, index, &r);
		/* Of a damaged record the type may be wrong as well: the rest is a guess. */
		index += r.type != LOG_RECORD_STATE;
	}
}

/*
 * Every block that a valid group header stands on, not only where the one before ends: so what is
 * behind damage is shown as well. Blocks inside an intact group are not looked at.
 */
static int dump_groups(const struct dump *d, struct log_scan *scan)
{
	uint64_t offset = DISK_BLOCK;

	while (offset < scan->file_bytes) {
		struct log_found_group found;
		int rc = log_scan_group(scan, offset, &found);

		if (rc != OK)
			return rc;
		if (found.found != LOG_FOUND_NOTHING)
			dump_group(d, scan->salt, offset, &found);
		offset += found.found == LOG_FOUND_GROUP ? log_blocks(found.header.length)
							 : DISK_BLOCK;
	}
	return OK;
}

static int dump_segment(struct dump *d, uint64_t sequence)
{
	struct log_segment_header h;
	struct log_scan scan;
	int rc = log_scan_open(&scan, d->disk, log_path_segment(d->dir, sequence).text, false);

	if (rc == ERR_NOT_FOUND)
		return OK; /* released since the directory was listed */
	if (rc != OK)
		return rc;
	rc = log_scan_header(&scan, &h);
	if (rc == OK) {
		d->member_id = h.member_id;
		dump_header(d, sequence, scan.file_bytes, &h);
	} else {
		dump_no_header(d, sequence, scan.file_bytes, rc);
	}
	scan.salt = log_segment_salt(d->member_id, sequence);
	rc = rc == ERR_VERSION ? OK : dump_groups(d, &scan);
	log_scan_close(&scan);
	return rc;
}

/* Whose log it is, from any header: groups behind a damaged one can be read with it. */
static void dump_find_member(struct dump *d)
{
	for (size_t i = 0; i < d->count && d->member_id == 0; i++) {
		struct log_segment_header h;
		struct log_scan scan;

		if (log_scan_open(&scan, d->disk, log_path_segment(d->dir, d->sequences[i]).text,
				  false) != OK)
			continue;
		if (log_scan_header(&scan, &h) == OK)
			d->member_id = h.member_id;
		log_scan_close(&scan);
	}
}

int log_dump(struct disk *disk, const char *dir, bool json, FILE *out)
{
	struct dump d = {.disk = disk, .dir = dir, .json = json, .out = out};
	bool marked = false;
	int rc;

	if (strlen(dir) >= LOG_DIR_MAX)
		return ERR_TOO_LARGE;
	rc = dump_list(&d, &marked);
	if (rc == OK && marked)
		dump_mark(&d);
	if (rc == OK)
		dump_find_member(&d);
	for (size_t i = 0; i < d.count && rc == OK; i++)
		rc = dump_segment(&d, d.sequences[i]);
	mem_free(d.sequences);
	return rc;
}
