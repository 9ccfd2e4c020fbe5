/* peer.h - the other side of a FastCGI connection: what nginx would say, and what it would not. */
#ifndef UNIT_FCGI_PEER_H
#define UNIT_FCGI_PEER_H
#include "fcgi/conn.h"

/* A front with its own threads and socket.  `params` of a request say what the test's handler does (TEST=...). */
struct rig {
    struct arena  *a;
    struct config *config;
    struct timers *timers;
    struct front  *front;
    char           path[108];
    size_t         threads;
    void          *thread;
};
void rig_start(struct rig *r, size_t threads, const struct conn_service *s);
void rig_stop(struct rig *r);

int  peer_connect(const struct rig *r);
/* BEGIN_REQUEST, PARAMS and STDIN with their ends. */
struct blob peer_request(struct arena *a, bool keep, const char *const *params, struct blob body);
bool peer_send(int fd, struct blob b);

/* Reads one answer: STDOUT contents until END_REQUEST.  False if the connection ends or says nothing for `ms`. */
bool peer_answer(struct arena *a, int fd, unsigned ms, struct blob *out);
/* The other side has closed (within ms). */
bool peer_closed(int fd, unsigned ms);
void peer_nap(long ms);
#endif
