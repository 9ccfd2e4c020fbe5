/* csv.c - fields, quoted or not, under the names of the header line. */
#include "backend/directory/source/csv.h"
#include "backend/base/crypto.h"
#include "backend/base/utf.h"
#include <strings.h>

enum { COLUMNS_MAX = 256, LATIN = 1252 };

struct csv {
    FILE *f;
    int   separator;
    size_t line;
    const struct attr_map *map;
    const char *column[COLUMNS_MAX];
    size_t columns;
    int    id, mail;                 /* columns; -1: none */
};

struct row { struct blob field[COLUMNS_MAX]; size_t n, bytes; };
struct text { char *p; size_t n, cap; };

static void push(struct arena *a, struct text *t, int c)
{
    t->p = arena_grow(a, t->p, &t->cap, t->n, 1);
    t->p[t->n++] = (char)c;
}

/* Behind the opening quote, up to the closing one; two stand for one. */
static bool quoted(struct csv *c, struct arena *a, struct text *t)
{
    for (int ch; (ch = getc(c->f)) != EOF && t->n < RECORD_LINE_MAX; push(a, t, ch)) {
        if (ch == '\n')
            c->line++;
        if (ch != '"')
            continue;
        ch = getc(c->f);
        if (ch != '"') {
            ungetc(ch, c->f);
            return true;
        }
    }
    return false;
}

/* One field; *end is what stands behind it: separator, '\n' or EOF. */
static bool field(struct csv *c, struct arena *a, struct blob *out, int *end, const char **why)
{
    struct text t = { NULL, 0, 0 };
    int ch = getc(c->f);
    bool in_quotes = ch == '"';
    if (in_quotes) {
        if (!quoted(c, a, &t)) {
            *why = "a quote is not closed";
            return false;
        }
        ch = getc(c->f);
    }
    for (; ch != EOF && ch != '\n' && ch != c->separator; ch = getc(c->f)) {
        if (ch == '\r')
            continue;
        if (in_quotes || t.n == RECORD_LINE_MAX) {
            *why = in_quotes ? "text behind a closing quote" : "the value is too long";
            return false;
        }
        push(a, &t, ch);
    }
    if (ch == '\n')
        c->line++;
    *out = blob_of(t.p, t.n);
    *end = ch;
    return true;
}

/* False at the end of the file, or with *why.  Empty lines are passed over. */
static bool row(struct csv *c, struct arena *a, struct row *out, const char **why)
{
    int end = '\n';
    do {
        *out = (struct row){ .n = 0 };
        do {
            if (out->n == COLUMNS_MAX || out->bytes > RECORD_LINE_MAX)
                *why = "too many fields";
            if (*why != NULL || !field(c, a, &out->field[out->n], &end, why))
                return false;
            out->bytes += out->field[out->n++].n;
        } while (end == c->separator);
    } while (out->bytes == 0 && out->n == 1 && end != EOF);
    return out->bytes != 0 || out->n > 1;
}

static struct blob as_utf8(struct arena *a, struct blob b) { return utf8_valid(b) ? b : utf8_from_codepage(a, LATIN, b); }

/* --- header line ------------------------------------------------------------------------------------------------------------------------- */

static int separator_of(FILE *f)
{
    long at = ftell(f);
    int found = ',';
    for (int c; (c = getc(f)) != EOF && c != '\n'; )
        if (c == ',' || c == ';' || c == '\t') {
            found = c;
            break;
        }
    if (at < 0 || fseek(f, at, SEEK_SET) != 0)
        rewind(f);
    return found;
}

static void pass_mark(FILE *f)
{
    static const int mark[] = { 0xEF, 0xBB, 0xBF };
    for (size_t i = 0; i < 3; i++) {
        int c = getc(f);
        if (c != mark[i]) {
            rewind(f);
            return;
        }
    }
}

