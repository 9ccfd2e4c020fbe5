/* filetime.c - clocks and the two forms of a date that the wire knows. */
#include "backend/base/filetime.h"
#include <stdio.h>

#define EPOCH_1601 11644473600ULL

filetime_t filetime_from_unix(time_t s) { return ((uint64_t)s + EPOCH_1601) * 10000000ULL; }

time_t filetime_to_unix(filetime_t t) { return (time_t)(t / 10000000ULL) - (time_t)EPOCH_1601; }

filetime_t filetime_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return filetime_from_unix(t.tv_sec) + (uint64_t)t.tv_nsec / 100;
}

uint64_t clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000ULL + (uint64_t)t.tv_nsec / 1000;
}

uint64_t clock_ms(void) { return clock_us() / 1000; }

char *http_date(time_t t, char out[HTTP_DATE])
{
    static const char day[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char mon[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    struct tm tm;
    gmtime_r(&t, &tm);
    snprintf(out, HTTP_DATE, "%s, %02d %s %04d %02d:%02d:%02d GMT", day[tm.tm_wday % 7], tm.tm_mday % 100, mon[tm.tm_mon % 12],
             (tm.tm_year + 1900) % 10000, tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
    return out;
}
