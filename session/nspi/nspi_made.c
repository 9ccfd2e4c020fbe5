/* nspi_made.c - properties that objects of the address book have without anybody having set them. */
#include "backend/base/crypto.h"
#include "backend/base/utf.h"
#include "backend/directory/offline/offline.h"
#include "backend/mapi/entryid.h"
#include "session/nspi/nspi_row.h"
#include <ctype.h>
#include <stdlib.h>

enum { AB_RECIPIENTS = 1, AB_SUBCONTAINERS = 2, AB_UNMODIFIABLE = 8 };   /* OXOABK 2.2.2.1 */
enum { EPHEMERAL_MARK = 0x87, EPHEMERAL_SIZE = 32 };

/* --- entry ids ------------------------------------------------------------------------------------------------------------------------------ */

struct blob nspi_permanent_id(struct arena *a, uint32_t display_type, const char *dn) { return entryid_addressbook(a, display_type, dn); }

struct blob nspi_ephemeral_id(struct arena *a, const struct guid *server, uint32_t display_type, uint32_t mid)
{
    struct wr w = wr_in(a, EPHEMERAL_SIZE);
    wr_u32(&w, EPHEMERAL_MARK);
    wr_bytes(&w, server->b, sizeof server->b);
    wr_u32(&w, 1);
    wr_u32(&w, display_type);
    wr_u32(&w, mid);
    return wr_blob(&w);
}

bool nspi_ephemeral_parse(struct blob id, struct guid *server, uint32_t *display_type, uint32_t *mid)
{
    struct rd r = rd_blob_of(id);
    if (id.n != EPHEMERAL_SIZE || rd_u32(&r) != EPHEMERAL_MARK)
        return false;
    rd_copy(&r, server->b, sizeof server->b);
    bool known = rd_u32(&r) == 1;
    *display_type = rd_u32(&r);
    *mid = rd_u32(&r);
    return known && rd_done(&r);
}

/* The display type in it is not looked at (OXNSPI R379, R410). */
static bool ephemeral_mid(const struct guid *server, struct blob id, uint32_t *mid)
{
    struct guid provider;
    uint32_t type;
    return nspi_ephemeral_parse(id, &provider, &type, mid) && memcmp(provider.b, server->b, sizeof provider.b) == 0;
}

ec_t nspi_entryid_row(struct nspi_ctx *c, struct blob id, int64_t *row)
{
    uint32_t mid = 0, type;
    struct blob dn;
    struct entry e;
    *row = 0;
    if (ephemeral_mid(&c->server, id, &mid)) {
        *row = mid >= MID_FIRST ? (int64_t)mid - MID_FIRST : 0;
    } else if (entryid_addressbook_parse(id, &type, &dn)) {
        ec_t ec = entry_by_dn(c->reader, c->a, arena_str(c->a, dn), &e);
        if (ec != ecNone)
            return ec == ecNotFound ? ecNone : ec;
        *row = e.row;
    }
    if (*row != 0 && !book_exists(&c->look, *row, NULL))
        *row = 0;
    return ecNone;
}

/* The global address list is number 0 (OXOABK 2.2.2.3). */
static uint32_t mid_of(const struct nspi_object *o) { return o->what == OF_LISTS && o->e.row == 0 ? 0 : entry_mid(o->e.row); }

/* --- one function each ---------------------------------------------------------------------------------------------------------------------- */

static bool entry_id(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    uint32_t type = entry_display_type(o->e.kind);
    *v = pv_bin(tag, (o->flags & FLAG_EPHEMERAL) != 0 ? nspi_ephemeral_id(o->c->a, &o->c->server, type, mid_of(o))
                                                      : nspi_permanent_id(o->c->a, type, o->e.dn));
    return true;
}

static bool permanent_id(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    *v = pv_bin(tag, nspi_permanent_id(o->c->a, entry_display_type(o->e.kind), o->e.dn));
    return true;
}

static bool instance_key(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    struct wr w = wr_in(o->c->a, sizeof(uint32_t));
    wr_u32(&w, mid_of(o));
    *v = pv_bin(tag, wr_blob(&w));
    return true;
}

