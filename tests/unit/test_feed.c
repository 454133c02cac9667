#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The feed between two ends played here: a table whose rows become visible when the test says so, and streams that write
 * down what they are sent. */
#define db_call feed_test_call
#define stream_open feed_test_open
#define stream_send feed_test_send
#define stream_close feed_test_close
#define shared_new feed_test_shared_new
#define shared_drop feed_test_shared_drop
#define stream_send_shared feed_test_send_shared
#define stream_cut feed_test_close
#define stream_is_behind feed_test_is_behind
#define req_header feed_test_header
#define req_query feed_test_query
#define session_actor feed_test_actor
#define loop_defer feed_test_defer
#define loop_now feed_test_now

#include "feed.c" /* NOLINT(bugprone-suspicious-include) */

enum { ROWS = 3000, STREAMS = 16 };

struct stream {
    void (*closed)(void *arg);
    void *arg;
    bool open, slow, behind;
    char text[200000];
    size_t len;
};

static struct {
    int64_t id, xid;
    bool sealed;
    int unit;
} table[ROWS];
static size_t nrows;
static int64_t next_xid, open_xid, open_ms; /* of the one slow transaction; 0: there is none */
static int64_t newest_ms;
static int feed_calls, session_calls, session_status = 200;
static bool database_away;
static struct stream streams[STREAMS];
static size_t nstreams;
static const char *last_event_id;
static const struct actor *actor;
static int64_t now = 1000000;

static const char *const dispatcher_roles[] = { "DSP", NULL }, *const leader_roles[] = { "LDR", NULL },
                         *const handler_roles[] = { "UHD", NULL };
static const struct actor dispatcher = { .user = 1,
                                         .unit = 1,
                                         .login = "",
                                         .name = "",
                                         .unit_name = "",
                                         .roles = dispatcher_roles,
                                         .tickets = true,
                                         .all = true };
static const struct actor leader = { .user = 2,
                                     .unit = 1,
                                     .login = "",
                                     .name = "",
                                     .unit_name = "",
                                     .roles = leader_roles,
                                     .tickets = true,
                                     .all = true,
                                     .sealed = true };
static const struct actor handler = {
    .user = 3, .unit = 7, .login = "", .name = "", .unit_name = "", .roles = handler_roles, .tickets = true
};

/* The loop: time stands still unless moved, and a turn ends when the test says so. */

static struct {
    loop_fn *fn;
    void *arg;
} deferred[64];
static size_t ndeferred;

int64_t feed_test_now(void)
{
    return now;
}

void feed_test_defer(loop_fn *fn, void *arg)
{
    assert_true(ndeferred < 64);
    deferred[ndeferred].fn = fn;
    deferred[ndeferred++].arg = arg;
}

/* Of what is deferred now the oldest n. */
static void settle_some(size_t n)
{
    for (; n > 0 && ndeferred > 0; n--) {
        loop_fn *fn = deferred[0].fn;
        void *arg = deferred[0].arg;

        memmove(deferred, deferred + 1, --ndeferred * sizeof *deferred);
        fn(arg);
    }
}

static void settle(void)
{
    while (ndeferred > 0)
        settle_some(1);
}

static void poll_once(void)
{
    on_poll(NULL);
    settle();
}

/* The database */

struct pending {
    db_fn *done;
    void *arg;
    int status;
    char *body;
};

static void answer(void *arg)
{
    struct pending *pending = arg;
    struct db_answer reply = { .status = pending->status, .body = pending->body };

    if (pending->body != NULL)
        reply.len = strlen(pending->body);
    pending->done(&reply, pending->arg);
    free(pending->body);
    free(pending);
}

static int rows_by_id(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static int64_t number(const cJSON *call, const char *name)
{
    const char *text = json_text(call, name);

    return text != NULL ? strtoll(text, NULL, 10) : 0;
}

static void add_number(cJSON *object, const char *name, int64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)value);
    cJSON_AddStringToObject(object, name, text);
}

