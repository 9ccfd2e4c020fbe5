/* bell.c - channels of mailboxes, each with those who listen; Redis' messages in, rings out. */
#include "backend/event/bell.h"
#include "backend/base/crypto.h"
#include "backend/base/metric.h"
#include "backend/base/must.h"
#include "backend/base/redis_sub.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { TABLE_MIN = 256, CHANNEL = 256, ARENA = 1 << 16 };

struct bell_channel {
    struct bell_channel *next;   /* of its bucket */
    struct guid      mailbox;
    struct bell_ear *ears;
    bool             live;       /* Redis has confirmed it */
};

struct bell {
    const struct config *config;
    struct redis    *redis;
    char             name[BELL_NAME + 1];
    bell_told       *told;
    void            *ctx;
    pthread_mutex_t  lock;
    struct redis_sub *sub;       /* NULL until somebody listens */
    bool             open;       /* it has a connection */
    struct bell_channel **table; /* by GUID; grows, lives as long as the process */
    size_t           buckets, n;
};

/* --- names ------------------------------------------------------------------------------------------------------------------------------------ */

static const char mailbox_word[] = "bell:", process_word[] = "to:";

static size_t put_hex(char *to, const uint8_t *p, size_t n)
{
    static const char digit[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        to[2 * i] = digit[p[i] >> 4];
        to[2 * i + 1] = digit[p[i] & 15];
    }
    return 2 * n;
}

static bool get_hex(struct blob b, uint8_t *out, size_t n)
{
    if (b.n != 2 * n)
        return false;
    for (size_t i = 0; i < 2 * n; i++) {
        uint8_t c = b.p[i];
        bool digit = c >= '0' && c <= '9';
        if (!digit && (c < 'a' || c > 'f'))
            return false;
        out[i / 2] = (uint8_t)(out[i / 2] << 4 | (digit ? c - '0' : c - 'a' + 10));
    }
    return true;
}

/* Braces: the part that decides the slot of a cluster, should the channels be sharded. */
static struct blob channel_name(const struct config *c, const struct guid *mailbox, char out[CHANNEL])
{
    int n = snprintf(out, CHANNEL, "%s%s{", c->redis_prefix, mailbox_word);
    must(n > 0 && n + 2 * (int)sizeof mailbox->b + 1 < CHANNEL);
    size_t end = (size_t)n + put_hex(out + n, mailbox->b, sizeof mailbox->b);
    out[end] = '}';
    return blob_of(out, end + 1);
}

const char *bell_prefix(struct arena *a, const struct config *c) { return arena_printf(a, "%s%s", c->redis_prefix, process_word); }

static struct blob own_name(const struct bell *b, char out[CHANNEL])
{
    int n = snprintf(out, CHANNEL, "%s%s%s", b->config->redis_prefix, process_word, b->name);
    must(n > 0 && n < CHANNEL);
    return blob_of(out, (size_t)n);
}

static bool skip_word(struct blob *b, const char *word)
{
    size_t n = strlen(word);
    if (b->n < n || memcmp(b->p, word, n) != 0)
        return false;
    *b = blob_of(b->p + n, b->n - n);
    return true;
}

static bool mailbox_of(const struct config *c, struct blob name, struct guid *out)
{
    if (!skip_word(&name, c->redis_prefix) || !skip_word(&name, mailbox_word) || !skip_word(&name, "{") || name.n == 0 || name.p[name.n - 1] != '}')
        return false;
    return get_hex(blob_of(name.p, name.n - 1), out->b, sizeof out->b);
}

/* --- the table, with the lock held -------------------------------------------------------------------------------------------------------------- */

static struct bell_channel **place(const struct bell *b, const struct guid *g)
{
    size_t h;
    memcpy(&h, g->b + sizeof g->b - sizeof h, sizeof h); /* GUIDs of ours are random */
    struct bell_channel **at = &b->table[h & (b->buckets - 1)];
    while (*at != NULL && !guid_eq(&(*at)->mailbox, g))
        at = &(*at)->next;
    return at;
}

static void grow(struct bell *b)
{
    struct bell_channel **old = b->table;
    size_t n = b->buckets;
    b->buckets = n != 0 ? 2 * n : TABLE_MIN;
    b->table = calloc(b->buckets, sizeof(struct bell_channel *));
    must(b->table != NULL);
    for (size_t i = 0; i < n; i++)
        for (struct bell_channel *c = old[i], *next; c != NULL; c = next) {
            next = c->next;
            c->next = NULL;
            *place(b, &c->mailbox) = c;
        }
    free(old);
}

static struct bell_channel *channel_new(struct bell *b, const struct guid *g)
{
    if (b->n >= b->buckets)
        grow(b);
    struct bell_channel *c = calloc(1, sizeof *c); /* as many as there are mailboxes that somebody waits for */
    must(c != NULL);
    c->mailbox = *g;
    *place(b, g) = c;
    b->n++;
    return c;
}

static void ring_all(const struct bell_channel *c, uint64_t seq)
{
    for (struct bell_ear *e = c->ears, *next; e != NULL; e = next) {
        next = e->next;
        e->ring(e, seq);
    }
}

/* --- what the connection says --------------------------------------------------------------------------------------------------------------------- */

static void connected(void *ctx)
{
    struct bell *b = ctx;
    char name[CHANNEL];
    pthread_mutex_lock(&b->lock);
    b->open = true;
    redis_sub_add(b->sub, own_name(b, name));
    for (size_t i = 0; i < b->buckets; i++)
        for (struct bell_channel *c = b->table[i]; c != NULL; c = c->next)
            redis_sub_add(b->sub, channel_name(b->config, &c->mailbox, name));
    pthread_mutex_unlock(&b->lock);
}

