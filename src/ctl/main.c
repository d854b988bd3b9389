#include "ctl/log_dump.h"
#include "ctl/state_dump.h"

#include <stdio.h>
#include <string.h>

/* Exit codes: 0 done, 1 it could not be done, 2 the command line makes no sense. */
#define EXIT_USAGE 2

static const char usage[] =
	"usage: conclave-ctl log dump DIR [--json]\n"
	"       conclave-ctl state dump DIR [--json]\n"
	"       conclave-ctl --help\n"
	"\n"
	"log dump   prints the segments of the log in DIR, every group and record\n"
	"           with its checksum; takes no lock and writes nothing, so that it\n"
	"           works on a running member's directory and on a damaged one.\n"
	"state dump prints position and records of the state in DIR, computes its\n"
	"           digests anew and says whether they agree; the member must not\n"
	"           run.\n"
	"  --json   one JSON object a line instead of text\n";

/* What can be dumped, and what is missing where it is not. */
static const struct dumped {
	const char *name;
	const char *missing;
	int (*dump)(struct disk *disk, const char *dir, bool json, FILE *out);
} dumped[] = {
	{"log", "there is no log", log_dump},
	{"state", "there is no state", state_dump_directory},
};

static int usage_error(const char *what, const char *argument)
{
	fprintf(stderr, "conclave-ctl: %s%s%s\n%s", what, argument ? ": " : "",
		argument ? argument : "", usage);
	return EXIT_USAGE;
}

static int run_dump(const struct dumped *what, int count, char **args)
{
	struct disk posix = disk_posix();
	const char *dir = NULL;
	bool json = false;
	int rc;

	for (int i = 0; i < count; i++) {
		if (strcmp(args[i], "--json") == 0)
			json = true;
		else if (args[i][0] == '-')
			return usage_error("unknown option", args[i]);
		else if (dir)
			return usage_error("one directory at a time", args[i]);
		else
			dir = args[i];
	}
	if (!dir || dir[0] == '\0')
		return usage_error("a dump needs a directory", what->name);
	rc = what->dump(&posix, dir, json, stdout);
	if (fflush(stdout) != 0 && rc == OK)
		rc = ERR_IO;
	if (rc == ERR_NOT_FOUND)
		fprintf(stderr, "conclave-ctl: %s in %s\n", what->missing, dir);
	else if (rc != OK)
		fprintf(stderr, "conclave-ctl: %s: %s\n", dir, error_text(rc));
	return rc == OK ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc < 2)
		return usage_error("what is to be done?", NULL);
	for (size_t i = 0; i < ARRAY_LEN(dumped); i++) {
		if (strcmp(argv[1], dumped[i].name) != 0)
			continue;
		if (argc < 3 || strcmp(argv[2], "dump") != 0)
			return usage_error("dump is what can be done with it", argv[1]);
		return run_dump(&dumped[i], argc - 3, argv + 3);
	}
	return usage_error("unknown command", argv[1]);
}
