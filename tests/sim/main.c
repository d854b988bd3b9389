/*
 * conclave-sim: runs simulated clusters.
 *
 *	conclave-sim run [--members] --seeds N [--first-seed K] [--jobs J]
 *	conclave-sim run [--members] --seed X [--trace]
 *	conclave-sim mutants [--only NAME] [--seeds N] [--jobs J]
 *	conclave-sim demo
 */

#include "base/bytes.h"
#include "sim/commands.h"
#include "sim/mode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void usage(FILE *out)
{
	fputs("usage: conclave-sim run [--members] --seeds N [--first-seed K] [--jobs J]\n"
	      "       conclave-sim run [--members] --seed X [--trace]\n"
	      "       conclave-sim mutants [--only NAME] [--seeds N] [--jobs J]\n"
	      "       conclave-sim demo\n",
	      out);
}

static bool parse_number(const char *text, uint64_t *out)
{
	char *end;

	*out = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == 0;
}

static bool parse_option(struct command_options *o, const char *name, const char *value)
{
	if (strcmp(name, "--only") == 0) {
		o->only = value;
		return true;
	}
	if (strcmp(name, "--seeds") == 0)
		return parse_number(value, &o->seeds);
	if (strcmp(name, "--first-seed") == 0)
		return parse_number(value, &o->first_seed);
	if (strcmp(name, "--jobs") == 0)
		return parse_number(value, &o->jobs) && o->jobs > 0;
	if (strcmp(name, "--seed") == 0) {
		o->one = true;
		return parse_number(value, &o->first_seed);
	}
	return false;
}

int main(int argc, char **argv)
{
	struct command_options o = {.mode = &mode_core, .first_seed = 1, .jobs = 1};

	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
		usage(stdout);
		return 0;
	}
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--trace") == 0) {
			o.trace = true;
		} else if (strcmp(argv[i], "--members") == 0) {
			o.mode = &mode_members;
		} else if (i + 1 == argc || !parse_option(&o, argv[i], argv[i + 1])) {
			fprintf(stderr, "conclave-sim: bad option '%s'\n", argv[i]);
			usage(stderr);
			return 2;
		} else {
			i++;
		}
	}
	if (argc > 1 && strcmp(argv[1], "run") == 0)
		return o.one ? command_run_one(&o) : command_run_many(&o);
	if (argc > 1 && strcmp(argv[1], "mutants") == 0)
		return command_mutants(&o);
	if (argc > 1 && strcmp(argv[1], "demo") == 0)
		return command_demo();
	usage(stderr);
	return 2;
}
