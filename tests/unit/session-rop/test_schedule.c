/* test_schedule.c - random lists of ROPs on messages, attachments and streams: the answers are the same whether all run in one request or each in its
 * own, that is, whether objects stay in memory between two ROPs or not. */
#include "tests/unit/session-rop/steps.h"

/* Places of the handle table by what is opened into them. */
enum { MESSAGES = 1, EMBEDDED = 4, ATTACHMENTS = 6, STREAMS = 9, SLOTS = 11, OPS = 300, SCHEDULES = 8 };

struct dice { uint64_t s; };
static uint32_t roll(struct dice *d, uint32_t n)
{
    d->s = d->s * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(d->s >> 33) % n;
}

/* A stored message with an attachment and a message in a message, in each mailbox. */
static uint64_t base(struct rig *g)
{
    uint32_t m = make_message(g), num;
    set_text(g, m, PidTagSubject, "base");
    uint32_t a = make_attachment(g, m, &num), b, inner, e;
    set_text(g, a, PidTagAttachLongFilename, "a.txt");
    save_attachment(g, a);
    b = make_attachment(g, m, &num);
    e = open_embedded(g, b, 2);
    set_text(g, e, PidTagSubject, "inside");
    inner = make_attachment(g, e, &num);
    set_text(g, inner, PidTagAttachLongFilename, "deep.txt");
    save_attachment(g, inner);
    save_message(g, e);
    save_attachment(g, b);
    return save_message(g, m);
}

/* --- one ROP ---------------------------------------------------------------------------------------------------------------------------------- */
static uint32_t between(struct dice *d, uint32_t from, uint32_t to) { return from + roll(d, to - from); }

static uint32_t input(struct dice *d, uint8_t rop)
{
    uint32_t kinds = rop_find(rop)->kinds;
    if (rop == ROP_RELEASE)
        return between(d, 1, SLOTS);
    if ((kinds & K_STREAM) != 0)
        return between(d, STREAMS, SLOTS);
    if ((kinds & K_MESSAGE) != 0)
        return between(d, MESSAGES, (kinds & K_ATTACHMENT) != 0 ? STREAMS : ATTACHMENTS);
    return (kinds & K_ATTACHMENT) != 0 ? between(d, ATTACHMENTS, STREAMS) : 0;
}

static uint32_t output(struct dice *d, uint8_t rop)
{
    switch (rop) {
    case ROP_OPEN_EMBEDDED: return between(d, EMBEDDED, ATTACHMENTS);
    case ROP_OPEN_ATT:
    case ROP_CREATE_ATT:    return between(d, ATTACHMENTS, STREAMS);
    case ROP_OPEN_STREAM:   return between(d, STREAMS, SLOTS);
    default:                return between(d, MESSAGES, EMBEDDED);
    }
}

static void head(struct wr *w, struct dice *d, uint8_t rop)
{
    const struct rop_def *def = rop_find(rop);
    uint32_t in = input(d, rop), out = output(d, rop);
    wr_u8(w, rop);
    wr_u8(w, 0);
    if ((def->flags & RESP) != 0)
        wr_u8(w, (uint8_t)in);
    wr_u8(w, (uint8_t)in);
    if ((def->flags & OUT1) != 0)
        wr_u8(w, (uint8_t)out);
}

static void put_text(struct wr *w, struct dice *d)
{
    static const uint16_t length[] = { 0, 3, 40, 2500 };
    uint32_t n = length[roll(d, 4)], c = 'a' + roll(d, 20);
    for (uint32_t i = 0; i < n; i++)
        wr_u16(w, (uint16_t)c);
    wr_u16(w, 0);
}

static uint32_t some_tag(struct dice *d)
{
    static const uint32_t tags[] = { PidTagSubject, PidTagBody, PidTagAttachLongFilename, PidTagInternetMessageId };
    return tags[roll(d, 4)];
}

static void set_something(struct wr *w, struct dice *d)
{
    size_t at = wr_mark(w);
    wr_u16(w, 0);
    wr_u16(w, 1);
    wr_u32(w, some_tag(d));
    put_text(w, d);
    wr_patch_u16(w, at, (uint16_t)(wr_mark(w) - at - 2));
}

static void change_recipient(struct wr *w, struct dice *d)
{
    wr_u16(w, 0);
    wr_u16(w, 1);
    wr_u32(w, roll(d, 4));
    wr_u8(w, 1);
    size_t at = wr_mark(w);
    wr_u16(w, 0);
    if (roll(d, 3) == 0)
        return;
    wr_u16(w, 0x021B);
    put_text(w, d);
    put_text(w, d);
    wr_u16(w, 0);
    wr_u8(w, 0);
    wr_patch_u16(w, at, (uint16_t)(wr_mark(w) - at - 2));
}

