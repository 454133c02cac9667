#ifndef CTL_H
#define CTL_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

/* ---- arguments ---- */

struct option {
    const char *name;  /* NULL ends the table */
    const char *value; /* what to write after it; NULL: a flag */
    const char *help;
};

struct args;

typedef int command_fn(const struct args *args);

struct command {
    const char *name;  /* one or two words */
    const char *wants; /* positional arguments, as help shows them */
    int min, max;      /* how many */
    const struct option *options;
    command_fn *run; /* returns the exit code */
    const char *help;
};

enum { ARGS_MAX = 32 };

struct args {
    const struct command *command;
    int n;
    const char *at[ARGS_MAX];
    int n_options;
    struct {
        const char *name, *value;
    } options[ARGS_MAX];
};

/* Sort the words after the command's name into args; ends the program with a hint when they do not fit the command. */
void args_read(struct args *args, const struct command *command, int argc, char **argv);

/* The last value given for an option, or otherwise. */
const char *args_text(const struct args *args, const char *name, const char *otherwise);

/* The value of an option that the command cannot do without. */
const char *args_must(const struct args *args, const char *name);

/* A number between min and max; ends the program when it is none. */
long args_number(const struct args *args, const char *name, long otherwise, long min, long max);

/* How often an option was given. */
int args_count(const struct args *args, const char *name);

/* ---- leaving ---- */

/* Say why on stderr and exit with 1. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- database ---- */

/* Connect with --database or HOTLINE_ADMIN_DATABASE; sessions speak the city's time zone.  Fails with a hint. */
PGconn *sql_open(const struct args *args);

/* Run one statement with text parameters; fails on an error.  The result is the caller's to clear. */
PGresult *sql_query(PGconn *db, const char *statement, int n, const char *const *values);

/* The same for statements whose result does not matter. */
void sql_do(PGconn *db, const char *statement, int n, const char *const *values);

/* The first column of the first row, NULL when there is none; the caller frees it. */
char *sql_text(PGconn *db, const char *statement, int n, const char *const *values);

/* Change reference data by the rules and on the record of administration: kind and key as in /v1/admin, input as a JSON object, hash of a
 * password or NULL.  Fails with the reason when it may not be. */
void sql_admin(PGconn *db, const char *kind, const char *key, const char *input, const char *hash);

bool sql_is(PGconn *db, const char *statement, int n, const char *const *values);
long sql_number(PGconn *db, const char *statement, int n, const char *const *values);

/* Makes the months of every partitioned table from a day to another (dates of the city) that are missing, beside a running engine.
 * How many partitions were made. */
long sql_make_months(PGconn *db, const char *first, const char *last);

/* Print the rows as columns set under each other, with a heading from the names of the columns. */
void sql_print(PGresult *rows);

/* ---- accounts (user.c) ---- */

/* Make the demonstration accounts that are missing; returns how many, -1 when people have accounts and force is false. */
int user_make_demo(PGconn *db, bool force);

/* Read the engine's settings and keys, from --config or the environment; fails with a hint. */
void read_config(const struct args *args);

/* How many schema files are not applied or have changed since; -1 when there is no folder of them. */
int migrate_missing(PGconn *db, const struct args *args);

/* ---- commands ---- */

extern const struct option migrate_options[], user_add_options[], user_list_options[], user_passwd_options[],
    unit_list_options[], unit_add_options[], unit_end_options[], replay_options[], doctor_options[],
    metrics_show_options[], metrics_verify_options[], import_options[], learn_options[], spool_options[],
    audit_key_options[], audit_sign_options[], audit_verify_options[], key_rotate_options[], key_list_options[],
    key_drop_options[], notice_list_options[], link_add_options[], unit_key_options[], export_options[],
    export_scores_options[];

command_fn migrate, user_add, user_list, user_passwd, user_disable, user_roles, unit_list, unit_add, unit_end, sim_on,
    sim_off, sim_set, sim_show, sim_advance, replay, doctor, metrics_show, metrics_verify, metrics_fold, import, learn,
    door, mask, audit_key, audit_sign, audit_export, audit_verify, spool_list, spool_retry, key_list, key_drop,
    key_rotate, notice_list, notice_retry, notice_drop, link_add, link_list, link_end, unit_key_make, export_records,
    export_scores;

#endif
