/* Which lives there are: the steps of each leg, what people write at each, and how often each story is told. */

#include "city.h"
#include "ctl.h"
#include "life.h"

#include <stdio.h>
#include <string.h>

/* ---- what people write ---- */

static void put(cJSON *inputs, const char *name, const char *text)
{
    cJSON_AddStringToObject(inputs, name, text);
}

static const char *pick(struct life *life, const char *const *from, int n)
{
    return from[chance_between(&life->chance, 0, n - 1)];
}

#define PICK(life, ...) pick(life, (const char *const[]){ __VA_ARGS__ }, COUNT(((const char *const[]){ __VA_ARGS__ })))

static void choose_type(struct life *life)
{
    const char *type = life->story->type;

    if (!type)
        type = life->text->type;
    if (!type)
        type = PICK(life, "complaint", "complaint", "complaint", "help", "help", "help", "consult", "suggestion",
                    "report", "other");
    snprintf(life->type, sizeof life->type, "%s", type);
}

static void put_contact(struct life *life, cJSON *in)
{
    if (life->story->unnamed) {
        cJSON_AddTrueToObject(in, "anonymous");
        return;
    }
    put(in, "phone", life->phone);
    if (*life->name)
        put(in, "name", life->name);
}

static void fill_file(struct life *life, cJSON *in)
{
    choose_type(life);
    put(in, "type", life->type);
    put(in, "title", life->text->title);
    put(in, "content", life->text->content);
    put_contact(life, in);
    if (life->text->division || chance_percent(&life->chance, 60)) {
        snprintf(life->division, sizeof life->division, "%s",
                 life->text->division ? life->text->division : city_division(&life->chance));
        put(in, "division", life->division);
    }
    if (life->story->no_reply)
        cJSON_AddFalseToObject(in, "reply_wanted");
}

static void fill_draft(struct life *life, cJSON *in)
{
    choose_type(life);
    put(in, "channel", "phone");
    if (!life->story->unnamed)
        put(in, "phone", life->phone);
}

static void fill_save(struct life *life, cJSON *in)
{
    put(in, "type", life->type);
    put(in, "title", life->text->title);
    put(in, "content", life->text->content);
    put_contact(life, in);
}

static void fill_submit(struct life *life, cJSON *in)
{
    fill_save(life, in);
    put(in, "category", life->category);
    put(in, "division", life->division);
    put(in, "urgency", chance_percent(&life->chance, 4) ? "priority" : "normal");
    cJSON_AddNumberToObject(in, "secrecy", chance_percent(&life->chance, 4) ? 1 : 0);
    cJSON_AddBoolToObject(in, "reply_wanted", !life->story->no_reply);
    put(in, "publish", PICK(life, "agreed", "refused", "not_asked"));
    cJSON_AddTrueToObject(in, "readback");
    put(in, "dup_check", life->dup_check);
}

static void fill_answer(struct life *life, cJSON *in)
{
    put(in, "category", life->category);
    put(in, "answer_text",
        "您反映的问题现答复如下：相关业务可在政务服务大厅或粤省事平台办理，所需材料和时限已逐项说明。");
    put(in, "no_kb_reason", "知识库暂无对应条目，依据主管部门公开的办事指南答复。");
    cJSON_AddTrueToObject(in, "appellant_ack");
}

static void fill_accept(struct life *life, cJSON *in)
{
    put(in, "category", life->category);
    put(in, "division", life->division);
    put(in, "title", life->text->title);
}

static void fill_refuse(struct life *life, cJSON *in)
{
    put(in, "refuse_code", PICK(life, "N01", "N02", "N03", "N04"));
    put(in, "told_text", "您反映的事项不属于本热线的受理范围，原因已向您说明。");
    put(in, "alternative_channel", "请通过法定途径或相应的专线反映。");
}

/* Reasons that a shift lead countersigns. */
static void fill_refuse_grave(struct life *life, cJSON *in)
{
    put(in, "refuse_code", PICK(life, "N05", "N06", "N08", "N09", "N10"));
    put(in, "told_text", "您反映的事项按规定不予受理，经值班长核定后告知您。");
}

static void fill_decision(struct life *life, cJSON *in)
{
    put(in, "approval", life->approval);
    put(in, "opinion", "已核对通话记录和办理材料，按此意见办理。");
}

static void fill_dispatch(struct life *life, cJSON *in)
{
    put(in, "main_unit", *life->unit ? life->unit : city_department(&life->chance));
    if (*life->item)
        put(in, "item", life->item);
    put(in, "instruction", "请依职责核实处理，先行联系诉求人，并在时限内答复。");
}

