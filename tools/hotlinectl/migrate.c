/* Schema files are applied once and must not change afterwards; rules, functions and seed are applied again at each deploy. */

#include "ctl.h"

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const struct option migrate_options[] = {
    { "sql", "DIR", "folder of the SQL files (default: $HOTLINE_SQL, ./sql, /usr/share/hotline/sql)" },
    { "demo", NULL, "also demonstration data and accounts; twice: even beside accounts of real people" },
    { NULL, NULL, NULL },
};

/* One migration at a time. */
static const char lock_key[] = "12345";

enum { MAX_FILE = 16 << 20 };

/* NULL: none is found. */
static const char *sql_folder(const struct args *args)
{
    static const char *const places[] = { "sql", "/usr/share/hotline/sql" };
    const char *given = args_text(args, "sql", getenv("HOTLINE_SQL"));
    char schema[64];

    if (given)
        return given;
    for (int i = 0; i < COUNT(places); i++) {
        snprintf(schema, sizeof schema, "%s/schema", places[i]);
        if (!access(schema, R_OK | X_OK))
            return places[i];
    }
    return NULL;
}

static int is_sql(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 4 && entry->d_name[0] != '.' && !strcmp(entry->d_name + len - 4, ".sql");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(MAX_FILE + 1);
    size_t len;

    if (!file || !text)
        fail("cannot read %s", path);
    len = fread(text, 1, MAX_FILE + 1, file);
    if (ferror(file) || len > MAX_FILE)
        fail("cannot read %s, or it is larger than %d bytes", path, MAX_FILE);
    text[len] = '\0';
    if (strlen(text) != len)
        fail("%s holds a zero byte", path);
    fclose(file);
    return text;
}

static void digest(const char *text, char hex[crypto_hash_sha256_BYTES * 2 + 1])
{
    unsigned char bytes[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(bytes, (const unsigned char *)text, strlen(text));
    sodium_bin2hex(hex, crypto_hash_sha256_BYTES * 2 + 1, bytes, sizeof bytes);
}

/* PostgreSQL counts characters, people count lines. */
static int line_of(const char *text, const char *position)
{
    long left = position ? strtol(position, NULL, 10) : 0;
    int line = 1;

    for (; *text && left > 1; text++) {
        line += *text == '\n';
        left -= (text[1] & 0xc0) != 0x80;
    }
    return line;
}

static const char *field(const PGresult *result, int code)
{
    const char *text = PQresultErrorField(result, code);

    return text ? text : "";
}

static void run_text(PGconn *db, const char *path, const char *text)
{
    PGresult *result = PQexec(db, text);
    ExecStatusType status = PQresultStatus(result);
    const char *context;

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY) {
        context = field(result, PG_DIAG_CONTEXT);
        fail("%s:%d: %s%s%s%s%s", path, line_of(text, PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION)),
             field(result, PG_DIAG_MESSAGE_PRIMARY), *field(result, PG_DIAG_MESSAGE_DETAIL) ? "\n  " : "",
             field(result, PG_DIAG_MESSAGE_DETAIL), *context ? "\n  " : "", context);
    }
    PQclear(result);
}

/* A file may change these for itself. */
static void begin(PGconn *db)
{
    sql_do(db, "begin", 0, NULL);
    sql_do(db, "set local search_path = hotline", 0, NULL);
    sql_do(db, "set local check_function_bodies = off", 0, NULL);
}

static void remember(PGconn *db, const char *name, const char *hex)
{
    const char *const values[] = { name, hex };

    sql_do(db,
           "create table if not exists hotline.migration (name text primary key, at timestamptz not null, digest text "
           "not null)",
           0, NULL);
    sql_do(db, "insert into hotline.migration (name, at, digest) values ($1, clock_timestamp(), $2)", 2, values);
}

/* The digest under which a schema file was applied, NULL when it was not. */
static char *applied(PGconn *db, const char *name)
{
    if (!sql_is(db, "select to_regclass('hotline.migration') is not null", 0, NULL))
        return NULL;
    return sql_text(db, "select digest from hotline.migration where name = $1", 1, &name);
}

