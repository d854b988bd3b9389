#include "base/check.h"
#include "base/error.h"
#include "base/mutant.h"
#include "server/crash.h"
#include "server/data_dir.h"
#include "server/explain.h"
#include "server/log_file.h"
#include "server/loop.h"
#include "server/notify.h"
#include "server/pid_file.h"
#include "server/server.h"
#include "storage/disk.h"
#include "storage/vault_rocks.h"

#include <ev.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Exit codes: 0 done, 1 it could not go on, 2 what it was told makes no sense. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct process {
	struct options options;
	struct logger logger;
	struct disk disk;
	struct disk_file *lock;
	struct vault_rocks *vault;
	struct server *server;
	ev_signal term;
	ev_signal interrupt;
	ev_signal hangup;
	int terminal; /* the standard error that it was started with */
	bool has_pid_file;
	bool ending;
};

static void say(int fd, const struct buf *text)
{
	/* If nobody takes it there is nobody else to tell. */
	if (write(fd, text->data, text->len) < 0)
		return;
}

static int print(void (*put)(struct buf *out))
{
	struct buf text = {0};

	put(&text);
	say(STDOUT_FILENO, &text);
	buf_free(&text);
	return EXIT_DONE;
}

static void put_version(struct buf *out)
{
	buf_printf(out, "conclave-server %s\n", CONCLAVE_VERSION);
}

static void refuse(int terminal, const struct buf *problem)
{
	struct buf text = {0};

	buf_printf(&text, "conclave-server: %.*s\n", (int)problem->len,
		   (const char *)problem->data);
	say(terminal, &text);
	buf_free(&text);
}

/* What does not work may be told only to the log. */
static void process_notify(struct process *p, const char *state)
{
	if (!notify_supervisor(getenv("NOTIFY_SOCKET"), state))
		LOG(&p->logger, LOG_WARNING, "NOTIFY_SOCKET takes no messages: %s is not told",
		    state);
}

/* The first one asks for a graceful end; whoever asks twice cannot wait. */
static void process_signal(struct ev_loop *ev, ev_signal *w, int revents)
{
	struct process *p = w->data;

	(void)ev;
	(void)revents;
	if (p->ending)
		_exit(EXIT_FAILED);
	p->ending = true;
	process_notify(p, "STOPPING=1");
	server_end(p->server);
}

/* Somebody has put the log aside; or a terminal was closed, which is no reason to end. */
static void process_reopen(struct ev_loop *ev, ev_signal *w, int revents)
{
	struct process *p = w->data;
	struct buf problem = {0};

	(void)ev;
	(void)revents;
	if (!p->options.logfile) {
		LOG(&p->logger, LOG_NOTICE, "SIGHUP: there is no logfile to open anew; goes on");
		return;
	}
	if (log_file_open(p->options.logfile, &problem) != OK)
		LOG(&p->logger, LOG_ERROR, "%.*s", (int)problem.len, (const char *)problem.data);
	buf_free(&problem);
}

static void process_watch_signals(struct process *p)
{
	struct ev_loop *ev = loop_ev(server_loop(p->server));

	ev_signal_init(&p->term, process_signal, SIGTERM);
	ev_signal_init(&p->interrupt, process_signal, SIGINT);
	ev_signal_init(&p->hangup, process_reopen, SIGHUP);
	p->term.data = p->interrupt.data = p->hangup.data = p;
	ev_signal_start(ev, &p->term);
	ev_signal_start(ev, &p->interrupt);
	ev_signal_start(ev, &p->hangup);
}

static void process_ignore_signals(struct process *p)
{
	struct ev_loop *ev = loop_ev(server_loop(p->server));

	ev_signal_stop(ev, &p->term);
	ev_signal_stop(ev, &p->interrupt);
	ev_signal_stop(ev, &p->hangup);
}

/* From here on the log is where it was said to be, and nobody else works on the same data. */
static int process_take_places(struct process *p, struct buf *problem)
{
	const struct options *o = &p->options;
	int rc = o->logfile ? log_file_open(o->logfile, problem) : OK;

	if (rc == OK)
		rc = data_dir_prepare(&p->disk, o->dir, problem);
	if (rc == OK)
		rc = data_dir_lock(&p->disk, o->dir, &p->lock, problem);
	if (rc == OK)
		rc = data_dir_prepare(&p->disk, o->log_dir, problem);
	if (rc == OK && o->pidfile) {
		rc = pid_file_write(o->pidfile, problem);
		p->has_pid_file = rc == OK;
	}
	return rc;
}

/* Also into the log, where it is another place. */
static void process_refuse(struct process *p, const struct buf *problem)
{
	refuse(p->terminal, problem);
	if (p->options.logfile)
		LOG(&p->logger, LOG_ERROR, "%.*s", (int)problem->len, (const char *)problem->data);
}

static int process_open_vault(struct process *p, struct buf *problem)
{
	struct engine_rocks_options options = engine_rocks_defaults(NULL);
	int rc;

	options.logger = &p->logger;
	rc = vault_rocks_open(&p->vault, &p->disk, p->options.dir, &options);
	if (rc != OK)
		explain_state(&p->options, rc, problem);
	return rc;
}

static int process_run(struct process *p)
{
	struct buf problem = {0};
	int rc = process_take_places(p, &problem);

	if (rc == OK)
		rc = process_open_vault(p, &problem);
	if (rc == OK)
		rc = server_new(&p->server, &p->options, vault_rocks_engine(p->vault),
				vault_rocks_vault(p->vault), &p->logger, &problem);
	if (rc == OK) {
		process_watch_signals(p);
		process_notify(p, "READY=1");
		rc = server_run(p->server);
		process_ignore_signals(p);
	}
	server_free(p->server);
	vault_rocks_close(p->vault);
	if (p->has_pid_file)
		pid_file_remove(p->options.pidfile);
	disk_close(p->lock);
	if (problem.len)
		process_refuse(p, &problem);
	buf_free(&problem);
	return rc == OK ? EXIT_DONE : EXIT_FAILED;
}

int main(int argc, char **argv)
{
	struct process p = {.disk = disk_posix(), .terminal = STDERR_FILENO};
	struct buf problem = {0};
	int code = EXIT_USAGE;

	mutant_choose(getenv("MUTANT"));
	if (options_load(&p.options, argc - 1, argv + 1, environ, &problem) != OK) {
		refuse(STDERR_FILENO, &problem);
	} else if (p.options.task == OPTIONS_HELP) {
		code = print(options_put_help);
	} else if (p.options.task == OPTIONS_CONF) {
		code = print(options_put_conf);
	} else if (p.options.task == OPTIONS_VERSION) {
		code = print(put_version);
	} else {
		CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
		CHECK(signal(SIGHUP, SIG_IGN) != SIG_ERR); /* until somebody listens to it */
		crash_report_on();
		p.terminal = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		p.logger = logger_to_stream(stderr, (enum log_level)p.options.log_level);
		code = process_run(&p);
		crash_report_off();
	}
	options_free(&p.options);
	buf_free(&problem);
	return code;
}
