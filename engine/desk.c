#include "desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "feed.h"
#include "intake.h"
#include "limit.h"
#include "number.h"
#include "phone.h"
#include "private.h"
#include "secret.h"
#include "session.h"
#include "upload.h"

static const struct api_fn api_act = { .name = "act", .write = true, .whole = true };
static const struct api_fn api_sealed_name = { .name = "sealed_name" };
static const struct api_fn api_draft = { .name = "draft", .write = true, .whole = true };
static const struct api_fn api_transfer_check = { .name = "transfer_check", .write = true };
static const struct api_fn api_dup_check = { .name = "dup_check", .write = true };
static const struct api_fn api_reveal = { .name = "reveal", .write = true };
static const struct api_fn api_ticket = { .name = "ticket" };
static const struct api_fn api_attachment = { .name = "attachment" };
static const struct api_fn api_tickets = { .name = "tickets" };
static const struct api_fn api_counts = { .name = "counts" };
static const struct api_fn api_actions = { .name = "actions" };
static const struct api_fn api_reference = { .name = "reference" };
static const struct api_fn api_divisions = { .name = "divisions" };
static const struct api_fn api_route = { .name = "route" };
static const struct api_fn api_metrics = { .name = "metrics" };
static const struct api_fn api_metrics_tickets = { .name = "metrics_tickets" };

/* Steps that several requests share */

static enum next count_request(struct req *r)
{
    return limited(r, LIMIT_STAFF, r->session);
}

static const char *principal(struct req *r)
{
    return arena_printf(r->arena, "p%lld", (long long)r->user);
}

static enum next begin_call(struct req *r)
{
    call_begin(r, principal(r));
    return GO;
}

/* The ticket in the path becomes "id", and is locked when a write function is asked. */
static enum next take_ticket_id(struct req *r)
{
    const char *id = req_param(r, "id");

    if (!id_valid(id))
        return refuse(r, 404, "no_such_ticket", why_new(r->arena, "没有这张工单。", "There is no such ticket."));
    cJSON_AddStringToObject(r->call, "id", id);
    req_lock(r, strtoll(id, NULL, 10));
    return GO;
}

static enum next answer(struct req *r)
{
    return reply(r, r->answer.status, r->answer.body);
}

/* Query parameters: a table of names and what their values may look like */

enum filter_kind {
    FILTER_WORDS,
    FILTER_DIGITS,
    FILTER_NUMBER,
    FILTER_FLAG,
    FILTER_IDS,
    FILTER_DATE,
    FILTER_CURSOR,
    FILTER_TEXT
};

enum { FILTER_MAX = 1000, CODE_MAX = 12, NUMBER_MAX = 9, IDS_MAX = 200 };

struct filter {
    const char *name;
    enum filter_kind kind;
};

static const char digits[] = "0123456789";

static const char *const filter_chars[] = {
    [FILTER_WORDS] = "abcdefghijklmnopqrstuvwxyz_,0123456789",
    [FILTER_DIGITS] = digits,
    [FILTER_NUMBER] = digits,
    [FILTER_FLAG] = "1",
    [FILTER_IDS] = "0123456789,",
    [FILTER_DATE] = "0123456789-",
    [FILTER_CURSOR] = "0123456789_-",
};

static bool date_fits(const char *value)
{
    char moment[32];

    return strlen(value) == strlen("2018-01-01") &&
           snprintf(moment, sizeof moment, "%sT00:00:00Z", value) < (int)sizeof moment && time_valid(moment);
}

static bool ids_fit(struct req *r, const char *value)
{
    for (size_t n = 1; n <= IDS_MAX; n++) {
        size_t len = strcspn(value, ",");

        if (!id_valid(arena_strndup(r->arena, value, len)))
            return false;
        if (value[len] == '\0')
            return true;
        value += len + 1;
    }
    return false;
}

static bool filter_fits(struct req *r, const struct filter *filter, const char *value)
{
    size_t len = strlen(value);

    if (filter->kind == FILTER_TEXT)
        return len > 0 && utf8_length(value) <= 100;
    if (strspn(value, filter_chars[filter->kind]) != len)
        return false;
    switch (filter->kind) {
    case FILTER_DIGITS:
        return len <= CODE_MAX;
    case FILTER_NUMBER:
        return len <= NUMBER_MAX && *value != '0';
    case FILTER_FLAG:
        return len == 1;
    case FILTER_IDS:
        return ids_fit(r, value);
    case FILTER_DATE:
        return date_fits(value);
    default:
        return len <= FILTER_MAX;
    }
}

