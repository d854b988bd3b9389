#ifndef CONCLAVE_SIM_HOST_H
#define CONCLAVE_SIM_HOST_H

/* Inside hosts: the jobs a member gives away, and the state machine's files. */

#include "sim/world.h"

#define STATE_PATH   "data/state"
#define STATE_TMP    "data/state.tmp"
#define INSTALL_TMP  "data/install.tmp"
#define HOST_LOG_DIR "data/log"

/* host_jobs.c */
void host_run_job(void *ctx, enum job_lane lane, struct job *job);
void host_jobs_forget(struct host *h);

/* host_machine.c */
void host_machine_init(struct host *h);
void host_machine_close(struct host *h);
/*
 * Reads the stored state, if there is a whole one, into h->kv, and makes sure that it is durable;
 * its descriptor is appended to `out`.
 */
MUST_USE int host_machine_load(struct host *h, struct buf *out);

#endif
