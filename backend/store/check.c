/* check.c - is everything in a mailbox that should be, and nothing else?  Rules are statements that find what breaks them. */
#include "backend/store/check_int.h"
#include "backend/store/view_int.h"
#include <stdarg.h>
#include <stdio.h>

/* Each finds up to two numbers per broken thing. */
#define RULES(R)                                                                                                                                \
    R(LOST_MESSAGE, "message in a folder that does not exist", "mid", "fid",                                                                    \
      "SELECT mid, fid FROM message WHERE fid NOT IN (SELECT fid FROM folder)")                                                                 \
    R(NO_BODY, "message without a body row", "mid", "fid",                                                                                      \
      "SELECT mid, fid FROM message WHERE mid NOT IN (SELECT mid FROM message_body)")                                                           \
    R(NO_MESSAGE, "body row without a message", "mid", "",                                                                                      \
      "SELECT mid, 0 FROM message_body WHERE mid NOT IN (SELECT mid FROM message)")                                                             \
    R(LOST_ATTACHMENT, "attachment without a message", "mid", "num",                                                                            \
      "SELECT mid, num FROM attachment WHERE mid NOT IN (SELECT mid FROM message)")                                                             \
    R(ATTACHMENTS, "message with another number of attachments than it says", "mid", "says",                                                    \
      "SELECT mid, natt FROM message m WHERE natt <> (SELECT count(*) FROM attachment a WHERE a.mid = m.mid)")                                  \
    R(LOST_FOLDER, "folder in a folder that does not exist", "fid", "parent",                                                                   \
      "SELECT fid, parent FROM folder WHERE parent NOT IN (SELECT fid FROM folder)")                                                            \
    R(LIVE_IN_DEAD, "folder in a deleted folder", "fid", "parent",                                                                              \
      "SELECT f.fid, f.parent FROM folder f JOIN folder p ON p.fid = f.parent WHERE f.deleted = 0 AND p.deleted <> 0")                          \
    R(CYCLE, "folder that is not below the root", "fid", "",                                                                                    \
      "WITH RECURSIVE below (fid) AS (SELECT fid FROM folder WHERE parent = fid UNION SELECT f.fid FROM folder f JOIN below b "                 \
      "ON f.parent = b.fid) SELECT fid, 0 FROM folder WHERE fid NOT IN (SELECT fid FROM below)")                                                \
    R(ROOTS, "more or less than one root folder", "roots", "",                                                                                  \
      "SELECT n, 0 FROM (SELECT count(*) AS n FROM folder WHERE parent = fid) AS roots WHERE n <> 1")                                           \
    R(SUBFOLDERS, "folder with another number of subfolders than it says", "fid", "says",                                                       \
      "SELECT fid, subfolders FROM folder f WHERE deleted = 0 AND subfolders <> "                                                               \
      "(SELECT count(*) FROM folder c WHERE c.parent = f.fid AND c.fid <> f.fid AND c.deleted = 0)")                                            \
    R(TOTAL, "folder with another number of messages than it says", "fid", "says",                                                              \
      "SELECT fid, total FROM folder f WHERE total <> (SELECT count(*) FROM message m WHERE m.fid = f.fid AND m.assoc = 0 AND m.deleted = 0)")  \
    R(UNREAD, "folder with another number of unread messages than it says", "fid", "says",                                                      \
      "SELECT fid, unread FROM folder f WHERE unread <> "                                                                                       \
      "(SELECT count(*) FROM message m WHERE m.fid = f.fid AND m.assoc = 0 AND m.deleted = 0 AND m.is_read = 0)")                               \
    R(ASSOC, "folder with another number of associated messages than it says", "fid", "says",                                                   \
      "SELECT fid, assoc FROM folder f WHERE assoc <> (SELECT count(*) FROM message m WHERE m.fid = f.fid AND m.assoc = 1 AND m.deleted = 0)")  \
    R(DELETED, "folder with another number of deleted messages than it says", "fid", "says",                                                    \
      "SELECT fid, deleted_total + deleted_assoc FROM folder f WHERE deleted_total + deleted_assoc <> "                                         \
      "(SELECT count(*) FROM message m WHERE m.fid = f.fid AND m.deleted <> 0)")                                                                \
    R(BYTES, "folder with another size than it says", "fid", "says",                                                                            \
      "SELECT fid, bytes FROM folder f WHERE bytes <> "                                                                                         \
      "(SELECT coalesce(sum(size), 0) FROM message m WHERE m.fid = f.fid AND m.deleted = 0)")                                                   \
    R(SUM_BYTES, "mailbox with another size than it says", "is", "says",                                                                        \
      "SELECT n, bytes FROM counter, (SELECT coalesce(sum(size), 0) AS n FROM message WHERE deleted = 0) AS s WHERE n <> bytes")                \
    R(SUM_MESSAGES, "mailbox with another number of messages than it says", "is", "says",                                                       \
      "SELECT n, messages FROM counter, (SELECT count(*) AS n FROM message WHERE deleted = 0 AND assoc = 0) AS s WHERE n <> messages")          \
    R(SUM_ASSOC, "mailbox with another number of associated messages than it says", "is", "says",                                               \
      "SELECT n, assoc_messages FROM counter, (SELECT count(*) AS n FROM message WHERE deleted = 0 AND assoc = 1) AS s "                        \
      "WHERE n <> assoc_messages")                                                                                                              \
    R(SUM_DELETED, "mailbox with another number of deleted messages than it says", "is", "says",                                                \
      "SELECT n, deleted_messages FROM counter, (SELECT count(*) AS n FROM message WHERE deleted <> 0) AS s WHERE n <> deleted_messages")       \
    R(SUM_DELETED_BYTES, "mailbox with another size of deleted messages than it says", "is", "says",                                            \
      "SELECT n, deleted_bytes FROM counter, (SELECT coalesce(sum(size), 0) AS n FROM message WHERE deleted <> 0) AS s "                        \
      "WHERE n <> deleted_bytes")                                                                                                               \
    R(SUM_FOLDERS, "mailbox with another number of folders than it says", "is", "says",                                                         \
      "SELECT n, folders FROM counter, (SELECT count(*) AS n FROM folder WHERE deleted = 0) AS s WHERE n <> folders")                           \
    R(ID_FOLDER, "folder with an id or change that was not given out", "fid", "cn",                                                             \
      "SELECT fid, cn FROM folder, counter WHERE fid >= next_id OR cn >= next_id")                                                              \
    R(ID_MESSAGE, "message with an id or change that was not given out", "mid", "cn",                                                           \
      "SELECT mid, cn FROM message, counter WHERE mid >= next_id OR cn >= next_id OR read_cn >= next_id")                                       \
    R(ID_EVENT, "event with a number that was not given out", "seq", "",                                                                        \
      "SELECT seq, 0 FROM event, counter WHERE seq > event_seq")                                                                                \
    R(PIECES, "large value that is not whole", "id", "size",                                                                                    \
      "SELECT id, size FROM large l WHERE size <> (SELECT coalesce(sum(length(bytes)), 0) FROM large_piece p WHERE p.id = l.id)")               \
    R(LOST_PIECE, "piece of a large value that does not exist", "id", "n",                                                                      \
      "SELECT id, n FROM large_piece WHERE id NOT IN (SELECT id FROM large)")                                                                   \
    R(STAGE_BASE, "staging over a large value that does not exist", "stage", "large",                                                           \
      "SELECT id, base FROM stage WHERE base IS NOT NULL AND base NOT IN (SELECT id FROM large)")                                               \
    R(STAGE_PIECE, "staged piece of nothing", "stage", "n",                                                                                     \
      "SELECT stage, n FROM stage_piece WHERE stage NOT IN (SELECT id FROM stage)")                                                             \
    R(STAGE_PIN, "pin of nothing", "stage", "large",                                                                                            \
      "SELECT stage, large FROM stage_pin WHERE stage NOT IN (SELECT id FROM stage) OR large NOT IN (SELECT id FROM large)")                    \
    R(NAMED_ID, "named property with an impossible id", "id", "",                                                                               \
      "SELECT id, 0 FROM named WHERE id <= 32768 OR id >= 65535")

