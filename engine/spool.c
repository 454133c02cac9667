/* Everything that must not come apart happens inside Redis, in scripts of which each is one step for all workers: an entry, its
 * number, and the two ways to find it again are written together or not at all.
 *
 *   spool           the stream: number, key, call; of a further word the number with "+" and a count (spool:words)
 *   spool:numbers   sequence numbers reserved from the database, the next one first
 *   spool:block     their account: run (of Redis), filled_run, given, taken, at; doubt once durability was off
 *   spool:keys      key → number and digest         spool:index   number → entry
 *   spool:aside     number → call of an entry the database could not take, for a person to look at
 *   spool:lock      who drains                      spool:catalog what a worker needs to start without the database */

#include "spool.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arena.h"
#include "base.h"
#include "cache.h"
#include "catalog.h"
#include "db.h"
#include "feed.h"
#include "json.h"
#include "log.h"
#include "loop.h"
#include "private.h"
#include "settings.h"
#include "stats.h"
#include "worker.h"

enum {
    LOOK_MS = 500,
    POISON_MS = 5000, /* to the next attempt when nothing can be stored */
    CHECK_MS = 60000,
    LOCK_MS = 20000, /* longer than a page may take */
    PAGE = 64,
    FILL_MOST = 10000, /* numbers asked for at once */
    TRIES = 5,         /* at an entry that fails alone, before it is put aside */
    RUN_SIZE = 48,
    NUMBER_SIZE = 17,
    NAME_SIZE = 40, /* of an entry: its number, or that with "+" and a count for a further word on it */
    KEEP_DAYS =
        14 /* far below the time in which the sequence comes round: a block must not meet its own numbers again */
};

static const struct api_fn api_numbers = { .name = "numbers", .write = true };
static const struct api_fn api_drain = { .name = "drain", .write = true };

/* ---- scripts ------------------------------------------------------------------------------------------------------------ */

/* The first write is XADD: where memory or disk refuse, they refuse it, and nothing has happened. */
static const char put_script[] =
    "local was = redis.call('HGET', 'spool:keys', ARGV[3])\n"
    "if was then\n"
    "    if string.sub(was, 18) ~= ARGV[4] then return { 'reused' } end\n"
    "    return { 'again', string.sub(was, 1, 16) }\n"
    "end\n"
    "if redis.call('XLEN', 'spool') >= tonumber(ARGV[2]) then return { 'full' } end\n"
    "local seq = redis.call('LINDEX', 'spool:numbers', 0)\n"
    "if not seq or redis.call('HGET', 'spool:block', 'run') ~= ARGV[1] then return { 'empty' } end\n"
    "local body, rest = ARGV[5] .. string.format('%07d', seq), 0\n"
    "for i = 1, #body do rest = (rest * 10 + string.byte(body, i) - 48) % 97 end\n"
    "local number = body .. string.format('%02d', 98 - rest * 100 % 97)\n"
    "local id = redis.call('XADD', 'spool', '*', 'number', number, 'key', ARGV[3], 'call', ARGV[6])\n"
    "redis.call('LPOP', 'spool:numbers')\n"
    "redis.call('HINCRBY', 'spool:block', 'taken', 1)\n"
    "redis.call('HSET', 'spool:keys', ARGV[3], number .. ' ' .. ARGV[4])\n"
    "redis.call('HSET', 'spool:index', number, id)\n"
    "return { 'taken', number }\n";

/* A further word goes behind its complaint, under a name of its own: it is no way to find the complaint. */
static const char say_script[] =
    "local was = redis.call('HGET', 'spool:keys', ARGV[3])\n"
    "if was then\n"
    "    if string.sub(was, 18) ~= ARGV[4] then return { 'reused' } end\n"
    "    return { 'again', string.sub(was, 1, 16) }\n"
    "end\n"
    "if redis.call('HEXISTS', 'spool:index', ARGV[1]) == 0 then return { 'gone' } end\n"
    "if redis.call('XLEN', 'spool') >= tonumber(ARGV[2]) then return { 'full' } end\n"
    "local name = ARGV[1] .. '+' .. (tonumber(redis.call('GET', 'spool:words') or '0') + 1)\n"
    "redis.call('XADD', 'spool', '*', 'number', name, 'key', ARGV[3], 'call', ARGV[5])\n"
    "redis.call('INCR', 'spool:words')\n"
    "redis.call('HSET', 'spool:keys', ARGV[3], ARGV[1] .. ' ' .. ARGV[4])\n"
    "return { 'taken', ARGV[1] }\n";

