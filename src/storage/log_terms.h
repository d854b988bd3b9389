#ifndef CONCLAVE_STORAGE_LOG_TERMS_H
#define CONCLAVE_STORAGE_LOG_TERMS_H

/*
 * The terms of a segment's entries, for a start that needs nothing else of them: terms never go
 * back, so where each begins is found by halving, and most of the segment is left unread.
 */

#include "storage/log_scan.h"
#include "storage/log_track.h"

/*
 * Adds the entries up to the one before `end`, which is of `last_term`, to the track without any of
 * their payloads. The group of the track's next entry stands at `offset`. `*found` is false if the
 * segment does not say all terms, since something of it is damaged: what was added so far is for
 * the caller to take back. ERR_IO.
 */
MUST_USE int log_terms_find(struct log_scan *scan, uint64_t offset, uint64_t end,
			    uint64_t last_term, struct log_track *track, bool *found);

#endif
