/* vector.c - see vector.h. */
#include "tests/unit/session-rop/vector.h"
#include "tests/mutate.h"
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { PLACES = 8, LINE_MAX_ = 8192, MAILS = 64, KEPT = 10, LIST_MAX = 65536 };

struct script {
    const char  *path;
    unsigned     line;
    struct desk *d;
    uint32_t     table[PLACES], before[PLACES];
    uint64_t     mail[MAILS];
    size_t       mails, steps;
    struct { uint8_t id[8]; size_t at; bool wanted; } kept[KEPT]; /* ids out of answers */
    struct wr    request, expected, mask;  /* mask: 0 any byte, 1 this byte, 2 anything from here */
    struct wr   *into;
    struct blob  last;                     /* the last list that ran */
    struct rd    answer;
};

static const struct { const char *name; enum special_folder f; } folders[] = {
    { "root", SF_ROOT }, { "ipm", SF_IPM_SUBTREE }, { "inbox", SF_INBOX }, { "outbox", SF_OUTBOX }, { "sent", SF_SENT_ITEMS },
    { "deleted", SF_DELETED_ITEMS }, { "drafts", SF_DRAFTS }, { "calendar", SF_CALENDAR }, { "contacts", SF_CONTACTS }, { "junk", SF_JUNK }
};

static void complain(const struct script *s, const char *what) { unit_check(false, s->path, (int)s->line, "%s", what); }

/* --- bytes -------------------------------------------------------------------------------------------------------------------------------------- */

static void put(struct script *s, const void *p, size_t n, uint8_t mask)
{
    wr_bytes(s->into, p, n);
    if (s->into == &s->expected)
        for (size_t i = 0; i < n; i++)
            wr_u8(&s->mask, mask);
}

static void put_id(struct script *s, uint64_t gc)
{
    struct wr w = wr_in(s->d->life, 8);
    wr_u64(&w, id_wire(REPLID_OWN, gc));
    put(s, w.p, 8, 1);
}

static void put_dn(struct script *s, const char *dn)
{
    uint8_t n[2] = { (uint8_t)(strlen(dn) + 1), (uint8_t)((strlen(dn) + 1) >> 8) };
    put(s, n, 2, 1);
    put(s, dn, strlen(dn) + 1, 1);
}

static void put_guid(struct script *s, const char *name)
{
    struct arena *a = arena_new(1 << 20);
    const struct mailbox_info *i = mailbox_info(desk_mailbox(s->d, a, &s->d->ada));
    const struct guid *g = strcmp(name, "replica") == 0 ? &i->replica : strcmp(name, "mapping") == 0 ? &i->mapping : &i->id;
    put(s, g->b, sizeof g->b, 1);
    arena_free(a);
}

/* {=3}: an id of an answer, to be kept; {#3}: that id. */
static void put_kept(struct script *s, char how, unsigned i)
{
    if (i >= KEPT || (how == '=' && s->into != &s->expected)) {
        complain(s, "{=0} to {=9} in answers, {#0} to {#9} behind them");
        return;
    }
    if (how == '=') {
        s->kept[i].at = s->expected.n;
        s->kept[i].wanted = true;
    }
    put(s, s->kept[i].id, sizeof s->kept[i].id, how == '#');
}

static void keep(struct script *s)
{
    for (size_t i = 0; i < KEPT; i++)
        if (s->kept[i].wanted && s->answer.n >= s->kept[i].at + 8)
            memcpy(s->kept[i].id, s->answer.p + s->kept[i].at, 8);
    for (size_t i = 0; i < KEPT; i++)
        s->kept[i].wanted = false;
}

static void put_name(struct script *s, const char *name)
{
    if (*name == '=' || *name == '#') {
        put_kept(s, *name, (unsigned)(name[1] - '0'));
        return;
    }
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (strcmp(name, folders[i].name) == 0) {
            put_id(s, s->d->fid[folders[i].f]);
            return;
        }
    size_t n = name[0] == 'm' ? (size_t)strtoul(name + 1, NULL, 10) : 0;
    if (n > 0 && n <= s->mails)
        put_id(s, s->mail[n - 1]);
    else if (strncmp(name, "dn", 2) == 0)
        put_dn(s, strcmp(name, "dn:bob") == 0 ? s->d->bob.dn : s->d->ada.dn);
    else if (strcmp(name, "replica") == 0 || strcmp(name, "mapping") == 0 || strcmp(name, "mailbox") == 0)
        put_guid(s, name);
    else
        complain(s, arena_printf(s->d->life, "unknown name {%s}", name));
}

