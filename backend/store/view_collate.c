/* view_collate.c - strings go in, sort keys come out; a few collators per thread. */
#include "backend/store/view_collate.h"
#include "backend/base/must.h"
#include "backend/base/utf.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unicode/ucol.h>
#include <unicode/uloc.h>

struct view_collator { uint32_t lcid; uint64_t used; UCollator *ucol; char name[48]; };

enum { POOL = 8 };
struct pool { struct view_collator c[POOL]; size_t n; uint64_t clock; };

static pthread_key_t  pool_key;
static pthread_once_t pool_once = PTHREAD_ONCE_INIT;

static void pool_free(void *ptr)
{
    struct pool *p = ptr;
    for (size_t i = 0; i < p->n; i++)
        ucol_close(p->c[i].ucol);
    free(p);
}

/* The key's destructor does not run for the main thread. */
static void pool_free_main(void)
{
    struct pool *p = pthread_getspecific(pool_key);
    if (p != NULL) {
        pthread_setspecific(pool_key, NULL);
        pool_free(p);
    }
}

static void pool_init(void)
{
    must(pthread_key_create(&pool_key, pool_free) == 0);
    atexit(pool_free_main);
}

static struct pool *pool_mine(void)
{
    pthread_once(&pool_once, pool_init);
    struct pool *p = pthread_getspecific(pool_key);
    if (p == NULL) {
        p = calloc(1, sizeof *p);
        must(p != NULL && pthread_setspecific(pool_key, p) == 0);
    }
    return p;
}

static UCollator *open_locale(uint32_t lcid)
{
    char locale[ULOC_FULLNAME_CAPACITY] = "";
    UErrorCode e = U_ZERO_ERROR;
    uloc_getLocaleForLCID(lcid, locale, (int32_t)sizeof locale, &e);
    if (U_FAILURE(e))
        locale[0] = 0;
    e = U_ZERO_ERROR;
    UCollator *c = ucol_open(locale, &e);
    if (U_FAILURE(e)) {
        e = U_ZERO_ERROR;
        c = ucol_open("root", &e);
    }
    must(c != NULL && U_SUCCESS(e)); /* the root collation is part of the library */
    return c;
}

static void open_into(struct view_collator *c, uint32_t lcid)
{
    UErrorCode e = U_ZERO_ERROR;
    UVersionInfo v;
    c->lcid = lcid;
    c->ucol = open_locale(lcid);
    ucol_setAttribute(c->ucol, UCOL_STRENGTH, UCOL_SECONDARY, &e);
    must(U_SUCCESS(e));
    ucol_getVersion(c->ucol, v);
    const char *actual = ucol_getLocaleByType(c->ucol, ULOC_ACTUAL_LOCALE, &e);
    snprintf(c->name, sizeof c->name, "%.24s %u.%u.%u.%u", actual != NULL && actual[0] != 0 ? actual : "root", v[0], v[1], v[2], v[3]);
}

const struct view_collator *view_collator(uint32_t lcid)
{
    struct pool *p = pool_mine();
    struct view_collator *oldest = &p->c[0];
    for (size_t i = 0; i < p->n; i++) {
        if (p->c[i].lcid == lcid) {
            p->c[i].used = ++p->clock;
            return &p->c[i];
        }
        if (p->c[i].used < oldest->used)
            oldest = &p->c[i];
    }
    if (p->n < POOL)
        oldest = &p->c[p->n++];
    else
        ucol_close(oldest->ucol);
    open_into(oldest, lcid);
    oldest->used = ++p->clock;
    return oldest;
}

const char *view_collator_name(const struct view_collator *c) { return c->name; }

/* At most VIEW_STRING_UNITS units; returns how many. */
static int32_t to_units(struct blob utf8, UChar out[VIEW_STRING_UNITS])
{
    uint8_t le[2 * VIEW_STRING_UNITS];
    struct blob s = utf8_cut(utf8, VIEW_STRING_UNITS);
    size_t n = utf16_size(s);
    must(n <= sizeof le);
    utf16_put(le, s);
    for (size_t i = 0; i < n / 2; i++)
        out[i] = (UChar)(le[2 * i] | le[2 * i + 1] << 8);
    return (int32_t)(n / 2);
}

size_t view_collator_key(const struct view_collator *c, struct blob utf8, uint8_t *out, size_t cap)
{
    UChar units[VIEW_STRING_UNITS];
    int32_t n = to_units(utf8, units);
    int32_t size = ucol_getSortKey(c->ucol, units, n, out, (int32_t)cap);
    if (size <= 0)
        return 0;
    return (size_t)size <= cap ? (size_t)size - 1 : cap;
}

static size_t bound_of(const uint8_t *key, size_t n, UColBoundMode mode, uint8_t out[VIEW_COLLATION_KEY])
{
    UErrorCode e = U_ZERO_ERROR;
    uint8_t buf[VIEW_COLLATION_KEY + 8];
    int32_t size = ucol_getBound(key, (int32_t)n, mode, 1, buf, (int32_t)sizeof buf, &e);
    if (U_FAILURE(e) || size <= 1)
        return 0;
    n = (size_t)size - 1 < VIEW_COLLATION_KEY ? (size_t)size - 1 : VIEW_COLLATION_KEY;
    memcpy(out, buf, n);
    return n;
}

bool view_collator_prefix(const struct view_collator *c, struct blob utf8, struct view_collator_range *out)
{
    uint8_t key[VIEW_COLLATION_KEY];
    size_t n = view_collator_key(c, utf8, key, sizeof key - 1);
    key[n] = 0;
    out->nlow = bound_of(key, n + 1, UCOL_BOUND_LOWER, out->low);
    out->nhigh = bound_of(key, n + 1, UCOL_BOUND_UPPER_LONG, out->high);
    return out->nlow != 0 && out->nhigh != 0;
}
