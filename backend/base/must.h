/* must.h - for what cannot happen.
 *
 * must(cond) is for our own bugs and for a failing malloc only, never for input: it writes where and what to the
 * error log (with the log context of the request) and aborts.  It stays on in release builds. */
#ifndef BASE_MUST_H
#define BASE_MUST_H

_Noreturn void must_fail(const char *cond, const char *file, int line);

#define must(cond) ((cond) ? (void)0 : must_fail(#cond, __FILE__, __LINE__))
#endif
