/* view_value.h - the values of one row as order and restriction want them: large ones loaded, what fails remembered. */
#ifndef STORE_VIEW_VALUE_H
#define STORE_VIEW_VALUE_H
#include "backend/store/store_int.h"
#include "backend/store/view_def.h"

struct view_value {
    struct mailbox *m;
    const struct res_row *row;
    struct arena *a;              /* what had to be loaded; made at need */
    bool          whole;          /* load all of a large value, not only its beginning */
    uint32_t      instance;       /* property of which `one` is shown where an instance is asked for; 0: none */
    bool          has_one;
    struct propval one;
    ec_t          ec;
};

void view_value_start(struct view_value *v, struct mailbox *m, const struct res_row *row);
/* A value that cannot be loaded counts as missing, the error comes from view_value_end. */
bool view_value_meets(struct view_value *v, const struct restriction *r);
/* Frees what was loaded; the first error on the way. */
ec_t view_value_end(struct view_value *v);

/* The rows of a view that a message (or folder) makes: one, or one per instance.  fn gets the key and whether the restriction lets it in (true
 * if `judge` is false: then it is not asked). */
enum { VIEW_INSTANCES_MAX = 256 };
typedef ec_t (*view_value_fn)(void *ctx, const struct view_key *key, bool in);
ec_t view_value_each(struct mailbox *m, const struct res_row *row, const struct view_def *d, bool judge, view_value_fn fn, void *ctx);

/* A large value as a small one: its first bytes (strings cut between characters, as UTF-8). */
ec_t view_value_beginning(struct mailbox *m, const struct propval *v, size_t bytes, struct arena *a, struct propval *out);
#endif
