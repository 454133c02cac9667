#include "life.h"

#include "city.h"
#include "ctl.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEOPLE_MAX = 600, FAILURES_SHOWN = 20, PATIENCE = 6, LONG_PATIENCE = 60 };

#define DEMO_PASSWORD "12345-demo"

struct worker {
    struct client *client;
};

/* One of the staff; the lock is held while they sign in, which takes the engine a tenth of a second. */
struct person {
    pthread_mutex_t lock;
    char login[40], token[TOKEN_MAX];
};

static struct {
    pthread_mutex_t lock;
    FILE *log;
    const char *run;
    int window;
    long failures;
    int n_people;
    struct person people[PEOPLE_MAX];
} book = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- the book: log, failures, sessions ---- */

void life_open(const char *log, const char *run, int window)
{
    book.run = run;
    book.window = window;
    book.log = fopen(log, "w");
    if (!book.log)
        fail("cannot write %s", log);
}

void life_close(void)
{
    if (fclose(book.log) != 0)
        fail("the log could not be written whole");
}

long life_failures(void)
{
    return book.failures;
}

struct worker *life_worker(const char *url)
{
    struct worker *worker = calloc(1, sizeof *worker);

    if (!worker)
        fail("no memory for a worker");
    worker->client = client_new(url);
    return worker;
}

void life_worker_free(struct worker *worker, long *calls, long *repeats)
{
    *calls += client_calls(worker->client);
    *repeats += client_repeats(worker->client);
    client_free(worker->client);
    free(worker);
}

struct client *life_client(struct worker *worker)
{
    return worker->client;
}

static void write_line(cJSON *line)
{
    char *text = cJSON_PrintUnformatted(line);

    pthread_mutex_lock(&book.lock);
    fprintf(book.log, "%s\n", text);
    pthread_mutex_unlock(&book.lock);
    free(text);
    cJSON_Delete(line);
}

/* The life ends here: what was asked, in which state, and what came back. */
static enum outcome give_up(struct life *life, const struct step *step, const struct answer *answer, const char *what)
{
    char *said = answer && answer->json ? cJSON_PrintUnformatted(answer->json) : NULL;
    char at[MOMENT_SIZE];

    pthread_mutex_lock(&book.lock);
    if (book.failures++ < FAILURES_SHOWN)
        fprintf(stderr, "\nhotlinectl: complaint %d (%s, number %s) at %s, state %s: %s %s: %s%ld %s\n", life->index,
                life->story->name, life->number, moment_text(life->at, at), life->state, step->transition, step->action,
                what, answer ? answer->status : 0,
                said     ? said
                : answer ? answer->error
                         : "");
    pthread_mutex_unlock(&book.lock);
    free(said);
    life->failed = life->over = true;
    return FAILED;
}

/* The entry of a person; made when there is none. */
static struct person *find_person(const char *login)
{
    struct person *person = book.people;

    pthread_mutex_lock(&book.lock);
    while (person < book.people + book.n_people && strcmp(person->login, login) != 0)
        person++;
    if (person == book.people + PEOPLE_MAX)
        fail("more than %d people act in one replay", PEOPLE_MAX);
    if (person == book.people + book.n_people) {
        snprintf(person->login, sizeof person->login, "%s", login);
        pthread_mutex_init(&person->lock, NULL);
        book.n_people++;
    }
    pthread_mutex_unlock(&book.lock);
    return person;
}

static void sign_in(struct worker *worker, struct person *person, moment at)
{
    int desk = (int)(person - book.people);
    cJSON *body = cJSON_CreateObject();
    char time[MOMENT_SIZE], address[40];
    struct answer answer;

    /* Each at a desk of their own: sign-ins are limited by address. */
    snprintf(address, sizeof address, "10.255.%d.%d", desk / 250, 1 + desk % 250);
    cJSON_AddStringToObject(body, "login", person->login);
    cJSON_AddStringToObject(body, "password", DEMO_PASSWORD);
    answer = client_call(
        worker->client,
        &(struct call){
            .method = "POST", .path = "/v1/session", .address = address, .at = moment_text(at, time), .body = body });
    if (answer.status != 200 && answer.status != 201)
        fail("%s cannot sign in: %ld %s %s", person->login, answer.status, member(answer.json, "code"), answer.error);
    snprintf(person->token, TOKEN_MAX, "%s", member(answer.json, "token"));
    answer_free(&answer);
    cJSON_Delete(body);
}