static void add_mark(cJSON *body)
{
    int64_t since = open_xid > 0 && open_ms < newest_ms ? open_ms : newest_ms;

    add_number(body, "horizon", open_xid > 0 ? open_xid : next_xid);
    add_number(body, "since", (since << TIME_SHIFT) - 1);
    add_number(body, "end", next_xid);
    add_number(body, "last", newest_ms << TIME_SHIFT);
}

/* As api.feed does. */
static char *select_rows(const char *json)
{
    cJSON *call = cJSON_Parse(json), *body = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(body, "events");
    int64_t horizon = number(call, "horizon"), before = number(call, "before"), after = number(call, "after"),
            limit = 0;
    char *out;

    if (after == 0)
        after = number(call, "since");
    if (horizon > 0 || after > 0)
        limit = cJSON_GetObjectItem(call, "limit")->valueint;
    qsort(table, nrows, sizeof *table, rows_by_id);
    for (size_t i = 0; i < nrows && cJSON_GetArraySize(list) < limit; i++) {
        cJSON *row;

        if (table[i].id <= after || table[i].xid < horizon || (before > 0 && table[i].xid >= before))
            continue;
        row = cJSON_CreateObject();
        add_number(row, "id", table[i].id);
        cJSON_AddStringToObject(row, "ticket", "5");
        cJSON_AddBoolToObject(row, "sealed", table[i].sealed);
        cJSON_AddItemToObject(row, "units", cJSON_CreateIntArray(&table[i].unit, 1));
        cJSON_AddItemToArray(list, row);
    }
    add_mark(body);
    out = cJSON_PrintUnformatted(body);
    cJSON_Delete(call);
    cJSON_Delete(body);
    return out;
}

void feed_test_call(const struct db_call *wanted)
{
    struct pending *pending = calloc(1, sizeof *pending);

    *pending = (struct pending){ .done = wanted->done, .arg = wanted->arg, .status = database_away ? 503 : 200 };
    if (strcmp(wanted->fn->name, "feed") == 0) {
        feed_calls++;
        pending->body = database_away ? NULL : select_rows(wanted->json);
    } else {
        session_calls++;
        pending->status = database_away ? 503 : session_status;
        pending->body = strdup("{\"user\":3,\"unit\":8,\"scope\":\"unit\",\"tickets\":true,\"roles\":[\"UHD\"]}");
    }
    loop_defer(answer, pending);
}

static void add_row(int64_t xid, int64_t ms, bool sealed, int unit)
{
    assert_true(nrows < ROWS);
    table[nrows].id = ms << TIME_SHIFT;
    table[nrows].xid = xid;
    table[nrows].sealed = sealed;
    table[nrows++].unit = unit;
    if (ms > newest_ms)
        newest_ms = ms;
}

static void commit(int64_t ms, bool sealed, int unit)
{
    add_row(next_xid++, ms, sealed, unit);
}

static void begin_slowly(int64_t ms)
{
    open_xid = next_xid++;
    open_ms = ms;
}

static void commit_slow_one(void)
{
    add_row(open_xid, open_ms, false, 7);
    open_xid = 0;
}

/* The streams */

struct stream *feed_test_open(struct req *r, void (*closed)(void *arg), void *arg)
{
    struct stream *stream = &streams[nstreams++];

    (void)r;
    assert_true(nstreams <= STREAMS);
    memset(stream, 0, sizeof *stream);
    stream->closed = closed;
    stream->arg = arg;
    stream->open = true;
    return stream;
}

void feed_test_close(struct stream *stream)
{
    assert_true(stream->open);
    stream->open = false;
    stream->closed(stream->arg);
}

bool feed_test_send(struct stream *stream, const char *text, size_t len)
{
    assert_true(stream->open);
    if (stream->slow) {
        feed_test_close(stream);
        return false;
    }
    assert_true(stream->len + len < sizeof stream->text);
    memcpy(stream->text + stream->len, text, len);
    stream->len += len;
    return true;
}

struct shared {
    size_t len;
    char text[];
};

bool feed_test_is_behind(const struct stream *stream)
{
    return stream->behind;
}

