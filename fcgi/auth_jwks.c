/* auth_jwks.c - the token issuer's public keys: from a file or over https into memory, again when they are old or a token names a new one. */
#include "fcgi/auth_int.h"
#include "backend/base/filetime.h"
#include "backend/base/jwt.h"
#include "backend/base/log.h"
#include "backend/base/metric.h"
#include "backend/base/must.h"
#include "backend/base/wr.h"
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

/* A set and who uses it; the source itself is one of them. */
struct held { struct held *next; struct jwks *set; unsigned users; };

struct auth_jwks {
    pthread_mutex_t lock, fetching;
    struct held    *now;             /* NULL: none yet */
    struct held    *old;             /* still used by a request */
    uint64_t        tried_ms, got_ms, claimed_ms;
};

struct auth_jwks *auth_jwks_new(void)
{
    struct auth_jwks *k = calloc(1, sizeof *k);
    must(k != NULL && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    pthread_mutex_init(&k->lock, NULL);
    pthread_mutex_init(&k->fetching, NULL);
    return k;
}

static void release(struct held *h)
{
    jwks_free(h->set);
    free(h);
}

void auth_jwks_free(struct auth_jwks *k)
{
    if (k == NULL)
        return;
    must(k->old == NULL);
    if (k->now != NULL)
        release(k->now);
    pthread_mutex_destroy(&k->lock);
    pthread_mutex_destroy(&k->fetching);
    free(k);
}

const struct jwks *auth_jwks_take(struct auth_jwks *k)
{
    pthread_mutex_lock(&k->lock);
    struct held *h = k->now;
    if (h != NULL)
        h->users++;
    pthread_mutex_unlock(&k->lock);
    return h != NULL ? h->set : NULL;
}

void auth_jwks_give(struct auth_jwks *k, const struct jwks *set)
{
    if (set == NULL)
        return;
    pthread_mutex_lock(&k->lock);
    struct held **at = &k->old, *h = k->now;
    if (h == NULL || h->set != set) {
        while ((*at)->set != set)
            at = &(*at)->next;
        h = *at;
    }
    if (--h->users == 0 && h != k->now) {
        *at = h->next;
        release(h);
    }
    pthread_mutex_unlock(&k->lock);
}

static void replace(struct auth_jwks *k, struct jwks *set)
{
    struct held *h = calloc(1, sizeof *h);
    must(h != NULL);
    h->set = set;
    pthread_mutex_lock(&k->lock);
    struct held *before = k->now;
    k->now = h;
    k->got_ms = clock_ms();
    if (before != NULL && before->users != 0) {
        before->next = k->old;
        k->old = before;
    } else if (before != NULL) {
        release(before);
    }
    pthread_mutex_unlock(&k->lock);
}

bool auth_jwks_due(struct auth_jwks *k, const struct config *c, bool unknown)
{
    uint64_t now = clock_ms();
    pthread_mutex_lock(&k->lock);
    bool due = (unknown || now - k->got_ms > c->oauth_age * 1000) && (k->claimed_ms == 0 || now - k->claimed_ms > c->oauth_refresh * 1000);
    if (due)
        k->claimed_ms = now;
    pthread_mutex_unlock(&k->lock);
    return due;
}

/* --- fetching ---------------------------------------------------------------------------------------------------------- */

static bool read_file(const char *path, struct wr *w, const char **why)
{
    char part[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : 0;
    while (fd >= 0 && (got = read(fd, part, sizeof part)) > 0)
        wr_bytes(w, part, (size_t)got);
    if (got < 0)
        *why = strerror(errno);
    if (fd >= 0)
        close(fd);
    return got == 0;
}

static size_t take_bytes(char *p, size_t each, size_t n, void *w)
{
    wr_bytes(w, p, each * n);
    return ((struct wr *)w)->full ? 0 : each * n;
}

static bool fetch_url(const struct config *c, struct wr *w, const char **why)
{
    CURL *h = curl_easy_init();
    long status = 0;
    must(h != NULL);
    curl_easy_setopt(h, CURLOPT_URL, c->oauth_jwks);
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)c->oauth_timeout);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, w);
    if (*c->oauth_ca != '\0')
        curl_easy_setopt(h, CURLOPT_CAINFO, c->oauth_ca);
    CURLcode rc = curl_easy_perform(h);
    curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
    *why = rc != CURLE_OK ? curl_easy_strerror(rc) : "the answer is not 200";
    curl_easy_cleanup(h);
    return rc == CURLE_OK && status == 200;
}

static struct jwks *load(const struct config *c, const char **why)
{
    struct arena *a = arena_new(SIZE_MAX);
    struct wr w = wr_in(a, JWKS_MOST);
    bool url = strncasecmp(c->oauth_jwks, "https://", 8) == 0;
    struct jwks *set = (url ? fetch_url(c, &w, why) : read_file(c->oauth_jwks, &w, why)) ? jwks_parse(wr_blob(&w), why) : NULL;
    arena_free(a);
    return set;
}

/* Who waited for another's fetch is content with that; and after a failure there is a pause while nothing is at hand. */
static bool another_was_here(struct auth_jwks *k, uint64_t came)
{
    enum { PAUSE_MS = 1000 };
    pthread_mutex_lock(&k->lock);
    bool yes = k->tried_ms >= came || (k->now == NULL && k->tried_ms != 0 && clock_ms() - k->tried_ms < PAUSE_MS);
    pthread_mutex_unlock(&k->lock);
    return yes;
}

void auth_jwks_fetch(struct auth_jwks *k, const struct config *c)
{
    const char *why = "";
    uint64_t came = clock_ms();
    pthread_mutex_lock(&k->fetching);
    if (!another_was_here(k, came)) {
        struct jwks *set = load(c, &why);
        if (set != NULL)
            replace(k, set);
        else
            log_line(LOGL_ERROR, "auth", "the keys of the token issuer cannot be had", "path", c->oauth_jwks, "error", why, NULL);
        metric_add(set != NULL ? METRIC_auth_keys_fetched : METRIC_auth_keys_failed, 1);
        pthread_mutex_lock(&k->lock);
        k->tried_ms = clock_ms();
        pthread_mutex_unlock(&k->lock);
    }
    pthread_mutex_unlock(&k->fetching);
}
