#include "upload.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "helper.h"
#include "limit.h"
#include "log.h"
#include "loop.h"
#include "media.h"
#include "settings.h"
#include "spool.h"
#include "store.h"
#include "tus.h"
#include "worker.h"

#define TUS_VERSION "1.0.0"
#define PART_TYPE "application/offset+octet-stream"

enum { ID_TEXT = FILE_ID_SIZE - 1, FULL_SECONDS = 30, CLEAN_MS = 600 * 1000, CLEAN_FIRST_MS = 1000, CLEAN_MOST = 500 };

static const struct api_fn api_files_used = { .name = "files_used" };

const struct field upload_fields = { .kind = JSON_WORD, .min = ID_TEXT, .max = ID_TEXT };

/* What a request is at: an upload, its bytes opened and locked, and how far it is. */
struct at {
    struct upload upload;
    int fd; /* -1: they are stored already, or not opened yet */
    int64_t offset;
    bool created;
    char said[STORE_ANSWER_SIZE]; /* by the helper; empty: it was not asked */
};

/* ---- every request ------------------------------------------------------------------------------------------------------------ */

static enum next check_version(struct req *r)
{
    const char *version = req_header(r, "Tus-Resumable");

    req_set_header(r, "Tus-Resumable", TUS_VERSION);
    if (version && !strcmp(version, TUS_VERSION))
        return GO;
    req_set_header(r, "Tus-Version", TUS_VERSION);
    return refuse(r, 412, "bad_tus_version", NULL);
}

static void close_file(void *arg)
{
    const struct at *at = arg;

    if (at->fd >= 0)
        close(at->fd); /* the lock goes with it */
}

static struct at *at_new(struct req *r)
{
    struct at *at = arena_alloc(r->arena, sizeof *at);

    at->fd = -1;
    arena_defer(r->arena, close_file, at);
    r->state = at;
    return at;
}

static enum next find_upload(struct req *r)
{
    struct at *at = at_new(r);

    if (!files_find(req_param(r, "upload"), &at->upload))
        return refuse(r, 404, "no_such_upload", NULL);
    return files_expired(&at->upload) ? refuse(r, 410, "upload_expired", NULL) : GO;
}

static enum next lock_upload(struct req *r)
{
    struct at *at = r->state;
    struct stat info;

    at->offset = at->upload.length;
    if (at->upload.stored)
        return GO;
    at->fd = files_lock(at->upload.id);
    if (at->fd < 0 && errno == EWOULDBLOCK)
        return refuse(r, 423, "upload_locked", NULL);
    if (at->fd >= 0) {
        if (fstat(at->fd, &info))
            return refuse(r, 503, "files_away", NULL);
        at->offset = info.st_size;
        return GO;
    }
    /* Stored or removed between two looks. */
    return files_find(at->upload.id, &at->upload) && at->upload.stored ? GO : refuse(r, 404, "no_such_upload", NULL);
}

static void say_when(struct req *r, const struct at *at)
{
    char text[64];
    struct tm tm;
    time_t expires = at->upload.expires;

    gmtime_r(&expires, &tm);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    req_set_header(r, "Upload-Expires", text);
}

static void say_offset(struct req *r, const struct at *at)
{
    req_set_header(r, "Upload-Offset", arena_printf(r->arena, "%lld", (long long)at->offset));
    say_when(r, at);
}

/* ---- a part ------------------------------------------------------------------------------------------------------------------ */

static enum next bad_upload(struct req *r, const char *zh, const char *en)
{
    return refuse(r, 400, "bad_upload", why_new(r->arena, zh, en));
}

static bool is_part(const struct req *r)
{
    const char *type = req_header(r, "Content-Type");

    return type && !strcasecmp(type, PART_TYPE);
}

