/* restriction_print.c - a restriction as people read it: (PidTagSubject~"text" and not exists PidTagFlagStatus). */
#include "backend/mapi/propval_int.h"
#include "backend/mapi/restriction.h"
#include <inttypes.h>
#include <stdio.h>

enum { SHOWN = 4096 };

static void put(struct wr *w, const char *s) { wr_bytes(w, s, strlen(s)); }

static void put_tag(struct wr *w, uint32_t tag)
{
    char        text[16];
    const char *name = proptag_name(tag);
    snprintf(text, sizeof text, "0x%08" PRIX32, tag);
    put(w, name != NULL && !prop_named(tag) ? name : text);
}

static void put_number(struct wr *w, const char *fmt, uint32_t n)
{
    char text[32];
    snprintf(text, sizeof text, n > 0xFFFF ? "0x%08" PRIX32 : "%" PRIu32, n);
    put(w, fmt);
    put(w, text);
}

static const char *relop_text(uint8_t relop)
{
    static const char *const text[] = { "<", "<=", ">", ">=", "==", "!=", " like " };
    return relop < sizeof text / sizeof *text ? text[relop] : relop == RELOP_MEMBER_OF_DL ? " member of " : " ? ";
}

/* The value without its name, which stands before the operator already. */
static void put_value(struct wr *w, struct arena *a, const struct propval *v)
{
    const char *text = propval_print(a, v), *value = strchr(text, '=');
    put(w, value != NULL ? value + 1 : text);
}

static void print(struct wr *w, struct arena *a, const struct restriction *r);

static void print_list(struct wr *w, struct arena *a, const struct restriction *r)
{
    wr_u8(w, '(');
    for (size_t i = 0; i < r->list.n && !w->full; i++) {
        put(w, i == 0 ? "" : r->kind == RES_AND ? " and " : " or ");
        print(w, a, &r->list.v[i]);
    }
    put(w, r->list.n != 0 ? ")" : r->kind == RES_AND ? "all)" : "none)");
}

static void print_content(struct wr *w, struct arena *a, const struct restriction *r)
{
    static const char *const level[] = { "~full", "~sub", "~prefix" };
    put_tag(w, r->content.tag);
    put(w, r->content.level < sizeof level / sizeof *level ? level[r->content.level] : "~?");
    put(w, r->content.fuzzy & (FL_IGNORECASE | FL_LOOSE) ? "/case" : "");
    put(w, r->content.fuzzy & (FL_IGNORENONSPACE | FL_LOOSE) ? "/accents" : "");
    wr_u8(w, ' ');
    put_value(w, a, &r->content.value);
}

static void print_comment(struct wr *w, struct arena *a, const struct restriction *r)
{
    put(w, "comment(");
    for (size_t i = 0; i < r->comment.n && !w->full; i++) {
        put(w, propval_print(a, &r->comment.v[i]));
        wr_u8(w, ' ');
    }
    if (r->comment.r != NULL)
        print(w, a, r->comment.r);
    wr_u8(w, ')');
}

static void print(struct wr *w, struct arena *a, const struct restriction *r)
{
    if (w->full)
        return;
    switch (r->kind) {
    case RES_AND:
    case RES_OR:
        print_list(w, a, r);
        break;
    case RES_NOT:
        put(w, "not ");
        print(w, a, r->one.r);
        break;
    case RES_CONTENT:
        print_content(w, a, r);
        break;
    case RES_PROPERTY:
        put_tag(w, r->property.tag);
        put(w, relop_text(r->property.relop));
        put_value(w, a, &r->property.value);
        break;
    case RES_COMPAREPROPS:
        put_tag(w, r->compare.tag1);
        put(w, relop_text(r->compare.relop));
        put_tag(w, r->compare.tag2);
        break;
    case RES_BITMASK:
        put_tag(w, r->bitmask.tag);
        put_number(w, "&", r->bitmask.mask);
        put(w, r->bitmask.relop == 0 ? "==0" : "!=0");
        break;
    case RES_SIZE:
        put(w, "size ");
        put_tag(w, r->size.tag);
        put_number(w, relop_text(r->size.relop), r->size.size);
        break;
    case RES_EXIST:
        put(w, "exists ");
        put_tag(w, r->exist.tag);
        break;
    case RES_SUBRESTRICTION:
        put(w, "any ");
        put_tag(w, r->sub.subobject);
        wr_u8(w, ' ');
        print(w, a, r->sub.r);
        break;
    case RES_COMMENT:
        print_comment(w, a, r);
        break;
    case RES_COUNT:
        put_number(w, "first ", r->count.count);
        wr_u8(w, ' ');
        print(w, a, r->count.r);
        break;
    case RES_NULL:
        put(w, "all");
        break;
    }
}

const char *restriction_print(struct arena *a, const struct restriction *r)
{
    struct wr w = wr_in(a, SHOWN);
    print(&w, a, r);
    return arena_printf(a, "%.*s%s", (int)w.n, w.p != NULL ? (const char *)w.p : "", w.full ? "..." : "");
}
