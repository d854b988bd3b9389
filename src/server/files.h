#ifndef CONCLAVE_SERVER_FILES_H
#define CONCLAVE_SERVER_FILES_H

/* How many files and sockets this process may have open. */

#include <stdint.h>

/* Has the system allow `wanted`, or as many as it will; returns how many. */
uint64_t files_allow(uint64_t wanted);

#endif
