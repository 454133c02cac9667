/* http_load PORT CONNECTIONS SECONDS FILE [--repeat] [--warm SECONDS] [--rate N] [--open]: requests over keep-alive connections.
 *
 * A line of FILE is one request: METHOD PATH, a tab, a session token or nothing, a tab, the body (JSON, or a form) or nothing.  Each is sent
 * once, by whichever connection is free, under a key of its own; --repeat starts over at the end of the file.  Answers of
 * the first --warm seconds are not counted.  --rate holds back so that no more than N a second leave; with --open they fall due
 * at that rate whatever the answers do, and a request's time runs from then, so what has no free connection waits and it shows.
 * It ends after SECONDS or with the file, and prints one line of JSON; an answer that is not 2xx is counted by its status, a
 * connection that the server ended as status 0; of 503 the times are given too, and with --open how late requests left: by that
 * much the times are this program's own, which shares the machine, or those of too few connections. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
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
    CONNECTIONS_MAX = 10000,
    SECONDS_MAX = 3600,
    SAMPLES_MAX = 4000000,
    ANSWER_MAX = 1 << 20,
    LATE = 15, /* seconds that answers may still take when the time is over */
};

struct line {
    const char *what, *token, *body;
};

struct conn {
    int fd;
    bool busy;
    double sent;
    size_t have;
    char *in;
};

struct samples {
    float *ms;
    size_t n;
};

static struct {
    unsigned short port;
    struct line *lines;
    size_t nlines, next;
    bool repeat, open;
    double rate, began, warm_until, end;
    char key[24]; /* what all keys of this run start with */

    struct conn *conns, **idle; /* a ring: each has its turn */
    int nconns, nidle, nbusy, poll;
    size_t turn; /* of the ring's first */
    size_t nsent;
    struct samples taken, refused, late;
    size_t failed[600];
} load;

static void die(const char *what)
{
    fprintf(stderr, "http_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void *room(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);

    if (!memory)
        die("memory");
    return memory;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the file ------------------------------------------------------------------------------------------------------- */

static const char *cut(char **rest)
{
    char *part = *rest ? strsep(rest, "\t\n") : NULL;

    return part ? part : "";
}

static void read_lines(const char *name)
{
    FILE *file = fopen(name, "r");
    char *text = NULL, *rest;
    size_t size = 0, most = 0;

    if (!file)
        die(name);
    while (getline(&text, &size, file) > 0) {
        if (load.nlines == most) {
            most = most ? 2 * most : 1024;
            load.lines = realloc(load.lines, most * sizeof *load.lines);
            if (!load.lines)
                die("memory");
        }
        rest = text; /* the line keeps its text */
        load.lines[load.nlines++] = (struct line){ cut(&rest), cut(&rest), cut(&rest) };
        text = NULL;
        size = 0;
    }
    free(text);
    fclose(file);
    if (!load.nlines) {
        fprintf(stderr, "http_load: %s has no request\n", name);
        exit(1);
    }
}

/* ---- connections ------------------------------------------------------------------------------------------------------ */

static void allow_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        die("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit))
        die("setrlimit");
}

static void open_conn(struct conn *conn)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(load.port) };
    struct epoll_event wanted = { .events = EPOLLIN, .data.ptr = conn };

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (conn->fd < 0 || connect(conn->fd, (struct sockaddr *)&to, sizeof to))
        die("connect");
    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    if (epoll_ctl(load.poll, EPOLL_CTL_ADD, conn->fd, &wanted))
        die("epoll_ctl");
}

static void sample(struct samples *samples, double seconds)
{
    if (samples->n < SAMPLES_MAX)
        samples->ms[samples->n++] = (float)(seconds * 1000);
}

static void rest(struct conn *conn)
{
    load.idle[(load.turn + (size_t)load.nidle++) % (size_t)load.nconns] = conn;
}

static struct conn *next_idle(void)
{
    load.nidle--;
    return load.idle[load.turn++ % (size_t)load.nconns];
}

