/* Open311 GeoReport v2 for the applications of others, with mySociety's updates.  README.md beside this file tells the protocol. */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arena.h"
#include "channel.h"
#include "complaint.h"
#include "form.h"
#include "keys.h"
#include "render.h"

#define BASE "/open311/v2/"

static const struct api_fn api_requests = { .name = "open311_requests" };
static const struct api_fn api_updates = { .name = "open311_updates" };

static const char changeset[] = "2026-11-23T00:00:00+08:00";

enum {
    SPAN_DAYS = 90,
    LIST_MOST = 1000,
    IDS_MOST = 1000,
    OFFSET_MOST = 1000000,
    DAY = 86400,
    TOKEN_SIZE = 16 + 1 + SECRET_HEX_SIZE
};

/* What a request said beside its path. */
struct asked {
    struct form *form; /* NULL: a GET */
    const char *app;   /* the principal of the application whose key was shown, NULL: nobody's */
    cJSON *attributes; /* what is kept of the form beside the complaint */
};

/* ---- answers ------------------------------------------------------------------------------------------------------------ */

static bool wants_json(const struct req *r)
{
    size_t len = strlen(r->path);

    return len > 5 && !strcmp(r->path + len - 5, ".json");
}

/* The same value in either format; list names it in XML. */
static enum next answer(struct req *r, int status, const char *list, const cJSON *value)
{
    const char *text;

    if (!wants_json(r))
        return reply_raw(r, status, "text/xml; charset=utf-8", render_xml(r->arena, list, value));
    text = json_print(r->arena, value);
    return reply_raw(r, status, "application/json; charset=utf-8", (struct bytes){ text, strlen(text) });
}

static void delete_json(void *json)
{
    cJSON_Delete(json);
}

/* What the database said, which is JSON as the standard wants it. */
static enum next pass_on(struct req *r, const char *list)
{
    cJSON *value;

    if (r->answer.status != 200 || !r->answer.body)
        return reply(r, r->answer.status, r->answer.body);
    if (wants_json(r))
        return reply_raw(r, 200, "application/json; charset=utf-8",
                         (struct bytes){ r->answer.body, strlen(r->answer.body) });
    value = cJSON_Parse(r->answer.body);
    if (!value)
        return refuse(r, 500, "internal", NULL);
    arena_defer(r->arena, delete_json, value);
    return answer(r, 200, list, value);
}

/* Refusals in the standard's own form.  It knows 404, 403 and 400; what HTTP itself says (405, 413, 429, 5xx) stays. */

static int status_of(int status)
{
    static const struct {
        int ours, theirs;
    } statuses[] = { { 401, 403 }, { 409, 400 }, { 415, 400 }, { 422, 400 } };

    for (size_t i = 0; i < COUNT(statuses); i++)
        if (statuses[i].ours == status)
            return statuses[i].theirs;
    return status;
}

static void add_error(cJSON *errors, int code, const char *description)
{
    cJSON *error = cJSON_CreateObject();

    cJSON_AddNumberToObject(error, "code", code);
    cJSON_AddStringToObject(error, "description", description);
    cJSON_AddItemToArray(errors, error);
}

static enum next refuse_open311(struct req *r, int status, const char *code, const struct why *why)
{
    bool en = r->language == LANGUAGE_EN;
    cJSON *errors = json_list(r->arena);

    if (!why)
        why = problem_why(code);
    status = status_of(status);
    for (size_t i = 0; i < why->nfaults; i++)
        add_error(errors, status,
                  arena_printf(r->arena, "%s: %s", form_name(why->faults[i].name),
                               en ? why->faults[i].en : why->faults[i].zh));
    if (!why->nfaults)
        add_error(errors, status, en ? why->en : why->zh);
    return answer(r, status, "errors", errors);
}

/* ---- who asks, and where ------------------------------------------------------------------------------------------------- */

/* A parameter of the form or of the address; blank is absent. */
static const char *value_of(const struct req *r, const char *name)
{
    const struct asked *asked = r->state;
    const char *value = asked->form ? form_value(asked->form, name) : NULL;

    if (!value)
        value = req_query(r, name);
    return value && !is_blank(value) ? value : NULL;
}

static enum next check_format(struct req *r)
{
    const char *format = req_param(r, "format");

