#include "storage/log_scan.h"

#include "base/mem.h"

#include <string.h>

#define WINDOW_BYTES (1u << 20)

int log_scan_open(struct log_scan *scan, struct disk *disk, const char *path, bool direct)
{
	int rc;

	memset(scan, 0, sizeof(*scan));
	scan->ahead = WINDOW_BYTES;
	rc = disk_open(disk, path, DISK_READ_ONLY | (direct ? DISK_DIRECT : 0), &scan->file);
	if (rc != OK)
		return rc;
	rc = disk_size(scan->file, &scan->file_bytes);
	if (rc != OK)
		log_scan_close(scan);
	return rc;
}

void log_scan_close(struct log_scan *scan)
{
	disk_close(scan->file);
	mem_free(scan->window);
	memset(scan, 0, sizeof(*scan));
}

/*
 * `*out` are the bytes from `offset` on: `len` of them, fewer only where the file ends. What is
 * read for them is `ahead` bytes at least.
 */
static int scan_bytes(struct log_scan *scan, uint64_t offset, size_t len, size_t ahead,
		      struct slice *out)
{
	uint64_t left = offset < scan->file_bytes ? scan->file_bytes - offset : 0;
	size_t want = MIN((uint64_t)len, left);
	size_t fetch = MIN(MAX(log_blocks(want), (uint64_t)ahead), log_blocks(left));
	int rc;

	*out = slice_of(NULL, 0);
	if (want == 0)
		return OK;
	if (offset < scan->window_at || offset + want > scan->window_at + scan->window_len) {
		if (fetch > scan->window_cap) {
			mem_free(scan->window);
			scan->window = mem_alloc_aligned(DISK_BLOCK, fetch);
			scan->window_cap = fetch;
		}
		scan->window_at = offset;
		scan->window_len = 0;
		rc = disk_read(scan->file, offset, scan->window, fetch, &scan->window_len);
		if (rc != OK)
			return rc;
		want = MIN(want, scan->window_len);
	}
	*out = slice_of(scan->window + (offset - scan->window_at), want);
	return OK;
}

int log_scan_header(struct log_scan *scan, struct log_segment_header *h)
{
	struct slice bytes;
	size_t need;
	int rc = scan_bytes(scan, 0, DISK_BLOCK, 0, &bytes);

	if (rc != OK)
		return rc;
	rc = log_segment_header_decode(bytes, h, &need);
	if (rc != ERR_TRUNCATED)
		return rc;
	if (need > scan->file_bytes)
		return ERR_CORRUPT;
	rc = scan_bytes(scan, 0, need, 0, &bytes);
	if (rc != OK)
		return rc;
	rc = log_segment_header_decode(bytes, h, &need);
	return rc == ERR_TRUNCATED ? ERR_CORRUPT : rc;
}

int log_scan_group(struct log_scan *scan, uint64_t offset, struct log_found_group *out)
{
	struct slice bytes;
	int rc = scan_bytes(scan, offset, LOG_GROUP_SIZE, scan->ahead, &bytes);

	memset(out, 0, sizeof(*out));
	if (rc != OK || bytes.len < LOG_GROUP_SIZE ||
	    !log_group_decode(bytes.data, scan->salt, offset, &out->header))
		return rc;
	out->found = LOG_FOUND_TORN;
	rc = scan_bytes(scan, offset, out->header.length, scan->ahead, &out->bytes);
	if (rc == OK && out->bytes.len == out->header.length &&
	    log_group_intact(&out->header, out->bytes, scan->salt, offset))
		out->found = LOG_FOUND_GROUP;
	return rc;
}
