#include "batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "loop.h"
#include "settings.h"
#include "stats.h"

enum {
    PATIENCE_MS = 500, /* a queue so long too slow is no burst any more */
    GUARD_MS = 5000,
    PACE_CALLS = 256 /* how many calls the pace is an average of */
};

static struct {
    struct func *funcs, **last;
    int nfuncs, ncalls;
    uint64_t turn;
} all = { .last = &all.funcs };

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

/* ---- calls ---------------------------------------------------------------------------------------------------------- */

struct call *call_new(struct func *func, const struct db_call *wanted)
{
    size_t key = wanted->key ? strlen(wanted->key) + 1 : 0, locks = wanted->nlocks * sizeof(int64_t);
    struct call *call = must(malloc(sizeof *call + locks + key + wanted->len + 1));
    char *at = (char *)(call + 1);

    *call = (struct call){
        .func = func, .len = wanted->len, .nlocks = wanted->nlocks, .done = wanted->done, .arg = wanted->arg
    };
    call->started = loop_now();
    call->deadline = wanted->deadline ? wanted->deadline : call->started + settings()->request_ms;
    call->turn = ++all.turn;
    if (locks)
        call->locks = memcpy(at, wanted->locks, locks);
    at += locks;
    if (key)
        call->key = memcpy(at, wanted->key, key);
    at += key;
    call->json = memcpy(at, wanted->json, wanted->len);
    call->json[wanted->len] = 0;
    all.ncalls++;
    return call;
}

void call_answer(struct call *call, const struct db_answer *answer)
{
    stats_observe(call->func->stat, (double)(loop_now() - call->started) / 1000);
    all.ncalls--;
    call->done(answer, call->arg);
    free(call);
}

void call_refuse(struct call *call, const char *code)
{
    struct db_answer answer = { .status = strcmp(code, "internal") ? 503 : 500, .code = code };

    call_answer(call, &answer);
}

int calls_count(void)
{
    return all.ncalls;
}

/* ---- functions ------------------------------------------------------------------------------------------------------ */

static int duration_of(const char *name)
{
    char label[80];
    struct stat stat = { "hotlined_db_call_seconds", "Time from a call to its answer", STAT_SECONDS, label };

    snprintf(label, sizeof label, "fn=\"%s\"", name);
    return stats_register(&stat, 1);
}

struct func *func_of(const struct api_fn *fn)
{
    struct func *func;

    for (func = all.funcs; func; func = func->next)
        if (func->fn == fn || !strcmp(func->fn->name, fn->name))
            return func;
    func = must(calloc(1, sizeof *func));
    func->fn = fn;
    func->number = all.nfuncs++;
    func->waiting.last = &func->waiting.first;
    func->stat = duration_of(fn->name);
    *all.last = func;
    all.last = &func->next;
    return func;
}

struct func *func_first(void)
{
    return all.funcs;
}

void call_queue(struct call *call)
{
    struct func *func = call->func;

    *func->waiting.last = call;
    func->waiting.last = &call->next;
    func->waiting.count++;
}

static struct call *unqueue(struct func *func)
{
    struct call *call = func->waiting.first;

    func->waiting.first = call->next;
    if (!call->next)
        func->waiting.last = &func->waiting.first;
    func->waiting.count--;
    call->next = NULL;
    return call;
}

/* When the call that would leave next arrived; 0: none waits. */
static uint64_t turn_of(const struct func *func)
{
    if (func->again)
        return func->again->calls[0]->turn;
    return func->waiting.first ? func->waiting.first->turn : 0;
}

struct func *func_next(bool write)
{
    struct func *best = NULL;

    for (struct func *func = all.funcs; func; func = func->next) {
        if (func->fn->write != write || (write && func->away) || !turn_of(func))
            continue;
        if (!best || turn_of(func) < turn_of(best))
            best = func;
    }
    return best;
}

/* ---- pace ----------------------------------------------------------------------------------------------------------- */

/* Small batches tell little about large ones, so a call counts as much as another. */
void func_note(struct func *func, int count, int64_t ms, int side)
{
    double each = (double)ms / count / side, share = count < PACE_CALLS ? (double)count / PACE_CALLS : 1;

    func->pace += (each - func->pace) * (func->pace > 0 ? share : 1);
}

/* Seen whenever a batch leaves or a call comes: for how long have calls waited too long? */
static bool is_behind(struct func *func)
{
    const struct call *oldest = func->waiting.first;
    int64_t now = loop_now();

    if (!oldest || now - oldest->started <= settings()->wait_ms)
        func->behind_at = 0;
    else if (!func->behind_at)
        func->behind_at = now;
    return func->behind_at && now - func->behind_at >= PATIENCE_MS;
}

int func_most(const struct func *func)
{
    return func->fn->most ? func->fn->most : settings()->batch_max;
}

bool func_has_room(struct func *func)
{
    if (is_behind(func) && func->guarded < loop_now())
        func->guarded = loop_now() + GUARD_MS;
    if (func->guarded < loop_now() || func->waiting.count < 2 * func_most(func) ||
        func->waiting.count * func->pace <= settings()->wait_ms)
        return true;
    func->guarded = loop_now() + GUARD_MS;
    return false;
}

/* ---- batches -------------------------------------------------------------------------------------------------------- */

static struct batch *batch_new(struct func *func, int room)
{
    struct batch *batch = must(calloc(1, sizeof *batch));

