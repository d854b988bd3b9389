#include "server/options.h"

#include "base/error.h"
#include "support/text_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define WORDS_MAX 16

static char *nothing[] = {NULL};

/* Loads from a command line with blanks between its words. */
static int load(struct options *o, const char *line, char *const *environment, struct buf *problem)
{
	char *argv[WORDS_MAX], copy[512];
	char *at = copy;
	int argc = 0;

	assert_true(strlen(line) < sizeof(copy));
	memcpy(copy, line, strlen(line) + 1);
	while (*at && argc < WORDS_MAX) {
		argv[argc++] = at;
		at += strcspn(at, " ");
		if (*at)
			*at++ = '\0';
	}
	buf_clear(problem);
	return options_load(o, argc, argv, environment, problem);
}

static void expect_problem(const char *line, char *const *environment, const char *text)
{
	struct buf problem = {0};
	struct options o;

	assert_int_equal(load(&o, line, environment, &problem), ERR_INVALID);
	buf_append_byte(&problem, '\0');
	if (!strstr((const char *)problem.data, text))
		fail_msg("'%s' is not in '%s'", text, (const char *)problem.data);
	options_free(&o);
	buf_free(&problem);
}

static void expect_load(struct options *o, const char *line, char *const *environment)
{
	struct buf problem = {0};
	int rc = load(o, line, environment, &problem);

	if (rc != OK)
		fail_msg("%.*s", (int)problem.len, (const char *)problem.data);
	buf_free(&problem);
}

static void defaults_make_a_cluster_of_one(void **state)
{
	struct options o;

	(void)state;
	expect_load(&o, "", nothing);
	assert_int_equal(o.task, OPTIONS_RUN);
	assert_string_equal(o.name, "n1");
	assert_int_equal(o.bind.count, 1);
	assert_string_equal(o.bind.words[0], "127.0.0.1");
	assert_int_equal(o.port, 6379);
	assert_int_equal(o.peer_port, 16379);
	assert_string_equal(o.dir, "./conclave-data");
	assert_string_equal(o.log_dir, "./conclave-data/log");
	assert_int_equal(o.initial_cluster.count, 0);
	assert_int_equal(o.request_timeout_ms, 2500);
	assert_int_equal(o.overlay_bytes, 32 << 20);
	assert_int_equal(o.history_retention_ms, 3600 * 1000);
	assert_int_equal(o.history_max_bytes, 1 << 30);
	assert_int_equal(o.log_level, LOG_NOTICE);
	options_free(&o);
}

static void a_member_knows_where_it_is_reached(void **state)
{
	struct options o;

	(void)state;
	expect_load(&o, "", nothing);
	assert_string_equal(o.announce_peer, "127.0.0.1:16379");
	assert_int_equal(o.auto_promote, 1);
	assert_null(o.join);
	options_free(&o);
	expect_load(&o, "--bind * --auto-promote no", nothing);
	assert_null(o.announce_peer);
	assert_int_equal(o.auto_promote, 0);
	options_free(&o);
	expect_load(&o, "--bind ::1 --port 7000", nothing);
	assert_string_equal(o.announce_peer, "[::1]:17000");
	options_free(&o);
	expect_load(&o, "--initial-cluster n1=a:1,n2=b:2 --name n2", nothing);
	assert_string_equal(o.announce_peer, "b:2");
	options_free(&o);
	expect_load(&o, "--bind * --announce-peer c:3 --join [::1]:4", nothing);
	assert_string_equal(o.announce_peer, "c:3");
	assert_string_equal(o.join, "[::1]:4");
	options_free(&o);
	expect_problem("--join nowhere", nothing, "join: 'nowhere' is no host:port");
	expect_problem("--join a:1 --initial-cluster n1=a:1", nothing, "give one of the two");
	expect_problem("--join a:1 --bind *", nothing, "give --announce-peer");
	expect_problem("--announce-peer a", nothing, "announce-peer: 'a' is no host:port");
	expect_problem("--name a=b", nothing, "name: it is made of printable characters");
	expect_problem("--auto-promote maybe", nothing, "yes or no");
}

static void the_command_line_beats_the_file_beats_the_environment(void **state)
{
	char *environment[] = {(char[]){"CONCLAVE_PORT=1"},
			       (char[]){"CONCLAVE_MAXCLIENTS=11"},
			       (char[]){"CONCLAVE_CLUSTER_TOKEN=\"two words\""},
			       (char[]){"CONCLAVE_UNHEARD_OF=1"},
			       (char[]){"port=5"},
			       NULL};
	char path[TEXT_FILE_PATH], line[128];
	struct options o;

	(void)state;
	text_file_new("# a comment\n\n  port 2\nname \"n2\"\r\nbind 127.0.0.1 ::1\n\tdir /a\n"
		      "overlay-bytes 16MB\nheartbeat-interval 50",
		      path);
	snprintf(line, sizeof(line), "%s --dir /b --port 3 --bind *", path);
	expect_load(&o, line, environment);
	assert_int_equal(o.port, 3);
	assert_int_equal(o.peer_port, 10003);
	assert_int_equal(o.maxclients, 11);
	assert_string_equal(o.cluster_token, "two words");
	assert_string_equal(o.name, "n2");
	assert_string_equal(o.dir, "/b");
	assert_string_equal(o.log_dir, "/b/log");
	assert_int_equal(o.bind.count, 1);
	assert_string_equal(o.bind.words[0], "*");
	assert_int_equal(o.overlay_bytes, 16 << 20);
	assert_int_equal(o.heartbeat_interval_ms, 50);
	options_free(&o);
	assert_int_equal(unlink(path), 0);
}

