/* decode.c - mapictl decode: a captured body, request or response, printed field by field from the tables. */
#include "deploy/mapictl/ctl.h"
#include "deploy/mapictl/decode.h"
#include "backend/base/must.h"
#include "backend/base/utf.h"
#include "session/nspi/nspi.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CAPTURE_MAX = 8 << 20 };

/* One body: what it is taken for, and what was wrong with it. */
struct job {
    struct ctl *c;
    struct decode_capture body;
    struct rd    r;
    const char  *type;              /* "" as it looks */
    uint32_t     code_page;
    const char  *broken;            /* the file around it: where it breaks off, or NULL */
    const char  *why;               /* NULL: it was whole */
    struct decode_place place;
    bool         placed;            /* the fault stands at the reader */
};

static bool read_file(struct ctl *c, const char *path, struct blob *out)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (f == NULL)
        return false;
    uint8_t *p = arena_alloc(c->a, CAPTURE_MAX + 1);
    *out = blob_of(p, fread(p, 1, CAPTURE_MAX + 1, f));
    bool ok = !ferror(f);
    if (f != stdin)
        fclose(f);
    return ok;
}

/* --- one of the mailbox endpoint ------------------------------------------------------------------------------------------------------------ */

static bool show_connect(struct job *j) { return j->body.answer ? decode_connect_answer(j->c->a, &j->r) : decode_connect_request(j->c->a, &j->r); }
static bool show_execute(struct job *j) { return j->body.answer ? decode_execute_answer(j->c->a, &j->r) : decode_execute_request(j->c->a, &j->r); }

static bool show_mailbox(struct job *j)
{
    struct rd peek = j->r;
    if (j->body.answer && rd_u32(&peek) != 0)
        return decode_failure(j->c->a, &j->r);
    bool connect = *j->type != '\0' ? strcasecmp(j->type, "Connect") == 0 : decode_is_connect(j->r, j->body.answer);
    return connect ? show_connect(j) : show_execute(j);
}

/* --- one of the address book ----------------------------------------------------------------------------------------------------------------- */

static bool show_book(struct job *j, const struct nspi_def *d)
{
    j->type = d->name;
    return decode_book(j->c->a, &j->r, d, j->body.answer, j->code_page, &j->place);
}

static bool ask_for_type(struct job *j, const struct nspi_def **which)
{
    struct wr w = wr_in(j->c->a, 4096);
    for (; *which != NULL; which++) {
        wr_bytes(&w, " ", 1);
        wr_put(&w, blob_str((*which)->name));
    }
    j->why = arena_printf(j->c->a, "may be a body of any of these, say which by --type:%s", arena_str(j->c->a, wr_blob(&w)));
    return false;
}

/* Nothing says what it is but its form. */
static bool show_as_it_looks(struct job *j)
{
    bool answer = j->body.answer;
    if (!j->body.book && decode_whole_execute(j->r, answer))
        return show_mailbox(j);
    const struct nspi_def **which = decode_book_guess(j->c->a, j->r, answer);
    if (which[0] == NULL && decode_whole_connect(j->r, answer))
        return show_mailbox(j);
    if (which[0] == NULL) {
        printf("(a whole body of no type; read as one of Connect or Execute unless --type says otherwise)\n");
        return show_mailbox(j);
    }
    if (which[1] != NULL)
        return ask_for_type(j, which);
    printf("(by its form; --type says otherwise)\n");
    return show_book(j, which[0]);
}

static bool is_mailbox_type(const char *type) { return strcasecmp(type, "Connect") == 0 || strcasecmp(type, "Execute") == 0; }

static bool show_typed(struct job *j)
{
    const struct nspi_def *d = *j->type != '\0' ? decode_book_find(j->type) : NULL;
    return d != NULL ? show_book(j, d) : *j->type != '\0' ? show_mailbox(j) : show_as_it_looks(j);
}

static bool show(struct job *j)
{
    bool whole = show_typed(j);
    j->placed = !rd_ok(&j->r);
    if (!whole && j->why == NULL)
        j->why = !j->placed ? "is not a whole body of this direction" : strcmp(j->r.err, "short") == 0 ? "it ends here" : j->r.err;
    return whole && j->broken == NULL;
}

/* --- what is said of it ----------------------------------------------------------------------------------------------------------------------- */

static size_t offset(const struct job *j) { return j->body.body.n != 0 ? (size_t)(j->r.p - j->body.body.p) : 0; }

