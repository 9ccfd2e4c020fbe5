/* test_directory.c - the address book from a real LDAP server, from files, and by the administrator's hand; what clients then see. */
#include "backend/base/wr.h"
#include "backend/directory/entry.h"
#include "tests/flow/authkit.h"
#include "tests/flow/book.h"
#include "tests/flow/slapd.h"
#include <stdio.h>
#include <unistd.h>

enum { PEOPLE = 350 };

static const char head[] =
    "dn: dc=example,dc=com\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\n"
    "dn: ou=people,dc=example,dc=com\nobjectClass: organizationalUnit\nou: people\n\n"
    "dn: cn=Staff,dc=example,dc=com\nobjectClass: groupOfNames\ncn: Staff\ndescription: Everybody\nmember: uid=u0,ou=people,dc=example,dc=com\n"
    "member: uid=u349,ou=people,dc=example,dc=com\nmember: uid=ana,ou=people,dc=example,dc=com\n\n"
    "dn: uid=ana,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: ana\ncn: Ana\nsn: Example\ndisplayName: Ana of LDAP\nmail: ana@example.com\n"
    "telephoneNumber: +49 30 1\nmanager: uid=u7,ou=people,dc=example,dc=com\n\n";

static const char *people(struct arena *a)
{
    struct wr w = wr_in(a, 1 << 24);
    wr_bytes(&w, head, strlen(head));
    for (int i = 0; i < PEOPLE; i++) {
        const char *one = arena_printf(a, "dn: uid=u%1$d,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: u%1$d\ncn: Person %1$03d\nsn: Person\n"
                                          "mail: u%1$d@example.com\ntitle: Number %1$d\nuserCertificate;binary:: AQID\n\n", i);
        wr_bytes(&w, one, strlen(one));
    }
    return arena_str(a, wr_blob(&w));
}

static const char *settings(struct slapd *l, unsigned refresh)
{
    return arena_printf(l->a, "ldap_uris = ldap://127.0.0.1:%u\nldap_starttls = no\nldap_timeout = 2000\nbook_ldap_base = dc=example,dc=com\nbook_ldap_page = 100\n"
                              "book_ldap_refresh = %u\n", l->port, refresh);
}

static json_int_t count_of(json_t *o, const char *key) { return json_integer_value(json_object_get(o, key)); }

static bool exists(struct stack *st, const char *address)
{
    struct entry e;
    struct arena *a = arena_new(1 << 20);
    ec_t ec = entry_by_address(st->directory, a, address, &e);
    arena_free(a);
    return ec == ecNone;
}

/* More pages than one, keys that stay, links across pages, a local user taken over. */
TEST(a_directory_server_fills_the_address_book)
{
    struct arena *a = arena_new((size_t)1 << 26);
    struct slapd l;
    struct entry ana, staff;
    int64_t *row;
    size_t n;
    slapd_start(&l, a, people(a), NULL);
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = settings(&l, 0) });
    json_t *o = ctl_json(st, "directory refresh --dry-run", 0);
    CHECK_INT(count_of(o, "read"), PEOPLE + 2);
    CHECK_INT(count_of(o, "added"), PEOPLE + 1);
    json_decref(o);
    CHECK(!exists(st, "u0@example.com"));
    o = ctl_json(st, "directory refresh", 0);
    CHECK_INT(count_of(o, "added"), PEOPLE + 1);
    CHECK_INT(count_of(o, "changed"), 1);
    CHECK_INT(count_of(o, "links_unknown"), 0);
    json_decref(o);
    REQUIRE_EC(entry_get(st->directory, a, st->ana.row, &ana), ecNone);
    CHECK_STR(ana.display_name, "Ana of LDAP");
    CHECK_STR(ana.dn, st->ana.dn);
    CHECK(ana.has_mailbox);
    o = ctl_json(st, "directory list --kind group", 0);
    REQUIRE(json_array_size(o) == 1);
    REQUIRE_EC(entry_by_dn(st->directory, a, json_string_value(json_object_get(json_array_get(o, 0), "dn")), &staff), ecNone);
    json_decref(o);
    REQUIRE_EC(link_list(st->directory, a, LINK_MEMBER, staff.row, false, &row, &n), ecNone);
    CHECK_INT(n, 3);
    o = ctl_json(st, "directory show u7@example.com", 0);
    CHECK_STR(json_string_value(json_object_get(o, "manager of")), "ana@example.com");
    CHECK_STR(json_string_value(json_object_get(o, "PidTagTitle")), "Number 7");
    CHECK_STR(json_string_value(json_object_get(o, "PidTagAddressBookX509Certificate")), "3 bytes");
    json_decref(o);
    o = ctl_json(st, "directory refresh", 0);
    CHECK_INT(count_of(o, "unchanged"), PEOPLE + 2);
    CHECK_INT(count_of(o, "changed"), 0);
    json_decref(o);
    slapd_end(&l);
    stack_stop(st);
    arena_free(a);
}

