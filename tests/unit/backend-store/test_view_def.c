/* test_view_def.c - definitions of views there and back; damaged ones are worthless, never a crash. */
#include "backend/store/view_def.h"
#include "tests/mutate.h"
#include "tests/unit.h"

static struct restriction leaf(void)
{
    return (struct restriction){ .kind = RES_PROPERTY, .property = { RELOP_GE, PidTagImportance, pv_i32(PidTagImportance, 1) } };
}

static struct view_def made(struct arena *a, uint32_t lcid, const struct restriction *r)
{
    struct sortorder s = { .n = 2, .col = { { PidTagSubject, SORT_ASCENDING }, { PROP_TAG(0x6805, PtypString8 | PtypMultipleInstance), SORT_DESCENDING } } };
    struct view_def d = { .packed = { NULL, 0 } };
    REQUIRE_EC(view_def_make(a, &s, lcid, r, 0, &d), ecNone);
    return d;
}

TEST(there_and_back)
{
    struct arena *a = arena_new(1 << 20);
    struct restriction l = leaf(), sub = { .kind = RES_SUBRESTRICTION, .sub = { PidTagMessageAttachments, &l } };
    struct view_def d = made(a, 0x0409, &sub), e;
    REQUIRE(view_def_unpack(a, d.packed, &e));
    CHECK_INT(e.sort.n, 2);
    CHECK_INT(e.sort.col[1].tag, PROP_TAG(0x6805, PtypString | PtypMultipleInstance));
    CHECK_INT(e.instance, PROP_TAG(0x6805, PtypString | PtypMultipleFlag));
    CHECK(e.collator == d.collator && e.filter != NULL && e.sub);
    CHECK_INT(e.tags.n, d.tags.n);
    CHECK(tags_has(&e.tags, PidTagMessageAttachments) && tags_has(&e.tags, PidTagSubject));
    arena_free(a);
}

/* Locales that sort alike share their views; those that do not, do not. */
TEST(shared_by_collation)
{
    struct arena *a = arena_new(1 << 20);
    CHECK_BLOB(made(a, 0x0409, NULL).packed, made(a, 0x0407, NULL).packed);
    CHECK(!blob_eq(made(a, 0x0409, NULL).packed, made(a, 0x041D, NULL).packed));
    struct sortorder s = { .n = 1, .col = { { PidTagMessageSize, SORT_ASCENDING } } };
    struct view_def x, y;
    REQUIRE_EC(view_def_make(a, &s, 0x0409, NULL, 0, &x), ecNone);
    REQUIRE_EC(view_def_make(a, &s, 0x041D, NULL, 0, &y), ecNone);
    CHECK_BLOB(x.packed, y.packed);
    arena_free(a);
}

TEST(looks_at)
{
    struct arena *a = arena_new(1 << 20);
    struct restriction l = leaf();
    struct view_def d = made(a, 0x0409, &l);
    struct tags t = { 0 };
    CHECK(!view_def_looks_at(&d, &t) && view_def_looks_at(&d, NULL));
    tags_add(a, &t, PidTagMessageFlags);
    CHECK(!view_def_looks_at(&d, &t));
    tags_add(a, &t, PidTagImportance);
    CHECK(view_def_looks_at(&d, &t));
    arena_free(a);
}

static void try_one(void *ctx, struct blob variant)
{
    struct arena *a = arena_new(1 << 20);
    struct view_def d;
    *(size_t *)ctx += view_def_unpack(a, variant, &d);
    arena_free(a);
}

TEST(damaged)
{
    struct arena *a = arena_new(1 << 20);
    struct restriction l = leaf(), sub = { .kind = RES_SUBRESTRICTION, .sub = { PidTagMessageRecipients, &l } };
    struct view_def d = made(a, 0x041D, &sub);
    size_t good = 0, all = mutate_all(d.packed, try_one, &good);
    CHECK(good > 0 && good < all);
    arena_free(a);
}
