/* offline_lzx.c - bytes -> matches and literals -> prefix codes in words of 16 bits. */
#include "backend/directory/offline/offline_lzx.h"

enum { FRAME = 32768, LEAST = 3, MOST = 256,                       /* 257 would be the beginning of a longer one */
       SLOTS = 34, LITERALS = 256, MAIN = LITERALS + SLOTS * 8, LENGTH_SYMBOLS = 249, LONG_LENGTH = 7, NO_LENGTH = 0xFFFF,
       PRE = 20, PRE_BITS = 4, PRE_MOST = 15, CODE_MOST = 16,
       ZEROS = 17, MANY_ZEROS = 18, SAME = 19, VERBATIM = 1,
       HASH_BITS = 15, CHAIN = 24, GOOD = 48, NEAR_FOR_THREE = 1 << 13, FARTHEST = OFFLINE_LZX_MAX - 3, ROOM = OFFLINE_LZX_MAX + 4096, NOWHERE = -1 };

struct bits { struct wr w; uint32_t held; unsigned n; };
struct token { uint32_t extra; uint16_t main, length; uint8_t bits; };
struct match { uint32_t n, offset; };

struct offline_lzx {
    int32_t  head[1 << HASH_BITS], before[OFFLINE_LZX_MAX];
    struct token token[FRAME];
    size_t   tokens;
    uint32_t recent[3];                                             /* R0, R1, R2 */
    uint32_t main_frequency[MAIN], length_frequency[LENGTH_SYMBOLS];
    uint8_t  main_length[MAIN], length_length[LENGTH_SYMBOLS];      /* of the frame before, too: they are told as differences */
    uint16_t main_code[MAIN], length_code[LENGTH_SYMBOLS];
    uint8_t  out[ROOM];
};

struct offline_lzx *offline_lzx_new(struct arena *a) { return arena_one(a, struct offline_lzx); }

/* --- words of 16 bits, the highest bit first ---------------------------------------------------------------------------------------------------- */

static void put(struct bits *b, uint32_t v, unsigned n)     /* n <= 16 */
{
    b->held = b->held << n | v;
    b->n += n;
    if (b->n >= 16) {
        b->n -= 16;
        wr_u16(&b->w, (uint16_t)(b->held >> b->n));
        b->held &= (1u << b->n) - 1;
    }
}

static void fill_word(struct bits *b)
{
    if (b->n != 0)
        put(b, 0, 16 - b->n);
}

/* --- finding ------------------------------------------------------------------------------------------------------------------------------------ */

static uint32_t hash_of(const uint8_t *p) { return ((uint32_t)(p[0] | p[1] << 8 | p[2] << 16) * 0x9E3779B1u) >> (32 - HASH_BITS); }

static void remember(struct offline_lzx *z, struct blob in, size_t at)
{
    if (at + LEAST > in.n)
        return;
    int32_t *head = &z->head[hash_of(in.p + at)];
    z->before[at] = *head;
    *head = (int32_t)at;
}

static uint32_t common(struct blob in, size_t at, size_t from, size_t most)
{
    uint32_t n = 0;
    while (n < most && in.p[at + n] == in.p[from + n])
        n++;
    return n;
}

/* One of the last three offsets costs nearly nothing. */
static struct match recent_match(const struct offline_lzx *z, struct blob in, size_t at, size_t most)
{
    struct match best = { 0, 0 };
    for (size_t i = 0; i < 3; i++) {
        uint32_t n = z->recent[i] <= at ? common(in, at, at - z->recent[i], most) : 0;
        if (n > best.n)
            best = (struct match){ n, z->recent[i] };
    }
    return best;
}

static struct match find(const struct offline_lzx *z, struct blob in, size_t at, size_t end)
{
    size_t most = end - at < MOST ? end - at : MOST;
    struct match best = recent_match(z, in, at, most);
    if (most < LEAST)
        return best.n >= 2 ? best : (struct match){ 0, 0 };
    best.n += best.n >= 2; /* a new offset must be longer by two */
    int32_t from = z->head[hash_of(in.p + at)];
    for (int i = 0; i < CHAIN && from != NOWHERE && at - (size_t)from <= FARTHEST && best.n < most; i++, from = z->before[from]) {
        if (in.p[(size_t)from + best.n] != in.p[at + best.n])
            continue;
        uint32_t n = common(in, at, (size_t)from, most), offset = (uint32_t)(at - (size_t)from);
        if (n > best.n && (n > LEAST || (n == LEAST && offset < NEAR_FOR_THREE)))
            best = (struct match){ n, offset };
    }
    if (best.offset == z->recent[0] || best.offset == z->recent[1] || best.offset == z->recent[2])
        best.n = common(in, at, at - best.offset, most);
    return best.n >= 2 && best.offset != 0 ? best : (struct match){ 0, 0 };
}

