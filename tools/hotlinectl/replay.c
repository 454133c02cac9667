/* Plays the lives of complaints through HTTP in a simulation.  Steps of all lives come in the order of simulated time, a window
 * at a time: the clock is set to the window's start, the engine's sweep catches up with its tickets, then its steps run side by side. */

#include "city.h"
#include "ctl.h"
#include "life.h"
#include "sim.h"

#include <curl/curl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const struct option replay_options[] = {
    { "texts", "FILE", "complaints, JSON Lines with title and content (or detail); may be repeated" },
    { "url", "URL", "the engine (default: http://127.0.0.1:12345)" },
    { "count", "N", "how many complaints (default: as many as there are texts)" },
    { "seed", "S", "another seed draws another mix (default: 1)" },
    { "days", "N", "over how many days they come in (default: 14, or 918 complaints a day)" },
    { "start", "TIME", "first day (default: the simulation's now)" },
    { "log", "FILE", "every answer that changed something (default: replay.jsonl)" },
    { "concurrency", "N", "calls under way at once (default: 16)" },
    { NULL, NULL, NULL },
};

/* ARCHIVE: closed tickets rest a hundred days.  QUIET: how long the sweep may stand still. */
enum { WINDOW = 20 * MINUTE, ARCHIVE = 101 * DAY, QUIET = 60, FAILURES_MAX = 50 };

/* ---- heap of lives, the earliest first ---- */

struct heap {
    struct life **at;
    int n;
};

static void heap_push(struct heap *heap, struct life *life)
{
    int i = heap->n++;

    for (; i > 0 && heap->at[(i - 1) / 2]->at > life->at; i = (i - 1) / 2)
        heap->at[i] = heap->at[(i - 1) / 2];
    heap->at[i] = life;
}

static struct life *heap_pop(struct heap *heap)
{
    struct life *first = heap->at[0], *last = heap->at[--heap->n];
    int i = 0, child;

    while ((child = 2 * i + 1) < heap->n) {
        child += child + 1 < heap->n && heap->at[child + 1]->at < heap->at[child]->at;
        if (heap->at[child]->at >= last->at)
            break;
        heap->at[i] = heap->at[child];
        i = child;
    }
    if (heap->n)
        heap->at[i] = last;
    return first;
}

