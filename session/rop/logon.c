/* logon.c - RopLogon: a user of the context and a distinguished name -> a logon on a mailbox; properties of logons. MS-OXCSTOR 2.2.1.1, 3.2.5.1. */
#include "session/rop/logon.h"
#include "backend/base/filetime.h"
#include "backend/base/log.h"
#include "backend/base/utf.h"
#include "session/object/logon.h"
#include "session/rop/execute.h"
#include <strings.h>

enum { LOGON_PRIVATE = 0x01, LOGON_UNDERCOVER = 0x02, LOGON_GHOSTED = 0x04 };
enum { OPEN_PUBLIC = 0x02, OPEN_PER_MDB_MAPPING = 0x01000000 };
enum { ANSWER_RESERVED = 0x01, ANSWER_OWNER = 0x02, ANSWER_SEND_AS = 0x04, ANSWER_OOF = 0x10 };
enum { LOGON_ANSWER = 160 };

struct request { uint8_t flags; uint32_t open_flags; const char *dn; };

static bool request_read(struct rop_ctx *c, struct request *q)
{
    q->flags = rd_u8(c->in);
    q->open_flags = rd_u32(c->in);
    rd_u32(c->in);
    struct blob dn = rd_blob(c->in, rd_u16(c->in));
    if (dn.n > 0 && dn.p[dn.n - 1] == 0)
        dn.n--;
    q->dn = memchr(dn.p != NULL ? dn.p : (const uint8_t *)"", 0, dn.n) == NULL ? arena_str(c->a, dn) : "";
    rop_note(c, "flags=%02x open=%08x dn=%s", q->flags, q->open_flags, q->dn);
    return rd_ok(c->in);
}

/* The mailbox asked for (OXCSTOR R788, R3100, R59746, R794). */
static ec_t find_person(struct rop_ctx *c, const char *dn, struct person *out)
{
    ec_t ec = directory_by_dn(c->x->env->directory, c->a, dn, out);
    if (ec != ecNone)
        return ec == ecUnknownUser ? ec : EC(ecLoginFailure);
    return out->disabled || !out->has_mailbox ? EC(ecUnknownUser) : ecNone;
}

static ec_t open_as(struct rop_ctx *c, struct logon_entry *l, struct mailbox **m)
{
    struct actor as = { l->owner ? ACTOR_OWNER : ACTOR_DELEGATE, c->context->user_dn };
    ec_t ec = mailbox_open(c->x->env->store, c->a, &l->mailbox, &as, m);
    char guid[GUID_TEXT];
    if (ec == ecNotFound) /* of a person who has one: the store tells its other failures itself */
        log_line(LOGL_ERROR, "logon", "a mailbox has no file", "mailbox", guid_text(&l->mailbox, guid), NULL);
    return ec == ecNone ? ecNone : EC(ecLoginFailure);
}

/* A second mailbox in the same session has its own replica mapping, which the client must have asked for (OXCSTOR R803). */
static ec_t check_mapping(const struct rop_ctx *c, const struct request *q, const struct guid *mailbox)
{
    const struct context *x = c->context;
    if (x->logons > 0 && !guid_eq(&x->logon[0].mailbox, mailbox) && (q->open_flags & OPEN_PER_MDB_MAPPING) == 0)
        return EC(ecInvalidParameter);
    return ecNone;
}

static ec_t find_access(struct rop_ctx *c, const struct person *whose, struct logon_entry *l)
{
    struct mailbox *m;
    bool shared;
    l->owner = strcasecmp(whose->dn, c->context->user_dn) == 0;
    if (!l->owner)
        TRY(directory_has_access(c->x->env->directory, whose->dn, c->context->user_dn, &l->owner));
    if (l->owner)
        return ecNone;
    TRY(open_as(c, l, &m));
    TRY(permission_any(m, &shared));
    return shared ? ecNone : EC(ecAccessDenied);
}

static uint8_t answer_flags(const struct rop_ctx *c, const struct logon_entry *l, struct mailbox *m)
{
    struct props p = { 0 };
    const uint32_t tag = PidTagOutOfOfficeState;
    unsigned flags = ANSWER_RESERVED | (l->owner ? ANSWER_OWNER : 0u);
    if (strcasecmp(l->mailbox_dn, c->context->user_dn) == 0)
        flags |= ANSWER_SEND_AS;
    if (mailbox_props(m, &tag, 1, &p) == ecNone && props_bool(&p, PidTagOutOfOfficeState, false))
        flags |= ANSWER_OOF;
    return (uint8_t)flags;
}

/* LogonTime structure (OXCROPS 2.2.3.1.2.1). */
static void time_write(struct wr *w, time_t now)
{
    struct tm t;
    gmtime_r(&now, &t);
    wr_u8(w, (uint8_t)t.tm_sec);
    wr_u8(w, (uint8_t)t.tm_min);
    wr_u8(w, (uint8_t)t.tm_hour);
    wr_u8(w, (uint8_t)t.tm_wday);
    wr_u8(w, (uint8_t)t.tm_mday);
    wr_u8(w, (uint8_t)(t.tm_mon + 1));
    wr_u16(w, (uint16_t)(t.tm_year + 1900));
}