/* --- what is found, as symbols ------------------------------------------------------------------------------------------------------------------- */

static void literal(struct offline_lzx *z, uint8_t byte)
{
    z->token[z->tokens++] = (struct token){ 0, byte, NO_LENGTH, 0 };
    z->main_frequency[byte]++;
}

/* Offsets + 2 by size: two slots for each power of two, told with so many bits behind. */
static unsigned slot_of(uint32_t formatted, uint8_t *bits, uint32_t *extra)
{
    unsigned top = 31;
    if (formatted < 4) {
        *bits = 0;
        *extra = 0;
        return formatted;
    }
    while ((formatted >> top & 1) == 0)
        top--;
    *bits = (uint8_t)(top - 1);
    *extra = formatted & ((1u << (top - 1)) - 1);
    return 2 * top + (formatted >> (top - 1) & 1);
}

static unsigned offset_slot(struct offline_lzx *z, uint32_t offset, uint8_t *bits, uint32_t *extra)
{
    uint32_t *r = z->recent;
    *bits = 0;
    *extra = 0;
    for (unsigned i = 0; i < 3; i++)
        if (r[i] == offset) {
            r[i] = r[0];
            r[0] = offset;
            return i;
        }
    r[2] = r[1];
    r[1] = r[0];
    r[0] = offset;
    return slot_of(offset + 2, bits, extra);
}

static void matched(struct offline_lzx *z, struct match m)
{
    struct token t = { .length = NO_LENGTH };
    unsigned slot = offset_slot(z, m.offset, &t.bits, &t.extra), head = m.n - 2 < LONG_LENGTH ? m.n - 2 : LONG_LENGTH;
    t.main = (uint16_t)(LITERALS + slot * 8 + head);
    if (head == LONG_LENGTH) {
        t.length = (uint16_t)(m.n - 2 - LONG_LENGTH);
        z->length_frequency[t.length]++;
    }
    z->main_frequency[t.main]++;
    z->token[z->tokens++] = t;
}

/* Takes a match, unless the next byte begins a better one. */
static void parse(struct offline_lzx *z, struct blob in, size_t at, size_t end)
{
    z->tokens = 0;
    memset(z->main_frequency, 0, sizeof z->main_frequency);
    memset(z->length_frequency, 0, sizeof z->length_frequency);
    while (at < end) {
        struct match m = find(z, in, at, end);
        remember(z, in, at);
        bool later = m.n != 0 && m.n < GOOD && at + 1 < end && find(z, in, at + 1, end).n > m.n + 1;
        if (m.n == 0 || later) {
            literal(z, in.p[at++]);
            continue;
        }
        for (size_t i = 1; i < m.n; i++)
            remember(z, in, at + i);
        matched(z, m);
        at += m.n;
    }
}

/* --- lengths of codes, by how they differ from those before --------------------------------------------------------------------------------------- */

struct step { uint8_t symbol, behind, bits, more; };               /* more: the symbol behind SAME */

static uint8_t difference(uint8_t was, uint8_t is) { return (uint8_t)((was + 17 - is) % 17); }

static size_t run(const uint8_t *v, size_t at, size_t n, size_t most)
{
    size_t k = 1;
    while (at + k < n && k < most && v[at + k] == v[at])
        k++;
    return k;
}

static size_t steps_of(const uint8_t *was, const uint8_t *is, size_t n, struct step *step)
{
    size_t steps = 0;
    for (size_t i = 0; i < n; ) {
        size_t k = run(is, i, n, is[i] == 0 ? 51 : 5);
        uint8_t d = difference(was[i], is[i]);
        if (is[i] == 0 && k >= 20)
            step[steps++] = (struct step){ MANY_ZEROS, (uint8_t)(k - 20), 5, 0 };
        else if (is[i] == 0 && k >= 4)
            step[steps++] = (struct step){ ZEROS, (uint8_t)((k = k < 19 ? k : 19) - 4), 4, 0 };
        else if (is[i] != 0 && k >= 4)
            step[steps++] = (struct step){ SAME, (uint8_t)(k - 4), 1, d };
        else
            step[steps++] = (struct step){ d, 0, (uint8_t)(k = 1, 0), 0 };
        i += k;
    }
    return steps;
}

