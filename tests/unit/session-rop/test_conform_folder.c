/* test_conform_folder.c - folders, and properties that all objects have, sentence by sentence. MS-OXCFOLD 2.2.1, 3.2.5; MS-OXCPRPT 2.2.1. */
#include "tests/unit/session-rop/vector.h"

/* --- PartialCompletion (OXCFOLD R997, R10163, R163, R304, R991) --------------------------------------------------------------------------------- */

#define NO_SUCH_MESSAGE "0100 000000FFFFFF"
#define OF_ANOTHER_REPLICA "0700 000000000001"

SESSION(what_was_not_there_makes_it_partial,
    "login", "mail inbox \"one\" 1", "mail inbox \"two\" 2", "mail inbox \"three\" 3",
    "> 02 00 00 01 {inbox} 00", "  02 00 00 02 {drafts} 00",
    "< *",
    "> 1E 00 01 00 00 0200 {m1} " OF_ANOTHER_REPLICA, "  91 00 01 00 00 0200 {m2} " OF_ANOTHER_REPLICA, "  33 00 01 02 0200 {m3} " NO_SUCH_MESSAGE " 00 01",
    "  33 00 01 02 0200 {m3} " NO_SUCH_MESSAGE " 00 00", "  33 00 02 01 0000 00 00", "  05 00 01 03 00", "  05 00 02 04 00",
    "< 1E 01 00000000 01", "  91 01 00000000 01", "  33 01 00000000 01", "  33 01 00000000 01", "  33 02 00000000 00", "  05 03 00000000 00000000",
    "  05 04 00000000 02000000")

/* Special folders stay with what is in them (R980, R2721). */
SESSION(emptying_above_special_folders_is_partial,
    "login", "mail inbox \"one\" 1",
    "> 02 00 00 01 {ipm} 00", "  02 00 00 02 {inbox} 00", "  58 00 01 00 00", "  05 00 02 03 00", "  92 00 01 00 00",
    "< 02 01 00000000 00 00", "  02 02 00000000 00 00", "  58 01 00000000 01", "  05 03 00000000 01000000", "  92 01 00000000 01")

/* Asked to run asynchronously, it is answered when it is done (R701). */
SESSION(asynchronous_or_not_is_all_the_same,
    "login", "mail inbox \"one\" 1", "mail inbox \"two\" 2", "mail inbox \"three\" 3", "mail inbox \"four\" 4",
    "> 02 00 00 01 {inbox} 00", "  02 00 00 02 {drafts} 00", "  1E 00 01 01 01 0100 {m1}", "  91 00 01 01 00 0100 {m2}", "  33 00 01 02 0100 {m3} 01 00",
    "  58 00 01 01 00", "  92 00 02 01 01", "  05 00 01 03 00", "  05 00 02 04 00",
    "< 02 01 00000000 00 00", "  02 02 00000000 00 00", "  1E 01 00000000 00", "  91 01 00000000 00", "  33 01 00000000 00", "  58 01 00000000 00",
    "  92 02 00000000 00", "  05 03 00000000 00000000", "  05 04 00000000 00000000")

/* --- associated messages go when that is wanted (R238, R239, R256, R257) ---------------------------------------------------------------------------- */

#define AN_ASSOCIATED_MESSAGE                                                                               \
    "login", "mail drafts \"seen\" 1", "> 02 00 00 01 {drafts} 00", "  06 00 00 02 FF0F {drafts} 01", "  0C 00 03 02 0A", "  05 00 01 04 02", "< *"

SESSION(emptying_keeps_associated_messages_unless_told,
    AN_ASSOCIATED_MESSAGE,
    "> 58 00 01 00 00", "  05 00 01 05 00", "  05 00 01 05 02", "  58 00 01 00 01", "  05 00 01 05 02",
    "< 58 01 00000000 00", "  05 05 00000000 00000000", "  05 05 00000000 01000000", "  58 01 00000000 00", "  05 05 00000000 00000000")

SESSION(hard_deleting_keeps_associated_messages_unless_told,
    AN_ASSOCIATED_MESSAGE,
    "> 92 00 01 00 00", "  05 00 01 05 00", "  05 00 01 05 02", "  92 00 01 00 01", "  05 00 01 05 02",
    "< 92 01 00000000 00", "  05 05 00000000 00000000", "  05 05 00000000 01000000", "  92 01 00000000 00", "  05 05 00000000 00000000")

/* --- names in both forms, comments, the same name twice (R48 - R51, R478, R491, R924, R1197) ------------------------------------------------------------ */

