/* listen.h - the Unix socket on which nginx reaches a worker. */
#ifndef FCGI_LISTEN_H
#define FCGI_LISTEN_H
#include "backend/base/arena.h"
#include <sys/stat.h>

struct listen_place { const char *path; dev_t dev; ino_t ino; };

/* A listening, non-blocking socket at `path`, mode 0660; replaces the socket that another worker left (or still serves) there in one step,
 * and nothing else.  -1 with *why. */
int listen_open(struct listen_place *p, const char *path, struct arena *a, const char **why);

/* Removes the socket file, unless it is another worker's by now. */
void listen_hide(const struct listen_place *p);
#endif
