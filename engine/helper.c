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
#include "store.h"
#include "worker.h"

enum { MAX_WORKERS = 256, MAX_PAYLOAD = 4096, HASH_PASSES = 3, HASH_BYTES = 64 << 20 };

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

/* Passwords do not wait behind files: each has a process and channels of its own. */
enum { PASSWORDS, FILES, LINES };

static struct line {
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
} lines[LINES];

/* How long a question may look like waiting, and how long it really may. */
static const struct patience {
    int wait_ms, timeout_ms;
} patience[LINES] = {
    [PASSWORDS] = { 5000, 7000 },
    [FILES] = { 10000, 14000 },
};

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

static enum helper_result store(struct frame *frame)
{
    char said[STORE_ANSWER_SIZE];

    store_upload(frame->payload, said);
    memcpy(frame->payload, said, sizeof said);
    return HELPER_YES;
}

struct job {
    enum helper_result (*run)(struct frame *frame);
    bool answers; /* with text */
    int line;
};

static const struct job jobs[HELPER_JOBS] = {
    [HELPER_VERIFY] = { verify, .answers = false, .line = PASSWORDS },
    [HELPER_HASH] = { make_hash, .answers = true, .line = PASSWORDS },
    [HELPER_STORE] = { store, .answers = true, .line = FILES },
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

static void serve(const struct line *line)
{
    struct pollfd fds[MAX_WORKERS];
    static struct frame frame;

    for (int i = 0; i < line->workers; i++)
        fds[i] = (struct pollfd){ .fd = line->answering[i], .events = POLLIN };
    while (poll(fds, (nfds_t)line->workers, -1) > 0 || errno == EINTR)
        for (int i = 0; i < line->workers; i++) /* one of each in turn: no worker starves another */
            if ((fds[i].revents & POLLIN) && receive(fds[i].fd, &frame))
                work(fds[i].fd, &frame);
}

/* Passwords pass through here: no core file, no other process looking in. */
int helper_run(void)
{
    const struct rlimit none = { 0, 0 };

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    serve(&lines[PASSWORDS]);
    return 1;
}

int helper_run_files(void)
{
    serve(&lines[FILES]);
    return 1;
}

static bool prepare_line(struct line *line, int workers)
{
    line->workers = workers;
    for (int i = 0; i < workers; i++) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
            log_error("helper_channel", "err=\"%s\"", strerror(errno));
            return false;
        }
        line->asking[i] = pair[0];
        line->answering[i] = pair[1];
    }
    return true;
}

bool helper_prepare(int workers)
{
    assert(workers > 0 && workers <= MAX_WORKERS);
    return prepare_line(&lines[PASSWORDS], workers) && prepare_line(&lines[FILES], workers) && sodium_init() >= 0;
}

/* A worker's side */

static void finish(struct line *line, struct question *question, enum helper_result result, const char *text,
                   size_t len)
{
    TAILQ_REMOVE(&line->waiting, question, next);
    line->count--;
    question->fn(result, text, len, question->arg);
    free(question);
}

static struct question *find(const struct line *line, uint64_t id)
{
    struct question *question;

    TAILQ_FOREACH(question, &line->waiting, next)
    if (question->id == id)
        return question;
    return NULL;
}

static void note_pace(struct line *line, const struct question *question)
{
    double each = (double)(now_ms() - question->asked) / (question->ahead + 1);

    line->pace += (each - line->pace) / (line->pace > 0 ? 4 : 1);
}

/* Answers nobody waits for are late ones, or were meant for the worker that had this slot before. */
static void on_readable(int fd, int ready, void *arg)
{
    static struct frame frame;
    struct line *line = arg;
    struct question *question;

    (void)ready;
    if (receive(fd, &frame) && (question = find(line, frame.id)) != NULL) {
        note_pace(line, question);
        finish(line, question, frame.kind == HELPER_YES ? HELPER_YES : HELPER_NO, frame.payload, frame.len);
    }
    sodium_memzero(&frame, sizeof frame);
}

static void arm_timer(struct line *line)
{
    const struct question *oldest = TAILQ_FIRST(&line->waiting);
    int64_t ms = oldest == NULL ? 0 : oldest->deadline - now_ms();

    if (oldest != NULL)
        timer_set(line->timer, ms > 0 ? ms : 0);
}

static void on_timer(void *arg)
{
    struct line *line = arg;
    int64_t now = now_ms();
    struct question *oldest;
    int late = 0;

    for (; (oldest = TAILQ_FIRST(&line->waiting)) != NULL && oldest->deadline <= now; late++)
        finish(line, oldest, HELPER_LOST, "", 0);
    if (late > 0)
        log_warn("helper_late", "late=%d waiting=%d", late, line->count);
    arm_timer(line);
}

static void open_line(struct line *line)
{
    assert(worker_slot() < line->workers);
    line->fd = line->asking[worker_slot()];
    TAILQ_INIT(&line->waiting);
    line->count = 0;
    line->pace = 0;
    randombytes_buf(&line->last_id, sizeof line->last_id); /* no answer meant for a predecessor fits */
    line->timer = timer_new(on_timer, line);
    line->readable = watch_new(line->fd, on_readable, line);
    watch_set(line->readable, WATCH_READ);
}

bool helper_open(void)
{
    for (int i = 0; i < LINES; i++)
        open_line(&lines[i]);
    return true;
}

static void close_line(struct line *line)
{
    struct question *question;

    while ((question = TAILQ_FIRST(&line->waiting)) != NULL)
        finish(line, question, HELPER_LOST, "", 0);
    watch_free(line->readable);
    timer_free(line->timer);
}

void helper_close(void)
{
    for (int i = 0; i < LINES; i++)
        close_line(&lines[i]);
}

/* What a slot may have waiting: its share of what all workers together may. */
static int share(const struct line *line)
{
    int all = line == &lines[FILES] ? settings()->upload_waiting_max : settings()->password_waiting_max;
    int each = all / line->workers;

    return each > 0 ? each : 1;
}

static bool send_question(const struct line *line, enum helper_job job, const void *payload, size_t len,
                          const struct question *question)
{
    static struct frame frame;
    bool sent;

    frame.len = (uint32_t)len;
    frame.kind = job;
    frame.id = question->id;
    frame.deadline = question->deadline;
    memcpy(frame.payload, payload, len);
    sent = transmit(line->fd, &frame);
    sodium_memzero(&frame, sizeof frame);
    return sent;
}

bool helper_ask(enum helper_job job, const void *payload, size_t len, helper_fn *fn, void *arg)
{
    struct line *line = &lines[jobs[job].line];
    const struct patience *may = &patience[jobs[job].line];
    struct question *question;

    if (len > MAX_PAYLOAD || line->count >= share(line) || line->count * line->pace > may->wait_ms ||
        (question = malloc(sizeof *question)) == NULL)
        return false;
    *question = (struct question){ .id = ++line->last_id,
                                   .deadline = now_ms() + may->timeout_ms,
                                   .asked = now_ms(),
                                   .ahead = line->count,
                                   .fn = fn,
                                   .arg = arg };
    if (!send_question(line, job, payload, len, question)) {
        free(question);
        return false;
    }
    TAILQ_INSERT_TAIL(&line->waiting, question, next);
    if (line->count++ == 0)
        arm_timer(line);
    return true;
}
