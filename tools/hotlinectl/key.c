/* Contact data under a new key while everything runs.  The file is replaced in one moment, with the old keys still in it; engines look
 * at it every two seconds, and at once when they meet a value under a key they do not know.  Then what is stored is sealed again, a few
 * hundred rows a commit. */

#include "ctl.h"
#include "redis.h"
#include "secret.h"
#include "settings.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "arena.h"

#define CONFIG                                                                                                         \
    {                                                                                                                  \
        "config", "FILE", "the engine's configuration, for its keys"                                                   \
    }

const struct option key_list_options[] = { CONFIG, { NULL, NULL, NULL } };
const struct option key_drop_options[] = { CONFIG, { NULL, NULL, NULL } };
const struct option key_rotate_options[] = {
    CONFIG,
    { "add-only", NULL, "only add a key, not in use yet: to be copied to every host first" },
    { "use", "ID", "a key that was added earlier, instead of a new one" },
    { "resume", NULL, "no new key: seal again what an interrupted run left" },
    { "batch", "N", "rows in one commit (default 200)" },
    { "pause", "MS", "rest between commits (default 10)" },
    { NULL, NULL, NULL },
};

enum { FILE_MAX = 8192, ID_MAX = 17, LINES_MAX = 32, SETTLE_SECONDS = 5, PASSES_MAX = 20 };

/* ---- the file ---- */

struct line {
    char id[ID_MAX], hex[65];
    bool current;
};

static struct {
    const char *path;
    struct line lines[LINES_MAX];
    int n;
} file;

static void read_settings(const struct args *args)
{
    const char *config = args_text(args, "config", NULL);
    char name[] = "hotlinectl", option[4200];
    char *const words[] = { name, option, NULL };

    snprintf(option, sizeof option, "--config=%s", config ? config : "");
    if (settings_load(config ? 2 : 1, words) != SETTINGS_RUN || !secret_load())
        fail("name the engine's configuration with --config, for its keys");
    file.path = settings()->contact_key_file;
}

static void read_lines(void)
{
    char text[FILE_MAX] = "", *rest;
    FILE *in = fopen(file.path, "re");

    if (!in || fread(text, 1, sizeof text - 1, in) == 0)
        fail("cannot read %s", file.path);
    fclose(in);
    file.n = 0;
    for (char *one = strtok_r(text, "\r\n", &rest); one; one = strtok_r(NULL, "\r\n", &rest)) {
        struct line *line = &file.lines[file.n];

        if (*one == '#')
            continue;
        if (file.n == LINES_MAX - 1)
            fail("%s holds too many keys: drop old ones first", file.path);
        *line = (struct line){ .current = *one == '*' };
        if (sscanf(one + line->current, "%16[^:]:%64[0-9a-fA-F]", line->id, line->hex) != 2)
            fail("%s has a line that is not key-id:64 hex digits", file.path);
        file.n++;
    }
    sodium_memzero(text, sizeof text);
    for (int i = 0; i < file.n; i++)
        if (file.lines[i].current)
            return;
    file.lines[file.n - 1].current = true; /* without a mark it is the last */
}

static struct line *find_line(const char *id)
{
    for (int i = 0; i < file.n; i++)
        if (!strcmp(file.lines[i].id, id))
            return &file.lines[i];
    return NULL;
}

static const char *current_id(void)
{
    for (int i = 0; i < file.n; i++)
        if (file.lines[i].current)
            return file.lines[i].id;
    return "";
}

/* A whole new file under the same name, owner and mode: nobody ever reads half of it. */
static void write_lines(void)
{
    char path[4096];
    struct stat was;
    FILE *out;
    int fd;

    if (stat(file.path, &was) != 0)
        fail("cannot read %s: %s", file.path, strerror(errno));
    snprintf(path, sizeof path, "%s.new", file.path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || fchmod(fd, was.st_mode & 07777) != 0 || (geteuid() == 0 && fchown(fd, was.st_uid, was.st_gid) != 0) ||
        !(out = fdopen(fd, "w")))
        fail("cannot write %s: %s", path, strerror(errno));
    for (int i = 0; i < file.n; i++)
        fprintf(out, "%s%s:%s\n", file.lines[i].current ? "*" : "", file.lines[i].id, file.lines[i].hex);
    if (fflush(out) != 0 || fsync(fd) != 0 || fclose(out) != 0 || rename(path, file.path) != 0) {
        unlink(path);
        fail("cannot replace %s: %s", file.path, strerror(errno));
    }
}

