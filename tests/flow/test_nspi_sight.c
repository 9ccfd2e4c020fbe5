/* test_nspi_sight.c - who sees whom in the address book: another organization's objects do not exist, however they are asked for; hidden ones are known to those who
 * know them; and what somebody may not change stays (MS-OXNSPI 3.1.4.1, MS-OXCMAPIHTTP 2.2.5). */
#include "backend/base/utf.h"
#include "backend/directory/policy.h"
#include "backend/mapi/entryid.h"
#include "session/nspi/nspi_row.h"
#include "tests/flow/books.h"
#include <stdio.h>

#define ASK(...) (&(struct nspic_ask){ __VA_ARGS__ })

static const uint32_t name_only[] = { PidTagDisplayName };

/* "Them" of the organization Other, linked by a careless administrator to everything that ana sees. */
struct them { struct entry e; int64_t group; uint32_t mid, group_mid; struct blob permanent, ephemeral; };

static void them_begin(struct books *k, struct them *t)
{
    struct guid server;
    int64_t team = (int64_t)k->team - MID_FIRST, p4 = (int64_t)k->person[4] - MID_FIRST, p5 = (int64_t)k->person[5] - MID_FIRST;
    REQUIRE_EC(entry_by_dn(k->d, k->b.a, k->foreign_dn, &t->e), ecNone);
    REQUIRE_EC(entry_get(k->d, k->b.a, t->e.row, &t->e), ecNone);
    props_set(k->b.a, &t->e.props, pv_str(PidTagTitle, "Secret"));
    REQUIRE_EC(entry_set(k->d, k->b.a, &t->e), ecNone);
    struct entry group = { .kind = ENTRY_GROUP, .display_name = "Their Group", .smtp = "group@other.example" };
    REQUIRE_EC(entry_add(k->d, k->b.a, &group), ecNone);
    t->group = group.row;
    t->mid = entry_mid(t->e.row);
    t->group_mid = entry_mid(group.row);
    REQUIRE_EC(link_add(k->d, LINK_MEMBER, team, t->e.row), ecNone);
    REQUIRE_EC(link_add(k->d, LINK_OWNER, team, t->e.row), ecNone);
    REQUIRE_EC(link_add(k->d, LINK_ACCEPT, team, t->e.row), ecNone);
    REQUIRE_EC(link_add(k->d, LINK_MANAGER, p4, t->e.row), ecNone);
    REQUIRE_EC(link_add(k->d, LINK_DELEGATE, p4, t->e.row), ecNone);
    REQUIRE_EC(link_add(k->d, LINK_MANAGER, t->e.row, p5), ecNone);
    REQUIRE_EC(link_add(k->d, LINK_MEMBER, t->group, (int64_t)k->ana - MID_FIRST), ecNone);
    REQUIRE_EC(link_add(k->d, LINK_OWNER, t->group, (int64_t)k->ana - MID_FIRST), ecNone);
    REQUIRE_EC(directory_server_guid(k->d, &server), ecNone);
    t->permanent = nspi_permanent_id(k->b.a, 0, t->e.dn);
    t->ephemeral = nspi_ephemeral_id(k->b.a, &server, 0, t->mid);
}

static void them_end(struct books *k, struct them *t)
{
    int64_t team = (int64_t)k->team - MID_FIRST, p4 = (int64_t)k->person[4] - MID_FIRST;
    CHECK_EC(link_remove(k->d, LINK_MEMBER, team, t->e.row), ecNone);
    CHECK_EC(link_remove(k->d, LINK_OWNER, team, t->e.row), ecNone);
    CHECK_EC(link_remove(k->d, LINK_ACCEPT, team, t->e.row), ecNone);
    CHECK_EC(link_remove(k->d, LINK_MANAGER, p4, t->e.row), ecNone);
    CHECK_EC(link_remove(k->d, LINK_DELEGATE, p4, t->e.row), ecNone);
    CHECK_EC(link_remove(k->d, LINK_MANAGER, t->e.row, (int64_t)k->person[5] - MID_FIRST), ecNone);
    CHECK_EC(entry_remove(k->d, t->group), ecNone);
}

static struct nspic_stat at(uint32_t mid)
{
    struct nspic_stat s = book_stat();
    s.current = mid;
    return s;
}

