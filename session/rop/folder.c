/* folder.c - folders opened, made and deleted. MS-OXCFOLD 2.2.1.1 - 2.2.1.3. */
#include "session/object/folder.h"
#include "backend/base/utf.h"
#include "session/rop/rop.h"

enum { OPEN_SOFT_DELETED = 0x04 };
enum { FOLDER_GENERIC = 1, FOLDER_SEARCH = 2 };
enum { DELETE_FLAGS = DEL_MESSAGES | DEL_FOLDERS | DELETE_HARD_DELETE };

/* A folder that the user may not see is not there (OXCFOLD R470, R508). */
static ec_t hidden(ec_t ec) { return ec == ecAccessDenied ? EC(ecNotFound) : ec; }

static ec_t folder_output(struct rop_ctx *c, uint64_t fid, uint8_t flags)
{
    ec_t ec;
    struct object *o = rop_output(c, OBJ_FOLDER, &ec);
    if (o == NULL)
        return ec;
    *o->folder = (struct obj_folder){ fid, flags };
    return ecNone;
}

ec_t rop_OpenFolder(struct rop_ctx *c)
{
    uint64_t wire = rd_u64(c->in), fid;
    uint8_t flags = rd_u8(c->in) & OPEN_SOFT_DELETED; /* all other bits are ignored (OXCFOLD R465) */
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    rop_note(c, "fid=%016llx flags=%02x", (unsigned long long)wire, flags);

    struct folder f;
    TRY(rop_id(wire, &fid));
    TRY(hidden(folder_open(c->m, fid, (flags & OPEN_SOFT_DELETED) != 0, &f)));
    TRY(folder_output(c, fid, flags));

    wr_u8(c->out, f.has_rules);
    wr_u8(c->out, 0); /* IsGhosted: never in a private mailbox */
    return ecNone;
}

/* A string as its flag says, without the terminator, in UTF-8. */
static const char *text_read(struct rop_ctx *c, bool unicode)
{
    struct blob s = unicode ? utf8_from_utf16(c->a, rd_utf16z(c->in)) : utf8_from_codepage(c->a, c->codec.code_page, rd_asciiz(c->in));
    return arena_str(c->a, s);
}

/* In a private mailbox IsExistingFolder is always zero, also for one that was opened (OXCFOLD R1197). */
ec_t rop_CreateFolder(struct rop_ctx *c)
{
    uint8_t type = rd_u8(c->in);
    bool unicode = rd_u8(c->in) != 0, open_existing = rd_u8(c->in) != 0;
    rd_u8(c->in);
    const char *name = text_read(c, unicode), *comment = text_read(c, unicode);
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    rop_note(c, "type=%u existing=%d", type, open_existing);

    uint64_t fid;
    bool existed;
    if ((type != FOLDER_GENERIC && type != FOLDER_SEARCH) || *name == 0)
        return EC(ecInvalidParameter);
    if (type == FOLDER_SEARCH)
        return EC(ecNotSupported);
    TRY(folder_create(c->m, c->object->folder->fid, name, comment, false, open_existing, &fid, &existed));
    TRY(folder_output(c, fid, 0));

    wr_u64(c->out, id_wire(REPLID_OWN, fid));
    wr_u8(c->out, 0);
    return ecNone;
}

ec_t rop_DeleteFolder(struct rop_ctx *c)
{
    uint8_t flags = rd_u8(c->in);
    uint64_t wire = rd_u64(c->in), fid;
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    rop_note(c, "fid=%016llx flags=%02x", (unsigned long long)wire, flags);

    struct folder f;
    bool partial = false;
    if ((flags & ~(unsigned)DELETE_FLAGS) != 0)
        return EC(ecInvalidParameter);
    TRY(rop_id(wire, &fid));
    if (fid == mailbox_info(c->m)->fid[SF_ROOT])
        return EC(ecNotSupported);
    TRY(hidden(folder_open(c->m, fid, false, &f)));
    TRY(folder_delete(c->m, c->object->folder->fid, fid, flags, &partial));

    wr_u8(c->out, partial);
    return ecNone;
}
