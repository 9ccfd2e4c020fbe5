/* test_attach.c - attachments, and messages in attachments, with every step in a request of its own. MS-OXCMSG 3.2.5.12-3.2.5.17. */
#include "session/object/message.h"
#include "session/rop/attach.h"
#include "tests/unit/session-rop/steps.h"

static uint32_t attachments_of(struct rig *g, uint32_t message, uint32_t *first)
{
    struct rd r;
    REQUIRE_EC(rig_rop(g, message, ROP_VALID_ATTS, blob_of(NULL, 0), &r, NULL), ecNone);
    uint32_t n = rd_u32(&r);
    *first = n != 0 ? rd_u32(&r) : UINT32_MAX;
    return n;
}

TEST(an_attachment_goes_to_the_message_and_with_it_to_the_store)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g), num, first;
    uint32_t a = make_attachment(g, m, &num);
    set_text(g, a, PidTagAttachLongFilename, "engine.txt");
    CHECK_INT(property(g, a, PidTagRenderingPosition).v.i32, -1);
    CHECK_INT(property(g, a, PidTagAttachNumber).v.i32, num);
    CHECK_INT(attachments_of(g, m, &first), 0);
    save_attachment(g, a);
    CHECK_INT(attachments_of(g, m, &first), 1);
    CHECK_INT(first, num);
    uint64_t mid = save_message(g, m);

    uint32_t again = open_message(g, mid, 0);
    CHECK(property(g, again, PidTagHasAttachments).v.b);
    uint32_t b = open_attachment(g, again, num, 0);
    CHECK_STR(text_of(g, b, PidTagAttachLongFilename), "engine.txt");
    CHECK_INT(property(g, b, PidTagAccessLevel).v.i32, 0);
    rig_end(g);
}

TEST(an_unsaved_attachment_is_not_in_the_message)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g), num, first;
    uint32_t a = make_attachment(g, m, &num);
    set_text(g, a, PidTagAttachLongFilename, "lost.txt");
    uint64_t mid = save_message(g, m);
    CHECK_INT(attachments_of(g, open_message(g, mid, 0), &first), 0);
    save_attachment(g, a);
    save_message(g, m);
    CHECK_INT(attachments_of(g, open_message(g, mid, 0), &first), 1);
    rig_end(g);
}

TEST(two_handles_of_one_attachment_do_not_see_each_other)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g), num;
    uint32_t a = make_attachment(g, m, &num);
    set_text(g, a, PidTagAttachLongFilename, "a");
    save_attachment(g, a);
    uint64_t mid = save_message(g, m);
    uint32_t o = open_message(g, mid, 1), x = open_attachment(g, o, num, 1), y = open_attachment(g, o, num, 1);
    set_text(g, x, PidTagAttachLongFilename, "b");
    CHECK_STR(text_of(g, x, PidTagAttachLongFilename), "b");
    CHECK_STR(text_of(g, y, PidTagAttachLongFilename), "a");
    save_attachment(g, x);
    CHECK_STR(text_of(g, y, PidTagAttachLongFilename), "b");
    delete_property(g, y, PidTagAttachLongFilename);
    save_attachment(g, y);
    CHECK(text_of(g, x, PidTagAttachLongFilename) == NULL);
    save_message(g, o);
    CHECK(text_of(g, open_attachment(g, open_message(g, mid, 0), num, 0), PidTagAttachLongFilename) == NULL);
    rig_end(g);
}

TEST(a_deleted_attachment_goes_with_the_save)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g), one, two, first;
    save_attachment(g, make_attachment(g, m, &one));
    save_attachment(g, make_attachment(g, m, &two));
    CHECK(one != two);
    uint64_t mid = save_message(g, m);
    CHECK_EC(rig_rop(g, m, ROP_DELETE_ATT, rig_args(g, "d", 99ull), NULL, NULL), ecNotFound);
    CHECK_EC(rig_rop(g, m, ROP_DELETE_ATT, rig_args(g, "d", (uint64_t)one), NULL, NULL), ecNone);
    CHECK_EC(rig_rop(g, m, ROP_DELETE_ATT, rig_args(g, "d", (uint64_t)one), NULL, NULL), ecNotFound);
    CHECK_EC(rig_rop(g, m, ROP_OPEN_ATT, rig_args(g, "bd", 0ull, (uint64_t)one), NULL, NULL), ecNotFound);
    CHECK_INT(attachments_of(g, m, &first), 1);
    CHECK_INT(attachments_of(g, open_message(g, mid, 0), &first), 2);
    save_message(g, m);
    CHECK_INT(attachments_of(g, open_message(g, mid, 0), &first), 1);
    CHECK_INT(first, two);
    make_attachment(g, m, &one);
    CHECK(one > two);
    rig_end(g);
}

