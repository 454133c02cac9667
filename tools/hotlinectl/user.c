#include "ctl.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct option user_add_options[] = {
    { "name", "NAME", "the person's name" },
    { "unit", "CODE", "code of the unit (hotlinectl unit list)" },
    { "role", "R[,R]", "role codes (hotlinectl user roles)" },
    { "password-stdin", NULL, "read the password from standard input instead of making one" },
    { NULL, NULL, NULL },
};

const struct option user_list_options[] = {
    { "demo", NULL, "the demonstration accounts by role, with a few units as examples" },
    { "unit", "CODE", "only this unit and those below" },
    { NULL, NULL, NULL },
};

const struct option user_passwd_options[] = {
    { "password-stdin", NULL, "read the password from standard input instead of making one" },
    { NULL, NULL, NULL },
};

#define DEMO_PASSWORD "12345-demo"

enum { PASSWORD_MIN = 10, PASSWORD_MAX = 200, MADE_LEN = 20 };

/* ---- passwords ---- */

/* 64 MB and two passes: what the engine's helper process expects to verify. */
static void hash_password(const char *password, char hash[crypto_pwhash_STRBYTES])
{
    if (sodium_init() < 0 ||
        crypto_pwhash_str_alg(hash, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                              crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13) != 0)
        fail("cannot hash the password: not enough memory");
}

static void read_password(char *password, size_t size)
{
    if (!fgets(password, (int)size, stdin))
        fail("no password on standard input");
    password[strcspn(password, "\r\n")] = '\0';
    if (strlen(password) < PASSWORD_MIN || strlen(password) > PASSWORD_MAX)
        fail("a password has %d to %d bytes", PASSWORD_MIN, PASSWORD_MAX);
}

/* Without the letters and digits that are taken for one another. */
static void make_password(char *password)
{
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789";

    if (sodium_init() < 0)
        fail("libsodium cannot start");
    for (int i = 0; i < MADE_LEN; i++)
        password[i] = i % 7 == 6 ? '-' : letters[randombytes_uniform(sizeof letters - 1)];
    password[MADE_LEN] = '\0';
}

/* The hash of the password that was given, or of one that is made and printed this once. */
static void choose_password(const struct args *args, char hash[crypto_pwhash_STRBYTES])
{
    char password[PASSWORD_MAX + 2];

    if (args_count(args, "password-stdin"))
        read_password(password, sizeof password);
    else
        make_password(password);
    hash_password(password, hash);
    if (!args_count(args, "password-stdin"))
        printf("password: %s\n", password);
    sodium_memzero(password, sizeof password);
}

/* ---- helpers ---- */

/* The roles as a JSON list; fails on one that is none. */
static char *roles_of(PGconn *db, const char *roles)
{
    char *unknown = sql_text(db,
                             "select string_agg(r, ', ') from unnest(string_to_array($1, ',')) as r"
                             " where not exists (select from hotline.role where code = r)",
                             1, &roles);

    if (unknown)
        fail("no such role: %s (hotlinectl user roles lists them)", unknown);
    return sql_text(db, "select to_jsonb(string_to_array($1, ','))", 1, &roles);
}

static void must_exist(PGconn *db, const char *login)
{
    if (!sql_is(db, "select exists (select from hotline.person where login = $1)", 1, &login))
        fail("no such account: %s", login);
}

/* ---- commands ---- */

int user_add(const struct args *args)
{
    const char *login = args->at[0], *name = args_must(args, "name"), *unit = args_must(args, "unit");
    char hash[crypto_pwhash_STRBYTES], *roles, *input;
    PGconn *db = sql_open(args);

    if (sql_is(db, "select exists (select from hotline.person where login = $1)", 1, &login))
        fail("the account %s exists already", login);
    if (!sql_is(db, "select exists (select from hotline.unit where code = $1)", 1, &unit))
        fail("no such unit: %s (hotlinectl unit list)", unit);
    roles = roles_of(db, args_must(args, "role"));
    input = sql_text(db,
                     "select jsonb_build_object('name', $1::text, 'unit', id::text, 'roles', $3::jsonb)"
                     " from hotline.unit where code = $2",
                     3, (const char *const[]){ name, unit, roles });
    choose_password(args, hash);
    sql_admin(db, "user", login, input, hash);
    printf("created %s\n", login);
    free(roles);
    free(input);
    PQfinish(db);
    return 0;
}