/* Nothing of the answer says more than that there is no such object. */
static void tells_nothing(struct book_client *b, const char *what)
{
    static const char *const words[] = { "Them", "Their", "Secret", "other.example" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct blob wide = utf16_from_utf8(b->a, blob_str(words[i])), body = b->reply.http.body;
        bool said = memmem(body.p, body.n, words[i], strlen(words[i])) != NULL || memmem(body.p, body.n, wide.p, wide.n) != NULL;
        unit_check(!said, __FILE__, __LINE__, "%s says \"%s\"", what, words[i]);
    }
}

/* By its number. */
static void number_of_nobody(struct books *k, uint32_t mid, uint32_t nobody)
{
    struct book_client *b = &k->b;
    struct nspic_stat s = at(mid), none = at(nobody), list = book_stat();
    const uint32_t tags[] = { PidTagDisplayName, PidTagTitle, PidTagEntryId, PidTagEmailAddress, PidTagAddressBookManager, PidTagObjectType };
    CHECK_INT(BOOK(b, "GetProps", ASK(.stat = &s, .tags = tags, .ntags = 6)), 0x00040380);
    for (size_t i = 0; i < b->reply.values.n; i++)
        CHECK_INT(prop_type(b->reply.values.v[i].tag), PtypErrorCode);
    MUST_BOOK(b, "GetProps", ASK(.stat = &none));
    size_t of_nobody = b->reply.values.n;
    MUST_BOOK(b, "GetProps", ASK(.stat = &s));
    CHECK_INT(b->reply.values.n, of_nobody);
    MUST_BOOK(b, "GetPropList", ASK(.mid = mid, .code_page = 1252));
    CHECK_INT(b->reply.tags, 0);
    CHECK_INT(BOOK(b, "UpdateStat", ASK(.stat = &s)), 0x8004010F);
    CHECK_INT(BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 1)), 0x8004010F);
    CHECK_INT(BOOK(b, "CompareMIds", ASK(.stat = &list, .mid = mid, .mid2 = k->ana)), 0x80004005);
    uint32_t ids[] = { mid, k->ana };
    MUST_BOOK(b, "QueryRows", ASK(.stat = &list, .mids = ids, .nmids = 2, .rows = 2, .tags = tags, .ntags = 6));
    for (size_t i = 0; i < 6; i++)
        CHECK_INT(prop_type(b->reply.row[0].v[i].tag), PtypErrorCode);
    tells_nothing(b, "QueryRows");
    MUST_BOOK(b, "ResortRestriction", ASK(.stat = &list, .mids = ids, .nmids = 2));
    CHECK(b->reply.mids == 1 && b->reply.mid[0] == k->ana);
    static const uint32_t links[] = { PidTagAddressBookMember, PidTagAddressBookReports, PidTagAddressBookManager, PidTagAddressBookIsMemberOfDistributionList };
    for (size_t i = 0; i < 4; i++) {
        s = at(mid);
        s.container = links[i];
        CHECK_INT(BOOK(b, "GetMatches", ASK(.stat = &s, .rows = 10)), 0x80004005);
    }
    s = list;
    s.container = mid;
    CHECK_INT(BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 1)), 0x80040405);
}

/* The answer to a search in a list of ids says nothing about a name that the client cannot see: whatever is sought, it is that of an id which nobody has. */
static void name_by_comparing(struct books *k, uint32_t mid, uint32_t nobody)
{
    static const char *const sought[] = { "a", "them", "theo", "zz" };
    struct nspic_stat s = book_stat();
    for (size_t i = 0; i < sizeof sought / sizeof sought[0]; i++) {
        struct propval target = pv_str(PidTagDisplayName, sought[i]);
        uint32_t answer = BOOK(&k->b, "SeekEntries", ASK(.stat = &s, .target = &target, .mids = &mid, .nmids = 1));
        uint32_t other = BOOK(&k->b, "SeekEntries", ASK(.stat = &s, .target = &target, .mids = &nobody, .nmids = 1));
        unit_check(answer == other, __FILE__, __LINE__, "\"%s\": %08x, and for nobody %08x", sought[i], answer, other);
    }
}