/* k and the date, with a letter when there is one of that day. */
static void add_line(void)
{
    unsigned char bytes[32];
    struct line *line = &file.lines[file.n];
    char day[16];
    time_t now = time(NULL);
    struct tm tm;

    localtime_r(&now, &tm);
    strftime(day, sizeof day, "k%y%m%d", &tm);
    *line = (struct line){ 0 };
    for (int letter = 'a'; letter <= 'z'; letter++) {
        snprintf(line->id, sizeof line->id, "%s%c", day, letter);
        if (!find_line(line->id))
            break;
    }
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(line->hex, sizeof line->hex, bytes, sizeof bytes);
    sodium_memzero(bytes, sizeof bytes);
    file.n++;
}

static void use_line(const char *id)
{
    if (!find_line(id))
        fail("there is no key %s in %s", id, file.path);
    for (int i = 0; i < file.n; i++)
        file.lines[i].current = !strcmp(file.lines[i].id, id);
}

/* ---- sealing again ---- */

static const char *const fields[] = { "phone", "name", "query_code" };

/* The same text under the current key, the value itself when it is already, NULL when no key opens it. */
static const char *again(struct arena *arena, const char *token, const char *field)
{
    char *text;
    const char *sealed;

    if (!secret_is_stale(token))
        return token;
    text = secret_open(arena, token, field);
    if (!text)
        return NULL;
    sealed = secret_seal(arena, text, field);
    sodium_memzero(text, strlen(text));
    return sealed;
}

static long unreadable;

static void add_new(cJSON *entry, struct arena *arena, const PGresult *page, int row, int column, const char *field)
{
    const char *sealed = PQgetisnull(page, row, column) ? NULL : again(arena, PQgetvalue(page, row, column), field);

    if (!PQgetisnull(page, row, column) && !sealed) {
        unreadable++;
        sealed = PQgetvalue(page, row, column);
    }
    cJSON_AddItemToArray(entry, PQgetisnull(page, row, column) ? cJSON_CreateNull()
                                                               : cJSON_CreateString(PQgetvalue(page, row, column)));
    cJSON_AddItemToArray(entry, sealed ? cJSON_CreateString(sealed) : cJSON_CreateNull());
}

static char *print(cJSON *rows)
{
    char *text = cJSON_PrintUnformatted(rows);

    if (!text)
        fail("no memory for a batch");
    cJSON_Delete(rows);
    return text;
}

/* [id, old phone, new phone, old name, …] for each row. */
static char *contact_rows(const PGresult *page)
{
    struct arena *arena = arena_new();
    cJSON *rows = cJSON_CreateArray();

    for (int i = 0; i < PQntuples(page); i++) {
        cJSON *entry = cJSON_CreateArray();

        cJSON_AddItemToArray(entry, cJSON_CreateString(PQgetvalue(page, i, 0)));
        for (int f = 0; f < COUNT(fields); f++)
            add_new(entry, arena, page, i, 1 + f, fields[f]);
        cJSON_AddItemToArray(rows, entry);
    }
    arena_free(arena);
    return print(rows);
}

/* The tickets first, in order of their ids, as every batch of the engine locks them; a row that changed meanwhile is left for the next
 * pass. */
static long store_contacts(PGconn *db, const char *rows)
{
    const char *const values[] = { rows };
    long n;

    sql_do(db, "begin", 0, NULL);
    sql_do(db,
           "select from hotline.ticket where id in (select (e->>0)::bigint from jsonb_array_elements($1::jsonb) e) "
           "order by id for update",
           1, values);
    n = sql_number(db,
                   "with u as (update hotline.ticket_contact k set phone_enc = e->>2, name_enc = e->>4, query_code_enc "
                   "= e->>6 from jsonb_array_elements($1::jsonb) e where k.ticket_id = (e->>0)::bigint and k.phone_enc "
                   "is not distinct from e->>1 and k.name_enc is not distinct from e->>3 and k.query_code_enc is not "
                   "distinct from e->>5 returning 1) select count(*) from u",
                   1, values);
    sql_do(db, "commit", 0, NULL);
    return n;
}

