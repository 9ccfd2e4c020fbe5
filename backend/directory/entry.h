/* entry.h - objects of the address book as rows: people, groups, contacts, rooms, public folders, and what links them.
 *
 * Every object has a row id that is never used again; address lists and templates take theirs from the same sequence, so that a Minimal Entry ID is the row
 * id + MID_FIRST and names one thing for ever (MS-OXNSPI R349, R608, R611).  A user of directory.h is the row of the same id: the functions there and these
 * see the same names and addresses.  Sources other than the administrator (LDAP, CSV, LDIF) write rows here too, each with its name and its own key of the
 * object, and change only theirs.  Whatever is committed is seen by every worker at its next request.
 *
 * Thread-safe; what is given out lives in the arena.  Errors of all: ecDiskError (logged), ecNotFound (no such row). */
#ifndef DIRECTORY_ENTRY_H
#define DIRECTORY_ENTRY_H
#include "backend/directory/directory.h"
#include "backend/mapi/propval.h"

enum { MID_FIRST = 0x10 };

enum entry_kind {
#define KIND(number, NAME, word, object_type, display_type, display_type_ex) ENTRY_##NAME = number,
#include "backend/directory/entrykind.def"
};
const char *entry_kind_word(enum entry_kind k);
bool     entry_kind_of_word(const char *word, enum entry_kind *out);
uint32_t entry_object_type(enum entry_kind k);
uint32_t entry_display_type(enum entry_kind k);
uint32_t entry_display_type_ex(enum entry_kind k);
static inline bool entry_is_group(enum entry_kind k) { return k == ENTRY_GROUP || k == ENTRY_SECURITY; }
static inline bool entry_is_structure(enum entry_kind k) { return k == ENTRY_DEPARTMENT || k == ENTRY_ORGANIZATION; } /* nobody who gets mail */
static inline uint32_t entry_mid(int64_t row) { return (uint32_t)row + MID_FIRST; }

/* One object.  NULL strings are as good as empty ones when it is written. */
struct entry {
    int64_t         row;
    enum entry_kind kind;
    bool            hidden;         /* from address lists and name resolution; its DN, addresses and links still work */
    const char     *dn;             /* legacyExchangeDN (X500); NULL in entry_add: made up */
    const char     *display_name;
    const char     *smtp;           /* primary address, lower case; "" none */
    const char    **proxy;          /* further addresses as "smtp:x@y" or "X500:/o=..." (old DNs); without the primary one */
    size_t          proxies;
    const char     *filter;         /* ENTRY_DYNAMIC: who is in it (filter.h); "" else */
    const char     *source;         /* "" the administrator; "ldap:name", "csv" ...: who writes this row */
    const char     *external;       /* the source's own key of it (entryUUID, objectGUID as hex, e-mail address); "" none */
    struct props    props;          /* all other properties: PidTagGivenName, PidTagSurname, PidTagAccount (alias), PidTagTitle, PidTagOfficeLocation, phone
                                     * numbers, PidTagAddressBookPhoneticDisplayName, PidTagThumbnailPhoto, PidTagUserX509Certificate ...; none of those
                                     * that are made of the fields above or of links (entry_prop_settable) */
    uint64_t        change;         /* number of its last change */
    uint32_t        org;            /* organization it belongs to: row id, by the domain of its address (policy.h) */
    bool            has_mailbox;    /* a user with a mailbox of this installation: read only here */
    struct guid     mailbox;
};

ec_t entry_get(struct directory *d, struct arena *a, int64_t row, struct entry *out);
/* The row without its further addresses, which cost a question of their own; and these. */
ec_t entry_brief(struct directory *d, struct arena *a, int64_t row, struct entry *out);
ec_t entry_proxies(struct directory *d, struct arena *a, struct entry *e);
/* Its properties alone, as they are packed (props_unpack).  And what few ask for: source, external key and mailbox of an object of that row. */
ec_t entry_packed(struct directory *d, struct arena *a, int64_t row, struct blob *props);
ec_t entry_origin(struct directory *d, struct arena *a, struct entry *e);
ec_t entry_by_dn(struct directory *d, struct arena *a, const char *dn, struct entry *out);            /* or by a former one (X500 proxy); without case */
ec_t entry_by_address(struct directory *d, struct arena *a, const char *smtp, struct entry *out);     /* any of its addresses */
ec_t entry_by_external(struct directory *d, struct arena *a, const char *source, const char *external, struct entry *out);

