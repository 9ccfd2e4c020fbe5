/* nspi_slow.c - who searches for long in this worker now. */
#include "session/nspi/nspi_slow.h"
#include <pthread.h>
#include <stddef.h>

enum { MOST = 64 };

static struct { pthread_mutex_t lock; int64_t person[MOST]; size_t n; } going = { .lock = PTHREAD_MUTEX_INITIALIZER };

static size_t place(int64_t person)
{
    size_t i = 0;
    while (i < going.n && going.person[i] != person)
        i++;
    return i;
}

bool nspi_slow_begin(int64_t person, int64_t threads)
{
    size_t most = threads <= 2 ? 1 : threads > MOST ? MOST : (size_t)threads - 1;
    pthread_mutex_lock(&going.lock);
    bool may = going.n < most && place(person) == going.n;
    if (may)
        going.person[going.n++] = person;
    pthread_mutex_unlock(&going.lock);
    return may;
}

void nspi_slow_end(int64_t person)
{
    pthread_mutex_lock(&going.lock);
    size_t at = place(person);
    if (at < going.n)
        going.person[at] = going.person[--going.n];
    pthread_mutex_unlock(&going.lock);
}
