/* rig.c - see rig.h. */
#include "tests/unit/session-nspi/rig.h"
#include "backend/base/utf.h"
#include "backend/directory/template.h"
#include <ctype.h>
#include <stdlib.h>

static int64_t add(struct rig *g, enum entry_kind kind, const char *name, const char *dn, const char *smtp)
{
    struct entry e = { .kind = kind, .display_name = name, .dn = dn, .smtp = smtp };
    REQUIRE_EC(entry_add(g->d, g->life, &e), ecNone);
    return e.row;
}

static void user(struct rig *g, const char *login, const char *name, const char *dn, const char *title, struct person *out)
{
    struct entry e;
    REQUIRE_EC(directory_add(g->d, g->life, &(struct person_new){ .login = login, .display_name = name, .password = "x", .with_mailbox = true }, out), ecNone);
    REQUIRE_EC(entry_get(g->d, g->life, out->row, &e), ecNone);
    e.dn = dn;
    props_set(g->life, &e.props, pv_str(PidTagTitle, title));
    props_set(g->life, &e.props, pv_str(PidTagOfficeLocation, "12/344"));
    REQUIRE_EC(entry_set(g->d, g->life, &e), ecNone);
    REQUIRE_EC(directory_by_login(g->d, g->life, login, out), ecNone);
}

void rig_start(struct rig *g, const char *name)
{
    const char *why = NULL;
    *g = (struct rig){ .life = arena_new(64 << 20) };
    g->config = (struct config){ .directory = arena_printf(g->life, "%s/%s.db", unit_tmpdir(), name), .organization = "Demo", .default_domain = "example.com", .book_rows_time = 5000,
                                 .book_search_time = 30000 };
    g->d = directory_open(&g->config, g->life, &why);
    REQUIRE(g->d != NULL);
    user(g, "ana@example.com", "Ana Adams", "/o=Demo/ou=x/cn=ana", "Chief", &g->ana);
    user(g, "bob@example.com", "Bob Br\xc3\xb6wn", "/o=Demo/ou=x/cn=bob", "Boss", &g->bob);
    g->room = add(g, ENTRY_ROOM, "Cleo's Room", "/o=Demo/ou=x/cn=room", "room@example.com");
    g->team = add(g, ENTRY_GROUP, "Team", "/o=Demo/ou=x/cn=team", "team@example.com");
    REQUIRE_EC(link_add(g->d, LINK_MEMBER, g->team, g->ana.row), ecNone);
    REQUIRE_EC(link_add(g->d, LINK_MEMBER, g->team, g->bob.row), ecNone);
    REQUIRE_EC(link_add(g->d, LINK_OWNER, g->team, g->ana.row), ecNone);
    REQUIRE_EC(link_add(g->d, LINK_MANAGER, g->ana.row, g->bob.row), ecNone);
    struct container rooms = { .name = "Rooms", .filter = "kind=room" };
    REQUIRE_EC(container_add(g->d, g->life, &rooms), ecNone);
    g->rooms = rooms.row;
    struct template t = { .purpose = TEMPLATE_DETAILS, .type = 0, .lcid = 0x409, .name = "User", .data = blob_str("details"), .script = blob_str("script") };
    struct template c = { .purpose = TEMPLATE_CREATE, .type = 0x10001, .lcid = 0x409, .name = "SMTP Address", .address_type = "SMTP", .data = blob_str("create") };
    REQUIRE_EC(template_put(g->d, g->life, &t), ecNone);
    REQUIRE_EC(template_put(g->d, g->life, &c), ecNone);
}

void rig_end(struct rig *g)
{
    directory_close(g->d);
    arena_free(g->a);
    arena_free(g->life);
}

