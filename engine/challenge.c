#include "challenge.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cache.h"
#include "catalog.h"
#include "limit.h"
#include "log.h"
#include "loop.h"
#include "secret.h"
#include "settings.h"
#include "stats.h"
#include "worker.h"

enum {
    TICK_MS = 1000,
    TICKS = 10,         /* the rate is that of so many ticks */
    CALM_MS = 120000,   /* so long after the last of an attack it is still asked for */
    GOOD_SECONDS = 600, /* a slow telephone needs a while, and so does a citizen who reads */
    HEADER_MAX = 1024,
    SALT_BYTES = 12,
    NUMBER_MOST = 10000000,
    BUCKETS = 1024,
    WAYS = 4
};

static const struct stat stats[] = {
    { "hotlined_public_intake_total", "Complaints that came from the public, refused ones too", STAT_COUNTER, NULL },
    { "hotlined_challenges_total", "Proofs of work by their end", STAT_COUNTER, "end=\"asked\"" },
    { "hotlined_challenges_total", "Proofs of work by their end", STAT_COUNTER, "end=\"solved\"" },
    { "hotlined_challenges_total", "Proofs of work by their end", STAT_COUNTER, "end=\"wrong\"" },
    { "hotlined_challenges_total", "Proofs of work by their end", STAT_COUNTER, "end=\"used\"" },
    { "hotlined_challenge_workers", "Workers that ask for a proof of work", STAT_GAUGE, NULL },
};

enum { STAT_CAME, STAT_ASKED, STAT_SOLVED, STAT_WRONG, STAT_USED, STAT_ON };

/* A challenge that was used while Redis is away.  A full bucket forgets the one that ends first. */
struct used {
    uint64_t challenge, key;
    int64_t expires;
};

static struct {
    int stat;
    struct timer *timer;
    int64_t came[TICKS]; /* all that had come, at each of the last ticks */
    size_t tick;
    int64_t calm; /* when an attack is over, 0 without one */
    struct used used[BUCKETS][WAYS];
    unsigned char seed[crypto_shorthash_KEYBYTES];
} door;

/* One request that shows a solution. */
struct proof {
    struct req *r;
    struct solution solution;
    char key[SECRET_HEX_SIZE]; /* a digest of the request's Idempotency-Key */
};

/* ---- is this an attack? ---- */

static void count(int stat)
{
    stats_add(door.stat + stat, 1);
}

static bool is_on(void)
{
    enum catalog_challenge said = catalog_challenge();

    return said == CHALLENGE_ON || (said == CHALLENGE_AUTO && door.calm);
}

static void look(void *arg)
{
    int64_t total = stats_total(door.stat + STAT_CAME), came = total - door.came[door.tick];
    int rate = settings()->challenge_rate;
    bool first = worker_slot() == 0;

    (void)arg;
    door.came[door.tick] = total;
    door.tick = (door.tick + 1) % TICKS;
    if (rate > 0 && came * 60 > (int64_t)rate * TICKS) {
        if (!door.calm && first)
            log_warn("challenge_on", "came=%lld seconds=%d", (long long)came, TICKS);
        door.calm = loop_now() + CALM_MS;
    } else if (door.calm && loop_now() >= door.calm) {
        if (first)
            log_info("challenge_off", "came=%lld seconds=%d", (long long)came, TICKS);
        door.calm = 0;
    }
    stats_set(door.stat + STAT_ON, is_on());
    timer_set(door.timer, TICK_MS);
}

/* ---- asking ---- */

static void sha256_hex(const char *text, char out[SECRET_HEX_SIZE])
{
    unsigned char hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(hash, (const unsigned char *)text, strlen(text));
    sodium_bin2hex(out, SECRET_HEX_SIZE, hash, sizeof hash);
}

