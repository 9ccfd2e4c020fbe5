/* decode_book.c - bodies of the address book, request or response, printed field by field by the layouts of nspi.def. */
#include "deploy/mapictl/decode.h"
#include "backend/base/utf.h"
#include "backend/mapi/entryid.h"
#include "session/nspi/nspi_row.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IDS_IN_LINE = 8, BYTES_SHOWN = 32 };

/* Bodies that are no requests of the address book and that no other file prints. */
static const struct nspi_def others[] = {
    { .name = "PING", .request = "", .request_fields = "", .answer = "", .answer_fields = "", .flags = ENDS },
    { .name = "Disconnect", .request = "", .request_fields = "", .answer = "", .answer_fields = "", .flags = ENDS },
    { .name = "NotificationWait", .request = "f", .request_fields = "Reserved", .answer = "a", .answer_fields = "EventPending" },
};

const struct nspi_def *decode_book_find(const char *type)
{
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcasecmp(others[i].name, type) == 0)
            return &others[i];
    return nspi_find(type);
}

struct page {
    struct arena   *a;
    struct rd      *r;
    const uint8_t  *start;
    struct pv_codec codec;
    const char     *names;                    /* what is left of the list */
    char            name[32], set[16];        /* the current one, and what its number is */
    bool            flags, quiet, strict;
    struct decode_place *place;
};

__attribute__((format(printf, 2, 3))) static void say(const struct page *p, const char *format, ...)
{
    va_list v;
    va_start(v, format);
    if (!p->quiet)
        vprintf(format, v);
    va_end(v);
}

/* --- names ----------------------------------------------------------------------------------------------------------------------------------- */

static void take_name(struct page *p, const char *word, size_t n)
{
    size_t end = strcspn(word, ":| ");
    snprintf(p->name, sizeof p->name, "%.*s", (int)(end < n ? end : n), word);
    snprintf(p->set, sizeof p->set, "%.*s", end < n ? (int)(n - end - 1) : 0, end < n ? word + end + 1 : "");
    p->flags = end < n && word[end] == '|';
}

static void next_name(struct page *p)
{
    p->names += strspn(p->names, " ");
    size_t n = strcspn(p->names, " ");
    take_name(p, p->names, n);
    *p->place = (struct decode_place){ .field = arena_strdup(p->a, p->name), .begin = (size_t)(p->r->p - p->start) };
    p->names += n;
}

static const struct { const char *set; uint32_t value; const char *name; } consts[] = {
#define CONST(set, name, value, text) { #set, value, text },
#include "session/nspi/nspiconst.def"
#undef CONST
};
enum { CONSTS = sizeof consts / sizeof consts[0] };

static const char *const_name(const char *set, uint32_t v)
{
    for (size_t i = 0; i < CONSTS; i++)
        if (strcmp(consts[i].set, set) == 0 && consts[i].value == v)
            return consts[i].name;
    return NULL;
}

static const char *flag_names(struct arena *a, const char *set, uint32_t v)
{
    const char *text = "";
    for (size_t i = 0; i < CONSTS; i++)
        if (strcmp(consts[i].set, set) == 0 && (v & consts[i].value) != 0) {
            text = arena_printf(a, "%s%s%s", text, *text != '\0' ? " | " : "", consts[i].name);
            v &= ~consts[i].value;
        }
    return v == 0 ? text : arena_printf(a, "%s%s0x%x", text, *text != '\0' ? " | " : "", v);
}

/* What a number is called, or "". */
static const char *meaning(const struct page *p, uint32_t v)
{
    const char *name = p->flags ? flag_names(p->a, p->set, v) : strcmp(p->set, "tag") == 0 ? proptag_name(v) : const_name(p->set, v);
    return name != NULL ? name : "";
}

/* --- plain fields ---------------------------------------------------------------------------------------------------------------------------- */

static void print_number(const struct page *p, const char *indent, uint32_t v)
{
    const char *name = meaning(p, v);
    if (rd_ok(p->r))
        say(p, "%s%-*s 0x%08x (%u)%s%s\n", indent, (int)(26 - strlen(indent)), p->name, v, v, *name != '\0' ? "  " : "", name);
}

