#include "server/files.h"

#include <sys/resource.h>

uint64_t files_allow(uint64_t wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return wanted;
	if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= wanted)
		return wanted;
	if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < wanted) {
		/* Root may raise what others may only use up. */
		struct rlimit raised = {.rlim_cur = wanted, .rlim_max = wanted};

		if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
			return wanted;
		wanted = limit.rlim_max;
	}
	limit.rlim_cur = wanted;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur;
}
