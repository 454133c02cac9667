#include "complaint.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"

enum {
    DESCRIPTION_MAX = 4000,
    STRING_MAX = 200,
    TEXT_MAX = 1000,
    TITLE_CHARS = 40,
    MEDIA_MOST = 9,
    URL_MAX = 500,
    FAULTS_MOST = 32
};

/* What is being read. */
struct reading {
    struct req *r;
    const struct form *form;
    const cJSON *service;
    cJSON *fields, *said, *media;
    char *tail; /* what follows the words, for people to read */
    struct why why;
};

const char *said(const struct req *r, const cJSON *thing, const char *zh, const char *en)
{
    return json_text(thing, r->language == LANGUAGE_EN ? en : zh);
}

const cJSON *choice_of(const cJSON *attribute, const char *key)
{
    const cJSON *choice;

    cJSON_ArrayForEach(choice, cJSON_GetObjectItem(attribute, "choices"))
    {
        if (!strcmp(json_text(choice, "key"), key))
            return choice;
    }
    return NULL;
}

const char *form_name(const char *field)
{
    static const struct {
        const char *field, *name;
    } names[] = {
        { "content", "description" }, { "title", "description" },      { "lng", "long" },
        { "division", "address_id" }, { "address", "address_string" }, { "category", "service_code" },
        { "name", "first_name" },     { "text", "description" },       { "reason", "description" },
    };

    for (size_t i = 0; i < COUNT(names); i++)
        if (!strcmp(names[i].field, field))
            return names[i].name;
    return field;
}

static void blame(struct reading *in, const char *name, const char *code, const char *zh, const char *en)
{
    if (!in->why.faults)
        in->why.faults = arena_alloc(in->r->arena, FAULTS_MOST * sizeof *in->why.faults);
    if (in->why.nfaults < FAULTS_MOST)
        in->why.faults[in->why.nfaults++] = (struct fault){ arena_strdup(in->r->arena, name), code, zh, en };
}

static void put(struct reading *in, const char *field, const char *text)
{
    if (text)
        cJSON_AddStringToObject(in->fields, field, text);
}

/* ---- attributes --------------------------------------------------------------------------------------------------------- */

/* "attribute[hours][]" → "hours"; NULL: another parameter. */
static const char *attribute_code(struct arena *arena, const char *name)
{
    size_t len;

    if (strncmp(name, "attribute[", 10) != 0)
        return NULL;
    name += 10;
    len = strcspn(name, "]");
    return !strcmp(name + len, "]") || !strcmp(name + len, "][]") ? arena_strndup(arena, name, len) : "";
}

static const cJSON *find_attribute(const cJSON *list, const char *code)
{
    const cJSON *attribute;

    cJSON_ArrayForEach(attribute, list)
    {
        if (!strcmp(json_text(attribute, "code"), code))
            return attribute;
    }
    return NULL;
}

static bool is_number(const char *text)
{
    char *end;

    strtod(text, &end);
    return strspn(text, "+-.0123456789eE") == strlen(text) && end != text && !*end;
}

/* NULL, or why this value is none of the attribute's. */
static const char *check_value(const cJSON *attribute, const char *value)
{
    const char *type = json_text(attribute, "datatype");

    if (strstr(type, "valuelist"))
        return choice_of(attribute, value) ? NULL : "unknown_value";
    if (!strcmp(type, "number"))
        return is_number(value) ? NULL : "not_number";
    if (!strcmp(type, "datetime"))
        return time_valid(value) ? NULL : "not_time";
    return utf8_length(value) <= (strcmp(type, "text") ? STRING_MAX : TEXT_MAX) ? NULL : "too_long";
}

static void blame_value(struct reading *in, const char *name, const char *code)
{
    static const struct fault faults[] = {
        { .code = "unknown_value", .zh = "没有这个选项", .en = "is none of the values" },
        { .code = "not_number", .zh = "应为数字", .en = "must be a number" },
        { .code = "not_time", .zh = "应为带时区的时间", .en = "must be a date-time with a zone" },
        { .code = "too_long", .zh = "太长", .en = "is too long" },
    };

    for (size_t i = 0; i < COUNT(faults); i++)
        if (!strcmp(faults[i].code, code))
            blame(in, name, code, faults[i].zh, faults[i].en);
}

