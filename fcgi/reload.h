/* reload.h - what an administrator tells a running worker by signals: read the configuration again, open the logs again. */
#ifndef FCGI_RELOAD_H
#define FCGI_RELOAD_H
#include "fcgi/serve.h"

/* Opens both logs as `c` says.  False with *why in `a`: what was open stays. */
bool reload_logs(const struct config *c, struct arena *a, const char **why);

/* The file at `path` (NULL: environment only) again, and the logs.  It is taken whole or not at all; what happened is logged, a line for each changed
 * key.  Requests under way keep the configuration that they began with: an old one lives as long as the process.  By one thread. */
void reload_config(struct server *s, const char *path);
#endif
