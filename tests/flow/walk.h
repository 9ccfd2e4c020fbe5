/* walk.h - what flow tests share: a logged-on client, messages made for it, and a look at what the store really has. */
#ifndef FLOW_WALK_H
#define FLOW_WALK_H
#include "backend/store/message.h"
#include "backend/store/view.h"
#include "tests/client/steps.h"
#include "tests/flow/stack.h"
#include "tests/unit.h"

struct walk {
    struct stack *stack;
    struct arena *a;
    struct mapic  c;
    struct steps  s;
    const struct person *who;
};

/* A client of `who` that is connected and logged on; ends the test if that fails. */
void walk_begin(struct walk *w, struct stack *stack, const struct person *who);
/* A client that is only prepared. */
void walk_init(struct walk *w, struct stack *stack, const struct person *who);
void walk_end(struct walk *w);

/* Makes `n` messages "PREFIX 000", "PREFIX 001" ... in a folder (enum special_folder) through the store. */
void walk_fill(struct stack *stack, const struct person *who, enum special_folder folder, const char *prefix, unsigned n);

/* How many messages of the folder have this subject, seen by the store itself. */
unsigned walk_count(struct stack *stack, const struct person *who, enum special_folder folder, const char *subject);
/* All of them; hard-deletes what is there. */
void walk_empty(struct stack *stack, const struct person *who, enum special_folder folder);
/* Findings of the consistency check: 0. */
size_t walk_findings(struct stack *stack, const struct person *who);

/* Checks of a step with a readable message. */
#define STEP(w, call) unit_ec_step((w), (call), #call, __FILE__, __LINE__)
#define MUST_STEP(w, call) do { if (!STEP(w, call)) unit_leave(); } while (0)
bool unit_ec_step(struct walk *w, uint32_t got, const char *what, const char *file, int line);

extern const uint32_t walk_columns[4];   /* NormalizedSubject, Mid, MessageSize, MessageFlags */
#endif
