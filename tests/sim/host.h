#ifndef CONCLAVE_SIM_HOST_H
#define CONCLAVE_SIM_HOST_H

/* Inside hosts: the jobs a member gives away, its company, and the state machine's files. */

#include "sim/world.h"

#define STATE_PATH   "data/state"
#define STATE_TMP    "data/state.tmp"
#define INSTALL_TMP  "data/install.tmp"
#define HOST_LOG_DIR "data/log"

/* host_jobs.c */
void host_run_job(void *ctx, enum job_lane lane, struct job *job);
void host_jobs_forget(struct host *h);

/* host_company.c: connections that are streams of bytes */
/* Whether somebody who joins may ask this one. */
bool host_may_be_asked(struct host *h);
void host_company_init(struct host *h);
/* Its process may be started elsewhere than before, and says so. */
void host_company_move(struct host *h);
void host_company_start(struct host *h);
void host_company_stop(struct host *h);
void host_company_send(struct host *h, uint64_t to, const struct frame *frame);
void host_company_send_to_name(struct host *h, struct slice name, const struct frame *frame);

/* host_machine.c */
void host_machine_init(struct host *h);
void host_machine_close(struct host *h);
/*
 * Reads the stored state, if there is a whole one, into h->kv, and makes sure that it is durable;
 * its descriptor is appended to `out`.
 */
MUST_USE int host_machine_load(struct host *h, struct buf *out);

#endif
