/* auth.c - an Authorization header becomes a person. */
#include "fcgi/auth.h"
#include "backend/base/crypto.h"
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

static enum auth ask(const struct auth_env *e, struct arena *a, const struct request *rq, struct person *who, uint64_t *delay_ms)
{
    struct blob name, password;
    struct auth_reading reading[2];
    if (!auth_basic(a, rq->authorization, &name, &password))
        return AUTH_ABSENT;
    size_t n = auth_readings(a, name, password, reading);
    for (size_t i = 0; i < n; i++) {
        ec_t ec = directory_login(e->directory, a, reading[i].name, reading[i].password, rq->addr != NULL ? rq->addr : "", who, delay_ms);
        if (ec == ecNone)
            return AUTH_OK;
        if (ec != ecLoginFailure)
            return AUTH_DOWN;
    }
    return AUTH_WRONG;
}

enum auth auth_check(const struct auth_env *e, struct arena *a, const struct request *rq, struct person *who, uint64_t *delay_ms)
{
    *delay_ms = 0;
    if (!rq->tls && !e->config->auth_plain_http)
        return AUTH_PLAIN;
    if (rq->authorization == NULL)
        return AUTH_ABSENT;
    bool remember = e->known != NULL && e->config->auth_cache != 0;
    uint64_t now = rq->begun_us / 1000;
    if (remember && known_find(e->known, a, rq->authorization, now, who))
        return AUTH_OK;
    enum auth outcome = ask(e, a, rq, who, delay_ms);
    if (remember && outcome == AUTH_OK)
        known_keep(e->known, rq->authorization, now, who);
    return outcome;
}
