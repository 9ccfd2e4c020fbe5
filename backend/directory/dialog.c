/* dialog.c - a table of controls and the words of a language -> the rows of a template, and these with strings of a code page. */
#include "backend/directory/dialog.h"
#include "backend/base/must.h"
#include "backend/base/rd.h"
#include "backend/base/utf.h"
#include "backend/base/wr.h"
#include "backend/directory/directory_int.h"

/* MS-OXOABKT 2.2.2.1.2: what a row can be, and what can be done with it */
enum control { C_LABEL = 0, C_EDIT = 1, C_LIST = 2, C_GROUP = 6, C_BUTTON = 7, C_PAGE = 8, C_VALUES = 0xB };
enum { EDIT_LINES = 0x1, EDIT_CHANGES = 0x2, EDIT_NEEDED = 0x4, ACCEPTS_DBCS = 0x20 };
enum { SCRIPT_HALT = 0, SCRIPT_EMIT = 2 };
enum { TEMPLATE_ROWS = 1, ROW_BYTES = 36, STRING_AT = 32, HEAD_BYTES = 8, ROWS_MAX = 10000, DIALOGS_VERSION = 3, BYTES_MAX = 1 << 20 };

enum text {
    NO_TEXT,
#define TEXT(name, words) TEXT_##name,
#include "backend/directory/dialog_en.def"
    TEXTS
};

static const char *const english[TEXTS] = {
#define TEXT(name, words) [TEXT_##name] = words,
#include "backend/directory/dialog_en.def"
};
static const char *const german[TEXTS] = {
#define TEXT(name, words) [TEXT_##name] = words,
#include "backend/directory/dialog_de.def"
};
static const struct language { uint32_t lcid; const char *const *text; } languages[] = { { 0x0409, english }, { 0x0407, german } };
enum { LANGUAGES = sizeof languages / sizeof languages[0] };

/* A dialog begins with a row whose `type` is not NO_TYPE. */
#define NO_TYPE UINT32_MAX
/* What is typed into the form of a new address has 8 bits, and its script works on that. */
#define EIGHT_BIT(property) PROP_TAG((property) >> 16, PtypString8)
/* Programs that make an address of what was typed: EMIT a property, HALT. */
static const uint32_t script_smtp[] = { SCRIPT_EMIT, EIGHT_BIT(PidTagEmailAddress), SCRIPT_HALT };

struct row { uint32_t type; enum control control; uint16_t x, y, w, h; uint32_t flags, property, size; enum text text; const char *address_type; const uint32_t *script; size_t words; };

