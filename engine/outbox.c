#include "outbox.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "arena.h"
#include "base.h"
#include "db.h"
#include "fetch.h"
#include "json.h"
#include "log.h"
#include "loop.h"
#include "settings.h"
#include "stats.h"
#include "worker.h"

enum { WAYS_MAX = 8, IDLE_MS = 500, FAILED_MS = 2000, REPORT_MS = 500, LEASE_TRIES = 4, LEASE_SECONDS = 20 };

static const struct api_fn api_claim = { .name = "notice_claim", .write = true };
static const struct api_fn api_done = { .name = "notice_done", .write = true };

static const char *const end_names[] = { "sent", "refused", "later", "unknown", "dropped" };

static const struct stat stats[] = {
    { "hotlined_notices_total", "Tries to send a notice by their end", STAT_COUNTER, "end=\"sent\"" },
    { "hotlined_notices_total", "Tries to send a notice by their end", STAT_COUNTER, "end=\"refused\"" },
    { "hotlined_notices_total", "Tries to send a notice by their end", STAT_COUNTER, "end=\"later\"" },
    { "hotlined_notices_total", "Tries to send a notice by their end", STAT_COUNTER, "end=\"unknown\"" },
    { "hotlined_notices_total", "Tries to send a notice by their end", STAT_COUNTER, "end=\"dropped\"" },
    { "hotlined_notices_waiting", "Notices that wait", STAT_GAUGE, NULL },
    { "hotlined_notices_dead", "Notices that wait for a person", STAT_GAUGE, NULL },
};

enum { STAT_WAITING = 5, STAT_DEAD = 6 };

/* What became of a try, kept until the database has it: what is forgotten here is sent again. */
struct report {
    TAILQ_ENTRY(report) next;
    char *json;
};

static struct {
    const struct way *ways[WAYS_MAX];
    size_t nways;
    struct timer *timer, *report_timer; /* NULL: closed, or another worker's */
    TAILQ_HEAD(, report) reports;       /* the database did not take them */
    int away;                           /* messages claimed whose end the database does not have */
    int stat;
    bool draining;
    char note[80];
} outbox;

void outbox_way(const struct way *way)
{
    assert(outbox.nways < WAYS_MAX);
    outbox.ways[outbox.nways++] = way;
}

static const struct way *find_way(const char *name)
{
    for (size_t i = 0; i < outbox.nways; i++)
        if (name && !strcmp(outbox.ways[i]->name, name))
            return outbox.ways[i];
    return NULL;
}

bool outbox_can_send(const char *way)
{
    return find_way(way) != NULL && db_takes_writes();
}

/* Telling the database */

static void report_free(struct report *report)
{
    free(report->json);
    free(report);
    outbox.away--;
}

static void reported(const struct db_answer *answer, void *arg)
{
    struct report *report = arg;

    if (answer->status < 500 || answer->code == NULL || !outbox.report_timer) {
        if (answer->status >= 500)
            log_error("notice_report", "status=%d", answer->status);
        report_free(report);
        return;
    }
    TAILQ_INSERT_TAIL(&outbox.reports, report, next);
    timer_set(outbox.report_timer, REPORT_MS);
}

static void send_report(struct report *report)
{
    db_call(&(struct db_call){ .fn = &api_done,
                               .json = report->json,
                               .len = strlen(report->json),
                               .key = report->json,
                               .done = reported,
                               .arg = report });
}

static void send_reports(void *arg)
{
    struct report *report;

    (void)arg;
    while ((report = TAILQ_FIRST(&outbox.reports)) != NULL) {
        TAILQ_REMOVE(&outbox.reports, report, next);
        send_report(report);
    }
}

static void add_text(cJSON *json, const char *name, const char *text)
{
    if (text && *text)
        cJSON_AddStringToObject(json, name, text);
}

static char *report_text(const struct message *m, const struct outcome *outcome)
{
    cJSON *json = json_object(m->arena);

    add_text(json, "id", json_text(m->json, "id"));
    cJSON_AddNumberToObject(json, "try", cJSON_GetNumberValue(cJSON_GetObjectItem(m->json, "try")));
    add_text(json, "end", end_names[outcome->end]);
    add_text(json, "provider", outcome->provider);
    add_text(json, "reference", outcome->reference);
    add_text(json, "why", outcome->why);
    if (outcome->status)
        cJSON_AddNumberToObject(json, "status", outcome->status);
    if (outcome->retry_after)
        cJSON_AddNumberToObject(json, "retry_after", outcome->retry_after);
    return strdup(json_print(m->arena, json));
}

