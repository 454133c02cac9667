#include "sweep.h"

#include <stdio.h>
#include <stdlib.h>

#include "base.h"
#include "db.h"
#include "feed.h"
#include "json.h"
#include "log.h"
#include "loop.h"
#include "stats.h"
#include "worker.h"

enum {
    PAGE = 500,
    MOST = PAGE / 4,
    FOLD = 4000,
    IDLE_MS = 250,
    FAILED_MS = 2000,
    FOLD_MS = 1000,
    FOLD_BUSY_MS = 5000, /* so long the figures wait for timers that are due: a reading adds what is not folded */
    UPKEEP_MS = 3600 * 1000,
    GROUPS_MS = 20 * 1000
};

static const struct api_fn api_due = { .name = "sweep_due" };
static const struct api_fn api_sweep = { .name = "sweep", .write = true, .whole = true, .most = MOST };
static const struct api_fn api_sweep_failed = { .name = "sweep_failed", .write = true };
static const struct api_fn api_swept = { .name = "swept", .write = true };
static const struct api_fn api_fold = { .name = "fold", .write = true };
static const struct api_fn api_groups = { .name = "find_groups", .write = true };
static const struct api_fn api_upkeep = { .name = "upkeep", .write = true };

/* Pages of timers and pieces of figures take turns, so that of the lanes for writing one at most is theirs. */
static struct {
    struct timer *timer, *upkeep_timer, *groups_timer; /* NULL once closed, when late answers still come */
    size_t away;                                       /* timers sent and not answered */
    bool failed;                                       /* one of them could not be done now */
    int64_t fold_at;
    char upto[64]; /* when all are done, everything up to here has had its effects; empty: there is more */
} sweep;

static void call(const struct api_fn *fn, const char *json, int len, db_fn *done)
{
    db_call(&(struct db_call){ .fn = fn, .json = json, .len = (size_t)len, .key = json, .done = done });
}

static void told(const struct db_answer *answer, void *arg)
{
    (void)answer;
    (void)arg;
}

/* The next page, at once while there is more to do. */
static void turn(bool more)
{
    if (sweep.timer)
        timer_set(sweep.timer, sweep.failed ? FAILED_MS : more || !*sweep.upto ? 0 : IDLE_MS);
}

/* Figures: differences become rows, some thousand a commit. */
static void folded(const struct db_answer *answer, void *arg)
{
    cJSON *data = answer->status == 200 ? cJSON_ParseWithLength(answer->body, answer->len) : NULL;
    const cJSON *moved = cJSON_GetObjectItem(data, "folded");
    bool more = cJSON_IsNumber(moved) && moved->valueint == FOLD;

    (void)arg;
    sweep.fold_at = loop_now() + (more ? 0 : FOLD_MS);
    turn(more);
    cJSON_Delete(data);
}

static void finish_page(void)
{
    char json[96];

    if (!sweep.failed && *sweep.upto)
        call(&api_swept, json, snprintf(json, sizeof json, "{\"upto\":\"%s\"}", sweep.upto), told);
    if (loop_now() < sweep.fold_at + (*sweep.upto ? 0 : FOLD_BUSY_MS))
        turn(false);
    else
        call(&api_fold, json, snprintf(json, sizeof json, "{\"limit\":%d}", FOLD), folded);
}

/* A timer whose work is impossible is put off, so that the others do not wait for it; when the database is away all of them are. */
static void put_off(const struct db_answer *answer, int64_t timer)
{
    char json[48];

    if (answer->status == 500)
        call(&api_sweep_failed, json, snprintf(json, sizeof json, "{\"timer\":\"%lld\"}", (long long)timer), told);
    else
        sweep.failed = true;
}

static void one_done(const struct db_answer *answer, void *arg)
{
    if (answer->status >= 500)
        put_off(answer, (intptr_t)arg);
    if (answer->status == 200)
        feed_poke();
    if (--sweep.away == 0 && sweep.timer)
        finish_page();
}

static void send_one(const cJSON *due)
{
    const char *timer = json_text(due, "timer"), *ticket = json_text(due, "ticket");
    int64_t lock = strtoll(ticket, NULL, 10);
    char json[96];
    int len = snprintf(json, sizeof json, "{\"timer\":\"%s\",\"ticket\":\"%s\"}", timer, ticket);

    sweep.away++;
    db_call(&(struct db_call){ .fn = &api_sweep,
                               .json = json,
                               .len = (size_t)len,
                               .locks = &lock,
                               .nlocks = 1,
                               .key = timer,
                               .done = one_done,
                               .arg = (void *)(intptr_t)strtoll(timer, NULL, 10) });
}

static void take_due(const struct db_answer *answer, void *arg)
{
    cJSON *data = answer->status == 200 ? cJSON_ParseWithLength(answer->body, answer->len) : NULL;
    const char *upto = json_text(data, "upto");
    const cJSON *due;

    (void)arg;
    if (!sweep.timer) {
        cJSON_Delete(data);
        return;
    }
    sweep.failed = data == NULL;
    snprintf(sweep.upto, sizeof sweep.upto, "%s", upto ? upto : "");
    cJSON_ArrayForEach(due, cJSON_GetObjectItem(data, "due")) send_one(due);
    cJSON_Delete(data);
    if (sweep.away == 0)
        finish_page();
}

static void look(void *arg)
{
    char json[32];

    (void)arg;
    call(&api_due, json, snprintf(json, sizeof json, "{\"limit\":%d}", PAGE), take_due);
}

/* One partition a call, until all are there. */
static void kept_up(const struct db_answer *answer, void *arg)
{
    cJSON *data = answer->status == 200 ? cJSON_ParseWithLength(answer->body, answer->len) : NULL;
    const cJSON *made = cJSON_GetObjectItem(data, "made");

    (void)arg;
    if (sweep.upkeep_timer && cJSON_IsNumber(made) && made->valueint > 0)
        timer_set(sweep.upkeep_timer, 0);
    cJSON_Delete(data);
}

/* Months ahead and old rows are in no hurry: once an hour is often, and a failure waits for the next. */
static void keep_up(void *arg)
{
    (void)arg;
    timer_set(sweep.upkeep_timer, UPKEEP_MS);
    call(&api_upkeep, "{}", 2, kept_up);
}

/* A power cut is noticed long before two minutes have passed. */
static void find_groups(void *arg)
{
    (void)arg;
    timer_set(sweep.groups_timer, GROUPS_MS);
    call(&api_groups, "{}", 2, told);
}

bool sweep_open(void)
{
    if (worker_slot() != 0)
        return true;
    sweep.timer = timer_new(look, NULL);
    sweep.upkeep_timer = timer_new(keep_up, NULL);
    sweep.groups_timer = timer_new(find_groups, NULL);
    timer_set(sweep.groups_timer, GROUPS_MS);
    timer_set(sweep.timer, IDLE_MS);
    sweep.fold_at = loop_now() + FOLD_MS;
    timer_set(sweep.upkeep_timer, FOLD_MS);
    return true;
}

void sweep_close(void)
{
    timer_free(sweep.timer);
    timer_free(sweep.upkeep_timer);
    timer_free(sweep.groups_timer);
    sweep.timer = sweep.upkeep_timer = sweep.groups_timer = NULL;
}
