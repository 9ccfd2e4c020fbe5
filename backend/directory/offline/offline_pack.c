/* offline_pack.c - a file's bytes -> its container: checksummed blocks, compressed where that makes them smaller. */
#include "backend/directory/offline/offline_format.h"
#include <pthread.h>

enum { VERSION_HIGH = 3, VERSION_LOW = 1, STORED = 0, COMPRESSED = 1, HEAD_BYTES = 16 };
#define POLYNOMIAL 0xEDB88320u

static uint32_t table[256];

static void make_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = (table[i] & 1) != 0 ? table[i] >> 1 ^ POLYNOMIAL : table[i] >> 1;
    }
}

static void need_table(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_table);
}

uint32_t offline_crc(uint32_t crc, struct blob b)
{
    need_table();
    for (size_t i = 0; i < b.n; i++)
        crc = table[(crc ^ b.p[i]) & 0xFF] ^ crc >> 8;
    return crc;
}

/* The register is linear: what the first part left in it goes through n zeros. */
uint32_t offline_crc_join(uint32_t first, uint32_t second, uint64_t n)
{
    need_table();
    for (uint64_t i = 0; i < n; i++)
        first = table[first & 0xFF] ^ first >> 8;
    return first ^ second;
}

static ec_t give_words(struct offline_pack *p, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    uint8_t bytes[HEAD_BYTES];
    struct wr w = wr_over(bytes, sizeof bytes);
    wr_u32(&w, a);
    wr_u32(&w, b);
    wr_u32(&w, c);
    wr_u32(&w, d);
    return p->give(p->ctx, wr_blob(&w));
}

ec_t offline_pack_begin(struct offline_pack *p, struct arena *a, uint64_t size, offline_give *give, void *ctx)
{
    *p = (struct offline_pack){ wr_over(arena_alloc(a, OFFLINE_BLOCK), OFFLINE_BLOCK), give, ctx, offline_lzx_new(a) };
    if (size > UINT32_MAX)
        return EC(ecTooBig);
    return give_words(p, VERSION_HIGH, VERSION_LOW, OFFLINE_BLOCK, (uint32_t)size);
}

static ec_t give_block(struct offline_pack *p)
{
    struct blob b = wr_blob(&p->block), small;
    bool smaller = offline_lzx_block(p->lzx, b, &small);
    TRY(give_words(p, smaller ? COMPRESSED : STORED, (uint32_t)(smaller ? small.n : b.n), (uint32_t)b.n, offline_crc(OFFLINE_CRC_BEGIN, b)));
    TRY(p->give(p->ctx, smaller ? small : b));
    wr_rewind(&p->block, 0);
    return ecNone;
}

ec_t offline_pack_add(struct offline_pack *p, struct blob b)
{
    for (struct rd r = rd_blob_of(b); r.n != 0; ) {
        size_t room = wr_room(&p->block);
        wr_put(&p->block, rd_blob(&r, r.n < room ? r.n : room));
        if (wr_room(&p->block) == 0)
            TRY(give_block(p));
    }
    return ecNone;
}

ec_t offline_pack_end(struct offline_pack *p) { return wr_mark(&p->block) != 0 ? give_block(p) : ecNone; }
