/* Ids are time-ordered but become visible in the order of commits.  So a reading starts at a mark that the last one brought:
 * the transactions that had ended by then, and the id below which those that had not will write none.  A few known events come
 * again and are known by their ids.  Nothing is read while nobody watches.  Who resumes has only an id: they get what came
 * after it and, of a little before it, what they may know; they drop doubles by id. */

#include "feed.h"

#include <assert.h>
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
    GAP_MS = 50,      /* between readings and between pokes: at most 20 a second */
    RELOAD_MS = 2000, /* so long what makes pages read their lists again is gathered */
    HEARTBEAT_MS = 15000,
    BEAT_MS = 500,    /* how often those are served whose heartbeat is due: not all at once */
    CHECK_MS = 60000, /* how often a stream's session is looked at */
    OVERLAP_MS = 15000,
    PAGE = 500,
    RING = 10000,
    SEEN = 65536,
    BUCKETS = 16384,
    REPLAY_MAX = 500, /* rows; with PAGE less than a stream may owe */
    SESSION_STREAMS = 8,
    TIME_SHIFT = 20,  /* an id is milliseconds above so many bits of sequence */
    SAY_MAX = 65536,  /* bytes that leave for a watcher in one piece */
    LOST_XIDS = 10000 /* a promoted standby may give out again what its predecessor had given out last */
};

static const char channel[] = "feed", reload_channel[] = "reload";
static const struct api_fn api_feed = { .name = "feed" };
static const struct api_fn api_session_get = { .name = "session_get" };

/* One event as it is sent, and who may see it. */
struct row {
    int64_t id;
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
    int64_t check_at, beat_at;
    size_t place;  /* rows read before this were sent to it or are not for it */
    int64_t after; /* what it missed since then is on its way, and newer rows wait for that; 0: nothing is */
    int64_t before;
    size_t asked_at; /* that, when so many rows were known and the reading's horizon was that */
};

/* Where a reading starts, as hotline.feed_mark gives it. */
struct mark {
    int64_t horizon, since, end;
};

/* A request that waits until the reading has begun. */
struct waiter {
    STAILQ_ENTRY(waiter) next;
    struct req *r;
};

enum phase { STOPPED, BEGINNING, RUNNING };

static struct {
    struct row *ring[RING]; /* in the order read; the oldest is at count % RING */
    size_t count;
    int64_t floor; /* everything from here on was read */
    enum phase phase;
    struct mark mark, next;              /* of the next reading, and as the one under way found it */
    int64_t stale, stale_next, stale_at; /* ends of earlier marks: one old enough, the one to follow it and when */
    size_t known;                        /* rows before this were sent */
    bool reading, again;
    bool failed; /* the last reading had no answer */
    bool waking, telling, reloading;
    int64_t woke_at;
    char self[17]; /* what this worker says when it pokes */
    struct timer *poll, *wake, *heartbeat, *reload;
    TAILQ_HEAD(, watcher) watchers;
    STAILQ_HEAD(, waiter) waiters;
} feed;

/* The ids read last: more than the rows, since a slow transaction or a lost reading can bring back many seconds of them. */
static struct {
    int64_t ids[SEEN];  /* in the order read; the oldest is at count % SEEN */
    int next[SEEN];     /* in its bucket; place + 1, 0 ends it */
    int first[BUCKETS]; /* place + 1 */
    size_t count;
} seen;

static int64_t overlap_ms(void)
{
    int64_t ms = OVERLAP_MS, longest = 2LL * settings()->batch_ms;

    return ms > longest ? ms : longest;
}

/* An id so long before another that nothing which was committed after that one is missed. */
static int64_t back_from(int64_t id)
{
    int64_t overlap = overlap_ms() << TIME_SHIFT;

    return id > overlap ? id - overlap : 1;
}

/* Rows */

static int64_t read_id(const cJSON *value)
{
    if (cJSON_IsNumber(value))
        return (int64_t)value->valuedouble;
    return cJSON_IsString(value) ? strtoll(value->valuestring, NULL, 10) : 0;
}

static int *bucket_of(int64_t id)
{
    return &seen.first[((uint64_t)id * 0x9e3779b97f4a7c15u) >> 50];
}

static bool is_known(int64_t id)
{
    for (int at = *bucket_of(id); at > 0; at = seen.next[at - 1])
        if (seen.ids[at - 1] == id)
            return true;
    return false;
}