static bool mapping_signature(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    static const uint8_t provider[16] = { 0xDC, 0xA7, 0x40, 0xC8, 0xC0, 0x42, 0x10, 0x1A, 0xB4, 0xB9, 0x08, 0x00, 0x2B, 0x2F, 0xE1, 0x82 };
    (void)o;
    *v = pv_bin(tag, blob_of(provider, sizeof provider));
    return true;
}

static bool object_type(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    *v = pv_i32(tag, (int32_t)entry_object_type(o->e.kind));
    return true;
}

static bool display_type(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    *v = pv_i32(tag, (int32_t)entry_display_type(o->e.kind));
    return true;
}

static bool display_type_ex(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    *v = pv_i32(tag, (int32_t)entry_display_type_ex(o->e.kind));
    return true;
}

static bool display_name(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    *v = pv_str(tag, o->e.display_name);
    return true;
}

/* ASCII alone, which is the same in every code page (OXNSPI R1601): accents go, what remains of other scripts is a question mark. */
static bool printable_name(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    struct blob given = props_str(nspi_props(o), tag);
    struct blob s = utf8_seen(o->c->a, given.n != 0 ? given : blob_str(o->e.display_name), UTF_BASE);
    uint8_t    *p = arena_alloc(o->c->a, s.n);
    size_t      n = 0;
    for (size_t i = 0; i < s.n; ) {
        uint32_t c = utf8_next(s, &i);
        p[n++] = c >= ' ' && c < 0x7F ? (uint8_t)c : '?';
    }
    *v = pv_strn(tag, blob_of(p, n));
    return true;
}

static bool address_type(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    *v = pv_str(tag, o->what == OF_FORMS ? o->form->address_type : "EX");
    return true;
}

static bool dn(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    *v = pv_str(tag, o->e.dn);
    return true;
}

static bool own_search_key(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    *v = pv_bin(tag, search_key(o->c->a, "EX", o->e.dn));
    return true;
}

static bool smtp_address(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    *v = pv_str(tag, o->e.smtp);
    return *o->e.smtp != '\0';
}

static bool zero(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    (void)o;
    *v = pv_i32(tag, 0);
    return true;
}

/* Its own number; clients that ask for the usual columns have no other way to learn it. */
static bool own_mid(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    *v = pv_i32(tag, (int32_t)mid_of(o));
    return true;
}

static bool is_list(const struct nspi_object *o) { return entry_object_type(o->e.kind) == 8; }

static bool container_flags(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    int32_t flags = AB_RECIPIENTS;
    if (o->what == OF_LISTS)
        flags |= AB_UNMODIFIABLE | (o->list->has_children ? AB_SUBCONTAINERS : 0);
    *v = pv_i32(tag, flags);
    return o->what == OF_LISTS || is_list(o);
}

static bool container_contents(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    *v = (struct propval){ .tag = tag };
    return is_list(o);
}

static bool proxy_addresses(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    if (!o->proxies && nspi_asked(o, entry_proxies(o->c->reader, o->c->a, &o->e)))
        o->proxies = true;
    struct blob *s = arena_array(o->c->a, struct blob, o->e.proxies + 1);
    size_t n = 0;
    if (*o->e.smtp != '\0')
        s[n++] = blob_str(arena_printf(o->c->a, "SMTP:%s", o->e.smtp));
    for (size_t i = 0; i < o->e.proxies; i++)
        s[n++] = blob_str(o->e.proxy[i]);
    *v = (struct propval){ .tag = tag };
    v->v.mv.n = n;
    v->v.mv.s = s;
    return n != 0;
}

