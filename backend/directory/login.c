/* login.c - is this the password?  Verified once by a slow hash, then remembered as a keyed digest for a while. */
#include "backend/base/crypto.h"
#include "backend/base/filetime.h"
#include "backend/base/wr.h"
#include "backend/directory/directory_int.h"

enum { FAIL_FORGET_MS = 15 * 60 * 1000, FAIL_DOUBLINGS = 4 };

/* A digest under the key of this process over up to three strings, their ends included so that they cannot run into each other. */
static void mac3(const struct directory *d, struct arena *a, const char *x, const char *y, const char *z, uint8_t out[SHA256])
{
    struct wr w = wr_in(a, SIZE_MAX / 4);
    wr_bytes(&w, x, strlen(x) + 1);
    wr_bytes(&w, y, strlen(y) + 1);
    wr_bytes(&w, z, strlen(z) + 1);
    crypto_hmac(d->key, wr_blob(&w), out);
}

static size_t slot_of(const uint8_t mac[SHA256], size_t slots) { return ((size_t)mac[0] | (size_t)mac[1] << 8) % slots; }

static bool remembered(struct directory *d, const uint8_t mac[SHA256])
{
    pthread_mutex_lock(&d->slots_lock);
    struct login_slot *s = &d->login[slot_of(mac, LOGIN_SLOTS)];
    bool yes = s->expires_ms > clock_ms() && crypto_equal(s->mac, mac, SHA256);
    pthread_mutex_unlock(&d->slots_lock);
    return yes;
}

static void remember(struct directory *d, const uint8_t mac[SHA256])
{
    pthread_mutex_lock(&d->slots_lock);
    struct login_slot *s = &d->login[slot_of(mac, LOGIN_SLOTS)];
    memcpy(s->mac, mac, SHA256);
    s->expires_ms = clock_ms() + d->cache_ms;
    pthread_mutex_unlock(&d->slots_lock);
}

/* Counts a failure and gives the delay; the count is forgotten after a quarter of an hour without one. */
static uint64_t failed(struct directory *d, const uint8_t mac[SHA256])
{
    uint64_t now = clock_ms();
    pthread_mutex_lock(&d->slots_lock);
    struct fail_slot *s = &d->fail[slot_of(mac, FAIL_SLOTS)];
    if (memcmp(s->mac, mac, SHA256) != 0 || now - s->last_ms > FAIL_FORGET_MS) {
        memcpy(s->mac, mac, SHA256);
        s->count = 0;
    }
    unsigned doublings = s->count < FAIL_DOUBLINGS ? s->count : FAIL_DOUBLINGS;
    s->count++;
    s->last_ms = now;
    pthread_mutex_unlock(&d->slots_lock);
    return d->delay_ms << doublings;
}

static void succeeded(struct directory *d, const uint8_t mac[SHA256])
{
    pthread_mutex_lock(&d->slots_lock);
    struct fail_slot *s = &d->fail[slot_of(mac, FAIL_SLOTS)];
    if (memcmp(s->mac, mac, SHA256) == 0)
        s->count = 0;
    pthread_mutex_unlock(&d->slots_lock);
}

/* What an unknown user is compared with, so that he takes as long as a known one. */
static const char *nobodys_hash(void)
{
    return "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7";
}

ec_t directory_login(struct directory *d, struct arena *a, const char *name, const char *password, const char *addr, struct person *out,
                     uint64_t *delay_ms)
{
    *delay_ms = 0;
    const char *login = login_canonical(d, a, name), *hash = NULL;
    uint8_t who[SHA256], proof[SHA256];
    ec_t ec = login != NULL ? person_with_hash(d, a, login, out, &hash) : EC(ecUnknownUser);
    if (ec == ecDiskError)
        return ec;
    bool known = ec == ecNone && !out->disabled;
    if (known) {
        mac3(d, a, login, password, hash, proof);
        if (d->cache_ms != 0 && remembered(d, proof))
            return ecNone;
    }
    mac3(d, a, login != NULL ? login : name, addr, "failure", who);
    if (!password_verify(password, hash != NULL ? hash : nobodys_hash()) || !known) {
        *delay_ms = failed(d, who);
        return EC(ecLoginFailure);
    }
    succeeded(d, who);
    remember(d, proof);
    return ecNone;
}
