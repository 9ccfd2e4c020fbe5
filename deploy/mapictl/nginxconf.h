/* nginxconf.h - an nginx configuration as a tree of directives: what `nginx -T` prints, or a file with those that it includes. */
#ifndef MAPICTL_NGINXCONF_H
#define MAPICTL_NGINXCONF_H
#include "backend/base/arena.h"

struct directive {
    const char  *name;               /* words[0] */
    const char **words; size_t n;    /* with the name */
    struct directive *parent, *first, *next;   /* first: of its block; NULL in a simple directive */
    bool         block;
};

/* The top of the tree, nameless, in `a`.  NULL with *why ("line 12: ..."). */
struct directive *nginxconf_parse(struct arena *a, struct blob text, const char **why);

/* Puts the contents of included files in the place of `include` lines that are still there; relative names are below `prefix`.  What cannot be read is
 * passed over. */
void nginxconf_include(struct arena *a, struct directive *top, const char *prefix);

/* The directive of this name that counts in a block: its own, or that of the nearest block around it; NULL: nginx's default. */
const struct directive *nginxconf_effective(const struct directive *block, const char *name);

/* All blocks or directives of this name below `d`, in order; *n how many. */
const struct directive **nginxconf_all(struct arena *a, const struct directive *d, const char *name, size_t *n);

/* Word i of a directive, or `other` where it has none (or d is NULL). */
const char *nginxconf_word(const struct directive *d, size_t i, const char *other);

/* "8m", "64k", "100s", "5m" (time: minutes): bytes or seconds. */
bool nginxconf_size(const char *text, uint64_t *out);
bool nginxconf_seconds(const char *text, uint64_t *out);
#endif
