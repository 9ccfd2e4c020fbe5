/* probe_session.c - the mailbox: a session is opened, read, paused with a message half written, and goes on where it was, perhaps on another worker. */
#include "deploy/mapictl/probe.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { INBOX = 4, SPOOLER_QUEUE = 2, NO_NOTIFICATIONS = 0x10, PAGE = 50, TRIES = 8, RESENDS = 20 };
static const char body_text[] = "Begun before the pause, finished after it.";

static const uint32_t columns[] = { PidTagNormalizedSubject, PidTagSenderName, PidTagMessageDeliveryTime, PidTagMessageSize,
                                    PidTagMessageFlags, PidTagMessageClass, PidTagFolderId, PidTagMid };
enum { COLUMNS = sizeof columns / sizeof columns[0] };

/* --- before the pause -------------------------------------------------------------------------------------------------------------------- */

enum probe_outcome probe_connect(struct probe *p)
{
    steps_init(&p->s, &p->mail, p->a);
    uint32_t ec = step_connect(&p->s, p->dn);
    if (ec != ecNone)
        return probe_lost(p, ec);
    p->connected = true;
    return probe_good(p, arena_printf(p->a, "%s://%s:%u%.*s", p->mail.to.secure ? "https" : "http", p->mail.to.host, p->mail.to.port, (int)strcspn(p->mail.path, "?"), p->mail.path));
}

enum probe_outcome probe_logon(struct probe *p)
{
    uint32_t ec = step_logon(&p->s, p->dn);
    return ec != ecNone ? probe_lost(p, ec) : probe_good(p, p->dn);
}

enum probe_outcome probe_page(struct probe *p)
{
    struct propval *rows;
    uint16_t n = 0;
    uint32_t ec = step_open_folder(&p->s, p->s.fid[INBOX], &p->inbox);
    if (ec == ecNone)
        ec = step_contents(&p->s, p->inbox, NO_NOTIFICATIONS, &p->table, &p->rows);
    if (ec == ecNone)
        ec = step_set_columns(&p->s, p->table, columns, COLUMNS);
    if (ec == ecNone)
        ec = step_query_rows(&p->s, p->table, true, PAGE, columns, COLUMNS, &rows, &n);
    if (ec != ecNone)
        return probe_lost(p, ec);
    p->rows_read = n;
    const char *first = n > 0 && prop_type(rows[0].tag) == PtypString ? arena_str(p->a, rows[0].v.s) : "";
    return probe_good(p, arena_printf(p->a, "%u messages, %u rows read%s%.40s%s", p->rows, n, n > 0 ? ", first \"" : "", first, n > 0 ? "\"" : ""));
}

static uint32_t set_text(struct probe *p, uint32_t tag, const char *text)
{
    struct props set = { 0 };
    uint16_t problems = 0;
    props_set(p->a, &set, pv_str(tag, text));
    uint32_t ec = step_set_props(&p->s, p->message, &set, &problems);
    return ec == ecNone && problems != 0 ? ecAccessDenied : ec;
}

/* Not saved before the pause: it lives in the session only. */
enum probe_outcome probe_begin(struct probe *p)
{
    uint32_t ec = step_create_message(&p->s, p->scratch, p->s.fid[SPOOLER_QUEUE], &p->message);
    if (ec == ecNone)
        ec = set_text(p, PidTagMessageClass, PROBE_CLASS);
    if (ec == ecNone)
        ec = set_text(p, PidTagSubject, p->subject);
    if (ec != ecNone)
        return probe_lost(p, ec);
    snprintf(p->before, sizeof p->before, "%s", p->mail.worker);
    return probe_good(p, "its subject is written, it is not saved");
}

/* --- the pause --------------------------------------------------------------------------------------------------------------------------- */

/* Gone, or dead and not yet buried by its parent. */
static bool ended(struct probe *p, long pid)
{
    char state = ' ', text[256] = "";
    FILE *f = fopen(arena_printf(p->a, "/proc/%ld/stat", pid), "r");
    if (f == NULL)
        return true;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    const char *name_end = strrchr(text, ')');
    if (name_end != NULL && name_end[1] == ' ')
        state = name_end[2];
    return state == 'Z' || state == 'X';
}