static enum next check_sum(struct req *r)
{
    const char *text = req_header(r, "Upload-Checksum");
    struct tus_checksum sum;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (!text)
        return GO;
    switch (tus_checksum(text, &sum)) {
    case TUS_CHECKSUM_UNKNOWN:
        return bad_upload(r, "校验算法应为 sha1 或 sha256。", "The checksum is sha1 or sha256.");
    case TUS_CHECKSUM_BAD:
        return bad_upload(r, "Upload-Checksum 格式不正确。", "Upload-Checksum is malformed.");
    case TUS_CHECKSUM_GOOD:
        break;
    }
    if (!EVP_Digest(r->input.data, r->input.len, digest, &len, EVP_get_digestbyname(sum.algorithm), NULL) ||
        len != sum.len || memcmp(digest, sum.digest, len) != 0)
        return refuse(r, 460, "checksum_mismatch", NULL);
    return GO;
}

static enum next check_part(struct req *r)
{
    const struct at *at = r->state;
    int64_t offset = tus_number(req_header(r, "Upload-Offset"));

    if (!is_part(r))
        return refuse(r, 415, "not_a_part", NULL);
    if (offset < 0)
        return bad_upload(r, "缺少 Upload-Offset，或不是数字。", "Upload-Offset is missing or no number.");
    if (offset != at->offset) {
        say_offset(r, at);
        return refuse(r, 409, "wrong_offset", NULL);
    }
    return (int64_t)r->input.len > at->upload.length - offset ? refuse(r, 413, "beyond_length", NULL) : GO;
}

/* A part that does not fit is not there at all: what came before it stays good. */
static enum next write_part(struct req *r)
{
    struct at *at = r->state;
    ssize_t n;

    if (!r->input.len)
        return GO;
    n = pwrite(at->fd, r->input.data, r->input.len, at->offset);
    if (n == (ssize_t)r->input.len) {
        at->offset += n;
        if (!at->created)
            files_touch(&at->upload);
        return GO;
    }
    log_error("upload_write", "err=\"%s\"", n < 0 ? strerror(errno) : "no room for all of it");
    if (ftruncate(at->fd, at->offset))
        log_error("upload_truncate", "err=\"%s\"", strerror(errno));
    if (at->created)
        files_forget(at->upload.id);
    req_set_header(r, "Retry-After", "30");
    return refuse(r, 507, "disk_full", NULL);
}

/* ---- the whole --------------------------------------------------------------------------------------------------------------- */

static void take_word(enum helper_result result, const char *text, size_t len, void *arg)
{
    struct req *r = arg;
    struct at *at = r->state;

    snprintf(at->said, sizeof at->said, "%.*s", (int)len, result == HELPER_YES ? text : "busy");
    if (result != HELPER_YES)
        snprintf(at->said, sizeof at->said, "busy");
    req_run(r);
}

/* Whoever comes to an upload that is whole has it stored: the one who brought the last part, or, when that one got no answer, the next
 * who asks how far it is. */
static enum next store_whole(struct req *r)
{
    struct at *at = r->state;

    if (at->upload.stored || at->offset < at->upload.length)
        return GO;
    if (!helper_ask(HELPER_STORE, at->upload.id, FILE_ID_SIZE, take_word, r)) {
        snprintf(at->said, sizeof at->said, "busy");
        return GO;
    }
    return WAIT;
}

static enum next check_stored(struct req *r)
{
    const struct at *at = r->state;

    if (!*at->said || !strcmp(at->said, "stored"))
        return GO;
    if (!strcmp(at->said, "bad_file_type"))
        return refuse(r, 415, "bad_file_type", NULL);
    if (!strcmp(at->said, "bad_file"))
        return refuse(r, 422, "bad_file", NULL);
    if (!strcmp(at->said, "disk_full")) {
        req_set_header(r, "Retry-After", "30");
        return refuse(r, 507, "disk_full", NULL);
    }
    return !strcmp(at->said, "files_away") ? refuse_later(r, "files_away", FULL_SECONDS) : refuse(r, 503, "busy", NULL);
}

/* PATCH /v1/uploads/{id}: one part */

static enum next answer_part(struct req *r)
{
    say_offset(r, r->state);
    return reply(r, 204, NULL);
}

static step_fn *const patch_upload[] = { check_version, find_upload, lock_upload,  check_part, check_sum,
                                         write_part,    store_whole, check_stored, answer_part };

/* HEAD /v1/uploads/{id}: how far it is */

static enum next answer_state(struct req *r)
{
    const struct at *at = r->state;

