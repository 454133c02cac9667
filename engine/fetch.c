/* HTTP runs on the loop.  Mail does not: libcurl waits for SMTP's last answer, and for the farewell, without coming back, so each mail
 * has a thread of its own, which touches nothing but its job and says through a pipe that it has ended. */

#include "fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "log.h"
#include "loop.h"
#include "settings.h"

enum { BODY_MAX = 64 << 10, HOST_MAX = 8, MAILS_MAX = 4 };

struct job {
    TAILQ_ENTRY(job) next;
    CURL *easy;
    struct curl_slist *headers, *recipients;
    char *out; /* what is sent */
    size_t len, given;
    char *body; /* what came back */
    size_t got;
    char error[CURL_ERROR_SIZE];
    pthread_t thread; /* of a mail */
    CURLcode code;
    fetch_fn *done;
    void *arg;
};

TAILQ_HEAD(jobs, job);

static struct {
    CURLM *multi;
    struct timer *timer;
    struct jobs waiting, active;
    int nactive;
    struct jobs mails, posting; /* mails that wait, mails with a thread */
    int nposting;
    int ended[2]; /* the pipe: jobs whose thread has ended */
    struct watch *watch;
    atomic_bool stopping;
} fetch;

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static void job_free(struct job *job)
{
    curl_easy_cleanup(job->easy);
    curl_slist_free_all(job->headers);
    curl_slist_free_all(job->recipients);
    if (job->out)
        explicit_bzero(job->out, job->len);
    free(job->out);
    free(job->body);
    free(job);
}

static size_t take_body(char *data, size_t one, size_t n, void *arg)
{
    struct job *job = arg;
    size_t room = BODY_MAX - job->got, len = one * n < room ? one * n : room;

    if (len > 0) {
        job->body = must(realloc(job->body, job->got + len + 1));
        memcpy(job->body + job->got, data, len);
        job->got += len;
        job->body[job->got] = '\0';
    }
    return one * n;
}

static size_t give_mail(char *data, size_t one, size_t n, void *arg)
{
    struct job *job = arg;
    size_t left = job->len - job->given, len = one * n < left ? one * n : left;

    memcpy(data, job->out + job->given, len);
    job->given += len;
    return len;
}

/* What is sure: an answer; that nothing was taken, when the request did not even begin; else nothing. */
static enum fetch_end end_of(struct job *job, CURLcode code, long status)
{
    curl_off_t began = 0;

    curl_easy_getinfo(job->easy, CURLINFO_PRETRANSFER_TIME_T, &began);
    if (code == CURLE_OK)
        return FETCH_ANSWERED;
    if (job->recipients && status >= 400)
        return FETCH_ANSWERED; /* SMTP's refusals are errors to libcurl */
    return began == 0 || code == CURLE_LOGIN_DENIED ? FETCH_UNREACHED : FETCH_UNKNOWN;
}

static void tell(struct job *job, CURLcode code)
{
    struct fetch_reply reply = { .body = job->body ? job->body : "", .len = job->got };
    curl_off_t later = 0;
    long status = 0;

    curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(job->easy, CURLINFO_RETRY_AFTER, &later);
    reply.status = (int)status;
    reply.retry_after = later > 0 && later < 86400 ? (int)later : 0;
    reply.end = end_of(job, code, status);
    reply.why = reply.end == FETCH_ANSWERED ? "" : *job->error ? job->error : curl_easy_strerror(code);
    job->done(&reply, job->arg);
    job_free(job);
}

static void finish(struct job *job, CURLcode code)
{
    TAILQ_REMOVE(&fetch.active, job, next);
    fetch.nactive--;
    curl_multi_remove_handle(fetch.multi, job->easy);
    tell(job, code);
}

/* Mail */

static void *post(void *arg)
{
    struct job *job = arg;

    job->code = curl_easy_perform(job->easy);
    while (write(fetch.ended[1], &job, sizeof job) < 0 && errno == EINTR)
        ;
    return NULL;
}

/* No signal is for a thread of ours. */
static bool start_thread(struct job *job)
{
    sigset_t all, was;
    bool good;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &was);
    good = pthread_create(&job->thread, NULL, post, job) == 0;
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    return good;
}

static void begin_mails(void)
{
    struct job *job;

    while (fetch.nposting < MAILS_MAX && (job = TAILQ_FIRST(&fetch.mails)) != NULL) {
        if (!start_thread(job))
            abort();
        TAILQ_REMOVE(&fetch.mails, job, next);
        TAILQ_INSERT_TAIL(&fetch.posting, job, next);
        fetch.nposting++;
    }
}

