#ifndef CONCLAVE_UNIT_BASE_EXPECT_ABORT_H
#define CONCLAVE_UNIT_BASE_EXPECT_ABORT_H

/* Runs code that has to stop the process, in a child of its own. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Asserts that `run` aborts and that what it says on standard error contains `text`. */
static inline void expect_abort(void (*run)(void), const char *text)
{
	char said[1024] = {0};
	size_t len = 0;
	ssize_t n;
	int pipe_fds[2], status;
	pid_t child;

	assert_int_equal(pipe(pipe_fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
		dup2(pipe_fds[1], STDERR_FILENO);
		run();
		_exit(0);
	}
	close(pipe_fds[1]);
	while ((n = read(pipe_fds[0], said + len, sizeof(said) - 1 - len)) > 0)
		len += (size_t)n;
	close(pipe_fds[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	if (!strstr(said, text))
		fail_msg("\"%s\" is not in: %s", text, said);
}

#endif