static void members_have_names_hosts_and_ports(void **state)
{
	struct options o;

	(void)state;
	expect_load(&o, "--name b --initial-cluster a=127.0.0.1:7001,b=::1:7002,c=[::2]:7003,d=h:4",
		    nothing);
	assert_int_equal(o.initial_cluster.count, 4);
	assert_string_equal(o.initial_cluster.list[0].name, "a");
	assert_string_equal(o.initial_cluster.list[0].host, "127.0.0.1");
	assert_int_equal(o.initial_cluster.list[0].port, 7001);
	assert_string_equal(o.initial_cluster.list[1].host, "::1");
	assert_int_equal(o.initial_cluster.list[1].port, 7002);
	assert_string_equal(o.initial_cluster.list[2].host, "::2");
	assert_string_equal(o.initial_cluster.list[3].host, "h");
	options_free(&o);
}

static void what_cannot_be_used_is_named_with_what_is_expected(void **state)
{
	static const struct {
		const char *line;
		const char *text;
	} wrong[] = {
		{"--port 0", "--port: '0' cannot be used; expected a number from 1 to 65535"},
		{"--port 65536", "expected a number"},
		{"--port 18446744073709551617", "expected a number"},
		{"--port 6x", "expected a number"},
		{"--port -1", "expected a number"},
		{"--port 1 2", "--port: '1' '2' cannot be used"},
		{"--port", "--port: the value is missing"},
		{"--prot 1", "--prot: there is no such directive"},
		{"--port 1 --", "--: there is no such directive"},
		{"--overlay-bytes 1tb", "16mb"},
		{"--overlay-bytes mb", "16mb"},
		{"--overlay-bytes 99999999999gb", "16mb"},
		{"--log-level loud", "error, warning, notice or debug"},
		{"--initial-cluster n1", "name=host:port"},
		{"--initial-cluster n1=h", "name=host:port"},
		{"--initial-cluster n1=:1", "name=host:port"},
		{"--initial-cluster =h:1", "name=host:port"},
		{"--initial-cluster n1=h:0", "name=host:port"},
		{"--initial-cluster n1=h:1,", "name=host:port"},
		{"--initial-cluster n1=h:1,n1=h:2", "each name once"},
		{"--name n1 --initial-cluster n1=h:1,n2=h:2,n3=h:2",
		 "initial-cluster: 'n3' stands at h:2, where another one stands"},
		{"--port 7000 --peer-port 7000", "members and clients cannot share port 7000"},
		{"--name n2 --initial-cluster n1=h:1", "'n2' is not in initial-cluster"},
		{"--request-timeout 2000", "above two election-timeouts"},
		{"--election-timeout 150", "two heartbeat-intervals"},
		{"--port 60000", "give --peer-port"},
		{"--log-segment-bytes 20000", "multiple of 4kb"},
		{"/nowhere/at/all", "/nowhere/at/all: the file of directives cannot be read"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		expect_problem(wrong[i].line, nothing, wrong[i].text);
}

static void a_name_is_not_longer_than_greetings_have_room_for(void **state)
{
	char name[300], line[400];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	snprintf(line, sizeof(line), "--name %s", name);
	expect_problem(line, nothing, "name: it has more than 255 bytes");
	snprintf(line, sizeof(line), "--initial-cluster %s=h:1", name);
	expect_problem(line, nothing, "name=host:port");
}

static void files_and_environment_are_named_with_the_place(void **state)
{
	static const struct {
		const char *text;
		const char *problem;
	} wrong[] = {
		{"port 1\n\nprot 2\n", ":3: there is no directive 'prot'"},
		{"port\n", ":1: port: the value is missing"},
		{"# x\nname 'n", ":2: a quote is not closed"},
		{"port 7 8", ":1: port: '7' '8' cannot be used"},
		{"name \"a\\x00b\"\n", ":1: name:"},
		{"port 7\n\nPort 8\n", ":3: port: line 1 has given it already"},
		{"save 900 1", ":1: save: '900' '1' cannot be used; expected '', or to leave it "
			       "out: there are no moments"},
	};
	char *environment[] = {(char[]){"CONCLAVE_PEER_PORT=tcp://10.0.0.1:1"}, NULL};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		char path[TEXT_FILE_PATH], expected[128];

		text_file_new(wrong[i].text, path);
		snprintf(expected, sizeof(expected), "%s%s", path, wrong[i].problem);
		expect_problem(path, nothing, expected);
		assert_int_equal(unlink(path), 0);
	}
	expect_problem("", environment, "environment, CONCLAVE_PEER_PORT: peer-port: 'tcp:");
}

static void help_names_every_default_and_version_is_a_task(void **state)
{
	struct buf help = {0};
	struct options o;

	(void)state;
	expect_load(&o, "--port 1 --help", nothing);
	assert_int_equal(o.task, OPTIONS_HELP);
	options_free(&o);
	expect_load(&o, "--version", nothing);
	assert_int_equal(o.task, OPTIONS_VERSION);
	options_free(&o);
	options_put_help(&help);
	buf_append_byte(&help, '\0');
	assert_non_null(strstr((const char *)help.data, "--port "));
	assert_non_null(strstr((const char *)help.data, "[6379]"));
	assert_non_null(strstr((const char *)help.data, "--log-level"));
	buf_free(&help);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_make_a_cluster_of_one),
		cmocka_unit_test(a_member_knows_where_it_is_reached),
		cmocka_unit_test(the_command_line_beats_the_file_beats_the_environment),
		cmocka_unit_test(members_have_names_hosts_and_ports),
		cmocka_unit_test(what_cannot_be_used_is_named_with_what_is_expected),
		cmocka_unit_test(a_name_is_not_longer_than_greetings_have_room_for),
		cmocka_unit_test(files_and_environment_are_named_with_the_place),
		cmocka_unit_test(help_names_every_default_and_version_is_a_task),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