struct shared *feed_test_shared_new(const char *text, size_t len)
{
    struct shared *shared = malloc(sizeof *shared + len);

    shared->len = len;
    memcpy(shared->text, text, len);
    return shared;
}

void feed_test_shared_drop(struct shared *shared)
{
    free(shared);
}

bool feed_test_send_shared(struct stream *stream, struct shared *shared)
{
    return feed_test_send(stream, shared->text, shared->len);
}

const char *feed_test_header(const struct req *r, const char *name)
{
    (void)r;
    return strcmp(name, "Last-Event-ID") == 0 ? last_event_id : NULL;
}

const char *feed_test_query(const struct req *r, const char *name)
{
    (void)r;
    (void)name;
    return NULL;
}

const struct actor *feed_test_actor(const struct req *r)
{
    (void)r;
    return actor;
}

/* A request for a stream as it goes through the steps after the session's. */
static struct stream *watch_as(const struct actor *who, const char *after)
{
    struct arena *arena = arena_new();
    struct req r = { .session = "abc", .arena = arena, .step = get_events + 1 };
    size_t before = nstreams;

    snprintf(r.session, sizeof r.session, "%p%zu", (const void *)who, nstreams);
    actor = who;
    last_event_id = after;
    req_run(&r);
    if (nstreams == before)
        settle_some(1); /* the reading begins first */
    assert_int_equal(nstreams, before + 1);
    arena_free(arena);
    return &streams[nstreams - 1];
}

/* How often a row was sent. */
static int count(const struct stream *stream, int64_t ms)
{
    int64_t id = ms << TIME_SHIFT;
    char line[40];
    int n = 0;

    snprintf(line, sizeof line, "id: %lld\n", (long long)id);
    for (const char *at = stream->text; (at = strstr(at, line)) != NULL; at++)
        n++;
    return n;
}

static int resets(const struct stream *stream)
{
    return strstr(stream->text, "event: reset\n") != NULL;
}

static int set_up(void **state)
{
    char *argv[] = { "hotlined" };

    (void)state;
    assert_int_equal(settings_load(1, argv), SETTINGS_RUN);
    assert_true(loop_open());
    nrows = nstreams = 0;
    feed_calls = session_calls = 0;
    next_xid = 100000;
    open_xid = newest_ms = 0;
    session_status = 200;
    database_away = false;
    assert_true(feed_open());
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    feed_close();
    settle();
    cache_close();
    loop_close();
    return 0;
}

static void a_committed_row_is_sent_once(void **state)
{
    struct stream *stream = watch_as(&dispatcher, NULL);

    (void)state;
    commit(1000, false, 7);
    poll_once();
    poll_once();
    assert_int_equal(count(stream, 1000), 1);
    assert_non_null(strstr(stream->text, "event: ticket\ndata: {\"ticket\":\"5\"}\n\n"));
}

static void a_row_committed_late_is_still_sent(void **state)
{
    struct stream *stream = watch_as(&dispatcher, NULL);

    (void)state;
    begin_slowly(36000);
    commit(50000, false, 7);
    poll_once();
    poll_once();
    commit_slow_one();
    poll_once();
    poll_once();
    assert_int_equal(count(stream, 36000), 1);
    assert_int_equal(count(stream, 50000), 1);
}

static void a_transaction_that_was_open_when_the_reading_began_is_sent(void **state)
{
    struct stream *stream;

    (void)state;
    commit(1000, false, 7);
    begin_slowly(2000);
    stream = watch_as(&dispatcher, NULL);
    commit(3000, false, 7);
    poll_once();
    commit_slow_one();
    poll_once();
    assert_int_equal(count(stream, 1000), 0);
    assert_int_equal(count(stream, 2000), 1);
    assert_int_equal(count(stream, 3000), 1);
}

