/* test_access.c - what somebody else may do in a mailbox, by the rights in its folders. */
#include "tests/unit/session-rop/steps.h"

#define BOB "/o=Demo/ou=First/cn=Recipients/cn=bob"

static void grant(struct rig *g, uint32_t rights)
{
    struct arena *a = arena_new(16 << 20);
    struct mailbox *m = rig_mailbox(g, a);
    REQUIRE_EC(mailbox_write(m), ecNone);
    REQUIRE_EC(permission_set(m, g->fid[SF_DRAFTS], BOB, rights), ecNone);
    REQUIRE_EC(mailbox_commit(m), ecNone);
    arena_free(a);
}

static ec_t open(struct rig *g, uint64_t mid, uint8_t mode, uint32_t *h)
{
    return rig_rop(g, RIG_LOGON, ROP_OPEN_MESSAGE, rig_args(g, "wqbq", 0x0FFFull, rig_wire(g->fid[SF_DRAFTS]), (uint64_t)mode, mid), NULL, h);
}

static ec_t create(struct rig *g, uint32_t *h)
{
    return rig_rop(g, RIG_LOGON, ROP_CREATE_MESSAGE, rig_args(g, "wqb", 0x0FFFull, rig_wire(g->fid[SF_DRAFTS]), 0ull), NULL, h);
}

TEST(without_rights_nothing_is_seen)
{
    struct rig *g = rig_new();
    uint32_t h = make_message(g);
    uint64_t mid = save_message(g, h);
    g->delegate = BOB;
    grant(g, 0);
    CHECK_EC(open(g, mid, 0, &h), ecAccessDenied);
    CHECK_EC(create(g, &h), ecAccessDenied);
    rig_end(g);
}

TEST(a_reader_opens_for_reading)
{
    struct rig *g = rig_new();
    uint32_t h = make_message(g);
    set_text(g, h, PidTagSubject, "tide");
    uint64_t mid = save_message(g, h);
    grant(g, RIGHT_READ_ANY | RIGHT_FOLDER_VISIBLE);
    g->delegate = BOB;
    CHECK_EC(open(g, mid, 1, &h), ecAccessDenied);
    REQUIRE_EC(open(g, mid, 3, &h), ecNone);
    CHECK_STR(text_of(g, h, PidTagSubject), "tide");
    CHECK_INT(property(g, h, PidTagAccessLevel).v.i32, 0);
    CHECK_INT(property(g, h, PidTagAccess).v.i32 & 1, 0);
    CHECK_EC(create(g, &h), ecAccessDenied);
    rig_end(g);
}

TEST(an_author_changes_his_own)
{
    struct rig *g = rig_new();
    uint32_t h = make_message(g), mine = 0;
    uint64_t mid = save_message(g, h);
    grant(g, RIGHT_READ_ANY | RIGHT_FOLDER_VISIBLE | RIGHT_CREATE | RIGHT_EDIT_OWNED);
    g->delegate = BOB;
    REQUIRE_EC(create(g, &mine), ecNone);
    set_text(g, mine, PidTagSubject, "by Bob");
    uint64_t his = save_message(g, mine);
    CHECK_STR(text_of(g, mine, PidTagCreatorName), "Bob");
    CHECK_EC(open(g, his, 1, &h), ecNone);
    CHECK_EC(open(g, mid, 1, &h), ecAccessDenied);
    grant(g, RIGHT_READ_ANY | RIGHT_FOLDER_VISIBLE);
    set_text(g, mine, PidTagSubject, "too late");
    CHECK_EC(rig_rop(g, mine, ROP_SAVE_MESSAGE, rig_args(g, "b", 2ull), NULL, NULL), ecAccessDenied);
    rig_end(g);
}

TEST(names_are_made_by_those_who_may)
{
    struct rig *g = rig_new();
    struct rd r;
    struct blob set = unhex("08 20 06 00 00 00 00 00 c0 00 00 00 00 00 00 46");
    struct blob args = rig_args(g, "bwbBd", 2ull, 1ull, 0ull, &set, 0x7777ull);
    grant(g, RIGHT_READ_ANY | RIGHT_FOLDER_VISIBLE);
    g->delegate = BOB;
    REQUIRE_EC(rig_rop(g, RIG_LOGON, ROP_IDS_FROM_NAMES, args, &r, NULL), ecNone);
    CHECK_INT(rd_u16(&r), 1);
    uint16_t id = rd_u16(&r);
    CHECK(id == 0 || id >= 0x8000);
    rig_end(g);
}
