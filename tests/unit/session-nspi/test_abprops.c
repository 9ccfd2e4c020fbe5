/* test_abprops.c - every property of every kind of object: what the address book answers for objects on which everything is set (MS-OXOABK 2.2.3-2.2.9). */
#include "tests/unit/session-nspi/rig.h"
#include "session/nspi/nspi_row.h"
#include "backend/directory/directory_int.h"
#include "tests/settable.h"

enum kind { USER, GROUP, CONTACT, ROOM, FOLDER, FORM, DEPARTMENT, ORGANIZATION, KINDS };
static const enum entry_kind kind_of[KINDS] = { ENTRY_USER, ENTRY_GROUP, ENTRY_CONTACT, ENTRY_ROOM, ENTRY_FOLDER, ENTRY_FORM, ENTRY_DEPARTMENT, ENTRY_ORGANIZATION };
static const char *const name_of[KINDS] = { "Üser Full", "Group Full", "Contact Full", "Room Full", "Folder Full", "Form Full", "Department Full", "Organization Full" };
static const char *const smtp_of[KINDS] = { "ana@example.com", "group@example.com", "contact@else.where", "room1@example.com", "folder@example.com", "form@example.com", "", "" };

struct house { struct rig g; int64_t row[KINDS]; const char *dn[KINDS]; struct guid mailbox; int64_t below; };

static uint32_t mid(const struct house *h, enum kind k) { return entry_mid(h->row[k]); }

/* --- what can be set ------------------------------------------------------------------------------------------------------------------------- */

/* A value that no other property of any object has; three of several. */
static struct propval some_value(struct arena *a, uint32_t tag, unsigned salt)
{
    struct propval v = { .tag = prop_unicode(tag) };
    const char *name = proptag_name(tag);
    struct blob *several = arena_array(a, struct blob, 3);
    for (unsigned i = 0; i < 3; i++)
        several[i] = blob_str(arena_printf(a, "%s:%s ä %u.%u", tag == PidTagAddressBookTargetAddress ? "SMTP" : "x", name, salt, i));
    switch (prop_type(tag)) {
    case PtypInteger32: return pv_i32(tag, (int32_t)(prop_id(tag) * 16u + salt));
    case PtypBoolean:   return pv_bool(tag, true);
    case PtypString8:
    case PtypString:    v.v.s = several[0]; return v;
    case PtypBinary:    return pv_bin(tag, several[0]);
    default:
        v.v.mv.n = 3;
        v.v.mv.s = several;
        return v;
    }
}

static void furnish(struct house *h, enum kind k, struct entry *e)
{
    struct arena *a = h->g.life;
    for (size_t i = 0; i < SETTABLE; i++)
        if (settable[i] != PidTagAddressBookDisplayNamePrintable && settable[i] != PidTagAddressBookTargetAddress && settable[i] != PidTagSendRichInfo)
            props_set(a, &e->props, some_value(a, settable[i], k));
    REQUIRE_EC(entry_set(h->g.d, a, e), ecNone);
}

static void build(struct house *h, enum kind k)
{
    struct arena *a = h->g.life;
    struct entry e = { .kind = kind_of[k], .display_name = name_of[k], .smtp = smtp_of[k] };
    const char **proxies = arena_array(a, const char *, 2);
    proxies[0] = arena_printf(a, "SMTP:second%u@example.com", k);
    proxies[1] = arena_printf(a, "X500:/o=Old/cn=old%u", k);
    if (k == USER) {
        REQUIRE_EC(entry_get(h->g.d, a, h->g.ana.row, &e), ecNone);
        e.display_name = name_of[k];
        e.source = "ldap";
        e.external = "00112233445566778899aabbccddeeff";
        h->mailbox = e.mailbox;
    } else {
        e.external = k == GROUP ? "00112233445566778899aabbccddeef0" : k == CONTACT ? "11111111-2222-3333-4455-66778899aabb" : "";
        e.source = *e.external != '\0' ? "ldap" : "";
        REQUIRE_EC(entry_add(h->g.d, a, &e), ecNone);
    }
    e.proxy = proxies;
    e.proxies = 2;
    furnish(h, k, &e);
    h->row[k] = e.row;
    h->dn[k] = arena_strdup(a, e.dn);
}

