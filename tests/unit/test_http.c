/* A real server in a process of its own, spoken to byte by byte. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http.h"
#include "loop.h"
#include "req.h"
#include "settings.h"

enum { HEARD_MAX = 1 << 20, PATIENCE = 5000, QUIET = 300 /* milliseconds */ };

static pid_t server;
static bool told_to_stop;
static int port;
static char heard[HEARD_MAX];

/* ---- the server ----------------------------------------------------------------------------------------------------------- */

static enum next echo(struct req *r)
{
    char *text = arena_printf(r->arena, "%s %s q=%s len=%zu from=%s key=%d", r->method, req_param(r, "name"),
                              req_query(r, "q") ? req_query(r, "q") : "-", r->input.len, r->address, r->key_given);

    return reply_raw(r, 200, "text/plain", (struct bytes){ text, strlen(text) });
}

static void wake(void *arg)
{
    req_run(arg);
}

static void drop_timer(void *timer)
{
    timer_free(timer);
}

static enum next doze(struct req *r)
{
    struct timer *timer = timer_new(wake, r);

    arena_defer(r->arena, drop_timer, timer);
    timer_set(timer, 150);
    return WAIT;
}

static struct {
    struct stream *stream;
    struct timer *timer;
    int ended;
} flood;

static void pour(void *arg)
{
    static char text[16384];

    (void)arg;
    memset(text, 'x', sizeof text);
    if (flood.stream && stream_send(flood.stream, text, sizeof text))
        timer_set(flood.timer, 1);
}

static void flood_ended(void *arg)
{
    (void)arg;
    flood.stream = NULL;
    flood.ended++;
}

static enum next start_flood(struct req *r)
{
    flood.stream = stream_open(r, flood_ended, NULL);
    if (!flood.stream)
        return refuse_later(r, "busy", 1);
    if (!flood.timer)
        flood.timer = timer_new(pour, NULL);
    timer_set(flood.timer, 1);
    return WAIT;
}

static void nothing(void *arg)
{
    (void)arg;
}

static enum next start_stream(struct req *r)
{
    struct stream *stream = stream_open(r, nothing, NULL);
    struct shared *shared = shared_new("data: shared\n\n", 14);

    if (!stream) {
        shared_drop(shared);
        return refuse_later(r, "busy", 1);
    }
    assert_true(stream_send(stream, "event: hello\n\n", 14));
    assert_true(stream_send_shared(stream, shared));
    assert_true(stream_send_shared(stream, shared));
    shared_drop(shared); /* the stream has it still */
    if (req_query(r, "once"))
        stream_close(stream);
    return WAIT;
}

static enum next count_ended(struct req *r)
{
    char *text = arena_printf(r->arena, "ended=%d streams=%zu", flood.ended, stream_count());

    return reply_raw(r, 200, "text/plain", (struct bytes){ text, strlen(text) });
}

/* What the catalog does when it has read the database. */
static enum next learn(struct req *r)
{
    req_allow_time(false);
    return reply_raw(r, 200, "text/plain", (struct bytes){ "known", 5 });
}

static step_fn *const echo_steps[] = { echo };
static step_fn *const learn_steps[] = { learn };
static step_fn *const doze_steps[] = { doze, echo };
static step_fn *const flood_steps[] = { start_flood };
static step_fn *const stream_steps[] = { start_stream };
static step_fn *const ended_steps[] = { count_ended };

static const struct route routes[] = {
    { "GET", "/echo/{name}", echo_steps, 0 },
    { "POST", "/echo/{name}", echo_steps, 0 },
    { "POST", "/raw/{name}", echo_steps, ROUTE_RAW },
    { "GET", "/doze/{name}", doze_steps, 0 },
    { "GET", "/learn", learn_steps, 0 },
    { "GET", "/flood", flood_steps, ROUTE_STREAM },
    { "GET", "/stream", stream_steps, ROUTE_STREAM },
    { "GET", "/ended", ended_steps, 0 },
    { "GET", "/{rest*}", echo_steps, 0 },
};

static void drain(void *arg)
{
    (void)arg;
    http_drain(loop_stop);
}

