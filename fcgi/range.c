/* range.c - conditional headers and Range -> what is sent. */
#include "fcgi/range.h"
#include <strings.h>
#include <time.h>

/* --- preconditions ------------------------------------------------------------------------------------------------- */

static const char *skip(const char *p, const char *what) { return p + strspn(p, what); }

/* Is the file's tag in the list?  `weak`: W/"x" counts as "x" (of If-None-Match). */
static bool lists(const char *list, const char *etag, bool weak)
{
    size_t n = strlen(etag);
    const char *p = skip(list, " \t");
    if (*p == '*' && *skip(p + 1, " \t") == '\0')
        return true;
    for (p = skip(p, " \t,"); *p != '\0'; p = skip(p, " \t,")) {
        bool is_weak = strncmp(p, "W/", 2) == 0;
        const char *tag = is_weak ? p + 2 : p, *end = *tag == '"' ? strchr(tag + 1, '"') : NULL;
        if (end == NULL)
            return false;
        if ((weak || !is_weak) && (size_t)(end + 1 - tag) == n && memcmp(tag, etag, n) == 0)
            return true;
        p = end + 1;
    }
    return false;
}

/* Of the three forms of a date the one that is still sent. */
static bool date(const char *text, time_t *out)
{
    struct tm tm = { 0 };
    const char *end = text != NULL ? strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm) : NULL;
    if (end == NULL || *skip(end, " \t") != '\0')
        return false;
    *out = timegm(&tm);
    return true;
}

static int precondition(const struct request *rq, const struct range_file *f)
{
    time_t t;
    if (rq->if_match != NULL) {
        if (!lists(rq->if_match, f->etag, false))
            return 412;
    } else if (f->modified != 0 && date(rq->if_unmodified_since, &t) && f->modified > t) {
        return 412;
    }
    if (rq->if_none_match != NULL)
        return lists(rq->if_none_match, f->etag, true) ? 304 : 200;
    return f->modified != 0 && date(rq->if_modified_since, &t) && f->modified <= t ? 304 : 200;
}

/* Is what the client has a part of the same file?  By the tag, or by the exact date. */
static bool same_file(const char *if_range, const struct range_file *f)
{
    time_t t;
    if (if_range == NULL)
        return true;
    if (*if_range == '"' || strncmp(if_range, "W/", 2) == 0)
        return strcmp(if_range, f->etag) == 0;
    return f->modified != 0 && date(if_range, &t) && t == f->modified;
}

/* --- the range ----------------------------------------------------------------------------------------------------- */

/* Digits; what is too large for a file stays too large. */
static bool number(const char **p, uint64_t *out)
{
    const char *at = *p;
    for (*out = 0; *at >= '0' && *at <= '9'; at++)
        *out = *out > UINT64_MAX / 10 - 1 ? UINT64_MAX : *out * 10 + (uint64_t)(*at - '0');
    bool any = at != *p;
    *p = at;
    return any;
}

/* "bytes=5-9", "bytes=5-", "bytes=-5"; false: not one range of this form. */
static bool parse(const char *text, bool *suffix, uint64_t *first, uint64_t *last)
{
    if (strncasecmp(text, "bytes=", 6) != 0)
        return false;
    const char *p = skip(text + 6, " \t");
    *suffix = !number(&p, first);
    if (*p++ != '-')
        return false;
    bool has_last = number(&p, last);
    if (!has_last && !*suffix)
        *last = UINT64_MAX;
    return *skip(p, " \t") == '\0' && (has_last || !*suffix) && (*suffix || *first <= *last);
}

static struct range_part cut(uint64_t size, bool suffix, uint64_t first, uint64_t last)
{
    if (suffix) {
        first = last < size ? size - last : 0;
        if (last == 0)
            return (struct range_part){ .status = 416 };
        last = UINT64_MAX;
    }
    if (first >= size)
        return (struct range_part){ .status = 416 };
    return (struct range_part){ 206, first, (last < size - 1 ? last : size - 1) - first + 1 };
}

struct range_part range_decide(const struct request *rq, const struct range_file *f)
{
    const struct range_part whole = { 200, 0, f->size };
    bool suffix;
    uint64_t first, last;
    int status = precondition(rq, f);
    if (status != 200)
        return (struct range_part){ .status = status };
    if (rq->range == NULL || rq->method == NULL || strcmp(rq->method, "GET") != 0 || !same_file(rq->if_range, f) || !parse(rq->range, &suffix, &first, &last))
        return whole;
    return cut(f->size, suffix, first, last);
}
