/* test_recipient_row.c - RecipientRow of MS-OXCDATA 2.8.3: every type of address, flags, both codings, columns, and hostile bytes. */
#include "session/rop/recipient_row.h"
#include "tests/mutate.h"
#include "tests/unit.h"

static struct arena *a;
static struct pv_codec codec(void) { return (struct pv_codec){ a, 1252, PV_COUNTS_ROP }; }

static struct props read_row(const char *hex, const uint32_t *cols, size_t ncols)
{
    struct rd r = rd_blob_of(unhex(hex));
    struct pv_codec c = codec();
    struct props p;
    recipient_row_read(&r, &c, cols, ncols, &p);
    CHECK(rd_done(&r));
    return p;
}

static struct blob write_row(const struct props *p, const uint32_t *cols, size_t ncols)
{
    struct wr w = wr_in(a, 1 << 16);
    struct pv_codec c = codec();
    recipient_row_write(&w, &c, cols, ncols, p);
    CHECK(!w.full);
    return wr_blob(&w);
}

#define CHECK_TEXT(p, tag, text) CHECK_STR(arena_str(a, props_str((p), (tag))), (text))

static const char smtp[] = "1b 02"                                        /* U D E type 3 */
    "61 00 40 00 62 00 00 00"                                             /* a@b */
    "41 00 64 00 61 00 00 00"                                             /* Ada */
    "00 00 00";
static const char x500[] = "51 06  00 01"                                 /* U I S D type 1; a distribution list */
    "2f 6f 3d 44 2f 63 6e 3d 61 6c 6c 00"                                 /* /o=D/cn=all */
    "41 00 6c 00 6c 00 00 00  61 00 6c 00 6c 00 00 00  00 00 00";
static const char pdl[] = "16 00  02 00 aa bb  01 00 cc  4c 69 73 74 00  00 00 00";
static const char other[] = "18 80  4e 4f 54 45 53 00  78 40 79 00  e9 00  00 00 00";
static const char fax[] = "2c 02  35 00 35 00 00 00  74 00 00 00  00 00 00";
static const char plain[] = "10 00  4e 61 6d 65 00  00 00 00";
static const char columns[] = "0b 03  61 00 00 00  02 00  00  05 00 00 00  41 00 00 00";
static const char flagged[] = "0b 02  61 00 00 00  02 00  01  0a 0f 01 04 80  00 41 00 00 00";
static const uint32_t two[] = { PidTagRecipientFlags, PidTagRecipientDisplayName };

TEST(smtp_in_unicode)
{
    a = arena_new(1 << 20);
    struct props p = read_row(smtp, NULL, 0);
    CHECK_TEXT(&p, PidTagAddressType, "SMTP");
    CHECK_TEXT(&p, PidTagEmailAddress, "a@b");
    CHECK_TEXT(&p, PidTagSmtpAddress, "a@b");
    CHECK_TEXT(&p, PidTagDisplayName, "Ada");
    CHECK(props_bool(&p, PidTagSendRichInfo, false));
    CHECK_BLOB(props_bin(&p, PidTagSearchKey), blob_of("SMTP:A@B", 9));
    CHECK(props_bin(&p, PidTagEntryId).n > 24);
    CHECK_BYTES(write_row(&p, NULL, 0), "5b 02 61 00 40 00 62 00 00 00 41 00 64 00 61 00 00 00 00 00 00");
    arena_free(a);
}

TEST(a_distinguished_name)
{
    a = arena_new(1 << 20);
    struct props p = read_row(x500, NULL, 0);
    CHECK_TEXT(&p, PidTagAddressType, "EX");
    CHECK_TEXT(&p, PidTagEmailAddress, "/o=D/cn=all");
    CHECK_TEXT(&p, PidTagDisplayName, "All");
    CHECK_TEXT(&p, PidTagTransmittableDisplayName, "All");
    CHECK_TEXT(&p, PidTagAddressBookDisplayNamePrintable, "all");
    CHECK_INT(props_i32(&p, PidTagDisplayType, -1), 1);
    CHECK_BLOB(write_row(&p, NULL, 0), unhex(x500));
    arena_free(a);
}

TEST(a_personal_list_has_ids)
{
    a = arena_new(1 << 20);
    struct props p = read_row(pdl, NULL, 0);
    CHECK_TEXT(&p, PidTagAddressType, "MAPIPDL");
    CHECK_BYTES(props_bin(&p, PidTagEntryId), "aa bb");
    CHECK_BYTES(props_bin(&p, PidTagSearchKey), "cc");
    CHECK_TEXT(&p, PidTagDisplayName, "List");
    CHECK_BYTES(write_row(&p, NULL, 0), "56 02 02 00 aa bb 01 00 cc 4c 00 69 00 73 00 74 00 00 00 00 00 00");
    arena_free(a);
}