static void rest(long ms)
{
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

struct pass {
    PGconn *db;
    char fresh[32]; /* what a value under the current key begins with */
    char limit[16];
    long pause, done;
};

static void pass_contacts(struct pass *pass)
{
    char from[24] = "0";
    const char *const values[] = { from, pass->fresh, pass->limit };

    for (;;) {
        PGresult *page = sql_query(pass->db,
                                   "select ticket_id, phone_enc, name_enc, query_code_enc from hotline.ticket_contact "
                                   "where ticket_id > $1 and (not starts_with(phone_enc, $2) or not "
                                   "starts_with(name_enc, $2) or not starts_with(query_code_enc, $2)) "
                                   "order by ticket_id limit $3",
                                   3, values);
        char *rows;

        if (PQntuples(page) == 0) {
            PQclear(page);
            return;
        }
        snprintf(from, sizeof from, "%s", PQgetvalue(page, PQntuples(page) - 1, 0));
        rows = contact_rows(page);
        pass->done += store_contacts(pass->db, rows);
        free(rows);
        PQclear(page);
        rest(pass->pause);
    }
}

/* An answer kept for a repeated request, its sealed members under the current key. */
static char *answer_again(struct arena *arena, const char *text)
{
    cJSON *body = cJSON_Parse(text), *member;
    char field[64], *printed;

    if (!body)
        fail("a kept answer is not JSON");
    cJSON_ArrayForEach(member, body)
    {
        size_t len = member->string ? strlen(member->string) : 0;
        const char *sealed;

        if (len < 5 || len > sizeof field || strcmp(member->string + len - 4, "_enc") != 0 || !cJSON_IsString(member))
            continue;
        snprintf(field, sizeof field, "%.*s", (int)len - 4, member->string);
        sealed = again(arena, member->valuestring, field);
        if (sealed && sealed != member->valuestring)
            cJSON_SetValuestring(member, sealed);
        unreadable += !sealed;
    }
    printed = print(body);
    return printed;
}

static void pass_answers(struct pass *pass)
{
    char *last[3] = { NULL, NULL, NULL };

    for (;;) {
        const char *const values[] = { pass->fresh, pass->limit, last[0], last[1], last[2] };
        PGresult *page = sql_query(
            pass->db,
            "select principal, route, key, body::text from hotline.idem where body::text ~ '_enc\" ?: ?\"v1\\.' "
            "and strpos(regexp_replace(body::text, '\"' || $1, '', 'g'), '\"v1.') > 0 "
            "and ($3::text is null or (principal, route, key) > ($3, $4, $5)) order by 1, 2, 3 limit $2",
            5, values);
        int n = PQntuples(page);
        struct arena *arena = arena_new();

        for (int i = 0; i < n; i++) {
            char *body = answer_again(arena, PQgetvalue(page, i, 3));
            const char *const row[] = { PQgetvalue(page, i, 0), PQgetvalue(page, i, 1), PQgetvalue(page, i, 2),
                                        PQgetvalue(page, i, 3), body };

            pass->done +=
                sql_number(pass->db,
                           "with u as (update hotline.idem set body = $5::json where principal = $1 and route "
                           "= $2 and key = $3 and body::text = $4 returning 1) select count(*) from u",
                           5, row);
            free(body);
        }
        arena_free(arena);
        for (int f = 0; f < 3; f++) {
            free(last[f]);
            last[f] = n ? strdup(PQgetvalue(page, n - 1, f)) : NULL;
        }
        PQclear(page);
        if (n == 0)
            return;
        rest(pass->pause);
    }
}

/* Until nothing is left: what was sealed under the old key while this ran is found by the next pass. */
static void seal_all(PGconn *db, const struct args *args)
{
    struct pass pass = { .db = db, .pause = args_number(args, "pause", 10, 0, 10000) };
    long all = 0;

    snprintf(pass.limit, sizeof pass.limit, "%ld", args_number(args, "batch", 200, 1, 10000));
    snprintf(pass.fresh, sizeof pass.fresh, "v1.%s.", current_id());
    for (int i = 0; i < PASSES_MAX; i++) {
        pass.done = 0;
        unreadable = 0;
        pass_contacts(&pass);
        pass_answers(&pass);
        all += pass.done;
        if (pass.done == 0)
            break;
    }
    if (unreadable)
        fail("%ld values open with no key of %s: put back the file they were sealed under", unreadable, file.path);
    printf("%ld rows sealed again under %s\n", all, current_id());
}

/* How many values are under a key. */
static long count_under(PGconn *db, const char *id)
{
    char head[32];
    const char *const values[] = { head };

    snprintf(head, sizeof head, "v1.%s.", id);
    return sql_number(db,
                      "select (select count(*) from hotline.ticket_contact where starts_with(phone_enc, $1) or "
                      "starts_with(name_enc, $1) or starts_with(query_code_enc, $1)) + (select count(*) from "
                      "hotline.idem where strpos(body::text, '\"' || $1) > 0)",
                      1, values);
}

/* ---- commands ---- */

/* A new key, or one that was added before, becomes the current one, and all stored contact data is sealed again under it.  The key of
 * hashes and query codes stays: numbers are found by it and citizens' codes are checked by it, under every engine that runs. */
int key_rotate(const struct args *args)
{
    const char *use = args_text(args, "use", NULL);
    PGconn *db = sql_open(args);

    if (sodium_init() < 0)
        fail("libsodium cannot start");
    read_settings(args);
    read_lines();
    if (!args_count(args, "resume")) {
        if (!use)
            add_line();
        if (!args_count(args, "add-only"))
            use_line(use ? use : file.lines[file.n - 1].id);
        write_lines();
        printf("key %s %s\n", use ? use : file.lines[file.n - 1].id,
               args_count(args, "add-only") ? "added: copy the file to every host, then key rotate --use"
                                            : "is current");
        if (args_count(args, "add-only"))
            return 0;
        if (!secret_refresh())
            fail("%s cannot be used as it was written", file.path);
        rest(SETTLE_SECONDS * 1000L); /* every worker looks at the file within two */
    }
    seal_all(db, args);
    puts("old keys stay in the file: backups and the spool may need them (hotlinectl key list, key drop)");
    sodium_memzero(&file, sizeof file);
    PQfinish(db);
    return 0;
}

int key_list(const struct args *args)
{
    PGconn *db = sql_open(args);

    read_settings(args);
    read_lines();
    for (int i = 0; i < file.n; i++)
        printf("%-16s %s %ld rows\n", file.lines[i].id, file.lines[i].current ? "current" : "       ",
               count_under(db, file.lines[i].id));
    sodium_memzero(&file, sizeof file);
    PQfinish(db);
    return 0;
}

/* Complaints in the spool, or put aside there, are under whatever key was current when they came. */
static void refuse_if_spooled(void)
{
    static const char *const commands[] = { "XLEN spool", "HLEN spool:aside" };
    redisContext *redis;

    if (!*settings()->spool_redis)
        return;
    redis = redis_connect(settings()->spool_redis);
    if (!redis || redis->err)
        fail("the spool cannot be asked: %s", redis ? redis->errstr : "no memory");
    redis_password(redis, settings()->spool_password_file);
    for (int i = 0; i < COUNT(commands); i++) {
        redisReply *reply = redisCommand(redis, commands[i]);

        if (!reply || reply->type != REDIS_REPLY_INTEGER || reply->integer > 0)
            fail("the spool is not empty or does not say: wait until it is drained (hotlinectl spool list)");
        freeReplyObject(reply);
    }
    redisFree(redis);
}

int key_drop(const struct args *args)
{
    PGconn *db = sql_open(args);
    struct line *line;
    long left;

    read_settings(args);
    read_lines();
    line = find_line(args->at[0]);
    if (!line)
        fail("there is no key %s in %s", args->at[0], file.path);
    if (line->current)
        fail("%s is the current key: rotate first", line->id);
    left = count_under(db, line->id);
    if (left)
        fail("%ld rows are still under %s: hotlinectl key rotate --resume", left, line->id);
    refuse_if_spooled();
    memmove(line, line + 1, (size_t)(&file.lines[file.n] - (line + 1)) * sizeof *line);
    file.n--;
    write_lines();
    printf("dropped %s; backups made before the rotation open with it alone: keep a copy with them\n", args->at[0]);
    sodium_memzero(&file, sizeof file);
    PQfinish(db);
    return 0;
}