static void fill_contact(struct life *life, cJSON *in)
{
    bool reached = chance_percent(&life->chance, 94);

    cJSON_AddBoolToObject(in, "contacted", reached);
    put(in, "way", "phone");
    if (!reached) {
        put(in, "fail_reason", "多次拨打无人接听");
        cJSON_AddNumberToObject(in, "attempts", 3);
    }
}

static void fill_reply(struct life *life, cJSON *in)
{
    char text[2048], time[MOMENT_SIZE];

    snprintf(text, sizeof text,
             "关于“%s”的诉求，我单位于收到工单后派员到现场核实，并与相关各方沟通。经研究，已采取相应措施并明确责任人，"
             "后续将持续跟进，感谢您的监督。（第%d次核查）",
             life->text->title, chance_between(&life->chance, 1, 9999));
    put(in, "result",
        PICK(life, "resolved", "resolved", "resolved", "basically", "partial", "explained", "planned", "unresolved"));
    put(in, "fact_finding", PICK(life, "true", "true", "partly", "false"));
    put(in, "content", text);
    put(in, "measures", "现场核实、约谈责任方、限期整改并复查。");
    put(in, "legal_basis", "相关法律法规及本单位职责清单");
    if (!life->story->unnamed) {
        put(in, "told_at", moment_text(life->at - (moment)10 * MINUTE, time));
        put(in, "told_way", PICK(life, "phone", "phone", "visit", "sms"));
    }
    put(in, "public_text", "经核实，相关部门已采取措施处理，并将持续跟进。");
    put(in, "public_suggestion", PICK(life, "yes", "yes", "no"));
}

static void fill_opinion(struct life *life, cJSON *in)
{
    (void)life;
    put(in, "opinion", "同意，内容属实。");
}

static void fill_send_back(struct life *life, cJSON *in)
{
    (void)life;
    put(in, "opinion", "措施不具体，请补充整改时限后再报。");
}

static void fill_score(struct life *life, cJSON *in)
{
    cJSON_AddNumberToObject(in, "quality_score", chance_between(&life->chance, 70, 100));
}

static void fill_audit_reject(struct life *life, cJSON *in)
{
    put(in, "reject_code", PICK(life, "A1", "A2", "A3", "A4", "A5", "A6", "A7"));
    put(in, "comment", "答复没有回应诉求要点，请补充措施和时限。");
}

static void fill_connected(struct life *life, cJSON *in)
{
    (void)life;
    put(in, "outcome", "connected");
}

static void fill_not_reached(struct life *life, cJSON *in)
{
    put(in, "outcome", PICK(life, "no_answer", "busy", "powered_off"));
}

static void put_verdict(struct life *life, cJSON *in)
{
    cJSON_AddBoolToObject(in, "contacted_by_unit", chance_percent(&life->chance, 95));
    put(in, "resolved", life->resolved);
    put(in, "sat_process", life->satisfied);
    put(in, "sat_result", life->satisfied);
}

static void fill_verdict(struct life *life, cJSON *in)
{
    life->resolved = PICK(life, "yes", "yes", "yes", "yes", "yes", "partly", "partly");
    life->satisfied = PICK(life, "very_satisfied", "very_satisfied", "satisfied", "satisfied", "satisfied", "satisfied",
                           "basic", "understood", "not_rated");
    put_verdict(life, in);
}

static void fill_rework(struct life *life, cJSON *in)
{
    cJSON *list;

    put(in, "rework_reason", "诉求人表示问题仍未解决，单位尚可进一步处理。");
    list = cJSON_AddArrayToObject(in, "must_do");
    cJSON_AddItemToArray(list, cJSON_CreateString("到现场复查"));
    cJSON_AddItemToArray(list, cJSON_CreateString("当面向诉求人说明"));
    life->resolved = PICK(life, "no", "no", "partly");
    life->satisfied = "unsatisfied";
    put_verdict(life, in);
}

static void fill_unsatisfied(struct life *life, cJSON *in)
{
    (void)life;
    put(in, "why_no_rework", "单位已依法处理完毕，诉求超出现行政策，已向诉求人充分说明。");
    put(in, "legal_basis", "相关法律法规及本市热线管理办法");
}

/* ---- legs ---- */

/* Where an action may lead: the engine goes on by itself where it need not ask. */
static const char accepted[] = "pending_dispatch|pending_sign", audited[] = "pending_callback|closed";

#define LEG_END                                                                                                        \
    {                                                                                                                  \
        NULL, SYSTEM, NULL, NULL, NULL, { SOON, 0, 0, NULL }, NULL, NULL                                               \
    }

