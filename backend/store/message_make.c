/* message_make.c - what is made from a whole message when it is saved: names of its recipients, its size, its packed form. */
#include "backend/store/message_int.h"

enum { DISPLAY_MAX = 32768, PACKED_MAX = 64 << 20 };

static struct blob name_of(const struct recipient *r)
{
    static const uint32_t tags[] = { PidTagDisplayName, PidTagRecipientDisplayName, PidTagSmtpAddress, PidTagEmailAddress };
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        const struct propval *v = props_find(&r->props, tags[i]);
        if (v != NULL && !v->large && prop_type(v->tag) == PtypString && v->v.s.n != 0)
            return v->v.s;
    }
    return blob_of(NULL, 0);
}

struct blob message_display(struct arena *a, const struct msg *msg, uint8_t type)
{
    struct wr w = wr_in(a, DISPLAY_MAX);
    for (size_t i = 0; i < msg->nrcpt; i++) {
        const struct recipient *r = &msg->rcpt[i];
        struct blob name = name_of(r);
        if (r->deleted || (r->type & 0x0F) != type || name.n == 0)
            continue;
        if (wr_room(&w) < name.n + 2)
            break;
        if (w.n != 0)
            wr_bytes(&w, "; ", 2);
        wr_put(&w, name);
    }
    return wr_blob(&w);
}

static void add_ref(void *ctx, const struct large_ref *ref) { *(uint64_t *)ctx += ref->size; }

uint64_t message_refs_size(const struct msg *msg)
{
    uint64_t n = 0;
    msg_each_large(msg, add_ref, &n);
    return n;
}

uint64_t message_size(struct arena *a, const struct msg *msg)
{
    struct wr w = wr_in(a, PACKED_MAX);
    msg_pack(&w, msg);
    return w.n + message_refs_size(msg);
}

struct blob message_pack_props(struct arena *a, const struct props *p)
{
    struct wr w = wr_in(a, PACKED_MAX);
    props_pack(&w, p);
    return wr_blob(&w);
}

bool message_has_named(const struct props *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (prop_named(p->v[i].tag))
            return true;
    return false;
}

/* One form of the body was written: the others were made from what it was before. */
void message_drop_stale_bodies(struct props *set, const struct msg *over)
{
    static const uint32_t forms[] = { PidTagBody, PidTagHtml, PidTagRtfCompressed };
    bool written = false;
    for (size_t i = 0; i < 3; i++)
        written |= props_find(&over->set, forms[i]) != NULL;
    for (size_t i = 0; written && i < 3; i++)
        if (props_find(&over->set, forms[i]) == NULL)
            props_del(set, forms[i]);
    if (written && props_find(&over->set, PidTagNativeBody) == NULL)
        props_del(set, PidTagNativeBody);
}
