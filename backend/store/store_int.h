/* store_int.h - what the files of this room share: the lease with its connection and its transaction. Nobody outside includes it.
 *
 * folder.c, message*.c, view*.c work on a lease so:
 *   - statements: DB_QUERY(q, m->db, NAME)          (db.h)
 *   - writing functions begin with TRY(store_writing(m)): the write transaction must be open (mailbox_write)
 *   - memory: m->arena
 *   - ids: counter_id, counter_cn; sizes and counts of the mailbox: add to m->sum (flushed at commit, undone with the savepoint)
 *   - rights: rights_of, need_rights (permission.c)
 *   - after a change: event_write, tombstone_add; large values: large_count
 *   - time of the request: m->now */
#ifndef STORE_STORE_INT_H
#define STORE_STORE_INT_H
#include "backend/store/db.h"
#include "backend/store/event.h"
#include "backend/store/large.h"
#include "backend/store/store.h"
#include <pthread.h>

/* Kept in the counter row; mailbox_stat. */
struct sums { int64_t bytes, messages, assoc_messages, deleted_bytes, deleted_messages, folders; };

struct mailbox {
    struct db   *db;
    struct arena *arena;
    struct actor actor;
    struct mailbox_info info;
    filetime_t   now;              /* when the lease began, or the transaction */
    void        *views;            /* view*.c: what it remembers during the lease */
    struct message_row *row;       /* message_row.c: the row read last, and the db_moment in which it was */
    uint64_t     row_moment;

    /* the write transaction */
    bool         writing, in_savepoint;
    struct sums  sum, sum_before, sum_stored;  /* now, at the savepoint, in the counter row */
    uint64_t     next_id;          /* next counter; never goes back, not even with the savepoint */
    uint64_t     first_id;         /* at the begin of the transaction */
    uint64_t     last_cn;
    uint64_t     event_seq, event_seq_begun, event_seq_before; /* now, at the begin of the transaction, at the savepoint */
    bool         dirty;            /* the counter row must be written */
    int64_t      changes_base;     /* db_changes() of what was not undone */
    bool         changed_before;   /* at the savepoint */

    /* the lease */
    struct store *store;
    struct conn  *conn;
    struct mailbox *next;          /* of the store's leases */
    unsigned     opened;           /* mailbox_open calls not closed yet */
    bool         creating;         /* mailbox_create: no rows to read yet */
};

/* ecNone inside the write transaction; must() otherwise: writing without mailbox_write is a bug of the caller. */
ec_t store_writing(struct mailbox *m);
/* ecDiskError, logged: bytes in the database that are not what we write. */
ec_t store_damaged(struct mailbox *m, const char *what);

/* --- mailbox.c ---------------------------------------------------------------------------------------------------------------- */
struct conn;
struct mailbox *lease_new(struct store *s, struct arena *a, struct conn *c, const struct actor *as);
ec_t info_load(struct mailbox *m);                      /* m->info from the info row */

/* --- counter.c: ids and change numbers, one sequence ------------------------------------------------------------------------ */
uint64_t counter_id(struct mailbox *m);                 /* for a folder or a message */
uint64_t counter_ids(struct mailbox *m, uint32_t n);    /* the first of n */
uint64_t counter_cn(struct mailbox *m);                 /* a change number, larger than all before it */
ec_t counter_load(struct mailbox *m);                   /* at the begin of a transaction */
ec_t counter_store(struct mailbox *m);                  /* before its commit */
void counter_keep(struct mailbox *m);                   /* after its rollback: what was given out stays given out */

/* --- event.c ------------------------------------------------------------------------------------------------------------------ */
/* Writes one event; seq is given here.  Old events are trimmed. */
ec_t event_write(struct mailbox *m, const struct event *e);
ec_t event_trim(struct mailbox *m);

/* --- tombstone.c ---------------------------------------------------------------------------------------------------------------- */
enum tombstone_kind { TOMB_MESSAGE = 1, TOMB_ASSOC = 2, TOMB_FOLDER = 3, TOMB_SOFT = 0x10 /* or'ed: still there, soft-deleted */ };
/* `mid` left folder `fid` with change `cn` (a folder: fid = parent, mid = its FID). */
ec_t tombstone_add(struct mailbox *m, enum tombstone_kind kind, uint64_t fid, uint64_t mid, uint64_t cn);

/* --- large.c ------------------------------------------------------------------------------------------------------------------------ */
/* One reference of a stored message more (delta 1) or less (delta -1). ecNotFound: there is no such value. */
ec_t large_count(struct mailbox *m, const struct large_ref *ref, int delta);
/* All references of a stored message. */
ec_t large_count_msg(struct mailbox *m, const struct msg *msg, int delta);

/* --- permission.c ---------------------------------------------------------------------------------------------------------------------- */
/* Rights of the actor in a folder: RIGHTS_ALL for owner and system; a delegate's own row, else the Default row, else 0. */
ec_t rights_of(struct mailbox *m, uint64_t fid, uint32_t *rights);
/* ecAccessDenied unless the actor has all of `rights` there.  A folder owner may see the folder. */
ec_t need_rights(struct mailbox *m, uint64_t fid, uint32_t rights);
/* The actor as permission rows name him: his DN folded. */
struct blob member_of_actor(struct mailbox *m);
/* ecAccessDenied for a delegate: what only the mailbox owner may do. */
ec_t need_owner(struct mailbox *m);

/* --- pool.c: open connections, at most options.pool_files ------------------------------------------------------------------------------- */
struct conn {
    struct guid  id;
    struct db   *db;
    bool         leased;
    uint64_t     floor;            /* ids below it were given out by rolled-back transactions whose mark could not be written */
    struct conn *newer, *older;    /* by last use */
};

struct store {
    struct store_options o;        /* strings owned */
    const struct db_ops *ops;
    pthread_mutex_t lock;
    pthread_cond_t  freed;
    struct conn *newest, *oldest;
    unsigned     open;
    struct mailbox *leases;
};

/* A connection for one user, opened or waited for; the schema is checked and migrated.  ecServerBusy after options.busy_ms without a free place. */
ec_t pool_take(struct store *s, const struct guid *id, bool create, struct conn **out);
void pool_give(struct store *s, struct conn *c, bool keep);
void pool_forget(struct store *s, const struct guid *id);  /* closes the idle ones */
#endif
