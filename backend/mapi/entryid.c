/* entryid.c - ids of the store and their long forms (MS-OXCDATA 2.2). */
#include "backend/mapi/entryid.h"
#include "backend/base/utf.h"

enum { GLOBCNT_BYTES = 6, FOLDER_EID = 46, MESSAGE_EID = 70 };
enum { EIT_PRIVATE_FOLDER = 1, EIT_PRIVATE_MESSAGE = 7 };

#define UID(...) { { __VA_ARGS__ } }
static const struct guid uid_addressbook =
    UID(0xDC, 0xA7, 0x40, 0xC8, 0xC0, 0x42, 0x10, 0x1A, 0xB4, 0xB9, 0x08, 0x00, 0x2B, 0x2F, 0xE1, 0x82);
static const struct guid uid_oneoff =
    UID(0x81, 0x2B, 0x1F, 0xA4, 0xBE, 0xA3, 0x10, 0x19, 0x9D, 0x6E, 0x00, 0xDD, 0x01, 0x0F, 0x54, 0x02);
static const struct guid uid_store =
    UID(0x38, 0xA1, 0xBB, 0x10, 0x05, 0xE5, 0x10, 0x1A, 0xA1, 0xBB, 0x08, 0x00, 0x2B, 0x2A, 0x56, 0xC2);
static const struct guid uid_mailbox =
    UID(0x1B, 0x55, 0xFA, 0x20, 0xAA, 0x66, 0x11, 0xCD, 0x9B, 0xC8, 0x00, 0xAA, 0x00, 0x2F, 0xC4, 0x5A);

/* --- counters --- */

/* 48 bits, first byte last. */
static uint64_t swap48(uint64_t v) { return __builtin_bswap64(v) >> 16; }

uint64_t id_wire(uint16_t replid, uint64_t gc) { return swap48(gc) << 16 | replid; }
uint16_t id_replid(uint64_t wire)              { return (uint16_t)wire; }
uint64_t id_gc(uint64_t wire)                  { return swap48(wire >> 16); }

static void write_guid(struct wr *w, const struct guid *g) { wr_bytes(w, g->b, sizeof g->b); }
static void write_gc(struct wr *w, uint64_t gc)            { wr_le(w, swap48(gc), GLOBCNT_BYTES); }

static struct guid read_guid(struct rd *r)
{
    struct guid g;
    rd_copy(r, g.b, sizeof g.b);
    return g;
}

static uint64_t read_gc(struct rd *r) { return swap48(rd_le(r, GLOBCNT_BYTES)); }

void xid_write(struct wr *w, const struct guid *replica, uint64_t gc)
{
    write_guid(w, replica);
    write_gc(w, gc);
}

void longtermid_write(struct wr *w, const struct guid *replica, uint64_t gc)
{
    xid_write(w, replica, gc);
    wr_u16(w, 0);
}

void longtermid_read(struct rd *r, struct guid *replica, uint64_t *gc)
{
    *replica = read_guid(r);
    *gc = read_gc(r);
    rd_u16(r);
}

bool xid_read(struct blob b, struct guid *replica, uint64_t *gc)
{
    struct rd r = rd_blob_of(b);
    *replica = read_guid(&r);
    *gc = read_gc(&r);
    return rd_done(&r);
}

/* --- folders and messages --- */

static void start(struct wr *w, const struct guid *provider)
{
    wr_u32(w, 0); /* flags: long term */
    write_guid(w, provider);
}

struct blob entryid_folder(struct arena *a, const struct guid *provider, const struct guid *replica, uint64_t fid)
{
    struct wr w = wr_in(a, FOLDER_EID);
    start(&w, provider);
    wr_u16(&w, EIT_PRIVATE_FOLDER);
    longtermid_write(&w, replica, fid);
    return wr_blob(&w);
}

struct blob entryid_message(struct arena *a, const struct guid *provider, const struct guid *replica, uint64_t fid, uint64_t mid)
{
    struct wr w = wr_in(a, MESSAGE_EID);
    start(&w, provider);
    wr_u16(&w, EIT_PRIVATE_MESSAGE);
    longtermid_write(&w, replica, fid);
    longtermid_write(&w, replica, mid);
    return wr_blob(&w);
}

static enum entryid_kind parse(struct rd *r, struct entryid *out)
{
    struct guid replica;
    rd_u32(r);
    out->provider = read_guid(r);
    uint16_t type = rd_u16(r);
    longtermid_read(r, &out->replica, &out->fid);
    if (type == EIT_PRIVATE_FOLDER)
        return ENTRYID_FOLDER;
    longtermid_read(r, &replica, &out->mid);
    return type == EIT_PRIVATE_MESSAGE && guid_eq(&replica, &out->replica) ? ENTRYID_MESSAGE : ENTRYID_BAD;
}