static const char find_script[] = "local id = redis.call('HGET', 'spool:index', ARGV[1])\n"
                                  "local row = id and redis.call('XRANGE', 'spool', id, id)[1]\n"
                                  "return row and row[2][6] or redis.call('HGET', 'spool:aside', ARGV[1])\n";

/* Numbers of an earlier life of Redis are used only when their account is whole and was never in doubt: nothing that was
 * answered can then be missing from it. */
static const char claim_script[] =
    "local run, given, taken, doubt = unpack(redis.call('HMGET', 'spool:block', 'run', 'given', 'taken', 'doubt'))\n"
    "local left = redis.call('LLEN', 'spool:numbers')\n"
    "local whole = given and taken and given - taken == left\n"
    "if whole and run == ARGV[1] then return 'kept' end\n"
    "if whole and run and not doubt then\n"
    "    redis.call('HSET', 'spool:block', 'run', ARGV[1])\n"
    "    return 'kept'\n"
    "end\n"
    "if left == 0 and not run then return 'none' end\n"
    "redis.call('DEL', 'spool:numbers', 'spool:block')\n"
    "return 'discarded'\n";

static const char doubt_script[] =
    "if redis.call('EXISTS', 'spool:block') == 1 then redis.call('HSET', 'spool:block', 'doubt', '1') end\n";

/* How things stand; and the numbers are due for exchange when they are from another life or old. */
static const char look_script[] =
    "local first = redis.call('XRANGE', 'spool', '-', '+', 'COUNT', 1)[1]\n"
    "local run, at = unpack(redis.call('HMGET', 'spool:block', 'filled_run', 'at'))\n"
    "local stale = run and (run ~= ARGV[1] or ARGV[2] - at > tonumber(ARGV[3])) and 1 or 0\n"
    "return { redis.call('XLEN', 'spool'), first and first[1] or '', redis.call('LLEN', 'spool:numbers'), stale,\n"
    "    redis.call('HLEN', 'spool:aside') }\n";

static const char fill_script[] =
    "local list = cjson.decode(ARGV[4])\n"
    "if ARGV[3] == '1' then redis.call('DEL', 'spool:numbers', 'spool:block') end\n"
    "for i = 1, #list, 1000 do\n"
    "    local part = {}\n"
    "    for k = i, math.min(i + 999, #list) do part[#part + 1] = string.format('%d', list[k]) end\n"
    "    redis.call('RPUSH', 'spool:numbers', unpack(part))\n"
    "end\n"
    "redis.call('HSETNX', 'spool:block', 'taken', 0)\n"
    "redis.call('HSETNX', 'spool:block', 'at', ARGV[2])\n"
    "redis.call('HSETNX', 'spool:block', 'filled_run', ARGV[1])\n"
    "redis.call('HSET', 'spool:block', 'run', ARGV[1])\n"
    "redis.call('HINCRBY', 'spool:block', 'given', #list)\n";

static const char lock_script[] = "local holder = redis.call('GET', 'spool:lock')\n"
                                  "if holder and holder ~= ARGV[1] then return 0 end\n"
                                  "redis.call('SET', 'spool:lock', ARGV[1], 'PX', ARGV[2])\n"
                                  "return 1\n";

static const char unlock_script[] =
    "if redis.call('GET', 'spool:lock') == ARGV[1] then redis.call('DEL', 'spool:lock') end\n";

/* The head of the stream for who has the lock, which is prolonged. */
static const char page_script[] =
    "if redis.call('GET', 'spool:lock') ~= ARGV[1] then return {} end\n"
    "redis.call('PEXPIRE', 'spool:lock', ARGV[2])\n"
    "local out = {}\n"
    "for _, row in ipairs(redis.call('XRANGE', 'spool', '-', '+', 'COUNT', ARGV[3])) do\n"
    "    local f = row[2]\n"
    "    for _, text in ipairs({ row[1], f[2], f[4], f[6] }) do out[#out + 1] = text end\n"
    "end\n"
    "return out\n";

static const char remove_script[] = "for i = 1, #ARGV, 3 do\n"
                                    "    redis.call('XDEL', 'spool', ARGV[i])\n"
                                    "    redis.call('HDEL', 'spool:index', ARGV[i + 1])\n"
                                    "    redis.call('HDEL', 'spool:keys', ARGV[i + 2])\n"
                                    "end\n";

