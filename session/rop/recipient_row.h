/* recipient_row.h - recipients on the wire: RecipientRow (MS-OXCDATA 2.8.3) <-> properties. */
#ifndef ROP_RECIPIENT_ROW_H
#define ROP_RECIPIENT_ROW_H
#include "backend/mapi/msg.h"

/* Types of addresses in RecipientFlags (2.8.3.1). */
enum recipient_kind { RCPT_NONE, RCPT_X500DN, RCPT_MSMAIL, RCPT_SMTP, RCPT_FAX, RCPT_PROFS, RCPT_PDL1, RCPT_PDL2 };

/* Reads one row: address, names and the columns that it brings become properties (PidTagAddressType, PidTagEmailAddress, PidTagEntryId,
 * PidTagSearchKey, PidTagDisplayName ...).  A column wins over what follows from the address; columns with an error are left out.  Latches on malformed
 * bytes and on more columns than `ncols`.  Values live in c->a or borrow from the reader's bytes. */
void recipient_row_read(struct rd *r, const struct pv_codec *c, const uint32_t *cols, size_t ncols, struct props *out);

/* Writes one row with all the columns; strings in Unicode. */
void recipient_row_write(struct wr *w, const struct pv_codec *c, const uint32_t *cols, size_t ncols, const struct props *p);

/* The columns that say what the rows of these recipients cannot say by themselves; in the order of first use. */
void recipient_columns(struct arena *a, const struct msg *m, struct tags *out);
#endif