static void count_matches(struct books *k, uint32_t mid, uint32_t tag, size_t n, int line)
{
    struct nspic_stat s = at(mid);
    s.container = tag;
    uint32_t ec = BOOK(&k->b, "GetMatches", ASK(.stat = &s, .rows = 100, .tags = name_only, .ntags = 1));
    unit_check(ec == 0 && k->b.reply.mids == n, __FILE__, line, "%08x: %zu objects, %08x", tag, k->b.reply.mids, ec);
    tells_nothing(&k->b, "GetMatches");
}

/* By what leads to it. */
static void links_to_nobody(struct books *k)
{
    struct book_client *b = &k->b;
    count_matches(k, k->team, PidTagAddressBookMember, 3, __LINE__);
    count_matches(k, k->team, PidTagAddressBookOwner, 1, __LINE__);
    count_matches(k, k->team, PidTagAddressBookAuthorizedSenders, 0, __LINE__);
    count_matches(k, k->person[4], PidTagAddressBookManager, 0, __LINE__);
    count_matches(k, k->person[4], PidTagAddressBookPublicDelegates, 0, __LINE__);
    count_matches(k, k->person[5], PidTagAddressBookReports, 0, __LINE__);
    count_matches(k, k->ana, PidTagAddressBookIsMemberOfDistributionList, 1, __LINE__);
    count_matches(k, k->ana, PidTagAddressBookOwnerBackLink, 1, __LINE__);
    static const uint32_t tags[] = { PidTagAddressBookDistributionListMemberCount, 0x8009101F, 0x800E101F, 0x800C101F, 0x8008101F, 0x8005001F, 0x8005000D, 0x8015101F };
    const uint32_t whose[] = { k->team, k->ana, k->person[4], k->person[5] };
    for (size_t i = 0; i < 4; i++) {
        struct nspic_stat s = at(whose[i]);
        BOOK(b, "GetProps", ASK(.stat = &s, .tags = tags, .ntags = 8));
        REQUIRE(b->reply.has_values);
        tells_nothing(b, "GetProps");
        if (i == 0)
            CHECK_INT(b->reply.values.v[0].v.i32, 3);
    }
}

/* By what it is called, or what it is. */
static void names_of_nobody(struct books *k, const struct them *t)
{
    struct book_client *b = &k->b;
    struct nspic_stat s = book_stat();
    const char *dns[] = { t->e.dn, arena_printf(b->a, "%s", k->foreign_dn) };
    MUST_BOOK(b, "DNToMId", ASK(.names = dns, .nnames = 2));
    CHECK(b->reply.mid[0] == 0 && b->reply.mid[1] == 0);
    const char *names[] = { "Them", "=Them", "them@other.example", "SMTP:them@other.example", t->e.dn, arena_printf(b->a, "EX:%s", t->e.dn), "Their Group", "group@other.example" };
    MUST_BOOK(b, "ResolveNames", ASK(.stat = &s, .names = names, .nnames = 8, .tags = name_only, .ntags = 1));
    for (size_t i = 0; i < 8; i++)
        unit_check(b->reply.mid[i] == 0, __FILE__, __LINE__, "\"%s\": %u", names[i], b->reply.mid[i]);
    CHECK_INT(b->reply.rows, 0);
    const struct propval values[] = { pv_str(PidTagTitle, "Secret"), pv_str(PidTagDisplayName, "Them"), pv_str(PidTagAnr, "them"), pv_str(PidTagAnr, "them@other.example"),
                                      pv_str(PidTagEmailAddress, t->e.dn), pv_str(PidTagSmtpAddress, "them@other.example"), pv_bin(PidTagEntryId, t->permanent) };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct restriction r = { .kind = RES_PROPERTY };
        r.property.relop = RELOP_EQ;
        r.property.tag = values[i].tag;
        r.property.value = values[i];
        MUST_BOOK(b, "GetMatches", ASK(.stat = &s, .filter = &r, .rows = 100, .tags = name_only, .ntags = 1));
        unit_check(b->reply.mids == 0, __FILE__, __LINE__, "%08x: %zu", values[i].tag, b->reply.mids);
    }
    /* the whole list, hidden ones and others left out; with a restriction that everybody passes the same */
    struct restriction all = { .kind = RES_EXIST };
    all.exist.tag = PidTagDisplayName;
    MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .rows = 1000, .tags = name_only, .ntags = 1));
    size_t n = b->reply.rows;
    tells_nothing(b, "QueryRows");
    CHECK(memmem(b->reply.http.body.p, b->reply.http.body.n, "G\0h\0o\0s\0t", 9) == NULL);
    MUST_BOOK(b, "GetMatches", ASK(.stat = &s, .filter = &all, .rows = 1000, .tags = name_only, .ntags = 1));
    CHECK_INT(b->reply.mids, n);
    tells_nothing(b, "GetMatches");
}

