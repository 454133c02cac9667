/* One number a key: the moment at which all that was taken is paid back.  Each taking moves it on by window / most; when that
 * would reach further than a window ahead, the taking is refused for the time it is too far.  So a burst of `most` is fine,
 * then one every window / most.  The script and take_here are the same sum. */

#include "limit.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cache.h"
#include "settings.h"

static const char script[] = "local t = redis.call('TIME')\n"
                             "local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
                             "local cost, window, count = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1'\n"
                             "local paid = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) + cost\n"
                             "local wait = paid - now - window\n"
                             "if wait > 0 then return math.ceil(wait) end\n"
                             "if count then redis.call('SET', KEYS[1], string.format('%.0f', paid), 'PX', window) end\n"
                             "return 0\n";

enum { MINUTE = 60, QUARTER = 15 * MINUTE, HOUR = 60 * MINUTE, BUCKETS = 1024, WAYS = 4, KEY_SIZE = 256 };

/* Most per window: a setting times a factor, or (without a setting) the factor itself. */
static const struct rule {
    const char *name;
    size_t setting;
    int factor, window;
} rules[LIMIT_KINDS] = {
    [LIMIT_SUBMIT] = { "submit", offsetof(struct settings, limit_submit), 1, MINUTE },
    [LIMIT_SUBMIT_PHONE] = { "phone", offsetof(struct settings, limit_submit), 5, HOUR },
    [LIMIT_QUERY] = { "query", offsetof(struct settings, limit_query), 1, MINUTE },
    [LIMIT_CODE] = { "code", 0, 5, QUARTER },
    [LIMIT_LOGIN] = { "login", offsetof(struct settings, limit_login), 1, MINUTE },
    [LIMIT_LOGIN_NAME] = { "name", offsetof(struct settings, limit_login), 1, QUARTER },
    [LIMIT_STAFF] = { "staff", offsetof(struct settings, limit_staff), 1, MINUTE },
    [LIMIT_APP] = { "app", offsetof(struct settings, limit_app), 1, MINUTE },
    [LIMIT_UPLOAD] = { "upload", offsetof(struct settings, limit_upload), 1, MINUTE },
    [LIMIT_SMS] = { "sms", offsetof(struct settings, limit_submit), 10, HOUR },
    [LIMIT_SMS_PHONE] = { "smsto", 0, 5, HOUR },
    [LIMIT_SMS_AGAIN] = { "smsagain", 0, 1, MINUTE },
    [LIMIT_TRY] = { "try", 0, 5, QUARTER },
    [LIMIT_TRY_PHONE] = { "tryphone", 0, 20, HOUR },
};

/* What is counted here while Redis is away.  A full bucket forgets the key that is paid back first. */
struct entry {
    uint64_t key;
    int64_t paid;
};

static struct {
    struct entry entries[BUCKETS][WAYS];
    unsigned char seed[crypto_shorthash_KEYBYTES]; /* so that nobody can aim at a bucket */
} table;

/* One question about one key. */
struct taking {
    struct req *r;
    char key[KEY_SIZE];
    int most, window; /* milliseconds */
    bool count;
};

static int most_of(const struct rule *rule)
{
    const struct settings *all = settings();

    return rule->setting == 0 ? rule->factor : *(const int *)((const char *)all + rule->setting) * rule->factor;
}

void limit_network(const char *address, char out[REQ_ADDRESS_SIZE])
{
    struct in6_addr network;

    if (inet_pton(AF_INET6, address, &network) == 1) {
        memset(network.s6_addr + 8, 0, 8);
        inet_ntop(AF_INET6, &network, out, REQ_ADDRESS_SIZE);
    } else {
        snprintf(out, REQ_ADDRESS_SIZE, "%s", address);
    }
}