static void link_of(struct house *h, enum link_kind k, int64_t from, int64_t to) { REQUIRE_EC(link_add(h->g.d, k, from, to), ecNone); }

/* Ana leads nobody, Bob leads her; she is in Team and in Group Full, owns Team; Group Full holds Ana, the contact, the room and Team (Ana, Bob). */
static void house_start(struct house *h, const char *name, bool departments)
{
    rig_start(&h->g, name);
    for (enum kind k = USER; k < KINDS; k++)
        build(h, k);
    struct entry below = { .kind = ENTRY_DEPARTMENT, .display_name = "Below" };
    REQUIRE_EC(entry_add(h->g.d, h->g.life, &below), ecNone);
    h->below = below.row;
    link_of(h, LINK_MEMBER, h->row[GROUP], h->row[USER]);
    link_of(h, LINK_MEMBER, h->row[GROUP], h->row[CONTACT]);
    link_of(h, LINK_MEMBER, h->row[GROUP], h->row[ROOM]);
    link_of(h, LINK_MEMBER, h->row[GROUP], h->g.team);
    link_of(h, LINK_MEMBER, h->g.team, h->row[GROUP]); /* round and round */
    link_of(h, LINK_OWNER, h->row[GROUP], h->row[USER]);
    link_of(h, LINK_DELEGATE, h->row[USER], h->g.bob.row);
    link_of(h, LINK_MANAGER, h->row[CONTACT], h->row[USER]);
    for (enum link_kind k = LINK_ACCEPT; k <= LINK_REJECT_GROUP; k++)
        link_of(h, k, h->row[GROUP], h->g.team);
    link_of(h, LINK_ROOT, h->row[ORGANIZATION], departments ? h->row[DEPARTMENT] : h->row[GROUP]);
    link_of(h, LINK_PARENT, h->below, h->row[DEPARTMENT]);
    link_of(h, LINK_SHOWN_IN, h->row[USER], h->row[DEPARTMENT]);
}

/* --- asked for ------------------------------------------------------------------------------------------------------------------------------- */

static void ask(struct house *h, uint32_t object, uint32_t tag, uint32_t flags, struct propval *out)
{
    struct arena *a = arena_new(1 << 20);
    struct wr w = wr_in(a, 1 << 12);
    const uint32_t stat[9] = { 0, 0, object, 0, 0, 0, CP_WINUNICODE, 0x409, 0x409 };
    wr_u32(&w, flags);
    wr_u8(&w, 0xFF);
    for (size_t i = 0; i < 9; i++)
        wr_u32(&w, stat[i]);
    wr_u8(&w, 0xFF);
    wr_u32(&w, 1);
    wr_u32(&w, tag);
    wr_u32(&w, 0);
    struct rd r = rig_run(&h->g, "GetProps", wr_blob(&w));
    arena_free(a);
    struct pv_codec codec = { h->g.a, 1252, PV_COUNTS_BOOK };
    rd_u32(&r);
    REQUIRE(rd_u8(&r) != 0 && rd_u32(&r) == 1);
    propval_read_tagged(&r, &codec, out);
    REQUIRE(rd_ok(&r));
}

static const char *hex(struct arena *a, struct blob b)
{
    const char *s = "";
    for (size_t i = 0; i < b.n; i++)
        s = arena_printf(a, "%s%02x", s, b.p[i]);
    return s;
}

/* "-": it has none; a table is "table". */
static const char *shown(struct arena *a, const struct propval *v)
{
    const char *s = "";
    switch (prop_type(v->tag)) {
    case PtypErrorCode:  return "-";
    case PtypObject:     return "table";
    case PtypString:     return arena_str(a, v->v.s);
    case PtypBinary:     return hex(a, v->v.bin);
    case PtypInteger32:  return arena_printf(a, "%d", v->v.i32);
    case PtypBoolean:    return v->v.b ? "TRUE" : "FALSE";
    default:
        for (size_t i = 0; i < v->v.mv.n; i++)
            s = arena_printf(a, "%s%s%s", s, i != 0 ? "|" : "", type_single(prop_type(v->tag)) == PtypBinary ? hex(a, v->v.mv.bin[i]) : arena_str(a, v->v.mv.s[i]));
        return s;
    }
}

