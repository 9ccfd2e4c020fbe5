/* ctl.h - mapictl against a stack, as an administrator calls it. */
#ifndef FLOW_CTL_H
#define FLOW_CTL_H
#include "tests/flow/stack.h"
#include <jansson.h>

struct ctl_run { int rc; const char *text; };

/* Runs mapictl with the arguments as a shell has them and the stack's configuration; output and errors together, in the stack's arena. */
struct ctl_run ctl_run(struct stack *st, const char *arguments);
/* The same with --json, parsed; its exit code must be `rc`.  The caller drops the reference; NULL (a failed check): no JSON. */
json_t *ctl_json(struct stack *st, const char *arguments, int rc);
/* It must succeed. */
void ctl_must(struct stack *st, const char *arguments);
#endif
