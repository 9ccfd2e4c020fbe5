/* kit.c - mails converted and looked at. */
#include "tests/unit/backend-mail/kit.h"
#include "backend/base/utf.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct mail_options got_options;

static bool give_name(void *ctx, const struct guid *set, uint32_t lid, const char *name, uint16_t *id)
{
    struct got *g = ctx;
    (void)lid;
    for (unsigned i = 0; i < g->names; i++)
        if (memcmp(&g->named[i].set, set, sizeof *set) == 0 && strcmp(g->named[i].name, name) == 0) {
            *id = (uint16_t)(0x8000 + i);
            return true;
        }
    if (g->names == sizeof g->named / sizeof g->named[0])
        return false;
    g->named[g->names].set = *set;
    g->named[g->names].name = arena_strdup(g->a, name);
    *id = (uint16_t)(0x8000 + g->names++);
    return true;
}

struct got *got_bytes(struct blob bytes)
{
    struct arena *a = arena_new((size_t)1 << 34);
    struct got *g = arena_one(a, struct got);
    struct mail_options o = got_options;
    g->a = a;
    o.named = give_name;
    o.ctx = g;
    g->ok = mail_in(a, bytes, &o, &g->m);
    return g;
}

struct got *got_mail(const char *eml) { return got_bytes(blob_str(eml)); }
void got_end(struct got *g) { arena_free(g->a); }

const char *prop_str(struct got *g, const struct props *p, uint32_t tag)
{
    const struct propval *v = props_find(p, tag);
    return v != NULL && prop_type(v->tag) == PtypString ? arena_str(g->a, v->v.s) : NULL;
}

const char *got_str(struct got *g, uint32_t tag) { return prop_str(g, &g->m.set, tag); }

const struct propval *got_named(struct got *g, const struct guid *set, const char *name)
{
    for (unsigned i = 0; i < g->names; i++)
        if (memcmp(&g->named[i].set, set, sizeof *set) == 0 && strcmp(g->named[i].name, name) == 0)
            return props_find(&g->m.set, PROP_TAG(0x8000 + i, 0));
    return NULL;
}

/* --- shape --------------------------------------------------------------------------------------------------------------------------------- */

static void put_text(struct wr *w, struct blob s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '\r')
            wr_u8(w, s.p[i] == '\n' ? '/' : s.p[i]);
}

static void put_shape(struct wr *w, const struct msg *m)
{
    const char *gap = "";
    if (props_find(&m->set, PidTagBody) != NULL) {
        wr_put(w, blob_str("T["));
        put_text(w, props_str(&m->set, PidTagBody));
        wr_put(w, blob_str("]"));
        gap = " ";
    }
    if (props_find(&m->set, PidTagHtml) != NULL) {
        wr_put(w, blob_str(gap));
        wr_put(w, blob_str("H["));
        put_text(w, props_bin(&m->set, PidTagHtml));
        wr_put(w, blob_str("]"));
        gap = " ";
    }
    for (size_t i = 0; i < m->natt; i++, gap = " ") {
        const struct attachment *t = &m->att[i];
        wr_put(w, blob_str(gap));
        wr_put(w, blob_str(t->embedded != NULL ? "m[" : props_bool(&t->set, PidTagAttachmentHidden, false) ? "h[" : "a["));
        put_text(w, props_str(&t->set, PidTagDisplayName));
        wr_put(w, blob_str(t->embedded != NULL ? ": " : "="));
        if (t->embedded != NULL)
            put_shape(w, t->embedded);
        else
            put_text(w, props_bin(&t->set, PidTagAttachDataBinary));
        wr_put(w, blob_str("]"));
    }
}

const char *shape(struct got *g)
{
    struct wr w = wr_in(g->a, (size_t)1 << 30);
    put_shape(&w, &g->m);
    return arena_str(g->a, wr_blob(&w));
}

/* --- sound --------------------------------------------------------------------------------------------------------------------------------- */

static void sound_props(const struct props *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (prop_type(p->v[i].tag) == PtypString) {
            struct blob s = p->v[i].v.s;
            REQUIRE(utf8_valid(s));
            REQUIRE(s.n == 0 || memchr(s.p, 0, s.n) == NULL);
        }
}

void check_sound(const struct msg *m)
{
    sound_props(&m->set);
    REQUIRE(props_find(&m->set, PidTagMessageClass) != NULL);
    REQUIRE(props_find(&m->set, PidTagSubject) != NULL);
    REQUIRE(props_find(&m->set, PidTagMessageDeliveryTime) != NULL);
    for (size_t i = 0; i < m->nrcpt; i++) {
        sound_props(&m->rcpt[i].props);
        REQUIRE(m->rcpt[i].row == i);
        REQUIRE(props_bin(&m->rcpt[i].props, PidTagEntryId).n > 20);
    }
    for (size_t i = 0; i < m->natt; i++) {
        const struct attachment *t = &m->att[i];
        sound_props(&t->set);
        REQUIRE(t->num == i);
        REQUIRE(props_str(&t->set, PidTagDisplayName).n != 0);
        REQUIRE((t->embedded != NULL) == (props_i32(&t->set, PidTagAttachMethod, 0) == 5));
        REQUIRE((t->embedded == NULL) == (props_find(&t->set, PidTagAttachDataBinary) != NULL));
        if (t->embedded != NULL)
            check_sound(t->embedded);
    }
}


/* --- corpus -------------------------------------------------------------------------------------------------------------------------------- */

const char *corpus_dir(const char *under)
{
    static char path[1000];
    const char *shared = getenv("MAPIHTTPD_SHARED");
    snprintf(path, sizeof path, "%s/corpus/%s", shared != NULL ? shared : "../shared", under);
    if (access(path, R_OK) != 0)
        SKIP("no shared corpus");
    return path;
}

struct blob corpus_file(struct arena *a, const char *name)
{
    FILE *f = fopen(corpus_dir(name), "rb");
    struct wr w = wr_in(a, (size_t)1 << 30);
    uint8_t buf[65536];
    REQUIRE(f != NULL);
    for (size_t n; (n = fread(buf, 1, sizeof buf, f)) > 0; )
        wr_bytes(&w, buf, n);
    fclose(f);
    return wr_blob(&w);
}