    say_offset(r, at);
    req_set_header(r, "Upload-Length", arena_printf(r->arena, "%lld", (long long)at->upload.length));
    req_set_header(r, "Cache-Control", "no-store");
    return reply(r, 200, NULL);
}

static step_fn *const head_upload[] = {
    check_version, find_upload, lock_upload, store_whole, check_stored, answer_state
};

/* DELETE /v1/uploads/{id}.  What is stored may be a ticket's by now, so it is left to the cleaner. */

static enum next remove_upload(struct req *r)
{
    const struct at *at = r->state;

    if (at->upload.stored)
        files_expire(at->upload.id);
    else
        files_forget(at->upload.id);
    return reply(r, 204, NULL);
}

static step_fn *const delete_upload[] = { check_version, find_upload, lock_upload, remove_upload };

/* POST /v1/uploads/{id} with X-HTTP-Method-Override, for those who cannot say PATCH or DELETE */

static enum next override(struct req *r)
{
    const char *method = req_header(r, "X-HTTP-Method-Override");

    if (method && !strcmp(method, "PATCH"))
        r->step = patch_upload;
    else if (method && !strcmp(method, "DELETE"))
        r->step = delete_upload;
    else
        return refuse(r, 405, "method_not_allowed", NULL);
    return GO;
}

static step_fn *const post_upload[] = { override };

/* POST /v1/uploads: a new one, with its first part or without */

static enum next count_upload(struct req *r)
{
    return limited(r, LIMIT_UPLOAD, r->address);
}

static enum next create(struct req *r)
{
    struct at *at = at_new(r);
    int64_t length = tus_number(req_header(r, "Upload-Length"));

    if (length <= 0)
        return bad_upload(r, "缺少 Upload-Length，或不是大于 0 的数字。",
                          "Upload-Length is missing or no number above 0; it cannot come later.");
    if (length > FILE_MAX)
        return refuse(r, 413, "file_too_large", NULL);
    if (!tus_metadata_valid(req_header(r, "Upload-Metadata")))
        return bad_upload(r, "Upload-Metadata 格式不正确。", "Upload-Metadata is malformed.");
    if (r->input.len && !is_part(r))
        return refuse(r, 415, "not_a_part", NULL);
    if ((int64_t)r->input.len > length)
        return refuse(r, 413, "beyond_length", NULL);
    switch (files_room(length)) {
    case FILES_AWAY:
        return refuse_later(r, "files_away", FULL_SECONDS);
    case FILES_FULL:
        req_set_header(r, "Retry-After", "30");
        return refuse(r, 507, "disk_full", NULL);
    case FILES_ROOM:
        break;
    }
    at->created = true;
    at->upload.length = length;
    return GO;
}

/* Names of files are not kept: people put names and numbers into them. */
static enum next begin(struct req *r)
{
    struct at *at = r->state;

    if (!files_begin(at->upload.length, &at->upload))
        return refuse_later(r, "files_away", FULL_SECONDS);
    at->fd = files_lock(at->upload.id);
    return at->fd < 0 ? refuse_later(r, "files_away", FULL_SECONDS) : GO;
}

static enum next answer_created(struct req *r)
{
    const struct at *at = r->state;

    req_set_header(r, "Location", arena_printf(r->arena, "/v1/uploads/%s", at->upload.id));
    say_offset(r, at);
    return reply(r, 201, NULL);
}

static step_fn *const post_uploads[] = { check_version, count_upload, create,       check_sum,     begin,
                                         write_part,    store_whole,  check_stored, answer_created };

/* OPTIONS: what we can do */

static enum next tell_abilities(struct req *r)
{
    req_set_header(r, "Tus-Resumable", TUS_VERSION);
    req_set_header(r, "Tus-Version", TUS_VERSION);
    req_set_header(r, "Tus-Extension", "creation,creation-with-upload,termination,expiration,checksum");
    req_set_header(r, "Tus-Max-Size", arena_printf(r->arena, "%d", FILE_MAX));
    req_set_header(r, "Tus-Checksum-Algorithm", "sha1,sha256");
    return reply(r, 204, NULL);
}

static step_fn *const options_uploads[] = { tell_abilities };

