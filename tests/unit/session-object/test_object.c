/* test_object.c - every kind of object.def: to bytes and back, damaged bytes, and what a failed ROP did is undone. */
#include "session/context/context_int.h"
#include "session/object/attachment.h"
#include "session/object/folder.h"
#include "session/object/logon.h"
#include "session/object/message.h"
#include "session/object/stream.h"
#include "session/object/subscription.h"
#include "session/object/table.h"
#include "tests/mutate.h"
#include "tests/unit.h"

/* A state of each kind in which no field is zero. */
static void sample_logon(struct arena *a, struct obj_logon *s)
{
    (void)a;
    s->logon_id = 7;
}

static void sample_folder(struct arena *a, struct obj_folder *s)
{
    (void)a;
    *s = (struct obj_folder){ 0x123456789A, 4 };
}

static void sample_draft(struct arena *a, struct msg *m)
{
    props_set(a, &m->set, pv_str(PidTagSubject, "half written"));
    tags_add(a, &m->del, PidTagImportance);
    struct recipient *r = msg_rcpt_add(a, m, 3);
    r->type = 1;
    props_set(a, &r->props, pv_str(PidTagDisplayName, "Bob"));
    struct attachment *t = msg_att_add(a, m, 2);
    t->fresh = true;
    props_set(a, &t->set, pv_bin(PidTagAttachDataBinary, blob_str("bytes")));
    t->embedded = arena_one(a, struct msg);
    props_set(a, &t->embedded->set, pv_str(PidTagSubject, "inner"));
}

static void sample_message(struct arena *a, struct obj_message *s)
{
    *s = (struct obj_message){ .fid = 0x11, .mid = 0x22, .base_cn = 0x33, .assoc = true, .writable = true, .saved_once = true, .embedded = true, .whole = true,
                               .pinned = 9, .code_page = 932, .path = { 2, { 5, 6 } }, .next_att = 8, .draft_serial = 10 };
    sample_draft(a, &s->draft);
}

static void sample_attachment(struct arena *a, struct obj_attachment *s)
{
    struct msg m = { 0 };
    sample_draft(a, &m);
    *s = (struct obj_attachment){ .message = 3, .mid = 0x44, .path = { 1, { 2 } }, .num = 2, .fresh = true, .writable = true, .pinned = 5, .code_page = 1250,
                                  .draft = m.att[0] };
}

static void sample_table(struct arena *a, struct obj_table *s)
{
    *s = (struct obj_table){ .source = TABLE_OF_HIERARCHY, .flags = 0x40, .fid = 0x55, .message = 6, .columns_set = true, .view_exists = true,
                             .sort = { 2, 1, 1, { { PidTagSubject, 0 }, { PidTagMessageDeliveryTime, 1 } } }, .restriction = blob_str("\x02\x03"),
                             .code_page = 1252, .key = blob_str("key"), .id = 0x77, .end = true, .next_bookmark = 4 };
    tags_add(a, &s->columns, PidTagSubject);
    tags_add(a, &s->columns, PidTagMid);
    s->bookmark = arena_array(a, struct bookmark, 2);
    s->bookmark[0] = (struct bookmark){ 1, blob_str("one"), 8, false };
    s->bookmark[1] = (struct bookmark){ 3, blob_of(NULL, 0), 0, true };
    s->nbookmark = s->bookmark_cap = 2;
}

static void sample_stream(struct arena *a, struct obj_stream *s)
{
    (void)a;
    *s = (struct obj_stream){ .owner = 5, .tag = PidTagBody, .code_page = 1252, .where = STREAM_INLINE, .writable = true, .changed = true, .size = 6,
                              .position = 2, .bytes = blob_str("stream"), .large = { { 1, 2, 3 }, 99 } };
}

static void sample_subscription(struct arena *a, struct obj_subscription *s)
{
    (void)a;
    *s = (struct obj_subscription){ .types = 0x0512, .whole = true, .fid = 0x123456789A, .mid = 7 };
}

static void sample(struct arena *a, struct object *x)
{
    switch (x->kind) {
    case OBJ_NONE: break;
#define OBJECT(number, NAME, name) \
    case OBJ_##NAME: x->state = arena_one(a, struct obj_##name); sample_##name(a, x->name); break;
#include "session/object/object.def"
#undef OBJECT
    }
}

