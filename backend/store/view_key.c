/* view_key.c - values of the sort columns go in, one comparable key comes out. */
#include "backend/store/view_key.h"
#include "backend/base/err.h"

enum { ABSENT = 1, PRESENT = 2, BEHIND = 3, INSTANCE = 4 };

static bool type_instance(uint16_t type) { return (type & PtypMultipleInstance) == PtypMultipleInstance; }

static void put(struct view_key *k, const void *p, size_t n)
{
    size_t room = sizeof k->p - k->n;
    n = n < room ? n : room;
    if (n != 0)
        memcpy(k->p + k->n, p, n);
    k->n += n;
}

static void put_byte(struct view_key *k, uint8_t b) { put(k, &b, 1); }

static void put_be(struct view_key *k, uint64_t v, size_t width)
{
    uint8_t b[8];
    for (size_t i = width; i-- > 0; v >>= 8)
        b[i] = (uint8_t)v;
    put(k, b, width);
}

static void put_signed(struct view_key *k, int64_t v, size_t width)
{
    put_be(k, (uint64_t)v ^ (uint64_t)1 << (8 * width - 1), width);
}

/* IEEE bits of positive numbers sort as they are; those of negative ones the other way round. */
static void put_float(struct view_key *k, double v)
{
    uint64_t bits;
    v = v == 0 ? 0 : v; /* -0 is 0 */
    memcpy(&bits, &v, sizeof bits);
    if (v != v)
        bits = INT64_MAX; /* above all numbers, as propval_cmp has it */
    put_be(k, bits >> 63 ? ~bits : bits | (uint64_t)1 << 63, 8);
}

static void put_string(struct view_key *k, const struct view_collator *c, struct blob s)
{
    uint8_t key[VIEW_COLLATION_KEY];
    put(k, key, view_collator_key(c, s, key, sizeof key));
    put_byte(k, 0);
}

/* 00 becomes 00 FF, the end is 00 00: a prefix sorts before what it begins. */
static void put_binary(struct view_key *k, struct blob b)
{
    size_t n = b.n < VIEW_KEY_BINARY ? b.n : VIEW_KEY_BINARY;
    for (size_t i = 0; i < n; i++) {
        put_byte(k, b.p[i]);
        if (b.p[i] == 0)
            put_byte(k, 0xFF);
    }
    put_be(k, 0, 2);
}

static void put_value(struct view_key *k, const struct view_collator *c, uint16_t type, const struct propval *v)
{
    switch (type) {
    case PtypInteger16:    put_signed(k, v->v.i16, 2); break;
    case PtypInteger32:    put_signed(k, v->v.i32, 4); break;
    case PtypInteger64:
    case PtypCurrency:     put_signed(k, v->v.i64, 8); break;
    case PtypTime:         put_be(k, (uint64_t)v->v.i64, 8); break;
    case PtypFloating32:   put_float(k, (double)v->v.f32); break;
    case PtypFloating64:
    case PtypFloatingTime: put_float(k, v->v.f64); break;
    case PtypBoolean:      put_byte(k, v->v.b ? 1 : 0); break;
    case PtypGuid:         put(k, &v->v.guid, sizeof v->v.guid); break;
    case PtypString:       put_string(k, c, v->v.s); break;
    case PtypBinary:
    case PtypServerId:     put_binary(k, v->v.bin); break;
    default:               break;
    }
}

static void invert(struct view_key *k, size_t from)
{
    for (size_t i = from; i < k->n; i++)
        k->p[i] = (uint8_t)~k->p[i];
}

static uint16_t column_type(const struct sortcol *col) { return prop_type(prop_unicode(col->tag)); }

/* The one value that decides: of a multi-value the first; of a multi-value whose instances are rows the caller gives the instance. */
static bool deciding(const struct sortcol *col, const struct propval *v, struct propval *out)
{
    uint16_t type = column_type(col);
    if (v == NULL || v->large || prop_type(v->tag) != (type_instance(type) ? type_single(type) : type) || propval_count(v) == 0)
        return false;
    *out = type_array(prop_type(v->tag)) ? propval_element(v, 0) : *v;
    return true;
}

void view_key_add(struct view_key *k, const struct sortcol *col, const struct view_collator *c, const struct propval *v)
{
    size_t from = k->n;
    struct propval one;
    bool there = deciding(col, v, &one);
    put_byte(k, there ? PRESENT : ABSENT);
    if (there)
        put_value(k, c, type_single(prop_type(one.tag)), &one);
    if (col->order == SORT_DESCENDING)
        invert(k, from);
}

void view_key_make(struct view_key *out, const struct sortorder *s, const struct view_collator *c, const struct res_row *row)
{
    out->n = 0;
    if (s->n == 0)
        put_byte(out, PRESENT);
    for (size_t i = 0; i < s->n; i++)
        view_key_add(out, &s->col[i], c, row->get(row->ctx, prop_unicode(s->col[i].tag)));
}

