#include "db.h"

#include <arpa/inet.h>
#include <assert.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "batch.h"
#include "log.h"
#include "loop.h"
#include "settings.h"
#include "stats.h"

enum {
    LANES_MAX = 96,
    FUNCS_MAX = 256,
    HOSTS_MAX = 16,
    BACKOFF_LEAST = 100, /* milliseconds */
    BACKOFF_MOST = 2000,
    GRACE = 2000,    /* how long new calls wait for a connection before they are refused at once */
    TICK = 100,      /* how often deadlines are looked at */
    TRIES_MAX = 5,   /* after a deadlock or serialization failure */
    PATIENCE = 1000, /* what our own time-out grants beyond the server's */
};

enum { OID_BIGINT = 20, OID_JSONB = 3802, OID_BIGINTS = 1016, OID_JSONBS = 3807 };

enum lane_state { LANE_DOWN, LANE_CONNECTING, LANE_IDLE, LANE_AWAY };

/* What a pipeline consists of, in this order; each may be left out but the last. */
enum step { STEP_PREPARE_LOCK, STEP_PREPARE, STEP_LOCK, STEP_CALL, STEP_END };

struct lane {
    bool write;
    int number;
    enum lane_state state;
    PGconn *conn;
    struct watch *watch;
    struct timer *timer; /* the next attempt, the connect time-out or the batch's */
    int host;            /* which one the next attempt tries */
    int failures;        /* attempts since the last success */
    int refused;         /* connections in a row that were made, only to have no room or right to write */

    bool prepared[FUNCS_MAX], lock_prepared; /* on this connection */
    struct batch *batch;
    int64_t sent_at;
    enum step steps[STEP_END];
    int nsteps, at;
    PGresult *answers;
    char sqlstate[6]; /* of the first error; empty: none */
    enum step failed;
};

/* One of the hosts of the connection string, tried one at a time so that a silent one costs one time-out. */
struct host {
    char *name, *address, *port;
};

static struct {
    struct lane lanes[LANES_MAX];
    int nlanes;
    struct host hosts[HOSTS_MAX];
    int nhosts;
    struct timer *tick;
    bool ticking, flushing, closing;
    int64_t down_since[2]; /* reads, writes; 0: a lane is connected */
    int stat;
} db;

enum { STAT_BATCHES, STAT_SIZE, STAT_RETRIED, STAT_HALVED, STAT_POISON, STAT_LOST, STAT_BUSY, STAT_WAITING, STAT_UP };

static const struct stat db_stats[] = {
    [STAT_BATCHES] = { "hotlined_db_batches_total", "Write batches committed", STAT_COUNTER, NULL },
    [STAT_SIZE] = { "hotlined_db_batch_size", "Calls in a write batch", STAT_SIZES, NULL },
    [STAT_RETRIED] = { "hotlined_db_retries_total", "Batches sent again after a conflict", STAT_COUNTER, NULL },
    [STAT_HALVED] = { "hotlined_db_halved_total", "Failed batches cut in two", STAT_COUNTER, NULL },
    [STAT_POISON] = { "hotlined_db_poison_total", "Calls that failed alone", STAT_COUNTER, NULL },
    [STAT_LOST] = { "hotlined_db_lost_total", "Connections lost", STAT_COUNTER, NULL },
    [STAT_BUSY] = { "hotlined_db_busy_total", "Calls refused because too many waited", STAT_COUNTER, NULL },
    [STAT_WAITING] = { "hotlined_db_waiting", "Calls not answered yet", STAT_GAUGE, NULL },
    [STAT_UP] = { "hotlined_db_lanes", "Connected lanes", STAT_GAUGE, NULL },
};

static void connect_lane(void *arg);
static void flush_later(void);

/* ---- parameters in binary form ---------------------------------------------------------------------------------------- */

struct packet {
    char *data;
    int len;
};

static void pack_int(struct packet *packet, int32_t value)
{
    uint32_t wire = htonl((uint32_t)value);

    memcpy(packet->data + packet->len, &wire, sizeof wire);
    packet->len += (int)sizeof wire;
}

static void pack_head(struct packet *packet, int type, int count)
{
    pack_int(packet, 1); /* dimensions */
    pack_int(packet, 0); /* no nulls */
    pack_int(packet, type);
    pack_int(packet, count);
    pack_int(packet, 1); /* first index */
}

