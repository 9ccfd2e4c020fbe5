/* Paths and request types. */
#include "tests/unit.h"
#include "fcgi/route.h"

TEST(paths)
{
    const struct endpoint *mailbox = route_endpoint("/mapi/emsmdb/"), *book = route_endpoint("/mapi/nspi/");
    REQUIRE(mailbox != NULL && book != NULL);
    CHECK(mailbox != book);
    CHECK(route_endpoint("/mapi/emsmdb") == mailbox);
    CHECK(route_endpoint("/MAPI/EmsMdb/") == mailbox);
    CHECK_STR(book->cookie_path, "/mapi/nspi");
    CHECK(route_endpoint("/mapi/emsmdb//") == NULL);
    CHECK(route_endpoint("/mapi/emsmdb/x") == NULL);
    CHECK(route_endpoint("/mapi/") == NULL);
    CHECK(route_endpoint("/") == NULL);
    CHECK(route_endpoint("") == NULL);
    CHECK(route_endpoint(NULL) == NULL);
}

/* The wire names of MS-OXCMAPIHTTP 2.2.3.3.1: CompareMIds and DNToMId, not the titles of their sections. */
TEST(all_wire_names_of_the_documents)
{
    static const char *const mailbox[] = { "Connect", "Execute", "Disconnect", "NotificationWait", "PING" };
    static const char *const book[] = { "PING", "Bind", "Unbind", "CompareMIds", "DNToMId", "GetMatches", "GetPropList", "GetProps", "GetSpecialTable",
                                        "GetTemplateInfo", "ModLinkAtt", "ModProps", "QueryColumns", "QueryRows", "ResolveNames", "ResortRestriction",
                                        "SeekEntries", "UpdateStat", "GetMailboxUrl", "GetAddressBookUrl" };
    const struct endpoint *m = route_endpoint("/mapi/emsmdb/"), *b = route_endpoint("/mapi/nspi/");
    for (size_t i = 0; i < sizeof mailbox / sizeof mailbox[0]; i++)
        unit_check(route_find(m, mailbox[i]) != NULL, __FILE__, __LINE__, "%s", mailbox[i]);
    for (size_t i = 0; i < sizeof book / sizeof book[0]; i++)
        unit_check(route_find(b, book[i]) != NULL, __FILE__, __LINE__, "%s", book[i]);
    CHECK_INT(route_count, sizeof mailbox / sizeof mailbox[0] + sizeof book / sizeof book[0]);
    CHECK(route_find(m, "Bind") == NULL);
    CHECK(route_find(b, "Execute") == NULL);
    CHECK(route_find(b, "CompareMinIds") == NULL);
    CHECK(route_find(m, "") == NULL);
    CHECK(route_find(m, "ping") == route_find(m, "PING"));
}

TEST(every_route_has_a_handler)
{
    for (size_t i = 0; i < route_count; i++)
        unit_check(route_table[i].run != NULL, __FILE__, __LINE__, "%s", route_table[i].type);
}

TEST(execute_is_chunked)
{
    const struct endpoint *m = route_endpoint("/mapi/emsmdb/");
    CHECK(route_find(m, "Execute")->flags & ROUTE_CHUNKED);
    CHECK(!(route_find(m, "Connect")->flags & ROUTE_CHUNKED));
}
