#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>
#include <signal.h>

#include "helper.c" /* NOLINT(bugprone-suspicious-include) */
#include "loop.h"
#include "settings.h"

enum { WORKERS = 4, SHARE = 64 / WORKERS };

struct answer {
    int told;
    enum helper_result result;
    char text[256];
};

static pid_t process;
static char stored[256];

static void keep(enum helper_result result, const char *text, size_t len, void *arg)
{
    struct answer *answer = arg;

    answer->told++;
    answer->result = result;
    snprintf(answer->text, sizeof answer->text, "%.*s", (int)len, text);
}

/* Turn the loop until told, five seconds at most. */
static void wait_for(const struct answer *answer)
{
    const struct timeval turn = { 0, 50000 };

    for (int i = 0; i < 200 && answer->told == 0; i++) {
        event_base_loopexit(loop_base(), &turn);
        event_base_dispatch(loop_base());
    }
    assert_int_equal(answer->told, 1);
}

static bool ask_verify(const char *password, struct answer *answer)
{
    char payload[512];
    int len = snprintf(payload, sizeof payload, "%s%c%s", stored, '\0', password);

    return helper_ask(HELPER_VERIFY, payload, (size_t)len, keep, answer);
}

static enum helper_result is_right(const char *password)
{
    struct answer answer = { 0 };

    assert_true(ask_verify(password, &answer));
    wait_for(&answer);
    return answer.result;
}

static void start_process(void)
{
    process = fork();
    assert_true(process >= 0);
    if (process == 0)
        _exit(helper_run());
}

static void stop_process(void)
{
    kill(process, SIGKILL);
    assert_int_equal(waitpid(process, NULL, 0), process);
}

static int set_up(void **state)
{
    char *argv[] = { "hotlined" };
    struct answer answer = { 0 };

    (void)state;
    assert_int_equal(settings_load(1, argv), SETTINGS_RUN);
    assert_true(helper_prepare(WORKERS));
    start_process();
    assert_true(loop_open());
    assert_true(helper_open());
    assert_true(helper_ask(HELPER_HASH, "12345-demo", 10, keep, &answer));
    wait_for(&answer);
    assert_int_equal(answer.result, HELPER_YES);
    memcpy(stored, answer.text, sizeof stored);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    helper_close();
    loop_close();
    stop_process();
    return 0;
}

static void a_hash_is_argon2id_with_64_megabytes(void **state)
{
    (void)state;
    assert_memory_equal(HELPER_DUMMY_HASH, stored, 31);
    assert_int_equal(strlen(HELPER_DUMMY_HASH), strlen(stored));
    assert_memory_equal(stored, "$argon2id$v=19$m=65536,t=2,p=1$", 31);
}

static void only_the_right_password_fits(void **state)
{
    (void)state;
    assert_int_equal(is_right("12345-demo"), HELPER_YES);
    assert_int_equal(is_right("12345-demO"), HELPER_NO);
    assert_int_equal(is_right(""), HELPER_NO);
}

static void a_payload_without_a_password_is_answered_no(void **state)
{
    struct answer answer = { 0 };

    (void)state;
    assert_true(helper_ask(HELPER_VERIFY, "no hash", 7, keep, &answer));
    wait_for(&answer);
    assert_int_equal(answer.result, HELPER_NO);
}

static void a_payload_too_long_is_not_taken(void **state)
{
    static char long_text[5000];
    struct answer answer = { 0 };

    (void)state;
    assert_false(helper_ask(HELPER_HASH, long_text, sizeof long_text, keep, &answer));
}

static void questions_asked_while_nobody_works_are_answered_by_the_next_process(void **state)
{
    struct answer answer = { 0 };

    (void)state;
    stop_process();
    assert_true(ask_verify("12345-demo", &answer));
    start_process();
    wait_for(&answer);
    assert_int_equal(answer.result, HELPER_YES);
}

static void a_worker_that_comes_back_hears_only_its_own_answers(void **state)
{
    struct answer before = { 0 }, after = { 0 };

    (void)state;
    assert_true(ask_verify("12345-demo", &before));
    helper_close();
    assert_int_equal(before.result, HELPER_LOST);
    assert_true(helper_open());
    assert_true(ask_verify("wrong", &after));
    wait_for(&after);
    assert_int_equal(after.result, HELPER_NO);
    assert_int_equal(before.told, 1);
}

/* A stopped process keeps everybody waiting: the share of this slot fills up, and after seven seconds all are told. */
static void too_many_are_refused_and_the_late_are_told(void **state)
{
    struct answer answers[SHARE + 1] = { 0 };

    (void)state;
    for (int i = 0; i < 12; i++) /* until the pace is that of one who works */
        assert_int_equal(is_right("12345-demo"), HELPER_YES);
    kill(process, SIGSTOP);
    for (size_t i = 0; i < SHARE; i++)
        assert_true(ask_verify("12345-demo", &answers[i]));
    assert_false(ask_verify("12345-demo", &answers[SHARE]));
    wait_for(&answers[SHARE - 1]);
    for (size_t i = 0; i < SHARE; i++)
        assert_int_equal(answers[i].result, HELPER_LOST);
    assert_int_equal(answers[SHARE].told, 0);
    kill(process, SIGCONT);
    assert_int_equal(is_right("12345-demo"), HELPER_YES); /* at once: what came too late was skipped */
}

static void who_would_wait_too_long_is_refused(void **state)
{
    struct answer answers[3] = { 0 };

    (void)state;
    lines[PASSWORDS].pace = 3000; /* as on a machine that has much else to do */
    assert_true(ask_verify("12345-demo", &answers[0]));
    assert_true(ask_verify("12345-demo", &answers[1]));
    assert_false(ask_verify("12345-demo", &answers[2])); /* six seconds */
    wait_for(&answers[1]);
    assert_true(lines[PASSWORDS].pace < 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_is_argon2id_with_64_megabytes),
        cmocka_unit_test(only_the_right_password_fits),
        cmocka_unit_test(a_payload_without_a_password_is_answered_no),
        cmocka_unit_test(a_payload_too_long_is_not_taken),
        cmocka_unit_test(questions_asked_while_nobody_works_are_answered_by_the_next_process),
        cmocka_unit_test(a_worker_that_comes_back_hears_only_its_own_answers),
        cmocka_unit_test(too_many_are_refused_and_the_late_are_told),
        cmocka_unit_test(who_would_wait_too_long_is_refused),
    };

    return cmocka_run_group_tests_name("helper", tests, set_up, tear_down);
}
