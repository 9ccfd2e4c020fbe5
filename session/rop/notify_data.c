/* notify_data.c - notifications -> bytes, and back for tests and mapictl decode. */
#include "session/rop/notify_data.h"
#include "backend/base/utf.h"
#include "backend/store/event.h"
#include <inttypes.h>

/* Which fields a notification has is one table for both directions (R124 - R226). */
struct has { bool table, row, after, object, mid, parent, old, old_mid, old_parent, tags, total, unread, mail; };

static struct has has_of(uint16_t flags, uint16_t table_event)
{
    uint16_t type = flags & 0x0FFF;
    bool m = (flags & NOTIFY_M) != 0, s = (flags & NOTIFY_S) != 0, moved = type == EVENT_MOVED || type == EVENT_COPIED;
    bool table = type == NOTIFY_TABLE, object = !table && type != NOTIFY_NOTHING;
    return (struct has){
        .table = table,
        .row = table && table_event >= TABLE_ROW_ADDED && table_event <= TABLE_ROW_MODIFIED,
        .after = table && (table_event == TABLE_ROW_ADDED || table_event == TABLE_ROW_MODIFIED),
        .object = object,
        .mid = object && m,
        .parent = (moved || type == EVENT_CREATED || type == EVENT_DELETED) && m == s,
        .old = moved, .old_mid = moved && m, .old_parent = moved && !m,
        .tags = type == EVENT_CREATED || type == EVENT_MODIFIED,
        .total = (flags & NOTIFY_T) != 0, .unread = (flags & NOTIFY_U) != 0,
        .mail = type == EVENT_NEW_MAIL,
    };
}

/* --- out ----------------------------------------------------------------------------------------------------------------------------------- */
static void row_write(struct wr *w, const struct notify_row *r, bool message)
{
    wr_u64(w, r->fid);
    if (!message)
        return;
    wr_u64(w, r->mid);
    wr_u32(w, r->instance);
}

static void id_write(struct wr *w, bool there, uint64_t id)
{
    if (there)
        wr_u64(w, id);
}

static void tags_write(struct wr *w, const struct notify_data *n)
{
    wr_u16(w, n->ntags);
    for (size_t i = 0; n->ntags != NOTIFY_TAGS_NONE && i < n->ntags; i++)
        wr_u32(w, n->tags[i]);
}

static void mail_write(struct wr *w, struct arena *a, const struct notify_data *n)
{
    struct blob class = blob_str(n->message_class != NULL ? n->message_class : "");
    wr_u32(w, n->message_flags);
    wr_u8(w, n->unicode);
    wr_put(w, n->unicode ? utf16_from_utf8(a, class) : class);
    wr_le(w, 0, n->unicode ? 2 : 1);
}

static void table_write(struct wr *w, const struct notify_data *n, const struct has *h)
{
    bool message = (n->flags & NOTIFY_M) != 0;
    if (h->table)
        wr_u16(w, n->table_event);
    if (h->row)
        row_write(w, &n->row, message);
    if (!h->after)
        return;
    row_write(w, &n->after, message);
    wr_u16(w, (uint16_t)n->values.n);
    wr_put(w, n->values);
}

void notify_data_write(struct wr *w, struct arena *a, const struct notify_data *n)
{
    struct has h = has_of(n->flags, n->table_event);
    wr_u8(w, ROP_NOTIFY);
    wr_u32(w, n->handle);
    wr_u8(w, n->logon_id);
    wr_u16(w, n->flags);
    table_write(w, n, &h);
    id_write(w, h.object, n->fid);
    id_write(w, h.mid, n->mid);
    id_write(w, h.parent, n->parent);
    id_write(w, h.old, n->old_fid);
    id_write(w, h.old_mid, n->old_mid);
    id_write(w, h.old_parent, n->old_parent);
    if (h.tags)
        tags_write(w, n);
    if (h.total)
        wr_u32(w, n->total);
    if (h.unread)
        wr_u32(w, n->unread);
    if (h.mail)
        mail_write(w, a, n);
}

/* --- in ------------------------------------------------------------------------------------------------------------------------------------- */
static void row_read(struct rd *r, struct notify_row *out, bool message)
{
    out->fid = rd_u64(r);
    out->mid = message ? rd_u64(r) : 0;
    out->instance = message ? rd_u32(r) : 0;
}

static uint64_t id_read(struct rd *r, bool there) { return there ? rd_u64(r) : 0; }

static void tags_read(struct rd *r, struct arena *a, struct notify_data *out)
{
    out->ntags = rd_u16(r);
    size_t n = out->ntags != NOTIFY_TAGS_NONE ? rd_count(r, out->ntags, 4) : 0;
    uint32_t *tags = arena_array(a, uint32_t, n);
    for (size_t i = 0; i < n; i++)
        tags[i] = rd_u32(r);
    out->tags = tags;
}

