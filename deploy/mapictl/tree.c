/* tree.c - walking directories of mail in name order. */
#include "deploy/mapictl/tree.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 32, TREE_PATH = 4096 };

struct tree { const struct tree_sink *s; bool in_folder; };

static bool is_directory(const char *path, bool follow)
{
    struct stat st;
    return (follow ? stat(path, &st) : lstat(path, &st)) == 0 && S_ISDIR(st.st_mode);
}

static bool has(const char *dir, const char *name)
{
    char path[TREE_PATH + 16];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return is_directory(path, true);
}

static bool is_maildir(const char *path) { return has(path, "cur") && has(path, "new"); }

/* "...:2,FRS": letters of the Maildir convention; ';' and '!' stand for the colon where file systems do not allow it. */
static struct mail_flags flags_of(const char *path)
{
    const char *name = strrchr(path, '/'), *info = name != NULL ? name : path;
    struct mail_flags f = { 0 };
    while ((info = strstr(info, "2,")) != NULL && strchr(":;!", info[-1]) == NULL)
        info++;
    for (const char *p = info != NULL ? info + 2 : ""; *p != '\0'; p++) {
        f.seen |= *p == 'S';
        f.flagged |= *p == 'F';
        f.answered |= *p == 'R';
        f.draft |= *p == 'D';
    }
    return f;
}

static bool begins_like_mbox(const char *path)
{
    char head[5];
    int  fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool ok = fd >= 0 && read(fd, head, sizeof head) == (ssize_t)sizeof head && memcmp(head, "From ", 5) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool wanted(const char *path, const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot == NULL ? begins_like_mbox(path) : strcasecmp(dot, ".eml") == 0 || strcasecmp(dot, ".mbox") == 0;
}

/* --- directories --------------------------------------------------------------------------------------------------------------------------- */

static ec_t walk(struct tree *t, const char *path, bool all, unsigned depth);

static ec_t plain_entry(struct tree *t, const char *path, const char *name, bool all, unsigned depth)
{
    struct stat st;
    if (name[0] == '.')
        return ecNone;
    if (is_directory(path, false))
        return all ? ecNone : walk(t, path, false, depth + 1);
    if (stat(path, &st) != 0) {
        t->s->bad(t->s->ctx, path, strerror(errno));
        return ecNone;
    }
    if (!S_ISREG(st.st_mode) || !(all || wanted(path, name)))
        return ecNone;
    struct mail_flags f = flags_of(name);
    return t->s->file(t->s->ctx, path, &f);
}

static ec_t subfolder(struct tree *t, const char *path, const char *name, unsigned depth)
{
    bool named = !t->in_folder; /* folders inside of folders are no Maildir++; they are read all the same */
    if (named)
        TRY(t->s->folder(t->s->ctx, name + 1));
    t->in_folder = true;
    ec_t ec = walk(t, path, false, depth + 1);
    if (named && ec == ecNone) {
        t->in_folder = false;
        ec = t->s->folder(t->s->ctx, NULL);
    }
    return ec;
}

/* tmp/ holds what is not delivered yet; other files are indexes of mail servers. */
static ec_t maildir_entry(struct tree *t, const char *path, const char *name, unsigned depth)
{
    if (strcmp(name, "cur") == 0 || strcmp(name, "new") == 0)
        return walk(t, path, true, depth + 1);
    return name[0] == '.' && is_maildir(path) && is_directory(path, false) ? subfolder(t, path, name, depth) : ecNone;
}

static ec_t entry(struct tree *t, const char *dir, const char *name, bool all, bool maildir, unsigned depth)
{
    char path[TREE_PATH];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path) {
        t->s->bad(t->s->ctx, dir, "the path is too long");
        return ecNone;
    }
    return maildir ? maildir_entry(t, path, name, depth) : plain_entry(t, path, name, all, depth);
}

/* Subfolders come last, so that what lies in the Maildir itself is done before its target changes. */
static int in_order(const struct dirent **a, const struct dirent **b)
{
    bool dot_a = (*a)->d_name[0] == '.', dot_b = (*b)->d_name[0] == '.';
    return dot_a != dot_b ? dot_a - dot_b : strcmp((*a)->d_name, (*b)->d_name);
}

static ec_t walk(struct tree *t, const char *path, bool all, unsigned depth)
{
    struct dirent **list;
    if (depth > DEPTH_MAX) {
        t->s->bad(t->s->ctx, path, "directories are nested too deep");
        return ecNone;
    }
    int n = scandir(path, &list, NULL, in_order);
    if (n < 0) {
        t->s->bad(t->s->ctx, path, strerror(errno));
        return ecNone;
    }
    bool maildir = !all && is_maildir(path);
    ec_t ec = ecNone;
    for (int i = 0; i < n; i++) {
        const char *name = list[i]->d_name;
        if (ec == ecNone && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            ec = entry(t, path, name, all, maildir, depth);
        free(list[i]);
    }
    free(list);
    return ec;
}

ec_t tree_walk(const char *path, const struct tree_sink *sink)
{
    struct tree t = { .s = sink };
    struct stat st;
    if (stat(path, &st) != 0) {
        sink->bad(sink->ctx, path, strerror(errno));
        return ecNone;
    }
    if (S_ISDIR(st.st_mode))
        return walk(&t, path, false, 0);
    struct mail_flags f = flags_of(path);
    return sink->file(sink->ctx, path, &f);
}
