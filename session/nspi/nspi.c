/* nspi.c - the table of the address book's requests, and the ladder that guards each. */
#include "session/nspi/nspi.h"
#include <strings.h>

const struct nspi_def nspi_table[] = {
#define NSPI(name_, flags_, request_, request_fields_, answer_, answer_fields_, document_)                                                    \
    { .name = #name_, .request = request_, .request_fields = request_fields_, .answer = answer_, .answer_fields = answer_fields_,            \
      .document = document_, .run = nspi_##name_, .flags = flags_ },
#include "session/nspi/nspi.def"
#undef NSPI
};
const size_t nspi_count = sizeof nspi_table / sizeof nspi_table[0];

const struct nspi_def *nspi_find(const char *type)
{
    for (size_t i = 0; i < nspi_count; i++)
        if (strcasecmp(nspi_table[i].name, type) == 0)
            return &nspi_table[i];
    return NULL;
}

/* OXNSPI 2.2.1.2: no other code leaves. */
static ec_t permitted(ec_t ec)
{
    static const ec_t codes[] = {
        ecNone, ecErrorsReturned, ecGeneralFailure, ecNotSupported, ecInvalidObject, ecOutOfResources, ecNotFound, ecLoginFailure, ecTooComplex, ecInvalidCodepage,
        ecInvalidLocale, ecTableTooBig, ecInvalidBookmark, ecAccessDenied, ecOutOfMemory, ecInvalidParameter
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i] == ec)
            return ec;
    return EC(ecGeneralFailure);
}

static ec_t check_stat(const struct nspi_ctx *c, const struct nspi_def *d)
{
    if ((d->flags & STATED) == 0)
        return ecNone;
    if (!c->in->has_stat)
        return EC(ecInvalidParameter);
    return nspi_code_page_known(c->in->stat.code_page) ? ecNone : EC(ecInvalidCodepage);
}

static ec_t look(struct nspi_ctx *c, const struct nspi_def *d)
{
    struct book *b = book_of(c->env->directory);
    if (b == NULL)
        return EC(ecGeneralFailure);
    TRY(book_begin(b, c->who, &c->look));
    c->reader = c->look.reader;
    ec_t ec = directory_server_guid(c->reader, &c->server);
    if (ec == ecNone)
        ec = d->run(c);
    book_done(&c->look);
    return ec;
}

static ec_t run(struct nspi_ctx *c, const struct nspi_def *d)
{
    TRY(check_stat(c, d));
    ec_t ec = (d->flags & LOOKS) != 0 ? look(c, d) : d->run(c);
    return (ec == ecNone || ec == ecErrorsReturned) && arena_over(c->a) ? EC(ecOutOfMemory) : ec;
}

struct blob nspi_run(struct nspi_ctx *c, const struct nspi_def *d)
{
    static const struct nspi_answer none = { .delta = INT32_MIN };
    *c->out = none;
    ec_t ec = permitted(run(c, d));
    if (ec != ecNone && ec != ecErrorsReturned) {
        *c->out = none;
        c->out->code_page = c->in->stat.code_page;
    }
    return nspi_write(c->a, d, ec, c->out);
}
