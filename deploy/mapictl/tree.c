/* tree.c - walking directories of mail in name order. */
#include "deploy/mapictl/tree.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 32 };

struct tree { struct arena *a; tree_file file; void *ctx; };

static bool is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* "...:2,FRS": letters of the Maildir convention. */
static struct mail_flags flags_of(const char *name)
{
    const char *info = strstr(name, ":2,");
    struct mail_flags f = { 0 };
    for (const char *p = info != NULL ? info + 3 : ""; *p != '\0'; p++) {
        f.seen |= *p == 'S';
        f.flagged |= *p == 'F';
        f.answered |= *p == 'R';
        f.draft |= *p == 'D';
    }
    return f;
}

static bool wanted(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL && (strcasecmp(dot, ".eml") == 0 || strcasecmp(dot, ".mbox") == 0);
}

static ec_t walk(struct tree *t, const char *path, bool all, unsigned depth);

static ec_t entry(struct tree *t, const char *dir, const char *name, bool all, bool maildir, unsigned depth)
{
    const char *path = arena_printf(t->a, "%s/%s", dir, name);
    if (is_directory(path)) {
        bool mail = strcmp(name, "cur") == 0 || strcmp(name, "new") == 0;
        if (maildir && !mail && name[0] != '.')
            return ecNone; /* tmp holds what is not delivered yet */
        return walk(t, path, maildir && mail, depth + 1);
    }
    struct mail_flags f = flags_of(name);
    return name[0] != '.' && (all || wanted(name)) ? t->file(t->ctx, path, &f) : ecNone;
}

static ec_t walk(struct tree *t, const char *path, bool all, unsigned depth)
{
    struct dirent **list;
    int n = depth < DEPTH_MAX ? scandir(path, &list, NULL, alphasort) : -1;
    bool maildir = is_directory(arena_printf(t->a, "%s/cur", path)) && is_directory(arena_printf(t->a, "%s/new", path));
    ec_t ec = ecNone;
    for (int i = 0; i < n; i++) {
        const char *name = list[i]->d_name;
        if (ec == ecNone && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            ec = entry(t, path, name, all, maildir, depth);
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    return ec;
}

ec_t tree_walk(struct arena *a, const char *path, tree_file file, void *ctx, const char **why)
{
    struct tree t = { a, file, ctx };
    struct stat st;
    *why = NULL;
    if (stat(path, &st) != 0) {
        *why = strerror(errno);
        return ecNone;
    }
    if (S_ISDIR(st.st_mode))
        return walk(&t, path, false, 0);
    struct mail_flags f = flags_of(path);
    return file(ctx, path, &f);
}