static const struct route routes[] = {
    { "OPTIONS", "/v1/uploads", options_uploads, ROUTE_RAW },
    { "POST", "/v1/uploads", post_uploads, ROUTE_RAW },
    { "HEAD", "/v1/uploads/{upload}", head_upload, ROUTE_RAW },
    { "PATCH", "/v1/uploads/{upload}", patch_upload, ROUTE_RAW },
    { "POST", "/v1/uploads/{upload}", post_upload, ROUTE_RAW },
    { "DELETE", "/v1/uploads/{upload}", delete_upload, ROUTE_RAW },
};

/* ---- named in a ticket ----------------------------------------------------------------------------------------------------- */

void upload_name(cJSON *call, const cJSON *ids)
{
    const cJSON *id;
    cJSON *files;

    if (!cJSON_IsArray(ids) || cJSON_GetArraySize(ids) > UPLOADS_MOST)
        return;
    files = cJSON_AddArrayToObject(call, "files");
    cJSON_ArrayForEach(id, ids)
    {
        cJSON *file = cJSON_CreateObject();
        struct upload upload;

        cJSON_AddItemToArray(files, file);
        if (!cJSON_IsString(id) || !files_find(id->valuestring, &upload) || !upload.stored || files_expired(&upload))
            continue;
        files_touch(&upload);
        cJSON_AddStringToObject(file, "upload", upload.id);
        cJSON_AddStringToObject(file, "sha256", upload.file.sha);
        cJSON_AddStringToObject(file, "type", upload.file.type);
        cJSON_AddNumberToObject(file, "size", (double)upload.file.size);
    }
}

const struct why *upload_missing(struct arena *arena, const cJSON *call)
{
    const cJSON *file;
    int n = 0;

    cJSON_ArrayForEach(file, cJSON_GetObjectItem(call, "files"))
    {
        if (!json_text(file, "sha256"))
            return why_field(arena, arena_printf(arena, "attachments[%d]", n), "no_such_upload",
                             "没有这个附件，或尚未上传完整、已过期。",
                             "There is no such upload, or it is not whole, or it has expired.");
        n++;
    }
    return NULL;
}

/* ---- sent to who may see it -------------------------------------------------------------------------------------------------- */

/* Nothing of what a stranger has sent may act as a page of ours. */
static void fence(struct req *r, const struct media *media, const char *name)
{
    req_set_header(r, "Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'");
    req_set_header(r, "Cross-Origin-Resource-Policy", "same-origin");
    req_set_header(r, "Referrer-Policy", "no-referrer");
    req_set_header(
        r, "Content-Disposition",
        arena_printf(r->arena, "%s; filename=\"%s%s\"", media->shown ? "inline" : "attachment", name, media->ending));
    req_set_header(r, "Accept-Ranges", "bytes");
}

static enum next send_content(struct req *r, const struct stored_file *file, const struct media *media,
                              const char *name)
{
    int64_t from = 0, to = file->size - 1;
    enum range_result range = range_read(req_header(r, "Range"), file->size, &from, &to);
    int fd;

    if (range == RANGE_BAD) {
        req_set_header(r, "Content-Range", arena_printf(r->arena, "bytes */%lld", (long long)file->size));
        return refuse(r, 416, "bad_range", NULL);
    }
    fd = files_content(file);
    if (fd < 0)
        return refuse(r, 410, "file_gone", NULL);
    fence(r, media, name);
    if (range == RANGE_PART)
        req_set_header(
            r, "Content-Range",
            arena_printf(r->arena, "bytes %lld-%lld/%lld", (long long)from, (long long)to, (long long)file->size));
    return reply_file(r, range == RANGE_PART ? 206 : 200, media->type, fd, from, (size_t)(to - from + 1));
}

enum next upload_send(struct req *r)
{
    const struct why *why;
    const cJSON *said;
    const struct media *media;
    const char *sha, *type, *name;
    struct stored_file file = { .size = 0 };

