#include "problem.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"

/* Sentences of the codes the engine itself gives. */
static const struct why known[] = {
    { .code = "bad_request", .zh = "请求格式不正确", .en = "the request is malformed" },
    { .code = "bad_json", .zh = "请求内容不是有效的 JSON", .en = "the body is not valid JSON" },
    { .code = "bad_fields", .zh = "部分字段不符合要求", .en = "some fields are not acceptable" },
    { .code = "bad_query", .zh = "查询参数不正确", .en = "a query parameter is malformed" },
    { .code = "bad_key",
      .zh = "Idempotency-Key 应为 1 至 128 个可见 ASCII 字符",
      .en = "Idempotency-Key must be 1 to 128 visible ASCII characters" },
    { .code = "bad_time",
      .zh = "X-Hotline-Time 应为带时区的 RFC 3339 时间",
      .en = "X-Hotline-Time must be RFC 3339 with an offset" },
    { .code = "time_not_allowed",
      .zh = "本系统不是模拟环境，不接受 X-Hotline-Time",
      .en = "this is no simulation: X-Hotline-Time is not accepted" },
    { .code = "bad_framing",
      .zh = "请求的长度或编码声明不正确",
      .en = "the length or transfer coding of the request is not acceptable" },
    { .code = "no_such_route", .zh = "没有这个地址", .en = "there is nothing at this address" },
    { .code = "method_not_allowed", .zh = "这个地址不支持该方法", .en = "this address does not take that method" },
    { .code = "body_too_large", .zh = "请求内容过大", .en = "the body is too large" },
    { .code = "not_json", .zh = "请求内容应为 application/json", .en = "the body must be application/json" },
    { .code = "busy", .zh = "系统繁忙，请稍后再试", .en = "the system is busy, please try again shortly" },
    { .code = "database_away",
      .zh = "数据库暂时无法访问，请稍后再试",
      .en = "the database cannot be reached at the moment, please try again" },
    { .code = "challenge_needed",
      .zh = "现在提交的人很多，需要先完成一次计算验证，网页会自动完成；您也可以直接拨打 12345",
      .en = "very many are filing at the moment: a small calculation has to be solved first, which the page does by "
            "itself; or call 12345" },
    { .code = "phone_code_needed",
      .zh = "请先用短信验证码确认手机号；收不到短信时可以匿名提交，或直接拨打 12345",
      .en = "please confirm your mobile number by a code first; if no message comes, file anonymously or call 12345" },
    { .code = "no_phone_codes", .zh = "现在不用验证码，请直接提交", .en = "no code is needed now; please just file" },
    { .code = "spool_full",
      .zh = "系统暂存已满，请稍后再试，您填写的内容不会丢失",
      .en = "no more can be taken in at the moment; please try again later" },
    { .code = "key_reused",
      .zh = "这个提交编号已用于另一份内容。",
      .en = "This Idempotency-Key was used with another body." },
    { .code = "bad_tus_version",
      .zh = "只支持 tus 1.0.0，请带 Tus-Resumable: 1.0.0",
      .en = "only tus 1.0.0 is spoken here: send Tus-Resumable: 1.0.0" },
    { .code = "no_such_upload", .zh = "没有这个上传，请重新上传", .en = "there is no such upload, please begin again" },
    { .code = "upload_expired", .zh = "上传已过期，请重新上传", .en = "the upload has expired, please begin again" },
    { .code = "upload_locked",
      .zh = "这个文件正在由另一个请求处理，请稍后再试",
      .en = "another request is at this upload, please try again" },
    { .code = "wrong_offset",
      .zh = "续传位置不对，请先查询已收到多少",
      .en = "this is not where the upload stands; ask how far it is first" },
    { .code = "not_a_part",
      .zh = "分片的类型应为 application/offset+octet-stream",
      .en = "a part is application/offset+octet-stream" },
    { .code = "beyond_length",
      .zh = "分片超出了声明的文件长度",
      .en = "the part goes beyond the length that was promised" },
    { .code = "checksum_mismatch", .zh = "分片校验不一致，请重发", .en = "the checksum of the part does not fit" },
    { .code = "file_too_large", .zh = "单个文件最大 20 MB", .en = "a file has at most 20 MB" },
    { .code = "bad_file_type",
      .zh = "不支持这种文件，请上传照片（JPEG、PNG、WebP）、短视频（MP4、MOV）、录音或 PDF",
      .en =
          "files of this kind are not taken: send a photo (JPEG, PNG, WebP), a film (MP4, MOV), a recording or a PDF" },
    { .code = "bad_file", .zh = "文件已损坏，无法读取", .en = "the file is damaged" },
    { .code = "disk_full",
      .zh = "附件空间不足，请稍后再试；不带附件也可以先提交",
      .en = "there is no room for files at the moment; you may file without them" },
    { .code = "files_away",
      .zh = "暂时不能接收附件；不带附件也可以先提交",
      .en = "files cannot be taken at the moment; you may file without them" },
    { .code = "no_such_attachment", .zh = "没有这个附件", .en = "there is no such attachment" },
    { .code = "file_gone", .zh = "附件的文件已不在", .en = "the file of this attachment is gone" },
    { .code = "bad_range", .zh = "Range 超出文件长度", .en = "the range lies outside the file" },
    { .code = "too_slow",
      .zh = "处理超时，请缩小范围后再试",
      .en = "this took too long; narrow it down and try again" },
    { .code = "too_slow_request",
      .zh = "请求未能及时传完，请重试",
      .en = "the request did not come in time; please try again" },
    { .code = "stopping", .zh = "服务正在重启，请重试", .en = "the service is restarting, please try again" },
    { .code = "internal", .zh = "系统内部错误，已记录", .en = "an internal error; it has been recorded" },
};

