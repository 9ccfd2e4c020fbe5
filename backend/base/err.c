/* err.c - names of error codes and the birthplace of the last one. */
#include "backend/base/err.h"
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct { ec_t code; const char *name; } errors[] = {
#define ERR(code, name) { code, #name },
#include "backend/base/err.def"
#undef ERR
};
enum { ERRORS = sizeof errors / sizeof errors[0] };

static _Thread_local struct { const char *file; int line; char text[64]; } birth;

ec_t err_born(ec_t code, const char *file, int line)
{
    if (code != ecNone) {
        birth.file = file;
        birth.line = line;
    }
    return code;
}

const char *err_name(ec_t code)
{
    for (size_t i = 0; i < ERRORS; i++)
        if (errors[i].code == code)
            return errors[i].name;
    return "ec?";
}

const char *err_place(void)
{
    if (birth.file == NULL)
        return "";
    const char *slash = strrchr(birth.file, '/');
    snprintf(birth.text, sizeof birth.text, "%s:%d", slash != NULL ? slash + 1 : birth.file, birth.line);
    return birth.text;
}
