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

static bool is_made(uint32_t tag)
{
    unsigned of;
    return nspi_made_by(tag, &of) != NULL;
}

TEST(a_made_property_is_made_and_a_link_is_a_link)
{
#define ABPROP(name, how) check_##how(name, #name);
#define check_KEPT(tag, name) unit_check(entry_prop_settable(tag) && !is_made(tag), __FILE__, __LINE__, "%s", name)
#define check_CERT(tag, name) check_KEPT(tag, name)
#define check_GIVEN(tag, name) unit_check(is_made(tag) && entry_prop_settable(tag), __FILE__, __LINE__, "%s", name)
#define check_MADE(tag, name) unit_check(is_made(tag) && !entry_prop_settable(tag), __FILE__, __LINE__, "%s", name)
#define check_LINK(tag, name) do { enum link_kind k; bool back; unit_check(link_of_prop(tag, &k, &back) && !entry_prop_settable(tag), __FILE__, __LINE__, "%s", name); } while (0)
#include "backend/directory/abprop.def"
}

/* MS-OXPROPS, of the properties that MS-OXNSPI names */
TEST(ids_and_types)
{
    static const struct { uint32_t tag, want; } tags[] = {
        { PidTagAddressBookContainerId, 0xFFFD0003 }, { PidTagAddressBookDisplayNamePrintable, 0x39FF001F }, { PidTagAddressBookObjectDistinguishedName, 0x803C001F },
        { PidTagAddressBookX509Certificate, 0x8C6A1102 }, { PidTagAddressType, 0x3002001F }, { PidTagContainerContents, 0x360F000D }, { PidTagContainerFlags, 0x36000003 },
        { PidTagDepartmentName, 0x3A18001F }, { PidTagDisplayName, 0x3001001F }, { PidTagDisplayType, 0x39000003 }, { PidTagEmailAddress, 0x3003001F },
        { PidTagEntryId, 0x0FFF0102 }, { PidTagInitialDetailsPane, 0x3F080003 }, { PidTagInstanceKey, 0x0FF60102 }, { PidTagMappingSignature, 0x0FF80102 },
        { PidTagObjectType, 0x0FFE0003 }, { PidTagOfficeLocation, 0x3A19001F }, { PidTagPrimaryTelephoneNumber, 0x3A1A001F }, { PidTagRecordKey, 0x0FF90102 },
        { PidTagSearchKey, 0x300B0102 }, { PidTagTemplateid, 0x39020102 }, { PidTagTransmittableDisplayName, 0x3A20001F }, { PidTagUserX509Certificate, 0x3A701102 },
        { PidTagTemplateData, 0x00010102 }, { PidTagScriptData, 0x00040102 }
    };
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        CHECK_INT(tags[i].tag, tags[i].want);
}

/* OXCMAPIHTTP R25 */
TEST(counts_are_bounded)
{
    const struct nspi_def *d = nspi_find("GetProps");
    for (uint32_t n = 100000; n <= 100001; n++) {
        struct arena *a = arena_new((size_t)64 << 20);
        struct wr w = wr_in(a, 1 << 20);
        struct nspi_args q;
        wr_u32(&w, 0);
        wr_u8(&w, 0);
        wr_u8(&w, 0xFF);
        wr_u32(&w, n);
        for (uint32_t i = 0; i < n; i++)
            wr_u32(&w, PidTagDisplayName);
        wr_u32(&w, 0);
        CHECK_INT(nspi_read(a, d, 1252, wr_blob(&w), &q), n == 100000);
        arena_free(a);
    }
}
