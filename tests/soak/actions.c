/* actions.c - what a client does: each action is a few requests, and a change of the model when the answer says that it happened.
 *
 * A session that is lost in the middle (code 10; a request refused because workers died in it) leaves one question: did the last request take effect?
 * Then the mailbox must be exactly what it was, or exactly what it would be; the model follows. */
#include "tests/soak/soak.h"
#include "backend/mapi/proprow.h"
#include "backend/mapi/propval.h"
#include "backend/store/store.h"
#include <stdio.h>
#include <string.h>

enum { CONNECTS_MOST = 200, PIECE = 3000, BODY_MOST = 30000, FLAG_KEEP_OPEN = 0x0A, PAGE_MOST = 7 };

static struct pv_codec codec(struct soaker *k) { return (struct pv_codec){ .a = k->a, .code_page = 1252, .counts = PV_COUNTS_ROP }; }

static void rop(struct soaker *k, struct mapic_rops *r, uint8_t id, uint32_t handle)
{
    rops_init(r, k->a);
    rops_head(r, id, rops_handle(r, handle));
}

/* --- sessions ------------------------------------------------------------------------------------------------------- */

static void forget_handles(struct soaker *k)
{
    k->on = false;
    k->logon = 0;
    memset(k->folder, 0, sizeof k->folder);
}

static bool logon(struct soaker *k)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    rops_init(&r, k->a);
    rops_head(&r, 0xFE, rops_handle(&r, 0xFFFFFFFF));
    wr_u8(&r.list, 1);
    wr_u32(&r.list, 0x01000000);
    wr_u32(&r.list, 0);
    wr_u16(&r.list, (uint16_t)(strlen(k->who.dn) + 1));
    wr_bytes(&r.list, k->who.dn, strlen(k->who.dn) + 1);
    if (soak_execute(k, &r, &out) != SOAK_DONE)
        return false;
    if (!mapic_rop(&out, &h) || h.ec != ecNone || out.handles == 0) {
        soak_fault(k, "RopLogon: %s", err_name(h.ec));
        return false;
    }
    rd_u8(&out.rops);
    for (int i = 0; i < 13; i++) {
        uint64_t fid = rd_u64(&out.rops);
        if (i == SF_IPM_SUBTREE)
            k->ipm_subtree = fid;
        if (i == SF_INBOX)
            k->model.folder[0].fid = fid;
    }
    k->logon = out.handle[0];
    return true;
}

/* With the cookies of the session before, if there was one, as a client does that comes back. */
bool soak_connect(struct soaker *k)
{
    struct mapic_reply reply;
    for (unsigned i = 0; !k->on && i < CONNECTS_MOST; i++) {
        forget_handles(k);
        k->on = soak_request(k, "Connect", mapic_connect_body(k->a, k->who.dn), &reply) == SOAK_DONE && logon(k);
    }
    if (!k->on)
        soak_fault(k, "no session to be had");
    return k->on;
}

void soak_disconnect(struct soaker *k)
{
    static const uint8_t no_aux[4];
    struct mapic_reply reply = { 0 };
    if (k->on) {
        soak_request(k, "Disconnect", blob_of(no_aux, sizeof no_aux), &reply); /* code 10: the one whose answer was lost has ended it */
        if (reply.code == 0 || reply.code == 10)
            soak_is_over(k);
    }
    forget_handles(k);
    k->c.context[0] = k->c.sequence[0] = '\0';
}

/* Tells whether the request happened, and goes on from there. */
static void find_out(struct soaker *k, const struct soak_model *after)
{
    forget_handles(k);
    if (!soak_connect(k)) /* ends the old session first: nothing of it can still happen */
        return;
    const char *before = model_differs(k->a, soak_store(k), &k->who, &k->model);
    if (before == NULL)
        return;
    const char *then = model_differs(k->a, soak_store(k), &k->who, after);
    if (then != NULL)
        soak_fault(k, "a request whose session was lost had half an effect: %s; %s", before, then);
    k->model = *after;
    for (size_t i = 0; i < SOAK_FOLDERS; i++)
        for (size_t n = 0; n < k->model.folder[i].n; n++)
            k->model.folder[i].message[n].mid = 0; /* to be looked up */
}

