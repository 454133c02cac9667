/* stream_load PORT FILE: many readers of GET /v1/events, some of which stop reading for a while.
 *
 * A line of FILE is a session token, a tab, how many streams it opens, a tab, and "stall" for those that stop.  Then it does
 * what standard input says, a line each, and answers each line with one of JSON:
 *
 *     open             all streams are opened; answered when all have said their first word, or after 60 s
 *     stall            those that shall stop do so
 *     go               they go on reading; who was cut comes back with the last id it has
 *     mark TEXT        answered when every stream has heard TEXT, or after 60 s
 *
 * {"open":N,"events":N,"doubles":N,"cut":N,"resets":N,"heard":N}: streams open, events read by all, ids that a connection
 * brought twice, connections that the server ended, resets told, streams that heard the last mark. */

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STREAMS_MAX = 20000, RECENT = 64, RECEIVING = 16384, PATIENCE = 60, CONNECTING = 100 };

struct reader {
    char token[100];
    bool stalls, stalled, greeted, heard;
    struct bufferevent *bev;
    char last[24];
    int64_t recent[RECENT]; /* ids of this connection, the newest ones */
    size_t nrecent;
};

static struct {
    struct event_base *base;
    unsigned short port;
    struct reader *readers;
    int nreaders, opened, connecting;
    struct event *late;
    char wanted[200];
    bool waiting_open, waiting_mark;
    size_t events, doubles, cut, resets;
} load;

static void die(const char *what)
{
    fprintf(stderr, "stream_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void report(void)
{
    int open = 0, heard = 0;

    for (int i = 0; i < load.nreaders; i++) {
        open += load.readers[i].bev && load.readers[i].greeted;
        heard += load.readers[i].heard;
    }
    printf("{\"open\":%d,\"events\":%zu,\"doubles\":%zu,\"cut\":%zu,\"resets\":%zu,\"heard\":%d}\n", open, load.events,
           load.doubles, load.cut, load.resets, heard);
    fflush(stdout);
    load.waiting_open = load.waiting_mark = false;
    evtimer_del(load.late);
}

static void wait_for(bool *what)
{
    struct timeval patience = { .tv_sec = PATIENCE };

    *what = true;
    evtimer_add(load.late, &patience);
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    report();
}

static void check_marks(void)
{
    for (int i = 0; i < load.nreaders; i++)
        if (!load.readers[i].heard)
            return;
    report();
}

/* ---- a stream --------------------------------------------------------------------------------------------------------- */

static void start(struct reader *reader);

static void open_more(void)
{
    while (load.opened < load.nreaders && load.connecting < CONNECTING) {
        load.connecting++;
        start(&load.readers[load.opened++]);
    }
    if (load.waiting_open && load.opened == load.nreaders && !load.connecting)
        report();
}

static void greet(struct reader *reader)
{
    if (reader->greeted)
        return;
    reader->greeted = true;
    load.connecting--;
    open_more();
}

static void take_id(struct reader *reader, const char *text)
{
    int64_t id = strtoll(text, NULL, 10);
    size_t n = reader->nrecent < RECENT ? reader->nrecent : RECENT;

    for (size_t i = 0; i < n; i++)
        load.doubles += reader->recent[i] == id;
    reader->recent[reader->nrecent++ % RECENT] = id;
    snprintf(reader->last, sizeof reader->last, "%s", text);
    load.events++;
}

static void hear(struct reader *reader)
{
    if (reader->heard)
        return;
    reader->heard = true;
    if (load.waiting_mark)
        check_marks();
}

static void take_line(struct reader *reader, const char *line)
{
    greet(reader);
    if (!strncmp(line, "id: ", 4))
        take_id(reader, line + 4);
    else if (!strcmp(line, "event: reset"))
        load.resets++;
    else if (*load.wanted && strstr(line, load.wanted))
        hear(reader);
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct evbuffer *input = bufferevent_get_input(bev);
    char *line;

    while ((line = evbuffer_readln(input, NULL, EVBUFFER_EOL_CRLF))) {
        take_line(arg, line);
        free(line);
    }
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct reader *reader = arg;

    if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)))
        return;
    on_read(bev, reader);
    if (!reader->greeted) {
        fprintf(stderr, "stream_load: a stream was not opened\n");
        exit(1);
    }
    bufferevent_free(bev);
    load.cut++;
    load.connecting++;
    start(reader);
}

