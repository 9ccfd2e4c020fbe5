/* test_fault.c - every operation with every statement of it failing in turn: it says so, and the mailbox is as it was. */
#include "tests/unit/backend-store/mbox.h"
#include "backend/store/db.h"
#include "backend/store/fault/dbfault.h"
#include "backend/store/journal.h"
#include "backend/store/large.h"
#include "backend/store/message.h"
#include "backend/store/named.h"
#include "backend/base/crypto.h"
#include <stdio.h>

/* What an operation works on, made anew before each try. */
struct fx { uint64_t fid, mid[3], sub; struct stage_key key; struct large_ref large; unsigned round; };

static uint64_t inbox(struct mailbox *m) { return mailbox_info(m)->fid[SF_INBOX]; }

static ec_t save(struct mailbox *m, uint64_t fid, uint64_t *mid, const char *subject)
{
    static char text[9000];
    struct msg msg = { 0 };
    memset(text, 'z', sizeof text - 1);
    props_set(mailbox_arena(m), &msg.set, pv_str(PidTagMessageClass, "IPM.Note"));
    props_set(mailbox_arena(m), &msg.set, pv_str(PidTagSubject, subject));
    props_set(mailbox_arena(m), &msg.set, pv_str(PidTagBody, text));
    struct attachment *att = msg_att_add(mailbox_arena(m), &msg, 0);
    att->fresh = true;
    props_set(mailbox_arena(m), &att->set, pv_i32(PidTagAttachMethod, 1));
    props_set(mailbox_arena(m), &att->set, pv_bin(PidTagAttachDataBinary, blob_of(text, sizeof text)));
    struct recipient *r = msg_rcpt_add(mailbox_arena(m), &msg, 0);
    r->type = 1;
    props_set(mailbox_arena(m), &r->props, pv_str(PidTagDisplayName, "Bob"));
    struct message_save s = { .fid = fid, .mid = *mid, .over = &msg, .force = true };
    ec_t ec = message_save(m, &s);
    *mid = s.mid;
    return ec;
}

/* --- operations ----------------------------------------------------------------------------------------------------------- */
static ec_t op_save(struct mailbox *m, struct fx *x) { uint64_t mid = 0; return save(m, x->fid, &mid, "new"); }
static ec_t op_change(struct mailbox *m, struct fx *x) { return save(m, x->fid, &x->mid[0], "changed"); }
static ec_t op_delete(struct mailbox *m, struct fx *x) { bool p = false; return messages_delete(m, x->fid, x->mid, 3, false, &p); }
static ec_t op_hard_delete(struct mailbox *m, struct fx *x) { bool p = false; return messages_delete(m, x->fid, x->mid, 3, true, &p); }
static ec_t op_move(struct mailbox *m, struct fx *x) { bool p = false; return messages_move(m, x->fid, inbox(m), x->mid, 3, &p); }
static ec_t op_copy(struct mailbox *m, struct fx *x) { bool p = false; return messages_copy(m, x->fid, inbox(m), x->mid, 3, &p); }
static ec_t op_read(struct mailbox *m, struct fx *x) { bool c = false, p = false; return messages_set_read(m, x->fid, x->mid, 3, 0x04, &c, &p); }
static ec_t op_status(struct mailbox *m, struct fx *x) { uint32_t old; return message_set_status(m, x->fid, x->mid[0], 4, 4, &old); }
static ec_t op_delete_folder(struct mailbox *m, struct fx *x)
{
    bool p = false;
    return folder_delete(m, inbox(m), x->fid, DEL_MESSAGES | DEL_FOLDERS | DELETE_HARD_DELETE, &p);
}
static ec_t op_empty_folder(struct mailbox *m, struct fx *x) { bool p = false; return folder_empty(m, x->fid, true, false, &p); }

static ec_t op_create_folder(struct mailbox *m, struct fx *x)
{
    uint64_t fid;
    bool existed;
    return folder_create(m, x->fid, "below", "comment", false, false, &fid, &existed);
}

static ec_t op_folder_props(struct mailbox *m, struct fx *x)
{
    struct props p = { 0 };
    ec_t problems[2] = { ecNone, ecNone };
    props_set(mailbox_arena(m), &p, pv_str(PidTagDisplayName, arena_printf(mailbox_arena(m), "renamed %u", x->round)));
    props_set(mailbox_arena(m), &p, pv_str(PidTagComment, "why"));
    TRY(folder_props_set(m, x->fid, &p, problems));
    TRY(problems[0]);
    return problems[1];
}

