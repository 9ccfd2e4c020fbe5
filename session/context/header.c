/* header.c - struct context <-> the header block, driven by context.def. */
#include "session/context/header.h"
#include "backend/base/must.h"
#include "session/context/context_int.h"
#include "session/context/watch.h"
#include <inttypes.h>

enum { MAGIC = 'H', HANDLE_MIN_BYTES = 6, LOGON_MIN_BYTES = 22, POSITION_MIN_BYTES = 18, VAR_MAX = 10 };

void header_put_var(struct wr *w, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        wr_u8(w, (uint8_t)(v | 0x80));
    wr_u8(w, (uint8_t)v);
}

uint64_t header_get_var(struct rd *r)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < VAR_MAX; i++) {
        uint8_t b = rd_u8(r);
        if (i == VAR_MAX - 1 && b > 1)
            break;
        v |= (uint64_t)(b & 0x7F) << (7 * i);
        if (b < 0x80)
            return v;
    }
    rd_fail(r, "number too long");
    return 0;
}

static uint32_t get_var32(struct rd *r)
{
    uint64_t v = header_get_var(r);
    if (v > UINT32_MAX)
        rd_fail(r, "number too large");
    return (uint32_t)v;
}

/* Strings keep their NUL's place: NULL is an absent field, "" an empty one. */
static void put_text(struct wr *w, const char *s)
{
    struct blob b = blob_str(s);
    header_put_var(w, b.n);
    wr_put(w, b);
}

static const char *get_text(struct rd *r, struct arena *a)
{
    size_t n = rd_count(r, header_get_var(r), 1);
    struct blob b = rd_blob(r, n);
    if (b.n != 0 && memchr(b.p, 0, b.n) != NULL)
        rd_fail(r, "NUL in a text");
    return arena_str(a, b);
}

/* --- one put and one get per type of context.def; put_ is not called for what has its default value ----------------------------- */
static bool has_STR(const struct context *c, const char *const *v) { (void)c; return *v != NULL; }
static void put_STR(struct wr *w, const struct context *c, const char *const *v) { (void)c; put_text(w, *v); }
static void get_STR(struct rd *r, struct context *c, const char **v) { *v = get_text(r, c->a); }

static bool has_U32(const struct context *c, const uint32_t *v) { (void)c; return *v != 0; }
static void put_U32(struct wr *w, const struct context *c, const uint32_t *v) { (void)c; header_put_var(w, *v); }
static void get_U32(struct rd *r, struct context *c, uint32_t *v) { (void)c; *v = get_var32(r); }

static bool has_U64(const struct context *c, const uint64_t *v) { (void)c; return *v != 0; }
static void put_U64(struct wr *w, const struct context *c, const uint64_t *v) { (void)c; header_put_var(w, *v); }
static void get_U64(struct rd *r, struct context *c, uint64_t *v) { (void)c; *v = header_get_var(r); }

typedef uint16_t version_t[4];
static bool has_VER(const struct context *c, const version_t *v) { (void)c; return ((*v)[0] | (*v)[1] | (*v)[2] | (*v)[3]) != 0; }
static void put_VER(struct wr *w, const struct context *c, const version_t *v)
{
    (void)c;
    for (size_t i = 0; i < 4; i++)
        wr_u16(w, (*v)[i]);
}
static void get_VER(struct rd *r, struct context *c, version_t *v)
{
    (void)c;
    for (size_t i = 0; i < 4; i++)
        (*v)[i] = rd_u16(r);
}

static void put_guid(struct wr *w, const struct guid *g) { wr_bytes(w, g->b, sizeof g->b); }
static void get_guid(struct rd *r, struct guid *g)
{
    struct blob b = rd_blob(r, sizeof g->b);
    if (b.n == sizeof g->b)
        memcpy(g->b, b.p, b.n);
}
static bool has_GUID(const struct context *c, const struct guid *g) { (void)c; return !guid_eq(g, &(struct guid){ { 0 } }); }
static void put_GUID(struct wr *w, const struct context *c, const struct guid *g) { (void)c; put_guid(w, g); }
static void get_GUID(struct rd *r, struct context *c, struct guid *g) { (void)c; get_guid(r, g); }

