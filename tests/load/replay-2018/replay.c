/* replay PLAN TEXTS STATE PORT [--until DAY]: plays a plan of complaints through HTTP, in simulated time.
 *
 * PLAN says how many complaints of which kind come in on each day and what happens to them when (plan.mjs writes it and explains
 * its words); TEXTS is JSON Lines with title and content.  The database named by HOTLINE_ADMIN_DATABASE is a simulation: each call
 * carries its moment, and the simulation's clock follows behind the oldest call under way, for the sweep.  Many tickets move side
 * by side, the steps of one in order.  Nothing is counted here.
 *
 * STATE is a journal: what each ticket has been through.  After a kill the same command goes on from there; what was under way
 * is sent again under the same keys, so that nothing happens twice.  Anything but the expected status ends the program.  The last
 * line is one of JSON: tickets, calls, repeats, readings, seconds (of all runs), runs, cpu_seconds (of this one). */

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <libpq-fe.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS = 192,
    DAYS_MAX = 400,
    PATHS_MAX = 64,
    STEPS_MAX = 32,
    UNITS_MAX = 100000, /* ids below */
    TEXTS_MAX = 2000,
    STREETS_MAX = 500,
    REQUEST_MAX = 32768,
    ANSWER_MAX = 1 << 20,
    AHEAD = 2, /* half days that may begin before the oldest is over */
    LAG = 2,   /* half days that the sweep may be behind; no path leans on it sooner */
    RETRY_MS = 200,
    RETRIES = 600,
    QUIET = 120, /* seconds that the sweep may stand still */
};

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

