/* Frames travel over SOCK_SEQPACKET: a frame arrives whole or not at all, so whoever dies in the middle leaves nothing half
 * written for its successor.  A frame carries its deadline; the process skips what nobody waits for any more. */

#include "helper.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "loop.h"
#include "settings.h"
#include "worker.h"

enum {
    MAX_WORKERS = 256,
    WAIT_MS = 5000,
    TIMEOUT_MS = 7000,
    MAX_PAYLOAD = 4096,
    HASH_PASSES = 3,
    HASH_BYTES = 64 << 20
};

struct frame {
    uint32_t len;  /* bytes of payload */
    uint32_t kind; /* the job asked for, in answers the result */
    uint64_t id;
    int64_t deadline;
    char payload[MAX_PAYLOAD + 1]; /* room for a NUL that does not travel */
};

enum { HEAD = offsetof(struct frame, payload) };

struct question {
    TAILQ_ENTRY(question) next;
    uint64_t id;
    int64_t deadline, asked;
    int ahead; /* how many were waiting then */
    helper_fn *fn;
    void *arg;
};

static struct {
    int workers;
    int asking[MAX_WORKERS], answering[MAX_WORKERS];
    /* a worker's side */
    int fd;
    struct watch *readable;
    struct timer *timer;
    TAILQ_HEAD(, question) waiting; /* oldest first */
    int count;
    double pace; /* milliseconds a question takes, with those of other workers in between; an average */
    uint64_t last_id;
} helper;

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool receive(int fd, struct frame *frame)
{
    ssize_t got = recv(fd, frame, (size_t)HEAD + MAX_PAYLOAD, MSG_DONTWAIT);

    if (got < HEAD || frame->len != (size_t)got - HEAD)
        return false;
    frame->payload[frame->len] = '\0';
    return true;
}

