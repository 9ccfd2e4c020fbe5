/* notes.c - see notes.h. */
#include "tests/unit/session-rop/notes.h"
#include "backend/store/store_int.h"

STMT(NOTES_TRIM, "DELETE FROM event WHERE seq < (SELECT max(seq) FROM event)");

/* --- requests ------------------------------------------------------------------------------------------------------------------------------- */
void notes_take(struct desk *d, struct rd r, struct notes *out)
{
    *out = (struct notes){ .n = 0 };
    while (r.n > 0 && r.p[0] == ROP_NOTIFY && out->n < NOTES_MAX)
        if (!CHECK(notify_data_read(&r, d->a, &out->v[out->n++])))
            return;
    if (r.n == 3 && rd_u8(&r) == ROP_PENDING) {
        CHECK_INT(rd_u16(&r), 0);
        out->pending = true;
    }
    CHECK(rd_done(&r));
}

void notes_poll(struct desk *d, struct notes *out)
{
    struct rd r = desk_rops(d, blob_of(NULL, 0), NULL, 0);
    CHECK_EC(d->error, ecNone);
    notes_take(d, r, out);
}

uint32_t notes_rop(struct desk *d, uint8_t rop, uint32_t in, struct blob args, struct rd *body)
{
    const struct rop_def *op = rop_find(rop);
    uint32_t table[2] = { in, 0xFFFFFFFF };
    uint8_t bytes[4096];
    struct wr w = wr_over(bytes, sizeof bytes);
    wr_u8(&w, rop);
    wr_u8(&w, 0);
    wr_u8(&w, 0);
    if ((op->flags & OUT1) != 0)
        wr_u8(&w, 1);
    wr_put(&w, args);
    struct rd r = desk_rops(d, wr_blob(&w), table, 2);
    REQUIRE_EC(d->error, ecNone);
    if ((op->flags & NOREPLY) == 0) {
        CHECK_INT(rd_u8(&r), rop);
        rd_u8(&r);
        REQUIRE_EC(rd_u32(&r), ecNone);
    }
    if (body != NULL)
        *body = r;
    return table[1];
}

void notes_ec(struct desk *d, uint8_t rop, uint32_t in, struct blob args, ec_t want)
{
    uint32_t table[2] = { in, 0xFFFFFFFF };
    uint8_t bytes[256];
    struct wr w = wr_over(bytes, sizeof bytes);
    wr_bytes(&w, (uint8_t[]){ rop, 0, 0 }, 3);
    if ((rop_find(rop)->flags & OUT1) != 0)
        wr_u8(&w, 1);
    wr_put(&w, args);
    struct rd r = desk_rops(d, wr_blob(&w), table, 2);
    CHECK_EC(d->error, ecNone);
    rd_u16(&r);
    CHECK_EC(rd_u32(&r), want);
}

uint32_t notes_login(struct desk *d)
{
    uint32_t table[1] = { 0xFFFFFFFF };
    uint8_t bytes[1024];
    struct wr w = wr_over(bytes, sizeof bytes);
    wr_bytes(&w, "\xFE\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00", 12);
    wr_u16(&w, (uint16_t)(strlen(d->ada.dn) + 1));
    wr_bytes(&w, d->ada.dn, strlen(d->ada.dn) + 1);
    struct rd r = desk_rops(d, wr_blob(&w), table, 1);
    rd_u16(&r);
    REQUIRE_EC(rd_u32(&r), ecNone);
    return table[0];
}

static uint64_t wire(uint64_t gc) { return gc != 0 ? id_wire(REPLID_OWN, gc) : 0; }

uint32_t notes_subscribe(struct desk *d, uint32_t logon, uint16_t types, uint64_t fid, uint64_t mid)
{
    uint8_t bytes[32];
    struct wr w = wr_over(bytes, sizeof bytes);
    wr_u16(&w, types);
    wr_u8(&w, fid == 0);
    if (fid != 0) {
        wr_u64(&w, wire(fid));
        wr_u64(&w, wire(mid));
    }
    return notes_rop(d, 0x29, logon, wr_blob(&w), NULL);
}

uint32_t notes_folder(struct desk *d, uint32_t logon, uint64_t fid)
{
    uint8_t bytes[9];
    struct wr w = wr_over(bytes, sizeof bytes);
    wr_u64(&w, wire(fid));
    wr_u8(&w, 0);
    return notes_rop(d, 0x02, logon, wr_blob(&w), NULL);
}

uint32_t notes_table(struct desk *d, uint32_t folder, bool hierarchy, uint8_t flags, const uint32_t *columns, size_t n)
{
    uint8_t bytes[256];
    uint32_t h = notes_rop(d, hierarchy ? 0x04 : 0x05, folder, blob_of(&flags, 1), NULL);
    struct wr w = wr_over(bytes, sizeof bytes);
    wr_u8(&w, 0);
    wr_u16(&w, (uint16_t)n);
    for (size_t i = 0; i < n; i++)
        wr_u32(&w, columns[i]);
    notes_rop(d, 0x12, h, wr_blob(&w), NULL);
    return h;
}