static void write_bytes(struct wr *w, struct dice *d)
{
    uint16_t n = (uint16_t)(2 * roll(d, roll(d, 3) == 0 ? 3000 : 20));
    wr_u16(w, n);
    for (unsigned i = 0; i < n; i++)
        wr_u8(w, i % 2 == 0 ? (uint8_t)('A' + n % 26) : 0);
}

static void read_properties(struct wr *w)
{
    static const uint32_t tags[] = { PidTagSubject, PidTagNormalizedSubject, PidTagBody, PidTagAttachLongFilename, PidTagInternetMessageId,
                                     PidTagHasAttachments, PidTagDisplayTo, PidTagAttachNumber, PidTagAccessLevel, PidTagMessageFlags };
    wr_u16(w, 0);
    wr_u16(w, 1);
    wr_u16(w, sizeof tags / sizeof *tags);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        wr_u32(w, tags[i]);
}

/* The same dice give the same ROP in both mailboxes, but for the ids. */
static uint8_t put_rop(struct wr *w, struct dice *d, size_t step, const struct rig *g, uint64_t mid)
{
    static const uint8_t first[] = { /* so that there is something to work on */
        ROP_OPEN_MESSAGE, ROP_OPEN_MESSAGE, ROP_OPEN_MESSAGE, ROP_OPEN_MESSAGE, ROP_OPEN_ATT, ROP_OPEN_ATT, ROP_OPEN_ATT, ROP_OPEN_ATT, ROP_CREATE_ATT,
        ROP_OPEN_EMBEDDED, ROP_OPEN_EMBEDDED, ROP_OPEN_EMBEDDED, ROP_OPEN_STREAM, ROP_OPEN_STREAM, ROP_OPEN_STREAM, ROP_OPEN_STREAM
    };
    static const uint8_t kinds[] = {
        ROP_OPEN_MESSAGE, ROP_CREATE_MESSAGE, ROP_OPEN_STREAM, ROP_WRITE_STREAM, ROP_COMMIT_STREAM, ROP_SAVE_ATT, ROP_SAVE_MESSAGE, ROP_SET_PROPS, ROP_SET_PROPS, ROP_SET_PROPS, ROP_DELETE_PROPS, ROP_SAVE_MESSAGE, ROP_SAVE_MESSAGE,
        ROP_REMOVE_RCPTS, ROP_MODIFY_RCPTS, ROP_MODIFY_RCPTS, ROP_READ_RCPTS, ROP_RELOAD, ROP_SET_READ, ROP_OPEN_ATT, ROP_OPEN_ATT, ROP_CREATE_ATT,
        ROP_DELETE_ATT, ROP_SAVE_ATT, ROP_SAVE_ATT, ROP_OPEN_STREAM, ROP_READ_STREAM, ROP_WRITE_STREAM, ROP_WRITE_STREAM, ROP_SEEK_STREAM, ROP_SET_SIZE,
        ROP_COMMIT_STREAM, ROP_OPEN_EMBEDDED, ROP_OPEN_EMBEDDED, ROP_VALID_ATTS, ROP_GET_PROPS, ROP_GET_PROPS, ROP_GET_PROPS, ROP_RELEASE
    };
    uint8_t rop = step < sizeof first ? first[step] : kinds[roll(d, sizeof kinds)];
    head(w, d, rop);
    switch (rop) {
    case ROP_OPEN_MESSAGE:   wr_u16(w, 0x0FFF); wr_u64(w, rig_wire(g->fid[SF_DRAFTS])); wr_u8(w, roll(d, 4) == 0 ? 0 : 3); wr_u64(w, mid); break;
    case ROP_CREATE_MESSAGE: wr_u16(w, 0x0FFF); wr_u64(w, rig_wire(g->fid[SF_DRAFTS])); wr_u8(w, 0); break;
    case ROP_SET_PROPS:      set_something(w, d); break;
    case ROP_DELETE_PROPS:   wr_u16(w, 1); wr_u32(w, some_tag(d)); break;
    case ROP_SAVE_MESSAGE:   wr_u8(w, roll(d, 5) == 0 ? 0x09 : roll(d, 2) == 0 ? 0x0A : 0x0C); break;
    case ROP_SAVE_ATT:       wr_u8(w, roll(d, 5) == 0 ? 0x09 : 0x0A); break;
    case ROP_REMOVE_RCPTS:   wr_u32(w, 0); break;
    case ROP_MODIFY_RCPTS:   change_recipient(w, d); break;
    case ROP_READ_RCPTS:     wr_u32(w, 0); wr_u16(w, 0); break;
    case ROP_RELOAD:         wr_u16(w, 0); break;
    case ROP_SET_READ:       wr_u8(w, roll(d, 2) == 0 ? 0 : 4); break;
    case ROP_OPEN_ATT:       wr_u8(w, roll(d, 4) == 0 ? 0 : 3); wr_u32(w, roll(d, 2)); break;
    case ROP_DELETE_ATT:     wr_u32(w, roll(d, 4)); break;
    case ROP_OPEN_STREAM:    wr_u32(w, roll(d, 2) == 0 ? PidTagBody : PidTagAttachLongFilename); wr_u8(w, roll(d, 3) == 0 ? (uint8_t)roll(d, 2) : 2); break;
    case ROP_READ_STREAM:    wr_u16(w, (uint16_t)roll(d, 5000)); break;
    case ROP_WRITE_STREAM:   write_bytes(w, d); break;
    case ROP_SEEK_STREAM:    wr_u8(w, (uint8_t)roll(d, 3)); wr_u64(w, roll(d, 50)); break;
    case ROP_SET_SIZE:       wr_u64(w, 2 * roll(d, 5000)); break;
    case ROP_OPEN_EMBEDDED:  wr_u16(w, 0x0FFF); wr_u8(w, (uint8_t)roll(d, 3)); break;
    case ROP_GET_PROPS:      read_properties(w); break;
    default: break;
    }
    return rop;
}

