/* test_message.c - messages made, changed, saved, opened: each ROP in a request of its own. */
#include "tests/unit/session-rop/rig.h"

enum {
    OPEN_MESSAGE = 0x03, CREATE_MESSAGE = 0x06, GET_PROPS = 0x07, GET_ALL = 0x08, GET_LIST = 0x09, SET_PROPS = 0x0A, DEL_PROPS = 0x0B, SAVE = 0x0C,
    REMOVE_RCPTS = 0x0D, MODIFY_RCPTS = 0x0E, READ_RCPTS = 0x0F, RELOAD = 0x10, SET_READ = 0x11, GET_STATUS = 0x1F, SET_STATUS = 0x20, SET_READS = 0x66,
    RELEASE = 0x01
};

static uint32_t create(struct rig *g)
{
    struct rd r;
    uint32_t h = 0;
    REQUIRE_EC(rig_rop(g, RIG_LOGON, CREATE_MESSAGE, rig_args(g, "wqb", 0x0FFFull, rig_wire(g->fid[SF_DRAFTS]), 0ull), &r, &h), ecNone);
    CHECK_INT(rd_u8(&r), 0);
    CHECK(rd_done(&r));
    return h;
}

static void set_text(struct rig *g, uint32_t h, uint32_t tag, const char *text)
{
    struct rd r;
    struct blob v = rig_args(g, "wds", 1ull, (uint64_t)tag, text);
    struct blob args = rig_args(g, "wB", (uint64_t)v.n, &v);
    REQUIRE_EC(rig_rop(g, h, SET_PROPS, args, &r, NULL), ecNone);
    CHECK_INT(rd_u16(&r), 0);
    CHECK(rd_done(&r));
}

static uint64_t save(struct rig *g, uint32_t h, uint8_t flags)
{
    struct rd r;
    REQUIRE_EC(rig_rop(g, h, SAVE, rig_args(g, "b", (uint64_t)flags), &r, NULL), ecNone);
    CHECK_INT(rd_u8(&r), 0);
    uint64_t mid = rd_u64(&r);
    CHECK(rd_done(&r));
    return mid;
}

static ec_t open(struct rig *g, uint64_t mid, uint8_t mode, uint32_t *h)
{
    return rig_rop(g, RIG_LOGON, OPEN_MESSAGE, rig_args(g, "wqbq", 0x0FFFull, rig_wire(g->fid[SF_DRAFTS]), (uint64_t)mode, mid), NULL, h);
}

/* The one text property of the object; NULL: an error instead. */
static const char *text(struct rig *g, uint32_t h, uint32_t tag)
{
    struct rd r;
    REQUIRE_EC(rig_rop(g, h, GET_PROPS, rig_args(g, "wwwd", 0ull, 1ull, 1ull, (uint64_t)tag), &r, NULL), ecNone);
    if (rd_u8(&r) != 0)
        return NULL;
    struct propval v;
    struct pv_codec c = { g->a, 1252, PV_COUNTS_ROP };
    propval_read(&r, &c, tag, &v);
    CHECK(rd_done(&r));
    return arena_str(g->a, v.v.s);
}

TEST(a_new_message_is_saved_and_read_back)
{
    struct rig *g = rig_new();
    uint32_t h = create(g), again;
    set_text(g, h, PidTagSubject, "RE: Engines");
    set_text(g, h, PidTagBody, "On the analytical one.");
    CHECK_STR(text(g, h, PidTagSubject), "RE: Engines");
    uint64_t mid = save(g, h, 0x0A);
    CHECK(mid != 0);
    CHECK_STR(text(g, h, PidTagNormalizedSubject), "Engines");
    REQUIRE_EC(open(g, mid, 3, &again), ecNone);
    CHECK_STR(text(g, again, PidTagBody), "On the analytical one.");
    CHECK_STR(text(g, again, PidTagSubjectPrefix), "RE: ");
    rig_end(g);
}

TEST(changes_stay_with_their_handle_until_they_are_saved)
{
    struct rig *g = rig_new();
    uint32_t h = create(g), a, b;
    set_text(g, h, PidTagSubject, "one");
    uint64_t mid = save(g, h, 0x0A);
    REQUIRE_EC(open(g, mid, 1, &a), ecNone);
    REQUIRE_EC(open(g, mid, 1, &b), ecNone);
    set_text(g, a, PidTagSubject, "two");
    CHECK_STR(text(g, a, PidTagSubject), "two");
    CHECK_STR(text(g, b, PidTagSubject), "one");
    CHECK_INT(save(g, a, 2), mid);
    set_text(g, b, PidTagSubject, "three");
    CHECK_EC(rig_rop(g, b, SAVE, rig_args(g, "b", 2ull), NULL, NULL), 0x80040109);
    CHECK_STR(text(g, b, PidTagSubject), "three");
    CHECK_INT(save(g, b, 4), mid);
    REQUIRE_EC(open(g, mid, 0, &a), ecNone);
    CHECK_STR(text(g, a, PidTagSubject), "three");
    rig_end(g);
}

