/* fuzz_source.c - files of an address book from any bytes: the first byte chooses LDIF or CSV.  What is read becomes an entry that has a name, or is refused
 * with a reason. */
#include "backend/base/must.h"
#include "backend/base/rd.h"
#include "backend/directory/source/csv.h"
#include "backend/directory/source/ldif.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void understood(struct arena *a, const struct attr_map *m, const struct record *r)
{
    struct entry e;
    struct attr_link *link;
    size_t links;
    const char *why = NULL;
    must(r->key != NULL && r->name != NULL);
    if (attr_entry(m, a, r, &e, &link, &links, &why))
        must(e.display_name != NULL && *e.display_name != '\0' && e.smtp != NULL);
    else
        must(why != NULL);
}

static void ldif(struct arena *a, const struct attr_map *m, FILE *f)
{
    struct ldif l = { .f = f };
    struct record r;
    const char *why = NULL;
    enum record_next next;
    while ((next = ldif_next(&l, a, &r, &why)) == RECORD_READ)
        understood(a, m, &r);
    must(next == RECORD_END || why != NULL);
    ldif_done(&l);
}

static void csv(struct arena *a, const struct attr_map *m, FILE *f)
{
    struct record r;
    const char *why = NULL;
    struct csv *c = csv_open(f, m, a, &why);
    enum record_next next = RECORD_END;
    must(c != NULL || why != NULL);
    while (c != NULL && (next = csv_next(c, a, &r, &why)) == RECORD_READ)
        understood(a, m, &r);
    must(next == RECORD_END || why != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct rd r = rd_over(p, n);
    bool first = (rd_u8(&r) & 1) != 0;
    if (r.n == 0)
        return 0;
    struct arena *a = arena_new(64 << 20);
    const char *why = NULL;
    struct attr_map *m = attr_map(a, NULL, &why);
    FILE *f = fmemopen((void *)(uintptr_t)r.p, r.n, "r");
    must(m != NULL && f != NULL);
    if (first)
        ldif(a, m, f);
    else
        csv(a, m, f);
    fclose(f);
    arena_free(a);
    return 0;
}