static const struct step by_citizen[] = {
    { "T05", CITIZEN, life_file, "submit_online", fill_file, { SOON, 0, 0, NULL }, "pending_accept", NULL },
    LEG_END,
};

static const struct step by_operator[] = {
    { "T01", OPERATOR, life_draft, "create_draft", fill_draft, { SOON, 0, 0, NULL }, "draft", NULL },
    { "T02", OPERATOR, life_act, "save_draft", fill_save, { SOON, 1, 3, NULL }, "draft", NULL },
    LEG_END,
};

static const struct step accept[] = {
    { "", ACCEPTOR, life_classify, "route", NULL, { OFFICE, 5, 90, NULL }, NULL, NULL },
    { "T06", ACCEPTOR, life_act, "accept", fill_accept, { SOON, 0, 3, NULL }, accepted, NULL },
    LEG_END,
};

static const struct step submit[] = {
    { "", OPERATOR, life_dup_check, "dup_check", NULL, { SOON, 0, 1, NULL }, NULL, NULL },
    { "", OPERATOR, life_classify, "route", NULL, { SOON, 0, 1, NULL }, NULL, NULL },
    { "T04", OPERATOR, life_act, "submit", fill_submit, { SOON, 0, 2, NULL }, accepted, NULL },
    LEG_END,
};

static const struct step answered_by_operator[] = {
    { "", OPERATOR, life_classify, "route", NULL, { SOON, 0, 1, NULL }, NULL, NULL },
    { "T03", OPERATOR, life_act, "answer_on_spot", fill_answer, { SOON, 1, 4, NULL }, "closed", NULL },
    LEG_END,
};

static const struct step answered_by_acceptor[] = {
    { "", ACCEPTOR, life_classify, "route", NULL, { OFFICE, 5, 90, NULL }, NULL, NULL },
    { "T03", ACCEPTOR, life_act, "answer_on_spot", fill_answer, { SOON, 1, 10, NULL }, "closed", NULL },
    LEG_END,
};

static const struct step refused[] = {
    { "T10", ACCEPTOR, life_act, "refuse", fill_refuse, { OFFICE, 5, 60, NULL }, "refused", NULL },
    LEG_END,
};

static const struct step refused_by_operator[] = {
    { "T10", OPERATOR, life_act, "refuse", fill_refuse, { SOON, 1, 3, NULL }, "refused", NULL },
    LEG_END,
};

static const struct step refusal_countersigned[] = {
    { "ask", ACCEPTOR, life_act, "refuse", fill_refuse_grave, { OFFICE, 5, 60, NULL }, "pending_accept", NULL },
    { "T10", LEADER, life_decide, "approve", fill_decision, { SOON, 2, 8, NULL }, "refused", NULL },
    LEG_END,
};

static const struct step refusal_overruled[] = {
    { "ask", ACCEPTOR, life_act, "refuse", fill_refuse_grave, { OFFICE, 5, 60, NULL }, "pending_accept", NULL },
    { "reject", LEADER, life_decide, "reject", fill_decision, { SOON, 2, 8, NULL }, "pending_accept", NULL },
    LEG_END,
};

/* Where the directory was unambiguous the engine has dispatched already. */
static const struct step dispatch[] = {
    { "T18",
      DISPATCHER,
      life_dispatch,
      "dispatch",
      fill_dispatch,
      { OFFICE, 5, 60, NULL },
      "pending_sign",
      "pending_dispatch" },
    { "", LEADER, life_look, "look", NULL, { SOON, 0, 0, NULL }, NULL, NULL },
    LEG_END,
};

static const struct step sign[] = {
    { "T30", UNIT_D, life_act, "sign", NULL, { OFFICE, 10, 180, "sign" }, "handling", NULL },
    LEG_END,
};

static const struct step sign_never[] = {
    { "T31", SYSTEM, life_await, "deemed_sign", NULL, { AFTER, 1, 5, "sign" }, "handling", NULL },
    LEG_END,
};

static const struct step contact[] = {
    { "T43", UNIT_H, life_act, "first_contact", fill_contact, { OFFICE, 10, 120, "contact" }, "handling", NULL },
    LEG_END,
};

#define APPROVE                                                                                                        \
    {                                                                                                                  \
        "T53", UNIT_A, life_act, "unit_approve", fill_opinion, { OFFICE, 5, 60, "unit" }, "pending_audit", NULL        \
    }
#define LOOK                                                                                                           \
    {                                                                                                                  \
        "", LEADER, life_look, "look", NULL, { SOON, 0, 0, NULL }, NULL, NULL                                          \
    }

