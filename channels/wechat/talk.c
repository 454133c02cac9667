#include "talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    TALK_SECONDS = 1800,
    KEPT_SECONDS = 30 * 86400, /* while there are tickets of the citizen's own to ask about */
    SAID_MOST = 4,             /* answers kept for repeats */
    TICKETS_MOST = 5,
    PICTURES_MOST = 9,
    TRIES_MOST = 5,
    TEXT_CHARS = 2000,
    ADDRESS_CHARS = 200,
    TITLE_CHARS = 30,
    URL_MOST = 500,
    NUMBER_DIGITS = 16,
};

/* Where a conversation stands, and what was just said.  The first number is what no conversation is. */
enum place { AT_START, AT_TEXT, AT_PLACE, AT_PHONE, AT_CONFIRM, AT_FOLLOW, AT_RATE, AT_RATE_WHICH, PLACES };

enum input {
    IN_COMPLAIN,
    IN_FOLLOW,
    IN_RATE,
    IN_CANCEL,
    IN_HELP,
    IN_SKIP,
    IN_YES,
    IN_TEXT,
    IN_PICTURE,
    IN_LOCATION,
    IN_GONE,
    IN_NOTED,
    IN_OTHER,
    ANY
};

typedef enum next answer_fn(struct req *r, struct talk *talk, const char *text);

static const char help_text[] =
    "您好，这里是 12345 政务服务便民热线。\n回复“我要投诉”：反映问题\n回复“查进度”：查询办理进度\n"
    "回复“评价”：评价办理结果\n回复“取消”：放弃正在填写的内容\n紧急情况请拨打 110、119、120。";
static const char busy_text[] = "系统繁忙，请稍后再试，或拨打 12345。";
static const char not_filed_text[] = "系统繁忙，您的诉求还没有提交。请稍后再回复“确认”，或拨打 12345。";
static const char which_text[] = "请回复工单号和查询码，中间空一格，例如：\n1234567890123456 ABCD2345";

static step_fn *say_step;

/* ---- the state ---------------------------------------------------------------------------------------------------------- */

static enum next say(struct talk *talk, const char *text)
{
    talk->said = text;
    return GO;
}

static void put(cJSON *state, const char *name, cJSON *value)
{
    cJSON_DeleteItemFromObject(state, name);
    cJSON_AddItemToObject(state, name, value);
}

static enum place place_of(const struct talk *talk)
{
    const cJSON *at = cJSON_GetObjectItem(talk->state, "at"), *until = cJSON_GetObjectItem(talk->state, "until");

    if (!cJSON_IsNumber(at) || !cJSON_IsNumber(until) || until->valuedouble < (double)time(NULL))
        return AT_START;
    return at->valueint > AT_START && at->valueint < PLACES ? (enum place)at->valueint : AT_START;
}

static void go_to(struct talk *talk, enum place place)
{
    put(talk->state, "at", cJSON_CreateNumber(place));
    put(talk->state, "until", cJSON_CreateNumber((double)(time(NULL) + TALK_SECONDS)));
}

/* All but what outlives a conversation. */
static void forget(struct talk *talk)
{
    static const char *const lasting[] = { "tickets", "last" };
    cJSON *next;

    for (cJSON *member = talk->state->child; member; member = next) {
        next = member->next;
        if (strcmp(member->string, lasting[0]) != 0 && strcmp(member->string, lasting[1]) != 0)
            cJSON_Delete(cJSON_DetachItemViaPointer(talk->state, member));
    }
}

static cJSON *list_of(struct talk *talk, const char *name)
{
    cJSON *list = cJSON_GetObjectItem(talk->state, name);

    return list ? list : cJSON_AddArrayToObject(talk->state, name);
}

static void push(cJSON *list, cJSON *item, int most)
{
    cJSON_AddItemToArray(list, item);
    while (cJSON_GetArraySize(list) > most)
        cJSON_DeleteItemFromArray(list, 0);
}

/* ---- a complaint ------------------------------------------------------------------------------------------------------------ */

