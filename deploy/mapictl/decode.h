/* decode.h - captured bodies of the two endpoints, printed to the standard output field by field as they are read: what comes before a fault has been shown.
 *
 * All give true for a whole body.  False: the reader stands where it could not go on and says why, or a part of the body (a ROP list) said it itself.  The
 * layouts are those that the server reads and writes by: rop.def, nspi.def; decode.def adds what those do not say. */
#ifndef MAPICTL_DECODE_H
#define MAPICTL_DECODE_H
#include "backend/base/arena.h"
#include "backend/base/rd.h"

struct nspi_def;   /* session/nspi/nspi.h, which does not go together with rop.h */

/* What a file holds (decode_capture.c): a body, alone, behind the lines PROCESSING ... DONE, or behind the head of an HTTP message, chunked or not. */
struct decode_capture {
    struct blob body;
    const char *type;             /* X-RequestType of the head; "" */
    bool        answer, told;     /* a response; the file itself says which of the two it is */
    bool        book;             /* a request to the address book */
};
/* False: *why, at byte *at of the file. */
bool decode_capture(struct arena *a, struct blob file, struct decode_capture *out, const char **why, size_t *at);

/* Where in a body of the address book something was read last. */
struct decode_place { const char *field; size_t begin, row; uint32_t tag; };

/* A request type of the address book, or one of both endpoints without a decoder of its own: PING, Disconnect, NotificationWait; NULL. */
const struct nspi_def *decode_book_find(const char *type);
/* Its body.  `code_page`: of strings of 8 bits where the body does not say it. */
bool decode_book(struct arena *a, struct rd *r, const struct nspi_def *d, bool answer, uint32_t code_page, struct decode_place *place);
/* The types that this could be a whole body of, NULL behind the last; by their form only. */
const struct nspi_def **decode_book_guess(struct arena *a, struct rd r, bool answer);

/* By its form: a UserDn where an Execute has its flags; PollsMax where an Execute has a zero. */
bool decode_is_connect(struct rd r, bool answer);
/* Is it a whole body, as far as its outer fields say? */
bool decode_whole_connect(struct rd r, bool answer);
bool decode_whole_execute(struct rd r, bool answer);

/* MS-OXCMAPIHTTP 2.2.4.1.1, 2.2.4.1.2. */
bool decode_connect_request(struct arena *a, struct rd *r);
bool decode_connect_answer(struct arena *a, struct rd *r);

/* 2.2.4.2.1, 2.2.4.2.2 */
bool decode_execute_request(struct arena *a, struct rd *r);
bool decode_execute_answer(struct arena *a, struct rd *r);

/* A failure body of any type: StatusCode, which is not 0, and the auxiliary buffer. */
bool decode_failure(struct arena *a, struct rd *r);

/* AuxiliaryBufferSize, AuxiliaryBuffer, and nothing behind it.  Absent altogether: true. */
bool decode_aux(struct arena *a, struct rd *r);

/* A text in quotes; what would disturb a terminal or a line is shown as \xNN. */
void decode_text(struct blob utf8);
#endif
