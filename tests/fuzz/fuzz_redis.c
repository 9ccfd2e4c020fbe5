/* fuzz_redis.c - the key `redis` of the configuration, addresses that servers tell, keys: any bytes. */
#include "backend/base/must.h"
#include "backend/base/redis_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *a = arena_new(1 << 20);
    const char *text = arena_str(a, blob_of(data, n));
    struct redis_target target;
    struct redis_address at, again;
    char why[REDIS_WHY] = "", words[300];
    if (redis_target_parse(text, &target, why)) {
        must(target.seeds != 0 && target.seeds <= REDIS_SEEDS);
        for (size_t i = 0; i < target.seeds; i++)
            must(target.seed[i].host[0] != '\0' && (target.seed[i].port != 0 || target.mode == REDIS_ONE));
    } else {
        must(why[0] != '\0');
    }
    if (redis_address_parse(text, strlen(text), &at)) { /* what is written can be read */
        redis_address_text(&at, words);
        must(redis_address_parse(words, strlen(words), &again) && redis_address_eq(&at, &again));
    }
    must(redis_slot(blob_of(data, n)) < REDIS_SLOTS);
    arena_free(a);
    return 0;
}
