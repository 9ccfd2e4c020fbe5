/* tree.h - files of mail below a path: single files, directories of .eml and .mbox, Maildir with its flags and subfolders. */
#ifndef MAPICTL_TREE_H
#define MAPICTL_TREE_H
#include "backend/base/arena.h"
#include "backend/base/err.h"

struct mail_flags { bool seen, flagged, answered, draft; };

struct tree_sink {
    ec_t (*file)(void *ctx, const char *path, const struct mail_flags *f);
    /* What follows belongs to this Maildir++ subfolder ("Work.Projects", as the directory is named, without its first dot); NULL: to the top again. */
    ec_t (*folder)(void *ctx, const char *name);
    void (*bad)(void *ctx, const char *path, const char *why);   /* something cannot be read; the walk goes on */
    void *ctx;
};

/* The path itself, or in name order below a directory: of a Maildir the files in cur/ and new/, then its .subfolders; elsewhere *.eml, *.mbox and what has no
 * extension and begins like an mbox.  Links to directories are not followed.  Stops at the first error that `file` or `folder` returns, and returns it. */
ec_t tree_walk(const char *path, const struct tree_sink *sink);
#endif
