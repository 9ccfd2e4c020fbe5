/* view_rows.c - rows that live in memory, filtered and sorted as tables of the store are. */
#include "backend/store/view_own.h"
#include <stddef.h>
#include <stdlib.h>

struct sorted { struct view_mem_row place; struct table_row row; };

static const struct propval *get(void *ctx, uint32_t tag)
{
    const struct propval *v = props_find(&((const struct table_row *)ctx)->cols, tag);
    return v == NULL || v->large || prop_type(v->tag) == PtypErrorCode ? NULL : v;
}

static int by_place(const void *a, const void *b)
{
    struct view_at x = view_mem_at(&((const struct sorted *)a)->place), y = view_mem_at(&((const struct sorted *)b)->place);
    return view_at_cmp(&x, &y);
}

ec_t rows_sort(struct arena *a, const struct table_def *d, struct table_row *rows, size_t *n)
{
    struct view_def def;
    struct view_key key;
    struct sorted *s = arena_array(a, struct sorted, *n + 1);
    size_t kept = 0;
    TRY(view_def_make(a, &d->sort, d->locale, d->filter, d->instance, &def));
    if (def.instance != 0)
        return EC(ecTooComplex);
    for (size_t i = 0; i < *n; i++) {
        struct res_row row = { &rows[i], get, NULL };
        if (def.filter != NULL && !restriction_match(def.filter, &row))
            continue;
        view_key_make(&key, &def.sort, def.collator, &row);
        s[kept++] = (struct sorted){ { arena_dup(a, &key, offsetof(struct view_key, p) + key.n), rows[i].id, 0 }, rows[i] };
    }
    if (kept > 1)
        qsort(s, kept, sizeof *s, by_place);
    for (size_t i = 0; i < kept; i++)
        rows[i] = s[i].row;
    *n = kept;
    return ecNone;
}
