/* layout.c - see layout.h. */
#include "tests/unit/session-rop/layout.h"
#include "session/rop/rop.h"
#include "tests/unit.h"

static void fill(struct wr *w, const char *p, const char *end);

static const char *fill_group(struct wr *w, const char *p, char open, char close, unsigned times)
{
    const char *q = p + 1;
    for (int depth = 1; depth > 0; q++)
        depth += (*q == open) - (*q == close);
    while (times-- > 0)
        fill(w, p + 1, q - 1);
    return q;
}

static void fill_one(struct wr *w, char f)
{
    static const char fields[] = "bwdqBWDUyzZM";
    static const uint8_t width[] = { 1, 2, 4, 8, 1, 2, 4, 1, 1, 1, 4, 2 };
    const char *at = strchr(fields, f);
    if (at != NULL)
        wr_le(w, f == 'M' ? 0xBABE : strchr("BWD", f) != NULL ? 2u : strchr("Uy", f) != NULL ? 1u : 0u, width[at - fields]);
    else if (f == '#')
        wr_bytes(w, "\x5a\x5a", 2);
    else if (f == 's')
        wr_bytes(w, "x", 2);
    else if (f == 't')
        wr_bytes(w, "x\0\0", 4);
    else if (f == 'p')
        wr_bytes(w, "\x03\x00\x17\x00\x01\x00\x00\x00", 8);
    else if (f == 'n')
        wr_bytes(w, "\x00" "0123456789abcdef" "\x05\x00\x00\x00", 21);
    else
        unit_check(false, __FILE__, __LINE__, "layout has '%c'", f);
}

static void fill(struct wr *w, const char *p, const char *end)
{
    while (p < end)
        if (*p == '[')
            p = fill_group(w, p, '[', ']', 2);
        else if (*p == '<')
            p = fill_group(w, p, '<', '>', 1);
        else
            fill_one(w, *p++);
}

struct blob layout_request(struct arena *a, uint8_t id)
{
    const struct rop_def *d = rop_find(id);
    struct wr w = wr_in(a, 4096);
    wr_u8(&w, id);
    wr_u16(&w, 0);
    if ((d->flags & (OUT1 | RESP | DEST)) != 0)
        wr_u8(&w, 1);
    fill(&w, d->layout, d->layout + strlen(d->layout));
    return wr_blob(&w);
}