/* --- what is kept ---------------------------------------------------------------------------------------------------------------------------- */

/* Each property that can be set comes back as it was set, on every kind of object, in its own type, in the type that is not named, and (texts) with 8 bits. */
TEST(what_is_set_comes_back)
{
    struct house h;
    house_start(&h, "kept", false);
    for (size_t i = 0; i < SETTABLE; i++)
        for (enum kind k = USER; k < KINDS; k++) {
            uint32_t tag = settable[i];
            struct entry e;
            struct propval got, want = some_value(h.g.life, tag, k);
            if (tag == PidTagAddressBookDisplayNamePrintable || tag == PidTagAddressBookTargetAddress || tag == PidTagSendRichInfo)
                continue;
            REQUIRE_EC(entry_get(h.g.d, h.g.life, h.row[k], &e), ecNone);
            const uint32_t types[] = { tag, prop_retype(tag, PtypUnspecified), type_string(prop_type(tag)) ? prop_retype(tag, (uint16_t)(prop_type(tag) - 1)) : tag };
            for (size_t t = 0; t < 3; t++) {
                ask(&h, mid(&h, k), types[t], 0, &got);
                if (strcmp(shown(h.g.life, &got), shown(h.g.life, &want)) != 0)
                    unit_check(false, __FILE__, __LINE__, "%s of %s: %s, not %s", proptag_name(tag), name_of[k], shown(h.g.life, &got), shown(h.g.life, &want));
            }
        }
    rig_end(&h.g);
}

/* --- what is made ---------------------------------------------------------------------------------------------------------------------------- */

/* $dn, $DN (in capitals), $mid, $id (permanent entry id), $box (the mailbox) stand for what differs from run to run; $dnX is the DN of the kind X. */
struct made { uint32_t tag; const char *want[KINDS]; };
#define ALL(x) { x, x, x, x, x, x, x, x }
#define NONE "-"
#define TABLE(property) PROP_TAG((property) >> 16, PtypObject)
#define TEXT(property) PROP_TAG((property) >> 16, PtypString)
#define TEXTS(property) PROP_TAG((property) >> 16, PtypMultipleFlag | PtypString)