struct rd rig_run(struct rig *g, const char *type, struct blob body)
{
    static const uint8_t context[CONTEXT_ID] = { 7 };
    const struct nspi_def *d = nspi_find(type);
    struct nspi_env    env = { &g->config, g->d };
    struct nspi_args   q;
    struct nspi_answer out;
    REQUIRE(d != NULL);
    arena_free(g->a);
    g->a = arena_new((size_t)64 << 20);
    struct blob copy = arena_blob(g->a, body);
    if (!nspi_read(g->a, d, 1252, copy, &q))
        return rd_over(NULL, 0);
    struct nspi_ctx c = { .a = g->a, .env = &env, .who = &g->ana, .in = &q, .out = &out, .codec = { g->a, nspi_code_page(q.stat.code_page), PV_COUNTS_BOOK },
                          .turn = { blob_of(context, sizeof context), 1, ++g->sequence } };
    struct rd r = rd_blob_of(nspi_run(&c, d));
    CHECK_INT(rd_u32(&r), 0); /* StatusCode, always */
    g->ec = rd_u32(&r);
    return r;
}

/* --- bytes ------------------------------------------------------------------------------------------------------------------------------------ */

static int64_t row_of(struct rig *g, const char *name)
{
    const struct { const char *name; int64_t row; } rows[] = { { "ana", g->ana.row }, { "bob", g->bob.row }, { "room", g->room }, { "team", g->team }, { "rooms", g->rooms } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].row;
    unit_check(false, __FILE__, __LINE__, "no object \"%s\"", name);
    return -(int64_t)MID_FIRST;
}

uint32_t rig_mid(struct rig *g, const char *name) { return entry_mid(row_of(g, name)); }

static void put_named(struct rig *g, struct wr *w, const char *what, const char *name)
{
    struct guid server;
    if (strcmp(what, "guid") == 0 && directory_server_guid(g->d, &server) == ecNone) {
        wr_bytes(w, server.b, sizeof server.b);
    } else if (strcmp(what, "mid") == 0) {
        wr_u32(w, rig_mid(g, name));
    } else {
        struct arena *a = arena_new(1 << 20);
        struct container c;
        struct entry e;
        int64_t row = row_of(g, name);
        const char *dn = container_get(g->d, a, row, &c) == ecNone ? c.dn : entry_get(g->d, a, row, &e) == ecNone ? e.dn : "";
        wr_bytes(w, dn, strlen(dn) + 1);
        arena_free(a);
    }
}

static const char *put_text(struct arena *a, struct wr *w, const char *p, bool wide)
{
    size_t n = strcspn(p, "\"");
    if (wide)
        wr_put(w, utf16_from_utf8(a, blob_of(p, n)));
    else
        wr_bytes(w, p, n);
    wr_le(w, 0, wide ? 2 : 1);
    return p + n + (p[n] == '"');
}

static const char *put_brace(struct rig *g, struct arena *a, struct wr *w, const char *p)
{
    size_t n = strcspn(p, "}"), word = strcspn(p, " }");
    put_named(g, w, arena_str(a, blob_of(p, word)), word < n ? arena_str(a, blob_of(p + word + 1, n - word - 1)) : "");
    return p + n + (p[n] == '}');
}

struct blob rig_bytes(struct rig *g, struct arena *a, const char *p)
{
    struct wr w = wr_in(a, 1 << 20);
    while (*p != '\0') {
        if (*p == '#')
            p += strcspn(p, "\n");
        else if (isspace((unsigned char)*p))
            p++;
        else if (*p == '"')
            p = put_text(a, &w, p + 1, false);
        else if (*p == 'u' && p[1] == '"')
            p = put_text(a, &w, p + 2, true);
        else if (*p == '{')
            p = put_brace(g, a, &w, p + 1);
        else {
            const char two[3] = { p[0], p[1], '\0' };
            unit_check(isxdigit((unsigned char)p[0]) && isxdigit((unsigned char)p[1]), __FILE__, __LINE__, "no hex: %.10s", p);
            wr_u8(&w, (uint8_t)strtoul(two, NULL, 16));
            p += p[1] != '\0' ? 2 : 1;
        }
    }
    return wr_blob(&w);
}