TEST(access_follows_the_message)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g), num;
    save_attachment(g, make_attachment(g, m, &num));
    uint64_t mid = save_message(g, m);
    uint32_t ro = open_message(g, mid, 0);
    CHECK_EC(rig_rop(g, ro, ROP_CREATE_ATT, blob_of(NULL, 0), NULL, NULL), ecAccessDenied);
    CHECK_EC(rig_rop(g, ro, ROP_OPEN_ATT, rig_args(g, "bd", 1ull, (uint64_t)num), NULL, NULL), ecAccessDenied);
    CHECK_EC(rig_rop(g, ro, ROP_DELETE_ATT, rig_args(g, "d", (uint64_t)num), NULL, NULL), ecAccessDenied);
    uint32_t best = open_attachment(g, ro, num, 3);
    CHECK_EC(rig_rop(g, best, ROP_OPEN_EMBEDDED, rig_args(g, "wb", 0x0FFFull, 2ull), NULL, NULL), ecAccessDenied);
    CHECK_EC(rig_rop(g, best, ROP_OPEN_EMBEDDED, rig_args(g, "wb", 0x0FFFull, 0ull), NULL, NULL), ecNotFound);
    CHECK_EC(rig_rop(g, open_attachment(g, open_message(g, mid, 1), num, 1), ROP_SAVE_ATT, rig_args(g, "b", 3ull), NULL, NULL), ecNotSupported);
    rig_end(g);
}

/* --- messages in attachments ----------------------------------------------------------------------------------------------------------- */
enum { LEVELS = 3 };
struct tower { uint32_t message[LEVELS + 1], attachment[LEVELS], num[LEVELS]; };

static struct tower build(struct rig *g)
{
    struct tower t;
    t.message[0] = make_message(g);
    for (unsigned i = 0; i < LEVELS; i++) {
        t.attachment[i] = make_attachment(g, t.message[i], &t.num[i]);
        set_number(g, t.attachment[i], PidTagAttachMethod, 5);
        t.message[i + 1] = open_embedded(g, t.attachment[i], 2);
    }
    return t;
}

static struct tower climb(struct rig *g, uint64_t mid, uint8_t mode, const struct tower *like)
{
    struct tower t = *like;
    t.message[0] = open_message(g, mid, mode);
    for (unsigned i = 0; i < LEVELS; i++) {
        t.attachment[i] = open_attachment(g, t.message[i], t.num[i], mode);
        t.message[i + 1] = open_embedded(g, t.attachment[i], mode);
    }
    return t;
}

/* From the innermost to the outermost. */
static uint64_t save_all(struct rig *g, const struct tower *t)
{
    for (unsigned i = LEVELS; i-- > 0; ) {
        save_message(g, t->message[i + 1]);
        save_attachment(g, t->attachment[i]);
    }
    return save_message(g, t->message[0]);
}

static const char *subject(unsigned level)
{
    static const char *const s[] = { "outer", "first", "second", "third" };
    return s[level];
}

TEST(three_levels_of_messages_in_messages)
{
    struct rig *g = rig_new();
    struct tower t = build(g);
    char *big = arena_alloc(g->life, 9001);
    memset(big, 'b', 9000);
    for (unsigned i = 0; i <= LEVELS; i++)
        set_text(g, t.message[i], PidTagSubject, subject(i));
    set_text(g, t.message[LEVELS], PidTagBody, big);
    uint64_t mid = save_all(g, &t);

    struct tower r = climb(g, mid, 0, &t);
    for (unsigned i = 0; i <= LEVELS; i++)
        CHECK_STR(text_of(g, r.message[i], PidTagSubject), subject(i));
    CHECK_STR(text_of(g, r.message[LEVELS], PidTagBody), big);
    rig_end(g);
}

