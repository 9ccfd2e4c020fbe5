/* test_client.c - the support matrix of clients. */
#include "session/client.h"
#include "tests/unit.h"

TEST(clients_are_found_by_name_and_version)
{
    static const struct { const char *text, *product; bool mapi; } row[] = {
        { "Outlook/16.0.4266.1001", "Outlook 2016, 2019, 2021, 2024, Microsoft 365", true },
        { "Outlook/16.0", "Outlook 2016, 2019, 2021, 2024, Microsoft 365", true },
        { "outlook/99.1.2.3", "Outlook 2016, 2019, 2021, 2024, Microsoft 365", true },
        { "Outlook/15.0.4569.1503", "Outlook 2013 SP1", true },
        { "Outlook/15.20.4000.1000", "Outlook 2013 SP1", true },
        { "Outlook/15.0.4569.1502", "Outlook 2013 without SP1", false },
        { "Outlook/15.0.4420.1017", "Outlook 2013 without SP1", false },
        { "Outlook/14.0.7147.5001", "Outlook 2010 SP2 with KB2956191 and KB2965295", true },
        { "Outlook/14.0.7015.1000", "Outlook 2010 without these updates", false },
        { "Outlook/12.0.6606.1000", "Outlook 2007 and older", false },
        { "Outlook/0", "Outlook 2007 and older", false },
        { "Outlook/99999999999999999999.0", "Outlook 2016, 2019, 2021, 2024, Microsoft 365", true },
        { "MapiHttpClient/15.1.819.0", "Microsoft Remote Connectivity Analyzer", true },
        { "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.4266; Pro)", "Outlook 2016, 2019, 2021, 2024, Microsoft 365", true },
        { "Microsoft Office/15.0 (Windows NT 6.1; Microsoft Outlook 15.0.4420; Pro)", "Outlook 2013 without SP1", false },
        { "MacOutlook/16.78.1 (Intel Mac OS X 13.6)", "Outlook for Mac (Exchange Web Services)", false },
        { "Outlook-iOS/2.0", "Outlook for iOS", false },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        const struct client *c = client_find(row[i].text, NULL);
        if (!unit_check(c != NULL, __FILE__, __LINE__, "%s is not found", row[i].text))
            continue;
        unit_str(c->product, row[i].product, row[i].text, __FILE__, __LINE__);
        unit_int(client_speaks(c), row[i].mapi, row[i].text, __FILE__, __LINE__);
    }
    static const char *const unknown[] = { "", "Outlook", "Outlook/", "Outlook/x", "XOutlook/16.0", "Evolution/3.46", "Outlook-16.0", NULL };
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        unit_check(client_find(unknown[i], NULL) == NULL, __FILE__, __LINE__, "%s", unknown[i] != NULL ? unknown[i] : "(none)");
    uint16_t v[4];
    CHECK(client_find("Outlook/16.0.4266.1001", v) != NULL);
    CHECK_INT(v[0], 16);
    CHECK_INT(v[2], 4266);
    CHECK_INT(v[3], 1001);
}

/* Newer versions stand above older ones, or the older row would hide them. */
TEST(rows_of_a_program_go_down_in_version)
{
    for (size_t i = 1; i < client_count; i++) {
        const struct client *a = &client_table[i - 1], *b = &client_table[i];
        if (strcmp(a->program, b->program) != 0)
            continue;
        int order = 0;
        for (size_t k = 0; k < 4 && order == 0; k++)
            order = a->least[k] - b->least[k];
        unit_check(order > 0, __FILE__, __LINE__, "%s stands below %s", b->product, a->product);
    }
}