void view_key_add_instance(struct view_key *k, uint32_t instance)
{
    k->n = k->n < sizeof k->p - INSTANCE ? k->n : sizeof k->p - INSTANCE;
    put_be(k, instance, INSTANCE);
}

uint32_t view_key_instance(struct blob key)
{
    uint32_t v = 0;
    for (size_t i = key.n < INSTANCE ? key.n : key.n - INSTANCE; i < key.n; i++)
        v = v << 8 | key.p[i];
    return v;
}

static bool sortable(uint16_t type)
{
    switch (type) {
    case PtypInteger16: case PtypInteger32: case PtypFloating32: case PtypFloating64: case PtypCurrency: case PtypFloatingTime:
    case PtypBoolean: case PtypInteger64: case PtypString8: case PtypString: case PtypTime: case PtypGuid: case PtypServerId: case PtypBinary:
        return true;
    default:
        return false;
    }
}

ec_t view_key_check(const struct sortorder *s)
{
    if (s->n > SORT_MAX_COLUMNS)
        return EC(ecTooComplex);
    if (s->categories != 0)
        return EC(ecTooComplex);
    for (size_t i = 0; i < s->n; i++) {
        uint16_t type = prop_type(s->col[i].tag);
        if (s->col[i].order == SORT_MAX_CATEGORY)
            return EC(ecTooComplex);
        if (s->col[i].order > SORT_DESCENDING || !type_known(type_single(type)))
            return EC(ecInvalidParameter);
        if (!sortable(type_single(type)))
            return EC(ecTooComplex);
    }
    return ecNone;
}

bool view_key_collates(const struct sortorder *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (type_string(prop_type(s->col[i].tag)))
            return true;
    return false;
}

/* --- ranges ------------------------------------------------------------------------------------------------------------------------ */

/* The first key behind all that begin with k; false if there is none. */
static bool successor(struct view_key *k)
{
    while (k->n > 0 && k->p[k->n - 1] == 0xFF)
        k->n--;
    if (k->n == 0)
        return false;
    k->p[k->n - 1]++;
    return true;
}

/* Between `low` and `high` of an ascending column: a descending one has the same range with both ends changed. */
static void range_of(struct view_key_range *out, const struct sortcol *col, const struct view_key *low, const struct view_key *high)
{
    *out = (struct view_key_range){ .low = *low, .high = *high, .has_high = true };
    if (col->order != SORT_DESCENDING)
        return;
    out->low = *high;   /* keys x with low <= x < high, inverted: ~high < ~x <= ~low, and whatever begins with ~low belongs to it */
    out->high = *low;
    invert(&out->low, 0);
    invert(&out->high, 0);
    successor(&out->low);
    out->has_high = successor(&out->high);
}

bool view_key_relation(struct view_key_range *out, const struct sortcol *col, const struct view_collator *c, uint8_t relop, const struct propval *v)
{
    if (v->large || prop_type(v->tag) != column_type(col) || type_multi(prop_type(v->tag)))
        return false;
    struct view_key first = { .n = 1, .p = { PRESENT } }, last = { .n = 1, .p = { BEHIND } }, at = { 0 };
    view_key_add(&at, &(struct sortcol){ col->tag, SORT_ASCENDING }, c, v);
    struct view_key after = at;
    successor(&after);
    switch (relop) {
    case RELOP_LT: range_of(out, col, &first, &at); return true;
    case RELOP_LE: range_of(out, col, &first, &after); return true;
    case RELOP_GT: range_of(out, col, &after, &last); return true;
    case RELOP_GE: range_of(out, col, &at, &last); return true;
    case RELOP_EQ: range_of(out, col, &at, &after); return true;
    default:       return false;
    }
}

bool view_key_prefix(struct view_key_range *out, const struct sortcol *col, const struct view_collator *c, struct blob utf8)
{
    struct view_collator_range r;
    if (column_type(col) != PtypString || !view_collator_prefix(c, utf8, &r))
        return false;
    struct view_key low = { .n = 1, .p = { PRESENT } }, high = low;
    put(&low, r.low, r.nlow);
    put(&high, r.high, r.nhigh);
    range_of(out, col, &low, &high);
    return true;
}

void view_key_meet(struct view_key_range *a, const struct view_key_range *b)
{
    if (blob_cmp(view_key_blob(&b->low), view_key_blob(&a->low)) > 0)
        a->low = b->low;
    if (b->has_high && (!a->has_high || blob_cmp(view_key_blob(&b->high), view_key_blob(&a->high)) < 0)) {
        a->high = b->high;
        a->has_high = true;
    }
}

bool view_key_within(const struct view_key_range *r, struct blob key)
{
    return blob_cmp(key, view_key_blob(&r->low)) >= 0 && (!r->has_high || blob_cmp(key, view_key_blob(&r->high)) < 0);
}
