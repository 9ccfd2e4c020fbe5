/* filetime.h - time as the protocol has it: 100 ns since 1601-01-01 UTC. */
#ifndef BASE_FILETIME_H
#define BASE_FILETIME_H
#include <stddef.h>
#include <stdint.h>
#include <time.h>

typedef uint64_t filetime_t;

filetime_t filetime_now(void);
filetime_t filetime_from_unix(time_t seconds);
time_t     filetime_to_unix(filetime_t t);

/* Milliseconds of a clock that never steps, for durations. */
uint64_t clock_ms(void);
/* Microseconds of the same clock. */
uint64_t clock_us(void);

enum { HTTP_DATE = 30 };
/* "Sun, 22 Nov 2026 08:00:00 GMT" (RFC 1123) into out[HTTP_DATE]; returns out. */
char *http_date(time_t t, char out[HTTP_DATE]);
#endif