/* The "&" keeps digits of the number from being taken for the salt's. */
static char *new_salt(struct arena *arena)
{
    unsigned char bytes[SALT_BYTES];
    char text[2 * SALT_BYTES + 1];

    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(text, sizeof text, bytes, sizeof bytes);
    return arena_printf(arena, "%s?expires=%lld&", text, (long long)time(NULL) + GOOD_SECONDS);
}

static void hash_of(struct arena *arena, const char *salt, int number, char out[SECRET_HEX_SIZE])
{
    sha256_hex(arena_printf(arena, "%s%d", salt, number), out);
}

static void sign(const struct req *r, const char *challenge, char out[SECRET_HEX_SIZE])
{
    char network[REQ_ADDRESS_SIZE];

    limit_network(r->address, network);
    challenge_sign(challenge, network, out);
}

static void add_challenge(struct req *r, cJSON *problem)
{
    int most = settings()->challenge_numbers;
    const char *salt = new_salt(r->arena);
    char challenge[SECRET_HEX_SIZE], signature[SECRET_HEX_SIZE];
    cJSON *json = cJSON_AddObjectToObject(problem, "challenge");

    hash_of(r->arena, salt, (int)randombytes_uniform((uint32_t)most) + 1, challenge);
    sign(r, challenge, signature);
    cJSON_AddStringToObject(json, "algorithm", "SHA-256");
    cJSON_AddStringToObject(json, "challenge", challenge);
    cJSON_AddNumberToObject(json, "maxnumber", most);
    cJSON_AddStringToObject(json, "salt", salt);
    cJSON_AddStringToObject(json, "signature", signature);
}

static enum next ask_work(struct req *r)
{
    char *text = problem_make(r->arena, 403, "challenge_needed", NULL, r->language);
    const struct why *why;
    cJSON *problem = json_object_only(r->arena, (struct bytes){ text, strlen(text) }, &why);

    count(STAT_ASKED);
    add_challenge(r, problem);
    return reply_json(r, 403, problem);
}

static step_fn *const asked[] = { ask_work };

/* ---- what a client has solved ---- */

static bool read_expiry(const char *salt, int64_t *expires)
{
    static const char middle[] = "?expires=";
    size_t hex = strspn(salt, "0123456789abcdef"), digits;

    if (hex != (size_t)2 * SALT_BYTES || strncmp(salt + hex, middle, sizeof middle - 1) != 0)
        return false;
    salt += hex + sizeof middle - 1;
    digits = strspn(salt, "0123456789");
    if (digits < 1 || digits > 12 || strcmp(salt + digits, "&") != 0)
        return false;
    *expires = strtoll(salt, NULL, 10);
    return true;
}

