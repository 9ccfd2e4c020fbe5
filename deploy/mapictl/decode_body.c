/* decode_body.c - Connect bodies, failure bodies and auxiliary buffers, field by field. */
#include "deploy/mapictl/decode.h"
#include "backend/base/err.h"
#include "backend/base/utf.h"
#include "session/rop/rpcext.h"
#include <ctype.h>
#include <stdio.h>

enum { BYTES_SHOWN = 48 };

void decode_text(struct blob utf8)
{
    bool valid = utf8_valid(utf8);
    putchar('"');
    for (size_t i = 0; i < utf8.n; i++) {
        uint8_t c = utf8.p[i];
        if (c == '"' || c == '\\')
            putchar('\\');
        if (c < 0x20 || c == 0x7F || (c >= 0x80 && !valid))
            printf("\\x%02x", c);
        else
            putchar(c);
    }
    putchar('"');
}

/* --- which one is it? ---------------------------------------------------------------------------------------------------------------------- */

bool decode_is_connect(struct rd r, bool answer)
{
    if (!answer)
        return r.n > 0 && isprint(rd_u8(&r));
    rd_u32(&r);
    rd_u32(&r);
    return rd_u32(&r) != 0 && rd_ok(&r);
}

/* Nothing behind the auxiliary buffer. */
static bool ends(struct rd *r)
{
    if (r->n != 0)
        rd_blob(r, rd_u32(r));
    return rd_done(r);
}

bool decode_whole_connect(struct rd r, bool answer)
{
    if (!decode_is_connect(r, answer))
        return false;
    if (answer) {
        rd_blob(&r, 5 * sizeof(uint32_t));
        rd_asciiz(&r);
        rd_utf16z(&r);
    } else {
        rd_asciiz(&r);
        rd_blob(&r, 4 * sizeof(uint32_t));
    }
    return ends(&r);
}

/* Flags have few bits; a ROP buffer begins with a header of version 0 (MS-OXCRPC 2.2.2.1). */
bool decode_whole_execute(struct rd r, bool answer)
{
    enum { FLAGS = 0xFF };
    rd_blob(&r, answer ? 2 * sizeof(uint32_t) : 0);
    bool flags = rd_u32(&r) <= FLAGS;
    struct rd buffer = rd_blob_of(rd_blob(&r, rd_u32(&r)));
    bool version = rd_u16(&buffer) == 0 && buffer.n >= 6;
    rd_blob(&r, answer ? 0 : sizeof(uint32_t));
    return flags && version && ends(&r);
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
    struct blob bytes = rd_blob(r, rd_u32(r)), *payload;
    size_t n = 0;
    if (!rd_ok(r))
        return false;
    printf("  AuxiliaryBufferSize      %zu\n", bytes.n);
    if (r->n != 0)
        rd_fail(r, "bytes behind the auxiliary buffer");
    else if (bytes.n > 0 && !rpcext_unwrap(bytes, a, &payload, &n))
        rd_fail(r, "the auxiliary buffer that ends here is malformed");
    for (size_t i = 0; i < n && rd_ok(r); i++) {
        struct rd in = rd_blob_of(payload[i]);
        while (in.n > 0 && rd_ok(&in))
            block(&in);
        if (!rd_ok(&in))
            rd_fail(r, "a block of the auxiliary buffer that ends here is malformed");
    }
    return rd_ok(r);
}

/* --- bodies ------------------------------------------------------------------------------------------------------------------------------- */
bool decode_connect_request(struct arena *a, struct rd *r)
{
    struct blob dn = rd_asciiz(r);
    if (!rd_ok(r) || r->n < 16)
        return false;
    printf("Connect request: UserDn ");
    decode_text(dn);
    putchar('\n');
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
    printf("  %-24s ", "DnPrefix");
    decode_text(prefix);
    printf("\n  %-24s ", "DisplayName");
    decode_text(name);
    putchar('\n');
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
