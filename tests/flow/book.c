/* book.c - clients of the address book, bound and asked. */
#include "tests/flow/book.h"

void book_client(struct book_client *b, struct stack *st, const struct person *who)
{
    *b = (struct book_client){ .stack = st, .a = arena_new((size_t)1 << 30) };
    stack_client(st, &b->c, who);
    nspic_init(&b->c);
}

struct nspic_stat book_stat(void) { return (struct nspic_stat){ .code_page = 1252, .template_locale = 0x0409, .sort_locale = 0x0409 }; }

void book_bound(struct book_client *b, struct stack *st, const struct person *who)
{
    struct nspic_stat s = book_stat();
    book_client(b, st, who);
    MUST_BOOK(b, "Bind", (&(struct nspic_ask){ .stat = &s }));
}

void book_client_end(struct book_client *b)
{
    mapic_close(&b->c);
    arena_free(b->a);
}

uint32_t book_call(struct book_client *b, const char *type, const struct nspic_ask *q)
{
    b->why = NULL;
    return nspic_call(&b->c, b->a, type, q, b->odd, &b->reply, &b->why);
}

uint32_t book_mid(struct book_client *b, const char *dn)
{
    MUST_BOOK(b, "DNToMId", (&(struct nspic_ask){ .names = &dn, .nnames = 1 }));
    REQUIRE(b->reply.has_mids && b->reply.mids == 1);
    return b->reply.mid[0];
}

const char *book_text(struct book_client *b, const struct nspic_row *row, uint32_t tag)
{
    const struct propval *v = nspic_find(row, tag);
    return v != NULL && type_string(prop_type(v->tag)) ? arena_str(b->a, v->v.s) : "";
}
