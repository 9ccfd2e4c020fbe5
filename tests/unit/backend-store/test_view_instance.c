/* test_view_instance.c - multi-values whose instances are rows (OXCTABL R433, R448, R8, R12): sorted by them, only shown, restricted, changed. */
#include "tests/unit/backend-store/viewkit.h"
#include <stdio.h>
#include <stdlib.h>

enum { WORDS = PROP_TAG(0x6805, PtypString | PtypMultipleFlag), WORD = PROP_TAG(0x6805, PtypString | PtypMultipleInstance), MSGS = 90, ROWS = MSGS * 4 };

struct item { uint64_t mid; size_t n; int word[4]; bool gone; };
struct line { uint64_t mid; int word; size_t inst; };            /* word -1: the message has none */

static const char *const words[] = { "ant", "bee", "cat", "dog", "eel", "fox" };

static void save(struct mbox *b, uint64_t fid, struct item *it, unsigned *seed)
{
    struct msg m = { 0 };
    struct message_save s = { .fid = fid, .mid = it->mid, .force = true, .over = &m };
    struct propval v = { .tag = WORDS };
    it->n = (size_t)rand_r(seed) % 5;
    v.v.mv.n = it->n;
    v.v.mv.s = arena_array(b->a, struct blob, 4);
    for (size_t i = 0; i < it->n; i++) {
        it->word[i] = rand_r(seed) % 6;
        v.v.mv.s[i] = blob_str(words[it->word[i]]);
    }
    if (it->n != 0)
        props_set(b->a, &m.set, v);
    else
        tags_add(b->a, &m.del, WORDS);
    REQUIRE_EC(mailbox_write(b->m), ecNone);
    REQUIRE_EC(message_save(b->m, &s), ecNone);
    REQUIRE_EC(mailbox_commit(b->m), ecNone);
    it->mid = s.mid;
}

static bool by_words;
static int line_cmp(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (by_words && x->word != y->word)
        return x->word - y->word;
    if (x->inst != y->inst)
        return x->inst > y->inst ? 1 : -1;
    return (x->mid > y->mid) - (x->mid < y->mid);
}

static size_t lines_of(const struct item *it, struct line *out, int at_least)
{
    size_t n = 0;
    for (size_t i = 0; i < MSGS; i++) {
        if (it[i].mid == 0 || it[i].gone)
            continue;
        if (it[i].n == 0 && at_least < 0)
            out[n++] = (struct line){ it[i].mid, -1, 0 };
        for (size_t k = 0; k < it[i].n; k++)
            if (it[i].word[k] >= at_least)
                out[n++] = (struct line){ it[i].mid, it[i].word[k], k };
    }
    qsort(out, n, sizeof *out, line_cmp);
    return n;
}

struct seen { const struct line *want; size_t n, max; };

static bool look(void *ctx, const struct table_row *row)
{
    struct seen *s = ctx;
    const struct propval *v = row->cols.v;
    if (!CHECK(s->n < s->max))
        return false;
    const struct line *l = &s->want[s->n++];
    bool same = CHECK_INT(row->id, l->mid) && CHECK_INT(v[1].v.i32, l->inst);
    CHECK_INT(v[2].v.i64, (int64_t)id_wire(REPLID_OWN, l->mid));
    if (l->word < 0)
        CHECK_INT(prop_type(v[0].tag), PtypErrorCode);
    else
        CHECK_BLOB(v[0].v.s, blob_str(words[l->word]));
    return same;
}

static void check_table(struct mbox *b, const struct table_def *d, const struct item *it, int at_least)
{
    static struct line want[ROWS];
    static const uint32_t tags[] = { WORD, PidTagInstanceNum, PidTagInstID };
    by_words = d->instance == 0;
    struct seen s = { want, 0, lines_of(it, want, at_least) };
    struct table_pos pos = { .end = false };
    struct view *v = kit_open(b, d);
    CHECK_INT(kit_count(v), s.max);
    while (!pos.end && s.n < s.max)
        CHECK_EC(view_read(v, &pos, true, 7, tags, 3, look, &s), ecNone);
    CHECK_INT(s.n, s.max);
}

