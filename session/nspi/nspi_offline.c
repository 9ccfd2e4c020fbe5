/* nspi_offline.c - a look at the address book that lasts, for who makes an offline address book of what it shows. */
#include "session/nspi/nspi_offline.h"
#include "session/nspi/nspi_row.h"
#include <stdlib.h>

enum { PAUSE_EVERY = 64, ENGLISH = 0x409 };

struct looking { struct nspi_env env; struct person nobody; struct nspi_ctx c; int64_t first; unsigned spent; };

static ec_t begin(struct directory *d, struct arena *a, uint32_t org, void **look)
{
    struct book    *b = book_of(d);
    struct looking *l = arena_one(a, struct looking);
    if (b == NULL)
        return EC(ecDiskError);
    l->env.directory = d;
    TRY(book_begin(b, &l->nobody, &l->c.look));
    l->c.look.org = org;
    l->c.env = &l->env;
    l->c.who = &l->nobody;
    l->c.reader = l->c.look.reader;
    *look = l;
    ec_t ec = directory_server_guid(l->c.reader, &l->c.server);
    if (ec != ecNone)
        book_done(&l->c.look);
    return ec;
}

static void end(void *look) { book_done(&((struct looking *)look)->c.look); }

static int ascending(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

static ec_t rows(void *look, struct arena *a, int64_t **row, size_t *n)
{
    struct looking *l = look;
    const struct book_view *v;
    TRY(book_view(&l->c.look, 0, BOOK_BY_NAME, ENGLISH, &v));
    *n = book_count(v);
    *row = arena_array(a, int64_t, *n);
    for (size_t i = 0; i < *n; i++)
        (*row)[i] = book_row(v, i);
    if (*n != 0)
        qsort(*row, *n, sizeof **row, ascending);
    l->first = *n != 0 ? (*row)[0] : 0;
    return ecNone;
}

/* What an earlier object left in the context lies in its arena, which is no more.  The book follows what others change when the look rests; the reader sees one
 * moment of all objects, whatever it takes to go through them twice. */
static ec_t object(struct looking *l, struct arena *a, int64_t row, struct nspi_object *o)
{
    l->c.a = a;
    l->c.list = NULL;
    l->c.lists = 0;
    TRY(nspi_object(&l->c, entry_mid(row), 0, o));
    if (!o->there || o->what != OF_OBJECTS)
        return EC(ecNotFound);
    o->unpacked = o->origin = true; /* in the same row */
    return entry_brief(l->c.reader, a, row, &o->e);
}

static ec_t values(void *look, struct arena *a, int64_t row, const uint32_t *tag, size_t n, struct propval *out)
{
    struct looking    *l = look;
    struct nspi_object o;
    if (++l->spent % PAUSE_EVERY == 0)
        book_pause(&l->c.look);
    TRY(object(l, a, row, &o));
    for (size_t i = 0; i < n; i++)
        nspi_value(&o, tag[i], &out[i]);
    return nspi_failed(&o);
}

/* Whom a link of the organization's object names. */
static ec_t topmost(struct looking *l, struct arena *a, const char *organization, const char **dn)
{
    struct entry e;
    int64_t     *top = NULL;
    size_t       n = 0;
    TRY(entry_by_dn(l->c.reader, a, organization, &e));
    TRY(link_list(l->c.reader, a, LINK_ROOT, e.row, false, &top, &n));
    if (n == 0 || !book_exists(&l->c.look, top[0], NULL))
        return ecNone;
    TRY(entry_brief(l->c.reader, a, top[0], &e));
    *dn = e.dn;
    return ecNone;
}

/* What was there when the rows were read and is gone by now is none. */
static ec_t root(void *look, struct arena *a, const char **dn)
{
    struct looking    *l = look;
    struct nspi_object o;
    *dn = NULL;
    if (l->first == 0)
        return ecNone;
    ec_t ec = object(l, a, l->first, &o);
    if (ec == ecNone) {
        const char *organization = nspi_org_dn(&o);
        ec = nspi_failed(&o);
        if (ec == ecNone && organization != NULL)
            ec = topmost(l, a, organization, dn);
    }
    return ec == ecNotFound ? ecNone : ec;
}

const struct offline_values nspi_offline_values = { begin, rows, values, root, end };
