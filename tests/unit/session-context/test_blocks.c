/* test_blocks.c - header, control and delta: round trips from context.def, and damaged bytes. */
#include "backend/base/crypto.h"
#include "session/context/context_int.h"
#include "session/context/header.h"
#include "session/context/watch.h"
#include "tests/mutate.h"
#include "tests/unit.h"
#include <stdio.h>

enum { ARENA = 64 << 20 };

/* --- one filler and one comparison per type of context.def -------------------------------------------------------------------------- */
static unsigned seed;
static uint32_t next(void) { return seed = seed * 1664525u + 1013904223u; }

static void fill_STR(struct context *c, const char **v) { *v = next() % 8 == 0 ? NULL : arena_printf(c->a, "text %u \xc3\xa4", next() % 9 == 0 ? 0 : next()); }
static bool same_STR(const struct context *x, const struct context *y, const char *const *v, const char *const *w)
{
    (void)x, (void)y;
    return (*v == NULL) == (*w == NULL) && (*v == NULL || strcmp(*v, *w) == 0);
}
static void fill_U32(struct context *c, uint32_t *v) { (void)c; *v = next() >> next() % 32; }
static bool same_U32(const struct context *x, const struct context *y, const uint32_t *v, const uint32_t *w) { (void)x, (void)y; return *v == *w; }
static void fill_U64(struct context *c, uint64_t *v) { (void)c; *v = ((uint64_t)next() << 32 | next()) >> next() % 64; }
static bool same_U64(const struct context *x, const struct context *y, const uint64_t *v, const uint64_t *w) { (void)x, (void)y; return *v == *w; }
typedef uint16_t version_t[4];
static void fill_VER(struct context *c, version_t *v)
{
    (void)c;
    for (size_t i = 0; i < 4; i++)
        (*v)[i] = (uint16_t)(next() >> 16);
}
static bool same_VER(const struct context *x, const struct context *y, const version_t *v, const version_t *w) { (void)x, (void)y; return memcmp(*v, *w, 8) == 0; }
static void fill_GUID(struct context *c, struct guid *v)
{
    (void)c;
    for (size_t i = 0; i < 16; i++)
        v->b[i] = (uint8_t)(next() >> 24);
}
static bool same_GUID(const struct context *x, const struct context *y, const struct guid *v, const struct guid *w) { (void)x, (void)y; return guid_eq(v, w); }
static void fill_LOGONS(struct context *c, struct logon_entry **v)
{
    c->logons = next() % 5;
    *v = arena_array(c->a, struct logon_entry, c->logons);
    for (struct logon_entry *l = *v; l < *v + c->logons; l++) {
        *l = (struct logon_entry){ .logon_id = (uint8_t)next(), .handle = next(), .logon_flags = (uint8_t)next(), .open_flags = next(), .owner = next() >> 31,
                                   .mailbox_dn = "/o=x/cn=y" };
        fill_GUID(c, &l->mailbox);
    }
}
static bool same_LOGONS(const struct context *x, const struct context *y, struct logon_entry *const *v, struct logon_entry *const *w)
{
    bool ok = x->logons == y->logons;
    for (size_t i = 0; ok && i < x->logons; i++) {
        const struct logon_entry *p = *v + i, *q = *w + i;
        ok = p->logon_id == q->logon_id && p->handle == q->handle && p->logon_flags == q->logon_flags && p->open_flags == q->open_flags &&
             p->owner == q->owner && guid_eq(&p->mailbox, &q->mailbox) && strcmp(p->mailbox_dn, q->mailbox_dn) == 0;
    }
    return ok;
}
static void fill_HANDLES(struct context *c, struct handle_entry **v)
{
    uint32_t h = 0;
    c->handles = next() % 300;
    *v = arena_array(c->a, struct handle_entry, c->handles);
    for (struct handle_entry *e = *v; e < *v + c->handles; e++) {
        h += 1 + next() % 1000;
        *e = (struct handle_entry){ h, (uint8_t)next(), (uint8_t)next(), next() % 3 == 0 ? 0xFFFFFFFF : next() % h, next(), next() >> 31, (uint8_t)(next() >> 31) };
    }
}
static bool same_HANDLES(const struct context *x, const struct context *y, struct handle_entry *const *v, struct handle_entry *const *w)
{
    bool ok = x->handles == y->handles;
    for (size_t i = 0; ok && i < x->handles; i++) {
        const struct handle_entry *p = *v + i, *q = *w + i;
        ok = p->handle == q->handle && p->kind == q->kind && p->logon_id == q->logon_id && p->parent == q->parent && p->size == q->size &&
             p->staged == q->staged && p->slot == q->slot;
    }
    return ok;
}