static const struct step reply[] = {
    { "T52", UNIT_H, life_act, "submit_reply", fill_reply, { OFFICE, 60, 1000, "unit" }, "handling", NULL },
    APPROVE,
    LEG_END,
};

static const struct step reply_late[] = {
    { "T52", UNIT_H, life_act, "submit_reply", fill_reply, { AFTER, 480, 2000, "unit" }, "handling", NULL },
    APPROVE,
    LEG_END,
};

static const struct step reply_sent_back[] = {
    { "T52", UNIT_H, life_act, "submit_reply", fill_reply, { OFFICE, 30, 300, "unit" }, "handling", NULL },
    { "T53r", UNIT_A, life_act, "unit_reject", fill_send_back, { OFFICE, 5, 60, "unit" }, "handling", NULL },
    LEG_END,
};

static const struct step audit[] = {
    { "T60", AUDITOR, life_act, "audit_pass", fill_score, { OFFICE, 10, 120, "audit" }, audited, NULL },
    LEG_END,
};

/* Nobody audits in time; the shift lead is told, the auditor catches up. */
static const struct step audit_late[] = {
    LOOK,
    { "T62", SYSTEM, life_await, "audit_timeout", NULL, { AFTER, 1, 5, "audit" }, "pending_audit", NULL },
    { "T60", AUDITOR, life_act, "audit_pass", fill_score, { OFFICE, 10, 120, NULL }, audited, NULL },
    LEG_END,
};

static const struct step audit_rejects[] = {
    { "T61", AUDITOR, life_act, "audit_reject", fill_audit_reject, { OFFICE, 10, 120, "audit" }, "handling", NULL },
    LEG_END,
};

static const struct step callback[] = {
    { "T63",
      CALLBACK,
      life_act,
      "callback_attempt",
      fill_connected,
      { OFFICE, 30, 400, "callback" },
      "pending_callback",
      NULL },
    { "T64", CALLBACK, life_act, "callback_ok", fill_verdict, { SOON, 1, 6, NULL }, "closed", NULL },
    LEG_END,
};

static const struct step unreachable[] = {
    { "T63",
      CALLBACK,
      life_act,
      "callback_attempt",
      fill_not_reached,
      { OFFICE, 30, 120, "callback" },
      "pending_callback",
      NULL },
    { "T63",
      CALLBACK,
      life_act,
      "callback_attempt",
      fill_not_reached,
      { NEXT_DAY, 240, 300, NULL },
      "pending_callback",
      NULL },
    { "T63",
      CALLBACK,
      life_act,
      "callback_attempt",
      fill_not_reached,
      { NEXT_DAY, 10, 120, NULL },
      "pending_callback",
      NULL },
    { "T67", SYSTEM, life_await_long, "close_unreachable", NULL, { SOON, 60, 60, NULL }, "closed", NULL },
    LEG_END,
};

#define CALL                                                                                                           \
    {                                                                                                                  \
        "T63", CALLBACK, life_act, "callback_attempt", fill_connected, { OFFICE, 30, 400, "callback" },                \
            "pending_callback", NULL                                                                                   \
    }
#define ASK_REWORK                                                                                                     \
    {                                                                                                                  \
        "ask", CALLBACK, life_act, "rework", fill_rework, { SOON, 2, 8, NULL }, "pending_callback", NULL               \
    }

static const struct step rework[] = {
    CALL,
    ASK_REWORK,
    { "T65", LEADER, life_decide, "approve", fill_decision, { SOON, 2, 8, NULL }, "pending_sign", NULL },
    LOOK,
    LEG_END,
};

#define CLOSE_UNSATISFIED                                                                                              \
    {                                                                                                                  \
        "T66", LEADER, life_act, "close_unsatisfied", fill_unsatisfied, { SOON, 3, 30, NULL }, "closed", NULL          \
    }

static const struct step rework_denied[] = {
    CALL,
    ASK_REWORK,
    { "reject", LEADER, life_decide, "reject", fill_decision, { SOON, 2, 8, NULL }, "pending_callback", NULL },
    CLOSE_UNSATISFIED,
    LEG_END,
};

/* ---- stories ---- */