void life_sign_in(struct worker *worker, const char *login, moment at, char token[TOKEN_MAX])
{
    struct person *person = find_person(login);

    pthread_mutex_lock(&person->lock);
    if (!*person->token)
        sign_in(worker, person, at);
    memcpy(token, person->token, TOKEN_MAX);
    pthread_mutex_unlock(&person->lock);
}

/* The session ended; another worker may have found out first. */
static void forget(const char *login, const char *used)
{
    struct person *person = find_person(login);

    pthread_mutex_lock(&person->lock);
    if (!strcmp(person->token, used))
        *person->token = '\0';
    pthread_mutex_unlock(&person->lock);
}

/* ---- calls ---- */

static void login_of(const struct life *life, enum actor who, char login[40])
{
    static const char *const centre[] = {
        "", "operator", "acceptor1", "leader1", "dispatcher", "auditor1", "callback1"
    };
    static const char suffix[] = { 'd', 'h', 'a' };

    if (who >= UNIT_D && who <= UNIT_A)
        snprintf(login, 40, "%s.%c", city_staff(life->unit), suffix[who - UNIT_D]);
    else if (who == OPERATOR || who == DISPATCHER)
        snprintf(login, 40, "%s%d", centre[who], 1 + life->index % 2);
    else
        snprintf(login, 40, "%s", centre[who == SYSTEM ? LEADER : who]);
}

/* A call as one of the staff; signs in again when the session has ended meanwhile. */
static struct answer ask(struct worker *worker, struct life *life, enum actor who, struct call call)
{
    char login[40], time[MOMENT_SIZE], token[TOKEN_MAX];
    struct answer answer;

    login_of(life, who, login);
    call.at = moment_text(life->at, time);
    for (int try = 0;; try++) {
        life_sign_in(worker, login, life->at, token);
        call.token = token;
        answer = client_call(worker->client, &call);
        if (answer.status != 401 || try == 2)
            return answer;
        answer_free(&answer);
        forget(login, token);
    }
}

static const char *new_key(const struct life *life, const char *word, char key[64])
{
    snprintf(key, 64, "replay-%s-%06d-%02d-%02d-%s", book.run, life->index, life->leg, life->step, word);
    return key;
}

/* Small ids of the reference data travel as numbers in places. */
static void copy_text(char *to, size_t size, const cJSON *from, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(from, name);

    if (cJSON_IsNumber(value))
        snprintf(to, size, "%.0f", value->valuedouble);
    else if (*member(from, name))
        snprintf(to, size, "%s", member(from, name));
}

static void take_answer(struct life *life, const cJSON *json)
{
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(json, "version");

    copy_text(life->id, sizeof life->id, json, "id");
    copy_text(life->number, sizeof life->number, json, "number");
    copy_text(life->state, sizeof life->state, json, "state");
    copy_text(life->code, sizeof life->code, json, "query_code");
    if (cJSON_IsNumber(version))
        life->version = (int)version->valuedouble;
}

static cJSON *new_line(const struct life *life, moment at, const char *transition)
{
    cJSON *line = cJSON_CreateObject();
    char time[MOMENT_SIZE];

    cJSON_AddStringToObject(line, "at", moment_text(at, time));
    cJSON_AddNumberToObject(line, "complaint", life->index);
    cJSON_AddStringToObject(line, "id", life->id);
    cJSON_AddStringToObject(line, "number", life->number);
    cJSON_AddStringToObject(line, "transition", transition);
    cJSON_AddStringToObject(line, "state", life->state);
    return line;
}

/* What changed, as the answer said. */
static void log_answer(const struct life *life, const struct step *step, const struct answer *answer, const cJSON *body)
{
    cJSON *line = new_line(life, life->at, step->transition);

    cJSON_AddStringToObject(line, "action", step->action);
    cJSON_AddNumberToObject(line, "status", (double)answer->status);
    if (*life->unit)
        cJSON_AddStringToObject(line, "unit", life->unit);
    for (const char *const *name =
             (const char *const[]){ "resolved", "sat_result", "category", "division", "type", NULL };
         *name; name++)
        if (*member(body, *name))
            cJSON_AddStringToObject(line, *name, member(body, *name));
    write_line(line);
}