enum entryid_kind entryid_parse(struct blob b, struct entryid *out)
{
    *out = (struct entryid){ 0 };
    struct rd         r = rd_blob_of(b);
    enum entryid_kind kind = parse(&r, out);
    if (kind != ENTRYID_BAD && rd_done(&r))
        return kind;
    *out = (struct entryid){ 0 };
    return ENTRYID_BAD;
}

/* --- the others --- */

/* ASCII with its NUL. */
static void write_asciiz(struct wr *w, const char *s) { wr_bytes(w, s, strlen(s) + 1); }

struct blob entryid_addressbook(struct arena *a, uint32_t type, const char *x500dn)
{
    struct wr w = wr_in(a, SIZE_MAX / 4);
    start(&w, &uid_addressbook);
    wr_u32(&w, 1); /* version */
    wr_u32(&w, type);
    write_asciiz(&w, x500dn);
    return wr_blob(&w);
}

bool entryid_addressbook_parse(struct blob b, uint32_t *type, struct blob *x500dn)
{
    struct rd   r = rd_blob_of(b);
    uint32_t    flags = rd_u32(&r);
    struct guid provider = read_guid(&r);
    uint32_t    version = rd_u32(&r);
    *type = rd_u32(&r);
    *x500dn = rd_asciiz(&r);
    return rd_done(&r) && flags == 0 && version == 1 && guid_eq(&provider, &uid_addressbook);
}

static void write_utf16z(struct wr *w, struct arena *a, const char *s)
{
    wr_put(w, utf16_from_utf8(a, blob_str(s)));
    wr_u16(w, 0);
}

struct blob entryid_oneoff(struct arena *a, const char *display, const char *addrtype, const char *address)
{
    enum { UNICODE_MIME_NO_LOOKUP = 0x9001 };
    struct wr w = wr_in(a, SIZE_MAX / 4);
    start(&w, &uid_oneoff);
    wr_u16(&w, 0); /* version */
    wr_u16(&w, UNICODE_MIME_NO_LOOKUP);
    write_utf16z(&w, a, display);
    write_utf16z(&w, a, addrtype);
    write_utf16z(&w, a, address);
    return wr_blob(&w);
}

bool entryid_oneoff_parse(struct arena *a, struct blob b, struct oneoff *out)
{
    enum { UNICODE = 0x8000 };
    struct rd   r = rd_blob_of(b);
    uint32_t    eid_flags = rd_u32(&r);
    struct guid provider = read_guid(&r);
    uint16_t    version = rd_u16(&r), flags = rd_u16(&r);
    struct blob *part[] = { &out->display, &out->addrtype, &out->address };
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        *part[i] = flags & UNICODE ? utf8_from_utf16(a, rd_utf16z(&r)) : utf8_from_codepage(a, 1252, rd_asciiz(&r));
    return rd_ok(&r) && eid_flags == 0 && version == 0 && guid_eq(&provider, &uid_oneoff);
}

struct blob entryid_store(struct arena *a, const char *server, const char *mailbox_dn)
{
    static const char dll[14] = "EMSMDB.DLL";
    struct wr w = wr_in(a, SIZE_MAX / 4);
    start(&w, &uid_store);
    wr_u16(&w, 0); /* version, flag */
    wr_bytes(&w, dll, sizeof dll);
    start(&w, &uid_mailbox);
    wr_u32(&w, 0x0C); /* a mailbox */
    write_asciiz(&w, server);
    write_asciiz(&w, mailbox_dn);
    return wr_blob(&w);
}

enum { SVREID_BYTES = 21 };

struct blob svreid(struct arena *a, uint64_t fid_wire, uint64_t mid_wire, uint32_t instance)
{
    struct wr w = wr_in(a, SVREID_BYTES);
    wr_u8(&w, 1); /* ours */
    wr_u64(&w, fid_wire);
    wr_u64(&w, mid_wire);
    wr_u32(&w, instance);
    return wr_blob(&w);
}

bool svreid_parse(struct blob b, uint64_t *fid_wire, uint64_t *mid_wire, uint32_t *instance)
{
    struct rd r = rd_blob_of(b);
    uint8_t   ours = rd_u8(&r);
    *fid_wire = rd_u64(&r);
    *mid_wire = rd_u64(&r);
    *instance = rd_u32(&r);
    return ours == 1 && rd_done(&r);
}

struct blob search_key(struct arena *a, const char *addrtype, const char *address)
{
    const char *text = arena_printf(a, "%s:%s", addrtype, address);
    struct blob upper = utf8_upper(a, blob_str(text));
    return blob_of(arena_str(a, upper), upper.n + 1);
}