static void label(const struct page *p) { say(p, "  %-24s ", p->name); }

static void show_number(struct page *p) { print_number(p, "  ", rd_u32(p->r)); }

static void show_code_page(struct page *p)
{
    uint32_t v = rd_u32(p->r);
    p->codec.code_page = nspi_code_page(v);
    print_number(p, "  ", v);
}

static void show_signed(struct page *p)
{
    int32_t v = (int32_t)rd_u32(p->r);
    if (rd_ok(p->r))
        say(p, "  %-24s %d\n", p->name, v);
}

static void show_byte(struct page *p)
{
    uint8_t v = rd_u8(p->r);
    if (rd_ok(p->r))
        say(p, "  %-24s 0x%02x (%s)\n", p->name, v, v != 0 ? "true" : "false");
}

static void show_guid(struct page *p)
{
    char text[GUID_TEXT];
    struct guid g;
    rd_copy(p->r, g.b, sizeof g.b);
    if (rd_ok(p->r))
        say(p, "  %-24s %s\n", p->name, guid_text(&g, text));
}

static void quote(const struct page *p, struct blob utf8)
{
    if (!p->quiet)
        decode_text(utf8);
    say(p, "\n");
}

static struct blob wide(const struct page *p) { return utf8_from_utf16(p->a, rd_utf16z(p->r)); }
static struct blob narrow(const struct page *p) { return utf8_from_codepage(p->a, p->codec.code_page, rd_asciiz(p->r)); }

static void show_text(struct page *p, struct blob utf8)
{
    if (!rd_ok(p->r))
        return;
    label(p);
    quote(p, utf8);
}

static void show_wide(struct page *p) { show_text(p, wide(p)); }
static void show_dn(struct page *p) { show_text(p, narrow(p)); }

/* The fields of a STAT one by one, so that a STAT that breaks off is shown as far as it goes. */
static void show_stat(struct page *p)
{
    static const struct { const char *name; bool sign; } stat[] = {
#define STAT(type, field, name) { name, (type)-1 < 1 },
#include "session/nspi/nspistat.def"
#undef STAT
    };
    say(p, "  %s\n", p->name);
    for (size_t i = 0; i < sizeof stat / sizeof stat[0] && rd_ok(p->r); i++) {
        take_name(p, stat[i].name, strlen(stat[i].name));
        p->place->field = arena_printf(p->a, "STAT, %s", p->name);
        p->place->begin = (size_t)(p->r->p - p->start);
        uint32_t v = rd_u32(p->r);
        if (strcmp(p->name, "CodePage") == 0)
            p->codec.code_page = nspi_code_page(v);
        if (p->strict && strcmp(p->set, "SORT") == 0 && *meaning(p, v) == '\0')
            rd_fail(p->r, "no such sort type");
        if (!stat[i].sign)
            print_number(p, "    ", v);
        else if (rd_ok(p->r))
            say(p, "    %-22s %d\n", p->name, (int32_t)v);
    }
}

/* --- values ------------------------------------------------------------------------------------------------------------------------------------ */

/* "permanent DT_MAILUSER /o=..." or "ephemeral ..."; NULL: no entry id of the address book. */
static const char *entry_id(struct arena *a, struct blob b)
{
    struct guid server;
    uint32_t type, mid;
    struct blob dn;
    char text[GUID_TEXT];
    bool ephemeral = nspi_ephemeral_parse(b, &server, &type, &mid);
    if (!ephemeral && !entryid_addressbook_parse(b, &type, &dn))
        return NULL;
    const char *name = const_name("DISPLAY", type);
    name = name != NULL ? name : arena_printf(a, "type 0x%x", type);
    if (ephemeral)
        return arena_printf(a, "ephemeral %s, MinimalId 0x%08x, server %s", name, mid, guid_text(&server, text));
    return arena_printf(a, "permanent %s, %s", name, arena_str(a, dn));
}