    batch->func = func;
    batch->calls = must(calloc((size_t)room, sizeof *batch->calls));
    return batch;
}

void batch_free(struct batch *batch)
{
    free(batch->calls);
    free(batch);
}

static int by_key(const void *a, const void *b)
{
    const struct call *left = *(struct call *const *)a, *right = *(struct call *const *)b;
    int order = strcmp(left->key ? left->key : "", right->key ? right->key : "");

    return order ? order : (left->turn > right->turn) - (left->turn < right->turn);
}

void batch_expire(struct batch *batch)
{
    for (int i = 0; i < batch->count; i++) {
        struct call *call = batch->calls[i];

        if (!call || call->deadline > loop_now())
            continue;
        batch->calls[i] = NULL;
        call_refuse(call, "database_away");
    }
}

struct batch *batch_compact(struct batch *batch)
{
    int kept = 0;

    for (int i = 0; i < batch->count; i++)
        if (batch->calls[i])
            batch->calls[kept++] = batch->calls[i];
    batch->count = kept;
    if (kept)
        return batch;
    batch_free(batch);
    return NULL;
}

/* Refuse the calls of a batch whose deadline has passed; NULL when none is left. */
static struct batch *prune(struct batch *batch)
{
    batch_expire(batch);
    return batch_compact(batch);
}

struct batch *batch_take(struct func *func, int max)
{
    struct batch *batch = func->again;

    if (batch) {
        func->again = batch->next;
        batch->next = NULL;
        return prune(batch);
    }
    (void)is_behind(func);
    batch = batch_new(func, max);
    while (batch->count < max && func->waiting.first)
        batch->calls[batch->count++] = unqueue(func);
    if (func->fn->sorted)
        qsort(batch->calls, (size_t)batch->count, sizeof *batch->calls, by_key);
    return prune(batch);
}

void batch_again(struct batch *batch)
{
    batch->next = batch->func->again;
    batch->func->again = batch;
}

void batch_halve(struct batch *batch)
{
    int half = batch->count / 2;
    struct batch *rest = batch_new(batch->func, batch->count - half);

    assert(batch->count > 1);
    rest->count = batch->count - half;
    memcpy(rest->calls, batch->calls + half, (size_t)rest->count * sizeof *rest->calls);
    batch->count = half;
    batch->tries = 0;
    batch_again(rest);
    batch_again(batch);
}

void batch_refuse(struct batch *batch, const char *code)
{
    for (int i = 0; i < batch->count; i++)
        if (batch->calls[i])
            call_refuse(batch->calls[i], code);
    batch_free(batch);
}

/* A call that kills its connection would take its neighbours along each time, so the second loss parts them. */
void batch_lost(struct batch *batch)
{
    int kept = 0;

    for (int i = 0; i < batch->count; i++) {
        if (batch->calls[i]->key || !batch->func->fn->write)
            batch->calls[kept++] = batch->calls[i];
        else
            call_refuse(batch->calls[i], "database_away");
    }
    batch->count = kept;
    batch->losses++;
    if (!kept)
        batch_free(batch);
    else if (kept > 1 && batch->losses > 1)
        batch_halve(batch);
    else
        batch_again(batch);
}

static int by_value(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

size_t batch_locks(const struct batch *batch, int64_t **locks)
{
    size_t n = 0, kept = 0;

    *locks = NULL;
    for (int i = 0; i < batch->count; i++)
        n += batch->calls[i]->nlocks;
    if (!n)
        return 0;
    *locks = must(malloc(n * sizeof **locks));
    n = 0;
    for (int i = 0; i < batch->count; i++)
        for (size_t k = 0; k < batch->calls[i]->nlocks; k++)
            (*locks)[n++] = batch->calls[i]->locks[k];
    qsort(*locks, n, sizeof **locks, by_value);
    for (size_t i = 0; i < n; i++)
        if (!i || (*locks)[i] != (*locks)[i - 1])
            (*locks)[kept++] = (*locks)[i];
    return kept;
}

/* ---- time ----------------------------------------------------------------------------------------------------------- */

static void expire_waiting(struct func *func, bool fresh)
{
    for (int left = func->waiting.count; left; left--) {
        struct call *call = unqueue(func);

        if (fresh || call->deadline <= loop_now())
            call_refuse(call, "database_away");
        else
            call_queue(call);
    }
}

static void expire_again(struct func *func)
{
    struct batch *batch = func->again, *next;
    struct batch **last = &func->again;

    for (; batch; batch = next) {
        next = batch->next;
        *last = prune(batch);
        if (*last)
            last = &(*last)->next;
    }
    *last = NULL;
}

void calls_expire(bool write, bool fresh)
{
    for (struct func *func = all.funcs; func; func = func->next) {
        if (func->fn->write != write)
            continue;
        expire_waiting(func, fresh);
        expire_again(func);
    }
}

static void close_func(struct func *func)
{
    for (struct batch *batch = func->again, *next; batch; batch = next) {
        next = batch->next;
        batch_refuse(batch, "database_away");
    }
    func->again = NULL;
    expire_waiting(func, true);
}

void calls_close(void)
{
    for (struct func *func = all.funcs; func; func = func->next)
        close_func(func);
    for (struct func *func = all.funcs, *next; func; func = next) {
        next = func->next;
        free(func);
    }
    all.funcs = NULL;
    all.last = &all.funcs;
    all.nfuncs = 0;
}