static void put_lengths(struct bits *b, const uint8_t *was, const uint8_t *is, size_t n)
{
    struct step step[MAIN];
    uint32_t frequency[PRE] = { 0 };
    uint8_t  length[PRE];
    uint16_t code[PRE];
    size_t   steps = steps_of(was, is, n, step);
    for (size_t i = 0; i < steps; i++) {
        frequency[step[i].symbol]++;
        frequency[step[i].more] += step[i].symbol == SAME;
    }
    huffman_lengths(frequency, PRE, PRE_MOST, length);
    huffman_codes(length, PRE, code);
    for (size_t i = 0; i < PRE; i++)
        put(b, length[i], PRE_BITS);
    for (size_t i = 0; i < steps; i++) {
        put(b, code[step[i].symbol], length[step[i].symbol]);
        put(b, step[i].behind, step[i].bits);
        if (step[i].symbol == SAME)
            put(b, code[step[i].more], length[step[i].more]);
    }
}

/* --- frames -------------------------------------------------------------------------------------------------------------------------------------- */

static void put_codes(struct offline_lzx *z, struct bits *b)
{
    uint8_t was[MAIN], was_length[LENGTH_SYMBOLS];
    memcpy(was, z->main_length, sizeof was);
    memcpy(was_length, z->length_length, sizeof was_length);
    huffman_lengths(z->main_frequency, MAIN, CODE_MOST, z->main_length);
    huffman_lengths(z->length_frequency, LENGTH_SYMBOLS, CODE_MOST, z->length_length);
    huffman_codes(z->main_length, MAIN, z->main_code);
    huffman_codes(z->length_length, LENGTH_SYMBOLS, z->length_code);
    put_lengths(b, was, z->main_length, LITERALS);
    put_lengths(b, was + LITERALS, z->main_length + LITERALS, MAIN - LITERALS);
    put_lengths(b, was_length, z->length_length, LENGTH_SYMBOLS);
}

static void put_tokens(const struct offline_lzx *z, struct bits *b)
{
    for (size_t i = 0; i < z->tokens; i++) {
        const struct token *t = &z->token[i];
        put(b, z->main_code[t->main], z->main_length[t->main]);
        if (t->length != NO_LENGTH)
            put(b, z->length_code[t->length], z->length_length[t->length]);
        put(b, t->extra, t->bits);
    }
}

/* Its size, then the bits: in the first that nothing was translated, a head, the codes, the symbols. */
static void put_frame(struct offline_lzx *z, struct bits *b, struct blob in, size_t at)
{
    size_t end = in.n - at < FRAME ? in.n : at + FRAME, mark = wr_mark(&b->w);
    parse(z, in, at, end);
    wr_u16(&b->w, 0);
    if (at == 0)
        put(b, 0, 1);
    put(b, VERBATIM, 3);
    put(b, (uint32_t)(end - at) >> 8, 16);
    put(b, (uint32_t)(end - at) & 0xFF, 8);
    put_codes(z, b);
    put_tokens(z, b);
    fill_word(b);
    if (!b->w.full)
        wr_patch_u16(&b->w, mark, (uint16_t)(wr_mark(&b->w) - mark - sizeof(uint16_t)));
}

bool offline_lzx_block(struct offline_lzx *z, struct blob in, struct blob *out)
{
    struct bits b = { wr_over(z->out, sizeof z->out), 0, 0 };
    for (size_t i = 0; i < sizeof z->head / sizeof z->head[0]; i++)
        z->head[i] = NOWHERE;
    memset(z->main_length, 0, sizeof z->main_length);
    memset(z->length_length, 0, sizeof z->length_length);
    z->recent[0] = z->recent[1] = z->recent[2] = 1;
    for (size_t at = 0; at < in.n && !b.w.full; at += FRAME)
        put_frame(z, &b, in, at);
    *out = wr_blob(&b.w);
    return !b.w.full && out->n < in.n;
}
