/* test_nspi_lists.c - address lists and templates as objects with values: by GetProps, in explicit tables, as the special tables say it (MS-OXOABK 2.2.2,
 * MS-OXOABKT 2.2.1, MS-OXNSPI 3.1.4.1.7). */
#include "backend/directory/offline/offline.h"
#include "backend/directory/template.h"
#include "backend/mapi/entryid.h"
#include "tests/flow/books.h"

#define ASK(...) (&(struct nspic_ask){ __VA_ARGS__ })

static const uint32_t of_hierarchy[] = { PidTagEntryId, PidTagContainerFlags, PidTagDepth, PidTagAddressBookContainerId, 0x3001001E, PidTagAddressBookIsMaster,
                                         PidTagAddressBookParentEntryId };
static const uint32_t of_creation[] = { 0x3001001E, 0x3002001E, PidTagDisplayType, PidTagDepth, PidTagSelectable, PidTagInstanceKey, PidTagEntryId };
static const uint32_t name_only[] = { PidTagDisplayName };

static struct nspic_stat at(uint32_t mid)
{
    struct nspic_stat s = book_stat();
    s.current = mid;
    return s;
}

static struct blob as_bytes(struct arena *a, const struct propval *v)
{
    struct wr w = wr_in(a, 1 << 16);
    struct pv_codec c = { a, 1252, PV_COUNTS_BOOK };
    struct propval one = *v;
    wr_u32(&w, v->tag);
    one.tag = prop_unicode(v->tag);
    propval_write(&w, &c, prop_type(v->tag), &one);
    return wr_blob(&w);
}

/* The values of an object are those that a row of a special table has; what the row lacks the object lacks. */
static void same_as_row(struct book_client *b, uint32_t mid, const struct nspic_row *row, const uint32_t *tags, size_t n)
{
    struct nspic_stat s = at(mid);
    uint32_t ec = BOOK(b, "GetProps", ASK(.stat = &s, .tags = tags, .ntags = n));
    unit_int(ec, row->n == n ? 0 : 0x00040380, "GetProps", __FILE__, __LINE__);
    REQUIRE(b->reply.values.n == n);
    for (size_t i = 0; i < n; i++) {
        const struct propval *want = nspic_find(row, tags[i]), *got = &b->reply.values.v[i];
        if (want == NULL)
            CHECK_INT(prop_type(got->tag), PtypErrorCode);
        else
            CHECK_BLOB(as_bytes(b->a, got), as_bytes(b->a, want));
    }
}

TEST(lists_have_what_the_hierarchy_says)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct nspic_stat s = book_stat();
    MUST_BOOK(b, "GetSpecialTable", ASK(.stat = &s));
    size_t n = b->reply.rows;
    struct nspic_row *row = b->reply.row;
    REQUIRE(n >= 3);
    for (size_t i = 0; i < n; i++)
        same_as_row(b, (uint32_t)nspic_find(&row[i], PidTagAddressBookContainerId)->v.i32, &row[i], of_hierarchy, 7);
    same_as_row(b, 0, &row[0], of_hierarchy, 7);              /* 0 is the global address list */
    same_as_row(b, k.rooms, &row[1], of_hierarchy, 7);
    uint32_t type;
    struct blob dn;
    REQUIRE(entryid_addressbook_parse(nspic_find(&row[1], PidTagEntryId)->v.bin, &type, &dn));
    CHECK_INT(book_mid(b, arena_str(b->a, dn)), k.rooms);
    /* nobody means a list by a name: it cannot be written to */
    const char *names[] = { "Below", "=A Rooms", arena_str(b->a, dn), arena_printf(b->a, "EX:%s", arena_str(b->a, dn)), "/", "Global Address List" };
    MUST_BOOK(b, "ResolveNames", ASK(.stat = &s, .names = names, .nnames = 6, .tags = name_only, .ntags = 1));
    for (size_t i = 0; i < 6; i++)
        unit_check(b->reply.mid[i] == 0, __FILE__, __LINE__, "\"%s\": %u", names[i], b->reply.mid[i]);
    books_end(&k);
}