static void print_binary(const struct page *p, struct blob b)
{
    const char *id = entry_id(p->a, b);
    for (size_t i = 0; id == NULL && i < b.n && i < BYTES_SHOWN; i++)
        say(p, "%02x ", b.p[i]);
    if (id != NULL)
        quote(p, blob_str(id));
    else
        say(p, "%s(%zu bytes)\n", b.n > BYTES_SHOWN ? "... " : "", b.n);
}

static void print_tag(const struct page *p, const char *indent, uint32_t tag)
{
    const char *name = proptag_name(tag);
    say(p, "%s0x%08x %s", indent, tag, name != NULL ? name : "-"); /* from 0x8000 on too: the address book has no named properties */
}

/* A value whose tag is known. */
static void show_value(struct page *p, const char *indent, uint32_t tag)
{
    struct propval v;
    p->place->tag = tag;
    propval_read(p->r, &p->codec, tag, &v);
    if (!rd_ok(p->r))
        return;
    print_tag(p, indent, tag);
    uint16_t type = prop_type(v.tag);
    const char *text = propval_print(p->a, &v), *value = strchr(text, '=');
    if (type == PtypObject)
        say(p, " = (a table)\n");
    else if (type == PtypNull)
        say(p, " (absent)\n");
    else if (type == PtypBinary) {
        say(p, " = ");
        print_binary(p, v.v.bin);
    } else
        say(p, " = %s\n", value != NULL ? value + 1 : text);
}

/* In front of a tag may stand one more byte (propval_read_tagged); the tag is wanted as it was sent. */
static void show_tagged(struct page *p, const char *indent)
{
    enum { THERE = 0xFF };
    struct rd peek = *p->r;
    if (peek.n != 0 && peek.p[0] == THERE)
        rd_u8(p->r);
    show_value(p, indent, rd_u32(p->r));
}

static size_t count(struct page *p, size_t each, const char *what)
{
    uint32_t n = rd_u32(p->r);
    if (rd_ok(p->r) && *what != '\0')
        say(p, "  %-24s %u %s\n", p->name, n, what);
    return rd_count(p->r, n, each);
}

static void show_list(struct page *p, const char *indent, size_t n)
{
    for (size_t i = 0; i < n && rd_ok(p->r); i++)
        show_tagged(p, indent);
}

static void show_values(struct page *p) { show_list(p, "    ", count(p, sizeof(uint32_t), "values")); }

static void show_target(struct page *p)
{
    say(p, "  %s\n", p->name);
    show_tagged(p, "    ");
}

static void show_tables(struct page *p)
{
    size_t n = count(p, sizeof(uint32_t), "rows");
    for (size_t i = 0; i < n && rd_ok(p->r); i++) {
        p->place->row = i + 1;
        uint32_t values = rd_u32(p->r);
        if (rd_ok(p->r))
            say(p, "    row %zu: %u values\n", i + 1, values);
        show_list(p, "      ", rd_count(p->r, values, sizeof(uint32_t)));
    }
}

/* --- lists ------------------------------------------------------------------------------------------------------------------------------------- */

static void show_ids(struct page *p)
{
    size_t n = count(p, sizeof(uint32_t), "ids");
    bool   named = *p->set != '\0';
    for (size_t i = 0; i < n; i++) {
        uint32_t v = rd_u32(p->r);
        bool last = i + 1 == n || named || (i + 1) % IDS_IN_LINE == 0;
        say(p, "%s0x%08x%s%s%s", named || i % IDS_IN_LINE == 0 ? "    " : " ", v, named ? "  " : "", named ? meaning(p, v) : "", last ? "\n" : "");
    }
}

static uint32_t *read_tags(struct page *p, size_t *n)
{
    *n = count(p, sizeof(uint32_t), "tags");
    uint32_t *tag = arena_array(p->a, uint32_t, *n);
    for (size_t i = 0; i < *n; i++) {
        tag[i] = rd_u32(p->r);
        print_tag(p, "    ", tag[i]);
        say(p, "\n");
    }
    return tag;
}

static void show_tags(struct page *p)
{
    size_t n;
    read_tags(p, &n);
}

