/* test_message.c - messages made, changed, saved, opened: each ROP in a request of its own. */
#include "tests/unit/session-rop/steps.h"

TEST(a_new_message_is_saved_and_read_back)
{
    struct rig *g = rig_new();
    uint32_t h = make_message(g), again;
    set_text(g, h, PidTagSubject, "RE: Engines");
    set_text(g, h, PidTagBody, "On the analytical one.");
    CHECK_STR(text_of(g, h, PidTagSubject), "RE: Engines");
    uint64_t mid = save_message(g, h);
    CHECK(mid != 0);
    CHECK_STR(text_of(g, h, PidTagNormalizedSubject), "Engines");
    again = open_message(g, mid, 3);
    CHECK_STR(text_of(g, again, PidTagBody), "On the analytical one.");
    CHECK_STR(text_of(g, again, PidTagSubjectPrefix), "RE: ");
    rig_end(g);
}

TEST(changes_stay_with_their_handle_until_they_are_saved)
{
    struct rig *g = rig_new();
    uint32_t h = make_message(g), a, b;
    set_text(g, h, PidTagSubject, "one");
    uint64_t mid = save_message(g, h);
    a = open_message(g, mid, 1);
    b = open_message(g, mid, 1);
    set_text(g, a, PidTagSubject, "two");
    CHECK_STR(text_of(g, a, PidTagSubject), "two");
    CHECK_STR(text_of(g, b, PidTagSubject), "one");
    CHECK_INT(save_message(g, a), mid);
    set_text(g, b, PidTagSubject, "three");
    CHECK_EC(rig_rop(g, b, ROP_SAVE_MESSAGE, rig_args(g, "b", 2ull), NULL, NULL), 0x80040109);
    CHECK_STR(text_of(g, b, PidTagSubject), "three");
    CHECK_EC(rig_rop(g, b, ROP_SAVE_MESSAGE, rig_args(g, "b", 4ull), NULL, NULL), ecNone);
    a = open_message(g, mid, 0);
    CHECK_STR(text_of(g, a, PidTagSubject), "three");
    rig_end(g);
}

TEST(a_message_for_reading_cannot_be_changed)
{
    struct rig *g = rig_new();
    uint32_t h = make_message(g), ro;
    uint64_t mid = save_message(g, h);
    REQUIRE_EC(rig_rop(g, h, ROP_SAVE_MESSAGE, rig_args(g, "b", 0x09ull), NULL, NULL), ecNone);
    struct blob v = rig_args(g, "wds", 1ull, (uint64_t)PidTagSubject, "x"), args = rig_args(g, "wB", (uint64_t)v.n, &v);
    CHECK_EC(rig_rop(g, h, ROP_SET_PROPS, args, NULL, NULL), ecAccessDenied);
    ro = open_message(g, mid, 0);
    CHECK_EC(rig_rop(g, ro, ROP_SET_PROPS, args, NULL, NULL), ecAccessDenied);
    CHECK_EC(rig_rop(g, ro, ROP_SAVE_MESSAGE, rig_args(g, "b", 2ull), NULL, NULL), ecNone);
    CHECK_EC(rig_rop(g, ro, ROP_SET_PROPS, args, NULL, NULL), ecAccessDenied);
    rig_end(g);
}

TEST(a_long_value_lives_through_requests_and_saves)
{
    struct rig *g = rig_new();
    uint32_t h = make_message(g), again;
    char *big = arena_alloc(g->life, 12001);
    memset(big, 'e', 12000);
    set_text(g, h, PidTagBody, big);
    CHECK(g->largest < 4096);
    set_text(g, h, PidTagSubject, "s");
    CHECK_STR(text_of(g, h, PidTagBody), big);
    uint64_t mid = save_message(g, h);
    again = open_message(g, mid, 0);
    CHECK_STR(text_of(g, again, PidTagBody), big);
    rig_end(g);
}