enum probe_outcome probe_kill(struct probe *p)
{
    char text[32] = "";
    if (p->kill_dir == NULL)
        return PROBE_NONE;
    if (p->before[0] == '\0' || strchr(p->before, '/') != NULL)
        return probe_fault(p, "the server does not say which worker answered (worker_name)");
    const char *path = arena_printf(p->a, "%s/%s.pid", p->kill_dir, p->before);
    FILE *f = fopen(path, "r");
    bool got = f != NULL && fgets(text, sizeof text, f) != NULL;
    if (f != NULL)
        fclose(f);
    long pid = got ? strtol(text, NULL, 10) : 0;
    if (pid <= 1)
        return probe_fault(p, arena_printf(p->a, "no process by %s", path));
    if (kill((pid_t)pid, SIGKILL) != 0)
        return probe_fault(p, arena_printf(p->a, "process %ld of %s: %s", pid, path, strerror(errno)));
    while (!ended(p, pid))
        if (clock_ms() < p->mail.deadline)
            usleep(1000);
        else
            return probe_fault(p, arena_printf(p->a, "process %ld does not end", pid));
    p->killed = p->before;
    return probe_good(p, arena_printf(p->a, "SIGKILL: %s, process %ld, is gone", p->before, pid));
}

enum probe_outcome probe_pause(struct probe *p)
{
    struct timespec t = { p->pause_ms / 1000, (long)(p->pause_ms % 1000) * 1000000 };
    mapic_close(&p->mail);
    p->mail.resends = p->book.resends = RESENDS; /* nginx may still hold connections to a worker that has just died */
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        continue;
    return probe_good(p, "the connection is closed");
}

/* --- after the pause --------------------------------------------------------------------------------------------------------------------- */

static const char *moved(struct probe *p)
{
    if (p->before[0] == '\0' || p->after[0] == '\0')
        return "the server does not say which worker answers (worker_name)";
    if (strcmp(p->before, p->after) != 0)
        return arena_printf(p->a, "%s before, %s after", p->before, p->after);
    return arena_printf(p->a, "%s before and after: no other worker took one of %d connections", p->before, TRIES);
}

/* Where a connection ends up is up to the server's balancing, so more than one is tried. */
enum probe_outcome probe_resume(struct probe *p)
{
    struct propval *rows;
    uint16_t n = 0;
    uint32_t position = 0, total = 0, ec = ecNone;
    for (int i = 0; i < TRIES && ec == ecNone && (i == 0 || strcmp(p->before, p->after) == 0); i++) {
        mapic_close(&p->mail);
        ec = step_position(&p->s, p->table, &position, &total);
        snprintf(p->after, sizeof p->after, "%s", p->mail.worker);
    }
    if (ec != ecNone)
        return probe_lost(p, ec);
    if (total >= p->rows && position < p->rows_read)
        return probe_fault(p, arena_printf(p->a, "the cursor is at row %u, it was at %u", position, p->rows_read));
    ec = step_query_rows(&p->s, p->table, true, PAGE, columns, COLUMNS, &rows, &n);
    const char *again = p->mail.resent == 0 ? "" : arena_printf(p->a, "; %u times nobody answered, and the request was sent again", p->mail.resent);
    return ec != ecNone ? probe_lost(p, ec) : probe_good(p, arena_printf(p->a, "%s; cursor at row %u of %u%s", moved(p), position, total, again));
}

static enum probe_outcome compare(struct probe *p)
{
    static const uint32_t tags[] = { PidTagSubject, PidTagBody };
    struct propval v[2];
    uint32_t message;
    uint32_t ec = step_open_message(&p->s, p->s.fid[SPOOLER_QUEUE], p->stored, 0, &message);
    if (ec == ecNone)
        ec = step_get_props(&p->s, message, tags, 2, v);
    if (ec != ecNone)
        return probe_lost(p, ec);
    bool same = prop_type(v[0].tag) == PtypString && blob_eq(v[0].v.s, blob_str(p->subject)) && prop_type(v[1].tag) == PtypString && blob_eq(v[1].v.s, blob_str(body_text));
    return same ? PROBE_GOOD : probe_fault(p, "the message is not what was written");
}

/* Its handle, its subject: from before the pause. */
enum probe_outcome probe_finish(struct probe *p)
{
    uint32_t ec = set_text(p, PidTagBody, body_text);
    if (ec == ecNone) {
        p->may_have_stored = true;
        ec = step_save_message(&p->s, p->message, 0x0A, &p->stored);
    }
    if (ec != ecNone)
        return probe_lost(p, ec);
    enum probe_outcome o = compare(p);
    ec = step_delete_messages(&p->s, p->scratch, &p->stored, 1, true);
    if (ec != ecNone)
        return o == PROBE_FAULT ? o : probe_lost(p, ec);
    p->stored = 0;
    p->may_have_stored = false;
    return o == PROBE_FAULT ? o : probe_good(p, "saved, read back as it was written, removed");
}

enum probe_outcome probe_disconnect(struct probe *p)
{
    if (!p->connected)
        return PROBE_NONE;
    uint32_t ec = step_disconnect(&p->s);
    return ec != ecNone ? probe_lost(p, ec) : PROBE_GOOD;
}