static void confirmed(void *ctx, struct blob channel)
{
    struct bell *b = ctx;
    struct guid g;
    pthread_mutex_lock(&b->lock);
    struct bell_channel *c = mailbox_of(b->config, channel, &g) ? *place(b, &g) : NULL;
    if (c != NULL && !c->live) {
        c->live = true;
        ring_all(c, RING_UNKNOWN);
    } else if (c == NULL) {
        b->told(b->ctx, NULL);
    }
    pthread_mutex_unlock(&b->lock);
}

static uint64_t number_of(struct blob text)
{
    uint64_t v = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || v > UINT64_MAX / 10 - 1)
            return RING_UNKNOWN; /* not what we send: look for yourself */
        v = v * 10 + (uint64_t)(text.p[i] - '0');
    }
    return text.n != 0 ? v : RING_UNKNOWN;
}

static void heard(void *ctx, struct blob channel, struct blob message)
{
    struct bell *b = ctx;
    struct guid g;
    metric_add(METRIC_rings_received, 1);
    pthread_mutex_lock(&b->lock);
    if (mailbox_of(b->config, channel, &g)) {
        struct bell_channel *c = *place(b, &g);
        if (c != NULL)
            ring_all(c, number_of(message));
    } else {
        b->told(b->ctx, &message);
    }
    pthread_mutex_unlock(&b->lock);
}

static void lost(void *ctx)
{
    struct bell *b = ctx;
    pthread_mutex_lock(&b->lock);
    b->open = false;
    for (size_t i = 0; i < b->buckets; i++)
        for (struct bell_channel *c = b->table[i]; c != NULL; c = c->next)
            c->live = false;
    pthread_mutex_unlock(&b->lock);
}

/* --- listening ------------------------------------------------------------------------------------------------------------------------------------ */

struct bell *bell_new(const struct config *c, struct redis *r, bell_told *told, void *ctx)
{
    struct bell *b = calloc(1, sizeof *b);
    uint8_t random[BELL_NAME / 2];
    must(b != NULL);
    b->config = c;
    b->redis = r;
    b->told = told;
    b->ctx = ctx;
    crypto_random(random, sizeof random);
    put_hex(b->name, random, sizeof random);
    pthread_mutex_init(&b->lock, NULL);
    grow(b);
    return b;
}

void bell_free(struct bell *b)
{
    redis_sub_end(b->sub);
    must(b->n == 0);
    free(b->table);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

const char *bell_name(const struct bell *b) { return b->name; }

/* With the lock held, which the thread takes before it does anything with us. */
static void start(struct bell *b)
{
    const struct redis_sub_user user = { b, connected, confirmed, heard, lost };
    if (b->sub == NULL)
        b->sub = redis_sub_begin(b->redis, &user, b->config->redis_timeout);
}

enum bell_state bell_listen(struct bell *b, const struct guid *mailbox, struct bell_ear *e)
{
    char name[CHANNEL];
    pthread_mutex_lock(&b->lock);
    start(b);
    struct bell_channel *c = *place(b, mailbox);
    if (c == NULL) {
        c = channel_new(b, mailbox);
        if (b->sub != NULL)
            redis_sub_add(b->sub, channel_name(b->config, mailbox, name));
    }
    e->channel = c;
    e->next = c->ears;
    e->link = &c->ears;
    if (e->next != NULL)
        e->next->link = &e->next;
    c->ears = e;
    enum bell_state s = c->live ? BELL_LIVE : b->open ? BELL_SOON : BELL_DOWN;
    pthread_mutex_unlock(&b->lock);
    return s;
}

void bell_leave(struct bell *b, struct bell_ear *e)
{
    char name[CHANNEL];
    pthread_mutex_lock(&b->lock);
    struct bell_channel *c = e->channel;
    if (c != NULL) {
        *e->link = e->next;
        if (e->next != NULL)
            e->next->link = e->link;
        e->channel = NULL;
        if (c->ears == NULL) {
            if (b->sub != NULL)
                redis_sub_remove(b->sub, channel_name(b->config, &c->mailbox, name));
            *place(b, &c->mailbox) = c->next;
            b->n--;
            free(c);
        }
    }
    pthread_mutex_unlock(&b->lock);
}

/* --- ringing -------------------------------------------------------------------------------------------------------------------------------------- */

const struct blob *bell_command(struct arena *a, const struct config *c, const struct guid *mailbox, uint64_t seq)
{
    char name[CHANNEL];
    struct blob *v = arena_array(a, struct blob, 3);
    v[0] = blob_str("PUBLISH");
    v[1] = arena_blob(a, channel_name(c, mailbox, name));
    v[2] = blob_str(arena_printf(a, "%llu", (unsigned long long)seq));
    metric_add(METRIC_rings_sent, 1);
    return v;
}

void bell_ring(struct redis *r, const struct config *c, const struct guid *mailbox, uint64_t seq)
{
    struct arena *a = arena_new(ARENA);
    struct redis_conn *conn = redis_take_now(r, a, blob_of(NULL, 0)); /* PUBLISH at any node reaches all */
    if (conn != NULL) {
        redis_queue(conn, 3, bell_command(a, c, mailbox, seq));
        redis_flush(conn);
        redis_forget(conn);
    }
    arena_free(a);
}
