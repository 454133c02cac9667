/* Tickets to and from other platforms: the province, 110, and whoever else has a key. */

#include "exchange.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FILE_MAX = 8192, WINDOW = 300 };

static const struct api_fn api_receive_province = { .name = "receive_province", .write = true };
static const struct api_fn api_receive_from_110 = { .name = "receive_from_110", .write = true };
static const struct api_fn api_transfer_check = { .name = "transfer_check", .write = true };
static const struct api_fn api_exchange = { .name = "exchange" };

static struct {
    struct partner partners[PARTNERS_MAX];
    size_t n;
} exchange;

/* The file */

static bool take_word(char **rest, char *out, size_t least, size_t most)
{
    const char *word = strtok_r(NULL, " \t", rest);

    if (!word || strlen(word) < least || strlen(word) > most)
        return false;
    memcpy(out, word, strlen(word) + 1);
    return true;
}

static bool read_line(char *line, struct partner *partner)
{
    char *rest = NULL, *system = strtok_r(line, " \t", &rest);

    if (!system || strlen(system) > WORD_MAX)
        return false;
    memcpy(partner->system, system, strlen(system) + 1);
    return take_word(&rest, partner->key, 1, WORD_MAX) && take_word(&rest, partner->secret, SECRET_MIN, SECRET_MAX) &&
           !strtok_r(NULL, " \t", &rest);
}

