/* redis_address.c - the text of the key `redis`, and addresses that servers tell -> where to connect; a key -> its slot in a cluster. */
#include "backend/base/redis_int.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

enum { UNIX_PATH = sizeof ((struct sockaddr_un *)0)->sun_path, PORT_MAX = 65535 };

bool redis_address_set(struct redis_address *out, const char *host, size_t n, long port)
{
    if (n == 0 || n >= sizeof out->host || port < 0 || port > PORT_MAX)
        return false;
    memset(out, 0, sizeof *out);
    memcpy(out->host, host, n);
    out->port = (int)port;
    return true;
}

bool redis_address_parse(const char *text, size_t n, struct redis_address *out)
{
    size_t digits = 0, at;
    long   port = 0;
    while (digits < n && digits < 6 && text[n - 1 - digits] >= '0' && text[n - 1 - digits] <= '9')
        digits++;
    if (digits == 0 || digits >= n || text[n - 1 - digits] != ':')
        return false;
    for (at = n - digits; at < n; at++)
        port = port * 10 + (text[at] - '0');
    n -= digits + 1;
    if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
        text++;
        n -= 2;
    }
    bool brackets = memchr(text, '[', n) != NULL || memchr(text, ']', n) != NULL; /* no host has them */
    return port != 0 && !brackets && redis_address_set(out, text, n, port);
}

bool redis_address_eq(const struct redis_address *a, const struct redis_address *b) { return a->port == b->port && strcmp(a->host, b->host) == 0; }

const char *redis_address_text(const struct redis_address *at, char out[300])
{
    if (at->port == 0)
        snprintf(out, 300, "%s", at->host);
    else
        snprintf(out, 300, strchr(at->host, ':') != NULL ? "[%s]:%d" : "%s:%d", at->host, at->port);
    return out;
}

/* --- the key `redis` ------------------------------------------------------------------------------------------------------------------------- */
static size_t word(const char **at)
{
    *at += strspn(*at, " \t,");
    return strcspn(*at, " \t,");
}

static bool parse_seeds(const char *at, struct redis_target *out, char why[REDIS_WHY])
{
    for (size_t n; (n = word(&at)) != 0; at += n) {
        if (out->seeds == REDIS_SEEDS) {
            snprintf(why, REDIS_WHY, "more than %d addresses", REDIS_SEEDS);
            return false;
        }
        if (!redis_address_parse(at, n, &out->seed[out->seeds++])) {
            snprintf(why, REDIS_WHY, "\"%.*s\" is not host:port", (int)(n < 100 ? n : 100), at);
            return false;
        }
    }
    if (out->seeds == 0)
        snprintf(why, REDIS_WHY, "no address host:port is given");
    return out->seeds != 0;
}

static bool parse_one(const char *text, struct redis_target *out, char why[REDIS_WHY])
{
    size_t n = strlen(text);
    out->seeds = 1;
    if (strchr(text, '/') == NULL && strchr(text, ':') != NULL) {
        if (redis_address_parse(text, n, &out->seed[0]))
            return true;
        snprintf(why, REDIS_WHY, "\"%.100s\" is neither host:port nor the path of a socket", text);
        return false;
    }
    /* a longer path would be cut and never answer */
    if (n < UNIX_PATH && redis_address_set(&out->seed[0], text, n, 0))
        return true;
    snprintf(why, REDIS_WHY, "the path of a socket has at least one and at most %d bytes", UNIX_PATH - 1);
    return false;
}

bool redis_target_parse(const char *text, struct redis_target *out, char why[REDIS_WHY])
{
    *out = (struct redis_target){ .mode = REDIS_ONE };
    const char *at = text;
    size_t n = word(&at);
    if (n == 7 && strncmp(at, "cluster", n) == 0) {
        out->mode = REDIS_CLUSTER;
        return parse_seeds(at + n, out, why);
    }
    if (n != 8 || strncmp(at, "sentinel", n) != 0)
        return parse_one(text, out, why);
    out->mode = REDIS_SENTINEL;
    at += n;
    n = word(&at);
    struct redis_address none;
    if (n == 0 || n >= sizeof out->master || redis_address_parse(at, n, &none)) {
        snprintf(why, REDIS_WHY, "behind \"sentinel\" the name of the master is expected (at most %zu bytes), then the sentinels", sizeof out->master - 1);
        return false;
    }
    memcpy(out->master, at, n);
    return parse_seeds(at + n, out, why);
}

/* --- slots ------------------------------------------------------------------------------------------------------------------------------------ */
/* CRC-16/XMODEM, four bits at a time. */
static unsigned crc16(struct blob b)
{
    static const uint16_t table[16] = { 0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7,
                                        0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef };
    unsigned crc = 0;
    for (size_t i = 0; i < b.n; i++) {
        crc = ((crc << 4) ^ table[(crc >> 12 ^ b.p[i] >> 4) & 15]) & 0xFFFF;
        crc = ((crc << 4) ^ table[(crc >> 12 ^ b.p[i]) & 15]) & 0xFFFF;
    }
    return crc;
}

unsigned redis_slot(struct blob key)
{
    const uint8_t *open = key.n != 0 ? memchr(key.p, '{', key.n) : NULL;
    if (open != NULL) {
        size_t left = key.n - (size_t)(open - key.p) - 1;
        const uint8_t *shut = memchr(open + 1, '}', left);
        if (shut != NULL && shut != open + 1)
            key = blob_of(open + 1, (size_t)(shut - open) - 1);
    }
    return crc16(key) % REDIS_SLOTS;
}
