#include "server/process_info.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

static uint64_t page_bytes(void)
{
	long bytes = sysconf(_SC_PAGESIZE);

	return bytes > 0 ? (uint64_t)bytes : 0;
}

void process_info_init(struct process_info *p, struct random *random, uint64_t now_ms)
{
	struct utsname name;
	long pages = sysconf(_SC_PHYS_PAGES);
	ssize_t len = readlink("/proc/self/exe", p->executable, sizeof(p->executable) - 1);

	*p->run_id = '\0';
	for (size_t i = 0; i < RUN_ID_LEN; i += 8)
		snprintf(p->run_id + i, 9, "%08" PRIx32, (uint32_t)random_next(random));
	*p->os = '\0';
	if (uname(&name) == 0)
		snprintf(p->os, sizeof(p->os), "%.64s %.120s %.64s", name.sysname, name.release,
			 name.machine);
	p->executable[len > 0 ? len : 0] = '\0';
	p->started_ms = now_ms;
	p->machine_bytes = pages > 0 ? (uint64_t)pages * page_bytes() : 0;
}

/* From a file that is no file: reading it waits for no disk. Its second number counts pages. */
static uint64_t resident_bytes(void)
{
	char line[128], *second = NULL;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return 0;
	if (fgets(line, sizeof(line), f))
		second = strchr(line, ' ');
	fclose(f);
	return second ? strtoull(second, NULL, 10) * page_bytes() : 0;
}

static uint64_t microseconds(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec;
}

void process_info_fill(const struct process_info *p, uint64_t now_ms, struct info_process *out)
{
	struct rusage usage = {0};

	out->os = p->os;
	out->run_id = p->run_id;
	out->executable = p->executable;
	out->pid = getpid();
	out->uptime_s = (now_ms - p->started_ms) / 1000;
	out->resident_bytes = resident_bytes();
	out->machine_bytes = p->machine_bytes;
	if (getrusage(RUSAGE_SELF, &usage) != 0)
		return;
	out->resident_peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
	if (out->resident_peak_bytes < out->resident_bytes)
		out->resident_peak_bytes = out->resident_bytes;
	out->cpu_system_us = microseconds(usage.ru_stime);
	out->cpu_user_us = microseconds(usage.ru_utime);
}
