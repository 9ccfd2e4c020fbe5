/* in.c - a whole message: the parts are read first, since they tell the charset of raw header lines, then the header. */
#include "backend/base/crypto.h"
#include "backend/base/utf.h"
#include "backend/mail/mail_int.h"
#include <pthread.h>

static void gmime_start(void) { g_mime_init(); }

const char *mail_str(struct arena *a, const char *s)
{
    return s != NULL ? arena_str(a, mail_text(a, blob_str(s), "utf-8")) : NULL;
}

void mail_set_str(struct mail *m, uint32_t tag, const char *s)
{
    if (s != NULL)
        props_set(m->a, &m->out->set, pv_str(tag, s));
}

struct blob mail_crlf(struct arena *a, struct blob s)
{
    size_t bare = 0;
    for (size_t i = 0; i < s.n; i++)
        bare += s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r');
    if (bare == 0)
        return s;
    uint8_t *out = arena_alloc(a, s.n + bare), *to = out;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
            *to++ = '\r';
        *to++ = s.p[i];
    }
    return blob_of(out, s.n + bare);
}

static void set_flags(struct mail *m)
{
    int32_t flags = (m->o->read ? 0x01 : 0) | (m->o->draft ? 0x08 : 0);
    props_set(m->a, &m->out->set, pv_i32(PidTagMessageFlags, flags));
    if (m->o->flagged)
        props_set(m->a, &m->out->set, pv_i32(PidTagFlagStatus, 2));
    if (m->o->answered) {
        props_set(m->a, &m->out->set, pv_i32(PidTagLastVerbExecuted, 102));
        props_set(m->a, &m->out->set, pv_i32(PidTagIconIndex, 0x105));
    }
}

void mail_convert(struct arena *a, struct blob bytes, const struct mail_options *o, unsigned *parts, unsigned embedded, unsigned depth, struct msg *out)
{
    struct part root;
    struct mail m = { .a = a, .o = o, .out = out, .root = &root, .parts = parts, .embedded = embedded, .message_class = "IPM.Note" };
    *out = (struct msg){ 0 };
    part_read(a, bytes, true, "text/plain", NULL, &root);
    mail_parts(&m, depth);
    mail_addresses(&m);
    mail_headers(&m);
    mail_body(&m);
    mail_mark_inline(&m);
    set_flags(&m);
    mail_set_str(&m, PidTagMessageClass, m.message_class);
}

bool mail_in(struct arena *a, struct blob bytes, const struct mail_options *o, struct msg *out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    unsigned parts = 0;
    pthread_once(&once, gmime_start);
    if (bytes.n == 0)
        return false;
    mail_convert(a, bytes, o, &parts, 0, 0, out);
    return true;
}

void mail_key(struct blob bytes, uint8_t key[32])
{
    struct arena *a = arena_new((size_t)1 << 30);
    struct sha256 *h = sha256_new(a);
    size_t start = 0;
    for (size_t i = 0; i < bytes.n; i++)
        if (bytes.p[i] == '\r' && i + 1 < bytes.n && bytes.p[i + 1] == '\n') {
            sha256_add(h, blob_of(bytes.p + start, i - start));
            start = i + 1;
        }
    if (start < bytes.n)
        sha256_add(h, blob_of(bytes.p + start, bytes.n - start));
    sha256_end(h, key);
    arena_free(a);
}
