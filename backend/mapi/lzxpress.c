/* lzxpress.c - plain LZ77 of ROP buffers, both ways, and their obfuscation.
 *
 * The packed form: a 32-bit word of flags, highest bit first, then what its bits announce.  0 is a literal byte.  1 is a match: u16 with
 * the distance - 1 in the upper 13 bits and in the lower 3 the length - 3.  Longer lengths go on in a nibble (two matches share one byte), then
 * in a byte, then in a u16. */
#include "backend/mapi/lzxpress.h"

enum { MIN_MATCH = 3, IN_WORD = 7, IN_NIBBLE = 15, IN_BYTE = 255, WINDOW = 8192, MAX_MATCH = 0xFFFF + MIN_MATCH };

/* --- unpacking --- */

/* Places, not pointers: every access is checked against n. */
struct in { const uint8_t *p; size_t n, at, nibble; bool bad; };

static uint32_t take(struct in *in, size_t width)
{
    if (width > in->n - in->at) {
        in->bad = true;
        return 0;
    }
    uint32_t v = 0;
    for (size_t i = width; i-- > 0; )
        v = v << 8 | in->p[in->at + i];
    in->at += width;
    return v;
}

/* Two long matches share a byte: the first takes its low half, the second finds it where the first left it. */
static uint32_t take_nibble(struct in *in)
{
    if (in->nibble != 0) {
        uint32_t high = in->p[in->nibble] >> 4;
        in->nibble = 0;
        return high;
    }
    in->nibble = in->at; /* never 0: flags come first */
    return take(in, 1) & 15;
}

static size_t take_length(struct in *in, uint32_t word)
{
    uint32_t n = word & IN_WORD;
    if (n == IN_WORD)
        n += take_nibble(in);
    if (n == IN_WORD + IN_NIBBLE) {
        uint32_t more = take(in, 1);
        if (more == IN_BYTE) {
            n = take(in, 2);
            if (n == 0)
                n = take(in, 4);
            if (n < IN_WORD + IN_NIBBLE)
                in->bad = true;
        } else {
            n += more;
        }
    }
    return (size_t)n + MIN_MATCH;
}

/* Copies a match inside the output; one that reaches into itself repeats what it has written. */
static void copy_match(uint8_t *out, size_t at, size_t distance, size_t n)
{
    if (distance >= n)
        memcpy(&out[at], &out[at - distance], n);
    else if (distance == 1)
        memset(&out[at], out[at - 1], n);
    else
        for (size_t i = 0; i < n; i++)
            out[at + i] = out[at + i - distance];
}

static size_t unpack_match(struct in *in, uint8_t *out, size_t at, size_t room)
{
    uint32_t word = take(in, 2);
    size_t   n = take_length(in, word), distance = (word >> 3) + 1;
    if (in->bad || distance > at || n > room) {
        in->bad = true;
        return 0;
    }
    copy_match(out, at, distance, n);
    return n;
}

bool lzxpress_decompress(struct blob packed, uint8_t *out, size_t n)
{
    struct in in = { packed.p, packed.n, 0, 0, false };
    uint32_t  flags = 0, left = 0;
    size_t    at = 0;
    while (at < n && !in.bad) {
        if (left == 0) {
            flags = take(&in, 4);
            left = 32;
        }
        bool match = flags >> 31;
        flags <<= 1;
        left--;
        if (match)
            at += unpack_match(&in, out, at, n - at);
        else if (in.at < in.n)
            out[at++] = in.p[in.at++];
        else
            in.bad = true;
    }
    return !in.bad;
}

/* --- packing --- */

enum { HASH_BITS = 12, MOST_PER_STEP = 12 };

struct out {
    uint8_t *p;
    size_t   at, flags_at, nibble;
    uint32_t flags, left;
};

static void put(struct out *o, size_t v, size_t width)
{
    for (size_t i = 0; i < width; i++, v >>= 8)
        o->p[o->at++] = (uint8_t)v;
}

static void put_flags(struct out *o)
{
    for (size_t i = 0; i < 4; i++)
        o->p[o->flags_at + i] = (uint8_t)(o->flags >> 8 * i);
}