static _Noreturn void die(const char *format, ...)
{
    va_list args;

    fputs("\nreplay: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static void *room(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);

    if (!memory)
        die("no memory");
    return memory;
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- what is done --------------------------------------------------------------------------------------------------------- */

enum who {
    CITIZEN,
    OPERATOR,
    ACCEPTOR,
    DISPATCHER,
    AUDITOR,
    CALLBACK,
    LEADER,
    CENTRE,
    UNIT_D = CENTRE,
    UNIT_H,
    UNIT_A
};

struct ticket;
struct conn;

/* One request: fill writes its body (NULL: a GET), take reads from the answer what the next one needs. */
struct call {
    enum who who;
    const char *path; /* after /v1, %s: the ticket's id; NULL: wait until the acceptor's list shows the ticket */
    int status;
    int (*fill)(const struct ticket *ticket, const struct conn *conn, char *body, size_t size);
    void (*take)(struct conn *conn, const char *answer);
};

/* A word of the plan and the requests that it takes. */
struct word {
    const char *name;
    const struct call *calls[3]; /* the last is NULL */
};

struct path {
    char name[32];
    int nsteps;
    struct {
        int workdays, part; /* 0: morning, 1: afternoon */
        const struct word *word;
    } steps[STEPS_MAX];
};

struct line {
    int day, unit;
    const struct path *path;
    bool web;
    char category[16];
};

struct ticket {
    const struct line *line;
    struct ticket *next; /* in the list of its half day */
    long long id;
    int step;
};

static struct {
    struct ticket *tickets;
    int ntickets, days, until;
    bool rest[DAYS_MAX], always[UNITS_MAX];
    time_t first; /* midnight of the first day, in the city */
    struct path paths[PATHS_MAX];
    int npaths;
    struct {
        char *title, *content; /* JSON strings */
    } texts[TEXTS_MAX];
    int ntexts;
    char streets[STREETS_MAX][12];
    int nstreets, district[UNITS_MAX];
} plan;

struct conn {
    int fd;
    struct ticket *ticket; /* NULL: free */
    const struct word *word;
    bool busy;        /* an answer is to come */
    bool waiting;     /* for the acceptor to come upon the ticket */
    int half;         /* day of its steps, in halves */
    int ncall, tries; /* the call of the word under way */
    double again;     /* when to send it once more; 0: it is sent */
    char note[32];    /* what a call took for the next */
    char *out, *in;
    size_t out_len, have;
};

static int number_of(const struct ticket *ticket)
{
    return (int)(ticket - plan.tickets);
}

/* A number that looks drawn, the same in each run. */
static unsigned chance(const struct ticket *ticket, unsigned salt, unsigned below)
{
    unsigned long long x =
        ((unsigned long long)number_of(ticket) + 1) * 0x9e3779b97f4a7c15ull + salt * 0xbf58476d1ce4e5b9ull;

    x ^= x >> 31;
    x *= 0x94d049bb133111ebull;
    return (unsigned)((x >> 33) % below);
}

/* ---- what people write -------------------------------------------------------------------------------------------------------- */

/* A street of the unit's district, for others one of the city's. */
static const char *division(const struct ticket *ticket)
{
    int unit = ticket->line->unit, district = unit < UNITS_MAX ? plan.district[unit] : 0;
    int first = 0, n = plan.nstreets;

    if (district) {
        while (first < plan.nstreets && atoi(plan.streets[first]) / 1000 != district)
            first++;
        for (n = 0; first + n < plan.nstreets && atoi(plan.streets[first + n]) / 1000 == district; n++)
            ;
    }
    if (!n)
        die("unit %d has no street", unit);
    return plan.streets[first + (int)chance(ticket, 1, (unsigned)n)];
}

static const char *type(const struct ticket *ticket)
{
    return ticket->line->unit == 0 ? "consult" : chance(ticket, 2, 10) < 6 ? "complaint" : "help";
}

static const char *title(const struct ticket *ticket)
{
    return plan.texts[number_of(ticket) % plan.ntexts].title;
}

static const char *content(const struct ticket *ticket)
{
    return plan.texts[number_of(ticket) % plan.ntexts].content;
}

#define FILL(name) static int name(const struct ticket *ticket, const struct conn *conn, char *body, size_t size)

/* A body that uses nothing of the connection. */
#define WRITE(...) ((void)conn, snprintf(body, size, __VA_ARGS__))

FILL(fill_file)
{
    return WRITE("{\"type\":\"%s\",\"title\":%s,\"content\":%s,\"phone\":\"199%08d\",\"division\":\"%s\"}",
                 type(ticket), title(ticket), content(ticket), number_of(ticket), division(ticket));
}

FILL(fill_draft)
{
    return WRITE(
        "{\"channel\":\"phone\",\"type\":\"%s\",\"title\":%s,\"content\":%s,\"phone\":\"199%08d\",\"division\":\"%s\"}",
        type(ticket), title(ticket), content(ticket), number_of(ticket), division(ticket));
}

FILL(fill_answer)
{
    return WRITE("{\"action\":\"answer_on_spot\",\"category\":\"%s\",\"answer_text\":"
                 "\"您咨询的业务可在政务服务大厅或网上办理，所需材料和时限已"
                 "逐项说明。\",\"no_kb_reason\":\"依据主管部门公开的办事指南答复。\",\"appellant_ack\":true}",
                 ticket->line->category);
}

FILL(fill_accept)
{
    return WRITE("{\"action\":\"accept\",\"category\":\"%s\",\"division\":\"%s\",\"title\":%s}", ticket->line->category,
                 division(ticket), title(ticket));
}

FILL(fill_none)
{
    (void)ticket;
    return WRITE("{}");
}

FILL(fill_submit)
{
    return snprintf(
        body, size,
        "{\"action\":\"submit\",\"type\":\"%s\",\"title\":%s,\"content\":%s,\"category\":\"%s\",\"division\":\"%s\","
        "\"urgency\":\"normal\",\"secrecy\":0,\"reply_wanted\":true,\"publish\":\"agreed\",\"readback\":true,"
        "\"dup_check\":\"%s\"}",
        type(ticket), title(ticket), content(ticket), ticket->line->category, division(ticket), conn->note);
}

FILL(fill_dispatch)
{
    return WRITE("{\"action\":\"dispatch\",\"main_unit\":%d,\"instruction\":"
                 "\"请依职责核实处理，先行联系诉求人，并在时限内答复。\"}",
                 ticket->line->unit);
}

FILL(fill_sign)
{
    (void)ticket;
    return WRITE("{\"action\":\"sign\"}");
}

FILL(fill_contact)
{
    (void)ticket;
    return WRITE("{\"action\":\"first_contact\",\"contacted\":true,\"way\":\"phone\"}");
}

FILL(fill_reply)
{
    static const char *const results[] = { "resolved", "resolved",  "resolved", "basically",
                                           "partial",  "explained", "planned" };

    return WRITE("{\"action\":\"submit_reply\",\"result\":\"%s\",\"fact_finding\":\"true\",\"content\":"
                 "\"我单位收到工单后派员到现场核实，"
                 "并与相关各方沟通，已采取措施并明确责任人，后续将持续跟进，感谢您的监督。（第%d号）\",\"measures\":"
                 "\"现场核实，限期整改并复查。\"}",
                 results[chance(ticket, 3, COUNT(results))], number_of(ticket));
}

FILL(fill_approve_reply)
{
    (void)ticket;
    return WRITE("{\"action\":\"unit_approve\",\"opinion\":\"同意，内容属实。\"}");
}

FILL(fill_audit)
{
    return WRITE("{\"action\":\"audit_pass\",\"quality_score\":%u}", 70 + chance(ticket, 4, 31));
}

FILL(fill_reached)
{
    (void)ticket;
    return WRITE("{\"action\":\"callback_attempt\",\"outcome\":\"connected\"}");
}

FILL(fill_not_reached)
{
    (void)ticket;
    return WRITE("{\"action\":\"callback_attempt\",\"outcome\":\"no_answer\"}");
}

/* Satisfied 95.38 % (Lianyungang, September 2020), resolved 85.51 % (Hainan, half of 2023). */
FILL(fill_verdict)
{
    unsigned happy = chance(ticket, 5, 10000);
    const char *word = happy < 6000   ? "satisfied"
                       : happy < 9538 ? "very_satisfied"
                       : happy < 9800 ? "basic"
                                      : "understood";

    return WRITE("{\"action\":\"callback_ok\",\"contacted_by_unit\":true,\"resolved\":\"%s\",\"sat_process\":\"%s\","
                 "\"sat_result\":\"%s\"}",
                 chance(ticket, 6, 10000) < 8551 ? "yes" : "partly", word, word);
}

FILL(fill_rework)
{
    (void)ticket;
    return WRITE(
        "{\"action\":\"rework\",\"rework_reason\":\"诉求人表示问题仍未解决，单位尚可进一步处理。\",\"must_do\":["
        "\"到现场复查\",\"当面向诉求人说明\"],"
        "\"contacted_by_unit\":true,\"resolved\":\"no\",\"sat_process\":\"satisfied\",\"sat_result\":\"unsatisfied\"}");
}

FILL(fill_approve)
{
    (void)ticket;
    return snprintf(body, size,
                    "{\"action\":\"approve\",\"approval\":\"%s\",\"opinion\":\"已核对通话记录和办理材料，同意。\"}",
                    conn->note);
}

/* ---- what answers say -------------------------------------------------------------------------------------------------------- */

/* The text of the first member of this name. */
static void copy_member(const char *answer, const char *member, char *text, size_t size)
{
    char name[32];
    const char *at;

    snprintf(name, sizeof name, "\"%s\":", member);
    at = strstr(answer, name);
    at = at ? strchr(at + strlen(name), '"') : NULL;
    if (!at || strcspn(at + 1, "\"") >= size)
        die("an answer has no %s: %.500s", member, answer);
    snprintf(text, size, "%.*s", (int)strcspn(at + 1, "\""), at + 1);
}

static void take_id(struct conn *conn, const char *answer)
{
    char id[24];

    copy_member(answer, "id", id, sizeof id);
    conn->ticket->id = strtoll(id, NULL, 10);
}

static void take_number(struct conn *conn, const char *answer)
{
    copy_member(answer, "number", conn->note, sizeof conn->note);
}

static void take_dup_check(struct conn *conn, const char *answer)
{
    copy_member(answer, "dup_check", conn->note, sizeof conn->note);
}

/* The id of the rework that waits for a decision. */
static void take_approval(struct conn *conn, const char *answer)
{
    cJSON *whole = cJSON_Parse(answer), *approval;

    conn->note[0] = '\0';
    cJSON_ArrayForEach(approval, cJSON_GetObjectItem(whole, "approvals"))
    {
        const cJSON *kind = cJSON_GetObjectItem(approval, "kind"), *id = cJSON_GetObjectItem(approval, "id");

        if (cJSON_IsString(kind) && !strcmp(kind->valuestring, "rework") && cJSON_IsString(id))
            snprintf(conn->note, sizeof conn->note, "%s", id->valuestring);
    }
    cJSON_Delete(whole);
    if (!conn->note[0])
        die("no rework was asked for ticket %d", number_of(conn->ticket));
}

/* ---- words ------------------------------------------------------------------------------------------------------------------- */

#define ACTION "/desk/tickets/%s/actions"
#define ACT(name, by, fill_with) static const struct call name = { by, ACTION, 200, fill_with, NULL }

static const struct call file = { CITIZEN, "/tickets", 201, fill_file, take_number };
static const struct call find = { ACCEPTOR, NULL, 200, NULL, NULL };
static const struct call draft = { OPERATOR, "/desk/tickets", 201, fill_draft, take_id };
static const struct call dup_check = { OPERATOR, "/desk/tickets/%s/dup-check", 200, fill_none, take_dup_check };
static const struct call look = { LEADER, "/desk/tickets/%s", 200, NULL, take_approval };
ACT(submit, OPERATOR, fill_submit);
ACT(accept_, ACCEPTOR, fill_accept);
ACT(answer_by_phone, OPERATOR, fill_answer);
ACT(answer_online, ACCEPTOR, fill_answer);
ACT(dispatch, DISPATCHER, fill_dispatch);
ACT(sign, UNIT_D, fill_sign);
ACT(contact, UNIT_H, fill_contact);
ACT(reply, UNIT_H, fill_reply);
ACT(approve_reply, UNIT_A, fill_approve_reply);
ACT(audit, AUDITOR, fill_audit);
ACT(reached, CALLBACK, fill_reached);
ACT(not_reached, CALLBACK, fill_not_reached);
ACT(verdict, CALLBACK, fill_verdict);
ACT(ask_rework, CALLBACK, fill_rework);
ACT(approve_rework, LEADER, fill_approve);

/* The first table is for what comes by phone, the second for what comes online; both begin with what differs. */
static const struct word by_phone[] = {
    { "file", { &draft } },
    { "take", { &dup_check, &submit } },
    { "T03", { &answer_by_phone } },
};
static const struct word online[] = {
    { "file", { &file, &find } },
    { "take", { &accept_ } },
    { "T03", { &answer_online } },
};
static const struct word words[] = {
    { "T18", { &dispatch } },
    { "T30", { &sign } },
    { "T43", { &contact } },
    { "T52", { &reply } },
    { "T53", { &approve_reply } },
    { "T60", { &audit } },
    { "T63", { &reached } },
    { "T63n", { &not_reached } },
    { "T64", { &verdict } },
    { "ASK", { &ask_rework } },
    { "T65", { &look, &approve_rework } },
};

static const struct word *find_word(const struct word *in, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(in[i].name, name))
            return &in[i];
    return NULL;
}

/* ---- reading the plan -------------------------------------------------------------------------------------------------------- */

static int day_of(const char *date)
{
    struct tm t = { 0 };

    if (!strptime(date, "%Y-%m-%d", &t))
        die("not a date: %s", date);
    return (int)((timegm(&t) - 8 * 3600 - plan.first) / 86400);
}

static void read_period(char *from, char *to)
{
    struct tm t = { 0 };

    if (!strptime(from, "%Y-%m-%d", &t))
        die("not a date: %s", from);
    plan.first = timegm(&t) - 8 * 3600;
    plan.days = day_of(to);
    if (plan.days < 1 || plan.days > DAYS_MAX - 40)
        die("%d days are too many", plan.days);
}

/* One "3p:T52,T53"; what the sweep does by itself is not ours to do. */
static void read_steps(struct path *path, char *step)
{
    char *what = strchr(step, ':'), *end;
    int workdays = (int)strtol(step, &end, 10), part = *end == 'p';

    if (!what)
        die("path %s: no step: %s", path->name, step);
    for (char *name = strtok_r(what + 1, ",", &end); name; name = strtok_r(NULL, ",", &end)) {
        const struct word *word = find_word(words, COUNT(words), name);

        if (*name == '=')
            continue;
        if (path->nsteps == STEPS_MAX)
            die("path %s is too long", path->name);
        path->steps[path->nsteps].workdays = workdays;
        path->steps[path->nsteps].part = part;
        path->steps[path->nsteps++].word = word ? word : find_word(by_phone, COUNT(by_phone), name);
    }
}

static void read_path(char *rest)
{
    struct path *path = &plan.paths[plan.npaths++];
    char *at, *step = strtok_r(rest, " ", &at);

    if (plan.npaths == PATHS_MAX || !step)
        die("too many paths");
    snprintf(path->name, sizeof path->name, "%s", step);
    while ((step = strtok_r(NULL, " ", &at)))
        read_steps(path, step);
}

static const struct path *path_named(const char *name)
{
    for (int i = 0; i < plan.npaths; i++)
        if (!strcmp(plan.paths[i].name, name)) {
            for (int k = 0; k < plan.paths[i].nsteps; k++)
                if (!plan.paths[i].steps[k].word)
                    die("path %s has a step that cannot be taken", name);
            return &plan.paths[i];
        }
    die("no such path: %s", name);
}

static void add_tickets(const char *channel, const char *category, const char *unit, const char *path, int n, int day)
{
    static int most;
    struct line *line = room(1, sizeof *line);

    *line = (struct line){ .day = day, .unit = atoi(unit), .path = path_named(path), .web = !strcmp(channel, "web") };
    snprintf(line->category, sizeof line->category, "%s", category);
    if (line->unit < 0 || line->unit >= UNITS_MAX || n < 1)
        die("a line of %s is wrong", path);
    for (; n > 0; n--) {
        if (plan.ntickets == most) {
            most = most ? 2 * most : 1024;
            plan.tickets = realloc(plan.tickets, (size_t)most * sizeof *plan.tickets);
            if (!plan.tickets)
                die("no memory");
        }
        plan.tickets[plan.ntickets++] = (struct ticket){ .line = line };
    }
}

static void read_line(char *line, int *day)
{
    char a[16], b[16], c[16], d[32];
    int n;

    if (sscanf(line, "period %15s %15s", a, b) == 2)
        read_period(a, b);
    else if (sscanf(line, "rest %15s", a) == 1)
        plan.rest[day_of(a)] = true;
    else if (sscanf(line, "unit %d %15s", &n, a) == 2)
        plan.always[n] = true;
    else if (!strncmp(line, "path ", 5))
        read_path(line + 5);
    else if (sscanf(line, "day %15s", a) == 1)
        *day = day_of(a);
    else if (sscanf(line, "%15s %15s %15s %31s %d", a, b, c, d, &n) == 5)
        add_tickets(a, b, c, d, n, *day);
    else if (strncmp(line, "unit ", 5) != 0 && strncmp(line, "channel ", 8) != 0)
        die("not understood: %s", line);
}

static void read_plan(const char *name)
{
    FILE *file_ = fopen(name, "r");
    char *line = NULL;
    size_t size = 0;
    int day = 0;

    if (!file_)
        die("%s: %s", name, strerror(errno));
    while (getline(&line, &size, file_) > 0) {
        line[strcspn(line, "\n")] = '\0';
        read_line(line, &day);
    }
    free(line);
    fclose(file_);
}

static char *json_of(const cJSON *text, const char *name)
{
    char *json = cJSON_IsString(text) ? cJSON_PrintUnformatted(text) : NULL;

    if (!json || strlen(json) > REQUEST_MAX / 4)
        die("%s: a line without title and content", name);
    return json;
}

static void read_texts(const char *name)
{
    FILE *file_ = fopen(name, "r");
    char *line = NULL;
    size_t size = 0;

    if (!file_)
        die("%s: %s", name, strerror(errno));
    while (plan.ntexts < TEXTS_MAX && getline(&line, &size, file_) > 0) {
        cJSON *text = cJSON_Parse(line);

        plan.texts[plan.ntexts].title = json_of(cJSON_GetObjectItem(text, "title"), name);
        plan.texts[plan.ntexts++].content = json_of(cJSON_GetObjectItem(text, "content"), name);
        cJSON_Delete(text);
    }
    free(line);
    fclose(file_);
    if (!plan.ntexts)
        die("%s is empty", name);
}

/* ---- time: half days, the morning's calls at 9:30, the afternoon's at 15:30 ----------------------------------------------------- */

static int workday(int day, int n, bool always)
{
    while (n > 0) {
        day++;
        n -= always || (day < DAYS_MAX && !plan.rest[day]);
        if (day >= DAYS_MAX)
            return day;
    }
    return day;
}

/* The half day of a ticket's next step; -1: it has none in the plan's time. */
static int next_half(const struct ticket *ticket)
{
    const struct path *path = ticket->line->path;
    int half;

    if (ticket->step >= path->nsteps || ticket->line->day >= plan.until)
        return -1;
    half = 2 * workday(ticket->line->day, path->steps[ticket->step].workdays, plan.always[ticket->line->unit]) +
           path->steps[ticket->step].part;
    return half < 2 * plan.until ? half : -1;
}

static time_t moment_of(int half)
{
    return plan.first + half / 2 * 86400 + (half % 2 ? 15 * 3600 + 1800 : 9 * 3600 + 1800);
}

static const char *moment_text(time_t at, char text[40])
{
    time_t local = at + 8 * 3600;

    strftime(text, 40, "%Y-%m-%dT%H:%M:%S+08:00", gmtime(&local));
    return text;
}

/* ---- the database: only its clock, and whether the sweep follows ------------------------------------------------------------------ */

static PGconn *db;

static bool ask_db(const char *statement, const char *moment)
{
    PGresult *rows = PQexecParams(db, statement, 1, NULL, &moment, NULL, NULL, 0);
    bool yes = PQresultStatus(rows) == PGRES_TUPLES_OK && PQntuples(rows) == 1 && *PQgetvalue(rows, 0, 0) == 't';

    if (PQresultStatus(rows) != PGRES_TUPLES_OK && PQresultStatus(rows) != PGRES_COMMAND_OK)
        die("database: %s", PQerrorMessage(db));
    PQclear(rows);
    return yes;
}

static void open_db(void)
{
    char text[40];

    db = PQconnectdb(getenv("HOTLINE_ADMIN_DATABASE") ? getenv("HOTLINE_ADMIN_DATABASE") : "");
    if (PQstatus(db) != CONNECTION_OK)
        die("database: %s", PQerrorMessage(db));
    if (!ask_db("select count(*) = 1 and $1 <> '' from hotline.simulation", moment_text(plan.first, text)))
        die("this database is no simulation");
}

static void move_clock(time_t to)
{
    char text[40];

    ask_db("update hotline.simulation set at = greatest(at, $1::timestamptz)", moment_text(to, text));
}

static bool is_swept(time_t to)
{
    char text[40];

    return ask_db("select not exists (select from hotline.timer where at <= $1)", moment_text(to, text));
}

/* Due-type figures are exact as of swept_to. */
static bool is_swept_to(time_t to)
{
    char text[40];

    return ask_db("select coalesce(max(swept_to) >= $1::timestamptz, false) from hotline.sweep", moment_text(to, text));
}

/* ---- connections ------------------------------------------------------------------------------------------------------------------- */

static struct {
    unsigned short port;
    int poll, busy;
    struct conn conns[CONNECTIONS];
    struct conn list; /* on which the acceptor reads what waits */
    int waiting;
    double waiting_since;
    char (*tokens)[64]; /* of the centre's people, then three a unit */
    long calls, reads, repeats;
} net;

static void open_conn(struct conn *conn)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(net.port) };
    struct epoll_event wanted = { .events = EPOLLIN, .data.ptr = conn };

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (conn->fd < 0)
        die("socket: %s", strerror(errno));
    if (connect(conn->fd, (struct sockaddr *)&to, sizeof to)) {
        close(conn->fd);
        conn->fd = -1;
        return;
    }
    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    if (epoll_ctl(net.poll, EPOLL_CTL_ADD, conn->fd, &wanted))
        die("epoll_ctl: %s", strerror(errno));
}