const struct why *problem_why(const char *code)
{
    static const struct why none = { .zh = "请求未被接受", .en = "the request was not accepted" };

    for (size_t i = 0; i < COUNT(known); i++)
        if (!strcmp(known[i].code, code))
            return &known[i];
    return &none;
}

static const char *title_of(int status)
{
    static const struct {
        int status;
        const char *title;
    } titles[] = {
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 413, "Content Too Large" },
        { 415, "Unsupported Media Type" },
        { 422, "Unprocessable Content" },
        { 429, "Too Many Requests" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
        { 410, "Gone" },
        { 412, "Precondition Failed" },
        { 416, "Range Not Satisfiable" },
        { 423, "Locked" },
        { 460, "Checksum Mismatch" },
        { 507, "Insufficient Storage" },
    };

    for (size_t i = 0; i < COUNT(titles); i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Error";
}

/* The weight of one item of the header, "en-GB;q=0.8", in thousandths. */
static int weight(const char *item, size_t len)
{
    const char *q = memmem(item, len, "q=", 2);
    double value = q ? strtod(q + 2, NULL) : 1;

    return value > 0 && value <= 1 ? (int)(value * 1000) : 0;
}

enum language problem_language(const char *accept_language)
{
    int zh = 0, en = 0;

    for (const char *at = accept_language; at && *at;) {
        size_t len;

        at += strspn(at, " ,");
        len = strcspn(at, ",");
        if (!strncasecmp(at, "zh", 2) && weight(at, len) > zh)
            zh = weight(at, len);
        else if (!strncasecmp(at, "en", 2) && weight(at, len) > en)
            en = weight(at, len);
        at += len;
    }
    return en > zh ? LANGUAGE_EN : LANGUAGE_ZH;
}

static cJSON *fields_of(const struct why *why, enum language language)
{
    cJSON *fields = cJSON_CreateArray();

    for (size_t i = 0; i < why->nfaults; i++) {
        const struct fault *fault = &why->faults[i];
        cJSON *field = cJSON_CreateObject();

        cJSON_AddStringToObject(field, "name", fault->name);
        cJSON_AddStringToObject(field, "code", fault->code);
        cJSON_AddStringToObject(field, "detail", language == LANGUAGE_EN ? fault->en : fault->zh);
        cJSON_AddItemToArray(fields, field);
    }
    return fields;
}

char *problem_make(struct arena *arena, int status, const char *code, const struct why *why, enum language language)
{
    cJSON *problem = json_object(arena);

    if (!why)
        why = problem_why(code);
    cJSON_AddStringToObject(problem, "type", arena_printf(arena, "urn:hotline:problem:%s", code));
    cJSON_AddStringToObject(problem, "title", title_of(status));
    cJSON_AddNumberToObject(problem, "status", status);
    cJSON_AddStringToObject(problem, "code", code);
    cJSON_AddStringToObject(problem, "detail", language == LANGUAGE_EN ? why->en : why->zh);
    if (why->nfaults)
        cJSON_AddItemToObject(problem, "fields", fields_of(why, language));
    return json_print(arena, problem);
}

static const char *text_of(struct arena *arena, const cJSON *object, const char *name)
{
    const char *text = json_text(object, name);

    return arena_strdup(arena, text ? text : "");
}

const struct why *problem_read(struct arena *arena, const char *body, const char **code)
{
    const struct why *unread;
    cJSON *problem = json_object_only(arena, (struct bytes){ body, strlen(body) }, &unread), *fields, *field;
    struct why *why = arena_alloc(arena, sizeof *why);

    *code = problem ? text_of(arena, problem, "code") : "internal";
    if (!problem)
        return problem_why("internal");
    fields = cJSON_GetObjectItem(problem, "fields");
    why->code = *code;
    why->zh = why->en = text_of(arena, problem, "detail");
    why->faults = arena_alloc(arena, ((size_t)cJSON_GetArraySize(fields) + 1) * sizeof *why->faults);
    cJSON_ArrayForEach(field, fields)
    {
        const char *detail = text_of(arena, field, "detail");

        why->faults[why->nfaults++] =
            (struct fault){ text_of(arena, field, "name"), text_of(arena, field, "code"), detail, detail };
    }
    return why;
}

const struct why *why_new(struct arena *arena, const char *zh, const char *en)
{
    struct why *why = arena_alloc(arena, sizeof *why);

    *why = (struct why){ .zh = zh, .en = en };
    return why;
}

const struct why *why_field(struct arena *arena, const char *name, const char *code, const char *zh, const char *en)
{
    struct why *why = arena_alloc(arena, sizeof *why);
    struct fault *fault = arena_alloc(arena, sizeof *fault);

    *fault = (struct fault){ .name = name, .code = code, .zh = zh, .en = en };
    *why = (struct why){ .code = code, .zh = zh, .en = en, .faults = fault, .nfaults = 1 };
    return why;
}
