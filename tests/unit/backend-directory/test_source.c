/* test_source.c - LDIF and CSV -> records -> entries -> rows; run again, changed, gone. */
#include "backend/directory/source/csv.h"
#include "backend/directory/source/ldif.h"
#include "backend/directory/source/sync.h"
#include "backend/mapi/msg.h"
#include "tests/mutate.h"
#include "tests/settable.h"
#include "tests/unit.h"
#include <stdio.h>
#include <stdlib.h>

static struct arena *a;

static void done(void)
{
    arena_free(a);
    a = NULL;
}

static struct directory *fresh(const char *name)
{
    static struct config c;
    const char *why;
    a = a != NULL ? a : arena_new(1 << 26);
    c = (struct config){ .directory = arena_printf(a, "%s/%s.db", unit_tmpdir(), name), .organization = "Demo", .default_domain = "example.com",
                         .auth_cache = 300, .auth_fail_delay = 100, .session_retention = 900 };
    return directory_open(&c, a, &why);
}

static FILE *memory(const char *text) { return fmemopen((void *)(uintptr_t)text, strlen(text), "r"); }

/* --- LDIF -------------------------------------------------------------------------------------------------------------------------------- */

static const char people[] =
    "version: 1\n"
    "# a comment\n that goes on\n"
    "dn: cn=Ana M,ou=People,dc=example,dc=com\n"
    "objectClass: inetOrgPerson\n"
    "cn: Ana M\n"
    "displayName:: QW5hIE3DvGxsZXI=\n"
    "mail: Ana.M@Example.com\n"
    "description: a long\n"
    "  line\n"
    "userCertificate;binary:: AQID\n"
    "entryUUID: 11111111-0000-0000-0000-000000000001\n"
    "manager: CN=Bob, ou=People, dc=example, dc=com\n"
    "\n\n"
    "dn: cn=Bob,ou=People,dc=example,dc=com\r\n"
    "objectClass: person\r\n"
    "cn: Bob\r\n"
    "proxyAddresses: SMTP:bob@example.com\r\n"
    "proxyAddresses: smtp:robert@example.com\r\n"
    "proxyAddresses: X500:/o=old/cn=bob\r\n"
    "proxyAddresses: X400:C=de;A= ;P=old\r\n"
    "\r\n"
    "dn: cn=Staff,dc=example,dc=com\n"
    "objectClass: groupOfNames\n"
    "cn: Staff\n"
    "member: cn=ana m,ou=people,dc=example,dc=com\n"
    "member: cn=Bob,ou=People,dc=example,dc=com\n"
    "member: cn=Nobody,dc=example,dc=com\n";

TEST(ldif_gives_records)
{
    a = arena_new(1 << 20);
    struct ldif l = { .f = memory(people) };
    struct record r;
    const char *why;
    REQUIRE(ldif_next(&l, a, &r, &why) == RECORD_READ);
    CHECK_STR(r.name, "cn=Ana M,ou=People,dc=example,dc=com");
    CHECK_STR(r.key, "11111111-0000-0000-0000-000000000001");
    CHECK_INT(r.line, 4);
    CHECK_BLOB(*record_first(&r, "displayname"), blob_str("Ana Müller"));
    CHECK_BLOB(*record_first(&r, "description"), blob_str("a long line"));
    CHECK_BYTES(*record_first(&r, "userCertificate"), "01 02 03");
    REQUIRE(ldif_next(&l, a, &r, &why) == RECORD_READ);
    CHECK_STR(r.key, r.name);
    REQUIRE(ldif_next(&l, a, &r, &why) == RECORD_READ);
    CHECK(ldif_next(&l, a, &r, &why) == RECORD_END);
    ldif_done(&l);
    fclose(l.f);
    done();
}