static void fill_WATCHES(struct context *c, struct watching *v)
{
    *v = (struct watching){ .open = true, .n = next() % 40 };
    v->v = arena_array(c->a, struct watch, v->n);
    for (struct watch *w = v->v; w < v->v + v->n; w++)
        *w = (struct watch){ next() % 100000, (uint8_t)next(), (uint8_t)(1 + next() % 3), (uint8_t)(next() & WATCH_FLAGS), (uint16_t)next(), next(), next() % 2 * (uint64_t)next(), next() };
}
static bool same_WATCHES(const struct context *x, struct context *y, const struct watching *v, const struct watching *packed)
{
    const struct watching *w = watches(y);
    (void)x, (void)packed;
    bool ok = v->n == w->n && !w->damaged;
    for (size_t i = 0; ok && i < v->n; i++) {
        const struct watch *p = v->v + i, *q = w->v + i;
        ok = p->handle == q->handle && p->logon_id == q->logon_id && p->what == q->what && p->flags == q->flags && p->types == q->types &&
             p->fid == q->fid && p->mid == q->mid && p->since == q->since;
    }
    return ok;
}

static void fill_POSITIONS(struct context *c, struct position **v)
{
    c->positions = next() % 4;
    *v = arena_array(c->a, struct position, c->positions);
    for (struct position *p = *v; p < *v + c->positions; p++) {
        fill_GUID(c, &p->mailbox);
        p->owed = next() >> 31;
        p->seq = next();
    }
}
static bool same_POSITIONS(const struct context *x, const struct context *y, struct position *const *v, struct position *const *w)
{
    bool ok = x->positions == y->positions;
    for (size_t i = 0; ok && i < x->positions; i++)
        ok = guid_eq(&(*v)[i].mailbox, &(*w)[i].mailbox) && (*v)[i].seq == (*w)[i].seq && (*v)[i].owed == (*w)[i].owed;
    return ok;
}

static struct context *filled(struct arena *a, unsigned number)
{
    struct context *c = arena_one(a, struct context);
    c->a = a;
    seed = number;
#define FIELD(tag, type, name, since) fill_##type(c, &c->name);
#include "session/context/context.def"
#undef FIELD
    return c;
}

static struct blob packed(struct context *c)
{
    struct wr w = wr_in(c->a, HEADER_MAX);
    header_save(&w, c, HEADER_LAYOUT);
    REQUIRE(!w.full);
    return wr_blob(&w);
}

TEST(header_round_trip)
{
    for (unsigned i = 0; i < 200; i++) {
        struct arena *a = arena_new(ARENA);
        struct context *c = filled(a, i), got = { .a = a };
        REQUIRE(header_load(packed(c), &got));
#define FIELD(tag, type, name, since) CHECK(same_##type(c, &got, &c->name, &got.name));
#include "session/context/context.def"
#undef FIELD
        arena_free(a);
    }
}

/* What an older program can read: the fields of its layout, and nothing else. */
TEST(header_in_an_older_layout)
{
    for (unsigned i = 0; i < 50; i++) {
        struct arena *a = arena_new(ARENA);
        struct context *c = filled(a, i), got = { .a = a };
        struct wr w = wr_in(a, HEADER_MAX);
        header_save(&w, c, 1);
        CHECK_INT(wr_blob(&w).p[1], 1);
        REQUIRE(header_load(wr_blob(&w), &got));
        CHECK_INT(watches(&got)->n, 0);
        CHECK_INT(got.positions, 0);
        CHECK_INT(got.client_mode, 0);
        CHECK(same_HANDLES(c, &got, &c->handle, &got.handle));
        arena_free(a);
    }
}

static void line(void *ctx, const char *text)
{
    CHECK(strchr(text, '=') != NULL);
    (*(unsigned *)ctx)++;
}

TEST(header_dump_names_every_field)
{
    struct arena *a = arena_new(ARENA);
    unsigned n = 0, fields = 0;
    header_dump(a, filled(a, 7), line, &n);
#define FIELD(tag, type, name, since) fields++;
#include "session/context/context.def"
#undef FIELD
    CHECK_INT(n, fields);
    arena_free(a);
}

static void try_header(void *ctx, struct blob b)
{
    struct arena *a = arena_new(ARENA);
    struct context c = { .a = a };
    *(unsigned *)ctx += header_load(b, &c);
    CHECK(arena_used(a) < 64 * b.n + 65536); /* no allocation that the input does not justify */
    arena_free(a);
}

