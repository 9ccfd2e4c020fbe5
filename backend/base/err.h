/* err.h - error codes of the protocol (MS-OXCDATA 2.4), and where each one was born.
 *
 * A function that can be refused returns ec_t.  A code is made by EC(ecNotFound) only, which records file and line for
 * the log, so that the log says where an error was made and not where it was noticed.  The birthplace is per thread. */
#ifndef BASE_ERR_H
#define BASE_ERR_H
#include <stdint.h>

typedef uint32_t ec_t;

enum {
#define ERR(code, name) name = code,
#include "backend/base/err.def"
#undef ERR
};

#define EC(code) err_born((ec_t)(code), __FILE__, __LINE__)
ec_t err_born(ec_t code, const char *file, int line);

/* Name from err.def ("ecNotFound"), or "ec?" for a code without one.  Static. */
const char *err_name(ec_t code);

/* Where the last error of this thread was made: "folder.c:88", or "" if none.  Valid until the next EC() of the thread. */
const char *err_place(void);

/* Leaves the function with the code if it is not ecNone. */
#define TRY(expr)               \
    do {                        \
        ec_t ec_try_ = (expr);  \
        if (ec_try_ != ecNone)  \
            return ec_try_;     \
    } while (0)
#endif
