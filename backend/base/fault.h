/* fault.h - named places where tests stop or kill a worker.
 *
 * fault_point(FAULT_commit_store) costs one load unless the environment variable MAPIHTTPD_FAULT is set when the process starts:
 * "commit_store:2:kill" = at the second passage, SIGKILL to itself; "...:stop" = SIGSTOP; "...:sleep=3000" = 3 s.  The file named by
 * MAPIHTTPD_FAULT_FILE, if set, holds the same text instead and is read anew at each request (and emptied when the fault fired), so that
 * a running worker can be armed. */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

enum fault {
#define FAULT(name, text) FAULT_##name,
#include "backend/base/fault.def"
#undef FAULT
    FAULT_COUNT
};

void fault_init(void);
void fault_arm(void);           /* once per request: reads the fault file, if there is one */
void fault_point(enum fault f);
const char *fault_name(enum fault f);
#endif
