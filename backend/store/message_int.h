/* message_int.h - what the files of messages and attachments share: the stored row, and where the value of a property comes from. */
#ifndef STORE_MESSAGE_INT_H
#define STORE_MESSAGE_INT_H
#include "backend/store/message.h"
#include "backend/store/message_subject.h"
#include "backend/store/store_int.h"
#include "backend/store/view_int.h"

enum { /* PidTagMessageFlags (MS-OXCMSG 2.2.1.6) */
    MF_READ = 0x1, MF_UNMODIFIED = 0x2, MF_SUBMITTED = 0x4, MF_UNSENT = 0x8, MF_HASATTACH = 0x10, MF_FROMME = 0x20, MF_FAI = 0x40, MF_RESEND = 0x80,
    MF_NOTIFYREAD = 0x100, MF_NOTIFYUNREAD = 0x200, MF_EVERREAD = 0x400, MF_INTERNET = 0x2000, MF_UNTRUSTED = 0x8000,
    MF_CLIENT = MF_READ | MF_UNSENT | MF_RESEND
};
enum { ACCESS_MODIFY = 0x1, ACCESS_READ = 0x2, ACCESS_DELETE = 0x4, ACCESS_HIERARCHY = 0x8, ACCESS_CONTENTS = 0x10, ACCESS_FAI = 0x20 };

/* Property ids as constants, for switches. */
enum {
#define PROPTAG(tag, name) ID_##name = (int)((tag) >> 16),
#include "backend/mapi/proptag.def"
#undef PROPTAG
};

/* --- message_row.c: the stored row ------------------------------------------------------------------------------------------ */
enum message_col {
#define MCOL(number, name, kind, tag, use) MCOL_##name,
#include "backend/store/message_col.def"
#undef MCOL
    MCOL_COUNT
};
typedef uint64_t colmask; /* bit MCOL_x, and those of the table message_body: */
#define MCOL_BIT(name) (1ull << MCOL_##name)
#define MCOLS_ALL   ((1ull << MCOL_COUNT) - 1)
#define MCOLS_KEYS  (1ull << 60)
#define MCOLS_PROPS (1ull << 61)
#define MCOLS_RCPTS (1ull << 62)
#define MCOLS_BODY  (MCOLS_KEYS | MCOLS_PROPS | MCOLS_RCPTS)

struct message_row {
    uint64_t    mid;
    colmask     have;             /* what was read */
    colmask     set;              /* columns that are not NULL */
    int64_t     i[MCOL_COUNT];
    struct blob b[MCOL_COUNT];
    struct blob pcl, change_key, props, rcpts;  /* change_key.n 0: made from the cn */
    struct props unpacked;        /* of props, once somebody needed many */
    bool        is_unpacked;
};

/* ecNotFound.  Columns and bodies in `a`. */
ec_t message_row_load(struct mailbox *m, struct arena *a, uint64_t mid, colmask want, struct message_row *out);
/* Reads what is not here yet. */
ec_t message_row_more(struct mailbox *m, struct arena *a, struct message_row *r, colmask want);
/* From a query that stands on a row: the columns `want` from number `at` on, as message_row_select lists them. */
void message_row_read_cols(struct message_row *r, const struct query *q, unsigned at, colmask want, struct arena *a);
const char *message_row_select(struct arena *a, colmask want);
/* Inserts or overwrites the row; with the body if that is there. */
ec_t message_row_save(struct mailbox *m, const struct message_row *r);
ec_t message_row_delete(struct mailbox *m, uint64_t mid);

static inline void message_row_int(struct message_row *r, enum message_col c, int64_t v) { r->i[c] = v; r->set |= 1ull << c; }
static inline bool message_row_is(const struct message_row *r, enum message_col c) { return (r->set >> c & 1) != 0; }

int  message_col_of(uint32_t tag);                                        /* column by property id, -1 */
uint32_t message_col_tag(int col);
bool message_col_value(const struct message_row *r, int col, struct propval *out);
/* What the client stored in columns and blob. */
ec_t message_row_props(struct mailbox *m, struct message_row *r, struct arena *a, struct props *out);
/* Takes the values of `set` that have columns (of use OWN) into the row; the others go to `rest`.  Values of another type than the column are dropped. */
void message_row_take(struct message_row *r, struct arena *a, const struct props *set, struct props *rest);
uint64_t message_row_bytes(const struct message_row *r);   /* of packed parts and strings; large values and attachments not counted */
const struct props *message_row_unpacked(struct message_row *r, struct arena *a);

