/* Every known property asked of everything that has properties; damaged rows. */
#include "backend/store/large.h"
#include "backend/store/message_int.h"
#include "tests/mutate.h"
#include "tests/unit/backend-store/mbox.h"

static struct mbox b;

static const uint32_t every[] = {
#define PROPTAG(tag, name) tag,
#include "backend/mapi/proptag.def"
#undef PROPTAG
};
enum { EVERY = sizeof every / sizeof *every };

static uint64_t inbox(void) { return mailbox_info(b.m)->fid[SF_INBOX]; }

static struct msg rich(void)
{
    struct msg m = { 0 };
    char *big = arena_alloc(b.a, 6001);
    memset(big, 'h', 6000);
    props_set(b.a, &m.set, pv_str(PidTagSubject, "RE: x"));
    props_set(b.a, &m.set, pv_str(PidTagBody, "text"));
    props_set(b.a, &m.set, pv_bin(PidTagRtfCompressed, blob_of(big, 6000)));
    props_set(b.a, &m.set, pv_time(PidTagMessageDeliveryTime, 5));
    props_set(b.a, &m.set, pv_bin(PidTagConversationIndex, blob_of("\1\2\3", 3)));
    props_set(b.a, &m.set, pv_str(0x8001001F, "named"));
    props_set(b.a, &m.set, pv_i64(0x80020014, -1));
    struct recipient *r = msg_rcpt_add(b.a, &m, 0);
    r->type = 1;
    props_set(b.a, &r->props, pv_str(PidTagDisplayName, "Grace"));
    struct attachment *att = msg_att_add(b.a, &m, 0);
    att->fresh = true;
    props_set(b.a, &att->set, pv_str(PidTagAttachLongFilename, "a.txt"));
    return m;
}

static uint64_t save(const struct msg *m)
{
    struct message_save s = { .fid = inbox(), .over = m };
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(message_save(b.m, &s), ecNone);
    return s.mid;
}

/* The answer to each tag is the property in the type that was asked for, or an error. */
static void check_answers(const uint32_t *tags, size_t n, const struct props *out, size_t at_least)
{
    size_t there = 0;
    REQUIRE(out->n == n);
    for (size_t i = 0; i < n; i++) {
        const struct propval *v = &out->v[i];
        CHECK(prop_id(v->tag) == prop_id(tags[i]));
        bool none = prop_type(v->tag) == PtypErrorCode;
        CHECK(none || propval_fits(v, prop_type(tags[i])));
        if (none)
            CHECK_EC(v->v.err, ecNotFound);
        there += !none;
    }
    CHECK(there >= at_least);
    CHECK(there < n);
}

TEST(every_property_of_everything)
{
    b = mbox_new();
    struct msg m = rich(), none = { 0 };
    uint64_t mid = save(&m);
    struct props out;
    REQUIRE_EC(message_props(b.m, mid, inbox(), NULL, every, EVERY, &out), ecNone);
    check_answers(every, EVERY, &out, 55);
    REQUIRE_EC(message_props(b.m, mid, inbox(), &m, every, EVERY, &out), ecNone);
    check_answers(every, EVERY, &out, 55);
    REQUIRE_EC(message_props(b.m, 0, inbox(), &m, every, EVERY, &out), ecNone);
    check_answers(every, EVERY, &out, 30);
    REQUIRE_EC(message_props(b.m, 0, inbox(), &none, every, EVERY, &out), ecNone);
    check_answers(every, EVERY, &out, 20);
    REQUIRE_EC(embedded_props(b.m, &m, every, EVERY, &out), ecNone);
    check_answers(every, EVERY, &out, 25);
    REQUIRE_EC(attachment_props(b.m, &m.att[0], every, EVERY, &out), ecNone);
    check_answers(every, EVERY, &out, 10);
    for (unsigned f = 0; f < SF_COUNT; f++) {
        REQUIRE_EC(folder_props(b.m, mailbox_info(b.m)->fid[f], every, EVERY, &out), ecNone);
        check_answers(every, EVERY, &out, 30);
    }
    mbox_end(&b);
}

/* OXCMSG R1097-R1105, R344-R347 */
TEST(general_properties_are_always_there)
{
    static const uint32_t tags[] = {
        PidTagAccess, PidTagAccessLevel, PidTagChangeKey, PidTagCreationTime, PidTagLastModificationTime, PidTagLastModifierName, PidTagObjectType,
        PidTagRecordKey, PidTagSearchKey, PidTagDisplayTo, PidTagDisplayCc, PidTagDisplayBcc, PidTagMessageFlags, PidTagMessageSize, PidTagHasAttachments,
        PidTagTrustSender, PidTagCreatorName, PidTagCreatorEntryId, PidTagLastModifierEntryId, PidTagHasNamedProperties, PidTagLocalCommitTime,
    };
    b = mbox_new();
    struct msg empty = { .next_att = 0 };
    uint64_t mid = save(&empty);
    struct props out, folder;
    REQUIRE_EC(message_props(b.m, mid, inbox(), NULL, tags, sizeof tags / sizeof *tags, &out), ecNone);
    for (size_t i = 0; i < out.n; i++)
        CHECK_INT(out.v[i].tag, tags[i]);
    CHECK_INT(out.v[9].v.s.n, 0);
    CHECK_INT(out.v[19].v.b, false);
    /* OXCFOLD R10353, R10354 */
    static const uint32_t sizes[] = { PidTagMessageSize, PidTagMessageSizeExtended, PidTagParentEntryId };
    uint32_t wide = PidTagMessageSizeExtended;
    REQUIRE_EC(folder_props(b.m, inbox(), sizes, 3, &folder), ecNone);
    CHECK_INT(folder.v[0].v.i32, out.v[13].v.i32);
    REQUIRE_EC(folder_props(b.m, inbox(), &wide, 1, &out), ecNone);
    CHECK_INT(out.v[0].v.i64, folder.v[0].v.i32);
    struct entryid e;
    CHECK_INT(entryid_parse(folder.v[2].v.bin, &e), ENTRYID_FOLDER);
    CHECK(e.fid == mailbox_info(b.m)->fid[SF_IPM_SUBTREE]);
    mbox_end(&b);
}

