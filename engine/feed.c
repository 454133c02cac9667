/* Ids are time-ordered but become visible in the order of commits, so every reading goes back over more time than a batch may
 * take; what was sent is known by its id.  Whoever resumes gets the rows of that overlap twice and drops doubles by id. */

#include "feed.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "cache.h"
#include "db.h"
#include "http.h"
#include "limit.h"
#include "loop.h"
#include "session.h"
#include "settings.h"

enum {
    POLL_MS = 1000,
    GAP_MS = 50, /* between readings and between pokes: at most 20 a second */
    HEARTBEAT_MS = 15000,
    CHECK_MS = 60000, /* how often a stream's session is looked at */
    OVERLAP_MS = 15000,
    PAGE = 500,
    RING = 10000,
    BUCKETS = 16384,
    REPLAY_MAX = 1000,
    SESSION_STREAMS = 8,
    TIME_SHIFT = 20 /* an id is milliseconds above so many bits of sequence */
};

static const char channel[] = "feed";
static const struct api_fn api_feed = { .name = "feed" };
static const struct api_fn api_session_get = { .name = "session_get" };

/* One event as it is sent, and who may see it. */
struct row {
    int64_t id;
    struct row *next; /* in its bucket */
    bool sealed;
    size_t nunits;
    int64_t *units;
    size_t len;
    char text[];
};

/* One open stream.  It goes when it is closed and no answer of the database is on its way to it. */
struct watcher {
    TAILQ_ENTRY(watcher) next;
    struct stream *stream; /* NULL: closed */
    int waits;
    char session[65];
    int64_t unit;
    bool tickets, all, sealed;
    int64_t check_at;
};

static struct {
    struct row *ring[RING]; /* in the order read; the oldest is at count % RING */
    size_t count;
    struct row *buckets[BUCKETS];
    int64_t head;  /* newest id read, 0 before the first reading */
    int64_t from;  /* of the reading under way */
    int64_t floor; /* everything from here on was read */
    bool reading, again, again_wide;
    bool waking, telling;
    int64_t woke_at;
    char self[17]; /* what this worker says when it pokes */
    struct timer *poll, *wake, *heartbeat;
    TAILQ_HEAD(, watcher) watchers;
} feed;

static int64_t overlap(void)
{
    int64_t ms = OVERLAP_MS, longest = 2LL * settings()->batch_ms;

    return (ms > longest ? ms : longest) << TIME_SHIFT;
}

/* Where to read from so that nothing before id is missed; 0 is before the first reading. */
static int64_t back_from(int64_t id)
{
    if (id == 0)
        return 0;
    return id > overlap() ? id - overlap() : 1;
}

/* Rows */

static int64_t read_id(const cJSON *value)
{
    if (cJSON_IsNumber(value))
        return (int64_t)value->valuedouble;
    return cJSON_IsString(value) ? strtoll(value->valuestring, NULL, 10) : 0;
}

static struct row **bucket_of(int64_t id)
{
    return &feed.buckets[((uint64_t)id * 0x9e3779b97f4a7c15u) >> 50];
}

static bool is_known(int64_t id)
{
    for (const struct row *row = *bucket_of(id); row != NULL; row = row->next)
        if (row->id == id)
            return true;
    return false;
}

static void free_loose(struct row *row)
{
    free(row->units);
    free(row);
}

static void free_row(struct row *row)
{
    struct row **at = bucket_of(row->id);

    while (*at != row)
        at = &(*at)->next;
    *at = row->next;
    free_loose(row);
}

static void keep_row(struct row *row)
{
    struct row **slot = &feed.ring[feed.count++ % RING], **bucket = bucket_of(row->id);

    if (*slot != NULL) {
        if ((*slot)->id > feed.floor)
            feed.floor = (*slot)->id;
        free_row(*slot);
    }
    *slot = row;
    row->next = *bucket;
    *bucket = row;
    if (row->id > feed.head)
        feed.head = row->id;
}

static void read_units(const cJSON *list, struct row *row)
{
    const cJSON *unit;

    row->units = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *row->units);
    if (row->units == NULL)
        abort();
    cJSON_ArrayForEach(unit, list) row->units[row->nunits++] = read_id(unit);
}