static const char *name_column(struct csv *c, struct arena *a, struct blob text)
{
    while (text.n != 0 && text.p[text.n - 1] == ' ')
        text.n--;
    const char *name = arena_str(a, text);
    for (size_t i = 0; i < c->columns; i++)
        if (strcasecmp(c->column[i], name) == 0)
            return arena_printf(a, "the column \"%s\" stands there twice", name);
    if (strcasecmp(name, "id") == 0)
        c->id = (int)c->columns;
    else if (attr_form(c->map, name) == ATTR_UNKNOWN)
        return arena_printf(a, "the column \"%.80s\" is not known", name);
    if (strcasecmp(name, "mail") == 0)
        c->mail = (int)c->columns;
    c->column[c->columns++] = name;
    return NULL;
}

struct csv *csv_open(FILE *f, const struct attr_map *m, struct arena *a, const char **why)
{
    struct csv *c = arena_one(a, struct csv);
    struct row *head = arena_one(a, struct row);
    *c = (struct csv){ .f = f, .line = 1, .map = m, .id = -1, .mail = -1 };
    *why = NULL;
    pass_mark(f);
    c->separator = separator_of(f);
    if (!row(c, a, head, why)) {
        *why = *why != NULL ? *why : "it is empty";
        return NULL;
    }
    for (size_t i = 0; i < head->n && *why == NULL; i++)
        *why = name_column(c, a, as_utf8(a, head->field[i]));
    if (*why == NULL && c->id < 0 && c->mail < 0)
        *why = "it needs a column \"id\" or \"mail\" that names each object";
    return *why == NULL ? c : NULL;
}

/* --- rows -------------------------------------------------------------------------------------------------------------------------------- */

static bool put_value(struct arena *a, struct record *r, const char *name, bool binary, struct blob v, const char **why)
{
    if (v.n == 0)
        return true;
    if (binary && !base64_decode(a, arena_str(a, v), &v)) {
        *why = arena_printf(a, "%s: the base64 value is broken", name);
        return false;
    }
    record_add(a, r, name, v);
    return true;
}

static bool put_field(struct csv *c, struct arena *a, struct record *r, const char *name, struct blob v, const char **why)
{
    enum attr_form form = attr_form(c->map, name);
    bool binary = form == ATTR_BINARY || form == ATTR_BINARIES, several = form == ATTR_TEXTS || form == ATTR_BINARIES;
    v = binary ? v : as_utf8(a, v);
    for (const uint8_t *bar; several && v.n != 0 && (bar = memchr(v.p, '|', v.n)) != NULL; v = blob_of(bar + 1, v.n - (size_t)(bar + 1 - v.p)))
        if (!put_value(a, r, name, binary, blob_of(v.p, (size_t)(bar - v.p)), why))
            return false;
    return put_value(a, r, name, binary, v, why);
}

enum record_next csv_next(struct csv *c, struct arena *a, struct record *out, const char **why)
{
    struct row *x = arena_one(a, struct row);
    *out = (struct record){ .line = c->line, .key = "", .name = "" };
    *why = NULL;
    if (!row(c, a, x, why))
        return *why != NULL ? RECORD_BAD : RECORD_END;
    if (x->n > c->columns) {
        *why = "more fields than the header line has";
        return RECORD_BAD;
    }
    for (size_t i = 0; i < x->n; i++)
        if ((int)i != c->id && !put_field(c, a, out, c->column[i], x->field[i], why))
            return RECORD_BAD;
    if (c->mail >= 0 && (size_t)c->mail < x->n)
        out->name = arena_str(a, as_utf8(a, x->field[c->mail]));
    out->key = c->id >= 0 && (size_t)c->id < x->n ? arena_str(a, as_utf8(a, x->field[c->id])) : out->name;
    return RECORD_READ;
}

void csv_write(FILE *f, const struct blob *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool quote = false;
        for (size_t k = 0; k < v[i].n && !quote; k++)
            quote = strchr(",;\t\"\r\n", v[i].p[k]) != NULL;
        if (i != 0)
            putc(',', f);
        if (quote)
            putc('"', f);
        for (size_t k = 0; k < v[i].n; k++) {
            if (v[i].p[k] == '"')
                putc('"', f);
            putc(v[i].p[k], f);
        }
        if (quote)
            putc('"', f);
    }
    fputs("\r\n", f);
}
