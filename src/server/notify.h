#ifndef CONCLAVE_SERVER_NOTIFY_H
#define CONCLAVE_SERVER_NOTIFY_H

/*
 * Tells whoever supervises this process how it stands: "READY=1", "STOPPING=1", as sd_notify(3)
 * does. `socket_path` is what NOTIFY_SOCKET says; NULL: nobody asked. False: it could not be told.
 */

#include <stdbool.h>

bool notify_supervisor(const char *socket_path, const char *state);

#endif
