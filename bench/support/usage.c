#include "usage.h"

#include "base/check.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	CHECK(clock_gettime(clock, &t) == 0);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t usage_thread_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t usage_process_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* The first line of a file of one of this process's threads; empty if it is gone. */
static void read_line(const char *thread, const char *file, char *line, size_t size)
{
	char path[512];
	FILE *f;

	line[0] = 0;
	snprintf(path, sizeof(path), "/proc/self/task/%s/%s", thread, file);
	f = fopen(path, "r");
	if (!f)
		return;
	if (!fgets(line, (int)size, f))
		line[0] = 0;
	fclose(f);
}

static void count_thread(struct usage_threads *out, const char *thread)
{
	char name[64], times[128];
	uint64_t ns;

	read_line(thread, "comm", name, sizeof(name));
	read_line(thread, "schedstat", times, sizeof(times));
	if (sscanf(times, "%" SCNu64, &ns) != 1)
		return;
	if (strncmp(name, "rocksdb:", 8) == 0)
		out->engine_ns += ns;
	else if (strcmp(name, "snapshot\n") == 0)
		out->store_ns += ns;
	else if (strcmp(name, "log\n") == 0 || strcmp(name, "maintenance\n") == 0)
		out->log_ns += ns;
	else if (strcmp(name, "read\n") == 0)
		out->read_ns += ns;
}

void usage_threads(struct usage_threads *out)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *d;

	*out = (struct usage_threads){0};
	if (!dir)
		return;
	while ((d = readdir(dir)) != NULL)
		if (d->d_name[0] != '.')
			count_thread(out, d->d_name);
	closedir(dir);
}

void usage_memory(struct usage_memory *out)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];

	*out = (struct usage_memory){0};
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		uint64_t kb;

		if (sscanf(line, "VmRSS: %" SCNu64, &kb) == 1)
			out->resident_bytes = kb << 10;
		else if (sscanf(line, "VmHWM: %" SCNu64, &kb) == 1)
			out->peak_bytes = kb << 10;
	}
	fclose(f);
}