/* What users change themselves outlasts a refresh; a group of the directory server is changed there, so its owner is told that he may not. */
TEST(changes_by_users_outlast_a_refresh)
{
    struct arena *a = arena_new((size_t)1 << 26);
    struct slapd l;
    struct entry staff, u0, ana;
    struct book_client b;
    bool is = false;
    slapd_start(&l, a, people(a), NULL);
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = settings(&l, 0) });
    json_decref(ctl_json(st, "directory refresh", 0));
    REQUIRE_EC(entry_by_address(st->directory, a, "u0@example.com", &u0), ecNone);
    json_t *o = ctl_json(st, "directory list --kind group", 0);
    REQUIRE_EC(entry_by_dn(st->directory, a, json_string_value(json_object_get(json_array_get(o, 0), "dn")), &staff), ecNone);
    json_decref(o);
    REQUIRE_EC(link_add(st->directory, LINK_OWNER, staff.row, st->ana.row), ecNone);
    book_bound(&b, st, &st->ana);
    struct nspic_stat s = book_stat();
    static const uint32_t tag[] = { PidTagEntryId };
    struct blob bytes = blob_of("\1\2\3", 3);
    struct propval certificate = { .tag = PidTagUserX509Certificate };
    certificate.v.mv.n = 1;
    certificate.v.mv.bin = &bytes;
    s.current = entry_mid(u0.row);
    MUST_BOOK(&b, "GetProps", (&(struct nspic_ask){ .stat = &s, .tags = tag, .ntags = 1 }));
    struct blob id = b.reply.values.v[0].v.bin;
    s.current = entry_mid(st->ana.row);
    MUST_BOOK(&b, "ModProps", (&(struct nspic_ask){ .stat = &s, .empty_tags = true, .tags = tag, .values = &certificate, .nvalues = 1 }));
    MUST_BOOK(&b, "ModLinkAtt", (&(struct nspic_ask){ .tag = PidTagAddressBookPublicDelegates, .mid = s.current, .entryids = &id, .nentryids = 1 }));
    CHECK_INT(BOOK(&b, "ModLinkAtt", (&(struct nspic_ask){ .tag = PidTagAddressBookMember, .flags = 1, .mid = entry_mid(staff.row), .entryids = &id, .nentryids = 1 })), 0x80070005);
    struct nspic_stat members = book_stat();
    members.current = entry_mid(staff.row);
    members.container = PidTagAddressBookMember;
    for (members.sort_type = 1000; members.sort_type <= 1001; members.sort_type++) /* to be read, to be changed */
        CHECK_INT(BOOK(&b, "GetMatches", (&(struct nspic_ask){ .stat = &members, .rows = 10 })), members.sort_type == 1000 ? 0 : 0x80040102);
    o = ctl_json(st, "directory refresh", 0);
    CHECK_INT(count_of(o, "changed"), 0);
    json_decref(o);
    REQUIRE_EC(entry_get(st->directory, a, st->ana.row, &ana), ecNone);
    CHECK(props_find(&ana.props, PidTagUserX509Certificate) != NULL);
    CHECK_EC(link_has(st->directory, LINK_DELEGATE, st->ana.row, u0.row, &is), ecNone);
    CHECK(is);
    CHECK_EC(link_has(st->directory, LINK_MEMBER, staff.row, u0.row, &is), ecNone);
    CHECK(is);
    slapd_modify(&l, "dn: uid=ana,ou=people,dc=example,dc=com\nchangetype: modify\nadd: userSMIMECertificate\nuserSMIMECertificate:: BAUG\n\n"); /* the server's goes before */
    json_decref(ctl_json(st, "directory refresh", 0));
    REQUIRE_EC(entry_get(st->directory, a, st->ana.row, &ana), ecNone);
    const struct propval *now = props_find(&ana.props, PidTagUserX509Certificate);
    CHECK(now != NULL && now->v.mv.n == 1 && blob_eq(now->v.mv.bin[0], blob_of("\4\5\6", 3)));
    book_client_end(&b);
    slapd_end(&l);
    stack_stop(st);
    arena_free(a);
}

