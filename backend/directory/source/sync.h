/* sync.h - the objects of one source in the address book are made equal to the records that it gives now.
 *
 * A record is found again by the source and its key; a new one whose address is that of a user made by the administrator takes that user's row over (name,
 * properties, links; never login, mailbox or DN).  Rows are written some hundred at a time, links when all rows are there, so that records may name each
 * other in any order.  What a source no longer has goes when all was read well (`prune`): a row with a mailbox is not removed but left to the
 * administrator. */
#ifndef SOURCE_SYNC_H
#define SOURCE_SYNC_H
#include "backend/directory/source/attr.h"

struct sync_count { size_t read, added, changed, unchanged, removed, refused, links_unknown; };

struct sync_options {
    struct directory      *directory;
    const struct attr_map *map;
    const char *source;                 /* "csv:staff", "ldap" ... */
    bool        dry_run, prune;
    void      (*say)(void *ctx, const char *key, size_t line, const char *why);   /* a record or link that is left out */
    void      (*progress)(void *ctx, const struct sync_count *n);                 /* now and then */
    bool      (*stop)(void *ctx);                                                 /* asked at each pause */
    void       *ctx;
};

struct sync *sync_begin(struct arena *a, const struct sync_options *o);
/* ecNone also for a refused record (told and counted); else the database's error: end with it. */
ec_t sync_record(struct sync *s, const struct record *r);
/* What was written so far is durable, and others may write: before waiting for more records.  ecTimeout: to be stopped. */
ec_t sync_pause(struct sync *s);
/* `ec`: what the reading said; with an error only what was written so far stays.  *out: what happened. */
ec_t sync_end(struct sync *s, ec_t ec, struct sync_count *out);
#endif
