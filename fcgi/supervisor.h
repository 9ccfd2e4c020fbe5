/* supervisor.h - what systemd (Type=notify) wants to hear: the service is ready, it ends, it is alive (sd_notify(3)).  Nothing happens without NOTIFY_SOCKET. */
#ifndef FCGI_SUPERVISOR_H
#define FCGI_SUPERVISOR_H
#include "fcgi/timer.h"

struct supervisor {
    int          fd;             /* datagram socket to it; -1: nobody listens */
    uint64_t     watch_us;       /* WATCHDOG_USEC; 0: it does not watch us */
    struct timers *timers;
    struct timer timer;
};

/* Looks at the environment, and forgets it there, so that no child speaks for us.  The timers must live until supervisor_leave. */
void supervisor_find(struct supervisor *s, struct timers *ts);
/* "READY=1"; from now on the timer thread, whose standstill would leave every waiting client without PENDING lines, says that we are alive. */
void supervisor_ready(struct supervisor *s);
/* "STOPPING=1"; goes on saying that we are alive. */
void supervisor_stopping(struct supervisor *s);
/* The timers have ended. */
void supervisor_leave(struct supervisor *s);
#endif
