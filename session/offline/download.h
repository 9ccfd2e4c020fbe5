/* download.h - the offline address book as clients download it: the manifest, and the files that it names (MS-OXWOAB).
 *
 * A path is /oab/GUID/oab.xml or /oab/GUID/FILE.  For anybody only the book of his own organization exists.  A file keeps its bytes as long as it has its name, on every
 * host, so a download can go on at another worker. */
#ifndef OFFLINE_DOWNLOAD_H
#define OFFLINE_DOWNLOAD_H
#include "backend/base/config.h"
#include "backend/directory/offline/offline.h"

#define DOWNLOAD_ROOT "/oab/"

/* A path below /oab/, upper and lower case alike; whether there is anything is another question. */
bool download_path(const char *path);

enum download_outcome {
    DOWNLOAD_FOUND,
    DOWNLOAD_NONE,               /* no such book or file, or not for this person: that is not told apart */
    DOWNLOAD_OFF,                /* switched off for this mailbox, or for clients from outside */
    DOWNLOAD_DOWN                /* it cannot be told now; logged */
};

struct download_call {
    struct arena        *a;
    const struct config *config;
    struct directory    *directory;
    const struct person *who;
    const char          *path;
    bool                 external;    /* it came in on a listener for the outside */
};

/* What is there.  `text`: all of the manifest; a file is read part by part. */
struct download {
    bool                whole;        /* `text` is it */
    const char         *type;         /* media type */
    uint64_t            size;         /* bytes */
    uint64_t            made;         /* ms since 1970; 0: not known */
    uint8_t             sha1[20];
    struct blob         text;
    struct offline_file file;
};
enum download_outcome download_find(const struct download_call *c, struct download *out);

/* Bytes at..at + n of a file, n <= 1 MiB; ecNotFound: it is there no more. */
ec_t download_read(struct directory *d, struct arena *a, const struct download *f, uint64_t at, size_t n, struct blob *out);

/* The manifest of a generation (MS-OXWOAB 2.2): one address list with the files that make it up. */
struct blob download_manifest(struct arena *a, const struct offline_book *b, const struct offline_file *file, size_t n);
#endif