/* One at a time is answered as all at once, and "all" holds what single questions find. */
TEST(one_by_one_is_as_all_at_once)
{
    b = mbox_new();
    struct msg m = rich();
    uint64_t mid = save(&m);
    struct props all, listed, one;
    REQUIRE_EC(message_props(b.m, mid, inbox(), NULL, every, EVERY, &all), ecNone);
    for (size_t i = 0; i < EVERY; i++) {
        REQUIRE_EC(message_props(b.m, mid, inbox(), NULL, &every[i], 1, &one), ecNone);
        CHECK_INT(one.v[0].tag, all.v[i].tag);
        if (prop_type(one.v[0].tag) != PtypErrorCode && !one.v[0].large && prop_type(one.v[0].tag) != PtypObject)
            CHECK_INT(propval_cmp(&one.v[0], &all.v[i]), 0);
    }
    REQUIRE_EC(message_props_all(b.m, mid, inbox(), NULL, &listed), ecNone);
    for (size_t i = 0; i < listed.n; i++) {
        REQUIRE_EC(message_props(b.m, mid, inbox(), NULL, &listed.v[i].tag, 1, &one), ecNone);
        CHECK_INT(one.v[0].tag, listed.v[i].tag);
    }
    CHECK(props_find(&listed, 0x80020014) != NULL && props_find(&listed, PidTagMessageDeliveryTime) != NULL);
    mbox_end(&b);
}

/* Any type may be asked for; only what fits is given. */
TEST(every_property_in_every_type)
{
    static const uint16_t types[] = { 0, 1, 2, 3, 5, 0x0A, 0x0B, 0x0D, 0x14, 0x1E, 0x1F, 0x40, 0x48, 0xFB, 0xFD, 0x102, 0x1003, 0x101F, 0x301F, 0xFFFF };
    b = mbox_new();
    struct msg m = rich();
    uint64_t mid = save(&m);
    for (size_t t = 0; t < sizeof types / sizeof *types; t++)
        for (size_t i = 0; i < EVERY; i++) {
            uint32_t tag = prop_retype(every[i], types[t]);
            struct props out;
            REQUIRE_EC(message_props(b.m, mid, inbox(), NULL, &tag, 1, &out), ecNone);
            bool none = prop_type(out.v[0].tag) == PtypErrorCode;
            REQUIRE(none || types[t] == PtypUnspecified || propval_fits(&out.v[0], types[t]));
        }
    mbox_end(&b);
}

/* --- damage ------------------------------------------------------------------------------------------------------------------- */
struct damage { struct message_row row; unsigned part; };

static void read_damaged(void *ctx, struct blob variant)
{
    const struct damage *d = ctx;
    struct arena *a = arena_new(8 << 20);
    struct message_row row = d->row;
    *(d->part == 0 ? &row.props : d->part == 1 ? &row.rcpts : &row.pcl) = variant;
    row.is_unpacked = false;
    static const uint32_t tags[] = { PidTagSubject, PidTagBody, PidTagHtml, PidTagNativeBody, PidTagHasNamedProperties, 0x8001001F, PidTagDisplayTo, PidTagAccess };
    struct msg over = { .rcpts_replaced = false };
    msg_rcpt_add(a, &over, 9)->type = 1;
    for (int many = 0; many < 2; many++) {
        struct message_src s = { .m = b.m, .a = a, .row = &row, .mid = row.mid, .fid = inbox(), .over = &over, .many = many };
        for (size_t i = 0; i < 8; i++)
            CHECK(prop_id(message_value(&s, tags[i]).tag) == prop_id(tags[i]));
    }
    const struct props *all = message_row_unpacked(&row, a);
    CHECK(all == NULL || all->n < 100);
    arena_free(a);
}

TEST(damaged_rows_are_errors)
{
    b = mbox_new();
    struct msg m = rich();
    uint64_t mid = save(&m);
    struct damage d = { .part = 0 };
    REQUIRE_EC(message_row_load(b.m, b.a, mid, MCOLS_ALL | MCOLS_BODY, &d.row), ecNone);
    CHECK(mutate_all(d.row.props, read_damaged, &d) > 1000);
    d.part = 1;
    CHECK(mutate_all(d.row.rcpts, read_damaged, &d) > 100);
    d.part = 2;
    CHECK(mutate_all(d.row.pcl, read_damaged, &d) > 100);
    mbox_end(&b);
}
