/* folder.h - folders by the names that people give on a command line. */
#ifndef MAPICTL_FOLDER_H
#define MAPICTL_FOLDER_H
#include "backend/store/folder.h"

/* A folder of the visible tree: "/" its top, else a display name anywhere in it (one at the top wins), or a path "Work/Projects".  Case does not count.
 * ecNotFound; ecAmbiguousAlias: several have this name and none is at the top. */
ec_t folder_by_name(struct mailbox *m, const char *name, uint64_t *fid);

/* The same, but makes what is not there: the parts of a path that begins at `top`.  In the open write transaction. */
ec_t folder_by_name_made(struct mailbox *m, uint64_t top, const char *path, uint64_t *fid);

/* The folder of a Maildir++ subfolder ("Work.Projects", modified UTF-7) below `top`, made if it is not there.  At the top of the visible tree the usual names of
 * sent mail, drafts, trash and junk are those of the mailbox. */
ec_t folder_of_maildir(struct mailbox *m, uint64_t top, const char *name, uint64_t *fid);
#endif
