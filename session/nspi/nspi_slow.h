/* nspi_slow.h - long searches of this worker, which each keep a thread: who has one going on may not have a second, and all together leave a thread to others. */
#ifndef SESSION_NSPI_SLOW_H
#define SESSION_NSPI_SLOW_H
#include <stdbool.h>
#include <stdint.h>

/* A search of this person (struct person, row) has become a long one; `threads` of the worker.  False: it had better end.  After true, nspi_slow_end. */
bool nspi_slow_begin(int64_t person, int64_t threads);
void nspi_slow_end(int64_t person);
#endif