/* A request that changes the mailbox: if it is answered with success the model becomes `after`. */
static bool change(struct soaker *k, struct mapic_rops *r, const struct soak_model *after, struct mapic_result *out, const char *what)
{
    struct rop_head h = { 0 };
    if (soak_execute(k, r, out) != SOAK_DONE) {
        find_out(k, after);
        return false;
    }
    struct mapic_result copy = *out;
    if (!mapic_rop(&copy, &h) || h.ec != ecNone) {
        soak_fault(k, "%s: %s", what, err_name(h.ec));
        return false;
    }
    return true;
}

/* A request that changes only the session.  False: it is gone, or the request failed (told). */
static bool step(struct soaker *k, struct mapic_rops *r, struct mapic_result *out, const char *what)
{
    struct rop_head h = { 0 };
    if (soak_execute(k, r, out) != SOAK_DONE) {
        find_out(k, &k->model);
        return false;
    }
    if (mapic_rop(out, &h) && h.ec == ecNone)
        return true;
    soak_fault(k, "%s: %s", what, err_name(h.ec));
    return false;
}

static void release(struct soaker *k, uint32_t handle)
{
    struct mapic_rops r;
    struct mapic_result out;
    rop(k, &r, 0x01, handle);
    if (soak_execute(k, &r, &out) != SOAK_DONE)
        find_out(k, &k->model);
}

/* --- folders -------------------------------------------------------------------------------------------------------- */

/* The handle of a folder; 0: the session is gone. */
static uint32_t open_folder(struct soaker *k, size_t f)
{
    struct mapic_rops r;
    struct mapic_result out;
    if (k->folder[f] != 0)
        return k->folder[f];
    rop(k, &r, 0x02, k->logon);
    wr_u8(&r.list, rops_handle(&r, 0xFFFFFFFF));
    wr_u64(&r.list, k->model.folder[f].fid);
    wr_u8(&r.list, 0);
    if (!step(k, &r, &out, "RopOpenFolder") || out.handles < 2)
        return 0;
    return k->folder[f] = out.handle[1];
}

static uint32_t open_parent(struct soaker *k)
{
    struct mapic_rops r;
    struct mapic_result out;
    rop(k, &r, 0x02, k->logon);
    wr_u8(&r.list, rops_handle(&r, 0xFFFFFFFF));
    wr_u64(&r.list, k->ipm_subtree);
    wr_u8(&r.list, 0);
    return step(k, &r, &out, "RopOpenFolder") && out.handles >= 2 ? out.handle[1] : 0;
}

/* The number of a folder of ours by its name, when its answer with the FID was never seen. */
static bool learn_fid(struct soaker *k, uint32_t parent, size_t f)
{
    static const uint32_t tags[] = { PidTagDisplayName, PidTagFolderId };
    struct mapic_rops r;
    struct mapic_result out;
    struct pv_codec c = codec(k);
    struct rop_head h;
    rop(k, &r, 0x04, parent);
    wr_u8(&r.list, rops_handle(&r, 0xFFFFFFFF));
    wr_u8(&r.list, 0);
    rops_head(&r, 0x12, 1);
    wr_u8(&r.list, 0);
    wr_u16(&r.list, 2);
    wr_u32(&r.list, tags[0]);
    wr_u32(&r.list, tags[1]);
    rops_head(&r, 0x15, 1);
    wr_u8(&r.list, 0);
    wr_u8(&r.list, 1);
    wr_u16(&r.list, 100);
    rops_head(&r, 0x01, 1);
    if (!step(k, &r, &out, "RopGetHierarchyTable"))
        return false;
    rd_u32(&out.rops);
    mapic_rop(&out, &h);
    rd_u8(&out.rops);
    mapic_rop(&out, &h);
    rd_u8(&out.rops);
    for (uint16_t n = rd_u16(&out.rops); n != 0 && rd_ok(&out.rops); n--) {
        struct propval v[2];
        proprow_read(&out.rops, &c, tags, 2, v);
        if (prop_type(v[0].tag) == PtypString && blob_eq(v[0].v.s, blob_str(k->model.folder[f].name)))
            k->model.folder[f].fid = (uint64_t)v[1].v.i64;
    }
    if (k->model.folder[f].fid == 0)
        soak_fault(k, "the folder %s is not listed", k->model.folder[f].name);
    return k->model.folder[f].fid != 0;
}