static void add_line(struct reading *in, const char *name, const char *text)
{
    in->tail = arena_printf(in->r->arena, "%s\n%s：%s", in->tail ? in->tail : "\n\n【补充信息】", name, text);
}

static void keep(struct reading *in, const cJSON *attribute, const char *code, const char *value)
{
    cJSON *values = cJSON_GetObjectItem(in->said, code);
    const cJSON *choice = choice_of(attribute, value);

    if (!values)
        values = cJSON_AddArrayToObject(in->said, code);
    cJSON_AddItemToArray(values, cJSON_CreateString(value));
    add_line(in, json_text(attribute, "zh"), choice ? json_text(choice, "zh") : value);
}

/* What every service asks goes into fields of the complaint. */
static void take_common(struct reading *in, const char *code, const char *value)
{
    if (!strcmp(code, "secrecy"))
        cJSON_AddNumberToObject(in->fields, code, value[0] - '0');
    else if (!strcmp(code, "reply_wanted"))
        cJSON_AddBoolToObject(in->fields, code, !strcmp(value, "yes"));
    else if (!cJSON_HasObjectItem(in->fields, code))
        put(in, code, value);
}

static bool given_before(const struct reading *in, const cJSON *attribute, const char *code)
{
    return strcmp(json_text(attribute, "datatype"), "multivaluelist") != 0 &&
           (cJSON_HasObjectItem(in->said, code) || cJSON_HasObjectItem(in->fields, code));
}

static void take_attribute(struct reading *in, const struct param *param, const char *code)
{
    const cJSON *common = find_attribute(cJSON_GetObjectItem(catalog_services(), "common"), code);
    const cJSON *attribute = common ? common : find_attribute(cJSON_GetObjectItem(in->service, "attributes"), code);
    const char *wrong;

    if (!attribute) {
        blame(in, param->name, "unknown_attribute", "该服务没有这个属性", "is no attribute of this service");
        return;
    }
    wrong = check_value(attribute, param->value);
    if (wrong)
        blame_value(in, param->name, wrong);
    else if (given_before(in, attribute, code))
        blame(in, param->name, "given_twice", "只能有一个值", "has one value only");
    else if (common)
        take_common(in, code, param->value);
    else
        keep(in, attribute, code, param->value);
}

static void read_attributes(struct reading *in)
{
    const cJSON *attribute;

    for (size_t i = 0; i < in->form->n; i++) {
        const struct param *param = &in->form->params[i];
        const char *code = attribute_code(in->r->arena, param->name);

        if (code && !is_blank(param->value))
            take_attribute(in, param, code);
    }
    cJSON_ArrayForEach(attribute, cJSON_GetObjectItem(in->service, "attributes"))
    {
        const char *code = json_text(attribute, "code");

        if (cJSON_IsTrue(cJSON_GetObjectItem(attribute, "required")) && !cJSON_HasObjectItem(in->said, code))
            blame(in, arena_printf(in->r->arena, "attribute[%s]", code), "missing", "必填", "is required");
    }
}

/* ---- the rest -------------------------------------------------------------------------------------------------------------- */

static void read_media(struct reading *in)
{
    for (size_t i = 0; i < in->form->n; i++) {
        const struct param *param = &in->form->params[i];

        if ((strcmp(param->name, "media_url") != 0 && strcmp(param->name, "media_url[]") != 0) ||
            is_blank(param->value))
            continue;
        if ((strncmp(param->value, "https://", 8) != 0 && strncmp(param->value, "http://", 7) != 0) ||
            strlen(param->value) > URL_MAX || strpbrk(param->value, " \t\r\n\"<>"))
            blame(in, "media_url", "bad_url", "应为 http 或 https 地址", "must be an http or https address");
        else if (cJSON_GetArraySize(in->media) == MEDIA_MOST)
            blame(in, "media_url", "too_many", "最多 9 个", "at most 9");
        else {
            cJSON_AddItemToArray(in->media, cJSON_CreateString(param->value));
            add_line(in, "图片或视频", param->value);
        }
    }
}

static void read_coordinate(struct reading *in, const char *name, const char *field)
{
    const char *text = form_value(in->form, name);

    if (!text)
        return;
    if (is_number(text))
        cJSON_AddNumberToObject(in->fields, field, strtod(text, NULL));
    else
        blame(in, name, "not_number", "应为数字", "must be a number");
}

