/* discover.c - a path names a page; what pages read out of an URL. */
#include "session/discover/discover_int.h"
#include "backend/base/utf.h"
#include "backend/base/wr.h"
#include <strings.h>

static const struct discover_route pages[] = {
#define PAGE(path, below, authenticate, handler) { path, below, authenticate, handler },
#include "session/discover/discover.def"
#undef PAGE
};

const struct discover_route *discover_find(const char *path)
{
    for (size_t i = 0; path != NULL && i < sizeof pages / sizeof pages[0]; i++) {
        size_t n = strlen(pages[i].path);
        if (strncasecmp(path, pages[i].path, n) == 0 && (path[n] == '\0' || (pages[i].below && path[n] == '/')))
            return &pages[i];
    }
    return NULL;
}

void discover_refuse(struct discover_page *out, int status, const char *words)
{
    *out = (struct discover_page){ status, "text/plain; charset=utf-8", blob_str(words) };
}

static int digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

const char *discover_decode(struct arena *a, struct blob text, size_t most, bool plus_is_blank)
{
    struct wr w = wr_in(a, most);
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if (c == '%') {
            int high = i + 2 < text.n ? digit(text.p[i + 1]) : -1, low = i + 2 < text.n ? digit(text.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return NULL;
            c = (uint8_t)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_blank)
            c = ' ';
        if (c == '\0')
            return NULL;
        wr_u8(&w, c);
    }
    return !w.full && utf8_valid(wr_blob(&w)) ? arena_str(a, wr_blob(&w)) : NULL;
}

/* A '+' is itself: addresses have it, and none of these parameters has blanks. */
const char *discover_parameter(const struct discover_call *c, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = c->query; p != NULL && *p != '\0'; ) {
        size_t length = strcspn(p, "&");
        if (length > n && strncasecmp(p, name, n) == 0 && p[n] == '=')
            return discover_decode(c->a, blob_of(p + n + 1, length - n - 1), ADDRESS_MOST, false);
        p += length;
        p += *p == '&';
    }
    return NULL;
}

bool discover_is_address(const char *text)
{
    const char *at = strrchr(text, '@');
    if (at == NULL || at == text || at[1] == '\0' || strlen(text) > ADDRESS_MOST)
        return false;
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr("\"<>\\,;:()[]", *p) != NULL)
            return false;
    return true;
}
