/* test_check.c - mailbox_check finds what is broken, and nothing in a mailbox that is not. */
#include "tests/unit/backend-store/mbox.h"
#include "backend/store/large.h"
#include "backend/store/message.h"
#include <stdio.h>

/* One folder with messages, an attachment, an embedded message, large values and staging. */
static uint64_t message(struct mbox *b, const char *subject, bool large)
{
    static char text[20000];
    struct msg m = { 0 }, *in = arena_one(b->a, struct msg);
    memset(text, 'y', sizeof text - 1);
    props_set(b->a, &m.set, pv_str(PidTagSubject, subject));
    props_set(b->a, &m.set, pv_str(PidTagMessageClass, "IPM.Note"));
    props_set(b->a, &m.set, pv_str(PidTagBody, large ? text : "small"));
    if (large) {
        struct attachment *att = msg_att_add(b->a, &m, 0);
        att->fresh = true;
        props_set(b->a, &in->set, pv_str(PidTagBody, text));
        props_set(b->a, &att->set, pv_i32(PidTagAttachMethod, 5));
        att->embedded = in;
    }
    struct message_save s = { .fid = mailbox_info(b->m)->fid[SF_INBOX], .over = &m };
    REQUIRE_EC(message_save(b->m, &s), ecNone);
    return s.mid;
}

static struct mbox filled(void)
{
    struct mbox b = mbox_new();
    struct large_ref r;
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    message(&b, "one", false);
    message(&b, "two", true);
    message(&b, "three", true);
    REQUIRE_EC(large_put(b.m, blob_str("base"), &r), ecNone);
    REQUIRE_EC(stage_from_large(b.m, &(struct stage_key){ { 1 }, 1 }, &r), ecNone);
    REQUIRE_EC(stage_write(b.m, &(struct stage_key){ { 1 }, 1 }, 100, blob_str("x")), ecNone);
    REQUIRE_EC(stage_pin(b.m, &(struct stage_key){ { 1 }, 2 }, &r, 1), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    return b;
}

struct found { const char *want; bool seen; };

static void look(void *ctx, const char *finding)
{
    struct found *f = ctx;
    f->seen = f->seen || strstr(finding, f->want) != NULL;
}

TEST(a_full_mailbox_is_clean)
{
    struct mbox b = filled();
    mbox_clean(&b);
    mbox_end(&b);
}

TEST(each_damage_is_found)
{
    static const struct { const char *sql, *finding; } damage[] = {
        { "UPDATE folder SET total = total + 1 WHERE special = 4", "number of messages than it says" },
        { "UPDATE folder SET unread = 9 WHERE special = 4", "number of unread messages" },
        { "UPDATE folder SET assoc = 9 WHERE special = 5", "number of associated messages" },
        { "UPDATE folder SET bytes = 1 WHERE special = 4", "folder with another size" },
        { "UPDATE folder SET deleted_total = 1 WHERE special = 4", "number of deleted messages" },
        { "UPDATE folder SET subfolders = 1 WHERE special = 4", "number of subfolders" },
        { "UPDATE folder SET parent = 9999 WHERE special = 24", "folder that does not exist" },
        { "UPDATE folder SET parent = (SELECT fid FROM folder WHERE special = 25) WHERE special = 24", "not below the root" },
        { "DELETE FROM folder WHERE special = 12", "special folder that is not there: number 12" },
        { "UPDATE counter SET bytes = 5", "mailbox with another size" },
        { "UPDATE counter SET messages = 5", "mailbox with another number of messages" },
        { "UPDATE counter SET folders = 5", "mailbox with another number of folders" },
        { "UPDATE counter SET next_id = 5", "message with an id or change that was not given out" },
        { "UPDATE counter SET event_seq = 0", "event with a number" },
        { "UPDATE message SET fid = 9999", "message in a folder that does not exist" },
        { "DELETE FROM message_body WHERE mid = (SELECT max(mid) FROM message)", "message without a body row" },
        { "DELETE FROM message WHERE mid = (SELECT max(mid) FROM message)", "body row without a message" },
        { "DELETE FROM attachment WHERE mid = (SELECT max(mid) FROM message)", "number of attachments" },
        { "UPDATE attachment SET mid = 9999 WHERE mid = (SELECT max(mid) FROM message)", "attachment without a message" },
        { "UPDATE message_body SET props = x'FFFFFF'", "message that cannot be read" },
        { "UPDATE attachment SET props = x'FFFFFF'", "attachment that cannot be read" },
        { "UPDATE attachment SET embedded = x'FFFFFF'", "embedded message that cannot be read" },
        { "UPDATE folder SET props = x'FFFFFF' WHERE special = 3", "folder that cannot be read" },
        { "UPDATE large SET refs = refs + 1", "number of references" },
        { "DELETE FROM large WHERE size > 1000", "named but does not exist" },
        { "DELETE FROM large WHERE size > 1000", "piece of a large value that does not exist" },
        { "DELETE FROM large WHERE size = 4", "staging over a large value that does not exist" },
        { "DELETE FROM large WHERE size = 4", "pin of nothing" },
        { "DELETE FROM large_piece", "not whole" },
        { "DELETE FROM stage", "staged piece of nothing" },
        { "INSERT INTO named (id, guid, kind, lid, name) VALUES (5, x'00', 0, 0, '')", "impossible id" },
        { "DELETE FROM view_row", "view" },
    };
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        struct mbox b = filled();
        struct found f = { damage[i].finding, false };
        size_t n = 0;
        mbox_exec(&b, damage[i].sql);
        CHECK_EC(mailbox_check(b.m, look, &f, &n), ecNone);
        unit_check(n > 0 && f.seen, __FILE__, __LINE__, "%s: not found: %s", damage[i].sql, damage[i].finding);
        mbox_end(&b);
    }
}

TEST(delegates_do_not_check)
{
    struct mbox b = mbox_new();
    struct found f = { "", false };
    size_t n;
    mbox_as(&b, ACTOR_DELEGATE, "/o=x/cn=bob");
    CHECK_EC(mailbox_check(b.m, look, &f, &n), ecAccessDenied);
    mbox_end(&b);
}