static void read_place(struct reading *in)
{
    bool lat = form_value(in->form, "lat"), lng = form_value(in->form, "long");
    const char *division = form_value(in->form, "address_id"), *address = form_value(in->form, "address_string");

    read_coordinate(in, "lat", "lat");
    read_coordinate(in, "long", "lng");
    put(in, "address", address);
    put(in, "division", division);
    if (lat != lng)
        blame(in, lat ? "long" : "lat", "missing", "lat 与 long 须同时给出", "lat and long go together");
    else if (!lat && !division && !address)
        blame(in, "lat", "missing", "请给出 lat 与 long、address_string 或 address_id",
              "a place is needed: lat and long, address_string or address_id");
}

static bool is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

static void read_person(struct reading *in)
{
    const char *first = form_value(in->form, "first_name"), *last = form_value(in->form, "last_name");
    const char *phone = form_value(in->form, "phone");

    if (first && last) /* 王小明, but Jane Doe */
        put(in, "name",
            is_ascii(first) && is_ascii(last) ? arena_printf(in->r->arena, "%s %s", first, last)
                                              : arena_printf(in->r->arena, "%s%s", last, first));
    else
        put(in, "name", first ? first : last);
    put(in, "phone", phone);
    if (!phone)
        cJSON_AddTrueToObject(in->fields, "anonymous");
}

/* The first line of the words, or as much of it as a list shows; of none, the name of the service. */
static const char *title_of(struct reading *in, const char *description)
{
    const char *at = description ? description + strspn(description, " \t\r\n") : "", *end = at;
    size_t chars = 0;

    while (*end && *end != '\n' && *end != '\r' && chars < TITLE_CHARS) {
        end++;
        while (((unsigned char)*end & 0xc0) == 0x80)
            end++;
        chars++;
    }
    return chars >= 2 ? arena_strndup(in->r->arena, at, (size_t)(end - at)) : json_text(in->service, "zh");
}

static void read_words(struct reading *in)
{
    const char *description = form_value(in->form, "description");

    if (description && utf8_length(description) > DESCRIPTION_MAX)
        blame(in, "description", "too_long", "最多 4000 个字", "has at most 4,000 characters");
    put(in, "title", title_of(in, description));
    put(in, "content",
        arena_printf(in->r->arena, "%s%s", description ? description : json_text(in->service, "zh"),
                     in->tail ? in->tail : ""));
}

/* The engine's own check of a complaint's fields. */
static cJSON *check_fields(struct reading *in)
{
    const char *text = json_print(in->r->arena, in->fields);
    const struct why *why = NULL;
    cJSON *fields = json_read(in->r->arena, (struct bytes){ text, strlen(text) }, intake_fields, intake_nfields, &why);

    for (size_t i = 0; !fields && i < why->nfaults; i++)
        blame(in, form_name(why->faults[i].name), why->faults[i].code, why->faults[i].zh, why->faults[i].en);
    if (!fields && !why->nfaults)
        blame(in, "description", why->code, why->zh, why->en);
    return fields;
}

cJSON *complaint_read(struct req *r, const struct form *form, const cJSON *service, cJSON **attributes,
                      const struct why **why)
{
    struct reading in = {
        .r = r,
        .form = form,
        .service = service,
        .fields = json_object(r->arena),
        .why = { .code = "bad_inputs", .zh = "有的内容填写不对", .en = "some parameters are not acceptable" }
    };
    struct why *copy = arena_alloc(r->arena, sizeof *copy);
    cJSON *fields;

    *attributes = json_object(r->arena);
    in.said = cJSON_AddObjectToObject(*attributes, "said");
    in.media = cJSON_AddArrayToObject(*attributes, "media");
    put(&in, "category", json_text(service, "code"));
    read_place(&in);
    read_attributes(&in);
    if (!cJSON_HasObjectItem(in.fields, "type"))
        put(&in, "type", json_text(service, "type"));
    read_person(&in);
    read_media(&in);
    read_words(&in);
    fields = check_fields(&in);
    if (in.tail)
        cJSON_AddStringToObject(*attributes, "tail", in.tail);
    *copy = in.why;
    *why = copy;
    return in.why.nfaults ? NULL : fields;
}
