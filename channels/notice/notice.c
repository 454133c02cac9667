/* Notices to citizens and units: which ways are on, and the words that are filled in last. */

#include "notice.h"

#include <string.h>

static const struct {
    const struct way *way;
    bool (*prepare)(void);
} ways[] = { { &way_sms, sms_prepare }, { &way_mail, mail_prepare }, { &way_webhook, NULL } };

char *notice_fill(struct arena *arena, const char *text, const struct word *words, size_t n)
{
    char *out = arena_strdup(arena, "");
    const char *brace;

    while ((brace = strchr(text, '{')) != NULL) {
        size_t len = strcspn(brace + 1, "{}"), i = 0;

        while (i < n && (strlen(words[i].name) != len || strncmp(words[i].name, brace + 1, len) != 0))
            i++;
        out = arena_printf(arena, "%s%.*s", out, (int)(brace - text), text);
        if (i < n && brace[1 + len] == '}') {
            out = arena_printf(arena, "%s%s", out, words[i].value);
            text = brace + len + 2;
        } else {
            out = arena_printf(arena, "%s{", out);
            text = brace + 1;
        }
    }
    return arena_printf(arena, "%s%s", out, text);
}

const char *notice_text(struct message *m)
{
    const char *sealed = json_text(m->json, "query_code_enc"), *number = json_text(m->json, "number");
    const char *code = sealed ? secret_open(m->arena, sealed, "query_code") : NULL;
    char token[RATING_TOKEN_SIZE];
    struct word words[2];

    rating_token(number, (int)cJSON_GetNumberValue(cJSON_GetObjectItem(m->json, "round")), token);
    words[0] = (struct word){ "code", code ? code : "" };
    /* Behind the #, which no browser sends: the token stands in nobody's log. */
    words[1] = (struct word){ "link", arena_printf(m->arena, "%s/follow?number=%s#rating=%s", settings()->public_origin,
                                                   number, token) };
    return notice_fill(m->arena, json_text(m->json, "text"), words, COUNT(words));
}

static bool is_on(const char *name)
{
    const char *list = settings()->notice_ways;
    size_t len = strlen(name);

    for (; *list; list += strspn(list, ", ")) {
        size_t word = strcspn(list, ", ");

        if (word == len && !strncmp(list, name, len))
            return true;
        list += word;
    }
    return false;
}

static bool known_ways(void)
{
    const char *list = settings()->notice_ways;
    size_t given = 0, found = 0;

    for (list += strspn(list, ", "); *list; list += strspn(list, ", ")) {
        given++;
        list += strcspn(list, ", ");
    }
    for (size_t i = 0; i < COUNT(ways); i++)
        found += is_on(ways[i].way->name);
    if (given == found)
        return true;
    log_error("notice_ways", "why=\"sms, email and webhook are the ways there are\"");
    return false;
}

static bool prepare_notice(void)
{
    for (size_t i = 0; i < COUNT(ways); i++)
        if (is_on(ways[i].way->name) && ways[i].prepare && !ways[i].prepare())
            return false;
    return known_ways();
}

static bool open_notice(void)
{
    for (size_t i = 0; i < COUNT(ways); i++)
        if (is_on(ways[i].way->name))
            outbox_way(ways[i].way);
    return true;
}

const struct channel channel_notice = { .name = "notice", .prepare = prepare_notice, .open = open_notice };