/* --- two ways ----------------------------------------------------------------------------------------------------------------------------------- */
struct answer { uint8_t rop; struct blob bytes; };

static void each_in_its_own_request(struct rig *g, uint64_t seed, struct answer *out)
{
    uint64_t mid = base(g);
    uint32_t table[SLOTS] = { RIG_LOGON };
    struct dice d = { seed };
    memset(table + 1, 0xFF, sizeof table - sizeof *table);
    for (size_t i = 0; i < OPS; i++) {
        struct wr w = wr_in(g->life, 1 << 16);
        out[i].rop = put_rop(&w, &d, i, g, mid);
        struct rd r = rig_run(g, wr_blob(&w), table, SLOTS);
        CHECK_EC(g->failed, ecNone);
        out[i].bytes = arena_blob(g->life, rd_rest(&r));
    }
}

static struct rd all_in_one(struct rig *g, uint64_t seed)
{
    uint64_t mid = base(g);
    uint32_t table[SLOTS] = { RIG_LOGON };
    struct dice d = { seed };
    struct wr w = wr_in(g->life, 1 << 22);
    memset(table + 1, 0xFF, sizeof table - sizeof *table);
    for (size_t i = 0; i < OPS; i++)
        put_rop(&w, &d, i, g, mid);
    struct rd r = rig_run(g, wr_blob(&w), table, SLOTS);
    CHECK_EC(g->failed, ecNone);
    return r;
}

/* Ids of messages differ. */
static size_t comparable(const struct answer *a) { return a->rop == ROP_SAVE_MESSAGE && a->bytes.n > 6 ? 7 : a->bytes.n; }

static bool same(struct rig *x, struct rig *y, uint64_t seed)
{
    struct answer a[OPS];
    each_in_its_own_request(x, seed, a);
    struct rd r = all_in_one(y, seed);
    bool ok = true;
    for (size_t i = 0; i < OPS && ok; i++) {
        size_t n = comparable(&a[i]);
        struct blob b = rd_blob(&r, a[i].bytes.n);
        ok = CHECK_BLOB(blob_of(b.p, b.n < n ? b.n : n), blob_of(a[i].bytes.p, n));
        if (!ok)
            unit_check(false, __FILE__, __LINE__, "seed %llu, step %zu, ROP %02x", (unsigned long long)seed, i, a[i].rop);
    }
    return ok && CHECK(rd_done(&r));
}

TEST(one_request_or_many)
{
    bool ok = true;
    for (uint64_t seed = 1; seed <= SCHEDULES && ok; seed++) {
        struct rig *x = rig_new(), *y = rig_new();
        x->room = y->room = 4 << 20;
        ok = same(x, y, seed);
        rig_end(x);
        rig_end(y);
    }
}
