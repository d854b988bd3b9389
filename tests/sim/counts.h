#ifndef CONCLAVE_SIM_COUNTS_H
#define CONCLAVE_SIM_COUNTS_H

/*
 * What a run did to the cluster and what it looked at. The sums over many seeds are printed; a
 * zero there means that something is believed to be tested and is not.
 */

#include "base/crash_point.h"
#include "consensus/message.h"

#include <stdint.h>

#define SIM_COUNTS(X)                                                            \
	X(FAULT_POWER_LOSS, "fault", "power loss")                               \
	X(FAULT_KILL, "fault", "kill")                                           \
	X(FAULT_KILL_ALL, "fault", "kill or power loss of all")                  \
	X(FAULT_CRASH_POINT, "fault", "crash at a named point")                  \
	X(FAULT_CRASH_CALL, "fault", "crash at a disk call")                     \
	X(FAULT_CRASH_START, "fault", "crash during the start")                  \
	X(FAULT_PAUSE, "fault", "pause")                                         \
	X(FAULT_HALVES, "fault", "partition: halves")                            \
	X(FAULT_RING, "fault", "partition: ring")                                \
	X(FAULT_ONE_WAY, "fault", "partition: one way")                          \
	X(FAULT_ISOLATE_LEADER, "fault", "partition: leader alone")              \
	X(FAULT_LINK, "fault", "partition: one link")                            \
	X(FAULT_SLOW_LINK, "fault", "slow link")                                 \
	X(FAULT_LOSS, "fault", "lost frame")                                     \
	X(FAULT_DUPLICATE, "fault", "repeated frame")                            \
	X(FAULT_REORDER, "fault", "overtaken frame")                             \
	X(FAULT_SLOW_DISK, "fault", "slow disk")                                 \
	X(FAULT_HUNG_DISK, "fault", "hung disk")                                 \
	X(FAULT_FULL_DISK, "fault", "full disk")                                 \
	X(FAULT_FAILED_WRITE, "fault", "failed write")                           \
	X(FAULT_FAILED_SYNC, "fault", "failed sync")                             \
	X(FAULT_FLIP_LOG, "fault", "flipped bit in a log")                       \
	X(FAULT_FLIP_STATE, "fault", "flipped bit in a state")                   \
	X(FAULT_WIPE, "fault", "wiped member")                                   \
	X(FAULT_CLOCK_JUMP, "fault", "clock jump")                               \
	X(FAULT_CLOCK_DRIFT, "fault", "clock drift")                             \
	X(FAULT_FALSE_GONE, "fault", "false word of a dead leader")              \
	X(HINT_GONE, "hint", "process gone")                                     \
	X(CHANGE_ADD, "membership", "add learner")                               \
	X(CHANGE_ADD_VOTER, "membership", "add voter")                           \
	X(CHANGE_PROMOTE, "membership", "promote")                               \
	X(CHANGE_DEMOTE, "membership", "demote")                                 \
	X(CHANGE_REMOVE, "membership", "remove")                                 \
	X(CHANGE_REMOVE_LEADER, "membership", "remove the leader")               \
	X(CHANGE_REPLACE, "membership", "replace")                               \
	X(CHANGE_JOINT, "membership", "joint")                                   \
	X(TRANSFER, "membership", "transfer")                                    \
	X(LEADER, "event", "leader elected")                                     \
	X(BIRTH, "event", "birth")                                               \
	X(RESTART, "event", "restart")                                           \
	X(START_FAILED, "event", "start that failed")                            \
	X(TRUNCATION, "event", "suffix cut")                                     \
	X(DISK_LOAD, "event", "entries read from disk")                          \
	X(STATE_STORED, "event", "state stored")                                 \
	X(STATE_INSTALLED, "event", "state installed")                           \
	X(INSTALL_FAILED, "event", "installation failed")                        \
	X(LOG_RELEASED, "event", "log released")                                 \
	X(DAMAGE_MARKED, "event", "damage marked")                               \
	X(DAMAGE_CLEARED, "event", "damage made good")                           \
	X(ENTRY_NOOP_COUNT, "entry", "no-op")                                    \
	X(ENTRY_MEMBERSHIP_COUNT, "entry", "membership")                         \
	X(ENTRY_COMMAND_COUNT, "entry", "command")                               \
	X(OP_WRITE, "client", "write")                                           \
	X(OP_READ, "client", "read")                                             \
	X(OP_CAS, "client", "compare and set")                                   \
	X(OP_INCR, "client", "increment")                                        \
	X(OP_DELETE, "client", "delete")                                         \
	X(OP_APPEND, "client", "append")                                         \
	X(OP_READ_LIST, "client", "read list")                                   \
	X(ANSWER_OK, "client", "answered")                                       \
	X(ANSWER_UNKNOWN, "client", "outcome unknown")                           \
	X(ANSWER_REFUSED, "client", "refused")                                   \
	X(READ_FORWARDED, "client", "read on a follower")                        \
	X(CHECK_RULES, "check", "rules of a member")                             \
	X(CHECK_ELECTION, "check", "election safety")                            \
	X(CHECK_VOTES, "check", "a leader has its votes")                        \
	X(CHECK_OFFICE, "check", "a leader hears a majority and its disk moves") \
	X(CHECK_KEPT, "check", "a disk keeps what it had")                       \
	X(CHECK_MEMBERSHIP, "check", "memberships follow each other")            \
	X(CHECK_MATCHING, "check", "log matching")                               \
	X(CHECK_COMPLETE, "check", "leader completeness")                        \
	X(CHECK_COMMIT, "check", "commit agrees")                                \
	X(CHECK_APPLY, "check", "state machine safety")                          \
	X(CHECK_DURABLE, "check", "commit is durable on a majority")             \
	X(CHECK_HISTORY, "check", "history linearizable")                        \
	X(CHECK_LIVENESS, "check", "liveness after the faults")                  \
	X(CHECK_EQUAL, "check", "members equal in the end")

enum sim_count {
#define SIM_COUNT_ENUM(id, group, name) COUNT_##id,
	SIM_COUNTS(SIM_COUNT_ENUM)
#undef SIM_COUNT_ENUM
		SIM_COUNT_KINDS,
};

struct sim_counts {
	uint64_t n[SIM_COUNT_KINDS];
	uint64_t crash_point[CRASH_POINT_COUNT]; /* deaths at it */
	uint64_t message[RAFT_MESSAGE_TYPE_MAX + 1];
	uint64_t virtual_us;
	uint64_t client_ops;
	uint64_t seeds;
};

void sim_counts_add(struct sim_counts *to, const struct sim_counts *from);

const char *sim_count_name(enum sim_count c);

/* Prints all of them by group; returns how many are zero that should not be. */
unsigned sim_counts_print(const struct sim_counts *c);

#endif
