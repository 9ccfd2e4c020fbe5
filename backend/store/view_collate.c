/* view_collate.c - strings go in, sort keys come out; a few collators per thread. */
#include "backend/store/view_collate.h"
#include "backend/base/must.h"
#include "backend/base/utf.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unicode/ucol.h>
#include <unicode/uloc.h>

struct view_collator { UCollator *ucol; char name[48]; };

/* There are fewer collations than POOL in the world; many locales share one. */
enum { POOL = 256, RECENT = 64 };
struct pool {
    struct view_collator *c[POOL];
    size_t n;
    struct { uint32_t lcid; const struct view_collator *c; } recent[RECENT];
};

static pthread_key_t  pool_key;
static pthread_once_t pool_once = PTHREAD_ONCE_INIT;

static void pool_free(void *ptr)
{
    struct pool *p = ptr;
    for (size_t i = 0; i < p->n; i++) {
        ucol_close(p->c[i]->ucol);
        free(p->c[i]);
    }
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

static UCollator *open_collator(const char *locale)
{
    UErrorCode e = U_ZERO_ERROR;
    UCollator *c = ucol_open(locale, &e);
    if (U_FAILURE(e)) {
        e = U_ZERO_ERROR;
        c = ucol_open("root", &e);
    }
    must(c != NULL && U_SUCCESS(e)); /* the root collation is part of the library */
    ucol_setAttribute(c, UCOL_STRENGTH, UCOL_SECONDARY, &e);
    must(U_SUCCESS(e));
    return c;
}

static void name_of(const UCollator *c, char *out, size_t cap)
{
    UErrorCode e = U_ZERO_ERROR;
    UVersionInfo v;
    ucol_getVersion(c, v);
    const char *actual = ucol_getLocaleByType(c, ULOC_ACTUAL_LOCALE, &e);
    snprintf(out, cap, "%.24s %u.%u.%u.%u", actual != NULL && actual[0] != 0 ? actual : "root", v[0], v[1], v[2], v[3]);
}

static const struct view_collator *find_name(const struct pool *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->c[i]->name, name) == 0)
            return p->c[i];
    return NULL;
}

/* The pool's collator for a locale of ICU: what is there already, or a new one. */
static const struct view_collator *take(struct pool *p, const char *locale)
{
    char name[sizeof p->c[0]->name];
    UCollator *ucol = open_collator(locale);
    name_of(ucol, name, sizeof name);
    const struct view_collator *have = find_name(p, name);
    if (have == NULL && p->n < POOL) {
        struct view_collator *c = calloc(1, sizeof *c);
        must(c != NULL);
        c->ucol = ucol;
        memcpy(c->name, name, sizeof name);
        p->c[p->n++] = c;
        return c;
    }
    ucol_close(ucol);
    return have != NULL ? have : p->c[0];
}

const struct view_collator *view_collator(uint32_t lcid)
{
    struct pool *p = pool_mine();
    size_t i = lcid % RECENT;
    if (p->recent[i].c != NULL && p->recent[i].lcid == lcid)
        return p->recent[i].c;
    char locale[ULOC_FULLNAME_CAPACITY] = "";
    UErrorCode e = U_ZERO_ERROR;
    uloc_getLocaleForLCID(lcid, locale, (int32_t)sizeof locale, &e);
    p->recent[i].c = take(p, U_SUCCESS(e) && e != U_STRING_NOT_TERMINATED_WARNING && locale[0] != 0 ? locale : "root");
    p->recent[i].lcid = lcid;
    return p->recent[i].c;
}

const struct view_collator *view_collator_named(const char *name)
{
    struct pool *p = pool_mine();
    const struct view_collator *have = find_name(p, name);
    if (have != NULL)
        return have;
    char locale[ULOC_FULLNAME_CAPACITY];
    snprintf(locale, sizeof locale, "%.*s", (int)strcspn(name, " "), name);
    have = take(p, locale);
    return strcmp(have->name, name) == 0 ? have : NULL;
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