    if (r->answer.status != 200)
        return reply(r, r->answer.status, r->answer.body);
    said = json_object_only(r->arena, (struct bytes){ r->answer.body, strlen(r->answer.body) }, &why);
    sha = json_text(said, "file");
    type = json_text(said, "type");
    name = json_text(said, "name");
    media = type ? media_stored(type) : NULL;
    if (!media || !sha || !name)
        return refuse(r, 410, "file_gone", NULL);
    snprintf(file.sha, sizeof file.sha, "%s", sha);
    file.size = (int64_t)cJSON_GetNumberValue(cJSON_GetObjectItem(said, "size"));
    return send_content(r, &file, media, name);
}

/* ---- what nobody named ------------------------------------------------------------------------------------------------------- */

/* Uploads whose time is over: the database says which of their contents a ticket has.  While complaints wait in the spool, or nobody can
 * say whether some do, all content stays. */
static struct {
    struct timer *timer;
    struct upload due[CLEAN_MOST];
    size_t n;
} cleaner;

static bool is_named(const cJSON *used, const char *sha)
{
    const cJSON *name;

    cJSON_ArrayForEach(name, used)
    {
        if (cJSON_IsString(name) && !strcmp(name->valuestring, sha))
            return true;
    }
    return false;
}

static void sweep_due(const cJSON *used)
{
    int guard = files_guard(true);
    size_t kept = 0;

    for (size_t i = 0; i < cleaner.n && guard >= 0; i++) {
        const struct upload *upload = &cleaner.due[i];
        struct upload now;

        if (!files_find(upload->id, &now) || !files_expired(&now)) /* touched, or gone, since we asked */
            continue;
        if (is_named(used, upload->file.sha))
            kept++;
        if (is_named(used, upload->file.sha))
            files_forget(upload->id);
        else
            files_remove(upload);
    }
    if (guard >= 0)
        close(guard);
    log_info("uploads_expired", "uploads=%zu named=%zu", cleaner.n, kept);
}

static void take_used(const struct db_answer *answer, void *arg)
{
    struct arena *arena = arena_new();
    const struct why *why;
    cJSON *said = answer->body && answer->status == 200
                      ? json_object_only(arena, (struct bytes){ answer->body, answer->len }, &why)
                      : NULL;
    const cJSON *used = cJSON_GetObjectItem(said, "used");

    (void)arg;
    if (cJSON_IsArray(used))
        sweep_due(used);
    arena_free(arena);
}

static void ask_used(void)
{
    struct arena *arena = arena_new();
    cJSON *json = json_object(arena), *list = cJSON_AddArrayToObject(json, "files");
    const char *text;

    for (size_t i = 0; i < cleaner.n; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(cleaner.due[i].file.sha));
    text = json_print(arena, json);
    db_call(&(struct db_call){ .fn = &api_files_used, .json = text, .len = strlen(text), .done = take_used });
    arena_free(arena);
}

/* Uploads that never became whole go at once; false when enough have been found. */
static bool look_at(const char *name)
{
    char id[FILE_ID_SIZE];
    struct upload upload;

    snprintf(id, sizeof id, "%.*s", ID_TEXT, name);
    if (strcmp(name + strlen(id), ".info") != 0 || !files_find(id, &upload) || !files_expired(&upload))
        return true;
    if (upload.stored) {
        cleaner.due[cleaner.n++] = upload;
        return cleaner.n < CLEAN_MOST;
    }
    files_forget(id);
    return true;
}

static void clean(void *arg)
{
    char path[FILE_PATH_SIZE];
    const struct dirent *entry;
    DIR *folder;

    (void)arg;
    timer_set(cleaner.timer, CLEAN_MS);
    files_path(path, "", "");
    folder = opendir(path);
    cleaner.n = 0;
    while (folder && (entry = readdir(folder)) && look_at(entry->d_name))
        ;
    if (folder)
        closedir(folder);
    if (cleaner.n && (!spool_exists() || !spool_note()))
        ask_used();
}

bool upload_open(void)
{
    http_routes(routes, COUNT(routes));
    files_open();
    if (worker_slot() == 0 && *settings()->files_root) {
        cleaner.timer = timer_new(clean, NULL);
        timer_set(cleaner.timer, CLEAN_FIRST_MS);
    }
    return true;
}

void upload_close(void)
{
    timer_free(cleaner.timer);
    cleaner.timer = NULL;
}
