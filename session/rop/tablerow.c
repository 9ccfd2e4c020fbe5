/* tablerow.c - values of a row -> what fits in a table's answer. */
#include "session/rop/tablerow.h"
#include "backend/base/utf.h"
#include "backend/mapi/proprow.h"

static struct blob cut_text(struct arena *a, struct blob s)
{
    static const char dots[] = "...";
    enum { DOTS = 3 };
    if (s.n <= ROW_STRING_MAX || utf16_size(s) <= 2 * ROW_STRING_MAX) /* never more units than bytes of UTF-8 */
        return s;
    struct blob head = utf8_cut(s, ROW_STRING_MAX - DOTS);
    uint8_t *p = arena_alloc(a, head.n + DOTS);
    struct wr w = wr_over(p, head.n + DOTS);
    wr_put(&w, head);
    wr_bytes(&w, dots, DOTS);
    return wr_blob(&w);
}

static struct blob cut_bytes(struct blob b) { return blob_of(b.p, b.n < ROW_VALUE_MAX ? b.n : ROW_VALUE_MAX); }

static size_t fixed_size(uint16_t type)
{
    return type == PtypInteger16 ? 2 : type == PtypInteger32 || type == PtypFloating32 ? 4 : type == PtypGuid ? 16 : 8;
}

/* As many elements as fit beside the count; the last one of strings and binaries is cut to what is left. */
static void cut_elements(struct arena *a, struct propval *v)
{
    uint16_t type = type_single(prop_type(v->tag));
    size_t left = ROW_VALUE_MAX - 4, n = 0;
    if (type != PtypString && type != PtypBinary) {
        n = left / fixed_size(type);
        v->v.mv.n = v->v.mv.n < n ? v->v.mv.n : n;
        return;
    }
    struct blob *s = arena_array(a, struct blob, v->v.mv.n);
    for (; n < v->v.mv.n; n++) {
        s[n] = type == PtypString ? cut_text(a, v->v.mv.s[n]) : cut_bytes(v->v.mv.bin[n]);
        size_t size = 2 + (type == PtypString ? utf16_size(s[n]) : s[n].n);
        if (size > left)
            break;
        left -= size;
    }
    v->v.mv.s = s;
    v->v.mv.n = n;
}

struct propval tablerow_cut(struct arena *a, const struct propval *v)
{
    struct propval out = *v;
    uint16_t type = prop_type(v->tag);
    if (v->large)
        return pv_err(v->tag, ecOutOfMemory);
    if (type == PtypString)
        out.v.s = cut_text(a, v->v.s);
    else if (type == PtypBinary || type == PtypObject || type == PtypServerId)
        out.v.bin = cut_bytes(v->v.bin);
    else if (type_multi(type))
        cut_elements(a, &out);
    return out;
}

bool tablerow_write(struct wr *w, const struct pv_codec *codec, const struct tags *columns, const struct table_row *row)
{
    size_t mark = wr_mark(w);
    struct props cut = { .v = arena_array(codec->a, struct propval, row->cols.n), .n = row->cols.n, .cap = row->cols.n };
    for (size_t i = 0; i < row->cols.n; i++)
        cut.v[i] = tablerow_cut(codec->a, &row->cols.v[i]);
    proprow_write(w, codec, columns->v, columns->n, &cut, 0);
    if (w->full) {
        wr_rewind(w, mark);
        return false;
    }
    return true;
}