TEST(header_damaged)
{
    struct arena *a = arena_new(ARENA);
    for (unsigned i = 0; i < 12; i++) {
        struct context *c = filled(a, i);
        c->handles = c->handles > 20 ? 20 : c->handles;
        unsigned ok = 0;
        size_t n = mutate_all(packed(c), try_header, &ok);
        CHECK(n > ok);
    }
    arena_free(a);
}

static bool loads(const char *hex)
{
    struct arena *a = arena_new(ARENA);
    struct context c = { .a = a };
    bool ok = header_load(unhex(hex), &c);
    arena_free(a);
    return ok;
}

TEST(header_refusals)
{
    CHECK(loads("48 01"));
    CHECK(loads("48 01 04 01000000 05"));
    CHECK(!loads(""));
    CHECK(!loads("48"));
    CHECK(!loads("49 01"));                         /* not a header */
    char newer[8];
    snprintf(newer, sizeof newer, "48 %02x", HEADER_LAYOUT + 1);
    CHECK(!loads(newer));
    CHECK(!loads("48 00"));
    CHECK(!loads("48 01 63 01000000 05"));          /* unknown field */
    CHECK(!loads("48 01 04 01000000 05 04 01000000 05")); /* twice */
    CHECK(!loads("48 01 04 02000000 05 00"));       /* bytes behind */
    CHECK(!loads("48 01 04 06000000 ffffffff7f 00"));
    CHECK(!loads("48 01 04 05000000 ffffffff7f"));  /* more than 32 bits */
    CHECK(!loads("48 01 01 03000000 02 41 00"));    /* NUL in a text */
    CHECK(!loads("48 01 0a 02000000 ff 01"));       /* 255 logons without bytes */
    CHECK(!loads("48 01 0b 0d000000 02 01 01 00 00 00 00 00 01 00 00 00 00")); /* the same handle twice */
}

/* --- control, delta ------------------------------------------------------------------------------------------------------------------------ */
static void try_control(void *ctx, struct blob b)
{
    struct control k;
    if (control_load(b, &k)) {
        CHECK(k.slot <= 1 && k.state <= STATE_RECOVERING);
        ++*(unsigned *)ctx;
    }
}

TEST(control_field)
{
    struct control k = { .state = STATE_STORED, .was = STATE_RUNNING, .flags = 1, .slot = 1, .sequence = 1234567890123, .epoch = 77, .deadline = 5, .busy_until = 6 }, got;
    uint8_t bytes[CONTROL_BYTES];
    struct wr w = wr_over(bytes, sizeof bytes);
    crypto_random(k.digest, sizeof k.digest);
    crypto_random(k.token, sizeof k.token);
    control_save(&w, &k);
    CHECK_INT(w.n, CONTROL_BYTES);
    REQUIRE(control_load(wr_blob(&w), &got));
    uint8_t again[CONTROL_BYTES];
    struct wr v = wr_over(again, sizeof again);
    control_save(&v, &got);
    CHECK_BLOB(wr_blob(&v), wr_blob(&w));
    unsigned ok = 0;
    mutate_all(wr_blob(&w), try_control, &ok);
    CHECK(ok > 0);
}

static void try_delta(void *ctx, struct blob b)
{
    struct arena *a = arena_new(ARENA);
    struct delta d;
    *(unsigned *)ctx += delta_load(a, b, &d);
    arena_free(a);
}

TEST(delta_round_trip)
{
    struct arena *a = arena_new(ARENA);
    struct block v[] = { { .handle = 1, .slot = 1, .state = blob_str("one") }, { .handle = 300, .slot = 0, .state = blob_str("") }, { .handle = 0x3FFFFFFE, .slot = 1, .state = blob_str("x") } };
    struct delta d = { .from = 99, .flags = 1, .header = blob_str("header"), .block = v, .blocks = 3 }, got;
    struct blob b = delta_save(a, &d);
    REQUIRE(delta_load(a, b, &got));
    CHECK_INT(got.from, 99);
    CHECK_INT(got.flags, 1);
    CHECK_BLOB(got.header, d.header);
    REQUIRE(got.blocks == 3);
    for (size_t i = 0; i < 3; i++) {
        CHECK_INT(got.block[i].handle, v[i].handle);
        CHECK_INT(got.block[i].slot, v[i].slot);
        CHECK_BLOB(got.block[i].state, v[i].state);
    }
    unsigned ok = 0;
    size_t n = mutate_all(b, try_delta, &ok);
    CHECK(ok < n);
    arena_free(a);
}
