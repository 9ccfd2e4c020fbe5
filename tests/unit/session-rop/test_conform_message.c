/* test_conform_message.c - messages, their recipients and attachments, sentence by sentence. MS-OXCMSG 2.2.3, 3.2.5. */
#include "tests/unit/session-rop/vector.h"

/* A recipient as it is sent: SMTP in Unicode, one more column (PidTagDisplayType, 7), and as it comes back. */
#define RCPT_IN(address)  "01 1900 1B02 \"" address "\" \"Ada\" 0100 00 07000000"
#define RCPT_OUT(address) "01 E404 0000 2100 5B02 \"" address "\" \"Ada\" 0200 00 \"" address "\" 07000000"
#define COLUMNS "0100 0300FD5F"

/* A saved message with the recipients 1 and 3 ({#1} is its id); handles 2 and 3 are open for writing. */
#define TWO_HANDLES                                                                                         \
    "login",                                                                                                \
    "> 06 00 00 01 FF0F {drafts} 00", "  0E 00 01 " COLUMNS " 0200", "  01000000 " RCPT_IN("a@x"), "  03000000 " RCPT_IN("b@x"), "  0C 00 01 01 0A", \
    "< 06 01 00000000 00", "  0E 01 00000000", "  0C 01 00000000 01 {=1}",                                 \
    "> 03 00 00 02 FF0F {drafts} 01 {#1}", "  03 00 00 03 FF0F {drafts} 01 {#1}", "< *"

/* --- recipients (R381, R382, R393 - R395, R684) -------------------------------------------------------------------------------------------------- */

SESSION(removed_recipients_are_gone_for_their_handle_until_it_is_saved,
    TWO_HANDLES,
    "> 0D 00 02 00000000", "  0F 00 02 00000000 0000", "  0F 00 03 00000000 0000", "  0C 00 02 02 0A", "  03 00 00 04 FF0F {drafts} 00 {#1}",
    "  0F 00 04 00000000 0000",
    "< 0D 02 00000000", "  0F 02 0F010480", "  0F 03 00000000 02  01000000 " RCPT_OUT("a@x"), "  03000000 " RCPT_OUT("b@x"), "  0C 02 00000000 02 {#1}",
    "  03 04 00000000 *")

SESSION(changed_recipients_are_those_of_their_handle_until_it_is_saved,
    TWO_HANDLES,
    "> 0E 00 02 " COLUMNS " 0300", "  01000000 01 0000", "  03000000 " RCPT_IN("c@x"), "  05000000 " RCPT_IN("d@x"), "  0F 00 02 00000000 0000",
    "  0F 00 03 00000000 0000",
    "< 0E 02 00000000", "  0F 02 00000000 02  03000000 " RCPT_OUT("c@x"), "  05000000 " RCPT_OUT("d@x"),
    "  0F 03 00000000 02  01000000 " RCPT_OUT("a@x"), "  03000000 " RCPT_OUT("b@x"),
    "> 0C 00 02 02 0A", "  03 00 00 04 FF0F {drafts} 00 {#1}", "  0F 00 04 00000000 0000",
    "< 0C 02 00000000 02 {#1}", "  03 04 00000000 00 ?? ?? 0200 *")

/* RecipientCount 2, and as many rows. */
SESSION(no_more_rows_than_recipients,
    TWO_HANDLES,
    "> 03 00 00 04 FF0F {drafts} 00 {#1}",
    "< 03 04 00000000 00 ?? ?? 0200 0200 1F00FE39 0300FD5F 02 *")

/* --- attachments (R447, R1062, R481) ------------------------------------------------------------------------------------------------------------------ */

/* Number, size, access level, rendering position, both times. */
SESSION(a_new_attachment_has_its_first_values,
    "login",
    "> 06 00 00 01 FF0F {drafts} 00", "  23 00 01 02", "  23 00 01 03",
    "  07 00 03 0000 0100 0600 0300210E 0300200E 0300F70F 03000B37 40000730 40000830",
    "< 06 01 00000000 00", "  23 02 00000000 00000000", "  23 03 00000000 01000000",
    "  07 03 00000000 00 01000000 ????0000 01000000 FFFFFFFF ??????????????01 ??????????????01",
    "> 0A 00 03 1200 0200 0300200E 05000000 0300210E 07000000",
    "< 0A 03 00000000 0200  0000 0300200E 05000780  0100 0300210E 05000780")

