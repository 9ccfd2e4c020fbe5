/* nspi_table.c - tables of address lists: UpdateStat, QueryRows, SeekEntries, CompareMIds, ResortRestriction. */
#include "session/nspi/nspi_table.h"
#include "session/nspi/nspi_row.h"

enum { SEEK_ROWS = 50 };   /* rows that a SeekEntries with columns brings along */

/* --- where a STAT stands -------------------------------------------------------------------------------------------------------------------- */

ec_t nspi_container(uint32_t mid, int64_t *row)
{
    if (mid != 0 && mid <= MID_FIRST)
        return EC(ecInvalidBookmark);
    *row = mid == 0 ? 0 : (int64_t)mid - MID_FIRST;
    return ecNone;
}

bool nspi_sort(uint32_t sort_type, enum book_sort *sort)
{
    *sort = sort_type == SORT_PHONETIC ? BOOK_BY_PHONETIC : BOOK_BY_NAME;
    return sort_type == SORT_NAME || sort_type == SORT_PHONETIC;
}

ec_t nspi_view(struct nspi_ctx *c, const struct nspi_stat *s, const struct book_view **v)
{
    enum book_sort sort;
    int64_t row = 0;
    TRY(nspi_container(s->container, &row));
    if (!nspi_sort(s->sort_type, &sort))
        return EC(ecGeneralFailure);
    return book_view(&c->look, row, sort, s->sort_locale, v);
}

/* OXNSPI 3.1.4.5.2: as far into the table as the client was. */
static size_t fraction(const struct nspi_stat *s, size_t n)
{
    uint64_t at = s->total != 0 ? (uint64_t)n * s->num_pos / s->total : 0;
    return at < n ? (size_t)at : n;
}

/* By CurrentRec, with `fractional` also by NumPos of TotalRecs if CurrentRec is MID_CURRENT; Delta not yet applied. */
static ec_t position(const struct nspi_ctx *c, const struct nspi_stat *s, const struct book_view *v, bool fractional, size_t *at)
{
    if (s->current == MID_BEGINNING)
        *at = 0;
    else if (s->current == MID_END)
        *at = book_count(v);
    else if (s->current == MID_CURRENT && fractional)
        *at = fraction(s, book_count(v));
    else if (s->current <= MID_FIRST || !book_find(&c->look, v, (int64_t)s->current - MID_FIRST, at))
        return EC(ecNotFound);
    return ecNone;
}

/* Not beyond the first or behind the end. */
static size_t moved(const struct book_view *v, size_t at, int64_t by)
{
    int64_t to = (int64_t)at + by;
    return to < 0 ? 0 : (uint64_t)to > book_count(v) ? book_count(v) : (size_t)to;
}

static void stand(struct nspi_stat *s, const struct book_view *v, size_t at)
{
    s->current = at < book_count(v) ? entry_mid(book_row(v, at)) : MID_END;
    s->delta = 0;
    s->num_pos = (uint32_t)at;
    s->total = (uint32_t)book_count(v);
}

static void answer_stat(struct nspi_ctx *c, const struct nspi_stat *s)
{
    c->out->has_stat = true;
    c->out->stat = *s;
}

/* --- requests ------------------------------------------------------------------------------------------------------------------------------- */

/* OXNSPI 3.1.4.1.4 */
ec_t nspi_UpdateStat(struct nspi_ctx *c)
{
    struct nspi_stat s = c->in->stat;
    const struct book_view *v = NULL;
    size_t from = 0;
    TRY(nspi_view(c, &s, &v));
    TRY(position(c, &s, v, true, &from));
    size_t to = moved(v, from, s.delta);
    stand(&s, v, to);
    answer_stat(c, &s);
    if (c->in->wants_delta)
        c->out->delta = (int32_t)((int64_t)to - (int64_t)from);
    return ecNone;
}

/* Rows for ids in their order, whatever they name, as long as there is room. */
static void rows_of(struct nspi_ctx *c, const uint32_t *mid, size_t n, uint32_t flags)
{
    for (size_t i = 0; i < n && nspi_row(c, mid[i], flags); i++)
        nspi_rest(c);
}

/* After a rest: the table as it is now, from behind the row on; if that has gone, from where it was. */
static ec_t view_again(struct nspi_ctx *c, const struct nspi_stat *s, int64_t row, const struct book_view **v, size_t *at)
{
    size_t found;
    TRY(nspi_view(c, s, v));
    if (book_find(&c->look, *v, row, &found))
        *at = found + 1;
    else
        *at = moved(*v, *at, -1);
    return ecNone;
}

/* So many rows of a table from a place on, as far as there is room; the place moves behind them. */
static ec_t rows_from(struct nspi_ctx *c, const struct nspi_stat *s, const struct book_view **v, size_t *at, size_t n, uint32_t flags)
{
    for (size_t got = 0; got < n && *at < book_count(*v); got++) {
        int64_t row = book_row(*v, *at);
        if (!nspi_row(c, entry_mid(row), flags))
            break;
        ++*at;
        if (nspi_rest(c))
            TRY(view_again(c, s, row, v, at));
    }
    return ecNone;
}

