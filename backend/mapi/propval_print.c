/* propval_print.c - a value as people read it in logs and in decoded requests. */
#include "backend/base/utf.h"
#include "backend/mapi/action.h"
#include "backend/mapi/propval_int.h"
#include "backend/mapi/restriction.h"
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { SHOWN = 60 };

/* A builder of text; what does not fit any more is left out. */
static void put(struct wr *w, const char *s) { wr_bytes(w, s, strlen(s)); }

static void put_text(struct wr *w, struct blob s)
{
    static const char hex[] = "0123456789abcdef";
    struct blob cut = utf8_cut(s, SHOWN);
    wr_u8(w, '"');
    for (size_t i = 0; i < cut.n; i++) {
        uint8_t c = cut.p[i];
        if (c == '"' || c == '\\')
            wr_u8(w, '\\');
        if (c < 0x20 || c == 0x7F) {
            char esc[] = { '\\', 'x', hex[c >> 4], hex[c & 15] };
            wr_bytes(w, esc, sizeof esc);
        } else {
            wr_u8(w, c);
        }
    }
    put(w, cut.n < s.n ? "\"..." : "\"");
}

static void put_bytes(struct wr *w, struct blob b)
{
    static const char hex[] = "0123456789abcdef";
    size_t n = b.n < SHOWN / 2 ? b.n : SHOWN / 2;
    for (size_t i = 0; i < n; i++) {
        wr_u8(w, (uint8_t)hex[b.p[i] >> 4]);
        wr_u8(w, (uint8_t)hex[b.p[i] & 15]);
    }
    char size[40];
    snprintf(size, sizeof size, "%s(%zu bytes)", n < b.n ? "..." : " ", b.n);
    put(w, size);
}

static void put_time(struct wr *w, uint64_t t)
{
    enum { TICKS = 10000000 };
    const uint64_t unix_epoch = 11644473600ull;
    char           text[40];
    struct tm      tm;
    time_t         s = (time_t)(t / TICKS - unix_epoch);
    if (t / TICKS < unix_epoch || t / TICKS > unix_epoch + 253402300799ull || gmtime_r(&s, &tm) == NULL)
        snprintf(text, sizeof text, "0x%016" PRIx64, t);
    else
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    put(w, text);
}

static void put_single(struct wr *w, struct arena *a, const struct propval *v)
{
    char text[GUID_TEXT + 8] = "";
    switch (type_single(prop_type(v->tag))) {
    case PtypInteger16:
        snprintf(text, sizeof text, "%d", v->v.i16);
        break;
    case PtypInteger32:
        snprintf(text, sizeof text, v->v.i32 > 0xFFFF ? "0x%08" PRIx32 : "%" PRId32, v->v.i32);
        break;
    case PtypInteger64:
        snprintf(text, sizeof text, v->v.i64 > 0xFFFFFFFFll ? "0x%016" PRIx64 : "%" PRId64, v->v.i64);
        break;
    case PtypCurrency:
        snprintf(text, sizeof text, "%" PRId64 "/10000", v->v.i64);
        break;
    case PtypFloating32:
        snprintf(text, sizeof text, "%g", (double)v->v.f32);
        break;
    case PtypFloating64:
    case PtypFloatingTime:
        snprintf(text, sizeof text, "%g", v->v.f64);
        break;
    case PtypBoolean:
        put(w, v->v.b ? "true" : "false");
        break;
    case PtypErrorCode:
        put(w, err_name(v->v.err));
        snprintf(text, sizeof text, "(0x%08" PRIX32 ")", v->v.err);
        break;
    case PtypGuid:
        guid_text(&v->v.guid, text);
        break;
    case PtypTime:
        put_time(w, (uint64_t)v->v.i64);
        break;
    case PtypString:
    case PtypString8:
        put_text(w, v->v.s);
        break;
    case PtypBinary:
    case PtypObject:
    case PtypServerId:
        put_bytes(w, v->v.bin);
        break;
    case PtypRestriction:
        put(w, restriction_print(a, v->v.res));
        break;
    case PtypRuleAction:
        put(w, action_print(a, v->v.actions));
        break;
    default:
        break;
    }
    put(w, text);
}

static void put_array(struct wr *w, struct arena *a, const struct propval *v)
{
    enum { FEW = 8 };
    wr_u8(w, '{');
    for (size_t i = 0; i < v->v.mv.n && i < FEW; i++) {
        struct propval e = propval_element(v, i);
        put(w, i != 0 ? ", " : "");
        put_single(w, a, &e);
    }
    put(w, v->v.mv.n > FEW ? ", ...}" : "}");
}

const char *propval_print(struct arena *a, const struct propval *v)
{
    struct wr   w = wr_in(a, 65536);
    const char *name = proptag_name(v->tag);
    char        tag[16];
    snprintf(tag, sizeof tag, "0x%08" PRIX32, v->tag);
    put(&w, name != NULL && !prop_named(v->tag) ? name : tag);
    wr_u8(&w, '=');
    if (v->large) {
        char size[48];
        snprintf(size, sizeof size, "(%" PRIu64 " bytes, not loaded)", v->v.large.size);
        put(&w, size);
    } else if (type_array(prop_type(v->tag))) {
        put_array(&w, a, v);
    } else {
        put_single(&w, a, v);
    }
    return arena_str(a, wr_blob(&w));
}
