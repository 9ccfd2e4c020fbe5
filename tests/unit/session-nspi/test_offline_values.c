/* test_offline_values.c - what an offline address book says of an object is what the endpoint says of it, property by property; who is not shown there is not in it. */
#include "session/nspi/nspi_offline.h"
#include "backend/directory/offline/offline_format.h"
#include "backend/directory/policy.h"
#include "tests/oab.h"
#include "tests/unit/session-nspi/rig.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static struct rig g;

static struct entry object(enum entry_kind kind, const char *name, const char *smtp)
{
    struct entry e = { .kind = kind, .display_name = name, .smtp = smtp };
    REQUIRE_EC(entry_add(g.d, g.life, &e), ecNone);
    return e;
}

/* A person with a value of every property that can be set, short ones and one that is too long. */
static void furnish(struct entry *e)
{
    char *text = arena_alloc(g.life, 5001);
    memset(text, 'n', 5000);
    struct blob *several = arena_array(g.life, struct blob, 3);
    const struct offline_column *c;
    size_t n = offline_columns(&c);
    REQUIRE_EC(entry_get(g.d, g.life, e->row, e), ecNone);
    for (size_t i = 0; i < 3; i++)
        several[i] = blob_str(arena_printf(g.life, "value %zu \xC3\xA9", i));
    for (size_t i = 0; i < n; i++) {
        struct propval v = { .tag = c[i].wanted };
        uint16_t type = prop_type(c[i].wanted);
        if (!entry_prop_settable(c[i].wanted) || c[i].wanted == PidTagAddressBookTargetAddress || c[i].wanted == PidTagAddressBookDisplayNamePrintable)
            continue;
        switch (type) {
        case PtypInteger32: v = pv_i32(c[i].wanted, (int32_t)prop_id(c[i].wanted)); break;
        case PtypBoolean:   v = pv_bool(c[i].wanted, c[i].wanted != PidTagAddressBookHideDLMembership); break;
        case PtypString:    v = pv_str(c[i].wanted, c[i].wanted == PidTagComment ? text : arena_printf(g.life, "of %04x \xE2\x82\xAC", prop_id(c[i].wanted))); break;
        case PtypBinary:    v.v.bin = blob_of(text, 700); break;
        default:            v.v.mv.n = 3, v.v.mv.s = several; break;
        }
        props_set(g.life, &e->props, v);
    }
    props_set(g.life, &e->props, pv_bin(PidTagThumbnailPhoto, blob_of(text, 5000)));
    const char **proxy = arena_array(g.life, const char *, 2);
    proxy[0] = arena_printf(g.life, "smtp:second%lld@example.com", (long long)e->row);
    proxy[1] = arena_printf(g.life, "X500:/o=Old/cn=%lld", (long long)e->row);
    e->proxy = proxy;
    e->proxies = 2;
    REQUIRE_EC(entry_set(g.d, g.life, e), ecNone);
}

static struct oab make(uint32_t org)
{
    struct offline_book b;
    struct offline_file *f = NULL;
    struct blob container = { 0 }, file = { 0 };
    struct oab o = { 0 };
    size_t n = 0;
    bool made;
    REQUIRE_EC(offline_make(g.d, g.life, &nspi_offline_values, org, NULL, &made), ecNone);
    REQUIRE_EC(offline_of(g.d, g.life, org, &b), ecNone);
    REQUIRE_EC(offline_files(g.d, g.life, &b, &f, &n), ecNone);
    REQUIRE(n != 0 && f[0].size < 1 << 20);
    REQUIRE_EC(offline_read(g.d, g.life, &f[0], 0, (size_t)f[0].size, &container), ecNone);
    REQUIRE(oab_open_mspack(g.life, container, &file) == 0);
    REQUIRE(oab_read(g.life, file, &o));
    CHECK_INT(b.objects, o.n);
    return o;
}

/* --- what the endpoint says ---------------------------------------------------------------------------------------------------------------------- */