static const struct filter *find_filter(const struct filter *filters, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(filters[i].name, name) == 0)
            return &filters[i];
    return NULL;
}

/* Copy one filter into the call, or refuse what is not in the table. */
static enum next take_filter(struct req *r, const struct filter *filters, size_t n, const char *name, const char *value)
{
    const struct filter *filter = find_filter(filters, n, name);

    if (!filter)
        return refuse(r, 422, "bad_inputs",
                      why_field(r->arena, name, "unknown_parameter", "没有这个参数。", "There is no such parameter."));
    if (*value == '\0')
        return GO;
    if (!filter_fits(r, filter, value))
        return refuse(r, 422, "bad_inputs",
                      why_field(r->arena, name, filter->kind == FILTER_DATE ? "bad_date" : "bad_value",
                                "参数的值不对。", "The value of this parameter is not valid."));
    if (!cJSON_HasObjectItem(r->call, name))
        cJSON_AddStringToObject(r->call, name, value);
    return GO;
}

static enum next take_filters(struct req *r, const struct filter *filters, size_t n)
{
    enum next next = GO;

    for (size_t i = 0; i < r->nquery && next == GO; i++)
        next = take_filter(r, filters, n, r->query[i].name, r->query[i].value);
    return next;
}

/* GET /v1/desk/tickets */

static const struct filter list_filters[] = {
    { "state", FILTER_WORDS },     { "light", FILTER_WORDS },   { "unit", FILTER_NUMBER },
    { "category", FILTER_DIGITS }, { "channel", FILTER_WORDS }, { "type", FILTER_WORDS },
    { "division", FILTER_DIGITS }, { "waits", FILTER_WORDS },   { "mine", FILTER_FLAG },
    { "ids", FILTER_IDS },         { "closed", FILTER_FLAG },   { "from", FILTER_DATE },
    { "to", FILTER_DATE },         { "cursor", FILTER_CURSOR }, { "limit", FILTER_NUMBER },
    { "q", FILTER_TEXT },
};

static enum next take_list_filters(struct req *r)
{
    return take_filters(r, list_filters, COUNT(list_filters));
}

/* A whole ticket number is looked up, anything else is searched for by its bigrams. */
static enum next take_words(struct req *r)
{
    const char *words = json_text(r->call, "q");
    cJSON *grams;

    if (!words)
        return GO;
    if (ticket_no_valid(words)) {
        cJSON_AddStringToObject(r->call, "number", words);
    } else {
        grams = catalog_read_query(r->arena, words);
        if (!grams)
            return refuse(
                r, 422, "bad_inputs",
                why_field(r->arena, "q", "too_short", "请至少输入两个字。", "Please give at least two characters."));
        cJSON_AddItemReferenceToObject(r->call, "grams", grams);
    }
    cJSON_DeleteItemFromObject(r->call, "q");
    return GO;
}

static enum next read_tickets(struct req *r)
{
    return ask_read(r, &api_tickets, r->call);
}

static step_fn *const get_tickets[] = { session_load, count_request, begin_call, take_list_filters,
                                        take_words,   read_tickets,  answer };

/* POST /v1/desk/tickets/search: the same list by a phone number, which no address may hold: proxies log addresses and
 * browsers keep them. */

static const struct field search_fields[] = {
    { "state", JSON_WORD, .max = FILTER_MAX },
    { "light", JSON_WORD, .max = FILTER_MAX },
    { "unit", JSON_WORD },
    { "category", JSON_WORD },
    { "channel", JSON_WORD, .max = FILTER_MAX },
    { "type", JSON_WORD, .max = FILTER_MAX },
    { "division", JSON_WORD },
    { "waits", JSON_WORD, .max = FILTER_MAX },
    { "mine", JSON_WORD },
    { "ids", JSON_WORD, .max = (size_t)IDS_MAX * 20 },
    { "closed", JSON_WORD },
    { "from", JSON_WORD },
    { "to", JSON_WORD },
    { "cursor", JSON_WORD },
    { "limit", JSON_INT, .least = 1, .most = 200 },
    { "q", JSON_WORD, .max = 100 },
    { "phone", JSON_PHONE },
};

