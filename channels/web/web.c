/* The portal: a citizen files a complaint and follows it with number and code.  No account is needed. */

#include <string.h>

#include "channel.h"
#include "code.h"

static const struct api_fn api_follow_file = { .name = "follow_file" };
static const struct api_fn api_rating = { .name = "rating" };
static const struct api_fn api_reference = { .name = "reference" };
static const struct api_fn api_divisions = { .name = "divisions" };
static const struct api_fn api_public_metrics = { .name = "public_metrics" };

enum { KEY_MIN = 22 };

static enum next count_query(struct req *r)
{
    return limited(r, LIMIT_QUERY, r->address);
}

static enum next answer(struct req *r)
{
    return reply(r, r->answer.status, r->answer.body);
}

/* POST /v1/tickets: a complaint, from bytes to a committed row. */

static enum next count_submission(struct req *r)
{
    return limited(r, LIMIT_SUBMIT, r->address);
}

/* On a public route a key must be too long to guess, since it stands for the first answer with its query code. */
static enum next check_key(struct req *r)
{
    if (r->key_given && strlen(r->key) < KEY_MIN)
        return refuse(r, 422, "bad_key",
                      why_new(r->arena, "Idempotency-Key 须有 22 至 128 个字符。",
                              "An Idempotency-Key here has 22 to 128 characters."));
    return GO;
}

static enum next read_intake(struct req *r)
{
    r->json = json_read(r->arena, r->input, intake_fields, intake_nfields, &r->why);
    return r->json ? GO : refuse(r, 422, r->why->code, r->why);
}

static enum next check_contact(struct req *r)
{
    if (!json_text(r->json, "phone") && !cJSON_IsTrue(cJSON_GetObjectItem(r->json, "anonymous")))
        return refuse(r, 422, "bad_inputs",
                      why_field(r->arena, "phone", "missing", "请填写联系电话，或选择匿名。",
                                "A phone number is needed unless you stay anonymous."));
    return GO;
}

static enum next prepare(struct req *r)
{
    return intake_prepare(r, "public", "web");
}

static enum next count_phone(struct req *r)
{
    const char *hash = json_text(cJSON_GetObjectItem(r->call, "contact"), "phone_hmac");

    return hash ? limited(r, LIMIT_SUBMIT_PHONE, hash) : GO;
}

static step_fn *const post_ticket[] = { intake_admit, count_submission, check_key,        challenge_ask,
                                        read_intake,  check_contact,    code_check_proof, prepare,
                                        count_phone,  intake_store,     intake_spool,     answer_sealed };

/* GET /v1/tickets/{number} with X-Query-Code: guesses are counted, and a wrong code looks like an unknown number. */

static enum next nothing_found(struct req *r)
{
    return refuse(r, 404, "no_such_ticket",
                  why_new(r->arena, "没有查到：请核对工单号和查询码。",
                          "Nothing found: please check the number and the query code."));
}

static const char *guess_key(struct req *r)
{
    return arena_printf(r->arena, "%s %s", r->address, req_param(r, "number"));
}

static enum next check_number(struct req *r)
{
    if (!ticket_no_valid(req_param(r, "number")))
        return nothing_found(r);
    return limit_spent(r, LIMIT_CODE, guess_key(r));
}

static enum next read_follow(struct req *r)
{
    const char *code = req_header(r, "X-Query-Code");
    char hash[SECRET_HEX_SIZE];

    if (!code || !query_code_hash(code, hash)) {
        limit_count(LIMIT_CODE, guess_key(r));
        return nothing_found(r);
    }
    call_begin(r, "public");
    cJSON_AddStringToObject(r->call, "number", req_param(r, "number"));
    cJSON_AddStringToObject(r->call, "code_hash", hash);
    return GO;
}

static enum next count_guess(struct req *r)
{
    if (r->answer.status == 404)
        limit_count(LIMIT_CODE, guess_key(r));
    return r->answer.status == 404 && r->answer.code ? nothing_found(r) : GO;
}

static step_fn *const get_ticket[] = { count_query,   check_number, read_follow, follow_spooled,
                                       follow_stored, count_guess,  follow_reply };

/* GET /v1/tickets/{number}/attachments/{attachment}: a file, for who has the code */

static enum next read_file(struct req *r)
{
    const char *id = req_param(r, "attachment");

    if (!id_valid(id))
        return refuse(r, 404, "no_such_attachment", NULL);
    cJSON_AddStringToObject(r->call, "attachment", id);
    return channel_call(r, &api_follow_file, r->call);
}

static enum next count_wrong_file(struct req *r)
{
    if (r->answer.status == 404 && r->answer.body && strstr(r->answer.body, "no_such_ticket"))
        limit_count(LIMIT_CODE, guess_key(r));
    return GO;
}

static step_fn *const get_file[] = { count_query, check_number, read_follow, read_file, count_wrong_file, upload_send };

