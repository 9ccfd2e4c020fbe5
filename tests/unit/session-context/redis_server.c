/* redis_server.c - fork, exec, wait for the socket, kill. */
#include "tests/unit/session-context/redis_server.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static bool answers(const struct redis_server *s)
{
    struct sockaddr_un u = { .sun_family = AF_UNIX };
    char buf[64] = "";
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(u.sun_path, sizeof u.sun_path, "%s", s->socket);
    bool ok = connect(fd, (struct sockaddr *)&u, sizeof u) == 0 && write(fd, "PING\r\n", 6) == 6 && read(fd, buf, sizeof buf - 1) > 0;
    close(fd);
    return ok && strncmp(buf, "+PONG", 5) == 0;
}

static void run(const struct redis_server *s)
{
    char log[260];
    snprintf(log, sizeof log, "%s/redis.log", s->dir);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, 1);
    dup2(fd, 2);
    execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", s->socket, "--dir", s->dir, "--save", "", "--appendonly", "yes",
           "--appendfsync", "no", "--daemonize", "no", (char *)NULL);
    _exit(127);
}

bool redis_server_start(struct redis_server *s, const char *dir)
{
    if (dir != s->dir && snprintf(s->dir, sizeof s->dir, "%s", dir) >= (int)sizeof s->dir)
        return false;
    snprintf(s->socket, sizeof s->socket, "%s/redis.sock", s->dir);
    unlink(s->socket);
    s->pid = fork();
    if (s->pid == 0)
        run(s);
    for (int i = 0; i < 500; i++) {
        if (answers(s))
            return true;
        nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
    }
    return false;
}

void redis_server_kill(struct redis_server *s)
{
    if (s->pid <= 0)
        return;
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    s->pid = 0;
}
