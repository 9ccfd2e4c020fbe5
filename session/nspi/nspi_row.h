/* nspi_row.h - an object of the address book -> the values that a client asked for, and rows of them. */
#ifndef NSPI_ROW_H
#define NSPI_ROW_H
#include "backend/directory/template.h"
#include "session/nspi/nspi.h"

/* What can be named by a Minimal Entry ID: people, groups and so on; address lists; address creation templates; display templates. */
enum { OF_OBJECTS = 1, OF_LISTS = 2, OF_FORMS = 4, OF_DIALOGS = 8 };

/* An object while values are made of it: what costs a question is asked once, when first needed. */
struct nspi_object {
    struct nspi_ctx *c;
    struct entry     e;
    bool             there;         /* false: no such object, or not to be seen: it has no values (OXNSPI R907) */
    bool             proxies;       /* e.proxy has been read */
    bool             origin;        /* e.source, e.external and e.mailbox have been read (nspi_origin) */
    bool             unpacked;      /* e.props have been read (nspi_props) */
    ec_t             failed;        /* ecDiskError: something could not be */
    unsigned         what;          /* OF_... one of them */
    uint32_t         flags;         /* FLAG_EPHEMERAL */
    bool             chosen;        /* `member` has been found out: whom the filter of a dynamic group chooses, which costs a look at everybody */
    int64_t         *member;
    size_t           members;
    const struct container *list;   /* OF_LISTS; e has its number, DN, name and kind */
    const struct template  *form;   /* OF_FORMS, OF_DIALOGS; the same */
};

/* The object of a Minimal Entry ID, as the client may see it.  0 is the global address list (OXOABK 2.2.2.3). */
ec_t nspi_object(struct nspi_ctx *c, uint32_t mid, uint32_t flags, struct nspi_object *out);

/* What its owner set; where it comes from.  What could not be read is as if it were not there: nspi_failed, asked behind the last value, says so. */
static inline ec_t nspi_failed(const struct nspi_object *o) { return o->failed; }
bool nspi_asked(struct nspi_object *o, ec_t ec);   /* was the question answered?  Who is gone meanwhile has nothing, which is no failure */
const struct props *nspi_props(struct nspi_object *o);
const struct entry *nspi_origin(struct nspi_object *o);

/* One property in the type asked for (PtypUnspecified: its own); an error value (PtypErrorCode) if it has none.  out->tag is the tag as it is answered. */
void nspi_value(struct nspi_object *o, uint32_t tag, struct propval *out);

/* nspi_known.c: what is known of a property, whatever type it is asked for in; NULL: the server does not know it. */
typedef bool nspi_maker(struct nspi_object *o, uint32_t tag, struct propval *out);
struct nspi_property {
    uint32_t       native;          /* with its own type */
    nspi_maker    *make;            /* it is made of the object, */
    unsigned       of;              /* of these (OF_...) */
    bool           linked, back;    /* else it shows a link, */
    enum link_kind link;            /* else it is what somebody has set */
    bool           table;           /* it can be had as PtypObject */
};
const struct nspi_property *nspi_property(uint32_t tag);
size_t nspi_properties(const struct nspi_property **out);                        /* all of them */
uint32_t nspi_listed(const struct nspi_property *p, uint16_t string_type);       /* its tag in a list of tags; strings are PtypString or PtypString8 */
/* Its own type, or 0 if the server does not know it. */
uint32_t nspi_native(uint32_t tag);
/* The tags of all that the server knows. */
void nspi_known(struct arena *a, uint16_t string_type, uint32_t **out, size_t *n);
/* Those that an object has (OXNSPI 3.1.4.1.6). */
void nspi_list(struct nspi_object *o, uint32_t flags, uint16_t string_type, uint32_t **out, size_t *n);

/* Appends a row (OXCMAPIHTTP 2.2.1.7) of the answer's columns for an object.  False: the answer is full, or took seconds already; the row was not appended. */
bool nspi_row(struct nspi_ctx *c, uint32_t mid, uint32_t flags);
/* Between two rows: if they took long, others go on who wait for a newer state of the book.  True: views of the look are no more. */
bool nspi_rest(struct nspi_ctx *c);
/* The columns of the answer: those asked for, or the usual ones (OXNSPI R1627); room for rows. */
void nspi_columns(struct nspi_ctx *c);

/* nspi_made.c: who makes a property of an object (out->tag is its own; false if it has none), and of what; NULL: it is not made. */
nspi_maker *nspi_made_by(uint32_t tag, unsigned *of);

/* nspi_org.c: DN of the Organization object that an object belongs to, NULL: there is none; and what departments are in that organization: a hierarchy is shown
 * as one or the other (MS-OXOABK 2.2.8). */
const char *nspi_org_dn(struct nspi_object *o);
enum nspi_hierarchy { HIERARCHY_NONE, HIERARCHY_GROUPS, HIERARCHY_DEPARTMENTS };
enum nspi_hierarchy nspi_org_hierarchy(struct nspi_object *o);

/* nspi_list.c: address lists and templates.  The object of an id that is not one of people and so on; *out stays as it is if there is none. */
ec_t nspi_list_object(struct nspi_ctx *c, uint32_t mid, uint32_t flags, struct nspi_object *out);
/* All lists in the order of the hierarchy; an object of a template. */
ec_t nspi_list_objects(struct nspi_ctx *c, struct nspi_object **out, size_t *n);
void nspi_template_object(struct nspi_ctx *c, const struct template *t, uint32_t flags, struct nspi_object *out);
const char *nspi_list_parent(const struct nspi_object *o); /* DN of the list above, NULL: none */

/* nspi_link.c: the objects at the other end that the client may see, ascending: who is a member of a group that hides its members is told to its owners alone. */
ec_t nspi_links(struct nspi_ctx *c, enum link_kind k, int64_t row, bool back, int64_t **out, size_t *n);
/* Does a group hide its members, from this client? */
ec_t nspi_hides(struct nspi_ctx *c, int64_t group, bool *yes);
/* Is he an owner of the group, or a member of a group that is? */
ec_t nspi_owns(struct nspi_ctx *c, int64_t group, bool *yes);

/* Entry ids (OXNSPI 2.2.9). */
struct blob nspi_permanent_id(struct arena *a, uint32_t display_type, const char *dn);
struct blob nspi_ephemeral_id(struct arena *a, const struct guid *server, uint32_t display_type, uint32_t mid);
bool nspi_ephemeral_parse(struct blob id, struct guid *server, uint32_t *display_type, uint32_t *mid);
/* The object that an entry id of either form names; 0: none that can be seen. */
ec_t nspi_entryid_row(struct nspi_ctx *c, struct blob id, int64_t *row);
#endif