static enum next begin(struct req *r, struct talk *talk, const char *text)
{
    char digest[SECRET_HEX_SIZE];
    const char *whole = arena_printf(r->arena, "%s %s", talk->who, talk->message->id);

    (void)text;
    forget(talk);
    digest_body(whole, strlen(whole), digest);
    put(talk->state, "key", cJSON_CreateString(digest)); /* the same when the platform repeats this message */
    go_to(talk, AT_TEXT);
    return say(talk, "请用文字说明您要反映的问题：什么时间、什么地点、发生了什么。也可以发语音或图片。");
}

static enum next take_text(struct req *r, struct talk *talk, const char *text)
{
    size_t chars = utf8_length(text);

    (void)r;
    if (chars < 4)
        return say(talk, "请说得再具体一些。");
    if (chars > TEXT_CHARS)
        return say(talk, "太长了，请控制在 2000 字以内。");
    put(talk->state, "text", cJSON_CreateString(text));
    go_to(talk, AT_PLACE);
    return say(talk, "已记下。请发送位置，或用文字回复地址；不方便请回复“跳过”。照片可以随时发来。");
}

static enum next ask_phone(struct talk *talk)
{
    go_to(talk, AT_PHONE);
    return say(talk, settings()->wechat_phone ? "请回复您的联系电话，办理单位会与您联系。"
                                              : "请回复您的联系电话，办理单位会与您联系；要匿名请回复“跳过”。");
}

static enum next take_address(struct req *r, struct talk *talk, const char *text)
{
    (void)r;
    if (utf8_length(text) > ADDRESS_CHARS)
        return say(talk, "地址太长了，请控制在 200 字以内。");
    put(talk->state, "address", cJSON_CreateString(text));
    return ask_phone(talk);
}

static void take_degrees(struct talk *talk, const char *member, const char *name, double least, double most)
{
    const char *text = wechat_member(talk->message, member);
    char *end;
    double value = text ? strtod(text, &end) : 0;

    if (text && *text && !*end && value >= least && value <= most)
        put(talk->state, name, cJSON_CreateNumber(value));
}

static enum next take_location(struct req *r, struct talk *talk, const char *text)
{
    const char *label = wechat_member(talk->message, "Label");

    (void)text;
    take_degrees(talk, "Location_X", "lat", 3, 54);
    take_degrees(talk, "Location_Y", "lng", 73, 136);
    if (!cJSON_GetObjectItem(talk->state, "lat") || !cJSON_GetObjectItem(talk->state, "lng"))
        return say(talk, "这个位置不对，请用文字回复地址。");
    if (label && *label)
        return take_address(r, talk, label);
    return ask_phone(talk);
}

static enum next skip_place(struct req *r, struct talk *talk, const char *text)
{
    (void)r, (void)text;
    return ask_phone(talk);
}

static enum next ask_confirm(struct req *r, struct talk *talk)
{
    const char *address = json_text(talk->state, "address"), *phone = json_text(talk->state, "phone");
    char mask[PHONE_MASK_SIZE] = "匿名";

    if (phone)
        phone_mask(phone, mask);
    go_to(talk, AT_CONFIRM);
    return say(talk, arena_printf(r->arena,
                                  "请核对：\n问题：%s\n地点：%s\n图片：%d 张\n联系电话：%s\n"
                                  "回复“确认”提交，回复“取消”放弃。",
                                  json_text(talk->state, "text"), address ? address : "未填写",
                                  cJSON_GetArraySize(cJSON_GetObjectItem(talk->state, "pictures")), mask));
}

static enum next take_phone(struct req *r, struct talk *talk, const char *text)
{
    char phone[PHONE_SIZE];

    if (phone_normalise(text, phone) == PHONE_BAD)
        return say(talk, "电话号码不对，请回复 11 位手机号或带区号的固定电话。");
    put(talk->state, "phone", cJSON_CreateString(phone));
    return ask_confirm(r, talk);
}

