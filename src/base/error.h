#ifndef CONCLAVE_BASE_ERROR_H
#define CONCLAVE_BASE_ERROR_H

/*
 * The one list of ways a function can fail. A fallible function returns `int`: OK or one of
 * these, and is marked MUST_USE. The numbers appear in logs and dumps and keep their meaning.
 */

#define ERRORS(X)                                                   \
	X(OK, 0, "ok")                                              \
	X(ERR_INVALID, 1, "invalid argument")                       \
	X(ERR_IO, 2, "input/output error")                          \
	X(ERR_NO_SPACE, 3, "no space left on the disk")             \
	X(ERR_CORRUPT, 4, "stored data is damaged")                 \
	X(ERR_NOT_FOUND, 5, "not found")                            \
	X(ERR_EXISTS, 6, "exists already")                          \
	X(ERR_TRUNCATED, 7, "input ends too early")                 \
	X(ERR_MALFORMED, 8, "input is malformed")                   \
	X(ERR_TOO_LARGE, 9, "larger than the limit")                \
	X(ERR_VERSION, 10, "written by a newer version")            \
	X(ERR_LOCKED, 11, "in use by another process")              \
	X(ERR_NOT_LEADER, 12, "this member does not lead")          \
	X(ERR_BUSY, 13, "another change of this kind is under way") \
	X(ERR_UNAVAILABLE, 14, "not possible at this time")         \
	X(ERR_COMPACTED, 15, "older than what is kept")             \
	X(ERR_STOPPED, 16, "stopped after an earlier failure")      \
	X(ERR_MISSING, 17, "has to be fetched from the disk first") \
	X(ERR_WORK, 18, "more work than one command may do")

enum error {
#define ERROR_ENUM(name, number, text) name = (number),
	ERRORS(ERROR_ENUM)
#undef ERROR_ENUM
};

/* The text of an error, for people; never NULL. */
const char *error_text(int error);

/* The name of an error as it stands in the list, for dumps; never NULL. */
const char *error_name(int error);

/* The error that says best what the system's `errno_value` said. */
int error_from_errno(int errno_value);

#endif