static const char *ldif_fault(const char *text)
{
    struct ldif l = { .f = memory(text) };
    struct record r;
    const char *why = NULL;
    enum record_next n = ldif_next(&l, a, &r, &why);
    while (n == RECORD_READ)
        n = ldif_next(&l, a, &r, &why);
    ldif_done(&l);
    fclose(l.f);
    return n == RECORD_BAD ? why : "";
}

TEST(ldif_refuses_what_it_cannot_take)
{
    a = arena_new(1 << 20);
    CHECK_STR(ldif_fault("cn: x\n"), "a record begins with its dn");
    CHECK_STR(ldif_fault("dn: cn=x\nchangetype: delete\n"), "this is a file of changes; export the directory instead");
    CHECK_STR(ldif_fault("dn: cn=x\njpegPhoto:< file:///etc/passwd\n"), "values by URL are not read");
    CHECK_STR(ldif_fault("dn: cn=x\ncn:: ***\n"), "the base64 value is broken");
    CHECK_STR(ldif_fault("dn: cn=x\nno colon\n"), "not of the form \"attribute: value\"");
    CHECK_STR(ldif_fault("dn:: AA==\n"), "the dn is empty or no text");
    CHECK_STR(ldif_fault("\n\n# nothing\n"), "");
    done();
}

/* --- entries ------------------------------------------------------------------------------------------------------------------------------ */

static bool entry_of(const char *text, struct entry *e, struct attr_link **link, size_t *links, const char **why)
{
    struct ldif l = { .f = memory(text) };
    struct record r;
    *why = NULL;
    bool ok = ldif_next(&l, a, &r, why) == RECORD_READ && attr_entry(attr_map(a, NULL, why), a, &r, e, link, links, why);
    ldif_done(&l);
    fclose(l.f);
    return ok;
}

TEST(attributes_become_an_entry)
{
    struct entry e;
    struct attr_link *link;
    size_t links;
    const char *why;
    a = arena_new(1 << 20);
    REQUIRE(entry_of("dn: cn=x\nobjectClass: top\nobjectClass: user\ncn: Common\ndisplayName: Shown\nmail: X@Y.org\nproxyAddresses: SMTP:x@y.org\n"
                     "proxyAddresses: smtp:b@y.org\nproxyAddresses: smtp:a@y.org\nproxyAddresses: smtp:A@y.org\nuid: x1\nmailNickname: nick\n"
                     "otherTelephone: 1\notherTelephone: 2\nmsExchHideFromAddressLists: TRUE\nPidTagTitle: Chief\nmsExchResourceCapacity: 12\n"
                     "manager: cn=b\nunknownThing: z\n", &e, &link, &links, &why));
    CHECK_INT(e.kind, ENTRY_USER);
    CHECK_STR(e.display_name, "Shown");
    CHECK_STR(e.smtp, "x@y.org");
    REQUIRE(e.proxies == 2);
    CHECK_STR(e.proxy[0], "smtp:a@y.org");
    CHECK_STR(e.proxy[1], "smtp:b@y.org");
    CHECK(e.hidden);
    CHECK_BLOB(props_str(&e.props, PidTagAccount), blob_str("nick"));
    CHECK_BLOB(props_str(&e.props, PidTagTitle), blob_str("Chief"));
    CHECK_INT(props_i32(&e.props, PidTagAddressBookRoomCapacity, 0), 12);
    const struct propval *phones = props_find(&e.props, PidTagBusiness2TelephoneNumbers);
    REQUIRE(phones != NULL && phones->v.mv.n == 2);
    CHECK_BLOB(phones->v.mv.s[1], blob_str("2"));
    REQUIRE(links == 1);
    CHECK_INT(link[0].kind, LINK_MANAGER);
    for (size_t i = 1; i < e.props.n; i++)
        CHECK(e.props.v[i - 1].tag < e.props.v[i].tag);
    done();
}