static enum next skip_phone(struct req *r, struct talk *talk, const char *text)
{
    (void)text;
    return settings()->wechat_phone ? ask_phone(talk) : ask_confirm(r, talk);
}

/* Kept as addresses, as those of other applications are. */
static enum next take_picture(struct req *r, struct talk *talk, const char *text)
{
    const char *url = wechat_member(talk->message, "PicUrl");
    cJSON *pictures = list_of(talk, "pictures");

    (void)text;
    if (!url || (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0) || strlen(url) > URL_MOST ||
        strpbrk(url, " \t\r\n\"<>"))
        return say(talk, "这里只能收图片。视频请在提交后凭工单号和查询码到热线网站补充。");
    if (cJSON_GetArraySize(pictures) >= PICTURES_MOST)
        return say(talk, "最多 9 张图片。");
    cJSON_AddItemToArray(pictures, cJSON_CreateString(url));
    return say(talk, arena_printf(r->arena, "已收到第 %d 张图片，请继续。", cJSON_GetArraySize(pictures)));
}

/* The first line of the words, or as much of it as a list shows. */
static const char *title_of(struct req *r, const char *text)
{
    const char *end = text;

    for (size_t chars = 0; *end && *end != '\n' && *end != '\r' && chars < TITLE_CHARS; chars++)
        for (end++; ((unsigned char)*end & 0xc0) == 0x80;)
            end++;
    return end - text >= 4 ? arena_strndup(r->arena, text, (size_t)(end - text)) : "微信投诉";
}

static cJSON *complaint_of(struct req *r, struct talk *talk)
{
    static const char *const copied[] = { "address", "lng", "lat", "phone" };
    const char *content = json_text(talk->state, "text");
    cJSON *fields = json_object(r->arena);
    const cJSON *picture;

    cJSON_AddStringToObject(fields, "type", "complaint");
    cJSON_AddStringToObject(fields, "title", title_of(r, content));
    cJSON_ArrayForEach(picture, cJSON_GetObjectItem(talk->state, "pictures")) content =
        arena_printf(r->arena, "%s\n图片：%s", content, picture->valuestring);
    cJSON_AddStringToObject(fields, "content", content);
    for (size_t i = 0; i < COUNT(copied); i++)
        if (cJSON_HasObjectItem(talk->state, copied[i]))
            cJSON_AddItemToObject(fields, copied[i],
                                  cJSON_Duplicate(cJSON_GetObjectItem(talk->state, copied[i]), true));
    if (!cJSON_HasObjectItem(talk->state, "phone"))
        cJSON_AddTrueToObject(fields, "anonymous");
    return fields;
}

static enum next count_submission(struct req *r)
{
    return limited(r, LIMIT_SUBMIT, ((struct talk *)r->talk)->who);
}

static enum next prepare(struct req *r)
{
    return intake_prepare(r, "wechat", "wechat");
}

static enum next count_phone(struct req *r)
{
    const char *hash = json_text(cJSON_GetObjectItem(r->call, "contact"), "phone_hmac");

    return hash ? limited(r, LIMIT_SUBMIT_PHONE, hash) : GO;
}

static cJSON *body_of(struct req *r)
{
    const struct why *why;
    struct bytes body = { r->answer.body ? r->answer.body : "", r->answer.body ? strlen(r->answer.body) : 0 };

    return json_object_only(r->arena, body, &why);
}

static enum next filed(struct req *r)
{
    struct talk *talk = r->talk;
    const char *number, *code;
    cJSON *body, *ticket;

    if (r->answer.status / 100 != 2)
        return reply(r, r->answer.status, r->answer.body);
    body = body_of(r);
    number = json_text(body, "number");
    code = json_text(body, "query_code");
    forget(talk);
    ticket = cJSON_CreateObject();
    cJSON_AddStringToObject(ticket, "number", number);
    cJSON_AddStringToObject(ticket, "code", code ? code : "");
    push(list_of(talk, "tickets"), ticket, TICKETS_MOST);
    talk->done = true;
    return say(talk, arena_printf(r->arena, "%s\n工单号：%s\n查询码：%s\n回复“查进度”可随时查询。",
                                  r->answer.status == 202 ? "您的诉求已收到，即将转交受理。" : "您的诉求已提交。",
                                  number, code ? code : "（请致电 12345 查询）"));
}

