#include "json.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arena.h"

/* ---- UTF-8 and the small forms -------------------------------------------------------------------------------------- */

/* Bytes of the character at p, 0 when it is none: overlong, surrogate, beyond U+10FFFF, cut short, or NUL. */
static size_t character(const unsigned char *p, size_t left)
{
    static const struct {
        unsigned char mask, lead, len;
        unsigned least;
    } forms[] = { { 0x80, 0x00, 1, 1 }, { 0xe0, 0xc0, 2, 0x80 }, { 0xf0, 0xe0, 3, 0x800 }, { 0xf8, 0xf0, 4, 0x10000 } };

    for (size_t f = 0; f < COUNT(forms); f++) {
        unsigned code;

        if ((p[0] & forms[f].mask) != forms[f].lead)
            continue;
        if (forms[f].len > left)
            return 0;
        code = p[0] & (unsigned char)~forms[f].mask;
        for (size_t i = 1; i < forms[f].len; i++) {
            if ((p[i] & 0xc0) != 0x80)
                return 0;
            code = code << 6 | (p[i] & 0x3f);
        }
        return code < forms[f].least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? 0 : forms[f].len;
    }
    return 0;
}

bool utf8_valid(struct bytes text)
{
    for (size_t i = 0; i < text.len;) {
        size_t len = character((const unsigned char *)text.data + i, text.len - i);

        if (!len)
            return false;
        i += len;
    }
    return true;
}

size_t utf8_length(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += (*text & 0xc0) != 0x80;
    return n;
}

/* The number of exactly n digits at *at, which moves behind them; -1 when they are not there. */
static int digits(const char **at, int n)
{
    int value = 0;

    for (int i = 0; i < n; i++, ++*at) {
        if (**at < '0' || **at > '9')
            return -1;
        value = value * 10 + (**at - '0');
    }
    return value;
}

static bool skip(const char **at, const char *any)
{
    if (!**at || !strchr(any, **at))
        return false;
    ++*at;
    return true;
}

static bool read_date(const char **at)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int year = digits(at, 4);
    bool dash = year >= 1900 && skip(at, "-");
    int month = dash ? digits(at, 2) : -1;
    bool dash2 = month >= 1 && month <= 12 && skip(at, "-");
    int day = dash2 ? digits(at, 2) : -1;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return day >= 1 && day <= days[month - 1] + (month == 2 && leap);
}

static bool read_clock(const char **at, int hour_max)
{
    int hour = digits(at, 2);
    bool colon = hour >= 0 && hour <= hour_max && skip(at, ":");
    int minute = colon ? digits(at, 2) : -1;

    return minute >= 0 && minute <= 59;
}

static bool read_seconds(const char **at)
{
    int second = skip(at, ":") ? digits(at, 2) : -1;

    if (second < 0 || second > 59)
        return false;
    if (skip(at, ".")) {
        size_t n = strspn(*at, "0123456789");

        *at += n;
        return n >= 1 && n <= 9;
    }
    return true;
}

bool time_valid(const char *text)
{
    const char *at = text;

    if (!read_date(&at) || !skip(&at, "Tt") || !read_clock(&at, 23) || !read_seconds(&at))
        return false;
    if (skip(&at, "Zz"))
        return !*at;
    return skip(&at, "+-") && read_clock(&at, 15) && !*at;
}

static bool date_valid(const char *text)
{
    return read_date(&text) && !*text;
}

bool id_valid(const char *text)
{
    static const char most[] = "9223372036854775807";
    size_t len = strspn(text, "0123456789");

    if (!len || text[len] || text[0] == '0')
        return false;
    return len < sizeof most - 1 || (len == sizeof most - 1 && strcmp(text, most) <= 0);
}

/* ---- The grammar, checked before cJSON sees the text ---------------------------------------------------------------- */

/* cJSON recurses without asking and takes much that is no JSON (raw control characters, 01, bytes that are no UTF-8).
 * This pass needs no memory and looks at each byte once; what it lets through cJSON and jsonb both read. */
