/* books.c - the address book with 100,000 objects: what Outlook asks of it. */
#include "backend/base/filetime.h"
#include "backend/directory/book.h"
#include "backend/directory/source/refresh.h"
#include "session/nspi/nspi_offline.h"
#include "tests/bench/books.h"
#include "tests/bench/cpu.h"
#include "tests/client/nspic.h"
#include "tests/flow/slapd.h"
#include "tests/unit.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ENTRIES = 100000, BATCH = 2000, NAMES = 100 };

/* One session of the book beside the mailbox's. */
struct bench_book { struct mapic c; uint32_t mid[64]; size_t mids; uint32_t small; };

static const char *const given[] = { "Anna", "Bernd", "Clara", "David", "Elena", "Felix", "Greta", "Hans", "Ines", "Jakob", "Karin", "Lukas", "Maria", "Nils", "Olga", "Peter" };
static const char *const surname[] = { "Adler", "Bauer", "Conrad", "Dietrich", "Engel", "Fischer", "Graf", "Huber", "Ibrahim", "Jansen", "Keller", "Lorenz", "Meyer", "Neumann" };

static ec_t add_entry(struct directory *d, struct arena *a, unsigned i)
{
    const char *g = given[i % 16], *s = arena_printf(a, "%s%u", surname[i / 16 % 14], i / 224);
    struct entry e = { .kind = i % 50 == 0 ? ENTRY_GROUP : i % 75 == 0 ? ENTRY_ROOM : ENTRY_USER, .display_name = arena_printf(a, "%s %s", g, s),
                       .smtp = arena_printf(a, "user%u@example.com", i), .dn = arena_printf(a, "/o=Demo/ou=x/cn=Recipients/cn=user%u", i) };
    props_set(a, &e.props, pv_str(PidTagGivenName, g));
    props_set(a, &e.props, pv_str(PidTagSurname, s));
    props_set(a, &e.props, pv_str(PidTagAccount, arena_printf(a, "user%u", i)));
    props_set(a, &e.props, pv_str(PidTagDepartmentName, arena_printf(a, "Department %u", i % 100)));
    props_set(a, &e.props, pv_str(PidTagOfficeLocation, arena_printf(a, "%u/%u", i % 20, i % 500)));
    props_set(a, &e.props, pv_str(PidTagBusinessTelephoneNumber, arena_printf(a, "+49 30 %u", i)));
    props_set(a, &e.props, pv_str(PidTagPrimaryTelephoneNumber, arena_printf(a, "+49 30 %u", i)));
    return entry_add(d, a, &e);
}

static void fill(struct stack *s)
{
    uint64_t t = clock_ms();
    for (unsigned at = 0; at < ENTRIES; at += BATCH) {
        struct arena *a = arena_new((size_t)1 << 30);
        ec_t ec = entry_batch(s->directory);
        for (unsigned i = at; i < at + BATCH && ec == ecNone; i++)
            ec = add_entry(s->directory, a, i);
        REQUIRE_EC(entry_batch_end(s->directory, ec), ecNone);
        arena_free(a);
    }
    printf("(address book of %d objects made in %.1f s)\n", ENTRIES, (double)(clock_ms() - t) / 1000);
}

/* A list of two objects that share no name with anybody. */
static uint32_t small_list(struct stack *s)
{
    struct arena *a = arena_new(1 << 20);
    struct container list = { .name = "Beamers", .filter = "kind=equipment" };
    for (unsigned i = 0; i < 2; i++) {
        struct entry e = { .kind = ENTRY_EQUIPMENT, .display_name = arena_printf(a, "Zz Beamer %u", i) };
        REQUIRE_EC(entry_add(s->directory, a, &e), ecNone);
    }
    REQUIRE_EC(container_add(s->directory, a, &list), ecNone);
    arena_free(a);
    return entry_mid(list.row);
}

