#include "client.h"

#include "ctl.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TRIES = 40, BODY_MAX = 8 << 20 };

struct client {
    CURL *curl;
    const char *url;
    long calls, repeats;
    char *text;
    size_t len, room;
};

struct client *client_new(const char *url)
{
    struct client *client = calloc(1, sizeof *client);

    if (!client || !(client->curl = curl_easy_init()))
        fail("no memory for an HTTP client");
    client->url = url;
    return client;
}

void client_free(struct client *client)
{
    curl_easy_cleanup(client->curl);
    free(client->text);
    free(client);
}

long client_calls(const struct client *client)
{
    return client->calls;
}

long client_repeats(const struct client *client)
{
    return client->repeats;
}

static size_t take(char *bytes, size_t size, size_t n, void *arg)
{
    struct client *client = arg;
    size_t len = size * n;

    if (client->len + len + 1 > BODY_MAX)
        return 0;
    if (client->len + len + 1 > client->room) {
        size_t room = (client->len + len + 1) * 2;
        char *text = realloc(client->text, room);

        if (!text)
            return 0;
        client->text = text;
        client->room = room;
    }
    memcpy(client->text + client->len, bytes, len);
    client->len += len;
    client->text[client->len] = '\0';
    return len;
}

static struct curl_slist *header(struct curl_slist *list, const char *name, const char *value)
{
    char line[512];

    if (!value)
        return list;
    snprintf(line, sizeof line, "%s: %s", name, value);
    return curl_slist_append(list, line);
}

static struct curl_slist *headers(const struct call *call)
{
    struct curl_slist *list = NULL;
    char bearer[300];

    snprintf(bearer, sizeof bearer, "Bearer %s", call->token ? call->token : "");
    list = header(list, "Authorization", call->token ? bearer : NULL);
    list = header(list, "X-Forwarded-For", call->address);
    list = header(list, "Idempotency-Key", call->key);
    list = header(list, "X-Hotline-Time", call->at);
    list = header(list, "Content-Type", call->body ? "application/json" : NULL);
    /* curl would ask before it sends a body of a kilobyte, and wait. */
    return curl_slist_append(list, "Expect:");
}

static void once(struct client *client, const struct call *call, const char *body, struct answer *answer)
{
    struct curl_slist *list = headers(call);
    char url[1024];
    CURLcode code;

    snprintf(url, sizeof url, "%s%s", client->url, call->path);
    client->len = 0;
    client->calls++;
    curl_easy_reset(client->curl);
    curl_easy_setopt(client->curl, CURLOPT_URL, url);
    curl_easy_setopt(client->curl, CURLOPT_CUSTOMREQUEST, call->method);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, list);
    if (body)
        curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, client);
    curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS, 30000L);
    curl_easy_setopt(client->curl, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
    curl_easy_setopt(client->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(client->curl, CURLOPT_NOPROXY, "*");
    code = curl_easy_perform(client->curl);
    curl_slist_free_all(list);
    answer->status = 0;
    if (code == CURLE_OK)
        curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &answer->status);
    else
        snprintf(answer->error, sizeof answer->error, "%s", curl_easy_strerror(code));
}

static bool again(long status)
{
    return status == 0 || status == 429 || status == 502 || status == 503 || status == 504;
}

/* 0.1 s, then longer, at most 2 s. */
static void pause_before(int try)
{
    int ms = try < 5 ? 100 <<
    try:
        2000;

    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
}

struct answer client_call(struct client *client, const struct call *call)
{
    struct answer answer = { 0 };
    char *body = call->body ? cJSON_PrintUnformatted(call->body) : NULL;

    for (int try = 0; try < TRIES; try++) {
        if (try) {
            pause_before(try - 1);
            client->repeats++;
        }
        once(client, call, body, &answer);
        if (!again(answer.status))
            break;
    }
    if (answer.status && client->len)
        answer.json = cJSON_ParseWithLength(client->text, client->len);
    free(body);
    return answer;
}

void answer_free(struct answer *answer)
{
    cJSON_Delete(answer->json);
    answer->json = NULL;
}

const char *member(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

    return text ? text : "";
}