static const char aside_script[] = "local row = redis.call('XRANGE', 'spool', ARGV[1], ARGV[1])[1]\n"
                                   "if not row then return end\n"
                                   "redis.call('HSET', 'spool:aside', ARGV[2], row[2][6])\n"
                                   "redis.call('XDEL', 'spool', ARGV[1])\n"
                                   "redis.call('HDEL', 'spool:index', ARGV[2])\n";

enum { ARGS_MOST = 3 + 3 * PAGE };

static bool run_script(const char *script, int argc, const char *const args[], cache_fn *done, void *arg)
{
    const char *argv[ARGS_MOST] = { "EVAL", script, "0" };

    assert(argc + 3 <= ARGS_MOST);
    memcpy(argv + 3, args, (size_t)argc * sizeof *args);
    return cache_send(CACHE_SPOOL, done, arg, argc + 3, argv);
}

#define RUN(script, done, arg, ...)                                                                                    \
    run_script(script, (int)COUNT(((const char *const[]){ __VA_ARGS__ })), (const char *const[]){ __VA_ARGS__ }, done, \
               arg)

/* ---- state -------------------------------------------------------------------------------------------------------------- */

/* An entry of the page under way. */
struct item {
    char *id, *number, *key, *call;
    enum { ITEM_SENT, ITEM_STORED, ITEM_POISON, ITEM_LATER } state;
};

static struct {
    bool open;
    bool checked;      /* the settings of this connection's Redis were looked at and are good */
    const char *fault; /* what keeps it from being used */
    char run[RUN_SIZE], token[33];
    struct timer *look, *check;
    bool keeping; /* the work of who has the lock is under way */
    long long length, numbers;
    bool stale;
    struct item page[PAGE];
    size_t items, waiting;
    struct arena *arena; /* of the page */
    char stuck[NAME_SIZE];
    int tries; /* at the one that is stuck */
    int stat;
    char note[96];
} spool;

enum { STAT_LENGTH, STAT_OLDEST, STAT_NUMBERS, STAT_ASIDE, STAT_TAKEN, STAT_FULL, STAT_FAILED, STAT_DRAINED };

static const struct stat spool_stats[] = {
    [STAT_LENGTH] = { "hotlined_spool_length", "Complaints that wait for the database", STAT_GAUGE, NULL },
    [STAT_OLDEST] = { "hotlined_spool_oldest_seconds", "Age of the first of them", STAT_GAUGE, NULL },
    [STAT_NUMBERS] = { "hotlined_spool_numbers", "Ticket numbers held in reserve", STAT_GAUGE, NULL },
    [STAT_ASIDE] = { "hotlined_spool_aside", "Complaints the database could not take", STAT_GAUGE, NULL },
    [STAT_TAKEN] = { "hotlined_spool_answers_total", "Answers of the spool", STAT_COUNTER, "outcome=\"taken\"" },
    [STAT_FULL] = { "hotlined_spool_answers_total", "Answers of the spool", STAT_COUNTER, "outcome=\"full\"" },
    [STAT_FAILED] = { "hotlined_spool_answers_total", "Answers of the spool", STAT_COUNTER, "outcome=\"failed\"" },
    [STAT_DRAINED] = { "hotlined_spool_drained_total", "Complaints that became tickets", STAT_COUNTER, NULL },
};

static long long wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

bool spool_exists(void)
{
    return *settings()->spool_redis != '\0';
}

bool spool_usable(void)
{
    return spool.open && spool.checked && !spool.fault && cache_is_up(CACHE_SPOOL);
}

bool spool_has_numbers(void)
{
    return spool_usable() && spool.numbers > 0;
}

const char *spool_note(void)
{
    if (!spool.open || !spool_exists())
        return NULL;
    if (!cache_is_up(CACHE_SPOOL))
        return "no connection to the spool's Redis";
    if (spool.fault)
        return spool.fault;
    if (!spool.checked)
        return "the spool's settings are not checked yet";
    if (!db_takes_writes())
        return "spooling";
    if (spool.length == 0)
        return spool.numbers == 0 ? "the spool has no numbers yet" : NULL;
    snprintf(spool.note, sizeof spool.note, "draining: %lld wait", spool.length);
    return spool.note;
}

const char *spool_uncovered(void)
{
    return spool_has_numbers() && catalog_ready() ? NULL : db_state();
}