static void answer_write(struct rop_ctx *c, const struct logon_entry *l, struct mailbox *m)
{
    const struct mailbox_info *info = mailbox_info(m);
    wr_u8(c->out, l->logon_flags & (LOGON_PRIVATE | LOGON_UNDERCOVER | LOGON_GHOSTED));
    for (size_t i = 0; i < SF_LOGON_COUNT; i++)
        wr_u64(c->out, id_wire(REPLID_OWN, info->fid[i]));
    wr_u8(c->out, answer_flags(c, l, m));
    wr_bytes(c->out, info->id.b, sizeof info->id.b);
    wr_u16(c->out, REPLID_MAPPING);
    wr_bytes(c->out, info->mapping.b, sizeof info->mapping.b);
    time_write(c->out, filetime_to_unix(filetime_now()));
    wr_u64(c->out, 1); /* GwartTime: there are no gateways, so this never changes (OXCSTOR R1065) */
    wr_u32(c->out, 0);
}

/* Puts the logon in the context's map; a logon of the same id makes place (OXCROPS R28, R29). */
static ec_t logon_enter(struct rop_ctx *c, struct logon_entry *l)
{
    ec_t ec;
    struct context *x = c->context;
    exec_forget_logon(c->x, c->logon_id);
    struct object *o = rop_output(c, OBJ_LOGON, &ec);
    if (o == NULL)
        return ec;
    o->logon->logon_id = c->logon_id;
    l->handle = o->handle;
    struct logon_entry *v = arena_array(x->a, struct logon_entry, x->logons + 1);
    for (size_t i = 0; i < x->logons; i++)
        v[i] = x->logon[i];
    v[x->logons++] = *l;
    x->logon = v;
    context_touch(x);
    return ecNone;
}

ec_t rop_Logon(struct rop_ctx *c)
{
    struct request q;
    struct person whose;
    struct mailbox *m;
    if (!request_read(c, &q))
        return EC(ecRpcFormat);

    if ((q.flags & LOGON_PRIVATE) == 0 || (q.open_flags & OPEN_PUBLIC) != 0)
        return EC(ecLoginFailure); /* there is no public folder container here (OXCSTOR R59753) */
    if (c->context->code_page != 0 && !codepage_known((uint16_t)c->context->code_page))
        return EC(ecUnknownCodePage);
    TRY(find_person(c, q.dn, &whose));
    TRY(check_mapping(c, &q, &whose.mailbox));
    struct logon_entry l = { .logon_id = c->logon_id, .logon_flags = q.flags, .open_flags = q.open_flags, .mailbox = whose.mailbox,
                             .mailbox_dn = whose.dn };
    TRY(find_access(c, &whose, &l));
    TRY(open_as(c, &l, &m));

    if (wr_room(c->out) >= LOGON_ANSWER)
        TRY(logon_enter(c, &l));
    answer_write(c, &l, m);
    return ecNone;
}

/* --- properties of the logon object ---------------------------------------------------------------------------------------------------- */

/* What the session knows better than the mailbox. */
static bool own_value(struct rop_ctx *c, uint32_t tag, struct propval *out)
{
    enum { LOCAL_USER = 0 };
    const struct context *x = c->context;
    if (tag == PidTagUserEntryId)
        *out = pv_bin(tag, entryid_addressbook(c->a, LOCAL_USER, x->user_dn));
    else if (tag == PidTagCodePageId)
        *out = pv_i32(tag, (int32_t)x->code_page);
    else
        return false;
    return true;
}

/* What the session supplies where the mailbox has nothing. */
static bool default_value(const struct rop_ctx *c, uint32_t tag, struct propval *out)
{
    if (tag == PidTagLocaleId)
        *out = pv_i32(tag, (int32_t)c->context->lcid_string);
    else if (tag == PidTagSortLocaleId)
        *out = pv_i32(tag, (int32_t)c->context->lcid_sort);
    else
        return false;
    return true;
}

ec_t logon_props(struct rop_ctx *c, const uint32_t *tags, size_t n, struct props *out)
{
    TRY(mailbox_props(c->m, tags, n, out));
    for (size_t i = 0; i < n && i < out->n; i++) {
        uint32_t tag = tags[i];
        bool missing = prop_type(out->v[i].tag) == PtypErrorCode;
        if (!own_value(c, tag, &out->v[i]) && missing)
            default_value(c, tag, &out->v[i]);
    }
    return ecNone;
}

static const uint32_t session_tags[] = { PidTagUserEntryId, PidTagCodePageId, PidTagLocaleId, PidTagSortLocaleId };

ec_t logon_props_all(struct rop_ctx *c, struct props *out)
{
    TRY(mailbox_props_all(c->m, out));
    for (size_t i = 0; i < sizeof session_tags / sizeof *session_tags; i++) {
        struct propval v;
        if (own_value(c, session_tags[i], &v) || (props_find(out, session_tags[i]) == NULL && default_value(c, session_tags[i], &v)))
            props_set(c->a, out, v);
    }
    return ecNone;
}

static bool read_only(uint32_t tag) { return tag == PidTagUserEntryId || tag == PidTagCodePageId; }

ec_t logon_props_set(struct rop_ctx *c, const struct props *set, ec_t *problems)
{
    TRY(mailbox_props_set(c->m, set, problems));
    for (size_t i = 0; i < set->n; i++)
        if (read_only(set->v[i].tag) && problems[i] == ecNone)
            problems[i] = EC(ecAccessDenied);
    return ecNone;
}

ec_t logon_props_del(struct rop_ctx *c, const uint32_t *tags, size_t n, ec_t *problems)
{
    TRY(mailbox_props_del(c->m, tags, n, problems));
    for (size_t i = 0; i < n; i++)
        if (read_only(tags[i]) && problems[i] == ecNone)
            problems[i] = EC(ecAccessDenied);
    return ecNone;
}
