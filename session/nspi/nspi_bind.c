/* nspi_bind.c - who may open a session of the address book; and the properties that all sessions can see. */
#include "session/nspi/nspi_row.h"

/* Everybody here has said who he is: nobody may ask to be taken without (OXNSPI R689, R690).  Strings of 8 bits cannot travel in UTF-16 (R680, R696). */
ec_t nspi_bind_check(const struct nspi_args *q)
{
    if ((q->flags & ANONYMOUS_LOGIN) != 0)
        return EC(ecNotSupported);
    if (q->has_stat && (q->stat.code_page == CP_WINUNICODE || !nspi_code_page_known(q->stat.code_page)))
        return EC(ecInvalidCodepage);
    return ecNone;
}

/* Bind and Unbind are the session's (session/book.c); what is left of them for the table. */
ec_t nspi_Bind(struct nspi_ctx *c) { return nspi_bind_check(c->in); }

ec_t nspi_Unbind(struct nspi_ctx *c)
{
    (void)c;
    return ecNone;
}

/* OXNSPI 3.1.4.1.5 */
ec_t nspi_QueryColumns(struct nspi_ctx *c)
{
    bool unicode = (c->in->arg[0] & UNICODE_TYPES) != 0;
    nspi_known(c->a, unicode ? PtypString : PtypString8, &c->out->tag, &c->out->tags);
    c->out->has_tags = true;
    return ecNone;
}
