/* auth_basic.c - name and password out of an Authorization header; is it the password? */
#include "fcgi/auth_int.h"
#include "backend/base/crypto.h"
#include "backend/base/log.h"
#include "backend/base/metric.h"
#include "backend/base/utf.h"
#include <strings.h>

enum { LATIN = 1252, CREDENTIALS_MOST = 1024 };

bool auth_basic(struct arena *a, const char *header, struct blob *name, struct blob *password)
{
    struct blob text;
    if (strncasecmp(header, "Basic ", 6) != 0)
        return false;
    header += 6 + strspn(header + 6, " ");
    size_t length = strcspn(header, " \t");
    if (length == 0 || length > CREDENTIALS_MOST || !base64_decode(a, arena_str(a, blob_of(header, length)), &text) || text.n == 0)
        return false;
    const uint8_t *colon = memchr(text.p, ':', text.n);
    if (colon == NULL || colon == text.p || memchr(text.p, 0, text.n) != NULL)
        return false;
    *name = blob_of(text.p, (size_t)(colon - text.p));
    *password = blob_of(colon + 1, text.n - name->n - 1);
    return true;
}

static bool ascii(struct blob b)
{
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] >= 0x80)
            return false;
    return true;
}

size_t auth_readings(struct arena *a, struct blob name, struct blob password, struct auth_reading out[2])
{
    size_t n = 0;
    if (utf8_valid(name) && utf8_valid(password))
        out[n++] = (struct auth_reading){ arena_str(a, name), arena_str(a, password) };
    if (!ascii(name) || !ascii(password))
        out[n++] = (struct auth_reading){ arena_str(a, utf8_from_codepage(a, LATIN, name)), arena_str(a, utf8_from_codepage(a, LATIN, password)) };
    return n;
}

/* --- guessing ---------------------------------------------------------------------------------------------------------- */

static struct attempt attempt_of(const struct auth_try *t)
{
    return (struct attempt){ t->out->name, t->rq->addr != NULL ? t->rq->addr : "" };
}

static bool locked(struct auth_try *t)
{
    struct attempt who = attempt_of(t);
    if (t->e->throttle == NULL || !throttle_locked(t->e->throttle, t->a, &who))
        return false;
    metric_add(METRIC_auth_locked, 1);
    t->out->delay_ms = throttle_delay(t->e->throttle);
    return true;
}

static void failed(struct auth_try *t, const char *password)
{
    struct attempt who = attempt_of(t);
    if (t->e->throttle == NULL || !throttle_failed(t->e->throttle, t->a, &who, password, &t->out->delay_ms))
        return;
    metric_add(METRIC_auth_lockouts, 1);
    log_line(LOGL_WARN, "auth", "locked out", "login", who.login, "addr", who.addr, NULL);
}

static void passed(struct auth_try *t)
{
    struct attempt who = attempt_of(t);
    if (t->e->throttle != NULL)
        throttle_passed(t->e->throttle, t->a, &who);
}

/* --- the check --------------------------------------------------------------------------------------------------------- */

static enum auth ask_quickly(struct auth_try *t, const struct auth_reading *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ec_t ec = directory_login_quick(t->e->directory, t->a, r[i].name, r[i].password, &t->out->who);
        if (ec == ecDiskError)
            return AUTH_DOWN;
        if (ec == ecNone) {
            auth_keep(t, t->rq->authorization, UINT64_MAX);
            return AUTH_OK;
        }
    }
    return AUTH_SLOW;
}

static enum auth ask(struct auth_try *t, const struct auth_reading *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ec_t ec = directory_login(t->e->directory, t->a, r[i].name, r[i].password, t->rq->addr, &t->out->who);
        if (ec == ecNone)
            auth_keep(t, t->rq->authorization, UINT64_MAX);
        if (ec == ecNone || ec == ecUnknownUser) {
            passed(t);
            return ec == ecNone ? AUTH_OK : AUTH_NOBODY;
        }
        if (ec != ecLoginFailure)
            return AUTH_DOWN;
    }
    failed(t, r[0].password);
    return AUTH_WRONG;
}

/* The lock is asked for before each check, also after the wait for a thread: others of the same guesser may have been checked meanwhile. */
enum auth auth_by_basic(struct auth_try *t)
{
    struct blob name, password;
    struct auth_reading reading[2];
    if (!auth_basic(t->a, t->rq->authorization, &name, &password))
        return AUTH_ABSENT;
    if (!t->slow && auth_recall(t, t->rq->authorization))
        return AUTH_OK;
    size_t n = auth_readings(t->a, name, password, reading);
    const char *login = directory_login_name(t->e->directory, t->a, reading[0].name);
    t->out->name = login != NULL ? login : reading[0].name;
    if (locked(t))
        return AUTH_WRONG;
    return t->slow ? ask(t, reading, n) : ask_quickly(t, reading, n);
}
