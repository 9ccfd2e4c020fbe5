/* test_proptag.c - names and types of property tags. */
#include "backend/mapi/proptag.h"
#include "tests/unit.h"

static const struct { uint32_t tag; const char *name; } all[] = {
#define PROPTAG(tag, name) { tag, #name },
#include "backend/mapi/proptag.def"
#undef PROPTAG
};

TEST(the_table_is_in_order_and_has_each_name_once)
{
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        CHECK(i == 0 || all[i - 1].tag <= all[i].tag);
        CHECK_INT(proptag_by_name(all[i].name), all[i].tag);
        if (i == 0 || all[i - 1].tag != all[i].tag) /* one tag has two names; the first is printed */
            CHECK_STR(proptag_name(all[i].tag), all[i].name);
        CHECK(type_known(prop_type(all[i].tag)));
    }
}

TEST(names)
{
    CHECK_STR(proptag_name(0x0037001F), "PidTagSubject");
    CHECK_STR(proptag_name(0x0037001E), "PidTagSubject");
    CHECK_STR(proptag_name(0x0037000A), "PidTagSubject");
    CHECK(proptag_name(0x7EEE0003) == NULL);
    CHECK_INT(proptag_by_name("PidTagNoSuchThing"), 0);
}

TEST(types)
{
    CHECK(type_known(PtypInteger32) && type_known(PtypMultipleFlag | PtypString) && type_known(PtypMultipleInstance | PtypBinary));
    CHECK(!type_known(PtypUnspecified) && !type_known(0x2000 | PtypString) && !type_known(PtypMultipleFlag | PtypBoolean));
    CHECK_INT(prop_unicode(0x0037001E), 0x0037001F);
    CHECK_INT(prop_unicode(0x0037101E), 0x0037101F);
    CHECK_INT(prop_unicode(0x0037301E), 0x0037301F);
    CHECK_INT(prop_unicode(0x00370102), 0x00370102);
    CHECK(type_array(0x101F) && !type_array(0x301F) && !type_array(0x001F));
}
