/* auxbuf.c - blocks behind AUX_HEADER, in and out. */
#include "session/rop/auxbuf.h"
#include "backend/base/utf.h"
#include "session/rop/execute.h"

enum { AUX_VERSION_1 = 1, AUX_HEAD = 4, CONNECT_MAX = 2048 };
enum { AUX_PERF_CLIENTINFO = 0x02, CLIENT_MODE_AT = 24 };
enum { AUX_CLIENT_CONTROL = 0x0A, AUX_EXORGINFO = 0x17, AUX_SERVER_CAPABILITIES = 0x46, AUX_ENDPOINT_CAPABILITIES = 0x48, AUX_SERVER_SESSION_INFO = 0x4B };
enum { PACKED_WRITE_STREAM = 0x02, ULTRA_LARGE_DOWNLOAD = 0x08 };   /* packed FastTransfer upload (1) comes with FastTransfer */
enum { SINGLE_ENDPOINT = 0x01, USE_AUTODISCOVER_FOR_PUBLIC_FOLDERS = 0x02 };
enum { CONTROL_COMPRESSION = 0x04, CONTROL_HTTP_TUNNELING = 0x08, CONTROL_EXPIRY_MS = 604800000 };

enum auxbuf_fault auxbuf_size(size_t n)
{
    return n > AUX_MAX ? AUXBUF_STATUS : n > 0 && n < RPCEXT_HEADER ? AUXBUF_ERROR : AUXBUF_FINE;
}

static bool block_read(struct rd *r, struct auxbuf_block *out)
{
    size_t size = rd_u16(r);
    out->version = rd_u8(r);
    out->type = rd_u8(r);
    if (size < AUX_HEAD)
        rd_fail(r, "size");
    out->data = rd_blob(r, size - AUX_HEAD);
    return rd_ok(r);
}

void auxbuf_read(struct blob b, struct arena *a, struct auxbuf_block **out, size_t *n)
{
    struct blob *payload;
    size_t payloads, cap = 0;
    *out = NULL;
    *n = 0;
    if (b.n < RPCEXT_HEADER || !rpcext_unwrap(b, a, &payload, &payloads))
        return;
    struct rd r = rd_blob_of(payload[0]);
    struct auxbuf_block block;
    while (r.n > 0 && block_read(&r, &block)) {
        *out = arena_grow(a, *out, &cap, *n, sizeof **out);
        (*out)[(*n)++] = block;
    }
}

uint16_t auxbuf_client_mode(const struct auxbuf_block *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct rd r = rd_blob_of(v[i].data);
        if (v[i].version != AUX_VERSION_1 || v[i].type != AUX_PERF_CLIENTINFO)
            continue;
        rd_take(&r, CLIENT_MODE_AT);
        return rd_u16(&r);
    }
    return 0;
}

static void head_write(struct wr *w, uint8_t type, size_t data)
{
    wr_u16(w, (uint16_t)(AUX_HEAD + data));
    wr_u8(w, AUX_VERSION_1);
    wr_u8(w, type);
}

static void flags_write(struct wr *w, uint8_t type, uint32_t flags)
{
    head_write(w, type, 4);
    wr_u32(w, flags);
}

static void session_write(struct wr *w, struct arena *a, const char *session)
{
    enum { OFFSET = AUX_HEAD + 2 };
    struct blob s = utf16_from_utf8(a, utf8_cut(blob_str(session), CONNECT_MAX / 4));
    head_write(w, AUX_SERVER_SESSION_INFO, 2 + s.n + 2);
    wr_u16(w, OFFSET);
    wr_put(w, s);
    wr_u16(w, 0);
}

struct blob auxbuf_connect(struct arena *a, const char *session)
{
    struct wr w = wr_in(a, CONNECT_MAX), out = wr_in(a, CONNECT_MAX + RPCEXT_HEADER);
    flags_write(&w, AUX_SERVER_CAPABILITIES, PACKED_WRITE_STREAM | ULTRA_LARGE_DOWNLOAD);
    flags_write(&w, AUX_ENDPOINT_CAPABILITIES, SINGLE_ENDPOINT);
    flags_write(&w, AUX_EXORGINFO, USE_AUTODISCOVER_FOR_PUBLIC_FOLDERS);
    session_write(&w, a, session);
    head_write(&w, AUX_CLIENT_CONTROL, 8);
    wr_u32(&w, CONTROL_COMPRESSION | CONTROL_HTTP_TUNNELING);
    wr_u32(&w, CONTROL_EXPIRY_MS);
    rpcext_wrap(&out, a, wr_blob(&w), RPCEXT_LAST);
    return wr_blob(&out);
}