TEST(what_does_not_fit_is_an_error_value)
{
    struct rig *g = rig_new();
    uint32_t h = make_message(g);
    struct rd r;
    char *big = arena_alloc(g->life, 12001);
    memset(big, 'e', 12000);
    set_text(g, h, PidTagBody, big);
    set_text(g, h, PidTagSubject, "s");
    g->room = 500;
    struct blob args = rig_args(g, "wwwdd", 0ull, 1ull, 2ull, (uint64_t)PidTagBody, (uint64_t)PidTagSubject);
    REQUIRE_EC(rig_rop(g, h, ROP_GET_PROPS, args, &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "01 0a 0e 00 07 80 00 73 00 00 00");
    rig_end(g);
}

TEST(deleted_properties_are_gone_at_once)
{
    struct rig *g = rig_new();
    uint32_t h = make_message(g), again;
    struct rd r;
    set_text(g, h, PidTagBody, "text");
    uint64_t mid = save_message(g, h);
    REQUIRE_EC(rig_rop(g, h, ROP_DELETE_PROPS, rig_args(g, "wd", 1ull, (uint64_t)PidTagBody), &r, NULL), ecNone);
    CHECK_INT(rd_u16(&r), 0);
    CHECK(text_of(g, h, PidTagBody) == NULL);
    again = open_message(g, mid, 0);
    CHECK_STR(text_of(g, again, PidTagBody), "text");
    save_message(g, h);
    again = open_message(g, mid, 0);
    CHECK(text_of(g, again, PidTagBody) == NULL);
    rig_end(g);
}

TEST(read_only_properties_are_problems)
{
    struct rig *g = rig_new();
    uint32_t h = make_message(g);
    struct rd r;
    struct blob v = rig_args(g, "wddds", 2ull, (uint64_t)PidTagMessageSize, 7ull, (uint64_t)PidTagSubject, "s");
    REQUIRE_EC(rig_rop(g, h, ROP_SET_PROPS, rig_args(g, "wB", (uint64_t)v.n, &v), &r, NULL), ecNone);
    CHECK_INT(rd_u16(&r), 1);
    CHECK_INT(rd_u16(&r), 0);
    CHECK_INT(rd_u32(&r), PidTagMessageSize);
    CHECK_INT(rd_u32(&r), ecAccessDenied);
    CHECK_STR(text_of(g, h, PidTagSubject), "s");
    rig_end(g);
}

TEST(missing_messages_are_not_found)
{
    struct rig *g = rig_new();
    uint64_t drafts = rig_wire(g->fid[SF_DRAFTS]);
    CHECK_EC(rig_rop(g, RIG_LOGON, ROP_OPEN_MESSAGE, rig_args(g, "wqbq", 0x0FFFull, drafts, 0ull, rig_wire(0x123456)), NULL, NULL), ecNotFound);
    CHECK_EC(rig_rop(g, RIG_LOGON, ROP_OPEN_MESSAGE, rig_args(g, "wqbq", 0x0FFFull, drafts, 0ull, 0x0102030405060708ull), NULL, NULL), ecNotFound);
    CHECK_EC(rig_rop(g, RIG_LOGON, ROP_OPEN_MESSAGE, rig_args(g, "wqbq", 77ull, drafts, 0ull, rig_wire(5)), NULL, NULL), ecUnknownCodePage);
    rig_end(g);
}

TEST(the_answer_of_open_has_subject_and_recipients)
{
    struct rig *g = rig_new();
    uint32_t h = make_message(g);
    struct rd r;
    set_text(g, h, PidTagSubject, "FW: Caf\xe9"); /* each byte becomes a character */
    uint64_t mid = save_message(g, h);
    struct blob args = rig_args(g, "wqbq", 0x0FFFull, rig_wire(g->fid[SF_DRAFTS]), 0ull, mid);
    REQUIRE_EC(rig_rop(g, RIG_LOGON, ROP_OPEN_MESSAGE, args, &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "00 03 46 57 3a 20 00 03 43 61 66 e9 00 00 00 00 00 00");
    rig_end(g);
}

TEST(a_message_that_was_deleted_behind_its_handle)
{
    struct rig *g = rig_new();
    uint32_t h = make_message(g), f = 0;
    struct rd r;
    uint64_t mid = save_message(g, h);
    REQUIRE_EC(rig_rop(g, RIG_LOGON, 0x02, rig_args(g, "qb", rig_wire(g->fid[SF_DRAFTS]), 0ull), NULL, &f), ecNone);
    REQUIRE_EC(rig_rop(g, f, 0x91, rig_args(g, "bbwq", 0ull, 0ull, 1ull, mid), &r, NULL), ecNone); /* RopHardDeleteMessages */
    CHECK_EC(rig_rop(g, h, ROP_GET_PROPS, rig_args(g, "wwwd", 0ull, 1ull, 1ull, (uint64_t)PidTagSubject), NULL, NULL), ecObjectDeleted);
    CHECK_EC(rig_rop(g, h, ROP_RELOAD, rig_args(g, "w", 0ull), NULL, NULL), ecObjectDeleted);
    CHECK_EC(rig_rop(g, h, ROP_SAVE_MESSAGE, rig_args(g, "b", 2ull), NULL, NULL), ecObjectDeleted);
    rig_end(g);
}

TEST(soft_deleted_messages_are_opened_when_asked_for)
{
    struct rig *g = rig_new();
    uint32_t h = make_message(g), f = 0;
    struct rd r;
    uint64_t mid = save_message(g, h), drafts = rig_wire(g->fid[SF_DRAFTS]);
    REQUIRE_EC(rig_rop(g, RIG_LOGON, 0x02, rig_args(g, "qb", drafts, 0ull), NULL, &f), ecNone);
    REQUIRE_EC(rig_rop(g, f, 0x1E, rig_args(g, "bbwq", 0ull, 0ull, 1ull, mid), &r, NULL), ecNone); /* RopDeleteMessages */
    CHECK_EC(rig_rop(g, RIG_LOGON, ROP_OPEN_MESSAGE, rig_args(g, "wqbq", 0x0FFFull, drafts, 0ull, mid), NULL, NULL), ecNotFound);
    CHECK_EC(rig_rop(g, RIG_LOGON, ROP_OPEN_MESSAGE, rig_args(g, "wqbq", 0x0FFFull, drafts, 4ull, mid), NULL, NULL), ecNone);
    rig_end(g);
}

TEST(unknown_open_modes_are_read_only)
{
    struct rig *g = rig_new();
    uint64_t mid = save_message(g, make_message(g));
    CHECK_INT(property(g, open_message(g, mid, 0x10), PidTagAccessLevel).v.i32, 0);
    CHECK_INT(property(g, open_message(g, mid, 0x40), PidTagAccessLevel).v.i32, 0);
    CHECK_INT(property(g, open_message(g, mid, 1), PidTagAccessLevel).v.i32, 1);
    CHECK_INT(property(g, open_message(g, mid, 3), PidTagAccessLevel).v.i32, 1);
    rig_end(g);
}

TEST(associated_messages_are_made_so)
{
    struct rig *g = rig_new();
    uint32_t h = 0;
    REQUIRE_EC(rig_rop(g, RIG_LOGON, ROP_CREATE_MESSAGE, rig_args(g, "wqb", 0x0FFFull, rig_wire(g->fid[SF_DRAFTS]), 1ull), NULL, &h), ecNone);
    uint64_t mid = save_message(g, h);
    CHECK(property(g, open_message(g, mid, 0), PidTagMessageFlags).v.i32 & 0x40);
    CHECK_EC(rig_rop(g, RIG_LOGON, ROP_CREATE_MESSAGE, rig_args(g, "wqb", 0x0FFFull, rig_wire(0x7777), 1ull), NULL, NULL), ecNotFound);
    rig_end(g);
}

/* OXCMSG names ecNullObject for its own ROPs, but for SaveChangesAttachment; OXCPRPT has ecNotSupported. */
TEST(objects_of_another_kind)
{
    static const struct { uint8_t rop, bytes; ec_t ec; } want[] = {
        { ROP_REMOVE_RCPTS, 4, ecNullObject }, { ROP_MODIFY_RCPTS, 4, ecNullObject }, { ROP_READ_RCPTS, 6, ecNullObject }, { ROP_RELOAD, 2, ecNullObject },
        { ROP_SET_STATUS, 16, ecNullObject }, { ROP_GET_STATUS, 8, ecNullObject }, { ROP_SET_READS, 4, ecNullObject }, { ROP_SET_READ, 1, ecNullObject },
        { ROP_OPEN_ATT, 5, ecNullObject }, { ROP_CREATE_ATT, 0, ecNullObject }, { ROP_DELETE_ATT, 4, ecNullObject }, { ROP_OPEN_EMBEDDED, 3, ecNullObject },
        { ROP_ATT_TABLE, 1, ecNullObject }, { ROP_SAVE_ATT, 1, ecNotSupported }, { ROP_READ_STREAM, 2, ecNotSupported }, { ROP_COMMIT_STREAM, 0, ecNotSupported }
    };
    static const uint8_t zeros[16];
    struct rig *g = rig_new();
    uint32_t f = 0, a, num, m = make_message(g);
    a = make_attachment(g, m, &num);
    REQUIRE_EC(rig_rop(g, RIG_LOGON, 0x02, rig_args(g, "qb", rig_wire(g->fid[SF_DRAFTS]), 0ull), NULL, &f), ecNone);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        CHECK_EC(rig_rop(g, RIG_LOGON, want[i].rop, blob_of(zeros, want[i].bytes), NULL, NULL), want[i].ec);
        CHECK_EC(rig_rop(g, 0xFFFFFFFF, want[i].rop, blob_of(zeros, want[i].bytes), NULL, NULL), ecNullObject);
    }
    CHECK_EC(rig_rop(g, f, ROP_RELOAD, blob_of(zeros, 2), NULL, NULL), ecNullObject);
    CHECK_EC(rig_rop(g, a, ROP_OPEN_MESSAGE, blob_of(zeros, 19 - 8), NULL, NULL), ecRpcFormat);
    CHECK_EC(rig_rop(g, a, ROP_OPEN_MESSAGE, rig_args(g, "wqbq", 0ull, 0ull, 0ull, 0ull), NULL, NULL), ecNullObject);
    rig_end(g);
}

static bool lives(void *ctx, const uint8_t context[16])
{
    (void)context;
    return *(bool *)ctx;
}

static void say(void *ctx, const char *finding)
{
    (void)ctx;
    unit_check(false, __FILE__, __LINE__, "mailbox_check: %s", finding);
}

/* Everything that nobody holds goes; the mailbox is in order then. */
static void sweep(struct rig *g, bool alive)
{
    struct arena *a = arena_new(64 << 20);
    struct mailbox *m = rig_mailbox(g, a);
    bool more = true;
    size_t findings = 0;
    while (more) {
        REQUIRE_EC(mailbox_write(m), ecNone);
        REQUIRE_EC(mailbox_sweep(m, lives, &alive, 0, 1000, &more), ecNone);
        REQUIRE_EC(mailbox_commit(m), ecNone);
    }
    CHECK_EC(mailbox_check(m, say, NULL, &findings), ecNone);
    CHECK_INT(findings, 0);
    arena_free(a);
}

TEST(the_sweeper_leaves_what_a_draft_holds)
{
    struct rig *g = rig_new();
    uint32_t h = make_message(g), num;
    char *big = arena_alloc(g->life, 9001);
    memset(big, 'p', 9000);
    set_text(g, h, PidTagBody, big);
    uint32_t a = make_attachment(g, h, &num);
    big[0] = 'q';
    set_text(g, a, PidTagAttachLongFilename, big);
    sweep(g, true);
    save_attachment(g, a);
    sweep(g, true);
    uint64_t mid = save_message(g, h);
    sweep(g, true);
    uint32_t o = open_message(g, mid, 0);
    CHECK_INT(strlen(text_of(g, open_attachment(g, o, num, 0), PidTagAttachLongFilename)), 9000);
    CHECK_INT(text_of(g, o, PidTagBody)[0], 'p');
    big[0] = 'r';
    set_text(g, h, PidTagBody, big);
    release(g, h);
    sweep(g, false);
    CHECK_INT(text_of(g, o, PidTagBody)[0], 'p');
    rig_end(g);
}