static bool know_folder(struct soaker *k, size_t f)
{
    if (k->model.folder[f].fid != 0)
        return true;
    uint32_t parent = open_parent(k);
    return parent != 0 && learn_fid(k, parent, f);
}

static void make_folder(struct soaker *k, size_t f)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct soak_model *after = arena_dup(k->a, &k->model, sizeof k->model);
    struct soak_folder *n = &after->folder[f];
    uint32_t parent = open_parent(k);
    if (parent == 0)
        return;
    *n = (struct soak_folder){ .there = true };
    snprintf(n->name, SOAK_NAME, "Soak %u-%u", k->number, ++after->names);
    k->model.names = after->names;
    struct propval name = pv_str(0x3001001F, n->name), comment = pv_str(0x3004001F, "");
    struct pv_codec c = codec(k);
    rop(k, &r, 0x1C, parent);
    wr_u8(&r.list, rops_handle(&r, 0xFFFFFFFF));
    wr_u8(&r.list, 1);          /* generic */
    wr_u8(&r.list, 1);          /* Unicode */
    wr_u8(&r.list, 0);          /* an existing one is an error: a repeat must not find its own */
    wr_u8(&r.list, 0);
    propval_write(&r.list, &c, PtypString, &name);
    propval_write(&r.list, &c, PtypString, &comment);
    if (change(k, &r, after, &out, "RopCreateFolder")) {
        struct rop_head h;
        mapic_rop(&out, &h);
        n->fid = rd_u64(&out.rops);
        k->model = *after;
        k->folder[f] = out.handles >= 2 ? out.handle[1] : 0;
    }
}

static void delete_folder(struct soaker *k, size_t f)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct soak_model *after = arena_dup(k->a, &k->model, sizeof k->model);
    after->folder[f] = (struct soak_folder){ 0 };
    if (!know_folder(k, f))
        return;
    uint32_t parent = open_parent(k);
    if (parent == 0)
        return;
    rop(k, &r, 0x1D, parent);
    wr_u8(&r.list, 0x01 | 0x04);   /* with messages and folders */
    wr_u64(&r.list, k->model.folder[f].fid);
    if (change(k, &r, after, &out, "RopDeleteFolder")) {
        k->model = *after;
        k->folder[f] = 0;
    }
}

/* --- messages ------------------------------------------------------------------------------------------------------- */

static void put_props(struct soaker *k, struct mapic_rops *r, uint8_t index, const char *subject, unsigned revision)
{
    struct pv_codec c = codec(k);
    struct propval v[3] = { pv_str(PidTagSenderName, arena_printf(k->a, "%u", revision)), pv_str(PidTagMessageClass, "IPM.Note") };
    uint16_t n = 2;
    if (subject != NULL)
        v[n++] = pv_str(PidTagSubject, subject);
    rops_head(r, 0x0A, index);
    size_t at = wr_mark(&r->list);
    wr_u16(&r->list, 0);
    wr_u16(&r->list, n);
    for (uint16_t i = 0; i < n; i++)
        propval_write_tagged(&r->list, &c, &v[i]);
    wr_patch_u16(&r->list, at, (uint16_t)(r->list.n - at - 2));
}

static void put_save(struct mapic_rops *r, uint8_t index)
{
    rops_head(r, 0x0C, index);
    wr_u8(&r->list, index);
    wr_u8(&r->list, FLAG_KEEP_OPEN);
}

/* The MID that RopSaveChangesMessage gave, as the last response of the list. */
static uint64_t saved_mid(struct mapic_result *out)
{
    struct blob all = out->payload[0];
    struct rd r = rd_blob_of(all);
    for (; r.n >= 15; rd_u8(&r))
        if (r.p[0] == 0x0C && r.p[2] == 0 && r.p[3] == 0 && r.p[4] == 0 && r.p[5] == 0) {
            struct rd at = r;
            rd_blob(&at, 7);
            uint64_t mid = rd_u64(&at);
            if (at.n == 0 || at.p[0] == 0x2A) /* the end, or notifications behind it */
                return mid;
        }
    return 0;
}

