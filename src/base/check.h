#ifndef CONCLAVE_BASE_CHECK_H
#define CONCLAVE_BASE_CHECK_H

/*
 * Checks of what the program itself promises. They stay on in every build: a member that has
 * broken one of its own rules stops rather than goes on with a state nobody can vouch for.
 * What comes from the network, a disk or a user is validated and answered, never checked here.
 */

#include "base/compiler.h"

/* Stops the process with place and text unless `cond` holds. */
#define CHECK(cond)                                                              \
	do {                                                                     \
		if (UNLIKELY(!(cond)))                                           \
			check_failed(__FILE__, __LINE__, __func__, #cond, NULL); \
	} while (0)

/* The same, for a validator that answers NULL or the text of the rule that is broken. */
#define CHECK_VALID(expr)                                                           \
	do {                                                                        \
		const char *broken_ = (expr);                                       \
		if (UNLIKELY(broken_ != NULL))                                      \
			check_failed(__FILE__, __LINE__, __func__, #expr, broken_); \
	} while (0)

/* Prints where and what on standard error and aborts. `detail` may be NULL. */
_Noreturn void check_failed(const char *file, int line, const char *function, const char *expr,
			    const char *detail);

#endif