TEST(kinds_come_from_classes_and_types)
{
    static const struct { const char *text; enum entry_kind kind; } cases[] = {
        { "objectClass: person\nobjectClass: contact\n", ENTRY_CONTACT },
        { "objectClass: group\ngroupType: -2147483640\n", ENTRY_SECURITY },
        { "objectClass: group\ngroupType: 8\n", ENTRY_GROUP },
        { "objectClass: user\nmsExchRecipientDisplayType: 7\n", ENTRY_ROOM },
        { "objectClass: user\nmsExchRecipientDisplayType: 8\n", ENTRY_EQUIPMENT },
        { "objectClass: user\nkind: form\n", ENTRY_FORM },
        { "objectClass: somethingElse\n", ENTRY_CONTACT },
    };
    struct entry e;
    struct attr_link *link;
    size_t links;
    const char *why;
    a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        REQUIRE(entry_of(arena_printf(a, "dn: cn=x\ncn: x\n%s", cases[i].text), &e, &link, &links, &why));
        CHECK_INT(e.kind, cases[i].kind);
    }
    CHECK(!entry_of("dn: cn=x\ncn: x\nkind: template\n", &e, &link, &links, &why));
    CHECK(!entry_of("dn: cn=x\ncn: x\nmail: nobody\n", &e, &link, &links, &why));
    CHECK_STR(why, "\"nobody\" is no address");
    CHECK(!entry_of("dn: cn=x\ntitle: x\n", &e, &link, &links, &why));
    CHECK_STR(why, "it has neither a name nor an address");
    done();
}

/* --- each attribute ----------------------------------------------------------------------------------------------------------------------- */

static const struct { const char *name; uint32_t tag; } property_names[] = {
#define ATTR_PROP(name, tag) { name, tag },
#include "backend/directory/source/attr.def"
};
static const struct { const char *name; enum link_kind kind; } link_names[] = {
#define ATTR_LINK(name, kind) { name, kind },
#include "backend/directory/source/attr.def"
};

/* What an attribute of this property holds, and what becomes of it. */
static const char *line_of(const char *name, uint32_t tag, struct propval *want)
{
    *want = (struct propval){ .tag = prop_unicode(tag) };
    switch (prop_type(tag)) {
    case PtypInteger32: *want = pv_i32(tag, -7); return arena_printf(a, "%s: -7\n", name);
    case PtypBoolean:   *want = pv_bool(tag, true); return arena_printf(a, "%s: TRUE\n", name);
    case PtypBinary:    *want = pv_bin(tag, blob_of("\1\2\3", 3)); return arena_printf(a, "%s:: AQID\n", name);
    case PtypString8:
    case PtypString:
        *want = pv_str(prop_unicode(tag), tag == PidTagAddressBookTargetAddress ? "SMTP:x@y.org" : "x@y.org");
        return arena_printf(a, "%s: x@y.org\n", name);
    default:
        want->v.mv.n = 2;
        want->v.mv.s = arena_array(a, struct blob, 2);
        want->v.mv.s[0] = blob_str("one");
        want->v.mv.s[1] = blob_str("two");
        return arena_printf(a, "%s: one\n%s: two\n", name, name);
    }
}

static struct blob packed(const struct propval *v)
{
    struct props p = { 0 };
    struct wr w = wr_in(a, 1 << 12);
    props_set(a, &p, *v);
    props_pack(&w, &p);
    return wr_blob(&w);
}