static enum next read_search(struct req *r)
{
    r->json = json_read(r->arena, r->input, search_fields, COUNT(search_fields), &r->why);
    return r->json ? GO : refuse(r, 422, r->why->code, r->why);
}

static enum next take_phone(struct req *r, const char *raw)
{
    char phone[PHONE_SIZE], hash[SECRET_HEX_SIZE];

    if (phone_normalise(raw, phone) == PHONE_BAD)
        return refuse(r, 422, "bad_inputs",
                      why_field(r->arena, "phone", "bad_phone", "电话号码不对。", "This is not a phone number."));
    phone_hash(phone, hash);
    cJSON_AddStringToObject(r->call, "phone_hmac", hash);
    return GO;
}

/* Of the number the database is told the hash alone. */
static enum next take_search(struct req *r)
{
    const cJSON *member;
    enum next next = GO;

    cJSON_ArrayForEach(member, r->json)
    {
        if (!strcmp(member->string, "phone"))
            next = take_phone(r, member->valuestring);
        else if (cJSON_IsNumber(member))
            cJSON_AddNumberToObject(r->call, member->string, member->valueint);
        else
            next = take_filter(r, list_filters, COUNT(list_filters), member->string, member->valuestring);
        if (next != GO)
            break;
    }
    return next;
}

static step_fn *const post_search[] = { session_load, count_request, read_search,  begin_call,
                                        take_search,  take_words,    read_tickets, answer };

/* One ticket, its actions, counts, names */

static enum next read_counts(struct req *r)
{
    return ask_read(r, &api_counts, r->call);
}

static enum next read_ticket(struct req *r)
{
    return ask_read(r, &api_ticket, r->call);
}

static enum next read_attachment(struct req *r)
{
    const char *id = req_param(r, "attachment");

    if (!id_valid(id))
        return refuse(r, 404, "no_such_attachment", NULL);
    cJSON_AddStringToObject(r->call, "attachment", id);
    return ask_read(r, &api_attachment, r->call);
}

static enum next read_actions(struct req *r)
{
    return ask_read(r, &api_actions, r->call);
}

static enum next read_reference(struct req *r)
{
    return ask_read(r, &api_reference, r->call);
}

static enum next take_parent(struct req *r)
{
    cJSON_AddStringToObject(r->call, "parent", req_param(r, "code"));
    return GO;
}

static enum next read_divisions(struct req *r)
{
    return ask_read(r, &api_divisions, r->call);
}

static step_fn *const get_counts[] = { session_load, count_request, begin_call, read_counts, answer };
static step_fn *const get_ticket[] = { session_load, count_request, begin_call, take_ticket_id, read_ticket, answer };
static step_fn *const get_attachment[] = { session_load,   count_request,   begin_call,
                                           take_ticket_id, read_attachment, upload_send };
static step_fn *const get_actions[] = { session_load, count_request, begin_call, take_ticket_id, read_actions, answer };
static step_fn *const get_reference[] = { session_load, count_request, begin_call, read_reference, answer_tagged };
static step_fn *const get_divisions[] = {
    session_load, count_request, begin_call, take_parent, read_divisions, answer
};

/* POST /v1/desk/tickets/{id}/actions: one transition.  What the action needs is the database's to check. */

static enum next read_body(struct req *r)
{
    r->json = json_object_only(r->arena, r->input, &r->why);
    return r->json ? GO : refuse(r, 422, r->why->code, r->why);
}

static enum next bad_action(struct req *r, const char *name, const char *zh, const char *en)
{
    return refuse(r, 422, "bad_inputs", why_field(r->arena, name, "bad_value", zh, en));
}

/* A ticket that an action names beside its own is locked with it, in the order of ids like all others of the batch: so two people who
 * merge two tickets into each other wait, and one of them is told that it cannot be. */
