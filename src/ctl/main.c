#include "base/error.h"
#include "ctl/command.h"
#include "ctl/log_dump.h"
#include "ctl/member.h"
#include "ctl/playground.h"
#include "ctl/state_dump.h"
#include "ctl/status.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Exit codes: 0 done, 1 it could not be done, 2 the command line makes no sense. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

#define HELP_COLUMN 44

typedef int dump_fn(struct disk *disk, const char *dir, bool json, FILE *out);

static int run_dump(const struct arguments *a, const char *dir, dump_fn *dump, const char *missing,
		    struct buf *problem)
{
	struct disk posix = disk_posix();
	int rc;

	if (dir[0] == '\0') {
		buf_printf(problem, "a dump needs a directory");
		return ERR_INVALID;
	}
	rc = dump(&posix, dir, a->given & ARGUMENT_JSON, stdout);
	if (fflush(stdout) != 0 && rc == OK)
		rc = ERR_IO;
	if (rc == ERR_NOT_FOUND)
		buf_printf(problem, "%s in %s", missing, dir);
	else if (rc != OK)
		buf_printf(problem, "%s: %s", dir, error_text(rc));
	return rc == OK ? OK : ERR_IO;
}

static int ctl_log_dump(const struct arguments *a, const char *const *words, struct buf *problem)
{
	struct buf inner = {0};
	struct stat st;
	int rc;

	/* The directory of a member will do as well, unless its log is elsewhere. */
	buf_printf(&inner, "%s/log%c", words[0], '\0');
	if (stat((const char *)inner.data, &st) != 0 || !S_ISDIR(st.st_mode))
		rc = run_dump(a, words[0], log_dump, "there is no log", problem);
	else
		rc = run_dump(a, (const char *)inner.data, log_dump, "there is no log", problem);
	buf_free(&inner);
	return rc;
}

static int ctl_state_dump(const struct arguments *a, const char *const *words, struct buf *problem)
{
	return run_dump(a, words[0], state_dump_directory, "there is no state", problem);
}

static const struct ctl_command commands[] = {
	{"status", "", 0, 0, ARGUMENTS_REMOTE | ARGUMENT_JSON,
	 "what a member says of itself, who leads, who takes part", ctl_status},
	{"member list", "", 0, 0, ARGUMENTS_REMOTE | ARGUMENT_JSON, "who takes part",
	 ctl_member_list},
	{"member add", "ID NAME HOST:PORT [learner]", 3, 4, ARGUMENTS_REMOTE | ARGUMENT_JSON,
	 "takes in a newcomer that does not ask by itself", ctl_member_change},
	{"member promote", "MEMBER", 1, 1, ARGUMENTS_REMOTE | ARGUMENT_JSON,
	 "gives a learner a vote", ctl_member_change},
	{"member demote", "MEMBER", 1, 1, ARGUMENTS_REMOTE | ARGUMENT_JSON,
	 "takes a member's vote; it stays as a learner", ctl_member_change},
	{"member remove", "MEMBER", 1, 1, ARGUMENTS_REMOTE | ARGUMENT_JSON,
	 "takes a member out, for ever", ctl_member_change},
	{"member replace", "OLD NEW", 2, 2, ARGUMENTS_REMOTE | ARGUMENT_JSON,
	 "gives the vote of one member to a learner, in one step", ctl_member_change},
	{"member transfer", "MEMBER", 1, 1, ARGUMENTS_REMOTE | ARGUMENT_JSON,
	 "makes a member the leader", ctl_member_change},
	{"member update", "MEMBER HOST:PORT", 2, 2, ARGUMENTS_REMOTE | ARGUMENT_JSON,
	 "tells the others where a member is to be reached", ctl_member_change},
	{"playground", "", 0, 0, ARGUMENT_NODES | ARGUMENT_DIR | ARGUMENT_PORT | ARGUMENT_SERVER,
	 "a cluster on this machine, in this terminal, to try things out", ctl_playground},
	{"log dump", "DIR", 1, 1, ARGUMENT_JSON,
	 "prints a log, of log-dir or dir; takes no lock, also on a damaged or running one",
	 ctl_log_dump},
	{"state dump", "DIR", 1, 1, ARGUMENT_JSON,
	 "prints a state and checks its digests; its member must not run", ctl_state_dump},
};

