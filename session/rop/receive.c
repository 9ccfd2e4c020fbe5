/* receive.c - receive folders: which folder gets mail of which message class. MS-OXCSTOR 2.2.1.2 - 2.2.1.4, 3.2.5.2 - 3.2.5.4. */
#include "session/rop/rop.h"
#include <strings.h>

enum { CLASS_MAX = 254 };

/* Length, characters, and periods (OXCSTOR R202 - R207); the empty string is allowed. */
static bool class_valid(struct blob s)
{
    if (s.n > CLASS_MAX || (s.n > 0 && (s.p[0] == '.' || s.p[s.n - 1] == '.')))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 32 || s.p[i] > 126 || (s.p[i] == '.' && i > 0 && s.p[i - 1] == '.'))
            return false;
    return true;
}

static void class_write(struct wr *w, const char *s) { wr_bytes(w, s, strlen(s) + 1); }

ec_t rop_GetReceiveFolder(struct rop_ctx *c)
{
    struct blob class = rd_asciiz(c->in);
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    if (!class_valid(class))
        return EC(ecInvalidParameter);

    struct receive_folder f;
    ec_t ec = receive_folder_get(c->m, arena_str(c->a, class), &f);
    if (ec == ecNotFound)
        f = (struct receive_folder){ "", mailbox_info(c->m)->fid[SF_INBOX], 0 }; /* OXCSTOR R852, R1223 */
    else
        TRY(ec);

    wr_u64(c->out, id_wire(REPLID_OWN, f.fid));
    class_write(c->out, f.message_class);
    return ecNone;
}

ec_t rop_SetReceiveFolder(struct rop_ctx *c)
{
    uint64_t fid = rd_u64(c->in);
    struct blob class = rd_asciiz(c->in);
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    const char *name = arena_str(c->a, class);
    if (!class_valid(class))
        return EC(ecInvalidParameter);
    if (class.n == 0 && fid == 0)
        return EC(ecGeneralFailure);
    if (strcasecmp(name, "IPM") == 0 || strcasecmp(name, "REPORT.IPM") == 0) /* OXCSTOR R859, R272 */
        return EC(ecAccessDenied);
    if (fid != 0 && id_replid(fid) != REPLID_OWN)
        return EC(ecNotFound);

    return receive_folder_set(c->m, name, fid != 0 ? id_gc(fid) : 0);
}

ec_t rop_GetReceiveFolderTable(struct rop_ctx *c)
{
    struct receive_folder *v;
    size_t n;
    TRY(receive_folder_list(c->m, &v, &n));
    if (n == 0)
        return EC(ecNoReceiveFolder);

    /* Each a StandardPropertyRow of PidTagFolderId, PidTagMessageClass as String8, PidTagLastModificationTime (OXCSTOR R301). */
    wr_u32(c->out, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        wr_u8(c->out, 0);
        wr_u64(c->out, id_wire(REPLID_OWN, v[i].fid));
        class_write(c->out, v[i].message_class);
        wr_u64(c->out, v[i].changed);
    }
    return ecNone;
}