/* ---- the steps around ----------------------------------------------------------------------------------------------------- */

static enum next tell(struct req *r)
{
    return say_step(r);
}

/* The answer that this very message got before. */
static const cJSON *said_before(struct talk *talk)
{
    const cJSON *one;

    cJSON_ArrayForEach(one, cJSON_GetObjectItem(talk->state, "last"))
    {
        const char *id = json_text(one, "id");

        if (id && !strcmp(id, talk->message->id))
            return one;
    }
    return NULL;
}

static step_fn load, open_state, converse, save, settle;
static step_fn *const conversation[] = { load, open_state, converse, save, settle, tell };

static enum next load(struct req *r)
{
    struct talk *talk = r->talk;

    r->state = NULL;
    talk->said = NULL;
    return kv_read(r, &talk->kv, talk->key);
}

static enum next open_state(struct req *r)
{
    struct talk *talk = r->talk;
    const struct why *why;
    const char *text = talk->kv.outcome == KV_FOUND ? secret_open(r->arena, talk->kv.text, "wechat") : NULL;

    if (talk->kv.outcome == KV_AWAY) {
        talk->said = busy_text;
        return tell(r);
    }
    talk->state = text ? json_object_only(r->arena, (struct bytes){ text, strlen(text) }, &why) : NULL;
    if (!talk->state)
        talk->state = json_object(r->arena);
    return GO;
}

static enum next save(struct req *r)
{
    struct talk *talk = r->talk;
    const char *sealed;

    if (!said_before(talk)) {
        cJSON *one = cJSON_CreateObject();

        cJSON_AddStringToObject(one, "id", talk->message->id);
        if (talk->said)
            cJSON_AddStringToObject(one, "said", talk->said);
        push(list_of(talk, "last"), one, SAID_MOST);
    }
    sealed = secret_seal(r->arena, json_print(r->arena, talk->state), "wechat");
    return kv_swap(r, &talk->kv, talk->key, sealed,
                   cJSON_HasObjectItem(talk->state, "tickets") ? KEPT_SECONDS : TALK_SECONDS);
}

static enum next read_again(struct req *r)
{
    struct talk *talk = r->talk;

    return kv_read(r, &talk->kv, talk->key);
}

static step_fn *const once_more[] = { read_again, save, settle, tell };

/* Where another message of this citizen came in between, this one is read again after it; what was stored already stays said. */
static enum next settle(struct req *r)
{
    struct talk *talk = r->talk;

    if (talk->kv.outcome == KV_CHANGED && talk->tries++ < TRIES_MOST)
        r->step = talk->done ? once_more : conversation;
    else if (talk->kv.outcome != KV_SET && !talk->done)
        talk->said = busy_text;
    return GO;
}

static step_fn *const filing[] = { count_submission, intake_admit, prepare, count_phone, intake_store, intake_spool,
                                   answer_open,      filed,        save,    settle,      tell };

static enum next file(struct req *r, struct talk *talk, const char *text)
{
    const char *complaint = json_print(r->arena, complaint_of(r, talk));

    (void)text;
    r->input = (struct bytes){ complaint, strlen(complaint) };
    r->json = json_read(r->arena, r->input, intake_fields, intake_nfields, &r->why);
    if (!r->json)
        return refuse(r, 422, r->why->code, r->why);
    r->key = json_text(talk->state, "key");
    r->key_given = true;
    talk->filing = true;
    r->step = filing;
    return GO;
}

/* ---- following ---------------------------------------------------------------------------------------------------------------- */

