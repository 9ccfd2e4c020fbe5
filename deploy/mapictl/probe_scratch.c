/* probe_scratch.c - a message that the probe makes for itself where nobody sees it (the spooler queue, outside of what clients show): it wakes a NotificationWait,
 * and is gone again, whatever happened in between. */
#include "backend/store/event.h"
#include "deploy/mapictl/probe.h"
#include "tests/client/notes.h"
#include <poll.h>
#include <stdlib.h>

enum { SPOOLER_QUEUE = 2, NO_NOTIFICATIONS = 0x10, ROOM = 0x10008, MOST = 200, STALE = 3600, PARK_MS = 3000 };

/* --- an event of its own ------------------------------------------------------------------------------------------------------------------- */

/* What a session does itself it is told by its own answers, so the event comes from a second one. */
struct maker { struct mapic client; struct steps s; uint32_t folder; };

static uint32_t open_maker(struct probe *p, struct maker *m)
{
    m->client = p->mail;
    m->client.conn = NULL;
    m->client.context[0] = m->client.sequence[0] = '\0';
    steps_init(&m->s, &m->client, p->a);
    TRY(step_connect(&m->s, p->dn));
    TRY(step_logon(&m->s, p->dn));
    return step_open_folder(&m->s, m->s.fid[SPOOLER_QUEUE], &m->folder);
}

static uint32_t store_one(struct probe *p, struct maker *m)
{
    struct props set = { 0 };
    uint16_t problems = 0;
    uint32_t message;
    props_set(p->a, &set, pv_str(PidTagMessageClass, PROBE_CLASS));
    props_set(p->a, &set, pv_str(PidTagSubject, p->subject));
    TRY(step_create_message(&m->s, m->folder, m->s.fid[SPOOLER_QUEUE], &message));
    TRY(step_set_props(&m->s, message, &set, &problems));
    p->may_have_stored = true;
    return step_save_message(&m->s, message, 0x0A, &p->stored);
}

static uint32_t drop_one(struct probe *p, struct maker *m)
{
    TRY(step_delete_messages(&m->s, m->folder, &p->stored, 1, true));
    p->stored = 0;
    p->may_have_stored = false;
    return ecNone;
}

static enum probe_outcome refused_maker(struct probe *p, struct maker *m, uint32_t ec) { return probe_refused(p, &m->client, ec, m->s.why); }

/* The head of the answer leaves when the wait is parked. */
static bool parked(struct mapic *wait)
{
    struct pollfd f = { .fd = tls_fd(wait->conn), .events = POLLIN };
    return poll(&f, 1, PARK_MS) > 0;
}

static bool told_of(const struct client_notes *notes, uint64_t mid)
{
    for (const struct client_note *n = notes->first; n != NULL; n = n->next)
        if ((n->data.flags & EVENT_CREATED) != 0 && n->data.mid == mid)
            return true;
    return false;
}

static enum probe_outcome collect(struct probe *p, double ms, bool was_parked)
{
    struct client_notes notes = { 0 };
    uint32_t ec = step_collect_all(&p->s, ROOM, &notes);
    if (ec != ecNone)
        return probe_lost(p, ec);
    if (!told_of(&notes, p->stored))
        return probe_fault(p, "the wait ended, but no notification of the new message came");
    return probe_good(p, arena_printf(p->a, "told %.1f ms after the change%s", ms, was_parked ? "" : "; no sign of the wait before it (is something buffering answers?)"));
}

static enum probe_outcome wait_beside(struct probe *p, struct maker *m, struct mapic *wait)
{
    struct mapic_reply r;
    const char *why = NULL;
    uint32_t pending = 0;
    if (!mapic_send(wait, p->a, "NotificationWait", mapic_wait_body(p->a, 0), NULL, &why))
        return probe_refused(p, wait, STEP_LOST, why);
    bool was_parked = parked(wait);
    uint32_t ec = store_one(p, m);
    uint64_t changed = clock_us();
    if (ec != ecNone)
        return refused_maker(p, m, ec);
    if (!mapic_recv(wait, p->a, &r, NULL, &why))
        return probe_refused(p, wait, STEP_LOST, why);
    double ms = (double)(clock_us() - changed) / 1000;
    if (!mapic_event_pending(&r, &pending))
        return probe_refused(p, wait, STEP_LOST, "the wait was answered with a failure");
    return pending != 0 ? collect(p, ms, was_parked) : probe_fault(p, "the wait ended without an event");
}

