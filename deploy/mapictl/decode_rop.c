/* decode_rop.c - bodies of Execute, request or response, printed ROP by ROP from the tables. */
#include "deploy/mapictl/decode.h"
#include "backend/base/err.h"
#include "backend/base/utf.h"
#include "backend/mapi/propname.h"
#include "backend/mapi/restriction.h"
#include "session/rop/notify_data.h"
#include "session/rop/rop.h"
#include "session/rop/rpcext.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_SHOWN = 120, BYTES_SHOWN = 32 };

struct words { const char *name, *request, *layout, *answer; };
static const struct words known[] = {
#define DECODE(name, request, layout, answer) { #name, request, layout, answer },
#include "deploy/mapictl/decode.def"
#undef DECODE
};

static const struct words *words_of(const char *rop)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].name, rop) == 0)
            return &known[i];
    return NULL;
}

/* --- one field after the other ----------------------------------------------------------------------------------------------------------- */

struct walk {
    struct rd     *r;
    struct arena  *a;
    const char    *names;      /* what is left of the list of names */
    char           name[64];   /* the current one, */
    const char    *hint;       /* and its hint behind the colon */
    uint32_t       count;
    bool           unicode, cond, end;
};

static void next_name(struct walk *w)
{
    w->names += strspn(w->names, " ");
    size_t n = strcspn(w->names, " ");
    snprintf(w->name, sizeof w->name, "%.*s", (int)n, w->names);
    w->names += n;
    char *colon = strchr(w->name, ':');
    w->hint = "";
    if (colon != NULL) {
        *colon = '\0';
        w->hint = colon + 1;
    }
}

static void label(const struct walk *w) { printf("      %-24s ", w->name[0] != '\0' ? w->name : "-"); }

static void number(struct walk *w, size_t width)
{
    uint64_t v = rd_le(w->r, width);
    next_name(w);
    label(w);
    const char *tag = strcmp(w->hint, "tag") == 0 ? proptag_name((uint32_t)v) : NULL;
    if (tag != NULL)
        printf("%s (0x%08x)\n", tag, (unsigned)v);
    else
        printf("0x%0*llx (%llu)\n", (int)width * 2, (unsigned long long)v, (unsigned long long)v);
}

static void text(struct walk *w, struct blob utf8)
{
    next_name(w);
    label(w);
    decode_text(blob_of(utf8.p, utf8.n < TEXT_SHOWN ? utf8.n : TEXT_SHOWN));
    putchar('\n');
}

static void hex(struct blob b)
{
    for (size_t i = 0; i < b.n && i < BYTES_SHOWN; i++)
        printf("%02x ", b.p[i]);
    printf("%s(%zu bytes)\n", b.n > BYTES_SHOWN ? "... " : "", b.n);
}

static void printable(struct blob b)
{
    putchar('"');
    for (size_t i = 0; i < b.n && i < TEXT_SHOWN; i++)
        if (b.p[i] != 0)
            putchar(isprint(b.p[i]) ? b.p[i] : '.');
    printf("\" (%zu bytes)\n", b.n);
}

static void tagged_values(struct walk *w, struct blob b)
{
    struct pv_codec c = { .a = w->a, .code_page = 1252 };
    struct props p = { 0 };
    struct rd r = rd_blob_of(b);
    props_read(&r, &c, &p);
    printf("%zu values%s\n", p.n, rd_ok(&r) ? "" : ", malformed");
    for (size_t i = 0; i < p.n; i++)
        printf("        %s\n", propval_print(w->a, &p.v[i]));
}

static void bytes(struct walk *w)
{
    struct blob b = rd_blob(w->r, w->count);
    next_name(w);
    label(w);
    struct pv_codec c = { .a = w->a, .code_page = 1252 };
    struct rd r = rd_blob_of(b);
    if (strcmp(w->hint, "res") == 0 && b.n > 0)
        printf("%s\n", restriction_print(w->a, restriction_read(&r, &c)));
    else if (strcmp(w->hint, "props") == 0)
        tagged_values(w, b);
    else if (strcmp(w->hint, "text") == 0)
        printable(b);
    else
        hex(b);
}

