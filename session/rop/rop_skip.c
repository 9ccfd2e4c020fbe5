/* rop_skip.c - a request that nobody has looked at yet -> its end: the layouts of rop.def, read as a small language. */
#include "backend/mapi/propname.h"
#include "session/rop/rop.h"

/* What earlier bytes of the request said. */
struct skip { struct rd *r; struct arena *a; uint32_t count; bool unicode, cond; };

static const char *group_end(const char *p, char open, char close)
{
    for (int depth = 1; *p != 0; p++) {
        depth += (*p == open) - (*p == close);
        if (depth == 0)
            return p;
    }
    return p;
}

static const char *skip_fields(struct skip *s, const char *p, const char *end);

static const char *skip_group(struct skip *s, const char *p)
{
    const char *end = group_end(p, '[', ']');
    for (uint32_t n = s->count; n > 0 && rd_ok(s->r); n--) {
        struct skip inner = *s;
        skip_fields(&inner, p, end);
    }
    return end;
}

static const char *skip_if(struct skip *s, const char *p)
{
    const char *end = group_end(p, '<', '>');
    if (s->cond)
        skip_fields(s, p, end);
    return end;
}

/* A property or a name is decoded and forgotten: these are rare here. */
static void skip_value(struct skip *s)
{
    struct pv_codec codec = { .a = s->a, .counts = PV_COUNTS_ROP };
    struct propval v;
    propval_read_tagged(s->r, &codec, &v);
}

static void skip_name(struct skip *s)
{
    struct propname n;
    propname_read(s->r, s->a, &n);
}

static void skip_text(struct skip *s)
{
    if (s->unicode)
        rd_utf16z(s->r);
    else
        rd_asciiz(s->r);
}

static void skip_field(struct skip *s, char f)
{
    struct rd *r = s->r;
    switch (f) {
    case 'b': rd_take(r, 1); break;
    case 'w': rd_take(r, 2); break;
    case 'd': rd_take(r, 4); break;
    case 'q': rd_take(r, 8); break;
    case 's': rd_asciiz(r); break;
    case 't': skip_text(s); break;
    case 'p': skip_value(s); break;
    case 'n': skip_name(s); break;
    case 'B': s->count = rd_u8(r); break;
    case 'W': s->count = rd_u16(r); break;
    case 'D': s->count = rd_u32(r); break;
    case '#': rd_take(r, s->count); break;
    case 'U': s->unicode = rd_u8(r) != 0; break;
    case 'y': s->cond = rd_u8(r) != 0; break;
    case 'z': s->cond = rd_u8(r) == 0; break;
    case 'Z': s->cond = rd_u32(r) == 0; break;
    case 'M': s->cond = rd_u16(r) == 0xBABE; break;
    default:  rd_fail(r, "layout"); break;
    }
}

static const char *skip_fields(struct skip *s, const char *p, const char *end)
{
    for (; p < end && rd_ok(s->r); p++)
        if (*p == '[')
            p = skip_group(s, p + 1);
        else if (*p == '<')
            p = skip_if(s, p + 1);
        else
            skip_field(s, *p);
    return p;
}

bool rop_skip(struct rd *r, struct arena *a, uint8_t *id)
{
    *id = rd_u8(r);
    const struct rop_def *op = rop_find(*id);
    if (op->state == ROP_RESERVED || op->state == ROP_REPLY)
        rd_fail(r, "reserved RopId");
    rd_take(r, 2);
    if ((op->flags & (OUT1 | RESP | DEST)) != 0)
        rd_take(r, 1);
    struct skip s = { .r = r, .a = a };
    skip_fields(&s, op->layout, op->layout + strlen(op->layout));
    return rd_ok(r);
}
