/* Two thousand random operations on a mailbox, and the same on a small model in memory: both must tell the same story. */
#include "backend/store/message.h"
#include "tests/unit/backend-store/mbox.h"
#include <stdlib.h>

enum { OPERATIONS = 2000, FOLDERS = 256, LIVE = 12, MESSAGES = 4000, FIRST_SPECIAL = 4 };

struct m_msg { uint64_t mid; int folder; bool assoc, read, deleted, gone; int subject, natt; };
struct m_folder { uint64_t fid; int parent; bool live; };

static struct mbox b;
static struct m_folder folders[FOLDERS];
static struct m_msg messages[MESSAGES];
static int nmessages, nfolders;
static uint32_t seed;

static uint32_t rnd(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static int any_folder(void)
{
    int f;
    do
        f = (int)rnd((uint32_t)nfolders);
    while (!folders[f].live);
    return f;
}

static struct m_msg *any_message(void)
{
    for (int tries = 0; tries < 50 && nmessages != 0; tries++) {
        struct m_msg *m = &messages[rnd((uint32_t)nmessages)];
        if (!m->gone && !m->deleted)
            return m;
    }
    return NULL;
}

static void subject(struct msg *over, int n) { props_set(b.a, &over->set, pv_str(PidTagSubject, arena_printf(b.a, "RE: number %d", n))); }

static void op_create(void)
{
    if (nmessages == MESSAGES)
        return;
    struct m_msg m = { .folder = any_folder(), .assoc = rnd(5) == 0, .read = rnd(2) == 0, .subject = (int)rnd(50) };
    struct msg over = { 0 };
    subject(&over, m.subject);
    props_set(b.a, &over.set, pv_i32(PidTagMessageFlags, m.read ? 1 : 0));
    m.natt = (int)rnd(3);
    for (int i = 0; i < m.natt; i++) {
        struct attachment *att = msg_att_add(b.a, &over, (uint32_t)i);
        att->fresh = true;
        size_t n = 3000 + rnd(4000);
        props_set(b.a, &att->set, pv_bin(PidTagAttachDataBinary, blob_of(arena_alloc(b.a, n), n)));
    }
    struct message_save s = { .fid = folders[m.folder].fid, .over = &over, .assoc = m.assoc };
    REQUIRE_EC(message_save(b.m, &s), ecNone);
    m.mid = s.mid;
    messages[nmessages++] = m;
}

static void op_change(void)
{
    struct m_msg *m = any_message();
    if (m == NULL)
        return;
    struct msg over = { 0 };
    m->subject = (int)rnd(50);
    subject(&over, m->subject);
    if (m->natt > 0 && rnd(2) == 0)
        msg_att_add(b.a, &over, (uint32_t)--m->natt)->deleted = true;
    struct message_save s = { .mid = m->mid, .over = &over };
    REQUIRE_EC(message_save(b.m, &s), ecNone);
}

static void op_delete(void)
{
    struct m_msg *m = any_message();
    bool hard = rnd(2) == 0, partial = false;
    if (m == NULL)
        return;
    REQUIRE_EC(messages_delete(b.m, folders[m->folder].fid, &m->mid, 1, hard, &partial), ecNone);
    CHECK(!partial);
    m->deleted = true;
    m->gone = hard;
}

static uint64_t newest_in(uint64_t fid, const struct m_msg *like)
{
    struct props out;
    static const uint32_t tag = PidTagSubject;
    for (uint64_t mid = 1u << 20; mid-- > 1; ) {
        struct message_info i;
        if (message_open(b.m, fid, mid, false, &i) != ecNone)
            continue;
        REQUIRE_EC(message_props(b.m, mid, fid, NULL, &tag, 1, &out), ecNone);
        CHECK_STR(arena_str(b.a, out.v[0].v.s), arena_printf(b.a, "RE: number %d", like->subject));
        return mid;
    }
    return 0;
}

/* The new id is the next counter but one: the change number is taken before it. */
static uint64_t next_id(void)
{
    uint64_t id = 0;
    REQUIRE_EC(mailbox_take_ids(b.m, 1, &id), ecNone);
    return id + 1;
}

static uint64_t found_after(uint64_t from, uint64_t fid)
{
    struct message_info i;
    for (uint64_t mid = from; mid < from + 8; mid++)
        if (message_open(b.m, fid, mid, false, &i) == ecNone)
            return mid;
    return newest_in(fid, &messages[0]);
}

static void op_transfer(bool copy)
{
    struct m_msg *m = any_message();
    int to = any_folder();
    bool partial = false;
    if (m == NULL || nmessages == MESSAGES)
        return;
    uint64_t from = next_id(), fid = folders[to].fid;
    REQUIRE_EC((copy ? messages_copy : messages_move)(b.m, folders[m->folder].fid, fid, &m->mid, 1, &partial), ecNone);
    CHECK(!partial);
    struct m_msg now = *m;
    now.mid = found_after(from, fid);
    now.folder = to;
    if (copy)
        messages[nmessages++] = now;
    else
        *m = now;
}

static void op_move(void) { op_transfer(false); }
static void op_copy(void) { op_transfer(true); }

static void op_read(void)
{
    struct m_msg *m = any_message();
    bool read = rnd(2) == 0, changed = false, partial = false;
    if (m == NULL)
        return;
    REQUIRE_EC(messages_set_read(b.m, folders[m->folder].fid, &m->mid, 1, read ? 0x01 : 0x04, &changed, &partial), ecNone);
    CHECK_INT(changed, read != m->read);
    m->read = read;
}

static void op_read_all(void)
{
    int f = any_folder();
    bool changed = false, partial = false;
    REQUIRE_EC(messages_set_read(b.m, folders[f].fid, NULL, 0, 0x01, &changed, &partial), ecNone);
    for (int i = 0; i < nmessages; i++)
        if (messages[i].folder == f && !messages[i].assoc && !messages[i].deleted)
            messages[i].read = true;
}

static void op_new_folder(void)
{
    int parent = any_folder(), live = 0;
    bool existed;
    for (int f = 0; f < nfolders; f++)
        live += folders[f].live;
    if (live == LIVE || nfolders == FOLDERS)
        return;
    struct m_folder *f = &folders[nfolders++];
    *f = (struct m_folder){ .parent = parent, .live = true };
    REQUIRE_EC(folder_create(b.m, folders[parent].fid, arena_printf(b.a, "folder %d", nfolders), NULL, false, false, &f->fid, &existed), ecNone);
}

/* What was deleted softly before goes with a hard deletion, too. */
static void m_empty(int f, bool assoc_too, bool hard)
{
    for (int i = 0; i < nmessages; i++)
        if (messages[i].folder == f && (assoc_too || !messages[i].assoc)) {
            messages[i].deleted = true;
            messages[i].gone |= hard;
        }
    for (int c = FIRST_SPECIAL; c < nfolders; c++)
        if (folders[c].parent == f && (hard || folders[c].live)) {
            folders[c].live = false;
            m_empty(c, true, hard);
        }
}

static void op_delete_folder(void)
{
    int f = any_folder();
    bool hard = rnd(2) == 0, partial = false;
    if (f < FIRST_SPECIAL || rnd(3) != 0)
        return;
    uint8_t flags = (uint8_t)(DEL_MESSAGES | DEL_FOLDERS | (hard ? DELETE_HARD_DELETE : 0));
    REQUIRE_EC(folder_delete(b.m, folders[folders[f].parent].fid, folders[f].fid, flags, &partial), ecNone);
    CHECK(!partial);
    folders[f].live = false;
    m_empty(f, true, hard);
}

static void op_empty_folder(void)
{
    int f = any_folder();
    bool hard = rnd(2) == 0, assoc = rnd(2) == 0, partial = false;
    if (rnd(4) != 0)
        return;
    REQUIRE_EC(folder_empty(b.m, folders[f].fid, assoc, hard, &partial), ecNone);
    m_empty(f, assoc, hard);
}

static void op_commit(void)
{
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_again(&b);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
}

/* What happens inside a savepoint that is rolled back did not happen. */
static void op_undone(void)
{
    struct m_msg kept[MESSAGES];
    struct m_folder kept_folders[FOLDERS];
    int n = nmessages, nf = nfolders;
    memcpy(kept, messages, sizeof kept);
    memcpy(kept_folders, folders, sizeof folders);
    REQUIRE_EC(mailbox_savepoint(b.m), ecNone);
    op_create();
    op_move();
    op_read_all();
    op_delete();
    REQUIRE_EC(mailbox_rollback(b.m), ecNone);
    memcpy(messages, kept, sizeof kept);
    memcpy(folders, kept_folders, sizeof folders);
    nmessages = n;
    nfolders = nf;
}

static void (*const operations[])(void) = {
    op_create, op_create, op_create, op_change, op_delete, op_move, op_copy, op_read, op_read, op_read_all, op_new_folder, op_delete_folder,
    op_empty_folder, op_commit, op_undone,
};

static void compare_folder(int f)
{
    uint32_t total = 0, unread = 0, assoc = 0;
    for (int i = 0; i < nmessages; i++) {
        const struct m_msg *m = &messages[i];
        if (m->folder != f || m->deleted)
            continue;
        total += !m->assoc;
        assoc += m->assoc;
        unread += !m->assoc && !m->read;
    }
    struct folder got;
    REQUIRE_EC(folder_open(b.m, folders[f].fid, false, &got), ecNone);
    CHECK_INT(got.total, total);
    CHECK_INT(got.unread, unread);
    CHECK_INT(got.assoc, assoc);
}

static void compare_message(const struct m_msg *m)
{
    static const uint32_t tags[] = { PidTagSubject, PidTagRead, PidTagHasAttachments, PidTagNormalizedSubject };
    struct message_info i;
    struct props out;
    uint64_t fid = folders[m->folder].fid;
    if (m->deleted) {
        CHECK_EC(message_open(b.m, fid, m->mid, false, &i), ecNotFound);
        CHECK_EC(message_open(b.m, fid, m->mid, true, &i), m->gone ? ecNotFound : ecNone);
        return;
    }
    REQUIRE_EC(message_open(b.m, fid, m->mid, false, &i), ecNone);
    CHECK_INT(i.assoc, m->assoc);
    CHECK_INT(i.natt, m->natt);
    REQUIRE_EC(message_props(b.m, m->mid, fid, NULL, tags, 4, &out), ecNone);
    CHECK_STR(arena_str(b.a, out.v[0].v.s), arena_printf(b.a, "RE: number %d", m->subject));
    CHECK_INT(out.v[1].v.b, m->read);
    CHECK_INT(out.v[2].v.b, m->natt > 0);
}

static void compare(void)
{
    for (int f = 0; f < nfolders; f++)
        if (folders[f].live)
            compare_folder(f);
    for (int i = 0; i < nmessages; i++)
        compare_message(&messages[i]);
}

static void run(uint32_t start)
{
    static const enum special_folder first[FIRST_SPECIAL] = { SF_INBOX, SF_DRAFTS, SF_SENT_ITEMS, SF_CALENDAR };
    b = mbox_new();
    seed = start;
    nmessages = 0;
    nfolders = FIRST_SPECIAL;
    memset(folders, 0, sizeof folders);
    for (int f = 0; f < FIRST_SPECIAL; f++)
        folders[f] = (struct m_folder){ mailbox_info(b.m)->fid[first[f]], -1, true };
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    for (int i = 0; i < OPERATIONS; i++)
        operations[rnd(sizeof operations / sizeof *operations)]();
    compare();
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_again(&b);
    compare();
    mbox_clean(&b);
    mbox_end(&b);
}

TEST_LIMIT(random_operations_match_the_model, 300)
{
    run(1);
    run(20261122);
}
