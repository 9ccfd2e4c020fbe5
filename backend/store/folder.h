/* folder.h - folders: open, create, change, delete, list. MS-OXCFOLD. */
#ifndef STORE_FOLDER_H
#define STORE_FOLDER_H
#include "backend/store/store.h"

struct folder {
    uint64_t fid, parent;      /* parent == fid for the root */
    bool     search;           /* a search folder (they cannot be made yet; the special ones exist) */
    bool     has_rules, hidden;
    uint32_t type;             /* PidTagFolderType: 0 root, 1 generic, 2 search */
    uint32_t total, unread, assoc, subfolders;  /* kept by the writing transactions */
    uint32_t rights;           /* of the actor */
    uint64_t cn;
};

/* ecNotFound if it does not exist or is soft-deleted (unless `deleted_too`), ecAccessDenied if the actor may not see it. */
ec_t folder_open(struct mailbox *m, uint64_t fid, bool deleted_too, struct folder *out);

/* Properties, stored and computed (folderprop.def); n values in the order asked, missing ones as PtypErrorCode ecNotFound.
 * Large values come as references. */
ec_t folder_props(struct mailbox *m, uint64_t fid, const uint32_t *tags, size_t n, struct props *out);
ec_t folder_props_all(struct mailbox *m, uint64_t fid, struct props *out);
/* One ec_t per value (ecNone = done; ecAccessDenied for read-only, ecCollidingNames for a taken display name ...). */
ec_t folder_props_set(struct mailbox *m, uint64_t fid, const struct props *set, ec_t *problems);
ec_t folder_props_del(struct mailbox *m, uint64_t fid, const uint32_t *tags, size_t n, ec_t *problems);

/* ecInvalidParameter: no name; ecNotSupported: a search folder; ecTooComplex: nested deeper than 200; ecNotFound: no such parent, or a deleted one.
 * `existed` and ecNone if a folder of that name is there and open_existing; else ecCollidingNames.  A new folder takes the container class of
 * its parent unless given. */
ec_t folder_create(struct mailbox *m, uint64_t parent, const char *name, const char *comment, bool search, bool open_existing, uint64_t *fid, bool *existed);

enum { DEL_MESSAGES = 0x01, DEL_FOLDERS = 0x04, DELETE_HARD_DELETE = 0x10 }; /* MS-OXCFOLD 2.2.1.3.1 */
/* Special folders cannot be deleted (ecAccessDenied); contents without the flags: *partial and nothing done, as OXCFOLD 3.2.5.3 says. */
ec_t folder_delete(struct mailbox *m, uint64_t parent, uint64_t fid, uint8_t flags, bool *partial);

/* RopEmptyFolder: all messages (assoc too if asked) and subfolders; soft, or hard. */
ec_t folder_empty(struct mailbox *m, uint64_t fid, bool assoc_too, bool hard, bool *partial);
#endif