/* BENCH_LDAP=1: the same names, numbers and offices as persons of a real LDAP server, from which they are read. */
static void fill_from_ldap(struct stack *s)
{
    struct arena *a = arena_new((size_t)1 << 31);
    struct slapd l;
    struct wr ldif = wr_in(a, (size_t)1 << 28);
    struct config c = *s->config;
    struct sync_count count;
    const char *why = NULL, *head = "dn: dc=example,dc=com\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\n";
    wr_bytes(&ldif, head, strlen(head));
    for (unsigned i = 0; i < ENTRIES; i++) {
        struct arena *each = arena_new(1 << 16);
        const char *g = given[i % 16], *n = arena_printf(each, "%s%u", surname[i / 16 % 14], i / 224);
        const char *one = arena_printf(each, "dn: uid=user%1$u,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: user%1$u\ncn: %2$s %3$s\nsn: %3$s\ngivenName: %2$s\nmail: user%1$u@example.com\n"
                                             "departmentNumber: Department %4$u\nphysicalDeliveryOfficeName: %5$u/%6$u\ntelephoneNumber: +49 30 %1$u\n\n", i, g, n, i % 100, i % 20, i % 500);
        wr_bytes(&ldif, one, strlen(one));
        arena_free(each);
    }
    slapd_start(&l, a, arena_str(a, wr_blob(&ldif)), NULL);
    c.ldap_uris = arena_printf(a, "ldap://127.0.0.1:%u", l.port);
    c.ldap_starttls = false;
    c.book_ldap_base = "dc=example,dc=com";
    uint64_t t = clock_ms();
    ec_t ec = refresh_now(s->directory, a, &c, NULL, &count, &why);
    printf("(address book of %zu objects read from slapd in %.1f s)\n", count.added, (double)(clock_ms() - t) / 1000);
    t = clock_ms();
    if (ec == ecNone)
        ec = refresh_now(s->directory, a, &c, NULL, &count, &why);
    printf("(read again, %zu unchanged, in %.1f s)\n", count.unchanged, (double)(clock_ms() - t) / 1000);
    if (ec != ecNone)
        fprintf(stderr, "slapd: %s\n", why != NULL ? why : err_place());
    REQUIRE(ec == ecNone && count.unchanged == ENTRIES);
    slapd_end(&l);
    arena_free(a);
}

/* BENCH_OFFLINE=1: how long the files for download take to be made of it, and again if nothing changed. */
static void make_offline(struct stack *s)
{
    struct arena *a = arena_new(1 << 24);
    struct offline_book b = { 0 };
    struct offline_file *f = NULL;
    size_t n = 0;
    for (int i = 0; i < 2; i++) {
        uint64_t t = clock_ms(), cpu = cpu_ns(getpid());
        bool made;
        REQUIRE_EC(offline_make(s->directory, a, &nspi_offline_values, 1, NULL, &made), ecNone);
        printf("(offline address book %s in %.1f s, %.1f s of CPU, process of %llu MB)\n", made ? "made" : "looked at", (double)(clock_ms() - t) / 1000,
               (double)(cpu_ns(getpid()) - cpu) / 1e9, (unsigned long long)rss_kib(getpid()) / 1024);
    }
    REQUIRE_EC(offline_of(s->directory, a, 1, &b), ecNone);
    REQUIRE_EC(offline_files(s->directory, a, &b, &f, &n), ecNone);
    printf("(its file: %llu bytes of %llu, %llu objects)\n", (unsigned long long)f[0].size, (unsigned long long)f[0].uncompressed, (unsigned long long)b.objects);
    arena_free(a);
}

static struct nspic_stat stat_at(uint32_t current, uint32_t num_pos, uint32_t total)
{
    return (struct nspic_stat){ .current = current, .num_pos = num_pos, .total = total, .code_page = 1252, .template_locale = 0x409, .sort_locale = 0x409 };
}

static uint32_t call(struct bench_client *b, const char *type, const struct nspic_ask *q, struct nspic_reply *r)
{
    const char *why = NULL;
    struct bench_book *k = b->book;
    uint32_t ec = nspic_call(&k->c, b->turn != NULL ? b->turn : b->a, type, q, NULL, r, &why);
    if (ec == UINT32_MAX)
        fprintf(stderr, "%s: %s\n", type, why != NULL ? why : "");
    return ec;
}

bool bench_book_open(struct bench_client *b)
{
    static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
    static uint32_t small;
    struct nspic_stat s = stat_at(0, 0, 0);
    struct nspic_reply r;
    pthread_mutex_lock(&once);
    if (small == 0) {
        (getenv("BENCH_LDAP") != NULL ? fill_from_ldap : fill)(b->stack);
        if (getenv("BENCH_OFFLINE") != NULL)
            make_offline(b->stack);
        small = small_list(b->stack);
    }
    pthread_mutex_unlock(&once);
    struct bench_book *k = arena_one(b->a, struct bench_book);
    k->small = small;
    b->book = k;
    b->turn = NULL;
    stack_client(b->stack, &k->c, &b->stack->ana);
    nspic_init(&k->c);
    if (call(b, "Bind", &(struct nspic_ask){ .stat = &s }, &r) != 0 || call(b, "QueryRows", &(struct nspic_ask){ .stat = &s, .rows = 64 }, &r) != 0)
        return false;
    s = stat_at(1, 1, 2);
    if (call(b, "QueryRows", &(struct nspic_ask){ .stat = &(struct nspic_stat){ .code_page = 1252 }, .rows = 1 }, &r) != 0)
        return false;
    static const uint32_t key[] = { PidTagInstanceKey };
    if (call(b, "UpdateStat", &(struct nspic_ask){ .stat = &s }, &r) != 0)
        return false;
    s = r.stat;
    if (call(b, "QueryRows", &(struct nspic_ask){ .stat = &s, .rows = 64, .tags = key, .ntags = 1 }, &r) != 0)
        return false;
    for (; k->mids < r.rows && k->mids < 64; k->mids++) {
        struct rd key_bytes = rd_blob_of(r.row[k->mids].v[0].v.bin);
        k->mid[k->mids] = rd_u32(&key_bytes);
    }
    return k->mids == 64;
}