/* "1234567890123456 ABCD2345" into the state. */
static bool take_ticket(struct req *r, struct talk *talk, const char *text)
{
    size_t digits = strspn(text, "0123456789"), blanks = strspn(text + digits, " \t\r\n,");
    const char *number = arena_strndup(r->arena, text, digits);
    char hash[SECRET_HEX_SIZE];

    if (digits != NUMBER_DIGITS || !ticket_no_valid(number) || !query_code_hash(text + digits + blanks, hash))
        return false;
    put(talk->state, "number", cJSON_CreateString(number));
    put(talk->state, "code", cJSON_CreateString(text + digits + blanks));
    return true;
}

/* The citizen's own newest one. */
static bool take_newest(struct talk *talk)
{
    const cJSON *tickets = cJSON_GetObjectItem(talk->state, "tickets"),
                *newest = cJSON_GetArrayItem(tickets, cJSON_GetArraySize(tickets) - 1);
    const char *number = json_text(newest, "number"), *code = json_text(newest, "code");

    if (!number || !code)
        return false;
    put(talk->state, "number", cJSON_CreateString(number));
    put(talk->state, "code", cJSON_CreateString(code));
    return true;
}

static const char *guess_key(struct req *r)
{
    struct talk *talk = r->talk;

    return arena_printf(r->arena, "%s %s", talk->who, json_text(talk->state, "number"));
}

static enum next count_query(struct req *r)
{
    return limited(r, LIMIT_QUERY, ((struct talk *)r->talk)->who);
}

static enum next check_guess(struct req *r)
{
    return limit_spent(r, LIMIT_CODE, guess_key(r));
}

static enum next nothing_found(struct req *r)
{
    struct talk *talk = r->talk;

    limit_count(LIMIT_CODE, guess_key(r));
    forget(talk);
    go_to(talk, AT_FOLLOW);
    return say(talk, "没有查到：请核对工单号和查询码后再回复一次。");
}

static enum next followed(struct req *r)
{
    struct talk *talk = r->talk;
    const char *unit, *due, *words;
    const cJSON *timeline, *newest;
    cJSON *view;

    if (r->answer.status == 404)
        return follow_unsure(r) ? refuse_later(r, "database_away", 2) : nothing_found(r);
    if (r->answer.status != 200)
        return reply(r, r->answer.status, r->answer.body);
    view = body_of(r);
    unit = json_text(view, "unit");
    due = json_text(view, "promise_due_at");
    words = json_text(view, "reply") ? json_text(view, "reply") : json_text(view, "answer");
    timeline = cJSON_GetObjectItem(view, "timeline");
    newest = cJSON_GetArrayItem(timeline, cJSON_GetArraySize(timeline) - 1);
    return say(talk,
               arena_printf(r->arena, "工单 %s：%s\n状态：%s%s%s%s%.10s%s%s%s%s\n查询其他工单，请回复工单号和查询码。",
                            json_text(view, "number"), json_text(view, "title"), json_text(view, "state_text"),
                            unit ? "\n办理单位：" : "", unit ? unit : "", due ? "\n承诺日期：" : "", due ? due : "",
                            json_text(newest, "text") ? "\n" : "",
                            json_text(newest, "text") ? json_text(newest, "text") : "", words ? "\n答复：" : "",
                            words ? words : ""));
}

static step_fn *const following[] = { count_query, check_guess, follow_spooled, follow_stored,
                                      followed,    save,        settle,         tell };

static enum next look_up(struct req *r, struct talk *talk)
{
    const char *number = json_text(talk->state, "number"), *code = json_text(talk->state, "code");

    go_to(talk, AT_FOLLOW);
    if (!follow_begin(r, "wechat", number, code, NULL))
        return nothing_found(r);
    r->step = following;
    return GO;
}

static enum next begin_follow(struct req *r, struct talk *talk, const char *text)
{
    (void)text;
    forget(talk);
    if (take_newest(talk))
        return look_up(r, talk);
    go_to(talk, AT_FOLLOW);
    return say(talk, which_text);
}

static enum next take_follow(struct req *r, struct talk *talk, const char *text)
{
    return take_ticket(r, talk, text) ? look_up(r, talk) : say(talk, which_text);
}

