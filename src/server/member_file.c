#include "server/member_file.h"

#include "base/hash.h"
#include "server/explain.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NAME "MEMBER"

struct mark {
	uint64_t id; /* 0: the directory is nobody's */
	uint64_t token;
};

/* Tokens are not for everybody to read. */
static uint64_t token_mark(const char *token)
{
	return hash64(slice_of_text(token));
}

static void mark_put(const struct mark *m, struct buf *out)
{
	buf_printf(out, "member %016" PRIx64 "\ntoken %016" PRIx64 "\n", m->id, m->token);
}

/* A number behind this word, at the beginning of a line. */
static uint64_t number_behind(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	return at ? strtoull(at + strlen(word), NULL, 16) : 0;
}

static int mark_read(struct disk *disk, const char *dir, struct mark *m, struct buf *problem)
{
	struct buf text = {0}, again = {0};
	int rc = disk_read_small(disk, dir, NAME, &text);

	*m = (struct mark){0};
	if (rc == ERR_NOT_FOUND) {
		buf_free(&text);
		return OK;
	}
	if (rc == OK) {
		size_t len = text.len;

		buf_append_byte(&text, '\0');
		m->id = number_behind((const char *)text.data, "member ");
		m->token = number_behind((const char *)text.data, "token ");
		mark_put(m, &again);
		if (!m->id || !slice_equal(slice_of(text.data, len), buf_slice(&again)))
			rc = ERR_CORRUPT;
	}
	if (rc == ERR_IO)
		buf_printf(problem, "%s/" NAME ": it cannot be read: %s: %s", dir, error_text(rc),
			   explain_remedy(rc));
	else if (rc != OK)
		buf_printf(problem,
			   "%s/" NAME ": %s; it says whose data this is: put it back from a copy, "
			   "or, if you are sure of dir and log-dir, remove it",
			   dir, error_text(rc));
	buf_free(&text);
	buf_free(&again);
	return rc;
}

static int mark_check_token(const struct mark *m, const char *dir, const char *token,
			    struct buf *problem)
{
	if (!m->id || m->token == token_mark(token))
		return OK;
	buf_printf(problem,
		   "%s: it belongs to a member of a cluster with another cluster-token; give the "
		   "token or the directory that this member had before (if the whole cluster gets "
		   "another token, remove %s/" NAME ")",
		   dir, dir);
	return ERR_INVALID;
}

static int log_is_there(struct disk *disk, const char *log_dir, bool *there)
{
	static const char end[] = ".log";
	struct disk_names names = {0};
	int rc = disk_list(disk, log_dir, &names);

	*there = false;
	for (size_t i = 0; i < names.count; i++) {
		size_t len = strlen(names.names[i]);

		if (len > strlen(end) && strcmp(names.names[i] + len - strlen(end), end) == 0)
			*there = true;
	}
	disk_names_free(&names);
	return rc;
}

/* The directory is a member's. */
static int mark_check_log(struct disk *disk, const struct mark *m, const char *dir,
			  const char *log_dir, struct buf *problem)
{
	bool there;
	int rc = log_is_there(disk, log_dir, &there);

	if (rc != OK)
		buf_printf(problem, "%s: the directory cannot be read: %s: %s", log_dir,
			   error_text(rc), explain_remedy(rc));
	if (rc != OK || there)
		return rc;
	buf_printf(problem, "%s: there is no log, and %s is the data of ", log_dir, dir);
	if (m->id)
		buf_printf(problem, "member %016" PRIx64, m->id);
	else
		buf_printf(problem, "a member, though the file " NAME " is missing");
	buf_printf(problem,
		   ": mount the disk with the log, or give the log-dir it had. If its log is lost, "
		   "so is the member: empty %s, start it with --join, and MEMBER REPLACE the old "
		   "one",
		   dir);
	return ERR_INVALID;
}

int member_file_check(struct disk *disk, const char *dir, const char *log_dir, const char *token,
		      bool has_state, uint64_t *id, struct buf *problem)
{
	struct mark m;
	int rc = mark_read(disk, dir, &m, problem);

	*id = rc == OK ? m.id : 0;
	if (rc == OK)
		rc = mark_check_token(&m, dir, token, problem);
	if (rc == OK && (m.id || has_state))
		rc = mark_check_log(disk, &m, dir, log_dir, problem);
	return rc;
}

static int mark_write(struct disk *disk, const char *dir, const struct mark *m, struct buf *problem)
{
	struct buf text = {0};
	int rc;

	mark_put(m, &text);
	rc = disk_replace(disk, dir, NAME, buf_slice(&text));
	if (rc != OK)
		buf_printf(problem, "%s/" NAME ": it cannot be written: %s: %s", dir,
			   error_text(rc), explain_remedy(rc));
	buf_free(&text);
	return rc;
}

int member_file_claim(struct disk *disk, const char *dir, const char *log_dir, const char *token,
		      uint64_t id, struct buf *problem)
{
	struct mark m, own = {.id = id, .token = token_mark(token)};
	int rc = mark_read(disk, dir, &m, problem);

	if (rc != OK)
		return rc;
	if (!m.id)
		return mark_write(disk, dir, &own, problem);
	if (m.id == id)
		return OK;
	buf_printf(problem,
		   "%s: this is the log of member %016" PRIx64 ", and %s is the data of member "
		   "%016" PRIx64 ": give directories that belong together",
		   log_dir, id, dir, m.id);
	return ERR_INVALID;
}
