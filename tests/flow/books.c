/* books.c - the population of the address book that flow tests look at. */
#include "tests/flow/books.h"
#include <stdio.h>
#include "backend/directory/policy.h"
#include "backend/directory/template.h"

static struct { bool made; int64_t team, room[3], contact, folder, dynamic, form, hidden, rooms, person[BOOKS_PERSONS]; char hidden_dn[300], foreign_dn[300]; } book;

static int64_t add(struct directory *d, struct arena *a, enum entry_kind kind, const char *name, const char *smtp, const char *filter)
{
    struct entry e = { .kind = kind, .display_name = name, .smtp = smtp, .filter = filter };
    REQUIRE_EC(entry_add(d, a, &e), ecNone);
    return e.row;
}

static void add_persons(struct directory *d, struct arena *a)
{
    for (unsigned i = 0; i < BOOKS_PERSONS; i++) {
        struct entry e = { .kind = ENTRY_USER, .display_name = arena_printf(a, "Person %03u", i), .smtp = arena_printf(a, "person%03u@example.com", i) };
        props_set(a, &e.props, pv_str(PidTagGivenName, "Person"));
        props_set(a, &e.props, pv_str(PidTagDepartmentName, i % 2 != 0 ? "Sales" : "Research"));
        REQUIRE_EC(entry_add(d, a, &e), ecNone);
        book.person[i] = e.row;
    }
}

static void add_hidden(struct directory *d, struct arena *a)
{
    struct entry e = { .kind = ENTRY_USER, .display_name = "Ghost", .smtp = "ghost@example.com", .hidden = true };
    REQUIRE_EC(entry_add(d, a, &e), ecNone);
    book.hidden = e.row;
    snprintf(book.hidden_dn, sizeof book.hidden_dn, "%s", e.dn);
    REQUIRE_EC(org_add(d, "Other"), ecNone);
    REQUIRE_EC(org_add_domain(d, "Other", "other.example"), ecNone);
    e = (struct entry){ .kind = ENTRY_USER, .display_name = "Them", .smtp = "them@other.example" };
    REQUIRE_EC(entry_add(d, a, &e), ecNone);
    snprintf(book.foreign_dn, sizeof book.foreign_dn, "%s", e.dn);
}

static void add_templates(struct directory *d, struct arena *a)
{
    struct template t, details = { .purpose = TEMPLATE_DETAILS, .type = 0, .lcid = 0x409, .name = "User", .data = blob_str("details"), .script = blob_str("script") };
    struct template create = { .purpose = TEMPLATE_CREATE, .type = 0x10001, .lcid = 0x409, .name = "SMTP Address", .address_type = "SMTP", .data = blob_str("create") };
    struct template *all;
    size_t n = 0;
    if (template_find(d, a, TEMPLATE_DETAILS, 0, 0x409, &t) != ecNone)
        REQUIRE_EC(template_put(d, a, &details), ecNone);
    if (template_creation(d, a, 0x409, &all, &n) == ecNone && n == 0)
        REQUIRE_EC(template_put(d, a, &create), ecNone);
}

static void link_all(struct stack *st, struct directory *d, struct arena *a)
{
    struct entry e;
    REQUIRE_EC(link_add(d, LINK_MEMBER, book.team, st->ana.row), ecNone);
    REQUIRE_EC(link_add(d, LINK_MEMBER, book.team, st->bob.row), ecNone);
    REQUIRE_EC(link_add(d, LINK_MEMBER, book.team, book.person[0]), ecNone);
    REQUIRE_EC(link_add(d, LINK_OWNER, book.team, st->ana.row), ecNone);
    REQUIRE_EC(link_add(d, LINK_MANAGER, st->ana.row, st->bob.row), ecNone);
    REQUIRE_EC(entry_get(d, a, st->ana.row, &e), ecNone);
    e.display_name = "Ana";
    props_set(a, &e.props, pv_str(PidTagTitle, "Chief"));
    REQUIRE_EC(entry_set(d, a, &e), ecNone);
    REQUIRE_EC(entry_get(d, a, st->bob.row, &e), ecNone);
    e.display_name = "Bob";
    REQUIRE_EC(entry_set(d, a, &e), ecNone);
}

static void make(struct stack *st)
{
    struct arena *a = arena_new(64 << 20);
    struct directory *d = st->directory;
    REQUIRE_EC(entry_batch(d), ecNone);
    add_persons(d, a);
    book.team = add(d, a, ENTRY_GROUP, "Team", "team@example.com", "");
    for (int i = 0; i < 3; i++)
        book.room[i] = add(d, a, ENTRY_ROOM, arena_printf(a, "Room %c", 'A' + i), arena_printf(a, "room%d@example.com", i), "");
    book.contact = add(d, a, ENTRY_CONTACT, "Customer", "customer@else.example", "");
    book.folder = add(d, a, ENTRY_FOLDER, "Public Folder", "folder@example.com", "");
    book.dynamic = add(d, a, ENTRY_DYNAMIC, "All Rooms", "rooms@example.com", "kind=room");
    book.form = add(d, a, ENTRY_FORM, "Order Form", "", "");
    REQUIRE_EC(entry_batch_end(d, ecNone), ecNone);
    add_hidden(d, a);
    add_templates(d, a);
    link_all(st, d, a);
    struct container rooms = { .name = "A Rooms", .filter = "kind=room" }, below = { .name = "Below", .filter = "kind=room & PidTagTitle=x" };
    REQUIRE_EC(container_add(d, a, &rooms), ecNone);
    below.parent = book.rooms = rooms.row;
    REQUIRE_EC(container_add(d, a, &below), ecNone);
    arena_free(a);
    book.made = true;
}

void books(struct books *k)
{
    struct stack *st = stack_shared();
    if (!book.made)
        make(st);
    *k = (struct books){ .d = st->directory, .ana = entry_mid(st->ana.row), .bob = entry_mid(st->bob.row), .team = entry_mid(book.team), .room_a = entry_mid(book.room[0]),
                         .contact = entry_mid(book.contact), .folder = entry_mid(book.folder), .dynamic = entry_mid(book.dynamic), .form = entry_mid(book.form),
                         .hidden = entry_mid(book.hidden), .rooms = entry_mid(book.rooms), .hidden_dn = book.hidden_dn, .foreign_dn = book.foreign_dn };
    for (unsigned i = 0; i < BOOKS_PERSONS; i++)
        k->person[i] = entry_mid(book.person[i]);
    book_bound(&k->b, st, &st->ana);
}

void books_end(struct books *k)
{
    BOOK(&k->b, "Unbind", (&(struct nspic_ask){ 0 }));
    book_client_end(&k->b);
}