static void make_conn(struct conn *conn)
{
    conn->fd = -1;
    conn->in = room(ANSWER_MAX + 1, 1);
    conn->out = room(REQUEST_MAX, 1);
}

/* The answer did not come, or said to come again: the same request under the same key, a little later. */
static void send_later(struct conn *conn)
{
    conn->busy = false;
    if (conn->fd >= 0)
        close(conn->fd);
    conn->fd = -1;
    conn->have = 0;
    if (++conn->tries > RETRIES)
        die("no answer after %d tries: %.*s", RETRIES, (int)strcspn(conn->out, "\r"), conn->out);
    conn->again = seconds() + RETRY_MS / 1e3;
}

/* The server reads a request before it answers it, so a blocking write ends. */
static void send_out(struct conn *conn)
{
    conn->again = 0;
    conn->busy = true;
    if (conn->fd < 0)
        open_conn(conn);
    if (conn->fd < 0 || send(conn->fd, conn->out, conn->out_len, MSG_NOSIGNAL) != (ssize_t)conn->out_len)
        send_later(conn);
}

static const char *token_of(const struct ticket *ticket, enum who who)
{
    return net.tokens[who < CENTRE ? (int)who : CENTRE + ticket->line->unit * 3 + (int)(who - UNIT_D)];
}