static void show_strings(struct page *p, struct blob (*read)(const struct page *), size_t least)
{
    size_t n = count(p, least, "names");
    for (size_t i = 0; i < n; i++) {
        p->place->row = i + 1;
        struct blob s = read(p);
        if (!rd_ok(p->r))
            return;
        say(p, "    ");
        quote(p, s);
    }
}

static void show_wides(struct page *p) { show_strings(p, wide, 2); }
static void show_narrows(struct page *p) { show_strings(p, narrow, 1); }

static void show_entry_ids(struct page *p)
{
    size_t n = count(p, sizeof(uint32_t), "entry ids");
    for (size_t i = 0; i < n; i++) {
        p->place->row = i + 1;
        struct blob b = rd_blob(p->r, rd_u32(p->r));
        if (!rd_ok(p->r))
            return;
        say(p, "    ");
        print_binary(p, b);
    }
}

static void show_restriction(struct page *p)
{
    struct restriction *r = restriction_read(p->r, &p->codec);
    if (rd_ok(p->r))
        say(p, "  %-24s %s\n", p->name, restriction_print(p->a, r));
}

static void show_property_name(struct page *p)
{
    char text[GUID_TEXT];
    struct guid g;
    rd_copy(p->r, g.b, sizeof g.b);
    uint32_t id = rd_u32(p->r);
    if (rd_ok(p->r))
        say(p, "  %-24s %s lid 0x%04x\n", p->name, guid_text(&g, text), id);
}

/* --- rows: MS-OXCMAPIHTTP 2.2.1.7 --------------------------------------------------------------------------------------------------------------- */

enum { ROW_PLAIN = 0, ROW_FLAGGED = 1, VALUE_THERE = 0, VALUE_ABSENT = 1, VALUE_ERROR = 0xA };

static void show_row(struct page *p, const uint32_t *tag, size_t n)
{
    uint8_t flag = rd_u8(p->r);
    if (flag > ROW_FLAGGED)
        rd_fail(p->r, "the row begins neither with 0 nor with 1");
    if (rd_ok(p->r))
        say(p, "    row %zu%s\n", p->place->row, flag == ROW_FLAGGED ? " (with flags)" : "");
    for (size_t i = 0; i < n && rd_ok(p->r); i++) {
        p->place->tag = tag[i];
        uint32_t t = prop_type(tag[i]) == PtypUnspecified ? prop_retype(tag[i], rd_u16(p->r)) : tag[i];
        uint8_t  v = flag == ROW_FLAGGED ? rd_u8(p->r) : VALUE_THERE;
        if (v != VALUE_THERE && v != VALUE_ABSENT && v != VALUE_ERROR)
            rd_fail(p->r, "a value's flag is none of 0, 1 and 0xA");
        show_value(p, "      ", v == VALUE_ERROR ? prop_retype(t, PtypErrorCode) : v == VALUE_ABSENT ? prop_retype(t, PtypNull) : t);
    }
}

static void show_rows(struct page *p)
{
    size_t n;
    const uint32_t *tag = read_tags(p, &n);
    uint32_t rows = rd_u32(p->r);
    if (rd_ok(p->r))
        say(p, "  %-24s %u\n", "RowCount", rows);
    rows = (uint32_t)rd_count(p->r, rows, 1);
    for (uint32_t i = 0; i < rows && rd_ok(p->r); i++) {
        p->place->row = i + 1;
        show_row(p, tag, n);
    }
}

/* --- the body ------------------------------------------------------------------------------------------------------------------------------------ */

static const struct { char letter; void (*show)(struct page *); } fields[] = {
    { 'f', show_number }, { 'a', show_number }, { 'b', show_byte }, { 'S', show_stat }, { 'M', show_ids }, { 'e', show_ids }, { 'T', show_tags },
    { 'N', show_narrows }, { 'W', show_wides }, { 'R', show_restriction }, { 'P', show_property_name }, { 'V', show_values }, { 'K', show_target },
    { 'B', show_entry_ids }, { 'D', show_dn }, { 'E', show_number }, { 'u', show_wide }, { 'g', show_guid }, { 'i', show_signed }, { 'I', show_signed },
    { 'c', show_code_page }, { 'L', show_rows }, { 'X', show_tables },
};