/* GetProps of these tags; in the order asked for. */
static struct propval *online(int64_t row, const struct offline_column *c, size_t n)
{
    struct wr w = wr_in(g.life, 1 << 16);
    const uint32_t stat[9] = { 0, 0, entry_mid(row), 0, 0, 0, 1252, 0x409, 0x409 };
    struct propval *v = arena_array(g.life, struct propval, n);
    wr_u32(&w, 0);
    wr_u8(&w, 0xFF);
    for (size_t i = 0; i < 9; i++)
        wr_u32(&w, stat[i]);
    wr_u8(&w, 0xFF);
    wr_u32(&w, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        wr_u32(&w, c[i].wanted);
    wr_u32(&w, 0);
    struct rd r = rig_run(&g, "GetProps", wr_blob(&w));
    const struct pv_codec codec = { g.life, 1252, PV_COUNTS_BOOK };
    rd_u32(&r);
    REQUIRE(g.ec == ecNone || g.ec == 0x00040380);
    REQUIRE(rd_u8(&r) == 0xFF);
    REQUIRE(rd_u32(&r) == n);
    for (size_t i = 0; i < n; i++) {
        propval_read_tagged(&r, &codec, &v[i]);
        v[i] = propval_dup(g.life, &v[i]);
    }
    REQUIRE(rd_ok(&r));
    return v;
}

/* --- both compared ------------------------------------------------------------------------------------------------------------------------------- */

static bool same_many(const struct propval *x, const struct propval *y)
{
    bool same = x->v.mv.n == y->v.mv.n;
    for (size_t i = 0; same && i < x->v.mv.n; i++)
        same = blob_eq(x->v.mv.s[i], y->v.mv.s[i]);
    return same;
}

static bool same(const struct propval *there, const struct propval *here, bool shortened)
{
    uint16_t type = prop_type(there->tag);
    if (type_array(type))
        return same_many(there, here);
    switch (type) {
    case PtypInteger32: return there->v.i32 == here->v.i32;
    case PtypBoolean:   return there->v.b == here->v.b;
    case PtypBinary:    return blob_eq(there->v.bin, here->v.bin);
    default:            return shortened ? there->v.s.n < here->v.s.n && memcmp(there->v.s.p, here->v.s.p, there->v.s.n) == 0 : blob_eq(there->v.s, here->v.s);
    }
}

/* How many values were compared. */
static size_t compare(const struct oab *o, int64_t row)
{
    const struct offline_column *c;
    size_t n = offline_columns(&c) - 1, values = 0; /* without the list of what is shortened */
    struct propval *here = online(row, c, n);
    const struct oab_record *r = oab_of(o, arena_str(g.life, here[0].v.s));
    REQUIRE(r != NULL);
    for (size_t i = 0; i < n; i++) {
        const struct propval *there = oab_value(r, c[i].tag);
        bool has = prop_type(here[i].tag) != PtypErrorCode, shortened = oab_shortened(r, c[i].tag);
        bool ok = prop_type(c[i].tag) == PtypObject ? there == NULL && shortened == has
                : there != NULL                     ? has && same(there, &here[i], shortened)
                                                    : !has || shortened || (type_string(prop_type(here[i].tag)) && here[i].v.s.n == 0);
        unit_check(ok, __FILE__, __LINE__, "row %lld, %08x: there %s, here %s", (long long)row, c[i].tag, there != NULL ? propval_print(g.life, there) : "nothing",
                   propval_print(g.life, &here[i]));
        values += has;
    }
    return values;
}

TEST(the_same_as_the_endpoint)
{
    rig_start(&g, "same");
    struct entry ana = { .row = g.ana.row }, folder, contact, dynamic, secret;
    furnish(&ana);
    contact = object(ENTRY_CONTACT, "Somebody Elsewhere", "else@where.org");
    folder = object(ENTRY_FOLDER, "Announcements", "");
    dynamic = (struct entry){ .kind = ENTRY_DYNAMIC, .display_name = "All Users", .smtp = "all@example.com", .filter = "kind=user" };
    REQUIRE_EC(entry_add(g.d, g.life, &dynamic), ecNone);
    secret = (struct entry){ .kind = ENTRY_CONTACT, .display_name = "Secret", .smtp = "secret@where.org", .hidden = true };
    REQUIRE_EC(entry_add(g.d, g.life, &secret), ecNone);
    REQUIRE_EC(link_add(g.d, LINK_MEMBER, g.team, contact.row), ecNone);
    REQUIRE_EC(link_add(g.d, LINK_MEMBER, g.team, secret.row), ecNone);
    REQUIRE_EC(link_add(g.d, LINK_DELEGATE, g.ana.row, g.bob.row), ecNone);
    REQUIRE_EC(link_add(g.d, LINK_ACCEPT, g.room, g.ana.row), ecNone);
    struct oab o = make(1);
    CHECK_INT(o.n, 7); /* ana, bob, the room, the team, the contact, the folder, the dynamic group */
    CHECK(oab_of(&o, secret.dn) == NULL);
    const int64_t rows[] = { g.ana.row, g.bob.row, g.room, g.team, contact.row, folder.row, dynamic.row };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t values = compare(&o, rows[i]);
        unit_check(values > (i == 0 ? 50 : 6), __FILE__, __LINE__, "row %zu has %zu values", i, values);
    }
    const struct oab_record *r = oab_of(&o, ana.dn);
    REQUIRE(r != NULL);
    CHECK(oab_shortened(r, PidTagComment));
    CHECK(oab_shortened(r, prop_retype(PidTagThumbnailPhoto, PtypObject)));
    CHECK(oab_value(r, PROP_TAG(0x8008, PtypMultipleString8)) != NULL);
    CHECK_INT(o.object.v[1].flags, OFFLINE_ANR); /* the folder has no address */
    rig_end(&g);
}

