/* rig.h - a small directory, and requests of the address book run against it without a session around them. */
#ifndef SESSION_NSPI_RIG_H
#define SESSION_NSPI_RIG_H
#include "session/nspi/nspi.h"
#include "tests/unit.h"

/* Ana Adams (a user with a mailbox, title and certificate), Bob Brown (user, her manager), Cleo's Room (room), Team (group: Ana, Bob; owner Ana), the list Rooms. */
struct rig {
    struct arena *life, *a;       /* a: of the last request */
    struct config config;
    struct directory *d;
    struct person ana, bob;
    int64_t room, team, rooms;
    uint64_t sequence;
    ec_t ec;                      /* ErrorCode of the last answer */
};
void rig_start(struct rig *g, const char *name);
void rig_end(struct rig *g);
/* The body of the answer, behind StatusCode and ErrorCode (-> g->ec); empty: the request cannot be read. */
struct rd rig_run(struct rig *g, const char *type, struct blob body);

/* Bytes of a text: hex digits, "ascii" with its NUL, u"text" in UTF-16 with its NUL, {guid}, {mid NAME} (32 bits), {dn NAME} with its NUL, # comments. */
struct blob rig_bytes(struct rig *g, struct arena *a, const char *text);
uint32_t rig_mid(struct rig *g, const char *name);
#endif