static const char options_help[] =
	"\n"
	"status and member speak to a member:\n"
	"  --host HOST        127.0.0.1\n"
	"  --port PORT        6379, its port for clients\n"
	"  --user NAME        whose password it is\n"
	"  --password TEXT    better in the environment: CONCLAVE_PASSWORD\n"
	"  --json             JSON instead of text, also of the dumps\n"
	"\n"
	"playground:\n"
	"  --nodes N          3 members, or as many as there are in DIR\n"
	"  --port PORT        7001 for clients of the first, one more for each of the\n"
	"                     others; 10000 above them for one another\n"
	"  --dir DIR          where their data stays; else it is temporary\n"
	"  --server PROGRAM   conclave-server, if it does not lie beside this program\n"
	"\n"
	"Exit codes: 0 done, 1 it could not be done, or (status) the member knows no\n"
	"leader, 2 the command line makes no sense.\n";

static void put_usage(struct buf *out)
{
	buf_append_slice(out, SLICE_LITERAL("usage: conclave-ctl [options] command\n\n"));
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct ctl_command *c = &commands[i];
		int used = (int)(strlen(c->name) + strlen(c->syntax)) + 3;

		buf_printf(out, "  %s %s%*s%s\n", c->name, c->syntax, MAX(HELP_COLUMN - used, 1),
			   "", c->help);
	}
	buf_append_slice(out, slice_of_text(options_help));
}

/* How many of the words are the command's name; 0: it is another one. */
static size_t command_matches(const struct ctl_command *c, const struct arguments *a)
{
	const char *name = c->name;

	for (size_t i = 0; i < a->word_count; i++) {
		size_t len = strcspn(name, " ");

		if (strlen(a->words[i]) != len || memcmp(name, a->words[i], len) != 0)
			return 0;
		if (name[len] == '\0')
			return i + 1;
		name += len + 1;
	}
	return 0;
}

static int command_run(const struct ctl_command *c, const struct arguments *a, size_t named,
		       struct buf *problem)
{
	size_t count = a->word_count - named;
	unsigned strange = a->given & ~c->options;

	if (strange)
		buf_printf(problem, "%s takes no --%s", c->name, argument_name(strange));
	else if (count < c->min || count > c->max)
		buf_printf(problem, "it is said: conclave-ctl %s %s", c->name, c->syntax);
	else
		return c->run(a, a->words + named, problem);
	return ERR_INVALID;
}

static int run(const struct arguments *a, struct buf *problem)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		size_t named = command_matches(&commands[i], a);

		if (named)
			return command_run(&commands[i], a, named, problem);
	}
	if (a->word_count == 0)
		buf_printf(problem, "what is to be done? See --help");
	else
		buf_printf(problem, "there is no command '%s%s%s'; see --help", a->words[0],
			   a->word_count > 1 ? " " : "", a->word_count > 1 ? a->words[1] : "");
	return ERR_INVALID;
}

static int print_usage(void)
{
	struct buf text = {0};

	put_usage(&text);
	fwrite(text.data, 1, text.len, stdout);
	buf_free(&text);
	return OK;
}

int main(int argc, char **argv)
{
	struct arguments a;
	struct buf problem = {0};
	int rc = arguments_read(&a, argc - 1, (const char *const *)argv + 1, environ, &problem);

	if (rc == OK &&
	    (a.given & ARGUMENT_HELP || (a.word_count && strcmp(a.words[0], "help") == 0)))
		rc = print_usage();
	else if (rc == OK)
		rc = run(&a, &problem);
	if (fflush(stdout) != 0 && rc == OK)
		rc = ERR_IO;
	if (rc != OK)
		fprintf(stderr, "conclave-ctl: %.*s\n", (int)problem.len,
			(const char *)problem.data);
	buf_free(&problem);
	if (rc == OK)
		return EXIT_DONE;
	return rc == ERR_INVALID ? EXIT_USAGE : EXIT_FAILED;
}
