/* view_int.h - what passes between the table engine and the rest of the store room: hooks that whoever writes a message or folder calls in the
 * open write transaction, and what the table engine asks of messages and folders in return.
 *
 * Each hook keeps all existing views of the folder up to date, also those that are half built.  They are called once per message and change, after the
 * rows of the message are written; `was` must still answer what was stored before. */
#ifndef STORE_VIEW_INT_H
#define STORE_VIEW_INT_H
#include "backend/mapi/restriction.h"
#include "backend/store/store.h"

/* A message before or after a change.  row.get: a stored or computed property (large strings and binaries may come as large values, they
 * are loaded here), NULL if there is none; borrowed until the hook returns.  row.sub: recipients and attachments, needed only by
 * restricted views; NULL is taken as "none". */
struct view_msg {
    uint64_t       mid, fid;
    bool           assoc;
    struct res_row row;
};

/* A message appeared in its folder: created, moved or copied here, brought back from soft deletion. */
ec_t view_message_added(struct mailbox *m, const struct view_msg *now);

/* Same folder, same assoc flag, other properties.  `changed`: ids of the properties that may differ, computed ones included, so that views
 * that do not look at them cost nothing; NULL: unknown, anything, recipients and attachments too.  If recipients or attachments
 * changed, name PidTagMessageRecipients / PidTagMessageAttachments in it. */
ec_t view_message_changed(struct mailbox *m, const struct view_msg *was, const struct view_msg *now, const struct tags *changed);

/* A message left its folder: deleted, softly or hard, or moved away. */
ec_t view_message_removed(struct mailbox *m, const struct view_msg *was);

/* Would any view of the folder look at a change of these properties?  False: view_message_changed need not be called, and `was`
 * need not be loaded.  changed NULL: any view at all? */
bool view_wants(struct mailbox *m, uint64_t fid, bool assoc, const struct tags *changed);

/* A folder was made (its usual views begin to exist), emptied of all its normal or FAI messages at once (no view_message_removed for each),
 * or is gone for good. */
ec_t view_folder_added(struct mailbox *m, uint64_t fid);
ec_t view_folder_emptied(struct mailbox *m, uint64_t fid, bool assoc);
ec_t view_folder_removed(struct mailbox *m, uint64_t fid);

/* For mailbox_sweep: takes away rows of dropped views, and drops one view that nobody opened for `max_age` seconds, at least two weeks; at most
 * `budget` rows. */
ec_t view_sweep(struct mailbox *m, uint32_t max_age, unsigned budget, bool *more);

/* For mailbox_check: compares every view with the messages. */
ec_t view_check(struct mailbox *m, void (*say)(void *ctx, const char *finding), void *ctx, size_t *findings);

/* --- asked of messages: implemented by message*.c, declared here so that both sides read the same ---------------------------------------- */

/* How to read some properties of many messages in one statement.  The table engine writes
 *     SELECT r.key, r.id, <select> FROM view_row r JOIN message m ON m.mid = r.id <join> WHERE ...
 * and hands each row back to message_row_read.  Hot columns only (no body row joined) where the tags allow it. */
struct message_plan {
    const char *select;        /* column expressions on m and on what `join` adds, e.g. "m.subject,m.flags,b.props"; at least one ("m.mid") */
    const char *join;          /* "" or e.g. "JOIN message_body b ON b.mid=m.mid" */
    const void *own;           /* message*.c's */
};
ec_t message_plan(struct mailbox *m, uint64_t fid, const uint32_t *tags, size_t n, struct message_plan *out);

struct query;
/* out[i] = the value of tags[i] of message `mid`, stored or computed as message_props gives it; missing: PtypErrorCode ecNotFound.  The query
 * stands on the row, `col` is the number of the first column of `select`.  Values live in `a` (the query moves on). Large values as references. */
ec_t message_row_read(struct mailbox *m, const struct message_plan *p, const struct query *q, unsigned col, uint64_t mid, struct arena *a, struct propval *out);

/* Runs `r` over the recipients or attachments of a stored message; the number of rows that match (for sub-restrictions while a view is built). */
size_t message_row_sub(struct mailbox *m, uint64_t mid, uint32_t subobject, const struct restriction *r, struct arena *a);
#endif