    if (!format) /* it ends the last part of the path */
        format = strrchr(r->path, '.') ? strrchr(r->path, '.') + 1 : "";
    if (strcmp(format, "xml") != 0 && strcmp(format, "json") != 0)
        return refuse(r, 404, "no_such_route", NULL);
    return GO;
}

static enum next begin_query(struct req *r)
{
    struct asked *asked = arena_alloc(r->arena, sizeof *asked);

    r->state = asked;
    return check_format(r);
}

static enum next read_form(struct req *r)
{
    struct asked *asked;
    const struct why *why;

    if (begin_query(r) == DONE)
        return DONE;
    asked = r->state;
    asked->form = form_read(r->arena, req_header(r, "Content-Type"), r->input, &why);
    if (!asked->form)
        return refuse(r, 400, why->code, why);
    r->input = form_canonical(r->arena, asked->form);
    return GO;
}

static enum next check_jurisdiction(struct req *r)
{
    const char *jurisdiction = value_of(r, "jurisdiction_id");

    if (!jurisdiction || !strcmp(jurisdiction, settings()->app_jurisdiction))
        return GO;
    return refuse(r, 404, "no_such_jurisdiction",
                  why_new(r->arena, "没有这个 jurisdiction_id", "there is no such jurisdiction_id"));
}

static enum next wrong_key(struct req *r)
{
    return refuse(r, 403, "bad_api_key",
                  why_new(r->arena, "缺少 api_key 或 api_key 不对", "the api_key is missing or wrong"));
}

/* With a key the application's own limit holds, else that of the address. */
static enum next check_reader(struct req *r)
{
    struct asked *asked = r->state;
    const char *key = value_of(r, "api_key");

    asked->app = keys_find(key);
    if (key && !asked->app)
        return wrong_key(r);
    if (asked->app)
        asked->app = arena_printf(r->arena, "app:%s", asked->app);
    return limited(r, asked->app ? LIMIT_APP : LIMIT_QUERY, asked->app ? asked->app : r->address);
}

static enum next check_writer(struct req *r)
{
    return value_of(r, "api_key") ? check_reader(r) : wrong_key(r);
}

/* ---- discovery ------------------------------------------------------------------------------------------------------------- */

/* Where we are reached: as configured, else by the name the client used, if that is one. */
static const char *origin_of(struct req *r)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
    const char *host = req_header(r, "Host");

    if (*settings()->public_origin)
        return settings()->public_origin;
    if (!host || !*host || strspn(host, allowed) != strlen(host))
        host = "localhost";
    return arena_printf(r->arena, "http://%s", host);
}

static void add_endpoint(cJSON *endpoints, const char *specification, const char *url)
{
    cJSON *endpoint = cJSON_CreateObject(), *formats;

    cJSON_AddStringToObject(endpoint, "specification", specification);
    cJSON_AddStringToObject(endpoint, "url", url);
    cJSON_AddStringToObject(endpoint, "changeset", changeset);
    cJSON_AddStringToObject(endpoint, "type", catalog_time() ? "test" : "production");
    formats = cJSON_AddArrayToObject(endpoint, "formats");
    cJSON_AddItemToArray(formats, cJSON_CreateString("text/xml"));
    cJSON_AddItemToArray(formats, cJSON_CreateString("application/json"));
    cJSON_AddItemToArray(endpoints, endpoint);
}

static enum next say_discovery(struct req *r)
{
    bool en = r->language == LANGUAGE_EN;
    const char *origin = origin_of(r);
    cJSON *discovery = json_object(r->arena), *endpoints;

    cJSON_AddStringToObject(discovery, "changeset", changeset);
    cJSON_AddStringToObject(discovery, "contact", en ? "Call 12345" : "请拨打 12345");
    cJSON_AddStringToObject(discovery, "key_service",
                            en ? "The hotline centre gives keys to applications" : "应用密钥由热线中心发放");
    endpoints = cJSON_AddArrayToObject(discovery, "endpoints");
    add_endpoint(endpoints, "http://wiki.open311.org/GeoReport_v2", arena_printf(r->arena, "%s" BASE, origin));
    add_endpoint(endpoints, "http://wiki.open311.org/Service_Discovery",
                 arena_printf(r->arena, "%s" BASE "discovery", origin));
    return answer(r, 200, "discovery", discovery);
}

/* ---- services --------------------------------------------------------------------------------------------------------------- */