static const char list_all[] =
    "with recursive tree as (select id from hotline.unit where code = $1 or ($1 is null and parent_id is null)"
    "  union all select u.id from hotline.unit as u join tree on u.parent_id = tree.id)"
    " select p.login, p.name, u.code as unit, u.short_name as unit_name, string_agg(r.role, ',' order by r.role) as "
    "roles,"
    "  case when p.disabled_at is not null then 'disabled' when p.demo then 'demo' else '' end as remark"
    " from hotline.person as p join tree on tree.id = p.unit_id join hotline.unit as u on u.id = p.unit_id"
    " left join hotline.person_role as r on r.person_id = p.id"
    " group by p.id, u.id order by u.level, u.id, p.login";

/* All of the centre, and of each kind of unit the first. */
static const char list_demo[] =
    "with example as (select distinct on (kind) id from hotline.unit"
    "  where exists (select from hotline.person as p where p.unit_id = unit.id and p.demo) order by kind, id)"
    " select string_agg(distinct r.role, ',') as role, string_agg(distinct o.zh, ' ') as meaning, p.login, p.name,"
    "  u.short_name as unit"
    " from hotline.person as p join example on example.id = p.unit_id join hotline.unit as u on u.id = p.unit_id"
    " join hotline.person_role as r on r.person_id = p.id join hotline.role as o on o.code = r.role"
    " where p.demo and p.disabled_at is null and $1::text is null group by p.id, u.id order by u.level, u.id, p.id";

int user_list(const struct args *args)
{
    const char *unit = args_text(args, "unit", NULL);
    bool demo = args_count(args, "demo");
    PGconn *db = sql_open(args);
    PGresult *rows = sql_query(db, demo ? list_demo : list_all, 1, demo ? (const char *[]){ NULL } : &unit);

    sql_print(rows);
    if (demo)
        printf("\n%ld demonstration accounts, each with the password " DEMO_PASSWORD
               "; every member unit and street has .d (dispatch), .h (handling), .a (approval)\n",
               sql_number(db, "select count(*) from hotline.person where demo and disabled_at is null", 0, NULL));
    PQclear(rows);
    PQfinish(db);
    return 0;
}

int user_passwd(const struct args *args)
{
    char hash[crypto_pwhash_STRBYTES];
    PGconn *db = sql_open(args);

    must_exist(db, args->at[0]);
    choose_password(args, hash);
    sql_admin(db, "user", args->at[0], "{}", hash);
    printf("changed %s\n", args->at[0]);
    PQfinish(db);
    return 0;
}

int user_disable(const struct args *args)
{
    PGconn *db = sql_open(args);

    must_exist(db, args->at[0]);
    sql_admin(db, "user", args->at[0], "{\"disabled\": true}", NULL);
    printf("disabled %s\n", args->at[0]);
    PQfinish(db);
    return 0;
}

int user_roles(const struct args *args)
{
    PGconn *db = sql_open(args);

    if (args->n == 1)
        fail("user roles: give the roles too, e.g. UHD,UDP");
    if (args->n == 0) {
        PGresult *rows = sql_query(db,
                                   "select code, zh, en, case when centre then 'centre' else 'unit' end as works_in"
                                   " from hotline.role order by centre desc, code",
                                   0, NULL);
        sql_print(rows);
        PQclear(rows);
    } else {
        const char *login = args->at[0];
        char *roles = roles_of(db, args->at[1]), *input;

        must_exist(db, login);
        input = sql_text(db, "select jsonb_build_object('roles', $1::jsonb)", 1, (const char *const[]){ roles });
        sql_admin(db, "user", login, input, NULL);
        printf("changed %s\n", login);
        free(roles);
        free(input);
    }
    PQfinish(db);
    return 0;
}