/* What else objects have; but the display type of a list stands in its entry id alone (OXNSPI R57). */
TEST(lists_are_objects)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    static const uint32_t tags[] = { PidTagObjectType, PidTagRecordKey, PidTagTemplateid, PidTagMappingSignature, PidTagSearchKey, PidTagInstanceKey, PidTagEmailAddress,
                                     PidTagTransmittableDisplayName, PidTagDisplayType, PidTagDisplayTypeEx, PidTagSmtpAddress, PidTagAddressBookMember, PidTagTitle };
    struct nspic_stat s = at(k.rooms);
    CHECK_INT(BOOK(b, "GetProps", ASK(.stat = &s, .tags = tags, .ntags = 13)), 0x00040380);
    const struct propval *v = b->reply.values.v;
    REQUIRE(b->reply.values.n == 13);
    CHECK_INT(v[0].v.i32, 4);
    CHECK_BLOB(v[1].v.bin, v[2].v.bin);
    CHECK_BYTES(v[3].v.bin, "dca740c8c042101ab4b908002b2fe182");
    CHECK_BLOB(blob_of(v[4].v.bin.p, 9), blob_of("EX:/GUID=", 9));
    CHECK_INT(v[5].v.bin.n, 4);
    CHECK_STR(arena_str(b->a, v[7].v.s), "A Rooms");
    for (size_t i = 8; i < 13; i++)
        CHECK_INT(v[i].tag, prop_retype(tags[i], PtypErrorCode));
    /* ids of both forms */
    static const uint32_t id[] = { PidTagEntryId };
    MUST_BOOK(b, "GetProps", ASK(.stat = &s, .flags = 2, .tags = id, .ntags = 1));
    struct rd r = rd_blob_of(b->reply.values.v[0].v.bin);
    CHECK_INT(rd_u32(&r), 0x87);
    rd_blob(&r, 16);
    CHECK_INT(rd_u32(&r), 1);
    CHECK_INT(rd_u32(&r), 0x100);
    CHECK_INT(rd_u32(&r), k.rooms);
    /* its list of properties, and what a client gets that names none: the same */
    MUST_BOOK(b, "GetPropList", ASK(.mid = k.rooms, .code_page = 1252));
    size_t n = b->reply.tags;
    bool flags = false;
    for (size_t i = 0; i < n; i++) {
        flags |= b->reply.tag[i] == PidTagContainerFlags;
        CHECK(b->reply.tag[i] != PidTagDisplayType);
    }
    CHECK(flags);
    MUST_BOOK(b, "GetProps", ASK(.stat = &s));
    CHECK_INT(b->reply.values.n, n);
    books_end(&k);
}

TEST(lists_in_explicit_tables)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct nspic_stat s = book_stat(), list = at(k.rooms);
    uint32_t ids[] = { k.rooms, k.ana, 0, 0x0F, 0x10 };
    MUST_BOOK(b, "QueryRows", ASK(.stat = &s, .mids = ids, .nmids = 5, .rows = 5, .tags = name_only, .ntags = 1));
    REQUIRE(b->reply.rows == 5);
    CHECK_STR(book_text(b, &b->reply.row[0], PidTagDisplayName), "A Rooms");
    CHECK_STR(book_text(b, &b->reply.row[1], PidTagDisplayName), "Ana");
    CHECK_STR(book_text(b, &b->reply.row[2], PidTagDisplayName), "Global Address List");
    CHECK(prop_type(b->reply.row[3].v[0].tag) == PtypErrorCode && prop_type(b->reply.row[4].v[0].tag) == PtypErrorCode);
    /* they stand in no table themselves, nor can they be changed or be in something */
    CHECK_INT(BOOK(b, "UpdateStat", ASK(.stat = &list)), 0x8004010F);
    CHECK_INT(BOOK(b, "CompareMIds", ASK(.stat = &s, .mid = k.rooms, .mid2 = k.ana)), 0x80004005);
    MUST_BOOK(b, "ResortRestriction", ASK(.stat = &s, .mids = ids, .nmids = 3));
    CHECK(b->reply.mids == 1 && b->reply.mid[0] == k.ana);
    static const uint32_t certificate[] = { PidTagUserX509Certificate }, id[] = { PidTagEntryId };
    CHECK_INT(BOOK(b, "ModProps", ASK(.stat = &list, .tags = certificate, .ntags = 1)), 0x80070057);
    MUST_BOOK(b, "GetProps", ASK(.stat = &list, .tags = id, .ntags = 1));
    struct blob entry_id = arena_blob(b->a, b->reply.values.v[0].v.bin);
    CHECK_INT(BOOK(b, "ModLinkAtt", ASK(.tag = PidTagAddressBookMember, .mid = k.team, .entryids = &entry_id, .nentryids = 1)), 0x80070005);
    CHECK_INT(BOOK(b, "ModLinkAtt", ASK(.tag = PidTagAddressBookMember, .mid = k.rooms, .entryids = &entry_id, .nentryids = 1)), 0x80070057);
    /* one that is made is there at once, and no more when it is removed */
    struct container fresh = { .name = "Fresh List", .filter = "kind=user" };
    REQUIRE_EC(container_add(k.d, b->a, &fresh), ecNone);
    list = at(entry_mid(fresh.row));
    MUST_BOOK(b, "GetProps", ASK(.stat = &list, .tags = name_only, .ntags = 1));
    REQUIRE_EC(container_remove(k.d, fresh.row), ecNone);
    CHECK_INT(BOOK(b, "GetProps", ASK(.stat = &list, .tags = name_only, .ntags = 1)), 0x00040380);
    books_end(&k);
}