static struct packet packet_new(size_t size)
{
    struct packet packet = { .data = malloc(size) };

    if (!packet.data)
        abort();
    return packet;
}

enum { ARRAY_HEAD = 20, JSONB_VERSION = 1 };

static void pack_jsonb(struct packet *packet, const struct call *call)
{
    packet->data[packet->len++] = JSONB_VERSION;
    memcpy(packet->data + packet->len, call->json, call->len);
    packet->len += (int)call->len;
}

static struct packet pack_calls(const struct batch *batch)
{
    size_t size = ARRAY_HEAD;
    struct packet packet;

    for (int i = 0; i < batch->count; i++)
        size += 4 + 1 + batch->calls[i]->len;
    packet = packet_new(size);
    if (!batch->func->fn->write) {
        pack_jsonb(&packet, batch->calls[0]);
        return packet;
    }
    pack_head(&packet, OID_JSONB, batch->count);
    for (int i = 0; i < batch->count; i++) {
        pack_int(&packet, (int32_t)batch->calls[i]->len + 1);
        pack_jsonb(&packet, batch->calls[i]);
    }
    return packet;
}

static struct packet pack_locks(const int64_t *locks, size_t n)
{
    struct packet packet = packet_new(ARRAY_HEAD + n * 12);

    pack_head(&packet, OID_BIGINT, (int)n);
    for (size_t i = 0; i < n; i++) {
        pack_int(&packet, 8);
        pack_int(&packet, (int32_t)(locks[i] >> 32));
        pack_int(&packet, (int32_t)(locks[i] & 0xffffffff));
    }
    return packet;
}

/* ---- lanes up and down ------------------------------------------------------------------------------------------------ */

static bool is_up(const struct lane *lane)
{
    return lane->state == LANE_IDLE || lane->state == LANE_AWAY;
}

/* Note since when lanes of this kind have been up or down. */
static void note_state(bool write)
{
    bool up = false;
    int count = 0;

    for (int i = 0; i < db.nlanes; i++) {
        count += is_up(&db.lanes[i]);
        up = up || (db.lanes[i].write == write && is_up(&db.lanes[i]));
    }
    stats_set(db.stat + STAT_UP, count);
    if (up)
        db.down_since[write] = 0;
    else if (!db.down_since[write])
        db.down_since[write] = loop_now();
}

static bool is_down(bool write)
{
    return db.down_since[write] && loop_now() - db.down_since[write] > GRACE;
}

static void enter(struct lane *lane, enum lane_state state)
{
    lane->state = state;
    note_state(lane->write);
}

/* Every host is tried once without pause; then pauses grow, with jitter so that workers do not come back in step. */
static int pause_of(const struct lane *lane)
{
    int rounds = lane->failures / db.nhosts, wait = BACKOFF_LEAST;

    if (lane->failures % db.nhosts)
        return 0;
    while (--rounds > 0 && wait < BACKOFF_MOST)
        wait *= 2;
    if (wait > BACKOFF_MOST)
        wait = BACKOFF_MOST;
    return wait / 2 + (int)(random() % (wait / 2 + 1));
}

static void disconnect(struct lane *lane)
{
    watch_free(lane->watch);
    PQclear(lane->answers);
    PQfinish(lane->conn);
    lane->watch = NULL;
    lane->answers = NULL;
    lane->conn = NULL;
    timer_stop(lane->timer);
}

/* The connection cannot be used any more; what was under way has an unknown outcome. */
static void lose(struct lane *lane, const char *why)
{
    struct batch *batch = lane->batch;
    bool was_up = is_up(lane);

    if (was_up || lane->failures == 0)
        log_warn("db_lost", "lane=%d write=%d calls=%d err=%s", lane->number, lane->write, batch ? batch->count : 0,
                 why);
    else
        log_debug("db_refused", "lane=%d err=%s", lane->number, why);
    disconnect(lane);
    lane->failures++;
    lane->host = (lane->host + 1) % db.nhosts;
    lane->batch = NULL;
    enter(lane, LANE_DOWN);
    stats_add(db.stat + STAT_LOST, was_up);
    timer_set(lane->timer, pause_of(lane));
    if (batch) {
        batch->func->away--;
        batch = batch_compact(batch);
        if (batch)
            batch_lost(batch);
        flush_later();
    }
}