static void property(struct walk *w)
{
    struct pv_codec c = { .a = w->a, .code_page = 1252 };
    struct propval v;
    propval_read_tagged(w->r, &c, &v);
    next_name(w);
    if (rd_ok(w->r))
        printf("        %s\n", propval_print(w->a, &v));
}

static void name_of_property(struct walk *w)
{
    struct propname n;
    char guid[GUID_TEXT];
    propname_read(w->r, w->a, &n);
    next_name(w);
    label(w);
    if (n.kind == PROPNAME_LID)
        printf("%s lid 0x%04x\n", guid_text(&n.set, guid), n.lid);
    else
        printf("%s \"%.*s\"\n", n.kind == PROPNAME_STRING ? guid_text(&n.set, guid) : "none", (int)n.name.n, (const char *)n.name.p);
}

static void guid_field(struct walk *w)
{
    char out[GUID_TEXT];
    struct guid g = { { 0 } };
    struct blob b = rd_blob(w->r, 16);
    if (b.n == 16)
        memcpy(g.b, b.p, 16);
    next_name(w);
    label(w);
    puts(guid_text(&g, out));
}

/* A count or condition is a number that is also remembered. */
static uint32_t remembered(struct walk *w, size_t width)
{
    struct rd peek = *w->r;
    uint32_t v = (uint32_t)rd_le(&peek, width);
    number(w, width);
    return v;
}

static void one_field(struct walk *w, char f)
{
    switch (f) {
    case 'b': number(w, 1); break;
    case 'w': number(w, 2); break;
    case 'd': number(w, 4); break;
    case 'q': number(w, 8); break;
    case 'B': w->count = remembered(w, 1); break;
    case 'W': w->count = remembered(w, 2); break;
    case 'D': w->count = remembered(w, 4); break;
    case 'U': w->unicode = remembered(w, 1) != 0; break;
    case 'y': w->cond = remembered(w, 1) != 0; break;
    case 'z': w->cond = remembered(w, 1) == 0; break;
    case 'Z': w->cond = remembered(w, 4) == 0; break;
    case 'M': w->cond = remembered(w, 2) == 0xBABE; break;
    case 's': text(w, rd_asciiz(w->r)); break;
    case 't': text(w, w->unicode ? utf8_from_utf16(w->a, rd_utf16z(w->r)) : rd_asciiz(w->r)); break;
    case '#': bytes(w); break;
    case 'p': property(w); break;
    case 'n': name_of_property(w); break;
    case 'G': guid_field(w); break;
    default:
        if (w->r->n > 0) {
            printf("      %-24s ", "(rows)");
            hex(rd_rest(w->r));
        }
        w->end = true;
    }
}

static const char *closing(const char *p, char open, char close)
{
    for (int depth = 1; *p != '\0'; p++) {
        depth += (*p == open) - (*p == close);
        if (depth == 0)
            break;
    }
    return p;
}

/* A repeated group uses the same names each time. */
static void fields(struct walk *w, const char *p, const char *end)
{
    for (; p < end && rd_ok(w->r) && !w->end; p++) {
        if (*p != '[' && *p != '<') {
            one_field(w, *p);
            continue;
        }
        const char *stop = closing(p + 1, *p, *p == '[' ? ']' : '>'), *names = w->names;
        uint32_t times = *p == '[' ? w->count : w->cond;
        struct walk inner = *w;
        for (uint32_t i = 0; i < times && rd_ok(w->r); i++) {
            inner = *w;
            inner.names = names;
            fields(&inner, p + 1, stop);
        }
        if (times > 0)
            w->names = inner.names;
        p = stop;
    }
}

/* --- lists ------------------------------------------------------------------------------------------------------------------------------- */