SESSION(a_saved_attachment_waits_for_its_message,
    TWO_HANDLES,
    "> 23 00 02 05", "  25 00 02 05 0A", "  52 00 02", "  03 00 00 04 FF0F {drafts} 00 {#1}", "< 23 05 00000000 00000000", "  25 02 00000000",
    "  52 02 00000000 01000000 00000000", "  03 04 00000000 *",
    "> 52 00 04", "  0C 00 02 02 0A", "  03 00 00 04 FF0F {drafts} 00 {#1}", "< 52 04 00000000 00000000", "  0C 02 00000000 02 {#1}", "  03 04 00000000 *",
    "> 52 00 04", "< 52 04 00000000 01000000 00000000")

SESSION(an_embedded_message_that_was_not_saved_is_not_there,
    TWO_HANDLES,
    "> 23 00 02 05", "  46 00 05 06 FF0F 02", "  0A 00 06 0C00 0100 1F003700 \"No\"", "  25 00 02 05 0A", "  0C 00 02 02 0A",
    "< 23 05 00000000 00000000", "  46 06 00000000 *",
    "> 03 00 00 04 FF0F {drafts} 00 {#1}", "  22 00 04 05 00 00000000", "< 03 04 00000000 *", "> 46 00 05 06 FF0F 00", "< 46 06 0F010480")

/* --- code pages of 8-bit strings (OXCPRPT R461 - R465) ------------------------------------------------------------------------------------------------ */

#define HOUSE "1404 3E04 3C04 0000"
#define HOUSE_1251 "C4EEEC00"
#define HOUSE_866 "84AEAC00"

SESSION(strings_have_the_code_page_of_their_message,
    "login", "code 1251",
    "> 06 00 00 01 6203 {drafts} 00", "  0A 00 01 0E00 0100 1F003700 " HOUSE, "  07 00 01 0000 0000 0100 1E003700", "  23 00 01 02",
    "  0A 00 02 0E00 0100 1F000130 " HOUSE, "  07 00 02 0000 0000 0100 1E000130",
    "< 06 01 00000000 00", "  0A 01 00000000 0000", "  07 01 00000000 00 " HOUSE_866, "  23 02 00000000 00000000", "  0A 02 00000000 0000",
    "  07 02 00000000 00 " HOUSE_866)

SESSION(strings_have_the_code_page_of_the_session_where_the_message_has_none,
    "login", "code 1251",
    "> 06 00 00 01 FF0F {drafts} 00", "  0A 00 01 0E00 0100 1F003700 " HOUSE, "  07 00 01 0000 0000 0100 1E003700", "  23 00 01 02",
    "  0A 00 02 0E00 0100 1F000130 " HOUSE, "  07 00 02 0000 0000 0100 1E000130",
    "< 06 01 00000000 00", "  0A 01 00000000 0000", "  07 01 00000000 00 " HOUSE_1251, "  23 02 00000000 00000000", "  0A 02 00000000 0000",
    "  07 02 00000000 00 " HOUSE_1251,
    "> 02 00 00 03 {inbox} 00", "  0A 00 03 0E00 0100 1F000430 " HOUSE, "  07 00 03 0000 0000 0100 1E000430",
    "< 02 03 00000000 00 00", "  0A 03 00000000 0000", "  07 03 00000000 00 " HOUSE_1251)

/* --- message classes are compared without regard to case (OXCMSG R1605) -------------------------------------------------------------------------------- */

SESSION(classes_are_compared_without_case,
    "login", "mail inbox \"one\" 1",
    "> 26 00 00 {drafts} 'IPM.Test'", "  27 00 00 'ipm.TEST.Sub'", "  02 00 00 01 {inbox} 00", "  05 00 01 02 00", "  12 00 02 00 0100 1E003700",
    "  14 00 02 00 1C00 04 04 1F001A00 1F001A00 \"ipm.NOTE\"", "  15 00 02 00 01 0500",
    "< 26 00 00000000", "  27 00 00000000 {drafts} 'IPM.Test'", "  02 01 00000000 00 00", "  05 02 00000000 01000000", "  12 02 00000000 00",
    "  14 02 00000000 00", "  15 02 00000000 02 0100 00 'one'")
