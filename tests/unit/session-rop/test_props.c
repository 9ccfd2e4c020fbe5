/* test_props.c - properties of all kinds of objects through their ROPs. MS-OXCPRPT 3.2.5.1-3.2.5.5. */
#include "tests/unit/session-rop/steps.h"

static uint32_t folder(struct rig *g, enum special_folder which)
{
    uint32_t f = 0;
    REQUIRE_EC(rig_rop(g, RIG_LOGON, 0x02, rig_args(g, "qb", rig_wire(g->fid[which]), 0ull), NULL, &f), ecNone);
    return f;
}

static bool listed(struct rig *g, uint32_t h, uint32_t tag)
{
    struct rd r;
    bool found = false;
    REQUIRE_EC(rig_rop(g, h, ROP_GET_LIST, blob_of(NULL, 0), &r, NULL), ecNone);
    for (size_t n = rd_u16(&r); n > 0; n--)
        found |= rd_u32(&r) == tag;
    CHECK(rd_done(&r));
    return found;
}

/* The value among all properties; a PtypErrorCode if there is an error or nothing. */
static struct propval among_all(struct rig *g, uint32_t h, uint32_t tag, bool unicode)
{
    struct rd r;
    struct propval v, found = pv_err(tag, (ec_t)ecNotFound);
    REQUIRE_EC(rig_rop(g, h, ROP_GET_ALL, rig_args(g, "ww", 0ull, (uint64_t)unicode), &r, NULL), ecNone);
    struct pv_codec c = { g->a, 1252, PV_COUNTS_ROP };
    for (size_t n = rd_u16(&r); n > 0; n--) {
        struct rd tagged = r;
        uint32_t as = rd_u32(&tagged);
        propval_read_tagged(&r, &c, &v);
        if (prop_id(v.tag) == prop_id(tag)) {
            found = v;
            CHECK(!type_string(prop_type(as)) || prop_type(as) == (unicode ? PtypString : PtypString8));
        }
    }
    CHECK(rd_done(&r));
    return found;
}

TEST(values_come_in_the_order_asked_and_typed)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g);
    struct rd r;
    set_text(g, m, PidTagSubject, "S");
    set_number(g, m, PidTagImportance, 2);
    struct blob args = rig_args(g, "wwwddd", 0ull, 1ull, 3ull, (uint64_t)PidTagImportance, 0x0037001Eull, 0x00370000ull);
    REQUIRE_EC(rig_rop(g, m, ROP_GET_PROPS, args, &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "00 02 00 00 00 53 00 1f 00 53 00 00 00");
    args = rig_args(g, "wwwdd", 0ull, 0ull, 2ull, 0x00370000ull, 0x0037001Full);
    REQUIRE_EC(rig_rop(g, m, ROP_GET_PROPS, args, &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "00 1e 00 53 00 53 00 00 00");
    args = rig_args(g, "wwwddd", 1ull, 1ull, 3ull, 0x0037001Full, 0x3FDE0003ull, 0x00370003ull);
    REQUIRE_EC(rig_rop(g, m, ROP_GET_PROPS, args, &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "01 00 53 00 00 00 0a 0f 01 04 80 0a 0f 01 04 80");
    rig_end(g);
}

TEST(strings_in_the_code_page_of_the_message)
{
    struct rig *g = rig_new();
    uint32_t m = 0;
    struct rd r;
    struct blob args = rig_args(g, "wqb", 1251ull, rig_wire(g->fid[SF_DRAFTS]), 0ull);
    REQUIRE_EC(rig_rop(g, RIG_LOGON, ROP_CREATE_MESSAGE, args, NULL, &m), ecNone);
    struct blob v = rig_args(g, "wdbbb", 1ull, 0x0037001Eull, 0xC0ull, 0xC1ull, 0ull);
    REQUIRE_EC(rig_rop(g, m, ROP_SET_PROPS, rig_args(g, "wB", (uint64_t)v.n, &v), &r, NULL), ecNone);
    CHECK_STR(text_of(g, m, PidTagSubject), "\xd0\x90\xd0\x91");
    REQUIRE_EC(rig_rop(g, m, ROP_GET_PROPS, rig_args(g, "wwwd", 0ull, 0ull, 1ull, 0x0037001Eull), &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "00 c0 c1 00");
    rig_end(g);
}

TEST(all_and_list_show_the_draft)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g);
    set_text(g, m, PidTagInternetMessageId, "<1@x>");
    CHECK(listed(g, m, PidTagInternetMessageId) && listed(g, m, PidTagMessageClass) && listed(g, m, PidTagMessageFlags));
    CHECK_BLOB(among_all(g, m, PidTagInternetMessageId, true).v.s, blob_str("<1@x>"));
    CHECK_BLOB(among_all(g, m, PidTagInternetMessageId, false).v.s, blob_str("<1@x>"));
    CHECK_BLOB(among_all(g, m, PidTagMessageClass, true).v.s, blob_str("IPM.Note"));
    CHECK_INT(among_all(g, m, PidTagAccessLevel, true).v.i32, 1);
    delete_property(g, m, PidTagInternetMessageId);
    CHECK(!listed(g, m, PidTagInternetMessageId));
    rig_end(g);
}

TEST(what_is_too_long_for_all_is_an_error_in_it)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g);
    char *big = arena_alloc(g->life, 30001);
    memset(big, 'x', 30000);
    set_text(g, m, PidTagBody, big);
    struct propval v = among_all(g, m, PidTagBody, true);
    CHECK_INT(prop_type(v.tag), PtypErrorCode);
    CHECK_EC(v.v.err, 0x8007000E);
    CHECK(listed(g, m, PidTagBody));
    rig_end(g);
}

