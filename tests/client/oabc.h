/* oabc.h - the offline address book as a client downloads it: the manifest, then files in ranges as BITS asks for them, their sizes and digests checked.  MS-OXWOAB.
 *
 * Requests go by a struct mapic, without cookies.  Everything lives in the arena. */
#ifndef CLIENT_OABC_H
#define CLIENT_OABC_H
#include "tests/client/mapic.h"

#define OABC_MANIFEST "oab.xml"

struct oabc_file {
    bool        is_template, is_diff;   /* neither: Full */
    uint32_t    seq, ver, langid;       /* langid of templates */
    uint64_t    size, uncompressed;
    uint8_t     sha[20];                /* of the bytes as they are downloaded */
    bool        mac;
    const char *name;
};
/* Name of its first address list; files of all. */
struct oabc_manifest { const char *id, *dn, *name; struct oabc_file *file; size_t n; };

/* Reads a manifest; false: it is none, or an attribute is missing or no number. */
bool oabc_read(struct arena *a, struct blob xml, struct oabc_manifest *out);
/* The Full file; NULL: none. */
const struct oabc_file *oabc_full(const struct oabc_manifest *m);

/* One request: GET or HEAD of a path; `headers`: raw lines, each ended by CRLF, or NULL.  False with *why: no whole answer (out->http has what came). */
bool oabc_ask(struct mapic *c, struct arena *a, const char *verb, const char *path, const char *headers, struct mapic_reply *out, const char **why);
/* The manifest of a directory ("/oab/GUID/"); c->status says why not. */
bool oabc_manifest(struct mapic *c, struct arena *a, const char *directory, struct oabc_manifest *out, const char **why);

/* A whole file: HEAD, then ranges of `piece` bytes (0: one for all), each on the condition that the file has not changed.  What a broken connection left is asked for
 * again from where it broke, at most `resumes` times, which count down.  Size and digest are checked. */
bool oabc_download(struct mapic *c, struct arena *a, const char *directory, const struct oabc_file *f, uint64_t piece, unsigned *resumes, struct blob *out, const char **why);
#endif
