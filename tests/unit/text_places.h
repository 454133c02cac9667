#ifndef TEXT_PLACES_H
#define TEXT_PLACES_H

/* The divisions of Shantou from the shared data folder: $HOTLINE_SHARED, else ../shared beside the repository. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "place.h"

struct shantou {
    struct place_row rows[1300];
    char text[1300][3][64];
    size_t count;
};

static inline FILE *shared_open(const char *name)
{
    const char *folder = getenv("HOTLINE_SHARED");
    char path[512];
    FILE *file;

    snprintf(path, sizeof path, "%s/data/%s", folder ? folder : "../shared", name);
    file = fopen(path, "r");
    if (!file)
        printf("# SKIPPED: cannot open %s; set HOTLINE_SHARED to the folder with data/\n", path);
    return file;
}

static inline bool shantou_read(struct shantou *s, const char *name, int level)
{
    FILE *file = shared_open(name);
    char line[512];

    if (!file)
        return false;
    for (bool head = true; fgets(line, sizeof line, file); head = false) {
        char(*text)[64] = s->text[s->count];

        if (head || sscanf(line, "%63[^,],%63[^,],%63[^,\r\n]", text[0], text[1], text[2]) != 3)
            continue;
        s->rows[s->count++] = (struct place_row){ text[0], text[2], level, text[1] };
        if (s->count == 1300)
            break;
    }
    fclose(file);
    return true;
}

static inline bool shantou_load(struct shantou *s)
{
    memset(s, 0, sizeof *s);
    s->rows[s->count++] = (struct place_row){ "4405", NULL, PLACE_CITY, "汕头市" };
    return shantou_read(s, "admin/shantou_districts.csv", PLACE_DISTRICT) &&
           shantou_read(s, "admin/shantou_towns.csv", PLACE_TOWN) &&
           shantou_read(s, "admin/shantou_villages.csv", PLACE_VILLAGE);
}

#endif
