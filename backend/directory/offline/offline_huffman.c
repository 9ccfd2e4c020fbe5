/* offline_huffman.c - how often symbols occur -> the lengths of their codes, and these. */
#include "backend/base/must.h"
#include "backend/directory/offline/offline_lzx.h"
#include <stdlib.h>

enum { LENGTHS = 17 };

struct leaf { uint32_t frequency; uint16_t symbol; };

static int rarer(const void *x, const void *y)
{
    const struct leaf *a = x, *b = y;
    if (a->frequency != b->frequency)
        return a->frequency < b->frequency ? -1 : 1;
    return (int)a->symbol - (int)b->symbol;
}

/* The rarest two become one, again and again: leaves are sorted, and what they become comes in order too.  Parents stand behind their children. */
static void join(const struct leaf *leaf, size_t n, uint16_t *parent)
{
    uint32_t weight[HUFFMAN_SYMBOLS];
    size_t   next_leaf = 0, next_node = 0, nodes = 0;
    while (nodes + 1 < n) {
        weight[nodes] = 0;
        for (int two = 0; two < 2; two++) {
            bool from_leaf = next_node == nodes || (next_leaf < n && leaf[next_leaf].frequency <= weight[next_node]);
            weight[nodes] += from_leaf ? leaf[next_leaf].frequency : weight[next_node];
            parent[from_leaf ? next_leaf++ : n + next_node++] = (uint16_t)(n + nodes);
        }
        nodes++;
    }
}

/* The depth of each leaf; the deepest. */
static unsigned depths(const struct leaf *leaf, size_t n, uint8_t *length)
{
    uint16_t parent[2 * HUFFMAN_SYMBOLS];
    uint8_t  depth[2 * HUFFMAN_SYMBOLS] = { 0 };
    unsigned deepest = 0;
    join(leaf, n, parent);
    for (size_t i = 2 * n - 2; i-- > 0; ) {
        depth[i] = (uint8_t)(depth[parent[i]] + 1);
        deepest = depth[i] > deepest ? depth[i] : deepest;
    }
    for (size_t i = 0; i < n; i++)
        length[leaf[i].symbol] = depth[i];
    return deepest;
}

static size_t used(const uint32_t *frequency, size_t n, struct leaf *leaf)
{
    size_t leaves = 0;
    for (size_t i = 0; i < n; i++)
        if (frequency[i] != 0)
            leaf[leaves++] = (struct leaf){ frequency[i], (uint16_t)i };
    if (leaves == 1) { /* a code of one symbol is not complete */
        leaf[1] = (struct leaf){ 1, leaf[0].symbol == 0 };
        leaves = 2;
    }
    return leaves;
}

void huffman_lengths(const uint32_t *frequency, size_t n, unsigned most, uint8_t *length)
{
    struct leaf leaf[HUFFMAN_SYMBOLS];
    must(n <= HUFFMAN_SYMBOLS && n >= 2);
    memset(length, 0, n);
    size_t leaves = used(frequency, n, leaf);
    for (unsigned deepest = most + 1; leaves != 0 && deepest > most; ) {
        qsort(leaf, leaves, sizeof *leaf, rarer);
        deepest = depths(leaf, leaves, length);
        for (size_t i = 0; i < leaves; i++) /* flatter, should it be too deep */
            leaf[i].frequency = (leaf[i].frequency + 1) / 2;
    }
}

void huffman_codes(const uint8_t *length, size_t n, uint16_t *code)
{
    uint32_t count[LENGTHS] = { 0 }, next[LENGTHS + 1] = { 0 };
    for (size_t i = 0; i < n; i++)
        count[length[i]]++;
    count[0] = 0;
    for (size_t i = 1; i < LENGTHS; i++)
        next[i + 1] = (next[i] + count[i]) << 1;
    for (size_t i = 0; i < n; i++)
        code[i] = length[i] != 0 ? (uint16_t)next[length[i]]++ : 0;
}
