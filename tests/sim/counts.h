#ifndef CONCLAVE_SIM_COUNTS_H
#define CONCLAVE_SIM_COUNTS_H

/*
 * What a run did to the cluster and what it looked at. The sums over many seeds are printed; a
 * zero there means that something is believed to be tested and is not.
 */

#include "base/crash_point.h"
#include "consensus/message.h"

#include <stdint.h>

#define SIM_COUNTS(X)                                                                  \
	X(FAULT_POWER_LOSS, BOTH, "fault", "power loss")                               \
	X(FAULT_KILL, BOTH, "fault", "kill")                                           \
	X(FAULT_KILL_ALL, BOTH, "fault", "kill or power loss of all")                  \
	X(FAULT_CRASH_POINT, BOTH, "fault", "crash at a named point")                  \
	X(FAULT_CRASH_CALL, BOTH, "fault", "crash at a disk call")                     \
	X(FAULT_CRASH_START, BOTH, "fault", "crash during the start")                  \
	X(FAULT_PAUSE, BOTH, "fault", "pause")                                         \
	X(FAULT_HALVES, BOTH, "fault", "partition: halves")                            \
	X(FAULT_RING, BOTH, "fault", "partition: ring")                                \
	X(FAULT_ONE_WAY, BOTH, "fault", "partition: one way")                          \
	X(FAULT_ISOLATE_LEADER, BOTH, "fault", "partition: leader alone")              \
	X(FAULT_LINK, BOTH, "fault", "partition: one link")                            \
	X(FAULT_SLOW_LINK, BOTH, "fault", "slow link")                                 \
	X(FAULT_LOSS, BOTH, "fault", "lost frame")                                     \
	X(FAULT_DUPLICATE, BOTH, "fault", "repeated frame")                            \
	X(FAULT_REORDER, BOTH, "fault", "overtaken frame")                             \
	X(FAULT_STREAM_LOSS, MEMBERS, "fault", "bytes that had to be sent again")      \
	X(FAULT_STREAM_RESET, MEMBERS, "fault", "connection that broke")               \
	X(FAULT_STRANGER, MEMBERS, "fault", "stranger who connects")                   \
	X(FAULT_REFUSE, MEMBERS, "fault", "connections that break and are refused")    \
	X(FAULT_MOVE, MEMBERS, "fault", "process that starts elsewhere")               \
	X(FAULT_STREAM_CORRUPT, MEMBERS, "fault", "wrong byte in a connection")        \
	X(FAULT_SLOW_DISK, BOTH, "fault", "slow disk")                                 \
	X(FAULT_HUNG_DISK, BOTH, "fault", "hung disk")                                 \
	X(FAULT_FULL_DISK, BOTH, "fault", "full disk")                                 \
	X(FAULT_FAILED_WRITE, BOTH, "fault", "failed write")                           \
	X(FAULT_FAILED_SYNC, BOTH, "fault", "failed sync")                             \
	X(FAULT_RESTART, MEMBERS, "fault", "kill and start at once")                   \
	X(FAULT_SLOW_ENGINE, MEMBERS, "fault", "engine behind with merging")           \
	X(FAULT_FULL_ENGINE, MEMBERS, "fault", "no room for an engine file")           \
	X(FAULT_FAILED_ENGINE, MEMBERS, "fault", "failed engine call")                 \
	X(FAULT_ROT, MEMBERS, "fault", "damaged row in an engine")                     \
	X(FAULT_FLIP_LOG, BOTH, "fault", "flipped bit in a log")                       \
	X(FAULT_FLIP_STATE, CORE, "fault", "flipped bit in a state")                   \
	X(FAULT_FLIP_FETCHED, MEMBERS, "fault", "flipped bit in a fetched state")      \
	X(FAULT_WIPE, BOTH, "fault", "wiped member")                                   \
	X(FAULT_CLOCK_JUMP, BOTH, "fault", "clock jump")                               \
	X(FAULT_CLOCK_WRONG, BOTH, "fault", "clock that is wrong from the beginning")  \
	X(FAULT_CLOCK_DRIFT, BOTH, "fault", "clock drift")                             \
	X(FAULT_FALSE_GONE, BOTH, "fault", "false word of a dead leader")              \
	X(FAULT_UPGRADE, MEMBERS, "fault", "newer version")                            \
	X(FAULT_DRIFT, MEMBERS, "fault", "state that drifts")                          \
	X(FAULT_SPACE, MEMBERS, "fault", "short of space, or not any more")            \
	X(HINT_GONE, BOTH, "hint", "process gone")                                     \
	X(STREAM_REFUSED, MEMBERS, "hint", "connection refused")                       \
	X(HINT_CONNECTED, MEMBERS, "hint", "connection stands anew")                   \
	X(CHANGE_ADD, BOTH, "membership", "add learner")                               \
	X(CHANGE_ADD_VOTER, BOTH, "membership", "add voter")                           \
	X(CHANGE_PROMOTE, BOTH, "membership", "promote")                               \
	X(CHANGE_RISE, MEMBERS, "membership", "promoted by itself")                    \
	X(CHANGE_DEMOTE, BOTH, "membership", "demote")                                 \
	X(CHANGE_REMOVE, BOTH, "membership", "remove")                                 \
	X(CHANGE_REMOVE_LEADER, BOTH, "membership", "remove the leader")               \
	X(CHANGE_REPLACE, BOTH, "membership", "replace")                               \
	X(CHANGE_JOINT, BOTH, "membership", "joint")                                   \
	X(TRANSFER, BOTH, "membership", "transfer")                                    \
	X(LEADER, BOTH, "event", "leader elected")                                     \
	X(BIRTH, BOTH, "event", "birth")                                               \
	X(RESTART, BOTH, "event", "restart")                                           \
	X(START_FAILED, BOTH, "event", "start that failed")                            \
	X(TRUNCATION, BOTH, "event", "suffix cut")                                     \
	X(DISK_LOAD, CORE, "event", "entries read from disk")                          \
	X(STATE_STORED, BOTH, "event", "state stored")                                 \
	X(STATE_NOT_STORED, MEMBERS, "event", "flush that failed")                     \
	X(STATE_FOUND, MEMBERS, "event", "state found at a start")                     \
	X(REGISTERED, MEMBERS, "event", "run registered")                              \
	X(BATCH_HELD, MEMBERS, "event", "batch held back by a leader that lags")       \
	X(WAITED_IN_ENTRY, MEMBERS, "event", "entry that waited for rows")             \
	X(HORIZON_MOVED, MEMBERS, "event", "horizon moved by the leader")              \
	X(DEAD_DROPPED, MEMBERS, "event", "dead rows dropped")                         \
	X(STORE_FULL, MEMBERS, "event", "applying waited for the engine")              \
	X(POOL_JOB, MEMBERS, "event", "job in the pool")                               \
	X(APPLIED_BEFORE, MEMBERS, "event", "batch that came once more")               \
	X(APPLIED_GAP, MEMBERS, "event", "batch behind a gap")                         \
	X(APPLIED_OLD_RUN, MEMBERS, "event", "batch of an earlier run")                \
	X(APPLIED_CANCELLED, MEMBERS, "event", "cancelled command")                    \
	X(EXPIRED, MEMBERS, "event", "key expired")                                    \
	X(MEMBER_STOPPED, MEMBERS, "event", "member that stopped")                     \
	X(STATE_INSTALLED, BOTH, "event", "state installed")                           \
	X(INSTALL_FAILED, BOTH, "event", "installation failed")                        \
	X(LOG_RELEASED, BOTH, "event", "log released")                                 \
	X(LOG_LEFT_UNREAD, BOTH, "event", "part of a log left unread")                 \
	X(DAMAGE_MARKED, BOTH, "event", "damage marked")                               \
	X(DAMAGE_CLEARED, BOTH, "event", "damage made good")                           \
	X(LEVEL_RAISED, MEMBERS, "event", "level raised")                              \
	X(CONVICTED, MEMBERS, "event", "member named by a verdict")                    \
	X(DISAGREED, MEMBERS, "event", "check without a majority")                     \
	X(REFILLED, MEMBERS, "event", "member refilled")                               \
	X(RELEASED, MEMBERS, "event", "member released")                               \
	X(ENTRY_CHECK_COUNT, MEMBERS, "entry", "check")                                \
	X(ENTRY_ALARM_COUNT, MEMBERS, "entry", "alarm")                                \
	X(ENTRY_NOOP_COUNT, BOTH, "entry", "no-op")                                    \
	X(ENTRY_MEMBERSHIP_COUNT, BOTH, "entry", "membership")                         \
	X(ENTRY_COMMAND_COUNT, BOTH, "entry", "command or batch")                      \
	X(OP_WRITE, CORE, "client", "write")                                           \
	X(OP_READ, CORE, "client", "read")                                             \
	X(OP_CAS, CORE, "client", "compare and set")                                   \
	X(OP_INCR, CORE, "client", "increment")                                        \
	X(OP_DELETE, CORE, "client", "delete")                                         \
	X(OP_APPEND, CORE, "client", "append")                                         \
	X(OP_READ_LIST, CORE, "client", "read list")                                   \
	X(WORK_SET, MEMBERS, "client", "SET of a register")                            \
	X(WORK_GET, MEMBERS, "client", "GET of a register")                            \
	X(WORK_INCR, MEMBERS, "client", "INCR of a register")                          \
	X(WORK_DEL, MEMBERS, "client", "DEL of a register")                            \
	X(WORK_COUNT, MEMBERS, "client", "counter")                                    \
	X(WORK_OWN, MEMBERS, "client", "pipeline of its own")                          \
	X(WORK_BIG, MEMBERS, "client", "big value")                                    \
	X(WORK_LARGE, MEMBERS, "client", "large string")                               \
	X(STRING_LARGE, MEMBERS, "client", "large string at its full length")          \
	X(WORK_MEMBERS, MEMBERS, "client", "MEMBER")                                   \
	X(MEMBER_MADE, MEMBERS, "client", "change of members acknowledged")            \
	X(MEMBER_REFUSED, MEMBERS, "client", "change of members refused")              \
	X(MEMBER_UNCERTAIN, MEMBERS, "client", "change of members uncertain")          \
	X(WORK_LOCAL, MEMBERS, "client", "PING or ECHO")                               \
	X(WORK_NONSENSE, MEMBERS, "client", "no command")                              \
	X(WORK_TRANSFER, MEMBERS, "client", "transfer")                                \
	X(WORK_SUM, MEMBERS, "client", "sum of all accounts")                          \
	X(WORK_CLAIM, MEMBERS, "client", "claim of a key")                             \
	X(WORK_QUEUE, MEMBERS, "client", "transaction")                                \
	X(WORK_EXPIRE, MEMBERS, "client", "deadline given or taken")                   \
	X(WORK_REMAINING, MEMBERS, "client", "time left")                              \
	X(WORK_EMPTY, MEMBERS, "client", "database emptied")                           \
	X(WORK_SWAP, MEMBERS, "client", "databases swapped")                           \
	X(WORK_PLACE, MEMBERS, "client", "key to be moved")                            \
	X(WORK_MOVE, MEMBERS, "client", "key moved or doubled")                        \
	X(WORK_SIZE, MEMBERS, "client", "size of a database")                          \
	X(WORK_HASH, MEMBERS, "client", "fields of a hash set")                        \
	X(WORK_FIELDS, MEMBERS, "client", "fields of a hash read")                     \
	X(WORK_PAST, MEMBERS, "client", "read of the past")                            \
	X(WORK_HISTORY, MEMBERS, "client", "history of a key")                         \
	X(WORK_SCAN, MEMBERS, "client", "page of a walk")                              \
	X(WORK_COMPACT, MEMBERS, "client", "HISTORY COMPACT")                          \
	X(WORK_HEAVY, MEMBERS, "client", "too much at once")                           \
	X(ANSWER_WORK, MEMBERS, "client", "refused for the work limit")                \
	X(EXEC_DONE, MEMBERS, "client", "transaction that ran")                        \
	X(EXEC_CONFLICT, MEMBERS, "client", "transaction that found a conflict")       \
	X(CALLER_NEWER, MEMBERS, "client", "newer protocol")                           \
	X(CALLER_READONLY, MEMBERS, "client", "read-only connection")                  \
	X(ANSWER_OK, BOTH, "client", "answered")                                       \
	X(ANSWER_UNKNOWN, BOTH, "client", "outcome unknown")                           \
	X(ANSWER_UNCERTAIN, MEMBERS, "client", "told that the outcome is uncertain")   \
	X(ANSWER_REFUSED, BOTH, "client", "refused")                                   \
	X(ANSWER_OOM, MEMBERS, "client", "refused for want of space")                  \
	X(CALLER_CONNECTED, MEMBERS, "client", "connection opened")                    \
	X(CALLER_LEFT, MEMBERS, "client", "connection left with requests")             \
	X(CALLER_CUT, MEMBERS, "client", "connection cut with requests")               \
	X(CALLER_FULL, MEMBERS, "client", "session was full")                          \
	X(ANSWER_UNREADABLE, MEMBERS, "client", "data that could not be read")         \
	X(READ_FORWARDED, CORE, "client", "read on a follower")                        \
	X(CHECK_RULES, BOTH, "check", "rules of a member")                             \
	X(CHECK_ELECTION, BOTH, "check", "election safety")                            \
	X(CHECK_CLOCKS, BOTH, "check", "a cluster is born with clocks that agree")     \
	X(CHECK_VOTES, BOTH, "check", "a leader has its votes")                        \
	X(CHECK_OFFICE, BOTH, "check", "a leader hears a majority and its disk moves") \
	X(CHECK_KEPT, BOTH, "check", "a disk keeps what it had")                       \
	X(CHECK_HELD, BOTH, "check", "log that somebody needs is kept")                \
	X(CHECK_ANSWERED, MEMBERS, "check", "each question for rows answered once")    \
	X(CHECK_PACE, MEMBERS, "check", "a state is given at its pace")                \
	X(CHECK_SEATED, MEMBERS, "check", "change of members as its client hears it")  \
	X(CHECK_LISTED, MEMBERS, "check", "list of members")                           \
	X(CHECK_REACH, MEMBERS, "check", "change of members leaves a majority")        \
	X(CHECK_SCAN, MEMBERS, "check", "walk over a database")                        \
	X(CHECK_AUTHOR, MEMBERS, "check", "authors of changes are known")              \
	X(CHECK_MEMBERSHIP, BOTH, "check", "memberships follow each other")            \
	X(CHECK_MATCHING, BOTH, "check", "log matching")                               \
	X(CHECK_COMPLETE, BOTH, "check", "leader completeness")                        \
	X(CHECK_COMMIT, BOTH, "check", "commit agrees")                                \
	X(CHECK_APPLY, BOTH, "check", "state machine safety")                          \
	X(CHECK_ROWS, MEMBERS, "check", "rows equal at an index")                      \
	X(CHECK_DIGEST, MEMBERS, "check", "digest equals that of the rows")            \
	X(CHECK_BOUNDS, MEMBERS, "check", "memory within bounds")                      \
	X(CHECK_ORDER, MEMBERS, "check", "reply in order")                             \
	X(CHECK_LINKED, MEMBERS, "check", "write found in the log as asked")           \
	X(CHECK_PLACE, MEMBERS, "check", "write in its place")                         \
	X(CHECK_READ, MEMBERS, "check", "read of a state that may be seen")            \
	X(CHECK_MODEL, MEMBERS, "check", "rows are what the log says")                 \
	X(CHECK_PAST, MEMBERS, "check", "rows of the past are what they were")         \
	X(CHECK_SUM, MEMBERS, "check", "transfers keep the sum")                       \
	X(CHECK_TIME, MEMBERS, "check", "stamps follow the clock")                     \
	X(CHECK_GONE, MEMBERS, "check", "nothing outlives its deadline")               \
	X(CHECK_SAID, MEMBERS, "check", "heard what was said")                         \
	X(CHECK_WHERE, MEMBERS, "check", "who asks hears where a member is")           \
	X(CHECK_NEWEST, MEMBERS, "check", "heard on the newest connection")            \
	X(CHECK_PROMPT, MEMBERS, "check", "what is prompt does not wait")              \
	X(CHECK_QUEUE, MEMBERS, "check", "what waits for a connection")                \
	X(CHECK_LEADER_HEARD, MEMBERS, "check", "a leader that is there is heard")     \
	X(CHECK_LINKS, MEMBERS, "check", "connections stand after the faults")         \
	X(CHECK_VALUES, MEMBERS, "check", "every value written at most once")          \
	X(CHECK_DURABLE, BOTH, "check", "commit is durable on a majority")             \
	X(CHECK_HISTORY, CORE, "check", "history linearizable")                        \
	X(CHECK_LIVENESS, BOTH, "check", "liveness after the faults")                  \
	X(CHECK_EQUAL, BOTH, "check", "members equal in the end")

/* In which modes a thing can happen. */
enum count_in {
	COUNT_IN_CORE = 1,
	COUNT_IN_MEMBERS = 2,
	COUNT_IN_BOTH = COUNT_IN_CORE | COUNT_IN_MEMBERS,
};

enum sim_count {
#define SIM_COUNT_ENUM(id, in, group, name) COUNT_##id,
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

/* Prints those of these modes by group; returns how many are zero that should not be. */
unsigned sim_counts_print(const struct sim_counts *c, unsigned in);

#endif
