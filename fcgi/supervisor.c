/* supervisor.c - datagrams to NOTIFY_SOCKET. */
#include "fcgi/supervisor.h"
#include "backend/base/filetime.h"
#include "backend/base/log.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A path, or "@name" in the abstract namespace, whose address has no end mark. */
static int open_at(const char *name)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    size_t n = strlen(name);
    if ((*name != '/' && *name != '@') || n < 2 || n >= sizeof at.sun_path)
        return -1;
    memcpy(at.sun_path, name, n);
    if (*name == '@')
        at.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void say(const struct supervisor *s, const char *what)
{
    if (s->fd >= 0)
        send(s->fd, what, strlen(what), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* WATCHDOG_PID, if it is set, says for whom WATCHDOG_USEC is meant. */
static uint64_t watch_us(void)
{
    const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    if (us == NULL || (pid != NULL && strtol(pid, NULL, 10) != (long)getpid()))
        return 0;
    return strtoull(us, NULL, 10);
}

void supervisor_find(struct supervisor *s, struct timers *ts)
{
    const char *name = getenv("NOTIFY_SOCKET");
    *s = (struct supervisor){ .fd = -1, .watch_us = watch_us(), .timers = ts };
    if (name != NULL && (s->fd = open_at(name)) < 0)
        log_line(LOGL_WARN, "fcgi", "the supervisor cannot be told anything", "path", name, "error", strerror(errno), NULL);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

static void alive(struct timer *t)
{
    struct supervisor *s = (struct supervisor *)((char *)t - offsetof(struct supervisor, timer));
    say(s, "WATCHDOG=1");
    timer_set(s->timers, t, clock_ms() + s->watch_us / 2000, alive); /* twice in the time that it gives */
}

void supervisor_ready(struct supervisor *s)
{
    say(s, "READY=1");
    if (s->fd >= 0 && s->watch_us != 0)
        timer_set(s->timers, &s->timer, clock_ms() + s->watch_us / 2000, alive);
}

void supervisor_stopping(struct supervisor *s) { say(s, "STOPPING=1"); }

void supervisor_leave(struct supervisor *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}