/* An objectGUID comes from its source as 32 hex digits, an entryUUID as text. */
static bool guid_of_source(const char *external, struct guid *out)
{
    if (strlen(external) != 2 * sizeof out->b)
        return guid_parse(external, out);
    for (size_t i = 0; i < sizeof out->b; i++) {
        const char two[] = { external[2 * i], external[2 * i + 1], '\0' };
        if (!isxdigit((unsigned char)two[0]) || !isxdigit((unsigned char)two[1]))
            return false;
        out->b[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    return true;
}

/* Who has none of his own gets one made of the installation's and his number, which no other object ever has. */
static struct guid guid_of_row(const struct nspi_object *o)
{
    struct guid g;
    uint8_t digest[SHA256];
    struct wr w = wr_in(o->c->a, sizeof g.b + sizeof(uint64_t));
    wr_bytes(&w, o->c->server.b, sizeof o->c->server.b);
    wr_u64(&w, (uint64_t)o->e.row);
    crypto_sha256(wr_blob(&w), digest);
    memcpy(g.b, digest, sizeof g.b);
    g.b[7] = (g.b[7] & 0x0F) | 0x80; /* version 8, RFC 9562 */
    g.b[8] = (g.b[8] & 0x3F) | 0x80;
    return g;
}

static bool object_guid(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    const struct entry *e = nspi_origin(o);
    struct guid g = e->mailbox;
    if (!e->has_mailbox && !guid_of_source(e->external, &g))
        g = guid_of_row(o);
    *v = pv_bin(tag, blob_of(arena_dup(o->c->a, g.b, sizeof g.b), sizeof g.b));
    return true;
}

/* The DN of the "server" of a mailbox names the mailbox, so that any host can be its server. */
static bool home_database(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    const char *at = strrchr(o->e.smtp, '@');
    char id[GUID_TEXT];
    size_t org = strcspn(o->e.dn + (*o->e.dn == '/'), "/") + 1;
    if (!nspi_origin(o)->has_mailbox)
        return false;
    guid_text(&o->e.mailbox, id);
    *v = pv_str(tag, arena_printf(o->c->a, "%.*s/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Configuration/cn=Servers/cn=%s@%s/cn=Microsoft Private MDB",
                                  (int)org, o->e.dn, id, at != NULL ? at + 1 : ""));
    return true;
}

static bool manager_dn(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    int64_t *row;
    size_t   n = 0;
    struct entry e;
    if (!nspi_asked(o, link_list(o->c->reader, o->c->a, LINK_MANAGER, o->e.row, false, &row, &n)) || n == 0 || !book_exists(&o->c->look, row[0], NULL)
        || !nspi_asked(o, entry_brief(o->c->reader, o->c->a, row[0], &e)))
        return false;
    *v = pv_str(tag, e.dn);
    return true;
}

/* --- members -------------------------------------------------------------------------------------------------------------------------------- */

enum { NESTED_MAX = 1000 }; /* groups that are looked into */

/* Somebody, found by way of a group that hides its members (0: of none).  Who is found by two such ways counts twice: else the owner of a group would learn who is in
 * another one, by putting both into his. */
struct counted { int64_t row, via; };
struct members { struct nspi_object *o; struct counted *group; size_t groups, group_cap; struct counted *person; size_t n, cap; };

static bool looked_into(const struct members *m, struct counted group)
{
    for (size_t i = 0; i < m->groups; i++)
        if (m->group[i].row == group.row && m->group[i].via == group.via)
            return true;
    return false;
}

static void look_into(struct members *m, int64_t row, int64_t via)
{
    bool hides = false;
    if (via == 0 && m->groups != 0 && nspi_asked(m->o, nspi_hides(m->o->c, row, &hides)) && hides)
        via = row;
    if (looked_into(m, (struct counted){ row, via }))
        return;
    m->group = arena_grow(m->o->c->a, m->group, &m->group_cap, m->groups, sizeof *m->group);
    m->group[m->groups++] = (struct counted){ row, via };
}

/* Who gets what is sent to a group: groups in it are looked into, and are no recipients of their own. */
static void add_members(struct members *m, struct counted group)
{
    int64_t *row = NULL;
    size_t   n = 0;
    if (!nspi_asked(m->o, link_list(m->o->c->reader, m->o->c->a, LINK_MEMBER, group.row, false, &row, &n)))
        return;
    for (size_t i = 0; i < n; i++) {
        enum entry_kind k;
        bool seen = book_exists(&m->o->c->look, row[i], &k);
        if (seen && (entry_is_group(k) || k == ENTRY_DYNAMIC) && m->groups < NESTED_MAX) {
            look_into(m, row[i], group.via);
        } else if (seen) {
            m->person = arena_grow(m->o->c->a, m->person, &m->cap, m->n, sizeof *m->person);
            m->person[m->n++] = (struct counted){ row[i], group.via };
        }
    }
}

static int by_row(const void *x, const void *y)
{
    const struct counted *a = x, *b = y;
    int c = (a->row > b->row) - (a->row < b->row);
    return c != 0 ? c : (a->via > b->via) - (a->via < b->via);
}

/* Recipients that can be seen, each once, and those of them whose mail goes elsewhere. */
static bool count_members(struct nspi_object *o, int32_t *all, int32_t *outside)
{
    struct members m = { .o = o };
    *all = *outside = 0;
    if (!is_list(o))
        return false;
    look_into(&m, o->e.row, 0);
    for (size_t i = 0; i < m.groups; i++)
        add_members(&m, m.group[i]);
    if (m.n != 0)
        qsort(m.person, m.n, sizeof *m.person, by_row);
    for (size_t i = 0; i < m.n; i++) {
        enum entry_kind k = ENTRY_USER;
        bool again = i != 0 && by_row(&m.person[i], &m.person[i - 1]) == 0;
        *all += !again;
        *outside += !again && book_exists(&o->c->look, m.person[i].row, &k) && k == ENTRY_CONTACT;
    }
    return true;
}

static bool member_count(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    int32_t all, outside;
    bool yes = count_members(o, &all, &outside);
    *v = pv_i32(tag, all);
    return yes;
}

static bool external_count(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    int32_t all, outside;
    bool yes = count_members(o, &all, &outside);
    *v = pv_i32(tag, outside);
    return yes;
}

static bool organization(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    const char *dn = o->e.kind != ENTRY_ORGANIZATION ? nspi_org_dn(o) : NULL;
    *v = pv_str(tag, dn != NULL ? dn : "");
    return dn != NULL;
}

/* The address of somebody elsewhere, in the form of a proxy address. */
static bool target_address(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    struct blob given = props_str(nspi_props(o), tag);
    *v = given.n != 0 ? pv_strn(tag, given) : pv_str(tag, arena_printf(o->c->a, "SMTP:%s", o->e.smtp));
    return given.n != 0 || (o->e.kind == ENTRY_CONTACT && *o->e.smtp != '\0');
}

static bool rich_info(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    *v = pv_bool(tag, props_bool(nspi_props(o), tag, o->e.kind != ENTRY_CONTACT));
    return true;
}

/* --- address lists and templates ----------------------------------------------------------------------------------------------------------- */

static bool depth(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    *v = pv_i32(tag, o->what == OF_LISTS ? (int32_t)o->list->depth : 0);
    return true;
}

/* Objects are made by administrators. */
static bool is_master(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    (void)o;
    *v = pv_bool(tag, false);
    return true;
}

static bool parent_id(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    const char *parent = nspi_list_parent(o);
    if (parent != NULL)
        *v = pv_bin(tag, nspi_permanent_id(o->c->a, entry_display_type(ENTRY_CONTAINER), parent));
    return parent != NULL;
}

static bool selectable(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    (void)o;
    *v = pv_bool(tag, true);
    return true;
}

/* The offline address book is of the global address list of one's organization. */
static bool offline(struct nspi_object *o, uint32_t tag, struct propval *v)
{
    struct props p = { 0 };
    if (o->e.row != 0 || !nspi_asked(o, offline_props(o->c->reader, o->c->a, o->c->look.org, &p)))
        return false;
    const struct propval *found = props_find(&p, prop_unicode(tag));
    if (found != NULL)
        *v = *found;
    return found != NULL;
}

/* --- the table ------------------------------------------------------------------------------------------------------------------------------ */

static const struct made { uint32_t tag; unsigned of; nspi_maker *make; } made[] = {
#define MADE(property, of, function) { property, of, function },
#include "session/nspi/abmade.def"
};

nspi_maker *nspi_made_by(uint32_t tag, unsigned *of)
{
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
        if (made[i].tag == tag) {
            *of = made[i].of;
            return made[i].make;
        }
    return NULL;
}