/* ---- answers ---------------------------------------------------------------------------------------------------------- */

/* Forget the batch's stay on the lane, which can take another. */
static struct batch *take_off(struct lane *lane)
{
    struct batch *batch = lane->batch;

    lane->batch = NULL;
    func_note(batch->func, batch->count, loop_now() - lane->sent_at, lane->write ? 1 : settings()->read_lanes);
    batch->func->away--;
    timer_stop(lane->timer);
    enter(lane, LANE_IDLE);
    flush_later();
    return batch;
}

static void deliver_row(struct batch *batch, const PGresult *answers, int row)
{
    int i = atoi(PQgetvalue(answers, row, 0)) - 1;
    struct db_answer answer = {
        .status = atoi(PQgetvalue(answers, row, 1)),
        .body = PQgetvalue(answers, row, 2),
        .len = (size_t)PQgetlength(answers, row, 2),
    };
    struct call *call;

    if (i < 0 || i >= batch->count || !batch->calls[i])
        return;
    call = batch->calls[i];
    batch->calls[i] = NULL;
    if (answer.status < 200 || answer.status > 599) {
        log_error("db_bad_status", "fn=%s status=%d", batch->func->fn->name, answer.status);
        call_refuse(call, "internal");
    } else {
        call_answer(call, &answer);
    }
}

static void deliver(struct lane *lane)
{
    PGresult *answers = lane->answers;
    struct batch *batch;

    lane->answers = NULL;
    lane->failures = lane->refused = 0;
    batch = take_off(lane);
    if (batch->func->fn->write) {
        stats_add(db.stat + STAT_BATCHES, 1);
        stats_observe(db.stat + STAT_SIZE, batch->count);
    }
    for (int row = 0; row < PQntuples(answers); row++)
        deliver_row(batch, answers, row);
    PQclear(answers);
    batch_refuse(batch, "internal"); /* whoever got no row */
}

/* ---- failures --------------------------------------------------------------------------------------------------------- */

enum remedy {
    REMEDY_AGAIN,     /* a conflict: the same batch once more */
    REMEDY_RECONNECT, /* the server or its state is gone */
    REMEDY_HALVE,     /* one of the calls is to blame */
    REMEDY_NONE,      /* every call would fail so */
};

/* What to do about an error; the first prefix that fits counts. */
static const struct {
    const char *sqlstate;
    enum remedy remedy;
    const char *code; /* what a call hears that fails alone */
} remedies[] = {
    { "40", REMEDY_AGAIN, "busy" },
    { "23505", REMEDY_AGAIN, "internal" }, /* a twin with the same key was first: now its answer is found */
    { "08", REMEDY_RECONNECT, "database_away" },
    { "57P", REMEDY_RECONNECT, "database_away" },
    { "53", REMEDY_RECONNECT, "database_away" },
    { "25006", REMEDY_RECONNECT, "database_away" }, /* read-only: no longer the primary; see read_only_bug */
    { "0A000", REMEDY_RECONNECT, "internal" },      /* a function's result changed under a prepared plan */
    { "26000", REMEDY_RECONNECT, "internal" },      /* the prepared statement is gone */
    { "55P03", REMEDY_HALVE, "busy" },              /* somebody else holds a ticket */
    { "57014", REMEDY_HALVE, "too_slow" },
    { "", REMEDY_HALVE, "internal" },
};

/* On a read lane 25006 says that a function declared to read has tried to write. */
static bool read_only_bug(const struct lane *lane)
{
    return !lane->write && !strcmp(lane->sqlstate, "25006");
}

static size_t remedy_of(const struct lane *lane)
{
    const char *sqlstate = read_only_bug(lane) ? "" : lane->sqlstate;
    size_t i = 0;

    while (strncmp(sqlstate, remedies[i].sqlstate, strlen(remedies[i].sqlstate)) != 0)
        i++;
    return i;
}

/* The next connection will be good again and of no more use: there is a pause, in which what can go elsewhere does. */
static bool takes_no_writes(const char *sqlstate)
{
    return !strncmp(sqlstate, "53", 2) || !strcmp(sqlstate, "25006");
}