static const struct story stories[] = {
    { .name = "filed online",
      .share = 26,
      .legs = { by_citizen, accept, dispatch, sign, contact, reply, audit, callback } },
    { .name = "phoned in",
      .share = 19,
      .legs = { by_operator, submit, dispatch, sign, contact, reply, audit, callback } },
    { .name = "answered by the operator",
      .share = 8,
      .type = "consult",
      .legs = { by_operator, answered_by_operator } },
    { .name = "answered online", .share = 4, .type = "consult", .legs = { by_citizen, answered_by_acceptor } },
    { .name = "rework",
      .share = 5,
      .legs = { by_citizen, accept, dispatch, sign, contact, reply, audit, rework, sign, contact, reply, audit,
                callback } },
    { .name = "rework denied",
      .share = 3,
      .legs = { by_operator, submit, dispatch, sign, contact, reply, audit, rework_denied } },
    { .name = "unreachable",
      .share = 5,
      .legs = { by_citizen, accept, dispatch, sign, contact, reply, audit, unreachable } },
    { .name = "signed late",
      .share = 4,
      .legs = { by_citizen, accept, dispatch, sign_never, contact, reply, audit, callback } },
    { .name = "answered late",
      .share = 3,
      .legs = { by_operator, submit, dispatch, sign, contact, reply_late, audit, callback } },
    { .name = "refused", .share = 2, .legs = { by_citizen, refused } },
    { .name = "refused by the operator", .share = 1, .legs = { by_operator, refused_by_operator } },
    { .name = "refusal countersigned", .share = 2, .legs = { by_citizen, refusal_countersigned } },
    { .name = "refusal overruled",
      .share = 1,
      .legs = { by_citizen, refusal_overruled, accept, dispatch, sign, contact, reply, audit, callback } },
    { .name = "reply rejected",
      .share = 4,
      .legs = { by_operator, submit, dispatch, sign, contact, reply, audit_rejects, reply, audit, callback } },
    { .name = "audited late",
      .share = 4,
      .legs = { by_citizen, accept, dispatch, sign, contact, reply, audit_late, callback } },
    { .name = "no reply wanted",
      .share = 3,
      .no_reply = true,
      .legs = { by_citizen, accept, dispatch, sign, contact, reply, audit } },
    { .name = "anonymous", .share = 3, .unnamed = true, .legs = { by_operator, submit, dispatch, sign, reply, audit } },
    { .name = "reply sent back",
      .share = 3,
      .legs = { by_citizen, accept, dispatch, sign, contact, reply_sent_back, reply, audit, callback } },
};

/* ---- dealing ---- */

enum { DECK = 100 };

static void shuffle(struct chance *chance, const struct story *deck[DECK])
{
    for (int i = DECK - 1; i > 0; i--) {
        int other = chance_between(chance, 0, i);
        const struct story *was = deck[i];

        deck[i] = deck[other];
        deck[other] = was;
    }
}

static void fill_deck(const struct story *deck[DECK])
{
    int n = 0;

    for (int i = 0; i < COUNT(stories); i++)
        for (int k = 0; k < stories[i].share && n < DECK; k++)
            deck[n++] = &stories[i];
    if (n < DECK)
        fail("the stories' shares are %d of %d", n, DECK);
}

/* Online day and night, most in the day; by phone from eight to eight. */
static moment arrival(struct chance *chance, const struct story *story, moment start, int days)
{
    moment day = moment_day(start) + (moment)chance_between(chance, 0, days - 1) * DAY;
    bool night = story->legs[0] == by_citizen && chance_percent(chance, 15);
    moment at = day + (night ? chance_between(chance, 0, DAY - 1) : chance_between(chance, 8 * HOUR, 20 * HOUR));

    return at > start ? at : start + chance_between(chance, 0, HOUR);
}

static void deal(struct life *life, int index, uint64_t seed, const struct story *story)
{
    static const char *const surnames[] = { "陈", "林", "黄", "郑", "吴", "许", "蔡", "李", "张", "杨", "谢", "王" };
    int caller = index % 20 == 19 ? index / 2 : index; /* some call again */

    memset(life, 0, sizeof *life);
    life->index = index;
    life->story = story;
    life->text = texts_at(index);
    life->chance.state = seed * 0x100000001b3 + (uint64_t)index;
    snprintf(life->phone, sizeof life->phone, "199%08d", caller);
    snprintf(life->address, sizeof life->address, "10.%d.%d.%d", caller / 62500 % 250, caller / 250 % 250,
             1 + caller % 250);
    snprintf(life->name, sizeof life->name, "%s%s", pick(life, surnames, COUNT(surnames)), PICK(life, "先生", "女士"));
}

void plan_make(struct life *lives, int n, uint64_t seed, moment start, int days)
{
    struct chance chance = { .state = seed };
    const struct story *deck[DECK];

    fill_deck(deck);
    for (int i = 0; i < n; i++) {
        if (i % DECK == 0)
            shuffle(&chance, deck);
        deal(&lives[i], i, seed, deck[i % DECK]);
        lives[i].at = arrival(&chance, lives[i].story, start, days);
    }
}