static const struct made made[] = {
    { PidTagEntryId, ALL("$id") },
    { PidTagTemplateid, ALL("$id") },
    { PidTagRecordKey, ALL("$id") },
    { PidTagInstanceKey, ALL("$mid") },
    { PidTagMappingSignature, ALL("dca740c8c042101ab4b908002b2fe182") },
    { PidTagSearchKey, ALL("$search") },
    /*                                   user             group        contact          room            folder           form           department          organization */
    { PidTagObjectType,                { "6",             "8",         "6",             "6",            "3",             "6",           "6",                "6" } },
    { PidTagDisplayType,               { "0",             "1",         "6",             "0",            "2",             "3",           "3",                "3" } },
    { PidTagDisplayTypeEx,             { "1073741824",    "1",         "6",             "7",            "2",             "3",           "3",                "3" } },
    { PidTagAddressBookDisplayTypeExtended, { "1073741824", "1",       "6",             "7",            "2",             "3",           "3",                "3" } },
    { PidTagDisplayName,               { "Üser Full", "Group Full", "Contact Full", "Room Full", "Folder Full", "Form Full", "Department Full", "Organization Full" } },
    { PidTagTransmittableDisplayName,  { "Üser Full", "Group Full", "Contact Full", "Room Full", "Folder Full", "Form Full", "Department Full", "Organization Full" } },
    { PidTagAddressBookDisplayNamePrintable,
                                       { "User Full", "Group Full", "Contact Full", "Room Full", "Folder Full", "Form Full", "Department Full", "Organization Full" } },
    { PidTagAddressType, ALL("EX") },
    { PidTagEmailAddress, ALL("$dn") },
    { PidTagAddressBookObjectDistinguishedName, ALL("$dn") },
    { PidTagSmtpAddress, { "ana@example.com", "group@example.com", "contact@else.where", "room1@example.com", "folder@example.com", "form@example.com", NONE, NONE } },
    { PidTagAddressBookProxyAddresses, {
        "SMTP:ana@example.com|smtp:second0@example.com|X500:/o=Old/cn=old0", "SMTP:group@example.com|smtp:second1@example.com|X500:/o=Old/cn=old1",
        "SMTP:contact@else.where|smtp:second2@example.com|X500:/o=Old/cn=old2", "SMTP:room1@example.com|smtp:second3@example.com|X500:/o=Old/cn=old3",
        "SMTP:folder@example.com|smtp:second4@example.com|X500:/o=Old/cn=old4", "SMTP:form@example.com|smtp:second5@example.com|X500:/o=Old/cn=old5",
        "smtp:second6@example.com|X500:/o=Old/cn=old6", "smtp:second7@example.com|X500:/o=Old/cn=old7" } },
    { PidTagAddressBookTargetAddress, { NONE, NONE, "SMTP:contact@else.where", NONE, NONE, NONE, NONE, NONE } },
    { PidTagSendRichInfo, { "TRUE", "TRUE", "FALSE", "TRUE", "TRUE", "TRUE", "TRUE", "TRUE" } },
    { PidTagInitialDetailsPane, ALL("0") },
    { PidTagContainerFlags, { NONE, "1", NONE, NONE, NONE, NONE, NONE, NONE } },
    { PidTagContainerContents, { NONE, "table", NONE, NONE, NONE, NONE, NONE, NONE } },
    { TABLE(PidTagAddressBookHomeMessageDatabase), { "table", NONE, NONE, NONE, NONE, NONE, NONE, NONE } },
    { TEXT(PidTagAddressBookHomeMessageDatabase), {
        "/o=Demo/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Configuration/cn=Servers/cn=$box@example.com/cn=Microsoft Private MDB",
        NONE, NONE, NONE, NONE, NONE, NONE, NONE } },
    { PidTagAddressBookOrganizationalUnitRootDistinguishedName, { "/o=Demo", "/o=Demo", "/o=Demo", "/o=Demo", "/o=Demo", "/o=Demo", "/o=Demo", NONE } },
    { PidTagAddressBookManagerDistinguishedName, { "/o=Demo/ou=x/cn=bob", NONE, "$dn0", NONE, NONE, NONE, NONE, NONE } },
    { TABLE(PidTagAddressBookManager), { "table", NONE, "table", NONE, NONE, NONE, NONE, NONE } },
    { TABLE(PidTagAddressBookReports), { "table", NONE, NONE, NONE, NONE, NONE, NONE, NONE } },
    { TEXTS(PidTagAddressBookReports), { "$dn2", NONE, NONE, NONE, NONE, NONE, NONE, NONE } },
    { TABLE(PidTagAddressBookPublicDelegates), { "table", NONE, NONE, NONE, NONE, NONE, NONE, NONE } },
    { TABLE(PidTagAddressBookMember), { NONE, "table", NONE, NONE, NONE, NONE, NONE, NONE } },
    { TABLE(PidTagAddressBookIsMemberOfDistributionList), { "table", "table", "table", "table", NONE, NONE, NONE, NONE } },
    { TABLE(PidTagAddressBookOwner), { NONE, "table", NONE, NONE, NONE, NONE, NONE, NONE } },
    { TEXTS(PidTagAddressBookOwner), { NONE, "$dn0", NONE, NONE, NONE, NONE, NONE, NONE } },
    { TABLE(PidTagAddressBookOwnerBackLink), { "table", NONE, NONE, NONE, NONE, NONE, NONE, NONE } },
    { PidTagAddressBookDistributionListMemberCount, { NONE, "4", NONE, NONE, NONE, NONE, NONE, NONE } },         /* Ana, Bob, the contact, the room */
    { PidTagAddressBookDistributionListExternalMemberCount, { NONE, "1", NONE, NONE, NONE, NONE, NONE, NONE } },
    { TABLE(PidTagAddressBookAuthorizedSenders), { NONE, "table", NONE, NONE, NONE, NONE, NONE, NONE } },
    { TEXTS(PidTagAddressBookAuthorizedSenders), ALL(NONE) }, /* that there are some is told, not who */
    { TABLE(PidTagAddressBookUnauthorizedSenders), { NONE, "table", NONE, NONE, NONE, NONE, NONE, NONE } },
    { TEXTS(PidTagAddressBookUnauthorizedSenders), ALL(NONE) },
    { TABLE(PidTagAddressBookDistributionListMemberSubmitAccepted), { NONE, "table", NONE, NONE, NONE, NONE, NONE, NONE } },
    { TEXTS(PidTagAddressBookDistributionListMemberSubmitAccepted), ALL(NONE) },
    { TABLE(PidTagAddressBookDistributionListMemberSubmitRejected), { NONE, "table", NONE, NONE, NONE, NONE, NONE, NONE } },
    { TEXTS(PidTagAddressBookDistributionListMemberSubmitRejected), ALL(NONE) },
    { TABLE(PidTagAddressBookDistributionListRejectMessagesFromDLMembers), { NONE, "table", NONE, NONE, NONE, NONE, NONE, NONE } },
    { TABLE(PidTagAddressBookHierarchicalRootDepartment), { NONE, NONE, NONE, NONE, NONE, NONE, NONE, "table" } },
    { TEXT(PidTagAddressBookHierarchicalRootDepartment), { NONE, NONE, NONE, NONE, NONE, NONE, NONE, "$dn1" } },
};

