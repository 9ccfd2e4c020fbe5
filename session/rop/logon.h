/* logon.h - the logon object's properties: what the mailbox has, and what depends on who logged on. */
#ifndef ROP_LOGON_H
#define ROP_LOGON_H
#include "session/rop/rop.h"

/* `n` values in the order asked for the logon of c; missing ones as PtypErrorCode ecNotFound (OXCSTOR 2.2.2.1). */
ec_t logon_props(struct rop_ctx *c, const uint32_t *tags, size_t n, struct props *out);
ec_t logon_props_all(struct rop_ctx *c, struct props *out);
/* One ec_t per value: read-only ones ecAccessDenied (OXCSTOR 2.2.2.1.1). In the write transaction (rop_write). */
ec_t logon_props_set(struct rop_ctx *c, const struct props *set, ec_t *problems);
ec_t logon_props_del(struct rop_ctx *c, const uint32_t *tags, size_t n, ec_t *problems);
#endif