/* ---- rating ------------------------------------------------------------------------------------------------------------------- */

struct choice {
    const char *word, *value; /* value NULL, "": no and yes */
};

static const struct choice yes_no[] = { { "是", "" }, { "否", NULL }, { 0 } };
static const struct choice resolved[] = { { "已解决", "yes" }, { "部分解决", "partly" }, { "未解决", "no" }, { 0 } };
static const struct choice satisfied[] = { { "非常满意", "very_satisfied" }, { "满意", "satisfied" },
                                           { "基本满意", "basic" },          { "一般", "understood" },
                                           { "不满意", "unsatisfied" },      { 0 } };

static const struct {
    const char *member, *question;
    const struct choice *choices;
} questions[] = {
    { "contacted_by_unit", "办理单位是否与您联系过？", yes_no },
    { "resolved", "问题是否已经解决？", resolved },
    { "sat_process", "您对办理过程是否满意？", satisfied },
    { "sat_result", "您对办理结果是否满意？", satisfied },
};

static enum next ask_question(struct req *r, struct talk *talk, size_t i)
{
    const char *text = arena_printf(r->arena, "工单 %s，第 %zu 题，共 4 题：%s", json_text(talk->state, "number"),
                                    i + 1, questions[i].question);

    put(talk->state, "asked", cJSON_CreateNumber((double)i));
    go_to(talk, AT_RATE);
    for (size_t k = 0; questions[i].choices[k].word; k++)
        text = arena_printf(r->arena, "%s\n%zu %s", text, k + 1, questions[i].choices[k].word);
    return say(talk, text);
}

static enum next start_rating(struct req *r, struct talk *talk)
{
    put(talk->state, "rating", cJSON_CreateObject());
    return ask_question(r, talk, 0);
}

static enum next begin_rate(struct req *r, struct talk *talk, const char *text)
{
    (void)text;
    forget(talk);
    if (take_newest(talk))
        return start_rating(r, talk);
    go_to(talk, AT_RATE_WHICH);
    return say(talk, which_text);
}

static enum next take_rated(struct req *r, struct talk *talk, const char *text)
{
    return take_ticket(r, talk, text) ? start_rating(r, talk) : say(talk, which_text);
}

static enum next wrong_code(struct req *r)
{
    if (r->answer.status != 404)
        return GO;
    (void)nothing_found(r);
    go_to(r->talk, AT_RATE_WHICH);
    return GO;
}

static enum next rate(struct req *r)
{
    return r->answer.status == 404 ? GO : follow_say(r, "rate");
}

static enum next rated(struct req *r)
{
    struct talk *talk = r->talk;

    if (r->answer.status == 404 && talk->said)
        return GO;
    if (r->answer.status != 200)
        return reply(r, r->answer.status, r->answer.body);
    forget(talk);
    talk->done = true;
    return say(talk, "谢谢您的评价。");
}

static step_fn *const rating[] = { count_query, check_guess, follow_ask, follow_take, wrong_code, rate,
                                   answer_open, rated,       save,       settle,      tell };

static enum next send_rating(struct req *r, struct talk *talk)
{
    const char *text = json_print(r->arena, cJSON_GetObjectItem(talk->state, "rating"));
    char digest[SECRET_HEX_SIZE];
    const char *whole = arena_printf(r->arena, "%s %s", talk->who, talk->message->id);

    r->input = (struct bytes){ text, strlen(text) };
    r->json = json_object_only(r->arena, r->input, &r->why);
    digest_body(whole, strlen(whole), digest);
    r->key = arena_strdup(r->arena, digest);
    r->key_given = true;
    if (!follow_begin(r, "wechat", json_text(talk->state, "number"), json_text(talk->state, "code"), NULL))
        return nothing_found(r);
    r->step = rating;
    return GO;
}

static enum next take_rating(struct req *r, struct talk *talk, const char *text)
{
    const cJSON *asked = cJSON_GetObjectItem(talk->state, "asked");
    cJSON *given = cJSON_GetObjectItem(talk->state, "rating");
    size_t i = cJSON_IsNumber(asked) && asked->valueint >= 0 ? (size_t)asked->valueint : 0;