/* ---- may it be used? ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *name, *value, *fault;
} needed[] = {
    { "appendonly", "yes", "the spool's Redis has appendonly off: not used" },
    { "appendfsync", "always", "the spool's Redis has not appendfsync always: not used" },
    { "maxmemory-policy", "noeviction", "the spool's Redis may evict (maxmemory-policy): not used" },
};

static void set_fault(const char *fault)
{
    if (fault && fault != spool.fault)
        log_warn("spool_unfit", "why=\"%s\"", fault);
    else if (!fault && spool.fault)
        log_info("spool_fit", "run=%s", spool.run);
    spool.fault = fault;
}

static void take_claim(const struct cache_reply *reply, void *arg)
{
    (void)arg;
    if (!spool.open || reply->kind != CACHE_TEXT)
        return;
    if (!strncmp(reply->text, "discarded", reply->len))
        log_warn("spool_numbers_discarded", "run=%s", spool.run);
    if (!spool.checked)
        timer_set(spool.look, 0);
    set_fault(NULL);
    spool.checked = true;
}

/* "# Server\r\n…run_id:…\r\n" */
static void take_info(const struct cache_reply *reply, void *arg)
{
    const char *at = reply->kind == CACHE_TEXT ? strstr(reply->text, "run_id:") : NULL;

    (void)arg;
    if (!spool.open || !at)
        return;
    at += strlen("run_id:");
    snprintf(spool.run, sizeof spool.run, "%.*s", (int)strcspn(at, "\r\n"), at);
    (void)RUN(claim_script, take_claim, NULL, spool.run);
}

static bool part_is(const struct cache_reply *part, const char *text)
{
    return part->kind == CACHE_TEXT && part->len == strlen(text) && !memcmp(part->text, text, part->len);
}

static bool has(const struct cache_reply *list, const char *name, const char *value)
{
    for (size_t i = 0; i + 1 < list->nparts; i += 2)
        if (part_is(&list->parts[i], name))
            return part_is(&list->parts[i + 1], value);
    return false;
}

static void take_config(const struct cache_reply *reply, void *arg)
{
    const char *const info[] = { "INFO", "server" };

    (void)arg;
    if (!spool.open || reply->kind == CACHE_ABSENT)
        return;
    for (size_t i = 0; i < COUNT(needed); i++)
        if (!has(reply, needed[i].name, needed[i].value)) {
            set_fault(reply->kind == CACHE_LIST ? needed[i].fault
                                                : "the spool's Redis does not show its settings: not used");
            (void)RUN(doubt_script, NULL, NULL, "");
            return;
        }
    (void)cache_send(CACHE_SPOOL, take_info, NULL, COUNT(info), info);
}

static void check(void *arg)
{
    const char *const get[] = { "CONFIG", "GET", "appendonly", "appendfsync", "maxmemory-policy" };

    (void)arg;
    timer_set(spool.check, CHECK_MS);
    (void)cache_send(CACHE_SPOOL, take_config, NULL, COUNT(get), get);
}

/* Perhaps another Redis than before: nothing is known of it. */
static void connected(void)
{
    spool.checked = false;
    check(NULL);
}

/* ---- putting and finding ---------------------------------------------------------------------------------------------------- */

struct put {
    spool_put_fn *done;
    void *arg;
};

static const struct {
    const char *word;
    enum spool_outcome outcome;
    int stat;
} outcomes[] = {
    { "taken", SPOOL_TAKEN, STAT_TAKEN }, { "again", SPOOL_TAKEN, STAT_TAKEN }, { "reused", SPOOL_REUSED, STAT_TAKEN },
    { "full", SPOOL_FULL, STAT_FULL },    { "empty", SPOOL_EMPTY, STAT_FULL },  { "gone", SPOOL_GONE, STAT_FAILED },
};

static void tell_put(struct put *put, enum spool_outcome outcome, int stat, const char *number)
{
    stats_add(spool.stat + stat, 1);
    put->done(outcome, number, put->arg);
    free(put);
}

static void put_done(const struct cache_reply *reply, void *arg)
{
    char number[NUMBER_SIZE] = "";

    if (reply->kind == CACHE_LIST && reply->nparts > 1 && reply->parts[1].len == NUMBER_SIZE - 1)
        memcpy(number, reply->parts[1].text, NUMBER_SIZE - 1);
    for (size_t i = 0; reply->kind == CACHE_LIST && reply->nparts > 0 && i < COUNT(outcomes); i++)
        if (part_is(&reply->parts[0], outcomes[i].word)) {
            tell_put(arg, outcomes[i].outcome, outcomes[i].stat, number);
            return;
        }
    tell_put(arg, SPOOL_AWAY, STAT_FAILED, number);
}

