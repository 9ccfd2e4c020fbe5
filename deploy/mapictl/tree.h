/* tree.h - files of mail below a path: single files, directories of .eml, Maildir with its flags. */
#ifndef MAPICTL_TREE_H
#define MAPICTL_TREE_H
#include "backend/base/arena.h"
#include "backend/base/err.h"

struct mail_flags { bool seen, flagged, answered, draft; };

typedef ec_t (*tree_file)(void *ctx, const char *path, const struct mail_flags *f);

/* Calls `file` for each file: the path itself, or in name order below a directory: of a Maildir those in cur/ and new/ (also of its .subfolders), elsewhere
 * *.eml and *.mbox.  Stops at the first error of `file` and returns it.  *why if the path cannot be read. */
ec_t tree_walk(struct arena *a, const char *path, tree_file file, void *ctx, const char **why);
#endif
