/* History from another system, as JSON Lines.  Each batch is one commit and a line that is there already is not written again,
 * so a run that was broken off is simply started once more. */

#include "ctl.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "arena.h"
#include "history.h"
#include "moment.h"
#include "secret.h"
#include "settings.h"

const struct option import_options[] = {
    { "source", "NAME", "the system it comes from; its ids are unique within it" },
    { "map", "FILE", "JSON: {\"unit\": {\"their word\": \"our code\" or null}, \"category\": …, \"channel\": …}" },
    { "rejects", "FILE", "gets the lines that are refused, to be corrected and imported (default: FILE.rejects)" },
    { "config", "FILE", "the engine's configuration: its keys seal phone numbers and names" },
    { NULL, NULL, NULL },
};

enum { BATCH_ROWS = 500, BATCH_BYTES = 2 << 20, SAID_MAX = 200, FIRST_YEAR = 2000, MONTHS = 12 * 100 };

struct row {
    long number; /* of its line */
    const char *line, *text;
};

struct import {
    PGconn *db;
    const char *source, *path, *rejects_path;
    char own_rejects[PATH_MAX]; /* beside the file, where none was named */
    cJSON *map;
    FILE *file, *rejects;
    struct arena *arena; /* of the batch */
    struct row rows[BATCH_ROWS];
    int n;
    size_t bytes;
    long line, imported, there, refused;
    bool keys;
    double began, said;
    long size;
    bool months[MONTHS];
};

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void progress(struct import *im, bool end)
{
    double now = seconds();
    bool terminal = isatty(STDERR_FILENO);

    if (!end && now - im->said < (terminal ? 0.2 : 5))
        return;
    im->said = now;
    fprintf(stderr, "%s%s: %.0f %%, %ld lines, %ld imported, %ld there already, %ld refused, %.0f s%s",
            terminal ? "\r" : "", im->path, im->size ? 100.0 * (double)ftell(im->file) / (double)im->size : 100.0,
            im->line, im->imported, im->there, im->refused, now - im->began, terminal && !end ? " " : "\n");
}

/* ---- lines ---- */

static void refuse(struct import *im, const struct row *row, const char *why)
{
    if (!im->rejects) {
        im->rejects = fopen(im->rejects_path, "w");
        if (!im->rejects)
            fail("cannot write %s, where refused lines go", im->rejects_path);
    }
    fprintf(im->rejects, "%s\n", row->line);
    if (++im->refused <= SAID_MAX)
        printf("%s:%ld: %s\n", im->path, row->number, why);
}

/* The next line without its end, NULL at the end of the file; *len is what it had, which may be more than is kept. */
static const char *next_line(struct import *im, char **buffer, size_t *room, size_t *len)
{
    ssize_t got = getline(buffer, room, im->file);

    if (got < 0) {
        if (ferror(im->file))
            fail("cannot read %s", im->path);
        return NULL;
    }
    while (got > 0 && ((*buffer)[got - 1] == '\n' || (*buffer)[got - 1] == '\r'))
        (*buffer)[--got] = '\0';
    *len = (size_t)got;
    im->line++;
    return *buffer;
}

/* ---- months and keys ---- */

/* The future holds no history; such a line is refused later. */
static void note_month(const char *text, void *arg)
{
    struct import *im = arg;
    char city[MOMENT_SIZE];
    int year, month;
    moment at;

    if (!moment_read(text, &at) || at > (moment)time(NULL))
        return;
    if (sscanf(moment_text(at, city), "%d-%d", &year, &month) == 2 && year >= FIRST_YEAR &&
        year < FIRST_YEAR + MONTHS / 12)
        im->months[(year - FIRST_YEAR) * 12 + month - 1] = true;
}

/* The whole file once: which months it needs, and whether it brings contact data. */
static void look_through(struct import *im)
{
    char *buffer = NULL;
    size_t room = 0, len;
    const char *line;

    while ((line = next_line(im, &buffer, &room, &len))) {
        struct arena *arena = arena_new();

        if (len <= HISTORY_LINE_MAX) {
            history_times(arena, line, len, note_month, im);
            if (!im->keys && history_wants_keys(arena, line, len))
                im->keys = true;
        }
        arena_free(arena);
    }
    free(buffer);
    rewind(im->file);
    im->line = 0;
}