void notes_sort(struct desk *d, uint32_t table, uint32_t tag)
{
    uint8_t bytes[16];
    struct wr w = wr_over(bytes, sizeof bytes);
    wr_bytes(&w, "\0\1\0\0\0\0\0", 7);
    wr_u16(&w, prop_type(tag));
    wr_u16(&w, prop_id(tag));
    wr_u8(&w, 0);
    notes_rop(d, 0x13, table, wr_blob(&w), NULL);
}

void notes_restrict(struct desk *d, uint32_t table, struct blob restriction)
{
    uint8_t bytes[256];
    struct wr w = wr_over(bytes, sizeof bytes);
    wr_u8(&w, 0);
    wr_u16(&w, (uint16_t)restriction.n);
    wr_put(&w, restriction);
    notes_rop(d, 0x14, table, wr_blob(&w), NULL);
}

void notes_look(struct desk *d, uint32_t table) { notes_rop(d, 0x17, table, blob_of(NULL, 0), NULL); }
void notes_release(struct desk *d, uint32_t handle) { notes_rop(d, 0x01, handle, blob_of(NULL, 0), NULL); }

bool notes_waiting(struct desk *d)
{
    bool waiting = false;
    struct arena *a = arena_new(1 << 28);
    struct context *c = desk_look(d, a);
    CHECK_EC(notify_waiting(&d->env, c, &waiting), ecNone);
    arena_free(a);
    return waiting;
}

const char *notes_text(struct desk *d, const struct notify_data *n) { return notify_data_text(d->life, n); }

/* --- somebody else ----------------------------------------------------------------------------------------------------------------------------- */
static struct mailbox *begin(struct desk *d, struct arena **a)
{
    *a = arena_new(1 << 28);
    struct mailbox *m = desk_mailbox(d, *a, &d->ada);
    REQUIRE_EC(mailbox_write(m), ecNone);
    return m;
}

static void end(struct mailbox *m, struct arena *a)
{
    REQUIRE_EC(mailbox_commit(m), ecNone);
    arena_free(a);
}

void notes_set(struct desk *d, uint64_t mid, struct propval v)
{
    struct arena *a;
    struct mailbox *m = begin(d, &a);
    struct msg over = { 0 };
    props_set(a, &over.set, v);
    struct message_save s = { .mid = mid, .over = &over };
    REQUIRE_EC(message_save(m, &s), ecNone);
    end(m, a);
}

void notes_read(struct desk *d, uint64_t fid, uint64_t mid, bool read)
{
    struct arena *a;
    bool changed = false, partial = false;
    struct mailbox *m = begin(d, &a);
    REQUIRE_EC(messages_set_read(m, fid, &mid, 1, read ? 0 : 4, &changed, &partial), ecNone);
    end(m, a);
}

void notes_delete(struct desk *d, uint64_t fid, uint64_t mid)
{
    struct arena *a;
    bool partial = false;
    struct mailbox *m = begin(d, &a);
    REQUIRE_EC(messages_delete(m, fid, &mid, 1, false, &partial), ecNone);
    end(m, a);
}

uint64_t notes_move(struct desk *d, uint64_t from, uint64_t to, uint64_t mid, bool copy)
{
    struct arena *a;
    bool partial = false, gap;
    struct event e[8];
    size_t n;
    uint64_t last, now = 0;
    struct mailbox *m = begin(d, &a);
    REQUIRE_EC(event_last(m, &last), ecNone);
    REQUIRE_EC((copy ? messages_copy : messages_move)(m, from, to, &mid, 1, &partial), ecNone);
    REQUIRE_EC(event_read(m, last, 8, e, &n, &gap), ecNone);
    for (size_t i = 0; i < n; i++)
        if (e[i].old_mid == mid)
            now = e[i].mid;
    end(m, a);
    return now;
}

uint64_t notes_create_folder(struct desk *d, uint64_t parent, const char *name)
{
    struct arena *a;
    uint64_t fid = 0;
    bool existed;
    struct mailbox *m = begin(d, &a);
    REQUIRE_EC(folder_create(m, parent, name, NULL, false, true, &fid, &existed), ecNone);
    end(m, a);
    return fid;
}

void notes_rename(struct desk *d, uint64_t fid, const char *name)
{
    struct arena *a;
    ec_t problem = ecNone;
    struct mailbox *m = begin(d, &a);
    struct props p = { 0 };
    props_set(a, &p, pv_str(PidTagDisplayName, name));
    REQUIRE_EC(folder_props_set(m, fid, &p, &problem), ecNone);
    end(m, a);
}

void notes_delete_folder(struct desk *d, uint64_t parent, uint64_t fid)
{
    struct arena *a;
    bool partial = false;
    struct mailbox *m = begin(d, &a);
    REQUIRE_EC(folder_delete(m, parent, fid, DEL_MESSAGES | DEL_FOLDERS, &partial), ecNone);
    end(m, a);
}

void notes_trim(struct desk *d)
{
    struct arena *a;
    struct mailbox *m = begin(d, &a);
    {
        DB_QUERY(q, m->db, NOTES_TRIM);
        REQUIRE_EC(db_run(&q), ecNone);
    }
    end(m, a);
}