SESSION(names_of_folders_in_both_forms,
    "login", "code 1251",
    "> 02 00 00 01 {drafts} 00", "  1C 00 01 02 01 00 00 00 C4EEEC00 00", "  1C 00 01 02 01 01 01 00 1404 3E04 3C04 0000 0000",
    "  1C 00 01 03 01 01 00 00 1404 3E04 3C04 0000 0000",
    "  1C 00 01 03 01 00 00 00 'House' 'of two storeys'", "  07 00 03 0000 0100 0200 1F000130 1F000430", "  07 00 02 0000 0100 0300 1F000130 1E000130 1F000430",
    "< 02 01 00000000 00 00", "  1C 02 00000000 0100???????????? 00", "  1C 02 00000000 0100???????????? 00", "  1C 03 04060480",
    "  1C 03 00000000 0100???????????? 00", "  07 03 00000000 00 \"House\" \"of two storeys\"",
    "  07 02 00000000 ?? ?? 1404 3E04 3C04 0000 ?? C4EEEC00 *")

/* --- what cannot be deleted or emptied (R498, R3012, R1248) --------------------------------------------------------------------------------------------- */

SESSION(the_root_is_not_emptied_and_special_folders_stay,
    "login",
    "> 02 00 00 01 {root} 00", "  02 00 00 02 {ipm} 00", "  58 00 01 00 01", "  92 00 01 00 01", "  1D 00 01 05 {root}", "  1D 00 02 15 {inbox}",
    "  1D 00 02 15 {deleted}", "  1D 00 02 03 {inbox}",
    "< 02 01 00000000 00 00", "  02 02 00000000 00 00", "  58 01 02010480 00", "  92 01 02010480 00", "  1D 01 02010480 00", "  1D 02 05000780 00",
    "  1D 02 05000780 00", "  1D 02 57000780 00")

/* --- PidTagObjectType (OXCPRPT R40, R39, R45, R47) ---------------------------------------------------------------------------------------------------------- */

SESSION(objects_say_what_they_are,
    "login",
    "> 06 00 00 01 FF0F {drafts} 00", "  23 00 01 02", "  07 00 01 0000 0100 0100 0300FE0F", "  07 00 02 0000 0100 0100 0300FE0F",
    "  0A 00 01 0A00 0100 0300FE0F 01000000",
    "< 06 01 00000000 00", "  23 02 00000000 00000000", "  07 01 00000000 00 05000000", "  07 02 00000000 00 07000000",
    "  0A 01 00000000 0100 0000 0300FE0F 05000780")

/* Each is refused as a problem: PidTagAccess, PidTagAccessLevel, PidTagChangeKey, PidTagCreationTime, PidTagLastModifierName,
 * PidTagLastModificationTime, PidTagRecordKey, PidTagSearchKey, PidTagObjectType (OXCPRPT R11, R25, R853, R855, R857, R859, R863). */
#define READ_ONLY_VALUES                                                                                    \
    "0300F40F 3F000000  0300F70F 01000000  0201E265 0100 41  40000730 0000000000000000  1F00FA3F \"x\"  40000830 0000000000000000"    \
    "  0201F90F 0100 41  02010B30 0100 41  0300FE0F 01000000"

SESSION(what_only_the_server_sets,
    "login", "mail inbox \"one\" 1",
    "> 03 00 00 01 FF0F {inbox} 01 {m1}", "< *",
    "> 0A 00 01 4F00 0900 " READ_ONLY_VALUES,
    "< 0A 01 00000000 0900  0000 0300F40F 05000780  0100 0300F70F 05000780  0200 0201E265 05000780  0300 40000730 05000780",
    "  0400 1F00FA3F 05000780  0500 40000830 05000780  0600 0201F90F 05000780  0700 02010B30 05000780  0800 0300FE0F 05000780")

/* PidTagAccess and PidTagAccessLevel as the owner has them (OXCPRPT R14 - R21, R27, R28): a folder, a message for reading, one for writing. */
SESSION(what_the_owner_may,
    "login", "mail inbox \"one\" 1",
    "> 02 00 00 01 {inbox} 00", "  03 00 00 02 FF0F {inbox} 00 {m1}", "  03 00 00 03 FF0F {inbox} 01 {m1}", "< *",
    "> 07 00 01 0000 0100 0100 0300F40F", "  07 00 02 0000 0100 0200 0300F40F 0300F70F", "  07 00 03 0000 0100 0200 0300F40F 0300F70F",
    "< 07 01 00000000 00 3F000000", "  07 02 00000000 00 07000000 00000000", "  07 03 00000000 00 07000000 01000000")