static void mail_read(struct rd *r, struct arena *a, struct notify_data *out)
{
    out->message_flags = rd_u32(r);
    out->unicode = rd_u8(r) != 0;
    struct blob class = out->unicode ? rd_utf16z(r) : rd_asciiz(r);
    out->message_class = arena_str(a, out->unicode ? utf8_from_utf16(a, class) : class);
}

static void table_read(struct rd *r, struct notify_data *out, const struct has *h)
{
    bool message = (out->flags & NOTIFY_M) != 0;
    if (h->row)
        row_read(r, &out->row, message);
    if (!h->after)
        return;
    row_read(r, &out->after, message);
    out->values = rd_blob(r, rd_u16(r));
}

bool notify_data_read(struct rd *r, struct arena *a, struct notify_data *out)
{
    *out = (struct notify_data){ .handle = 0 };
    if (rd_u8(r) != ROP_NOTIFY)
        return false;
    out->handle = rd_u32(r);
    out->logon_id = rd_u8(r);
    out->flags = rd_u16(r);
    out->table_event = (out->flags & 0x0FFF) == NOTIFY_TABLE ? rd_u16(r) : 0;
    struct has h = has_of(out->flags, out->table_event);
    table_read(r, out, &h);
    out->fid = id_read(r, h.object);
    out->mid = id_read(r, h.mid);
    out->parent = id_read(r, h.parent);
    out->old_fid = id_read(r, h.old);
    out->old_mid = id_read(r, h.old_mid);
    out->old_parent = id_read(r, h.old_parent);
    if (h.tags)
        tags_read(r, a, out);
    out->total = h.total ? rd_u32(r) : 0;
    out->unread = h.unread ? rd_u32(r) : 0;
    if (h.mail)
        mail_read(r, a, out);
    return rd_ok(r);
}

/* --- for people ------------------------------------------------------------------------------------------------------------------------------- */
static const char *type_name(uint16_t flags)
{
    switch (flags & 0x0FFF) {
    case EVENT_NEW_MAIL:        return "new mail";
    case EVENT_CREATED:         return "created";
    case EVENT_DELETED:         return "deleted";
    case EVENT_MODIFIED:        return "modified";
    case EVENT_MOVED:           return "moved";
    case EVENT_COPIED:          return "copied";
    case EVENT_SEARCH_COMPLETE: return "search complete";
    case NOTIFY_TABLE:          return "table";
    default:                    return "unknown";
    }
}

static const char *table_name(uint16_t event)
{
    static const char *const name[] = { "", "changed", "", "row added", "row deleted", "row modified", "", "restriction changed" };
    return event < sizeof name / sizeof *name ? name[event] : "";
}

static const char *add_id(struct arena *a, const char *s, const char *name, bool there, uint64_t wire)
{
    return there ? arena_printf(a, "%s %s=%" PRIx64, s, name, id_gc(wire)) : s;
}

static const char *table_text(struct arena *a, const char *s, const struct notify_data *n, const struct has *h)
{
    bool message = (n->flags & NOTIFY_M) != 0;
    s = arena_printf(a, "%s %s", s, table_name(n->table_event));
    s = add_id(a, s, "folder", h->row, n->row.fid);
    s = add_id(a, s, "message", h->row && message, n->row.mid);
    s = add_id(a, s, "after", h->after, message ? n->after.mid : n->after.fid);
    return h->after ? arena_printf(a, "%s row=%zu bytes", s, n->values.n) : s;
}

const char *notify_data_text(struct arena *a, const struct notify_data *n)
{
    struct has h = has_of(n->flags, n->table_event);
    const char *s = arena_printf(a, "handle=%" PRIu32 " logon=%u flags=%04x %s", n->handle, n->logon_id, n->flags, type_name(n->flags));
    if (h.table)
        s = table_text(a, s, n, &h);
    s = add_id(a, s, "folder", h.object, n->fid);
    s = add_id(a, s, "message", h.mid, n->mid);
    s = add_id(a, s, "parent", h.parent, n->parent);
    s = add_id(a, s, "old folder", h.old, n->old_fid);
    s = add_id(a, s, "old message", h.old_mid, n->old_mid);
    s = add_id(a, s, "old parent", h.old_parent, n->old_parent);
    if (h.tags && n->ntags != 0 && n->ntags != NOTIFY_TAGS_NONE)
        s = arena_printf(a, "%s tags=%u", s, n->ntags);
    if (h.total)
        s = arena_printf(a, "%s total=%" PRIu32, s, n->total);
    if (h.unread)
        s = arena_printf(a, "%s unread=%" PRIu32, s, n->unread);
    return h.mail ? arena_printf(a, "%s class=%s message flags=%" PRIx32, s, n->message_class, n->message_flags) : s;
}