/* The batch was rolled back whole and the connection is in order. */
static void mend(struct lane *lane)
{
    size_t i = remedy_of(lane);
    enum remedy remedy =
        lane->failed <= STEP_PREPARE && remedies[i].remedy == REMEDY_HALVE ? REMEDY_NONE : remedies[i].remedy;
    const char *name = lane->batch->func->fn->name;
    struct batch *batch;

    if (remedy == REMEDY_RECONNECT) {
        lane->refused += takes_no_writes(lane->sqlstate);
        lose(lane, lane->sqlstate);
        return;
    }
    batch = batch_compact(take_off(lane));
    if (!batch)
        return;
    if (remedy == REMEDY_AGAIN && batch->tries++ < TRIES_MAX) {
        stats_add(db.stat + STAT_RETRIED, 1);
        batch_again(batch);
    } else if (remedy != REMEDY_NONE && batch->count > 1) {
        stats_add(db.stat + STAT_HALVED, 1);
        batch_halve(batch);
    } else {
        stats_add(db.stat + STAT_POISON, 1);
        if (!strcmp(remedies[i].code, "internal"))
            log_error("db_failed", "fn=%s sqlstate=%s calls=%d", name, lane->sqlstate, batch->count);
        else
            log_warn("db_refused_call", "fn=%s sqlstate=%s", name, lane->sqlstate);
        batch_refuse(batch, remedies[i].code);
    }
}

/* The message may quote a call's data, so it is told to the debug log alone. */
static void note_error(struct lane *lane, const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    if (*lane->sqlstate)
        return;
    snprintf(lane->sqlstate, sizeof lane->sqlstate, "%s", sqlstate ? sqlstate : "08006");
    lane->failed = lane->at < lane->nsteps ? lane->steps[lane->at] : STEP_END;
    log_debug("db_error", "lane=%d sqlstate=%s err=%s", lane->number, lane->sqlstate, message);
}

/* ---- a pipeline's results ----------------------------------------------------------------------------------------------- */

static void finish(struct lane *lane)
{
    if (*lane->sqlstate)
        mend(lane);
    else if (lane->answers)
        deliver(lane);
    else
        lose(lane, "no answer in the pipeline");
}

static void note_step(struct lane *lane, PGresult *result)
{
    enum step step = lane->at < lane->nsteps ? lane->steps[lane->at] : STEP_END;

    if (step == STEP_CALL && !lane->answers) {
        lane->answers = result;
        return;
    }
    if (step == STEP_PREPARE)
        lane->prepared[lane->batch->func->number] = true;
    else if (step == STEP_PREPARE_LOCK)
        lane->lock_prepared = true;
    PQclear(result);
}

/* Take one result off the connection; false when the pipeline is done. */
static bool take_result(struct lane *lane, PGresult *result)
{
    if (!result) {
        lane->at++;
        return true;
    }
    switch (PQresultStatus(result)) {
    case PGRES_PIPELINE_SYNC:
        PQclear(result);
        finish(lane);
        return false;
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
        note_step(lane, result);
        return true;
    case PGRES_PIPELINE_ABORTED:
        PQclear(result);
        return true;
    default:
        note_error(lane, result);
        PQclear(result);
        return true;
    }
}

static void read_results(struct lane *lane)
{
    int nulls = 0;

    while (lane->state == LANE_AWAY && !PQisBusy(lane->conn)) {
        PGresult *result = PQgetResult(lane->conn);

        nulls = result ? 0 : nulls + 1;
        if (nulls > 1 || PQstatus(lane->conn) == CONNECTION_BAD) {
            PQclear(result);
            lose(lane, PQerrorMessage(lane->conn));
            return;
        }
        if (!take_result(lane, result))
            return;
    }
}

/* Send what libpq still holds; then read alone is waited for. */
static bool push(struct lane *lane)
{
    int left = PQflush(lane->conn);

    if (left >= 0)
        watch_set(lane->watch, WATCH_READ | (left ? WATCH_WRITE : 0));
    return left >= 0;
}

static void lane_ready(int fd, int ready, void *arg)
{
    struct lane *lane = arg;

    (void)fd;
    if (((ready & WATCH_READ) && !PQconsumeInput(lane->conn)) || !push(lane)) {
        lose(lane, PQerrorMessage(lane->conn));
        return;
    }
    read_results(lane);
}

