/* listen.h - the Unix socket on which nginx reaches a worker: one of its own, or one that was passed to it. */
#ifndef FCGI_LISTEN_H
#define FCGI_LISTEN_H
#include "backend/base/arena.h"
#include <sys/stat.h>

enum { LISTEN_NONE = -2 };

struct listen_place {
    const char *path;
    dev_t       dev;
    ino_t       ino;
    bool        passed;      /* the supervisor's: other workers may hold it too, it stays when we end */
};

/* A listening, non-blocking socket at `path`, mode 0660; replaces, in one step, the socket that a worker which is gone left there, and nothing else.
 * -1 with *why, also if a worker answers there. */
int listen_open(struct listen_place *p, const char *path, struct arena *a, const char **why);

/* The one listening socket that the supervisor passed as descriptor 3 (environment LISTEN_PID, LISTEN_FDS: sd_listen_fds(3)), and forgets the
 * environment.  LISTEN_NONE if it passed none; -1 with *why if what it passed cannot be served. */
int listen_passed(struct listen_place *p, struct arena *a, const char **why);

/* Removes the socket file, unless it is another worker's by now, or was never ours. */
void listen_hide(const struct listen_place *p);
#endif
