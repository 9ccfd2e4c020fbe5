/* books.h - a populated address book for flow tests, and a bound client of ana. */
#ifndef FLOW_BOOKS_H
#define FLOW_BOOKS_H
#include "backend/directory/book.h"
#include "tests/flow/book.h"

enum { BOOKS_PERSONS = 40 };
struct books {
    struct book_client b;
    struct directory  *d;        /* the test's own door to the directory */
    /* Minimal Entry IDs: "Ana" (title, manager Bob, owner of Team), "Bob", "Team" (Ana, Bob, Person 000), "Person 000".., rooms "Room A".."Room C", a contact,
     * a public folder, the dynamic group of rooms, a form, "Ghost" (hidden); the list Rooms with one below it */
    uint32_t ana, bob, team, room_a, contact, folder, dynamic, form, hidden, rooms, person[BOOKS_PERSONS];
    const char *hidden_dn, *foreign_dn;
};
/* The population is made once per stack. */
void books(struct books *k);
void books_end(struct books *k);
#endif