/* Everybody calls from an address of their own: the proxy that is trusted says so. */
static void send_call(struct conn *conn)
{
    const struct ticket *ticket = conn->ticket;
    const struct call *call = conn->word->calls[conn->ncall];
    char id[32], path[128], moment[40], body[REQUEST_MAX - 2048];
    int n = number_of(ticket), len = call->fill ? call->fill(ticket, conn, body, sizeof body) : 0;

    if (!call->path) {
        conn->waiting = true;
        if (net.waiting++ == 0)
            net.waiting_since = seconds();
        return;
    }
    if (len >= (int)sizeof body)
        die("a request is too long");
    snprintf(id, sizeof id, "%lld", ticket->id);
    snprintf(path, sizeof path, call->path, id);
    conn->out_len = (size_t)snprintf(
        conn->out, REQUEST_MAX,
        "%s /v1%s HTTP/1.1\r\nHost: localhost\r\nX-Hotline-Time: %s\r\nX-Forwarded-For: 10.%d.%d.%d\r\n%s%s%s",
        call->fill ? "POST" : "GET", path, moment_text(moment_of(conn->half), moment), n / 62500 % 250, n / 250 % 250,
        1 + n % 250, call->who == CITIZEN ? "" : "Authorization: Bearer ",
        call->who == CITIZEN ? "" : token_of(ticket, call->who), call->who == CITIZEN ? "" : "\r\n");
    conn->out_len +=
        (size_t)(call->fill ? snprintf(conn->out + conn->out_len, REQUEST_MAX - conn->out_len,
                                       "Idempotency-Key: replay-2018-%08d-%02d-%d\r\nContent-Type: application/json\r\n"
                                       "Content-Length: %d\r\n\r\n%s",
                                       n, ticket->step, conn->ncall, len, body)
                            : snprintf(conn->out + conn->out_len, REQUEST_MAX - conn->out_len, "\r\n"));
    conn->tries = 0;
    send_out(conn);
}