/* Adds; sets e->row, e->dn, e->org.  ecCollidingNames: DN, address or external key is taken.  ecInvalidParameter: no name, or a property that cannot be set.
 * A user who logs on is made by directory_add, which calls this. */
ec_t entry_add(struct directory *d, struct arena *a, struct entry *e);
/* Replaces everything but the row, kind ENTRY_CONTAINER and ENTRY_TEMPLATE and the mailbox; a DN that changes stays as an X500 proxy. */
ec_t entry_set(struct directory *d, struct arena *a, struct entry *e);
/* With its links, and its login if it has one (the mailbox is not touched). */
ec_t entry_remove(struct directory *d, int64_t row);

/* Calls each row of a source (NULL: all) in the order of rows until fn returns false.  For lists and exports; each row has an arena of its own. */
ec_t entry_each(struct directory *d, const char *source, bool (*fn)(void *ctx, struct arena *a, const struct entry *e), void *ctx);

/* Several changes as one: all or nothing, and one fsync.  Between the two the calling thread holds the directory; keep it short (imports: some hundred rows). */
ec_t entry_batch(struct directory *d);
ec_t entry_batch_end(struct directory *d, ec_t ec);   /* commits if ec is ecNone, else rolls back; gives ec or what the commit said */

/* Can this be the address of an object?  "" can: it has none. */
bool entry_plausible_address(const char *s);

/* Can this property be set on an object, or is it made of other things (DN, addresses, links, kind) or not known here?  abprop.def is the list. */
bool entry_prop_settable(uint32_t tag);

/* --- links ---------------------------------------------------------------------------------------------------------------------------------- */
enum link_kind {
#define LINK(number, NAME, word, forward, back) LINK_##NAME = number,
#include "backend/directory/link.def"
};
const char *link_word(enum link_kind k);
bool link_of_word(const char *word, enum link_kind *out);
/* Says who may send to an object, which is enforced where mail is delivered. */
static inline bool link_restricts(enum link_kind k) { return k == LINK_ACCEPT || k == LINK_REJECT || k == LINK_ACCEPT_GROUP || k == LINK_REJECT_GROUP; }
/* Which link a property shows (by id): false if none; *back: seen from the target. */
bool link_of_prop(uint32_t tag, enum link_kind *k, bool *back);

/* Rows at the other end, ascending; for ENTRY_DYNAMIC the members are those that its filter chooses now. */
ec_t link_list(struct directory *d, struct arena *a, enum link_kind k, int64_t row, bool back, int64_t **out, size_t *n);
ec_t link_has(struct directory *d, enum link_kind k, int64_t source, int64_t target, bool *out);
/* Adds (already there: nothing), removes (not there: nothing).  ecInvalidParameter: a row that is no object, or of a kind that this link does not join; a
 * department below itself. */
ec_t link_add(struct directory *d, enum link_kind k, int64_t source, int64_t target);
ec_t link_remove(struct directory *d, enum link_kind k, int64_t source, int64_t target);
ec_t link_replace(struct directory *d, enum link_kind k, int64_t source, const int64_t *target, size_t n);

/* What a client changes (ModProps, ModLinkAtt), exactly once: the context's id and the number of the request are noted in the transaction of the change, if
 * that succeeds.  A repeat finds the note: *repeat, it has succeeded and there is nothing to do (no transaction is open then).  An overtaken request is
 * refused with ecTimeout.  entry_turn_end with anything but ecNone: nothing happened. */
struct entry_turn { struct blob context; uint64_t epoch, sequence; };
ec_t entry_turn_begin(struct directory *d, const struct entry_turn *t, bool *repeat);
ec_t entry_turn_end(struct directory *d, const struct entry_turn *t, ec_t ec);
#endif
