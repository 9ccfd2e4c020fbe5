/* offline_int.h - what the files of this room share: how the parts of a book lie in the database. */
#ifndef OFFLINE_OFFLINE_INT_H
#define OFFLINE_OFFLINE_INT_H
#include "backend/directory/directory_int.h"
#include "backend/directory/offline/offline.h"

/* A file is cut into pieces of PIECE bytes, the last is shorter; piece i of a file is row `file * PIECES + i`. */
enum { OFFLINE_PIECE = 65536, OFFLINE_READ_MAX = 1 << 20 };
#define OFFLINE_PIECES ((int64_t)1 << 20)

/* The name and the DN of the list that all books are of (container.c). */
#define OFFLINE_NAME "\\Global Address List"
#define OFFLINE_DN "/"
#endif