/* OXNSPI 3.1.4.1.8 */
static ec_t query_table(struct nspi_ctx *c)
{
    struct nspi_stat s = c->in->stat;
    const struct book_view *v = NULL;
    size_t at = 0, wanted = c->in->arg[0];
    if (wanted == 0)
        return EC(ecInvalidParameter);
    TRY(nspi_view(c, &s, &v));
    TRY(position(c, &s, v, false, &at));
    at = moved(v, at, s.delta);
    nspi_columns(c);
    TRY(rows_from(c, &c->in->stat, &v, &at, wanted, c->in->flags));
    if (c->out->nrows == 0 && at < book_count(v))
        return EC(ecOutOfResources);
    stand(&s, v, at);
    answer_stat(c, &s);
    return ecNone;
}

ec_t nspi_QueryRows(struct nspi_ctx *c)
{
    if (c->in->mids == 0)
        return query_table(c);
    struct nspi_stat s = c->in->stat;
    size_t wanted = c->in->arg[0] < c->in->mids ? c->in->arg[0] : c->in->mids;
    nspi_columns(c);
    rows_of(c, c->in->mid, wanted, c->in->flags);
    if (c->out->nrows == 0 && wanted != 0)
        return EC(ecOutOfResources);
    s.delta = 0;
    answer_stat(c, &s);
    return ecNone;
}

/* --- SeekEntries (OXNSPI 3.1.4.1.9) ---------------------------------------------------------------------------------------------------------- */

static ec_t seek_table(struct nspi_ctx *c, struct nspi_stat *s)
{
    const struct book_view *v = NULL;
    int32_t delta = s->delta;
    TRY(nspi_view(c, s, &v));
    size_t at = book_seek(v, c->in->target.v.s);
    if (at == book_count(v))
        return EC(ecNotFound);
    stand(s, v, at);
    s->delta = delta; /* R1055 */
    if (c->in->has_tags)
        TRY(rows_from(c, &c->in->stat, &v, &at, SEEK_ROWS, FLAG_EPHEMERAL));
    return ecNone;
}

/* The list is sorted as its table is (R1020), so it is searched like one. */
static ec_t seek_list(struct nspi_ctx *c, struct nspi_stat *s)
{
    size_t low = 0, high = c->in->mids;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (book_compare(&c->look, BOOK_BY_NAME, s->sort_locale, (int64_t)c->in->mid[mid] - MID_FIRST, c->in->target.v.s) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == c->in->mids)
        return EC(ecNotFound);
    s->current = c->in->mid[low];
    s->num_pos = (uint32_t)low;
    s->total = (uint32_t)c->in->mids;
    if (c->in->has_tags)
        rows_of(c, c->in->mid + low, c->in->mids - low, FLAG_EPHEMERAL);
    return ecNone;
}

/* A list of members has the group as its container (R1146). */
static ec_t check_container(struct nspi_ctx *c, uint32_t mid, bool or_object)
{
    const struct book_view *v;
    int64_t row = 0;
    TRY(nspi_container(mid, &row));
    if (or_object && book_exists(&c->look, row, NULL))
        return ecNone;
    return book_view(&c->look, row, BOOK_BY_NAME, c->in->stat.sort_locale, &v);
}

ec_t nspi_SeekEntries(struct nspi_ctx *c)
{
    struct nspi_stat s = c->in->stat;
    if (!c->in->has_target)
        return EC(ecInvalidParameter);
    TRY(check_container(c, s.container, c->in->has_mids));
    if (s.sort_type != SORT_NAME || prop_unicode(c->in->target.tag) != PidTagDisplayName)
        return EC(ecGeneralFailure);
    if (c->in->has_tags)
        nspi_columns(c);
    TRY(c->in->has_mids ? seek_list(c, &s) : seek_table(c, &s));
    answer_stat(c, &s);
    return ecNone;
}

/* --- the rest -------------------------------------------------------------------------------------------------------------------------------- */

/* OXNSPI 3.1.4.1.12 */
ec_t nspi_CompareMIds(struct nspi_ctx *c)
{
    const struct book_view *v = NULL;
    size_t x = 0, y = 0;
    TRY(nspi_view(c, &c->in->stat, &v));
    if (!book_find(&c->look, v, (int64_t)c->in->arg[0] - MID_FIRST, &x) || !book_find(&c->look, v, (int64_t)c->in->arg[1] - MID_FIRST, &y))
        return EC(ecGeneralFailure);
    c->out->result = (x > y) - (x < y);
    return ecNone;
}

/* OXNSPI 3.1.4.1.11; phonetic order too, as servers since 2013 have it (R1194002) */
ec_t nspi_ResortRestriction(struct nspi_ctx *c)
{
    struct nspi_stat s = c->in->stat;
    enum book_sort sort;
    size_t n = 0;
    if (!nspi_sort(s.sort_type, &sort))
        return EC(ecGeneralFailure);
    int64_t *row = arena_array(c->a, int64_t, c->in->mids);
    for (size_t i = 0; i < c->in->mids; i++)
        if (c->in->mid[i] > MID_FIRST)
            row[n++] = (int64_t)c->in->mid[i] - MID_FIRST;
    book_order(&c->look, c->a, sort, s.sort_locale, row, &n);
    uint32_t *mid = arena_array(c->a, uint32_t, n), at = 0;
    bool found = false;
    for (size_t i = 0; i < n; i++) {
        mid[i] = entry_mid(row[i]);
        if (mid[i] == s.current && !found) {
            at = (uint32_t)i;
            found = true;
        }
    }
    s.total = (uint32_t)n;
    s.num_pos = at;
    s.current = found ? s.current : MID_BEGINNING;
    c->out->has_mids = true;
    c->out->mid = mid;
    c->out->mids = n;
    answer_stat(c, &s);
    return ecNone;
}
