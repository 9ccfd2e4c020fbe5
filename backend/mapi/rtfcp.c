/* rtfcp.c - compressed RTF (MS-OXRTFCP): runs of eight tokens, each a byte or a reference into a circular dictionary of 4096 bytes. */
#include "backend/mapi/rtfcp.h"
#include "backend/base/rd.h"
#include "backend/base/wr.h"

enum { DICTIONARY = 4096, MASK = DICTIONARY - 1, SHORTEST = 2, LONGEST = 17, RUN = 8 };
#define COMPRESSED   0x75465A4Cu /* "LZFu" */
#define UNCOMPRESSED 0x414C454Du /* "MELA" */

static const char initial[] =
    "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArial"
    "Times New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
enum { INITIAL = sizeof initial - 1 };
_Static_assert(INITIAL == 207, "MS-OXRTFCP 2.1.2.1");

uint32_t rtfcp_crc(struct blob b)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < b.n; i++) {
        crc ^= b.p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1)));
    }
    return crc;
}

/* --- unpacking --- */

struct unpacker { uint8_t dict[DICTIONARY]; size_t at; uint8_t *out; size_t n, room; bool end; };

static void emit(struct unpacker *u, uint8_t c)
{
    u->dict[u->at] = c;
    u->at = (u->at + 1) & MASK;
    if (u->n < u->room)
        u->out[u->n++] = c;
}

static void reference(struct unpacker *u, struct rd *r)
{
    size_t high = rd_u8(r), word = high << 8 | rd_u8(r), from = word >> 4, n = (word & 15) + SHORTEST;
    if (!rd_ok(r) || from == u->at) { /* a reference to the place being written ends the text */
        u->end = true;
        return;
    }
    for (size_t i = 0; i < n && u->n < u->room; i++)
        emit(u, u->dict[(from + i) & MASK]);
}

static void unpack_run(struct unpacker *u, struct rd *r)
{
    unsigned control = rd_u8(r);
    for (int i = 0; i < RUN && !u->end && u->n < u->room && rd_ok(r); i++, control >>= 1) {
        if (control & 1)
            reference(u, r);
        else if (r->n != 0)
            emit(u, rd_u8(r));
        else
            u->end = true;
    }
}

static bool unpack(struct arena *a, struct blob in, size_t raw, struct blob *out)
{
    /* a run of 17 bytes makes 8 times 17 at most */
    if (raw / RUN > in.n)
        return false;
    struct unpacker *u = arena_one(a, struct unpacker);
    memcpy(u->dict, initial, INITIAL);
    u->at = INITIAL;
    u->out = arena_alloc(a, raw + 1);
    u->room = raw;
    struct rd r = rd_blob_of(in);
    while (!u->end && u->n < u->room && r.n != 0)
        unpack_run(u, &r);
    *out = blob_of(u->out, u->n);
    return rd_ok(&r) && u->n == raw;
}

bool rtfcp_decompress(struct arena *a, struct blob in, struct blob *out)
{
    struct rd r = rd_blob_of(in);
    *out = blob_of(NULL, 0);
    uint32_t    size = rd_u32(&r), raw = rd_u32(&r), type = rd_u32(&r), crc = rd_u32(&r);
    struct blob content = rd_blob(&r, size >= 12 ? size - 12 : SIZE_MAX); /* the size counts the three fields behind itself */
    if (!rd_ok(&r))
        return false;
    if (type == UNCOMPRESSED && raw <= content.n) {
        *out = blob_of(content.p, raw);
        return true;
    }
    return type == COMPRESSED && rtfcp_crc(content) == crc && unpack(a, content, raw, out);
}

/* --- packing --- */

/* The text stands behind the initial dictionary in one buffer; the circular dictionary is the 4096 bytes before a place. */
struct packer { const uint8_t *text; size_t n; uint32_t *last, *before; };

enum { CHAINS = 4096 };

static size_t pair(const struct packer *p, size_t i) { return ((size_t)p->text[i] << 4 ^ p->text[i + 1]) % CHAINS; }

/* Places whose two bytes hash alike form a chain, newest first; they are kept + 1. */
static void enter(struct packer *p, size_t i)
{
    if (p->n - i < SHORTEST)
        return;
    size_t key = pair(p, i);
    p->before[i] = p->last[key];
    p->last[key] = (uint32_t)i + 1;
}

static size_t find(const struct packer *p, size_t i, size_t *from)
{
    enum { TRIES = 64 };
    size_t best = 0, most = p->n - i < LONGEST ? p->n - i : LONGEST;
    if (most < SHORTEST)
        return 0;
    size_t at = p->last[pair(p, i)];
    for (int tries = 0; at != 0 && tries < TRIES && best < most; tries++) {
        size_t place = at - 1, n = 0;
        if (i - place >= DICTIONARY)
            break;
        while (n < most && p->text[place + n] == p->text[i + n])
            n++;
        if (n >= best && n != 0) { /* of equal ones the oldest, as in the examples (4.2) */
            best = n;
            *from = place;
        }
        at = p->before[place];
    }
    return best;
}

static void pack(struct wr *w, struct packer *p)
{
    size_t  control_at = 0;
    uint8_t control = 0;
    int     token = 0;
    bool    more = true;
    for (size_t i = INITIAL; more; token = (token + 1) % RUN) {
        if (token == 0) {
            control_at = wr_mark(w);
            control = 0;
            wr_u8(w, 0);
        }
        size_t from = 0, n = i < p->n ? find(p, i, &from) : 0;
        more = i < p->n;
        if (!more || n >= SHORTEST) { /* the end refers to the place being written */
            size_t word = more ? (from & MASK) << 4 | (n - SHORTEST) : (i & MASK) << 4;
            wr_u8(w, (uint8_t)(word >> 8));
            wr_u8(w, (uint8_t)word);
            control |= (uint8_t)(1u << token);
            wr_patch_u8(w, control_at, control);
        } else {
            wr_u8(w, p->text[i]);
            n = 1;
        }
        for (size_t end = i + n; i < end; i++)
            enter(p, i);
    }
}

struct blob rtfcp_compress(struct arena *a, struct blob rtf)
{
    enum { HEADER = 16 };
    struct packer p = { .n = INITIAL + rtf.n };
    uint8_t      *text = arena_alloc(a, p.n);
    memcpy(text, initial, INITIAL);
    if (rtf.n != 0)
        memcpy(&text[INITIAL], rtf.p, rtf.n);
    p.text = text;
    p.last = arena_array(a, uint32_t, CHAINS);
    p.before = arena_array(a, uint32_t, p.n);
    for (size_t i = 0; i < INITIAL; i++)
        enter(&p, i);

    struct wr w = wr_in(a, SIZE_MAX / 4);
    for (size_t i = 0; i < HEADER; i += 4)
        wr_u32(&w, 0);
    pack(&w, &p);
    struct blob all = wr_blob(&w);
    wr_patch_u32(&w, 0, (uint32_t)(all.n - 4));
    wr_patch_u32(&w, 4, (uint32_t)rtf.n);
    wr_patch_u32(&w, 8, COMPRESSED);
    wr_patch_u32(&w, 12, rtfcp_crc(blob_of(all.p + HEADER, all.n - HEADER)));
    return all;
}
