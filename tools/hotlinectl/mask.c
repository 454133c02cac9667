/* The masked copies of words that came into the database before the scan did, or past it. */

#include "ctl.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "private.h"

static const struct {
    const char *name, *read, *write;
} tables[] = {
    { "tickets",
      "select id, version, title, content, address from hotline.ticket where masked is null and id > $1 order by id "
      "limit 500",
      "with u as (update hotline.ticket t set masked = hotline.masks(e->2) from jsonb_array_elements($1::jsonb) e"
      " where t.id = (e->>0)::bigint and t.version = (e->>1)::int and t.masked is null returning 1) select count(*) "
      "from u" },
    { "earlier texts",
      "select ticket_id, n, title, content, null from hotline.ticket_text x where masked is null and ticket_id > $1"
      " and ticket_id <= (select max(ticket_id) from (select ticket_id from hotline.ticket_text where masked is null"
      " and ticket_id > $1 order by ticket_id limit 500) page) order by ticket_id",
      "with u as (update hotline.ticket_text t set masked = hotline.masks(e->2) from jsonb_array_elements($1::jsonb) e"
      " where t.ticket_id = (e->>0)::bigint and t.n = (e->>1)::int and t.masked is null returning 1) select count(*) "
      "from u" },
};

/* [id, version, scan] of one row. */
static cJSON *scan_row(struct arena *arena, const PGresult *page, int row)
{
    cJSON *entry = cJSON_CreateArray(), *texts = cJSON_CreateObject(), *found = cJSON_CreateObject();

    for (int i = 0; private_texts[i]; i++)
        if (!PQgetisnull(page, row, 2 + i))
            cJSON_AddStringToObject(texts, private_texts[i], PQgetvalue(page, row, 2 + i));
    private_read(arena, found, texts, private_texts, NULL);
    cJSON_AddItemToArray(entry, cJSON_CreateString(PQgetvalue(page, row, 0)));
    cJSON_AddItemToArray(entry, cJSON_CreateString(PQgetvalue(page, row, 1)));
    cJSON_AddItemToArray(entry, cJSON_DetachItemFromObject(found, "private"));
    cJSON_Delete(found);
    cJSON_Delete(texts);
    return entry;
}

static long mask_page(PGconn *db, const char *write, const PGresult *page)
{
    struct arena *arena = arena_new();
    cJSON *rows = cJSON_CreateArray();
    char *text;
    long changed;

    for (int i = 0; i < PQntuples(page); i++)
        cJSON_AddItemToArray(rows, scan_row(arena, page, i));
    text = cJSON_PrintUnformatted(rows);
    if (!text)
        fail("no memory for a page");
    changed = sql_number(db, write, 1, (const char *const[]){ text });
    free(text);
    cJSON_Delete(rows);
    arena_free(arena);
    return changed;
}

int mask(const struct args *args)
{
    PGconn *db = sql_open(args);

    for (int i = 0; i < COUNT(tables); i++) {
        char after[24] = "0";
        long changed = 0;

        for (bool more = true; more;) {
            PGresult *page = sql_query(db, tables[i].read, 1, (const char *const[]){ after });
            int n = PQntuples(page);

            more = n > 0;
            if (more) {
                changed += mask_page(db, tables[i].write, page);
                snprintf(after, sizeof after, "%s", PQgetvalue(page, n - 1, 0));
            }
            PQclear(page);
        }
        printf("%ld %s scanned\n", changed, tables[i].name);
    }
    PQfinish(db);
    return 0;
}
