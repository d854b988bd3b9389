#ifndef CONCLAVE_SERVER_CRASH_H
#define CONCLAVE_SERVER_CRASH_H

/*
 * A report of how the process died: when a signal that nothing comes back from arrives, the signal,
 * the address and the calls that led there are written to the standard error, with write(2) and
 * nothing else; then the process dies of the signal, as it would have.
 */

/* From now on, for every thread. */
void crash_report_on(void);

/* No more: what was taken for it is given back. By the thread that turned it on. */
void crash_report_off(void);

#endif