static void serve(int listener)
{
    char *arguments[] = { "test", "--trusted_proxies=127.0.0.1, 10.0.0.1", "--stream_buffer=65536",
                          "--log_level=error" };
    bool good = settings_load(COUNT(arguments), arguments) == SETTINGS_RUN && loop_open();

    signal(SIGPIPE, SIG_IGN);
    http_routes(routes, COUNT(routes));
    good = good && http_open(listener);
    if (!good)
        exit(1);
    loop_signal(SIGTERM, drain, NULL);
    loop_run();
    timer_free(flood.timer);
    http_close();
    loop_close();
    exit(0);
}

static int start_server(void **state)
{
    int listener = http_listen("127.0.0.1", 0);

    (void)state;
    port = http_port(listener);
    server = fork();
    if (!server)
        serve(listener);
    close(listener);
    return port > 0 && server > 0 ? 0 : -1;
}

/* Sanitizers speak up at exit. */
static int stop_server(void **state)
{
    int status;

    (void)state;
    if (!told_to_stop)
        kill(server, SIGTERM);
    return waitpid(server, &status, 0) == server && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- the client ----------------------------------------------------------------------------------------------------------- */

static int dial(void)
{
    struct sockaddr_in where = { .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&where, sizeof where), 0);
    return fd;
}

static void say_bytes(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

        if (n < 0)
            return; /* the server has closed; what it said is what counts */
        text += n;
        len -= (size_t)n;
    }
}

static void say(int fd, const char *text)
{
    say_bytes(fd, text, strlen(text));
}

/* Everything said until the server closes or, with until given, this text has come. True: it closed. */
static bool hear(int fd, const char *until, int patience)
{
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    size_t len = 0;

    heard[0] = 0;
    while (!until || !strstr(heard, until)) {
        ssize_t n;

        if (poll(&ready, 1, patience) <= 0)
            return false;
        n = recv(fd, heard + len, sizeof heard - 1 - len, 0);
        if (n <= 0)
            return true;
        len += (size_t)n;
        heard[len] = 0;
    }
    return false;
}

static int count(const char *text)
{
    int n = 0;

    for (const char *at = heard; (at = strstr(at, text)); at += strlen(text))
        n++;
    return n;
}

/* Say this; the server answers once, with this status, and closes without reading on. */
static void ends_with(const char *request, const char *status)
{
    int fd = dial();

    say(fd, request);
    assert_true(hear(fd, NULL, PATIENCE));
    if (strncmp(heard, status, strlen(status)) != 0)
        fail_msg("expected %s, heard %s", status, heard);
    assert_int_equal(count("HTTP/1.1 "), 1);
    assert_int_equal(count("SMUGGLED"), 0);
    assert_int_equal(count("Connection: close"), 1);
    close(fd);
}

/* Say this on a connection that stays; the answer contains that. */
static void answers(const char *request, const char *part)
{
    int fd = dial();

    say(fd, request);
    hear(fd, part, PATIENCE);
    if (!strstr(heard, part))
        fail_msg("expected %s, heard %s", part, heard);
    close(fd);
}

/* ---- what is true ----------------------------------------------------------------------------------------------------------- */

#define NEXT "GET /echo/SMUGGLED HTTP/1.1\r\nHost: x\r\n\r\n"

static void a_route_gets_its_parameters(void **state)
{
    (void)state;
    answers("GET /echo/%E8%B7%AF?q=a+b%26c HTTP/1.1\r\nHost: x\r\n\r\n", "GET 路 q=a b&c len=0 from=127.0.0.1 key=0");
    answers("POST /echo/a HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
            "2\r\nIdempotency-Key: k\r\n\r\n{}",
            "POST a q=- len=2 from=127.0.0.1 key=1");
}

