/* check_int.h - findings of mailbox_check, for its parts. */
#ifndef STORE_CHECK_INT_H
#define STORE_CHECK_INT_H
#include "backend/store/store_int.h"

struct check {
    struct mailbox *m;
    void (*say)(void *ctx, const char *finding);
    void   *ctx;
    size_t *findings;
};
void check_say(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

ec_t check_blobs(struct check *c);  /* check_blobs.c: what is packed, and the references in it */
#endif