static const char *expand(struct house *h, enum kind k, const char *want)
{
    struct arena *a = h->g.life;
    char box[GUID_TEXT];
    const char *dollar = strchr(want, '$');
    if (dollar == NULL)
        return want;
    const char *before = arena_str(a, blob_of(want, (size_t)(dollar - want))), *word = dollar + 1;
    if (strcmp(word, "id") == 0)
        return hex(a, nspi_permanent_id(a, entry_display_type(kind_of[k]), h->dn[k]));
    if (strcmp(word, "search") == 0) {
        char *upper = arena_strdup(a, h->dn[k]);
        for (char *p = upper; *p != '\0'; p++)
            *p = (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
        const char *text = arena_printf(a, "EX:%s", upper);
        return hex(a, blob_of(text, strlen(text) + 1));
    }
    if (strcmp(word, "mid") == 0)
        return arena_printf(a, "%02x%02x%02x%02x", mid(h, k) & 0xFF, mid(h, k) >> 8 & 0xFF, mid(h, k) >> 16 & 0xFF, mid(h, k) >> 24);
    if (strncmp(word, "box", 3) == 0)
        return arena_printf(a, "%s%s%s", before, guid_text(&h->mailbox, box), word + 3);
    if (strncmp(word, "dn", 2) == 0 && word[2] >= '0' && word[2] < '0' + KINDS)
        return arena_printf(a, "%s%s", before, h->dn[word[2] - '0']);
    return arena_printf(a, "%s%s", before, h->dn[k]);
}

TEST(what_is_made_is_as_the_documents_say)
{
    struct house h;
    house_start(&h, "made", false);
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
        for (enum kind k = USER; k < KINDS; k++) {
            struct propval got;
            ask(&h, mid(&h, k), made[i].tag, 0, &got);
            const char *seen = shown(h.g.life, &got), *want = expand(&h, k, made[i].want[k]);
            if (strcmp(seen, want) != 0)
                unit_check(false, __FILE__, __LINE__, "%08x %s of %s: %s, not %s", made[i].tag, proptag_name(made[i].tag), name_of[k], seen, want);
        }
    rig_end(&h.g);
}

/* Each object has a GUID of its own (2.2.3.25): a mailbox its own, others the source's (bytes or text), the rest one that stays. */
TEST(each_object_has_its_guid)
{
    struct house h;
    struct propval v[KINDS], again;
    house_start(&h, "guids", false);
    for (enum kind k = USER; k < KINDS; k++) {
        ask(&h, mid(&h, k), PidTagAddressBookObjectGuid, 0, &again);
        REQUIRE(prop_type(again.tag) == PtypBinary && again.v.bin.n == 16);
        v[k] = again;
        v[k].v.bin = arena_blob(h.g.life, again.v.bin);
        for (enum kind other = USER; other < k; other++)
            CHECK(!blob_eq(v[k].v.bin, v[other].v.bin));
        ask(&h, mid(&h, k), PidTagAddressBookObjectGuid, 0, &again);
        CHECK_BLOB(again.v.bin, v[k].v.bin);
    }
    CHECK_BLOB(v[USER].v.bin, blob_of(h.mailbox.b, 16));
    CHECK_BYTES(v[GROUP].v.bin, "00112233445566778899aabbccddeef0");
    CHECK_BYTES(v[CONTACT].v.bin, "11111111 2222 3333 4455 66778899aabb");
    CHECK_INT(v[ROOM].v.bin.p[7] >> 4, 8);
    rig_end(&h.g);
}

/* What the operator sets goes before what would be made. */
TEST(what_is_given_goes_before_what_is_made)
{
    static const struct { uint32_t tag; const char *want; } rows[] = {
        { PidTagSendRichInfo, "TRUE" }, { PidTagAddressBookTargetAddress, "NOTES:contact/else" }, { PidTagAddressBookDisplayNamePrintable, "Kontakt Oe?" } };
    struct house h;
    struct entry e;
    house_start(&h, "given", false);
    REQUIRE_EC(entry_get(h.g.d, h.g.life, h.row[CONTACT], &e), ecNone);
    props_set(h.g.life, &e.props, pv_bool(PidTagSendRichInfo, true));
    props_set(h.g.life, &e.props, pv_str(PidTagAddressBookTargetAddress, "NOTES:contact/else"));
    props_set(h.g.life, &e.props, pv_str(PidTagAddressBookDisplayNamePrintable, "Kontakt Oe\xe2\x82\xac"));
    REQUIRE_EC(entry_set(h.g.d, h.g.life, &e), ecNone);
    for (size_t i = 0; i < 3; i++) {
        struct propval got;
        ask(&h, mid(&h, CONTACT), rows[i].tag, 0, &got);
        CHECK_STR(shown(h.g.life, &got), rows[i].want);
    }
    props_set(h.g.life, &e.props, pv_str(PidTagAddressBookTargetAddress, "without a type"));
    CHECK_EC(entry_set(h.g.d, h.g.life, &e), ecInvalidParameter);
    rig_end(&h.g);
}

/* --- hierarchies ------------------------------------------------------------------------------------------------------------------------------ */

struct place { enum kind k; uint32_t tag; const char *groups, *departments; };

/* An organization shows departments or groups, never both (2.2.8). */
TEST(a_hierarchy_is_of_groups_or_of_departments)
{
    static const struct place places[] = {
        { ORGANIZATION, TEXT(PidTagAddressBookHierarchicalRootDepartment), "$dn1", "$dn6" },
        { GROUP, PidTagAddressBookHierarchicalIsHierarchicalGroup, "TRUE", NONE },
        { DEPARTMENT, TABLE(PidTagAddressBookHierarchicalChildDepartments), NONE, "table" },
        { DEPARTMENT, TEXTS(PidTagAddressBookHierarchicalDepartmentMembers), NONE, "$dn0" },
        { DEPARTMENT, TABLE(PidTagAddressBookHierarchicalParentDepartment), NONE, NONE },
        { USER, TEXTS(PidTagAddressBookHierarchicalShowInDepartments), NONE, "$dn6" },
        { USER, PidTagAddressBookSeniorityIndex, "576000", "576000" },
    };
    for (unsigned departments = 0; departments < 2; departments++) {
        struct house h;
        house_start(&h, departments ? "departments" : "groups", departments != 0);
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
            struct propval got;
            ask(&h, mid(&h, places[i].k), places[i].tag, 0, &got);
            const char *want = expand(&h, places[i].k, departments ? places[i].departments : places[i].groups), *seen = shown(h.g.life, &got);
            if (strcmp(seen, want) != 0)
                unit_check(false, __FILE__, __LINE__, "%08x of %s: %s, not %s", places[i].tag, name_of[places[i].k], seen, want);
        }
        struct propval below;
        ask(&h, entry_mid(h.below), TEXTS(PidTagAddressBookHierarchicalParentDepartment), 0, &below);
        CHECK_STR(shown(h.g.life, &below), departments ? h.dn[DEPARTMENT] : NONE);
        rig_end(&h.g);
    }
}