    if (take_ticket(r, talk, text))
        return start_rating(r, talk);
    for (size_t k = 0; i < COUNT(questions) && questions[i].choices[k].word; k++) {
        const struct choice *choice = &questions[i].choices[k];
        bool number = text[0] == (char)('1' + k) && !text[1];

        if (!number && strcmp(text, choice->word) != 0)
            continue;
        if (questions[i].choices == yes_no)
            put(given, questions[i].member, cJSON_CreateBool(choice->value != NULL));
        else
            put(given, questions[i].member, cJSON_CreateString(choice->value));
        return i + 1 < COUNT(questions) ? ask_question(r, talk, i + 1) : send_rating(r, talk);
    }
    return ask_question(r, talk, i < COUNT(questions) ? i : 0);
}

/* ---- the conversation --------------------------------------------------------------------------------------------------------- */

static enum next help(struct req *r, struct talk *talk, const char *text)
{
    (void)r, (void)text;
    return say(talk, help_text);
}

static enum next cancel(struct req *r, struct talk *talk, const char *text)
{
    (void)r, (void)text;
    forget(talk);
    return say(talk, "已取消，没有提交任何内容。回复“我要投诉”重新开始。");
}

static enum next keep_silent(struct req *r, struct talk *talk, const char *text)
{
    (void)text;
    talk->said = NULL;
    return tell(r);
}

/* Who leaves takes everything along. */
static enum next leave(struct req *r, struct talk *talk, const char *text)
{
    forget(talk);
    cJSON_DeleteItemFromObject(talk->state, "tickets");
    (void)r, (void)text;
    talk->said = NULL;
    return GO;
}

static enum next remind(struct req *r, struct talk *talk, const char *text)
{
    static const char *const sentences[PLACES] = {
        [AT_TEXT] = "请先用文字说明您要反映的问题，或回复“取消”。",
        [AT_PLACE] = "请发送位置、回复地址，或回复“跳过”。",
        [AT_PHONE] = "请回复联系电话，或回复“取消”。",
        [AT_CONFIRM] = "请回复“确认”提交，或回复“取消”放弃。",
        [AT_FOLLOW] = which_text,
        [AT_RATE] = "请按题目回复选项，或回复“取消”。",
        [AT_RATE_WHICH] = which_text,
    };
    const char *sentence = sentences[place_of(talk)];

    (void)r, (void)text;
    return say(talk, sentence ? sentence : help_text);
}

/* The first row that fits. */
static const struct {
    enum place place; /* PLACES: any */
    enum input input;
    answer_fn *answer;
} table[] = {
    { PLACES, IN_NOTED, keep_silent },
    { PLACES, IN_GONE, leave },
    { PLACES, IN_HELP, help },
    { PLACES, IN_CANCEL, cancel },
    { PLACES, IN_COMPLAIN, begin },
    { PLACES, IN_FOLLOW, begin_follow },
    { PLACES, IN_RATE, begin_rate },
    { AT_TEXT, IN_TEXT, take_text },
    { AT_TEXT, IN_PICTURE, take_picture },
    { AT_PLACE, IN_TEXT, take_address },
    { AT_PLACE, IN_SKIP, skip_place },
    { AT_PLACE, IN_LOCATION, take_location },
    { AT_PLACE, IN_PICTURE, take_picture },
    { AT_PHONE, IN_TEXT, take_phone },
    { AT_PHONE, IN_SKIP, skip_phone },
    { AT_PHONE, IN_PICTURE, take_picture },
    { AT_CONFIRM, IN_YES, file },
    { AT_CONFIRM, IN_PICTURE, take_picture },
    { AT_FOLLOW, IN_TEXT, take_follow },
    { AT_RATE, IN_TEXT, take_rating },
    { AT_RATE_WHICH, IN_TEXT, take_rated },
    { PLACES, ANY, remind },
};

