/* message_subject.c - PidTagSubject <-> PidTagSubjectPrefix + PidTagNormalizedSubject. */
#include "backend/store/message_subject.h"
#include "backend/base/utf.h"

enum { PREFIX_LETTERS = 3 };

/* Bytes of one letter at p (n left), 0 if there is none.  Everything outside ASCII counts as a letter: prefixes exist in every language. */
static size_t letter(const uint8_t *p, size_t n)
{
    if (n == 0)
        return 0;
    if (*p < 0x80)
        return (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z');
    size_t len = 1;
    while (len < n && (p[len] & 0xC0) == 0x80)
        len++;
    return len;
}

static size_t prefix_size(struct blob s)
{
    size_t at = 0;
    unsigned letters = 0;
    for (size_t n; letters <= PREFIX_LETTERS && (n = letter(s.p + at, s.n - at)) != 0; letters++)
        at += n;
    bool form = letters >= 1 && letters <= PREFIX_LETTERS && s.n - at >= 2 && s.p[at] == ':' && s.p[at + 1] == ' ';
    return form ? at + 2 : 0;
}

static struct blob from(struct blob s, size_t at) { return blob_of(s.n > at ? s.p + at : NULL, s.n > at ? s.n - at : 0); }
static struct blob head(struct blob s, size_t n) { return blob_of(s.p, n); }

static struct subject fitted(struct subject s)
{
    s.prefix = utf8_cut(s.prefix, SUBJECT_MAX);
    s.normal = utf8_cut(s.normal, SUBJECT_MAX - utf16_size(s.prefix) / 2);
    return s;
}

struct subject message_subject_split(struct blob s)
{
    size_t n = prefix_size(s);
    return fitted((struct subject){ head(s, n), from(s, n), true });
}

static bool begins(struct blob s, struct blob with) { return with.n <= s.n && blob_eq(head(s, with.n), with); }
static bool ends(struct blob s, struct blob with)   { return with.n <= s.n && blob_eq(from(s, s.n - with.n), with); }

static const struct propval *string_of(const struct msg *over, uint32_t tag)
{
    const struct propval *v = props_find(&over->set, tag);
    return v != NULL && !v->large && prop_type(v->tag) == PtypString ? v : NULL;
}

static struct subject whole(struct blob s, const struct propval *prefix, const struct propval *normal)
{
    if (prefix != NULL && begins(s, prefix->v.s))
        return fitted((struct subject){ head(s, prefix->v.s.n), from(s, prefix->v.s.n), true });
    if (normal != NULL && ends(s, normal->v.s))
        return fitted((struct subject){ head(s, s.n - normal->v.s.n), normal->v.s, true });
    return message_subject_split(s);
}

struct subject message_subject_change(const struct subject *was, const struct msg *over)
{
    struct subject now = *was;
    const struct propval *s = string_of(over, PidTagSubject), *p = string_of(over, PidTagSubjectPrefix);
    const struct propval *n = string_of(over, PidTagNormalizedSubject);
    if (tags_has(&over->del, PidTagSubject))
        now = (struct subject){ .set = false };
    if (tags_has(&over->del, PidTagSubjectPrefix))
        now.prefix = blob_of(NULL, 0);
    if (tags_has(&over->del, PidTagNormalizedSubject))
        now.normal = blob_of(NULL, 0);
    if (s != NULL && !(p != NULL && n != NULL))
        return whole(s->v.s, p, n);
    if (p != NULL)
        now.prefix = p->v.s;
    if (n != NULL)
        now.normal = n->v.s;
    now.set |= p != NULL || n != NULL;
    return fitted(now);
}

struct blob message_subject_join(struct arena *a, const struct subject *s)
{
    if (s->prefix.n == 0)
        return s->normal;
    struct wr w = wr_in(a, s->prefix.n + s->normal.n);
    wr_put(&w, s->prefix);
    wr_put(&w, s->normal);
    return wr_blob(&w);
}
