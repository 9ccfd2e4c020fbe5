/* fault.c - an order from the environment or a file -> a signal to ourselves at the named place. */
#include "backend/base/fault.h"
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NOWHERE = -1 };

static const char *const names[] = {
#define FAULT(name, text) #name,
#include "backend/base/fault.def"
#undef FAULT
};

static atomic_int  armed = NOWHERE; /* the place, or NOWHERE */
static atomic_int  left;            /* passages until it fires */
static atomic_int  sig;             /* signal to raise, 0 = sleep */
static atomic_int  sleep_ms;
static const char *file;            /* set once by fault_init */

const char *fault_name(enum fault f) { return (unsigned)f < FAULT_COUNT ? names[f] : "?"; }

static int place_of(const char *name, size_t n)
{
    for (int i = 0; i < FAULT_COUNT; i++)
        if (strlen(names[i]) == n && memcmp(names[i], name, n) == 0)
            return i;
    return NOWHERE;
}

/* "name:count:action"; anything else disarms. */
static void arm(const char *text)
{
    const char *count = strchr(text, ':'), *action = count != NULL ? strchr(count + 1, ':') : NULL;
    int where = count != NULL ? place_of(text, (size_t)(count - text)) : NOWHERE;
    if (where == NOWHERE || action == NULL) {
        atomic_store(&armed, NOWHERE);
        return;
    }
    action++;
    bool kills = strncmp(action, "kill", 4) == 0, stops = strncmp(action, "stop", 4) == 0;
    atomic_store(&sig, kills ? SIGKILL : stops ? SIGSTOP : 0);
    atomic_store(&sleep_ms, strncmp(action, "sleep=", 6) == 0 ? (int)strtol(action + 6, NULL, 10) : 0);
    atomic_store(&left, (int)strtol(count + 1, NULL, 10));
    atomic_store(&armed, where);
}

void fault_init(void)
{
    const char *text = getenv("MAPIHTTPD_FAULT");
    file = getenv("MAPIHTTPD_FAULT_FILE");
    arm(text != NULL ? text : "");
}

void fault_arm(void)
{
    if (file == NULL)
        return;
    char text[128] = "";
    int  fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n > 0)
        arm(text);
}

static void fire(void)
{
    atomic_store(&armed, NOWHERE);
    if (file != NULL) {
        int fd = open(file, O_WRONLY | O_TRUNC | O_CLOEXEC);
        if (fd >= 0)
            close(fd);
    }
    int s = atomic_load(&sig), ms = atomic_load(&sleep_ms);
    if (s != 0)
        kill(getpid(), s);
    struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };
    nanosleep(&t, NULL);
}

void fault_point(enum fault f)
{
    if (atomic_load_explicit(&armed, memory_order_relaxed) == (int)f && atomic_fetch_sub(&left, 1) == 1)
        fire();
}
