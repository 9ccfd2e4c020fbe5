/* test_named.c - names of properties and their ids. MS-OXCPRPT 3.2.5.6, 3.2.5.9, 3.2.5.10. */
#include "tests/unit/session-rop/steps.h"

static const char set_hex[] = "08 20 06 00 00 00 00 00 c0 00 00 00 00 00 00 46";

static struct blob lid(struct rig *g, uint32_t v)
{
    struct blob s = unhex(set_hex);
    return rig_args(g, "bBd", 0ull, &s, (uint64_t)v);
}

static struct blob word(struct rig *g, const char *name)
{
    struct blob s = unhex(set_hex);
    return rig_args(g, "bBbs", 1ull, &s, (uint64_t)(2 * strlen(name) + 2), name);
}

static uint16_t id_of(struct rig *g, struct blob name, uint8_t flags)
{
    struct rd r;
    REQUIRE_EC(rig_rop(g, RIG_LOGON, ROP_IDS_FROM_NAMES, rig_args(g, "bwB", (uint64_t)flags, 1ull, &name), &r, NULL), ecNone);
    CHECK_INT(rd_u16(&r), 1);
    uint16_t id = rd_u16(&r);
    CHECK(rd_done(&r));
    return id;
}

TEST(names_get_ids_and_keep_them)
{
    struct rig *g = rig_new();
    struct rd r;
    struct blob l = lid(g, 0x4242), w = word(g, "tide");
    CHECK_INT(id_of(g, l, 0), 0);
    uint16_t id = id_of(g, l, 2), wid = id_of(g, w, 2);
    CHECK(id >= 0x8000 && wid >= 0x8000 && id != wid);
    CHECK_INT(id_of(g, l, 0), id);
    CHECK_INT(id_of(g, w, 2), wid);
    struct blob args = rig_args(g, "wwww", 3ull, (uint64_t)id, 0x0037ull, 0xFFF0ull);
    REQUIRE_EC(rig_rop(g, RIG_LOGON, ROP_NAMES_FROM_IDS, args, &r, NULL), ecNone);
    CHECK_INT(rd_u16(&r), 3);
    CHECK_BLOB(rd_blob(&r, l.n), l);
    CHECK_BYTES(rd_blob(&r, 21), "00 28 03 02 00 00 00 00 00 c0 00 00 00 00 00 00 46 37 00 00 00");
    CHECK_BYTES(rd_rest(&r), "ff 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"); /* the set is a fixed field of the structure */
    rig_end(g);
}

TEST(queries_filter_by_kind_and_set)
{
    struct rig *g = rig_new();
    struct rd r;
    uint16_t a = id_of(g, lid(g, 0x4242), 2), b = id_of(g, word(g, "tide"), 2);
    struct blob set = unhex(set_hex);
    uint8_t foreign[16] = { 1 };
    struct blob other = blob_of(foreign, 16);
    struct { uint8_t flags; bool lids, words; } want[] = { { 0, true, true }, { 1, true, false }, { 2, false, true }, { 0x81, true, false }, { 3, false, false } };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        REQUIRE_EC(rig_rop(g, RIG_LOGON, ROP_QUERY_NAMES, rig_args(g, "bbB", (uint64_t)want[i].flags, 1ull, &set), &r, NULL), ecNone);
        bool saw_a = false, saw_b = false;
        for (size_t n = rd_u16(&r); n > 0; n--) {
            uint16_t id = rd_u16(&r);
            saw_a |= id == a;
            saw_b |= id == b;
        }
        CHECK(rd_ok(&r));
        CHECK_INT(saw_a, want[i].lids);
        CHECK_INT(saw_b, want[i].words);
    }
    REQUIRE_EC(rig_rop(g, RIG_LOGON, ROP_QUERY_NAMES, rig_args(g, "bbB", 0ull, 1ull, &other), &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "00 00");
    rig_end(g);
}

TEST(no_names_at_the_logon_are_all_names)
{
    struct rig *g = rig_new();
    struct rd r;
    uint16_t id = id_of(g, word(g, "tide"), 2);
    bool found = false;
    REQUIRE_EC(rig_rop(g, RIG_LOGON, ROP_IDS_FROM_NAMES, rig_args(g, "bw", 0ull, 0ull), &r, NULL), ecNone);
    for (size_t n = rd_u16(&r); n > 0; n--)
        found |= rd_u16(&r) == id;
    CHECK(found && rd_done(&r));
    uint32_t m = make_message(g);
    REQUIRE_EC(rig_rop(g, m, ROP_IDS_FROM_NAMES, rig_args(g, "bw", 0ull, 0ull), &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "00 00");
    rig_end(g);
}

TEST(a_named_property_needs_its_name)
{
    struct rig *g = rig_new();
    struct rd r;
    uint32_t m = make_message(g);
    uint32_t tag = (uint32_t)id_of(g, word(g, "tide"), 2) << 16 | PtypString;
    set_text(g, m, tag, "high");
    CHECK_STR(text_of(g, m, tag), "high");
    CHECK(property(g, m, PidTagHasNamedProperties).v.b);
    struct blob v = rig_args(g, "wds", 1ull, 0xFFF0001Full, "low");
    REQUIRE_EC(rig_rop(g, m, ROP_SET_PROPS, rig_args(g, "wB", (uint64_t)v.n, &v), &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "01 00 00 00 1f 00 f0 ff fa 04 00 00");
    CHECK(text_of(g, m, 0xFFF0001F) == NULL);
    rig_end(g);
}

TEST(the_names_of_mapi_are_ids_below)
{
    struct rig *g = rig_new();
    static const char mapi[] = "28 03 02 00 00 00 00 00 c0 00 00 00 00 00 00 46";
    struct blob s = unhex(mapi);
    CHECK_INT(id_of(g, rig_args(g, "bBd", 0ull, &s, 0x37ull), 0), 0x37);
    CHECK_INT(id_of(g, rig_args(g, "bBbs", 1ull, &s, 4ull, "x"), 2), 0);
    rig_end(g);
}