TEST_LIMIT(rows_of_instances, 120)
{
    struct mbox b = mbox_new();
    uint64_t fid = kit_folder(&b, "words");
    static struct item it[MSGS];
    unsigned seed = 4;
    memset(it, 0, sizeof it);
    struct table_def sorted = kit_table(fid, 1, (struct sortcol[]){ { WORD, SORT_ASCENDING } }), shown = kit_table(fid, 0, NULL), some = sorted;
    struct restriction ge = kit_relation(RELOP_GE, pv_str(WORD, "cat"));
    ge.property.value.tag = prop_retype(WORD, PtypString);
    shown.instance = WORD;
    shown.sort = (struct sortorder){ .n = 1, .col = { { PidTagImportance, SORT_ASCENDING } } }; /* the same for all */
    some.filter = &ge;
    for (int step = 0; step < 500; step++) {
        struct item *x = &it[(size_t)rand_r(&seed) % MSGS];
        if (x->mid != 0 && !x->gone && rand_r(&seed) % 12 == 0) {
            kit_delete(&b, fid, x->mid, true);
            x->gone = true;
        } else if (!x->gone) {
            save(&b, fid, x, &seed);
        }
        if (step % 10 != 0)
            continue;
        check_table(&b, &sorted, it, -1);
        check_table(&b, &some, it, 2);
        check_table(&b, &shown, it, -1);
        mbox_again(&b);
    }
    kit_clean(&b);
    mbox_end(&b);
}

/* Expanded only because a column asks for it. */
TEST(only_shown)
{
    struct mbox b = mbox_new();
    uint64_t fid = kit_folder(&b, "words");
    struct item it[3] = { { 0 } };
    unsigned seed = 8, total = 0;
    struct table_def d = kit_table(fid, 0, NULL);
    for (int i = 0; i < 3; i++) {
        do
            save(&b, fid, &it[i], &seed);
        while (it[i].n < 2);
        total += (unsigned)it[i].n;
    }
    CHECK_INT(kit_count(kit_open(&b, &d)), 3);
    d.instance = WORD;
    CHECK_INT(kit_count(kit_open(&b, &d)), total);
    d.instance = WORDS;
    struct view *v;
    CHECK_EC(view_open(b.m, &d, &v), ecInvalidParameter);
    mbox_end(&b);
}

/* A search looks at instances, not at messages. */
TEST(found)
{
    struct mbox b = mbox_new();
    uint64_t fid = kit_folder(&b, "words");
    struct item it[1] = { { 0 } };
    unsigned seed = 1;
    struct table_def d = kit_table(fid, 1, (struct sortcol[]){ { WORD, SORT_DESCENDING } });
    do
        save(&b, fid, &it[0], &seed);
    while (it[0].n != 4);
    struct view *v = kit_open(&b, &d);
    for (size_t i = 0; i < 4; i++) {
        struct restriction r = kit_relation(RELOP_EQ, pv_str(WORD, words[it[0].word[i]]));
        r.property.value.tag = prop_retype(WORD, PtypString);
        struct table_pos pos = { .end = false };
        static struct line want;
        static const uint32_t tags[] = { WORD, PidTagInstanceNum, PidTagInstID };
        CHECK_EC(view_find(v, &pos, true, &r), ecNone);
        size_t first = i;
        for (size_t k = 0; k < i; k++)
            first = it[0].word[k] == it[0].word[i] && k < first ? k : first;
        want = (struct line){ it[0].mid, it[0].word[i], first };
        struct seen s = { &want, 0, 1 };
        CHECK_EC(view_read(v, &pos, true, 1, tags, 3, look, &s), ecNone);
        CHECK_INT(s.n, 1);
    }
    mbox_end(&b);
}