static bool transmit(int fd, const struct frame *frame)
{
    size_t size = HEAD + frame->len;

    return send(fd, frame, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size;
}

/* The jobs.  Each reads the payload and may write its answer over it. */

static enum helper_result verify(struct frame *frame)
{
    size_t hash = strlen(frame->payload);

    if (hash >= frame->len)
        return HELPER_NO;
    return crypto_pwhash_str_verify(frame->payload, frame->payload + hash + 1, frame->len - hash - 1) == 0 ? HELPER_YES
                                                                                                           : HELPER_NO;
}

static enum helper_result make_hash(struct frame *frame)
{
    char hash[crypto_pwhash_STRBYTES];

    if (crypto_pwhash_str(hash, frame->payload, frame->len, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
        return HELPER_NO;
    memcpy(frame->payload, hash, sizeof hash);
    return HELPER_YES;
}

struct job {
    enum helper_result (*run)(struct frame *frame);
    bool answers; /* with text */
};

static const struct job jobs[HELPER_JOBS] = {
    [HELPER_VERIFY] = { verify, .answers = false },
    [HELPER_HASH] = { make_hash, .answers = true },
};

/* The process */

static void work(int fd, struct frame *frame)
{
    const struct job *job = frame->kind < HELPER_JOBS ? &jobs[frame->kind] : NULL;

    if (job != NULL && now_ms() < frame->deadline) {
        frame->kind = job->run(frame);
        frame->len = job->answers && frame->kind == HELPER_YES ? (uint32_t)strlen(frame->payload) : 0;
        transmit(fd, frame); /* a full channel has no worker behind it */
    }
    sodium_memzero(frame, sizeof *frame);
}

static void serve(void)
{
    struct pollfd fds[MAX_WORKERS];
    static struct frame frame;

    for (int i = 0; i < helper.workers; i++)
        fds[i] = (struct pollfd){ .fd = helper.answering[i], .events = POLLIN };
    while (poll(fds, (nfds_t)helper.workers, -1) > 0 || errno == EINTR)
        for (int i = 0; i < helper.workers; i++) /* one of each in turn: no worker starves another */
            if ((fds[i].revents & POLLIN) && receive(fds[i].fd, &frame))
                work(fds[i].fd, &frame);
}

/* Passwords pass through here: no core file, no other process looking in. */
int helper_run(void)
{
    const struct rlimit none = { 0, 0 };

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    serve();
    return 1;
}

bool helper_prepare(int workers)
{
    assert(workers > 0 && workers <= MAX_WORKERS);
    helper.workers = workers;
    for (int i = 0; i < workers; i++) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
            log_error("helper_channel", "err=\"%s\"", strerror(errno));
            return false;
        }
        helper.asking[i] = pair[0];
        helper.answering[i] = pair[1];
    }
    return sodium_init() >= 0;
}

/* A worker's side */

static void finish(struct question *question, enum helper_result result, const char *text, size_t len)
{
    TAILQ_REMOVE(&helper.waiting, question, next);
    helper.count--;
    question->fn(result, text, len, question->arg);
    free(question);
}

static struct question *find(uint64_t id)
{
    struct question *question;

    TAILQ_FOREACH(question, &helper.waiting, next)
    if (question->id == id)
        return question;
    return NULL;
}

static void note_pace(const struct question *question)
{
    double each = (double)(now_ms() - question->asked) / (question->ahead + 1);

    helper.pace += (each - helper.pace) / (helper.pace > 0 ? 4 : 1);
}

/* Answers nobody waits for are late ones, or were meant for the worker that had this slot before. */
static void on_readable(int fd, int ready, void *arg)
{
    static struct frame frame;
    struct question *question;

    (void)ready;
    (void)arg;
    if (receive(fd, &frame) && (question = find(frame.id)) != NULL) {
        note_pace(question);
        finish(question, frame.kind == HELPER_YES ? HELPER_YES : HELPER_NO, frame.payload, frame.len);
    }
    sodium_memzero(&frame, sizeof frame);
}

static void arm_timer(void)
{
    const struct question *oldest = TAILQ_FIRST(&helper.waiting);
    int64_t ms = oldest == NULL ? 0 : oldest->deadline - now_ms();

    if (oldest != NULL)
        timer_set(helper.timer, ms > 0 ? ms : 0);
}

static void on_timer(void *arg)
{
    int64_t now = now_ms();
    struct question *oldest;
    int late = 0;

    (void)arg;
    for (; (oldest = TAILQ_FIRST(&helper.waiting)) != NULL && oldest->deadline <= now; late++)
        finish(oldest, HELPER_LOST, "", 0);
    if (late > 0)
        log_warn("helper_late", "late=%d waiting=%d", late, helper.count);
    arm_timer();
}

bool helper_open(void)
{
    assert(worker_slot() < helper.workers);
    helper.fd = helper.asking[worker_slot()];
    TAILQ_INIT(&helper.waiting);
    helper.count = 0;
    helper.pace = 0;
    randombytes_buf(&helper.last_id, sizeof helper.last_id); /* no answer meant for a predecessor fits */
    helper.timer = timer_new(on_timer, NULL);
    helper.readable = watch_new(helper.fd, on_readable, NULL);
    watch_set(helper.readable, WATCH_READ);
    return true;
}

void helper_close(void)
{
    struct question *question;

    while ((question = TAILQ_FIRST(&helper.waiting)) != NULL)
        finish(question, HELPER_LOST, "", 0);
    watch_free(helper.readable);
    timer_free(helper.timer);
}

/* What a slot may have waiting: its share of what all workers together may. */
static int share(void)
{
    int each = settings()->password_waiting_max / helper.workers;

    return each > 0 ? each : 1;
}

static bool send_question(enum helper_job job, const void *payload, size_t len, const struct question *question)
{
    static struct frame frame;
    bool sent;

    frame.len = (uint32_t)len;
    frame.kind = job;
    frame.id = question->id;
    frame.deadline = question->deadline;
    memcpy(frame.payload, payload, len);
    sent = transmit(helper.fd, &frame);
    sodium_memzero(&frame, sizeof frame);
    return sent;
}

bool helper_ask(enum helper_job job, const void *payload, size_t len, helper_fn *fn, void *arg)
{
    struct question *question;

    if (len > MAX_PAYLOAD || helper.count >= share() || helper.count * helper.pace > WAIT_MS ||
        (question = malloc(sizeof *question)) == NULL)
        return false;
    *question = (struct question){ .id = ++helper.last_id,
                                   .deadline = now_ms() + TIMEOUT_MS,
                                   .asked = now_ms(),
                                   .ahead = helper.count,
                                   .fn = fn,
                                   .arg = arg };
    if (!send_question(job, payload, len, question)) {
        free(question);
        return false;
    }
    TAILQ_INSERT_TAIL(&helper.waiting, question, next);
    if (helper.count++ == 0)
        arm_timer();
    return true;
}
