/* part.h - a MIME part taken apart: its header lines, its content, and of a multipart the parts in it.  Everything borrows from the bytes of the message.
 *
 * The structure is ours, so that every byte has a place, time is linear in the input and nothing recurses deeper than DEPTH_MAX; GMime reads what stands in
 * header lines (parameters, encoded words, addresses, dates). */
#ifndef MAIL_PART_H
#define MAIL_PART_H
#include "backend/base/arena.h"
#include <gmime/gmime.h>

struct head { struct blob name, value; };  /* the value as it came, folding included */

enum transfer { TRANSFER_PLAIN, TRANSFER_QP, TRANSFER_BASE64, TRANSFER_UU };

struct part {
    struct blob   whole;        /* header lines and content as they came */
    struct blob   block;        /* header lines */
    struct blob   content;      /* behind the empty line, as it came */
    struct head  *head;
    size_t        nhead, head_cap;
    const char   *type;         /* "text/plain": lower case, without parameters */
    const char   *disposition;  /* lower case; NULL: none */
    GMimeContentType        *ctype;   /* NULL: no Content-Type */
    GMimeContentDisposition *cdisp;   /* NULL: none */
    enum transfer transfer;
};

/* Takes header lines off the front.  A line that is no header ends them, unless another header follows it. `envelope`: a "From " line before them is skipped. */
void part_heads(struct arena *a, struct blob whole, bool envelope, struct part *out);
/* The same, and reads Content-Type (`dflt` if there is none that can be read), Content-Disposition and Content-Transfer-Encoding.  Raw 8-bit bytes in them are
 * of `charset` (may be NULL). */
void part_read(struct arena *a, struct blob whole, bool envelope, const char *dflt, const char *charset, struct part *out);

/* The first header of this name; an empty blob with p == NULL: none. */
struct blob part_head(const struct part *p, const char *name);
/* The next one: *i starts at 0. */
bool part_next_head(const struct part *p, const char *name, size_t *i, struct blob *value);

/* A parameter of Content-Type or Content-Disposition, decoded, as GMime keeps it; NULL: none. */
const char *part_param(const struct part *p, const char *name);
const char *part_disposition_param(const struct part *p, const char *name);

/* The content decoded; what claims an encoding that it plainly does not have stays as it came.  In the arena, or borrowed. */
struct blob part_content(struct arena *a, const struct part *p);

/* The parts of a multipart. */
struct pieces {
    struct blob  preamble, epilogue;
    struct blob *piece;
    size_t       n, cap;
    struct blob  rest;          /* what came after `max` pieces, delimiters included */
};
/* False if no delimiter is found. */
bool part_split(struct arena *a, const struct part *p, size_t max, struct pieces *out);
#endif