/* ---- demonstration ---- */

/* The last six may handle sealed tickets, at every step from acceptance to audit. */
static const struct {
    const char *login, *name, *roles, *unit; /* NULL: the centre */
} people[] = {
    { "operator1", "林晓岚", "OPR" },
    { "operator2", "陈雅婷", "OPR" },
    { "acceptor1", "黄志勤", "ACC" },
    { "leader1", "郑国栋", "LDR" },
    { "dispatcher1", "许文静", "DSP" },
    { "dispatcher2", "吴少鹏", "DSP" },
    { "auditor1", "蔡慧敏", "AUD" },
    { "callback1", "谢佳莹", "CBK" },
    { "supervisor1", "张建平", "SUP" },
    { "efficiency1", "李正清", "EFF" },
    { "media1", "杨思琪", "MED" },
    { "social1", "方嘉宜", "SOC" },
    { "cityleader1", "周海明", "LEA" },
    { "admin1", "马立新", "ADM" },
    { "acceptor9", "孙敬", "ACC SEC" },
    { "dispatcher9", "余谨", "DSP SEC" },
    { "auditor9", "周慎", "AUD SEC" },
    { "st-gaj.d9", "市公安局密件派单员", "UDP SEC", "ST-GAJ" },
    { "st-gaj.h9", "市公安局密件承办人", "UHD SEC", "ST-GAJ" },
    { "st-gaj.a9", "市公安局密件审批人", "UAP SEC", "ST-GAJ" },
};

static const struct {
    const char *suffix, *name, *role;
} posts[] = { { ".d", "派单员", "UDP" }, { ".h", "承办人", "UHD" }, { ".a", "审批人", "UAP" } };

static int make_people(PGconn *db, const char *hash)
{
    int made = 0;

    for (int i = 0; i < COUNT(people); i++) {
        const char *const values[] = { people[i].login, people[i].name, hash, people[i].roles, people[i].unit };

        made += (int)sql_number(
            db,
            "with made as (insert into hotline.person (login, name, unit_id, password_hash, demo)"
            "  select $1, $2, u.id, $3, true from hotline.unit as u"
            "  where case when $5::text is null then u.kind = 'centre' else u.code = $5 end order by u.id limit 1"
            "  on conflict (login) do nothing returning id),"
            " as_role as (insert into hotline.person_role (person_id, role)"
            "  select id, unnest(string_to_array($4, ' ')) from made)"
            " select count(*) from made",
            5, values);
    }
    return made;
}

/* One account a post for every unit a ticket can be sent to, sections aside: their parent acts for them. */
static int make_units(PGconn *db, const char *hash)
{
    int made = 0;

    for (int i = 0; i < COUNT(posts); i++) {
        const char *const values[] = { posts[i].suffix, posts[i].name, hash, posts[i].role };

        made +=
            (int)sql_number(db,
                            "with made as (insert into hotline.person (login, name, unit_id, password_hash, demo)"
                            "  select lower(u.code) || $1, u.short_name || $2, u.id, $3, true from hotline.unit as u"
                            "  where (u.level = 2 or u.kind = 'street') and u.valid_to is null order by u.id"
                            "  on conflict (login) do nothing returning id),"
                            " as_role as (insert into hotline.person_role (person_id, role) select id, $4 from made)"
                            " select count(*) from made",
                            4, values);
    }
    return made;
}

int user_make_demo(PGconn *db, bool force)
{
    char hash[crypto_pwhash_STRBYTES], *old;
    int made;

    if (!force && sql_is(db, "select exists (select from hotline.person where not demo)", 0, NULL))
        return -1;
    old = sql_text(db, "select password_hash from hotline.person where demo order by id limit 1", 0, NULL);
    if (!old)
        hash_password(DEMO_PASSWORD, hash);
    sql_do(db, "begin", 0, NULL);
    made = make_people(db, old ? old : hash) + make_units(db, old ? old : hash);
    sql_do(db, "commit", 0, NULL);
    free(old);
    return made;
}
