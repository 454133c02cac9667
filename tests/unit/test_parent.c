/* A parent and its workers as real processes, with a module of the test's own. */

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
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop.h"
#include "parent.h"
#include "req.h"
#include "settings.h"
#include "stats.h"

enum { WORKERS = 2, PATIENCE = 10000 /* milliseconds */ };

static pid_t parent;
static int port;
static char port_file[] = "/tmp/hotlined-port-XXXXXX", pid_file[] = "/tmp/hotlined-pid-XXXXXX";

/* ---- the daemon ------------------------------------------------------------------------------------------------------------- */

static const struct stat counter = { "test_told_total", "Answers given", STAT_COUNTER, NULL };
static int told;

static enum next tell_pid(struct req *r)
{
    char *text = arena_printf(r->arena, "pid=%d told=%lld", (int)getpid(), (long long)stats_total(told) + 1);

    stats_add(told, 1);
    return reply_raw(r, 200, "text/plain", (struct bytes){ text, strlen(text) });
}

static step_fn *const pid_steps[] = { tell_pid };
static const struct route routes[] = { { "GET", "/pid", pid_steps, 0 } };

static bool open_module(void)
{
    told = stats_register(&counter, 1);
    http_routes(routes, 1);
    return true;
}

static const char *problem(void)
{
    return "as the test wants it";
}

static const struct module modules[] = { { .name = "test", .open = open_module, .problem = problem } };

static int serve(void)
{
    pause();
    return 0;
}

static const struct service services[] = { { .name = "sleeper", .run = serve } };

static void run(void)
{
    char by_port[100], by_pid[100];
    char *arguments[] = {
        "test", "--port=0", "--workers=2", "--log_level=error", "--drain_seconds=2", by_port, by_pid
    };

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    snprintf(by_port, sizeof by_port, "--port_file=%s", port_file);
    snprintf(by_pid, sizeof by_pid, "--pid_file=%s", pid_file);
    if (settings_load(COUNT(arguments), arguments) != SETTINGS_RUN)
        exit(2);
    exit(parent_run(modules, COUNT(modules), services, COUNT(services)));
}

static int read_port(void)
{
    FILE *file = fopen(port_file, "r");
    int number = 0;

    if (fscanf(file, "%d", &number) != 1)
        number = 0;
    fclose(file);
    return number;
}

static int start(void **state)
{
    (void)state;
    fclose(fopen(port_file, "w"));
    parent = fork();
    if (!parent)
        run();
    for (port = 0; !port;) {
        usleep(10000);
        port = read_port();
    }
    return 0;
}