static void put_failed(void *arg)
{
    tell_put(arg, SPOOL_AWAY, STAT_FAILED, "");
}

void spool_put(const struct spool_entry *entry, spool_put_fn *done, void *arg)
{
    struct put *put = malloc(sizeof *put);
    char most[16];

    if (!put)
        abort();
    *put = (struct put){ done, arg };
    snprintf(most, sizeof most, "%d", settings()->spool_max);
    if (!spool_usable() ||
        !RUN(put_script, put_done, put, spool.run, most, entry->key, entry->digest, entry->prefix, entry->call))
        loop_defer(put_failed, put);
}

void spool_say(const struct spool_word *word, spool_put_fn *done, void *arg)
{
    struct put *put = malloc(sizeof *put);
    char most[16];

    if (!put)
        abort();
    *put = (struct put){ done, arg };
    snprintf(most, sizeof most, "%d", settings()->spool_max);
    if (!spool_usable() || !RUN(say_script, put_done, put, word->number, most, word->key, word->digest, word->call))
        loop_defer(put_failed, put);
}

struct find {
    spool_find_fn *done;
    void *arg;
};

static void find_done(const struct cache_reply *reply, void *arg)
{
    struct find *find = arg;
    bool known = reply->kind == CACHE_TEXT || reply->kind == CACHE_NIL;

    find->done(known, reply->kind == CACHE_TEXT ? reply->text : NULL, find->arg);
    free(find);
}

static void find_failed(void *arg)
{
    find_done(&(struct cache_reply){ .kind = CACHE_ABSENT }, arg);
}

void spool_find(const char *number, spool_find_fn *done, void *arg)
{
    struct find *find = malloc(sizeof *find);

    if (!find)
        abort();
    *find = (struct find){ done, arg };
    if (!spool.open || !RUN(find_script, find_done, find, number))
        loop_defer(find_failed, find);
}

void spool_keep_catalog(const char *text)
{
    const char *const set[] = { "SET", "spool:catalog", text };

    if (spool_exists())
        (void)cache_send(CACHE_SPOOL, NULL, NULL, COUNT(set), set);
}

struct recall {
    spool_text_fn *done;
    void *arg;
};

static void recall_done(const struct cache_reply *reply, void *arg)
{
    struct recall *recall = arg;
    bool good = reply->kind == CACHE_TEXT;

    recall->done(good ? reply->text : NULL, good ? reply->len : 0, recall->arg);
    free(recall);
}

static void recall_failed(void *arg)
{
    recall_done(&(struct cache_reply){ .kind = CACHE_ABSENT }, arg);
}

void spool_recall_catalog(spool_text_fn *done, void *arg)
{
    const char *const get[] = { "GET", "spool:catalog" };
    struct recall *recall = malloc(sizeof *recall);

    if (!recall)
        abort();
    *recall = (struct recall){ done, arg };
    if (!spool_exists() || !cache_send(CACHE_SPOOL, recall_done, recall, COUNT(get), get))
        loop_defer(recall_failed, recall);
}

/* ---- draining ---------------------------------------------------------------------------------------------------------------- */

/* The work is done, or cannot be done now. */
static void look_soon(long ms)
{
    if (spool.keeping)
        (void)RUN(unlock_script, NULL, NULL, spool.token);
    spool.keeping = false;
    if (spool.open)
        timer_set(spool.look, ms);
}

static void turn_page(void);

static void end_page(void)
{
    arena_free(spool.arena);
    spool.arena = NULL;
    spool.items = 0;
}

static void page_removed(const struct cache_reply *reply, void *arg)
{
    bool *whole = arg;

    if (reply->kind == CACHE_ABSENT || reply->kind == CACHE_ERROR || !spool.open || !*whole)
        look_soon(LOOK_MS); /* what is still there is drained again and found stored */
    else
        turn_page();
}

/* An entry that fails again and again while others of its page are stored is to blame itself, and would slow down all that
 * follow. */