/* The root that is no organization's own is a department (2.2.8). */
TEST(a_root_of_no_organization)
{
    struct house h;
    struct propval v;
    house_start(&h, "common", false);
    REQUIRE_EC(entry_remove(h.g.d, h.row[ORGANIZATION]), ecNone);
    ask(&h, mid(&h, GROUP), PidTagAddressBookHierarchicalIsHierarchicalGroup, 0, &v);
    CHECK_STR(shown(h.g.life, &v), "TRUE");
    struct entry e = { .kind = ENTRY_DEPARTMENT, .display_name = "All of us", .dn = "/o=FF46312B-D8AE-406C-B8E6-BC1A22A4C69E" };
    REQUIRE_EC(entry_add(h.g.d, h.g.life, &e), ecNone);
    ask(&h, mid(&h, GROUP), PidTagAddressBookHierarchicalIsHierarchicalGroup, 0, &v);
    CHECK_STR(shown(h.g.life, &v), NONE);
    ask(&h, mid(&h, USER), TABLE(PidTagAddressBookHierarchicalShowInDepartments), 0, &v);
    CHECK_STR(shown(h.g.life, &v), "table");
    rig_end(&h.g);
}

/* --- a database that cannot be read ------------------------------------------------------------------------------------------------------------ */

static int at_once(void *nothing)
{
    (void)nothing;
    return 1;
}