static ec_t op_names(struct mailbox *m, struct fx *x)
{
    struct propname n[2] = { { .kind = PROPNAME_LID, .set = PSETID_Common, .lid = x->round }, { .kind = PROPNAME_LID, .set = PSETID_Task, .lid = x->round } };
    uint16_t ids[2];
    bool missing;
    return named_ids(m, n, 2, true, ids, &missing);
}

static ec_t op_stage(struct mailbox *m, struct fx *x)
{
    struct large_ref r;
    TRY(stage_write(m, &x->key, 70000, blob_str("staged")));
    TRY(stage_resize(m, &x->key, 70003));
    TRY(stage_to_large(m, &x->key, &r));
    TRY(stage_pin(m, &(struct stage_key){ { 9 }, 9 }, &r, 1));
    TRY(stage_from_large(m, &(struct stage_key){ { 9 }, 10 }, &r));
    return stage_drop_context(m, x->key.context);
}

static ec_t op_journal(struct mailbox *m, struct fx *x)
{
    struct journal_row r = { .epoch = 1, .seq = x->round + 1, .digest = { 1 }, .answer = blob_str("answer") };
    TRY(journal_put(m, x->key.context, &r));
    return journal_fence(m, x->key.context, 1);
}

static ec_t op_mailbox(struct mailbox *m, struct fx *x)
{
    struct props p = { 0 };
    struct guid g = guid_new();
    uint16_t replid;
    ec_t problem = ecNone;
    props_set(mailbox_arena(m), &p, pv_i32(PidTagSortLocaleId, (int32_t)x->round));
    TRY(mailbox_props_set(m, &p, &problem));
    TRY(problem);
    TRY(receive_folder_set(m, "IPM.Fault", x->fid));
    TRY(permission_set(m, x->fid, "/o=x/cn=bob", x->round & RIGHTS_ALL));
    return replid_of(m, &g, true, &replid);
}

static const struct op { const char *name; ec_t (*run)(struct mailbox *, struct fx *); } op[] = {
    { "save", op_save }, { "change", op_change }, { "delete", op_delete }, { "hard delete", op_hard_delete }, { "move", op_move }, { "copy", op_copy },
    { "read", op_read }, { "status", op_status }, { "delete folder", op_delete_folder }, { "empty folder", op_empty_folder },
    { "create folder", op_create_folder }, { "folder properties", op_folder_props }, { "names", op_names }, { "stage", op_stage },
    { "journal", op_journal }, { "mailbox", op_mailbox },
};

/* --- what the mailbox holds ------------------------------------------------------------------------------------------------- */
/* Ids given out by a transaction that failed stay given out, and views are caches. */
STMT(TABLES, "SELECT name, (SELECT group_concat('quote(' || c.name || ')', '||'',''||') FROM pragma_table_info(t.name) c WHERE c.name <> 'next_id') "
             "FROM sqlite_master t WHERE type = 'table' AND name NOT LIKE 'view%' ORDER BY name");

struct digest { uint8_t b[32]; };

static struct digest contents(struct mbox *b)
{
    struct digest d;
    struct arena *a = arena_new(64 << 20);
    struct sha256 *h = sha256_new(a);
    struct db *db = NULL;
    REQUIRE_EC(db_open(&db_sqlite, &(struct db_open){ b->o.path, b->id, false, 0, 2000 }, &db), ecNone);
    {
        DB_QUERY(t, db, TABLES);
        while (db_row(&t)) {
            const char *sql = arena_printf(a, "SELECT %s FROM %s ORDER BY 1", db_text(&t, 1, a), db_text(&t, 0, a));
            sha256_add(h, db_bytes(&t, 0));
            DB_QUERY_TEXT(q, db, "contents", sql);
            while (db_row(&q))
                sha256_add(h, db_bytes(&q, 0));
            CHECK_EC(db_ec(&q), ecNone);
        }
    }
    db_close(db);
    sha256_end(h, d.b);
    arena_free(a);
    return d;
}

/* --- the loop --------------------------------------------------------------------------------------------------------------------- */
static void prepare(struct mbox *b, struct fx *x, unsigned round)
{
    bool existed;
    *x = (struct fx){ .key = { { 1 }, 1 }, .round = round };
    mbox_again(b);
    REQUIRE_EC(mailbox_write(b->m), ecNone);
    REQUIRE_EC(folder_create(b->m, inbox(b->m), arena_printf(b->a, "folder %u", round), "", false, false, &x->fid, &existed), ecNone);
    for (int i = 0; i < 3; i++)
        REQUIRE_EC(save(b->m, x->fid, &x->mid[i], "before"), ecNone);
    REQUIRE_EC(stage_write(b->m, &x->key, 0, blob_str("before")), ecNone);
    REQUIRE_EC(mailbox_commit(b->m), ecNone);
}