static void mind_poison(const struct item *item)
{
    bool same = !strcmp(spool.stuck, item->number);

    spool.tries = same ? spool.tries + 1 : 1;
    snprintf(spool.stuck, sizeof spool.stuck, "%s", item->number);
    if (spool.tries < TRIES)
        return;
    log_error("spool_aside", "number=%s tries=%d", item->number, spool.tries);
    (void)RUN(aside_script, NULL, NULL, item->id, item->number);
    spool.tries = 0;
}

/* All calls of the page are answered and what they did is committed. */
static void finish_page(void)
{
    static bool whole;
    const char *args[3 * PAGE];
    const struct item *poison = NULL;
    int argc = 0;

    for (size_t i = 0; i < spool.items; i++) {
        const struct item *item = &spool.page[i];

        if (item->state == ITEM_STORED) {
            args[argc++] = item->id;
            args[argc++] = item->number;
            args[argc++] = item->key;
        } else if (item->state == ITEM_POISON && !poison) {
            poison = item;
        }
    }
    if (poison && argc)
        mind_poison(poison);
    whole = argc == 3 * (int)spool.items;
    if (!argc)
        log_warn("spool_not_drained", "calls=%zu poison=%d", spool.items, poison != NULL);
    stats_add(spool.stat + STAT_DRAINED, argc / 3);
    if (argc)
        feed_reload(); /* these events have the time of the 202 */
    if (!argc || !run_script(remove_script, argc, args, page_removed, &whole))
        look_soon(poison ? POISON_MS : LOOK_MS);
    end_page();
}

static void item_done(const struct db_answer *answer, void *arg)
{
    struct item *item = arg;

    if (answer->status / 100 == 2)
        item->state = ITEM_STORED;
    else if (answer->status == 503)
        item->state = ITEM_LATER;
    else
        item->state = ITEM_POISON;
    if (item->state == ITEM_STORED && answer->body && strstr(answer->body, "\"surprises\""))
        log_warn("spool_surprise", "number=%s", item->number);
    if (--spool.waiting == 0)
        finish_page();
}

/* What the text service finds is added now, so that the stream holds only what cannot be computed. */
static void send_item(struct item *item)
{
    cJSON *call = cJSON_Parse(item->call);
    char *json;

    if (!call) {
        call = cJSON_CreateObject();
        cJSON_AddStringToObject(call, "unreadable", item->call);
    }
    cJSON_DeleteItemFromObject(call, "number");
    cJSON_AddStringToObject(call, "number", arena_strndup(spool.arena, item->number, strcspn(item->number, "+")));
    catalog_read_text(spool.arena, call, call);
    if (!cJSON_GetObjectItemCaseSensitive(call, "private")) /* an engine before this one wrote it */
        private_read(spool.arena, call, call, private_texts, NULL);
    json = cJSON_PrintUnformatted(call);
    cJSON_Delete(call);
    if (!json)
        abort();
    db_call(&(struct db_call){
        .fn = &api_drain, .json = json, .len = strlen(json), .key = item->key, .done = item_done, .arg = item });
    free(json);
}

static void take_page(const struct cache_reply *reply, void *arg)
{
    (void)arg;
    if (!spool.open || reply->kind != CACHE_LIST || reply->nparts < 4) {
        look_soon(LOOK_MS);
        return;
    }
    spool.arena = arena_new();
    spool.items = spool.waiting = reply->nparts / 4;
    for (size_t i = 0; i < spool.items; i++) {
        const struct cache_reply *part = &reply->parts[4 * i];

        spool.page[i] = (struct item){
            .id = arena_strndup(spool.arena, part[0].text, part[0].len),
            .number = arena_strndup(spool.arena, part[1].text, part[1].len),
            .key = arena_strndup(spool.arena, part[2].text, part[2].len),
            .call = arena_strndup(spool.arena, part[3].text, part[3].len),
        };
    }
    for (size_t i = 0; i < spool.items; i++)
        send_item(&spool.page[i]);
}

static void turn_page(void)
{
    char ms[16], count[16];

    snprintf(ms, sizeof ms, "%d", LOCK_MS);
    snprintf(count, sizeof count, "%d", PAGE);
    if (!RUN(page_script, take_page, NULL, spool.token, ms, count))
        look_soon(LOOK_MS);
}

/* ---- numbers in reserve --------------------------------------------------------------------------------------------------------- */

static long long wanted(void)
{
    return settings()->spool_max - spool.length;
}

/* They are used while the database is away alone, so there is no hurry and no reason to wait. */
static bool is_low(void)
{
    return spool.stale || spool.numbers < wanted();
}