/* POST /v1/tickets/{number}/…: what a citizen still says.  Number and code prove who it is; for a rating a link's token does too. */

static enum next begin_known(struct req *r)
{
    if (follow_begin(r, "public", req_param(r, "number"), req_header(r, "X-Query-Code"),
                     req_header(r, "X-Rating-Token")))
        return GO;
    limit_count(LIMIT_CODE, guess_key(r));
    return nothing_found(r);
}

static enum next read_words(struct req *r)
{
    r->json = json_object_only(r->arena, r->input, &r->why);
    return r->json ? GO : refuse(r, 422, r->why->code, r->why);
}

static enum next count_wrong_code(struct req *r)
{
    if (r->answer.status != 404)
        return GO;
    limit_count(LIMIT_CODE, guess_key(r));
    return reply(r, 404, r->answer.body);
}

static enum next say_followup(struct req *r)
{
    return follow_say(r, "followup");
}

static enum next put_followup(struct req *r)
{
    return follow_put(r, "followup");
}

static enum next say_supplement(struct req *r)
{
    return follow_say(r, "supplement");
}

static enum next say_withdraw(struct req *r)
{
    return follow_say(r, "withdraw");
}

static enum next say_rate(struct req *r)
{
    return follow_say(r, "rate");
}

static enum next say_object(struct req *r)
{
    return follow_say(r, "object");
}

/* Every one of these is a step of the ticket, so those who watch it hear of it. */
#define CITIZEN_SAYS(name, step)                                                                                       \
    static step_fn *const name[] = { count_query, check_key,   check_number,     begin_known, read_words,              \
                                     follow_ask,  follow_take, count_wrong_code, step,        answer_sealed }

static step_fn *const post_followup[] = { count_query,      check_key,    check_number, begin_known, read_words,
                                          follow_ask,       follow_look,  put_followup, follow_told, follow_take,
                                          count_wrong_code, say_followup, answer_sealed };
CITIZEN_SAYS(post_supplement, say_supplement);
CITIZEN_SAYS(post_withdrawal, say_withdraw);
CITIZEN_SAYS(post_rating, say_rate);
CITIZEN_SAYS(post_objection, say_object);

/* GET /v1/tickets/{number}/rating: may it be rated, and which matter is it?  So that nobody answers questions in vain. */

static enum next ask_rating(struct req *r)
{
    return channel_call(r, &api_rating, r->call);
}

static enum next tell_rating(struct req *r)
{
    req_set_header(r, "Cache-Control", "no-store");
    return answer(r);
}

static step_fn *const get_rating[] = {
    count_query, check_number, begin_known, ask_rating, count_wrong_code, tell_rating
};

/* What the pages need to know, and the released figures */

static enum next begin_public(struct req *r)
{
    call_begin(r, "public");
    cJSON_AddTrueToObject(r->call, "public");
    return GO;
}

static enum next read_reference(struct req *r)
{
    return channel_call(r, &api_reference, r->call);
}

static enum next read_divisions(struct req *r)
{
    cJSON_AddStringToObject(r->call, "parent", req_param(r, "code"));
    return channel_call(r, &api_divisions, r->call);
}

static enum next read_metrics(struct req *r)
{
    return channel_call(r, &api_public_metrics, r->call);
}

static step_fn *const get_reference[] = { count_query, begin_public, read_reference, answer_tagged };
static step_fn *const get_divisions[] = { count_query, begin_public, read_divisions, answer };
static step_fn *const get_metrics[] = { count_query, begin_public, read_metrics, answer };

static const struct route routes[] = {
    { "POST", "/v1/tickets", post_ticket, 0 },
    { "POST", "/v1/phone-codes", post_code, 0 },
    { "POST", "/v1/phone-codes/check", post_code_check, 0 },
    { "GET", "/v1/tickets/{number}", get_ticket, 0 },
    { "GET", "/v1/tickets/{number}/attachments/{attachment}", get_file, 0 },
    { "POST", "/v1/tickets/{number}/followups", post_followup, 0 },
    { "POST", "/v1/tickets/{number}/supplement", post_supplement, 0 },
    { "POST", "/v1/tickets/{number}/withdrawal", post_withdrawal, 0 },
    { "GET", "/v1/tickets/{number}/rating", get_rating, 0 },
    { "POST", "/v1/tickets/{number}/rating", post_rating, 0 },
    { "POST", "/v1/tickets/{number}/objection", post_objection, 0 },
    { "GET", "/v1/public/reference", get_reference, 0 },
    { "GET", "/v1/public/divisions/{code}", get_divisions, 0 },
    { "GET", "/v1/public/metrics", get_metrics, 0 },
};

static bool open_web(void)
{
    http_routes(routes, COUNT(routes));
    return true;
}

const struct channel channel_web = { .name = "web", .open = open_web };
