/* dbfault.h - the driver "fault": SQLite that fails with a disk error at the n-th call, for tests.
 *
 * A call is what can fail in real life: open, prepare, a step, begin, commit, savepoint, release, a script.  A commit that fails this way has done
 * nothing.  Counting is process-wide. */
#ifndef STORE_FAULT_DBFAULT_H
#define STORE_FAULT_DBFAULT_H

/* The n-th call from now fails, and only that one; 0: none.  The count starts again. */
void dbfault_arm(unsigned n);
/* Calls since dbfault_arm. */
unsigned dbfault_calls(void);
#endif
