/* books.h - scenarios of the address book with 100,000 objects. */
#ifndef BENCH_BOOKS_H
#define BENCH_BOOKS_H
#include "tests/bench/bench.h"

bool bench_book_open(struct bench_client *b);      /* prepare */
bool bench_book_bind(struct bench_client *b);
bool bench_book_resolve_one(struct bench_client *b);
bool bench_book_resolve_many(struct bench_client *b);
bool bench_book_check_many(struct bench_client *b);
bool bench_book_resolve_words(struct bench_client *b);
bool bench_book_resolve_common(struct bench_client *b);
bool bench_book_resolve_small(struct bench_client *b);
bool bench_book_resolve_addresses(struct bench_client *b);
bool bench_book_update_stat(struct bench_client *b);
bool bench_book_seek(struct bench_client *b);
bool bench_book_first_page(struct bench_client *b);
bool bench_book_middle_page(struct bench_client *b);
bool bench_book_matches(struct bench_client *b);
bool bench_book_all_matches(struct bench_client *b);
bool bench_book_props(struct bench_client *b);
#endif