static enum input word_of(const char *text)
{
    static const struct {
        const char *word;
        enum input input;
    } words[] = {
        { "我要投诉", IN_COMPLAIN },
        { "投诉", IN_COMPLAIN },
        { "complain", IN_COMPLAIN },
        { "查进度", IN_FOLLOW },
        { "进度", IN_FOLLOW },
        { "follow", IN_FOLLOW },
        { "评价", IN_RATE },
        { "rate", IN_RATE },
        { "取消", IN_CANCEL },
        { "cancel", IN_CANCEL },
        { "帮助", IN_HELP },
        { "help", IN_HELP },
        { "?", IN_HELP },
        { "？", IN_HELP },
        { "跳过", IN_SKIP },
        { "skip", IN_SKIP },
        { "确认", IN_YES },
        { "提交", IN_YES },
        { "yes", IN_YES },
    };

    for (size_t i = 0; i < COUNT(words); i++)
        if (!strcasecmp(words[i].word, text))
            return words[i].input;
    return IN_TEXT;
}

static const char *member_or_blank(const struct wechat_message *message, const char *name)
{
    const char *value = wechat_member(message, name);

    return value ? value : "";
}

/* What was said, and in *text the words of it. */
static enum input input_of(const struct wechat_message *message, const char **text)
{
    *text = "";
    switch (message->kind) {
    case WECHAT_TEXT:
        *text = member_or_blank(message, "Content");
        return **text ? word_of(*text) : IN_OTHER;
    case WECHAT_VOICE: /* with the platform's own reading of it, where the account has that */
        *text = member_or_blank(message, "Recognition");
        return **text ? word_of(*text) : IN_OTHER;
    case WECHAT_CLICK:
        *text = member_or_blank(message, "EventKey");
        return word_of(*text) == IN_TEXT ? IN_OTHER : word_of(*text);
    case WECHAT_IMAGE:
    case WECHAT_VIDEO:
        return IN_PICTURE;
    case WECHAT_LOCATION:
        return IN_LOCATION;
    case WECHAT_SUBSCRIBE:
        return IN_HELP;
    case WECHAT_UNSUBSCRIBE:
        return IN_GONE;
    case WECHAT_NOTED:
    case WECHAT_UNKNOWN:
        return IN_NOTED;
    case WECHAT_LINK:
        break;
    }
    return IN_OTHER;
}

static enum next converse(struct req *r)
{
    struct talk *talk = r->talk;
    const cJSON *before = said_before(talk);
    const char *text;
    enum input input = input_of(talk->message, &text);
    enum place place = place_of(talk);
    size_t i = 0;

    if (before) {
        talk->said = json_text(before, "said");
        return tell(r);
    }
    while ((table[i].place != PLACES && table[i].place != place) || (table[i].input != ANY && table[i].input != input))
        i++;
    return table[i].answer(r, talk, text);
}

enum next talk_begin(struct req *r, const struct wechat_message *message, step_fn *then)
{
    struct talk *talk = arena_alloc(r->arena, sizeof *talk);
    char who[SECRET_HEX_SIZE];

    say_step = then;
    digest_body(message->from, strlen(message->from), who);
    *talk = (struct talk){ .message = message,
                           .who = arena_strdup(r->arena, who),
                           .key = arena_printf(r->arena, "wechat:%s", who) };
    r->talk = talk;
    if (message->kind == WECHAT_NOTED || message->kind == WECHAT_UNKNOWN)
        return tell(r);
    r->step = conversation;
    return GO;
}

void talk_refused(struct req *r, const char *code, const struct why *why)
{
    struct talk *talk = r->talk;

    if (!strcmp(code, "database_away") || !strcmp(code, "busy") || !strcmp(code, "spool_full") ||
        !strcmp(code, "internal"))
        talk->said = talk->filing ? not_filed_text : busy_text;
    else if (why && why->nfaults)
        talk->said = why->faults[0].zh;
    else
        talk->said = why && why->zh ? why->zh : problem_why(code)->zh;
}