bool challenge_read(struct arena *arena, const char *header, struct solution *solution)
{
    static const struct field fields[] = {
        { "algorithm", JSON_WORD, .must = true },
        { "challenge", JSON_WORD, .must = true, .min = SECRET_HEX_SIZE - 1, .max = SECRET_HEX_SIZE - 1 },
        { "number", JSON_INT, .must = true, .least = 0, .most = NUMBER_MOST },
        { "salt", JSON_WORD, .must = true, .max = 64 },
        { "signature", JSON_WORD, .must = true, .min = SECRET_HEX_SIZE - 1, .max = SECRET_HEX_SIZE - 1 },
        { "took", JSON_NUMBER },
    };
    size_t len = strlen(header), used;
    unsigned char *text = arena_alloc(arena, len + 1);
    const struct why *why;
    cJSON *json;

    if (len > HEADER_MAX ||
        sodium_base642bin(text, len + 1, header, len, NULL, &used, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
        return false;
    json = json_read(arena, (struct bytes){ (const char *)text, used }, fields, COUNT(fields), &why);
    if (!json || strcmp(json_text(json, "algorithm"), "SHA-256") != 0)
        return false;
    *solution = (struct solution){
        .challenge = json_text(json, "challenge"),
        .salt = json_text(json, "salt"),
        .signature = json_text(json, "signature"),
        .number = cJSON_GetObjectItem(json, "number")->valueint,
    };
    return read_expiry(solution->salt, &solution->expires);
}

static bool is_right(struct req *r, const struct solution *solution)
{
    char signature[SECRET_HEX_SIZE], hash[SECRET_HEX_SIZE];

    sign(r, solution->challenge, signature);
    if (sodium_memcmp(signature, solution->signature, SECRET_HEX_SIZE - 1) != 0 || solution->expires < time(NULL))
        return false;
    hash_of(r->arena, solution->salt, solution->number, hash);
    return !strcmp(hash, solution->challenge);
}

/* ---- each one once ---- */

static uint64_t short_hash(const char *text)
{
    unsigned char bytes[crypto_shorthash_BYTES];
    uint64_t hash;

    crypto_shorthash(bytes, (const unsigned char *)text, strlen(text), door.seed);
    memcpy(&hash, bytes, sizeof hash);
    return hash;
}

/* First used now, or used by the same request before. */
static bool use_here(const struct proof *proof)
{
    uint64_t challenge = short_hash(proof->solution.challenge), key = short_hash(proof->key);
    struct used *bucket = door.used[challenge % BUCKETS], *entry = bucket;

    for (size_t i = 0; i < WAYS; i++) {
        if (bucket[i].challenge == challenge)
            return bucket[i].key == key;
        if (bucket[i].expires < entry->expires)
            entry = &bucket[i];
    }
    *entry = (struct used){ challenge, key, proof->solution.expires };
    return true;
}

static bool used_well(const struct proof *proof, const struct cache_reply *reply)
{
    if (reply->kind == CACHE_NIL)
        return true;
    return reply->kind == CACHE_TEXT ? !strcmp(reply->text, proof->key) : use_here(proof);
}

static void settle(struct proof *proof, bool good)
{
    count(good ? STAT_SOLVED : STAT_USED);
    if (!good)
        proof->r->step = asked;
}

static void was_used(const struct cache_reply *reply, void *arg)
{
    struct proof *proof = arg;

    settle(proof, used_well(proof, reply));
    req_run(proof->r);
}

static enum next use(struct req *r, struct proof *proof)
{
    const char *name = arena_printf(r->arena, "challenge:%s", proof->solution.challenge);
    const char *left = arena_printf(r->arena, "%lld", (long long)proof->solution.expires - time(NULL) + 1);
    const char *const set[] = { "SET", name, proof->key, "NX", "GET", "EX", left };

    proof->r = r;
    digest_body(r->key, strlen(r->key), proof->key);
    if (cache_command(was_used, proof, COUNT(set), set))
        return WAIT;
    settle(proof, use_here(proof));
    return GO;
}

enum next challenge_ask(struct req *r)
{
    const char *header = req_header(r, "X-Challenge");
    struct proof *proof;

    count(STAT_CAME);
    if (!is_on())
        return GO;
    if (!header)
        return ask_work(r);
    proof = arena_alloc(r->arena, sizeof *proof);
    if (challenge_read(r->arena, header, &proof->solution) && is_right(r, &proof->solution))
        return use(r, proof);
    count(STAT_WRONG);
    return ask_work(r);
}

const char *challenge_note(void)
{
    if (!is_on())
        return NULL;
    return door.calm ? "under attack: the public solves a proof of work before it files"
                     : "the public solves a proof of work before it files: hotlinectl door challenge auto ends it";
}

bool challenge_open(void)
{
    crypto_shorthash_keygen(door.seed);
    door.stat = stats_register(stats, COUNT(stats));
    for (size_t i = 0; i < TICKS; i++)
        door.came[i] = stats_total(door.stat + STAT_CAME);
    door.timer = timer_new(look, NULL);
    timer_set(door.timer, TICK_MS);
    return true;
}

void challenge_close(void)
{
    timer_free(door.timer);
}