static void filled(const struct cache_reply *reply, void *arg)
{
    (void)reply;
    (void)arg;
    look_soon(0);
}

static void take_numbers(const struct db_answer *answer, void *arg)
{
    cJSON *data = answer->status == 200 ? cJSON_ParseWithLength(answer->body, answer->len) : NULL;
    char *list = data ? cJSON_PrintUnformatted(cJSON_GetObjectItem(data, "numbers")) : NULL, now[24];

    (void)arg;
    snprintf(now, sizeof now, "%lld", wall_ms());
    if (!list || !spool.open || !spool_usable() ||
        !RUN(fill_script, filled, NULL, spool.run, now, spool.stale ? "1" : "0", list))
        look_soon(LOOK_MS);
    free(list);
    cJSON_Delete(data);
}

static void fill(void)
{
    long long n = spool.stale ? wanted() : wanted() - spool.numbers;
    char json[32];
    int len = snprintf(json, sizeof json, "{\"n\":%lld}", n < 1 ? 1 : n > FILL_MOST ? FILL_MOST : n);

    db_call(&(struct db_call){ .fn = &api_numbers, .json = json, .len = (size_t)len, .done = take_numbers });
}

/* ---- the look around ---------------------------------------------------------------------------------------------------------------- */

/* One worker at a time drains and fills.  Should two believe they are the one, the database still stores each key once. */
static void take_lock(const struct cache_reply *reply, void *arg)
{
    (void)arg;
    if (!spool.open || reply->kind != CACHE_NUMBER || reply->number != 1)
        look_soon(LOOK_MS);
    else if (spool.length > 0)
        turn_page();
    else
        fill();
}

static void start_work(void)
{
    char ms[16];

    snprintf(ms, sizeof ms, "%d", LOCK_MS);
    spool.keeping = true;
    if (!RUN(lock_script, take_lock, NULL, spool.token, ms))
        look_soon(LOOK_MS);
}

/* Gauges are summed over the workers, so the first one speaks for all. */
static void report(const char *oldest, size_t len, long long aside)
{
    long long since = len ? wall_ms() - strtoll(oldest, NULL, 10) : 0;

    if (worker_slot() != 0)
        return;
    stats_set(spool.stat + STAT_LENGTH, spool.length);
    stats_set(spool.stat + STAT_OLDEST, since > 0 ? since / 1000 : 0);
    stats_set(spool.stat + STAT_NUMBERS, spool.numbers);
    stats_set(spool.stat + STAT_ASIDE, aside);
}

static void take_look(const struct cache_reply *reply, void *arg)
{
    (void)arg;
    if (!spool.open)
        return;
    timer_set(spool.look, LOOK_MS);
    if (reply->kind != CACHE_LIST || reply->nparts != 5)
        return;
    spool.length = reply->parts[0].number;
    spool.numbers = reply->parts[2].number;
    spool.stale = reply->parts[3].number != 0;
    report(reply->parts[1].text, reply->parts[1].len, reply->parts[4].number);
    if (!spool.keeping && spool_usable() && db_state() == NULL && catalog_ready() && (spool.length > 0 || is_low()))
        start_work();
}

static void look(void *arg)
{
    char now[24], keep[24];

    (void)arg;
    timer_set(spool.look, LOOK_MS);
    snprintf(now, sizeof now, "%lld", wall_ms());
    snprintf(keep, sizeof keep, "%lld", KEEP_DAYS * 86400000LL);
    if (spool_usable())
        (void)RUN(look_script, take_look, NULL, spool.run, now, keep);
}

/* ---- the module ---------------------------------------------------------------------------------------------------------------------- */

bool spool_open(void)
{
    unsigned char bytes[16];

    spool.stat = stats_register(spool_stats, COUNT(spool_stats));
    if (!spool_exists())
        return true;
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(spool.token, sizeof spool.token, bytes, sizeof bytes);
    spool.look = timer_new(look, NULL);
    spool.check = timer_new(check, NULL);
    spool.open = true;
    timer_set(spool.look, LOOK_MS);
    cache_when_up(CACHE_SPOOL, connected);
    return true;
}

void spool_close(void)
{
    if (!spool.open)
        return;
    spool.open = spool.checked = false;
    cache_when_up(CACHE_SPOOL, NULL);
    timer_free(spool.look);
    timer_free(spool.check);
    spool.look = spool.check = NULL;
}
