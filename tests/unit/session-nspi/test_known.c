/* test_known.c - the properties that the address book knows have types that it may have (MS-OXNSPI R38, R1658), and ways to come by their values. */
#include "session/nspi/nspi_row.h"
#include "tests/unit.h"

static bool permitted(uint16_t type)
{
    static const uint16_t types[] = { PtypInteger32, PtypBoolean, PtypString8, PtypBinary, PtypString, PtypTime, PtypErrorCode, PtypMultipleFlag | PtypString8, PtypMultipleFlag | PtypBinary,
                                      PtypMultipleFlag | PtypString, PtypObject };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i] == type)
            return true;
    return false;
}

TEST(types)
{
    struct arena *a = arena_new(1 << 20);
    uint32_t *tag;
    size_t n;
    nspi_known(a, PtypString, &tag, &n);
    CHECK(n > 80);
    for (size_t i = 0; i < n; i++) {
        unit_check(permitted(prop_type(tag[i])), __FILE__, __LINE__, "%08x", tag[i]);
        for (size_t k = 0; k < i; k++)
            unit_check(tag[i] != tag[k], __FILE__, __LINE__, "%08x twice", tag[i]);
    }
    arena_free(a);
}

TEST(a_made_property_is_made_and_a_link_is_a_link)
{
#define ABPROP(name, how) check_##how(name, #name);
#define check_KEPT(tag, name) unit_check(entry_prop_settable(tag) && !nspi_is_made(tag), __FILE__, __LINE__, "%s", name)
#define check_CERT(tag, name) check_KEPT(tag, name)
#define check_MADE(tag, name) unit_check(nspi_is_made(tag) && !entry_prop_settable(tag), __FILE__, __LINE__, "%s", name)
#define check_LINK(tag, name) do { enum link_kind k; bool back; unit_check(link_of_prop(tag, &k, &back) && !entry_prop_settable(tag), __FILE__, __LINE__, "%s", name); } while (0)
#include "backend/directory/abprop.def"
}