TEST(a_message_for_reading_cannot_be_changed)
{
    struct rig *g = rig_new();
    uint32_t h = create(g), ro;
    uint64_t mid = save(g, h, 1);
    struct blob v = rig_args(g, "wds", 1ull, (uint64_t)PidTagSubject, "x"), args = rig_args(g, "wB", (uint64_t)v.n, &v);
    CHECK_EC(rig_rop(g, h, SET_PROPS, args, NULL, NULL), ecAccessDenied);
    REQUIRE_EC(open(g, mid, 0, &ro), ecNone);
    CHECK_EC(rig_rop(g, ro, SET_PROPS, args, NULL, NULL), ecAccessDenied);
    CHECK_EC(rig_rop(g, ro, SAVE, rig_args(g, "b", 2ull), NULL, NULL), ecNone);
    CHECK_EC(rig_rop(g, ro, SET_PROPS, args, NULL, NULL), ecAccessDenied);
    rig_end(g);
}

TEST(a_long_value_lives_through_requests_and_saves)
{
    struct rig *g = rig_new();
    uint32_t h = create(g), again;
    char *big = arena_alloc(g->life, 12001);
    memset(big, 'e', 12000);
    set_text(g, h, PidTagBody, big);
    CHECK(g->largest < 4096);
    set_text(g, h, PidTagSubject, "s");
    CHECK_STR(text(g, h, PidTagBody), big);
    uint64_t mid = save(g, h, 2);
    REQUIRE_EC(open(g, mid, 0, &again), ecNone);
    CHECK_STR(text(g, again, PidTagBody), big);
    rig_end(g);
}

TEST(what_does_not_fit_is_an_error_value)
{
    struct rig *g = rig_new();
    uint32_t h = create(g);
    struct rd r;
    char *big = arena_alloc(g->life, 12001);
    memset(big, 'e', 12000);
    set_text(g, h, PidTagBody, big);
    set_text(g, h, PidTagSubject, "s");
    g->room = 500;
    struct blob args = rig_args(g, "wwwdd", 0ull, 1ull, 2ull, (uint64_t)PidTagBody, (uint64_t)PidTagSubject);
    REQUIRE_EC(rig_rop(g, h, GET_PROPS, args, &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "01 0a 0e 00 07 80 00 73 00 00 00");
    rig_end(g);
}

TEST(deleted_properties_are_gone_at_once)
{
    struct rig *g = rig_new();
    uint32_t h = create(g), again;
    struct rd r;
    set_text(g, h, PidTagBody, "text");
    uint64_t mid = save(g, h, 2);
    REQUIRE_EC(rig_rop(g, h, DEL_PROPS, rig_args(g, "wd", 1ull, (uint64_t)PidTagBody), &r, NULL), ecNone);
    CHECK_INT(rd_u16(&r), 0);
    CHECK(text(g, h, PidTagBody) == NULL);
    REQUIRE_EC(open(g, mid, 0, &again), ecNone);
    CHECK_STR(text(g, again, PidTagBody), "text");
    save(g, h, 2);
    REQUIRE_EC(open(g, mid, 0, &again), ecNone);
    CHECK(text(g, again, PidTagBody) == NULL);
    rig_end(g);
}

TEST(read_only_properties_are_problems)
{
    struct rig *g = rig_new();
    uint32_t h = create(g);
    struct rd r;
    struct blob v = rig_args(g, "wddds", 2ull, (uint64_t)PidTagMessageSize, 7ull, (uint64_t)PidTagSubject, "s");
    REQUIRE_EC(rig_rop(g, h, SET_PROPS, rig_args(g, "wB", (uint64_t)v.n, &v), &r, NULL), ecNone);
    CHECK_INT(rd_u16(&r), 1);
    CHECK_INT(rd_u16(&r), 0);
    CHECK_INT(rd_u32(&r), PidTagMessageSize);
    CHECK_INT(rd_u32(&r), ecAccessDenied);
    CHECK_STR(text(g, h, PidTagSubject), "s");
    rig_end(g);
}

TEST(missing_messages_are_not_found)
{
    struct rig *g = rig_new();
    uint32_t h;
    CHECK_EC(open(g, rig_wire(0x123456), 0, &h), ecNotFound);
    CHECK_EC(open(g, 0x0102030405060708ull, 0, &h), ecNotFound);
    CHECK_EC(rig_rop(g, RIG_LOGON, OPEN_MESSAGE, rig_args(g, "wqbq", 77ull, rig_wire(g->fid[SF_DRAFTS]), 0ull, rig_wire(5)), NULL, NULL), ecUnknownCodePage);
    rig_end(g);
}

TEST(the_answer_of_open_has_subject_and_recipients)
{
    struct rig *g = rig_new();
    uint32_t h = create(g);
    struct rd r;
    set_text(g, h, PidTagSubject, "FW: Caf\xe9"); /* each byte becomes a character */
    uint64_t mid = save(g, h, 2);
    struct blob args = rig_args(g, "wqbq", 0x0FFFull, rig_wire(g->fid[SF_DRAFTS]), 0ull, mid);
    REQUIRE_EC(rig_rop(g, RIG_LOGON, OPEN_MESSAGE, args, &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "00 03 46 57 3a 20 00 03 43 61 66 e9 00 00 00 00 00 00");
    rig_end(g);
}