static const char *second_ticket(const cJSON *inputs)
{
    static const char *const names[] = { "master", "lead" };

    for (size_t i = 0; i < COUNT(names); i++) {
        const char *id = json_text(inputs, names[i]);

        if (id && id_valid(id))
            return id;
    }
    return NULL;
}

/* The database compares the code's hash; the code itself does not leave here. */
static void hash_code(struct req *r, cJSON *inputs)
{
    const char *code = json_text(inputs, "query_code");
    char hash[SECRET_HEX_SIZE];

    if (!code)
        return;
    if (query_code_hash(code, hash))
        cJSON_AddStringToObject(r->call, "code_hash", hash);
    cJSON_ReplaceItemInObject(inputs, "query_code", cJSON_CreateString("********"));
}

/* Does the action write the complaint anew?  Its words are then scanned for the citizen's own name too. */
static bool rewrites(struct req *r)
{
    static const char *const actions[] = { "amend", "accept", "submit", "save_draft" };
    const char *action = json_text(r->call, "action");
    const cJSON *inputs = cJSON_GetObjectItem(r->call, "inputs");

    for (size_t i = 0; i < COUNT(actions); i++)
        if (!strcmp(action, actions[i]))
            return json_text(inputs, "title") || json_text(inputs, "content") || json_text(inputs, "address");
    return false;
}

/* "action" and "version" go beside the inputs; contact data among the inputs is sealed, new words are read.  r->state is the name that was
 * given with them, or NULL. */
static enum next split_action(struct req *r)
{
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(r->json, "version");
    const char *action = json_text(r->json, "action");
    cJSON *inputs;

    if (!action || strlen(action) > 40)
        return bad_action(r, "action", "请给出操作名。", "Name the action.");
    if (version && (!cJSON_IsNumber(version) || version->valuedouble != version->valueint))
        return bad_action(r, "version", "版本须为数字。", "The version is a number.");
    cJSON_AddStringToObject(r->call, "action", action);
    if (version)
        cJSON_AddNumberToObject(r->call, "version", version->valueint);
    inputs = cJSON_Duplicate(r->json, true);
    cJSON_DeleteItemFromObject(inputs, "action");
    cJSON_DeleteItemFromObject(inputs, "version");
    cJSON_AddItemToObject(r->call, "inputs", inputs);
    upload_name(r->call, cJSON_GetObjectItem(inputs, "attachments"));
    r->state = json_text(inputs, "name") ? arena_strdup(r->arena, json_text(inputs, "name")) : NULL;
    hash_code(r, inputs);
    if (json_text(inputs, "title") || json_text(inputs, "content"))
        catalog_read_text(r->arena, r->call, inputs);
    return contact_seal(r, inputs);
}

/* What is written anew is read with the name that the ticket has. */
static enum next ask_name(struct req *r)
{
    cJSON *call;

    r->answer = (struct answer){ .status = 0 };
    if (r->state || !rewrites(r))
        return GO;
    call = json_object(r->arena);
    cJSON_AddStringToObject(call, "session", json_text(r->call, "session"));
    cJSON_AddStringToObject(call, "id", json_text(r->call, "id"));
    return ask_read(r, &api_sealed_name, call);
}

/* Without an answer nothing is scanned, and units see nothing of the new words. */
static enum next scan_words(struct req *r)
{
    const char *name = r->state, *sealed;
    const struct why *why;

    if (r->answer.status != 0 && r->answer.status != 200)
        return GO;
    if (r->answer.status == 200) {
        sealed = json_text(json_object_only(r->arena, (struct bytes){ r->answer.body, strlen(r->answer.body) }, &why),
                           "name_enc");
        name = sealed ? secret_open(r->arena, sealed, "name") : NULL;
    }
    private_read(r->arena, r->call, cJSON_GetObjectItem(r->call, "inputs"), NULL, name);
    return GO;
}

static enum next admit(struct req *r)
{
    return db_is_busy(&api_act) ? refuse(r, 503, "busy", NULL) : GO;
}

static enum next act(struct req *r)
{
    const char *second = second_ticket(cJSON_GetObjectItem(r->call, "inputs"));

    if (second)
        req_lock(r, strtoll(second, NULL, 10));
    return ask(r, &api_act, r->call);
}

