/* test_directory_kinds.c - objects of every kind by the administrator's hand: departments and organizations, what they may be joined to; all that can be set on an
 * object leaves and comes back by either form of file. */
#include "backend/directory/entry.h"
#include "backend/mapi/msg.h"
#include "tests/flow/book.h"
#include "tests/flow/ctl.h"
#include "tests/settable.h"
#include "tests/unit.h"
#include <stdio.h>

/* --- departments and organizations ------------------------------------------------------------------------------------------------------------ */

static bool refused(struct stack *st, const char *arguments, const char *why)
{
    struct ctl_run r = ctl_run(st, arguments);
    return r.rc != 0 && strstr(r.text, why) != NULL;
}

static const char *text_of(json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s != NULL ? s : "";
}

TEST(an_organization_and_its_departments)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    json_t *o = ctl_json(st, "directory add organization 'All of it'", 0);
    const char *root = strdup(text_of(o, "dn"));
    CHECK(strncmp(root, "/o=", 3) == 0 && strchr(root + 1, '/') == NULL); /* the begin of everybody's DN (MS-OXOABK 2.2.1.1) */
    CHECK(strncmp(st->ana.dn, root, strlen(root)) == 0);
    CHECK(json_is_true(json_object_get(o, "hidden")));
    json_decref(o);
    ctl_must(st, "directory add department Board --set mail=board@example.com");
    ctl_must(st, "directory add department Sales --set mail=sales@example.com --set seniority=7 --link parent-department=board@example.com");
    ctl_must(st, "directory add group 'Old Sales' --set mail=old@example.com --set hierarchical=TRUE");
    struct ctl_run r = ctl_run(st, "directory set ana@example.com --link shown-in=sales@example.com");
    CHECK_INT(r.rc, 0);
    char line[512];
    snprintf(line, sizeof line, "directory set %s --link root=old@example.com", root);
    ctl_must(st, line);
    snprintf(line, sizeof line, "directory set %s --link root=board@example.com", root); /* one root: the other goes */
    ctl_must(st, line);
    snprintf(line, sizeof line, "directory show %s", root);
    o = ctl_json(st, line, 0);
    CHECK_STR(text_of(o, "root"), "board@example.com");
    json_decref(o);
    o = ctl_json(st, "directory show sales@example.com", 0);
    CHECK_STR(text_of(o, "parent-department"), "board@example.com");
    CHECK_STR(text_of(o, "shown-in of"), "ana@example.com");
    CHECK_STR(text_of(o, "PidTagAddressBookSeniorityIndex"), "7");
    json_decref(o);
    CHECK(refused(st, "directory set board@example.com --link parent-department=sales@example.com", "does not join")); /* in a circle */
    CHECK(refused(st, "directory set board@example.com --link parent-department=board@example.com", "does not join"));
    CHECK(refused(st, "directory set sales@example.com --link parent-department=old@example.com", "does not join"));
    CHECK(refused(st, "directory set ana@example.com --link shown-in=old@example.com", "does not join"));
    CHECK(refused(st, "directory set old@example.com --link member=sales@example.com", "does not join"));
    CHECK(refused(st, "directory set ana@example.com --link root=old@example.com", "does not join"));
    CHECK(refused(st, "directory add organization Again", "exists already"));
    CHECK(refused(st, "directory add organization Other --set legacyExchangeDN=/o=Other/ou=x", "not a valid name or value"));
    free((void *)(uintptr_t)root);
    stack_stop(st);
}

static const uint32_t name_only[] = { PidTagDisplayName };

/* Whom a property of an object refers to, by name, as a client asks for it. */
static const char *referred(struct book_client *b, uint32_t mid, uint32_t property)
{
    struct nspic_stat s = book_stat();
    const char *names = "";
    s.current = mid;
    s.container = property;
    MUST_BOOK(b, "GetMatches", (&(struct nspic_ask){ .stat = &s, .rows = 100, .tags = name_only, .ntags = 1 }));
    for (size_t i = 0; i < b->reply.rows; i++)
        names = arena_printf(b->a, "%s%s%s", names, i != 0 ? "|" : "", book_text(b, &b->reply.row[i], PidTagDisplayName));
    return names;
}