static const struct row rows[] = {
#define DIALOG(type, name)                                  { type, C_PAGE, 0, 0, 0, 0, 0, 0, 0, TEXT_##name, NULL, NULL, 0 },
#define CREATION(type, name, address_type, script)          { type, C_PAGE, 0, 0, 0, 0, 0, 0, 0, TEXT_##name, address_type, script, sizeof script / sizeof script[0] },
#define PAGE(name)                                          { NO_TYPE, C_PAGE, 0, 0, 0, 0, 0, 0, 0, TEXT_##name, NULL, NULL, 0 },
#define LABEL(x, y, w, h, name)                             { NO_TYPE, C_LABEL, x, y, w, h, 0, 0, 0, TEXT_##name, NULL, NULL, 0 },
#define GROUP(x, y, w, h, name)                             { NO_TYPE, C_GROUP, x, y, w, h, 0, 0, 0, TEXT_##name, NULL, NULL, 0 },
#define EDIT(x, y, w, h, flags, property, size)             { NO_TYPE, C_EDIT, x, y, w, h, (flags) | ACCEPTS_DBCS, property, size, NO_TEXT, NULL, NULL, 0 },
#define LIST(x, y, w, h, property)                          { NO_TYPE, C_LIST, x, y, w, h, 0, PROP_TAG((property) >> 16, PtypObject), 0, NO_TEXT, NULL, NULL, 0 },
#define BUTTON(x, y, w, h, property, name)                  { NO_TYPE, C_BUTTON, x, y, w, h, 0, property, 0, TEXT_##name, NULL, NULL, 0 },
#define VALUES(x, y, w, h, property)                        { NO_TYPE, C_VALUES, x, y, w, h, 0, property, 0, NO_TEXT, NULL, NULL, 0 },
#include "backend/directory/dialog.def"
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* --- rows -> bytes --------------------------------------------------------------------------------------------------------------------------- */

static const struct language *language_of(uint32_t lcid)
{
    for (size_t i = 0; i < LANGUAGES; i++)
        if (languages[i].lcid == lcid)
            return &languages[i];
    return NULL;
}

/* The rows of a dialog: behind its head, up to the next one. */
static size_t dialog_rows(uint32_t type, const struct row **head)
{
    size_t at = 0, n = 0;
    while (at < ROWS && rows[at].type != type)
        at++;
    *head = at < ROWS ? &rows[at] : NULL;
    while (*head != NULL && at + 1 + n < ROWS && rows[at + 1 + n].type == NO_TYPE)
        n++;
    return n;
}

/* An edit control's string says which characters it takes: all. */
static const char *string_of(const struct row *r, const struct language *l) { return r->control == C_EDIT ? "*" : l->text[r->text]; }

static void write_row(struct wr *w, const struct row *r, uint32_t string)
{
    wr_u32(w, r->x);
    wr_u32(w, r->w);
    wr_u32(w, r->y);
    wr_u32(w, r->h);
    wr_u32(w, r->control);
    wr_u32(w, r->flags);
    wr_u32(w, r->property);
    wr_u32(w, r->size);
    wr_u32(w, string);
}

struct blob dialog_bytes(struct arena *a, uint32_t type, uint32_t lcid)
{
    const struct language *l = language_of(lcid);
    const struct row *head;
    size_t n = dialog_rows(type, &head);
    if (l == NULL || head == NULL)
        return blob_of(NULL, 0);
    struct wr w = wr_in(a, BYTES_MAX), strings = wr_in(a, BYTES_MAX);
    uint32_t base = (uint32_t)(HEAD_BYTES + n * ROW_BYTES);
    wr_u32(&w, TEMPLATE_ROWS);
    wr_u32(&w, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        const char *s = string_of(&head[1 + i], l);
        write_row(&w, &head[1 + i], s != NULL ? base + (uint32_t)strings.n : 0);
        if (s != NULL)
            wr_bytes(&strings, s, strlen(s) + 1);
    }
    wr_put(&w, wr_blob(&strings));
    must(!w.full && !strings.full);
    return wr_blob(&w);
}

/* --- bytes -> the same in a code page ------------------------------------------------------------------------------------------------------------ */

static bool string_at(struct blob bytes, uint32_t at, struct blob *out)
{
    struct rd r = rd_blob_of(bytes);
    rd_take(&r, at);
    *out = rd_asciiz(&r);
    return rd_ok(&r);
}

bool dialog_reencode(struct arena *a, struct blob bytes, uint32_t code_page, struct blob *out)
{
    struct rd r = rd_blob_of(bytes);
    struct wr w = wr_in(a, BYTES_MAX), strings = wr_in(a, BYTES_MAX);
    uint32_t type = rd_u32(&r), n = rd_u32(&r);
    if (type != TEMPLATE_ROWS || n > ROWS_MAX || rd_count(&r, n, ROW_BYTES) != n)
        return false;
    wr_u32(&w, type);
    wr_u32(&w, n);
    for (uint32_t i = 0; i < n; i++) {
        wr_put(&w, rd_blob(&r, STRING_AT));
        uint32_t at = rd_u32(&r);
        struct blob s;
        if (at != 0 && !string_at(bytes, at, &s))
            return false;
        wr_u32(&w, at != 0 ? (uint32_t)(HEAD_BYTES + n * ROW_BYTES + strings.n) : 0);
        if (at != 0) {
            wr_put(&strings, codepage_from_utf8(a, (uint16_t)code_page, s));
            wr_u8(&strings, 0);
        }
    }
    wr_put(&w, wr_blob(&strings));
    *out = wr_blob(&w);
    return rd_ok(&r) && !w.full && !strings.full;
}

/* --- into the database ----------------------------------------------------------------------------------------------------------------------------- */

static ec_t version(struct directory *d, int64_t *out)
{
    bool row;
    sqlite3_stmt *q = q_begin(d, "SELECT value FROM setting WHERE key='dialogs_version'");
    if (q == NULL)
        return EC(ecDiskError);
    ec_t ec = q_row(q, &row);
    *out = row ? sqlite3_column_int64(q, 0) : 0;
    q_end(d, q);
    return ec;
}

static ec_t set_version(struct directory *d)
{
    sqlite3_stmt *q = q_begin(d, "INSERT OR REPLACE INTO setting VALUES('dialogs_version', ?1)");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, DIALOGS_VERSION);
    return q_done(d, q);
}

/* The number of its words stands in front, and is not one of those that offsets count from (MS-OXOABKT 2.2.2.2). */
static struct blob script_of(struct arena *a, const struct row *r)
{
    struct wr w = wr_in(a, BYTES_MAX);
    if (r->words != 0)
        wr_u32(&w, (uint32_t)r->words);
    for (size_t i = 0; i < r->words; i++)
        wr_u32(&w, r->script[i]);
    return wr_blob(&w);
}

static ec_t put_all(struct directory *d, struct arena *a)
{
    for (size_t l = 0; l < LANGUAGES; l++)
        for (size_t i = 0; i < ROWS; i++) {
            if (rows[i].type == NO_TYPE)
                continue;
            struct template t = { .purpose = rows[i].script != NULL ? TEMPLATE_CREATE : TEMPLATE_DETAILS, .type = rows[i].type, .address_type = rows[i].address_type,
                                  .script = script_of(a, &rows[i]), .lcid = languages[l].lcid, .name = languages[l].text[rows[i].text],
                                  .data = dialog_bytes(a, rows[i].type, languages[l].lcid) };
            TRY(template_put(d, a, &t));
        }
    return set_version(d);
}

/* Several processes may start at once: the first one puts them in, the others see that under the lock. */
ec_t dialog_install(struct directory *d, struct arena *a)
{
    int64_t have;
    TRY(version(d, &have));
    if (have >= DIALOGS_VERSION)
        return ecNone;
    TRY(tx_begin(d));
    ec_t ec = version(d, &have);
    if (ec == ecNone && have < DIALOGS_VERSION)
        ec = put_all(d, a);
    return tx_end(d, ec);
}