/* By changing: it is as if the id were nonsense. */
static void changes_of_nobody(struct books *k, const struct them *t)
{
    struct book_client *b = &k->b;
    struct nspic_stat s = at(t->mid);
    const struct blob ids[] = { t->permanent, t->ephemeral };
    static const uint32_t certificates[] = { PidTagUserX509Certificate };
    for (size_t i = 0; i < 2; i++) {
        CHECK_INT(BOOK(b, "ModLinkAtt", ASK(.tag = PidTagAddressBookPublicDelegates, .mid = k->ana, .entryids = &ids[i], .nentryids = 1)), 0x80070005);
        CHECK_INT(BOOK(b, "ModLinkAtt", ASK(.tag = PidTagAddressBookMember, .mid = k->team, .flags = 1, .entryids = &ids[i], .nentryids = 1)), 0);
    }
    bool still = false;
    CHECK_EC(link_has(k->d, LINK_MEMBER, (int64_t)k->team - MID_FIRST, t->e.row, &still), ecNone);
    CHECK(still);
    CHECK_INT(BOOK(b, "ModLinkAtt", ASK(.tag = PidTagAddressBookMember, .mid = t->group_mid, .entryids = ids, .nentryids = 1)), 0x80070057); /* ana owns it, but it does not exist */
    CHECK_INT(BOOK(b, "ModProps", ASK(.stat = &s, .tags = certificates, .ntags = 1, .empty_tags = true)), 0x80070057);
}

TEST(another_organization_does_not_exist)
{
    struct books k;
    struct them t;
    const uint32_t nobody = 0x7FFFFFFF;
    books(&k);
    them_begin(&k, &t);
    number_of_nobody(&k, t.mid, nobody);
    number_of_nobody(&k, t.group_mid, nobody);
    name_by_comparing(&k, t.mid, nobody);
    links_to_nobody(&k);
    names_of_nobody(&k, &t);
    changes_of_nobody(&k, &t);
    them_end(&k, &t);
    books_end(&k);
}

/* The URL of a mailbox is told to its own organization, and to delegates of it. */
TEST(urls_of_mailboxes_elsewhere)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct stack *st = stack_shared();
    struct vdir was, v = { "https://in.example/mapi", "https://out.example/mapi", 15, 15 };
    struct person theirs;
    char id[GUID_TEXT];
    REQUIRE_EC(vdir_get(k.d, b->a, &was), ecNone);
    REQUIRE_EC(vdir_set(k.d, &v), ecNone);
    REQUIRE_EC(directory_add(k.d, b->a, &(struct person_new){ .login = "boss@other.example", .display_name = "Their Boss", .password = "x", .with_mailbox = true }, &theirs), ecNone);
    guid_text(&theirs.mailbox, id);
    const char *dn = arena_printf(b->a, "/o=Other/ou=x/cn=Configuration/cn=Servers/cn=%s@other.example/cn=Microsoft Private MDB", id);
    struct mapic_odd keep = { .keep_cookies = true };
    b->odd = &keep;
    CHECK_INT(BOOK(b, "GetMailboxUrl", ASK(.text = dn)), 0x8004010F);
    CHECK_STR(b->reply.url, "");
    REQUIRE_EC(directory_grant(k.d, theirs.login, st->ana.login, true), ecNone);
    CHECK_INT(BOOK(b, "GetMailboxUrl", ASK(.text = dn)), 0);
    CHECK(strstr(b->reply.url, id) != NULL);
    b->odd = NULL;
    REQUIRE_EC(directory_remove(k.d, theirs.login), ecNone);
    REQUIRE_EC(vdir_set(k.d, &was), ecNone);
    books_end(&k);
}