#define R(name, text, a, b, sql) STMT(name, sql " LIMIT 100");
RULES(R)
#undef R

static const struct rule { const struct stmt *stmt; const char *text, *a, *b; } rule[] = {
#define R(name, text, a, b, sql) { &name, text, a, b },
    RULES(R)
#undef R
};

void check_say(struct check *c, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    ++*c->findings;
    c->say(c->ctx, text);
}

static ec_t run(struct check *c, const struct rule *r)
{
    struct query q __attribute__((cleanup(db_end))) = db_query(c->m->db, r->stmt);
    while (db_row(&q)) {
        long long a = db_i64(&q, 0), b = db_i64(&q, 1);
        if (r->b[0] != 0)
            check_say(c, "%s: %s %lld, %s %lld", r->text, r->a, a, r->b, b);
        else
            check_say(c, "%s: %s %lld", r->text, r->a, a);
    }
    return db_ec(&q);
}

/* The special folders that the info row names must be there. */
STMT(SPECIAL_IS, "SELECT special FROM folder WHERE fid = ?1 AND deleted = 0");

static ec_t special_folders(struct check *c)
{
    for (unsigned i = 0; i < SF_COUNT; i++) {
        DB_QUERY(q, c->m->db, SPECIAL_IS);
        db_put_u64(&q, c->m->info.fid[i]);
        ec_t ec = db_one(&q);
        if (ec == ecNotFound || (ec == ecNone && (db_null(&q, 0) || db_i64(&q, 0) != i)))
            check_say(c, "special folder that is not there: number %u, fid %llu", i, (unsigned long long)c->m->info.fid[i]);
        else
            TRY(ec);
    }
    return ecNone;
}

static void say_integrity(void *ctx, const char *finding) { check_say(ctx, "database: %s", finding); }

static ec_t check(struct check *c)
{
    TRY(db_check(c->m->db, say_integrity, c));
    for (size_t i = 0; i < sizeof rule / sizeof *rule; i++)
        TRY(run(c, &rule[i]));
    TRY(special_folders(c));
    TRY(check_blobs(c));
    return view_check(c->m, c->say, c->ctx, c->findings);
}

/* All of one moment, or others' changes between two rules would look like damage. */
ec_t mailbox_check(struct mailbox *m, void (*say)(void *ctx, const char *finding), void *ctx, size_t *findings)
{
    struct check c = { m, say, ctx, findings };
    *findings = 0;
    TRY(need_owner(m));
    if (m->writing) {
        TRY(counter_store(m));
        return check(&c);
    }
    TRY(db_snapshot(m->db));
    ec_t ec = check(&c);
    db_snapshot_end(m->db);
    return ec;
}