TEST(the_innermost_message_of_a_stored_one_is_changed)
{
    struct rig *g = rig_new();
    struct tower t = build(g), w;
    for (unsigned i = 0; i <= LEVELS; i++)
        set_text(g, t.message[i], PidTagSubject, subject(i));
    set_text(g, t.message[LEVELS], PidTagBody, "old");
    set_text(g, t.message[2], PidTagBody, "stays");
    uint64_t mid = save_all(g, &t);

    w = climb(g, mid, 1, &t);
    delete_property(g, w.message[LEVELS], PidTagBody);
    set_text(g, w.message[LEVELS], PidTagSubject, "changed");
    CHECK_STR(text_of(g, w.message[LEVELS], PidTagSubject), "changed");
    struct tower before = climb(g, mid, 0, &t);
    CHECK_STR(text_of(g, before.message[LEVELS], PidTagSubject), "third");
    CHECK_INT(save_all(g, &w), mid);

    struct tower after = climb(g, mid, 0, &t);
    CHECK_STR(text_of(g, after.message[LEVELS], PidTagSubject), "changed");
    CHECK(text_of(g, after.message[LEVELS], PidTagBody) == NULL);
    CHECK_STR(text_of(g, after.message[2], PidTagBody), "stays");
    CHECK_STR(text_of(g, after.message[1], PidTagSubject), "first");
    rig_end(g);
}

TEST(what_was_not_saved_up_to_the_outer_message_is_nowhere)
{
    struct rig *g = rig_new();
    struct tower t = build(g);
    set_text(g, t.message[1], PidTagSubject, "first");
    save_message(g, t.message[1]);
    uint64_t mid = save_message(g, t.message[0]);
    uint32_t first;
    CHECK_INT(attachments_of(g, open_message(g, mid, 0), &first), 0);
    save_attachment(g, t.attachment[0]);
    CHECK_INT(attachments_of(g, open_message(g, mid, 0), &first), 0);
    CHECK_INT(attachments_of(g, t.message[0], &first), 1);
    save_message(g, t.message[0]);
    CHECK_INT(attachments_of(g, open_message(g, mid, 0), &first), 1);
    rig_end(g);
}

TEST(an_inner_attachment_is_deleted)
{
    struct rig *g = rig_new();
    struct tower t = build(g);
    uint32_t first;
    uint64_t mid = save_all(g, &t);
    struct tower w = climb(g, mid, 1, &t);
    CHECK_EC(rig_rop(g, w.message[1], ROP_DELETE_ATT, rig_args(g, "d", (uint64_t)t.num[1]), NULL, NULL), ecNone);
    save_message(g, w.message[1]);
    save_attachment(g, w.attachment[0]);
    uint32_t seen = open_embedded(g, open_attachment(g, w.message[0], t.num[0], 0), 0);
    CHECK_INT(attachments_of(g, seen, &first), 0);
    save_message(g, w.message[0]);
    uint32_t o = open_message(g, mid, 0);
    uint32_t e = open_embedded(g, open_attachment(g, o, t.num[0], 0), 0);
    CHECK_INT(attachments_of(g, e, &first), 0);
    rig_end(g);
}

TEST(released_parents_leave_their_children_readable)
{
    struct rig *g = rig_new();
    struct tower t = build(g);
    for (unsigned i = 0; i <= LEVELS; i++)
        set_text(g, t.message[i], PidTagSubject, subject(i));
    uint64_t mid = save_all(g, &t);
    struct tower r = climb(g, mid, 0, &t);
    for (unsigned i = 0; i < LEVELS; i++) {
        release(g, r.message[i]);
        if (i + 1 < LEVELS)
            release(g, r.attachment[i]);
    }
    CHECK_STR(text_of(g, r.message[LEVELS], PidTagSubject), "third");
    CHECK_INT(property(g, r.attachment[LEVELS - 1], PidTagAttachMethod).v.i32, 5);
    rig_end(g);
}

TEST(messages_in_messages_end_somewhere)
{
    struct rig *g = rig_new();
    enum { DEEP = 40 };
    uint32_t message[DEEP + 1], attachment[DEEP], num;
    unsigned i;
    message[0] = make_message(g);
    for (i = 0; i < DEEP; i++) {
        attachment[i] = make_attachment(g, message[i], &num);
        message[i + 1] = open_embedded(g, attachment[i], 2);
    }
    ec_t ec = ecNone;
    for (i = DEEP; i-- > 0 && ec == ecNone; ) {
        ec = rig_rop(g, message[i + 1], ROP_SAVE_MESSAGE, rig_args(g, "b", 2ull), NULL, NULL);
        if (ec == ecNone)
            ec = rig_rop(g, attachment[i], ROP_SAVE_ATT, rig_args(g, "b", 2ull), NULL, NULL);
    }
    CHECK_EC(ec, ecTooComplex);
    CHECK(i > 4 && i < DEEP - 20);
    CHECK_INT(property(g, message[0], PidTagImportance).v.i32, 1);
    rig_end(g);
}