bool bench_book_bind(struct bench_client *b)
{
    struct nspic_stat s = stat_at(0, 0, 0);
    struct nspic_reply r;
    return call(b, "Bind", &(struct nspic_ask){ .stat = &s }, &r) == 0 && call(b, "Unbind", &(struct nspic_ask){ 0 }, &r) == 1;
}

static bool resolve(struct bench_client *b, size_t n)
{
    static const uint32_t columns[] = { PidTagEntryId, PidTagDisplayName, PidTagSmtpAddress, PidTagDisplayType, PidTagObjectType };
    const char *name[NAMES];
    struct nspic_stat s = stat_at(0, 0, 0);
    struct nspic_reply r;
    for (size_t i = 0; i < n; i++)
        name[i] = arena_printf(b->turn, "user%d", rand_r(&b->seed) % ENTRIES);
    return call(b, "ResolveNames", &(struct nspic_ask){ .stat = &s, .names = name, .nnames = n, .tags = columns, .ntags = 5 }, &r) == 0 && r.mids == n && r.mid[0] == 2;
}
bool bench_book_resolve_one(struct bench_client *b) { return resolve(b, 1); }
bool bench_book_resolve_many(struct bench_client *b) { return resolve(b, NAMES); }

/* The same names without rows: the resolution alone, most of it of surnames that many have. */
bool bench_book_check_many(struct bench_client *b)
{
    const char *name[NAMES];
    struct nspic_stat s = stat_at(0, 0, 0);
    struct nspic_reply r;
    for (size_t i = 0; i < NAMES; i++)
        name[i] = arena_printf(b->turn, i % 2 != 0 ? "%s" : "x%sx", surname[(unsigned)rand_r(&b->seed) % 14]);
    return call(b, "ResolveNames", &(struct nspic_ask){ .stat = &s, .names = name, .nnames = NAMES }, &r) == 0 && r.mids == NAMES;
}

static bool resolve_typed(struct bench_client *b, uint32_t container, const char *(*type)(struct bench_client *b, size_t i))
{
    const char *name[NAMES];
    struct nspic_stat s = stat_at(0, 0, 0);
    struct nspic_reply r;
    s.container = container;
    for (size_t i = 0; i < NAMES; i++)
        name[i] = type(b, i);
    return call(b, "ResolveNames", &(struct nspic_ask){ .stat = &s, .names = name, .nnames = NAMES }, &r) == 0 && r.mids == NAMES && r.mid[0] == 0;
}

/* A given name and a floor: thousands have the one, thousands the other, and nobody both, since numbers of persons give both. */
static const char *common_words(struct bench_client *b, size_t i)
{
    unsigned g = (unsigned)rand_r(&b->seed) % 16, floor = (unsigned)rand_r(&b->seed) % 20;
    floor += floor % 4 == g % 4;
    return arena_printf(b->turn, i % 2 != 0 ? "%2$u/ %1$s" : "%s %u/", given[g], floor % 20);
}

/* As somebody types them: a word of the surname and the begin of the given name; one of four is of words that thousands have, and nobody both. */
static const char *two_words(struct bench_client *b, size_t i)
{
    const char *g = given[(unsigned)rand_r(&b->seed) % 16], *n = surname[(unsigned)rand_r(&b->seed) % 14];
    return i % 4 != 0 ? arena_printf(b->turn, "%s%d %.3s", n, rand_r(&b->seed) % (ENTRIES / 224), g) : common_words(b, i);
}

/* What thousands have, in a list that has two objects, neither of them one of those. */
static const char *broad(struct bench_client *b, size_t i)
{
    (void)i;
    return arena_printf(b->turn, "%.2s", surname[(unsigned)rand_r(&b->seed) % 14]);
}

bool bench_book_resolve_words(struct bench_client *b) { return resolve_typed(b, 0, two_words); }
bool bench_book_resolve_common(struct bench_client *b) { return resolve_typed(b, 0, common_words); }
bool bench_book_resolve_small(struct bench_client *b) { return resolve_typed(b, ((struct bench_book *)b->book)->small, broad); }