static void a_transaction_that_never_ends_is_not_waited_for(void **state)
{
    struct stream *stream = watch_as(&dispatcher, NULL);

    (void)state;
    for (int i = 0; i < 4; i++) {
        commit(1000 + i, false, 7);
        poll_once();
        now += overlap_ms();
    }
    assert_int_equal(feed.stale, next_xid - 1); /* as it was one overlap ago */
    assert_int_equal(count(stream, 1003), 1);
}

static void nobody_watches_nothing_is_read(void **state)
{
    struct stream *stream;

    (void)state;
    commit(1000, false, 7);
    feed_poke();
    on_wake(NULL);
    poll_once();
    assert_int_equal(feed_calls, 0);
    stream = watch_as(&dispatcher, NULL);
    commit(1001, false, 7);
    poll_once();
    assert_int_equal(feed_calls, 2);
    feed_test_close(stream);
    poll_once();
    poll_once();
    assert_int_equal(feed_calls, 2);
    assert_int_equal(feed.count, 0);
    stream = watch_as(&dispatcher, NULL);
    commit(1002, false, 7);
    poll_once();
    assert_int_equal(count(stream, 1001), 0);
    assert_int_equal(count(stream, 1002), 1);
}

static void a_stream_opens_while_the_database_is_away_and_is_told_to_read_again(void **state)
{
    struct stream *stream;

    (void)state;
    database_away = true;
    stream = watch_as(&dispatcher, NULL);
    poll_once();
    assert_false(resets(stream));
    database_away = false;
    poll_once();
    assert_true(resets(stream));
    commit(1000, false, 7);
    poll_once();
    assert_int_equal(count(stream, 1000), 1);
}

static void a_database_that_was_lost_is_read_over_again(void **state)
{
    struct stream *stream = watch_as(&dispatcher, NULL);

    (void)state;
    commit(1000, false, 7);
    poll_once();
    database_away = true;
    poll_once();
    poll_once();
    database_away = false;
    next_xid -= 10; /* a standby was promoted that had not heard of the last numbers given out */
    for (int i = 1; i < 20; i++)
        commit(1000 + i, false, 7);
    poll_once();
    for (int i = 0; i < 20; i++)
        assert_int_equal(count(stream, 1000 + i), 1);
    assert_false(resets(stream));
    database_away = true;
    poll_once();
    database_away = false;
    next_xid -= 50000; /* one that knows much less */
    commit(2000, false, 7);
    poll_once();
    assert_true(resets(stream));
    commit(2001, false, 7);
    poll_once();
    assert_int_equal(count(stream, 2001), 1);
}

static void what_comes_while_a_replay_is_away_comes_once_and_after_it(void **state)
{
    struct stream *stream, *other;
    char after[32];

    (void)state;
    for (int i = 0; i < 10; i++)
        commit(100000 + i, false, 7);
    other = watch_as(&dispatcher, NULL); /* the worker begins */
    snprintf(after, sizeof after, "%lld", 100004LL << TIME_SHIFT);
    commit(100010, false, 7);
    poll_once();
    commit(100011, false, 7); /* not read yet, though the replay could see it */
    stream = watch_as(&dispatcher, after);
    commit(100012, false, 7);
    on_poll(NULL);
    assert_int_equal(ndeferred, 2);
    deferred[2] = deferred[0];
    deferred[0] = deferred[1]; /* the reading is answered first */
    deferred[1] = deferred[2];
    settle_some(1);
    assert_int_equal(count(other, 100012), 1);
    assert_int_equal(count(stream, 100012), 0);
    settle();
    commit(100013, false, 7);
    poll_once();
    for (int i = 0; i <= 13; i++)
        assert_int_equal(count(stream, 100000 + i), 1);
    assert_false(resets(stream));
    assert_ptr_equal(strstr(stream->text, "id: "), strstr(stream->text, "id: 104857600000\n"));
}

static void what_was_committed_long_ago_makes_the_pages_read_again(void **state)
{
    struct stream *stream = watch_as(&dispatcher, NULL);

    (void)state;
    feed_reload();
    feed_reload();
    assert_true(feed.reloading);
    assert_false(resets(stream));
    on_reload(NULL);
    assert_true(resets(stream));
    assert_false(feed.reloading);
    stream = watch_as(&dispatcher, NULL);
    on_other_reload(feed.self, strlen(feed.self), NULL); /* our own words come back */
    assert_false(resets(stream));
    on_other_reload("somebody", 8, NULL);
    assert_true(resets(stream));
}

