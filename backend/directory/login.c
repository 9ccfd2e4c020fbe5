/* login.c - is this the password?  Asked of the sources in their order, then remembered as a keyed digest for a while. */
#include "backend/base/crypto.h"
#include "backend/base/filetime.h"
#include "backend/base/wr.h"
#include "backend/directory/login_int.h"

static const struct source { const char *name; enum answer (*ask)(const struct question *q); bool outside; } sources[] = {
    { "own", login_own, false },
    { "ldap", login_ldap, true },
    { "pam", login_pam, true },
};

const char *login_unknown(struct arena *a, const char *words)
{
    for (const char *p = words + strspn(words, " "); *p != '\0'; p += strcspn(p, " "), p += strspn(p, " ")) {
        size_t i = 0, n = strcspn(p, " ");
        while (i < sizeof sources / sizeof sources[0] && (strlen(sources[i].name) != n || strncmp(sources[i].name, p, n) != 0))
            i++;
        if (i == sizeof sources / sizeof sources[0])
            return arena_str(a, blob_of(p, n));
    }
    return NULL;
}

/* --- what was verified --------------------------------------------------------------------------------------------------------------------- */

/* A digest under the key of this process over three strings, their ends included so that they cannot run into each other. */
static void mac3(const struct directory *d, struct arena *a, const char *x, const char *y, const char *z, uint8_t out[SHA256])
{
    struct wr w = wr_in(a, SIZE_MAX / 4);
    wr_bytes(&w, x, strlen(x) + 1);
    wr_bytes(&w, y, strlen(y) + 1);
    wr_bytes(&w, z, strlen(z) + 1);
    crypto_hmac(d->key, wr_blob(&w), out);
}

static struct login_slot *slot_of(struct directory *d, const uint8_t mac[SHA256]) { return &d->login[((size_t)mac[0] | (size_t)mac[1] << 8) % LOGIN_SLOTS]; }

static bool remembered(struct directory *d, const uint8_t mac[SHA256])
{
    pthread_mutex_lock(&d->slots_lock);
    struct login_slot *s = slot_of(d, mac);
    bool yes = s->expires_ms > clock_ms() && crypto_equal(s->mac, mac, SHA256);
    pthread_mutex_unlock(&d->slots_lock);
    return yes;
}

static void remember(struct directory *d, const uint8_t mac[SHA256], uint64_t for_ms)
{
    pthread_mutex_lock(&d->slots_lock);
    struct login_slot *s = slot_of(d, mac);
    memcpy(s->mac, mac, SHA256);
    s->expires_ms = clock_ms() + for_ms;
    pthread_mutex_unlock(&d->slots_lock);
}

const char *directory_login_name(const struct directory *d, struct arena *a, const char *name) { return login_canonical(d, a, name); }

ec_t directory_login_quick(struct directory *d, struct arena *a, const char *name, const char *password, struct person *out)
{
    const char *login = login_canonical(d, a, name), *hash = NULL;
    uint8_t proof[SHA256];
    ec_t ec = login != NULL ? person_with_hash(d, a, login, out, &hash) : EC(ecUnknownUser);
    if (ec == ecDiskError)
        return ec;
    if (ec != ecNone || out->disabled || d->config->auth_cache == 0)
        return EC(ecNotFound);
    mac3(d, a, login, password, hash, proof);
    return remembered(d, proof) ? ecNone : EC(ecNotFound);
}

/* --- the sources --------------------------------------------------------------------------------------------------------------------------- */

/* What an unknown user is compared with, so that he takes as long as a known one. */
static const char *nobodys_hash(void)
{
    return "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7";
}

enum answer login_own(const struct question *q)
{
    bool ours = q->hash != NULL && strcmp(q->hash, LOGIN_NO_HASH) != 0;
    return password_verify(q->password, ours ? q->hash : nobodys_hash()) && ours ? ANSWER_YES : ANSWER_NO;
}

const char *login_fill(struct arena *a, const char *template, const char *login, const char *(*escape)(struct arena *a, const char *value))
{
    struct wr w = wr_in(a, SIZE_MAX / 4);
    const char *at = strchr(login, '@');
    for (const char *p = template; *p != '\0'; p++) {
        const char *value = NULL;
        if (p[0] == '%' && p[1] == 's')
            value = login;
        else if (p[0] == '%' && p[1] == 'u')
            value = at != NULL ? arena_str(a, blob_of(login, (size_t)(at - login))) : login;
        else if (p[0] == '%' && p[1] == 'd')
            value = at != NULL ? at + 1 : "";
        else
            wr_u8(&w, (uint8_t)*p);
        if (value != NULL)
            wr_put(&w, blob_str(escape(a, value)));
        p += value != NULL || (p[0] == '%' && p[1] == '%');
    }
    return arena_str(a, wr_blob(&w));
}

/* In the order of the configuration, until one says yes. */
static enum answer ask(const struct question *q, bool *outside)
{
    const char *words = q->d->config->auth_passwords != NULL ? q->d->config->auth_passwords : "own";
    enum answer all = ANSWER_NO;
    for (const char *p = words + strspn(words, " "); *p != '\0'; p += strcspn(p, " "), p += strspn(p, " "))
        for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
            if (strlen(sources[i].name) != strcspn(p, " ") || strncmp(sources[i].name, p, strcspn(p, " ")) != 0)
                continue;
            enum answer one = sources[i].ask(q);
            *outside = sources[i].outside;
            if (one == ANSWER_YES)
                return one;
            all = one == ANSWER_DOWN ? one : all;
        }
    return all;
}

/* An empty password is what many directory servers take for "nobody", and let in. */
static enum answer check(const struct question *q, bool *outside)
{
    return q->password[0] != '\0' ? ask(q, outside) : login_own(&(struct question){ .password = "" });
}

ec_t directory_login(struct directory *d, struct arena *a, const char *name, const char *password, const char *addr, struct person *out)
{
    const char *login = login_canonical(d, a, name), *hash = NULL;
    ec_t ec = directory_login_quick(d, a, name, password, out);
    if (ec != ecNotFound)
        return ec;
    ec = login != NULL ? person_with_hash(d, a, login, out, &hash) : EC(ecUnknownUser);
    if (ec == ecDiskError)
        return ec;
    bool known = ec == ecNone, outside = false;
    uint8_t proof[SHA256];
    enum answer yes = check(&(struct question){ d, a, login != NULL ? login : name, password, addr, hash }, &outside);
    if (yes == ANSWER_DOWN)
        return EC(ecServerBusy);
    if (yes == ANSWER_NO || login == NULL || (known && out->disabled))
        return EC(ecLoginFailure);
    if (!known)
        return EC(ecUnknownUser);
    uint64_t s = outside ? d->config->auth_external_cache : d->config->auth_cache;
    if (s != 0) {
        mac3(d, a, login, password, hash, proof);
        remember(d, proof, s * 1000);
    }
    return ecNone;
}
