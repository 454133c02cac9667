#ifndef TEXT_PLACE_H
#define TEXT_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Finds the city's own districts, towns and villages in a text and says which one the text is about. */

enum place_level { PLACE_CITY = 1, PLACE_DISTRICT, PLACE_TOWN, PLACE_VILLAGE };

enum {
    PLACE_CODE = 16,      /* bytes of a code with its NUL: 6, 9 or 12 digits are in use */
    PLACE_CANDIDATES = 5, /* other readings that are reported */
    PLACE_MENTIONS = 256, /* names of a text that are weighed; later ones are not */
};

struct place_row {
    const char *code, *parent; /* parent may be NULL or unknown: then the place stands alone */
    int level;                 /* enum place_level; rows of other levels are left out */
    const char *name;
};

struct place_hit {
    char code[PLACE_CODE];
    const char *name; /* belongs to the place_index */
    enum place_level level;
    double confidence;      /* 0..1; from PLACE_SURE on it may be acted upon without a person */
    uint32_t start, length; /* bytes of the text where the name was read */
};

#define PLACE_SURE 0.8

struct place_result {
    struct place_hit best; /* code "" when the text names no place, or several far apart */
    struct place_hit candidates[PLACE_CANDIDATES];
    size_t count;   /* of candidates, the strongest first */
    bool contested; /* several places were named that no town or district less than the best one holds */
};

struct place_index;

/* Keeps copies of the rows.  Never NULL; free it with place_index_free. */
struct place_index *place_index_new(const struct place_row *rows, size_t count) __attribute__((warn_unused_result));
void place_index_free(struct place_index *index);

/* Reads a normalised text; lead is the bytes of its title, which weigh more.  near: the code of where the citizen says to be, or
 * NULL; it names no place by itself but tells apart those of one name, codes being longer within their place.  Time grows with the
 * text alone. */
void place_find(const struct place_index *index, const char *norm, size_t len, size_t lead, const char *near,
                struct place_result *out);

#endif
