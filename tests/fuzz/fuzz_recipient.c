/* fuzz_recipient.c - recipient rows from any bytes: read, written, read again as the same recipient. */
#include "backend/base/must.h"
#include "session/rop/recipient_row.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const uint32_t columns[] = { PidTagRecipientFlags, PidTagRecipientDisplayName, PidTagRecipientEntryId, PidTagObjectType, PidTagSmtpAddress,
                                    PidTagAccount, 0x800A101F, 0x80010000 };

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const uint16_t pages[] = { 1252, 932, 65001, 0 };
    if (n == 0)
        return 0;
    struct arena   *a = arena_new(SIZE_MAX);
    struct pv_codec c = { a, pages[p[0] >> 4 & 3], PV_COUNTS_ROP };
    size_t          ncols = p[0] & 7;
    struct rd       r = rd_over(p + 1, n - 1);
    struct props    one, two;
    recipient_row_read(&r, &c, columns, ncols, &one);
    if (rd_ok(&r)) {
        struct wr w = wr_in(a, SIZE_MAX / 4);
        recipient_row_write(&w, &c, columns, ncols, &one);
        must(!w.full);
        struct rd again = rd_blob_of(wr_blob(&w));
        recipient_row_read(&again, &c, columns, ncols, &two);
        must(rd_done(&again));
        must(blob_eq(props_str(&one, PidTagDisplayName), props_str(&two, PidTagDisplayName)));
    }
    arena_free(a);
    return 0;
}
