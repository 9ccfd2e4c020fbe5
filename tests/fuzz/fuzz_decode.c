/* fuzz_decode.c - a captured file as mapictl decode takes it apart: the first byte chooses the request type and the direction. */
#include "deploy/mapictl/decode.h"
#include "session/nspi/nspi.h"
#include "backend/base/must.h"
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void mailbox(struct arena *a, struct rd r, bool answer)
{
    struct rd again = r, third = r;
    if (answer) {
        decode_connect_answer(a, &r);
        decode_execute_answer(a, &again);
        decode_failure(a, &third);
    } else {
        decode_connect_request(a, &r);
        decode_execute_request(a, &again);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const char *const others[] = { "PING", "Disconnect", "NotificationWait" };
    static bool quiet;
    if (!quiet)
        must(freopen("/dev/null", "w", stdout) != NULL);
    quiet = true;
    if (n == 0)
        return 0;
    struct arena *a = arena_new((size_t)64 << 20);
    struct decode_capture c;
    struct decode_place place;
    const char *why;
    size_t at, which = p[0] & 0x7F;
    bool ok = decode_capture(a, blob_of(p + 1, n - 1), &c, &why, &at);
    must(at <= n - 1 && (ok || why != NULL));
    bool answer = (p[0] & 0x80) != 0;
    struct rd r = rd_blob_of(c.body), start = r;
    if (which < nspi_count + 3) {
        const struct nspi_def *d = decode_book_find(which < nspi_count ? nspi_table[which].name : others[which - nspi_count]);
        bool whole = decode_book(a, &r, d, answer, 0, &place);
        must(whole == rd_ok(&r) && place.begin <= start.n && (start.n == 0 || (size_t)(r.p - start.p) <= start.n));
    } else if (which == 0x7F)
        decode_book_guess(a, r, answer);
    else
        mailbox(a, r, answer);
    arena_free(a);
    return 0;
}
