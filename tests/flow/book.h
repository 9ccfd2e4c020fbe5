/* book.h - clients of the address book for flow tests. */
#ifndef FLOW_BOOK_H
#define FLOW_BOOK_H
#include "tests/client/nspic.h"
#include "tests/flow/stack.h"
#include "tests/unit.h"

struct book_client {
    struct stack *stack;
    struct arena *a;
    struct mapic  c;
    struct nspic_reply reply;       /* of the last call */
    const char   *why;
    const struct mapic_odd *odd;    /* for the next calls, or NULL */
};

void book_client(struct book_client *b, struct stack *st, const struct person *who);
/* The same, bound. */
void book_bound(struct book_client *b, struct stack *st, const struct person *who);
void book_client_end(struct book_client *b);
/* The global address list from its beginning, code page 1252, English. */
struct nspic_stat book_stat(void);
/* ErrorCode, UINT32_MAX: see b->reply.http.code and b->why. */
uint32_t book_call(struct book_client *b, const char *type, const struct nspic_ask *q);
#define BOOK(b, type, q) book_call((b), (type), (q))
#define MUST_BOOK(b, type, q) REQUIRE(unit_int(book_call((b), (type), (q)), 0, type, __FILE__, __LINE__))

/* The Minimal Entry ID of a DN, 0: none; text of a property in a row. */
uint32_t book_mid(struct book_client *b, const char *dn);
const char *book_text(struct book_client *b, const struct nspic_row *row, uint32_t tag);
#endif
