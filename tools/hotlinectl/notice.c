/* Notices that wait for a person, and where units are told of their tickets. */

#include "ctl.h"
#include "secret.h"
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"

const struct option notice_list_options[] = {
    { "all", NULL, "also those that wait to be sent" },
    { NULL, NULL, NULL },
};

const struct option link_add_options[] = {
    { "config", "FILE", "the engine's configuration, for its keys" },
    { NULL, NULL, NULL },
};

const struct option unit_key_options[] = {
    { "config", "FILE", "the engine's configuration, for its keys" },
    { "expires", "DATE", "not valid from this day on (default: in a year)" },
    { NULL, NULL, NULL },
};

int notice_list(const struct args *args)
{
    const char *const values[] = { args_count(args, "all") ? "t" : "f" };
    PGconn *db = sql_open(args);
    PGresult *rows = sql_query(
        db,
        "select d.id, t.ticket_no as ticket, d.kind, d.way, coalesce(l.code, 'citizen') as \"to\", d.state, d.tries,"
        "  coalesce(d.status::text, '') as status, coalesce(d.why, '') as why,"
        "  to_char(coalesce(d.ended_at, d.due_at), 'MM-DD HH24:MI') as at"
        " from hotline.delivery as d join hotline.ticket as t on t.id = d.ticket_id"
        " left join hotline.link as l on l.id = d.link_id"
        " where d.state = 'dead' or ($1::boolean and d.state = 'waiting') order by d.id limit 500",
        1, values);

    sql_print(rows);
    PQclear(rows);
    PQfinish(db);
    return 0;
}

static int settle(const struct args *args, const char *what)
{
    PGconn *db = sql_open(args);
    long n = 0;

    for (int i = 0; i < args->n; i++) {
        const char *const values[] = { args->at[i], what };

        if (!strcmp(args->at[i], "all"))
            n += sql_number(db,
                            "select count(*) from hotline.delivery as d where d.state = 'dead'"
                            " and hotline.settle_notice(d.id, $2) and $1 = 'all'",
                            2, values);
        else if (strspn(args->at[i], "0123456789") != strlen(args->at[i]) || strlen(args->at[i]) > 18 ||
                 !sql_is(db, "select hotline.settle_notice($1::bigint, $2)", 2, values))
            fail("no dead letter has the id %s (hotlinectl notice list)", args->at[i]);
        else
            n++;
    }
    printf("%ld notices %s\n", n, strcmp(what, "retry") == 0 ? "are sent again" : "were given up");
    PQfinish(db);
    return 0;
}

int notice_retry(const struct args *args)
{
    return settle(args, "retry");
}

int notice_drop(const struct args *args)
{
    return settle(args, "drop");
}

void read_config(const struct args *args)
{
    const char *config = args_text(args, "config", NULL);
    char name[] = "hotlinectl", option[4200];
    char *const words[] = { name, option, NULL };

    if (config && (size_t)snprintf(option, sizeof option, "--config=%s", config) >= sizeof option)
        fail("the path is too long: %s", config);
    log_open(LOG_LEVEL_ERROR, "");
    if (settings_load(config ? 2 : 1, words) != SETTINGS_RUN || !secret_load())
        fail("the engine's keys cannot be read: name its configuration with --config");
}

/* The answer of an administrator's change, made here with the database's own checks; fails with its words. */
static void put(PGconn *db, const char *kind, const char *code, const char *hash, const char *const inputs[], int n)
{
    const char *values[9] = { kind, code, hash };
    char *said;

    for (int i = 0; i < n; i++)
        values[3 + i] = inputs[i];
    said = sql_text(db,
                    "select case when a.status <> 200 then coalesce(a.body->'fields'->0->>'detail', a.body->>'detail')"
                    " end from (select hotline.begin('{\"lang\":\"en\"}')) b, lateral hotline.admin_put(null, $1, $2,"
                    " (select coalesce(jsonb_object_agg(k, case v when 'true' then 'true' else to_jsonb(v) end), '{}') "
                    "from (values ($4::text, $5::text), ($6, $7), ($8, "
                    "$9)) as i(k, v)"
                    "  where k is not null and v is not null), null, $3, false) a",
                    9, values);
    if (said)
        fail("%s", said);
}

int link_add(const struct args *args)
{
    const char *way = strstr(args->at[2], "://") ? "webhook" : "email";
    const char *const unit[] = { args->at[1] };
    char secret[SECRET_HEX_SIZE], *id, *key;
    PGconn *db = sql_open(args);

    if (!strcmp(way, "webhook"))
        read_config(args);
    id = sql_text(db, "select id from hotline.unit where code = $1", 1, unit);
    if (!id)
        fail("no such unit: %s", args->at[1]);
    put(db, "link", args->at[0], NULL, (const char *const[]){ "unit", id, "way", way, "address", args->at[2] }, 6);
    free(id);
    key = sql_text(db, "select code || '.' || secret_n from hotline.link where code = $1", 1, args->at);
    if (!strcmp(way, "webhook")) {
        webhook_secret(key, secret);
        printf("key     %s\nsecret  %s\n", key, secret);
    } else {
        printf("added %s\n", args->at[0]);
    }
    free(key);
    PQfinish(db);
    return 0;
}

/* The key is made of chance, and only its hash is kept. */
int unit_key_make(const struct args *args)
{
    const char *const unit[] = { args->at[1] };
    char key[SECRET_HEX_SIZE], hash[SECRET_HEX_SIZE], *id;
    struct arena *arena = arena_new();
    PGconn *db = sql_open(args);
    bool known;

    read_config(args);
    id = sql_text(db, "select id from hotline.unit where code = $1", 1, unit);
    if (!id)
        fail("no such unit: %s", args->at[1]);
    unit_key(args->at[0], session_token(arena), "", key);
    unit_key_hash(key, hash);
    known = sql_is(db, "select exists (select from hotline.unit_key where code = $1)", 1, args->at);
    put(db, "key", args->at[0], hash,
        (const char *const[]){ "unit", id, "expires", args_text(args, "expires", NULL), known ? "renew" : NULL,
                               "true" },
        6);
    printf("%s\n", key);
    free(id);
    arena_free(arena);
    PQfinish(db);
    return 0;
}

int link_list(const struct args *args)
{
    PGconn *db = sql_open(args);
    PGresult *rows = sql_query(
        db,
        "select l.code, u.code as unit, l.way, l.address, case when l.active then '' else 'ended' end as remark,"
        "  (select count(*) from hotline.delivery as d where d.link_id = l.id and d.state = 'waiting') as waiting,"
        "  (select count(*) from hotline.delivery as d where d.link_id = l.id and d.state = 'dead') as dead"
        " from hotline.link as l join hotline.unit as u on u.id = l.unit_id order by l.code",
        0, NULL);

    sql_print(rows);
    PQclear(rows);
    PQfinish(db);
    return 0;
}

int link_end(const struct args *args)
{
    PGconn *db = sql_open(args);

    if (!sql_is(db, "select exists (select from hotline.link where code = $1)", 1, args->at))
        fail("no such link: %s", args->at[0]);
    sql_do(db, "select hotline.admin_put(null, 'link', $1, '{\"active\":false}', null, null, false)", 1, args->at);
    printf("ended %s\n", args->at[0]);
    PQfinish(db);
    return 0;
}
