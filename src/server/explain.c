#include "server/explain.h"

#include "base/error.h"
#include "node/driver.h"
#include "storage/log.h"

#include <inttypes.h>

#define STATE_REMEDY                                                                         \
	"In a cluster of several: remove ENGINE and engine-* there and start again, the "    \
	"state is made from the log and the others. A member that is alone needs a copy of " \
	"dir and log-dir"

const char *explain_remedy(int error)
{
	switch (error) {
	case ERR_NO_SPACE:
		return "free room there and start it again: what was acknowledged is in its log";
	case ERR_IO:
		return "the disk failed: see what the system says of it, and start the member "
		       "again when it is in order; what was acknowledged is in its log";
	case ERR_CORRUPT:
		return "the lines before say where. After damage to the log the next start says "
		       "what to do; if it was the state: " STATE_REMEDY;
	default:
		return "see the lines before";
	}
}

void explain_state(const struct options *o, int error, struct buf *problem)
{
	if (error == ERR_CORRUPT)
		buf_printf(problem,
			   "%s: the state is damaged, a line before says where. " STATE_REMEDY,
			   o->dir);
	else
		buf_printf(problem, "%s: the state cannot be opened: %s: %s", o->dir,
			   error_text(error), explain_remedy(error));
}

void explain_start(const struct options *o, int error, struct buf *problem)
{
	switch (error) {
	case ERR_LOCKED:
		buf_printf(problem,
			   "%s: another process works on this log; end it, or give another --dir",
			   o->log_dir);
		return;
	case ERR_VERSION:
		buf_printf(problem,
			   "%s: the data was written by a newer version, or needs one: start this "
			   "member with the version that the others run",
			   o->dir);
		return;
	case ERR_CORRUPT:
		explain_state(o, error, problem);
		return;
	default:
		buf_printf(problem, "%s, %s: the member cannot be started: %s: %s", o->dir,
			   o->log_dir, error_text(error), explain_remedy(error));
	}
}

static bool is_alone(const struct options *o, const struct driver *d)
{
	return !o->join && o->initial_cluster.count <= 1 && driver_membership(d)->count <= 1;
}

int explain_damage(const struct options *o, const struct driver *d, struct buf *problem)
{
	const struct log_damage *damage = driver_damage(d);
	struct raft_status status;

	driver_status(d, &status);
	if (!status.damaged || !is_alone(o, d))
		return OK;
	if (damage->from_index)
		buf_printf(problem,
			   "%s: the log is damaged from entry %" PRIu64 " on, in segment %" PRIu64
			   " at offset %" PRIu64 "; %" PRIu64 " entries before it are held, traces "
			   "reach to entry %" PRIu64 ". ",
			   o->log_dir, damage->from_index, damage->segment, damage->offset,
			   damage->held, damage->last_index);
	else
		buf_printf(problem, "%s: the state is gone, or older than the log in %s begins. ",
			   o->dir, o->log_dir);
	buf_printf(problem, "This member is alone, nobody else has what is missing, and it does "
			    "not serve without it: put back a copy of dir and log-dir");
	return ERR_CORRUPT;
}