/* What follows a space stays as it is, and so does what is no address. */
static void write_key(char *out, size_t size, const char *name, const char *key)
{
    char address[REQ_ADDRESS_SIZE] = "", network[REQ_ADDRESS_SIZE];
    size_t len = strcspn(key, " ");

    if (len >= sizeof address) {
        snprintf(out, size, "l:%s:%s", name, key);
        return;
    }
    memcpy(address, key, len);
    limit_network(address, network);
    snprintf(out, size, "l:%s:%s%s", name, network, key + len);
}

static struct taking taking_of(enum limit_kind kind, const char *key, bool count)
{
    const struct rule *rule = &rules[kind];
    struct taking taking = { .most = most_of(rule), .window = rule->window * 1000, .count = count };

    write_key(taking.key, sizeof taking.key, rule->name, key);
    return taking;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct entry *entry_of(const char *key)
{
    unsigned char bytes[crypto_shorthash_BYTES];
    uint64_t hash;
    struct entry *bucket, *entry;

    crypto_shorthash(bytes, (const unsigned char *)key, strlen(key), table.seed);
    memcpy(&hash, bytes, sizeof hash);
    entry = bucket = table.entries[hash % BUCKETS];
    for (size_t i = 0; i < WAYS; i++) {
        if (bucket[i].key == hash)
            return &bucket[i];
        if (bucket[i].paid < entry->paid)
            entry = &bucket[i];
    }
    *entry = (struct entry){ .key = hash };
    return entry;
}

/* Milliseconds to wait; 0: taken, or free to take. */
static int64_t take_here(const struct taking *taking)
{
    struct entry *entry = entry_of(taking->key);
    int64_t now = now_ms(), paid = (entry->paid > now ? entry->paid : now) + taking->window / taking->most;
    int64_t wait = paid - now - taking->window;

    if (wait > 0)
        return wait;
    if (taking->count)
        entry->paid = paid;
    return 0;
}

static bool take_in_redis(const struct taking *taking, cache_fn *fn, void *arg)
{
    char cost[16], window[16];
    const char *const eval[] = { "EVAL", script, "1", taking->key, cost, window, taking->count ? "1" : "0" };

    snprintf(cost, sizeof cost, "%d", taking->window / taking->most);
    snprintf(window, sizeof window, "%d", taking->window);
    return cache_command(fn, arg, COUNT(eval), eval);
}

static enum next too_many(struct req *r)
{
    return refuse(r, 429, "too_many", why_new(r->arena, "操作过于频繁，请稍后再试", "too many requests, please wait"));
}

static step_fn *const refused[] = { too_many };

/* Go on with the request's own steps, or turn it to the refusal. */
static void settle(struct req *r, int64_t wait_ms)
{
    char seconds[24];

    if (wait_ms <= 0)
        return;
    snprintf(seconds, sizeof seconds, "%lld", (long long)(wait_ms + 999) / 1000);
    req_set_header(r, "Retry-After", seconds);
    r->step = refused;
}

static void on_reply(const struct cache_reply *reply, void *arg)
{
    const struct taking *taking = arg;

    settle(taking->r, reply->kind == CACHE_NUMBER ? reply->number : take_here(taking));
    req_run(taking->r);
}

static enum next take(struct req *r, enum limit_kind kind, const char *key, bool count)
{
    struct taking *taking = arena_alloc(r->arena, sizeof *taking);

    *taking = taking_of(kind, key, count);
    taking->r = r;
    if (taking->most == 0)
        return GO;
    if (take_in_redis(taking, on_reply, taking))
        return WAIT;
    settle(r, take_here(taking));
    return GO;
}

enum next limited(struct req *r, enum limit_kind kind, const char *key)
{
    return take(r, kind, key, true);
}

enum next limit_spent(struct req *r, enum limit_kind kind, const char *key)
{
    return take(r, kind, key, false);
}

void limit_count(enum limit_kind kind, const char *key)
{
    struct taking taking = taking_of(kind, key, true);

    if (taking.most > 0 && !take_in_redis(&taking, NULL, NULL))
        take_here(&taking);
}

bool limit_open(void)
{
    crypto_shorthash_keygen(table.seed);
    return sodium_init() >= 0;
}