/* A user of another organization sees his own, and only that, in the same process. */
TEST(the_other_side_sees_its_own)
{
    struct books k;
    books(&k);
    struct stack *st = stack_shared();
    struct person boss;
    struct book_client b;
    struct nspic_stat s = book_stat();
    const char *names[] = { "ana", "them", "boss", "person 003" };
    const char *dns[] = { st->ana.dn };
    REQUIRE_EC(directory_add(k.d, k.b.a, &(struct person_new){ .login = "boss@other.example", .display_name = "Their Boss", .password = "secret-boss", .with_mailbox = true }, &boss), ecNone);
    book_client(&b, st, &boss);
    b.c.password = "secret-boss";
    MUST_BOOK(&b, "Bind", ASK(.stat = &s));
    MUST_BOOK(&b, "QueryRows", ASK(.stat = &s, .rows = 100, .tags = name_only, .ntags = 1));
    CHECK_INT(b.reply.rows, 2);
    MUST_BOOK(&b, "ResolveNames", ASK(.stat = &s, .names = names, .nnames = 4, .tags = name_only, .ntags = 1));
    CHECK(b.reply.mid[0] == 0 && b.reply.mid[1] == 2 && b.reply.mid[2] == 2 && b.reply.mid[3] == 0);
    MUST_BOOK(&b, "DNToMId", ASK(.names = dns, .nnames = 1));
    CHECK_INT(b.reply.mid[0], 0);
    s.current = k.ana;
    CHECK_INT(BOOK(&b, "GetProps", ASK(.stat = &s, .tags = name_only, .ntags = 1)), 0x00040380);
    BOOK(&b, "Unbind", ASK(.flags = 0));
    book_client_end(&b);
    REQUIRE_EC(directory_remove(k.d, boss.login), ecNone);
    books_end(&k);
}

/* Who is hidden is in no list and found by no part of a name; his DN, his whole address and links lead to him. */
TEST(hidden_from_lists_and_names)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct nspic_stat s = book_stat(), ghost = at(k.hidden);
    struct restriction r = { .kind = RES_PROPERTY };
    r.property.relop = RELOP_EQ;
    r.property.value = pv_str(PidTagDisplayName, "Ghost");
    r.property.tag = PidTagDisplayName;
    MUST_BOOK(b, "GetMatches", ASK(.stat = &s, .filter = &r, .rows = 10));
    CHECK_INT(b->reply.mids, 0);
    const char *names[] = { "gho", "Ghost", "=Ghost", "ghost@", "ghost@example.com" };
    MUST_BOOK(b, "ResolveNames", ASK(.stat = &s, .names = names, .nnames = 5, .tags = name_only, .ntags = 1));
    for (size_t i = 0; i < 5; i++)
        CHECK_INT(b->reply.mid[i], i == 4 ? 2 : 0);
    struct propval seek = pv_str(PidTagDisplayName, "Ghost");
    MUST_BOOK(b, "SeekEntries", ASK(.stat = &s, .target = &seek, .tags = name_only, .ntags = 1));
    CHECK(strcmp(book_text(b, &b->reply.row[0], PidTagDisplayName), "Ghost") > 0);
    CHECK_INT(BOOK(b, "UpdateStat", ASK(.stat = &ghost)), 0x8004010F);     /* he stands in no table */
    CHECK_INT(BOOK(b, "GetProps", ASK(.stat = &ghost, .tags = name_only, .ntags = 1)), 0);
    books_end(&k);
}

/* --- groups that hide their members ----------------------------------------------------------------------------------------------------------- */

static void hide_members(struct books *k, uint32_t mid, bool yes)
{
    struct entry e;
    REQUIRE_EC(entry_get(k->d, k->b.a, (int64_t)mid - MID_FIRST, &e), ecNone);
    props_del(&e.props, PidTagAddressBookHideDLMembership);
    if (yes)
        props_set(k->b.a, &e.props, pv_bool(PidTagAddressBookHideDLMembership, true));
    REQUIRE_EC(entry_set(k->d, k->b.a, &e), ecNone);
}

static size_t linked(struct book_client *b, uint32_t mid, uint32_t tag)
{
    struct nspic_stat s = at(mid);
    s.container = tag;
    MUST_BOOK(b, "GetMatches", ASK(.stat = &s, .rows = 100, .tags = name_only, .ntags = 1));
    return b->reply.mids;
}