static void put_flag(struct out *o, uint32_t bit)
{
    o->flags = o->flags << 1 | bit;
    if (--o->left == 0) {
        put_flags(o);
        o->flags_at = o->at;
        o->at += 4;
        o->left = 32;
    }
}

static void put_nibble(struct out *o, size_t v)
{
    if (o->nibble != 0) {
        o->p[o->nibble] |= (uint8_t)(v << 4);
        o->nibble = 0;
        return;
    }
    o->nibble = o->at;
    put(o, v, 1);
}

/* The flag goes last: it may open the next word of flags, whose place is behind this match. */
static void put_match(struct out *o, size_t distance, size_t length)
{
    size_t n = length - MIN_MATCH;
    put(o, (distance - 1) << 3 | (n < IN_WORD ? n : IN_WORD), 2);
    if (n >= IN_WORD) {
        size_t more = n - IN_WORD;
        put_nibble(o, more < IN_NIBBLE ? more : IN_NIBBLE);
        if (more >= IN_NIBBLE) {
            more -= IN_NIBBLE;
            put(o, more < IN_BYTE ? more : IN_BYTE, 1);
            if (more >= IN_BYTE)
                put(o, n, 2);
        }
    }
    put_flag(o, 1);
}

static uint32_t load32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static uint32_t three(const uint8_t *p) { return load32(p) & 0xFFFFFF; }
static size_t   hash(uint32_t v)        { return v * 2654435761u >> (32 - HASH_BITS); }

static size_t match_length(const uint8_t *a, const uint8_t *b, size_t most)
{
    size_t n = 0;
    while (most - n >= 8) {
        uint64_t x, y;
        memcpy(&x, a + n, sizeof x);
        memcpy(&y, b + n, sizeof y);
        if (x != y)
            return n + (size_t)__builtin_ctzll(x ^ y) / 8;
        n += 8;
    }
    while (n < most && a[n] == b[n])
        n++;
    return n;
}

/* The length of the match at i with the last place of the same hash, or 0; remembers i.  `last` holds places + 1. */
static size_t find_match(struct blob in, size_t i, uint32_t *last, size_t *distance)
{
    uint32_t v = three(&in.p[i]), *slot = &last[hash(v)], before = *slot;
    *slot = (uint32_t)i + 1;
    if (before == 0 || i + 1 - before > WINDOW || three(&in.p[before - 1]) != v)
        return 0;
    size_t most = in.n - i < MAX_MATCH ? in.n - i : MAX_MATCH;
    *distance = i + 1 - before;
    return match_length(&in.p[i], &in.p[before - 1], most);
}

/* Remembers places inside a match too, so that the next one finds them; in a long match every fourth is enough. */
static void remember(struct blob in, size_t from, size_t to, uint32_t *last)
{
    size_t step = to - from > 32 ? 4 : 1;
    for (size_t i = from; i < to && in.n - i >= 4; i += step)
        last[hash(three(&in.p[i]))] = (uint32_t)i + 1;
}

size_t lzxpress_compress(struct blob in, uint8_t *out)
{
    uint32_t   last[1 << HASH_BITS] = { 0 };
    struct out o = { .p = out, .at = 4, .left = 32 };
    if (in.n <= MOST_PER_STEP || in.n > UINT32_MAX / 2)
        return 0;
    for (size_t i = 0, misses = 0; i < in.n; ) {
        if (o.at + MOST_PER_STEP > in.n)
            return 0;
        size_t distance = 0, n = 0;
        /* where nothing was found for long, look less often */
        if (in.n - i >= 4 && (misses < 64 || i % (misses / 32) == 0))
            n = find_match(in, i, last, &distance);
        if (n >= MIN_MATCH) {
            put_match(&o, distance, n);
            remember(in, i + 1, i + n, last);
            i += n;
            misses = 0;
        } else {
            put(&o, in.p[i++], 1);
            put_flag(&o, 0);
            misses++;
        }
    }
    /* unused flags are ones: a reader that does not know the size sees a match where the input ends */
    o.flags = o.left == 32 ? UINT32_MAX : o.flags << o.left | ((1u << o.left) - 1);
    put_flags(&o);
    return o.at < in.n ? o.at : 0;
}

void lzxpress_xor(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] ^= 0xA5;
}
