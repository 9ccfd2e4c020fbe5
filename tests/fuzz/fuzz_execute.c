/* fuzz_execute.c - Execute bodies from any bytes, against a session with open objects on a real mailbox; nothing that a request does stays.
 *
 * An input that begins with an even byte is a whole body; one that begins with an odd byte is a ROP list for the handles that are open. */
#include "backend/base/must.h"
#include "tests/unit/session-rop/desk.c"
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What desk.c needs of the test runner: here every check is meant. */
bool unit_check(bool ok, const char *file, int line, const char *fmt, ...)
{
    if (!ok)
        must_fail(fmt, file, line);
    return ok;
}
bool unit_int(long long got, long long want, const char *what, const char *file, int line)
{
    return unit_check(got == want, file, line, "%s", what);
}
bool unit_ec(ec_t got, ec_t want, const char *what, const char *file, int line) { return unit_check(got == want, file, line, "%s", what); }
_Noreturn void unit_leave(void) { abort(); }
const char *unit_tmpdir(void)
{
    static char dir[] = "/tmp/fuzz_execute.XXXXXX";
    static bool made;
    if (!made)
        must(mkdtemp(dir) != NULL);
    made = true;
    return dir;
}

enum { LOGON, INBOX, TABLE, MESSAGE, STREAM, HIERARCHY, DRAFT, NONE, PLACES };
static struct desk *desk;
static uint32_t     open_handle[PLACES];

static void run(struct wr *w)
{
    desk_rops(desk, wr_blob(w), open_handle, PLACES);
    must(desk->error == ecNone && desk->status == 0);
    wr_rewind(w, 0);
}

/* A session with a logon, folder, tables, a stored and a new message, a stream and a subscription. */
static void set_up(void)
{
    desk = desk_new();
    struct wr w = wr_in(desk->life, 65536);
    uint64_t mid = desk_mail(desk, desk->fid[SF_INBOX], "one", 1);
    for (unsigned i = 2; i < 10; i++)
        desk_mail(desk, desk->fid[SF_INBOX], arena_printf(desk->life, "mail %u", i), i);
    for (size_t i = 0; i < PLACES; i++)
        open_handle[i] = (uint32_t)HANDLE_NONE;
    wr_bytes(&w, "\xFE\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00", 12);
    wr_u16(&w, (uint16_t)(strlen(desk->ada.dn) + 1));
    wr_bytes(&w, desk->ada.dn, strlen(desk->ada.dn) + 1);
    run(&w);
    wr_bytes(&w, "\x02\x00\x00\x01", 4);
    wr_u64(&w, id_wire(REPLID_OWN, desk->fid[SF_INBOX]));
    wr_u8(&w, 0);
    wr_bytes(&w, "\x05\x00\x01\x02\x00" "\x12\x00\x02\x00\x01\x00\x1F\x00\x37\x00", 15);
    wr_bytes(&w, "\x04\x00\x01\x05\x04" "\x12\x00\x05\x00\x01\x00\x1F\x00\x01\x30", 15);
    wr_bytes(&w, "\x03\x00\x00\x03\xFF\x0F", 6);
    wr_u64(&w, id_wire(REPLID_OWN, desk->fid[SF_INBOX]));
    wr_u8(&w, 1);
    wr_u64(&w, id_wire(REPLID_OWN, mid));
    wr_bytes(&w, "\x2B\x00\x03\x04\x1F\x00\x00\x10\x02", 9);
    wr_bytes(&w, "\x06\x00\x00\x06\xFF\x0F", 6);
    wr_u64(&w, id_wire(REPLID_OWN, desk->fid[SF_INBOX]));
    wr_u8(&w, 0);
    run(&w);
    /* it watches the mailbox and both tables, and has not heard of the last mail */
    wr_bytes(&w, "\x29\x00\x00\x07\x7E\x01\x01" "\x15\x00\x02\x00\x01\x01\x00" "\x15\x00\x05\x00\x01\x01\x00", 21);
    run(&w);
    open_handle[NONE] = (uint32_t)HANDLE_NONE;
    desk_arrive(desk, desk->fid[SF_INBOX], "news", 11);
    desk->dry = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    uint32_t table[PLACES];
    if (desk == NULL)
        set_up();
    if (n == 0)
        return 0;
    memcpy(table, open_handle, sizeof table);
    struct rd r = rd_over(p, n);
    if ((rd_u8(&r) & 1) == 0)
        desk_execute(desk, rd_rest(&r));
    else
        desk_rops(desk, rd_rest(&r), table, PLACES);
    return 0;
}