static void load_keys(const struct args *args)
{
    const char *config = args_text(args, "config", NULL);
    char name[] = "hotlinectl", option[4200];
    char *const words[] = { name, option, NULL };

    snprintf(option, sizeof option, "--config=%s", config ? config : "");
    if (settings_load(config ? 2 : 1, words) != SETTINGS_RUN || !secret_load())
        fail("this file brings phone numbers or names: name the engine's configuration with --config, for its keys");
}

static void make_months(struct import *im)
{
    long made = 0;

    for (int i = 0; i < MONTHS; i++) {
        char day[24];

        if (!im->months[i])
            continue;
        snprintf(day, sizeof day, "%d-%02d-01", FIRST_YEAR + i / 12, i % 12 + 1);
        made += sql_make_months(im->db, day, day);
    }
    if (made)
        printf("%s: %ld partitions made\n", im->path, made);
}

/* ---- batches ---- */

static char *call_text(struct import *im, const struct row *rows, int n)
{
    size_t room = 256 + 6 * strlen(im->source), len;
    cJSON *source = cJSON_CreateString(im->source);
    char *quoted = cJSON_PrintUnformatted(source), *text;

    for (int i = 0; i < n; i++)
        room += strlen(rows[i].text) + 1;
    text = malloc(room);
    if (!text || !quoted)
        fail("no memory for a batch");
    len = (size_t)snprintf(text, room, "{\"source\":%s,\"rows\":[", quoted);
    for (int i = 0; i < n; i++)
        len += (size_t)snprintf(text + len, room - len, "%s%s", i ? "," : "", rows[i].text);
    snprintf(text + len, room - len, "]}");
    free(quoted);
    cJSON_Delete(source);
    return text;
}

/* The reasons of one refused row, as one line. */
static void refuse_row(struct import *im, const struct row *rows, const cJSON *bad)
{
    const struct row *row = &rows[cJSON_GetObjectItem(bad, "row")->valueint];
    const char *why = "";
    const cJSON *field;

    cJSON_ArrayForEach(field, cJSON_GetObjectItem(bad, "fields"))
    {
        why = arena_printf(im->arena, "%s%s%s: %s", why, *why ? "; " : "",
                           cJSON_GetObjectItem(field, "name")->valuestring,
                           cJSON_GetObjectItem(field, "detail")->valuestring);
    }
    refuse(im, row, why);
}

static void take_answer(struct import *im, const struct row *rows, const char *body)
{
    cJSON *answer = cJSON_Parse(body);
    const cJSON *bad;

    if (!answer)
        fail("the database's answer is no JSON");
    im->imported += cJSON_GetObjectItem(answer, "imported")->valueint;
    im->there += cJSON_GetObjectItem(answer, "there")->valueint;
    cJSON_ArrayForEach(bad, cJSON_GetObjectItem(answer, "bad"))
    {
        refuse_row(im, rows, bad);
    }
    cJSON_Delete(answer);
}

static PGresult *call_import(struct import *im, const struct row *rows, int n)
{
    char *text = call_text(im, rows, n);
    const char *const values[] = { text };
    PGresult *result =
        PQexecParams(im->db, "select body from api.import($1::jsonb || '{\"lang\": \"en\"}') as a where status = 200",
                     1, NULL, values, NULL, NULL, 0);

    free(text);
    if (PQstatus(im->db) != CONNECTION_OK)
        fail("the database is gone after line %ld: run the same command again, it goes on where it stopped", im->line);
    return result;
}

