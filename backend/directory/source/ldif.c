/* ldif.c - lines, continued by a blank, "name: text", "name:: base64", records between empty lines. */
#include "backend/directory/source/ldif.h"
#include "backend/base/crypto.h"
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

/* A line without its end; NULL at the end of the file, or *why. */
static char *physical(struct ldif *l, size_t *n, const char **why)
{
    ssize_t got = getline(&l->held, &l->cap, l->f);
    if (got < 0)
        return NULL;
    l->line++;
    if (got > RECORD_LINE_MAX) {
        *why = "the line is too long";
        return NULL;
    }
    while (got > 0 && (l->held[got - 1] == '\n' || l->held[got - 1] == '\r'))
        got--;
    *n = (size_t)got;
    return l->held;
}

static bool continues(struct ldif *l)
{
    int c = getc(l->f);
    if (c == EOF)
        return false;
    ungetc(c, l->f);
    return c == ' ';
}

/* A line with those that continue it.  False at the end of the file, or with *why. */
static bool logical(struct ldif *l, struct arena *a, struct blob *out, size_t *first, const char **why)
{
    size_t n = 0, cap = 0, used = 0;
    char *text = NULL, *piece = physical(l, &n, why);
    if (piece == NULL)
        return false;
    *first = l->line;
    for (bool more = true; more; ) {
        if (used + n > RECORD_LINE_MAX) {
            *why = "the value is too long";
            return false;
        }
        if (used + n > cap || text == NULL) {
            cap = 2 * (used + n) + 64;
            char *wider = arena_alloc(a, cap);
            memcpy(wider, text != NULL ? text : "", used);
            text = wider;
        }
        memcpy(text + used, piece, n);
        used += n;
        more = continues(l);
        if (more && (piece = physical(l, &n, why)) == NULL)
            return false;
        if (more) {
            piece++;
            n--;
        }
    }
    *out = blob_of(text, used);
    return true;
}

static struct blob trimmed(struct blob b)
{
    while (b.n != 0 && b.p[0] == ' ')
        b = blob_of(b.p + 1, b.n - 1);
    while (b.n != 0 && b.p[b.n - 1] == ' ')
        b.n--;
    return b;
}

/* Options behind a ';' (";binary", ";lang-de") say how a value is written, not what it is; "member;range=..." never stands in a file. */
static const char *attribute(struct arena *a, struct blob name)
{
    const uint8_t *semicolon = name.n != 0 ? memchr(name.p, ';', name.n) : NULL;
    if (semicolon != NULL)
        name.n = (size_t)(semicolon - name.p);
    for (size_t i = 0; i < name.n; i++)
        if (!isalnum(name.p[i]) && name.p[i] != '-' && name.p[i] != '.' && name.p[i] != '_')
            return NULL;
    return name.n != 0 ? arena_str(a, name) : NULL;
}

/* "name: value" in its three forms. */
static bool take_apart(struct blob line, struct arena *a, const char **name, struct blob *value, const char **why)
{
    const uint8_t *colon = memchr(line.p, ':', line.n);
    if (colon == NULL || (*name = attribute(a, blob_of(line.p, (size_t)(colon - line.p)))) == NULL) {
        *why = "not of the form \"attribute: value\"";
        return false;
    }
    struct blob rest = blob_of(colon + 1, line.n - (size_t)(colon + 1 - line.p));
    if (rest.n != 0 && rest.p[0] == '<') {
        *why = "values by URL are not read";
        return false;
    }
    if (rest.n == 0 || rest.p[0] != ':') {
        *value = trimmed(rest);
        return true;
    }
    if (base64_decode(a, arena_str(a, trimmed(blob_of(rest.p + 1, rest.n - 1))), value))
        return true;
    *why = "the base64 value is broken";
    return false;
}

static bool put(struct arena *a, struct record *r, const char *name, struct blob value, const char **why)
{
    if (r->name == NULL && strcasecmp(name, "version") == 0)
        return true;
    if (r->name == NULL && strcasecmp(name, "dn") != 0)
        *why = "a record begins with its dn";
    else if (strcasecmp(name, "changetype") == 0 || strcasecmp(name, "control") == 0)
        *why = "this is a file of changes; export the directory instead";
    else if (r->n == RECORD_VALUES_MAX)
        *why = "too many values";
    else if (r->name == NULL) {
        r->name = arena_str(a, value);
        if (value.n == 0 || strlen(r->name) != value.n)
            *why = "the dn is empty or no text";
    } else {
        record_add(a, r, name, value);
    }
    return *why == NULL;
}

enum record_next ldif_next(struct ldif *l, struct arena *a, struct record *out, const char **why)
{
    struct blob line;
    size_t at;
    *out = (struct record){ .key = "" };
    *why = NULL;
    while (*why == NULL && logical(l, a, &line, &at, why)) {
        const char *name;
        struct blob value;
        if (line.n == 0) {
            if (out->name != NULL)
                break;
        } else if (line.p[0] != '#' && take_apart(line, a, &name, &value, why)) {
            out->line = out->name == NULL ? at : out->line;
            put(a, out, name, value, why);
        }
    }
    if (*why != NULL || ferror(l->f)) {
        *why = *why != NULL ? *why : "the file cannot be read";
        return RECORD_BAD;
    }
    if (out->name == NULL)
        return RECORD_END;
    out->key = record_key(a, out);
    return RECORD_READ;
}

void ldif_done(struct ldif *l)
{
    free(l->held);
    l->held = NULL;
}
