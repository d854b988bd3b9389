#ifndef CONCLAVE_SUPPORT_SIM_DISK_H
#define CONCLAVE_SUPPORT_SIM_DISK_H

/*
 * A disk in memory that forgets like a real one. It keeps apart what is durable and what was only
 * written; a crash keeps of the latter what the seed says: any subset of the 512-byte sectors,
 * file by file, and a prefix of the directory changes. The same seed and calls give the same
 * contents. One thread only.
 */

#include "base/random.h"
#include "storage/disk.h"

#define SIM_DISK_SECTOR 512u

struct sim_disk;

enum sim_disk_call {
	SIM_DISK_OPEN,
	SIM_DISK_READ,
	SIM_DISK_WRITE,
	SIM_DISK_SYNC,
	SIM_DISK_PREALLOCATE,
	SIM_DISK_TRUNCATE,
	SIM_DISK_RENAME,
	SIM_DISK_REMOVE,
	SIM_DISK_SYNC_DIRECTORY,
	SIM_DISK_CALL_KINDS,
};

/* An empty disk; every choice it makes comes from `seed`. */
struct sim_disk *sim_disk_new(uint64_t seed);

/* Frees the disk. Files that are still open on it must be closed before. */
void sim_disk_free(struct sim_disk *d);

/* The interface that the storage room takes. */
struct disk *sim_disk_interface(struct sim_disk *d);

/*
 * Power fails: what was not durable is kept in part or lost, locks are gone, and every open file
 * is dead: its calls answer ERR_IO, closing it is fine. Ends sim_disk_cut_at().
 */
void sim_disk_crash(struct sim_disk *d);

/* The process dies, the machine runs on: nothing written is lost yet; open files die as above. */
void sim_disk_kill(struct sim_disk *d);

/*
 * After `calls` more calls that change something (all kinds but reading), none has an effect any
 * more and all answer ERR_IO, until sim_disk_crash() or sim_disk_kill(). UINT64_MAX: never.
 */
void sim_disk_cut_at(struct sim_disk *d, uint64_t calls);

/* Whether sim_disk_cut_at() has struck. */
bool sim_disk_is_cut(const struct sim_disk *d);

/*
 * The `nth` call of this kind from now on fails with `error`, once; 0: none does. A failed write
 * leaves any of its sectors written. A failed sync leaves any of the unsynced ones durable and
 * forgets the others: a later sync that succeeds brings nothing back.
 */
void sim_disk_fail(struct sim_disk *d, enum sim_disk_call kind, uint64_t nth, int error);

/* Files may be so many bytes long together; beyond that ERR_NO_SPACE. UINT64_MAX: no limit. */
void sim_disk_set_capacity(struct sim_disk *d, uint64_t bytes);

/* Calls of this kind so far. */
uint64_t sim_disk_calls(const struct sim_disk *d, enum sim_disk_call kind);

/* Bytes that calls have read so far. */
uint64_t sim_disk_bytes_read(const struct sim_disk *d);

/* Bytes of memory that file contents take. */
uint64_t sim_disk_memory(const struct sim_disk *d);

/*
 * Flips one bit in durable, non-zero data of the file at `path`, or of any file whose name ends
 * in `path` when it begins with a dot; `*offset` tells where. False: there is no such data.
 */
bool sim_disk_flip(struct sim_disk *d, const char *path, uint64_t *offset);

/* Overwrites durable bytes as bit rot or a careless hand would; false: no such place. */
bool sim_disk_patch(struct sim_disk *d, const char *path, uint64_t offset, const void *data,
		    size_t len);

/* Reads the bytes as they are now; returns how many there were. */
size_t sim_disk_peek(const struct sim_disk *d, const char *path, uint64_t offset, void *data,
		     size_t len);

/* Removes a durable file, or shortens it, behind the back of everybody. False: no such file. */
bool sim_disk_lose(struct sim_disk *d, const char *path);
bool sim_disk_shorten(struct sim_disk *d, const char *path, uint64_t size);

#endif