/* A row to be sent; what decides who sees it is taken out of what is sent. */
static struct row *make_row(cJSON *object)
{
    static const char form[] = "id: %lld\nevent: ticket\ndata: %s\n\n";
    long long id = read_id(cJSON_GetObjectItem(object, "id"));
    bool sealed = cJSON_IsTrue(cJSON_GetObjectItem(object, "sealed"));
    cJSON *units = cJSON_DetachItemFromObject(object, "units");
    struct row *row;
    char *data;
    int len;

    cJSON_DeleteItemFromObject(object, "id");
    cJSON_DeleteItemFromObject(object, "sealed");
    data = cJSON_PrintUnformatted(object);
    if (data == NULL)
        abort();
    len = snprintf(NULL, 0, form, id, data);
    row = calloc(1, sizeof *row + (size_t)len + 1);
    if (row == NULL)
        abort();
    row->id = id;
    row->sealed = sealed;
    row->len = (size_t)len;
    read_units(units, row);
    snprintf(row->text, (size_t)len + 1, form, id, data);
    cJSON_free(data);
    cJSON_Delete(units);
    return row;
}

static bool may_see(const struct watcher *watcher, const struct row *row)
{
    if (!watcher->tickets || (row->sealed && !watcher->sealed))
        return false;
    if (watcher->all)
        return true;
    for (size_t i = 0; i < row->nunits; i++)
        if (row->units[i] == watcher->unit)
            return true;
    return false;
}

/* Watchers */

/* To be freed at the end of the turn, whose other events may still name it. */
static void bury(struct watcher *watcher)
{
    if (watcher->waits == 0)
        loop_defer(free, watcher);
}

static void on_closed(void *arg)
{
    struct watcher *watcher = arg;

    watcher->stream = NULL;
    TAILQ_REMOVE(&feed.watchers, watcher, next);
    bury(watcher);
}

/* The database has answered a call made for a watcher.  False: its stream was closed meanwhile. */
static bool still_open(struct watcher *watcher)
{
    watcher->waits--;
    if (watcher->stream == NULL)
        bury(watcher);
    return watcher->stream != NULL;
}

/* May end the stream. */
static void say(const struct watcher *watcher, const char *text, size_t len)
{
    if (watcher->stream != NULL)
        (void)stream_send(watcher->stream, text, len);
}

static void say_text(const struct watcher *watcher, const char *text)
{
    say(watcher, text, strlen(text));
}

static void send_row(const struct watcher *watcher, const struct row *row)
{
    if (may_see(watcher, row))
        say(watcher, row->text, row->len);
}

static void send_to_all(const struct row *row)
{
    struct watcher *watcher, *next;

    for (watcher = TAILQ_FIRST(&feed.watchers); watcher != NULL; watcher = next) {
        next = TAILQ_NEXT(watcher, next);
        send_row(watcher, row);
    }
}

/* Reading forward */

static void call_feed(int64_t after, db_fn *done, void *arg)
{
    char json[80];
    int len = after > 0 ? snprintf(json, sizeof json, "{\"after\":\"%lld\",\"limit\":%d}", (long long)after, PAGE)
                        : snprintf(json, sizeof json, "{\"limit\":%d}", PAGE);

    db_call(&(struct db_call){ .fn = &api_feed, .json = json, .len = (size_t)len, .done = done, .arg = arg });
}

/* The list of rows in an answer, NULL when it is none; the caller deletes *whole. */
static cJSON *rows_of(const struct db_answer *answer, cJSON **whole)
{
    *whole = answer->status == 200 ? cJSON_ParseWithLength(answer->body, answer->len) : NULL;
    return cJSON_GetObjectItem(*whole, "events");
}

/* Keep and send what is new; the id of the last row. */
static int64_t take_rows(cJSON *rows)
{
    int64_t last = 0;
    cJSON *object;

    cJSON_ArrayForEach(object, rows)
    {
        struct row *row;

        last = read_id(cJSON_GetObjectItem(object, "id"));
        if (is_known(last))
            continue;
        row = make_row(object);
        keep_row(row);
        send_to_all(row);
    }
    return last;
}

static void read_on(bool wide);

static void finish_reading(void)
{
    feed.reading = false;
    if (feed.again) {
        feed.again = false;
        read_on(feed.again_wide);
    }
}

/* The first answer brings no rows but the id from which on everything will be known. */
static void begin_at(const cJSON *answer)
{
    if (feed.head == 0)
        feed.head = feed.floor = read_id(cJSON_GetObjectItem(answer, "last"));
}

