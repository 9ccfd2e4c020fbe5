/* record.h - the FastCGI records that we write ourselves, and the look at those that have not been read yet (FastCGI 1.0, section 3.3). */
#ifndef FCGI_RECORD_H
#define FCGI_RECORD_H
#include "backend/base/wr.h"
#include <sys/uio.h>

enum { RECORD_HEAD = 8, RECORD_MOST = 65535, RECORD_END = 3 * RECORD_HEAD };

/* One STDOUT record of at most RECORD_MOST bytes. */
void record_stdout(struct wr *w, uint16_t id, struct blob content);

/* The pieces, seen as one stream, as STDOUT records, then the end of STDOUT and END_REQUEST.  The vector lies in `a`, borrows the pieces,
 * and has room for one more. */
struct iovec *record_answer(struct arena *a, uint16_t id, const struct blob *piece, size_t n, size_t *out_n);
/* The same without the end: more is to come. */
struct iovec *record_part(struct arena *a, uint16_t id, const struct blob *piece, size_t n, size_t *out_n);

/* An empty piece of STDERR: no part of any answer. */
void record_nothing(struct wr *w, uint16_t id);

/* The empty PARAMS record, which ends the parameters, is among these bytes. */
bool record_params_end(struct blob seen);
#endif