static void on_posted(int fd, int ready, void *arg)
{
    struct job *job;

    (void)ready;
    (void)arg;
    while (read(fd, &job, sizeof job) == (ssize_t)sizeof job) {
        pthread_join(job->thread, NULL);
        TAILQ_REMOVE(&fetch.posting, job, next);
        fetch.nposting--;
        tell(job, job->code);
    }
    begin_mails();
}

/* libcurl asks now and then whether to go on, also where it waits. */
static int is_stopping(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)arg, (void)a, (void)b, (void)c, (void)d;
    return fetch.stopping;
}

/* HTTP */

static void begin_waiting(void)
{
    struct job *job;

    while (fetch.nactive < settings()->fetch_max && (job = TAILQ_FIRST(&fetch.waiting)) != NULL) {
        TAILQ_REMOVE(&fetch.waiting, job, next);
        TAILQ_INSERT_TAIL(&fetch.active, job, next);
        fetch.nactive++;
        curl_multi_add_handle(fetch.multi, job->easy);
    }
}

static void take_ended(void)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(fetch.multi, &left)) != NULL) {
        struct job *job = NULL;
        CURLcode code = message->data.result;

        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &job);
        finish(job, code);
    }
    begin_waiting();
}

static void on_ready(int fd, int ready, void *arg)
{
    int how = (ready & WATCH_READ ? CURL_CSELECT_IN : 0) | (ready & WATCH_WRITE ? CURL_CSELECT_OUT : 0), running;

    (void)arg;
    curl_multi_socket_action(fetch.multi, fd, how, &running);
    take_ended();
}

static void on_time(void *arg)
{
    int running;

    (void)arg;
    curl_multi_socket_action(fetch.multi, CURL_SOCKET_TIMEOUT, 0, &running);
    take_ended();
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct watch *watch = known;

    (void)easy;
    (void)arg;
    if (what == CURL_POLL_REMOVE) {
        watch_free(watch);
        return 0;
    }
    if (!watch) {
        watch = watch_new(fd, on_ready, NULL);
        curl_multi_assign(fetch.multi, fd, watch);
    }
    watch_set(watch, (what & CURL_POLL_IN ? WATCH_READ : 0) | (what & CURL_POLL_OUT ? WATCH_WRITE : 0));
    return 0;
}

static int want_time(CURLM *multi, long ms, void *arg)
{
    (void)multi;
    (void)arg;
    if (ms < 0)
        timer_stop(fetch.timer);
    else
        timer_set(fetch.timer, ms);
    return 0;
}

static void set_limits(CURL *easy)
{
    bool plain = settings()->fetch_plain != 0;

    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)settings()->fetch_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)settings()->fetch_ms / 2);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, plain ? "http,https,smtp,smtps" : "https,smtp,smtps");
    curl_easy_setopt(easy, CURLOPT_USE_SSL, plain ? CURLUSESSL_TRY : CURLUSESSL_ALL);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "hotlined");
    if (*settings()->fetch_ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, settings()->fetch_ca_file);
}

static void set_mail(struct job *job, const struct fetch *wanted)
{
    job->recipients = must(curl_slist_append(NULL, wanted->to));
    curl_easy_setopt(job->easy, CURLOPT_MAIL_FROM, wanted->from);
    curl_easy_setopt(job->easy, CURLOPT_MAIL_RCPT, job->recipients);
    curl_easy_setopt(job->easy, CURLOPT_READFUNCTION, give_mail);
    curl_easy_setopt(job->easy, CURLOPT_READDATA, job);
    curl_easy_setopt(job->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)job->len);
    curl_easy_setopt(job->easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(job->easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)settings()->fetch_ms / 1000 + 1);
    curl_easy_setopt(job->easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(job->easy, CURLOPT_XFERINFOFUNCTION, is_stopping);
}

static void set_post(struct job *job)
{
    curl_easy_setopt(job->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(job->easy, CURLOPT_POSTFIELDS, job->out);
    curl_easy_setopt(job->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)job->len);
}

static struct job *job_new(const struct fetch *wanted)
{
    struct job *job = must(calloc(1, sizeof *job));

