/* store.h - the mailboxes: opening one, its transaction, what it is.  The door of the store room; with folder.h, message.h, large.h,
 * named.h, view.h, journal.h, event.h (all in this room) it is the contract that every backend keeps.
 *
 * One `struct store` per process owns a bounded pool of database connections with their prepared statements.  A request takes a lease on a mailbox
 * with mailbox_open; the lease lives in the request's arena and is given back when that ends, whatever was not committed is rolled back.
 * A lease belongs to one thread.  The same request opening the same mailbox twice gets the same lease; if one of them is a delegate, both are.
 *
 * Reads run outside a transaction until the first write.  mailbox_write starts the one write transaction of the request (BEGIN IMMEDIATE; waits for
 * another writer at most store_busy_ms, then ecServerBusy).  Savepoints nest one level: mailbox_savepoint, then mailbox_release or
 * mailbox_rollback.  mailbox_commit makes everything durable (fsynced) and only then returns ecNone.
 *
 * Every function that names a folder or message checks the rights of the lease's actor in this room (permission.c) and answers
 * ecAccessDenied; callers do not check again.  Errors that every function can give: ecServerBusy (locked), ecDiskError (I/O, full, damaged;
 * logged at birth).  After ecDiskError the transaction can only be rolled back.
 *
 * Ids: folders and messages are named by their 48-bit counter (entryid.h); counters and change numbers come from one sequence per mailbox
 * and are never given twice: not after a rollback of the savepoint or transaction that took them, not by another process (counter.c). */
#ifndef STORE_STORE_H
#define STORE_STORE_H
#include "backend/base/filetime.h"
#include "backend/mapi/entryid.h"
#include "backend/mapi/propval.h"

struct store;
struct mailbox;

struct store_options {
    const char *driver;         /* "sqlite" */
    const char *path;           /* directory of the mailbox files */
    unsigned    pool_files;     /* open databases per process at most */
    unsigned    cache_kib;      /* page cache per open database */
    unsigned    busy_ms;        /* wait for another writer */
    unsigned    fault_call;     /* tests: the n-th statement of the process fails with a disk error; 0 = never */
};

/* Opens the store; NULL with *why (static or in `a`) if the directory is unusable, on a network filesystem, or the driver unknown. */
struct store *store_new(const struct store_options *o, struct arena *a, const char **why);
void store_free(struct store *s);

/* Who acts on a mailbox.  Owner and system may do everything; a delegate has the rights that the mailbox's permission rows give his DN. */
enum actor_kind { ACTOR_OWNER, ACTOR_DELEGATE, ACTOR_SYSTEM };
struct actor { enum actor_kind kind; const char *dn; }; /* X500 DN, borrowed for the life of the lease */

/* Facts of a new mailbox. */
struct mailbox_new {
    struct guid id;
    const char *owner_dn;       /* legacyExchangeDN */
    const char *display_name;   /* UTF-8 */
    const char *smtp;           /* primary address */
    uint32_t    locale;         /* LCID of folder names and default sort; 0x0409, 0x0407 ... */
    int64_t     quota_warn, quota_send, quota_receive; /* KiB, -1 = none */
};

/* Creates the file with all special folders, their properties and pointers.  ecCollidingNames if it is there. */
ec_t mailbox_create(struct store *s, struct arena *a, const struct mailbox_new *n);
ec_t mailbox_destroy(struct store *s, const struct guid *id);

/* ecNotFound: no such mailbox; ecBadVersion: its schema is newer than this program (logged with both versions). An older schema is migrated here. */
ec_t mailbox_open(struct store *s, struct arena *a, const struct guid *id, const struct actor *as, struct mailbox **out);

/* Costs microseconds, opens nothing: as long as it stays the same, nothing was committed in the mailbox.  0: cannot be told (now); then it has to be opened. */
uint64_t mailbox_stamp(struct store *s, const struct guid *id);

/* Gives the lease back before the arena ends (rolls back what is open). */
void mailbox_close(struct mailbox *m);

/* Between the two, or up to mailbox_write, what is read is of one moment, and reading is cheaper.  For one request's work; not while waiting for others. */
ec_t mailbox_hold(struct mailbox *m);
void mailbox_let_go(struct mailbox *m);

ec_t mailbox_write(struct mailbox *m);
bool mailbox_writing(const struct mailbox *m);
bool mailbox_changed(const struct mailbox *m);   /* something was really written in the open transaction */
ec_t mailbox_savepoint(struct mailbox *m);
ec_t mailbox_release(struct mailbox *m);
ec_t mailbox_rollback(struct mailbox *m);        /* to the savepoint */
ec_t mailbox_commit(struct mailbox *m);
void mailbox_abort(struct mailbox *m);

/* The special folders in the order of the RopLogon response (MS-OXCSTOR 2.2.1.1.3), then the others. */
enum special_folder {
    SF_ROOT, SF_DEFERRED_ACTION, SF_SPOOLER_QUEUE, SF_IPM_SUBTREE, SF_INBOX, SF_OUTBOX, SF_SENT_ITEMS, SF_DELETED_ITEMS, SF_COMMON_VIEWS,
    SF_SCHEDULE, SF_FINDER, SF_VIEWS, SF_SHORTCUTS, SF_LOGON_COUNT,
    SF_CALENDAR = SF_LOGON_COUNT, SF_CONTACTS, SF_TASKS, SF_NOTES, SF_JOURNAL, SF_DRAFTS, SF_JUNK, SF_REMINDERS, SF_FREEBUSY_DATA,
    SF_CONVERSATION_ACTIONS, SF_QUICK_STEPS, SF_SYNC_ISSUES, SF_CONFLICTS, SF_LOCAL_FAILURES, SF_SERVER_FAILURES, SF_COUNT
};

