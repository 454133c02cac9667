#include "kv.h"

#include "cache.h"

static const char swap_script[] = "if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end "
                                  "redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) return 1";

static void was_read(const struct cache_reply *answer, void *arg)
{
    struct kv *kv = arg;

    kv->text = "";
    kv->outcome = answer->kind == CACHE_NIL ? KV_NONE : KV_AWAY;
    if (answer->kind == CACHE_TEXT) {
        kv->outcome = KV_FOUND;
        kv->text = arena_strndup(kv->r->arena, answer->text, answer->len);
    }
    req_run(kv->r);
}

static void was_swapped(const struct cache_reply *answer, void *arg)
{
    struct kv *kv = arg;

    kv->outcome = KV_AWAY;
    if (answer->kind == CACHE_NUMBER)
        kv->outcome = answer->number ? KV_SET : KV_CHANGED;
    req_run(kv->r);
}

enum next kv_read(struct req *r, struct kv *kv, const char *key)
{
    *kv = (struct kv){ .outcome = KV_AWAY, .text = "", .r = r };
    return cache_command(was_read, kv, 2, (const char *const[]){ "GET", key }) ? WAIT : GO;
}

enum next kv_swap(struct req *r, struct kv *kv, const char *key, const char *text, int seconds)
{
    const char *const eval[] = { "EVAL", swap_script, "1", key, kv->text, text, arena_printf(r->arena, "%d", seconds) };

    kv->r = r;
    kv->outcome = KV_AWAY;
    return cache_command(was_swapped, kv, COUNT(eval), eval) ? WAIT : GO;
}