/* One row per attribute: what a directory server, a file or --set says under that name becomes the property; and under the property's own name. */
TEST(each_attribute_becomes_its_property)
{
    struct entry e;
    struct attr_link *link;
    size_t links;
    const char *why;
    a = arena_new(1 << 24);
    for (size_t i = 0; i < sizeof property_names / sizeof property_names[0]; i++)
        for (unsigned own = 0; own < 2; own++) {
            struct propval want;
            uint32_t tag = property_names[i].tag;
            const char *line = line_of(own ? proptag_name(tag) : property_names[i].name, tag, &want);
            unit_check(entry_prop_settable(tag), __FILE__, __LINE__, "%s", property_names[i].name);
            REQUIRE(entry_of(arena_printf(a, "dn: cn=x\ncn: x\n%s", line), &e, &link, &links, &why));
            const struct propval *got = props_find(&e.props, tag);
            if (e.props.n != 1 || got == NULL || !blob_eq(packed(got), packed(&want)))
                unit_check(false, __FILE__, __LINE__, "%s", line);
        }
    for (size_t i = 0; i < sizeof link_names / sizeof link_names[0]; i++) {
        REQUIRE(entry_of(arena_printf(a, "dn: cn=x\ncn: x\n%s: cn=y\n", link_names[i].name), &e, &link, &links, &why));
        CHECK(links == 1 && link[0].kind == link_names[i].kind && e.props.n == 0);
    }
    done();
}

/* Each property that can be set, and each link, has a name that is shorter than its own. */
TEST(each_property_and_link_has_a_name)
{
    static const enum link_kind kinds[] = {
#define LINK(number, NAME, word, forward, back) LINK_##NAME,
#include "backend/directory/link.def"
    };
    a = arena_new(1 << 20);
    for (size_t i = 0; i < SETTABLE; i++) {
        bool named = settable[i] == PidTagAddressBookDeliveryContentLength; /* delivContLength, in other units */
        for (size_t k = 0; k < sizeof property_names / sizeof property_names[0] && !named; k++)
            named = property_names[k].tag == settable[i];
        unit_check(named, __FILE__, __LINE__, "%s", proptag_name(settable[i]));
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        unit_check(attr_form(attr_map(a, NULL, &(const char *){ NULL }), link_word(kinds[i])) == ATTR_TEXTS, __FILE__, __LINE__, "%s", link_word(kinds[i]));
    done();
}

/* The largest message comes in KiB and is told in bytes; what is more than that can tell, or no number, is none. */
TEST(the_largest_message_comes_in_kibibytes)
{
    static const struct { const char *said; int32_t bytes; } rows[] = { { "10240", 10485760 }, { "1", 1024 }, { "2097151", 2147482624 }, { "2097152", -1 }, { "0", -1 }, { "-5", -1 }, { "many", -1 } };
    struct entry e;
    struct attr_link *link;
    size_t links;
    const char *why;
    a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        REQUIRE(entry_of(arena_printf(a, "dn: cn=x\ncn: x\ndelivContLength: %s\n", rows[i].said), &e, &link, &links, &why));
        CHECK_INT(props_i32(&e.props, PidTagAddressBookDeliveryContentLength, -1), rows[i].bytes);
    }
    done();
}

/* An address elsewhere gets its type if it came without one; truth has three words. */
TEST(values_take_their_form)
{
    static const struct { const char *said, *want; } rows[] = { { "x@y.org", "SMTP:x@y.org" }, { "smtp:x@y.org", "smtp:x@y.org" }, { "NOTES:x@y/z", "NOTES:x@y/z" } };
    static const struct { const char *said; bool want; } truths[] = { { "TRUE", true }, { "yes", true }, { "1", true }, { "FALSE", false }, { "0", false } };
    struct entry e;
    struct attr_link *link;
    size_t links;
    const char *why;
    a = arena_new(1 << 20);
    for (size_t i = 0; i < 3; i++) {
        REQUIRE(entry_of(arena_printf(a, "dn: cn=x\ncn: x\ntargetAddress: %s\n", rows[i].said), &e, &link, &links, &why));
        CHECK_BLOB(props_str(&e.props, PidTagAddressBookTargetAddress), blob_str(rows[i].want));
    }
    for (size_t i = 0; i < 5; i++) {
        REQUIRE(entry_of(arena_printf(a, "dn: cn=x\ncn: x\nmAPIRecipient: %s\n", truths[i].said), &e, &link, &links, &why));
        CHECK_INT(props_bool(&e.props, PidTagSendRichInfo, !truths[i].want), truths[i].want);
    }
    done();
}

