#ifndef CONCLAVE_STORAGE_LOG_FORMAT_H
#define CONCLAVE_STORAGE_LOG_FORMAT_H

/*
 * The bytes of a log segment, defined once: a header, then groups, each of which is a header and
 * records. Every field list below gives the struct, its size on disk, writing and reading.
 * Numbers are little-endian. docs/disk-format.md explains what they are for.
 */

#include "base/entry.h"
#include "storage/disk.h"
#include "storage/log.h"

#define LOG_FORMAT_VERSION 1u
#define LOG_SEGMENT_MAGIC  UINT64_C(0x474f4c434c434e43) /* "CNCLCLOG" */
#define LOG_MARK_MAGIC	   UINT64_C(0x4b524d434c434e43) /* "CNCLCMRK" */
#define LOG_GROUP_MAGIC	   0x50524743u			/* "CGRP" */
#define LOG_RECORD_ALIGN   8u

/* How a file begins, whatever its version: these fields never move. */
#define LOG_PREAMBLE_FIELDS(X)                                          \
	X(64, magic)                                                    \
	X(32, version)                                                  \
	X(32, length)	/* bytes in use of the header, this included */ \
	X(64, checksum) /* over the bytes behind it, salted with those before it */

#define LOG_SEGMENT_FIELDS(X)                                                       \
	X(64, sequence)	      /* as in the file's name; never used twice */         \
	X(64, previous)	      /* segment whose entries go before; 0: none do */     \
	X(64, previous_first) /* its first index */                                 \
	X(64, capacity)	      /* length of the file when it was begun */            \
	X(64, member_id)                                                            \
	X(64, cluster_id)                                                           \
	X(64, first_index) /* earlier segments end before it */                     \
	X(64, base_term)   /* of the entry before it */                             \
	X(64, term)	   /* the hard state when the segment was begun */          \
	X(64, vote)                                                                 \
	X(32, flags)                                                                \
	X(32, membership_bytes)                                                     \
	X(64, membership_index) /* last membership below first_index; it follows */ \
	X(64, durable_upto)	/* synced before the file got its name */

#define LOG_GROUP_FIELDS(X)                                                        \
	X(64, checksum) /* of the other fields */                                  \
	X(32, magic)                                                               \
	X(32, length)	    /* bytes in use, header included */                    \
	X(64, durable_upto) /* offset below which this segment was known synced */ \
	X(64, first_index)  /* of its first entry; without any: of the next */     \
	X(32, entries)                                                             \
	X(32, records)

#define LOG_RECORD_FIELDS(X)                                   \
	X(64, checksum) /* of the other fields and the body */ \
	X(32, length)	/* of the body */                      \
	X(8, type)                                             \
	X(8, kind) /* of an entry */                           \
	X(16, reserved)

#define LOG_ENTRY_FIELDS(X) /* then the payload */ \
	X(64, term)                                \
	X(64, stamp)

#define LOG_STATE_FIELDS(X) \
	X(64, term)         \
	X(64, vote)         \
	X(32, flags)

#define LOG_MARK_FIELDS(X) \
	X(64, from_index)  \
	X(64, to_index)    \
	X(64, last_index)  \
	X(64, held)        \
	X(64, segment)     \
	X(64, offset)

#define LOG_FIELD_MEMBER(width, name) uint##width##_t name;
#define LOG_FIELD_SIZE(width, name)   +(width) / 8

#define LOG_PREAMBLE_SIZE (0u LOG_PREAMBLE_FIELDS(LOG_FIELD_SIZE))
#define LOG_SEGMENT_SIZE  (LOG_PREAMBLE_SIZE LOG_SEGMENT_FIELDS(LOG_FIELD_SIZE))
#define LOG_GROUP_SIZE	  (0u LOG_GROUP_FIELDS(LOG_FIELD_SIZE))
#define LOG_RECORD_SIZE	  (0u LOG_RECORD_FIELDS(LOG_FIELD_SIZE))
#define LOG_ENTRY_SIZE	  (0u LOG_ENTRY_FIELDS(LOG_FIELD_SIZE))
#define LOG_STATE_SIZE	  (0u LOG_STATE_FIELDS(LOG_FIELD_SIZE))
#define LOG_MARK_SIZE	  (LOG_PREAMBLE_SIZE LOG_MARK_FIELDS(LOG_FIELD_SIZE))

