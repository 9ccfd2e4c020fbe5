/* probe_wait.c - what makes the protocol what it is: a wait that an event ends, a pause, another worker. */
#include "deploy/mapictl/probe.h"
#include "tests/client/notes.h"
#include <stdlib.h>
#include <unistd.h>

enum { CREATED = 0x0004, WAIT_MS = 20000, TRIES = 40 };

static uint32_t make_message(struct probe *p, struct steps *s, uint64_t *mid)
{
    uint32_t inbox, message, ec = step_open_folder(s, s->fid[4], &inbox);
    struct props set = { 0 };
    uint16_t problems;
    props_set(p->c->a, &set, pv_str(PidTagSubject, "Probe event"));
    if (ec == ecNone)
        ec = step_create_message(s, inbox, s->fid[4], &message);
    if (ec == ecNone)
        ec = step_set_props(s, message, &set, &problems);
    return ec == ecNone ? step_save_message(s, message, 0x0A, mid) : ec;
}

/* Makes what is waited for, in a second session: of what a session does itself its own Execute tells it.  The message is deleted afterwards. */
static uint32_t cause(struct probe *p, uint64_t *mid)
{
    struct mapic client = p->client;
    struct steps s;
    client.conn = NULL;
    client.context[0] = client.sequence[0] = '\0';
    steps_init(&s, &client, p->c->a);
    uint32_t ec = step_connect(&s, p->dn);
    if (ec == ecNone)
        ec = step_logon(&s, p->dn);
    if (ec == ecNone)
        ec = make_message(p, &s, mid);
    p->s.why = s.why;
    p->s.code = s.code;
    step_disconnect(&s);
    mapic_close(&client);
    return ec;
}

static bool wait_for_it(struct probe *p, struct mapic *waiter)
{
    struct mapic_reply r;
    const char *why = NULL;
    uint32_t event = 0;
    if (!mapic_recv(waiter, p->c->a, &r, &(struct mapic_odd){ .keep_cookies = true }, &why))
        return probe_failed(p, "NotificationWait", why);
    if (r.code != 0)
        return probe_failed(p, "NotificationWait", arena_printf(p->c->a, "X-ResponseCode %d", r.code));
    if (!mapic_event_pending(&r, &event) || event != 1)
        return probe_failed(p, "NotificationWait", "it ended without the event");
    return probe_told(p, "NotificationWait ends by our event", ecNone, "EventPending 1");
}

bool probe_wait(struct probe *p)
{
    struct mapic waiter;
    struct client_notes notes = { 0 };
    uint32_t subscription, ec;
    uint64_t mid = 0;
    const char *why = NULL;
    probe_begin(p);
    if (!probe_told(p, "Register for notifications", step_register(&p->s, CREATED, p->s.fid[4], 0, &subscription), "created in the Inbox"))
        return false;
    mapic_beside(&waiter, &p->client);
    waiter.timeout_ms = WAIT_MS;
    probe_begin(p);
    if (!mapic_send(&waiter, p->c->a, "NotificationWait", mapic_wait_body(p->c->a, 0), &(struct mapic_odd){ .keep_cookies = true }, &why))
        return probe_failed(p, "NotificationWait", why);
    bool ok = probe_told(p, "An event of our own", cause(p, &mid), "a message by a second session");
    probe_begin(p);
    ok = ok && wait_for_it(p, &waiter);
    mapic_close(&waiter);
    if (!ok)
        return false;
    probe_begin(p);
    ec = step_collect_all(&p->s, 32768, &notes);
    if (ec == ecNone && notes.n == 0)
        return probe_failed(p, "Collect it by Execute", "no RopNotify");
    if (!probe_told(p, "Collect it by Execute", ec, arena_printf(p->c->a, "%zu notifications", notes.n)))
        return false;
    return step_delete_messages(&p->s, p->inbox, &mid, 1, true) == ecNone;
}

/* The connection is closed, and after the pause the session goes on, wherever; then until another worker than before has answered, if they have names. */
bool probe_pause(struct probe *p)
{
    const char *option = ctl_option(p->c, "--pause"), *before = arena_strdup(p->c->a, p->client.worker);
    unsigned long s = option != NULL ? strtoul(option, NULL, 10) : 1;
    uint32_t row, rows, ec;
    probe_begin(p);
    mapic_close(&p->client);
    sleep((unsigned)s);
    if (!probe_told(p, "Pause without a connection", ecNone, arena_printf(p->c->a, "%lu s", s)))
        return false;
    probe_begin(p);
    for (unsigned i = 0;; i++) {
        ec = step_position(&p->s, p->table, &row, &rows);
        bool other = strcmp(p->client.worker, before) != 0;
        if (ec != ecNone || other || *before == '\0' || i == TRIES)
            return probe_told(p, "Resume", ec, *before == '\0' ? "the server does not name its workers"
                                               : other        ? arena_printf(p->c->a, "on %s, before on %s", p->client.worker, before)
                                                              : arena_printf(p->c->a, "only %s answers", before));
        mapic_close(&p->client);
    }
}