static void finish(struct conn *conn, int status)
{
    double at = now();

    conn->busy = false;
    conn->have = 0;
    load.nbusy--;
    rest(conn);
    if (at < load.warm_until || at > load.end)
        return;
    if (status / 100 == 2)
        sample(&load.taken, at - conn->sent);
    else
        load.failed[status]++;
    if (status == 503)
        sample(&load.refused, at - conn->sent);
}

static void reopen(struct conn *conn)
{
    if (conn->busy)
        finish(conn, 0);
    close(conn->fd);
    open_conn(conn);
}

/* The socket blocks for writing: the server reads a request before it answers it, so this ends. */
static void send_line(struct conn *conn, const struct line *line)
{
    char head[1024];
    size_t body = strlen(line->body);
    bool form = body && !strchr("{[", *line->body);
    int len =
        snprintf(head, sizeof head,
                 "%s HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: %s%016zu\r\n%s%s%sContent-Type: application/%s\r\n"
                 "Content-Length: %zu\r\n\r\n",
                 line->what, load.key, load.nsent, *line->token ? "Authorization: Bearer " : "", line->token,
                 *line->token ? "\r\n" : "", form ? "x-www-form-urlencoded" : "json", body);

    if (len >= (int)sizeof head) {
        fprintf(stderr, "http_load: a request line is too long\n");
        exit(1);
    }
    conn->busy = true;
    conn->sent = now();
    if (load.open) {
        double due = load.began + (double)load.nsent / load.rate;

        if (due >= load.warm_until)
            sample(&load.late, conn->sent - due);
        conn->sent = due;
    }
    load.nbusy++;
    load.nsent++;
    if (send(conn->fd, head, (size_t)len, MSG_NOSIGNAL | (body ? MSG_MORE : 0)) != len ||
        (body && send(conn->fd, line->body, body, MSG_NOSIGNAL) != (ssize_t)body))
        reopen(conn);
}

/* The whole answer's length; 0: not known yet. */
static size_t answer_length(const struct conn *conn)
{
    const char *end = memmem(conn->in, conn->have, "\r\n\r\n", 4);
    const char *length = end ? strcasestr(conn->in, "\r\nContent-Length:") : NULL;

    if (!end)
        return 0;
    return (size_t)(end - conn->in) + 4 + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
}

static void read_answer(struct conn *conn)
{
    ssize_t got = recv(conn->fd, conn->in + conn->have, ANSWER_MAX - conn->have, MSG_DONTWAIT);
    size_t length;
    int status;

    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0 || !conn->busy) {
        reopen(conn);
        return;
    }
    conn->have += (size_t)got;
    conn->in[conn->have] = 0;
    length = answer_length(conn);
    if (!length || conn->have < length)
        return;
    status = (int)strtol(conn->in + strlen("HTTP/1.1 "), NULL, 10);
    finish(conn, status >= 100 && status < 600 ? status : 0);
}

/* ---- the run ------------------------------------------------------------------------------------------------------------ */

static bool may_send(void)
{
    double at = now();

    return at < load.end && (load.repeat || load.nsent < load.nlines) &&
           (load.rate <= 0 || (double)load.nsent < (at - load.began) * load.rate);
}

static bool is_over(void)
{
    return load.nbusy == 0 && (now() >= load.end || (!load.repeat && load.nsent >= load.nlines));
}

static void run(double seconds)
{
    struct epoll_event ready[256];

    load.began = now();
    load.end = load.began + seconds;
    while (!is_over() && now() < load.end + LATE) {
        int n;

        while (load.nidle > 0 && may_send())
            send_line(next_idle(), &load.lines[load.nsent % load.nlines]);
        n = epoll_wait(load.poll, ready, 256, 1);
        for (int i = 0; i < n; i++)
            read_answer(ready[i].data.ptr);
    }
    if (!load.repeat && now() < load.end)
        load.end = now();
}