static step_fn *const post_action[] = { session_load,   count_request, admit,    read_body,  begin_call,
                                        take_ticket_id, split_action,  ask_name, scan_words, act,
                                        answer_sealed };

/* POST /v1/desk/actions: up to 200, each with its own result */

enum { BULK_MAX = 200 };

struct bulk {
    struct req *r;
    size_t n, left;
    struct one {
        struct bulk *bulk;
        int status;
        const char *body;
    } * items;
};

static void take_one(const struct db_answer *said, void *arg)
{
    struct one *one = arg;
    struct bulk *bulk = one->bulk;
    struct req *r = bulk->r;

    one->status = said->status;
    one->body = said->body ? arena_strndup(r->arena, said->body, said->len)
                           : problem_make(r->arena, said->status, said->code, NULL, r->language);
    if (--bulk->left == 0)
        req_run(r);
}

/* The call for one element: its own key, derived from the request's. */
static cJSON *bulk_call(struct req *r, cJSON *element, size_t i)
{
    cJSON *whole = r->json;
    const char *id = json_text(element, "id");
    enum next next;

    call_begin(r, principal(r));
    cJSON_ReplaceItemInObject(r->call, "key", cJSON_CreateString(arena_printf(r->arena, "%s:%zu", r->key, i)));
    cJSON_AddStringToObject(r->call, "id", id);
    if (r->at)
        cJSON_AddStringToObject(r->call, "at", r->at);
    cJSON_DeleteItemFromObject(element, "id");
    r->json = element;
    next = split_action(r);
    /* The name is not at hand here: a complaint written anew is left for the scan of hotlinectl mask. */
    if (next == GO && (r->state || !rewrites(r)))
        private_read(r->arena, r->call, cJSON_GetObjectItem(r->call, "inputs"), NULL, r->state);
    r->json = whole;
    return next == GO ? r->call : NULL;
}

static enum next act_all(struct req *r)
{
    struct bulk *bulk = arena_alloc(r->arena, sizeof *bulk);
    cJSON *element, **calls;
    int64_t *ids; /* two to a call */
    size_t n = (size_t)cJSON_GetArraySize(r->json), i = 0;

    *bulk = (struct bulk){ .r = r, .n = n, .left = n, .items = arena_alloc(r->arena, n * sizeof *bulk->items) };
    calls = arena_alloc(r->arena, n * sizeof(cJSON *));
    ids = arena_alloc(r->arena, 2 * n * sizeof *ids);
    cJSON_ArrayForEach(element, r->json)
    {
        ids[2 * i] = strtoll(json_text(element, "id"), NULL, 10);
        calls[i] = bulk_call(r, element, i);
        if (!calls[i++])
            return DONE;
    }
    r->state = bulk; /* not before: reading an element uses it */
    for (i = 0; i < n; i++) {
        const char *text = json_print(r->arena, calls[i]),
                   *second = second_ticket(cJSON_GetObjectItem(calls[i], "inputs"));

        if (second)
            ids[2 * i + 1] = strtoll(second, NULL, 10);
        bulk->items[i].bulk = bulk;
        db_call(&(struct db_call){ .fn = &api_act,
                                   .json = text,
                                   .len = strlen(text),
                                   .locks = &ids[2 * i],
                                   .nlocks = second ? 2 : 1,
                                   .key = json_text(calls[i], "key"),
                                   .deadline = r->deadline,
                                   .done = take_one,
                                   .arg = &bulk->items[i] });
    }
    return WAIT;
}

static enum next read_bulk(struct req *r)
{
    const cJSON *element;
    int n;

    r->json = json_any(r->arena, r->input, &r->why);
    if (!r->json)
        return refuse(r, 422, r->why->code, r->why);
    n = cJSON_GetArraySize(r->json);
    if (!cJSON_IsArray(r->json) || n < 1 || n > BULK_MAX)
        return bad_action(r, "", "一次须有 1–200 项操作。", "Between 1 and 200 actions at once.");
    cJSON_ArrayForEach(element, r->json)
    {
        if (!cJSON_IsObject(element) || !json_text(element, "id") || !id_valid(json_text(element, "id")))
            return bad_action(r, "id", "每项都须有工单 id。", "Every element needs a ticket id.");
    }
    return GO;
}

