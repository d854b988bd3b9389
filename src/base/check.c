#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *file, int line, const char *function, const char *expr,
		  const char *detail)
{
	fprintf(stderr, "%s:%d: %s: check failed: %s%s%s\n", file, line, function, expr,
		detail ? ": " : "", detail ? detail : "");
	fflush(stderr);
	abort();
}
