/* auxbuf.h - auxiliary buffers (MS-OXCRPC 2.2.2.2, 3.1.4.1.2): what client and server tell each other beside the work. */
#ifndef ROP_AUXBUF_H
#define ROP_AUXBUF_H
#include "backend/base/arena.h"

/* What is wrong with an auxiliary buffer of a request by its size alone (OXCRPC R571, R1367): 0, or a StatusCode or ErrorCode. */
enum auxbuf_fault { AUXBUF_FINE, AUXBUF_STATUS, AUXBUF_ERROR };
enum auxbuf_fault auxbuf_size(size_t n);
enum { AUXBUF_BAD_STUB = 0x6F7 };

/* One block of a client's buffer; the data are behind its head. */
struct auxbuf_block { uint8_t version, type; struct blob data; };

/* The blocks that can be read, in the arena; a block that says more than there is ends them.  All of it is information only (R1654). */
void auxbuf_read(struct blob b, struct arena *a, struct auxbuf_block **out, size_t *n);

/* ClientMode of AUX_PERF_CLIENTINFO (context.h: CLIENT_CACHED ...); 0: the client does not tell. */
uint16_t auxbuf_client_mode(const struct auxbuf_block *v, size_t n);

/* The buffer of a Connect answer: AUX_SERVER_CAPABILITIES, AUX_ENDPOINT_CAPABILITIES, AUX_EXORGINFO, AUX_SERVER_SESSION_INFO with `session` (UTF-8),
 * AUX_CLIENT_CONTROL.  In the arena. */
struct blob auxbuf_connect(struct arena *a, const char *session);
#endif