TEST(an_installation_names_attributes_of_its_own)
{
    const char *why = NULL;
    a = arena_new(1 << 20);
    struct attr_map *m = attr_map(a, "mail=otherMailbox, PidTagTitle=role", &why);
    REQUIRE(m != NULL);
    struct record r = { .key = "k", .name = "n" };
    struct entry e;
    struct attr_link *link;
    size_t links;
    record_add(a, &r, "cn", blob_str("Name"));
    record_add(a, &r, "title", blob_str("usual"));
    record_add(a, &r, "ROLE", blob_str("own"));
    record_add(a, &r, "otherMailbox", blob_str("o@x.org"));
    REQUIRE(attr_entry(m, a, &r, &e, &link, &links, &why));
    CHECK_STR(e.smtp, "o@x.org");
    CHECK_BLOB(props_str(&e.props, PidTagTitle), blob_str("own"));
    CHECK(attr_map(a, "mail", &why) == NULL);
    CHECK(attr_map(a, "PidTagSubject=x", &why) == NULL);
    CHECK_STR(why, "\"PidTagSubject\" is no known name");
    done();
}

/* --- CSV --------------------------------------------------------------------------------------------------------------------------------- */

TEST(csv_gives_records)
{
    static const char text[] = "\xEF\xBB\xBFmail;displayName;proxyAddresses;description\r\n"
                               "a@x.org;\"Semi; \"\"quoted\"\"\nsecond line\";b@x.org|c@x.org;one|two\r\n"
                               "\r\n"
                               "d@x.org;J\xF6rg;;";
    const char *why = NULL;
    a = arena_new(1 << 20);
    FILE *f = memory(text);
    struct csv *c = csv_open(f, attr_map(a, NULL, &why), a, &why);
    REQUIRE(c != NULL);
    struct record r;
    REQUIRE(csv_next(c, a, &r, &why) == RECORD_READ);
    CHECK_STR(r.key, "a@x.org");
    CHECK_INT(r.line, 2);
    CHECK_BLOB(*record_first(&r, "displayName"), blob_str("Semi; \"quoted\"\nsecond line"));
    CHECK_BLOB(*record_first(&r, "description"), blob_str("one|two"));
    CHECK_INT(r.n, 5);
    REQUIRE(csv_next(c, a, &r, &why) == RECORD_READ);
    CHECK_BLOB(*record_first(&r, "displayName"), blob_str("Jörg"));
    CHECK(csv_next(c, a, &r, &why) == RECORD_END);
    fclose(f);
    done();
}

static const char *csv_fault(const char *text)
{
    const char *why = NULL;
    struct record r;
    FILE *f = memory(text);
    struct csv *c = csv_open(f, attr_map(a, NULL, &why), a, &why);
    enum record_next n = c != NULL ? RECORD_READ : RECORD_BAD;
    while (n == RECORD_READ)
        n = csv_next(c, a, &r, &why);
    fclose(f);
    return n == RECORD_BAD ? why : "";
}

TEST(csv_refuses_what_it_cannot_take)
{
    a = arena_new(1 << 20);
    CHECK_STR(csv_fault("mail,shoesize\n"), "the column \"shoesize\" is not known");
    CHECK_STR(csv_fault("mail,Mail\n"), "the column \"Mail\" stands there twice");
    CHECK_STR(csv_fault("cn,title\n"), "it needs a column \"id\" or \"mail\" that names each object");
    CHECK_STR(csv_fault("mail,cn\na@x.org,\"open\n"), "a quote is not closed");
    CHECK_STR(csv_fault("mail,cn\na@x.org,\"x\"y\n"), "text behind a closing quote");
    CHECK_STR(csv_fault("mail,cn\na@x.org,b,c\n"), "more fields than the header line has");
    CHECK_STR(csv_fault("mail,thumbnailPhoto\na@x.org,***\n"), "thumbnailPhoto: the base64 value is broken");
    CHECK_STR(csv_fault("\n"), "it is empty");
    CHECK_STR(csv_fault("id,cn\n1,x\n"), "");
    done();
}

