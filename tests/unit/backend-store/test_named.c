/* test_named.c - named properties and replica ids. */
#include "tests/unit/backend-store/mbox.h"
#include "backend/store/named.h"

static struct propname lid(struct guid set, uint32_t l) { return (struct propname){ .kind = PROPNAME_LID, .set = set, .lid = l }; }
static struct propname str(struct guid set, const char *s) { return (struct propname){ .kind = PROPNAME_STRING, .set = set, .name = blob_str(s) }; }

static uint16_t id(struct mbox *b, struct propname n, bool create)
{
    uint16_t out = 0xFFFF;
    bool missing = false;
    CHECK_EC(named_ids(b->m, &n, 1, create, &out, &missing), ecNone);
    CHECK_INT(missing, out == 0);
    return out;
}

TEST(a_name_keeps_its_id)
{
    struct mbox b = mbox_new();
    CHECK_INT(id(&b, lid(PSETID_Common, 0x8501), false), 0);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    uint16_t one = id(&b, lid(PSETID_Common, 0x8501), true), two = id(&b, str(PSETID_Common, "Keywords"), true);
    CHECK(one > 0x8000 && two > 0x8000 && one != two);
    CHECK_INT(id(&b, lid(PSETID_Common, 0x8501), true), one);
    CHECK(id(&b, lid(PSETID_Task, 0x8501), true) != one);
    CHECK(id(&b, str(PSETID_Common, "keywords"), true) != two);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_again(&b);
    CHECK_INT(id(&b, lid(PSETID_Common, 0x8501), false), one);
    CHECK_INT(id(&b, str(PSETID_Common, "Keywords"), false), two);
    mbox_end(&b);
}

TEST(names_that_are_not_kept)
{
    struct mbox b = mbox_new();
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    CHECK_INT(id(&b, lid(PS_MAPI, 0x37), true), 0x37);
    CHECK_INT(id(&b, lid(PS_MAPI, 0x12345), true), 0);
    CHECK_INT(id(&b, str(PS_MAPI, "x"), true), 0);
    CHECK_INT(id(&b, (struct propname){ .kind = PROPNAME_NONE, .set = PSETID_Common }, true), 0);
    CHECK(!mailbox_changed(b.m));
    mbox_end(&b);
}

TEST(internet_headers_have_no_case)
{
    struct mbox b = mbox_new();
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    uint16_t one = id(&b, str(PS_INTERNET_HEADERS, "X-Mailer"), true);
    CHECK_INT(id(&b, str(PS_INTERNET_HEADERS, "x-mAILER"), false), one);
    struct propname n;
    CHECK_EC(named_names(b.m, &one, 1, &n), ecNone);
    CHECK_BLOB(n.name, blob_str("x-mailer"));
    mbox_end(&b);
}

TEST(ids_have_names)
{
    struct mbox b = mbox_new();
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    uint16_t ids[4] = { 0x0037, id(&b, lid(PSETID_Task, 0x8101), true), id(&b, str(PS_PUBLIC_STRINGS, "Ä"), true), 0xFFF0 };
    struct propname n[4];
    REQUIRE_EC(named_names(b.m, ids, 4, n), ecNone);
    CHECK(guid_eq(&n[0].set, &PS_MAPI) && n[0].kind == PROPNAME_LID && n[0].lid == 0x37);
    CHECK(guid_eq(&n[1].set, &PSETID_Task) && n[1].kind == PROPNAME_LID && n[1].lid == 0x8101);
    CHECK(guid_eq(&n[2].set, &PS_PUBLIC_STRINGS) && n[2].kind == PROPNAME_STRING);
    CHECK_BLOB(n[2].name, blob_str("Ä"));
    CHECK_INT(n[3].kind, PROPNAME_NONE);
    mbox_end(&b);
}

TEST(listed_whole_or_by_set)
{
    struct mbox b = mbox_new();
    struct propname *names;
    uint16_t *ids;
    size_t n;
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    for (uint32_t l = 1; l <= 20; l++)
        id(&b, lid(PSETID_Task, l), true);
    uint16_t one = id(&b, str(PSETID_Common, "x"), true);
    CHECK_EC(named_list(b.m, NULL, &names, &ids, &n), ecNone);
    CHECK_INT(n, 21);
    CHECK_EC(named_list(b.m, &PSETID_Common, &names, &ids, &n), ecNone);
    REQUIRE(n == 1);
    CHECK_INT(ids[0], one);
    CHECK_BLOB(names[0].name, blob_str("x"));
    mbox_end(&b);
}

TEST(ids_run_out)
{
    struct mbox b = mbox_new();
    mbox_exec(&b, "INSERT INTO named (id, guid, kind, lid, name) VALUES (65533, zeroblob(16), 0, 1, '')");
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    CHECK_INT(id(&b, lid(PSETID_Task, 1), true), 0xFFFE);
    struct propname n = lid(PSETID_Task, 2);
    uint16_t out;
    bool missing;
    CHECK_EC(named_ids(b.m, &n, 1, true, &out, &missing), ecOutOfMemory);
    CHECK_INT(id(&b, lid(PSETID_Task, 1), true), 0xFFFE);
    mbox_end(&b);
}

TEST(a_delegate_names_only_if_he_may_write)
{
    struct mbox b = mbox_new();
    mbox_as(&b, ACTOR_DELEGATE, "/o=x/cn=bob");
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    CHECK_INT(id(&b, lid(PSETID_Task, 1), true), 0);
    mbox_again(&b);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(permission_set(b.m, mailbox_info(b.m)->fid[SF_CALENDAR], "/o=X/cn=Bob", RIGHT_CREATE), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_as(&b, ACTOR_DELEGATE, "/o=x/cn=bob");
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    CHECK(id(&b, lid(PSETID_Task, 1), true) > 0x8000);
    mbox_end(&b);
}

TEST(replicas)
{
    struct mbox b = mbox_new();
    const struct mailbox_info *i = mailbox_info(b.m);
    struct guid g = guid_new(), got;
    uint16_t id1 = 0, id2 = 0;
    CHECK_EC(replid_of(b.m, &i->replica, false, &id1), ecNone);
    CHECK_INT(id1, REPLID_OWN);
    CHECK_EC(replid_of(b.m, &i->mapping, false, &id1), ecNone);
    CHECK_INT(id1, REPLID_MAPPING);
    CHECK_EC(replid_of(b.m, &g, false, &id1), ecNotFound);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    CHECK_EC(replid_of(b.m, &g, true, &id1), ecNone);
    CHECK_EC(replid_of(b.m, &g, true, &id2), ecNone);
    CHECK(id1 == id2 && id1 > REPLID_MAPPING);
    CHECK_EC(replguid_of(b.m, id1, &got), ecNone);
    CHECK(guid_eq(&got, &g));
    CHECK_EC(replguid_of(b.m, 0, &got), ecNotFound);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_exec(&b, "INSERT INTO replid (replid, guid) VALUES (32768, zeroblob(16))");
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    struct guid h = guid_new();
    CHECK_EC(replid_of(b.m, &h, true, &id2), ecParameterOverflow);
    mbox_end(&b);
}
