#include "ctl/playground_show.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ROWS_BELOW 8 /* that there should at least be for what is said */
#define HEAD_LINES 2 /* of the table, with the empty one below it */

/* What terminals of the last forty years understand. */
#define CLEAR_SCREEN   "\033[2J"
#define CLEAR_LINE     "\r\033[K"
#define CLEAR_REST     "\033[K"
#define SAVE_CURSOR    "\0337"
#define RESTORE_CURSOR "\0338"
#define GO_TO_LINE     "\033[%u;1H"
#define SCROLL_BETWEEN "\033[%u;%ur"
#define SCROLL_ALL     "\033[r"

static unsigned terminal_rows(void)
{
	struct winsize size;

	if (!isatty(STDIN_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return 0;
	return size.ws_row;
}

void show_begin(struct show *s, size_t nodes)
{
	*s = (struct show){.lines = (unsigned)nodes + HEAD_LINES};
	s->screen = terminal_rows() >= s->lines + ROWS_BELOW;
	if (s->screen)
		printf(CLEAR_SCREEN SCROLL_BETWEEN GO_TO_LINE, s->lines + 1, terminal_rows(),
		       s->lines + 1);
	fflush(stdout);
}

void show_end(struct show *s)
{
	if (s->screen)
		printf(SAVE_CURSOR SCROLL_ALL RESTORE_CURSOR CLEAR_LINE);
	fflush(stdout);
	s->screen = false;
}

void show_resize(struct show *s, size_t nodes)
{
	bool prompted = s->prompted;

	if (!s->screen)
		return;
	printf(SCROLL_ALL);
	show_begin(s, nodes);
	if (prompted)
		show_prompt(s);
}

void show_say(struct show *s, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (s->prompted)
		printf(CLEAR_LINE);
	vprintf(fmt, args);
	putchar('\n');
	va_end(args);
	if (s->prompted)
		show_prompt(s);
	fflush(stdout);
}

void show_prompt(struct show *s)
{
	s->prompted = s->screen;
	if (s->screen)
		printf("> ");
	fflush(stdout);
}

void show_typed(struct show *s)
{
	s->prompted = false;
}

/* ---- members --------------------------------------------------------------------------------- */

static const char *state_of(const struct node *n)
{
	switch (n->state) {
	case NODE_PAUSED:
		return "paused";
	case NODE_RUNS:
		if (n->end != NODE_ENDED)
			return "ending";
		if (n->view.answers)
			return "running";
		return n->view.heard ? "no answer" : "starting";
	case NODE_DOWN:
		break;
	}
	switch (n->end) {
	case NODE_STOPPED:
		return "stopped";
	case NODE_KILLED:
		return "killed";
	case NODE_ENDED:
		return "ended";
	case NODE_NEVER:
		break;
	}
	return "down";
}

static bool has_view(const struct node *n)
{
	return n->state == NODE_RUNS && n->end == NODE_ENDED && n->view.answers;
}

static const char table_head[] =
	"NAME PORT  STATE      ROLE           TERM LEADER    APPLIED   REVISION";

static void put_row(const struct node *n, char out[SHOW_LINE_MAX])
{
	const struct node_view *v = &n->view;
	int len = snprintf(out, SHOW_LINE_MAX, "%-4s %-5u %-10s", n->name, n->port, state_of(n));

	if (has_view(n))
		snprintf(out + len, SHOW_LINE_MAX - (size_t)len,
			 " %-13s %5" PRIu64 " %-6s %10" PRIu64 " %10" PRIu64, v->role, v->term,
			 v->leader[0] ? v->leader : "-", v->applied, v->revision);
}

/* Without what changes with every write. */
static void put_line(const struct node *n, char out[SHOW_LINE_MAX])
{
	const struct node_view *v = &n->view;
	int len = snprintf(out, SHOW_LINE_MAX, "%s: %s", n->name, state_of(n));

	if (has_view(n))
		snprintf(out + len, SHOW_LINE_MAX - (size_t)len,
			 ", %s of term %" PRIu64 ", %s leads", v->role, v->term,
			 v->leader[0] ? v->leader : "nobody");
}

static void draw(unsigned line, const char *text)
{
	printf(GO_TO_LINE "%s" CLEAR_REST, line, text);
}

void show_nodes(struct show *s, const struct node *nodes, size_t count)
{
	bool drawn = false;

	for (size_t i = 0; i < count; i++) {
		char line[SHOW_LINE_MAX];

		(s->screen ? put_row : put_line)(&nodes[i], line);
		if (strcmp(line, s->told[i]) == 0)
			continue;
		memcpy(s->told[i], line, sizeof(line));
		if (!s->screen) {
			show_say(s, "%s", line);
			continue;
		}
		if (!drawn) {
			printf(SAVE_CURSOR);
			draw(1, table_head);
		}
		drawn = true;
		draw((unsigned)i + 2, line);
	}
	if (drawn)
		printf(RESTORE_CURSOR);
	fflush(stdout);
}

void show_table(struct show *s, const struct node *nodes, size_t count)
{
	show_say(s, "%s", table_head);
	for (size_t i = 0; i < count; i++) {
		char line[SHOW_LINE_MAX];

		put_row(&nodes[i], line);
		show_say(s, "%s", line);
	}
}