TEST(csv_is_written_so_that_it_can_be_read)
{
    static const char *const fields[] = { "plain", "with, comma", "with \"quotes\"", "two\nlines", "" };
    struct blob v[5];
    char *text = NULL;
    size_t n = 0;
    const char *why = NULL;
    struct record r;
    a = arena_new(1 << 20);
    FILE *f = open_memstream(&text, &n);
    fputs("id,cn,title,description,l\r\n", f);
    for (size_t i = 0; i < 5; i++)
        v[i] = blob_str(fields[i]);
    csv_write(f, v, 5);
    fclose(f);
    f = memory(text);
    struct csv *c = csv_open(f, attr_map(a, NULL, &why), a, &why);
    REQUIRE(c != NULL && csv_next(c, a, &r, &why) == RECORD_READ);
    CHECK_BLOB(*record_first(&r, "cn"), blob_str("with, comma"));
    CHECK_BLOB(*record_first(&r, "title"), blob_str("with \"quotes\""));
    CHECK_BLOB(*record_first(&r, "description"), blob_str("two\nlines"));
    CHECK(record_first(&r, "l") == NULL);
    fclose(f);
    free(text);
    done();
}

/* --- any bytes ---------------------------------------------------------------------------------------------------------------------------- */

static void swallow_ldif(void *ctx, struct blob bytes)
{
    (void)ctx;
    struct arena *own = arena_new(1 << 22);
    struct entry e;
    struct attr_link *link;
    struct record r;
    size_t links;
    const char *why = NULL;
    struct attr_map *m = attr_map(own, NULL, &why);
    FILE *f = bytes.n != 0 ? fmemopen((void *)(uintptr_t)bytes.p, bytes.n, "r") : NULL;
    struct ldif l = { .f = f };
    while (f != NULL && ldif_next(&l, own, &r, &why) == RECORD_READ)
        if (attr_entry(m, own, &r, &e, &link, &links, &why))
            CHECK(e.display_name != NULL && *e.display_name != '\0');
    ldif_done(&l);
    if (f != NULL)
        fclose(f);
    arena_free(own);
}

static void swallow_csv(void *ctx, struct blob bytes)
{
    (void)ctx;
    struct arena *own = arena_new(1 << 22);
    struct record r;
    const char *why = NULL;
    FILE *f = bytes.n != 0 ? fmemopen((void *)(uintptr_t)bytes.p, bytes.n, "r") : NULL;
    struct csv *c = f != NULL ? csv_open(f, attr_map(own, NULL, &why), own, &why) : NULL;
    while (c != NULL && csv_next(c, own, &r, &why) == RECORD_READ)
        CHECK(r.key != NULL && r.name != NULL);
    if (f != NULL)
        fclose(f);
    arena_free(own);
}

TEST(damaged_files_are_an_error_or_records)
{
    mutate_all(blob_str(people), swallow_ldif, NULL);
    mutate_all(blob_str("mail;displayName;thumbnailPhoto;member\r\na@x.org;\"Semi; \"\"q\"\"\nz\";AQID;b@x.org|c@x.org\r\n"), swallow_csv, NULL);
}

/* --- the address book comes into step ------------------------------------------------------------------------------------------------------- */

static char said[4096];

static void say(void *ctx, const char *key, size_t line, const char *why)
{
    (void)ctx;
    size_t n = strlen(said);
    snprintf(said + n, sizeof said - n, "%s:%zu:%s\n", key, line, why);
}

