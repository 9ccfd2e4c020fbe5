/* codepage.c - bytes of 8-bit clients in Windows code pages, to UTF-8 and back. */
#include "backend/base/must.h"
#include "backend/base/utf.h"
#include <unicode/ucnv.h>
#include <unicode/ucnv_cb.h>
#include <unicode/ucnv_err.h>

struct codepage { uint16_t number; const char *icu; bool ascii; };

enum { CP_1200 = 1200, CP_1252 = 1252, CP_TELETEX = 20261, CP_UTF8 = 65001 };

static const struct codepage codepages[] = {
#define CODEPAGE(number, icu, ascii) { number, icu, ascii },
#include "backend/base/codepage.def"
#undef CODEPAGE
};

static const struct codepage *find(uint16_t number)
{
    for (size_t i = 0; i < sizeof codepages / sizeof *codepages; i++)
        if (codepages[i].number == number)
            return &codepages[i];
    return NULL;
}

bool codepage_known(uint16_t code_page) { return find(code_page) != NULL; }

static const struct codepage *find_or_default(uint16_t number)
{
    const struct codepage *cp = find(number);
    return cp != NULL ? cp : find(CP_1252);
}

static bool all_ascii(struct blob s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] >= 0x80)
            return false;
    return true;
}

static void to_question(const void *ctx, UConverterToUnicodeArgs *args, const char *bytes, int32_t n, UConverterCallbackReason why,
                        UErrorCode *err)
{
    (void)ctx, (void)bytes, (void)n;
    if (why > UCNV_IRREGULAR)
        return; /* reset, close, clone: nothing to write */
    static const UChar question[] = { '?' };
    *err = U_ZERO_ERROR;
    ucnv_cbToUWriteUChars(args, question, 1, 0, err);
}

static void from_question(const void *ctx, UConverterFromUnicodeArgs *args, const UChar *units, int32_t n, UChar32 c,
                          UConverterCallbackReason why, UErrorCode *err)
{
    (void)ctx, (void)units, (void)n, (void)c;
    if (why > UCNV_IRREGULAR)
        return;
    static const UChar question[] = { '?' }, *from = question;
    const UChar *p = from;
    *err = U_ZERO_ERROR;
    ucnv_cbFromUWriteUChars(args, &p, question + 1, 0, err);
}

/* ICU keeps the tables of a converter once loaded, so that opening one is cheap. */
static UConverter *open_converter(const struct codepage *cp)
{
    UErrorCode  err = U_ZERO_ERROR;
    UConverter *cnv = ucnv_open(cp->icu, &err);
    must(U_SUCCESS(err) && cnv != NULL); /* every line of codepage.def is opened by a test */
    ucnv_setToUCallBack(cnv, to_question, NULL, NULL, NULL, &err);
    ucnv_setFromUCallBack(cnv, from_question, NULL, NULL, NULL, &err);
    ucnv_setFallback(cnv, true);
    return cnv;
}

struct blob utf8_from_codepage(struct arena *a, uint16_t code_page, struct blob bytes)
{
    const struct codepage *cp = find_or_default(code_page);
    if (cp->ascii && all_ascii(bytes))
        return arena_blob(a, bytes);
    if (cp->number == CP_UTF8)
        return utf8_clean(a, bytes);
    if (cp->number == CP_TELETEX)
        return utf8_from_teletex(a, bytes);
    if (cp->number == CP_1200)
        return utf8_from_utf16(a, bytes);
    if (bytes.n > INT32_MAX / 4)
        return blob_of(NULL, 0);
    UErrorCode  err = U_ZERO_ERROR;
    UConverter *cnv = open_converter(cp);
    size_t      cap = bytes.n * 2 + 16; /* more units than bytes come from no code page that we know, but ask */
    UChar      *units = arena_array(a, UChar, cap);
    int32_t     n = ucnv_toUChars(cnv, units, (int32_t)cap, (const char *)bytes.p, (int32_t)bytes.n, &err);
    if (err == U_BUFFER_OVERFLOW_ERROR) {
        err = U_ZERO_ERROR;
        units = arena_array(a, UChar, (size_t)n + 1);
        n = ucnv_toUChars(cnv, units, n + 1, (const char *)bytes.p, (int32_t)bytes.n, &err);
    }
    ucnv_close(cnv);
    return U_SUCCESS(err) ? utf8_from_utf16(a, blob_of(units, (size_t)n * sizeof *units)) : blob_of(NULL, 0);
}

struct blob codepage_from_utf8(struct arena *a, uint16_t code_page, struct blob utf8)
{
    const struct codepage *cp = find_or_default(code_page);
    if (cp->number == CP_UTF8 || (cp->ascii && all_ascii(utf8)))
        return utf8;
    if (cp->number == CP_TELETEX)
        return teletex_from_utf8(a, utf8);
    struct blob utf16 = utf16_from_utf8(a, utf8);
    if (cp->number == CP_1200)
        return utf16;
    if (utf16.n > INT32_MAX / 8)
        return blob_of(NULL, 0);
    UErrorCode  err = U_ZERO_ERROR;
    UConverter *cnv = open_converter(cp);
    int32_t     units = (int32_t)(utf16.n / sizeof(UChar)), cap = UCNV_GET_MAX_BYTES_FOR_STRING(units, ucnv_getMaxCharSize(cnv));
    uint8_t    *out = arena_alloc(a, (size_t)cap);
    int32_t     n = ucnv_fromUChars(cnv, (char *)out, cap, (const UChar *)utf16.p, units, &err);
    ucnv_close(cnv);
    return U_SUCCESS(err) ? blob_of(out, (size_t)n) : blob_of(NULL, 0);
}
