/* bench.h - a scenario: what one session does over and over, and how it is measured. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H
#include "tests/client/steps.h"
#include "tests/flow/stack.h"

struct bench_client {
    struct stack *stack;
    struct arena *a;               /* of the session */
    struct arena *turn;            /* of one request; emptied between requests */
    struct mapic  c;
    struct steps  s;
    unsigned      seed;
    uint64_t      fid;             /* folder of the scenario */
    uint32_t      folder, table, message, rows;
    uint64_t      mid[64];
    size_t        mids;
    void         *book;            /* of the scenarios of books.c */
};

struct scenario {
    const char *name;
    unsigned    messages;          /* of the folder; 0: none needed */
    bool      (*prepare)(struct bench_client *b);   /* once per session, not measured; may be NULL */
    bool      (*once)(struct bench_client *b);
    unsigned    turns;             /* per session */
};
extern const struct scenario scenarios[];
extern const size_t scenarios_n;

/* Folder with so many messages in ana's mailbox, made at first asking. */
uint64_t bench_folder(struct stack *s, unsigned messages);

/* Prints how fast mail comes in (import.c). */
void bench_import(struct stack *s);

/* begin and commit alone, no server but Redis; prints lines (context.c). */
void bench_context(struct stack *s);

/* Table engine alone, no server (bench_view.c). */
int bench_view(int argc, char **argv);
#endif