static cJSON *service_json(const struct req *r, const cJSON *service)
{
    cJSON *out = cJSON_CreateObject();
    const char *keywords = json_text(service, "keywords");

    cJSON_AddStringToObject(out, "service_code", json_text(service, "code"));
    cJSON_AddStringToObject(out, "service_name", said(r, service, "zh", "en"));
    cJSON_AddStringToObject(out, "description", said(r, service, "about_zh", "about_en"));
    cJSON_AddTrueToObject(out, "metadata"); /* every service asks for something */
    cJSON_AddStringToObject(out, "type", "realtime");
    cJSON_AddStringToObject(out, "keywords", keywords ? keywords : "");
    cJSON_AddStringToObject(out, "group", said(r, service, "group_zh", "group_en"));
    return out;
}

static enum next say_services(struct req *r)
{
    const cJSON *service;
    cJSON *list;

    if (!catalog_ready())
        return refuse_later(r, "database_away", 1);
    list = json_list(r->arena);
    cJSON_ArrayForEach(service, cJSON_GetObjectItem(catalog_services(), "list"))
        cJSON_AddItemToArray(list, service_json(r, service));
    return answer(r, 200, "services", list);
}

static cJSON *attribute_json(const struct req *r, const cJSON *attribute, int order)
{
    cJSON *out = cJSON_CreateObject(), *values;
    const char *hint = said(r, attribute, "hint_zh", "hint_en");
    const cJSON *choice;

    cJSON_AddTrueToObject(out, "variable");
    cJSON_AddStringToObject(out, "code", json_text(attribute, "code"));
    cJSON_AddStringToObject(out, "datatype", json_text(attribute, "datatype"));
    cJSON_AddBoolToObject(out, "required", cJSON_IsTrue(cJSON_GetObjectItem(attribute, "required")));
    cJSON_AddStringToObject(out, "datatype_description", hint ? hint : "");
    cJSON_AddNumberToObject(out, "order", order);
    cJSON_AddStringToObject(out, "description", said(r, attribute, "zh", "en"));
    values = cJSON_AddArrayToObject(out, "values");
    cJSON_ArrayForEach(choice, cJSON_GetObjectItem(attribute, "choices"))
    {
        cJSON *value = cJSON_CreateObject();

        cJSON_AddStringToObject(value, "key", json_text(choice, "key"));
        cJSON_AddStringToObject(value, "name", said(r, choice, "zh", "en"));
        cJSON_AddItemToArray(values, value);
    }
    return out;
}

static enum next no_such_service(struct req *r)
{
    return refuse(r, 404, "no_such_service",
                  why_new(r->arena, "没有这个 service_code", "there is no such service_code"));
}

/* "010302.xml" → "010302" */
static const char *name_in_path(struct req *r, const char *param)
{
    const char *text = req_param(r, param), *dot = strrchr(text, '.');

    return arena_strndup(r->arena, text, dot ? (size_t)(dot - text) : strlen(text));
}

static enum next say_definition(struct req *r)
{
    const char *code = name_in_path(r, "service");
    const cJSON *service = catalog_service(code), *attribute;
    cJSON *out, *list;
    int order = 0;

    if (!catalog_ready())
        return refuse_later(r, "database_away", 1);
    if (!service)
        return no_such_service(r);
    out = json_object(r->arena);
    cJSON_AddStringToObject(out, "service_code", code);
    list = cJSON_AddArrayToObject(out, "attributes");
    cJSON_ArrayForEach(attribute, cJSON_GetObjectItem(service, "attributes"))
        cJSON_AddItemToArray(list, attribute_json(r, attribute, ++order));
    cJSON_ArrayForEach(attribute, cJSON_GetObjectItem(catalog_services(), "common"))
        cJSON_AddItemToArray(list, attribute_json(r, attribute, ++order));
    return answer(r, 200, "service_definition", out);
}

/* ---- POST requests ---------------------------------------------------------------------------------------------------------- */

static enum next read_complaint(struct req *r)
{
    struct asked *asked = r->state;
    const char *code = value_of(r, "service_code");
    const cJSON *service = code ? catalog_service(code) : NULL;
    const struct why *why;

    if (!catalog_ready())
        return refuse_later(r, "database_away", 1);
    if (!code)
        return refuse(r, 400, "bad_inputs", why_field(r->arena, "service_code", "missing", "必填", "is required"));
    if (!service)
        return no_such_service(r);
    r->json = complaint_read(r, asked->form, service, &asked->attributes, &why);
    return r->json ? GO : refuse(r, 400, why->code, why);
}