/* ---- the order of things ------------------------------------------------------------------------------------------------------------ */

static struct {
    struct ticket *first[2 * DAYS_MAX]; /* tickets whose next step is on this half day */
    int under_way[2 * DAYS_MAX];
    int oldest, at, last; /* half days: of the oldest step under way, of the newest, of the plan's end */
    long over, steps, nsteps;
    double last_move, checked;
    FILE *journal;
    double before; /* seconds of earlier runs */
    int runs;
} run;

static double began;

static void put(struct ticket *ticket)
{
    int half = next_half(ticket);

    if (half < 0) {
        run.over++;
        return;
    }
    if (half < run.at)
        half = run.at; /* after a kill */
    ticket->next = run.first[half];
    run.first[half] = ticket;
}

static void journal_line(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (vfprintf(run.journal, format, args) < 0)
        die("the journal: %s", strerror(errno));
    va_end(args);
}

static const struct word *word_of(const struct ticket *ticket)
{
    const struct word *word = ticket->line->path->steps[ticket->step].word;
    const struct word *differs = ticket->line->web ? find_word(online, COUNT(online), word->name) : NULL;

    return differs ? differs : word;
}

static void start_step(struct conn *conn)
{
    conn->word = word_of(conn->ticket);
    conn->ncall = 0;
    send_call(conn);
}

