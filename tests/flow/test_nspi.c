/* test_nspi.c - the address book over real nginx and Redis: sessions, tables, names, changes (MS-OXCMAPIHTTP 2.2.5, MS-OXNSPI 3.1.4.1). */
#include "backend/directory/book.h"
#include "tests/client/nspic.h"
#include "tests/flow/book.h"
#include "tests/flow/walk.h"
#include <stdio.h>

TEST(bind_and_unbind)
{
    struct book_client b;
    book_client(&b, stack_shared(), &stack_shared()->ana);
    struct nspic_stat s = book_stat();
    struct nspic_ask q = { .stat = &s };
    struct guid server;
    REQUIRE_EC(directory_server_guid(stack_shared()->directory, &server), ecNone);
    CHECK_INT(BOOK(&b, "Bind", &q), 0);
    CHECK(guid_eq(&b.reply.guid, &server)); /* OXNSPI R697, R608: one for every worker */
    CHECK_INT(b.reply.status, 0);
    CHECK_INT(BOOK(&b, "Unbind", &(struct nspic_ask){ 0 }), 1);    /* UnbindSuccess, R712 */
    CHECK_INT(BOOK(&b, "QueryColumns", &(struct nspic_ask){ 0 }), UINT32_MAX);
    CHECK_INT(b.reply.http.code, 10);       /* OXCMAPIHTTP R1253 */
    book_client_end(&b);
}
