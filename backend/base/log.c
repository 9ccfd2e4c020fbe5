/* log.c - one formatted line, one write. */
#include "backend/base/log.h"
#include "backend/base/must.h"
#include "backend/base/utf.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 4096, CONTEXT_KEYS = 8, CONTEXT_VALUE = 128 };

static atomic_int  fd = STDERR_FILENO;
static atomic_uint limit = LOGL_INFO;
static atomic_bool as_json;

static _Thread_local struct { const char *key; char value[CONTEXT_VALUE]; } context[CONTEXT_KEYS];

static const char *const level_name[] = { "error", "warn", "info", "debug" };

struct line { char text[LINE]; size_t n; bool json; };

bool log_open(const char *path, enum log_level max, bool json)
{
    int was = fd, now = STDERR_FILENO;
    if (path != NULL && strcmp(path, "-") != 0) {
        now = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
        if (now < 0)
            return false;
    }
    limit = max;
    as_json = json;
    if (was == STDERR_FILENO) {
        fd = now;
    } else { /* the number stays: other threads are writing to it, and a closed one could be a connection at once */
        dup3(now, was, O_CLOEXEC);
        if (now != STDERR_FILENO)
            close(now);
    }
    return true;
}

static void put(struct line *l, const char *s, size_t n)
{
    if (n > LINE - 2 - l->n)
        n = LINE - 2 - l->n;
    memcpy(l->text + l->n, s, n);
    l->n += n;
}

static void put_str(struct line *l, const char *s) { put(l, s, strlen(s)); }

/* Control bytes and quotes cannot break a line apart: whatever a client sends stays inside its value.  Bytes that are no UTF-8 are shown as their numbers. */
static void put_quoted(struct line *l, const char *s)
{
    bool text = utf8_valid(blob_str(s));
    put(l, "\"", 1);
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        char esc[8];
        if (c == '"' || c == '\\')
            put(l, esc, (size_t)snprintf(esc, sizeof esc, "\\%c", c));
        else if (c < 0x20 || c == 0x7f || (c >= 0x80 && !text))
            put(l, esc, (size_t)snprintf(esc, sizeof esc, "\\u%04x", c));
        else
            put(l, s, 1);
    }
    put(l, "\"", 1);
}

static void put_pair(struct line *l, const char *key, const char *value)
{
    if (l->json) {
        put_str(l, ",");
        put_quoted(l, key);
        put_str(l, ":");
    } else {
        put_str(l, " ");
        put_str(l, key);
        put_str(l, "=");
    }
    put_quoted(l, value != NULL ? value : "");
}

static void put_head(struct line *l, enum log_level level, const char *room, const char *message)
{
    struct timespec t;
    struct tm tm;
    char when[64], pid[16];
    clock_gettime(CLOCK_REALTIME, &t);
    gmtime_r(&t.tv_sec, &tm);
    size_t n = strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(when + n, sizeof when - n, ".%03ldZ", t.tv_nsec / 1000000);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    if (l->json) {
        put_str(l, "{\"time\":");
        put_quoted(l, when);
        put_pair(l, "level", level_name[level]);
        put_pair(l, "room", room);
        put_pair(l, "message", message);
    } else {
        put_str(l, when);
        put_str(l, " ");
        put_str(l, level_name[level]);
        put_str(l, " ");
        put_str(l, room);
        put_str(l, ": ");
        put_str(l, message);
    }
    put_pair(l, "pid", pid);
}

void log_line(enum log_level level, const char *room, const char *message, ...)
{
    if ((unsigned)level > atomic_load_explicit(&limit, memory_order_relaxed))
        return;
    struct line l = { .n = 0, .json = as_json };
    put_head(&l, level, room, message);
    va_list ap;
    va_start(ap, message);
    for (const char *key; (key = va_arg(ap, const char *)) != NULL; )
        put_pair(&l, key, va_arg(ap, const char *));
    va_end(ap);
    for (int i = 0; i < CONTEXT_KEYS; i++)
        if (context[i].key != NULL)
            put_pair(&l, context[i].key, context[i].value);
    if (l.json)
        put_str(&l, "}");
    l.text[l.n++] = '\n';
    ssize_t done = write(fd, l.text, l.n);
    (void)done; /* a log that cannot be written must not stop the mail */
}

void log_context(const char *key, const char *value)
{
    int at = -1;
    for (int i = CONTEXT_KEYS; i-- > 0; ) {
        if (context[i].key == NULL && at < 0)
            at = i;
        if (context[i].key != NULL && strcmp(context[i].key, key) == 0) {
            at = i;
            break;
        }
    }
    must(at >= 0);
    context[at].key = value != NULL ? key : NULL;
    snprintf(context[at].value, CONTEXT_VALUE, "%s", value != NULL ? value : "");
}

const char *log_context_value(const char *key)
{
    for (int i = 0; i < CONTEXT_KEYS; i++)
        if (context[i].key != NULL && strcmp(context[i].key, key) == 0)
            return context[i].value;
    return NULL;
}

void log_context_clear(void)
{
    for (int i = 0; i < CONTEXT_KEYS; i++)
        context[i].key = NULL;
}

_Noreturn void must_fail(const char *cond, const char *file, int line)
{
    char where[32];
    snprintf(where, sizeof where, "%d", line);
    log_line(LOGL_ERROR, "base", "impossible", "error", cond, "file", file, "line", where, NULL);
    abort();
}
