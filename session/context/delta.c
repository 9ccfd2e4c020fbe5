/* delta.c - what a request changed in its context, as bytes in the journal row of its store transaction. */
#include "session/context/context_int.h"
#include "session/context/header.h"

enum { LAYOUT = 1, BLOCK_MIN_BYTES = 3, DELTA_MAX = 64 << 20 };

struct blob delta_save(struct arena *a, const struct delta *d)
{
    struct wr w = wr_in(a, DELTA_MAX);
    wr_u8(&w, LAYOUT);
    header_put_var(&w, d->from);
    wr_u8(&w, d->flags);
    wr_bytes(&w, d->request_id, REQUEST_ID);
    header_put_var(&w, d->header.n);
    wr_put(&w, d->header);
    header_put_var(&w, d->blocks);
    for (size_t i = 0; i < d->blocks; i++) {
        header_put_var(&w, d->block[i].handle);
        wr_u8(&w, d->block[i].slot);
        header_put_var(&w, d->block[i].state.n);
        wr_put(&w, d->block[i].state);
    }
    return wr_blob(&w);
}

static struct blob get_bytes(struct rd *r) { return rd_blob(r, rd_count(r, header_get_var(r), 1)); }

bool delta_load(struct arena *a, struct blob b, struct delta *out)
{
    struct rd r = rd_blob_of(b);
    if (rd_u8(&r) != LAYOUT)
        return false;
    out->from = header_get_var(&r);
    out->flags = rd_u8(&r);
    struct blob id = rd_blob(&r, REQUEST_ID);
    if (id.n == REQUEST_ID)
        memcpy(out->request_id, id.p, REQUEST_ID);
    out->header = get_bytes(&r);
    out->blocks = rd_count(&r, header_get_var(&r), BLOCK_MIN_BYTES);
    out->block = arena_array(a, struct block, out->blocks);
    for (size_t i = 0; i < out->blocks && rd_ok(&r); i++) {
        uint64_t handle = header_get_var(&r);
        if (handle >= NO_HANDLE)
            rd_fail(&r, "handle too large");
        out->block[i].handle = (uint32_t)handle;
        out->block[i].slot = rd_u8(&r);
        if (out->block[i].slot > 1)
            rd_fail(&r, "no such place");
        out->block[i].state = get_bytes(&r);
    }
    return rd_done(&r);
}