static ec_t try(struct mbox *b, const struct op *o, struct fx *x)
{
    struct arena *a = arena_new(64 << 20);
    struct mailbox *m;
    ec_t ec = mailbox_open(b->s, a, &b->id, &(struct actor){ ACTOR_OWNER, "" }, &m);
    if (ec == ecNone && (ec = mailbox_write(m)) == ecNone && (ec = o->run(m, x)) == ecNone)
        ec = mailbox_commit(m);
    arena_free(a);
    return ec;
}

static void each_statement(struct mbox *b, const struct op *o)
{
    struct fx x;
    bool fired = true;
    unsigned n;
    for (n = 1; fired && n < 2000; n++) {
        prepare(b, &x, n);
        arena_free(b->a);  /* its connection is what the operation gets */
        b->a = NULL;
        struct digest before = contents(b);
        dbfault_arm(n);
        ec_t ec = try(b, o, &x);
        fired = dbfault_calls() >= n;
        dbfault_arm(0);
        struct digest after = contents(b);
        bool same = memcmp(&before, &after, sizeof after) == 0;
        unit_check(ec == ecNone ? !same : ec == ecDiskError && same, __FILE__, __LINE__, "%s, call %u: %s, mailbox %s", o->name, n, err_name(ec),
                   same ? "unchanged" : "changed");
        unit_check(fired || ec == ecNone, __FILE__, __LINE__, "%s fails without a fault: %s", o->name, err_name(ec));
    }
    unit_check(n > 4, __FILE__, __LINE__, "%s: %u calls", o->name, n);
}

TEST_LIMIT(every_operation_survives_every_fault, 300)
{
    for (size_t i = 0; i < sizeof op / sizeof *op; i++) {
        struct mbox b = mbox_with("fault", 0x0409);
        each_statement(&b, &op[i]);
        mbox_again(&b);
        mbox_clean(&b);
        mbox_end(&b);
    }
}

TEST_LIMIT(creation_survives_every_fault, 120)
{
    struct mbox b = mbox_with("fault", 0x0409);
    bool fired = true;
    for (unsigned n = 1; fired; n += n < 60 ? 1 : 23) {
        struct arena *a = arena_new(16 << 20);
        struct mailbox *m;
        struct mailbox_new mn = { .id = guid_new(), .owner_dn = "/o=x", .display_name = "X", .smtp = "x@example.com", .locale = 0x407 };
        dbfault_arm(n);
        ec_t ec = mailbox_create(b.s, a, &mn);
        fired = dbfault_calls() >= n;
        dbfault_arm(0);
        if (ec != ecNone) {
            CHECK_EC(ec, ecDiskError);
            CHECK_EC(mailbox_open(b.s, a, &mn.id, mailbox_actor(b.m), &m), ecNotFound);
            CHECK_EC(mailbox_create(b.s, a, &mn), ecNone);
        }
        CHECK(fired || ec == ecNone);
        CHECK_EC(mailbox_open(b.s, a, &mn.id, mailbox_actor(b.m), &m), ecNone);
        arena_free(a);
        REQUIRE(n < 100000);
    }
    mbox_end(&b);
}

TEST(reading_survives_every_fault)
{
    struct mbox b = mbox_with("fault", 0x0409);
    struct fx x;
    bool fired = true;
    prepare(&b, &x, 0);
    for (unsigned n = 1; fired; n++) {
        struct arena *a = arena_new(16 << 20);
        struct mailbox *m;
        struct msg msg = { 0 };
        struct props p = { 0 };
        uint32_t tags[] = { PidTagSubject, PidTagBody, PidTagDisplayTo };
        dbfault_arm(n);
        ec_t ec = mailbox_open(b.s, a, &b.id, mailbox_actor(b.m), &m);
        if (ec == ecNone && (ec = message_load(m, x.mid[0], LOAD_ALL, &msg)) == ecNone)
            ec = message_props(m, x.mid[0], x.fid, NULL, tags, 3, &p);
        fired = dbfault_calls() >= n;
        dbfault_arm(0);
        CHECK(ec == ecNone || (ec == ecDiskError && fired));
        arena_free(a);
        REQUIRE(n < 1000);
    }
    mbox_end(&b);
}