static const char *place_text(const struct job *j)
{
    struct arena *a = j->c->a;
    const struct decode_place *p = &j->place;
    if (p->field == NULL || *p->field == '\0')
        return "";
    const char *name = proptag_name(p->tag);
    return arena_printf(a, ", in %s%s%s (from byte %zu)", p->field, p->row != 0 ? arena_printf(a, ", number %zu", p->row) : "",
                        p->tag != 0 ? arena_printf(a, ", 0x%08x %s", p->tag, name != NULL ? name : "") : "", p->begin);
}

static const char *fault_text(const struct job *j)
{
    const char *around = j->broken != NULL ? j->broken : "";
    if (!j->placed)
        return j->broken != NULL ? j->broken : j->why;
    return arena_printf(j->c->a, "%s%s%s %s cannot be read further at byte %zu of %zu%s: %s", around, *around != '\0' ? "; " : "", *j->type != '\0' ? j->type : "the",
                        j->body.answer ? "response" : "request", offset(j), j->body.body.n, place_text(j), j->why);
}

/* Texts of a capture may be anything; JSON is UTF-8. */
static size_t plain(char *line, size_t n)
{
    if (!utf8_valid(blob_of(line, n)))
        for (size_t i = 0; i < n; i++)
            if ((unsigned char)line[i] >= 0x80)
                line[i] = '?';
    return n;
}

/* What the printers say, as {"file", "type", "direction", "whole", "lines"} and the fault: they write to the standard output, which is memory for that while. */
static bool show_json(struct job *j)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = stdout;
    must((stdout = open_memstream(&text, &n)) != NULL);
    bool whole = show(j);
    fclose(stdout);
    stdout = out;
    json_t *lines = json_array();
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
        json_array_append_new(lines, json_stringn_nocheck(line, plain(line, (size_t)(end - line))));
    free(text);
    json_t *all = json_pack("{s:s, s:s, s:s, s:b, s:o}", "file", ctl_text(j->c, j->c->argv[0]), "type", j->type, "direction", j->body.answer ? "response" : "request", "whole",
                            (int)whole, "lines", lines);
    if (!whole)
        json_object_set_new(all, "error", json_string(ctl_text(j->c, fault_text(j))));
    if (!whole && j->placed)
        json_object_set_new(all, "offset", json_integer((json_int_t)offset(j)));
    ctl_show(j->c, all);
    return whole;
}

/* --- the command ------------------------------------------------------------------------------------------------------------------------------ */

static bool options(struct ctl *c, struct job *j, int *rc)
{
    const char *type = ctl_option(c, "--type"), *page = ctl_option(c, "--code-page");
    char *end = NULL;
    unsigned long n = page != NULL ? strtoul(page, &end, 10) : 0;
    *rc = CTL_USAGE;
    if (page != NULL && (end == page || *end != '\0' || *page == '-' || n > UINT16_MAX || !nspi_code_page_known((uint32_t)n))) {
        *rc = ctl_fail(c, page, "is no code page that is known here");
        return false;
    }
    if (type != NULL && !is_mailbox_type(type) && decode_book_find(type) == NULL) {
        *rc = ctl_fail(c, type, "is no request type (an X-RequestType of /mapi/emsmdb/ or /mapi/nspi/)");
        return false;
    }
    j->code_page = (uint32_t)n;
    j->type = type != NULL ? type : is_mailbox_type(j->body.type) || decode_book_find(j->body.type) != NULL ? j->body.type : "";
    return true;
}

static void direction(struct ctl *c, struct decode_capture *b)
{
    if (ctl_option(c, "--request") != NULL)
        b->answer = false;
    else if (ctl_option(c, "--response") != NULL)
        b->answer = true;
}

int cmd_decode(struct ctl *c)
{
    struct blob file;
    struct job j = { .c = c };
    const char *why;
    size_t at;
    int rc;
    if (c->argc != 1)
        return ctl_usage(c);
    if (!read_file(c, c->argv[0], &file))
        return ctl_fail(c, c->argv[0], "cannot be read");
    if (file.n == 0 && ctl_option(c, "--type") == NULL)
        return ctl_fail(c, c->argv[0], "is empty");
    if (file.n > CAPTURE_MAX)
        return ctl_fail(c, c->argv[0], "is larger than 8 MiB");
    if (!decode_capture(c->a, file, &j.body, &why, &at))
        j.broken = arena_printf(c->a, "the capture breaks off at byte %zu of %zu: %s", at, file.n, why);
    if (j.broken != NULL && j.body.body.n == 0)
        return ctl_fail(c, c->argv[0], j.broken);
    if (!options(c, &j, &rc))
        return rc;
    direction(c, &j.body);
    j.r = rd_blob_of(j.body.body);
    if (c->json)
        return show_json(&j) ? CTL_OK : CTL_FAILED;
    if (show(&j))
        return CTL_OK;
    fflush(stdout);
    return ctl_fail(c, c->argv[0], fault_text(&j));
}
