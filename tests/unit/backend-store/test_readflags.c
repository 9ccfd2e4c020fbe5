/* Read state and message status. */
#include "backend/store/event.h"
#include "backend/store/message.h"
#include "tests/unit/backend-store/mbox.h"

static struct mbox b;

static uint64_t inbox(void) { return mailbox_info(b.m)->fid[SF_INBOX]; }

static uint64_t put(int32_t flags, bool receipts)
{
    struct msg m = { 0 };
    props_set(b.a, &m.set, pv_i32(PidTagMessageFlags, flags));
    if (receipts) {
        props_set(b.a, &m.set, pv_bool(PidTagReadReceiptRequested, true));
        props_set(b.a, &m.set, pv_bool(PidTagNonReceiptNotificationRequested, true));
    }
    struct message_save s = { .fid = inbox(), .over = &m };
    if (!mailbox_writing(b.m))
        REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(message_save(b.m, &s), ecNone);
    return s.mid;
}

static uint32_t flags_of(uint64_t mid)
{
    struct message_info i;
    REQUIRE_EC(message_open(b.m, inbox(), mid, false, &i), ecNone);
    CHECK_INT(i.read, i.flags & 1);
    return i.flags;
}

/* OXCMSG R815-R829, R1141 */
TEST(every_bit_of_ReadFlags)
{
    b = mbox_new();
    static const struct { int32_t first; uint8_t rf; uint32_t want; bool changed; } t[] = {
        { 0, 0x00, 0x701 | 2, true }, { 0, 0x01, 0x601 | 2, true }, { 0, 0x0A, 0x701 | 2, true }, { 0, 0x04, 0x300 | 2, false },
        { 0, 0x10, 0x300 | 2, false }, { 0, 0x20, 0x200 | 2, false }, { 0, 0x40, 0x100 | 2, false }, { 0, 0x61, 0x401 | 2, true },
        { 0, 0x05, 0x200 | 2, false }, { 1, 0x04, 0x400 | 2, true }, { 1, 0x00, 0x401 | 2, false }, { 1, 0x14, 0x401 | 2, false },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        uint64_t mid = put(t[i].first, true);
        bool changed = false, partial = false;
        REQUIRE_EC(messages_set_read(b.m, inbox(), &mid, 1, t[i].rf, &changed, &partial), ecNone);
        CHECK_INT(flags_of(mid), t[i].want);
        CHECK_INT(changed, t[i].changed);
        CHECK(!partial);
    }
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_clean(&b);
    mbox_end(&b);
}

/* OXCMSG R1703, R1710 */
TEST(read_state_changes_nothing_else)
{
    b = mbox_new();
    uint64_t mid = put(0, false);
    static const uint32_t tags[] = { PidTagChangeKey, PidTagLastModificationTime, PidTagPredecessorChangeList };
    struct props before, after;
    struct folder f;
    bool changed = false, partial = false;
    REQUIRE_EC(message_props(b.m, mid, inbox(), NULL, tags, 3, &before), ecNone);
    REQUIRE_EC(messages_set_read(b.m, inbox(), &mid, 1, 0, &changed, &partial), ecNone);
    REQUIRE_EC(message_props(b.m, mid, inbox(), NULL, tags, 3, &after), ecNone);
    CHECK_BLOB(after.v[0].v.bin, before.v[0].v.bin);
    CHECK_INT(after.v[1].v.i64, before.v[1].v.i64);
    CHECK_BLOB(after.v[2].v.bin, before.v[2].v.bin);
    REQUIRE_EC(folder_open(b.m, inbox(), false, &f), ecNone);
    CHECK_INT(f.unread, 0);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    CHECK(mbox_sql(&b, "SELECT max(read_cn) FROM message") > mbox_sql(&b, "SELECT max(cn) FROM message"));
    mbox_end(&b);
}

/* OXCMSG R1514 */
TEST(missing_message_is_partial)
{
    b = mbox_new();
    uint64_t mids[] = { put(0, false), 777777 };
    bool changed = false, partial = false;
    REQUIRE_EC(messages_set_read(b.m, inbox(), mids, 2, 0, &changed, &partial), ecNone);
    CHECK(changed && partial);
    CHECK((flags_of(mids[0]) & 1) != 0);
    CHECK_EC(messages_set_read(b.m, 31337, mids, 2, 0, &changed, &partial), ecNotFound);
    mbox_end(&b);
}

/* OXCMSG R416, R1500, R1501, R545 */
TEST(status_by_mask)
{
    b = mbox_new();
    uint64_t mid = put(0, false);
    uint32_t old = 99, now = 99;
    REQUIRE_EC(message_status(b.m, inbox(), mid, &now), ecNone);
    CHECK_INT(now, 0);
    REQUIRE_EC(message_set_status(b.m, inbox(), mid, 0x3000, 0x1000, &old), ecNone);
    CHECK_INT(old, 0);
    REQUIRE_EC(message_set_status(b.m, inbox(), mid, 0x2000, 0x2000, &old), ecNone);
    CHECK_INT(old, 0x1000);
    REQUIRE_EC(message_set_status(b.m, inbox(), mid, 0x800, 0x1800, &old), ecNone);
    CHECK_INT(old, 0x3000);
    REQUIRE_EC(message_status(b.m, inbox(), mid, &now), ecNone);
    CHECK_INT(now, 0x2000);
    CHECK_EC(message_status(b.m, inbox(), mid + 999, &now), ecNotFound);
    mbox_end(&b);
}