/* --- message_value.c: the value of a property ------------------------------------------------------------------------------- */
struct message_src {
    struct mailbox *m;
    struct arena   *a;            /* where values live */
    struct message_row *row;      /* NULL: not stored */
    const struct msg *over;       /* changes, or the whole message; may be NULL */
    const struct msg *atts;       /* the attachments of that time; NULL: those that are stored now */
    bool     embedded;
    uint64_t mid, fid;            /* 0: none yet */
    uint32_t rights;              /* of the actor in the folder */
    bool     many;                /* many tags are asked for: unpack once */
    ec_t     ec;                  /* first error of reading */
};
/* The value in the type asked for, PtypErrorCode if there is none. */
struct propval message_value(struct message_src *s, uint32_t tag);
/* As stored or set by the overlay, nothing computed; false: none. */
bool message_plain(struct message_src *s, uint32_t tag, struct propval *out);
/* Reads what of the row is not here yet. False: it is not stored, or an error. */
bool message_need(struct message_src *s, colmask want);
colmask message_needs(const uint32_t *tags, size_t n);

typedef bool (*message_fn)(struct message_src *s, uint32_t tag, struct propval *out);
#define MSGPROP(tag, fn, needs, flags) bool message_prop_##fn(struct message_src *s, uint32_t asked, struct propval *out);
#include "backend/store/messageprop.def"
#undef MSGPROP

struct subject message_subject_of(struct message_src *s);
/* A view's eyes on a row: fill with message_view, hand to view_message_*. */
void message_view(struct message_src *s, struct view_msg *out);

/* --- message_access.c -------------------------------------------------------------------------------------------------------- */
/* PidTagAccess of a message: by the rights in its folder and by who made it (the body is read only if that decides). */
uint32_t message_access(struct message_src *s);
bool message_owned(struct message_src *s);

/* --- message_make.c: what is made at a save ------------------------------------------------------------------------------------ */
struct blob message_display(struct arena *a, const struct msg *msg, uint8_t type);   /* 1 to, 2 cc, 3 bcc */
uint64_t message_refs_size(const struct msg *msg);                                    /* bytes of all large values */
uint64_t message_size(struct arena *a, const struct msg *msg);
struct blob message_pack_props(struct arena *a, const struct props *p);
bool message_has_named(const struct props *p);
void message_drop_stale_bodies(struct props *set, const struct msg *over);

/* --- folder_delta.c: counters of folder and mailbox ------------------------------------------------------------------------- */
struct folder_delta { int64_t total, unread, assoc, bytes, deleted_total, deleted_assoc, deleted_bytes, ever_deleted; };
/* What one message more (sign 1) or less (-1) means, by its columns. */
void folder_delta_add(struct folder_delta *d, const struct message_row *r, int sign);
ec_t folder_delta_apply(struct mailbox *m, uint64_t fid, const struct folder_delta *d);
/* What an event about the folder, or about a message in it, says of it after `d`: parent, and the counts if they changed. */
ec_t folder_delta_event(struct mailbox *m, const struct folder_delta *d, struct event *e);

/* --- message_bulk.c: operations over many messages of one folder, in bounded memory ------------------------------------------------ */
struct message_bulk {
    struct mailbox *m;
    struct arena   *a;            /* of the current batch: gone with it */
    uint64_t fid;
    uint32_t rights;              /* of the actor there */
    struct folder_delta delta;    /* of fid, applied by message_bulk_end */
    size_t   expected, done;      /* messages named (SIZE_MAX: all), messages changed */
    bool     partial;
    bool     silent;              /* there are so many that one event about the folder says it better than one for each */
    void    *own;                 /* the operation's */
};
typedef ec_t (*message_bulk_fn)(struct message_bulk *b, uint64_t mid);
/* ecNotFound: no such folder. */
ec_t message_bulk_begin(struct mailbox *m, uint64_t fid, size_t expected, struct message_bulk *b);
ec_t message_bulk_ids(struct message_bulk *b, const uint64_t *mids, size_t n, message_bulk_fn fn);
ec_t message_bulk_folder(struct message_bulk *b, bool assoc, bool deleted, message_bulk_fn fn);
/* The row, and may the actor?  False: it is gone (softly deleted counts as gone unless deleted_too), or he may not (b->partial). */
bool message_bulk_row(struct message_bulk *b, uint64_t mid, colmask want, uint32_t access, bool deleted_too, struct message_row *r, ec_t *ec);
/* One event per message, unless `silent`. */
ec_t message_bulk_event(struct message_bulk *b, const struct event *e);
ec_t message_bulk_end(struct message_bulk *b);

/* --- attach.c: the attachments of stored messages ------------------------------------------------------------------------------ */
ec_t attach_load(struct mailbox *m, struct arena *a, uint64_t mid, struct msg *out);              /* all of them */
ec_t attach_load_one(struct mailbox *m, struct arena *a, uint64_t mid, uint32_t num, struct msg *into); /* ecNotFound */
/* Applies the attachments of `over`; large values move and are counted. */
ec_t attach_save(struct mailbox *m, uint64_t mid, const struct msg *over);
ec_t attach_sum(struct mailbox *m, uint64_t mid, uint32_t *n, uint64_t *bytes);
ec_t attach_delete_all(struct mailbox *m, uint64_t mid);
uint64_t attach_size(struct arena *a, const struct attachment *att);
struct propval attach_value(struct mailbox *m, const struct attachment *att, uint32_t tag);
#endif