static void more_rows_than_a_page_are_all_sent(void **state)
{
    struct stream *stream = watch_as(&dispatcher, NULL);

    (void)state;
    commit(1000, false, 7);
    poll_once();
    for (int i = 1; i <= 1700; i++)
        commit(1000 + i, false, 7);
    poll_once();
    for (int i = 0; i <= 1700; i++)
        assert_int_equal(count(stream, 1000 + i), 1);
}

static void rows_go_to_those_who_may_see_them(void **state)
{
    struct stream *d = watch_as(&dispatcher, NULL), *l = watch_as(&leader, NULL), *h = watch_as(&handler, NULL);

    (void)state;
    commit(1, false, 7);
    commit(2, false, 8);
    commit(3, true, 7);
    commit(4, true, 8);
    poll_once();
    for (int i = 1; i <= 4; i++) {
        assert_int_equal(count(d, i), i < 3);
        assert_int_equal(count(l, i), 1);
        assert_int_equal(count(h, i), i == 1);
    }
    assert_null(strstr(d->text, "units"));
    assert_null(strstr(l->text, "sealed"));
}

static void pokes_are_read_at_once_and_together(void **state)
{
    struct stream *stream = watch_as(&dispatcher, NULL);
    int before;

    (void)state;
    commit(1000, false, 7);
    poll_once();
    commit(1001, false, 7);
    before = feed_calls;
    feed_poke();
    feed_poke();
    on_poke("somebody", 8, NULL);
    assert_true(feed.waking);
    on_wake(NULL);
    settle();
    assert_false(feed.waking);
    assert_int_equal(feed_calls, before + 1);
    assert_int_equal(count(stream, 1001), 1);
    on_poke(feed.self, strlen(feed.self), NULL); /* our own words come back */
    assert_false(feed.waking);
}

static void a_poke_during_a_reading_makes_another(void **state)
{
    struct stream *stream = watch_as(&dispatcher, NULL);

    (void)state;
    commit(1000, false, 7);
    on_poll(NULL);
    commit(1001, false, 7); /* after the reading's snapshot */
    feed_poke();
    on_wake(NULL);
    settle();
    assert_int_equal(count(stream, 1001), 1);
}

static void who_resumes_gets_what_was_missed(void **state)
{
    struct stream *stream;
    char after[24];

    (void)state;
    watch_as(&leader, NULL);
    for (int i = 0; i < 100; i++)
        commit(100000 + i * 1000, false, i % 2 ? 7 : 8);
    poll_once();
    snprintf(after, sizeof after, "%lld", 150000LL << TIME_SHIFT);
    stream = watch_as(&handler, after);
    settle();
    for (int i = 51; i < 100; i += 2)
        assert_int_equal(count(stream, 100000 + i * 1000), 1);
    assert_int_equal(count(stream, 152000), 0);
    assert_int_equal(count(stream, 111000), 0);
    assert_false(resets(stream));
}

static void what_the_worker_never_read_comes_from_the_database(void **state)
{
    struct stream *stream;
    char after[32];
    int before;

    (void)state;
    for (int i = 0; i <= 500; i++)
        commit(100000 + i * 1000, false, 7);
    watch_as(&leader, NULL); /* the worker begins here */
    for (int i = 501; i < 1000; i++)
        commit(100000 + i * 1000, false, 7);
    poll_once();
    before = feed_calls;
    snprintf(after, sizeof after, "%lld", 700000LL << TIME_SHIFT);
    stream = watch_as(&handler, after);
    settle();
    assert_int_equal(feed_calls, before);
    assert_int_equal(count(stream, 701000), 1);
    snprintf(after, sizeof after, "%lld", 605000LL << TIME_SHIFT);
    stream = watch_as(&handler, after);
    settle();
    assert_int_equal(feed_calls, before + 1);
    assert_true(resets(stream)); /* a full page: too much to replay */
    nrows = 0;
    add_row(100000, 604500, false, 7);
    stream = watch_as(&handler, after);
    settle();
    assert_int_equal(count(stream, 604500), 1);
    assert_false(resets(stream));
}

