#include "texts.h"

#include "client.h"
#include "ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TITLE_MAX = 100, CONTENT_MAX = 4000 };

static struct {
    struct text *all;
    int n, room;
} texts;

/* A copy without control characters and with at most so many characters. */
static char *clean(const char *text, int max)
{
    char *copy = malloc(strlen(text) + 1), *to = copy;

    if (!copy)
        fail("no memory for the texts");
    while (*text == ' ' || *text == '\n' || *text == '\r' || *text == '\t')
        text++;
    for (; *text; text++) {
        if ((*text & 0xc0) != 0x80 && max-- == 0)
            break;
        *to++ = (unsigned char)*text < ' ' || *text == 127 ? ' ' : *text;
    }
    while (to > copy && to[-1] == ' ')
        to--;
    *to = '\0';
    return copy;
}

static char *copy_of(const cJSON *line, const char *name)
{
    const char *text = member(line, name);

    return *text ? strdup(text) : NULL;
}

static void add(const char *title, const char *content, const cJSON *line)
{
    if (texts.n == texts.room) {
        texts.room = texts.room ? texts.room * 2 : 1024;
        texts.all = realloc(texts.all, (size_t)texts.room * sizeof *texts.all);
        if (!texts.all)
            fail("no memory for the texts");
    }
    texts.all[texts.n++] = (struct text){ .title = clean(title, TITLE_MAX),
                                          .content = clean(content, CONTENT_MAX),
                                          .type = copy_of(line, "type"),
                                          .division = copy_of(line, "division"),
                                          .category = copy_of(line, "category") };
}

static bool add_line(const char *text)
{
    cJSON *line = cJSON_Parse(text);
    const char *title = member(line, "title"), *content = member(line, "content");
    bool good;

    if (!*content)
        content = member(line, "detail");
    good = strlen(title) >= 6 && strlen(content) >= 6;
    if (good)
        add(title, content, line);
    cJSON_Delete(line);
    return good;
}

void texts_read(const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    int bad = 0;

    if (!file)
        fail("cannot read %s", path);
    while (getline(&line, &room, file) > 0)
        bad += !add_line(line);
    if (bad)
        fprintf(stderr, "%s: %d lines left out: no title or no text\n", path, bad);
    free(line);
    fclose(file);
}

int texts_count(void)
{
    return texts.n;
}

const struct text *texts_at(int i)
{
    return &texts.all[i % texts.n];
}

void texts_free(void)
{
    for (int i = 0; i < texts.n; i++) {
        free(texts.all[i].title);
        free(texts.all[i].content);
        free(texts.all[i].type);
        free(texts.all[i].division);
        free(texts.all[i].category);
    }
    free(texts.all);
}
