#ifndef CONCLAVE_SUPPORT_SIM_DISK_INTERNAL_H
#define CONCLAVE_SUPPORT_SIM_DISK_INTERNAL_H

/* The simulated disk's directories and state, shared by its files. */

#include "base/list.h"
#include "support/sim_disk.h"
#include "support/sim_disk_inode.h"

struct sim_name {
	char *path;
	struct sim_inode *inode;
};

struct sim_names {
	struct sim_name *items;
	size_t count;
	size_t cap;
};

enum change_kind { CHANGE_CREATE, CHANGE_RENAME, CHANGE_REMOVE };

/* A change of a directory that is not durable yet. */
struct sim_change {
	enum change_kind kind;
	char *path;
	char *to;
	struct sim_inode *inode;
};

struct sim_fault {
	uint64_t at; /* number of the call that fails; 0: none */
	int error;
};

struct sim_disk {
	struct disk disk;
	struct random random;
	struct sim_names current;
	struct sim_names durable;
	struct sim_change *changes;
	size_t change_count;
	size_t change_cap;
	struct list locks;
	uint64_t generation; /* open files of an earlier one are dead */
	uint64_t cut_after;  /* calls left before nothing has an effect */
	bool cut;
	uint64_t capacity;
	uint64_t calls[SIM_DISK_CALL_KINDS];
	uint64_t bytes_read;
	struct sim_fault faults[SIM_DISK_CALL_KINDS];
	uint64_t open_files;
};

/* A copy that the caller frees. */
char *sim_text_copy(const char *text);

/* The name, or NULL. */
struct sim_name *sim_name_find(const struct sim_names *names, const char *path);

/* Removes the name if it is there. */
void sim_name_remove(struct sim_names *names, const char *path);

void sim_names_clear(struct sim_names *names);
void sim_names_copy(struct sim_names *to, const struct sim_names *from);

/* Makes a change in the current directory and remembers it as not durable. */
void sim_change_add(struct sim_disk *d, enum change_kind kind, const char *path, const char *to,
		    struct sim_inode *inode);

/* Makes a change in `names`. */
void sim_change_apply(struct sim_names *names, const struct sim_change *c);

void sim_change_free(struct sim_change *c);

#endif