static struct sync_count run(struct directory *d, const char *text, bool dry, bool prune)
{
    const char *why = NULL;
    struct sync_options o = { .directory = d, .map = attr_map(a, NULL, &why), .source = "ldif:test", .dry_run = dry, .prune = prune, .say = say };
    struct sync *s = sync_begin(a, &o);
    struct ldif l = { .f = memory(text) };
    struct record r;
    struct sync_count n;
    ec_t ec = ecNone;
    said[0] = '\0';
    while (ec == ecNone && ldif_next(&l, a, &r, &why) == RECORD_READ)
        ec = sync_record(s, &r);
    CHECK_EC(sync_end(s, ec, &n), ecNone);
    ldif_done(&l);
    fclose(l.f);
    return n;
}

/* A link that does not join such objects is told and left out; the others of the file come. */
TEST(links_that_join_nothing_are_told)
{
    struct directory *d = fresh("joined");
    struct entry below;
    int64_t *row;
    size_t n;
    REQUIRE(d != NULL);
    struct sync_count c = run(d, "dn: cn=Org\ncn: Org\nkind: organization\nroot: cn=Top\n\n"
                                 "dn: cn=Top\ncn: Top\nkind: department\nmail: top@example.com\nroot: cn=Below\n\n"
                                 "dn: cn=Below\ncn: Below\nkind: department\nmail: below@example.com\nparent-department: cn=Top\n\n"
                                 "dn: cn=All\ncn: All\nkind: group\nmember: cn=Top\n", false, false);
    CHECK_INT(c.added, 4);
    CHECK_INT(c.links_unknown, 2);
    CHECK(strstr(said, "cn=Top:0:root: does not join objects of these kinds\n") != NULL);
    CHECK(strstr(said, "cn=All:0:member: does not join objects of these kinds\n") != NULL);
    REQUIRE_EC(entry_by_address(d, a, "below@example.com", &below), ecNone);
    REQUIRE_EC(link_list(d, a, LINK_PARENT, below.row, false, &row, &n), ecNone);
    CHECK_INT(n, 1);
    CHECK_INT(run(d, "dn: cn=Top\ncn: Top\nkind: department\nmail: top@example.com\nparent-department: cn=Below\n\n"
                     "dn: cn=Below\ncn: Below\nkind: department\nmail: below@example.com\nparent-department: cn=Top\n", false, false).links_unknown, 1); /* a circle */
    directory_close(d);
    done();
}

TEST(a_file_becomes_rows_and_links)
{
    struct directory *d = fresh("rows");
    struct entry ana, bob, staff;
    int64_t *row;
    size_t n;
    REQUIRE(d != NULL);
    struct sync_count c = run(d, people, true, true);
    CHECK_INT(c.added, 3);
    CHECK_EC(entry_by_address(d, a, "bob@example.com", &bob), ecNotFound);
    c = run(d, people, false, true);
    CHECK_INT(c.read, 3);
    CHECK_INT(c.added, 3);
    CHECK_INT(c.links_unknown, 1);
    CHECK(strstr(said, "nobody is called cn=nobody,dc=example,dc=com") != NULL);
    REQUIRE_EC(entry_by_address(d, a, "ana.m@example.com", &ana), ecNone);
    REQUIRE_EC(entry_by_address(d, a, "robert@example.com", &bob), ecNone);
    REQUIRE_EC(entry_by_dn(d, a, "/o=old/cn=bob", &bob), ecNone);
    REQUIRE_EC(entry_by_external(d, a, "ldif:test", "cn=Staff,dc=example,dc=com", &staff), ecNone);
    CHECK_STR(ana.display_name, "Ana Müller");
    REQUIRE_EC(link_list(d, a, LINK_MANAGER, ana.row, false, &row, &n), ecNone);
    REQUIRE(n == 1);
    CHECK_INT(row[0], bob.row);
    REQUIRE_EC(link_list(d, a, LINK_MEMBER, staff.row, false, &row, &n), ecNone);
    CHECK_INT(n, 2);
    directory_close(d);
    done();
}

