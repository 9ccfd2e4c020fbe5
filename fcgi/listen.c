/* listen.c - a socket file that appears and disappears in one step, and whose owner lives; or a socket that was passed to us. */
#include "fcgi/listen.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    BACKLOG = 65535, /* connecting to a Unix socket does not queue: a full backlog is a 502 of nginx */
    PASSED  = 3      /* the first descriptor that a supervisor passes */
};

static int fail(int fd, struct arena *a, const char *path, const char **why)
{
    *why = arena_printf(a, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Somebody accepts there, or is stopped and will: its queue takes the connection. */
static bool answers(const struct sockaddr_un *at)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool ok = fd >= 0 && (connect(fd, (const struct sockaddr *)at, sizeof *at) == 0 || errno == EAGAIN); /* EAGAIN: its queue is full */
    if (fd >= 0)
        close(fd);
    return ok;
}

/* A path that was meant for something else is not replaced: a configuration with two paths mixed up must not cost a file.  Nor is a worker that is
 * there: it would go on without anybody reaching it. */
static bool may_replace(const char *path, const struct sockaddr_un *at, struct arena *a, const char **why)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return true;
    if (!S_ISSOCK(st.st_mode)) {
        *why = arena_printf(a, "%s: there is something that is not a socket", path);
        return false;
    }
    if (answers(at)) {
        *why = arena_printf(a, "%s: a worker answers there already; each worker needs a socket of its own (key listen)", path);
        return false;
    }
    return true;
}

/* Two workers that start at once look one after the other.  No lock to be had: then they look at the same time, which is what there was before. */
static int lock_directory(const char *path, struct arena *a)
{
    const char *slash = strrchr(path, '/');
    const char *dir = slash == NULL ? "." : slash == path ? "/" : arena_printf(a, "%.*s", (int)(slash - path), path);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        flock(fd, LOCK_EX);
    return fd;
}

static struct sockaddr_un address(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    memcpy(at.sun_path, path, strlen(path) + 1);
    return at;
}

static int bind_at(struct listen_place *p, const char *path, const char *fresh, struct arena *a, const char **why)
{
    struct sockaddr_un at = address(fresh), there = address(path);
    if (!may_replace(path, &there, a, why))
        return -1;
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
    *p = (struct listen_place){ path, st.st_dev, st.st_ino, false };
    return fd;
}

int listen_open(struct listen_place *p, const char *path, struct arena *a, const char **why)
{
    const char *fresh = arena_printf(a, "%s.%d", path, (int)getpid());
    if (strlen(fresh) >= sizeof ((struct sockaddr_un *)0)->sun_path) {
        *why = arena_printf(a, "%s: the path of a socket has at most %zu bytes", path, sizeof ((struct sockaddr_un *)0)->sun_path - sizeof ".1234567");
        return -1;
    }
    int lock = lock_directory(path, a);
    int fd = bind_at(p, path, fresh, a, why);
    if (lock >= 0)
        close(lock);
    return fd;
}

/* --- passed by the supervisor ---------------------------------------------------------------------------------------- */

static unsigned long number(const char *name)
{
    const char *text = getenv(name);
    return text != NULL ? strtoul(text, NULL, 10) : 0;
}

static bool listens(int fd)
{
    int on = 0, type = 0;
    socklen_t n = sizeof on, m = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 && on != 0 && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &m) == 0 && type == SOCK_STREAM;
}

int listen_passed(struct listen_place *p, struct arena *a, const char **why)
{
    unsigned long count = number("LISTEN_PID") == (unsigned long)getpid() ? number("LISTEN_FDS") : 0;
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    if (count == 0)
        return LISTEN_NONE;
    if (count != 1) {
        *why = arena_printf(a, "%lu sockets were passed; a worker serves one", count);
        return -1;
    }
    if (!listens(PASSED)) {
        *why = "what was passed as descriptor 3 is no listening stream socket";
        return -1;
    }
    if (fcntl(PASSED, F_SETFD, FD_CLOEXEC) != 0 || fcntl(PASSED, F_SETFL, O_NONBLOCK) != 0)
        return fail(-1, a, "the passed socket", why);
    *p = (struct listen_place){ .path = "the socket that was passed", .passed = true };
    return PASSED;
}

void listen_hide(const struct listen_place *p)
{
    struct stat st;
    if (!p->passed && stat(p->path, &st) == 0 && st.st_dev == p->dev && st.st_ino == p->ino)
        unlink(p->path);
}