static void on_page(const struct db_answer *answer, void *arg)
{
    cJSON *whole, *rows = rows_of(answer, &whole);
    bool full = cJSON_GetArraySize(rows) >= PAGE;
    int64_t last;

    (void)arg;
    begin_at(whole);
    last = take_rows(rows);
    cJSON_Delete(whole);
    if (full) {
        feed.from = last;
        call_feed(feed.from, on_page, NULL);
    } else {
        finish_reading();
    }
}

/* wide: over the overlap again, which finds what was committed late; else only on from the newest. */
static void read_on(bool wide)
{
    if (feed.reading) {
        feed.again_wide = feed.again ? feed.again_wide || wide : wide;
        feed.again = true;
        return;
    }
    feed.reading = true;
    feed.from = wide ? back_from(feed.head) : feed.head;
    call_feed(feed.from, on_page, NULL);
}

static void on_poll(void *arg)
{
    (void)arg;
    timer_set(feed.poll, POLL_MS);
    read_on(true);
}

/* Poking */

static void on_wake(void *arg)
{
    (void)arg;
    feed.waking = false;
    feed.woke_at = loop_now();
    if (feed.telling)
        cache_publish(channel, feed.self);
    feed.telling = false;
    if (!TAILQ_EMPTY(&feed.watchers))
        read_on(false);
}

static void wake(void)
{
    if (feed.waking)
        return;
    feed.waking = true;
    timer_set(feed.wake, feed.woke_at + GAP_MS - loop_now());
}

static void on_poke(const char *text, size_t len, void *arg)
{
    (void)arg;
    if (len != strlen(feed.self) || memcmp(text, feed.self, len) != 0)
        wake();
}

void feed_poke(void)
{
    feed.telling = true;
    wake();
}

/* Replay */

static void reset(const struct watcher *watcher)
{
    say_text(watcher, "event: reset\ndata: {}\n\n");
}

/* All rows after an id that this worker still has; false when they are too many to be worth it. */
static bool replay_ring(const struct watcher *watcher, int64_t after)
{
    const struct row *found[REPLAY_MAX];
    size_t n = 0;

    for (size_t i = feed.count > RING ? feed.count - RING : 0; i < feed.count; i++) {
        const struct row *row = feed.ring[i % RING];

        if (row->id <= after || !may_see(watcher, row))
            continue;
        if (n == REPLAY_MAX)
            return false;
        found[n++] = row;
    }
    for (size_t i = 0; i < n; i++)
        say(watcher, found[i]->text, found[i]->len);
    return true;
}

static void on_replay(const struct db_answer *answer, void *arg)
{
    struct watcher *watcher = arg;
    cJSON *whole, *rows, *object;

    if (!still_open(watcher))
        return;
    rows = rows_of(answer, &whole);
    if (rows == NULL || cJSON_GetArraySize(rows) >= PAGE) {
        reset(watcher);
    } else {
        cJSON_ArrayForEach(object, rows)
        {
            struct row *row = make_row(object);

            send_row(watcher, row);
            free_loose(row);
        }
    }
    cJSON_Delete(whole);
}

/* Send what was missed since an id, from here or from the database; too much of it makes the page read its list again. */
static void replay(struct watcher *watcher, const char *after)
{
    int64_t from;

    if (!id_valid(after)) {
        reset(watcher);
        return;
    }
    from = back_from(strtoll(after, NULL, 10));
    if (feed.head == 0 || from < feed.floor) {
        watcher->waits++;
        call_feed(from, on_replay, watcher);
    } else if (!replay_ring(watcher, from)) {
        reset(watcher);
    }
}

/* Streams live on while their session does */

static void take_actor(struct watcher *watcher, const struct actor *actor)
{
    watcher->unit = actor->unit;
    watcher->tickets = actor->tickets;
    watcher->all = actor->all;
    watcher->sealed = actor->sealed;
}

static void on_checked(const struct db_answer *answer, void *arg)
{
    struct watcher *watcher = arg;
    struct arena *arena;
    const struct actor *actor;

    if (!still_open(watcher))
        return;
    if (answer->status == 401)
        stream_close(watcher->stream);
    if (answer->status != 200)
        return;
    arena = arena_new();
    actor = actor_read(arena, (struct bytes){ answer->body, answer->len });
    if (actor != NULL)
        take_actor(watcher, actor);
    arena_free(arena);
}

