/* logon.c - the logon object's block. */
#include "session/object/logon.h"

void obj_logon_save(struct wr *w, const struct obj_logon *s) { wr_u8(w, s->logon_id); }

bool obj_logon_load(struct rd *r, struct arena *a, struct obj_logon *s)
{
    (void)a;
    s->logon_id = rd_u8(r);
    return rd_ok(r);
}

const char *obj_logon_describe(struct arena *a, const struct obj_logon *s) { return arena_printf(a, "logon id=%u", s->logon_id); }