static enum next answer_all(struct req *r)
{
    const struct bulk *bulk = r->state;
    cJSON *body = json_object(r->arena), *results = cJSON_AddArrayToObject(body, "results");

    for (size_t i = 0; i < bulk->n; i++) {
        cJSON *result = cJSON_CreateObject();

        cJSON_AddNumberToObject(result, "status", bulk->items[i].status);
        cJSON_AddRawToObject(result, "body", bulk->items[i].body);
        cJSON_AddItemToArray(results, result);
    }
    feed_poke();
    return reply_json(r, 200, body);
}

static step_fn *const post_actions[] = { session_load, count_request, read_bulk, act_all, answer_all };

/* POST /v1/desk/tickets: a draft (T01) */

static const char *const staff_channels[] = { "phone",      "merged_hotline", "outbound",   "sms",
                                              "email",      "letter",         "walk_in",    "media",
                                              "leader_day", "department",     "other_city", NULL };
static const char *const draft_types[] = { "consult",    "help",   "complaint", "report",
                                           "suggestion", "praise", "other",     NULL };

static const struct field draft_fields[] = {
    { "channel", JSON_WORD, .in = staff_channels, .must = true },
    { "type", JSON_WORD, .in = draft_types },
    { "title", JSON_TEXT, .max = 200 },
    { "content", JSON_TEXT, .max = 10000 },
    { "phone", JSON_PHONE },
    { "name", JSON_WORD, .min = 1, .max = 50 },
    { "division", JSON_WORD, .min = 4, .max = 12 },
    { "address", JSON_TEXT, .max = 200 },
    { "category", JSON_WORD, .min = 2, .max = 6 },
    { "anonymous", JSON_BOOL },
};

static enum next read_draft(struct req *r)
{
    r->json = json_read(r->arena, r->input, draft_fields, COUNT(draft_fields), &r->why);
    return r->json ? intake_prepare(r, principal(r), NULL) : refuse(r, 422, r->why->code, r->why);
}

static enum next store_draft(struct req *r)
{
    return ask(r, &api_draft, r->call);
}

static step_fn *const post_ticket[] = { session_load, count_request, read_draft, store_draft, answer_sealed };

/* POST …/dup-check, …/reveal, /v1/desk/route */

static const struct field text_fields[] = {
    { "type", JSON_WORD, .max = 20 },    { "title", JSON_TEXT, .max = 200 },   { "content", JSON_TEXT, .max = 10000 },
    { "category", JSON_WORD, .max = 6 }, { "division", JSON_WORD, .max = 12 }, { "phone", JSON_PHONE },
};

static enum next read_words(struct req *r)
{
    r->json = json_read(r->arena, r->input, text_fields, COUNT(text_fields), &r->why);
    return r->json ? GO : refuse(r, 422, r->why->code, r->why);
}

static enum next add_words(struct req *r)
{
    static const char *const passed[] = { "type", "category", "division" };

    for (size_t i = 0; i < COUNT(passed); i++)
        if (json_text(r->json, passed[i]))
            cJSON_AddStringToObject(r->call, passed[i], json_text(r->json, passed[i]));
    if (json_text(r->json, "title") || json_text(r->json, "content"))
        catalog_read_text(r->arena, r->call, r->json);
    return contact_seal(r, r->json);
}

static enum next check_doubles(struct req *r)
{
    return ask(r, &api_dup_check, r->call);
}

static enum next read_route(struct req *r)
{
    return ask_read(r, &api_route, r->call);
}

static const struct field reveal_fields[] = { { "purpose", JSON_TEXT, .must = true, .min = 2, .max = 200 } };

static enum next read_purpose(struct req *r)
{
    r->json = json_read(r->arena, r->input, reveal_fields, COUNT(reveal_fields), &r->why);
    if (!r->json)
        return refuse(r, 422, r->why->code, r->why);
    cJSON_AddStringToObject(r->call, "purpose", json_text(r->json, "purpose"));
    return GO;
}

static enum next reveal(struct req *r)
{
    req_set_header(r, "Cache-Control", "no-store");
    return ask(r, &api_reveal, r->call);
}

/* POST …/transfer-check: did an urgent transfer arrive? */