static void put_create(struct soaker *k, struct mapic_rops *r, uint32_t folder, uint64_t fid)
{
    rop(k, r, 0x06, folder);
    wr_u8(&r->list, rops_handle(r, 0xFFFFFFFF));
    wr_u16(&r->list, 0x0FFF);
    wr_u64(&r->list, fid);
    wr_u8(&r->list, 0);
}

static void create(struct soaker *k, size_t f)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct soak_model *after = arena_dup(k->a, &k->model, sizeof k->model);
    struct soak_message m = { .revision = 1, .read = true }; /* what a client makes it has read */
    bool at_once = soak_roll(k, 2) == 0;
    if (k->model.folder[f].n == SOAK_MESSAGES || !know_folder(k, f))
        return;
    uint32_t folder = open_folder(k, f), message = 0;
    snprintf(m.name, SOAK_NAME, "m%u", ++after->names);
    k->model.names = after->names;
    model_add(&after->folder[f], &m);
    if (folder == 0)
        return;
    put_create(k, &r, folder, k->model.folder[f].fid);
    if (!at_once) { /* half-written, it waits in the session for the next request */
        if (!step(k, &r, &out, "RopCreateMessage") || out.handles < 2)
            return;
        message = out.handle[1];
        rops_init(&r, k->a);
        rops_handle(&r, folder);
        rops_handle(&r, message);
    }
    put_props(k, &r, 1, m.name, 1);
    if (!at_once) {
        if (!step(k, &r, &out, "RopSetProperties"))
            return;
        rops_init(&r, k->a);
        rops_handle(&r, folder);
        rops_handle(&r, message);
    }
    put_save(&r, 1);
    if (at_once)
        rops_head(&r, 0x01, 1);
    if (!change(k, &r, after, &out, "a new message"))
        return;
    after->folder[f].message[after->folder[f].n - 1].mid = saved_mid(&out);
    k->model = *after;
    if (!at_once)
        release(k, message);
}

/* Opens a message for writing; 0: could not be. */
static uint32_t open_message(struct soaker *k, size_t f, const struct soak_message *m)
{
    struct mapic_rops r;
    struct mapic_result out;
    rop(k, &r, 0x03, k->logon);
    wr_u8(&r.list, rops_handle(&r, 0xFFFFFFFF));
    wr_u16(&r.list, 0x0FFF);
    wr_u64(&r.list, k->model.folder[f].fid);
    wr_u8(&r.list, 1);
    wr_u64(&r.list, m->mid);
    return step(k, &r, &out, "RopOpenMessage") && out.handles >= 2 ? out.handle[1] : 0;
}

static void modify(struct soaker *k, size_t f, size_t i)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct soak_model *after = arena_dup(k->a, &k->model, sizeof k->model);
    uint32_t message = open_message(k, f, &k->model.folder[f].message[i]);
    if (message == 0)
        return;
    after->folder[f].message[i].revision++;
    rops_init(&r, k->a);
    rops_handle(&r, message);
    put_props(k, &r, 0, NULL, after->folder[f].message[i].revision);
    put_save(&r, 0);
    rops_head(&r, 0x01, 0);
    if (change(k, &r, after, &out, "a changed message"))
        k->model = *after;
}

/* A body in pieces, a request each; above 8 KiB the session keeps them in the staging area. */
static bool write_pieces(struct soaker *k, uint32_t stream, const char *text, uint32_t n)
{
    struct mapic_rops r;
    struct mapic_result out;
    for (uint32_t at = 0; at < n; at += PIECE) {
        uint32_t now = n - at < PIECE ? n - at : PIECE;
        rop(k, &r, 0x2D, stream);
        wr_u16(&r.list, (uint16_t)(now * 2));
        for (uint32_t i = 0; i < now; i++)
            wr_u16(&r.list, (uint8_t)text[at + i]);
        if (!step(k, &r, &out, "RopWriteStream"))
            return false;
        uint16_t written = rd_u16(&out.rops);
        if (written != now * 2) {
            soak_fault(k, "RopWriteStream took %u of %u bytes", written, now * 2);
            return false;
        }
    }
    return true;
}