static void what_cannot_be_replayed_resets_the_page(void **state)
{
    (void)state;
    assert_true(resets(watch_as(&dispatcher, "yesterday")));
    database_away = true;
    feed.floor = 100;
    watch_as(&dispatcher, "5");
    settle();
    assert_true(resets(&streams[nstreams - 1]));
}

static void a_reader_that_stops_reading_harms_nobody(void **state)
{
    struct stream *slow = watch_as(&dispatcher, NULL), *fine = watch_as(&dispatcher, NULL);

    (void)state;
    slow->slow = true;
    commit(1000, false, 7);
    commit(1001, false, 7);
    poll_once();
    assert_false(slow->open);
    assert_int_equal(count(fine, 1000), 1);
    assert_int_equal(count(fine, 1001), 1);
}

static void who_is_behind_is_waited_for_and_the_ring_keeps_its_rows(void **state)
{
    struct stream *late = watch_as(&dispatcher, NULL), *unit = watch_as(&handler, NULL),
                  *fine = watch_as(&leader, NULL);

    (void)state;
    commit(1000, false, 7);
    poll_once();
    late->behind = unit->behind = true;
    for (int i = 1; i <= 700; i++)
        commit(1000 + i, false, 7);
    poll_once();
    assert_int_equal(count(late, 1001), 0);
    assert_int_equal(count(fine, 1700), 1);
    late->behind = unit->behind = false;
    poll_once();
    poll_once();
    commit(2000, false, 7);
    poll_once();
    for (int i = 0; i <= 700; i++) {
        assert_int_equal(count(late, 1000 + i), 1);
        assert_int_equal(count(unit, 1000 + i), 1);
    }
    assert_int_equal(count(late, 2000), 1);
    assert_int_equal(count(unit, 2000), 1);
}

static void who_falls_behind_the_ring_is_cut_off(void **state)
{
    struct stream *stream = watch_as(&dispatcher, NULL);

    (void)state;
    stream->behind = true;
    for (int round = 0; round < 6; round++) {
        assert_true(stream->open);
        nrows = 0;
        for (int i = 0; i < 2000; i++)
            commit(1000 + round * 2000 + i, false, 7);
        poll_once();
    }
    assert_false(stream->open);
}

static void a_stream_closed_while_its_replay_is_away_is_safe(void **state)
{
    struct stream *stream;

    (void)state;
    commit(1000, false, 7);
    stream = watch_as(&dispatcher, "5");
    assert_true(stream->open);
    assert_int_equal(ndeferred, 1);
    feed_test_close(stream);
    settle();
    assert_int_equal(nstreams, 1);
    assert_true(TAILQ_EMPTY(&feed.watchers));
}

static void sessions_are_looked_at_each_minute(void **state)
{
    struct stream *stream = watch_as(&handler, NULL);
    int before = session_calls;

    (void)state;
    now += HEARTBEAT_MS;
    on_heartbeat(NULL);
    settle();
    assert_int_equal(session_calls, before);
    assert_non_null(strstr(stream->text, ":\n\n"));
    now += CHECK_MS;
    on_heartbeat(NULL);
    settle();
    assert_int_equal(session_calls, before + 1);
    commit(1, false, 7); /* moved to unit 8 meanwhile */
    commit(2, false, 8);
    poll_once();
    assert_int_equal(count(stream, 1), 0);
    assert_int_equal(count(stream, 2), 1);
}

static void the_end_of_a_session_ends_its_streams_but_a_lost_database_does_not(void **state)
{
    struct stream *stream = watch_as(&handler, NULL);

    (void)state;
    now += CHECK_MS;
    database_away = true;
    on_heartbeat(NULL);
    settle();
    assert_true(stream->open);
    now += CHECK_MS;
    database_away = false;
    session_status = 401;
    on_heartbeat(NULL);
    settle();
    assert_false(stream->open);
}