static const struct field transfer_fields[] = { { "transfer", JSON_ID, .must = true },
                                                { "arrived", JSON_BOOL, .must = true } };

static enum next read_transfer(struct req *r)
{
    r->json = json_read(r->arena, r->input, transfer_fields, COUNT(transfer_fields), &r->why);
    if (!r->json)
        return refuse(r, 422, r->why->code, r->why);
    cJSON_AddStringToObject(r->call, "transfer", json_text(r->json, "transfer"));
    cJSON_AddBoolToObject(r->call, "arrived", cJSON_IsTrue(cJSON_GetObjectItem(r->json, "arrived")));
    return GO;
}

static enum next check_transfer(struct req *r)
{
    return ask(r, &api_transfer_check, r->call);
}

static step_fn *const post_transfer_check[] = { session_load,   count_request,  begin_call, read_transfer,
                                                take_ticket_id, check_transfer, answer };

static step_fn *const post_dup_check[] = { session_load,   count_request, read_words,    begin_call,
                                           take_ticket_id, add_words,     check_doubles, answer_sealed };
static step_fn *const post_route[] = { session_load, count_request, read_words, begin_call,
                                       add_words,    read_route,    answer };
static step_fn *const post_reveal[] = { session_load,   count_request, begin_call,   read_purpose,
                                        take_ticket_id, reveal,        answer_sealed };

/* GET /v1/metrics/{name} */

static const struct filter metric_filters[] = {
    { "from", FILTER_DATE },       { "to", FILTER_DATE },         { "by", FILTER_WORDS },
    { "unit", FILTER_NUMBER },     { "category", FILTER_DIGITS }, { "channel", FILTER_WORDS },
    { "district", FILTER_DIGITS }, { "figure", FILTER_WORDS },    { "part", FILTER_WORDS },
    { "key", FILTER_TEXT },        { "cursor", FILTER_CURSOR },   { "limit", FILTER_NUMBER },
};

static enum next take_metric(struct req *r)
{
    cJSON_AddStringToObject(r->call, "name", req_param(r, "name"));
    /* "key" is the row of the table that is asked for; the call's own key is not used by readings. */
    cJSON_DeleteItemFromObject(r->call, "key");
    return take_filters(r, metric_filters, COUNT(metric_filters));
}

static enum next read_metrics(struct req *r)
{
    return ask_read(r, &api_metrics, r->call);
}

static enum next read_metrics_tickets(struct req *r)
{
    return ask_read(r, &api_metrics_tickets, r->call);
}

static step_fn *const get_metric[] = { session_load, count_request, begin_call, take_metric, read_metrics, answer };
static step_fn *const get_metric_tickets[] = { session_load, count_request,        begin_call,
                                               take_metric,  read_metrics_tickets, answer };

static const struct route routes[] = {
    { "GET", "/v1/desk/tickets", get_tickets, 0 },
    { "POST", "/v1/desk/tickets", post_ticket, 0 },
    { "POST", "/v1/desk/tickets/search", post_search, 0 },
    { "GET", "/v1/desk/tickets/{id}", get_ticket, 0 },
    { "GET", "/v1/desk/tickets/{id}/attachments/{attachment}", get_attachment, 0 },
    { "GET", "/v1/desk/tickets/{id}/actions", get_actions, 0 },
    { "POST", "/v1/desk/tickets/{id}/actions", post_action, 0 },
    { "POST", "/v1/desk/tickets/{id}/dup-check", post_dup_check, 0 },
    { "POST", "/v1/desk/tickets/{id}/reveal", post_reveal, 0 },
    { "POST", "/v1/desk/tickets/{id}/transfer-check", post_transfer_check, 0 },
    { "POST", "/v1/desk/actions", post_actions, 0 },
    { "POST", "/v1/desk/route", post_route, 0 },
    { "GET", "/v1/desk/counts", get_counts, 0 },
    { "GET", "/v1/desk/reference", get_reference, 0 },
    { "GET", "/v1/desk/divisions/{code}", get_divisions, 0 },
    { "GET", "/v1/metrics/{name}", get_metric, 0 },
    { "GET", "/v1/metrics/{name}/tickets", get_metric_tickets, 0 },
};

bool desk_open(void)
{
    http_routes(routes, COUNT(routes));
    return true;
}