static void start(struct conn *conn, struct ticket *ticket)
{
    int half = next_half(ticket);

    conn->ticket = ticket;
    conn->half = half;
    run.under_way[half]++;
    net.busy++;
    start_step(conn);
}

/* A ticket's steps of one half day follow each other on one connection. */
static void step_done(struct conn *conn)
{
    struct ticket *ticket = conn->ticket;

    ticket->step++;
    run.steps++;
    if (next_half(ticket) == conn->half) {
        start_step(conn);
        return;
    }
    journal_line("%d %d %lld\n", number_of(ticket), ticket->step, ticket->id);
    run.under_way[conn->half]--;
    net.busy--;
    conn->ticket = NULL;
    put(ticket);
}

static void next_call(struct conn *conn)
{
    if (conn->word->calls[++conn->ncall])
        send_call(conn);
    else
        step_done(conn);
}

static void answered(struct conn *conn, int status, const char *body)
{
    const struct call *call = conn->word->calls[conn->ncall];

    if (status == 503) {
        send_later(conn);
        return;
    }
    if (status != call->status)
        die("ticket %d, path %s, step %s: %d %s", number_of(conn->ticket), conn->ticket->line->path->name,
            conn->word->name, status, body);
    net.calls++;
    net.reads += !call->fill;
    net.repeats += conn->tries;
    if (call->take)
        call->take(conn, body);
    next_call(conn);
}

/* ---- the acceptor: a citizen's ticket is found in the list of those that wait, many at one look ----------------------------------------- */

enum { LOOK_AT = 24, LOOK_MS = 15, LIST_MAX = 200 };

static void look_at_list(void)
{
    char moment[40];

    if (net.list.busy || net.list.again > 0 || net.waiting == 0 ||
        (net.waiting < LOOK_AT && seconds() - net.waiting_since < LOOK_MS / 1e3))
        return;
    net.list.out_len = (size_t)snprintf(
        net.list.out, REQUEST_MAX,
        "GET /v1/desk/tickets?state=pending_accept&limit=%d HTTP/1.1\r\nHost: localhost\r\nX-Hotline-Time: %s\r\n"
        "Authorization: Bearer %s\r\n\r\n",
        LIST_MAX, moment_text(moment_of(run.at), moment), net.tokens[ACCEPTOR]);
    net.list.tries = 0;
    send_out(&net.list);
}

static const char *text_of(const cJSON *row, const char *name)
{
    const cJSON *member = cJSON_GetObjectItem(row, name);

    return cJSON_IsString(member) ? member->valuestring : "";
}

static struct conn *waiting_for(const char *number)
{
    for (int i = 0; i < CONNECTIONS; i++)
        if (net.conns[i].waiting && !strcmp(net.conns[i].note, number))
            return &net.conns[i];
    return NULL;
}

/* Whom this look did not show is shown by the next: the tickets of this one are accepted by then. */
static void list_answered(int status, const char *body)
{
    cJSON *whole = cJSON_Parse(body), *row;

    if (status == 503) {
        send_later(&net.list);
        cJSON_Delete(whole);
        return;
    }
    if (status != 200)
        die("the list of what waits: %d %s", status, body);
    net.calls++;
    net.reads++;
    net.waiting_since = seconds();
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(whole, "tickets"))
    {
        struct conn *conn = waiting_for(text_of(row, "number"));

        if (!conn)
            continue;
        conn->ticket->id = strtoll(text_of(row, "id"), NULL, 10);
        conn->waiting = false;
        net.waiting--;
        next_call(conn);
    }
    cJSON_Delete(whole);
}

static void read_answer(struct conn *conn)
{
    ssize_t got = recv(conn->fd, conn->in + conn->have, ANSWER_MAX - conn->have, MSG_DONTWAIT);
    const char *end, *length;
    size_t whole;
    int status;

    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0 || !conn->busy) {
        if (conn->busy)
            send_later(conn);
        else {
            close(conn->fd);
            conn->fd = -1;
        }
        return;
    }
    conn->have += (size_t)got;
    conn->in[conn->have] = '\0';
    end = memmem(conn->in, conn->have, "\r\n\r\n", 4);
    length = end ? strcasestr(conn->in, "\r\nContent-Length:") : NULL;
    if (!end || !length || length > end)
        return;
    whole = (size_t)(end - conn->in) + 4 + strtoul(length + 17, NULL, 10);
    if (conn->have < whole)
        return;
    conn->have = 0;
    conn->busy = false;
    status = (int)strtol(conn->in + strlen("HTTP/1.1 "), NULL, 10);
    if (conn == &net.list)
        list_answered(status, end + 4);
    else
        answered(conn, status, end + 4);
}