static enum next prepare(struct req *r)
{
    const struct asked *asked = r->state;
    enum next next = intake_prepare(r, asked->app, "app");

    if (next != GO)
        return next;
    cJSON_AddStringToObject(r->call, "origin", asked->app);
    cJSON_AddItemToObject(r->call, "attributes", cJSON_Duplicate(asked->attributes, true));
    return GO;
}

static enum next count_phone(struct req *r)
{
    const char *hash = json_text(cJSON_GetObjectItem(r->call, "contact"), "phone_hmac");

    return hash ? limited(r, LIMIT_SUBMIT_PHONE, hash) : GO;
}

/* A complaint in the spool has its number for good, but nobody can read it yet: the client gets a token to ask with, the number and the
 * keyed hash of its query code. */
static void add_token(struct req *r, cJSON *request, const char *number, const char *code)
{
    char hash[SECRET_HEX_SIZE];

    if (code && query_code_hash(code, hash))
        cJSON_AddStringToObject(request, "token", arena_printf(r->arena, "%s-%s", number, hash));
}

static const char *notice(struct req *r, const char *number, const char *code)
{
    if (r->language == LANGUAGE_EN)
        return arena_printf(r->arena,
                            "Ticket %s. With query code %s it can be followed and rated on the hotline's own pages.",
                            number, code);
    return arena_printf(r->arena, "工单号 %s，查询码 %s，可凭此在热线网站查询、补充和评价。", number, code);
}

static enum next answer_filed(struct req *r)
{
    const struct why *why;
    cJSON *filed, *list = json_list(r->arena), *request = cJSON_CreateObject();
    const char *number, *code;

    cJSON_AddItemToArray(list, request);
    if (r->answer.status / 100 != 2)
        return reply(r, r->answer.status, r->answer.body);
    filed = json_object_only(r->arena, (struct bytes){ r->answer.body, strlen(r->answer.body) }, &why);
    number = json_text(filed, "number");
    code = json_text(filed, "query_code");
    if (r->answer.status == 202)
        add_token(r, request, number, code);
    else
        cJSON_AddStringToObject(request, "service_request_id", number);
    cJSON_AddStringToObject(request, "service_notice", notice(r, number, code ? code : ""));
    cJSON_AddNullToObject(request, "account_id");
    return answer(r, r->answer.status, "service_requests", list);
}

/* ---- tokens ------------------------------------------------------------------------------------------------------------------- */

static enum next no_such_token(struct req *r)
{
    return refuse(r, 404, "no_such_token", why_new(r->arena, "没有这个 token", "there is no such token"));
}

static enum next read_token(struct req *r)
{
    const char *token = name_in_path(r, "token");
    char number[17];

    if (strlen(token) != TOKEN_SIZE - 1 || token[16] != '-')
        return no_such_token(r);
    memcpy(number, token, 16);
    number[16] = '\0';
    if (!ticket_no_valid(number) || strspn(token + 17, "0123456789abcdef") != SECRET_HEX_SIZE - 1)
        return no_such_token(r);
    call_begin(r, "public");
    cJSON_AddStringToObject(r->call, "number", number);
    cJSON_AddStringToObject(r->call, "code_hash", token + 17);
    r->state = NULL; /* the next steps' own */
    return GO;
}

/* While it is in the spool there is a token and no number yet. */
static enum next answer_token(struct req *r)
{
    const struct why *why;
    cJSON *view, *list, *item;
    const char *state;

    if (r->answer.status == 404)
        return follow_unsure(r) ? refuse_later(r, "database_away", 2) : no_such_token(r);
    if (r->answer.status != 200)
        return reply(r, r->answer.status, r->answer.body);
    view = json_object_only(r->arena, (struct bytes){ r->answer.body, strlen(r->answer.body) }, &why);
    state = json_text(view, "state");
    list = json_list(r->arena);
    item = cJSON_CreateObject();
    cJSON_AddItemToArray(list, item);
    if (state && strcmp(state, "received") != 0)
        cJSON_AddStringToObject(item, "service_request_id", json_text(r->call, "number"));
    cJSON_AddStringToObject(item, "token", name_in_path(r, "token"));
    return answer(r, 200, "service_requests", list);
}

/* ---- GET requests ---------------------------------------------------------------------------------------------------------------- */

