/* propval.h - property values (MS-OXCDATA 2.11) in memory, on the wire, compared, measured.
 *
 * In memory a value is a tag and a union.  Strings are kept as UTF-8 without terminator (lone surrogates as three-byte sequences, so that
 * what came in goes out unchanged), under PtypString whatever the client sent; PtypString8 exists on the wire only.
 * All pointers borrow from the arena, the request or static data.  `large` marks a value whose bytes are not here but in the
 * store's large-value table: v.large names them (store.h: large_*); only PtypString, PtypBinary and PtypObject can be large.
 * A propval with type PtypErrorCode carries v.err: "this property has this error". */
#ifndef MAPI_PROPVAL_H
#define MAPI_PROPVAL_H
#include "backend/base/arena.h"
#include "backend/base/err.h"
#include "backend/base/guid.h"
#include "backend/base/rd.h"
#include "backend/base/wr.h"
#include "backend/mapi/proptag.h"

struct restriction;
struct rule_actions;

enum { LARGE_KEY = 32 };                        /* SHA-256 of the bytes as kept */
struct large_ref { uint8_t key[LARGE_KEY]; uint64_t size; }; /* size in bytes as kept: large strings are kept as UTF-16LE, so that streams can read at any offset */

struct propval {
    uint32_t tag;
    bool     large;
    union {
        int16_t   i16;
        int32_t   i32;
        int64_t   i64;                          /* also PtypCurrency, PtypTime (as filetime) */
        float     f32;
        double    f64;                          /* also PtypFloatingTime */
        bool      b;
        uint32_t  err;
        struct blob s;                          /* PtypString: UTF-8 */
        struct blob bin;                        /* PtypBinary, PtypObject, PtypServerId (content after the count) */
        struct guid guid;
        const struct restriction  *res;
        const struct rule_actions *actions;
        struct large_ref large;
        struct {                                /* multi-valued: n elements of the single type */
            size_t n;
            union {
                int16_t *i16; int32_t *i32; int64_t *i64; float *f32; double *f64;
                struct blob *s; struct blob *bin; struct guid *guid;
            };
        } mv;
    } v;
};

/* A list of values, in the order given; at most one value per property id. */
struct props { struct propval *v; size_t n, cap; };
struct tags  { uint32_t *v; size_t n, cap; };

/* The value with this property id (the type is not compared), or NULL.  Borrowed. */
const struct propval *props_find(const struct props *p, uint32_t tag);

/* Sets a value (replacing one with the same id), shallow: the bytes that it points to are not copied. */
void props_set(struct arena *a, struct props *p, struct propval v);
void props_del(struct props *p, uint32_t tag);
void props_copy(struct arena *a, struct props *to, const struct props *from);  /* shallow, each set */
void tags_add(struct arena *a, struct tags *t, uint32_t tag);                  /* unless it is there (by id) */
void tags_del(struct tags *t, uint32_t tag);
bool tags_has(const struct tags *t, uint32_t tag);

/* Makers for the common types.  pv_str borrows s. */
struct propval pv_i16(uint32_t tag, int16_t v);
struct propval pv_i32(uint32_t tag, int32_t v);
struct propval pv_i64(uint32_t tag, int64_t v);
struct propval pv_bool(uint32_t tag, bool v);
struct propval pv_time(uint32_t tag, uint64_t filetime);
struct propval pv_str(uint32_t tag, const char *utf8);
struct propval pv_strn(uint32_t tag, struct blob utf8);
struct propval pv_bin(uint32_t tag, struct blob b);
struct propval pv_guid(uint32_t tag, struct guid g);
struct propval pv_err(uint32_t tag, ec_t ec);       /* retyped to PtypErrorCode */

/* Common readers, with a default if absent or of another type. */
int32_t     props_i32(const struct props *p, uint32_t tag, int32_t dflt);
int64_t     props_i64(const struct props *p, uint32_t tag, int64_t dflt);
bool        props_bool(const struct props *p, uint32_t tag, bool dflt);
struct blob props_str(const struct props *p, uint32_t tag);  /* empty if absent */
struct blob props_bin(const struct props *p, uint32_t tag);

/* --- the wire (MS-OXCDATA 2.11.2), as ROP buffers have it: binary counts 16 bits, multi-value counts 32 bits --- */

/* How values are coded: ROP buffers on the one side, extended rules and the address book on the other differ in the width of counts (MS-OXCDATA 2.11.1.1).
 * BOOK: wide, and as address-book requests have it (MS-OXCMAPIHTTP 2.2.1.1): a byte before each string, binary and multi-value, and before each string and
 * binary in one, says whether it is there (read: one that is not there is empty); an object is 32 bits that mean nothing; a tagged value may have one more such
 * byte before its tag, as clients write it in restrictions. */
enum pv_counts { PV_COUNTS_ROP, PV_COUNTS_WIDE, PV_COUNTS_BOOK };
struct pv_codec {
    struct arena   *a;           /* where decoded arrays and converted strings live */
    uint16_t        code_page;   /* for PtypString8: Windows code page number; 0 = 1252 */
    enum pv_counts  counts;
};

/* Reads a PropertyValue of the type in `tag` (PtypUnspecified: a TypedPropertyValue).  On malformed bytes the reader latches
 * and the value is zero.  A String8 becomes PtypString in out->tag. */
void propval_read(struct rd *r, const struct pv_codec *c, uint32_t tag, struct propval *out);

/* TaggedPropertyValue: tag and value. */
void propval_read_tagged(struct rd *r, const struct pv_codec *c, struct propval *out);

/* u16 count and so many TaggedPropertyValues, each at most once; a repeated property id replaces the earlier. */
void props_read(struct rd *r, const struct pv_codec *c, struct props *out);

/* Writes the value in the type asked for: `type` is the type of the column (PtypUnspecified: writes the type first).  The value must
 * convert: same type, or String -> String8, otherwise the caller writes an error (proprow.h does that).  Large values must be
 * loaded before.  A string ends at its first NUL.  A binary that is longer than its count can say fills the builder (w->full). */
void propval_write(struct wr *w, const struct pv_codec *c, uint16_t type, const struct propval *v);
void propval_write_tagged(struct wr *w, const struct pv_codec *c, const struct propval *v);

/* Size in bytes of the value as propval_write writes it with its own type in Unicode.  A large string is taken to be ASCII. */
size_t propval_size(const struct propval *v);

/* Can this value be given where `type` is asked for?  (Same type; String for String8; an instance of a multi-value.) */
bool propval_fits(const struct propval *v, uint16_t type);

/* Order of two values of the same single type (MS-OXCDATA 2.12.5 comparison): <0, 0, >0.  Strings compare case-insensitively
 * by simple Unicode folding; use collation (store) for what users see sorted. */
int propval_cmp(const struct propval *a, const struct propval *b);

/* How many values it has (1 if it is not multi-valued); element i < propval_count of a multi-value as a single value, which borrows. */
size_t propval_count(const struct propval *v);
struct propval propval_element(const struct propval *v, size_t i);

/* A deep copy into the arena. */
struct propval propval_dup(struct arena *a, const struct propval *v);

/* "PidTagSubject=\"text\"" for logs and decode; values are cut to 60 characters.  In the arena. */
const char *propval_print(struct arena *a, const struct propval *v);
#endif