/* ---- progress ------------------------------------------------------------------------------------------------------------------------ */

static void show_progress(bool end)
{
    static double last;
    static bool terminal;
    char bar[31], text[40];
    double now = seconds(), took = run.before + now - began;
    int filled = run.nsteps ? (int)(run.steps * 30 / run.nsteps) : 30;

    if (last == 0)
        terminal = isatty(STDERR_FILENO);
    if (!end && now - last < (terminal ? 0.2 : 5))
        return;
    last = now;
    memset(bar, '.', 30);
    memset(bar, '#', (size_t)filled);
    bar[30] = '\0';
    moment_text(moment_of(run.oldest < run.last ? run.oldest : run.last - 1), text);
    fprintf(stderr, "%s[%s] %.10s  %ld of %ld steps, %ld calls, %.0f s%s", terminal ? "\r" : "", bar, text, run.steps,
            run.nsteps, net.calls, took, terminal && !end ? "" : "\n");
}

/* ---- playing -------------------------------------------------------------------------------------------------------------------------- */

static void advance_oldest(void)
{
    int was = run.oldest;

    while (run.oldest < run.at && !run.under_way[run.oldest] && !run.first[run.oldest])
        run.oldest++;
    if (run.oldest == was)
        return;
    if (fflush(run.journal) != 0)
        die("the journal: %s", strerror(errno));
    journal_line("t %.1f\n", run.before + seconds() - began);
    move_clock(moment_of(run.oldest));
}

/* May the next half day begin?  Not far ahead of the oldest step, nor of the sweep. */
static bool may_advance(void)
{
    double now = seconds();

    if (run.at + 1 >= run.last || run.first[run.at] || run.at + 1 > run.oldest + AHEAD)
        return false;
    if (now - run.checked < 0.005)
        return false;
    run.checked = now;
    if (run.at + 1 > LAG && !is_swept(moment_of(run.at + 1 - LAG) - 1)) {
        if (now - run.last_move > QUIET)
            die("the engine's sweep stands still");
        return false;
    }
    run.last_move = now;
    return true;
}

static struct ticket *take_ticket(void)
{
    struct ticket *ticket;

    for (int half = run.oldest; half <= run.at; half++)
        if ((ticket = run.first[half])) {
            run.first[half] = ticket->next;
            return ticket;
        }
    return NULL;
}

static void fill_connections(void)
{
    struct ticket *ticket;

    for (int i = 0; i < CONNECTIONS; i++) {
        struct conn *conn = &net.conns[i];

        if (conn->ticket)
            continue;
        while (!(ticket = take_ticket())) {
            advance_oldest();
            if (!may_advance())
                return;
            run.at++;
        }
        start(conn, ticket);
    }
}

static void send_again(void)
{
    double now = seconds();

    for (int i = 0; i < CONNECTIONS; i++)
        if (net.conns[i].ticket && net.conns[i].again > 0 && net.conns[i].again <= now)
            send_out(&net.conns[i]);
    if (net.list.again > 0 && net.list.again <= now)
        send_out(&net.list);
}

static void play(void)
{
    struct epoll_event ready[256];

    while (run.oldest < run.last - 1 || run.over < plan.ntickets) {
        int n;

        fill_connections();
        look_at_list();
        advance_oldest();
        n = epoll_wait(net.poll, ready, 256, 5);
        for (int i = 0; i < n; i++)
            read_answer(ready[i].data.ptr);
        send_again();
        show_progress(false);
    }
}

/* The clock goes to the end of the plan's time, and everything that falls due on the way happens. */
static void finish(void)
{
    time_t end = plan.first + (time_t)plan.until * 86400;

    move_clock(end);
    for (double since = seconds(); !is_swept(end) || !is_swept_to(end); usleep(10000))
        if (seconds() - since > QUIET)
            die("the engine's sweep does not come to the end");
    run.oldest = run.last;
    show_progress(true);
}

/* ---- going on where a run ended --------------------------------------------------------------------------------------------------------- */

static void read_journal(const char *name)
{
    FILE *file_ = fopen(name, "r");
    char line[128];
    int n, step;
    long long id;

    if (!file_)
        return;
    while (fgets(line, sizeof line, file_)) {
        if (!strchr(line, '\n'))
            break; /* cut off by a kill: sent again */
        if (sscanf(line, "t %lf", &run.before) == 1 || !strcmp(line, "run\n")) {
            run.runs += *line == 'r';
        } else if (sscanf(line, "%d %d %lld", &n, &step, &id) == 3 && n >= 0 && n < plan.ntickets) {
            plan.tickets[n].step = step;
            plan.tickets[n].id = id;
        }
    }
    fclose(file_);
}

static void cut_journal(const char *name)
{
    FILE *file_ = fopen(name, "r+");
    long end = 0;
    int c;

    if (!file_)
        return;
    while ((c = getc(file_)) != EOF)
        if (c == '\n')
            end = ftell(file_);
    if (ftruncate(fileno(file_), end) != 0)
        die("%s: %s", name, strerror(errno));
    fclose(file_);
}

static void count_steps(void)
{
    for (int i = 0; i < plan.ntickets; i++) {
        struct ticket *ticket = &plan.tickets[i];
        int done = ticket->step;

        for (ticket->step = 0; next_half(ticket) >= 0; ticket->step++)
            run.nsteps++;
        run.steps += done;
        ticket->step = done;
    }
}