static enum next bad_query(struct req *r, const char *name, const char *zh, const char *en)
{
    return refuse(r, 400, "bad_query", why_field(r->arena, name, "bad_value", zh, en));
}

/* A number from 1 to most, fallback where none is given, -1 where it is none. */
static long count_of(const struct req *r, const char *name, long fallback, long most)
{
    const char *text = value_of(r, name);
    char *end;
    long n;

    if (!text)
        return fallback;
    n = strtol(text, &end, 10);
    return *end || n < 1 || n > most || strlen(text) > 9 ? -1 : n;
}

static enum next begin_list(struct req *r)
{
    const struct asked *asked = r->state;
    long size = count_of(r, "page_size", LIST_MOST, LIST_MOST), page = count_of(r, "page", 1, OFFSET_MOST);

    call_begin(r, asked->app ? asked->app : "public");
    if (asked->app)
        cJSON_AddStringToObject(r->call, "origin", asked->app);
    if (size < 0)
        return bad_query(r, "page_size", "应为 1 至 1000", "must be from 1 to 1,000");
    if (page < 0 || (page - 1) * size > OFFSET_MOST)
        return bad_query(r, "page", "应为从 1 起的页码", "must be a page, the first is 1");
    cJSON_AddNumberToObject(r->call, "limit", (double)size);
    cJSON_AddNumberToObject(r->call, "offset", (double)((page - 1) * size));
    if (value_of(r, "extensions") && !strcmp(value_of(r, "extensions"), "true"))
        cJSON_AddTrueToObject(r->call, "more");
    return GO;
}

/* The moment of a text that time_valid has passed. */
static time_t moment_of(const char *text)
{
    struct tm tm = { 0 };
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    int hours = 0, minutes = 0;
    const char *zone = rest ? strpbrk(rest, "+-") : NULL;

    if (zone) {
        hours = atoi(zone + 1);
        minutes = atoi(zone + 4);
    }
    return timegm(&tm) - (zone && *zone == '-' ? -1 : 1) * (hours * 3600L + minutes * 60L);
}

static const char *text_of(struct req *r, time_t at)
{
    char *text = arena_alloc(r->arena, 32);
    struct tm tm;

    gmtime_r(&at, &tm);
    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return text;
}

/* start_date and end_date into the call; where one is absent, so many days from the other or from now. */
static enum next read_span(struct req *r, int days)
{
    const char *start = value_of(r, "start_date"), *end = value_of(r, "end_date");
    const char *now = r->at ? r->at : catalog_time();
    time_t to, from;

    if (start && !time_valid(start))
        return bad_query(r, "start_date", "应为带时区的时间", "must be a date-time with a zone");
    if (end && !time_valid(end))
        return bad_query(r, "end_date", "应为带时区的时间", "must be a date-time with a zone");
    if (end)
        to = moment_of(end);
    else if (start)
        to = moment_of(start) + (time_t)SPAN_DAYS * DAY;
    else
        to = (now && time_valid(now) ? moment_of(now) : time(NULL)) + DAY; /* hosts' clocks differ */
    from = start ? moment_of(start) : to - (time_t)days * DAY - (end ? 0 : DAY);
    if (from > to || (start && end && to - from > (time_t)SPAN_DAYS * DAY))
        return bad_query(r, "start_date", "须早于 end_date，最多相隔 90 天",
                         "must be before end_date, at most 90 days apart");
    cJSON_AddStringToObject(r->call, "from", start ? start : text_of(r, from));
    cJSON_AddStringToObject(r->call, "to", end ? end : text_of(r, to));
    return GO;
}

/* "a,b,c" as a list; false: too many. */
static bool split(cJSON *list, struct arena *arena, const char *text)
{
    int n = 0;

    for (;; text++) {
        size_t len = strcspn(text, ","), from = strspn(text, " ");

        if (++n > IDS_MOST)
            return false;
        if (len > from)
            cJSON_AddItemToArray(list, cJSON_CreateString(arena_strndup(arena, text + from, len - from)));
        text += len;
        if (!*text)
            return true;
    }
}

/* Numbers as they are asked for; what cannot be one is not asked for. */
static cJSON *numbers_of(const cJSON *words)
{
    cJSON *list = cJSON_CreateArray();
    const cJSON *word;

    cJSON_ArrayForEach(word, words)
    {
        if (ticket_no_valid(word->valuestring))
            cJSON_AddItemToArray(list, cJSON_CreateString(word->valuestring));
    }
    return list;
}