TEST(more_properties_than_any_answer_holds)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g);
    struct rd r;
    for (uint32_t round = 0; round < 2; round++) {
        struct wr w = wr_in(g->life, 1 << 16);
        wr_u16(&w, 0);
        wr_u16(&w, 2500);
        for (uint32_t i = 0; i < 2500; i++) {
            wr_u32(&w, (0x4000 + round * 2500 + i) << 16 | PtypInteger32);
            wr_u32(&w, i);
        }
        wr_patch_u16(&w, 0, (uint16_t)(wr_mark(&w) - 2));
        REQUIRE_EC(rig_rop(g, m, ROP_SET_PROPS, wr_blob(&w), &r, NULL), ecNone);
    }
    CHECK_EC(rig_rop(g, m, ROP_GET_ALL, rig_args(g, "ww", 0ull, 1ull), NULL, NULL), ecBufferTooSmall);
    g->room_max = true;
    CHECK_EC(rig_rop(g, m, ROP_GET_ALL, rig_args(g, "ww", 0ull, 1ull), NULL, NULL), 0x000003F0);
    g->room = 1 << 16;
    CHECK_EC(rig_rop(g, m, ROP_GET_ALL, rig_args(g, "ww", 0ull, 1ull), NULL, NULL), ecNone);
    rig_end(g);
}

TEST(initial_values_of_a_message)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g);
    CHECK_INT(property(g, m, PidTagImportance).v.i32, 1);
    CHECK_INT(property(g, m, PidTagSensitivity).v.i32, 0);
    CHECK_STR(text_of(g, m, PidTagMessageClass), "IPM.Note");
    CHECK_STR(text_of(g, m, PidTagDisplayTo), "");
    CHECK_STR(text_of(g, m, PidTagDisplayCc), "");
    CHECK_STR(text_of(g, m, PidTagDisplayBcc), "");
    CHECK_INT(property(g, m, PidTagMessageFlags).v.i32 & 9, 9);
    CHECK_INT(property(g, m, PidTagAccessLevel).v.i32, 1);
    CHECK(!property(g, m, PidTagHasAttachments).v.b);
    CHECK(!property(g, m, PidTagHasNamedProperties).v.b);
    CHECK_INT(property(g, m, PidTagTrustSender).v.i32, 1);
    CHECK_INT(property(g, m, PidTagSearchKey).v.bin.n, 16);
    CHECK_INT(property(g, m, PidTagMessageLocaleId).v.i32, 0x0409);
    CHECK_STR(text_of(g, m, PidTagCreatorName), "Ada Lovelace");
    CHECK_STR(text_of(g, m, PidTagLastModifierName), "Ada Lovelace");
    CHECK_INT(property(g, m, PidTagCreationTime).v.i64, property(g, m, PidTagLastModificationTime).v.i64);
    rig_end(g);
}

TEST(folders_are_changed_at_once)
{
    struct rig *g = rig_new();
    uint32_t f = folder(g, SF_INBOX);
    set_text(g, f, PidTagComment, "where mail comes");
    CHECK_STR(text_of(g, folder(g, SF_INBOX), PidTagComment), "where mail comes");
    CHECK(listed(g, f, PidTagComment));
    delete_property(g, f, PidTagComment);
    CHECK(text_of(g, folder(g, SF_INBOX), PidTagComment) == NULL);
    struct rd r;
    struct blob v = rig_args(g, "wdd", 1ull, (uint64_t)PidTagContentCount, 5ull);
    REQUIRE_EC(rig_rop(g, f, ROP_SET_PROPS, rig_args(g, "wB", (uint64_t)v.n, &v), &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "01 00 00 00 03 00 02 36 05 00 07 80");
    rig_end(g);
}

TEST(logons_are_changed_at_once)
{
    struct rig *g = rig_new();
    struct rd r;
    set_text(g, RIG_LOGON, PidTagComment, "mine");
    CHECK_STR(text_of(g, RIG_LOGON, PidTagComment), "mine");
    CHECK_BLOB(among_all(g, RIG_LOGON, PidTagComment, true).v.s, blob_str("mine"));
    delete_property(g, RIG_LOGON, PidTagComment);
    CHECK(text_of(g, RIG_LOGON, PidTagComment) == NULL);
    struct blob v = rig_args(g, "wdddsds", 3ull, (uint64_t)PidTagContentCount, 5ull, 0xFFF0001Full, "nobody's", (uint64_t)PidTagComment, "again");
    REQUIRE_EC(rig_rop(g, RIG_LOGON, ROP_SET_PROPS, rig_args(g, "wB", (uint64_t)v.n, &v), &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "02 00  00 00 03 00 02 36 05 00 07 80  01 00 1f 00 f0 ff fa 04 00 00");
    CHECK_STR(text_of(g, RIG_LOGON, PidTagComment), "again");
    rig_end(g);
}

TEST(lists_of_values_that_do_not_end_are_refused)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g);
    struct blob v = rig_args(g, "wdd", 2ull, (uint64_t)PidTagImportance, 2ull);
    CHECK_EC(rig_rop(g, m, ROP_SET_PROPS, rig_args(g, "wB", (uint64_t)v.n, &v), NULL, NULL), ecRpcFormat);
    CHECK_INT(property(g, m, PidTagImportance).v.i32, 1);
    v = rig_args(g, "wdd", 1ull, 0x00171234ull, 2ull);
    CHECK_EC(rig_rop(g, m, ROP_SET_PROPS, rig_args(g, "wB", (uint64_t)v.n, &v), NULL, NULL), ecRpcFormat);
    rig_end(g);
}

