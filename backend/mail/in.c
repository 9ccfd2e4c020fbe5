/* in.c - a whole message: GMime takes it apart, the other files of this room say what its pieces mean. */
#include "backend/base/crypto.h"
#include "backend/base/utf.h"
#include "backend/mail/mail_int.h"
#include <pthread.h>

static void gmime_start(void) { g_mime_init(); }

static void unref(void *object) { g_object_unref(object); }

static GMimeMessage *parse(struct arena *a, struct blob bytes)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, gmime_start);
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer((const char *)bytes.p, bytes.n);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *g = g_mime_parser_construct_message(parser, NULL);
    g_object_unref(parser);
    g_object_unref(stream);
    if (g != NULL)
        arena_defer(a, unref, g);
    return g;
}

const char *mail_str(struct arena *a, const char *s)
{
    return s != NULL ? arena_str(a, mail_text(a, blob_str(s), "utf-8")) : NULL;
}

void mail_set_str(struct mail *m, uint32_t tag, const char *s)
{
    if (s != NULL)
        props_set(m->a, &m->out->set, pv_str(tag, mail_str(m->a, s)));
}

struct blob mail_content(struct arena *a, GMimePart *part)
{
    GMimeDataWrapper *content = g_mime_part_get_content(part);
    if (content == NULL)
        return blob_of(NULL, 0);
    GMimeStream *mem = g_mime_stream_mem_new();
    g_mime_data_wrapper_write_to_stream(content, mem);
    GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(mem));
    struct blob b = arena_blob(a, blob_of(bytes->data, bytes->len));
    g_object_unref(mem);
    return b;
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

/* A message that GMime cannot read at all: its text is the body, its bytes are an attachment. */
static void keep_raw(struct mail *m, struct blob bytes)
{
    m->text = mail_text(m->a, bytes, NULL);
    m->have_text = true;
    mail_attach_bytes(m, bytes, "message.eml", "application/octet-stream");
}

bool mail_convert(struct arena *a, struct blob bytes, GMimeMessage *g, const struct mail_options *o, unsigned embedded, struct msg *out)
{
    struct mail m = { .a = a, .o = o, .out = out, .g = g, .embedded = embedded, .message_class = "IPM.Note" };
    *out = (struct msg){ 0 };
    if (g != NULL) {
        mail_headers(&m);
        mail_addresses(&m);
        mail_parts(&m);
    } else
        keep_raw(&m, bytes);
    mail_body(&m);
    set_flags(&m);
    mail_set_str(&m, PidTagMessageClass, m.message_class);
    return true;
}

bool mail_in(struct arena *a, struct blob bytes, const struct mail_options *o, struct msg *out)
{
    return bytes.n != 0 && mail_convert(a, bytes, parse(a, bytes), o, 0, out);
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
