/* viewkit.c - see viewkit.h. */
#include "tests/unit/backend-store/viewkit.h"
#include "backend/store/view_int.h"
#include "backend/store/store_int.h"

uint64_t kit_folder(struct mbox *b, const char *name)
{
    uint64_t fid = 0;
    bool existed;
    REQUIRE_EC(mailbox_write(b->m), ecNone);
    REQUIRE_EC(folder_create(b->m, mailbox_info(b->m)->fid[SF_IPM_SUBTREE], name, "", false, false, &fid, &existed), ecNone);
    REQUIRE_EC(mailbox_commit(b->m), ecNone);
    return fid;
}

static void set_or_del(struct mbox *b, struct msg *m, bool there, struct propval v)
{
    if (there)
        props_set(b->a, &m->set, v);
    else
        tags_add(b->a, &m->del, v.tag);
}

void kit_save(struct mbox *b, uint64_t fid, struct kit_msg *k)
{
    struct msg m = { 0 };
    struct message_save s = { .fid = fid, .mid = k->mid, .assoc = k->assoc, .force = true, .over = &m };
    bool own = !mailbox_writing(b->m);
    set_or_del(b, &m, k->sender != NULL, pv_str(PidTagSenderName, k->sender));
    set_or_del(b, &m, k->time >= 0, pv_time(PidTagMessageDeliveryTime, (uint64_t)(k->time >= 0 ? k->time : 0)));
    set_or_del(b, &m, k->has_number, pv_i32(KIT_INT, k->number));
    m.rcpts_replaced = true;
    if (k->rcpt != NULL) {
        struct recipient *r = msg_rcpt_add(b->a, &m, 0);
        r->type = 1;
        props_set(b->a, &r->props, pv_str(PidTagDisplayName, k->rcpt));
    }
    if (own)
        REQUIRE_EC(mailbox_write(b->m), ecNone);
    REQUIRE_EC(message_save(b->m, &s), ecNone);
    if (own)
        REQUIRE_EC(mailbox_commit(b->m), ecNone);
    k->mid = s.mid;
}

void kit_delete(struct mbox *b, uint64_t fid, uint64_t mid, bool hard)
{
    bool partial = false, own = !mailbox_writing(b->m);
    if (own)
        REQUIRE_EC(mailbox_write(b->m), ecNone);
    REQUIRE_EC(messages_delete(b->m, fid, &mid, 1, hard, &partial), ecNone);
    CHECK(!partial);
    if (own)
        REQUIRE_EC(mailbox_commit(b->m), ecNone);
}

static const char *hex_of(struct arena *a, struct wr *w)
{
    const char *hex = "";
    for (size_t i = 0; i < w->n; i++)
        hex = arena_printf(a, "%s%02x", hex, w->p[i]);
    return hex;
}

void kit_bulk(struct mbox *b, uint64_t fid, uint64_t first, uint64_t n)
{
    struct wr props = wr_in(b->a, 1000), rcpts = wr_in(b->a, 1000);
    props_pack(&props, &(struct props){ 0 });
    rcpts_pack(&rcpts, &(struct msg){ 0 });
    mbox_exec(b, arena_printf(b->a,
        "WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i + 1 < %llu)"
        " INSERT INTO message (mid, fid, assoc, is_read, flags, cn, size, created, modified, sender_name, delivered)"
        " SELECT %llu + i, %llu, 0, 0, 0, 1, 100, 1, 1, 's' || i, i FROM c;"
        " INSERT INTO message_body (mid, pcl, props, rcpts) SELECT mid, x'', x'%s', x'%s' FROM message WHERE fid = %llu AND mid >= %llu;"
        " UPDATE folder SET total = total + %llu WHERE fid = %llu;",
        (unsigned long long)n, (unsigned long long)first, (unsigned long long)fid, hex_of(b->a, &props), hex_of(b->a, &rcpts), (unsigned long long)fid,
        (unsigned long long)first,
        (unsigned long long)n, (unsigned long long)fid));
}

struct table_def kit_table(uint64_t fid, uint16_t n, const struct sortcol *col)
{
    struct table_def d = { .kind = TABLE_CONTENTS, .fid = fid, .locale = 0x0409, .sort = { .n = n } };
    for (size_t i = 0; i < n; i++)
        d.sort.col[i] = col[i];
    return d;
}

struct view *kit_open(struct mbox *b, const struct table_def *d)
{
    struct view *v = NULL;
    REQUIRE_EC(view_open(b->m, d, &v), ecNone);
    return v;
}

struct ids { uint64_t *out; size_t n, max; };

static bool take(void *ctx, const struct table_row *row)
{
    struct ids *i = ctx;
    if (i->n == i->max)
        return false;
    i->out[i->n++] = row->id;
    return CHECK_INT(props_i64(&row->cols, PidTagInstID, 0) != 0, 1);
}

size_t kit_ids(struct view *v, struct table_pos *pos, bool forward, size_t max, uint64_t *out)
{
    static const uint32_t tags[] = { PidTagInstID, PidTagSenderName };
    struct ids i = { out, 0, max };
    CHECK_EC(view_read(v, pos, forward, max, tags, 2, take, &i), ecNone);
    return i.n;
}

uint32_t kit_count(struct view *v)
{
    uint32_t n = 0;
    CHECK_EC(view_count(v, &n), ecNone);
    return n;
}

static void say(void *ctx, const char *finding)
{
    (void)ctx;
    unit_check(false, __FILE__, __LINE__, "view_check: %s", finding);
}

void kit_clean(struct mbox *b)
{
    size_t n = 0;
    CHECK_EC(view_check(b->m, say, NULL, &n), ecNone);
    CHECK_INT(n, 0);
}

struct restriction kit_relation(uint8_t relop, struct propval v)
{
    return (struct restriction){ .kind = RES_PROPERTY, .property = { relop, v.tag, v } };
}

struct restriction kit_equal(struct propval v) { return kit_relation(RELOP_EQ, v); }

struct restriction kit_content(uint16_t level, uint16_t fuzzy, struct propval v)
{
    return (struct restriction){ .kind = RES_CONTENT, .content = { level, fuzzy, v.tag, v } };
}

struct restriction kit_exist(uint32_t tag) { return (struct restriction){ .kind = RES_EXIST, .exist = { tag } }; }
