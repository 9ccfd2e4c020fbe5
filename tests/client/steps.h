/* steps.h - what a client does, a request per step: log on, open, list, write, read.
 *
 * Each step is one Execute with one ROP (or the few named), returns the ReturnValue of the first ROP that failed, ecNone, or STEP_LOST when there was no
 * proper answer (then c->why says why, c->code has the X-ResponseCode). */
#ifndef CLIENT_STEPS_H
#define CLIENT_STEPS_H
#include "backend/mapi/propval.h"
#include "backend/mapi/restriction.h"
#include "tests/client/mapic.h"

#define STEP_LOST 0xFFFFFFFEu

struct steps {
    struct mapic *c;
    struct arena *a;
    const char   *why;
    int           code;             /* X-ResponseCode of the last answer; -1: none */
    const struct mapic_odd *odd;    /* for the next requests; usually NULL */
    void        (*before)(struct mapic *c); /* called before each request: amnesia tests move to the next worker here */
    uint32_t      logon;            /* handle */
    uint64_t      fid[13];          /* of the RopLogon response, in its order */
    struct guid   mailbox;
    uint16_t      replid;
    struct guid   replguid;
};

void steps_init(struct steps *s, struct mapic *c, struct arena *a);

/* Runs the list that `fill` made and gives the response of its first ROP (head read, body to read in r->rops). */
uint32_t step_run(struct steps *s, struct mapic_rops *r, struct mapic_result *out, struct rop_head *head);

uint32_t step_connect(struct steps *s, const char *user_dn);
uint32_t step_logon(struct steps *s, const char *mailbox_dn);
uint32_t step_open_folder(struct steps *s, uint64_t fid, uint32_t *handle);
uint32_t step_contents(struct steps *s, uint32_t folder, uint8_t flags, uint32_t *handle, uint32_t *rows);
uint32_t step_hierarchy(struct steps *s, uint32_t folder, uint8_t flags, uint32_t *handle, uint32_t *rows);
uint32_t step_set_columns(struct steps *s, uint32_t table, const uint32_t *tags, size_t n);
uint32_t step_sort(struct steps *s, uint32_t table, uint32_t tag, uint8_t order);
uint32_t step_restrict(struct steps *s, uint32_t table, const struct restriction *r);
/* Rows: n_out * ntags values, row by row. */
uint32_t step_query_rows(struct steps *s, uint32_t table, bool forward, uint16_t n, const uint32_t *tags, size_t ntags, struct propval **rows, uint16_t *n_out);
uint32_t step_position(struct steps *s, uint32_t table, uint32_t *row, uint32_t *rows);
uint32_t step_seek(struct steps *s, uint32_t table, uint8_t origin, int32_t delta, int32_t *moved);
uint32_t step_create_message(struct steps *s, uint32_t folder_handle, uint64_t fid, uint32_t *handle);
uint32_t step_set_props(struct steps *s, uint32_t handle, const struct props *p, uint16_t *problems);
uint32_t step_get_props(struct steps *s, uint32_t handle, const uint32_t *tags, size_t n, struct propval *out);
uint32_t step_save_message(struct steps *s, uint32_t handle, uint8_t flags, uint64_t *mid);
uint32_t step_open_message(struct steps *s, uint64_t fid, uint64_t mid, uint8_t mode, uint32_t *handle);
uint32_t step_delete_messages(struct steps *s, uint32_t folder, const uint64_t *mids, uint16_t n, bool hard);
uint32_t step_move_messages(struct steps *s, uint32_t from, uint32_t to, const uint64_t *mids, uint16_t n, bool copy);
uint32_t step_open_stream(struct steps *s, uint32_t handle, uint32_t tag, uint8_t mode, uint32_t *stream, uint32_t *size);
uint32_t step_write_stream(struct steps *s, uint32_t stream, struct blob bytes, uint16_t *written);
uint32_t step_read_stream(struct steps *s, uint32_t stream, uint16_t n, struct blob *out);
uint32_t step_commit_stream(struct steps *s, uint32_t stream);
uint32_t step_create_attachment(struct steps *s, uint32_t message, uint32_t *handle, uint32_t *num);
uint32_t step_save_attachment(struct steps *s, uint32_t message, uint32_t attachment);
uint32_t step_release(struct steps *s, uint32_t handle);
uint32_t step_disconnect(struct steps *s);
#endif