bool bench_book_resolve_addresses(struct bench_client *b)
{
    const char *name[NAMES];
    struct nspic_stat s = stat_at(0, 0, 0);
    struct nspic_reply r;
    for (size_t i = 0; i < NAMES; i++)
        name[i] = arena_printf(b->turn, "user%d@example.com", rand_r(&b->seed) % ENTRIES);
    return call(b, "ResolveNames", &(struct nspic_ask){ .stat = &s, .names = name, .nnames = NAMES }, &r) == 0 && r.mids == NAMES && r.mid[0] == 2;
}

static bool page(struct bench_client *b, struct nspic_stat s)
{
    static const uint32_t columns[] = { PidTagEntryId, PidTagDisplayName, PidTagObjectType, PidTagDisplayType, PidTagPrimaryTelephoneNumber, PidTagDepartmentName, PidTagOfficeLocation, PidTagInstanceKey };
    struct nspic_reply r;
    return call(b, "QueryRows", &(struct nspic_ask){ .stat = &s, .flags = 2, .rows = 50, .tags = columns, .ntags = 8 }, &r) == 0 && r.rows == 50;
}
bool bench_book_first_page(struct bench_client *b) { return page(b, stat_at(0, 0, 0)); }
bool bench_book_middle_page(struct bench_client *b)
{
    struct bench_book *k = b->book;
    return page(b, stat_at(k->mid[(unsigned)rand_r(&b->seed) % k->mids], 0, 0));
}

bool bench_book_update_stat(struct bench_client *b)
{
    struct bench_book *k = b->book;
    struct nspic_stat s = stat_at(k->mid[(unsigned)rand_r(&b->seed) % k->mids], 0, 0);
    struct nspic_reply r;
    s.delta = (int32_t)(rand_r(&b->seed) % 1000) - 500;
    return call(b, "UpdateStat", &(struct nspic_ask){ .stat = &s, .wants_delta = true }, &r) == 0 && r.stat.total >= ENTRIES;
}

bool bench_book_seek(struct bench_client *b)
{
    struct nspic_stat s = stat_at(0, 0, 0);
    struct nspic_reply r;
    struct propval target = pv_str(PidTagDisplayName, arena_printf(b->turn, "%s %.2s", given[(unsigned)rand_r(&b->seed) % 16], surname[(unsigned)rand_r(&b->seed) % 14]));
    return call(b, "SeekEntries", &(struct nspic_ask){ .stat = &s, .target = &target }, &r) == 0 && r.stat.current >= 0x10;
}

bool bench_book_matches(struct bench_client *b)
{
    struct nspic_stat s = stat_at(0, 0, 0);
    struct nspic_reply r;
    struct restriction name = { .kind = RES_PROPERTY };
    static const uint32_t columns[] = { PidTagEntryId, PidTagDisplayName };
    name.property.relop = RELOP_EQ;
    name.property.value = pv_str(PidTagAnr, arena_printf(b->turn, "user%d", 1000 + rand_r(&b->seed) % 9000));
    name.property.tag = PidTagAnr;
    return call(b, "GetMatches", &(struct nspic_ask){ .stat = &s, .filter = &name, .rows = 50, .tags = columns, .ntags = 2 }, &r) == 0 && r.mids > 0;
}

bool bench_book_all_matches(struct bench_client *b)
{
    struct nspic_stat s = stat_at(0, 0, 0);
    struct nspic_reply r;
    struct restriction office = { .kind = RES_CONTENT };
    office.content.level = FL_FULLSTRING;
    office.content.fuzzy = FL_IGNORECASE;
    office.content.value = pv_str(PidTagOfficeLocation, "7/487");
    office.content.tag = PidTagOfficeLocation;
    return call(b, "GetMatches", &(struct nspic_ask){ .stat = &s, .filter = &office, .rows = 5000 }, &r) == 0 && r.mids > 0;
}

bool bench_book_props(struct bench_client *b)
{
    struct bench_book *k = b->book;
    struct nspic_stat s = stat_at(k->mid[(unsigned)rand_r(&b->seed) % k->mids], 0, 0);
    static const uint32_t tags[] = { PidTagDisplayName, PidTagEntryId, PidTagSmtpAddress, PidTagObjectType, PidTagDisplayType, PidTagOfficeLocation, PidTagDepartmentName,
                                     PidTagBusinessTelephoneNumber, PidTagAccount, PidTagSurname };
    struct nspic_reply r;
    uint32_t ec = call(b, "GetProps", &(struct nspic_ask){ .stat = &s, .tags = tags, .ntags = 10 }, &r);
    return (ec == 0 || ec == 0x00040380) && r.values.n == 10;
}
