/* test_notify_model.c - a client that keeps its lists by what it is told alone: after anything that others do, in answers of any size, its lists are the
 * tables as they are. */
#include "tests/unit/session-rop/notes.h"
#include <stdio.h>

enum { TABLES = 5, ROWS = 256, OPS = 12, ROUNDS = 60, MESSAGES = 64, FOLDERS = 24 };

struct line { uint64_t id; struct blob values; };
struct list {
    uint32_t handle;
    bool     hierarchy, stale;
    struct line v[ROWS]; size_t n;
};

struct model {
    struct desk *d;
    uint32_t  logon;
    struct list list[TABLES];
    uint64_t  mid[MESSAGES]; size_t mids;
    uint64_t  fid[FOLDERS], parent[FOLDERS]; size_t fids;
    unsigned  seed, names, told, reloads, pendings;
};

static unsigned dice(struct model *m, unsigned n)
{
    m->seed = m->seed * 1664525u + 1013904223u;
    return (m->seed >> 8) % n;
}

/* --- the client ---------------------------------------------------------------------------------------------------------------------------------- */
static size_t find(const struct list *l, uint64_t id)
{
    size_t i = 0;
    while (i < l->n && l->v[i].id != id)
        i++;
    return i;
}

static void cut(struct list *l, size_t i)
{
    for (; i + 1 < l->n; i++)
        l->v[i] = l->v[i + 1];
    l->n--;
}

static void put(struct model *m, struct list *l, const struct notify_data *n, uint64_t id, uint64_t after)
{
    size_t was = find(l, id), at;
    unit_check(n->table_event == TABLE_ROW_ADDED || was < l->n, __FILE__, __LINE__, "not in the list: %s", notes_text(m->d, n));
    if (was < l->n)
        cut(l, was);
    at = after == 0 ? 0 : find(l, after) + 1;
    if (!unit_check(at <= l->n, __FILE__, __LINE__, "behind a row that is not in the list: %s", notes_text(m->d, n)))
        return;
    REQUIRE(l->n < ROWS);
    for (size_t i = l->n++; i > at; i--)
        l->v[i] = l->v[i - 1];
    l->v[at] = (struct line){ id, arena_blob(m->d->life, n->values) };
}

static void apply(struct model *m, const struct notify_data *n)
{
    struct list *l = m->list;
    while (l < m->list + TABLES && l->handle != n->handle)
        l++;
    m->told++;
    if (!CHECK(l < m->list + TABLES) || l->stale)
        return;
    uint64_t id = l->hierarchy ? n->row.fid : n->row.mid, after = l->hierarchy ? n->after.fid : n->after.mid;
    CHECK_INT((n->flags & NOTIFY_M) != 0, !l->hierarchy && n->table_event != TABLE_CHANGED);
    if (n->table_event == TABLE_CHANGED) {
        l->stale = true;
        m->reloads++;
    } else if (n->table_event == TABLE_ROW_DELETED) {
        if (find(l, id) < l->n)
            cut(l, find(l, id));
    } else
        put(m, l, n, id, after);
}

static void listen(struct model *m)
{
    struct notes notes;
    do {
        notes_poll(m->d, &notes);
        for (size_t i = 0; i < notes.n; i++)
            apply(m, &notes.v[i]);
        m->pendings += notes.pending;
        CHECK(notes.n != 0 || !notes.pending);
    } while (notes.pending);
}

/* --- the table as it is ------------------------------------------------------------------------------------------------------------------------- */
/* Columns are the id and a text; a row of them as it stands in the answer. */
static struct line take_row(struct rd *r)
{
    struct rd from = *r;
    rd_u8(r);
    uint64_t id = rd_u64(r);
    while (r->n > 0 && rd_u16(r) != 0)
        ;
    return (struct line){ id, rd_blob(&from, from.n - r->n) };
}

static size_t read_table(struct model *m, const struct list *l, struct line *out)
{
    struct rd r;
    struct notes notes;
    notes_rop(m->d, 0x18, l->handle, blob_of("\0\0\0\0\0\0", 6), NULL);
    notes_rop(m->d, 0x15, l->handle, blob_of("\0\1\xFF\xFF", 4), &r);
    rd_u8(&r);
    size_t n = rd_u16(&r);
    REQUIRE(n <= ROWS);
    for (size_t i = 0; i < n; i++) {
        out[i] = take_row(&r);
        out[i].values = arena_blob(m->d->life, out[i].values);
    }
    notes_take(m->d, r, &notes);
    CHECK_INT(notes.n, 0); /* all was told before */
    return n;
}

static void compare(struct model *m, struct list *l, unsigned round)
{
    static struct line now[ROWS];
    size_t n = read_table(m, l, now), i = 0;
    while (!l->stale && i < n && i < l->n && now[i].id == l->v[i].id && blob_eq(now[i].values, l->v[i].values))
        i++;
    unit_check(l->stale || (i == n && n == l->n), __FILE__, __LINE__, "round %u, table %u: %zu rows, %zu in the list, differ at %zu", round, l->handle, n, l->n, i);
    memcpy(l->v, now, n * sizeof *now);
    l->n = n;
    l->stale = false;
}