static void forget_oldest(int place)
{
    int *at = bucket_of(seen.ids[place]);

    while (*at != place + 1)
        at = &seen.next[*at - 1];
    *at = seen.next[place];
}

static void note_id(int64_t id)
{
    int place = (int)(seen.count % SEEN), *bucket = bucket_of(id);

    if (seen.count++ >= SEEN)
        forget_oldest(place);
    seen.ids[place] = id;
    seen.next[place] = *bucket;
    *bucket = place + 1;
}

static void free_row(struct row *row)
{
    free(row->units);
    free(row);
}

static void keep_row(struct row *row)
{
    struct row **slot = &feed.ring[feed.count++ % RING];

    if (*slot != NULL) {
        if ((*slot)->id > feed.floor)
            feed.floor = (*slot)->id;
        free_row(*slot);
    }
    *slot = row;
    note_id(row->id);
}

static void drop_rows(void)
{
    struct watcher *watcher;

    TAILQ_FOREACH(watcher, &feed.watchers, next)
    watcher->place = 0;
    for (size_t i = 0; i < RING && feed.ring[i] != NULL; i++)
        free_row(feed.ring[i]);
    memset(feed.ring, 0, sizeof feed.ring);
    feed.count = feed.known = 0;
    seen.count = 0;
    memset(seen.first, 0, sizeof seen.first);
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

static void reset(const struct watcher *watcher)
{
    say_text(watcher, "event: reset\ndata: {}\n\n");
}

static void reset_all(void)
{
    struct watcher *watcher, *next;

    for (watcher = TAILQ_FIRST(&feed.watchers); watcher != NULL; watcher = next) {
        next = TAILQ_NEXT(watcher, next);
        reset(watcher);
    }
}

/* Rows of one watcher on their way into one piece. */
static struct {
    const struct watcher *watcher;
    size_t len;
    char text[SAY_MAX];
} piece;

static void piece_begin(const struct watcher *watcher)
{
    piece.watcher = watcher;
    piece.len = 0;
}

static void piece_end(void)
{
    if (piece.len > 0)
        say(piece.watcher, piece.text, piece.len);
    piece.len = 0;
}

static void piece_add(const struct row *row)
{
    if (!may_see(piece.watcher, row))
        return;
    if (piece.len + row->len > sizeof piece.text)
        piece_end();
    assert(row->len <= sizeof piece.text);
    memcpy(piece.text + piece.len, row->text, row->len);
    piece.len += row->len;
}

/* The next rows of the ring. */
static void send_next(struct watcher *watcher)
{
    size_t end = feed.count - watcher->place > PAGE ? watcher->place + PAGE : feed.count;

    piece_begin(watcher);
    for (; watcher->place < end; watcher->place++)
        piece_add(feed.ring[watcher->place % RING]);
    piece_end();
}

/* The fresh rows as those see them who see all, with and without the sealed ones; NULL: there are none. */
static struct shared *fresh_of_all(bool sealed)
{
    struct shared *fresh;
    size_t len = 0, at = 0;
    char *text;

    for (size_t i = feed.known; i < feed.count; i++)
        len += feed.ring[i % RING]->len;
    text = malloc(len + 1);
    if (text == NULL)
        abort();
    for (size_t i = feed.known; i < feed.count; i++) {
        const struct row *row = feed.ring[i % RING];

        if (row->sealed && !sealed)
            continue;
        memcpy(text + at, row->text, row->len);
        at += row->len;
    }
    fresh = at > 0 ? shared_new(text, at) : NULL;
    free(text);
    return fresh;
}

/* Who still owes earlier rows gets no more of them: the ring keeps what it has not got, and who falls behind the ring is cut off
 * and comes back. */
static void send_to(struct watcher *watcher, struct shared *const all[])
{
    if (watcher->after > 0 || watcher->place == feed.count)
        return;
    if (feed.count - watcher->place > RING) {
        stream_cut(watcher->stream);
    } else if (stream_is_behind(watcher->stream)) {
        return;
    } else if (watcher->all && watcher->tickets && watcher->place == feed.known) {
        if (all[watcher->sealed] != NULL)
            (void)stream_send_shared(watcher->stream, all[watcher->sealed]);
        watcher->place = feed.count;
    } else {
        send_next(watcher);
    }
}

/* What was read since the last time, to all who wait for nothing older. */
static void send_fresh(void)
{
    struct shared *all[] = { fresh_of_all(false), fresh_of_all(true) };
    struct watcher *watcher, *next;

    for (watcher = TAILQ_FIRST(&feed.watchers); watcher != NULL; watcher = next) {
        next = TAILQ_NEXT(watcher, next);
        send_to(watcher, all);
    }
    for (int i = 0; i < 2; i++)
        if (all[i] != NULL)
            shared_drop(all[i]);
    feed.known = feed.count;
}

/* Reading forward */

static void call_feed(const char *json, int len, db_fn *done, void *arg)
{
    db_call(&(struct db_call){ .fn = &api_feed, .json = json, .len = (size_t)len, .done = done, .arg = arg });
}

/* The list of rows in an answer, NULL when it is none; the caller deletes *whole. */
static cJSON *rows_of(const struct db_answer *answer, cJSON **whole)
{
    *whole = answer->status == 200 ? cJSON_ParseWithLength(answer->body, answer->len) : NULL;
    return cJSON_GetObjectItem(*whole, "events");
}

static struct mark mark_of(const cJSON *answer)
{
    return (struct mark){
        .horizon = read_id(cJSON_GetObjectItem(answer, "horizon")),
        .since = read_id(cJSON_GetObjectItem(answer, "since")),
        .end = read_id(cJSON_GetObjectItem(answer, "end")),
    };
}

/* Keep what is new; the id of the last row. */
static int64_t take_rows(cJSON *rows)
{
    int64_t last = 0;
    cJSON *object;

    cJSON_ArrayForEach(object, rows)
    {
        last = read_id(cJSON_GetObjectItem(object, "id"));
        if (!is_known(last))
            keep_row(make_row(object));
    }
    return last;
}

static void read_on(void);
static void begin(void);

static void finish_reading(void)
{
    feed.reading = false;
    if (feed.again) {
        feed.again = false;
        read_on();
    }
}

/* The end of a mark goes into use when it is as old as a transaction may become. */
static void grow_stale(int64_t end)
{
    if (feed.stale_at > loop_now())
        return;
    feed.stale = feed.stale_next;
    feed.stale_next = end;
    feed.stale_at = loop_now() + overlap_ms();
}

static void on_page(const struct db_answer *answer, void *arg);

/* after 0: the first page. */
static void read_page(int64_t after)
{
    char json[240], place[40] = "";
    int len;

    if (after > 0)
        snprintf(place, sizeof place, ",\"after\":\"%lld\"", (long long)after);
    len = snprintf(json, sizeof json,
                   "{\"horizon\":\"%lld\",\"since\":\"%lld\",\"stale\":\"%lld\",\"overlap\":%lld,\"limit\":%d%s}",
                   (long long)feed.mark.horizon, (long long)feed.mark.since, (long long)feed.stale,
                   (long long)overlap_ms(), PAGE, place);
    call_feed(json, len, on_page, NULL);
}

/* What had ended before it was lost may not have been all that is there now. */
static void on_failed(void)
{
    if (!feed.failed) {
        feed.mark.horizon = feed.mark.horizon > LOST_XIDS ? feed.mark.horizon - LOST_XIDS : 1;
        feed.mark.since = back_from(feed.mark.since);
    }
    feed.failed = true;
    feed.next = (struct mark){ 0 };
    finish_reading();
}

/* The database behind us is another one, and behind: everything may have changed. */
static void begin_again(void)
{
    feed.failed = false;
    feed.reading = feed.again = false;
    feed.phase = STOPPED;
    drop_rows();
    begin();
}

static void on_page(const struct db_answer *answer, void *arg)
{
    cJSON *whole, *rows = rows_of(answer, &whole);
    struct mark mark = mark_of(whole);
    bool full = cJSON_GetArraySize(rows) >= PAGE;
    int64_t last = take_rows(rows);

    (void)arg;
    cJSON_Delete(whole);
    send_fresh();
    if (rows == NULL) {
        on_failed();
        return;
    }
    if (feed.failed && mark.end < feed.mark.horizon) {
        begin_again();
        return;
    }
    if (feed.next.end == 0)
        feed.next = mark;
    if (full) {
        read_page(last);
        return;
    }
    feed.failed = false;
    feed.mark = feed.next;
    feed.next = (struct mark){ 0 };
    grow_stale(feed.mark.end);
    finish_reading();
}

static void read_on(void)
{
    if (feed.phase != RUNNING)
        return;
    if (feed.reading) {
        feed.again = true;
        return;
    }
    feed.reading = true;
    read_page(0);
}

static void wake_waiters(void)
{
    struct waiter *waiter;

    while ((waiter = STAILQ_FIRST(&feed.waiters)) != NULL) {
        STAILQ_REMOVE_HEAD(&feed.waiters, next);
        req_run(waiter->r);
    }
}

/* Streams that were opened without a beginning have missed what happened until now. */
static void on_begun(const struct db_answer *answer, void *arg)
{
    cJSON *whole, *rows = rows_of(answer, &whole);

    (void)arg;
    feed.phase = rows != NULL ? RUNNING : STOPPED;
    if (rows != NULL) {
        feed.mark = mark_of(whole);
        feed.floor = read_id(cJSON_GetObjectItem(whole, "last"));
        reset_all();
    }
    cJSON_Delete(whole);
    wake_waiters();
}

/* From here on everything will be known. */
static void begin(void)
{
    char json[60];
    int len = snprintf(json, sizeof json, "{\"overlap\":%lld}", (long long)overlap_ms());

    feed.phase = BEGINNING;
    assert(feed.count == 0);
    feed.next = (struct mark){ 0 };
    feed.stale = feed.stale_next = 0;
    feed.stale_at = loop_now() + overlap_ms();
    timer_set(feed.poll, POLL_MS);
    call_feed(json, len, on_begun, NULL);
}

static void stop(void)
{
    feed.phase = STOPPED;
    feed.failed = feed.again = false;
    drop_rows();
}

static void on_poll(void *arg)
{
    (void)arg;
    if (TAILQ_EMPTY(&feed.watchers) && feed.phase != BEGINNING && !feed.reading) {
        stop();
        return;
    }
    timer_set(feed.poll, POLL_MS);
    if (feed.phase == STOPPED && !TAILQ_EMPTY(&feed.watchers))
        begin();
    else
        read_on();
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
        read_on();
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

static void on_reload(void *arg)
{
    (void)arg;
    feed.reloading = false;
    cache_publish(reload_channel, feed.self);
    reset_all();
}

static void on_other_reload(const char *text, size_t len, void *arg)
{
    (void)arg;
    if (len != strlen(feed.self) || memcmp(text, feed.self, len) != 0)
        reset_all();
}

void feed_reload(void)
{
    if (!feed.reloading)
        timer_set(feed.reload, RELOAD_MS);
    feed.reloading = true;
}

/* Replay */

/* All rows after an id that this worker still has; false when they are too many to be worth it. */
static bool replay_ring(const struct watcher *watcher, int64_t after)
{
    size_t n = 0, first = feed.count > RING ? feed.count - RING : 0;

    for (size_t i = first; i < feed.count; i++)
        n += feed.ring[i % RING]->id > after && may_see(watcher, feed.ring[i % RING]);
    if (n > REPLAY_MAX)
        return false;
    piece_begin(watcher);
    for (size_t i = first; i < feed.count; i++)
        if (feed.ring[i % RING]->id > after)
            piece_add(feed.ring[i % RING]);
    piece_end();
    return true;
}

static int by_id(const void *a, const void *b)
{
    const struct row *const *left = a, *const *right = b;

    return ((*left)->id > (*right)->id) - ((*left)->id < (*right)->id);
}

/* The rows of a replay, which has none that the mark of its asking left to the reading; then what was read here. */
static size_t merge_replay(const struct watcher *watcher, struct row *rows[], size_t n)
{
    size_t from_database = n;

    for (size_t i = feed.known > RING ? feed.known - RING : 0; i < feed.known && n <= REPLAY_MAX; i++) {
        struct row *row = feed.ring[i % RING];

        if (row->id > watcher->after && may_see(watcher, row) &&
            bsearch(&row, rows, from_database, sizeof *rows, by_id) == NULL)
            rows[n++] = row;
    }
    return n;
}

static void send_replay(const struct watcher *watcher, cJSON *list)
{
    struct row *rows[REPLAY_MAX + 1];
    size_t own = 0, n;
    cJSON *object;

    cJSON_ArrayForEach(object, list) rows[own++] = make_row(object);
    n = merge_replay(watcher, rows, own);
    piece_begin(watcher);
    for (size_t i = 0; i < n && n <= REPLAY_MAX; i++)
        piece_add(rows[i]);
    piece_end();
    if (n > REPLAY_MAX)
        reset(watcher);
    while (own > 0)
        free_row(rows[--own]);
}

/* Does the ring have all that was read since a replay was asked for, and did the one who answered know as much as we did? */
static bool is_whole(const struct watcher *watcher, const struct mark *mark)
{
    return feed.phase == RUNNING && feed.known >= watcher->asked_at && feed.known < watcher->asked_at + RING / 2 &&
           mark->end >= watcher->before;
}

static void on_replay(const struct db_answer *answer, void *arg)
{
    struct watcher *watcher = arg;
    cJSON *whole, *rows;
    struct mark mark;

    if (!still_open(watcher))
        return;
    rows = rows_of(answer, &whole);
    mark = mark_of(whole);
    if (rows != NULL && cJSON_GetArraySize(rows) < PAGE && is_whole(watcher, &mark))
        send_replay(watcher, rows);
    else
        reset(watcher);
    watcher->after = 0;
    watcher->place = feed.known;
    cJSON_Delete(whole);
}

static void ask_replay(struct watcher *watcher, int64_t after)
{
    char json[120];
    int len;

    watcher->waits++;
    watcher->after = after;
    watcher->asked_at = feed.known;
    watcher->before = feed.mark.horizon;
    len = snprintf(json, sizeof json, "{\"after\":\"%lld\",\"before\":\"%lld\",\"limit\":%d}", (long long)after,
                   (long long)watcher->before, PAGE);
    call_feed(json, len, on_replay, watcher);
}

/* Send what was missed since an id, from here or from the database; too much of it makes the page read its list again. */
static void replay(struct watcher *watcher, const char *after)
{
    int64_t from;

    if (!id_valid(after)) {
        reset(watcher);
        return;
    }
    if (feed.phase != RUNNING) /* its beginning will make the page read its list */
        return;
    from = back_from(strtoll(after, NULL, 10));
    if (from < feed.floor)
        ask_replay(watcher, from);
    else if (!replay_ring(watcher, from))
        reset(watcher);
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
    timer_set(feed.heartbeat, BEAT_MS);
    for (watcher = TAILQ_FIRST(&feed.watchers); watcher != NULL; watcher = next) {
        next = TAILQ_NEXT(watcher, next);
        if (watcher->check_at <= loop_now())
            check_session(watcher);
        if (watcher->beat_at > loop_now())
            continue;
        watcher->beat_at = loop_now() + HEARTBEAT_MS;
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
    const char *header = req_header(r, "Last-Event-ID"), *after = header ? arena_strdup(r->arena, header) : NULL;
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
    watcher->check_at = loop_now() + CHECK_MS / 2 + random() % (CHECK_MS / 2);
    watcher->beat_at = loop_now() + random() % HEARTBEAT_MS;
    take_actor(watcher, session_actor(r));
    watcher->place = feed.known;
    TAILQ_INSERT_TAIL(&feed.watchers, watcher, next);
    say_text(watcher, "retry: 3000\n\n");
    if (after == NULL)
        after = req_query(r, "after");
    if (after != NULL)
        replay(watcher, after);
    return WAIT;
}

/* A stream that is open hears of everything that is committed from then on, so the reading begins first.  With the database away
 * it opens all the same. */
static enum next await_beginning(struct req *r)
{
    struct waiter *waiter;

    if (feed.phase == RUNNING || (feed.phase == STOPPED && !TAILQ_EMPTY(&feed.watchers)))
        return GO;
    waiter = arena_alloc(r->arena, sizeof *waiter);
    waiter->r = r;
    STAILQ_INSERT_TAIL(&feed.waiters, waiter, next);
    if (feed.phase == STOPPED)
        begin();
    return WAIT;
}

static step_fn *const get_events[] = { session_load, await_beginning, open_stream };

static const struct route routes[] = { { "GET", "/v1/events", get_events, ROUTE_STREAM } };

bool feed_open(void)
{
    uint64_t self;

    TAILQ_INIT(&feed.watchers);
    STAILQ_INIT(&feed.waiters);
    randombytes_buf(&self, sizeof self);
    snprintf(feed.self, sizeof feed.self, "%016llx", (unsigned long long)self);
    feed.poll = timer_new(on_poll, NULL);
    feed.wake = timer_new(on_wake, NULL);
    feed.heartbeat = timer_new(on_heartbeat, NULL);
    feed.reload = timer_new(on_reload, NULL);
    timer_set(feed.heartbeat, BEAT_MS);
    cache_subscribe(channel, on_poke, NULL);
    cache_subscribe(reload_channel, on_other_reload, NULL);
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
    timer_free(feed.reload);
    drop_rows();
    feed.phase = STOPPED;
    feed.reading = feed.again = feed.failed = feed.waking = feed.telling = feed.reloading = false;
}
