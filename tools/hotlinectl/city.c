#include "city.h"

#include "ctl.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    char id[12], parent[12];
    const char *kind;
    int level;
    char staff[32]; /* its code in lower case */
};

static struct {
    cJSON *json;
    struct unit *units;
    int n_units;
    const char **divisions, **categories, **departments;
    int n_divisions, n_categories, n_departments;
} city;

static int level_of(const cJSON *item)
{
    return (int)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(item, "level"));
}

static void *room_for(const cJSON *list, size_t size)
{
    void *room = calloc((size_t)cJSON_GetArraySize(list) + 1, size);

    if (!room)
        fail("no memory for the reference data");
    return room;
}

/* The codes of a list's third level; returns how many. */
static int read_codes(const char *name, const char ***codes)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(city.json, name), *item;
    int n = 0;

    *codes = room_for(list, sizeof **codes);
    cJSON_ArrayForEach(item, list) if (level_of(item) == 3)(*codes)[n++] = member(item, "code");
    if (!n)
        fail("the engine's reference data have no %s", name);
    return n;
}

static void read_id(const cJSON *item, const char *name, char id[12])
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(item, name);

    if (cJSON_IsNumber(value))
        snprintf(id, 12, "%.0f", value->valuedouble);
    else
        snprintf(id, 12, "%s", member(item, name));
}

static void read_unit(const cJSON *item, struct unit *unit)
{
    read_id(item, "id", unit->id);
    read_id(item, "parent", unit->parent);
    unit->kind = member(item, "kind");
    unit->level = level_of(item);
    for (size_t i = 0; i < sizeof unit->staff - 1 && member(item, "code")[i]; i++)
        unit->staff[i] = (char)tolower((unsigned char)member(item, "code")[i]);
    if (!strcmp(unit->kind, "department"))
        city.departments[city.n_departments++] = unit->id;
}

void city_read(struct client *client, const char *token)
{
    struct answer answer =
        client_call(client, &(struct call){ .method = "GET", .path = "/v1/desk/reference", .token = token });
    const cJSON *list, *item;

    if (answer.status != 200)
        fail("GET /v1/desk/reference answers %ld %s", answer.status, member(answer.json, "code"));
    city.json = answer.json;
    city.n_divisions = read_codes("divisions", &city.divisions);
    city.n_categories = read_codes("categories", &city.categories);
    list = cJSON_GetObjectItemCaseSensitive(city.json, "units");
    city.units = room_for(list, sizeof *city.units);
    city.departments = room_for(list, sizeof *city.departments);
    cJSON_ArrayForEach(item, list) read_unit(item, &city.units[city.n_units++]);
    if (!city.n_departments)
        fail("the engine's reference data have no departments");
}

void city_free(void)
{
    free(city.units);
    free(city.divisions);
    free(city.categories);
    free(city.departments);
    cJSON_Delete(city.json);
}

const char *city_division(struct chance *chance)
{
    return city.divisions[chance_between(chance, 0, city.n_divisions - 1)];
}

const char *city_category(struct chance *chance)
{
    return city.categories[chance_between(chance, 0, city.n_categories - 1)];
}

const char *city_department(struct chance *chance)
{
    return city.departments[chance_between(chance, 0, city.n_departments - 1)];
}

static const struct unit *find(const char *id)
{
    for (int i = 0; i < city.n_units; i++)
        if (!strcmp(city.units[i].id, id))
            return &city.units[i];
    return NULL;
}

const char *city_staff(const char *unit_id)
{
    const struct unit *unit = find(unit_id);

    while (unit && unit->level > 2 && strcmp(unit->kind, "street") != 0)
        unit = find(unit->parent);
    return unit && unit->level > 1 ? unit->staff : "";
}
