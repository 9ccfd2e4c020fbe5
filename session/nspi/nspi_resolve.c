/* nspi_resolve.c - ResolveNames: what users typed, and whom it means (MS-OXNSPI 3.1.4.1.17, 3.1.4.7). */
#include "session/nspi/nspi_row.h"
#include "session/nspi/nspi_table.h"

ec_t nspi_ResolveNames(struct nspi_ctx *c)
{
    int64_t container = 0;
    const struct nspi_args *q = c->in;
    c->out->code_page = q->stat.code_page;
    TRY(nspi_container(q->stat.container, &container));
    c->out->mid = arena_array(c->a, uint32_t, q->names);
    c->out->mids = q->names;
    c->out->has_mids = true;
    nspi_columns(c);
    for (size_t i = 0; i < q->names; i++) {
        int64_t row[2];
        size_t  n = 0;
        TRY(book_resolve(&c->look, c->a, container, q->name[i], row, &n));
        c->out->mid[i] = n == 0 ? MID_UNRESOLVED : n == 1 ? MID_RESOLVED : MID_AMBIGUOUS;
        if (n == 1 && !nspi_row(c, entry_mid(row[0]), 0))
            return EC(ecOutOfResources);
        nspi_rest(c);
    }
    return ecNone;
}
