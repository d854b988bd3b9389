/* Each deliberate mistake must be noticed: a check that never fails is not a check. */

#include "sim/commands.h"
#include "sim/mode.h"
#include "sim/workers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS_DEFAULT 3000

struct tally {
	unsigned mutants;
	unsigned survived;
};

/* The mode that a line in brackets names; NULL: it names none. */
static const struct sim_mode *mode_of(const char *line)
{
	static const struct sim_mode *const modes[] = {&mode_core, &mode_members};

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		size_t n = strlen(modes[i]->name);

		if (line[0] == '[' && strncmp(line + 1, modes[i]->name, n) == 0 &&
		    line[n + 1] == ']')
			return modes[i];
	}
	return NULL;
}

/* A line of the list: name | rule that is broken | where | seed that is tried first, if any. */
static char *mutant_of(char *line, uint64_t *seed)
{
	char *bar = strchr(line, '|');
	const char *last = strrchr(line, '|');

	if (line[0] == '#' || !bar)
		return NULL;
	*seed = strtoull(last + 1, NULL, 10);
	*bar = 0;
	for (char *end = bar; end > line && (end[-1] == ' ' || end[-1] == '\t'); end--)
		end[-1] = 0;
	return line;
}

static void try_mutant(const struct command_options *o, const struct sim_mode *mode,
		       const char *name, uint64_t first, struct tally *t)
{
	char failure[RUN_FAILURE_MAX];
	uint64_t seed = first ? workers_first_failure(mode, first, 1, 1, name, failure) : 0;

	if (!seed)
		seed = workers_first_failure(mode, 1, o->seeds ? o->seeds : SEEDS_DEFAULT,
					     (unsigned)o->jobs, name, failure);
	t->mutants++;
	if (seed) {
		failure[strcspn(failure, "\n")] = 0;
		printf("%-34s caught by seed %-5" PRIu64 " %.120s\n", name, seed, failure);
	} else {
		t->survived++;
		printf("%-34s SURVIVED\n", name);
	}
	fflush(stdout);
}

int command_mutants(const struct command_options *o)
{
	const struct sim_mode *mode = &mode_core;
	struct tally t = {0};
	FILE *list = fopen(MUTANTS_FILE, "r");
	char line[512];

#ifndef CONCLAVE_MUTANTS
	fprintf(stderr, "conclave-sim: this build holds no mutants: make sim-mutants\n");
	if (list)
		fclose(list);
	return 2;
#endif
	if (!list) {
		perror(MUTANTS_FILE);
		return 2;
	}
	while (fgets(line, sizeof(line), list)) {
		uint64_t first;
		char *name;

		mode = mode_of(line) ? mode_of(line) : mode;
		name = mutant_of(line, &first);
		if (name && (!o->only || strcmp(name, o->only) == 0))
			try_mutant(o, mode, name, first, &t);
	}
	fclose(list);
	if (t.mutants == 0) {
		fprintf(stderr, "conclave-sim: no such mutant\n");
		return 2;
	}
	printf("%u passed, %u failed\n", t.mutants - t.survived, t.survived);
	return t.survived != 0;
}