/* Somebody else's organization: of its people, with links to its people alone. */
TEST(another_organization)
{
    struct offline_book *b = NULL;
    size_t n = 0;
    rig_start(&g, "another");
    REQUIRE_EC(org_add(g.d, "Other"), ecNone);
    REQUIRE_EC(org_add_domain(g.d, "Other", "other.org"), ecNone);
    struct entry zoe = object(ENTRY_CONTACT, "Zoe", "zoe@other.org");
    REQUIRE_EC(link_add(g.d, LINK_MANAGER, zoe.row, g.ana.row), ecNone);
    REQUIRE_EC(link_add(g.d, LINK_MEMBER, g.team, zoe.row), ecNone);
    REQUIRE_EC(offline_books(g.d, g.life, 0, &b, &n), ecNone);
    REQUIRE(n == 2);
    struct oab other = make(b[1].org), own = make(b[0].org);
    REQUIRE(other.n == 1);
    CHECK(blob_eq(oab_string(&other.record[0], PidTagDisplayName), blob_str("Zoe")));
    CHECK(oab_value(&other.record[0], PROP_TAG(0x8005, PtypString8)) == NULL);
    CHECK(oab_value(&other.record[0], PROP_TAG(0x8008, PtypMultipleString8)) == NULL);
    CHECK_INT(own.n, 4);
    CHECK(oab_of(&own, zoe.dn) == NULL);
    const struct propval *members = oab_value(oab_of(&own, "/o=Demo/ou=x/cn=team"), PROP_TAG(0x8009, PtypMultipleString8));
    REQUIRE(members != NULL);
    CHECK_INT(members->v.mv.n, 2);
    rig_end(&g);
}

/* MS-OXOAB 2.9.2.1: the header names the topmost department. */
TEST(root_department)
{
    rig_start(&g, "root");
    struct entry org = { .kind = ENTRY_ORGANIZATION, .display_name = "Demo", .dn = "/o=Demo" }, top = { .kind = ENTRY_DEPARTMENT, .display_name = "Everything" };
    REQUIRE_EC(entry_add(g.d, g.life, &org), ecNone);
    REQUIRE_EC(entry_add(g.d, g.life, &top), ecNone);
    struct oab o = make(1);
    CHECK(oab_value(&o.head, PidTagAddressBookHierarchicalRootDepartment) == NULL);
    REQUIRE_EC(link_add(g.d, LINK_ROOT, org.row, top.row), ecNone);
    o = make(1);
    CHECK(blob_eq(oab_string(&o.head, PidTagAddressBookHierarchicalRootDepartment), blob_str(top.dn)));
    CHECK_INT(oab_value(&o.head, PidTagOfflineAddressBookSequence)->v.i32, 2);
    rig_end(&g);
}

static void *look_beside(void *over)
{
    struct book_look l;
    REQUIRE_EC(book_begin(book_of(g.d), &g.ana, &l), ecNone);
    book_done(&l);
    atomic_store((atomic_bool *)over, true);
    return NULL;
}

/* Both passes over a book see one moment of all objects, also if somebody has brought the tables in memory up to date in between. */
TEST(one_moment)
{
    static const uint32_t tags[] = { PidTagDisplayName, PidTagSmtpAddress, PidTagEmailAddress };
    struct propval before[3], after[3];
    struct entry bob;
    void *look;
    pthread_t t;
    atomic_bool over = false;
    rig_start(&g, "moment");
    REQUIRE_EC(nspi_offline_values.begin(g.d, g.life, 1, &look), ecNone);
    REQUIRE_EC(nspi_offline_values.values(look, g.life, g.bob.row, tags, 3, before), ecNone);
    REQUIRE_EC(entry_get(g.d, g.life, g.bob.row, &bob), ecNone);
    bob.display_name = "Robert";
    bob.smtp = "robert@example.com";
    bob.dn = "/o=Demo/ou=x/cn=robert";
    REQUIRE_EC(entry_set(g.d, g.life, &bob), ecNone);
    REQUIRE(pthread_create(&t, NULL, look_beside, &over) == 0);
    while (!atomic_load(&over)) /* it rests now and then */
        CHECK_EC(nspi_offline_values.values(look, g.life, g.bob.row, tags, 3, after), ecNone);
    pthread_join(t, NULL);
    REQUIRE_EC(nspi_offline_values.values(look, g.life, g.bob.row, tags, 3, after), ecNone);
    for (size_t i = 0; i < 3; i++)
        CHECK_STR(arena_str(g.life, after[i].v.s), arena_str(g.life, before[i].v.s));
    nspi_offline_values.end(look);
    REQUIRE_EC(nspi_offline_values.begin(g.d, g.life, 1, &look), ecNone);
    REQUIRE_EC(nspi_offline_values.values(look, g.life, g.bob.row, tags, 3, after), ecNone);
    CHECK_STR(arena_str(g.life, after[0].v.s), "Robert");
    nspi_offline_values.end(look);
    rig_end(&g);
}
