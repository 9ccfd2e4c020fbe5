/* rops.c - ROP lists out, extended buffers and ROP responses in. */
#include "tests/client/mapic.h"
#include "backend/mapi/lzxpress.h"

enum { COMPRESSED = 1, XORMAGIC = 2, LAST = 4, PAYLOAD_MAX = 65536 };

void rops_init(struct mapic_rops *r, struct arena *a)
{
    r->a = a;
    r->list = wr_in(a, 65536);
    r->handles = 0;
}

uint8_t rops_handle(struct mapic_rops *r, uint32_t handle)
{
    r->handle[r->handles] = handle;
    return (uint8_t)r->handles++;
}

void rops_head(struct mapic_rops *r, uint8_t id, uint8_t index)
{
    wr_u8(&r->list, id);
    wr_u8(&r->list, 0);
    wr_u8(&r->list, index);
}

struct blob rops_buffer(struct mapic_rops *r)
{
    size_t n = 2 + r->list.n + 4 * r->handles;
    struct wr w = wr_in(r->a, n + 8);
    wr_u16(&w, 0);
    wr_u16(&w, LAST);
    wr_u16(&w, (uint16_t)n);
    wr_u16(&w, (uint16_t)n);
    wr_u16(&w, (uint16_t)(2 + r->list.n));
    wr_put(&w, wr_blob(&r->list));
    for (size_t i = 0; i < r->handles; i++)
        wr_u32(&w, r->handle[i]);
    return wr_blob(&w);
}

static bool plain(struct arena *a, struct blob in, unsigned flags, size_t actual, struct blob *out)
{
    if (flags & XORMAGIC) {
        uint8_t *p = arena_dup(a, in.p, in.n);
        for (size_t i = 0; i < in.n; i++)
            p[i] ^= 0xA5;
        in.p = p;
    }
    *out = in;
    if ((flags & COMPRESSED) == 0)
        return true;
    uint8_t *whole = arena_alloc(a, actual);
    *out = blob_of(whole, actual);
    return lzxpress_decompress(in, whole, actual);
}

/* One RPC_HEADER_EXT and its payload; the handle table is the last one's. */
static bool payload(struct arena *a, struct rd *r, struct mapic_result *out, bool *last)
{
    rd_u16(r);
    unsigned flags = rd_u16(r);
    size_t size = rd_u16(r), actual = rd_u16(r);
    struct blob body;
    if (!plain(a, rd_blob(r, size), flags, actual, &body) || !rd_ok(r) || out->payloads == 100)
        return false;
    struct rd in = rd_blob_of(body);
    size_t rop_size = rd_u16(&in);
    if (rop_size < 2)
        return false;
    out->payload[out->payloads++] = rd_blob(&in, rop_size - 2);
    out->handles = 0;
    while (in.n >= 4 && out->handles < 256)
        out->handle[out->handles++] = rd_u32(&in);
    *last = (flags & LAST) != 0;
    return rd_ok(&in);
}

bool mapic_decode(struct arena *a, struct blob body, struct mapic_result *out)
{
    struct rd r = rd_blob_of(body);
    out->error = UINT32_MAX;
    out->status = rd_u32(&r);
    if (!rd_ok(&r) || out->status != 0)
        return rd_ok(&r);
    uint32_t error = rd_u32(&r);
    rd_u32(&r);
    struct rd buffer = rd_sub(&r, rd_u32(&r));
    if (!rd_ok(&r))
        return false;
    out->error = error;
    bool last = buffer.n == 0;
    while (!last)
        if (!payload(a, &buffer, out, &last))
            return false;
    out->rops = out->payloads != 0 ? rd_blob_of(out->payload[0]) : rd_over(NULL, 0);
    return true;
}

bool mapic_execute(struct mapic *c, struct mapic_rops *r, const struct mapic_odd *odd, struct mapic_result *out, const char **why)
{
    *out = (struct mapic_result){ .error = UINT32_MAX };
    struct blob body = mapic_execute_body(r->a, rops_buffer(r), 3, 0x10008);
    if (!mapic_call(c, r->a, "Execute", body, odd, &out->reply, why))
        return false;
    if (out->reply.code != 0)
        return true;
    if (mapic_decode(r->a, out->reply.body, out))
        return true;
    *why = "the answer of the Execute is malformed";
    return false;
}

bool mapic_rop(struct mapic_result *r, struct rop_head *out)
{
    if (r->rops.n == 0)
        return false;
    out->id = rd_u8(&r->rops);
    out->index = rd_u8(&r->rops);
    out->ec = rd_u32(&r->rops);
    return rd_ok(&r->rops);
}
