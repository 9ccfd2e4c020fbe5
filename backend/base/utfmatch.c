/* utfmatch.c - two texts compared as users mean them: case and accents aside, without copies, in linear time. */
#include "backend/base/utf.h"
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>

enum { DECOMPOSED = 8, END = 0xFFFFFFFF }; /* a full canonical decomposition has at most 4 units */

struct walk {
    struct blob s;
    size_t      i;
    unsigned    how;
    uint32_t    pending[DECOMPOSED]; /* the rest of a character taken apart, last first */
    size_t      npending;
};

static struct walk walk_over(struct blob s, unsigned how) { return (struct walk){ .s = s, .how = how }; }

/* Takes c apart into pending; what does not space is left out. */
static void take_apart(struct walk *w, uint32_t c)
{
    UErrorCode          err = U_ZERO_ERROR;
    const UNormalizer2 *nfd = unorm2_getNFDInstance(&err);
    UChar               unit[DECOMPOSED];
    int32_t             n = U_SUCCESS(err) ? unorm2_getDecomposition(nfd, (UChar32)c, unit, DECOMPOSED, &err) : -1;
    if (n < 0 || n > DECOMPOSED || U_FAILURE(err)) {
        if (u_charType((UChar32)c) != U_NON_SPACING_MARK)
            w->pending[w->npending++] = c;
        return;
    }
    for (int32_t i = n; i-- > 0; ) {
        uint32_t part = unit[i];
        if (U16_IS_TRAIL(part) && i > 0)
            part = (uint32_t)U16_GET_SUPPLEMENTARY(unit[i - 1], part), i--;
        if (u_charType((UChar32)part) != U_NON_SPACING_MARK)
            w->pending[w->npending++] = part;
    }
}

/* The next character as `how` sees it, or END. */
static uint32_t walk_next(struct walk *w)
{
    uint32_t c;
    for (;;) {
        if (w->npending != 0) {
            c = w->pending[--w->npending];
            break;
        }
        if (w->i == w->s.n)
            return END;
        c = utf8_next(w->s, &w->i);
        if (c < 0xC0 || (w->how & UTF_BASE) == 0)
            break;
        take_apart(w, c);
    }
    return (w->how & UTF_FOLD) != 0 ? utf_fold(c) : c;
}

int utf8_cmp(struct blob a, struct blob b, unsigned how)
{
    if (how == UTF_EXACT)
        return blob_cmp(a, b);
    struct walk x = walk_over(a, how), y = walk_over(b, how);
    for (;;) {
        uint32_t c = walk_next(&x), d = walk_next(&y);
        if (c != d)
            return c == END || (d != END && c < d) ? -1 : 1;
        if (c == END)
            return 0;
    }
}

bool utf8_starts(struct blob s, struct blob with, unsigned how)
{
    if (how == UTF_EXACT)
        return s.n >= with.n && blob_eq(blob_of(s.p, with.n), with);
    struct walk x = walk_over(s, how), y = walk_over(with, how);
    for (;;) {
        uint32_t want = walk_next(&y);
        if (want == END)
            return true;
        if (walk_next(&x) != want)
            return false;
    }
}

/* The pattern of a search with, for each length, the longest proper prefix that is also its end (Knuth-Morris-Pratt). */
struct pattern { uint32_t *c; size_t *back, n; };

static void pattern_fill(struct pattern *p, struct blob part, unsigned how, size_t room)
{
    struct walk w = walk_over(part, how);
    for (uint32_t c = walk_next(&w); c != END && p->n < room; c = walk_next(&w))
        p->c[p->n++] = c;
    p->back[0] = 0;
    for (size_t i = 1, k = 0; i < p->n; i++) {
        while (k != 0 && p->c[i] != p->c[k])
            k = p->back[k - 1];
        k += p->c[i] == p->c[k];
        p->back[i] = k;
    }
}

static bool pattern_find(const struct pattern *p, struct blob s, unsigned how)
{
    struct walk w = walk_over(s, how);
    size_t      k = 0;
    while (k < p->n) {
        uint32_t c = walk_next(&w);
        if (c == END)
            return false;
        while (k != 0 && c != p->c[k])
            k = p->back[k - 1];
        k += c == p->c[k];
    }
    return true;
}

bool utf8_contains(struct blob s, struct blob part, unsigned how)
{
    if (part.n == 0)
        return true;
    if (how == UTF_EXACT)
        return s.n != 0 && memmem(s.p, s.n, part.p, part.n) != NULL;
    enum { SMALL = 128, APART = 4 };
    if (part.n <= SMALL) { /* what a user types; a character takes at least as many bytes as it has parts */
        uint32_t       c[SMALL * APART];
        size_t         back[SMALL * APART];
        struct pattern p = { c, back, 0 };
        pattern_fill(&p, part, how, SMALL * APART);
        return pattern_find(&p, s, how);
    }
    struct arena  *a = arena_new(SIZE_MAX);
    size_t         room = part.n * APART;
    struct pattern p = { arena_array(a, uint32_t, room), arena_array(a, size_t, room), 0 };
    pattern_fill(&p, part, how, room);
    bool found = pattern_find(&p, s, how);
    arena_free(a);
    return found;
}

struct blob utf8_seen(struct arena *a, struct blob s, unsigned how)
{
    enum { LONGEST = 4, APART = 4 }; /* bytes of a character; characters that one byte can become: a two-byte character has at most four parts */
    uint8_t    *p = arena_alloc(a, s.n * LONGEST * APART / 2 + LONGEST), *end = p;
    struct walk w = walk_over(s, how);
    for (uint32_t c = walk_next(&w); c != END; c = walk_next(&w))
        end += utf8_put(end, c);
    return blob_of(p, (size_t)(end - p));
}