TEST(templates_have_what_their_table_says)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    struct nspic_stat s = book_stat();
    MUST_BOOK(b, "GetSpecialTable", ASK(.stat = &s, .flags = 2));
    size_t n = b->reply.rows;
    struct nspic_row *row = b->reply.row;
    REQUIRE(n >= 1);
    for (size_t i = 0; i < n; i++) {
        uint32_t type;
        struct blob dn;
        REQUIRE(entryid_addressbook_parse(nspic_find(&row[i], PidTagEntryId)->v.bin, &type, &dn));
        uint32_t mid = book_mid(b, arena_str(b->a, dn));
        CHECK(mid > MID_FIRST);
        same_as_row(b, mid, &row[i], of_creation, 7);
    }
    /* a display template has a name, and no entry id: its display type would have to stand there (OXNSPI R59) */
    struct template details;
    REQUIRE_EC(template_find(k.d, b->a, TEMPLATE_DETAILS, 0, 0x409, &details), ecNone);
    static const uint32_t tags[] = { PidTagDisplayName, PidTagEmailAddress, PidTagEntryId, PidTagRecordKey, PidTagTemplateid, PidTagDisplayType };
    s = at(book_mid(b, details.dn));
    CHECK_INT(BOOK(b, "GetProps", ASK(.stat = &s, .tags = tags, .ntags = 6)), 0x00040380);
    REQUIRE(b->reply.values.n == 6);
    CHECK_STR(arena_str(b->a, b->reply.values.v[0].v.s), details.name);
    CHECK_STR(arena_str(b->a, b->reply.values.v[1].v.s), details.dn);
    for (size_t i = 2; i < 6; i++)
        CHECK_INT(prop_type(b->reply.values.v[i].tag), PtypErrorCode);
    books_end(&k);
}

/* The global address list names its offline address book; other lists have none. */
TEST(the_global_list_names_its_offline_address_book)
{
    struct books k;
    books(&k);
    struct book_client *b = &k.b;
    static const uint32_t tags[] = { PidTagOfflineAddressBookName, PidTagOfflineAddressBookContainerGuid, PidTagOfflineAddressBookDistinguishedName,
                                     PidTagOfflineAddressBookSequence, PidTagOfflineAddressBookMessageClass };
    struct offline_book book;
    char guid[GUID_TEXT];
    struct nspic_stat s = at(0), rooms = at(k.rooms);
    REQUIRE_EC(offline_of(k.d, b->a, 1, &book), ecNone);
    MUST_BOOK(b, "GetProps", ASK(.stat = &s, .tags = tags, .ntags = 5));
    REQUIRE(b->reply.values.n == 5);
    CHECK_STR(arena_str(b->a, b->reply.values.v[0].v.s), book.name);
    CHECK_STR(arena_str(b->a, b->reply.values.v[1].v.s), guid_text(&book.guid, guid));
    CHECK_STR(arena_str(b->a, b->reply.values.v[2].v.s), book.dn);
    CHECK_INT(b->reply.values.v[3].v.i32, book.sequence);
    CHECK_INT(BOOK(b, "GetProps", ASK(.stat = &rooms, .tags = tags, .ntags = 5)), 0x00040380);
    for (size_t i = 0; i < 5; i++)
        CHECK_INT(prop_type(b->reply.values.v[i].tag), PtypErrorCode);
    books_end(&k);
}