static void show_request(struct arena *a, struct rd *r)
{
    uint8_t id = rd_u8(r), logon = rd_u8(r), in = rd_u8(r);
    const struct rop_def *op = rop_find(id);
    if (op->state == ROP_RESERVED) {
        rd_fail(r, "reserved RopId");
        return;
    }
    printf("    Rop%s (0x%02x) logon=%u handle=%u", op->name, id, logon, in);
    if ((op->flags & (OUT1 | RESP | DEST)) != 0)
        printf(" %s=%u", (op->flags & OUT1) != 0 ? "out" : (op->flags & DEST) != 0 ? "dest" : "input", rd_u8(r));
    putchar('\n');
    const struct words *k = words_of(op->name);
    struct walk w = { .r = r, .a = a, .names = k != NULL ? k->request : "" };
    fields(&w, op->layout, op->layout + strlen(op->layout));
}

/* Responses to no request: they have no handle index and no ReturnValue. */
static bool show_told(struct arena *a, struct rd *r)
{
    struct notify_data n;
    if (r->n == 0 || (r->p[0] != ROP_NOTIFY && r->p[0] != ROP_PENDING))
        return false;
    if (r->p[0] == ROP_PENDING) {
        rd_u8(r);
        printf("    RopPending (0x6e) session=%u\n", rd_u16(r));
    } else if (notify_data_read(r, a, &n))
        printf("    RopNotify (0x2a) %s\n", notify_data_text(a, &n));
    return true;
}

static void show_answer(struct arena *a, struct rd *r)
{
    if (show_told(a, r))
        return;
    uint8_t id = rd_u8(r), index = rd_u8(r);
    uint32_t ec = rd_u32(r);
    const struct rop_def *op = rop_find(id);
    const struct words *k = words_of(op->name != NULL ? op->name : "");
    printf("    Rop%s (0x%02x) handle=%u -> %s (0x%08x)\n", op->name != NULL ? op->name : "?", id, index, ec == 0 ? "success" : err_name(ec), ec);
    if (ec == 0) {
        struct walk w = { .r = r, .a = a, .names = k != NULL ? k->answer : "" };
        const char *layout = k != NULL ? k->layout : "*";
        fields(&w, layout, layout + strlen(layout));
    } else {
        size_t tail = op->flags >> 16;
        rd_take(r, tail <= r->n ? tail : 0);
    }
}

static bool show_buffer(struct arena *a, struct blob buffer, void (*show)(struct arena *, struct rd *))
{
    struct blob *payload;
    size_t n = 0;
    if (buffer.n > 0 && !rpcext_unwrap(buffer, a, &payload, &n)) {
        puts("  the RPC_HEADER_EXT chain is malformed");
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        struct rd r = rd_blob_of(payload[i]);
        uint16_t size = rd_u16(&r);
        struct rd list = rd_sub(&r, size >= 2 ? (size_t)size - 2 : SIZE_MAX);
        printf("  payload %zu: %zu bytes, RopSize %u\n", i, payload[i].n, size);
        while (list.n > 0 && rd_ok(&list))
            show(a, &list);
        if (!rd_ok(&list) || !rd_ok(&r)) {
            const struct rd *at = list.err != NULL ? &list : &r;
            printf("  malformed at byte %zu of payload %zu: %s\n", at->p != NULL ? (size_t)(at->p - payload[i].p) : payload[i].n, i, at->err);
            return false;
        }
        printf("    handle table:");
        while (r.n >= 4)
            printf(" %08x", rd_u32(&r));
        putchar('\n');
    }
    return true;
}

bool decode_execute_request(struct arena *a, struct rd *r)
{
    uint32_t flags = rd_u32(r);
    struct blob buffer = rd_blob(r, rd_u32(r));
    uint32_t max = rd_u32(r);
    if (!rd_ok(r))
        return false;
    printf("Execute request: Flags 0x%x, RopBufferSize %zu, MaxRopOut %u\n", flags, buffer.n, max);
    return show_buffer(a, buffer, show_request) && decode_aux(a, r);
}

bool decode_execute_answer(struct arena *a, struct rd *r)
{
    uint32_t status = rd_u32(r), error = rd_u32(r), flags = rd_u32(r);
    struct blob buffer = rd_blob(r, rd_u32(r));
    if (!rd_ok(r))
        return false;
    printf("Execute response: StatusCode %u, ErrorCode %s, Flags 0x%x, RopBufferSize %zu\n", status, err_name(error), flags, buffer.n);
    return show_buffer(a, buffer, show_answer) && decode_aux(a, r);
}
