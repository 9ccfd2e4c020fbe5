/* sortorder.c - sort orders between the wire and memory (MS-OXCDATA 2.13). */
#include "backend/mapi/sortorder.h"
#include "backend/base/must.h"

void sortorder_read(struct rd *r, struct sortorder *out)
{
    *out = (struct sortorder){ 0 };
    size_t n = rd_u16(r);
    out->categories = rd_u16(r);
    out->expanded = rd_u16(r);
    n = rd_count(r, n, sizeof(uint32_t) + 1);
    if (n > SORT_MAX_COLUMNS)
        rd_fail(r, "too many sort columns");
    for (; out->n < n && rd_ok(r); out->n++) {
        out->col[out->n].tag = rd_u32(r); /* type, then id: the tag as it lies in memory */
        out->col[out->n].order = rd_u8(r);
    }
    if (!rd_ok(r))
        *out = (struct sortorder){ 0 };
}

void sortorder_write(struct wr *w, const struct sortorder *s)
{
    must(s->n <= SORT_MAX_COLUMNS);
    wr_u16(w, s->n);
    wr_u16(w, s->categories);
    wr_u16(w, s->expanded);
    for (size_t i = 0; i < s->n; i++) {
        wr_u32(w, s->col[i].tag);
        wr_u8(w, s->col[i].order);
    }
}