static uint32_t open_stream(struct soaker *k, uint32_t message, uint8_t mode, uint32_t *size)
{
    struct mapic_rops r;
    struct mapic_result out;
    rop(k, &r, 0x2B, message);
    wr_u8(&r.list, rops_handle(&r, 0xFFFFFFFF));
    wr_u32(&r.list, PidTagBody);
    wr_u8(&r.list, mode);
    if (!step(k, &r, &out, "RopOpenStream") || out.handles < 2)
        return 0;
    *size = rd_u32(&out.rops);
    return out.handle[1];
}

static void write_body(struct soaker *k, size_t f, size_t i)
{
    struct mapic_rops r;
    struct mapic_result out;
    uint32_t size = 0;
    struct soak_model *after = arena_dup(k->a, &k->model, sizeof k->model);
    struct soak_message *m = &after->folder[f].message[i];
    m->revision++;
    m->body = 1 + soak_roll(k, BODY_MOST);
    m->body_revision = m->revision;
    uint32_t message = open_message(k, f, &k->model.folder[f].message[i]), stream = message != 0 ? open_stream(k, message, 2, &size) : 0;
    if (stream == 0 || !write_pieces(k, stream, model_text(k->a, m), m->body))
        return;
    rop(k, &r, 0x5D, stream);
    if (!step(k, &r, &out, "RopCommitStream"))
        return;
    rops_init(&r, k->a);
    rops_handle(&r, message);
    put_props(k, &r, 0, NULL, m->revision);
    put_save(&r, 0);
    if (!change(k, &r, after, &out, "a message with a body"))
        return;
    k->model = *after;
    release(k, stream);
    if (k->on)
        release(k, message);
}

/* The length of a body as the server says it. */
static void read_body(struct soaker *k, size_t f, size_t i)
{
    const struct soak_message *m = &k->model.folder[f].message[i];
    uint32_t size = 0, message = open_message(k, f, m), stream = message != 0 && m->body != 0 ? open_stream(k, message, 0, &size) : 0;
    if (stream != 0 && size != 2 * m->body)
        soak_fault(k, "the body of %s has %u bytes, not %u", m->name, size, 2 * m->body);
    if (stream != 0)
        release(k, stream);
    if (message != 0 && k->on)
        release(k, message);
}

/* --- several at once ------------------------------------------------------------------------------------------------ */

/* Up to n different messages of the folder, whose MIDs are known. */
static size_t choose(struct soaker *k, size_t f, size_t *at, size_t n)
{
    const struct soak_folder *from = &k->model.folder[f];
    size_t start = from->n != 0 ? soak_roll(k, (unsigned)from->n) : 0, got = 0;
    for (size_t i = 0; i < from->n && got < n; i++)
        at[got++] = (start + i) % from->n;
    return got;
}

static void put_mids(struct mapic_rops *r, const struct soak_folder *f, const size_t *at, size_t n)
{
    wr_u16(&r->list, (uint16_t)n);
    for (size_t i = 0; i < n; i++)
        wr_u64(&r->list, f->message[at[i]].mid);
}

static void take_out(struct soak_folder *f, const size_t *at, size_t n)
{
    bool gone[SOAK_MESSAGES] = { false };
    for (size_t i = 0; i < n; i++)
        gone[at[i]] = true;
    for (size_t i = f->n; i-- > 0; )
        if (gone[i])
            model_remove(f, i);
}

static void delete_some(struct soaker *k, size_t f)
{
    struct mapic_rops r;
    struct mapic_result out;
    size_t at[3], n = choose(k, f, at, 1 + soak_roll(k, 3));
    uint32_t folder = open_folder(k, f);
    struct soak_model *after = arena_dup(k->a, &k->model, sizeof k->model);
    if (folder == 0 || n == 0)
        return;
    take_out(&after->folder[f], at, n);
    rop(k, &r, soak_roll(k, 2) == 0 ? 0x1E : 0x91, folder);
    wr_u8(&r.list, 0);
    wr_u8(&r.list, 0);
    put_mids(&r, &k->model.folder[f], at, n);
    if (change(k, &r, after, &out, "RopDeleteMessages"))
        k->model = *after;
}