static void put_text(struct script *s, const char *text, size_t n, size_t width)
{
    for (size_t i = 0; i <= n; i++) {
        uint8_t unit[2] = { i < n ? (uint8_t)text[i] : 0, 0 };
        put(s, unit, width, 1);
    }
}

static const char *put_token(struct script *s, const char *p)
{
    static const uint8_t zero;
    char close = *p == '{' ? '}' : *p;
    const char *end = strchr("{\"'", *p) != NULL ? strchr(p + 1, close) : NULL;
    if (end != NULL) {
        size_t n = (size_t)(end - p - 1);
        if (*p == '{')
            put_name(s, arena_str(s->d->life, blob_of(p + 1, n)));
        else
            put_text(s, p + 1, n, *p == '"' ? 2 : 1);
        return end + 1;
    }
    if (*p == '*' || (p[0] == '?' && p[1] == '?')) {
        put(s, &zero, 1, *p == '*' ? 2 : 0);
        return p + (*p == '*' ? 1 : 2);
    }
    if (!isxdigit((unsigned char)p[0]) || !isxdigit((unsigned char)p[1])) {
        complain(s, arena_printf(s->d->life, "not understood: %s", p));
        return p + strlen(p);
    }
    struct blob b = unhex(arena_str(s->d->life, blob_of(p, 2)));
    put(s, b.p, b.n, 1);
    return p + 2;
}

static void put_bytes(struct script *s, const char *p)
{
    while (*p != 0 && *p != '#' && *p != '\n')
        p = isspace((unsigned char)*p) ? p + 1 : put_token(s, p);
}

/* --- steps --------------------------------------------------------------------------------------------------------------------------------------- */

static void run_request(struct script *s)
{
    s->last = arena_blob(s->d->life, wr_blob(&s->request));
    memcpy(s->before, s->table, sizeof s->table);
    s->answer = desk_rops(s->d, s->last, s->table, PLACES);
    s->steps++;
    wr_rewind(&s->request, 0);
}

static const char *hex(struct arena *a, struct rd r)
{
    struct wr w = wr_in(a, LIST_MAX);
    while (r.n > 0) {
        char two[4];
        snprintf(two, sizeof two, "%02x ", rd_u8(&r));
        wr_bytes(&w, two, 3);
    }
    wr_u8(&w, 0);
    return (const char *)w.p;
}

static void check_answer(struct script *s)
{
    struct rd r = s->answer, e = rd_blob_of(wr_blob(&s->expected)), m = rd_blob_of(wr_blob(&s->mask));
    size_t at = 0;
    bool same = true, rest = false;
    for (; same && !rest && e.n > 0; at++) {
        uint8_t mask = rd_u8(&m), want = rd_u8(&e);
        rest = mask == 2;
        same = rest || (r.n > 0 && (rd_u8(&r) == want || mask == 0));
    }
    same = same && (rest || r.n == 0);
    unit_check(same, s->path, (int)s->line, "answer differs at byte %zu (error %s): %s", at, err_name(s->d->error), hex(s->d->life, s->answer));
    keep(s);
    wr_rewind(&s->expected, 0);
    wr_rewind(&s->mask, 0);
}

static void flush(struct script *s)
{
    if (s->into == &s->request)
        run_request(s);
    else if (s->into == &s->expected)
        check_answer(s);
    s->into = NULL;
}

static void login(struct script *s, bool bob)
{
    if (bob)
        CHECK_EC(directory_grant(s->d->env.directory, s->d->bob.login, s->d->ada.login, true), ecNone);
    s->into = &s->request;
    put_bytes(s, bob ? "FE 01 07 01 00000001 00000000 {dn:bob}" : "FE 00 00 01 00000001 00000000 {dn}");
    flush(s);
    struct rd r = s->answer;
    rd_u16(&r);
    CHECK_EC(rd_u32(&r), ecNone);
}

static void mail(struct script *s, const char *line)
{
    char folder[32] = "", subject[256] = "";
    unsigned minute = 0;
    if (sscanf(line, "%*s %31s \"%255[^\"]\" %u", folder, subject, &minute) != 3 || s->mails == MAILS) {
        complain(s, "mail or arrive FOLDER \"subject\" MINUTE");
        return;
    }
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (strcmp(folder, folders[i].name) == 0)
            s->mail[s->mails++] = (*line == 'a' ? desk_arrive : desk_mail)(s->d, s->d->fid[folders[i].f], subject, minute);
}

