/* offline.h - offline address books: the files that a client downloads to look people up without the server (MS-OXOAB, version 4).
 *
 * Each organization has one, of its global address list.  A generation is made by a job of the site (backend/jobs/offliner.h) or by an administrator, and
 * appears whole, at once: who downloads sees one generation or the next, on every host.  A generation whose objects are those of the one before is not made
 * again, so the sequence rises only if something changed.  The files lie in the directory database in pieces, so that no host owns them and a part of a
 * file (HTTP ranges) costs no more than the part.  The generation before stays until the next but one, for who is in the middle of a download. */
#ifndef DIRECTORY_OFFLINE_H
#define DIRECTORY_OFFLINE_H
#include "backend/base/guid.h"
#include "backend/directory/directory.h"
#include "backend/mapi/propval.h"

/* What a file is.  MS-OXWOAB 2.2: Full and Template elements of the manifest.  Templates for the Macintosh are not made. */
enum offline_kind { OFFLINE_FULL, OFFLINE_TEMPLATE };

struct offline_book {
    struct guid guid;         /* PidTagOfflineAddressBookContainerGuid; stays while the organization stays */
    uint32_t    org;
    const char *organization; /* its name */
    const char *name;         /* PidTagOfflineAddressBookName */
    const char *dn;           /* PidTagOfflineAddressBookDistinguishedName */
    uint32_t    sequence;     /* PidTagOfflineAddressBookSequence; 1 is the first generation, 0: none was made yet */
    uint64_t    made;         /* ms since 1970 */
    uint64_t    objects;
};
struct offline_file {
    int64_t           row;
    enum offline_kind kind;
    uint32_t          lcid;          /* templates: their language; else 0 */
    uint32_t          sequence;      /* the generation that it belongs to */
    const char       *name;          /* "<guid>-data-1.lzx": letters, digits, '-' and '.' only; unique in the book, another one for other bytes */
    uint64_t          size;          /* bytes, as downloaded */
    uint64_t          uncompressed;  /* bytes of what is inside */
    uint8_t           sha1[20];      /* of the bytes as downloaded */
    uint64_t          made;          /* ms since 1970 when it was first offered; the same as long as there is this file (Last-Modified of downloads) */
};

/* All functions: strings live in the arena; ecDiskError, logged: the database. */
ec_t offline_books(struct directory *d, struct arena *a, uint32_t org, struct offline_book **out, size_t *n); /* org 0: of all */
/* The book of an organization; ecNotFound: there is none, or no such organization. */
ec_t offline_of(struct directory *d, struct arena *a, uint32_t org, struct offline_book *out);
/* The book of the organization whose objects somebody sees (book.h); ecNotFound: he is no object of the address book. */
ec_t offline_for(struct directory *d, struct arena *a, const struct person *who, struct offline_book *out);
/* The files of the newest generation. */
ec_t offline_files(struct directory *d, struct arena *a, const struct offline_book *b, struct offline_file **out, size_t *n);
/* A file of the newest generation or of the one before; ecNotFound. */
ec_t offline_file(struct directory *d, struct arena *a, const struct offline_book *b, const char *name, struct offline_file *out);
/* Bytes at..at + n of a file, n <= 1 MiB; ecNotFound: it is gone by now, or the part is not inside of it. */
ec_t offline_read(struct directory *d, struct arena *a, const struct offline_file *f, uint64_t at, size_t n, struct blob *out);

/* The properties of MS-OXOAB 2.9.2.1 and of the global address list: PidTagOfflineAddressBookName, -Sequence, -ContainerGuid, -DistinguishedName,
 * -MessageClass, -TruncatedProperties (what is shortened or left out of some object; absent: nothing is).  Set in *out, which may hold others. */
ec_t offline_props(struct directory *d, struct arena *a, uint32_t org, struct props *out);

/* Where the values of objects come from: from the code of the address-book endpoint (session/nspi/nspi_offline.h), so that both show the same.  A look sees
 * what somebody of the organization sees who owns nothing in it. */
struct offline_values {
    ec_t (*begin)(struct directory *d, struct arena *a, uint32_t org, void **look);
    /* The objects of the global address list, ascending. */
    ec_t (*rows)(void *look, struct arena *a, int64_t **row, size_t *n);
    /* The values of one, each in the type of its tag (PtypUnspecified: its own), or an error (PtypErrorCode); ecNotFound: it is gone. */
    ec_t (*values)(void *look, struct arena *a, int64_t row, const uint32_t *tag, size_t n, struct propval *out);
    /* The DN of the topmost department; *dn NULL: there is none. */
    ec_t (*root)(void *look, struct arena *a, const char **dn);
    void (*end)(void *look);
};

/* Makes the next generation of an organization's book, if its objects changed; *made: whether.  Readers and writers of the directory go on meanwhile; a
 * generation of another maker that comes out first counts.  Of an organization without objects none is made.  Stops early (ecTimeout) if *stop says so (NULL: never). */
struct offline_stop { bool (*stop)(void *ctx); void *ctx; };
ec_t offline_make(struct directory *d, struct arena *a, const struct offline_values *from, uint32_t org, const struct offline_stop *stop, bool *made);

/* Which book is to be made now: something changed, and it was not looked at for interval_ms (a first generation: at once).  Of all workers of all hosts one gets
 * it.  *org 0: none. */
ec_t offline_next(struct directory *d, uint64_t now_ms, uint64_t interval_ms, uint32_t *org);
/* Takes away what makers left behind who are gone, and generations that nobody downloads any more; in short transactions. */
ec_t offline_sweep(struct directory *d, uint64_t now_ms);
/* Milliseconds since 1970. */
uint64_t offline_now(void);
#endif
