/* folder.c - an open folder's block. */
#include "session/object/folder.h"

void obj_folder_save(struct wr *w, const struct obj_folder *s)
{
    wr_u64(w, s->fid);
    wr_u8(w, s->open_flags);
}

bool obj_folder_load(struct rd *r, struct arena *a, struct obj_folder *s)
{
    (void)a;
    s->fid = rd_u64(r);
    s->open_flags = rd_u8(r);
    return rd_ok(r);
}

const char *obj_folder_describe(struct arena *a, const struct obj_folder *s)
{
    return arena_printf(a, "folder fid=%llx flags=%02x", (unsigned long long)s->fid, s->open_flags);
}