/* Whom the ticket lies with and until when, as GET …/tickets/{id} shows it. */
static void log_assignments(const struct life *life, const cJSON *json)
{
    cJSON *line = new_line(life, life->at, "look"), *list = cJSON_AddArrayToObject(line, "assignments");
    const cJSON *item;

    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "assignments"))
    {
        cJSON *copy = cJSON_CreateObject();
        char unit[16] = "";

        copy_text(unit, sizeof unit, cJSON_GetObjectItemCaseSensitive(item, "unit"), "id");
        cJSON_AddStringToObject(copy, "id", member(item, "id"));
        cJSON_AddStringToObject(copy, "role", member(item, "role"));
        cJSON_AddStringToObject(copy, "unit", unit);
        cJSON_AddNumberToObject(copy, "round", cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(item, "round")));
        for (const char *const *name = (const char *const[]){ "dispatched_at", "sign_due_at", "unit_due_at", NULL };
             *name; name++)
            cJSON_AddStringToObject(copy, *name, member(item, *name));
        cJSON_AddItemToArray(list, copy);
    }
    write_line(line);
}

static bool is_one_of(const char *state, const char *states)
{
    size_t len = strlen(state);

    for (const char *at = states; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (!strncmp(at, state, len) && (at[len] == '|' || !at[len]))
            return true;
    return false;
}

static enum outcome changed(struct life *life, const struct step *step, const struct answer *answer, const cJSON *body)
{
    take_answer(life, answer->json);
    if (step->leads && !is_one_of(life->state, step->leads))
        return give_up(life, step, answer, "led elsewhere: ");
    if (*step->transition)
        log_answer(life, step, answer, body);
    return DONE;
}

/* ---- steps ---- */

const struct step *life_step(const struct life *life)
{
    return life->leg < LEGS_MAX && life->story->legs[life->leg] ? &life->story->legs[life->leg][life->step] : NULL;
}

static cJSON *filled(struct life *life, const struct step *step)
{
    cJSON *body = cJSON_CreateObject();

    if (step->fill)
        step->fill(life, body);
    return body;
}

enum outcome life_file(struct worker *worker, struct life *life)
{
    const struct step *step = life_step(life);
    cJSON *body = filled(life, step);
    char key[64], time[MOMENT_SIZE];
    struct answer answer;
    enum outcome outcome;

    new_key(life, "file", key);
    answer = client_call(worker->client, &(struct call){ .method = "POST",
                                                         .path = "/v1/tickets",
                                                         .address = life->address,
                                                         .key = key,
                                                         .at = moment_text(life->at, time),
                                                         .body = body });
    outcome = answer.status == 201 ? changed(life, step, &answer, body) : give_up(life, step, &answer, "refused: ");
    answer_free(&answer);
    cJSON_Delete(body);
    return outcome;
}

/* A citizen's answer names the number; the id comes from the list of those who accept. */
static bool find_id(struct worker *worker, struct life *life, const struct step *step)
{
    char path[96];
    struct answer answer;
    const cJSON *row;

    if (*life->id)
        return true;
    snprintf(path, sizeof path, "/v1/desk/tickets?q=%s&limit=5", life->number);
    answer = ask(worker, life, ACCEPTOR, (struct call){ .method = "GET", .path = path });
    cJSON_ArrayForEach(
        row, cJSON_GetObjectItemCaseSensitive(answer.json, "tickets")) if (!strcmp(member(row, "number"), life->number))
        take_answer(life, row);
    if (!*life->id)
        give_up(life, step, &answer, "not in the list: ");
    answer_free(&answer);
    return *life->id;
}

static void take_clocks(struct life *life, const cJSON *json)
{
    const cJSON *item;

    life->n_clocks = 0;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "clocks"))
    {
        if (life->n_clocks == COUNT(life->clocks) || *member(item, "met_at") || *member(item, "stopped_at"))
            continue;
        if (!moment_read(member(item, "due_at"), &life->clocks[life->n_clocks].due))
            continue;
        copy_text(life->clocks[life->n_clocks++].kind, sizeof life->clocks->kind, item, "kind");
    }
}

/* Read the ticket whole: state, unit, clocks. */
static struct answer look(struct worker *worker, struct life *life)
{
    char path[64];
    struct answer answer;

    snprintf(path, sizeof path, "/v1/desk/tickets/%s", life->id);
    answer = ask(worker, life, LEADER, (struct call){ .method = "GET", .path = path });
    if (answer.status == 200) {
        take_answer(life, answer.json);
        copy_text(life->unit, sizeof life->unit, cJSON_GetObjectItemCaseSensitive(answer.json, "unit"), "id");
        take_clocks(life, answer.json);
    }
    return answer;
}

/* The ticket changed since it was last seen, by a clock that ran out: read it again, as a person does. */
static bool is_stale(struct worker *worker, struct life *life, struct answer *answer, cJSON *body)
{
    struct answer now;

    if (answer->status != 409 || strcmp(member(answer->json, "code"), "stale_version") != 0)
        return false;
    answer_free(answer);
    now = look(worker, life);
    answer_free(&now);
    cJSON_ReplaceItemInObjectCaseSensitive(body, "version", cJSON_CreateNumber(life->version));
    return true;
}