typedef struct logon_entry *logons_t;
static bool has_LOGONS(const struct context *c, const logons_t *v) { (void)v; return c->logons != 0; }
static void put_LOGONS(struct wr *w, const struct context *c, const logons_t *v)
{
    header_put_var(w, c->logons);
    for (const struct logon_entry *l = *v; l < *v + c->logons; l++) {
        wr_u8(w, l->logon_id);
        header_put_var(w, l->handle);
        wr_u8(w, l->logon_flags);
        header_put_var(w, l->open_flags);
        put_guid(w, &l->mailbox);
        wr_u8(w, l->owner);
        put_text(w, l->mailbox_dn);
    }
}
static void get_LOGONS(struct rd *r, struct context *c, logons_t *v)
{
    c->logons = rd_count(r, header_get_var(r), LOGON_MIN_BYTES);
    if (c->logons > LOGONS_MAX)
        rd_fail(r, "too many logons");
    *v = arena_array(c->a, struct logon_entry, rd_ok(r) ? c->logons : 0);
    for (size_t i = 0; i < c->logons && rd_ok(r); i++) {
        struct logon_entry *l = *v + i;
        l->logon_id = rd_u8(r);
        l->handle = get_var32(r);
        l->logon_flags = rd_u8(r);
        l->open_flags = get_var32(r);
        get_guid(r, &l->mailbox);
        l->owner = rd_u8(r) != 0;
        l->mailbox_dn = get_text(r, c->a);
    }
}

/* Handles ascend, so each is written as the distance to the one before; a parent as 0 for none, else parent + 1. */
typedef struct handle_entry *handles_t;
static bool has_HANDLES(const struct context *c, const handles_t *v) { (void)v; return c->handles != 0; }
static void put_HANDLES(struct wr *w, const struct context *c, const handles_t *v)
{
    uint32_t last = 0;
    header_put_var(w, c->handles);
    for (const struct handle_entry *h = *v; h < *v + c->handles; h++) {
        header_put_var(w, h->handle - last);
        last = h->handle;
        wr_u8(w, h->kind);
        wr_u8(w, h->logon_id);
        header_put_var(w, (uint32_t)(h->parent + 1));
        header_put_var(w, h->size);
        wr_u8(w, (uint8_t)(h->slot | (h->staged ? 2 : 0)));
    }
}
static void get_HANDLES(struct rd *r, struct context *c, handles_t *v)
{
    uint64_t last = 0;
    c->handles = rd_count(r, header_get_var(r), HANDLE_MIN_BYTES);
    *v = arena_array(c->a, struct handle_entry, c->handles);
    for (size_t i = 0; i < c->handles && rd_ok(r); i++) {
        struct handle_entry *h = *v + i;
        uint32_t step = get_var32(r);
        last += step;
        if ((i != 0 && step == 0) || last >= NO_HANDLE)
            rd_fail(r, "handles out of order");
        h->handle = (uint32_t)last;
        h->kind = rd_u8(r);
        h->logon_id = rd_u8(r);
        h->parent = get_var32(r) - 1;
        h->size = get_var32(r);
        uint8_t bits = rd_u8(r);
        if (bits > 3)
            rd_fail(r, "unknown bits of a handle");
        h->slot = bits & 1;
        h->staged = (bits & 2) != 0;
    }
}

static bool has_WATCHES(const struct context *c, const struct watching *v) { (void)c; return v->open ? v->n != 0 : v->packed.n != 0; }
static void put_WATCHES(struct wr *w, const struct context *c, const struct watching *v) { (void)c; watching_put(w, v); }
static void get_WATCHES(struct rd *r, struct context *c, struct watching *v) { (void)c; *v = (struct watching){ .packed = rd_rest(r) }; }

typedef struct position *positions_t;
static bool has_POSITIONS(const struct context *c, const positions_t *v) { (void)v; return c->positions != 0; }
static void put_POSITIONS(struct wr *w, const struct context *c, const positions_t *v)
{
    header_put_var(w, c->positions);
    for (const struct position *x = *v; x < *v + c->positions; x++) {
        put_guid(w, &x->mailbox);
        wr_u8(w, x->owed);
        header_put_var(w, x->seq);
    }
}
static void get_POSITIONS(struct rd *r, struct context *c, positions_t *v)
{
    c->positions = rd_count(r, header_get_var(r), POSITION_MIN_BYTES);
    *v = arena_array(c->a, struct position, c->positions);
    for (size_t i = 0; i < c->positions && rd_ok(r); i++) {
        get_guid(r, &(*v)[i].mailbox);
        (*v)[i].owed = rd_u8(r) != 0;
        (*v)[i].seq = header_get_var(r);
    }
}