struct scan {
    const char *at, *end;
    size_t values;
    int depth;
    unsigned lists; /* bit per open bracket: 1 list, 0 object */
    const char *code;
};

static bool broken(struct scan *s, const char *code)
{
    if (!s->code)
        s->code = code;
    return false;
}

static void skip_blank(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
        s->at++;
}

static bool take(struct scan *s, char c)
{
    if (s->at >= s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

static int hex4(struct scan *s)
{
    int value = 0;

    for (int i = 0; i < 4; i++, s->at++) {
        static const char set[] = "0123456789abcdef";
        const char *digit = s->at < s->end && *s->at ? strchr(set, *s->at | 0x20) : NULL;

        if (!digit || !*digit || (*s->at < '0'))
            return -1;
        value = value * 16 + (int)(digit - set);
    }
    return value;
}

static bool scan_unicode(struct scan *s)
{
    int code = hex4(s);

    if (code < 0)
        return broken(s, "bad_json");
    if (code == 0)
        return broken(s, "bad_character");
    if (code < 0xd800 || code > 0xdfff)
        return true;
    if (code > 0xdbff || !take(s, '\\') || !take(s, 'u'))
        return broken(s, "bad_utf8");
    code = hex4(s);
    return (code >= 0xdc00 && code <= 0xdfff) || broken(s, "bad_utf8");
}

static bool scan_escape(struct scan *s)
{
    if (take(s, 'u'))
        return scan_unicode(s);
    if (s->at >= s->end || !*s->at || !strchr("\"\\/bfnrt", *s->at))
        return broken(s, "bad_json");
    s->at++;
    return true;
}

static bool scan_string(struct scan *s)
{
    if (!take(s, '"'))
        return broken(s, "bad_json");
    while (s->at < s->end && *s->at != '"') {
        size_t len = character((const unsigned char *)s->at, (size_t)(s->end - s->at));

        if (!len)
            return broken(s, *s->at ? "bad_utf8" : "bad_character");
        if ((unsigned char)*s->at < ' ')
            return broken(s, "bad_character");
        s->at += len;
        if (s->at[-1] == '\\' && !scan_escape(s))
            return false;
    }
    return take(s, '"') || broken(s, "bad_json");
}

static size_t scan_digits(struct scan *s)
{
    const char *from = s->at;

    while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
        s->at++;
    return (size_t)(s->at - from);
}

static bool scan_number(struct scan *s)
{
    take(s, '-');
    if (!take(s, '0') && !scan_digits(s))
        return broken(s, "bad_json");
    if (take(s, '.') && !scan_digits(s))
        return broken(s, "bad_json");
    if (take(s, 'e') || take(s, 'E')) {
        if (!take(s, '+'))
            take(s, '-');
        if (!scan_digits(s))
            return broken(s, "bad_json");
    }
    return true;
}

static bool scan_literal(struct scan *s)
{
    static const char *const words[] = { "true", "false", "null" };

    for (size_t i = 0; i < COUNT(words); i++) {
        size_t len = strlen(words[i]);

        if ((size_t)(s->end - s->at) >= len && !memcmp(s->at, words[i], len)) {
            s->at += len;
            return true;
        }
    }
    return broken(s, "bad_json");
}

static bool scan_name(struct scan *s)
{
    skip_blank(s);
    if (!scan_string(s))
        return false;
    skip_blank(s);
    return take(s, ':') || broken(s, "bad_json");
}

static bool is_list(const struct scan *s)
{
    return s->lists >> s->depth & 1;
}

/* A value begins: a scalar is passed, a bracket opened. *open says whether its first element is awaited. */
static bool scan_value(struct scan *s, bool *open)
{
    char c;

    *open = false;
    skip_blank(s);
    if (++s->values > JSON_VALUES_MAX)
        return broken(s, "too_many_values");
    c = s->at < s->end ? *s->at : 0;
    if (c == '"')
        return scan_string(s);
    if (c == '-' || (c >= '0' && c <= '9'))
        return scan_number(s);
    if (c != '{' && c != '[')
        return scan_literal(s);
    if (s->depth == JSON_DEPTH_MAX)
        return broken(s, "too_deep");
    s->at++;
    s->depth++;
    s->lists = (s->lists & ~(1u << s->depth)) | (unsigned)(c == '[') << s->depth;
    *open = true;
    return true;
}

/* Close as many brackets as end here; true when another element follows, in which case its name has been passed. */
static bool scan_next(struct scan *s, bool first)
{
    while (s->depth) {
        skip_blank(s);
        if (take(s, is_list(s) ? ']' : '}')) {
            s->depth--;
            first = false;
            continue;
        }
        if (!first && !take(s, ','))
            return broken(s, "bad_json");
        return is_list(s) || scan_name(s);
    }
    return false;
}

/* NULL, or the code of what is wrong with the text. */
static const char *scan_text(struct bytes text)
{
    struct scan s = { .at = text.data, .end = text.data + text.len };
    bool open;

    do {
        if (!scan_value(&s, &open))
            return s.code;
    } while (scan_next(&s, open));
    skip_blank(&s);
    if (!s.code && s.at != s.end)
        s.code = "bad_json";
    return s.code;
}

/* ---- Reasons -------------------------------------------------------------------------------------------------------- */

struct reader {
    struct arena *arena;
    struct why *why;
};

static const struct why *refusal(const char *code)
{
    static const struct why reasons[] = {
        { .code = "bad_json", .zh = "请求内容不是有效的 JSON", .en = "the body is not valid JSON" },
        { .code = "bad_utf8", .zh = "请求内容不是有效的 UTF-8", .en = "the body is not valid UTF-8" },
        { .code = "bad_character",
          .zh = "请求内容含有不允许的控制字符",
          .en = "the body contains a control character" },
        { .code = "bad_number", .zh = "数值超出范围", .en = "a number is out of range" },
        { .code = "too_deep", .zh = "请求内容嵌套过深", .en = "the body is nested too deeply" },
        { .code = "too_many_values", .zh = "请求内容的项目过多", .en = "the body has too many values" },
        { .code = "not_an_object", .zh = "请求内容应为 JSON 对象", .en = "the body must be a JSON object" },
        { .code = "duplicate_field", .zh = "字段重复", .en = "a field is given twice" },
    };

    for (size_t i = 0; i < COUNT(reasons); i++)
        if (!strcmp(reasons[i].code, code))
            return &reasons[i];
    return &reasons[0];
}

/* Remember one field at fault; always false. */
static bool blame(struct reader *reader, const char *name, const char *code, const char *zh, const char *en)
{
    struct why *why = reader->why;

    if (!why->faults)
        why->faults = arena_alloc(reader->arena, JSON_FAULTS_MAX * sizeof *why->faults);
    if (why->nfaults < JSON_FAULTS_MAX)
        why->faults[why->nfaults++] = (struct fault){ name, code, zh, en };
    return false;
}

static bool blame_type(struct reader *reader, const char *name, const char *zh, const char *en)
{
    return blame(reader, name, "wrong_type", arena_printf(reader->arena, "应为%s", zh),
                 arena_printf(reader->arena, "must be %s", en));
}

/* ---- Values --------------------------------------------------------------------------------------------------------- */

static void drop_json(void *json)
{
    cJSON_Delete(json);
}

static cJSON *keep(struct arena *arena, cJSON *json)
{
    if (!json)
        abort();
    arena_defer(arena, drop_json, json);
    return json;
}

static cJSON *parse(struct reader *reader, struct bytes text)
{
    const char *code = scan_text(text);
    cJSON *raw = code ? NULL : cJSON_ParseWithLength(text.data, text.len);

    if (raw)
        return keep(reader->arena, raw);
    *reader->why = *refusal(code ? code : "bad_json");
    return NULL;
}

static bool has_control(const char *text, const char *allowed)
{
    for (; *text; text++)
        if (((unsigned char)*text < ' ' && !strchr(allowed, *text)) || *text == 0x7f)
            return true;
    return false;
}

static bool check_length(struct reader *reader, const char *name, size_t len, size_t min, size_t max, bool list)
{
    const char *zh = list ? "项" : "个字", *en = list ? "elements" : "characters";

    if (len > max)
        return blame(reader, name, list ? "too_many" : "too_long", arena_printf(reader->arena, "最多 %zu %s", max, zh),
                     arena_printf(reader->arena, "at most %zu %s", max, en));
    if (len < min)
        return blame(reader, name, list ? "too_few" : "too_short", arena_printf(reader->arena, "至少 %zu %s", min, zh),
                     arena_printf(reader->arena, "at least %zu %s", min, en));
    return true;
}

static bool check_string(struct reader *reader, const char *name, const struct field *field, const cJSON *value)
{
    size_t max = field->max ? field->max : field->kind == JSON_TEXT ? 10000 : 255;

    if (!cJSON_IsString(value))
        return blame_type(reader, name, "文字", "a string");
    if (has_control(value->valuestring, field->kind == JSON_TEXT ? "\t\n\r" : ""))
        return blame(reader, name, "bad_character", "含有不允许的控制字符", "contains a control character");
    return check_length(reader, name, utf8_length(value->valuestring), field->min, max, false);
}

static bool check_word(struct reader *reader, const char *name, const struct field *field, const cJSON *value)
{
    if (!check_string(reader, name, field, value))
        return false;
    if (!field->in)
        return true;
    for (const char *const *word = field->in; *word; word++)
        if (!strcmp(*word, value->valuestring))
            return true;
    return blame(reader, name, "bad_word", "不是可选的值", "is not one of the values allowed");
}

/* Length in bytes of the digit, blank or sign at text, in its ASCII or full-width form; 0: none. */
static size_t phone_character(const char *text)
{
    static const char *const wide[] = { "０", "１", "２", "３", "４", "５", "６", "７", "８",
                                        "９", "＋", "－", "（", "）", "　", "–",  "—" };

    if (strchr("0123456789+-() ", *text))
        return 1;
    for (size_t i = 0; i < COUNT(wide); i++)
        if (!strncmp(text, wide[i], 3))
            return 3;
    return 0;
}

static bool check_phone(struct reader *reader, const char *name, const struct field *field, const cJSON *value)
{
    if (!check_string(reader, name, field, value))
        return false;
    for (const char *at = value->valuestring; *at;) {
        size_t len = phone_character(at);

        if (!len || at - value->valuestring > 96)
            return blame(reader, name, "bad_phone", "电话号码格式不正确", "is not a telephone number");
        at += len;
    }
    return *value->valuestring || blame(reader, name, "bad_phone", "电话号码格式不正确", "is not a telephone number");
}

static bool check_id(struct reader *reader, const char *name, const struct field *field, const cJSON *value)
{
    (void)field;
    if (!cJSON_IsString(value))
        return blame_type(reader, name, "十进制编号文字", "a string of digits");
    return id_valid(value->valuestring) || blame(reader, name, "bad_id", "编号格式不正确", "is not an id");
}

static bool check_time(struct reader *reader, const char *name, const struct field *field, const cJSON *value)
{
    bool date = field->kind == JSON_DATE;

    if (!cJSON_IsString(value))
        return blame_type(reader, name, "时间文字", "a string");
    if (date ? date_valid(value->valuestring) : time_valid(value->valuestring))
        return true;
    return blame(reader, name, date ? "bad_date" : "bad_time",
                 date ? "不是有效日期（年-月-日）" : "不是带时区的有效时间",
                 date ? "is not a date (YYYY-MM-DD)" : "is not a time with offset (RFC 3339)");
}

static bool check_number(struct reader *reader, const char *name, const struct field *field, const cJSON *value)
{
    bool whole = field->kind == JSON_INT;

    if (!cJSON_IsNumber(value))
        return blame_type(reader, name, "数字", "a number");
    if (!isfinite(value->valuedouble) || fabs(value->valuedouble) > 9007199254740991.0)
        return blame(reader, name, "out_of_range", "数值超出范围", "is out of range");
    if (whole && value->valuedouble != floor(value->valuedouble))
        return blame_type(reader, name, "整数", "a whole number");
    if ((field->least != 0 || field->most != 0) &&
        (value->valuedouble < field->least || value->valuedouble > field->most))
        return blame(reader, name, "out_of_range",
                     arena_printf(reader->arena, "应在 %g 与 %g 之间", field->least, field->most),
                     arena_printf(reader->arena, "must be from %g to %g", field->least, field->most));
    return true;
}

static bool check_bool(struct reader *reader, const char *name, const struct field *field, const cJSON *value)
{
    (void)field;
    return cJSON_IsBool(value) || blame_type(reader, name, "是或否（true/false）", "true or false");
}

static bool check_list(struct reader *reader, const char *name, const struct field *field, const cJSON *value);
static bool check_object(struct reader *reader, const char *name, const struct field *field, const cJSON *value);

typedef bool check_fn(struct reader *reader, const char *name, const struct field *field, const cJSON *value);

static check_fn *const checks[] = {
    [JSON_TEXT] = check_string, [JSON_WORD] = check_word, [JSON_PHONE] = check_phone,   [JSON_ID] = check_id,
    [JSON_TIME] = check_time,   [JSON_DATE] = check_time, [JSON_INT] = check_number,    [JSON_NUMBER] = check_number,
    [JSON_BOOL] = check_bool,   [JSON_LIST] = check_list, [JSON_OBJECT] = check_object,
};

static bool check_list(struct reader *reader, const char *name, const struct field *field, const cJSON *value)
{
    static const struct field text = { .kind = JSON_TEXT };
    const struct field *of = field->of ? field->of : &text;
    const cJSON *element;
    int i = 0;
    bool good = true;

    if (!cJSON_IsArray(value))
        return blame_type(reader, name, "列表", "a list");
    if (!check_length(reader, name, (size_t)cJSON_GetArraySize(value), field->min, field->max ? field->max : 255, true))
        return false;
    cJSON_ArrayForEach(element, value)
    {
        const char *path = arena_printf(reader->arena, "%s[%d]", name, i++);

        good = checks[of->kind](reader, path, of, element) && good;
    }
    return good;
}

/* ---- Objects -------------------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

/* The name that an object of any size has twice, or NULL. */
static const char *doubled(struct arena *arena, const cJSON *object)
{
    size_t n = (size_t)cJSON_GetArraySize(object), i = 0;
    const cJSON **members = arena_alloc(arena, (n + 1) * sizeof *members);
    const cJSON *member;

    cJSON_ArrayForEach(member, object) members[i++] = member;
    qsort(members, n, sizeof *members, by_name);
    for (i = 1; i < n; i++)
        if (!strcmp(members[i - 1]->string, members[i]->string))
            return members[i]->string;
    return NULL;
}

/* Depth is bounded by the scan. */
static bool check_any(struct reader *reader, const char *path, const cJSON *value)
{
    const char *twice = cJSON_IsObject(value) ? doubled(reader->arena, value) : NULL;
    const cJSON *child;

    if (twice)
        return blame(reader, twice, "duplicate_field", "字段重复", "is given twice");
    if (cJSON_IsNumber(value) && !isfinite(value->valuedouble))
        return blame(reader, path, "out_of_range", "数值超出范围", "is out of range");
    cJSON_ArrayForEach(child, value)
    {
        if (!check_any(reader, child->string ? child->string : path, child))
            return false;
    }
    return true;
}

static const struct field *find(const struct field *fields, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(fields[i].name, name))
            return &fields[i];
    return NULL;
}

static const char *join(struct reader *reader, const char *path, const char *name)
{
    return *path ? arena_printf(reader->arena, "%s.%s", path, name) : arena_strdup(reader->arena, name);
}

static void check_member(struct reader *reader, const char *path, const cJSON *member, const struct field *fields,
                         size_t n, bool *seen)
{
    const struct field *field = find(fields, n, member->string);
    const char *name = join(reader, path, member->string);

    if (!field) {
        blame(reader, name, "unknown_field", "没有这个字段", "is not a field we know");
    } else if (seen[field - fields]) {
        blame(reader, name, "duplicate_field", "字段重复", "is given twice");
    } else {
        seen[field - fields] = true;
        if (!cJSON_IsNull(member))
            checks[field->kind](reader, name, field, member);
        else if (field->must)
            blame(reader, name, "missing", "必填", "is required");
    }
}

static void check_members(struct reader *reader, const char *path, const cJSON *object, const struct field *fields,
                          size_t n)
{
    bool *seen = arena_alloc(reader->arena, n * sizeof *seen);
    const cJSON *member;

    cJSON_ArrayForEach(member, object)
    {
        if (reader->why->nfaults == JSON_FAULTS_MAX)
            return;
        check_member(reader, path, member, fields, n, seen);
    }
    for (size_t i = 0; i < n; i++)
        if (fields[i].must && !seen[i])
            blame(reader, join(reader, path, fields[i].name), "missing", "必填", "is required");
}

static bool check_object(struct reader *reader, const char *name, const struct field *field, const cJSON *value)
{
    size_t before = reader->why->nfaults;

    if (!cJSON_IsObject(value))
        return blame_type(reader, name, "对象", "an object");
    if (field->fields)
        check_members(reader, name, value, field->fields, field->nfields);
    else
        check_any(reader, name, value);
    return reader->why->nfaults == before;
}

static void drop_nulls(cJSON *object)
{
    for (cJSON *member = object->child, *next; member; member = next) {
        next = member->next;
        if (cJSON_IsNull(member))
            cJSON_Delete(cJSON_DetachItemViaPointer(object, member));
    }
}

/* ---- Reading -------------------------------------------------------------------------------------------------------- */

static struct reader reader_of(struct arena *arena)
{
    return (struct reader){ .arena = arena, .why = arena_alloc(arena, sizeof(struct why)) };
}

/* The verdict: the value when nothing was blamed. */
static cJSON *verdict(struct reader *reader, cJSON *value, const struct why **why)
{
    struct why *said = reader->why;

    if (said->nfaults) {
        said->code = "bad_fields";
        said->zh = "部分字段不符合要求";
        said->en = "some fields are not acceptable";
    }
    if (value && !said->code)
        return value;
    *why = said;
    return NULL;
}

cJSON *json_read(struct arena *arena, struct bytes text, const struct field *fields, size_t nfields,
                 const struct why **why)
{
    struct reader reader = reader_of(arena);
    cJSON *object = parse(&reader, text);

    if (object && !cJSON_IsObject(object))
        *reader.why = *refusal("not_an_object");
    else if (object)
        check_members(&reader, "", object, fields, nfields);
    object = verdict(&reader, object, why);
    if (object)
        drop_nulls(object);
    return object;
}

cJSON *json_any(struct arena *arena, struct bytes text, const struct why **why)
{
    struct reader reader = reader_of(arena);
    cJSON *value = parse(&reader, text);

    if (value && !cJSON_IsObject(value) && !cJSON_IsArray(value))
        *reader.why = *refusal("not_an_object");
    else if (value)
        check_any(&reader, "", value);
    return verdict(&reader, value, why);
}

cJSON *json_object_only(struct arena *arena, struct bytes text, const struct why **why)
{
    cJSON *value = json_any(arena, text, why);

    if (!value || cJSON_IsObject(value))
        return value;
    *why = refusal("not_an_object");
    return NULL;
}

cJSON *json_object(struct arena *arena)
{
    return keep(arena, cJSON_CreateObject());
}

cJSON *json_list(struct arena *arena)
{
    return keep(arena, cJSON_CreateArray());
}

char *json_print(struct arena *arena, const cJSON *value)
{
    char *text = cJSON_PrintUnformatted(value);

    if (!text)
        abort();
    arena_defer(arena, cJSON_free, text);
    return text;
}

const char *json_text(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}