static bool has_value(struct book_client *b, uint32_t mid, uint32_t tag)
{
    struct nspic_stat s = at(mid), list = book_stat();
    BOOK(b, "GetProps", ASK(.stat = &s, .tags = &tag, .ntags = 1));
    REQUIRE(b->reply.has_values && b->reply.values.n == 1);
    bool yes = prop_type(b->reply.values.v[0].tag) != PtypErrorCode, listed = false;
    MUST_BOOK(b, "QueryRows", ASK(.stat = &list, .mids = &mid, .nmids = 1, .rows = 1, .tags = &tag, .ntags = 1));
    CHECK_INT(prop_type(b->reply.row[0].v[0].tag) != PtypErrorCode, yes);
    MUST_BOOK(b, "GetPropList", ASK(.mid = mid, .code_page = 1252));
    for (size_t i = 0; i < b->reply.tags; i++)
        listed |= prop_id(b->reply.tag[i]) == prop_id(tag);
    CHECK_INT(listed, yes);
    return yes;
}

/* Is the object among those that have the property, or whose value of it has the text in it? */
static bool found(struct book_client *b, uint32_t mid, struct restriction *r)
{
    struct nspic_stat s = book_stat();
    MUST_BOOK(b, "GetMatches", ASK(.stat = &s, .filter = r, .rows = 1000));
    for (size_t i = 0; i < b->reply.mids; i++)
        if (b->reply.mid[i] == mid)
            return true;
    return false;
}

/* All that tells who is in Team, asked for in every way. */
static void members_seen(struct books *k, struct book_client *b, bool seen)
{
    struct restriction exist = { .kind = RES_EXIST }, back = { .kind = RES_EXIST }, text = { .kind = RES_CONTENT };
    exist.exist.tag = PidTagAddressBookMember;
    back.exist.tag = PidTagAddressBookIsMemberOfDistributionList;
    text.content.tag = 0x8009101F;
    text.content.level = FL_SUBSTRING;
    text.content.value = pv_str(PROP_TAG(0x8009, PtypString), "cn=");
    CHECK_INT(linked(b, k->team, PidTagAddressBookMember), seen ? 3 : 0);
    CHECK_INT(linked(b, k->team, 0x8009101E), seen ? 3 : 0);
    CHECK_INT(linked(b, k->ana, PidTagAddressBookIsMemberOfDistributionList), seen);
    CHECK_INT(linked(b, k->bob, 0x8008000D), seen);
    CHECK_INT(linked(b, k->person[0], 0x8008101F), seen);
    static const uint32_t as[] = { 0x8009000D, 0x8009101F, 0x8009101E }, member_of[] = { 0x8008000D, 0x8008101F, 0x8008001E };
    for (size_t i = 0; i < 3; i++) {
        CHECK_INT(has_value(b, k->team, as[i]), seen);
        CHECK_INT(has_value(b, k->ana, member_of[i]), seen);
    }
    CHECK_INT(found(b, k->team, &exist), seen);
    CHECK_INT(found(b, k->bob, &back), seen);
    CHECK_INT(found(b, k->team, &text), seen);
}