/* ---- workers ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t work, rest;
    struct life **batch;
    int n, next, left;
    moment until;
    bool over;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER, .rest = PTHREAD_COND_INITIALIZER };

static void *work(void *arg)
{
    struct worker *worker = arg;

    pthread_mutex_lock(&pool.lock);
    while (!pool.over) {
        struct life *life;

        if (pool.next == pool.n) {
            pthread_cond_wait(&pool.work, &pool.lock);
            continue;
        }
        life = pool.batch[pool.next++];
        pthread_mutex_unlock(&pool.lock);
        life_run(worker, life, pool.until);
        pthread_mutex_lock(&pool.lock);
        if (--pool.left == 0)
            pthread_cond_signal(&pool.rest);
    }
    pthread_mutex_unlock(&pool.lock);
    return NULL;
}

/* Run the steps of these lives that come before until, and wait for them. */
static void run_batch(struct life **batch, int n, moment until)
{
    pthread_mutex_lock(&pool.lock);
    pool.batch = batch;
    pool.n = pool.left = n;
    pool.next = 0;
    pool.until = until;
    pthread_cond_broadcast(&pool.work);
    while (pool.left)
        pthread_cond_wait(&pool.rest, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
}

static void stop_workers(pthread_t *threads, int n)
{
    pthread_mutex_lock(&pool.lock);
    pool.over = true;
    pthread_cond_broadcast(&pool.work);
    pthread_mutex_unlock(&pool.lock);
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

/* ---- the simulation's clock ---- */

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Wait until the engine's sweep has done all that is due by now, for these tickets or (NULL) for all. */
static void wait_sweep(PGconn *db, moment now, const char *ids)
{
    char text[MOMENT_SIZE];
    const char *const values[] = { moment_text(now, text), ids };
    double since = seconds();
    long left, least = -1;

    while ((left = sql_number(db,
                              "select count(*) from hotline.timer where at <= $1::timestamptz"
                              " and ($2::bigint[] is null or ticket_id = any ($2::bigint[]))",
                              2, values)) > 0) {
        if (least < 0 || left < least) {
            least = left;
            since = seconds();
        }
        if (seconds() - since > QUIET)
            fail("the engine's sweep stands still: %ld timers are due at %s.  Does the engine run on this database?",
                 left, text);
        usleep(10000);
    }
}

/* The tickets of these lives as an array for the database. */
static char *ids_of(struct life *const *lives, int n)
{
    char *ids = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&ids, &size);
    const char *before = "";

    if (!out)
        fail("no memory for the list of tickets");
    fputc('{', out);
    for (int i = 0; i < n; i++)
        if (*lives[i]->id) {
            fprintf(out, "%s%s", before, lives[i]->id);
            before = ",";
        }
    fputc('}', out);
    if (fclose(out) != 0)
        fail("no memory for the list of tickets");
    return ids;
}

/* Due-type figures are exact as of swept_to. */
static void wait_swept(PGconn *db, moment to)
{
    char text[MOMENT_SIZE];
    const char *const values[] = { moment_text(to, text) };
    double since = seconds();

    while (!sql_is(db, "select coalesce(max(swept_to) >= $1::timestamptz, false) from hotline.sweep", 1, values)) {
        if (seconds() - since > QUIET)
            fail("the engine's sweep did not reach %s", text);
        usleep(20000);
    }
}

/* ---- progress ---- */

static struct {
    double began, last;
    bool terminal;
} progress;

static void show_progress(int done, int n, moment at, bool end)
{
    char text[MOMENT_SIZE], bar[31];
    double now = seconds();
    int filled = n ? (int)((long)done * 30 / n) : 30;

    if (!end && now - progress.last < (progress.terminal ? 0.2 : 5))
        return;
    progress.last = now;
    memset(bar, '.', 30);
    memset(bar, '#', (size_t)filled);
    bar[30] = '\0';
    moment_text(at, text);
    text[16] = '\0';
    fprintf(stderr,
            progress.terminal ? "\r[%s] %d of %d, simulated %s, %.0f s %s" : "[%s] %d of %d, simulated %s, %.0f s%s\n",
            bar, done, n, text, now - progress.began, progress.terminal && end ? "\n" : "");
}

/* ---- running ---- */

struct replay {
    PGconn *db;
    struct life *lives;
    int n, over;
    moment at, last;
    struct heap heap;
    struct life **batch, **ended;
};

/* Take what comes in the window from the heap; returns how many. */
static int take_window(struct replay *replay, moment until)
{
    int n = 0;

    while (replay->heap.n && replay->heap.at[0]->at < until)
        replay->batch[n++] = heap_pop(&replay->heap);
    return n;
}

static void put_back(struct replay *replay, struct life *life)
{
    if (!life->over) {
        heap_push(&replay->heap, life);
        return;
    }
    replay->ended[replay->over++] = life;
    if (life->at > replay->last)
        replay->last = life->at;
}

static void run_window(struct replay *replay)
{
    moment first = replay->heap.at[0]->at, midnight = moment_day(first) + DAY;
    moment until = first + WINDOW < midnight ? first + WINDOW : midnight;
    int n = take_window(replay, until);
    char *ids = ids_of(replay->batch, n);

    if (first > replay->at)
        sim_move(replay->db, replay->at = first);
    wait_sweep(replay->db, replay->at, ids);
    run_batch(replay->batch, n, until);
    for (int i = 0; i < n; i++)
        put_back(replay, replay->batch[i]);
    free(ids);
    show_progress(replay->over, replay->n, replay->at, false);
}

static void run_all(struct replay *replay)
{
    for (int i = 0; i < replay->n; i++)
        heap_push(&replay->heap, &replay->lives[i]);
    while (replay->heap.n && life_failures() < FAILURES_MAX)
        run_window(replay);
    show_progress(replay->over, replay->n, replay->at, true);
    if (replay->heap.n)
        return;
    sim_make_months(replay->db, replay->last + ARCHIVE);
    sim_move(replay->db, replay->last + ARCHIVE);
    wait_sweep(replay->db, replay->last + ARCHIVE, NULL);
    wait_swept(replay->db, replay->last + ARCHIVE);
}

static void report(const struct replay *replay, long calls, long repeats)
{
    double took = seconds() - progress.began;
    char *ids = ids_of(replay->ended, replay->over);
    const char *const values[] = { ids };
    PGresult *rows = sql_query(replay->db,
                               "select e.transition, max(e.action) as action, count(*) as times,"
                               " count(*) filter (where e.actor_role = 'SYS') as by_itself"
                               " from hotline.event as e where e.ticket_id = any ($1::bigint[]) group by 1 order by 1",
                               1, values);

    sql_print(rows);
    PQclear(rows);
    printf("\n%d complaints, %ld calls, %ld repeats, %ld failures in %.1f s: %.1f complaints/s, %.0f calls/s\n",
           replay->over, calls, repeats, life_failures(), took, replay->over / took, (double)calls / took);
    free(ids);
}

static moment start_of(PGconn *db, const struct args *args)
{
    const char *text = args_text(args, "start", NULL);
    moment now = sim_now(db), start = now;

    if (text && !moment_read(text, &start))
        fail("--start: not a time: %s", text);
    if (start < now)
        fail("--start is before the simulation's now; its clock only goes forward");
    return start;
}

static void prepare(struct replay *replay, const struct args *args)
{
    moment start;
    int days;
    char from[MOMENT_SIZE], to[MOMENT_SIZE];

    if (!sim_is_on(replay->db))
        fail("this database is no simulation, and a replay moves its clock: hotlinectl sim on TIME marks an empty one");
    for (int i = 0; i < args->n_options; i++)
        if (!strcmp(args->options[i].name, "texts"))
            texts_read(args->options[i].value);
    if (!texts_count())
        fail("no complaints: give --texts FILE");
    /* Staff sign in once: months pass in minutes. */
    sql_do(replay->db, "update hotline.setting set value = '8760' where name = 'session.hours'", 0, NULL);
    start = start_of(replay->db, args);
    replay->n = (int)args_number(args, "count", texts_count(), 1, 5000000);
    days = (int)args_number(args, "days", replay->n > 14 * 918 ? replay->n / 918 : 14, 1, 3660);
    replay->lives = calloc((size_t)replay->n, sizeof *replay->lives);
    replay->heap.at = calloc((size_t)replay->n, sizeof *replay->heap.at);
    replay->batch = calloc((size_t)replay->n, sizeof *replay->batch);
    replay->ended = calloc((size_t)replay->n, sizeof *replay->ended);
    if (!replay->lives || !replay->heap.at || !replay->batch || !replay->ended)
        fail("no memory for %d complaints", replay->n);
    plan_make(replay->lives, replay->n, (uint64_t)args_number(args, "seed", 1, 0, 1000000000), start, days);
    sql_make_months(replay->db, moment_text(start, from), moment_text(start + (moment)(days + 180) * DAY, to));
    replay->at = start;
    sim_move(replay->db, start);
    wait_sweep(replay->db, start, NULL);
}

int replay(const struct args *args)
{
    enum { THREADS_MAX = 64 };
    const char *url = args_text(args, "url", "http://127.0.0.1:12345");
    int n = (int)args_number(args, "concurrency", 16, 1, THREADS_MAX);
    struct replay run = { .db = sql_open(args) };
    struct worker *workers[THREADS_MAX] = { NULL };
    pthread_t threads[THREADS_MAX];
    long calls = 0, repeats = 0;
    char word[9], token[TOKEN_MAX];

    if (sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        fail("libsodium or libcurl cannot start");
    snprintf(word, sizeof word, "%08x", randombytes_random());
    progress.began = seconds();
    progress.terminal = isatty(STDERR_FILENO);
    prepare(&run, args);
    life_open(args_text(args, "log", "replay.jsonl"), word, WINDOW);
    for (int i = 0; i < n; i++)
        workers[i] = life_worker(url);
    life_sign_in(workers[0], "leader1", run.at, token);
    city_read(life_client(workers[0]), token);
    for (int i = 0; i < n; i++)
        if (pthread_create(&threads[i], NULL, work, workers[i]) != 0)
            fail("cannot start %d threads", n);
    run_all(&run);
    stop_workers(threads, n);
    for (int i = 0; i < n; i++)
        life_worker_free(workers[i], &calls, &repeats);
    life_close();
    report(&run, calls, repeats);
    city_free();
    texts_free();
    free(run.lives);
    free(run.heap.at);
    free(run.batch);
    free(run.ended);
    PQfinish(run.db);
    curl_global_cleanup();
    return life_failures() ? 1 : 0;
}