    job->easy = must(curl_easy_init());
    job->done = wanted->done;
    job->arg = wanted->arg;
    if (wanted->body) {
        job->len = wanted->len;
        job->out = must(malloc(wanted->len + 1));
        memcpy(job->out, wanted->body, wanted->len);
    }
    set_limits(job->easy);
    curl_easy_setopt(job->easy, CURLOPT_URL, wanted->url);
    curl_easy_setopt(job->easy, CURLOPT_PRIVATE, job);
    curl_easy_setopt(job->easy, CURLOPT_ERRORBUFFER, job->error);
    curl_easy_setopt(job->easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(job->easy, CURLOPT_WRITEDATA, job);
    if (wanted->user) {
        curl_easy_setopt(job->easy, CURLOPT_USERNAME, wanted->user);
        curl_easy_setopt(job->easy, CURLOPT_PASSWORD, wanted->password ? wanted->password : "");
    }
    if (wanted->to)
        set_mail(job, wanted);
    else if (wanted->body)
        set_post(job);
    for (size_t i = 0; wanted->headers && wanted->headers[i]; i++)
        job->headers = must(curl_slist_append(job->headers, wanted->headers[i]));
    /* curl would ask before it sends a body of a kilobyte, and wait. */
    if (!wanted->to)
        job->headers = must(curl_slist_append(job->headers, "Expect:"));
    curl_easy_setopt(job->easy, CURLOPT_HTTPHEADER, job->headers);
    return job;
}

void fetch_start(const struct fetch *wanted)
{
    struct job *job = job_new(wanted);

    if (job->recipients) {
        TAILQ_INSERT_TAIL(&fetch.mails, job, next);
        begin_mails();
    } else {
        TAILQ_INSERT_TAIL(&fetch.waiting, job, next);
        begin_waiting();
    }
}

int fetch_room(void)
{
    int room = settings()->fetch_max - fetch.nactive - fetch.nposting;

    return TAILQ_EMPTY(&fetch.waiting) && TAILQ_EMPTY(&fetch.mails) && room > 0 ? room : 0;
}

bool fetch_open(void)
{
    TAILQ_INIT(&fetch.waiting);
    TAILQ_INIT(&fetch.active);
    TAILQ_INIT(&fetch.mails);
    TAILQ_INIT(&fetch.posting);
    fetch.nactive = fetch.nposting = 0;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (fetch.multi = curl_multi_init()) == NULL ||
        pipe2(fetch.ended, O_CLOEXEC) != 0 || fcntl(fetch.ended[0], F_SETFL, O_NONBLOCK) != 0) {
        log_error("fetch_failed", "err=%s", strerror(errno));
        return false;
    }
    fetch.timer = timer_new(on_time, NULL);
    fetch.watch = watch_new(fetch.ended[0], on_posted, NULL);
    watch_set(fetch.watch, WATCH_READ);
    curl_multi_setopt(fetch.multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(fetch.multi, CURLMOPT_TIMERFUNCTION, want_time);
    curl_multi_setopt(fetch.multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)HOST_MAX);
    return true;
}

/* The first job of the list, out of it; NULL when it is empty. */
static struct job *pop(struct jobs *jobs)
{
    struct job *job = TAILQ_FIRST(jobs);

    if (job)
        TAILQ_REMOVE(jobs, job, next);
    return job;
}

static void cut(struct job *job)
{
    static const struct fetch_reply reply = { .end = FETCH_UNKNOWN, .body = "", .why = "stopping" };

    job->done(&reply, job->arg);
    job_free(job);
}

/* A callback may ask for more, which is told the same; nothing begins any more. */
void fetch_close(void)
{
    struct job *job;

    if (!fetch.multi)
        return;
    fetch.stopping = true;
    fetch.nactive = fetch.nposting = INT_MAX / 2;
    while ((job = pop(&fetch.active)) != NULL) {
        curl_multi_remove_handle(fetch.multi, job->easy);
        cut(job);
    }
    while ((job = pop(&fetch.posting)) != NULL) {
        pthread_join(job->thread, NULL);
        cut(job);
    }
    while ((job = pop(&fetch.waiting)) != NULL || (job = pop(&fetch.mails)) != NULL)
        cut(job);
    curl_multi_cleanup(fetch.multi);
    timer_free(fetch.timer);
    watch_free(fetch.watch);
    close(fetch.ended[0]);
    close(fetch.ended[1]);
    fetch.multi = NULL;
    curl_global_cleanup();
}
