/* authkit.h - requests with any credentials against a stack, and what came back. */
#ifndef FLOW_AUTHKIT_H
#define FLOW_AUTHKIT_H
#include "tests/flow/ctl.h"
#include "tests/flow/walk.h"

struct authkit {
    struct stack *st;
    struct arena *a;
    struct mapic  c;
    struct mapic_reply r;
};

void authkit_begin(struct authkit *k, struct stack *st);
void authkit_end(struct authkit *k);

/* A PING with this Authorization header (NULL: none); its HTTP status. */
int authkit_ping(struct authkit *k, const char *authorization);
/* The same with user and password by Basic. */
int authkit_basic(struct authkit *k, const char *user, const char *password);
const char *authkit_basic_header(struct arena *a, const char *user, const char *password);

/* The schemes of the last answer's challenges, blank-separated in their order ("Negotiate Bearer Basic"). */
const char *authkit_offered(const struct authkit *k);
/* Is this text in one of its WWW-Authenticate lines? */
bool authkit_challenge(const struct authkit *k, const char *text);

/* Waits (at most `ms`) until a PING with the header has this status. */
bool authkit_becomes(struct authkit *k, const char *authorization, int status, unsigned ms);

/* Runs a shell command; its output, in the arena; a failed check if it fails. */
const char *authkit_shell(struct arena *a, const char *command);
void authkit_file(const char *path, const char *text);
/* Is this text in the file? */
bool authkit_logged(struct authkit *k, const char *file, const char *text);
#endif
