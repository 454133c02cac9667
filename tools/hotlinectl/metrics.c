#include "ctl.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct option metrics_show_options[] = {
    { "from", "DATE", "first day" },
    { "to", "DATE", "the day after the last" },
    { "by", "WHAT", "unit, category, channel, district or day" },
    { NULL, NULL, NULL },
};

const struct option metrics_verify_options[] = {
    { "rows", "N", "how many differences to list (default: 20)" },
    { NULL, NULL, NULL },
};

static double number(const cJSON *object, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsNumber(value) ? value->valuedouble : 0;
}

static const char *text(const cJSON *object, const char *name)
{
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

    return value ? value : "";
}

static const struct {
    const char *name, *head;
} rates[] = {
    { "closure_rate_cohort", "cohort" }, { "closure_rate_flow", "flow" },      { "closure_rate_due", "due" },
    { "ontime_sign_rate", "signed" },    { "ontime_close_rate", "on time" },   { "direct_answer_rate", "direct" },
    { "rework_rate", "rework" },         { "satisfaction_rate", "satisfied" }, { "satisfaction_coverage", "coverage" },
};

static void print_head(void)
{
    printf("%9s %9s", "accepted", "closed");
    for (int i = 0; i < COUNT(rates); i++)
        printf(" %9s", rates[i].head);
    puts("  ");
}

/* A rate without a denominator is none, never 100 %. */
static void print_row(const cJSON *row, const char *label)
{
    const cJSON *counts = cJSON_GetObjectItemCaseSensitive(row, "counts"),
                *all = cJSON_GetObjectItemCaseSensitive(row, "rates");

    printf("%9.0f %9.0f", number(counts, "accepted"), number(counts, "closed"));
    for (int i = 0; i < COUNT(rates); i++) {
        const cJSON *rate = cJSON_GetObjectItemCaseSensitive(all, rates[i].name);

        if (number(rate, "den") > 0)
            printf(" %8.2f%%", 100 * number(rate, "num") / number(rate, "den"));
        else
            printf(" %9s", "-");
    }
    printf("  %s\n", label);
}

int metrics_show(const struct args *args)
{
    const char *const values[] = { args_must(args, "from"), args_must(args, "to"), args_text(args, "by", NULL) };
    PGconn *db = sql_open(args);
    char *told = sql_text(db, "select hotline.metrics_read($1::date, $2::date, $3, null, null, null, null)", 3, values);
    cJSON *json = cJSON_Parse(told);
    const cJSON *row;

    if (!json)
        fail("the database gives no figures");
    print_head();
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(json, "rows")) print_row(row, text(row, "label"));
    print_row(cJSON_GetObjectItemCaseSensitive(json, "total"), "total");
    free(told);
    told = sql_text(db, "select max(swept_to) from hotline.sweep", 0, NULL);
    printf("\nDue-type figures are exact as of %s.\n", told ? told : "never: the sweep has not run");
    free(told);
    cJSON_Delete(json);
    PQfinish(db);
    return 0;
}

/* Move the differences that commits left behind into the tables; the engine's sweep does it too. */
int metrics_fold(const struct args *args)
{
    PGconn *db = sql_open(args);
    long folded, all = 0;

    while ((folded = sql_number(db, "select hotline.fold()", 0, NULL)) > 0)
        all += folded;
    printf("folded %ld differences, %ld are left\n", all,
           sql_number(db, "select count(*) from hotline.fact_delta", 0, NULL));
    PQfinish(db);
    return 0;
}

/* Count everything again from the events and list what differs from the kept figures. */
int metrics_verify(const struct args *args)
{
    int most = (int)args_number(args, "rows", 20, 1, 100000), n;
    PGconn *db = sql_open(args);
    PGresult *rows;

    sql_do(db, "begin isolation level repeatable read read only", 0, NULL);
    rows = sql_query(db, "select * from hotline.metrics_verify()", 0, NULL);
    sql_do(db, "commit", 0, NULL);
    n = PQntuples(rows);
    for (int r = 0; r < n && r < most; r++)
        for (int c = 0; c < PQnfields(rows); c++)
            printf("%s%s", PQgetvalue(rows, r, c), c + 1 < PQnfields(rows) ? "  " : "\n");
    printf(n ? "%d differences: the figures do not agree with the events\n"
             : "the figures agree with the events: %d differences\n",
           n);
    PQclear(rows);
    PQfinish(db);
    return n ? 1 : 0;
}
