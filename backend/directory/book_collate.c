/* book_collate.c - names go in, sort keys of ICU come out. */
#include "backend/directory/book_collate.h"
#include "backend/base/must.h"
#include "backend/base/utf.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unicode/ucol.h>
#include <unicode/uloc.h>

struct book_collator { UCollator *ucol; char name[64]; };

/* There are fewer collations than POOL in the world; many locales share one. */
enum { POOL = 256, RECENT = 64 };
static struct {
    pthread_mutex_t       lock;
    struct book_collator *c[POOL];
    size_t                n;
    struct { uint32_t lcid; const struct book_collator *c; } recent[RECENT];
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER };

static UCollator *open_collator(const char *locale, bool with_symbols)
{
    UErrorCode e = U_ZERO_ERROR;
    UCollator *c = ucol_open(locale, &e);
    if (U_FAILURE(e)) {
        e = U_ZERO_ERROR;
        c = ucol_open("root", &e);
    }
    must(c != NULL && U_SUCCESS(e)); /* the root collation is part of the library */
    ucol_setAttribute(c, UCOL_STRENGTH, UCOL_PRIMARY, &e);
    if (!with_symbols) {
        ucol_setMaxVariable(c, UCOL_REORDER_CODE_SYMBOL, &e);
        ucol_setAttribute(c, UCOL_ALTERNATE_HANDLING, UCOL_SHIFTED, &e);
    } else {
        ucol_setAttribute(c, UCOL_ALTERNATE_HANDLING, UCOL_NON_IGNORABLE, &e);
    }
    must(U_SUCCESS(e));
    return c;
}

static void name_of(const UCollator *c, bool with_symbols, char *out, size_t cap)
{
    UErrorCode e = U_ZERO_ERROR;
    const char *actual = ucol_getLocaleByType(c, ULOC_ACTUAL_LOCALE, &e);
    snprintf(out, cap, "%s%s", with_symbols ? "+" : "", actual != NULL && actual[0] != 0 ? actual : "root");
}

static const struct book_collator *take(const char *locale, bool with_symbols)
{
    char name[sizeof pool.c[0]->name];
    UCollator *ucol = open_collator(locale, with_symbols);
    name_of(ucol, with_symbols, name, sizeof name);
    for (size_t i = 0; i < pool.n; i++)
        if (strcmp(pool.c[i]->name, name) == 0) {
            ucol_close(ucol);
            return pool.c[i];
        }
    if (pool.n == POOL) {
        ucol_close(ucol);
        return pool.c[0];
    }
    struct book_collator *c = calloc(1, sizeof *c);
    must(c != NULL);
    c->ucol = ucol;
    memcpy(c->name, name, sizeof name);
    return pool.c[pool.n++] = c;
}

const struct book_collator *book_collator(uint32_t lcid)
{
    pthread_mutex_lock(&pool.lock);
    size_t at = lcid % RECENT;
    const struct book_collator *c = pool.recent[at].lcid == lcid ? pool.recent[at].c : NULL;
    if (c == NULL) {
        char locale[ULOC_FULLNAME_CAPACITY] = "";
        UErrorCode e = U_ZERO_ERROR;
        uloc_getLocaleForLCID(lcid, locale, (int32_t)sizeof locale, &e);
        c = take(U_SUCCESS(e) && e != U_STRING_NOT_TERMINATED_WARNING && locale[0] != 0 ? locale : "root", lcid == LCID_DEFAULT);
        pool.recent[at].lcid = lcid;
        pool.recent[at].c = c;
    }
    pthread_mutex_unlock(&pool.lock);
    return c;
}

size_t book_collate(const struct book_collator *c, struct blob utf8, uint8_t out[COLLATE_KEY])
{
    UChar       unit[COLLATE_UNITS];
    uint8_t     le[2 * COLLATE_UNITS];
    struct blob s = utf8_cut(utf8, COLLATE_UNITS);
    size_t      n = utf16_size(s);
    must(n <= sizeof le);
    utf16_put(le, s);
    for (size_t i = 0; i < n / 2; i++)
        unit[i] = (UChar)(le[2 * i] | le[2 * i + 1] << 8);
    int32_t size = ucol_getSortKey(c->ucol, unit, (int32_t)(n / 2), out, COLLATE_KEY);
    if (size <= 0)
        return 0;
    return size <= COLLATE_KEY ? (size_t)size - 1 : COLLATE_KEY;
}