/* From his own DN to the organization, its root, down to people: both ways that an organization can be made of. */
TEST(a_client_walks_the_hierarchy)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    struct book_client b;
    const char *root = arena_str(st->a, blob_of(st->ana.dn, 1 + strcspn(st->ana.dn + 1, "/")));
    ctl_must(st, "directory add organization Everything");
    ctl_must(st, "directory add group Board --set mail=board@example.com --set hierarchical=TRUE");
    ctl_must(st, "directory add group Sales --set mail=sales@example.com --set hierarchical=TRUE --link member=ana@example.com");
    ctl_must(st, "directory set board@example.com --link member=sales@example.com --link member=bob@example.com");
    ctl_must(st, "directory add department Directors --set mail=directors@example.com");
    ctl_must(st, "directory add department Sellers --set mail=sellers@example.com --link parent-department=directors@example.com");
    ctl_must(st, "directory set ana@example.com --link shown-in=sellers@example.com");
    ctl_must(st, arena_printf(st->a, "directory set %s --link root=board@example.com", root));
    book_bound(&b, st, &st->ana);
    uint32_t organization = book_mid(&b, root), ana = book_mid(&b, st->ana.dn);
    REQUIRE(organization != 0);
    CHECK_STR(referred(&b, organization, PidTagAddressBookHierarchicalRootDepartment), "Board");
    uint32_t board = b.reply.mid[0];
    CHECK_STR(referred(&b, board, PidTagAddressBookMember), arena_printf(b.a, "%s|Sales", st->bob.display_name));
    CHECK_STR(referred(&b, ana, PidTagAddressBookHierarchicalShowInDepartments), "");
    ctl_must(st, arena_printf(st->a, "directory set %s --link root=directors@example.com", root));
    CHECK_STR(referred(&b, organization, PidTagAddressBookHierarchicalRootDepartment), "Directors");
    uint32_t directors = b.reply.mid[0];
    CHECK_STR(referred(&b, directors, PidTagAddressBookHierarchicalChildDepartments), "Sellers");
    uint32_t sellers = b.reply.mid[0];
    CHECK_STR(referred(&b, sellers, PidTagAddressBookHierarchicalDepartmentMembers), st->ana.display_name);
    CHECK_STR(referred(&b, sellers, PidTagAddressBookHierarchicalParentDepartment), "Directors");
    CHECK_STR(referred(&b, ana, PidTagAddressBookHierarchicalShowInDepartments), "Sellers");
    struct nspic_stat s = book_stat();
    const char *names[] = { "Everything" };
    MUST_BOOK(&b, "ResolveNames", (&(struct nspic_ask){ .stat = &s, .names = names, .nnames = 1, .tags = name_only, .ntags = 1 }));
    CHECK_INT(b.reply.mid[0], 0); /* an organization is nobody to write to */
    book_client_end(&b);
    stack_stop(st);
}

/* What has no address belongs to the organization whose name its DN begins with. */
TEST(an_object_without_an_address_belongs_to_the_organization_of_its_dn)
{
    struct arena *a = arena_new(1 << 20);
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    struct entry other = { 0 }, first = { 0 };
    ctl_must(st, "org add Branch");
    ctl_must(st, "directory add organization Branch --set legacyExchangeDN=/o=Branch");
    ctl_must(st, "directory add department 'Their Sales' --set legacyExchangeDN=/o=branch/ou=x/cn=sales");
    ctl_must(st, "directory add department 'Our Sales' --set legacyExchangeDN=/o=nobody/ou=x/cn=sales");
    REQUIRE_EC(entry_by_dn(st->directory, a, "/o=Branch/ou=x/cn=sales", &other), ecNone);
    REQUIRE_EC(entry_by_dn(st->directory, a, "/o=nobody/ou=x/cn=sales", &first), ecNone);
    CHECK_INT(first.org, 1);
    CHECK(other.org != 1);
    REQUIRE_EC(entry_by_dn(st->directory, a, "/o=Branch", &first), ecNone);
    CHECK_INT(first.org, other.org);
    stack_stop(st);
    arena_free(a);
}

/* --- out and in ------------------------------------------------------------------------------------------------------------------------------- */

enum { ONES = 7 };

static const struct one { enum entry_kind kind; const char *name, *smtp; } ones[ONES] = {
    { ENTRY_GROUP, "A Group", "group@example.com" }, { ENTRY_CONTACT, "A Contact", "contact@else.where" }, { ENTRY_ROOM, "A Room", "room@example.com" },
    { ENTRY_FOLDER, "A Folder", "folder@example.com" }, { ENTRY_FORM, "A Form", "form@example.com" }, { ENTRY_DEPARTMENT, "A Department", "department@example.com" },
    { ENTRY_EQUIPMENT, "A Beamer", "beamer@example.com" },
};