static bool becomes(struct stack *st, const char *address, bool there, unsigned ms)
{
    for (unsigned waited = 0; waited < ms; waited += 20, usleep(20000))
        if (exists(st, address) == there)
            return true;
    return false;
}

/* One worker of several reads; a rename keeps the row; a server that is down takes nothing away. */
TEST(workers_follow_the_directory_server)
{
    struct arena *a = arena_new((size_t)1 << 26);
    struct slapd l;
    struct entry before, after;
    slapd_start(&l, a, people(a), NULL);
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .config = settings(&l, 1) });
    REQUIRE(becomes(st, "u349@example.com", true, 20000));
    REQUIRE_EC(entry_by_address(st->directory, a, "u5@example.com", &before), ecNone);
    slapd_modify(&l, "dn: uid=u5,ou=people,dc=example,dc=com\nchangetype: modify\nreplace: mail\nmail: five@example.com\n-\nreplace: cn\ncn: Five\n\n"
                     "dn: uid=u5,ou=people,dc=example,dc=com\nchangetype: modrdn\nnewrdn: uid=five\ndeleteoldrdn: 1\n\n"
                     "dn: uid=u6,ou=people,dc=example,dc=com\nchangetype: delete\n\n");
    REQUIRE(becomes(st, "five@example.com", true, 20000));
    REQUIRE(becomes(st, "u6@example.com", false, 20000));
    REQUIRE_EC(entry_by_address(st->directory, a, "five@example.com", &after), ecNone);
    CHECK_INT(after.row, before.row);
    CHECK_STR(after.dn, before.dn);
    CHECK_STR(after.display_name, "Five");
    slapd_end(&l);
    struct ctl_run r = ctl_run(st, "directory refresh");
    CHECK_INT(r.rc, 1);
    CHECK(strstr(r.text, "no LDAP server serves") != NULL);
    CHECK(exists(st, "five@example.com"));
    slapd_run(&l);
    slapd_modify(&l, "dn: uid=u7,ou=people,dc=example,dc=com\nchangetype: delete\n\n");
    CHECK(becomes(st, "u7@example.com", false, 30000));
    CHECK(exists(st, "u8@example.com"));
    slapd_end(&l);
    stack_stop(st);
    arena_free(a);
}

/* A client resolves what came in a moment ago, on every worker. */
TEST(an_imported_object_is_resolved_at_once)
{
    struct stack *st = stack_shared();
    struct arena *a = arena_new((size_t)1 << 24);
    struct book_client b;
    const char *csv = arena_printf(a, "%s/people.csv", st->dir), *name = "zebulon quickly";
    book_bound(&b, st, &st->ana);
    const struct nspic_stat stat = book_stat();
    const struct nspic_ask q = { .stat = &stat, .names = &name, .nnames = 1 };
    MUST_BOOK(&b, "ResolveNames", &q);
    REQUIRE(b.reply.mids == 1);
    CHECK_INT(b.reply.mid[0], 0); /* unresolved */
    authkit_file(csv, "mail,displayName,kind\nzeb@example.com,Zebulon Quickly,contact\nzone@example.com,The Zone,group\n");
    ctl_must(st, arena_printf(a, "directory import %s --source flow", csv));
    for (unsigned i = 0; i < st->workers; i++) {
        MUST_BOOK(&b, "ResolveNames", &q);
        REQUIRE(b.reply.mids == 1);
        CHECK_INT(b.reply.mid[0], 2); /* resolved */
    }
    ctl_must(st, "directory set zone@example.com --link member=zeb@example.com --force");
    json_t *o = ctl_json(st, "directory show zeb@example.com", 0);
    CHECK_STR(json_string_value(json_object_get(o, "member of")), "zone@example.com");
    json_decref(o);
    authkit_file(csv, "mail,displayName,kind\n");
    ctl_must(st, arena_printf(a, "directory import %s --source flow --prune", csv));
    MUST_BOOK(&b, "ResolveNames", &q);
    CHECK_INT(b.reply.mid[0], 0);
    book_client_end(&b);
    arena_free(a);
}

