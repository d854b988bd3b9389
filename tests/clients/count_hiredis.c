/* Counts with hiredis while leaders die; counting.py says what and how. */

#include <hiredis/hiredis.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INCRS	   8 /* twice */
#define APPENDS	   4
#define ROUND	   (2 * INCRS + APPENDS + 4)
#define LINE_BYTES 4096
#define PAUSE_MS   20

/* One connection after the other. */
struct slot {
	pthread_t thread;
	char name[64];
	int port;
	redisContext *context;
};

/* Between two rounds; nothing is ever written to the standard input. */
static bool is_over_after_pause(void)
{
	return poll(&(struct pollfd){.fd = STDIN_FILENO, .events = POLLIN}, 1, PAUSE_MS) > 0;
}

static void connect_again(struct slot *s)
{
	for (;;) {
		redisReply *reply;

		s->context = redisConnect("127.0.0.1", s->port);
		if (!s->context)
			abort();
		reply = s->context->err ? NULL : redisCommand(s->context, "PING");
		if (reply) {
			freeReplyObject(reply);
			return;
		}
		redisFree(s->context);
		(void)poll(NULL, 0, PAUSE_MS);
	}
}

/* An error's first two words are enough. */
static void tell_error(FILE *line, const char *text)
{
	size_t first = strcspn(text, " ");
	size_t second = text[first] ? strcspn(text + first + 1, " ") : 0;

	(void)fprintf(line, " -%.*s", (int)first, text);
	if (second)
		(void)fprintf(line, "_%.*s", (int)second, text + first + 1);
}

static void tell(FILE *line, const redisReply *reply)
{
	switch (reply->type) {
	case REDIS_REPLY_INTEGER:
		(void)fprintf(line, " :%lld", reply->integer);
		break;
	case REDIS_REPLY_STATUS:
	case REDIS_REPLY_STRING:
		(void)fprintf(line, " $%s", reply->str);
		break;
	case REDIS_REPLY_NIL:
		(void)fputs(" _", line);
		break;
	case REDIS_REPLY_ERROR:
		tell_error(line, reply->str);
		break;
	default:
		(void)fputs(" ?", line);
	}
}

static void send_incrs(const struct slot *s)
{
	for (int i = 0; i < INCRS; i++)
		(void)redisAppendCommand(s->context, "INCR %s:n", s->name);
}

static void send_round(const struct slot *s, int number)
{
	/* What a broken connection makes of it shows when replies are read. */
	send_incrs(s);
	(void)redisAppendCommand(s->context, "ECHO %s.%d", s->name, number);
	(void)redisAppendCommand(s->context, "GET %s:v", s->name);
	send_incrs(s);
	for (int i = 0; i < APPENDS; i++)
		(void)redisAppendCommand(s->context, "APPEND %s:w:%d %s.%d;", s->name, number / 16,
					 s->name, APPENDS * number + i);
	(void)redisAppendCommand(s->context, "SET %s:v %s.%d", s->name, s->name, number);
	(void)redisAppendCommand(s->context, "GET %s:v", s->name);
}

static void hear_round(struct slot *s, FILE *line)
{
	for (int i = 0; i < ROUND; i++) {
		void *reply;

		if (redisGetReply(s->context, &reply) != REDIS_OK) {
			(void)fputs(" !", line);
			redisFree(s->context);
			connect_again(s);
			return;
		}
		tell(line, reply);
		freeReplyObject(reply);
	}
}

static void *count(void *arg)
{
	struct slot *s = arg;
	int number = 0;

	connect_again(s);
	do {
		char text[LINE_BYTES];
		FILE *line = fmemopen(text, sizeof(text), "w");

		if (!line)
			abort();
		(void)fprintf(line, "%s %d", s->name, number);
		send_round(s, number++);
		hear_round(s, line);
		(void)fputc('\n', line);
		if (fclose(line) != 0 || fputs(text, stdout) == EOF)
			abort();
	} while (!is_over_after_pause());
	redisFree(s->context);
	return NULL;
}

int main(int argc, char **argv)
{
	int connections = argc > 3 ? (int)strtol(argv[2], NULL, 10) : 0;
	int total = (argc - 3) * connections;
	struct slot *slots;

	if (connections <= 0 || !(slots = calloc((size_t)total, sizeof(*slots))))
		return 2;
	for (int i = 0; i < total; i++) {
		struct slot *s = &slots[i];

		s->port = (int)strtol(argv[3 + i / connections], NULL, 10);
		(void)snprintf(s->name, sizeof(s->name), "%s.%d.%d", argv[1], i / connections,
			       i % connections);
		if (pthread_create(&s->thread, NULL, count, s) != 0)
			abort();
	}
	for (int i = 0; i < total; i++)
		(void)pthread_join(slots[i].thread, NULL);
	free(slots);
	return 0;
}
