/* nginxconf.c - words, semicolons and braces -> a tree. */
#include "deploy/mapictl/nginxconf.h"
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEEPEST = 32, FILE_MOST = 4 << 20 };

struct reader { struct arena *a; struct blob rest; unsigned line, depth; const char *why; };

static char take(struct reader *r)
{
    char c = (char)*r->rest.p;
    r->line += c == '\n';
    r->rest = blob_of(r->rest.p + 1, r->rest.n - 1);
    return c;
}

static char peek(const struct reader *r) { return r->rest.n != 0 ? (char)*r->rest.p : '\0'; }

static bool refuse(struct reader *r, const char *why)
{
    if (r->why == NULL)
        r->why = arena_printf(r->a, "line %u: %s", r->line, why);
    return false;
}

static void skip(struct reader *r)
{
    while (r->rest.n != 0 && strchr(" \t\r\n#", peek(r)) != NULL)
        if (take(r) == '#')
            while (r->rest.n != 0 && peek(r) != '\n')
                take(r);
}

/* A word, perhaps in quotes; `;`, `{` and `}` stand for themselves outside of them.  ${name} is part of a word. */
static const char *word(struct reader *r)
{
    char *out = arena_alloc(r->a, 256), quote = '\0';
    size_t n = 0, cap = 256, from = r->line;
    if (peek(r) == '"' || peek(r) == '\'')
        quote = take(r);
    while (r->rest.n != 0) {
        char c = peek(r);
        if (quote != '\0' ? c == quote : strchr(" \t\r\n;", c) != NULL || (c == '{' && (n == 0 || out[n - 1] != '$')))
            break;
        take(r);
        if (c == '\\' && r->rest.n != 0 && quote != '\0')
            c = take(r);
        if (n + 2 > cap) {
            char *more = arena_alloc(r->a, cap *= 2);
            memcpy(more, out, n);
            out = more;
        }
        out[n++] = c;
    }
    if (quote != '\0') {
        if (r->rest.n == 0) {
            r->line = (unsigned)from;
            refuse(r, "a quote is not closed");
        } else {
            take(r);
        }
    }
    out[n] = '\0';
    return out;
}

/* Scripts of other modules (content_by_lua_block) are passed over as text. */
static bool is_script(const char *name)
{
    size_t n = strlen(name);
    return n > 6 && strcmp(name + n - 6, "_block") == 0;
}

static void pass_over(struct reader *r)
{
    for (unsigned open = 1; open != 0 && r->rest.n != 0; ) {
        char c = take(r);
        open += c == '{' ? 1u : c == '}' ? (unsigned)-1 : 0u;
    }
}

static bool block(struct reader *r, struct directive *parent);

static bool directive(struct reader *r, struct directive *parent, struct directive ***end)
{
    struct directive *d = arena_one(r->a, struct directive);
    size_t cap = 0;
    d->parent = parent;
    for (;;) {
        skip(r);
        char c = peek(r);
        if (r->rest.n == 0 || c == '}')
            return refuse(r, "a directive is not ended");
        if (c == ';' || c == '{')
            break;
        const char *w = word(r);
        d->words = arena_grow(r->a, d->words, &cap, d->n, sizeof *d->words);
        d->words[d->n++] = w;
        if (r->why != NULL)
            return false;
    }
    if (d->n == 0)
        return refuse(r, "a directive without a name");
    d->name = d->words[0];
    **end = d;
    *end = &d->next;
    if (take(r) == ';')
        return true;
    d->block = true;
    if (is_script(d->name)) {
        pass_over(r);
        return true;
    }
    return block(r, d);
}

/* Up to its closing brace, or to the end of the text for the top. */
static bool block(struct reader *r, struct directive *parent)
{
    struct directive **end = &parent->first;
    if (++r->depth > DEEPEST)
        return refuse(r, "too many blocks within each other");
    for (;;) {
        skip(r);
        if (r->rest.n == 0 && parent->name == NULL)
            break;
        if (r->rest.n == 0)
            return refuse(r, "a block is not closed");
        if (peek(r) == '}') {
            if (parent->name == NULL)
                return refuse(r, "a closing brace too many");
            take(r);
            break;
        }
        if (!directive(r, parent, &end))
            return false;
    }
    r->depth--;
    return true;
}