/* A batch that fails rolled back whole: its halves are tried, and at the end the row alone, which gets new ids. */
static void send_rows(struct import *im, const struct row *rows, int n, int tries)
{
    PGresult *result = call_import(im, rows, n);
    bool good = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;

    if (good)
        take_answer(im, rows, PQgetvalue(result, 0, 0));
    else if (n > 1) {
        send_rows(im, rows, n / 2, tries);
        send_rows(im, rows + n / 2, n - n / 2, tries);
    } else if (tries > 1)
        send_rows(im, rows, 1, tries - 1);
    else
        refuse(im, rows, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    PQclear(result);
}

static void flush(struct import *im)
{
    if (im->n)
        send_rows(im, im->rows, im->n, 2);
    arena_free(im->arena);
    im->arena = arena_new();
    im->n = 0;
    im->bytes = 0;
}

static void add_line(struct import *im, const char *line, size_t len)
{
    struct row row = { .number = im->line, .line = arena_strndup(im->arena, line, len) };
    const char *why = "longer than 131072 bytes";

    if (len <= HISTORY_LINE_MAX)
        row.text = history_row(im->arena, line, len, im->map, &why);
    if (!row.text) {
        refuse(im, &row, why);
        return;
    }
    im->rows[im->n++] = row;
    im->bytes += strlen(row.text);
    if (im->n == BATCH_ROWS || im->bytes > BATCH_BYTES)
        flush(im);
}

static void read_lines(struct import *im)
{
    char *buffer = NULL;
    size_t room = 0, len;
    const char *line;

    im->arena = arena_new();
    while ((line = next_line(im, &buffer, &room, &len))) {
        if (len)
            add_line(im, line, len);
        progress(im, false);
    }
    flush(im);
    progress(im, true);
    arena_free(im->arena);
    free(buffer);
}

/* ---- the command ---- */

static cJSON *read_map(const char *path)
{
    FILE *file = fopen(path, "r");
    static char text[1 << 20];
    size_t len = file ? fread(text, 1, sizeof text - 1, file) : 0;
    cJSON *map = cJSON_ParseWithLength(text, len);

    if (!map || !cJSON_IsObject(map))
        fail("%s is no JSON object of at most 1 MB", path);
    fclose(file);
    return map;
}

static void open_file(struct import *im, const char *path, const char *rejects)
{
    if (snprintf(im->own_rejects, sizeof im->own_rejects, "%s.rejects", path) >= (int)sizeof im->own_rejects)
        fail("%s is too long a name", path);
    im->path = path;
    im->rejects_path = rejects ? rejects : im->own_rejects;
    im->file = fopen(path, "r");
    if (!im->file || fseek(im->file, 0, SEEK_END) != 0)
        fail("cannot read %s (a file is needed, it is read twice)", path);
    im->size = ftell(im->file);
    rewind(im->file);
}

static void import_file(struct import *im, const struct args *args)
{
    im->line = 0;
    look_through(im);
    if (im->keys)
        load_keys(args);
    make_months(im);
    read_lines(im);
    fclose(im->file);
}

static void fold_all(PGconn *db)
{
    while (sql_number(db, "select hotline.fold(100000)", 0, NULL) > 0)
        ;
}

int import(const struct args *args)
{
    static struct import im;
    const char *map = args_text(args, "map", NULL);
    double took;

    im.source = args_must(args, "source");
    im.map = map ? read_map(map) : NULL;
    im.db = sql_open(args);
    im.began = im.said = seconds();
    for (int i = 0; i < args->n; i++) {
        open_file(&im, args->at[i], args_text(args, "rejects", NULL));
        import_file(&im, args);
    }
    fold_all(im.db);
    took = seconds() - im.began;
    if (im.refused > SAID_MAX)
        printf("%ld more were refused\n", im.refused - SAID_MAX);
    if (im.rejects && fclose(im.rejects) != 0)
        fail("cannot write %s", im.rejects_path);
    printf("%ld imported, %ld there already, %ld refused%s%s in %.1f s (%.0f a second)\n", im.imported, im.there,
           im.refused, im.refused ? ", kept in " : "", im.refused ? im.rejects_path : "", took,
           (double)im.imported / took);
    PQfinish(im.db);
    secret_close();
    return im.refused ? 2 : 0;
}