/* --- somebody else --------------------------------------------------------------------------------------------------------------------------------- */
static const char *name_of(struct model *m)
{
    return arena_printf(m->d->life, "%c%c %u", 'a' + dice(m, 26), 'a' + dice(m, 26), ++m->names);
}

static void change_message(struct model *m)
{
    struct desk *d = m->d;
    uint64_t inbox = d->fid[SF_INBOX], *mid = &m->mid[dice(m, (unsigned)m->mids)];
    switch (dice(m, 7)) {
    case 0: case 1: notes_set(d, *mid, pv_str(PidTagSubject, name_of(m))); break;
    case 2: case 3: notes_set(d, *mid, pv_i32(PidTagImportance, (int32_t)dice(m, 3))); break;
    case 4: notes_read(d, inbox, *mid, dice(m, 2) != 0); break;
    case 5:
        notes_delete(d, inbox, *mid);
        *mid = m->mid[--m->mids];
        break;
    case 6:
        *mid = notes_move(d, inbox, d->fid[SF_DRAFTS], *mid, false);
        if (dice(m, 2) != 0)
            *mid = notes_move(d, d->fid[SF_DRAFTS], inbox, *mid, false);
        else
            *mid = m->mid[--m->mids];
        break;
    }
}

static void change_folder(struct model *m)
{
    size_t i = dice(m, (unsigned)m->fids);
    if (dice(m, 3) != 0 || m->fids == 0) {
        if (m->fids != 0)
            notes_rename(m->d, m->fid[i], name_of(m));
        return;
    }
    notes_delete_folder(m->d, m->parent[i], m->fid[i]);
    uint64_t gone = m->fid[i];
    for (size_t k = 0; k < m->fids; ) /* and what is in it */
        if (m->fid[k] == gone || m->parent[k] == gone) {
            m->fid[k] = m->fid[m->fids - 1];
            m->parent[k] = m->parent[--m->fids];
        } else
            k++;
}

static void new_folder(struct model *m)
{
    uint64_t parent = m->fids != 0 && dice(m, 3) == 0 && m->parent[0] == m->d->fid[SF_INBOX] ? m->fid[0] : m->d->fid[SF_INBOX];
    m->parent[m->fids] = parent;
    m->fid[m->fids++] = notes_create_folder(m->d, parent, name_of(m));
}

static void something(struct model *m)
{
    unsigned what = dice(m, 10);
    if (what < 3 && m->mids < MESSAGES)
        m->mid[m->mids++] = desk_mail(m->d, m->d->fid[SF_INBOX], name_of(m), dice(m, 1000));
    else if (what < 8 && m->mids != 0)
        change_message(m);
    else if (what == 8 && m->fids < FOLDERS)
        new_folder(m);
    else if (m->fids != 0)
        change_folder(m);
}

/* --- both --------------------------------------------------------------------------------------------------------------------------------------------- */
static void open_tables(struct model *m)
{
    static const uint32_t messages[] = { 0x674A0014, PidTagSubject }, folders[] = { 0x67480014, PidTagDisplayName };
    static const uint8_t important[] = { 0x04, 0x04, 0x03, 0x00, 0x17, 0x00, 0x03, 0x00, 0x17, 0x00, 0x02, 0x00, 0x00, 0x00 };
    struct desk *d = m->d;
    uint32_t inbox = notes_folder(d, m->logon, d->fid[SF_INBOX]);
    for (size_t i = 0; i < TABLES; i++)
        m->list[i].hierarchy = i >= 3;
    m->list[0].handle = notes_table(d, inbox, false, 0, messages, 2);
    m->list[1].handle = notes_table(d, inbox, false, 0, messages, 2);
    notes_sort(d, m->list[1].handle, PidTagSubject);
    m->list[2].handle = notes_table(d, inbox, false, 0, messages, 2);
    notes_sort(d, m->list[2].handle, PidTagSubject);
    notes_restrict(d, m->list[2].handle, blob_of(important, sizeof important));
    m->list[3].handle = notes_table(d, inbox, true, 0, folders, 2);
    m->list[4].handle = notes_table(d, inbox, true, 4, folders, 2);
    for (size_t i = 0; i < TABLES; i++)
        compare(m, &m->list[i], 0);
}

static void play(unsigned seed)
{
    struct model *m;
    struct desk *d = desk_new();
    m = arena_one(d->life, struct model);
    m->d = d;
    m->seed = seed;
    m->logon = notes_login(d);
    for (size_t i = 0; i < TABLES; i++)
        m->list[i].stale = true;
    open_tables(m);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        for (unsigned i = dice(m, OPS); i > 0; i--)
            something(m);
        d->max_out = dice(m, 2) == 0 ? 200 + dice(m, 400) : 0x10008;
        listen(m);
        CHECK(!notes_waiting(d));
        d->max_out = 0x10008;
        for (size_t i = 0; i < TABLES; i++)
            compare(m, &m->list[i], round);
    }
    CHECK(m->told > ROUNDS * 3);
    CHECK(m->pendings != 0);
    CHECK_INT(m->reloads, 0);
    desk_end(d);
}

TEST(lists_kept_by_what_is_told_are_right)
{
    for (unsigned seed = 1; seed <= 3; seed++)
        play(seed);
}