/* --- the block: magic, layout, then tag u8, length u32, bytes per field ------------------------------------------------------------ */
void header_save(struct wr *w, const struct context *c, unsigned layout)
{
    must(layout >= 1 && layout <= HEADER_LAYOUT);
    wr_u8(w, MAGIC);
    wr_u8(w, (uint8_t)layout);
#define FIELD(tag, type, name, since)                                 \
    if ((since) <= layout && has_##type(c, &c->name)) {               \
        wr_u8(w, tag);                                                \
        size_t at = wr_mark(w);                                       \
        wr_u32(w, 0);                                                 \
        put_##type(w, c, &c->name);                                   \
        if (!w->full)                                                 \
            wr_patch_u32(w, at, (uint32_t)(wr_mark(w) - at - 4));     \
    }
#include "session/context/context.def"
#undef FIELD
}

static void load_field(struct rd *r, uint8_t number, unsigned layout, struct context *out)
{
    switch (number) {
#define FIELD(tag, type, name, since)                \
    case tag:                                        \
        if ((since) > layout)                        \
            rd_fail(r, "field of a newer layout");   \
        get_##type(r, out, &out->name);              \
        break;
#include "session/context/context.def"
#undef FIELD
    default: rd_fail(r, "unknown field");
    }
}

unsigned header_layout(struct blob b)
{
    struct rd r = rd_blob_of(b);
    return rd_u8(&r) == MAGIC ? rd_u8(&r) : 0;
}

bool header_load(struct blob b, struct context *out)
{
    struct rd r = rd_blob_of(b);
    if (rd_u8(&r) != MAGIC)
        return false;
    unsigned layout = rd_u8(&r);
    if (layout < 1 || layout > HEADER_LAYOUT)
        return false;
    for (unsigned last = 0; r.n != 0; ) {
        uint8_t number = rd_u8(&r);
        struct rd field = rd_sub(&r, rd_u32(&r));
        if (number <= last)
            rd_fail(&r, "fields out of order");
        load_field(&field, number, layout, out);
        if (rd_ok(&field) && field.n != 0)
            rd_fail(&r, "bytes behind a field");
        rd_join(&r, &field);
        last = number;
    }
    return rd_ok(&r);
}

/* --- for people --------------------------------------------------------------------------------------------------------------------- */
static const char *text_STR(struct arena *a, const struct context *c, const char *const *v) { (void)c; return arena_printf(a, "%s", *v != NULL ? *v : ""); }
static const char *text_U32(struct arena *a, const struct context *c, const uint32_t *v) { (void)c; return arena_printf(a, "%" PRIu32, *v); }
static const char *text_U64(struct arena *a, const struct context *c, const uint64_t *v) { (void)c; return arena_printf(a, "%" PRIu64, *v); }
static const char *text_VER(struct arena *a, const struct context *c, const version_t *v)
{
    (void)c;
    return arena_printf(a, "%u.%u.%u.%u", (*v)[0], (*v)[1], (*v)[2], (*v)[3]);
}
static const char *text_GUID(struct arena *a, const struct context *c, const struct guid *g)
{
    char text[GUID_TEXT];
    (void)c;
    return arena_printf(a, "%s", guid_text(g, text));
}
static const char *text_LOGONS(struct arena *a, const struct context *c, const logons_t *v)
{
    const char *s = "";
    for (const struct logon_entry *l = *v; l < *v + c->logons; l++) {
        char text[GUID_TEXT];
        s = arena_printf(a, "%s%s%u:%s%s", s, *s != '\0' ? " " : "", l->logon_id, guid_text(&l->mailbox, text), l->owner ? " (owner)" : "");
    }
    return s;
}
static const char *text_HANDLES(struct arena *a, const struct context *c, const handles_t *v)
{
    uint64_t bytes = 0;
    for (const struct handle_entry *h = *v; h < *v + c->handles; h++)
        bytes += h->size;
    return arena_printf(a, "%zu objects, %" PRIu64 " bytes", c->handles, bytes);
}

static const char *text_WATCHES(struct arena *a, const struct context *c, const struct watching *v) { (void)c; return watching_text(a, v); }
static const char *text_POSITIONS(struct arena *a, const struct context *c, const positions_t *v)
{
    const char *s = "";
    for (const struct position *x = *v; x < *v + c->positions; x++) {
        char text[GUID_TEXT];
        s = arena_printf(a, "%s%s%s:%" PRIu64, s, *s != '\0' ? " " : "", guid_text(&x->mailbox, text), x->seq);
    }
    return s;
}

void header_dump(struct arena *a, const struct context *c, void (*line)(void *ctx, const char *text), void *ctx)
{
#define FIELD(tag, type, name, since) line(ctx, arena_printf(a, "%s=%s", #name, text_##type(a, c, &c->name)));
#include "session/context/context.def"
#undef FIELD
}