/* Half days that are over are not gone through again. */
static void begin_at_oldest(void)
{
    run.last = 2 * plan.until;
    run.at = run.last - 1;
    for (int i = 0; i < plan.ntickets; i++) {
        int half = next_half(&plan.tickets[i]);

        if (half >= 0 && half < run.at)
            run.at = half;
    }
    run.oldest = run.at;
    for (int i = plan.ntickets - 1; i >= 0; i--)
        put(&plan.tickets[i]);
    move_clock(moment_of(run.oldest));
}

static void open_journal(const char *name)
{
    read_journal(name);
    cut_journal(name);
    run.journal = fopen(name, "a");
    if (!run.journal)
        die("%s: %s", name, strerror(errno));
    run.runs++;
    journal_line("run\n");
}

/* ---- signing in ---------------------------------------------------------------------------------------------------------------------------- */

/* One request on a connection of its own, waiting for the answer. */
static void sign_in(const char *login, char token[64])
{
    struct conn conn = { .fd = -1 };
    char out[512], in[8192], body[128];
    int len = snprintf(body, sizeof body, "{\"login\":\"%s\",\"password\":\"12345-demo\"}", login);
    ssize_t got;
    size_t have = 0;

    open_conn(&conn);
    len = snprintf(
        out, sizeof out,
        "POST /v1/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
        "Content-Length: %d\r\n\r\n%s",
        len, body);
    if (conn.fd < 0 || send(conn.fd, out, (size_t)len, MSG_NOSIGNAL) != len)
        die("no engine on port %d", net.port);
    while (have < sizeof in - 1 && (got = recv(conn.fd, in + have, sizeof in - 1 - have, 0)) > 0)
        have += (size_t)got;
    close(conn.fd);
    in[have] = '\0';
    if (strncmp(in, "HTTP/1.1 20", 11) != 0)
        die("%s cannot sign in: %s", login, in);
    copy_member(in, "token", token, 64);
}

/* Where complaints come from: the streets, and the district that a unit answers for. */
static void read_places(void)
{
    PGresult *rows = PQexec(db, "select code from hotline.division where level = 3 order by code");

    for (int i = 0; i < PQntuples(rows) && i < STREETS_MAX; i++, plan.nstreets++)
        snprintf(plan.streets[i], sizeof plan.streets[i], "%.11s", PQgetvalue(rows, i, 0));
    PQclear(rows);
    rows = PQexec(db, "select id, division from hotline.unit where kind = 'district' and id < 100000");
    for (int i = 0; i < PQntuples(rows); i++)
        plan.district[atoi(PQgetvalue(rows, i, 0))] = atoi(PQgetvalue(rows, i, 1));
    PQclear(rows);
}

static void sign_all_in(void)
{
    static const char *const centre[] = {
        [OPERATOR] = "operator1", [ACCEPTOR] = "acceptor1", [DISPATCHER] = "dispatcher1",
        [AUDITOR] = "auditor1",   [CALLBACK] = "callback1", [LEADER] = "leader1"
    };
    char login[80], id[16], code[32];
    PGresult *rows = PQexec(db, "select id, lower(code) from hotline.unit where level = 2");
    static bool wanted[UNITS_MAX];

    for (int i = 0; i < plan.ntickets; i++)
        wanted[plan.tickets[i].line->unit] = next_half(&plan.tickets[i]) >= 0 || wanted[plan.tickets[i].line->unit];
    net.tokens = room(CENTRE + 3 * UNITS_MAX, sizeof *net.tokens);
    for (int i = OPERATOR; i < CENTRE; i++)
        sign_in(centre[i], net.tokens[i]);
    for (int i = 0; i < PQntuples(rows); i++) {
        snprintf(id, sizeof id, "%s", PQgetvalue(rows, i, 0));
        snprintf(code, sizeof code, "%s", PQgetvalue(rows, i, 1));
        for (int k = 0; wanted[atoi(id)] && k < 3; k++) {
            snprintf(login, sizeof login, "%s.%c", code, "dha"[k]);
            sign_in(login, net.tokens[CENTRE + 3 * atoi(id) + k]);
        }
    }
    PQclear(rows);
}

int main(int argc, char **argv)
{
    struct rusage used;

    if (argc < 5) {
        fprintf(stderr, "usage: replay PLAN TEXTS STATE PORT [--until DAY]\n");
        return 2;
    }
    began = seconds();
    read_plan(argv[1]);
    read_texts(argv[2]);
    plan.until = argc == 7 && !strcmp(argv[5], "--until") ? day_of(argv[6]) : plan.days;
    if (plan.until < 1 || plan.until > plan.days)
        die("--until is not within the plan");
    net.port = (unsigned short)atoi(argv[4]);
    net.poll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < CONNECTIONS; i++)
        make_conn(&net.conns[i]);
    make_conn(&net.list);
    open_db();
    open_journal(argv[3]);
    count_steps();
    read_places();
    sign_all_in();
    run.last_move = seconds();
    begin_at_oldest();
    play();
    finish();
    getrusage(RUSAGE_SELF, &used);
    journal_line("t %.1f\n", run.before + seconds() - began);
    printf("{\"tickets\":%d,\"calls\":%ld,\"repeats\":%ld,\"readings\":%ld,\"seconds\":%.1f,\"runs\":%d,\"cpu_"
           "seconds\":%.2f}\n",
           plan.ntickets, net.calls, net.repeats, net.reads, run.before + seconds() - began, run.runs,
           (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    return fclose(run.journal) ? 1 : 0;
}
