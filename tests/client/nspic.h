/* nspic.h - an address-book client: requests of MS-OXCMAPIHTTP 2.2.5 as a client writes them, answers as it reads them.
 *
 * It is a mapic on the other endpoint; what is asked and answered are plain structs.  Written by hand beside the server's tables, so that the two check each
 * other. */
#ifndef CLIENT_NSPIC_H
#define CLIENT_NSPIC_H
#include "backend/mapi/restriction.h"
#include "tests/client/mapic.h"

struct nspic_stat { uint32_t sort_type, container, current; int32_t delta; uint32_t num_pos, total, code_page, template_locale, sort_locale; };

/* What is asked; each request takes the fields that it has.  Pointers with a count of 0 and NULL are not there; `null_tags` ... say "there, and empty". */
struct nspic_ask {
    uint32_t flags, mid, mid2, tag, code_page, locale, type, version, rows, interface_flags;
    const struct nspic_stat *stat;
    const uint32_t *mids;   size_t nmids;
    const uint32_t *tags;   size_t ntags;
    const char *const *names; size_t nnames;     /* UTF-8 */
    const struct restriction *filter;
    const struct propval *values; size_t nvalues; /* strings go as the type of their tag says */
    const struct propval *target;
    const struct blob *entryids; size_t nentryids;
    const struct guid *name_guid; uint32_t name_id;
    const char *dn, *text;
    bool has_version, wants_delta, empty_tags;
};

struct nspic_row { struct propval *v; size_t n; };

struct nspic_reply {
    struct mapic_reply http;
    uint32_t status, error;                      /* error UINT32_MAX: no body, or a malformed one */
    struct guid guid;
    bool has_stat, has_mids, has_tags, has_values, has_rows, has_table, has_version, has_delta;
    struct nspic_stat stat;
    int32_t  result, delta;
    uint32_t code_page, version;
    uint32_t *mid; size_t mids;
    uint32_t *tag; size_t tags;                  /* tags, or the columns of rows */
    struct nspic_row *row; size_t rows;          /* of HasColumnsAndRows, or of a special table */
    struct nspic_row values;
    const char *url;
};

/* The mapic is prepared like any other (mapic_init, stack_client); this points it at the address book. */
void nspic_init(struct mapic *c);

/* The body of a request; `type` is its X-RequestType. */
struct blob nspic_body(struct arena *a, const char *type, const struct nspic_ask *q);
/* Decodes the body of an answer; false if it is malformed. */
bool nspic_decode(struct arena *a, const char *type, struct blob body, uint16_t code_page, struct nspic_reply *out);
/* Both, over the wire: the ErrorCode, or UINT32_MAX: the reply's code or *why says more. */
uint32_t nspic_call(struct mapic *c, struct arena *a, const char *type, const struct nspic_ask *q, const struct mapic_odd *odd, struct nspic_reply *out, const char **why);

/* The value of a property in a row, by id; NULL: not there. */
const struct propval *nspic_find(const struct nspic_row *row, uint32_t tag);
#endif