/* Who is in a group that hides its members is told to its owners alone, one by one or as members of a group that owns it; not even to its members. */
TEST(members_that_are_hidden)
{
    struct books k;
    struct book_client bob;
    books(&k);
    book_bound(&bob, stack_shared(), &stack_shared()->bob);
    members_seen(&k, &k.b, true);
    members_seen(&k, &bob, true);
    hide_members(&k, k.team, true);
    members_seen(&k, &k.b, true);                /* Ana owns it */
    members_seen(&k, &bob, false);
    /* the group is there all the same, and what else it says */
    const char *names[] = { "Team" };
    struct nspic_stat s = book_stat();
    MUST_BOOK(&bob, "ResolveNames", ASK(.stat = &s, .names = names, .nnames = 1, .tags = name_only, .ntags = 1));
    CHECK_INT(bob.reply.mid[0], 2);
    CHECK_INT(linked(&bob, k.team, PidTagAddressBookOwner), 1);
    struct nspic_stat team = at(k.team);
    static const uint32_t count[] = { PidTagAddressBookDistributionListMemberCount, PidTagAddressBookHideDLMembership };
    MUST_BOOK(&bob, "GetProps", ASK(.stat = &team, .tags = count, .ntags = 2));
    CHECK_INT(bob.reply.values.v[0].v.i32, 3);   /* how many they are is no secret */
    CHECK(bob.reply.values.v[1].v.b);
    /* whoever may not look may not try out either: adding, and removing what may not be there */
    struct blob id = nspi_permanent_id(bob.a, 0, stack_shared()->bob.dn);
    for (uint32_t remove = 0; remove < 2; remove++)
        CHECK_INT(BOOK(&bob, "ModLinkAtt", ASK(.flags = remove, .tag = PidTagAddressBookMember, .mid = k.team, .entryids = &id, .nentryids = 1)), 0x80070005);
    /* a group of owners */
    struct entry owners = { .kind = ENTRY_GROUP, .display_name = "Zz Owners", .smtp = "zz-owners@example.com" };
    REQUIRE_EC(entry_add(k.d, k.b.a, &owners), ecNone);
    REQUIRE_EC(link_add(k.d, LINK_MEMBER, owners.row, stack_shared()->bob.row), ecNone);
    REQUIRE_EC(link_add(k.d, LINK_OWNER, (int64_t)k.team - MID_FIRST, owners.row), ecNone);
    CHECK_INT(linked(&bob, k.team, PidTagAddressBookMember), 3);
    REQUIRE_EC(entry_remove(k.d, owners.row), ecNone);
    CHECK_INT(linked(&bob, k.team, PidTagAddressBookMember), 0);
    hide_members(&k, k.team, false);
    members_seen(&k, &bob, true);
    book_client_end(&bob);
    books_end(&k);
}

/* The same with a group whose members a filter chooses. */
TEST(members_that_a_filter_chooses_are_hidden)
{
    struct books k;
    books(&k);
    CHECK_INT(linked(&k.b, k.dynamic, PidTagAddressBookMember), 3);
    hide_members(&k, k.dynamic, true);
    CHECK_INT(linked(&k.b, k.dynamic, PidTagAddressBookMember), 0);
    CHECK(!has_value(&k.b, k.dynamic, 0x8009101F));
    hide_members(&k, k.dynamic, false);
    CHECK(has_value(&k.b, k.dynamic, 0x8009101F));
    books_end(&k);
}

static int32_t members_told(struct book_client *b, int64_t group)
{
    static const uint32_t count[] = { PidTagAddressBookDistributionListMemberCount };
    struct nspic_stat s = at(entry_mid(group));
    MUST_BOOK(b, "GetProps", ASK(.stat = &s, .tags = count, .ntags = 1));
    return b->reply.values.v[0].v.i32;
}

/* Who owns a group can put one that hides its members into it, and then somebody: how many there are says nothing of where he was before. */
TEST(counting_tells_no_hidden_member)
{
    struct books k;
    struct book_client bob;
    books(&k);
    book_bound(&bob, stack_shared(), &stack_shared()->bob);
    struct entry probe = { .kind = ENTRY_GROUP, .display_name = "Zz Probe", .smtp = "zz-probe@example.com" };
    REQUIRE_EC(entry_add(k.d, k.b.a, &probe), ecNone);
    REQUIRE_EC(link_add(k.d, LINK_OWNER, probe.row, stack_shared()->bob.row), ecNone);
    REQUIRE_EC(link_add(k.d, LINK_MEMBER, probe.row, (int64_t)k.team - MID_FIRST), ecNone);
    CHECK_INT(members_told(&bob, probe.row), 3);
    for (unsigned hides = 0; hides < 2; hides++) {
        int32_t more = 0;
        hide_members(&k, k.team, hides != 0);
        for (size_t i = 0; i < 8; i++) {                         /* three of them are in the team */
            int64_t one = (int64_t)(i == 0 ? k.ana : i == 1 ? k.bob : k.person[i - 2]) - MID_FIRST;
            REQUIRE_EC(link_add(k.d, LINK_MEMBER, probe.row, one), ecNone);
            more += members_told(&bob, probe.row) - 3;
            REQUIRE_EC(link_remove(k.d, LINK_MEMBER, probe.row, one), ecNone);
        }
        CHECK_INT(more, hides != 0 ? 8 : 5);
    }
    CHECK_INT(members_told(&k.b, probe.row), 3);
    hide_members(&k, k.team, false);
    REQUIRE_EC(entry_remove(k.d, probe.row), ecNone);
    book_client_end(&bob);
    books_end(&k);
}