static bool apply_once(PGconn *db, const char *path, const char *name, const char *text)
{
    char hex[crypto_hash_sha256_BYTES * 2 + 1], *was = applied(db, name);

    digest(text, hex);
    if (was && strcmp(was, hex) != 0)
        fail("%s was applied to this database and has changed since: put it back and write a new numbered file", path);
    if (!was) {
        begin(db);
        run_text(db, path, text);
        remember(db, name, hex);
        sql_do(db, "commit", 0, NULL);
        printf("applied %s\n", name);
    }
    free(was);
    return !was;
}

static bool apply_again(PGconn *db, const char *path, const char *name, const char *text)
{
    (void)name;
    begin(db);
    run_text(db, path, text);
    sql_do(db, "commit", 0, NULL);
    return true;
}

int migrate_missing(PGconn *db, const struct args *args)
{
    const char *root = sql_folder(args);
    char path[4096], hex[crypto_hash_sha256_BYTES * 2 + 1];
    struct dirent **entries;
    int n, missing = 0;

    snprintf(path, sizeof path, "%s/schema", root ? root : "");
    n = root ? scandir(path, &entries, is_sql, by_name) : -1;
    for (int i = 0; i < n; i++) {
        char *was = applied(db, entries[i]->d_name), *text;

        snprintf(path, sizeof path, "%s/schema/%s", root, entries[i]->d_name);
        text = read_file(path);
        digest(text, hex);
        missing += !was || strcmp(was, hex) != 0;
        free(was);
        free(text);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return n < 0 ? -1 : missing;
}

typedef bool apply_fn(PGconn *db, const char *path, const char *name, const char *text);

static bool has_folder(const char *root, const char *folder)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", root, folder);
    return access(path, F_OK) == 0;
}

static void apply_folder(PGconn *db, const char *root, const char *folder, apply_fn *apply)
{
    char path[4096];
    struct dirent **entries;
    int n, done = 0;

    snprintf(path, sizeof path, "%s/%s", root, folder);
    n = scandir(path, &entries, is_sql, by_name);
    if (n < 0)
        fail("cannot read the folder %s", path);
    for (int i = 0; i < n; i++) {
        char *text;

        snprintf(path, sizeof path, "%s/%s/%s", root, folder, entries[i]->d_name);
        text = read_file(path);
        done += apply(db, path, entries[i]->d_name, text);
        free(text);
        free(entries[i]);
    }
    free(entries);
    printf("%-7s %d of %d files applied\n", folder, done, n);
}

static void settle(PGconn *db)
{
    sql_do(db, "begin", 0, NULL);
    sql_do(db, "set local search_path = hotline", 0, NULL);
    sql_do(db, "select hotline.settle()", 0, NULL);
    sql_do(db, "commit", 0, NULL);
    puts("settled");
}

static void demo_accounts(PGconn *db, bool force)
{
    int made = user_make_demo(db, force);

    if (made < 0)
        fail("this database has accounts of real people; --demo --demo adds the demonstration accounts all the same");
    printf("demo    %d accounts created (their password is published: hotlinectl user list --demo)\n", made);
}

int migrate(const struct args *args)
{
    static const char *const again[] = { "rules", "api", "seed" };
    const char *root = sql_folder(args), *const key[] = { lock_key };
    int demo = args_count(args, "demo");
    PGconn *db;

    if (!root)
        fail("no folder of SQL files found: give --sql DIR");
    db = sql_open(args);
    if (sodium_init() < 0)
        fail("libsodium cannot start");
    if (!sql_is(db, "select pg_try_advisory_lock($1)", 1, key)) {
        puts("waiting for another migration of this database");
        sql_do(db, "select pg_advisory_lock($1)", 1, key);
    }
    apply_folder(db, root, "schema", apply_once);
    for (int i = 0; i < COUNT(again); i++)
        apply_folder(db, root, again[i], apply_again);
    if (demo && has_folder(root, "demo"))
        apply_folder(db, root, "demo", apply_again);
    settle(db);
    if (demo)
        demo_accounts(db, demo > 1);
    PQfinish(db);
    return 0;
}