struct asking { struct nspi_env env; struct nspi_args q; struct nspi_answer out; struct nspi_ctx c; };

static void asking_begin(struct asking *k, struct house *h)
{
    *k = (struct asking){ .env = { &h->g.config, h->g.d } };
    k->c = (struct nspi_ctx){ .a = h->g.life, .env = &k->env, .who = &h->g.ana, .in = &k->q, .out = &k->out };
    REQUIRE_EC(book_begin(book_of(h->g.d), &h->g.ana, &k->c.look), ecNone);
    k->c.reader = k->c.look.reader;
    REQUIRE_EC(directory_server_guid(k->c.reader, &k->c.server), ecNone);
}

static const char *value_now(struct asking *k, uint32_t object, uint32_t tag, bool fails, ec_t *failed)
{
    struct nspi_object o;
    struct propval v;
    sqlite3_progress_handler(k->c.reader->db, fails ? 1 : 0, fails ? at_once : NULL, NULL);
    REQUIRE_EC(nspi_object(&k->c, object, 0, &o), ecNone);
    nspi_value(&o, tag, &v);
    sqlite3_progress_handler(k->c.reader->db, 0, NULL, NULL);
    *failed = nspi_failed(&o);
    return shown(k->c.a, &v);
}

/* What could not be read is never told as if it were not there. */
TEST(questions_that_fail)
{
    struct house h;
    struct asking k;
    const struct nspi_property *all;
    size_t n = nspi_properties(&all), failures = 0;
    ec_t ec;
    house_start(&h, "failing", false);
    asking_begin(&k, &h);
    for (size_t i = 0; i < n; i++)
        for (enum kind of = USER; of <= GROUP; of++) {
            uint32_t tag = all[i].linked ? TEXTS(all[i].native) : prop_unicode(all[i].native);
            const char *want = value_now(&k, mid(&h, of), tag, false, &ec);
            CHECK_EC(ec, ecNone);
            const char *got = value_now(&k, mid(&h, of), tag, true, &ec);
            unit_check(ec != ecNone || strcmp(want, got) == 0, __FILE__, __LINE__, "%08x of %s: %s, not %s, and no failure", tag, name_of[of], got, want);
            failures += ec != ecNone;
        }
    CHECK(failures > n / 2);
    book_done(&k.c.look);
    rig_end(&h.g);
}