static void start(struct reader *reader)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(load.port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    /* Small, so that who stops reading is felt at the other end. */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){ RECEIVING }, sizeof(int)))
        die("socket");
    reader->greeted = false;
    reader->nrecent = 0;
    reader->bev = bufferevent_socket_new(load.base, fd, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(reader->bev, on_read, NULL, on_event, reader);
    bufferevent_enable(reader->bev, EV_READ | EV_WRITE);
    if (bufferevent_socket_connect(reader->bev, (struct sockaddr *)&to, sizeof to))
        die("connect");
    evbuffer_add_printf(bufferevent_get_output(reader->bev),
                        "GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n%s%s%s\r\n",
                        reader->token, *reader->last ? "Last-Event-ID: " : "", reader->last,
                        *reader->last ? "\r\n" : "");
}

/* ---- what is asked ------------------------------------------------------------------------------------------------------ */

static void stall(bool stop)
{
    for (int i = 0; i < load.nreaders; i++) {
        struct reader *reader = &load.readers[i];

        if (!reader->stalls || reader->stalled == stop)
            continue;
        reader->stalled = stop;
        if (stop)
            bufferevent_disable(reader->bev, EV_READ);
        else
            bufferevent_enable(reader->bev, EV_READ);
    }
    report();
}

static void obey(char *line)
{
    if (!strcmp(line, "open")) {
        wait_for(&load.waiting_open);
        open_more();
    } else if (!strcmp(line, "stall") || !strcmp(line, "go")) {
        stall(*line == 's');
    } else if (!strncmp(line, "mark ", 5)) {
        snprintf(load.wanted, sizeof load.wanted, "%s", line + 5);
        for (int i = 0; i < load.nreaders; i++)
            load.readers[i].heard = false;
        wait_for(&load.waiting_mark);
    } else {
        fprintf(stderr, "stream_load: %s?\n", line);
        exit(2);
    }
}

static void on_input(struct bufferevent *bev, void *arg)
{
    char *line;

    (void)arg;
    while ((line = evbuffer_readln(bufferevent_get_input(bev), NULL, EVBUFFER_EOL_CRLF))) {
        obey(line);
        free(line);
    }
}

static void on_input_end(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    (void)what;
    (void)arg;
    event_base_loopbreak(load.base);
}

static void read_file(const char *name)
{
    FILE *file = fopen(name, "r");
    char token[100], stalls[10];
    int count;

    if (!file)
        die(name);
    load.readers = calloc(STREAMS_MAX, sizeof *load.readers);
    if (!load.readers)
        die("memory");
    while (fscanf(file, "%99s %d %9s", token, &count, stalls) == 3)
        for (; count > 0 && load.nreaders < STREAMS_MAX; count--) {
            struct reader *reader = &load.readers[load.nreaders++];

            memcpy(reader->token, token, sizeof token);
            reader->stalls = !strcmp(stalls, "stall");
        }
    fclose(file);
}

static void allow_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        die("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit))
        die("setrlimit");
}

int main(int argc, char **argv)
{
    struct bufferevent *input;

    if (argc != 3) {
        fprintf(stderr, "usage: stream_load PORT FILE\n");
        return 2;
    }
    load.port = (unsigned short)strtoul(argv[1], NULL, 10);
    read_file(argv[2]);
    allow_files();
    load.base = event_base_new();
    load.late = evtimer_new(load.base, on_late, NULL);
    input = bufferevent_socket_new(load.base, STDIN_FILENO, 0);
    bufferevent_setcb(input, on_input, NULL, on_input_end, NULL);
    bufferevent_enable(input, EV_READ);
    event_base_dispatch(load.base);
    return 0;
}