struct directive *nginxconf_parse(struct arena *a, struct blob text, const char **why)
{
    struct reader r = { .a = a, .rest = text, .line = 1 };
    struct directive *top = arena_one(a, struct directive);
    top->block = true;
    if (text.n != 0 && memchr(text.p, 0, text.n) != NULL)
        refuse(&r, "this is no text");
    else if (block(&r, top))
        return top;
    *why = r.why;
    return NULL;
}

/* --- includes ------------------------------------------------------------------------------------------------------ */

static struct directive *read_file(struct arena *a, const char *path)
{
    const char *why;
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return NULL;
    char *text = arena_alloc(a, FILE_MOST);
    size_t n = fread(text, 1, FILE_MOST, f);
    fclose(f);
    return nginxconf_parse(a, blob_of(text, n), &why);
}

static void include(struct arena *a, struct directive *top, const char *prefix, unsigned depth)
{
    for (struct directive **at = &top->first; *at != NULL; at = &(*at)->next) {
        struct directive *d = *at;
        if (d->block)
            include(a, d, prefix, depth);
        if (d->block || strcmp(d->name, "include") != 0 || d->n != 2 || depth > DEEPEST)
            continue;
        glob_t found;
        const char *path = d->words[1][0] == '/' ? d->words[1] : arena_printf(a, "%s/%s", prefix, d->words[1]);
        if (glob(path, 0, NULL, &found) != 0)
            continue;
        for (size_t i = found.gl_pathc; i-- > 0; ) {
            struct directive *f = read_file(a, found.gl_pathv[i]), *last;
            if (f == NULL || f->first == NULL)
                continue;
            include(a, f, prefix, depth + 1);
            for (last = f->first; ; last = last->next) {
                last->parent = top;
                if (last->next == NULL)
                    break;
            }
            last->next = d->next;
            d->next = f->first;
        }
        globfree(&found);
    }
}

void nginxconf_include(struct arena *a, struct directive *top, const char *prefix) { include(a, top, prefix, 0); }

/* --- questions ----------------------------------------------------------------------------------------------------- */

const struct directive *nginxconf_effective(const struct directive *b, const char *name)
{
    for (; b != NULL; b = b->parent)
        for (const struct directive *d = b->first; d != NULL; d = d->next)
            if (!d->block && strcmp(d->name, name) == 0)
                return d;
    return NULL;
}

struct all { struct arena *a; const struct directive **v; size_t n, cap; };

static void collect(struct all *x, const struct directive *top, const char *name)
{
    for (const struct directive *d = top->first; d != NULL; d = d->next) {
        if (strcmp(d->name, name) == 0) {
            x->v = arena_grow(x->a, x->v, &x->cap, x->n, sizeof *x->v);
            x->v[x->n++] = d;
        }
        if (d->block)
            collect(x, d, name);
    }
}

const struct directive **nginxconf_all(struct arena *a, const struct directive *d, const char *name, size_t *n)
{
    struct all x = { .a = a };
    collect(&x, d, name);
    *n = x.n;
    return x.v;
}

const char *nginxconf_word(const struct directive *d, size_t i, const char *other) { return d != NULL && i < d->n ? d->words[i] : other; }

static bool scaled(const char *text, const char *units, const uint64_t *factor, uint64_t *out)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    uint64_t v = strtoull(text, &end, 10);
    const char *u = *end != '\0' ? strchr(units, *end) : NULL;
    if (*end != '\0' && (u == NULL || end[1] != '\0'))
        return false;
    *out = *end == '\0' ? v : v * factor[u - units];
    return true;
}

bool nginxconf_size(const char *text, uint64_t *out)
{
    static const uint64_t factor[] = { 1024, 1024, 1048576, 1048576, 1073741824, 1073741824 };
    return scaled(text, "kKmMgG", factor, out);
}

bool nginxconf_seconds(const char *text, uint64_t *out)
{
    static const uint64_t factor[] = { 1, 60, 3600, 86400 };
    size_t n = strlen(text);
    if (n > 2 && strcmp(text + n - 2, "ms") == 0) {
        *out = strtoull(text, NULL, 10) / 1000;
        return true;
    }
    return scaled(text, "smhd", factor, out);
}
