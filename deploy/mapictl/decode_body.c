/* decode_body.c - Connect bodies, failure bodies and auxiliary buffers, field by field. */
#include "deploy/mapictl/decode.h"
#include "backend/base/err.h"
#include "backend/base/utf.h"
#include "session/rop/rpcext.h"
#include <ctype.h>
#include <stdio.h>

enum { BYTES_SHOWN = 48 };

bool decode_is_connect(struct rd r, bool answer)
{
    if (!answer)
        return r.n > 0 && isprint(rd_u8(&r));
    rd_u32(&r);
    rd_u32(&r);
    return rd_u32(&r) != 0 && rd_ok(&r);
}

static void field(struct rd *r, const char *name)
{
    uint32_t v = rd_u32(r);
    printf("  %-24s 0x%08x (%u)\n", name, v, v);
}

/* --- auxiliary buffer: blocks of size, version, type and data (MS-OXCRPC 2.2.2.2) --------------------------------------------------------- */
static const char *block_name(uint8_t type)
{
    static const struct { uint8_t type; const char *name; } names[] = {
        { 0x01, "PERF_REQUESTID" }, { 0x02, "PERF_CLIENTINFO" }, { 0x03, "PERF_SERVERINFO" }, { 0x04, "PERF_SESSIONINFO" }, { 0x0A, "CLIENT_CONTROL" },
        { 0x0B, "PERF_PROCESSINFO" }, { 0x16, "OSVERSIONINFO" }, { 0x17, "EXORGINFO" }, { 0x46, "SERVER_CAPABILITIES" },
        { 0x48, "ENDPOINT_CAPABILITIES" }, { 0x4A, "CLIENT_CONNECTION_INFO" }, { 0x4B, "SERVER_SESSION_INFO" }, { 0x4E, "PROTOCOL_DEVICE_ID" },
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].type == type)
            return names[i].name;
    return "";
}

static void block(struct rd *r)
{
    size_t size = rd_u16(r);
    uint8_t version = rd_u8(r), type = rd_u8(r);
    struct blob data = rd_blob(r, size >= 4 ? size - 4 : SIZE_MAX);
    if (!rd_ok(r))
        return;
    printf("    aux block 0x%02x v%u %-22s", type, version, block_name(type));
    for (size_t i = 0; i < data.n && i < BYTES_SHOWN; i++)
        printf(" %02x", data.p[i]);
    printf("%s (%zu bytes)\n", data.n > BYTES_SHOWN ? " ..." : "", data.n);
}

bool decode_aux(struct arena *a, struct rd *r)
{
    if (r->n == 0)
        return rd_ok(r);
    struct blob all = rd_blob(r, rd_u32(r)), *payload;
    size_t n = 0;
    if (!rd_ok(r) || r->n != 0)
        return false;
    printf("  AuxiliaryBufferSize      %zu\n", all.n);
    if (all.n > 0 && !rpcext_unwrap(all, a, &payload, &n))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct rd in = rd_blob_of(payload[i]);
        while (in.n > 0 && rd_ok(&in))
            block(&in);
        if (!rd_ok(&in))
            return false;
    }
    return true;
}

/* --- bodies ------------------------------------------------------------------------------------------------------------------------------- */
bool decode_connect_request(struct arena *a, struct rd *r)
{
    struct blob dn = rd_asciiz(r);
    if (!rd_ok(r) || r->n < 16)
        return false;
    printf("Connect request: UserDn \"%.*s\"\n", (int)dn.n, (const char *)dn.p);
    field(r, "Flags");
    field(r, "DefaultCodePage");
    field(r, "LcidSort");
    field(r, "LcidString");
    return decode_aux(a, r);
}

bool decode_connect_answer(struct arena *a, struct rd *r)
{
    uint32_t status = rd_u32(r), error = rd_u32(r);
    if (!rd_ok(r))
        return false;
    printf("Connect response: StatusCode %u, ErrorCode %s\n", status, err_name(error));
    field(r, "PollsMax (ms)");
    field(r, "RetryCount");
    field(r, "RetryDelay (ms)");
    struct blob prefix = rd_asciiz(r), name = utf8_from_utf16(a, rd_utf16z(r));
    if (!rd_ok(r))
        return false;
    printf("  %-24s \"%.*s\"\n  %-24s \"%.*s\"\n", "DnPrefix", (int)prefix.n, (const char *)prefix.p, "DisplayName", (int)name.n, (const char *)name.p);
    return decode_aux(a, r);
}

bool decode_failure(struct arena *a, struct rd *r)
{
    uint32_t status = rd_u32(r);
    if (!rd_ok(r))
        return false;
    printf("Failure response: StatusCode %s (0x%08x)\n", err_name(status), status);
    return decode_aux(a, r);
}
