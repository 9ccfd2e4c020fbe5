/* inline.c - which attachments the HTML body shows: those whose Content-ID it names. They are hidden from the list of attachments (MS-OXCMAIL 2.2.3.4.1.3). */
#include "backend/mail/mail_int.h"
#include <stdlib.h>
#include <strings.h>

struct ids { struct blob *v; size_t n, cap; };

static int by_bytes(const void *a, const void *b) { return blob_cmp(*(const struct blob *)a, *(const struct blob *)b); }

static bool ends_id(uint8_t c) { return c <= ' ' || c == '"' || c == '\'' || c == '>' || c == '<' || c == ')' || c == '&'; }

/* %40 and the like. */
static struct blob unescaped(struct arena *a, struct blob s)
{
    if (memchr(s.p, '%', s.n) == NULL)
        return s;
    uint8_t *out = arena_alloc(a, s.n);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool code = s.p[i] == '%' && i + 2 < s.n && g_ascii_isxdigit(s.p[i + 1]) && g_ascii_isxdigit(s.p[i + 2]);
        out[n++] = (uint8_t)(code ? g_ascii_xdigit_value((char)s.p[i + 1]) << 4 | g_ascii_xdigit_value((char)s.p[i + 2]) : s.p[i]);
        i += code ? 2 : 0;
    }
    return blob_of(out, n);
}

/* Every "cid:..." of the HTML, sorted. */
static struct ids shown(struct arena *a, struct blob html)
{
    struct ids ids = { 0 };
    for (size_t i = 0; i + 4 < html.n; i++) {
        if ((html.p[i] | 0x20) != 'c' || strncasecmp((const char *)html.p + i, "cid:", 4) != 0)
            continue;
        size_t at = i + 4, end = at;
        while (end < html.n && !ends_id(html.p[end]))
            end++;
        if (end > at) {
            ids.v = arena_grow(a, ids.v, &ids.cap, ids.n, sizeof *ids.v);
            ids.v[ids.n++] = unescaped(a, blob_of(html.p + at, end - at));
        }
        i = end - 1;
    }
    if (ids.n != 0)
        qsort(ids.v, ids.n, sizeof *ids.v, by_bytes);
    return ids;
}

void mail_mark_inline(struct mail *m)
{
    struct ids ids = m->have_html && m->out->natt != 0 ? shown(m->a, m->html) : (struct ids){ 0 };
    for (size_t i = 0; i < m->out->natt && ids.n != 0; i++) {
        struct attachment *t = &m->out->att[i];
        struct blob id = props_str(&t->set, PidTagAttachContentId);
        if (id.n == 0 || bsearch(&id, ids.v, ids.n, sizeof *ids.v, by_bytes) == NULL)
            continue;
        props_set(m->a, &t->set, pv_i32(PidTagAttachFlags, ATTACH_MHTML_REF));
        props_set(m->a, &t->set, pv_bool(PidTagAttachmentHidden, true));
    }
}