static enum next read_numbers(struct req *r, const char *text)
{
    cJSON *words = json_list(r->arena);

    if (!split(words, r->arena, text))
        return bad_query(r, "service_request_id", "最多 1000 个", "at most 1,000");
    cJSON_AddItemToObject(r->call, "ids", numbers_of(words));
    return GO;
}

static enum next read_services(struct req *r, const char *text)
{
    cJSON *words = json_list(r->arena);
    const cJSON *word;

    if (!split(words, r->arena, text))
        return bad_query(r, "service_code", "最多 1000 个", "at most 1,000");
    cJSON_ArrayForEach(word, words)
    {
        if (catalog_ready() && !catalog_service(word->valuestring))
            return no_such_service(r);
    }
    cJSON_AddItemToObject(r->call, "services", cJSON_Duplicate(words, true));
    return GO;
}

static enum next read_status(struct req *r, const char *status)
{
    bool open = strstr(status, "open"), closed = strstr(status, "closed");

    if (strcmp(status, "open") != 0 && strcmp(status, "closed") != 0 && strcmp(status, "open,closed") != 0 &&
        strcmp(status, "closed,open") != 0)
        return bad_query(r, "status", "应为 open 或 closed", "must be open or closed");
    if (open != closed)
        cJSON_AddStringToObject(r->call, "status", status);
    return GO;
}

static enum next read_filters(struct req *r)
{
    const char *numbers = value_of(r, "service_request_id"), *services = value_of(r, "service_code"),
               *status = value_of(r, "status");

    if (numbers)
        return read_numbers(r, numbers);
    if ((services && read_services(r, services) == DONE) || (status && read_status(r, status) == DONE))
        return DONE;
    return read_span(r, SPAN_DAYS);
}

static enum next ask_requests(struct req *r)
{
    return ask_read(r, &api_requests, r->call);
}

static enum next answer_requests(struct req *r)
{
    return pass_on(r, "service_requests");
}

static enum next read_number(struct req *r)
{
    return read_numbers(r, name_in_path(r, "id"));
}

static enum next answer_request(struct req *r)
{
    if (r->answer.status == 200 && !strcmp(r->answer.body, "[]"))
        return refuse(r, 404, "no_such_request",
                      why_new(r->arena, "没有这个 service_request_id", "there is no such service_request_id"));
    return pass_on(r, "service_requests");
}

/* ---- updates ------------------------------------------------------------------------------------------------------------------------ */

static enum next read_updates(struct req *r)
{
    return read_span(r, 1);
}

static enum next ask_updates(struct req *r)
{
    return ask_read(r, &api_updates, r->call);
}

static enum next answer_updates(struct req *r)
{
    return pass_on(r, "service_request_updates");
}

/* What a status that an application posts means here: the citizen's own words, with two exceptions. */
static const char *const statuses[] = { "OPEN",
                                        "CLOSED",
                                        "FIXED",
                                        "IN_PROGRESS",
                                        "PLANNED",
                                        "ACTION_SCHEDULED",
                                        "INVESTIGATING",
                                        "DUPLICATE",
                                        "NOT_COUNCILS_RESPONSIBILITY",
                                        "NO_FURTHER_ACTION",
                                        "INTERNAL_REFERRAL",
                                        "FOR_TRIAGE",
                                        "CANCELLED",
                                        "REOPEN",
                                        "UNCHANGED" };

static bool is_status(const char *status)
{
    for (size_t i = 0; i < COUNT(statuses); i++)
        if (!strcmp(statuses[i], status))
            return true;
    return false;
}

static enum next read_update(struct req *r)
{
    const struct asked *asked = r->state;
    const char *number = value_of(r, "service_request_id"), *id = value_of(r, "update_id"),
               *status = value_of(r, "status");
    const char *at = value_of(r, "updated_datetime"), *text = value_of(r, "description"), *missing;

    missing = !number ? "service_request_id" : !id ? "update_id" : !status ? "status" : !text ? "description" : NULL;
    if (missing)
        return bad_query(r, missing, "必填", "is required");
    if (!is_status(status))
        return bad_query(r, "status", "没有这个状态", "is none of the words of the extension");
    if (at && !time_valid(at))
        return bad_query(r, "updated_datetime", "应为带时区的时间", "must be a date-time with a zone");
    if (strlen(id) > REQ_KEY_MAX - 8 || id[strcspn(id, " \t\r\n")])
        return bad_query(r, "update_id", "最多 120 个字符，不含空格", "has at most 120 characters, no blanks");
    if (!r->key_given)
        r->key = arena_printf(r->arena, "update-%s", id);
    call_begin(r, asked->app);
    cJSON_AddStringToObject(r->call, "number", ticket_no_valid(number) ? number : "");
    cJSON_AddStringToObject(r->call, "origin", asked->app);
    return GO;
}