struct mailbox_info {
    struct guid id;             /* mailbox GUID; also the provider UID of entry ids */
    struct guid replica;        /* replica GUID of all FIDs, MIDs and change numbers; replid REPLID_OWN */
    struct guid mapping;        /* MappingSignature: ReplGuid of RopLogon, whose replid is REPLID_MAPPING */
    const char *owner_dn, *display_name, *smtp;
    uint32_t    locale;
    int64_t     quota_warn, quota_send, quota_receive; /* KiB */
    uint64_t    fid[SF_COUNT];
    uint32_t    code_page;
};
enum { REPLID_MAPPING = 5 };

/* Borrowed from the lease. */
const struct mailbox_info *mailbox_info(struct mailbox *m);
const struct actor *mailbox_actor(struct mailbox *m);
struct arena *mailbox_arena(struct mailbox *m);

/* Sizes and counts, kept by the writing transactions (no scan). */
struct mailbox_stat { int64_t bytes, messages, assoc_messages, deleted_bytes, deleted_messages, folders, highest_cn; };
ec_t mailbox_stat(struct mailbox *m, struct mailbox_stat *out);

/* Properties of the logon object (MS-OXCSTOR 2.2.2.1): stored ones and computed ones (logonprop.def). `n` tags, errors as PtypErrorCode.
 * What depends on who logged on (user entry id and name, code page, locale of the client) is the session's, not the store's. */
ec_t mailbox_props(struct mailbox *m, const uint32_t *tags, size_t n, struct props *out);
ec_t mailbox_props_all(struct mailbox *m, struct props *out);
/* One ec_t per value into problems (ecNone = done); read-only ones ecAccessDenied (MS-OXCSTOR 2.2.2.1.1). */
ec_t mailbox_props_set(struct mailbox *m, const struct props *set, ec_t *problems);
ec_t mailbox_props_del(struct mailbox *m, const uint32_t *tags, size_t n, ec_t *problems);

/* A range of counters for the client's own ids (RopGetLocalReplicaIds). */
ec_t mailbox_take_ids(struct mailbox *m, uint32_t count, uint64_t *first);

/* replid <-> replica GUID of this mailbox; ecNotFound if unknown.  replid_of adds a new one when `create`. */
ec_t replid_of(struct mailbox *m, const struct guid *g, bool create, uint16_t *out);
ec_t replguid_of(struct mailbox *m, uint16_t replid, struct guid *out);

/* Receive folders (MS-OXCSTOR 2.2.1.2-4).  Class strings are ASCII, already checked by the caller. */
struct receive_folder { const char *message_class; uint64_t fid; filetime_t changed; };
ec_t receive_folder_get(struct mailbox *m, const char *message_class, struct receive_folder *out);  /* longest prefix by parts */
ec_t receive_folder_set(struct mailbox *m, const char *message_class, uint64_t fid);                 /* fid 0 removes; see OXCSTOR for errors */
ec_t receive_folder_list(struct mailbox *m, struct receive_folder **out, size_t *n);

/* Full consistency check of a mailbox, for mapictl: counts, orphans, views, large values.  Each finding is told to `say`. */
ec_t mailbox_check(struct mailbox *m, void (*say)(void *ctx, const char *finding), void *ctx, size_t *findings);

/* Folder rights for a delegate (the permission rows; the permission ROPs come on top).  rights as MS-OXCPERM 2.2.7; member "" = Default, "anonymous". */
ec_t permission_set(struct mailbox *m, uint64_t fid, const char *member_dn, uint32_t rights);
ec_t permission_get(struct mailbox *m, uint64_t fid, uint32_t *rights_of_actor);
/* May the actor see or read anything here at all, be it in one folder? */
ec_t permission_any(struct mailbox *m, bool *any);
enum {
    RIGHT_READ_ANY = 0x1, RIGHT_CREATE = 0x2, RIGHT_EDIT_OWNED = 0x8, RIGHT_DELETE_OWNED = 0x10, RIGHT_EDIT_ANY = 0x20, RIGHT_DELETE_ANY = 0x40,
    RIGHT_CREATE_SUBFOLDER = 0x80, RIGHT_FOLDER_OWNER = 0x100, RIGHT_FOLDER_CONTACT = 0x200, RIGHT_FOLDER_VISIBLE = 0x400,
    RIGHTS_ALL = 0x7FB
};

/* Sweeps what nobody needs any more, in bounded steps (at most `budget` rows): staging and journal rows that are older than max_age
 * seconds and whose context is dead (asked of `alive`; NULL: age is enough), large values without reference, expired tombstones, views unused for long.  *more = there is more. */
ec_t mailbox_sweep(struct mailbox *m, bool (*alive)(void *ctx, const uint8_t context[16]), void *ctx, uint32_t max_age, unsigned budget, bool *more);
#endif