static const enum object_kind kinds[] = {
#define OBJECT(number, NAME, name) OBJ_##NAME,
#include "session/object/object.def"
#undef OBJECT
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static struct blob packed(struct arena *a, const struct object *x)
{
    struct wr w = wr_in(a, 1 << 20);
    object_pack(&w, x);
    CHECK(!w.full);
    return wr_blob(&w);
}

TEST(each_kind_comes_back_as_it_was)
{
    struct arena *a = arena_new(16 << 20);
    for (size_t i = 0; i < KINDS; i++) {
        struct object x = { .kind = kinds[i] }, y = { .kind = OBJ_NONE };
        sample(a, &x);
        struct blob b = packed(a, &x);
        REQUIRE(object_unpack(b, kinds[i], a, &y));
        CHECK_INT(y.kind, kinds[i]);
        CHECK_BLOB(packed(a, &y), b);
        CHECK_STR(object_describe(a, &y), object_describe(a, &x));
        CHECK(*object_describe(a, &x) != 0 && *object_kind_name(kinds[i]) != 0);
    }
    arena_free(a);
}

/* The bytes alone do not say that everything is in them: the fields of the table, one by one. */
TEST(a_table_comes_back_field_by_field)
{
    struct arena *a = arena_new(16 << 20);
    struct object x = { .kind = OBJ_TABLE }, y;
    sample(a, &x);
    REQUIRE(object_unpack(packed(a, &x), OBJ_TABLE, a, &y));
    const struct obj_table *s = x.table, *t = y.table;
    CHECK(t->source == s->source && t->flags == s->flags && t->fid == s->fid && t->message == s->message);
    CHECK(t->columns_set && t->view_exists && t->end && t->id == s->id && t->code_page == s->code_page);
    CHECK(t->columns.n == 2 && t->columns.v[1] == PidTagMid);
    CHECK(t->sort.n == 2 && t->sort.categories == 1 && t->sort.expanded == 1 && t->sort.col[1].tag == PidTagMessageDeliveryTime && t->sort.col[1].order == 1);
    CHECK_BLOB(t->restriction, s->restriction);
    CHECK_BLOB(t->key, s->key);
    CHECK(t->next_bookmark == 4 && t->nbookmark == 2 && t->bookmark[0].id == 8 && t->bookmark[1].end);
    CHECK_BLOB(t->bookmark[0].key, blob_str("one"));
    arena_free(a);
}

/* --- damage ------------------------------------------------------------------------------------------------------------------------------------- */

struct damage { enum object_kind kind; size_t whole, refused, tried; };

static void damaged(void *ctx, struct blob b)
{
    struct damage *d = ctx;
    struct arena *a = arena_new(64 << 20);
    struct object x = { .kind = OBJ_NONE };
    bool ok = object_unpack(b, d->kind, a, &x);
    d->tried++;
    d->refused += !ok;
    if (ok)
        CHECK(object_describe(a, &x) != NULL && packed(a, &x).n > 0);
    if (b.n < d->whole)
        CHECK(!ok);
    arena_free(a);
}

TEST(damaged_blocks_are_refused_or_harmless)
{
    struct arena *a = arena_new(16 << 20);
    for (size_t i = 0; i < KINDS; i++) {
        struct object x = { .kind = kinds[i] };
        sample(a, &x);
        struct blob b = packed(a, &x);
        struct damage d = { kinds[i], b.n, 0, 0 };
        mutate_all(b, damaged, &d);
        CHECK(d.tried > 8 * b.n && d.refused >= b.n);
    }
    arena_free(a);
}

TEST(a_block_of_another_kind_or_version_is_refused)
{
    struct arena *a = arena_new(16 << 20);
    struct object x = { .kind = OBJ_FOLDER }, y;
    sample(a, &x);
    struct blob b = packed(a, &x);
    uint8_t *bent = arena_dup(a, b.p, b.n);
    CHECK(!object_unpack(b, OBJ_STREAM, a, &y));
    CHECK(!object_unpack(b, (enum object_kind)31, a, &y));
    bent[0] = 99;
    CHECK(!object_unpack(blob_of(bent, b.n), OBJ_FOLDER, a, &y));
    struct wr w = wr_in(a, 1024);
    wr_put(&w, b);
    wr_u8(&w, 0);
    CHECK(!object_unpack(wr_blob(&w), OBJ_FOLDER, a, &y));
    arena_free(a);
}

/* --- the objects of a request --------------------------------------------------------------------------------------------------------------------------- */

static struct context *context_new(struct arena *a)
{
    const char *why;
    struct context *c = arena_one(a, struct context);
    c->p = arena_one(a, struct context_private);
    c->p->env.config = config_load(a, NULL, &why);
    REQUIRE(c->p->env.config != NULL);
    c->a = a;
    c->next_handle = 1;
    return c;
}

static struct object *folder_new(struct objects *o, uint64_t fid)
{
    ec_t ec;
    struct object *x = object_new(o, OBJ_FOLDER, 0, (uint32_t)HANDLE_NONE, &ec);
    REQUIRE(x != NULL);
    x->folder->fid = fid;
    return x;
}

TEST(what_was_saved_is_there_in_the_next_request)
{
    ec_t ec;
    struct arena *a = arena_new(16 << 20);
    struct context *c = context_new(a);
    struct objects *o = objects_new(c);
    uint32_t h = folder_new(o, 0x1234)->handle;
    objects_save(o);
    o = objects_new(c);
    struct object *x = object_get(o, h, &ec);
    REQUIRE(x != NULL);
    CHECK_INT(x->folder->fid, 0x1234);
    CHECK(object_get(o, h, &ec) == x);
    CHECK(!x->dirty);
    arena_free(a);
}

/* OXCROPS R457301, R457302. */
TEST(handles_that_were_released_and_handles_that_never_were)
{
    ec_t ec;
    struct arena *a = arena_new(16 << 20);
    struct objects *o = objects_new(context_new(a));
    uint32_t h = folder_new(o, 1)->handle;
    object_drop(o, h);
    CHECK(object_get(o, h, &ec) == NULL);
    CHECK_EC(ec, ecInvalidObject);
    CHECK(object_get(o, h + 1, &ec) == NULL);
    CHECK_EC(ec, ecNullObject);
    CHECK(object_get(o, 0xFFFFFFFF, &ec) == NULL);
    CHECK_EC(ec, ecNullObject);
    CHECK(!objects_damaged(o));
    arena_free(a);
}

TEST(a_damaged_block_is_told_apart)
{
    ec_t ec;
    struct arena *a = arena_new(16 << 20);
    struct context *c = context_new(a);
    struct objects *o = objects_new(c);
    uint32_t h = folder_new(o, 1)->handle;
    objects_save(o);
    context_put(c, h, blob_str("nonsense"));
    o = objects_new(c);
    CHECK(object_get(o, h, &ec) == NULL);
    CHECK(objects_damaged(o));
    arena_free(a);
}

TEST(rewind_undoes_clean_dirty_and_new_objects)
{
    ec_t ec;
    struct arena *a = arena_new(16 << 20);
    struct context *c = context_new(a);
    struct objects *o = objects_new(c);
    uint32_t clean = folder_new(o, 1)->handle;
    objects_save(o);
    o = objects_new(c);
    uint32_t dirty = folder_new(o, 2)->handle;

    objects_mark(o);
    struct object *x = object_get(o, clean, &ec), *y = object_get(o, dirty, &ec);
    x->folder->fid = 91;
    object_dirty(x);
    y->folder->fid = 92;
    uint32_t made = folder_new(o, 93)->handle;
    objects_rewind(o);

    CHECK_INT(object_get(o, clean, &ec)->folder->fid, 1);
    CHECK_INT(object_get(o, dirty, &ec)->folder->fid, 2);
    CHECK(object_get(o, dirty, &ec)->dirty);
    CHECK(object_get(o, made, &ec) == NULL);
    CHECK_EC(ec, ecInvalidObject);
    objects_save(o);
    o = objects_new(c);
    CHECK_INT(object_get(o, clean, &ec)->folder->fid, 1);
    CHECK_INT(object_get(o, dirty, &ec)->folder->fid, 2);
    arena_free(a);
}

TEST(rewind_goes_back_to_the_last_mark_only)
{
    ec_t ec;
    struct arena *a = arena_new(16 << 20);
    struct objects *o = objects_new(context_new(a));
    uint32_t h = folder_new(o, 1)->handle;
    objects_mark(o);
    object_get(o, h, &ec)->folder->fid = 2;
    objects_mark(o);
    object_get(o, h, &ec)->folder->fid = 3;
    objects_rewind(o);
    CHECK_INT(object_get(o, h, &ec)->folder->fid, 2);
    arena_free(a);
}

TEST(too_many_objects_are_refused)
{
    ec_t ec = ecNone;
    struct arena *a = arena_new(64 << 20);
    struct context *c = context_new(a);
    struct objects *o = objects_new(c);
    size_t n = 0;
    while (n < 100000 && object_new(o, OBJ_FOLDER, 0, (uint32_t)HANDLE_NONE, &ec) != NULL)
        n++;
    CHECK_INT(n, c->p->env.config->handles_max);
    CHECK(ec != ecNone);
    arena_free(a);
}