void message_end(struct message *m, const struct outcome *outcome)
{
    struct report *report = calloc(1, sizeof *report);

    assert(outbox.stat >= 0);
    if (!report || !(report->json = report_text(m, outcome)))
        abort();
    log_info("notice", "id=%s way=%s kind=%s try=%d end=%s provider=%s status=%d why=%s", json_text(m->json, "id"),
             json_text(m->json, "way"), json_text(m->json, "kind"),
             (int)cJSON_GetNumberValue(cJSON_GetObjectItem(m->json, "try")), end_names[outcome->end],
             outcome->provider ? outcome->provider : "", outcome->status, outcome->why ? outcome->why : "");
    stats_add(outbox.stat + (int)outcome->end, 1);
    arena_free(m->arena);
    if (outbox.timer)
        send_report(report);
    else
        report_free(report);
}

/* Taking messages */

static void drop_json(void *item)
{
    cJSON_Delete(item);
}

static void send_message(cJSON *json)
{
    struct arena *arena = arena_new();
    struct message *m = arena_alloc(arena, sizeof *m);
    const struct way *way = find_way(json_text(json, "way"));

    arena_defer(arena, drop_json, json);
    *m = (struct message){ .arena = arena, .json = json };
    outbox.away++;
    if (way)
        way->send(m);
    else
        message_end(m, &(struct outcome){ .end = MESSAGE_LATER, .why = "no such way here" });
}

static void take_counts(const cJSON *body)
{
    const cJSON *waiting = cJSON_GetObjectItem(body, "waiting"), *dead = cJSON_GetObjectItem(body, "dead");

    stats_set(outbox.stat + STAT_WAITING, cJSON_IsNumber(waiting) ? waiting->valueint : 0);
    stats_set(outbox.stat + STAT_DEAD, cJSON_IsNumber(dead) ? dead->valueint : 0);
}

static void claimed(const struct db_answer *answer, void *arg)
{
    cJSON *body = answer->status == 200 ? cJSON_ParseWithLength(answer->body, answer->len) : NULL;
    cJSON *messages = cJSON_GetObjectItem(body, "messages"), *one;
    bool some = cJSON_GetArraySize(messages) > 0;

    (void)arg;
    if (!outbox.timer) {
        cJSON_Delete(body);
        return;
    }
    take_counts(body);
    while ((one = cJSON_DetachItemFromArray(messages, 0)) != NULL)
        send_message(one);
    timer_set(outbox.timer, body == NULL ? FAILED_MS : some ? 0 : IDLE_MS);
    cJSON_Delete(body);
}

/* So long may a message take that tries one provider after the other. */
static int lease_seconds(void)
{
    return LEASE_TRIES * settings()->fetch_ms / 1000 + LEASE_SECONDS;
}

static void claim(int most)
{
    cJSON *json = cJSON_CreateObject(), *ways = cJSON_AddArrayToObject(json, "ways");
    char *text;

    for (size_t i = 0; i < outbox.nways; i++)
        cJSON_AddItemToArray(ways, cJSON_CreateString(outbox.ways[i]->name));
    cJSON_AddNumberToObject(json, "most", most);
    cJSON_AddNumberToObject(json, "lease", lease_seconds());
    text = cJSON_PrintUnformatted(json);
    db_call(&(struct db_call){ .fn = &api_claim, .json = text, .len = strlen(text), .done = claimed });
    cJSON_free(text);
    cJSON_Delete(json);
}

/* Nothing is taken while the database has not heard of what was sent. */
static void look(void *arg)
{
    int room = settings()->fetch_max - outbox.away;

    (void)arg;
    if (outbox.draining)
        return;
    if (room > fetch_room())
        room = fetch_room();
    if (room > 0 && TAILQ_EMPTY(&outbox.reports))
        claim(room);
    else
        timer_set(outbox.timer, IDLE_MS / 5);
}

bool outbox_open(void)
{
    TAILQ_INIT(&outbox.reports);
    outbox.stat = stats_register(stats, COUNT(stats));
    if (worker_slot() != 0 || outbox.nways == 0)
        return true;
    outbox.timer = timer_new(look, NULL);
    outbox.report_timer = timer_new(send_reports, NULL);
    timer_set(outbox.timer, IDLE_MS);
    return true;
}

void outbox_drain(void)
{
    outbox.draining = true;
}

void outbox_close(void)
{
    struct report *report;

    while ((report = TAILQ_FIRST(&outbox.reports)) != NULL) {
        TAILQ_REMOVE(&outbox.reports, report, next);
        report_free(report);
    }
    timer_free(outbox.timer);
    timer_free(outbox.report_timer);
    outbox.timer = outbox.report_timer = NULL;
}

const char *outbox_note(void)
{
    long long dead = stats_total(outbox.stat + STAT_DEAD);

    if (dead == 0)
        return NULL;
    snprintf(outbox.note, sizeof outbox.note, "%lld notices could not be sent: hotlinectl notice list", dead);
    return outbox.note;
}
