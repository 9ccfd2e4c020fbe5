/* folder.c - folders by the names that people and other mail servers give them. */
#include "deploy/mapictl/folder.h"
#include "backend/base/utf.h"
#include "backend/store/view.h"
#include <strings.h>

struct row { uint64_t fid, parent; const char *name; };
struct rows { struct arena *a; struct row *v; size_t n, cap; };

static bool keep_row(void *ctx, const struct table_row *row)
{
    struct rows *r = ctx;
    uint64_t parent = (uint64_t)props_i64(&row->cols, PidTagParentFolderId, 0);
    r->v = arena_grow(r->a, r->v, &r->cap, r->n, sizeof *r->v);
    r->v[r->n++] = (struct row){ row->id, id_gc(parent), arena_str(r->a, props_str(&row->cols, PidTagDisplayName)) };
    return true;
}

static ec_t visible(struct mailbox *m, struct rows *out)
{
    struct table_def d = { .kind = TABLE_HIERARCHY, .fid = mailbox_info(m)->fid[SF_IPM_SUBTREE], .deep = true };
    struct table_pos pos = { 0 };
    struct view *v;
    *out = (struct rows){ .a = mailbox_arena(m) };
    TRY(view_open(m, &d, &v));
    return view_read(v, &pos, true, SIZE_MAX, (uint32_t[]){ PidTagDisplayName, PidTagParentFolderId }, 2, keep_row, out);
}

static bool same(const char *a, struct blob b) { return utf8_cmp(blob_str(a), b, UTF_FOLD) == 0; }

/* By the whole name, which may hold slashes. */
static ec_t by_whole_name(const struct rows *r, uint64_t top, struct blob name, uint64_t *fid)
{
    size_t hits = 0;
    for (size_t i = 0; i < r->n; i++)
        if (same(r->v[i].name, name)) {
            *fid = r->v[i].fid;
            if (r->v[i].parent == top)
                return ecNone;
            hits++;
        }
    return hits == 1 ? ecNone : hits == 0 ? EC(ecNotFound) : EC(ecAmbiguousAlias);
}

static bool child(const struct rows *r, uint64_t parent, struct blob name, uint64_t *fid)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->v[i].parent == parent && same(r->v[i].name, name)) {
            *fid = r->v[i].fid;
            return true;
        }
    return false;
}

static struct blob next_part(const char **path)
{
    *path += strspn(*path, "/");
    size_t n = strcspn(*path, "/");
    struct blob part = blob_of(*path, n);
    *path += n;
    return part;
}

static ec_t by_path(const struct rows *r, uint64_t top, const char *path, uint64_t *fid)
{
    *fid = top;
    for (struct blob part = next_part(&path); part.n != 0; part = next_part(&path))
        if (!child(r, *fid, part, fid))
            return EC(ecNotFound);
    return *fid != top ? ecNone : EC(ecNotFound);
}

ec_t folder_by_name(struct mailbox *m, const char *name, uint64_t *fid)
{
    struct rows r;
    uint64_t top = mailbox_info(m)->fid[SF_IPM_SUBTREE];
    if (strcmp(name, "/") == 0) {
        *fid = top;
        return ecNone;
    }
    TRY(visible(m, &r));
    ec_t ec = by_whole_name(&r, top, blob_str(name), fid);
    return ec == ecNotFound && strchr(name, '/') != NULL ? by_path(&r, top, name, fid) : ec;
}

static ec_t made(struct mailbox *m, uint64_t parent, struct blob name, uint64_t *fid)
{
    bool existed;
    return folder_create(m, parent, arena_str(mailbox_arena(m), name), "", false, true, fid, &existed);
}

ec_t folder_by_name_made(struct mailbox *m, uint64_t top, const char *path, uint64_t *fid)
{
    struct rows r;
    TRY(visible(m, &r));
    *fid = top;
    for (struct blob part = next_part(&path); part.n != 0; part = next_part(&path))
        if (!child(&r, *fid, part, fid))
            TRY(made(m, *fid, part, fid));
    return *fid != top ? ecNone : EC(ecInvalidParameter);
}

/* --- names of Maildir++ -------------------------------------------------------------------------------------------------------------------- */

static int digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

/* The text between '&' and '-' (RFC 3501 5.1.3): base64 of UTF-16, big-endian. */
static const char *shifted(struct wr *w, const char *s)
{
    uint8_t  utf16[512];
    struct wr u = wr_over(utf16, sizeof utf16);
    uint32_t bits = 0;
    unsigned have = 0;
    for (; digit(*s) >= 0; s++) {
        bits = bits << 6 | (uint32_t)digit(*s);
        have += 6;
        if (have >= 16) {
            have -= 16;
            wr_u16(&u, (uint16_t)(bits >> have));
        }
    }
    wr_put(w, utf8_from_utf16(w->a, wr_blob(&u)));
    return *s == '-' ? s + 1 : s;
}

static const char *from_utf7(struct arena *a, const char *s)
{
    struct wr w = wr_in(a, strlen(s) * 3 + 1);
    while (*s != '\0') {
        if (s[0] == '&' && s[1] == '-') {
            wr_u8(&w, '&');
            s += 2;
        } else if (*s == '&')
            s = shifted(&w, s + 1);
        else
            wr_u8(&w, (uint8_t)*s++);
    }
    return arena_str(a, utf8_clean(a, wr_blob(&w)));
}

static bool usual(const char *name, enum special_folder *sf)
{
    static const struct { const char *name; enum special_folder sf; } names[] = {
        { "INBOX", SF_INBOX }, { "Sent", SF_SENT_ITEMS }, { "Sent Items", SF_SENT_ITEMS }, { "Sent Messages", SF_SENT_ITEMS }, { "Drafts", SF_DRAFTS },
        { "Trash", SF_DELETED_ITEMS }, { "Deleted Items", SF_DELETED_ITEMS }, { "Deleted Messages", SF_DELETED_ITEMS }, { "Junk", SF_JUNK },
        { "Junk E-mail", SF_JUNK }, { "Junk Email", SF_JUNK }, { "Spam", SF_JUNK },
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(names[i].name, name) == 0) {
            *sf = names[i].sf;
            return true;
        }
    return false;
}

ec_t folder_of_maildir(struct mailbox *m, uint64_t top, const char *name, uint64_t *fid)
{
    struct arena *a = mailbox_arena(m);
    enum special_folder sf;
    struct rows r;
    bool first = true;
    TRY(visible(m, &r));
    *fid = top;
    while (*name != '\0') {
        size_t n = strcspn(name, ".");
        const char *part = from_utf7(a, arena_str(a, blob_of(name, n)));
        if (first && top == mailbox_info(m)->fid[SF_IPM_SUBTREE] && usual(part, &sf))
            *fid = mailbox_info(m)->fid[sf];
        else if (*part != '\0' && !child(&r, *fid, blob_str(part), fid))
            TRY(made(m, *fid, blob_str(part), fid));
        first = false;
        name += n + (name[n] == '.');
    }
    return ecNone;
}
