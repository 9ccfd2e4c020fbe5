/* known.c - a bounded table of persons by the MAC of what they sent; a newer entry takes the place of an older one. */
#include "fcgi/known.h"
#include "backend/base/crypto.h"
#include "backend/base/must.h"
#include "backend/base/rd.h"
#include "backend/base/wr.h"
#include <pthread.h>
#include <stdlib.h>

enum { SLOTS = 1024, TEXT = 960 }; /* 1 MiB at most, touched as it is used */

struct slot {
    uint8_t       mac[SHA256];
    uint64_t      until;
    struct person person;          /* its strings lie in `text`, one after the other */
    uint8_t       text[TEXT];
    size_t        n;
};

struct known {
    pthread_mutex_t lock;
    uint8_t         key[SHA256];
    struct slot     slot[SLOTS];
};

struct known *known_new(void)
{
    struct known *k = calloc(1, sizeof *k);
    must(k != NULL);
    pthread_mutex_init(&k->lock, NULL);
    crypto_random(k->key, sizeof k->key);
    return k;
}

void known_free(struct known *k)
{
    if (k != NULL)
        pthread_mutex_destroy(&k->lock);
    free(k);
}

static struct slot *slot_of(struct known *k, const char *authorization, uint8_t mac[SHA256])
{
    crypto_hmac(k->key, blob_str(authorization), mac);
    return &k->slot[((size_t)mac[0] << 8 | mac[1]) % SLOTS];
}

static const char *next(struct rd *r, struct arena *a) { return arena_str(a, rd_asciiz(r)); }

bool known_find(struct known *k, struct arena *a, const char *authorization, uint64_t now, struct person *out)
{
    uint8_t mac[SHA256];
    struct slot *s = slot_of(k, authorization, mac);
    pthread_mutex_lock(&k->lock);
    bool found = s->until > now && crypto_equal(s->mac, mac, SHA256);
    if (found) {
        struct rd r = rd_over(s->text, s->n);
        *out = s->person;
        out->login = next(&r, a);
        out->smtp = next(&r, a);
        out->dn = next(&r, a);
        out->display_name = next(&r, a);
        must(rd_done(&r));
    }
    pthread_mutex_unlock(&k->lock);
    return found;
}

void known_keep(struct known *k, const char *authorization, uint64_t until, const struct person *p)
{
    uint8_t mac[SHA256];
    struct slot *s = slot_of(k, authorization, mac);
    pthread_mutex_lock(&k->lock);
    struct wr w = wr_over(s->text, TEXT);
    wr_bytes(&w, p->login, strlen(p->login) + 1);
    wr_bytes(&w, p->smtp, strlen(p->smtp) + 1);
    wr_bytes(&w, p->dn, strlen(p->dn) + 1);
    wr_bytes(&w, p->display_name, strlen(p->display_name) + 1);
    memcpy(s->mac, mac, SHA256);
    s->until = w.full ? 0 : until; /* a person with names beyond all measure is asked for each time */
    s->person = *p;
    s->n = w.n;
    pthread_mutex_unlock(&k->lock);
}
