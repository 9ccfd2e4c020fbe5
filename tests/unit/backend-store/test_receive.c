/* test_receive.c - receive folders (MS-OXCSTOR 3.2.5.2 - 3.2.5.4) and the rights of delegates. */
#include "tests/unit/backend-store/mbox.h"
#include <strings.h>

static uint64_t sf(struct mbox *b, enum special_folder f) { return mailbox_info(b->m)->fid[f]; }

static void is(struct mbox *b, const char *class, const char *explicit_class, enum special_folder f)
{
    struct receive_folder r;
    REQUIRE_EC(receive_folder_get(b->m, class, &r), ecNone);
    CHECK_INT(strcasecmp(r.message_class, explicit_class), 0);
    CHECK_INT(r.fid, sf(b, f));
}

TEST(a_new_mailbox_has_four)
{
    struct mbox b = mbox_new();
    struct receive_folder *r;
    size_t n;
    is(&b, "", "", SF_INBOX);
    is(&b, "IPM", "IPM", SF_INBOX);
    is(&b, "ipm.note", "IPM", SF_INBOX);
    is(&b, "Report.IPM.Note.NDR", "REPORT.IPM", SF_INBOX);
    is(&b, "IPC", "IPC", SF_ROOT);
    is(&b, "IPMX", "", SF_INBOX);  /* not a subclass of IPM */
    is(&b, "Other.Class", "", SF_INBOX);
    REQUIRE_EC(receive_folder_list(b.m, &r, &n), ecNone);
    CHECK_INT(n, 4);
    for (size_t i = 0; i < n; i++)
        CHECK(r[i].changed != 0);
    mbox_end(&b);
}

TEST(the_longest_class_wins)
{
    struct mbox b = mbox_new();
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    CHECK_EC(receive_folder_set(b.m, "IPM.Note.Special", sf(&b, SF_DRAFTS)), ecNone);
    CHECK_EC(receive_folder_set(b.m, "IPM.Note", sf(&b, SF_JUNK)), ecNone);
    is(&b, "ipm.note.special.more", "IPM.Note.Special", SF_DRAFTS);
    is(&b, "IPM.Note.Other", "IPM.Note", SF_JUNK);
    is(&b, "IPM.Appointment", "IPM", SF_INBOX);
    CHECK_EC(receive_folder_set(b.m, "ipm.NOTE", sf(&b, SF_TASKS)), ecNone);
    is(&b, "IPM.Note", "IPM.Note", SF_TASKS);
    CHECK_EC(receive_folder_set(b.m, "IPM.Note", 0), ecNone);
    is(&b, "IPM.Note", "IPM", SF_INBOX);
    CHECK_EC(receive_folder_set(b.m, "", sf(&b, SF_NOTES)), ecNone);
    is(&b, "Whatever", "", SF_NOTES);
    mbox_end(&b);
}

TEST(refusals)
{
    struct mbox b = mbox_new();
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    CHECK_EC(receive_folder_set(b.m, "ipm", sf(&b, SF_DRAFTS)), ecAccessDenied);
    CHECK_EC(receive_folder_set(b.m, "Report.IPM", 0), ecAccessDenied);
    CHECK_EC(receive_folder_set(b.m, "", 0), ecGeneralFailure);
    CHECK_EC(receive_folder_set(b.m, "IPM.X", 0x7777777), ecNotFound);
    mbox_as(&b, ACTOR_DELEGATE, "/o=x/cn=bob");
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    CHECK_EC(receive_folder_set(b.m, "IPM.X", sf(&b, SF_DRAFTS)), ecAccessDenied);
    mbox_end(&b);
}

TEST(no_rows_at_all)
{
    struct mbox b = mbox_new();
    struct receive_folder *r;
    size_t n;
    mbox_exec(&b, "DELETE FROM receive_folder");
    is(&b, "IPM.Note", "", SF_INBOX);
    REQUIRE_EC(receive_folder_list(b.m, &r, &n), ecNone);
    CHECK_INT(n, 0);
    mbox_end(&b);
}

static uint32_t rights(struct mbox *b, const char *dn, enum special_folder f)
{
    uint32_t out = 0;
    mbox_as(b, dn != NULL ? ACTOR_DELEGATE : ACTOR_OWNER, dn);
    CHECK_EC(permission_get(b->m, sf(b, f), &out), ecNone);
    return out;
}

static void grant(struct mbox *b, const char *dn, enum special_folder f, uint32_t r)
{
    mbox_again(b);
    REQUIRE_EC(mailbox_write(b->m), ecNone);
    CHECK_EC(permission_set(b->m, sf(b, f), dn, r), ecNone);
    REQUIRE_EC(mailbox_commit(b->m), ecNone);
}

TEST(rights_of_delegates)
{
    struct mbox b = mbox_new();
    CHECK_INT(rights(&b, NULL, SF_INBOX), RIGHTS_ALL);
    CHECK_INT(rights(&b, "/o=x/cn=bob", SF_INBOX), 0);
    grant(&b, "/O=X/CN=Bob", SF_INBOX, RIGHT_READ_ANY | RIGHT_FOLDER_VISIBLE);
    CHECK_INT(rights(&b, "/o=x/cn=BOB", SF_INBOX), RIGHT_READ_ANY | RIGHT_FOLDER_VISIBLE);
    CHECK_INT(rights(&b, "/o=x/cn=eve", SF_INBOX), 0);
    CHECK_INT(rights(&b, "/o=x/cn=bob", SF_DRAFTS), 0);
    grant(&b, "", SF_INBOX, RIGHT_FOLDER_VISIBLE);
    CHECK_INT(rights(&b, "/o=x/cn=eve", SF_INBOX), RIGHT_FOLDER_VISIBLE);
    CHECK_INT(rights(&b, "", SF_INBOX), RIGHT_FOLDER_VISIBLE);
    grant(&b, "/o=x/cn=bob", SF_INBOX, 0);  /* his own row, even if empty, beats the default */
    CHECK_INT(rights(&b, "/o=x/cn=bob", SF_INBOX), 0);
    mbox_end(&b);
}

TEST(only_folder_owners_grant)
{
    struct mbox b = mbox_new();
    mbox_as(&b, ACTOR_DELEGATE, "/o=x/cn=bob");
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    CHECK_EC(permission_set(b.m, sf(&b, SF_INBOX), "/o=x/cn=bob", RIGHTS_ALL), ecAccessDenied);
    grant(&b, "/o=x/cn=bob", SF_INBOX, RIGHT_FOLDER_OWNER);
    mbox_as(&b, ACTOR_DELEGATE, "/o=x/cn=bob");
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    CHECK_EC(permission_set(b.m, sf(&b, SF_INBOX), "/o=x/cn=eve", RIGHT_READ_ANY), ecNone);
    CHECK_EC(permission_set(b.m, sf(&b, SF_OUTBOX), "/o=x/cn=eve", RIGHT_READ_ANY), ecAccessDenied);
    mbox_end(&b);
}