/* ---- sending ------------------------------------------------------------------------------------------------------------ */

/* Each call runs once, in the order of the array; the row number says whose answer it is. */
static bool send_prepare(struct lane *lane, const struct api_fn *fn)
{
    static const char write[] = "select x.i, a.status, a.body from unnest($1::jsonb[]) with ordinality as x(j, i) "
                                "cross join lateral api.%s(x.j) as a(status, body)";
    static const char whole[] = "select i, status, body from api.%s_all($1::jsonb[])";
    static const char read[] = "select 1, a.status, a.body from api.%s($1::jsonb) as a(status, body)";
    Oid type = fn->write ? OID_JSONBS : OID_JSONB;
    const char *shape = fn->whole ? whole : fn->write ? write : read;
    char sql[256];

    snprintf(sql, sizeof sql, shape, fn->name);
    lane->steps[lane->nsteps++] = STEP_PREPARE;
    return PQsendPrepare(lane->conn, fn->name, sql, 1, &type);
}

static bool send_statement(struct lane *lane, enum step step, const char *name, struct packet packet)
{
    static const int binary = 1;
    const char *values[] = { packet.data };
    bool sent = PQsendQueryPrepared(lane->conn, name, 1, values, &packet.len, &binary, 0);

    lane->steps[lane->nsteps++] = step;
    free(packet.data);
    return sent;
}

/* A statement of its own, whose snapshot the calls do not share: they see what the holders of the locks have committed. */
static bool send_locks(struct lane *lane, const struct batch *batch)
{
    static const Oid type = OID_BIGINTS;
    int64_t *locks;
    size_t n = batch_locks(batch, &locks);
    bool sent = true;

    if (n && !lane->lock_prepared) {
        lane->steps[lane->nsteps++] = STEP_PREPARE_LOCK;
        sent = PQsendPrepare(lane->conn, "*lock", "select api.lock($1::bigint[])", 1, &type);
    }
    if (n && sent)
        sent = send_statement(lane, STEP_LOCK, "*lock", pack_locks(locks, n));
    free(locks);
    return sent;
}

/* All under one Sync, which makes it one transaction, committed before the Sync is answered. */
static void send_batch(struct lane *lane, struct batch *batch)
{
    const struct func *func = batch->func;
    bool sent = true;

    lane->batch = batch;
    lane->sent_at = loop_now();
    lane->nsteps = lane->at = 0;
    *lane->sqlstate = 0;
    batch->func->away++;
    enter(lane, LANE_AWAY);
    timer_set(lane->timer, (lane->write ? settings()->batch_ms : settings()->read_ms) + PATIENCE);
    if (!lane->prepared[func->number])
        sent = send_prepare(lane, func->fn);
    sent = sent && send_locks(lane, batch) && send_statement(lane, STEP_CALL, func->fn->name, pack_calls(batch)) &&
           PQpipelineSync(lane->conn) && push(lane);
    if (!sent)
        lose(lane, PQerrorMessage(lane->conn));
}

/* Give every idle lane something to do. */
static void flush(void *arg)
{
    (void)arg;
    db.flushing = false;
    stats_set(db.stat + STAT_WAITING, calls_count());
    for (int i = 0; i < db.nlanes; i++) {
        struct lane *lane = &db.lanes[i];
        struct func *func;

        while (lane->state == LANE_IDLE && (func = func_next(lane->write))) {
            struct batch *batch = batch_take(func, lane->write ? func_most(func) : 1);

            if (batch)
                send_batch(lane, batch);
        }
    }
}

/* At the end of the turn, so that what one turn brings leaves together. */
static void flush_later(void)
{
    if (db.flushing || db.closing)
        return;
    db.flushing = true;
    loop_defer(flush, NULL);
}

/* ---- connecting --------------------------------------------------------------------------------------------------------- */

static void lane_late(void *arg)
{
    struct lane *lane = arg;

    if (lane->state == LANE_DOWN)
        connect_lane(lane);
    else
        lose(lane, lane->state == LANE_CONNECTING ? "connect time-out" : "no answer in time");
}