static void step(struct script *s, const char *line)
{
    if (isspace((unsigned char)*line) && s->into != NULL) {
        put_bytes(s, line);
        return;
    }
    flush(s);
    if (*line == '>' || *line == '<') {
        s->into = *line == '>' ? &s->request : &s->expected;
        put_bytes(s, line + 1);
    } else if (strncmp(line, "login", 5) == 0) {
        login(s, line[5] == '2');
    } else if (strncmp(line, "mode ", 5) == 0) {
        s->d->client_mode = (uint32_t)strtoul(line + 5, NULL, 10);
    } else if (strncmp(line, "mail ", 5) == 0 || strncmp(line, "arrive ", 7) == 0) {
        mail(s, line);
    } else if (strncmp(line, "code ", 5) == 0) {
        s->d->code_page = (uint32_t)strtoul(line + 5, NULL, 10);
    } else if (*line != '#' && !isspace((unsigned char)*line)) {
        complain(s, "unknown line");
    }
}

static void variant(void *ctx, struct blob list)
{
    struct script *s = ctx;
    uint32_t table[PLACES];
    memcpy(table, s->before, sizeof table);
    desk_rops(s->d, list, table, PLACES);
}

static void check_subject(struct script *s, const char *rop)
{
    struct rop_request *v;
    size_t n;
    bool found = false;
    if (!CHECK(rop_split(s->last, s->d->life, &v, &n)))
        return;
    for (size_t i = 0; i < n; i++)
        found = found || strcmp(rop_find(v[i].id)->name, rop) == 0;
    unit_check(found, s->path, (int)s->line, "the last list does not hold %s", rop);
}

/* $VECTOR_CORPUS: a directory that gets each last list as a seed of fuzz_execute. */
static void write_seed(const struct script *s)
{
    const char *dir = getenv("VECTOR_CORPUS");
    FILE *f = dir != NULL ? fopen(arena_printf(s->d->life, "%s/%s", dir, strrchr(s->path, '/') + 1), "wb") : NULL;
    if (f == NULL)
        return;
    fputc(1, f);
    fwrite(s->last.p, 1, s->last.n, f);
    fclose(f);
}

static const char *rop_of(struct arena *a, const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    size_t n = strcspn(name, "-.");
    return strncmp(name, "Rop", 3) == 0 && n > 3 ? arena_str(a, blob_of(name + 3, n - 3)) : "";
}

static struct script script_new(const char *path)
{
    struct script s = { .path = path, .d = desk_new() };
    s.request = wr_in(s.d->life, LIST_MAX);
    s.expected = wr_in(s.d->life, LIST_MAX);
    s.mask = wr_in(s.d->life, LIST_MAX);
    for (size_t i = 0; i < PLACES; i++)
        s.table[i] = (uint32_t)HANDLE_NONE;
    return s;
}

void vector_run(const char *path, bool mutate)
{
    char line[LINE_MAX_];
    FILE *f = fopen(path, "r");
    REQUIRE(f != NULL);
    struct script s = script_new(path);
    while (fgets(line, sizeof line, f) != NULL) {
        s.line++;
        step(&s, line);
    }
    flush(&s);
    fclose(f);
    check_subject(&s, rop_of(s.d->life, path));
    write_seed(&s);
    if (mutate) {
        s.d->dry = true;
        mutate_all(s.last, variant, &s);
    }
    desk_end(s.d);
}

void vector_lines(const char *path, unsigned at, const char *const *line, size_t n)
{
    struct script s = script_new(path);
    s.line = at;
    for (size_t i = 0; i < n; i++, s.line++)
        step(&s, line[i]);
    flush(&s);
    desk_end(s.d);
}

void vector_each(void (*fn)(void *ctx, const char *path, const char *rop), void *ctx)
{
    struct dirent **entry;
    struct arena *a = arena_new(1 << 20);
    int n = scandir("tests/vectors", &entry, NULL, alphasort);
    REQUIRE(n > 0);
    for (int i = 0; i < n; i++) {
        const char *dot = strrchr(entry[i]->d_name, '.'), *path = arena_printf(a, "tests/vectors/%s", entry[i]->d_name);
        if (dot != NULL && strcmp(dot, ".hex") == 0)
            fn(ctx, path, rop_of(a, path));
        free(entry[i]);
    }
    free(entry);
    arena_free(a);
}
