/* cookie.c - ids and numbers -> cookie texts with MACs, and back. */
#include "session/context/cookie.h"
#include "backend/base/crypto.h"
#include "backend/base/rd.h"
#include "backend/base/wr.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAC = 16, CACHED = 8, SECRET_MIN = 32, SECRET_MAX = 4096, DAY = 86400, CONTEXT_TEXT = 48, SEQUENCE_TEXT = 38 };

struct cookie_keys {
    struct blob     secret;
    pthread_mutex_t lock;
    struct { bool set; uint32_t epoch; uint8_t key[SHA256]; } cache[CACHED];
};

static struct blob read_all(const char *path, struct arena *a, const char **why)
{
    uint8_t *p = arena_alloc(a, SECRET_MAX);
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        *why = arena_printf(a, "secret file %s: %s", path, strerror(errno));
        return blob_of(NULL, 0);
    }
    ssize_t n = read(fd, p, SECRET_MAX);
    close(fd);
    if ((st.st_mode & S_IRWXO) != 0) {
        *why = arena_printf(a, "secret file %s may be read or written by others", path);
        return blob_of(NULL, 0);
    }
    if (n < SECRET_MIN)
        *why = arena_printf(a, "secret file %s has less than %d bytes", path, SECRET_MIN);
    return blob_of(p, n < SECRET_MIN ? 0 : (size_t)n);
}

static void keys_end(void *ptr) { pthread_mutex_destroy(&((struct cookie_keys *)ptr)->lock); }

struct cookie_keys *cookie_keys_load(const char *path, struct arena *a, const char **why)
{
    struct blob secret = read_all(path, a, why);
    if (secret.n == 0)
        return NULL;
    struct cookie_keys *k = arena_one(a, struct cookie_keys);
    k->secret = secret;
    pthread_mutex_init(&k->lock, NULL);
    arena_defer(a, keys_end, k);
    return k;
}

uint32_t cookie_epoch(void) { return (uint32_t)(time(NULL) / DAY); }

static void key_of(struct cookie_keys *k, uint32_t epoch, uint8_t out[SHA256])
{
    pthread_mutex_lock(&k->lock);
    size_t i = epoch % CACHED;
    if (!k->cache[i].set || k->cache[i].epoch != epoch) {
        crypto_hkdf(k->secret, "mapihttpd session cookie", epoch, k->cache[i].key);
        k->cache[i].epoch = epoch;
        k->cache[i].set = true;
    }
    memcpy(out, k->cache[i].key, SHA256);
    pthread_mutex_unlock(&k->lock);
}

/* The first byte keeps the two kinds apart. */
static void mac_of(struct cookie_keys *k, char kind, const uint8_t id[CONTEXT_ID], uint64_t number, uint32_t epoch, uint8_t out[SHA256])
{
    uint8_t   key[SHA256], text[1 + CONTEXT_ID + 8 + 4];
    struct wr w = wr_over(text, sizeof text);
    wr_u8(&w, (uint8_t)kind);
    wr_bytes(&w, id, CONTEXT_ID);
    wr_u64(&w, number);
    wr_u32(&w, epoch);
    key_of(k, epoch, key);
    crypto_hmac(key, wr_blob(&w), out);
}

const char *cookie_token(struct cookie_keys *k, struct arena *a, const char *text, uint32_t epoch)
{
    uint8_t key[SHA256], mac[SHA256];
    key_of(k, epoch, key);
    crypto_hmac(key, blob_str(arena_printf(a, "token\n%s", text)), mac);
    return base64url(a, blob_of(mac, 16));
}

const char *cookie_context(struct cookie_keys *k, struct arena *a, const uint8_t id[CONTEXT_ID], uint32_t epoch)
{
    uint8_t   mac[SHA256], text[CONTEXT_ID + 4 + MAC];
    struct wr w = wr_over(text, sizeof text);
    mac_of(k, 'c', id, 0, epoch, mac);
    wr_bytes(&w, id, CONTEXT_ID);
    wr_u32(&w, epoch);
    wr_bytes(&w, mac, MAC);
    return base64url(a, wr_blob(&w));
}

const char *cookie_sequence(struct cookie_keys *k, struct arena *a, const uint8_t id[CONTEXT_ID], uint64_t number, uint32_t epoch)
{
    uint8_t   mac[SHA256], text[8 + 4 + MAC];
    struct wr w = wr_over(text, sizeof text);
    mac_of(k, 's', id, number, epoch, mac);
    wr_u64(&w, number);
    wr_u32(&w, epoch);
    wr_bytes(&w, mac, MAC);
    return base64url(a, wr_blob(&w));
}

/* Clocks of hosts differ: the next day's key is known too. */
static enum cookie judge(struct cookie_keys *k, char kind, const uint8_t id[CONTEXT_ID], uint64_t number, uint32_t epoch, struct blob mac)
{
    uint8_t  right[SHA256];
    uint32_t today = cookie_epoch();
    if (epoch > today + 1)
        return COOKIE_FORGED;
    mac_of(k, kind, id, number, epoch, right);
    if (mac.n != MAC || !crypto_equal(mac.p, right, MAC))
        return COOKIE_FORGED;
    return today > epoch && today - epoch > COOKIE_EPOCHS ? COOKIE_OLD : COOKIE_GOOD;
}

static bool bytes_of(struct arena *a, const char *text, size_t chars, struct rd *out)
{
    struct blob b;
    if (strnlen(text, chars + 1) != chars || !base64url_decode(a, text, &b))
        return false;
    *out = rd_blob_of(b);
    return true;
}

enum cookie cookie_read_context(struct cookie_keys *k, struct arena *a, const char *text, uint8_t id[CONTEXT_ID])
{
    struct rd r;
    if (!bytes_of(a, text, CONTEXT_TEXT, &r))
        return COOKIE_FORGED;
    struct blob b = rd_blob(&r, CONTEXT_ID);
    uint32_t epoch = rd_u32(&r);
    struct blob mac = rd_blob(&r, MAC);
    if (!rd_done(&r))
        return COOKIE_FORGED;
    memcpy(id, b.p, CONTEXT_ID);
    return judge(k, 'c', id, 0, epoch, mac);
}

enum cookie cookie_read_sequence(struct cookie_keys *k, struct arena *a, const char *text, const uint8_t id[CONTEXT_ID], uint64_t *number)
{
    struct rd r;
    if (!bytes_of(a, text, SEQUENCE_TEXT, &r))
        return COOKIE_FORGED;
    *number = rd_u64(&r);
    uint32_t epoch = rd_u32(&r);
    struct blob mac = rd_blob(&r, MAC);
    return rd_done(&r) ? judge(k, 's', id, *number, epoch, mac) : COOKIE_FORGED;
}