static bool fits(const struct soak_folder *to, const struct soak_folder *from, const size_t *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (model_find((struct soak_folder *)(uintptr_t)to, from->message[at[i]].name) != NULL)
            return false;
    return to->n + n <= SOAK_MESSAGES;
}

static void transfer(struct soaker *k, size_t f, size_t g, bool copy)
{
    struct mapic_rops r;
    struct mapic_result out;
    size_t at[3], n = choose(k, f, at, 1 + soak_roll(k, 3));
    struct soak_model *after = arena_dup(k->a, &k->model, sizeof k->model);
    if (f == g || !k->model.folder[g].there || n == 0 || !fits(&k->model.folder[g], &k->model.folder[f], at, n) || !know_folder(k, g))
        return;
    uint32_t from = open_folder(k, f), to = from != 0 ? open_folder(k, g) : 0;
    if (to == 0 || k->folder[f] != from)
        return;
    for (size_t i = 0; i < n; i++) {
        struct soak_message m = k->model.folder[f].message[at[i]];
        m.mid = 0;
        model_add(&after->folder[g], &m);
    }
    if (!copy)
        take_out(&after->folder[f], at, n);
    rop(k, &r, 0x33, from);
    wr_u8(&r.list, rops_handle(&r, to));
    put_mids(&r, &k->model.folder[f], at, n);
    wr_u8(&r.list, 0);
    wr_u8(&r.list, copy);
    if (change(k, &r, after, &out, copy ? "RopMoveCopyMessages (copy)" : "RopMoveCopyMessages")) {
        after->folder[f].fid = k->model.folder[f].fid;
        after->folder[g].fid = k->model.folder[g].fid;
        k->model = *after;
    }
}

static void set_read(struct soaker *k, size_t f)
{
    struct mapic_rops r;
    struct mapic_result out;
    bool read = soak_roll(k, 3) != 0;
    size_t at[3], n = choose(k, f, at, 1 + soak_roll(k, 3));
    uint32_t folder = open_folder(k, f);
    struct soak_model *after = arena_dup(k->a, &k->model, sizeof k->model);
    if (folder == 0 || n == 0)
        return;
    for (size_t i = 0; i < n; i++)
        after->folder[f].message[at[i]].read = read;
    rop(k, &r, 0x66, folder);
    wr_u8(&r.list, 0);
    wr_u8(&r.list, read ? 0 : 0x04);  /* rfClearReadFlag */
    put_mids(&r, &k->model.folder[f], at, n);
    if (change(k, &r, after, &out, "RopSetReadFlags"))
        k->model = *after;
}

/* --- reading -------------------------------------------------------------------------------------------------------- */

static const uint32_t listed[] = { PidTagNormalizedSubject, PidTagMid, PidTagMessageFlags, PidTagSenderName };
enum { LISTED = 4 };

static uint32_t open_table(struct soaker *k, uint32_t folder)
{
    struct mapic_rops r;
    struct mapic_result out;
    rop(k, &r, 0x05, folder);
    wr_u8(&r.list, rops_handle(&r, 0xFFFFFFFF));
    wr_u8(&r.list, 0);
    if (!step(k, &r, &out, "RopGetContentsTable") || out.handles < 2)
        return 0;
    uint32_t table = out.handle[1];
    rop(k, &r, 0x12, table);
    wr_u8(&r.list, 0);
    wr_u16(&r.list, LISTED);
    for (size_t i = 0; i < LISTED; i++)
        wr_u32(&r.list, listed[i]);
    return step(k, &r, &out, "RopSetColumns") ? table : 0;
}

