#include "base/check.h"
#include "base/error.h"
#include "server/loop.h"
#include "server/server.h"
#include "storage/disk.h"
#include "storage/vault_rocks.h"

#include <ev.h>
#include <signal.h>
#include <stdio.h>
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

static void refuse(const struct buf *problem)
{
	struct buf text = {0};

	buf_printf(&text, "conclave-server: %.*s\n", (int)problem->len,
		   (const char *)problem->data);
	say(STDERR_FILENO, &text);
	buf_free(&text);
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
	server_end(p->server);
}

static void process_watch_signals(struct process *p)
{
	struct ev_loop *ev = loop_ev(server_loop(p->server));

	ev_signal_init(&p->term, process_signal, SIGTERM);
	ev_signal_init(&p->interrupt, process_signal, SIGINT);
	p->term.data = p->interrupt.data = p;
	ev_signal_start(ev, &p->term);
	ev_signal_start(ev, &p->interrupt);
}

static void process_ignore_signals(struct process *p)
{
	struct ev_loop *ev = loop_ev(server_loop(p->server));

	ev_signal_stop(ev, &p->term);
	ev_signal_stop(ev, &p->interrupt);
}

/* One process a directory: the lock is held until the process ends. */
static int process_lock_dir(struct process *p, struct buf *problem)
{
	struct buf path = {0};
	int rc = disk_make_directory(&p->disk, p->options.dir);

	buf_printf(&path, "%s/LOCK%c", p->options.dir, '\0');
	if (rc == OK)
		rc = disk_lock(&p->disk, (const char *)path.data, &p->lock);
	buf_free(&path);
	if (rc == ERR_LOCKED)
		buf_printf(problem,
			   "%s: another process works in this directory; end it, or give "
			   "another --dir",
			   p->options.dir);
	else if (rc != OK)
		buf_printf(problem, "%s: the directory cannot be used: %s", p->options.dir,
			   error_text(rc));
	return rc;
}

static int process_open_vault(struct process *p, struct buf *problem)
{
	struct engine_rocks_options options = engine_rocks_defaults(NULL);
	int rc;

	options.logger = &p->logger;
	rc = vault_rocks_open(&p->vault, &p->disk, p->options.dir, &options);
	if (rc != OK)
		buf_printf(problem, "%s: the engine cannot be opened: %s", p->options.dir,
			   error_text(rc));
	return rc;
}

static int process_run(struct process *p)
{
	struct buf problem = {0};
	int rc = process_lock_dir(p, &problem);

	if (rc == OK)
		rc = process_open_vault(p, &problem);
	if (rc == OK)
		rc = server_new(&p->server, &p->options, vault_rocks_engine(p->vault),
				vault_rocks_vault(p->vault), &p->logger, &problem);
	if (rc == OK) {
		process_watch_signals(p);
		rc = server_run(p->server);
		process_ignore_signals(p);
	}
	server_free(p->server);
	vault_rocks_close(p->vault);
	disk_close(p->lock);
	if (problem.len)
		refuse(&problem);
	buf_free(&problem);
	return rc == OK ? EXIT_DONE : EXIT_FAILED;
}

int main(int argc, char **argv)
{
	struct process p = {.disk = disk_posix()};
	struct buf problem = {0};
	int code = EXIT_USAGE;

	if (options_load(&p.options, argc - 1, argv + 1, environ, &problem) != OK) {
		refuse(&problem);
	} else if (p.options.task == OPTIONS_HELP) {
		code = print(options_put_help);
	} else if (p.options.task == OPTIONS_CONF) {
		code = print(options_put_conf);
	} else if (p.options.task == OPTIONS_VERSION) {
		code = print(put_version);
	} else {
		CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
		p.logger = logger_to_stream(stderr, (enum log_level)p.options.log_level);
		code = process_run(&p);
	}
	options_free(&p.options);
	buf_free(&problem);
	return code;
}
