/* fuzz_mime.c - mail from any bytes: whatever comes in, a sound message comes out, and an mbox is walked to its end. */
#include "backend/base/must.h"
#include "backend/base/utf.h"
#include "backend/mail/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static bool named(void *ctx, const struct guid *set, uint32_t lid, const char *name, uint16_t *id)
{
    uint16_t *next = ctx;
    (void)set;
    (void)lid;
    *id = ++*next;
    return name != NULL;
}

static void sound_props(const struct props *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (prop_type(p->v[i].tag) == PtypString)
            must(utf8_valid(p->v[i].v.s));
}

static void sound(const struct msg *m)
{
    sound_props(&m->set);
    for (size_t i = 0; i < m->nrcpt; i++)
        sound_props(&m->rcpt[i].props);
    for (size_t i = 0; i < m->natt; i++) {
        sound_props(&m->att[i].set);
        must((m->att[i].embedded == NULL) == (props_find(&m->att[i].set, PidTagAttachDataBinary) != NULL));
        if (m->att[i].embedded != NULL)
            sound(m->att[i].embedded);
    }
}

static void a_mail(struct arena *a, struct blob in)
{
    uint16_t next = 0x8000;
    struct mail_options o = { .named = named, .ctx = &next };
    struct msg m;
    if (mail_in(a, in, &o, &m)) {
        struct wr w = wr_in(a, SIZE_MAX / 4);
        sound(&m);
        msg_pack(&w, &m);
        must(!w.full);
    }
}

static void an_mbox(struct arena *a, struct blob in)
{
    struct mbox_message one;
    size_t last = 0;
    mbox_looks_so(in);
    for (size_t at = 0, next; mbox_next(in, at, &one, &next); at = next) {
        struct mail_options o = { 0 };
        must(next > at && next <= in.n);
        mbox_flags(a, mbox_unescaped(a, one.raw), &o);
        last = next;
    }
    must(last == in.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena *a = arena_new(SIZE_MAX);
    uint8_t key[32];
    a_mail(a, blob_of(p, n));
    an_mbox(a, blob_of(p, n));
    mail_key(blob_of(p, n), key);
    arena_free(a);
    return 0;
}