/* What export writes, import makes again: in another installation the same objects. */
TEST(an_exported_address_book_can_be_imported)
{
    struct arena *a = arena_new((size_t)1 << 24);
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 }), *other = stack_start(&(struct stack_options){ .workers = 1 });
    ctl_must(st, "directory add contact \"Kim, \\\"the\\\" Contact\" --set mail=kim@else.org --set title=Boss --set proxyAddresses=smtp:k@else.org");
    ctl_must(st, "directory add group Team --set mail=team@example.com --link member=kim@else.org --link owner=ana@example.com");
    ctl_must(st, "directory add dynamic Contacts --set mail=dyn@example.com --set filter=kind=contact");
    static const char *const formats[] = { "csv", "ldif" };
    for (size_t i = 0; i < 2; i++) {
        const char *file = arena_printf(a, "%s/book.%s", st->dir, formats[i]);
        ctl_must(st, arena_printf(a, "directory export %s", file));
        json_t *o = ctl_json(other, arena_printf(a, "directory import %s --source twin --prune", file), 0);
        CHECK_INT(count_of(o, i == 0 ? "added" : "unchanged"), i == 0 ? 3 : 5);
        CHECK_INT(count_of(o, "refused"), 0);
        CHECK_INT(count_of(o, "links_unknown"), 0);
        json_decref(o);
        o = ctl_json(other, "directory show kim@else.org", 0);
        CHECK_STR(json_string_value(json_object_get(o, "name")), "Kim, \"the\" Contact");
        CHECK_STR(json_string_value(json_object_get(o, "proxies")), "smtp:k@else.org");
        CHECK_STR(json_string_value(json_object_get(o, "member of")), "team@example.com");
        json_decref(o);
        o = ctl_json(other, "directory show dyn@example.com", 0);
        CHECK_STR(json_string_value(json_object_get(o, "member")), "kim@else.org");
        json_decref(o);
    }
    stack_stop(other);
    stack_stop(st);
    arena_free(a);
}

TEST(wrong_use_of_the_address_book_is_told)
{
    static const struct { const char *arguments, *words; int rc; } cases[] = {
        { "directory show nobody@example.com", "no such object", 1 },
        { "directory add zebra Striped", "is no kind of object", 1 },
        { "directory add contact X --set shoe=44", "known attribute", 1 },
        { "directory add contact X --set member=ana@example.com", "is a link", 1 },
        { "directory add contact X --set mail=nobody", "is no address", 1 },
        { "directory add contact X --set mail=ana@example.com", "exists already", 1 },
        { "directory remove ana@example.com", "has a mailbox", 1 },
        { "directory import nowhere.csv", "No such file", 1 },
        { "directory refresh", "names no part of an LDAP server", 1 },
        { "directory resolve zzzz", "", 3 },
        { "directory list --kind zebra", "is no kind of object", 1 },
        { "addresslist add Bad --filter shoe=44", "shoe", 1 },
        { "addresslist remove Nowhere", "no such address list", 1 },
        { "addresslist remove \"Global Address List\"", "is always there", 1 },
        { "directory list extra", "usage", 2 },
    };
    struct stack *st = stack_shared();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ctl_run r = ctl_run(st, cases[i].arguments);
        CHECK_INT(r.rc, cases[i].rc);
        if (strstr(r.text, cases[i].words) == NULL)
            CHECK_STR(r.text, cases[i].words);
    }
}