static void a_chunked_body_is_read(void **state)
{
    (void)state;
    answers("POST /raw/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            "len=5");
}

static void head_tells_the_length_and_sends_no_body(void **state)
{
    int fd = dial();

    (void)state;
    say(fd, "HEAD /echo/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_true(hear(fd, NULL, PATIENCE));
    assert_int_equal(count("Content-Length: 37"), 1);
    assert_string_equal(strstr(heard, "\r\n\r\n"), "\r\n\r\n");
    close(fd);
}

static void unknown_addresses_and_methods_are_problems(void **state)
{
    (void)state;
    answers("PUT /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "Allow: GET, HEAD, POST");
    answers("POST /flood HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "\"code\":\"method_not_allowed\"");
    answers("GET /raw/a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 405");
    answers("OPTIONS /raw/a HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405");
    answers("POST /nowhere/at/all HTTP/1.1\r\nHost: x\r\nAccept-Language: en\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 405");
}

static void a_problem_speaks_the_callers_language(void **state)
{
    (void)state;
    answers("PUT /echo/a HTTP/1.1\r\nHost: x\r\nAccept-Language: en-GB,zh;q=0.5\r\nContent-Length: 0\r\n\r\n",
            "this address does not take that method");
    answers("PUT /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "不支持该方法");
}

static void an_unknown_method_is_the_last_of_its_connection(void **state)
{
    (void)state;
    ends_with("BREW /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n" NEXT, "HTTP/1.1 405");
    ends_with("BREW /echo/a HTTP/1.1\r\nHost: x\r\n\r\n" NEXT, "HTTP/1.1 405");
}

static void two_lengths_are_the_last_of_their_connection(void **state)
{
    (void)state;
    ends_with("POST /raw/a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\n" NEXT,
              "HTTP/1.1 400");
    ends_with(
        "POST /raw/a HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT,
        "HTTP/1.1 400");
}

static void an_unknown_transfer_coding_is_the_last_of_its_connection(void **state)
{
    (void)state;
    ends_with("POST /raw/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n" NEXT, "HTTP/1.1 400");
    ends_with("POST /raw/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" NEXT,
              "HTTP/1.1 400");
    ends_with("POST /raw/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
              "gzip\r\n\r\n0\r\n\r\n" NEXT,
              "HTTP/1.1 400");
    ends_with("POST /raw/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" NEXT, "HTTP/1.1 400");
    ends_with("POST /raw/a HTTP/1.1\r\nHost: x\r\nContent-Length : 43\r\n\r\n" NEXT, "HTTP/1.1 400");
}

static void a_body_where_none_belongs_is_not_the_next_request(void **state)
{
    (void)state;
    ends_with("GET /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n" NEXT, "HTTP/1.1 415");
    ends_with("OPTIONS /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n" NEXT, "HTTP/1.1 405");
    ends_with("TRACE /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n" NEXT, "HTTP/1.1 405");
    ends_with("DELETE /echo/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT, "HTTP/1.1 405");
}

static void a_sound_request_leaves_the_connection_open(void **state)
{
    int fd = dial();

    (void)state;
    say(fd, "POST /raw/first HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /echo/second HTTP/1.1\r\nHost: "
            "x\r\n\r\n");
    hear(fd, "GET second", PATIENCE);
    assert_int_equal(count("POST first q=- len=3"), 1);
    assert_int_equal(count("HTTP/1.1 200"), 2);
    close(fd);
}

static void requests_sent_ahead_are_answered_in_order(void **state)
{
    int fd = dial();

    (void)state;
    say(fd, "GET /doze/one HTTP/1.1\r\nHost: x\r\n\r\n");
    usleep(50000);
    say(fd, "GET /doze/two HTTP/1.1\r\nHost: x\r\n\r\nGET /echo/three HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, "GET three", PATIENCE);
    assert_int_equal(count("HTTP/1.1 200"), 3);
    assert_true(strstr(heard, "GET one") < strstr(heard, "GET two") &&
                strstr(heard, "GET two") < strstr(heard, "GET three"));
    close(fd);
}

static void post_big(int fd, size_t size)
{
    char head[200], *body = calloc(1, size);

    snprintf(head, sizeof head, "POST /raw/a HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", size);
    say(fd, head);
    say_bytes(fd, body, size);
    free(body);
}

static void a_body_over_our_limit_is_a_problem(void **state)
{
    int fd = dial();

    (void)state;
    post_big(fd, 262144);
    hear(fd, "len=262144", PATIENCE);
    assert_int_equal(count("HTTP/1.1 200"), 1);
    post_big(fd, 262145);
    hear(fd, "body_too_large", PATIENCE);
    assert_int_equal(count("HTTP/1.1 413"), 1);
    close(fd);
}

static void a_body_over_the_hard_limit_gets_the_librarys_own_413(void **state)
{
    int fd = dial();

    (void)state;
    say(fd, "POST /raw/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n");
    assert_true(hear(fd, NULL, PATIENCE));
    assert_int_equal(count("HTTP/1.1 413"), 1);
    assert_int_equal(count("problem+json"), 0);
    close(fd);
}

static void a_head_over_the_limit_ends_the_connection(void **state)
{
    int fd = dial();
    char *name = calloc(1, 20001);

    (void)state;
    memset(name, 'a', 20000);
    say(fd, "GET /echo/a HTTP/1.1\r\nHost: x\r\nX-Long: ");
    say(fd, name);
    say(fd, "\r\n\r\n");
    assert_true(hear(fd, NULL, PATIENCE));
    assert_int_equal(count("HTTP/1.1 200"), 0);
    free(name);
    close(fd);
}

static void bad_addresses_and_queries_are_refused(void **state)
{
    char many[600] = "GET /echo/a?", *at = many + strlen(many);

    (void)state;
    answers("GET /echo/%FF HTTP/1.1\r\nHost: x\r\n\r\n", "\"code\":\"bad_request\"");
    answers("GET /echo/%00 HTTP/1.1\r\nHost: x\r\n\r\n", "\"code\":\"bad_request\"");
    answers("GET /echo/a?q=%C0%80 HTTP/1.1\r\nHost: x\r\n\r\n", "\"code\":\"bad_query\"");
    answers("GET /echo/a?q=%4 HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400");
    for (int i = 0; i < REQ_PARAMS_MAX + 1; i++)
        at += sprintf(at, "p%d=1&", i);
    sprintf(at, " HTTP/1.1\r\nHost: x\r\n\r\n");
    answers(many, "\"code\":\"bad_query\"");
}

static void wrong_content_and_keys_are_refused(void **state)
{
    (void)state;
    answers("POST /echo/a HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
            "\"code\":\"not_json\"");
    answers("POST /echo/a HTTP/1.1\r\nHost: x\r\nIdempotency-Key: a b\r\nContent-Length: 0\r\n\r\n",
            "\"code\":\"bad_key\"");
}

static void a_time_is_refused_for_good_only_when_the_database_has_said_so(void **state)
{
    static const char timed[] = "GET /echo/a HTTP/1.1\r\nHost: x\r\nX-Hotline-Time: 2018-01-01T09:00:00+08:00\r\n\r\n";

    (void)state;
    answers(timed, "HTTP/1.1 503");
    answers("GET /learn HTTP/1.1\r\nHost: x\r\n\r\n", "known");
    answers(timed, "\"code\":\"time_not_allowed\"");
}

static void a_trusted_proxy_names_its_client(void **state)
{
    (void)state;
    answers("GET /echo/a HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6, 203.0.113.9\r\n\r\n", "from=203.0.113.9");
    answers("GET /echo/a HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9, 10.0.0.1\r\n\r\n", "from=203.0.113.9");
    answers("GET /echo/a HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 2001:db8::1\r\n\r\n",
            "from=2001:db8::1");
    answers("GET /echo/a HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ::ffff:203.0.113.9\r\n\r\n", "from=203.0.113.9");
    answers("GET /echo/a HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: nonsense\r\n\r\n", "from=127.0.0.1");
    answers("GET /echo/a HTTP/1.1\r\nHost: x\r\n\r\n", "from=127.0.0.1");
}

static void abandon(const char *request, bool reset)
{
    struct linger now = { .l_onoff = 1 };
    int fd = dial();

    say(fd, request);
    usleep(30000);
    if (reset)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

static void a_client_that_leaves_hurts_nobody(void **state)
{
    (void)state;
    for (int reset = 0; reset < 2; reset++) {
        abandon("GET /doze/a HTTP/1.1\r\nHost: x\r\n\r\n", reset);
        abandon("GET /doze/a HTTP/1.1\r\nHost: x\r\n\r\nGET /doze/b HTTP/1.1\r\nHost: x\r\n\r\n", reset);
        abandon("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n", reset);
        abandon("POST /raw/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc", reset);
    }
    usleep(QUIET * 1000);
    answers("GET /ended HTTP/1.1\r\nHost: x\r\n\r\n", "streams=0");
}

static void a_stream_sends_and_ends(void **state)
{
    int fd = dial();

    (void)state;
    say(fd, "GET /stream?once=1 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(hear(fd, NULL, PATIENCE));
    assert_int_equal(count("Content-Type: text/event-stream"), 1);
    assert_int_equal(count("event: hello\n\n"), 1);
    assert_int_equal(count("data: shared\n\n"), 2);
    close(fd);
}

static void a_reader_that_owes_too_much_is_cut_off(void **state)
{
    int fd = dial();

    (void)state;
    say(fd, "GET /flood HTTP/1.1\r\nHost: x\r\n\r\n");
    for (int i = 0; i < 100; i++) {
        int other = dial();

        say(other, "GET /ended HTTP/1.1\r\nHost: x\r\n\r\n");
        hear(other, "ended=", PATIENCE);
        close(other);
        if (strstr(heard, "ended=1"))
            break;
        usleep(50000);
    }
    assert_int_equal(count("ended=1 streams=0"), 1);
    close(fd);
}

/* The last test: the server does not come back from it. */
static void a_drain_answers_what_is_under_way(void **state)
{
    int fd = dial(), stream = dial(), idle = dial();

    (void)state;
    say(stream, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(stream, "hello", PATIENCE);
    say(fd, "GET /doze/last HTTP/1.1\r\nHost: x\r\n\r\n");
    usleep(50000);
    kill(server, SIGTERM);
    told_to_stop = true;
    assert_true(hear(fd, NULL, PATIENCE));
    assert_int_equal(count("GET last"), 1);
    assert_int_equal(count("Connection: close"), 1);
    assert_true(hear(stream, NULL, PATIENCE));
    assert_true(hear(idle, NULL, PATIENCE));
    close(fd);
    close(stream);
    close(idle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_route_gets_its_parameters),
        cmocka_unit_test(a_chunked_body_is_read),
        cmocka_unit_test(head_tells_the_length_and_sends_no_body),
        cmocka_unit_test(unknown_addresses_and_methods_are_problems),
        cmocka_unit_test(a_problem_speaks_the_callers_language),
        cmocka_unit_test(an_unknown_method_is_the_last_of_its_connection),
        cmocka_unit_test(two_lengths_are_the_last_of_their_connection),
        cmocka_unit_test(an_unknown_transfer_coding_is_the_last_of_its_connection),
        cmocka_unit_test(a_body_where_none_belongs_is_not_the_next_request),
        cmocka_unit_test(a_sound_request_leaves_the_connection_open),
        cmocka_unit_test(requests_sent_ahead_are_answered_in_order),
        cmocka_unit_test(a_body_over_our_limit_is_a_problem),
        cmocka_unit_test(a_body_over_the_hard_limit_gets_the_librarys_own_413),
        cmocka_unit_test(a_head_over_the_limit_ends_the_connection),
        cmocka_unit_test(bad_addresses_and_queries_are_refused),
        cmocka_unit_test(wrong_content_and_keys_are_refused),
        cmocka_unit_test(a_time_is_refused_for_good_only_when_the_database_has_said_so),
        cmocka_unit_test(a_trusted_proxy_names_its_client),
        cmocka_unit_test(a_client_that_leaves_hurts_nobody),
        cmocka_unit_test(a_stream_sends_and_ends),
        cmocka_unit_test(a_reader_that_owes_too_much_is_cut_off),
        cmocka_unit_test(a_drain_answers_what_is_under_way),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