static void become_ready(struct lane *lane)
{
    if (PQsetnonblocking(lane->conn, 1) || !PQenterPipelineMode(lane->conn)) {
        lose(lane, PQerrorMessage(lane->conn));
        return;
    }
    timer_stop(lane->timer);
    watch_free(lane->watch);
    lane->watch = watch_new(PQsocket(lane->conn), lane_ready, lane);
    watch_set(lane->watch, WATCH_READ);
    memset(lane->prepared, 0, sizeof lane->prepared);
    lane->lock_prepared = false;
    lane->failures = lane->refused;
    log_info("db_up", "lane=%d write=%d host=%s port=%s", lane->number, lane->write, PQhost(lane->conn),
             PQport(lane->conn));
    enter(lane, LANE_IDLE);
    flush_later();
}

static void connect_step(int fd, int ready, void *arg);

/* libpq may change its socket between two polls. */
static void await(struct lane *lane, int what)
{
    watch_free(lane->watch);
    lane->watch = watch_new(PQsocket(lane->conn), connect_step, lane);
    watch_set(lane->watch, what);
}

static void connect_step(int fd, int ready, void *arg)
{
    struct lane *lane = arg;

    (void)fd;
    (void)ready;
    switch (PQconnectPoll(lane->conn)) {
    case PGRES_POLLING_READING:
        await(lane, WATCH_READ);
        break;
    case PGRES_POLLING_WRITING:
        await(lane, WATCH_WRITE);
        break;
    case PGRES_POLLING_OK:
        become_ready(lane);
        break;
    default:
        lose(lane, PQerrorMessage(lane->conn));
    }
}

/* Notices are for people at psql. */
static void drop_notice(void *arg, const char *message)
{
    (void)arg;
    log_debug("db_notice", "text=%s", message);
}

/* JIT costs more than any statement here; a memoized function call would not run twice for two equal calls. */
static void session_options(const struct lane *lane, char *text, size_t size)
{
    const struct settings *s = settings();

    snprintf(text, size, "-c statement_timeout=%d -c lock_timeout=%d -c jit=off -c enable_memoize=off%s",
             lane->write ? s->batch_ms : s->read_ms, s->lock_ms,
             lane->write ? "" : " -c default_transaction_read_only=on");
}

static void connect_lane(void *arg)
{
    struct lane *lane = arg;
    const struct host *host = &db.hosts[lane->host];
    char options[200];
    const char *names[] = { "dbname",           "host",    "hostaddr",        "port", "target_session_attrs",
                            "application_name", "options", "client_encoding", NULL };
    const char *values[] = {
        settings()->database, host->name, host->address, host->port, lane->write ? "read-write" : "any",
        "hotlined",           options,    "UTF8",        NULL
    };

    session_options(lane, options, sizeof options);
    enter(lane, LANE_CONNECTING);
    lane->conn = PQconnectStartParams(names, values, 1);
    if (!lane->conn)
        abort();
    timer_set(lane->timer, settings()->connect_ms);
    if (PQstatus(lane->conn) == CONNECTION_BAD) {
        lose(lane, PQerrorMessage(lane->conn));
        return;
    }
    PQsetNoticeProcessor(lane->conn, drop_notice, NULL);
    await(lane, WATCH_WRITE);
}

/* ---- the connection string ------------------------------------------------------------------------------------------------ */

/* The n-th element of a comma-separated list; the last one serves for all that follow when it is the only one. */
static char *element(const char *list, int n)
{
    bool single = list && !strchr(list, ',');

    for (int i = 0; list && i < n && !single; i++) {
        list = strchr(list, ',');
        if (list)
            list++;
    }
    return list ? strndup(list, strcspn(list, ",")) : NULL;
}

static int elements(const char *list)
{
    int n = list && *list;

    for (; list && *list; list++)
        n += *list == ',';
    return n;
}

static const char *option(const PQconninfoOption *options, const char *name)
{
    for (; options->keyword; options++)
        if (!strcmp(options->keyword, name))
            return options->val;
    return NULL;
}

static bool read_hosts(void)
{
    char *error = NULL;
    PQconninfoOption *options = PQconninfoParse(settings()->database, &error);
    const char *name, *address, *port;

    if (!options) {
        log_error("db_setting", "name=database err=%s", error ? error : "out of memory");
        PQfreemem(error);
        return false;
    }
    name = option(options, "host");
    address = option(options, "hostaddr");
    port = option(options, "port");
    db.nhosts = elements(address) > elements(name) ? elements(address) : elements(name);
    db.nhosts = db.nhosts < 1 ? 1 : db.nhosts > HOSTS_MAX ? HOSTS_MAX : db.nhosts;
    for (int i = 0; i < db.nhosts; i++)
        db.hosts[i] = (struct host){ element(name, i), element(address, i), element(port, i) };
    PQconninfoFree(options);
    return true;
}

