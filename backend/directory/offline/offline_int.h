/* offline_int.h - what the files of this room share: how the parts of a book lie in the database, and how they come there. */
#ifndef OFFLINE_OFFLINE_INT_H
#define OFFLINE_OFFLINE_INT_H
#include "backend/base/crypto.h"
#include "backend/directory/directory_int.h"
#include "backend/directory/offline/offline.h"
#include "backend/directory/offline/offline_format.h"

/* A file is cut into pieces of PIECE bytes, the last is shorter; piece i of a file is row `file * PIECES + i`. */
enum { OFFLINE_PIECE = 65536, OFFLINE_READ_MAX = 1 << 20, OFFLINE_TOGETHER = 16 };
#define OFFLINE_PIECES ((int64_t)1 << 20)
/* A maker that was silent for so long is gone [ms]. */
#define OFFLINE_SILENT ((uint64_t)600000)
/* Who takes a book to make has it for so long, and longer with each thing that he writes [ms]. */
#define OFFLINE_CLAIM ((uint64_t)300000)

/* The name and the DN of the list that all books are of (container.c). */
#define OFFLINE_NAME "\\Global Address List"
#define OFFLINE_DN "/"

/* "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", in the arena. */
const char *offline_guid_text(struct arena *a, const struct guid *g);

/* --- files that are being made (offline_write.c): nobody sees them until they are published --------------------------------------------------- */
struct offline_writer {
    struct directory *d;
    struct arena *a;
    uint32_t      org;
    struct guid   maker;
    int64_t       row;           /* of the file that is open */
    size_t        files;
    struct wr     pieces;        /* bytes that are not written yet; OFFLINE_TOGETHER pieces at most */
    int64_t       next;          /* number of the first of them */
    uint64_t      size;
    struct sha1  *sha1;
};
void offline_writer_new(struct offline_writer *w, struct directory *d, struct arena *a, uint32_t org);
ec_t offline_writer_open(struct offline_writer *w, enum offline_kind kind, uint32_t lcid, const char *name);
ec_t offline_writer_give(void *writer, struct blob b);               /* offline_give; ecTimeout: it was taken for gone */
ec_t offline_writer_close(struct offline_writer *w, uint64_t uncompressed);
/* All files at once become generation b->sequence, with what *b and the others say of the book; *won: false if another maker was first. */
struct offline_result { uint64_t objects; struct blob shortened, digest; const char *state; };
ec_t offline_writer_publish(struct offline_writer *w, uint32_t sequence, const struct offline_result *r, bool *won);
void offline_writer_drop(struct offline_writer *w);                  /* what was not published goes */

/* --- what a book is made of ------------------------------------------------------------------------------------------------------------------- */
/* Text that says by what the directory would give the same book again; in the arena. */
ec_t offline_state(struct directory *d, struct arena *a, const char **out);
/* The book was looked at: it is as `state` says. */
ec_t offline_looked(struct directory *d, uint32_t org, const char *state);
/* The bytes of the display templates of a locale; and for which there are templates (offline_template.c). */
ec_t offline_template_locales(struct directory *d, struct arena *a, uint32_t **lcid, size_t *n);
ec_t offline_template_file(struct directory *d, struct arena *a, uint32_t lcid, struct blob *out);
#endif