static enum outcome post(struct worker *worker, struct life *life, const char *path, cJSON *body, long want)
{
    const struct step *step = life_step(life);
    struct call call = { .method = "POST", .path = path, .body = body };
    struct answer answer;
    enum outcome outcome;
    char key[64];

    call.key = new_key(life, step->action, key);
    answer = ask(worker, life, step->who, call);
    if (is_stale(worker, life, &answer, body)) {
        call.key = new_key(life, "again", key);
        answer = ask(worker, life, step->who, call);
    }
    outcome = answer.status == want ? changed(life, step, &answer, body) : give_up(life, step, &answer, "refused: ");
    if (outcome == DONE)
        copy_text(life->dup_check, sizeof life->dup_check, answer.json, "dup_check");
    answer_free(&answer);
    cJSON_Delete(body);
    return outcome;
}

enum outcome life_draft(struct worker *worker, struct life *life)
{
    return post(worker, life, "/v1/desk/tickets", filled(life, life_step(life)), 201);
}

enum outcome life_dup_check(struct worker *worker, struct life *life)
{
    char path[64];

    snprintf(path, sizeof path, "/v1/desk/tickets/%s/dup-check", life->id);
    return post(worker, life, path, filled(life, life_step(life)), 200);
}

/* Category and place as the engine proposes them for the text, else by lot. */
enum outcome life_classify(struct worker *worker, struct life *life)
{
    const struct step *step = life_step(life);
    cJSON *body = cJSON_CreateObject();
    struct answer answer;

    if (life->text->category)
        snprintf(life->category, sizeof life->category, "%s", life->text->category);
    if (life->text->division)
        snprintf(life->division, sizeof life->division, "%s", life->text->division);
    cJSON_AddStringToObject(body, "title", life->text->title);
    cJSON_AddStringToObject(body, "content", life->text->content);
    answer = ask(worker, life, step->who, (struct call){ .method = "POST", .path = "/v1/desk/route", .body = body });
    cJSON_Delete(body);
    if (answer.status != 200)
        return give_up(life, step, &answer, "refused: ");
    if (!*life->category)
        copy_text(life->category, sizeof life->category, cJSON_GetObjectItemCaseSensitive(answer.json, "category"),
                  "code");
    if (!*life->division)
        copy_text(life->division, sizeof life->division, cJSON_GetObjectItemCaseSensitive(answer.json, "division"),
                  "code");
    if (strlen(life->category) < 6)
        snprintf(life->category, sizeof life->category, "%s", city_category(&life->chance));
    if (strlen(life->division) < 6)
        snprintf(life->division, sizeof life->division, "%s", city_division(&life->chance));
    answer_free(&answer);
    return DONE;
}

/* Now and then look whether the engine offers what is planned. */
static bool is_offered(struct worker *worker, struct life *life, const struct step *step)
{
    char path[64];
    struct answer answer;
    const cJSON *item;
    bool offered = false;

    if (!chance_percent(&life->chance, 12))
        return true;
    snprintf(path, sizeof path, "/v1/desk/tickets/%s/actions", life->id);
    answer = ask(worker, life, step->who, (struct call){ .method = "GET", .path = path });
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(answer.json, "actions")) offered =
        offered || !strcmp(member(item, "action"), step->action);
    if (!offered)
        give_up(life, step, &answer, "not among the actions offered: ");
    answer_free(&answer);
    return offered;
}

enum outcome life_act(struct worker *worker, struct life *life)
{
    const struct step *step = life_step(life);
    char path[64];
    cJSON *body;

    if (!find_id(worker, life, step) || !is_offered(worker, life, step))
        return FAILED;
    body = filled(life, step);
    cJSON_AddStringToObject(body, "action", step->action);
    if (life->version)
        cJSON_AddNumberToObject(body, "version", life->version);
    snprintf(path, sizeof path, "/v1/desk/tickets/%s/actions", life->id);
    return post(worker, life, path, body, 200);
}

enum outcome life_look(struct worker *worker, struct life *life)
{
    struct answer answer = look(worker, life);

    if (answer.status != 200 || !*life->unit)
        return give_up(life, life_step(life), &answer, "no unit: ");
    log_assignments(life, answer.json);
    answer_free(&answer);
    return DONE;
}