/* ---- the module ----------------------------------------------------------------------------------------------------------- */

static void tick(void *arg)
{
    (void)arg;
    calls_expire(false, is_down(false));
    calls_expire(true, is_down(true));
    for (int i = 0; i < db.nlanes; i++)
        if (db.lanes[i].batch)
            batch_expire(db.lanes[i].batch);
    stats_set(db.stat + STAT_WAITING, calls_count());
    db.ticking = calls_count() > 0;
    if (db.ticking)
        timer_set(db.tick, TICK);
}

static void add_lane(bool write)
{
    struct lane *lane = &db.lanes[db.nlanes];

    assert(db.nlanes < LANES_MAX);
    *lane = (struct lane){ .write = write, .number = db.nlanes++ };
    lane->timer = timer_new(lane_late, lane);
    timer_set(lane->timer, 0);
}

bool db_open(void)
{
    db.closing = db.flushing = db.ticking = false;
    db.nlanes = 0;
    if (!read_hosts())
        return false;
    db.stat = stats_register(db_stats, COUNT(db_stats));
    db.tick = timer_new(tick, NULL);
    for (int i = 0; i < settings()->write_lanes; i++)
        add_lane(true);
    for (int i = 0; i < settings()->read_lanes; i++)
        add_lane(false);
    note_state(true);
    note_state(false);
    return true;
}

void db_close(void)
{
    db.closing = true;
    for (int i = 0; i < db.nlanes; i++) {
        struct lane *lane = &db.lanes[i];

        disconnect(lane);
        timer_free(lane->timer);
        if (lane->batch)
            batch_refuse(lane->batch, "database_away");
        lane->batch = NULL;
    }
    calls_close();
    timer_free(db.tick);
    for (int i = 0; i < db.nhosts; i++) {
        free(db.hosts[i].name);
        free(db.hosts[i].address);
        free(db.hosts[i].port);
    }
    db.nlanes = db.nhosts = 0;
}

static void refuse_call(void *arg)
{
    struct call *call = arg;

    call_refuse(call, call->code);
}

/* Is one of its batches away for longer than a lock may make it wait? */
static bool is_stuck(const struct func *func)
{
    for (int i = 0; i < db.nlanes; i++)
        if (db.lanes[i].batch && db.lanes[i].batch->func == func &&
            loop_now() - db.lanes[i].sent_at > settings()->lock_ms + GRACE)
            return true;
    return false;
}

/* Calls that wait for a connection do so for a moment only, so the length of their queue says nothing. */
static const char *refusal(struct func *func)
{
    bool write = func->fn->write;

    if (db.closing || is_down(write) || (write && is_stuck(func)))
        return "database_away";
    if (func->waiting.count >= settings()->queue_max)
        return "busy";
    return db.down_since[write] || func_has_room(func) ? NULL : "busy";
}

bool db_is_busy(const struct api_fn *fn)
{
    const char *code = refusal(func_of(fn));
    bool busy = code && !strcmp(code, "busy");

    stats_add(db.stat + STAT_BUSY, busy);
    return busy;
}

void db_call(const struct db_call *wanted)
{
    struct func *func = func_of(wanted->fn);
    struct call *call = call_new(func, wanted);

    assert(func->number < FUNCS_MAX);
    call->code = refusal(func);
    if (call->code) {
        stats_add(db.stat + STAT_BUSY, !strcmp(call->code, "busy"));
        loop_defer(refuse_call, call);
        return;
    }
    call_queue(call);
    flush_later();
    if (!db.ticking) {
        db.ticking = true;
        timer_set(db.tick, TICK);
    }
}

bool db_takes_writes(void)
{
    return db.nlanes && !db.down_since[true];
}

const char *db_state(void)
{
    if (db.down_since[true] && db.down_since[false])
        return "no connection to the database";
    if (db.down_since[true])
        return "no connection to a database that takes writes";
    return db.down_since[false] ? "no connection for reads" : NULL;
}
