/* folder_int.h - what the files of folders share: the stored row. */
#ifndef STORE_FOLDER_INT_H
#define STORE_FOLDER_INT_H
#include "backend/mapi/msg.h"
#include "backend/store/folder.h"
#include "backend/store/store_int.h"
#include "backend/store/view_int.h"

enum { FOLDER_ROOT = 0, FOLDER_GENERIC = 1, FOLDER_SEARCH = 2 };

struct folder_row {
    uint64_t    fid, parent, cn;
    uint32_t    type;
    bool        special, deleted, hidden;
    struct blob name, class, comment;       /* class, comment: p NULL = none */
    uint32_t    total, unread, assoc, subfolders, deleted_total, deleted_assoc, ever_deleted;
    int64_t     bytes;
    uint64_t    created, modified, content_at, hierarchy_at, deleted_at;
    struct blob pcl, change_key, packed;
    struct props props;                     /* unpacked */
    uint32_t    rights;                     /* of the actor */
};

/* folder_row.c.  ecNotFound; rights are filled in, not checked. */
ec_t folder_row_load(struct mailbox *m, uint64_t fid, struct folder_row *out);
/* Writes name, class, comment, hidden and props as a change of the folder: new CN, change list, time of change. */
ec_t folder_row_change(struct mailbox *m, struct folder_row *r);
ec_t folder_row_insert(struct mailbox *m, struct folder_row *r);
/* The parent has `delta` subfolders more; its hierarchy changed. */
ec_t folder_row_children(struct mailbox *m, uint64_t parent, int delta);
ec_t folder_row_named(struct mailbox *m, uint64_t parent, struct blob name, uint64_t *fid);  /* ecNotFound */

/* folder_prop.c */
ec_t folder_prop_settable(uint32_t tag);

/* folder_delete.c: everything below a folder and the folder itself; special folders stay and make *partial. */
ec_t folder_delete_tree(struct mailbox *m, uint64_t fid, bool hard, bool *partial);

/* message_delete.c: all messages of a folder of one kind; soft-deleted ones too if hard. */
ec_t messages_delete_all(struct mailbox *m, uint64_t fid, bool assoc, bool hard, bool *partial);
#endif