static void listed_row(struct soaker *k, struct soak_folder *f, const struct propval *v, bool *seen)
{
    const char *name = arena_str(k->a, v[0].v.s);
    struct soak_message *m = prop_type(v[0].tag) == PtypString ? model_find(f, name) : NULL;
    if (m == NULL) {
        soak_fault(k, "%s lists \"%s\", which is not there", f->name, name);
        return;
    }
    size_t at = (size_t)(m - f->message);
    if (seen[at])
        soak_fault(k, "%s lists \"%s\" twice", f->name, name);
    if (((v[2].v.i32 & 1) != 0) != m->read)
        soak_fault(k, "%s lists \"%s\" as %s", f->name, name, m->read ? "unread" : "read");
    if (m->mid != 0 && m->mid != (uint64_t)v[1].v.i64)
        soak_fault(k, "%s lists \"%s\" with another MID", f->name, name);
    m->mid = (uint64_t)v[1].v.i64;
    seen[at] = true;
}

/* Page by page with the cursor of the session: each row once, whatever happens to the requests. */
bool soak_look(struct soaker *k, size_t f)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct pv_codec c = codec(k);
    struct soak_folder *folder = &k->model.folder[f];
    bool seen[SOAK_MESSAGES] = { false };
    if (!know_folder(k, f))
        return false;
    uint32_t handle = open_folder(k, f), table = handle != 0 ? open_table(k, handle) : 0;
    if (table == 0)
        return false;
    for (;;) {
        rop(k, &r, 0x15, table);
        wr_u8(&r.list, 0);
        wr_u8(&r.list, 1);
        wr_u16(&r.list, (uint16_t)(1 + soak_roll(k, PAGE_MOST)));
        if (!step(k, &r, &out, "RopQueryRows"))
            return false;
        rd_u8(&out.rops);
        uint16_t rows = rd_u16(&out.rops);
        for (uint16_t i = 0; i < rows && rd_ok(&out.rops); i++) {
            struct propval v[LISTED];
            proprow_read(&out.rops, &c, listed, LISTED, v);
            listed_row(k, folder, v, seen);
        }
        if (rows == 0)
            break;
    }
    for (size_t i = 0; i < folder->n; i++)
        if (!seen[i])
            soak_fault(k, "%s does not list \"%s\"", folder->name, folder->message[i].name);
    release(k, table);
    return true;
}

/* Events of the whole store: what the server tells about them stands behind the answers of later requests. */
static void subscribe(struct soaker *k)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h = { 0 };
    rop(k, &r, 0x29, k->logon);
    wr_u8(&r.list, rops_handle(&r, 0xFFFFFFFF));
    wr_u8(&r.list, 0x7E);
    wr_u8(&r.list, 0);
    wr_u8(&r.list, 1);
    if (soak_execute(k, &r, &out) != SOAK_DONE)
        find_out(k, &k->model);
    else if (!mapic_rop(&out, &h) || (h.ec != ecNone && h.ec != ecNotSupported))
        soak_fault(k, "RopRegisterNotification: %s", err_name(h.ec));
}

/* --- one of them ---------------------------------------------------------------------------------------------------- */

static bool known(const struct soak_folder *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->message[i].mid == 0)
            return false;
    return true;
}

static void act_on_folder(struct soaker *k, size_t f, unsigned n)
{
    const struct soak_folder *folder = &k->model.folder[f];
    size_t other = soak_roll(k, SOAK_FOLDERS), one = folder->n != 0 ? soak_roll(k, (unsigned)folder->n) : 0;
    if (!folder->there)
        make_folder(k, f);
    else if (!know_folder(k, f))
        return;
    else if (!known(folder) || n < 8)
        soak_look(k, f);
    else if (folder->n < 3 || n < 32)
        create(k, f);
    else if (n < 44)
        modify(k, f, one);
    else if (n < 54)
        write_body(k, f, one);
    else if (n < 58)
        read_body(k, f, one);
    else if (n < 66)
        delete_some(k, f);
    else if (n < 84)
        transfer(k, f, other, n < 72);
    else if (n < 96)
        set_read(k, f);
    else if (f != 0)
        delete_folder(k, f);
}

void soak_act(struct soaker *k)
{
    unsigned n = soak_roll(k, 108);
    size_t f = soak_roll(k, SOAK_FOLDERS);
    if (!soak_connect(k))
        return;
    if (n < 100)
        act_on_folder(k, f, n);
    else if (n < 102)
        subscribe(k);
    else if (n < 105)
        forget_handles(k); /* the next action connects again with the cookies of this session */
    else
        soak_disconnect(k);
}
