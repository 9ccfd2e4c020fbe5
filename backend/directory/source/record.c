/* record.c - values come to a record. */
#include "backend/directory/source/record.h"
#include <strings.h>

enum { KEY_MAX = 512 };

void record_add(struct arena *a, struct record *r, const char *name, struct blob value)
{
    r->v = arena_grow(a, r->v, &r->cap, r->n, sizeof *r->v);
    r->v[r->n++] = (struct record_value){ name, value };
}

const struct blob *record_first(const struct record *r, const char *name)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcasecmp(r->v[i].name, name) == 0)
            return &r->v[i].value;
    return NULL;
}

static const char *hex(struct arena *a, struct blob b)
{
    static const char digit[] = "0123456789abcdef";
    char *s = arena_alloc(a, 2 * b.n + 1);
    for (size_t i = 0; i < b.n; i++) {
        s[2 * i] = digit[b.p[i] >> 4];
        s[2 * i + 1] = digit[b.p[i] & 15];
    }
    return s;
}

const char *const record_keys[] = { "entryUUID", "objectGUID", "ipaUniqueID", "nsUniqueId", NULL };

/* An objectGUID is bytes. */
const char *record_key(struct arena *a, const struct record *r)
{
    for (size_t i = 0; record_keys[i] != NULL; i++) {
        const struct blob *v = record_first(r, record_keys[i]);
        if (v != NULL && v->n != 0 && v->n <= KEY_MAX)
            return strcmp(record_keys[i], "objectGUID") == 0 ? hex(a, *v) : arena_str(a, *v);
    }
    return r->name;
}