static void old_ids_are_forgotten(void **state)
{
    (void)state;
    for (int i = 1; i <= SEEN + 1000; i++)
        note_id((int64_t)i << TIME_SHIFT);
    for (int i = 1; i <= SEEN + 1000; i++)
        assert_int_equal(is_known((int64_t)i << TIME_SHIFT), i > 1000);
    drop_rows();
    assert_false(is_known(((int64_t)SEEN + 1000) << TIME_SHIFT));
}

static void too_much_to_replay_resets_the_page(void **state)
{
    struct stream *stream;
    char after[32];

    (void)state;
    commit(100000, false, 7);
    watch_as(&handler, NULL);
    begin_slowly(100000); /* the horizon stays below the rows that follow */
    for (int i = 1; i <= 600; i++)
        commit(100000 + i, false, 8);
    poll_once();
    snprintf(after, sizeof after, "%lld", 100000LL << TIME_SHIFT);
    stream = watch_as(&dispatcher, after); /* one row of the database, 600 of the ring */
    settle();
    assert_true(resets(stream));
    assert_int_equal(count(stream, 100001), 0);
    stream = watch_as(&handler, after); /* who may not see them */
    settle();
    assert_false(resets(stream));
    assert_int_equal(count(stream, 100000), 1);
}

static void old_rows_leave_the_ring(void **state)
{
    (void)state;
    watch_as(&handler, NULL);
    commit(1, false, 8);
    poll_once();
    for (int round = 0; round < 8; round++) {
        nrows = 0;
        for (int i = 0; i < 2000; i++)
            commit(1000 + round * 2000 + i, false, 8);
        poll_once();
    }
    assert_int_equal(feed.count, 16001);
    assert_true(is_known(16999LL << TIME_SHIFT));
    assert_int_equal(feed.floor, 6999LL << TIME_SHIFT);
}

#define FEED_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FEED_TEST(a_committed_row_is_sent_once),
        FEED_TEST(a_row_committed_late_is_still_sent),
        FEED_TEST(what_was_committed_long_ago_makes_the_pages_read_again),
        FEED_TEST(what_comes_while_a_replay_is_away_comes_once_and_after_it),
        FEED_TEST(a_database_that_was_lost_is_read_over_again),
        FEED_TEST(a_stream_opens_while_the_database_is_away_and_is_told_to_read_again),
        FEED_TEST(nobody_watches_nothing_is_read),
        FEED_TEST(a_transaction_that_never_ends_is_not_waited_for),
        FEED_TEST(a_transaction_that_was_open_when_the_reading_began_is_sent),
        FEED_TEST(more_rows_than_a_page_are_all_sent),
        FEED_TEST(rows_go_to_those_who_may_see_them),
        FEED_TEST(pokes_are_read_at_once_and_together),
        FEED_TEST(a_poke_during_a_reading_makes_another),
        FEED_TEST(who_resumes_gets_what_was_missed),
        FEED_TEST(what_the_worker_never_read_comes_from_the_database),
        FEED_TEST(what_cannot_be_replayed_resets_the_page),
        FEED_TEST(a_reader_that_stops_reading_harms_nobody),
        FEED_TEST(who_is_behind_is_waited_for_and_the_ring_keeps_its_rows),
        FEED_TEST(who_falls_behind_the_ring_is_cut_off),
        FEED_TEST(a_stream_closed_while_its_replay_is_away_is_safe),
        FEED_TEST(sessions_are_looked_at_each_minute),
        FEED_TEST(the_end_of_a_session_ends_its_streams_but_a_lost_database_does_not),
        FEED_TEST(old_ids_are_forgotten),
        FEED_TEST(too_much_to_replay_resets_the_page),
        FEED_TEST(old_rows_leave_the_ring),
    };

    return cmocka_run_group_tests_name("feed", tests, NULL, NULL);
}