static int by_value(const void *a, const void *b)
{
    float left = *(const float *)a, right = *(const float *)b;

    return (left > right) - (left < right);
}

static double quantile(const struct samples *samples, double q)
{
    return samples->n ? samples->ms[(size_t)(q * (double)(samples->n - 1))] : 0;
}

static void report(double counted)
{
    struct rusage used;
    const char *comma = "";

    getrusage(RUSAGE_SELF, &used);
    qsort(load.taken.ms, load.taken.n, sizeof *load.taken.ms, by_value);
    qsort(load.refused.ms, load.refused.n, sizeof *load.refused.ms, by_value);
    qsort(load.late.ms, load.late.n, sizeof *load.late.ms, by_value);
    printf("{\"sent\":%zu,\"answered\":%zu,\"seconds\":%.3f,\"per_second\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_"
           "ms\":%.3f,"
           "\"refused_p99_ms\":%.3f,\"refused_max_ms\":%.3f,\"late_p99_ms\":%.3f,\"late_max_ms\":%.3f,"
           "\"cpu_seconds\":%.3f,\"failed\":{",
           load.nsent, load.taken.n, counted, (double)load.taken.n / counted, quantile(&load.taken, 0.5),
           quantile(&load.taken, 0.99), quantile(&load.taken, 1), quantile(&load.refused, 0.99),
           quantile(&load.refused, 1), quantile(&load.late, 0.99), quantile(&load.late, 1),
           (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    for (int status = 0; status < 600; status++) {
        if (!load.failed[status])
            continue;
        printf("%s\"%d\":%zu", comma, status, load.failed[status]);
        comma = ",";
    }
    puts("}}");
}

static double number_in(const char *text, double least, double most)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end || value < least || value > most) {
        fprintf(stderr, "http_load: %s is not a number from %g to %g\n", text, least, most);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    double seconds, warm = 0, began;

    if (argc < 5) {
        fprintf(stderr,
                "usage: http_load PORT CONNECTIONS SECONDS FILE [--repeat] [--warm SECONDS] [--rate N] [--open]\n");
        return 2;
    }
    load.port = (unsigned short)number_in(argv[1], 1, 65535);
    load.nconns = (int)number_in(argv[2], 1, CONNECTIONS_MAX);
    seconds = number_in(argv[3], 0.1, SECONDS_MAX);
    read_lines(argv[4]);
    for (int i = 5; i < argc; i++) {
        if (!strcmp(argv[i], "--repeat"))
            load.repeat = true;
        else if (!strcmp(argv[i], "--open"))
            load.open = true;
        else if (!strcmp(argv[i], "--warm") && i + 1 < argc)
            warm = number_in(argv[++i], 0, seconds);
        else if (!strcmp(argv[i], "--rate") && i + 1 < argc)
            load.rate = number_in(argv[++i], 1, 1e6);
        else
            number_in(argv[i], 0, -1);
    }
    snprintf(load.key, sizeof load.key, "load-%012lx-", (unsigned long)(time(NULL) ^ (time_t)getpid() << 32));
    if (load.open && load.rate <= 0) {
        fprintf(stderr, "http_load: --open needs --rate\n");
        return 2;
    }
    allow_files();
    load.taken.ms = room(SAMPLES_MAX, sizeof *load.taken.ms);
    load.refused.ms = room(SAMPLES_MAX, sizeof *load.refused.ms);
    load.late.ms = room(SAMPLES_MAX, sizeof *load.late.ms);
    load.idle = room((size_t)load.nconns, sizeof(struct conn *));
    load.conns = room((size_t)load.nconns, sizeof *load.conns);
    load.poll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < load.nconns; i++) {
        load.conns[i].in = room(ANSWER_MAX + 1, 1);
        open_conn(&load.conns[i]);
        rest(&load.conns[i]);
    }
    began = now();
    load.warm_until = began + warm;
    run(seconds);
    report(load.end - load.warm_until);
    return 0;
}