TEST(the_same_file_again_changes_nothing)
{
    struct directory *d = fresh("again");
    struct entry before, after;
    REQUIRE(d != NULL);
    run(d, people, false, true);
    REQUIRE_EC(entry_by_address(d, a, "bob@example.com", &before), ecNone);
    struct sync_count c = run(d, people, false, true);
    CHECK_INT(c.unchanged, 3);
    CHECK_INT(c.changed + c.added + c.removed, 0);
    REQUIRE_EC(entry_by_address(d, a, "bob@example.com", &after), ecNone);
    CHECK_INT(after.change, before.change);
    directory_close(d);
    done();
}

TEST(changes_and_removals_follow_the_file)
{
    struct directory *d = fresh("follow");
    struct entry e, was;
    REQUIRE(d != NULL);
    run(d, people, false, true);
    REQUIRE_EC(entry_by_address(d, a, "ana.m@example.com", &was), ecNone);
    const char *next = "dn: cn=Ana Married,dc=example,dc=com\nobjectClass: inetOrgPerson\ncn: Ana Married\nmail: ana.k@example.com\n"
                       "entryUUID: 11111111-0000-0000-0000-000000000001\n";
    struct sync_count c = run(d, next, true, true);
    CHECK_INT(c.changed, 1);
    CHECK_INT(c.removed, 2);
    c = run(d, next, false, true);
    CHECK_INT(c.changed, 1);
    CHECK_INT(c.removed, 2);
    REQUIRE_EC(entry_get(d, a, was.row, &e), ecNone);
    CHECK_STR(e.display_name, "Ana Married");
    CHECK_STR(e.dn, was.dn);
    CHECK_EC(entry_by_address(d, a, "bob@example.com", &e), ecNotFound);
    directory_close(d);
    done();
}

TEST(nothing_goes_when_a_record_was_refused)
{
    struct directory *d = fresh("refused");
    REQUIRE(d != NULL);
    run(d, people, false, true);
    struct sync_count c = run(d, "dn: cn=x\ncn: x\nmail: broken\n", false, true);
    CHECK_INT(c.refused, 1);
    CHECK_INT(c.removed, 0);
    CHECK_STR(said, "cn=x:1:\"broken\" is no address\n");
    c = run(d, "dn: cn=thief\ncn: thief\nmail: thief@example.com\nproxyAddresses: smtp:robert@example.com\n", false, false);
    CHECK_INT(c.refused, 1);
    CHECK_STR(said, "cn=thief:1:its address, DN or key belongs to another object\n");
    directory_close(d);
    done();
}

/* A user with a mailbox gets name and properties of the source, keeps login, DN and mailbox, and stays when the source loses him. */
TEST(a_local_user_is_taken_over_and_given_back)
{
    struct directory *d = fresh("local");
    struct person p, q;
    struct entry e;
    REQUIRE(d != NULL);
    REQUIRE_EC(directory_add(d, a, &(struct person_new){ .login = "bob", .display_name = "Local Bob", .password = "x", .with_mailbox = true }, &p), ecNone);
    struct sync_count c = run(d, people, false, true);
    CHECK_INT(c.changed, 1);
    CHECK_INT(c.added, 2);
    REQUIRE_EC(directory_by_login(d, a, "bob@example.com", &q), ecNone);
    CHECK_STR(q.display_name, "Bob");
    CHECK_STR(q.dn, p.dn);
    CHECK(guid_eq(&q.mailbox, &p.mailbox));
    c = run(d, "", false, true);
    CHECK_INT(c.removed, 3);
    REQUIRE_EC(directory_by_login(d, a, "bob@example.com", &q), ecNone);
    REQUIRE_EC(entry_get(d, a, p.row, &e), ecNone);
    CHECK_STR(e.source, "");
    directory_close(d);
    done();
}
