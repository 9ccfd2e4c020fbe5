/* offliner.h - a quiet thread per process that makes offline address books; one process of all makes each. */
#ifndef JOBS_OFFLINER_H
#define JOBS_OFFLINER_H
#include "backend/base/config.h"
#include "backend/directory/offline/offline.h"

struct offliner;

/* NULL: the configuration wants none (offline_address_book, offline_address_book_interval 0), or no thread is to be had.  All arguments outlive it. */
struct offliner *offliner_start(const struct config *c, struct directory *d, const struct offline_values *from);
/* Ends it, within an object of the book that it is making; what it made of it goes.  NULL is allowed. */
void offliner_stop(struct offliner *o);
#endif
