/* The spool, for whoever looks after what the database could not take: engine/spool.c says what its keys hold. */

#include "ctl.h"
#include "redis.h"
#include "settings.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct option spool_options[] = {
    { "config", "FILE", "the engine's configuration, as given to hotlined" },
    { NULL, NULL, NULL },
};

/* Back to the end of the stream, with its number and its ways to be found; the engine drains it like any other. */
static const char retry_script[] =
    "local call = redis.call('HGET', 'spool:aside', ARGV[1])\n"
    "if call ~= ARGV[3] then return 0 end\n"
    "local id = redis.call('XADD', 'spool', '*', 'number', ARGV[1], 'key', ARGV[2], 'call', call)\n"
    "redis.call('HSET', 'spool:index', ARGV[1], id)\n"
    "redis.call('HDEL', 'spool:aside', ARGV[1])\n"
    "return 1\n";

static redisContext *open_spool(const struct args *args)
{
    redisContext *redis;

    if (!settings_of(args))
        fail("the settings cannot be used (see above): give --config FILE");
    if (!*settings()->spool_redis)
        fail("no spool is set (spool_redis): give the engine's configuration with --config FILE");
    redis = redis_connect(settings()->spool_redis);
    if (!redis || redis->err)
        fail("%s: %s", settings()->spool_redis, redis ? redis->errstr : "no memory");
    redis_password(redis, settings()->spool_password_file);
    return redis;
}

/* The reply, of the kind expected; ends the program otherwise. */
static redisReply *expect(redisContext *redis, redisReply *reply, int type)
{
    if (!reply || reply->type != type)
        fail("the spool does not answer as it should: %s", reply && reply->str ? reply->str : redis->errstr);
    return reply;
}

static long long ask_number(redisContext *redis, const char *command, const char *key)
{
    redisReply *reply = expect(redis, redisCommand(redis, "%s %s", command, key), REDIS_REPLY_INTEGER);
    long long number = reply->integer;

    freeReplyObject(reply);
    return number;
}

static const char *member(const cJSON *call, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(call, name));

    return text ? text : "-";
}

/* Words and contact stay where they are. */
static void show(const char *number, const char *text)
{
    cJSON *call = cJSON_Parse(text);

    printf("%-16s  %-32s  %-8s  %s\n", number, member(call, "at"), member(call, "channel"),
           call ? member(call, "type") : "unreadable");
    cJSON_Delete(call);
}

int spool_list(const struct args *args)
{
    redisContext *redis = open_spool(args);
    redisReply *aside;

    printf("%lld wait for the database, %lld numbers in reserve, %lld put aside\n", ask_number(redis, "XLEN", "spool"),
           ask_number(redis, "LLEN", "spool:numbers"), ask_number(redis, "HLEN", "spool:aside"));
    aside = expect(redis, redisCommand(redis, "HGETALL spool:aside"), REDIS_REPLY_ARRAY);
    for (size_t i = 0; i + 1 < aside->elements; i += 2)
        show(aside->element[i]->str, aside->element[i + 1]->str);
    freeReplyObject(aside);
    redisFree(redis);
    return 0;
}

/* The key as the engine made it: principal, route and idempotency key. */
static void make_key(const char *number, const char *text, char *key, size_t size)
{
    cJSON *call = cJSON_Parse(text);

    if (call)
        snprintf(key, size, "%s %s %s", member(call, "principal"), member(call, "route"), member(call, "key"));
    else
        snprintf(key, size, "aside %s", number);
    cJSON_Delete(call);
}

static bool put_back(redisContext *redis, const char *number, const char *text)
{
    char key[1024];
    redisReply *reply;
    bool done;

    make_key(number, text, key, sizeof key);
    reply =
        expect(redis, redisCommand(redis, "EVAL %s 0 %s %s %s", retry_script, number, key, text), REDIS_REPLY_INTEGER);
    done = reply->integer == 1;
    freeReplyObject(reply);
    return done;
}

static int retry_all(redisContext *redis)
{
    redisReply *aside = expect(redis, redisCommand(redis, "HGETALL spool:aside"), REDIS_REPLY_ARRAY);
    int n = 0;

    for (size_t i = 0; i + 1 < aside->elements; i += 2)
        n += put_back(redis, aside->element[i]->str, aside->element[i + 1]->str);
    freeReplyObject(aside);
    return n;
}

static int retry_one(redisContext *redis, const char *number)
{
    redisReply *call = redisCommand(redis, "HGET spool:aside %s", number);
    bool done = call && call->type == REDIS_REPLY_STRING && put_back(redis, number, call->str);

    freeReplyObject(call);
    if (!done)
        fprintf(stderr, "hotlinectl: %s is not among those put aside\n", number);
    return done;
}

int spool_retry(const struct args *args)
{
    redisContext *redis = open_spool(args);
    int n = args->n ? 0 : retry_all(redis);

    for (int i = 0; i < args->n; i++)
        n += retry_one(redis, args->at[i]);
    redisFree(redis);
    printf("%d put back; the engine makes their tickets when it drains next\n", n);
    return args->n && n < args->n ? 1 : 0;
}