static enum probe_outcome with_maker(struct probe *p, struct maker *m)
{
    struct mapic wait;
    uint32_t ec = open_maker(p, m);
    if (ec != ecNone)
        return refused_maker(p, m, ec);
    mapic_beside(&wait, &p->mail);
    enum probe_outcome o = wait_beside(p, m, &wait);
    mapic_close(&wait);
    if (p->stored != 0 && (ec = drop_one(p, m)) != ecNone && o == PROBE_GOOD)
        o = refused_maker(p, m, ec);
    if ((ec = step_disconnect(&m->s)) != ecNone && o == PROBE_GOOD)
        o = refused_maker(p, m, ec);
    return o;
}

enum probe_outcome probe_wait(struct probe *p)
{
    struct maker m;
    uint32_t watch, ec = step_open_folder(&p->s, p->s.fid[SPOOLER_QUEUE], &p->scratch);
    if (ec == ecNone)
        ec = step_register(&p->s, EVENT_CREATED, p->s.fid[SPOOLER_QUEUE], 0, &watch);
    if (ec != ecNone)
        return probe_lost(p, ec);
    enum probe_outcome o = with_maker(p, &m);
    mapic_close(&m.client);
    if (o == PROBE_GOOD && (ec = step_release(&p->s, watch)) != ecNone)
        return probe_lost(p, ec);
    return o;
}

/* --- nothing stays behind ------------------------------------------------------------------------------------------------------------------ */

/* A probe's subject ends with the second in which it began; 0: it is none. */
static long long begun(const struct probe *p, const struct propval *subject)
{
    const char *text = prop_type(subject->tag) == PtypString ? arena_str(p->a, subject->v.s) : "", *dash = strrchr(text, '-');
    return strncmp(text, PROBE_SUBJECT, sizeof PROBE_SUBJECT - 1) == 0 && dash != NULL ? strtoll(dash + 1, NULL, 10) : 0;
}

/* Ours, or left by a probe that was killed long ago; another probe's, who works beside us, stays. */
static bool to_go(const struct probe *p, const struct propval v[3])
{
    if (prop_type(v[1].tag) != PtypString || !blob_eq(v[1].v.s, blob_str(PROBE_CLASS)))
        return false;
    long long at = begun(p, &v[2]);
    return blob_eq(v[2].v.s, blob_str(p->subject)) || (at != 0 && at + STALE < (long long)time(NULL));
}

static uint32_t sweep(struct probe *p, uint16_t *removed)
{
    static const uint32_t tags[] = { PidTagMid, PidTagMessageClass, PidTagSubject };
    struct propval *rows;
    uint64_t mids[MOST];
    uint32_t folder, table, total;
    uint16_t n = 0;
    TRY(step_open_folder(&p->s, p->s.fid[SPOOLER_QUEUE], &folder));
    TRY(step_contents(&p->s, folder, NO_NOTIFICATIONS, &table, &total));
    TRY(step_set_columns(&p->s, table, tags, 3));
    TRY(step_query_rows(&p->s, table, true, MOST, tags, 3, &rows, &n));
    for (uint16_t i = 0; i < n; i++)
        if (prop_type(rows[3 * i].tag) == PtypInteger64 && to_go(p, &rows[3 * i]))
            mids[(*removed)++] = (uint64_t)rows[3 * i].v.i64;
    return *removed > 0 ? step_delete_messages(&p->s, folder, mids, *removed, true) : ecNone;
}

/* A session that was lost cannot clean up; a new one can. */
static uint32_t reopen(struct probe *p)
{
    p->mail.context[0] = p->mail.sequence[0] = '\0';
    mapic_close(&p->mail);
    p->connected = false;
    TRY(step_connect(&p->s, p->dn));
    p->connected = true;
    return step_logon(&p->s, p->dn);
}

enum probe_outcome probe_tidy(struct probe *p)
{
    uint16_t removed = 0;
    bool needed = p->stored != 0 || p->may_have_stored;
    if (!needed && (!p->connected || p->broken[PROBE_MAILBOX]))
        return PROBE_NONE;
    uint32_t ec = sweep(p, &removed);
    for (unsigned i = 0; ec != ecNone && needed && i < 2; i++) {
        removed = 0;
        ec = reopen(p);
        if (ec == ecNone)
            ec = sweep(p, &removed);
    }
    if (ec == ecNone)
        return probe_good(p, removed == 0 ? "nothing of the probe is left" : arena_printf(p->a, "%u left-over message%s removed", removed, removed == 1 ? "" : "s"));
    enum probe_outcome o = probe_lost(p, ec);
    if (needed)
        p->fault = arena_printf(p->a, "%s; a message \"%s\" may be left in the spooler queue: the next probe after an hour removes it", p->fault, p->subject);
    return o;
}