bool exchange_read(char *text, struct partner partners[PARTNERS_MAX], size_t *n)
{
    char *rest = NULL;

    *n = 0;
    for (char *line = strtok_r(text, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
        if (*line == '#')
            continue;
        if (*n == PARTNERS_MAX || !read_line(line, &partners[*n]))
            return false;
        ++*n;
    }
    return true;
}

static bool prepare_exchange(void)
{
    char text[FILE_MAX];
    bool good;

    if (!*settings()->exchange_file)
        return true;
    if (!secret_text(settings()->exchange_file, text, sizeof text))
        return false;
    good = exchange_read(text, exchange.partners, &exchange.n);
    explicit_bzero(text, sizeof text);
    if (!good)
        log_error("exchange_file", "path=%s why=\"lines of SYSTEM KEY SECRET, the secret of 32 to 128 characters\"",
                  settings()->exchange_file);
    return good;
}

/* Who asks */

static const struct partner *find_partner(const char *system, const char *key)
{
    for (size_t i = 0; key && i < exchange.n; i++)
        if (!strcmp(exchange.partners[i].system, system) && !strcmp(exchange.partners[i].key, key))
            return &exchange.partners[i];
    return NULL;
}

static bool is_recent(const char *stamp)
{
    long long age = (long long)time(NULL) - strtoll(stamp, NULL, 10);

    return age <= WINDOW && age >= -WINDOW;
}

/* Signed is "timestamp.METHOD.path.body". */
static bool is_signed(struct req *r)
{
    const struct partner *partner = find_partner(req_param(r, "system"), req_header(r, "X-Hotline-Key"));
    const char *stamp = req_header(r, "X-Hotline-Timestamp"), *mac = req_header(r, "X-Hotline-Signature");

    if (!partner || !stamp || !mac || strncmp(mac, "v1=", 3) != 0 || !is_recent(stamp) ||
        memchr(r->input.data ? r->input.data : "", '\0', r->input.len))
        return false;
    return secret_signed(partner->secret,
                         arena_printf(r->arena, "%s.%s.%s.%.*s", stamp, r->method, r->path, (int)r->input.len,
                                      r->input.data ? r->input.data : ""),
                         mac + 3);
}

static enum next check_signature(struct req *r)
{
    if (is_signed(r))
        return limited(r, LIMIT_STAFF, req_param(r, "system"));
    limit_count(LIMIT_LOGIN, r->address);
    return refuse(
        r, 401, "bad_signature",
        why_new(r->arena, "签名不对，或已超过五分钟。", "The signature is wrong, or older than five minutes."));
}

static enum next count_strangers(struct req *r)
{
    return limit_spent(r, LIMIT_LOGIN, r->address);
}

static const char *principal(struct req *r)
{
    return arena_printf(r->arena, "x%s", req_param(r, "system"));
}

static enum next begin(struct req *r)
{
    call_begin(r, principal(r));
    cJSON_AddStringToObject(r->call, "system", req_param(r, "system"));
    return GO;
}

static enum next answer(struct req *r)
{
    return reply(r, r->answer.status, r->answer.body);
}

/* POST …/tickets */

static const struct field ticket_fields[] = {
    { "external_id", JSON_WORD, .must = true, .min = 1, .max = 100 },
    { "outer_due_at", JSON_TIME },
    { "type", JSON_WORD, .max = 20 },
    { "urgency", JSON_WORD, .max = 20 },
    { "title", JSON_TEXT, .must = true, .min = 2, .max = 200 },
    { "content", JSON_TEXT, .must = true, .min = 2, .max = 10000 },
    { "measures", JSON_TEXT, .max = 2000 },
    { "phone", JSON_PHONE },
    { "name", JSON_WORD, .min = 1, .max = 50 },
    { "division", JSON_WORD, .min = 4, .max = 12 },
    { "address", JSON_TEXT, .max = 200 },
    { "lng", JSON_NUMBER, .least = 73, .most = 136 },
    { "lat", JSON_NUMBER, .least = 3, .most = 54 },
    { "category", JSON_WORD, .min = 2, .max = 6 },
    { "secrecy", JSON_INT, .least = 0, .most = 3 },
};

static const struct api_fn *receiver_of(const char *system)
{
    if (!strcmp(system, "province"))
        return &api_receive_province;
    return !strcmp(system, "police_110") ? &api_receive_from_110 : NULL;
}

static enum next read_ticket(struct req *r)
{
    if (!receiver_of(req_param(r, "system")))
        return refuse(r, 404, "no_such_route", NULL);
    r->json = json_read(r->arena, r->input, ticket_fields, COUNT(ticket_fields), &r->why);
    return r->json ? intake_prepare(r, principal(r), NULL) : refuse(r, 422, r->why->code, r->why);
}

static enum next receive(struct req *r)
{
    return channel_call(r, receiver_of(req_param(r, "system")), r->call);
}

/* GET …/records?after=&limit= */

static enum next take_page(struct req *r)
{
    for (size_t i = 0; i < r->nquery; i++) {
        const char *name = r->query[i].name, *value = r->query[i].value;
        bool after = !strcmp(name, "after");

        if ((!after && strcmp(name, "limit") != 0) || strspn(value, "0123456789") != strlen(value) || !*value ||
            strlen(value) > (after ? 18 : 4))
            return refuse(r, 422, "bad_inputs",
                          why_field(r->arena, name, "bad_value", "参数不对。",
                                    "There is no such parameter, or not with this value."));
        cJSON_AddStringToObject(r->call, name, value);
    }
    return GO;
}

static enum next read_records(struct req *r)
{
    return ask_read(r, &api_exchange, r->call);
}

/* POST …/transfers/{transfer}/receipt */

static const struct field receipt_fields[] = {
    { "ticket", JSON_ID, .must = true },
    { "arrived", JSON_BOOL },
};

static enum next read_receipt(struct req *r)
{
    const cJSON *arrived;

    if (!id_valid(req_param(r, "transfer")))
        return refuse(r, 404, "no_such_transfer", why_new(r->arena, "没有这次直转。", "There is no such transfer."));
    r->json = json_read(r->arena, r->input, receipt_fields, COUNT(receipt_fields), &r->why);
    if (!r->json)
        return refuse(r, 422, r->why->code, r->why);
    arrived = cJSON_GetObjectItem(r->json, "arrived");
    cJSON_AddStringToObject(r->call, "transfer", req_param(r, "transfer"));
    cJSON_AddStringToObject(r->call, "id", json_text(r->json, "ticket"));
    cJSON_AddBoolToObject(r->call, "arrived", !cJSON_IsFalse(arrived));
    req_lock(r, strtoll(json_text(r->json, "ticket"), NULL, 10));
    return GO;
}

static enum next check_transfer(struct req *r)
{
    return channel_call(r, &api_transfer_check, r->call);
}

static step_fn *const post_ticket[] = { count_strangers, check_signature, read_ticket, receive, answer_sealed };
static step_fn *const get_records[] = { count_strangers, check_signature, begin, take_page, read_records, answer };
static step_fn *const post_receipt[] = { count_strangers, check_signature, begin,
                                         read_receipt,    check_transfer,  answer_sealed };

static const struct route routes[] = {
    { "POST", "/v1/exchange/{system}/tickets", post_ticket, 0 },
    { "GET", "/v1/exchange/{system}/records", get_records, 0 },
    { "POST", "/v1/exchange/{system}/transfers/{transfer}/receipt", post_receipt, 0 },
};

static bool open_exchange(void)
{
    http_routes(routes, COUNT(routes));
    return true;
}

const struct channel channel_exchange = { .name = "exchange", .prepare = prepare_exchange, .open = open_exchange };