TEST(another_type_in_the_code_page)
{
    a = arena_new(1 << 20);
    struct props p = read_row(other, NULL, 0);
    CHECK_TEXT(&p, PidTagAddressType, "NOTES");
    CHECK_TEXT(&p, PidTagEmailAddress, "x@y");
    CHECK_TEXT(&p, PidTagDisplayName, "\xc3\xa9");
    CHECK_BYTES(write_row(&p, NULL, 0), "58 82 4e 4f 54 45 53 00 78 00 40 00 79 00 00 00 e9 00 00 00 00 00 00");
    arena_free(a);
}

TEST(named_types_and_names_of_their_own)
{
    a = arena_new(1 << 20);
    struct props p = read_row(fax, NULL, 0);
    CHECK_TEXT(&p, PidTagAddressType, "FAX");
    CHECK_TEXT(&p, PidTagEmailAddress, "55");
    CHECK_TEXT(&p, PidTagTransmittableDisplayName, "t");
    CHECK(props_find(&p, PidTagDisplayName) == NULL);
    p = read_row(plain, NULL, 0);
    CHECK_TEXT(&p, PidTagDisplayName, "Name");
    CHECK(props_find(&p, PidTagAddressType) == NULL);
    static const char *const hex[] = { "0a 00 78 00 00 00 00", "0d 00 78 00 00 00 00" }, *const type[] = { "MS", "PROFS" };
    for (size_t i = 0; i < 2; i++) {
        p = read_row(hex[i], NULL, 0);
        CHECK_TEXT(&p, PidTagAddressType, type[i]);
    }
    arena_free(a);
}

TEST(columns_of_both_kinds_of_rows)
{
    a = arena_new(1 << 20);
    struct props p = read_row(columns, two, 2);
    CHECK_INT(props_i32(&p, PidTagRecipientFlags, -1), 5);
    CHECK_TEXT(&p, PidTagRecipientDisplayName, "A");
    CHECK(!props_bool(&p, PidTagSendRichInfo, true));
    CHECK_BLOB(write_row(&p, two, 2), unhex(columns));
    p = read_row(flagged, two, 2);
    CHECK(props_find(&p, PidTagRecipientFlags) == NULL);
    CHECK_TEXT(&p, PidTagRecipientDisplayName, "A");
    arena_free(a);
}

TEST(the_columns_leave_out_what_the_row_says)
{
    a = arena_new(1 << 20);
    struct recipient rcpt[2] = { { .row = 0, .props = read_row(columns, two, 2) }, { .row = 1, .props = read_row(x500, NULL, 0) } };
    struct msg m = { .rcpt = rcpt, .nrcpt = 2 };
    struct tags t;
    recipient_columns(a, &m, &t);
    CHECK(tags_has(&t, PidTagRecipientFlags) && tags_has(&t, PidTagRecipientDisplayName) && tags_has(&t, PidTagDisplayType));
    CHECK(!tags_has(&t, PidTagEmailAddress) && !tags_has(&t, PidTagEntryId) && !tags_has(&t, PidTagDisplayName) && !tags_has(&t, PidTagSendRichInfo));
    arena_free(a);
}

TEST(more_columns_than_named_are_refused)
{
    a = arena_new(1 << 20);
    struct rd r = rd_blob_of(unhex(columns));
    struct pv_codec c = codec();
    struct props p;
    recipient_row_read(&r, &c, two, 1, &p);
    CHECK(!rd_ok(&r));
    CHECK_INT(p.n, 0);
    arena_free(a);
}

static void read_any(void *ctx, struct blob b)
{
    (void)ctx;
    struct arena *mine = arena_new(1 << 20);
    struct rd r = rd_blob_of(b);
    struct pv_codec c = { mine, 932, PV_COUNTS_ROP };
    struct props p;
    recipient_row_read(&r, &c, two, 2, &p);
    struct wr w = wr_in(mine, 1 << 16);
    if (rd_ok(&r))
        recipient_row_write(&w, &c, two, 2, &p);
    arena_free(mine);
}

TEST(hostile_rows)
{
    static const char *const all[] = { smtp, x500, pdl, other, fax, plain, columns, flagged };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        CHECK(mutate_all(unhex(all[i]), read_any, NULL) > 20);
}
