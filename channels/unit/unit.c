/* The own system of a unit takes tickets and works on them, by a key that acts as a person of that unit.  What it may do and what each
 * step needs is the database's to say, as for people. */

#include <stdlib.h>
#include <string.h>

#include "channel.h"

static const struct api_fn api_act = { .name = "act", .write = true, .whole = true };
static const struct api_fn api_actions = { .name = "actions" };
static const struct api_fn api_reveal = { .name = "reveal", .write = true };
static const struct api_fn api_ticket = { .name = "ticket" };
static const struct api_fn api_tickets = { .name = "tickets" };

/* The steps of a unit, and the actions that they are. */
static const struct {
    const char *step, *action;
} steps[] = {
    { "sign", "sign" },          { "first-contact", "first_contact" }, { "progress", "progress_note" },
    { "reply", "submit_reply" }, { "return", "request_return" },       { "extension", "request_extension" },
    { "opinion", "co_reply" },   { "urge-answer", "answer_urge" },
};

static enum next answer(struct req *r)
{
    return reply(r, r->answer.status, r->answer.body);
}

/* Who asks */

static enum next no_key(struct req *r)
{
    return refuse(r, 401, "no_session",
                  why_new(r->arena, "请出示本单位的接口密钥。", "Show the key of your unit's system."));
}

static enum next count_strangers(struct req *r)
{
    return limit_spent(r, LIMIT_LOGIN, r->address);
}

static enum next take_key(struct req *r)
{
    const char *given = req_header(r, "Authorization");

    if (!given || strncmp(given, "Bearer ", 7) != 0 || strlen(given + 7) != SECRET_HEX_SIZE - 1) {
        limit_count(LIMIT_LOGIN, r->address);
        return no_key(r);
    }
    unit_key_hash(given + 7, r->session);
    return limited(r, LIMIT_STAFF, r->session);
}

/* A key that is no more, or never was, counts as a wrong password does. */
static enum next check_key(struct req *r)
{
    if (r->answer.status == 401) {
        limit_count(LIMIT_LOGIN, r->address);
        return no_key(r);
    }
    return GO;
}

static enum next begin(struct req *r)
{
    call_begin(r, "unit");
    return GO;
}

static enum next take_id(struct req *r)
{
    const char *id = req_param(r, "id");

    if (!id_valid(id))
        return refuse(r, 404, "no_such_ticket", why_new(r->arena, "没有这张工单。", "There is no such ticket."));
    cJSON_AddStringToObject(r->call, "id", id);
    req_lock(r, strtoll(id, NULL, 10));
    return GO;
}

/* Lists */

static const struct {
    const char *name, *chars;
    size_t max;
} filters[] = {
    { "state", "abcdefghijklmnopqrstuvwxyz_,0123456789", 200 },
    { "closed", "1", 1 },
    { "cursor", "0123456789_-", 60 },
    { "limit", "0123456789", 3 },
};

static enum next bad_parameter(struct req *r, const char *name)
{
    return refuse(
        r, 422, "bad_inputs",
        why_field(r->arena, name, "bad_value", "参数不对。", "There is no such parameter, or not with this value."));
}

static bool take_filter(struct req *r, const char *name, const char *value)
{
    for (size_t i = 0; i < COUNT(filters); i++)
        if (!strcmp(filters[i].name, name)) {
            if (strlen(value) > filters[i].max || strspn(value, filters[i].chars) != strlen(value))
                return false;
            if (*value && !cJSON_HasObjectItem(r->call, name))
                cJSON_AddStringToObject(r->call, name, value);
            return true;
        }
    return false;
}

static enum next take_filters(struct req *r)
{
    for (size_t i = 0; i < r->nquery; i++)
        if (!take_filter(r, r->query[i].name, r->query[i].value))
            return bad_parameter(r, r->query[i].name);
    return GO;
}

static enum next read_tickets(struct req *r)
{
    return ask_read(r, &api_tickets, r->call);
}

static enum next read_ticket(struct req *r)
{
    return ask_read(r, &api_ticket, r->call);
}

static enum next read_actions(struct req *r)
{
    return ask_read(r, &api_actions, r->call);
}

/* Contact data, for a purpose that is logged */

static const struct field contact_fields[] = { { "purpose", JSON_TEXT, .must = true, .min = 2, .max = 200 } };

static enum next read_purpose(struct req *r)
{
    r->json = json_read(r->arena, r->input, contact_fields, COUNT(contact_fields), &r->why);
    if (!r->json)
        return refuse(r, 422, r->why->code, r->why);
    cJSON_AddStringToObject(r->call, "purpose", json_text(r->json, "purpose"));
    return GO;
}

static enum next reveal(struct req *r)
{
    return channel_call(r, &api_reveal, r->call);
}

/* A step */

static enum next admit(struct req *r)
{
    return db_is_busy(&api_act) ? refuse(r, 503, "busy", NULL) : GO;
}

static const char *action_of(const char *step)
{
    for (size_t i = 0; i < COUNT(steps); i++)
        if (!strcmp(steps[i].step, step))
            return steps[i].action;
    return NULL;
}

static enum next take_step(struct req *r)
{
    const char *action = action_of(req_param(r, "step"));

    if (!action)
        return refuse(r, 404, "no_such_route", NULL);
    cJSON_AddStringToObject(r->call, "action", action);
    return GO;
}

static void drop_json(void *item)
{
    cJSON_Delete(item);
}

static enum next read_inputs(struct req *r)
{
    cJSON *version;

    r->json = json_object_only(r->arena, r->input, &r->why);
    if (!r->json)
        return refuse(r, 422, r->why->code, r->why);
    version = cJSON_DetachItemFromObjectCaseSensitive(r->json, "version");
    arena_defer(r->arena, drop_json, version);
    if (version && (!cJSON_IsNumber(version) || version->valuedouble != version->valueint))
        return refuse(r, 422, "bad_inputs",
                      why_field(r->arena, "version", "bad_value", "版本须为数字。", "The version is a number."));
    if (version)
        cJSON_AddNumberToObject(r->call, "version", version->valueint);
    private_read(r->arena, r->call, r->json, NULL, NULL);
    cJSON_AddItemToObject(r->call, "inputs", cJSON_Duplicate(r->json, true));
    return GO;
}

static enum next act(struct req *r)
{
    return channel_call(r, &api_act, r->call);
}

static step_fn *const get_tickets[] = {
    count_strangers, take_key, begin, take_filters, read_tickets, check_key, answer
};
static step_fn *const get_ticket[] = { count_strangers, take_key, begin, take_id, read_ticket, check_key, answer };
static step_fn *const get_actions[] = { count_strangers, take_key, begin, take_id, read_actions, check_key, answer };
static step_fn *const post_contact[] = { count_strangers, take_key, begin,     take_id,
                                         read_purpose,    reveal,   check_key, answer_sealed };
static step_fn *const post_step[] = { count_strangers, take_key,    admit, begin,     take_step,
                                      take_id,         read_inputs, act,   check_key, answer_sealed };

static const struct route routes[] = {
    { "GET", "/v1/unit/tickets", get_tickets, 0 },
    { "GET", "/v1/unit/tickets/{id}", get_ticket, 0 },
    { "GET", "/v1/unit/tickets/{id}/actions", get_actions, 0 },
    { "POST", "/v1/unit/tickets/{id}/contact", post_contact, 0 },
    { "POST", "/v1/unit/tickets/{id}/{step}", post_step, 0 },
};

static bool open_unit(void)
{
    http_routes(routes, COUNT(routes));
    return true;
}

const struct channel channel_unit = { .name = "unit", .open = open_unit };