/* Somebody signed out, at whichever worker.  What Redis does not tell, the next check finds. */
static void on_session_closed(const char *text, size_t len, void *arg)
{
    struct watcher *watcher, *next;

    (void)arg;
    for (watcher = TAILQ_FIRST(&feed.watchers); watcher != NULL; watcher = next) {
        next = TAILQ_NEXT(watcher, next);
        if (strlen(watcher->session) == len && memcmp(watcher->session, text, len) == 0)
            stream_close(watcher->stream);
    }
}

/* A session that ended or lost rights ends or narrows its streams; a database that is away changes nothing. */
static void check_session(struct watcher *watcher)
{
    char json[96];
    int len = snprintf(json, sizeof json, "{\"session\":\"%s\"}", watcher->session);

    watcher->waits++;
    watcher->check_at = loop_now() + CHECK_MS;
    db_call(&(struct db_call){
        .fn = &api_session_get, .json = json, .len = (size_t)len, .done = on_checked, .arg = watcher });
}

/* Also shows readers that went away without a word. */
static void on_heartbeat(void *arg)
{
    struct watcher *watcher, *next;

    (void)arg;
    timer_set(feed.heartbeat, HEARTBEAT_MS);
    for (watcher = TAILQ_FIRST(&feed.watchers); watcher != NULL; watcher = next) {
        next = TAILQ_NEXT(watcher, next);
        if (watcher->check_at <= loop_now())
            check_session(watcher);
        say_text(watcher, ":\n\n");
    }
}

static int streams_of(const char *session)
{
    const struct watcher *watcher;
    int n = 0;

    TAILQ_FOREACH(watcher, &feed.watchers, next)
    n += strcmp(watcher->session, session) == 0;
    return n;
}

static enum next open_stream(struct req *r)
{
    const char *after = req_header(r, "Last-Event-ID");
    struct watcher *watcher;

    if (streams_of(r->session) >= SESSION_STREAMS)
        return refuse(r, 429, "too_many", why_new(r->arena, "打开的页面过多", "too many pages are open"));
    watcher = calloc(1, sizeof *watcher);
    if (watcher == NULL)
        abort();
    watcher->stream = stream_open(r, on_closed, watcher);
    if (watcher->stream == NULL) {
        free(watcher);
        return refuse_later(r, "busy", 5);
    }
    memcpy(watcher->session, r->session, sizeof watcher->session);
    watcher->check_at = loop_now() + CHECK_MS;
    take_actor(watcher, session_actor(r));
    TAILQ_INSERT_TAIL(&feed.watchers, watcher, next);
    say_text(watcher, "retry: 3000\n\n");
    if (after == NULL)
        after = req_query(r, "after");
    if (after != NULL)
        replay(watcher, after);
    return WAIT;
}

static step_fn *const get_events[] = { session_load, open_stream };

static const struct route routes[] = { { "GET", "/v1/events", get_events, ROUTE_STREAM } };

bool feed_open(void)
{
    uint64_t self;

    TAILQ_INIT(&feed.watchers);
    randombytes_buf(&self, sizeof self);
    snprintf(feed.self, sizeof feed.self, "%016llx", (unsigned long long)self);
    feed.poll = timer_new(on_poll, NULL);
    feed.wake = timer_new(on_wake, NULL);
    feed.heartbeat = timer_new(on_heartbeat, NULL);
    timer_set(feed.poll, 0);
    timer_set(feed.heartbeat, HEARTBEAT_MS);
    cache_subscribe(channel, on_poke, NULL);
    cache_subscribe(session_closed_channel, on_session_closed, NULL);
    http_routes(routes, COUNT(routes));
    return true;
}

void feed_close(void)
{
    struct watcher *watcher, *next;

    for (watcher = TAILQ_FIRST(&feed.watchers); watcher != NULL; watcher = next) {
        next = TAILQ_NEXT(watcher, next);
        stream_close(watcher->stream);
    }
    timer_free(feed.poll);
    timer_free(feed.wake);
    timer_free(feed.heartbeat);
    for (size_t i = 0; i < RING && feed.ring[i] != NULL; i++)
        free_row(feed.ring[i]);
    memset(feed.ring, 0, sizeof feed.ring);
    feed.count = 0;
    feed.head = feed.floor = 0;
    feed.reading = feed.again = feed.waking = feed.telling = false;
}