static struct propval some_value(struct arena *a, uint32_t tag, unsigned salt)
{
    struct propval v = { .tag = prop_unicode(tag) };
    struct blob *several = arena_array(a, struct blob, 2);
    for (unsigned i = 0; i < 2; i++)
        several[i] = blob_str(arena_printf(a, "%s:%s, \"ä\" %u.%u", tag == PidTagAddressBookTargetAddress ? "SMTP" : "x", proptag_name(tag), salt, i));
    switch (prop_type(tag)) {
    case PtypInteger32: return pv_i32(tag, (int32_t)(prop_id(tag) + salt));
    case PtypBoolean:   return pv_bool(tag, (salt & 1) != 0);
    case PtypString8:
    case PtypString:    v.v.s = several[0]; return v;
    case PtypBinary:    return pv_bin(tag, several[0]);
    default:
        v.v.mv.n = 2;
        v.v.mv.s = several;
        return v;
    }
}

static void furnish(struct stack *st, struct arena *a)
{
    int64_t row[ONES];
    for (unsigned i = 0; i < ONES; i++) {
        const char *proxy[] = { "X500:/o=old/cn=x", "smtp:second@example.com" };
        struct entry e = { .kind = ones[i].kind, .display_name = ones[i].name, .smtp = ones[i].smtp, .proxy = proxy, .proxies = i == 0 ? 2 : 0 };
        for (size_t k = 0; k < SETTABLE; k++)
            props_set(a, &e.props, some_value(a, settable[k], i));
        REQUIRE_EC(entry_add(st->directory, a, &e), ecNone);
        row[i] = e.row;
    }
    static const enum link_kind kinds[] = { LINK_MEMBER, LINK_MANAGER, LINK_DELEGATE, LINK_OWNER, LINK_ACCEPT, LINK_REJECT, LINK_ACCEPT_GROUP, LINK_REJECT_GROUP };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        REQUIRE_EC(link_add(st->directory, kinds[i], row[0], row[1]), ecNone);
    REQUIRE_EC(link_add(st->directory, LINK_SHOWN_IN, row[1], row[5]), ecNone);
}

static const char *shown(struct stack *st, const char *address)
{
    return ctl_run(st, arena_printf(st->a, "directory show %s", address)).text;
}

/* Everything but the number, which is never given twice, and the source. */
static const char *comparable(struct arena *a, const char *text)
{
    const char *out = "";
    for (const char *p = text; *p != '\0'; ) {
        size_t n = strcspn(p, "\n");
        const char *line = arena_str(a, blob_of(p, n));
        if (strncmp(line, "mid", 3) != 0 && strncmp(line, "source", 6) != 0 && strncmp(line, "key of source", 13) != 0)
            out = arena_printf(a, "%s%s\n", out, line);
        p += n + (p[n] == '\n');
    }
    return out;
}

static void round_trip(const char *format)
{
    struct arena *a = arena_new(1 << 24);
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    const char *before[ONES], *path = arena_printf(a, "%s/out.%s", st->dir, format);
    furnish(st, a);
    for (unsigned i = 0; i < ONES; i++)
        before[i] = comparable(a, shown(st, ones[i].smtp));
    CHECK(strstr(before[0], "accept-group") != NULL && strstr(before[1], "shown-in") != NULL);
    ctl_must(st, arena_printf(a, "directory export %s --format %s", path, format));
    for (unsigned i = 0; i < ONES; i++)
        ctl_must(st, arena_printf(a, "directory remove %s", ones[i].smtp));
    json_t *o = ctl_json(st, arena_printf(a, "directory import %s --format %s", path, format), 0);
    CHECK_INT(json_integer_value(json_object_get(o, "added")), ONES);
    CHECK_INT(json_integer_value(json_object_get(o, "links_unknown")), 0);
    json_decref(o);
    for (unsigned i = 0; i < ONES; i++)
        CHECK_STR(comparable(a, shown(st, ones[i].smtp)), before[i]);
    stack_stop(st);
    arena_free(a);
}

TEST(all_that_can_be_set_leaves_and_comes_back_by_ldif) { round_trip("ldif"); }
TEST(all_that_can_be_set_leaves_and_comes_back_by_csv) { round_trip("csv"); }
