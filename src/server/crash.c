#include "server/crash.h"

#include "base/check.h"
#include "base/mem.h"

#include <execinfo.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define FRAMES_MAX 64
#define STACK_LEN  ((size_t)64 << 10)

struct deadly {
	int number;
	const char *name;
};

static const struct deadly deadly[] = {
	{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},
	{SIGILL, "SIGILL"},   {SIGABRT, "SIGABRT"}, {SIGSYS, "SIGSYS"},
};

/* Nobody is left to be told if it fails. */
static void say_text(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return;
}

static void say_hex(uintptr_t value)
{
	char text[2 * sizeof(value) + 3];
	size_t at = sizeof(text) - 1;

	text[at] = '\0';
	do {
		text[--at] = "0123456789abcdef"[value % 16];
		value /= 16;
	} while (value > 0);
	text[--at] = 'x';
	text[--at] = '0';
	say_text(text + at);
}

static void report(int number, siginfo_t *info, void *context)
{
	const char *name = "a signal";
	void *frames[FRAMES_MAX];

	(void)context;
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		if (deadly[i].number == number)
			name = deadly[i].name;
	say_text("\n---- conclave-server " CONCLAVE_VERSION " crashed: ");
	say_text(name);
	if (number == SIGSEGV || number == SIGBUS) {
		say_text(" at address ");
		say_hex((uintptr_t)info->si_addr);
	}
	say_text("; its calls, the innermost first (addr2line -e tells their lines):\n");
	backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), STDERR_FILENO);
	say_text("---- end of the report\n");
	/* The signal is held back until this returns, and has its ordinary effect by then. */
	raise(number);
}

void crash_report_on(void)
{
	/* The stack may be what is broken. */
	stack_t stack = {.ss_sp = mem_alloc(STACK_LEN), .ss_size = STACK_LEN};
	struct sigaction action = {.sa_sigaction = report,
				   .sa_flags = SA_SIGINFO | (int)SA_RESETHAND | SA_ONSTACK};
	void *frames[1];

	CHECK(sigaltstack(&stack, NULL) == 0);
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		CHECK(sigaction(deadly[i].number, &action, NULL) == 0);
	/* The first call loads a library, which the handler could not. */
	(void)backtrace(frames, 1);
}

void crash_report_off(void)
{
	stack_t none = {.ss_flags = SS_DISABLE}, stack;

	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		CHECK(signal(deadly[i].number, SIG_DFL) != SIG_ERR);
	CHECK(sigaltstack(&none, &stack) == 0);
	mem_free(stack.ss_sp);
}
