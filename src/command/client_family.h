#ifndef CONCLAVE_COMMAND_CLIENT_FAMILY_H
#define CONCLAVE_COMMAND_CLIENT_FAMILY_H

/* Inside command only: the handlers of CLIENT's subcommands that stand in files of their own. */

#include "command/command.h"

/* client_list.c */
int client_info(struct call *c);
int client_list(struct call *c);
/* Clients of one type. CALL_REFUSED: there is no such type. */
MUST_USE int client_type_parse(struct call *c, struct slice text, bool *matches);

/* client_kill.c */
int client_kill(struct call *c);

/* client_control.c */
int client_caching(struct call *c);
int client_getredir(struct call *c);
int client_pause(struct call *c);
int client_reply(struct call *c);
int client_tracking(struct call *c);
int client_trackinginfo(struct call *c);
int client_unblock(struct call *c);
int client_unpause(struct call *c);

#endif