/* --- flags and status -------------------------------------------------------------------------------------------------------------------- */
static uint32_t flags_of(struct rig *g, uint64_t mid) { return (uint32_t)property(g, open_message(g, mid, 0), PidTagMessageFlags).v.i32; }

TEST(read_state_of_an_open_message)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g);
    struct rd r;
    uint64_t mid = save_message(g, m);
    CHECK_INT(flags_of(g, mid) & 1, 1);
    REQUIRE_EC(rig_rop(g, m, ROP_SET_READ, rig_args(g, "b", 4ull), &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "00");
    CHECK_INT(flags_of(g, mid) & 1, 0);
    set_text(g, m, PidTagSubject, "still saves");
    save_message(g, m);
    CHECK_INT(flags_of(g, mid) & 1, 0);
    REQUIRE_EC(rig_rop(g, m, ROP_SET_READ, rig_args(g, "b", 0ull), &r, NULL), ecNone);
    CHECK_INT(flags_of(g, mid) & 1, 1);
    uint32_t n = make_message(g);
    REQUIRE_EC(rig_rop(g, n, ROP_SET_READ, rig_args(g, "b", 4ull), &r, NULL), ecNone);
    CHECK_INT(property(g, n, PidTagMessageFlags).v.i32 & 1, 0);
    CHECK_INT(flags_of(g, save_message(g, n)) & 1, 0);
    rig_end(g);
}

TEST(read_state_of_many)
{
    struct rig *g = rig_new();
    uint64_t a = save_message(g, make_message(g)), b = save_message(g, make_message(g));
    struct rd r;
    uint32_t f = folder(g, SF_DRAFTS);
    REQUIRE_EC(rig_rop(g, f, ROP_SET_READS, rig_args(g, "bbwq", 0ull, 4ull, 1ull, a), &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "00");
    CHECK_INT(flags_of(g, a) & 1, 0);
    CHECK_INT(flags_of(g, b) & 1, 1);
    REQUIRE_EC(rig_rop(g, f, ROP_SET_READS, rig_args(g, "bbw", 1ull, 4ull, 0ull), &r, NULL), ecNone);
    CHECK_INT(flags_of(g, b) & 1, 0);
    REQUIRE_EC(rig_rop(g, f, ROP_SET_READS, rig_args(g, "bbwqq", 0ull, 0ull, 2ull, a, 0x0203ull), &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "01");
    CHECK_INT(flags_of(g, a) & 1, 1);
    rig_end(g);
}

TEST(status_keeps_what_the_mask_leaves_out)
{
    struct rig *g = rig_new();
    uint64_t mid = save_message(g, make_message(g));
    struct rd r;
    uint32_t f = folder(g, SF_DRAFTS);
    REQUIRE_EC(rig_rop(g, f, ROP_GET_STATUS, rig_args(g, "q", mid), &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "00 00 00 00");
    REQUIRE_EC(rig_rop(g, f, ROP_SET_STATUS, rig_args(g, "qdd", mid, 0x3000ull, 0x1000ull), &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "00 00 00 00");
    REQUIRE_EC(rig_rop(g, f, ROP_SET_STATUS, rig_args(g, "qdd", mid, 0x2000ull, 0x2000ull), &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "00 10 00 00");
    REQUIRE_EC(rig_rop(g, f, ROP_SET_STATUS, rig_args(g, "qdd", mid, 0ull, 0x1000ull), &r, NULL), ecNone);
    REQUIRE_EC(rig_rop(g, f, ROP_GET_STATUS, rig_args(g, "q", mid), &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "00 20 00 00");
    CHECK_EC(rig_rop(g, f, ROP_GET_STATUS, rig_args(g, "q", rig_wire(0x99999)), NULL, NULL), ecNotFound);
    rig_end(g);
}
