/* nspi.h - the requests of the address book as data, and what a handler gets.
 *
 * nspi.def has one line per request; its layouts are read and written by nspi_wire.c, so that a handler sees what was asked as fields and answers by
 * fields.  The ladder (nspi.c) does what the line says: the STAT and its code page, a look into the book, the turn of a change.  A handler that returns an
 * error has nothing of its answer sent but the code (MS-OXNSPI R736, R943, R1631 ...); only the codes of MS-OXNSPI 2.2.1.2 leave. */
#ifndef NSPI_NSPI_H
#define NSPI_NSPI_H
#include "backend/base/config.h"
#include "backend/directory/book.h"
#include "backend/mapi/restriction.h"
#include "session/context/context.h"

/* MS-OXNSPI 2.2.8: 36 bytes. */
struct nspi_stat {
#define STAT(type, field, name) type field;
#include "session/nspi/nspistat.def"
#undef STAT
};

enum {
#define CONST(set, name, value, text) name = value,
#include "session/nspi/nspiconst.def"
#undef CONST
};
enum { CP_WINUNICODE = 1200 };
enum { NSPI_COUNT_MAX = 100000 };                                      /* of tags, ids, strings ... (OXCMAPIHTTP R25) */

/* What was asked.  Strings are UTF-8. */
struct nspi_args {
    uint32_t flags, arg[4];
    size_t   args;
    bool     has_stat, has_mids, has_tags, has_names, has_filter, has_name, has_values, has_target, has_entryids, has_dn, has_version, wants_delta;
    struct nspi_stat stat;
    uint32_t *mid; size_t mids;
    uint32_t *tag; size_t tags;
    struct blob *name; size_t names;
    struct restriction *filter;
    struct propval *value; size_t values;
    struct propval  target;
    struct blob *entryid; size_t entryids;
    const char *dn, *text;
    uint32_t    version;
};

/* One row of a special table, or the values of one object. */
struct nspi_values { struct propval *v; size_t n; };

struct nspi_answer {
    struct guid guid;
    int32_t     result, delta;
    uint32_t    code_page, version;
    bool        has_stat, has_mids, has_tags, has_values, has_version, has_rows, has_table;
    struct nspi_stat stat;
    uint32_t *mid; size_t mids;
    uint32_t *tag; size_t tags;          /* T, and the columns of L */
    struct wr rows; uint32_t nrows;      /* L: rows as they are sent (nspi_row.h) */
    uint64_t  since, rested;             /* when the first was begun, and others could go on last; by clock_ms() */
    struct nspi_values values;           /* V */
    struct nspi_values *table; size_t table_rows; /* X */
    const char *url;
};

struct nspi_env { const struct config *config; struct directory *directory; };

struct nspi_ctx {
    struct arena    *a;
    const struct nspi_env *env;
    const struct person   *who;
    const struct nspi_args *in;
    struct nspi_answer     *out;
    struct pv_codec  codec;              /* code page of the STAT (or of the session), counts of the address book */
    struct book_look look;               /* LOOKS */
    struct directory *reader;            /* LOOKS: for questions of entry.h */
    struct guid      server;             /* LOOKS: ServerGuid */
    struct container *list; size_t lists;/* LOOKS: the hierarchy of address lists, once it was asked for (nspi_list.c) */
    struct entry_turn turn;              /* WRITES */
};

struct nspi_def { const char *name, *request, *request_fields, *answer, *answer_fields, *document; ec_t (*run)(struct nspi_ctx *c); unsigned flags; };
enum { STATED = 1, LOOKS = 2, WRITES = 4, ASIDE = 8, OPENS = 16, ENDS = 32 };

/* By X-RequestType, upper and lower case alike; NULL: none.  All of them, for tests and statistics. */
const struct nspi_def *nspi_find(const char *type);
extern const struct nspi_def nspi_table[];
extern const size_t          nspi_count;

/* nspi_wire.c: bodies between the wire and the structs.  False: malformed.  `code_page` is that of the session, for requests without a STAT. */
bool nspi_read(struct arena *a, const struct nspi_def *d, uint32_t code_page, struct blob body, struct nspi_args *out);
struct blob nspi_write(struct arena *a, const struct nspi_def *d, ec_t ec, const struct nspi_answer *out);
void nspi_stat_read(struct rd *r, struct nspi_stat *s);
void nspi_stat_write(struct wr *w, const struct nspi_stat *s);
/* Code page in which 8-bit strings travel: a session in Unicode has none, and gets the default. */
uint16_t nspi_code_page(uint32_t code_page);
bool nspi_code_page_known(uint32_t code_page);

/* Runs a request (not Bind, not Unbind).  The body of the answer, always. */
struct blob nspi_run(struct nspi_ctx *c, const struct nspi_def *d);
/* Is the client allowed to open a session so?  ecNone, or why not (OXNSPI 3.1.4.1.1). */
ec_t nspi_bind_check(const struct nspi_args *q);

/* The handlers, by the table. */
#define NSPI(name, flags, request, request_fields, answer, answer_fields, document) ec_t nspi_##name(struct nspi_ctx *c);
#include "session/nspi/nspi.def"
#undef NSPI
#endif