_Static_assert(LOG_GROUP_SIZE % LOG_RECORD_ALIGN == 0, "the first record is aligned");

/* On disk; numbers never change meaning. */
enum log_record_type {
	LOG_RECORD_ENTRY = 1,
	LOG_RECORD_STATE = 2,
};

struct log_segment_header {
	LOG_SEGMENT_FIELDS(LOG_FIELD_MEMBER)
	struct slice membership;
};

struct log_group_header {
	LOG_GROUP_FIELDS(LOG_FIELD_MEMBER)
};

struct log_record {
	LOG_RECORD_FIELDS(LOG_FIELD_MEMBER)
	bool intact; /* the checksum is right; nothing below counts otherwise */
	uint64_t term;
	uint64_t stamp;		/* of an entry */
	struct slice payload;	/* of an entry, borrowed */
	struct log_state state; /* of a hard state */
};

/* `n` rounded up to whole blocks. */
static inline uint64_t log_blocks(uint64_t n)
{
	return (n + DISK_BLOCK - 1) / DISK_BLOCK * DISK_BLOCK;
}

/*
 * What the checksums of one segment's groups and records are salted with, beside their offset: so
 * that neither the old bytes of a recycled file nor another member's segment look valid, nor what
 * a client wrote into a value.
 */
uint64_t log_segment_salt(uint64_t member_id, uint64_t sequence);

/* Whole blocks that a segment header with this membership takes. */
uint64_t log_segment_header_bytes(size_t membership_bytes);

/* Writes the header's blocks, log_segment_header_bytes() of them, at `block`. */
void log_segment_header_encode(const struct log_segment_header *from, uint8_t *block);

/*
 * Reads a header; the membership borrows from `bytes`. ERR_CORRUPT: no header, or a damaged one;
 * ERR_VERSION; ERR_TRUNCATED: intact as far as can be seen, but `*need` bytes of it are needed.
 */
MUST_USE int log_segment_header_decode(struct slice bytes, struct log_segment_header *h,
				       size_t *need);

/* Bytes that a record with a body of this length takes, with the gap behind it. */
static inline uint64_t log_record_bytes(uint64_t body)
{
	return (LOG_RECORD_SIZE + body + LOG_RECORD_ALIGN - 1) / LOG_RECORD_ALIGN *
	       LOG_RECORD_ALIGN;
}

/* Writes an entry's record at `record`, which is to stand at `offset` of the segment. */
void log_record_encode_entry(const struct entry *from, uint64_t salt, uint64_t offset,
			     uint8_t *record);

/* The same for a hard state. */
void log_record_encode_state(const struct log_state *from, uint64_t salt, uint64_t offset,
			     uint8_t *record);

/* Writes a group header at `at`, computing its checksum and filling in the magic. */
void log_group_encode(struct log_group_header *g, uint64_t salt, uint64_t offset, uint8_t *at);

/* Reads a group header from LOG_GROUP_SIZE bytes at `at`; false: there is none, or a damaged one.
 */
bool log_group_decode(const uint8_t *at, uint64_t salt, uint64_t offset,
		      struct log_group_header *g);

/*
 * Reads the record that begins `*at` bytes into a group that stands at `offset`, and moves `*at`
 * behind it. `group` are the bytes in use. False: it does not fit; look no further.
 */
bool log_record_decode(struct slice group, uint64_t salt, uint64_t offset, size_t *at,
		       struct log_record *r);

/* Whether all records of a group whose header is valid are there and intact. */
bool log_group_intact(const struct log_group_header *g, struct slice group, uint64_t salt,
		      uint64_t offset);

/* Writes the damage mark's block, DISK_BLOCK bytes, at `block`. */
void log_mark_encode(const struct log_damage *from, uint8_t *block);

/* Reads a damage mark; one that is damaged itself says nothing but that it is there: all zero. */
void log_mark_decode(struct slice bytes, struct log_damage *to);

#endif