static enum next no_such_request(struct req *r)
{
    if (r->answer.status == 404)
        return refuse(r, 404, "no_such_request",
                      why_new(r->arena, "没有这个 service_request_id", "there is no such service_request_id"));
    return GO;
}

static enum next say_update(struct req *r)
{
    const char *status = value_of(r, "status"), *text = value_of(r, "description");
    bool fixed = !strcmp(status, "FIXED") || !strcmp(status, "CLOSED");

    r->json = json_object(r->arena);
    if (!strcmp(status, "CANCELLED")) {
        cJSON_AddStringToObject(r->json, "reason", text);
        cJSON_AddFalseToObject(r->json, "pressed");
        return follow_say(r, "withdraw");
    }
    cJSON_AddStringToObject(r->json, "text", fixed ? arena_printf(r->arena, "【诉求人反映问题已解决】%s", text) : text);
    if (!strcmp(status, "REOPEN"))
        return follow_say(r, "object");
    cJSON_AddStringToObject(r->json, "kind", "supplement");
    return follow_say(r, "followup");
}

static enum next answer_update(struct req *r)
{
    cJSON *list = json_list(r->arena), *update = cJSON_CreateObject();

    cJSON_AddItemToArray(list, update);
    if (r->answer.status != 200)
        return reply(r, r->answer.status, r->answer.body);
    cJSON_AddStringToObject(update, "update_id", value_of(r, "update_id"));
    return answer(r, 200, "service_request_updates", list);
}

/* ---- the routes ------------------------------------------------------------------------------------------------------------------------ */

static step_fn *const get_discovery[] = { begin_query, check_reader, say_discovery };
static step_fn *const get_services[] = { begin_query, check_jurisdiction, check_reader, say_services };
static step_fn *const get_definition[] = { begin_query, check_jurisdiction, check_reader, say_definition };
static step_fn *const post_request[] = { intake_admit, read_form,   check_jurisdiction, check_writer, read_complaint,
                                         intake_key,   prepare,     count_phone,        intake_store, intake_spool,
                                         answer_open,  answer_filed };
static step_fn *const get_token[] = { begin_query,    check_jurisdiction, check_reader, read_token,
                                      follow_spooled, follow_stored,      answer_token };
static step_fn *const get_requests[] = { begin_query,  check_jurisdiction, check_reader,   begin_list,
                                         read_filters, ask_requests,       answer_requests };
static step_fn *const get_request[] = { begin_query, check_jurisdiction, check_reader,  begin_list,
                                        read_number, ask_requests,       answer_request };
static step_fn *const get_updates[] = { begin_query,  check_jurisdiction, check_reader,  begin_list,
                                        read_updates, ask_updates,        answer_updates };
static step_fn *const post_update[] = { read_form,   check_jurisdiction, check_writer, read_update, follow_ask,
                                        follow_take, no_such_request,    say_update,   answer_open, answer_update };

static const struct route routes[] = {
    { "GET", BASE "discovery.{format}", get_discovery, 0 },
    { "GET", BASE "services.{format}", get_services, 0 },
    { "GET", BASE "services/{service}", get_definition, 0 },
    { "POST", BASE "requests.{format}", post_request, ROUTE_RAW },
    { "GET", BASE "requests.{format}", get_requests, 0 },
    { "GET", BASE "requests/{id}", get_request, 0 },
    { "GET", BASE "tokens/{token}", get_token, 0 },
    { "GET", BASE "servicerequestupdates.{format}", get_updates, 0 },
    { "POST", BASE "servicerequestupdates.{format}", post_update, ROUTE_RAW },
};

static bool open_app(void)
{
    if (!*settings()->app_jurisdiction)
        return true;
    if (!keys_open())
        return false;
    req_protocol(BASE, refuse_open311);
    http_routes(routes, COUNT(routes));
    return true;
}

const struct channel channel_app = { .name = "app", .open = open_app, .close = keys_close };