/* A capital letter has a byte before it.  Who guesses believes only the values that are in use. */
static bool there(struct page *p, char letter)
{
    if (letter >= 'a')
        return true;
    uint8_t has = rd_u8(p->r);
    if (p->strict && has > 1 && has != 0xFF)
        rd_fail(p->r, "no such byte before a field");
    if (rd_ok(p->r) && has == 0)
        say(p, "  %-24s (none)\n", p->name);
    return has != 0;
}

static void show_field(struct page *p, char letter)
{
    next_name(p);
    if (!there(p, letter))
        return;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (fields[i].letter == letter) {
            fields[i].show(p);
            return;
        }
    rd_fail(p->r, "a field without a printer");
}

static bool show_fields(struct page *p, const char *layout)
{
    for (; *layout != '\0' && rd_ok(p->r); layout++)
        show_field(p, *layout);
    if (rd_ok(p->r))
        *p->place = (struct decode_place){ .field = "AuxiliaryBuffer", .begin = (size_t)(p->r->p - p->start) };
    return rd_ok(p->r);
}

/* Only an auxiliary buffer is left, or nothing. */
static bool at_end(struct rd r) { return r.n == 0 || (rd_u32(&r) == r.n && rd_ok(&r)); }

static bool show_answer(struct page *p, const struct nspi_def *d)
{
    struct rd peek = *p->r;
    *p->place = (struct decode_place){ .field = "StatusCode" };
    if (rd_u32(&peek) != 0 && rd_ok(&peek))
        return p->strict ? false : decode_failure(p->a, p->r);
    uint32_t status = rd_u32(p->r);
    p->place->field = "ErrorCode";
    p->place->begin = (size_t)(p->r->p - p->start);
    uint32_t error = rd_u32(p->r);
    if (!rd_ok(p->r))
        return false;
    const char *unbound = (d->flags & ENDS) != 0 ? const_name("UNBIND", error) : NULL;
    say(p, "%s response: StatusCode %u, ErrorCode %s (0x%08x)\n", d->name, status, unbound != NULL ? unbound : err_name(error), error);
    return (error != ecNone && at_end(*p->r)) || show_fields(p, d->answer);
}

static bool show_request(struct page *p, const struct nspi_def *d)
{
    say(p, "%s request\n", d->name);
    return show_fields(p, d->request);
}

bool decode_book(struct arena *a, struct rd *r, const struct nspi_def *d, bool answer, uint32_t code_page, struct decode_place *place)
{
    struct page p = { .a = a, .r = r, .start = r->p, .codec = { a, nspi_code_page(code_page), PV_COUNTS_BOOK }, .place = place,
                      .names = answer ? d->answer_fields : d->request_fields };
    *place = (struct decode_place){ .field = "" };
    if (r->n == 0 && rd_ok(r) && ((d->flags & ENDS) != 0 && (!answer || d == &others[0]))) {
        say(&p, "%s %s: no body\n", d->name, answer ? "response" : "request");
        return true;
    }
    return (answer ? show_answer(&p, d) : show_request(&p, d)) && decode_aux(a, r);
}

/* --- which one is it? ---------------------------------------------------------------------------------------------------------------------------- */

static bool fits(struct arena *a, struct rd r, const struct nspi_def *d, bool answer)
{
    struct decode_place place = { 0 };
    struct page p = { .a = a, .r = &r, .start = r.p, .codec = { a, nspi_code_page(0), PV_COUNTS_BOOK }, .place = &place, .quiet = true, .strict = true,
                      .names = answer ? d->answer_fields : d->request_fields };
    if (!(answer ? show_answer(&p, d) : show_request(&p, d)))
        return false;
    rd_blob(&r, rd_u32(&r));
    return rd_done(&r);
}

const struct nspi_def **decode_book_guess(struct arena *a, struct rd r, bool answer)
{
    const struct nspi_def **out = arena_array(a, const struct nspi_def *, nspi_count + 1);
    size_t n = 0;
    for (size_t i = 0; i < nspi_count; i++)
        if (fits(a, r, &nspi_table[i], answer))
            out[n++] = &nspi_table[i];
    out[n] = NULL;
    return out;
}
