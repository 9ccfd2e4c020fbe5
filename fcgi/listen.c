/* listen.c - a socket file that appears and disappears in one step. */
#include "fcgi/listen.h"
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 65535 }; /* connecting to a Unix socket does not queue: a full backlog is a 502 of nginx */

static int fail(int fd, struct arena *a, const char *path, const char **why)
{
    *why = arena_printf(a, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* A path that was meant for something else is not replaced: a configuration with two paths mixed up must not cost a file. */
static bool may_replace(const char *path)
{
    struct stat st;
    return lstat(path, &st) != 0 || S_ISSOCK(st.st_mode);
}

int listen_open(struct listen_place *p, const char *path, struct arena *a, const char **why)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    const char *fresh = arena_printf(a, "%s.%d", path, (int)getpid());
    if (strlen(fresh) >= sizeof at.sun_path) {
        *why = arena_printf(a, "%s: the path of a socket has at most %zu bytes", path, sizeof at.sun_path - sizeof ".1234567");
        return -1;
    }
    if (!may_replace(path)) {
        *why = arena_printf(a, "%s: there is something that is not a socket", path);
        return -1;
    }
    memcpy(at.sun_path, fresh, strlen(fresh) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(fd, a, path, why);
    unlink(fresh);
    struct stat st;
    if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || chmod(fresh, 0660) != 0 || listen(fd, BACKLOG) != 0 || stat(fresh, &st) != 0 ||
        rename(fresh, path) != 0) {
        int failed = errno;
        unlink(fresh);
        errno = failed;
        return fail(fd, a, path, why);
    }
    *p = (struct listen_place){ path, st.st_dev, st.st_ino };
    return fd;
}

void listen_hide(const struct listen_place *p)
{
    struct stat st;
    if (stat(p->path, &st) == 0 && st.st_dev == p->dev && st.st_ino == p->ino)
        unlink(p->path);
}