static int stop(void **state)
{
    int status;

    (void)state;
    if (!parent)
        return 0;
    kill(parent, SIGTERM);
    return waitpid(parent, &status, 0) == parent && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- the client ------------------------------------------------------------------------------------------------------------- */

/* One request over a connection of its own; false when there is no answer. */
static bool get(const char *path, char *answer, size_t size)
{
    struct sockaddr_in where = { .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char request[100];
    ssize_t n;
    size_t len = 0;

    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    if (connect(fd, (struct sockaddr *)&where, sizeof where) || send(fd, request, strlen(request), MSG_NOSIGNAL) < 0) {
        close(fd);
        return false;
    }
    while (len < size - 1 && (n = recv(fd, answer + len, size - 1 - len, 0)) > 0)
        len += (size_t)n;
    answer[len] = 0;
    close(fd);
    return len > 0;
}

static pid_t ask_pid(void)
{
    char answer[2000], *at;

    if (!get("/pid", answer, sizeof answer))
        return 0;
    at = strstr(answer, "pid=");
    return at ? atoi(at + 4) : 0;
}

/* The pids of all workers; connections are spread by the kernel, so ask until both have answered. */
static void ask_pids(pid_t pids[WORKERS])
{
    pids[1] = 0;
    for (pids[0] = ask_pid(); !pids[1];) {
        pid_t pid = ask_pid();

        assert_true(pid);
        if (pid != pids[0])
            pids[1] = pid;
    }
}

static bool is_gone(pid_t pid)
{
    for (int ms = 0; ms < PATIENCE; ms += 20) {
        if (kill(pid, 0) && errno == ESRCH)
            return true;
        usleep(20000);
    }
    return false;
}

/* ---- what is true ------------------------------------------------------------------------------------------------------------- */

static void workers_share_the_port_and_the_counters(void **state)
{
    pid_t pids[WORKERS];
    char answer[8000];
    int n;

    (void)state;
    ask_pids(pids);
    assert_true(get("/pid", answer, sizeof answer));
    n = atoi(strstr(answer, "told=") + 5);
    assert_true(n >= 3);
    for (int i = 1; i < 20; i++) {
        assert_true(get("/pid", answer, sizeof answer));
        assert_int_equal(atoi(strstr(answer, "told=") + 5), n + i);
    }
    assert_true(get("/metrics", answer, sizeof answer));
    assert_non_null(strstr(answer, "# TYPE hotlined_http_seconds histogram"));
}

static void a_problem_of_a_module_shows_in_readyz(void **state)
{
    char answer[2000];

    (void)state;
    assert_true(get("/readyz", answer, sizeof answer));
    assert_non_null(strstr(answer, "HTTP/1.1 503"));
    assert_non_null(strstr(answer, "\"part\":\"test\",\"problem\":\"as the test wants it\""));
    assert_true(get("/healthz", answer, sizeof answer));
    assert_non_null(strstr(answer, "HTTP/1.1 200"));
}

static void a_dead_worker_is_replaced(void **state)
{
    pid_t before[WORKERS], after[WORKERS];

    (void)state;
    ask_pids(before);
    kill(before[0], SIGKILL);
    usleep(500000);
    ask_pids(after);
    assert_true((after[0] == before[1]) != (after[1] == before[1]));
    assert_true(after[0] != before[0] && after[1] != before[0]);
}

static void a_reload_replaces_all_workers_and_loses_no_request(void **state)
{
    pid_t before[WORKERS];
    char answer[2000];

    (void)state;
    ask_pids(before);
    kill(parent, SIGHUP);
    for (int i = 0; i < 300; i++) {
        assert_true(get("/pid", answer, sizeof answer));
        usleep(2000);
    }
    for (int i = 0; i < WORKERS; i++)
        assert_true(is_gone(before[i]));
    ask_pids(before);
}

static void a_stop_ends_everything(void **state)
{
    pid_t pids[WORKERS];
    int status;
    char answer[100];

    (void)state;
    ask_pids(pids);
    kill(parent, SIGTERM);
    assert_int_equal(waitpid(parent, &status, 0), parent);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(is_gone(pids[0]) && is_gone(pids[1]));
    assert_false(get("/pid", answer, sizeof answer));
    assert_int_not_equal(access(pid_file, F_OK), 0);
    parent = 0;
}

static void workers_follow_a_killed_parent(void **state)
{
    pid_t pids[WORKERS];

    (void)state;
    ask_pids(pids);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    assert_true(is_gone(pids[0]) && is_gone(pids[1]));
    parent = 0;
}

static int make_files(void **state)
{
    int one = mkstemp(port_file), two = mkstemp(pid_file);

    (void)state;
    return one < 0 || two < 0 || close(one) || close(two);
}

static int drop_files(void **state)
{
    (void)state;
    unlink(pid_file);
    return unlink(port_file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(workers_share_the_port_and_the_counters, start, stop),
        cmocka_unit_test_setup_teardown(a_problem_of_a_module_shows_in_readyz, start, stop),
        cmocka_unit_test_setup_teardown(a_dead_worker_is_replaced, start, stop),
        cmocka_unit_test_setup_teardown(a_reload_replaces_all_workers_and_loses_no_request, start, stop),
        cmocka_unit_test_setup_teardown(a_stop_ends_everything, start, stop),
        cmocka_unit_test_setup_teardown(workers_follow_a_killed_parent, start, stop),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, make_files, drop_files);
}
