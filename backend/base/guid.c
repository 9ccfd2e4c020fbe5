/* guid.c - making, printing and reading GUIDs. */
#include "backend/base/guid.h"
#include "backend/base/must.h"
#include <stdio.h>
#include <sys/random.h>

/* wire position of each byte in the order of the text */
static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

struct guid guid_new(void)
{
    struct guid g;
    must(getrandom(g.b, sizeof g.b, 0) == (ssize_t)sizeof g.b);
    g.b[7] = (uint8_t)((g.b[7] & 0x0f) | 0x40);
    g.b[8] = (uint8_t)((g.b[8] & 0x3f) | 0x80);
    return g;
}

char *guid_text(const struct guid *g, char out[GUID_TEXT])
{
    char *p = out;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        p += snprintf(p, 3, "%02x", g->b[order[i]]);
    }
    return out;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool guid_parse(const char *s, struct guid *out)
{
    bool braced = *s == '{';
    s += braced;
    for (int i = 0; i < 16; i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && *s++ != '-')
            return false;
        int hi = hex(s[0]), lo = hi < 0 ? -1 : hex(s[1]);
        if (lo < 0)
            return false;
        out->b[order[i]] = (uint8_t)(hi << 4 | lo);
        s += 2;
    }
    return braced ? s[0] == '}' && s[1] == '\0' : s[0] == '\0';
}
