#include "ctl/playground_state.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* By its name, or as `leader`. NULL: it was said that there is none. */
static struct node *node_find(struct playground *p, const char *name)
{
	struct node *leader = playground_leader(p);

	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->nodes[i].name, name) == 0)
			return &p->nodes[i];
	if (strcmp(name, "leader") == 0 && leader)
		return leader;
	if (strcmp(name, "leader") == 0)
		show_say(&p->show, "nobody leads at present");
	else
		show_say(&p->show, "there is no member '%s': they are n1 to n%zu, or leader", name,
			 p->count);
	return NULL;
}

/* Who has been told to end may need a moment for that. */
static void start_now_or_then(struct playground *p, struct node *n)
{
	if (n->state == NODE_DOWN) {
		playground_start_node(p, n);
	} else if (n->end == NODE_ENDED) {
		show_say(&p->show, "%s runs already", n->name);
	} else {
		n->again = true;
		show_say(&p->show, "%s is to start when it has ended", n->name);
	}
}

static void signal_node(struct playground *p, struct node *n, int signal, const char *said)
{
	if (n->state == NODE_DOWN) {
		show_say(&p->show, "%s does not run; start %s", n->name, n->name);
		return;
	}
	if (signal == SIGCONT && n->state != NODE_PAUSED) {
		show_say(&p->show, "%s is not paused", n->name);
		return;
	}
	node_signal(n, signal);
	show_say(&p->show, "%s %s", n->name, said);
}

static const struct verb {
	const char *name;
	int signal; /* 0: start */
	const char *said;
	const char *help;
} verbs[] = {
	{"kill", SIGKILL, "is killed", "kill -9: it dies in the middle of what it does"},
	{"stop", SIGTERM, "is asked to end", "it hands over, answers what it was asked, and ends"},
	{"pause", SIGSTOP, "is held", "it stands still, and its connections stay"},
	{"resume", SIGCONT, "goes on", "after pause"},
	{"start", 0, NULL, "with what is on its disk"},
};

static void say_help(struct playground *p)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		show_say(&p->show, "  %-6s n1    %s", verbs[i].name, verbs[i].help);
	show_say(&p->show, "  status       all members, now\n"
			   "  quit         ends all of them, as Ctrl-C does\n"
			   "`leader` in place of a name is whoever leads.");
}

static const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(name, verbs[i].name) == 0)
			return &verbs[i];
	return NULL;
}

static void run_verb(struct playground *p, const struct verb *verb, const char *name)
{
	struct node *n;

	if (name[0] == '\0') {
		show_say(&p->show, "which one? As in: %s n1", verb->name);
		return;
	}
	n = node_find(p, name);
	if (n && verb->signal)
		signal_node(p, n, verb->signal, verb->said);
	else if (n)
		start_now_or_then(p, n);
}

void playground_command(struct playground *p, const char *line)
{
	char word[PLAYGROUND_INPUT_MAX] = "", name[PLAYGROUND_INPUT_MAX] = "", more[2] = "";
	int words = sscanf(line, "%255s %255s %1s", word, name, more);
	const struct verb *verb = verb_find(word);

	if (words <= 0)
		return;
	if (verb && words <= 2)
		run_verb(p, verb, name);
	else if (verb)
		show_say(&p->show, "one at a time, as in: %s n1", verb->name);
	else if (strcmp(word, "status") == 0)
		show_table(&p->show, p->nodes, p->count);
	else if (strcmp(word, "help") == 0)
		say_help(p);
	else if (strcmp(word, "quit") == 0 || strcmp(word, "exit") == 0)
		p->ending = true;
	else
		show_say(&p->show, "there is no command '%s'; help names them", line);
}
