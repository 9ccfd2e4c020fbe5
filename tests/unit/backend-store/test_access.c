/* What each right of a delegate allows, on his own messages and on those of others. MS-OXCPERM 2.2.7. */
#include "backend/store/message.h"
#include "tests/unit/backend-store/mbox.h"

static struct mbox b;
static const char bob[] = "/o=x/cn=bob";

enum op { OP_SEE, OP_CREATE, OP_SUBFOLDER, OP_PROPERTIES, OP_READ_OWN, OP_READ_OTHER, OP_EDIT_OWN, OP_EDIT_OTHER, OP_DELETE_OWN, OP_DELETE_OTHER, OP_COUNT };
#define OP(x) (1u << OP_##x)

struct place { uint64_t fid, own, other; };

static uint64_t put(uint64_t fid)
{
    struct msg m = { 0 };
    props_set(b.a, &m.set, pv_str(PidTagSubject, "x"));
    struct message_save s = { .fid = fid, .over = &m };
    REQUIRE_EC(message_save(b.m, &s), ecNone);
    return s.mid;
}

static void become(enum actor_kind kind, const char *dn)
{
    mbox_as(&b, kind, dn);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
}

/* A folder with a message of bob's and one of the owner's; then bob, with `rights` and nothing else. */
static struct place prepare(uint32_t rights)
{
    struct place p;
    bool existed;
    become(ACTOR_OWNER, "");
    uint64_t inbox = mailbox_info(b.m)->fid[SF_INBOX];
    REQUIRE_EC(folder_create(b.m, inbox, arena_printf(b.a, "rights %x", rights), NULL, false, false, &p.fid, &existed), ecNone);
    p.other = put(p.fid);
    REQUIRE_EC(permission_set(b.m, p.fid, bob, RIGHTS_ALL), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    become(ACTOR_DELEGATE, bob);
    p.own = put(p.fid);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    become(ACTOR_OWNER, "");
    REQUIRE_EC(permission_set(b.m, p.fid, bob, rights), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    become(ACTOR_DELEGATE, bob);
    return p;
}

static bool delete(uint64_t fid, uint64_t mid)
{
    bool partial = false;
    REQUIRE_EC(messages_delete(b.m, fid, &mid, 1, false, &partial), ecNone);
    return !partial;
}

static ec_t edit(uint64_t mid)
{
    struct msg over = { 0 };
    props_set(b.a, &over.set, pv_i32(PidTagImportance, 2));
    return message_save(b.m, &(struct message_save){ .mid = mid, .over = &over });
}

static ec_t read(const struct place *p, uint64_t mid)
{
    struct message_info i;
    struct msg m;
    struct props out;
    static const uint32_t tag = PidTagSubject;
    ec_t open = message_open(b.m, p->fid, mid, false, &i), load = message_load(b.m, mid, LOAD_ALL, &m);
    ec_t props = message_props(b.m, mid, p->fid, NULL, &tag, 1, &out), all = message_props_all(b.m, mid, p->fid, NULL, &out);
    CHECK(open == load && load == props && props == all);
    return open;
}

static bool allowed(enum op op, const struct place *p)
{
    struct folder f;
    uint64_t fid;
    bool existed;
    struct props name = { 0 };
    ec_t problem = ecNone, ec = ecNone;
    props_set(b.a, &name, pv_str(PidTagComment, "c"));
    struct message_save s = { .fid = p->fid };
    switch (op) {
    case OP_SEE:          ec = folder_open(b.m, p->fid, false, &f); break;
    case OP_CREATE:       ec = message_save(b.m, &s); break;
    case OP_SUBFOLDER:    ec = folder_create(b.m, p->fid, "sub", NULL, false, false, &fid, &existed); break;
    case OP_PROPERTIES:   ec = folder_props_set(b.m, p->fid, &name, &problem); break;
    case OP_READ_OWN:     ec = read(p, p->own); break;
    case OP_READ_OTHER:   ec = read(p, p->other); break;
    case OP_EDIT_OWN:     ec = edit(p->own); break;
    case OP_EDIT_OTHER:   ec = edit(p->other); break;
    case OP_DELETE_OWN:   return delete(p->fid, p->own);
    case OP_DELETE_OTHER: return delete(p->fid, p->other);
    default:              break;
    }
    CHECK(ec == ecNone || ec == (ec_t)ecAccessDenied);
    return ec == ecNone && problem == ecNone;
}

TEST(each_right_allows_what_it_says)
{
    static const struct { uint32_t rights, ops; } t[] = {
        { 0, 0 },
        { RIGHT_FOLDER_VISIBLE, OP(SEE) | OP(READ_OWN) },
        { RIGHT_FOLDER_VISIBLE | RIGHT_READ_ANY, OP(SEE) | OP(READ_OWN) | OP(READ_OTHER) },
        { RIGHT_CREATE, OP(CREATE) },
        { RIGHT_EDIT_OWNED, OP(EDIT_OWN) },
        { RIGHT_EDIT_ANY, OP(EDIT_OWN) | OP(EDIT_OTHER) },
        { RIGHT_DELETE_OWNED, OP(DELETE_OWN) },
        { RIGHT_DELETE_ANY, OP(DELETE_OWN) | OP(DELETE_OTHER) },
        { RIGHT_CREATE_SUBFOLDER, OP(SUBFOLDER) },
        { RIGHT_FOLDER_OWNER, OP(SEE) | OP(PROPERTIES) | OP(READ_OWN) },
        { RIGHT_FOLDER_CONTACT, 0 },
        { RIGHTS_ALL, (1u << OP_COUNT) - 1 },
    };
    b = mbox_new();
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct place p = prepare(t[i].rights);
        for (enum op op = 0; op < OP_COUNT; op++)
            unit_check(allowed(op, &p) == ((t[i].ops >> op & 1) != 0), __FILE__, __LINE__, "rights %x, operation %u", t[i].rights, (unsigned)op);
        mailbox_abort(b.m);
    }
    mbox_end(&b);
}

/* Who may read but not delete can copy, not move; into a folder where he may not create he can do neither. */
TEST(moving_needs_both_ends)
{
    b = mbox_new();
    struct place p = prepare(RIGHT_FOLDER_VISIBLE | RIGHT_READ_ANY | RIGHT_CREATE);
    bool partial = false;
    REQUIRE_EC(messages_move(b.m, p.fid, p.fid, &p.other, 1, &partial), ecNone);
    CHECK(partial);
    partial = false;
    REQUIRE_EC(messages_copy(b.m, p.fid, p.fid, &p.other, 1, &partial), ecNone);
    CHECK(!partial);
    CHECK_EC(messages_copy(b.m, p.fid, mailbox_info(b.m)->fid[SF_DRAFTS], &p.other, 1, &partial), ecAccessDenied);
    mbox_end(&b);
}