/* The first unit proposed that can be given tickets. */
static void take_candidate(struct life *life, const cJSON *json)
{
    const cJSON *route = cJSON_GetObjectItemCaseSensitive(json, "route"), *item;

    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(route, "candidates"))
    {
        copy_text(life->unit, sizeof life->unit, cJSON_GetObjectItemCaseSensitive(item, "unit"), "id");
        copy_text(life->item, sizeof life->item, cJSON_GetObjectItemCaseSensitive(item, "item"), "id");
        if (*city_staff(life->unit))
            return;
    }
    *life->unit = *life->item = '\0';
}

enum outcome life_dispatch(struct worker *worker, struct life *life)
{
    struct answer answer = look(worker, life);

    if (answer.status != 200)
        return give_up(life, life_step(life), &answer, "refused: ");
    take_candidate(life, answer.json);
    answer_free(&answer);
    return life_act(worker, life);
}

/* Approve or reject what is open, as the step's action says. */
enum outcome life_decide(struct worker *worker, struct life *life)
{
    struct answer answer;
    const cJSON *item;

    if (!find_id(worker, life, life_step(life)))
        return FAILED;
    answer = look(worker, life);
    *life->approval = '\0';
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(answer.json, "approvals")) if (!*member(item, "verdict"))
        copy_text(life->approval, sizeof life->approval, item, "id");
    if (!*life->approval)
        return give_up(life, life_step(life), &answer, "nothing to decide: ");
    answer_free(&answer);
    return life_act(worker, life);
}

/* The event of the awaited effect, NULL when it has not come. */
static const cJSON *event_of(const cJSON *json, const char *transition)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "events")) if (!strcmp(member(item, "transition"),
                                                                                           transition)) return item;
    return NULL;
}

static enum outcome await(struct worker *worker, struct life *life, int patience, int pause)
{
    const struct step *step = life_step(life);
    struct answer answer = look(worker, life);
    const cJSON *event = event_of(answer.json, step->transition);
    moment at;

    if (!event && life->waited++ < patience) {
        answer_free(&answer);
        life->at += pause;
        return AGAIN;
    }
    life->waited = 0;
    if (!event || !moment_read(member(event, "at"), &at) || (step->leads && !is_one_of(life->state, step->leads)))
        return give_up(life, step, &answer, "did not come by itself: ");
    write_line(new_line(life, at, step->transition));
    answer_free(&answer);
    return DONE;
}

enum outcome life_await(struct worker *worker, struct life *life)
{
    return await(worker, life, PATIENCE, book.window);
}

enum outcome life_await_long(struct worker *worker, struct life *life)
{
    return await(worker, life, LONG_PATIENCE, DAY / 2);
}

/* ---- time ---- */

static bool due_of(const struct life *life, const char *clock, moment *due)
{
    for (int i = 0; i < life->n_clocks; i++)
        if (!strcmp(life->clocks[i].kind, clock)) {
            *due = life->clocks[i].due;
            return true;
        }
    return false;
}

/* When the next step comes.  What waits for the sweep looks only after the clock has been set past the due time. */
static moment time_of(struct life *life, const struct delay *after)
{
    int minutes = chance_between(&life->chance, after->min, after->max), seconds = chance_between(&life->chance, 1, 59);
    moment at = life->at, due = 0;
    bool bound = after->clock && due_of(life, after->clock, &due);

    switch (after->how) {
    case SOON:
        at += (moment)minutes * MINUTE + seconds;
        break;
    case OFFICE:
        at = moment_office(at, minutes) + seconds;
        break;
    case NEXT_DAY:
        at = moment_office(moment_day(at) + DAY, minutes) + seconds;
        break;
    case AFTER:
        return (bound && due > at ? due : at) + (moment)minutes * MINUTE + book.window;
    }
    if (bound && at > due - MINUTE)
        at = due - MINUTE > life->at ? due - MINUTE : life->at + 1;
    return at;
}

/* The step after this one, whatever the ticket's state. */
static const struct step *advance(struct life *life)
{
    life->step++;
    if (!life->story->legs[life->leg][life->step].run) {
        life->leg++;
        life->step = 0;
    }
    return life_step(life);
}

static void go_on(struct life *life)
{
    const struct step *next = advance(life);

    while (next && next->only_in && !is_one_of(life->state, next->only_in))
        next = advance(life);
    if (next)
        life->at = time_of(life, &next->after);
    else
        life->over = true;
}

void life_run(struct worker *worker, struct life *life, moment until)
{
    while (!life->over && life->at < until)
        if (life_step(life)->run(worker, life) == DONE)
            go_on(life);
}
