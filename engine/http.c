#include "http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conns.h"
#include "log.h"
#include "loop.h"
#include "req.h"
#include "settings.h"

/* evhttp's own limit of a body; between ours and this one the refusal is ours, above it evhttp's plain 413. */
enum {
    BODY_HARD_MAX = 1 << 20,
    BACKLOG = 1024,
    PROXIES_MAX = 32,
    FORWARDED_MAX = 1024,
    LIVE_MAX = 20000,
    STREAM_SENDING = 65536,
    LINGER = 100 /* milliseconds */
};

/* The evhttp side of one request, in its arena. */
struct wire {
    struct evhttp_request *ev;
    struct conn *conn; /* NULL: gone */
    bool close;        /* nothing further is read from this connection */
    struct stream *stream;
};

struct stream {
    struct stream *next, **link; /* link: what points to it */
    struct req *r;
    void (*closed)(void *arg);
    void *arg;
    bool ending;
};

struct shared {
    size_t users, len;
    char text[];
};

struct address {
    int family;
    unsigned char bytes[16];
};

static struct {
    struct evhttp *http;
    struct evhttp_bound_socket *bound;
    struct address proxies[PROXIES_MAX];
    size_t nproxies;
    size_t sending; /* replies handed to evhttp and not yet with the kernel */
    size_t streams;
    struct stream *first; /* of the open ones */
    bool draining;
    void (*idle)(void);
    struct timer *linger;
} http;

/* ---- listening ---------------------------------------------------------------------------------------------------------- */

static bool set_up(int fd, const struct addrinfo *where)
{
    static const int on = 1;

    /* TCP_NODELAY is inherited by what is accepted: streams send small pieces. */
    return !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) &&
           !setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) &&
           !setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) && !bind(fd, where->ai_addr, where->ai_addrlen) &&
           !listen(fd, BACKLOG);
}

int http_listen(const char *address, int port)
{
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_PASSIVE, .ai_socktype = SOCK_STREAM }, *where;
    char service[8];
    int fd, bad;

    snprintf(service, sizeof service, "%d", port);
    bad = getaddrinfo(address, service, &hints, &where);
    if (bad) {
        log_error("listen_address", "address=%s err=%s", address, gai_strerror(bad));
        return -1;
    }
    fd = socket(where->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || !set_up(fd, where)) {
        log_error("listen_failed", "address=%s port=%d err=%s", address, port, strerror(errno));
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(where);
    return fd;
}

int http_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } own = { .v6 = { 0 } };
    socklen_t size = sizeof own;

    if (getsockname(fd, &own.any, &size))
        return 0;
    return ntohs(own.any.sa_family == AF_INET6 ? own.v6.sin6_port : own.v4.sin_port);
}

/* ---- client addresses --------------------------------------------------------------------------------------------------- */

/* IPv4 written as IPv6 (::ffff:192.0.2.7) is that IPv4 address: else all of them would be one network. */
static void unmap(struct address *address)
{
    static const unsigned char prefix[12] = { [10] = 0xff, [11] = 0xff };
    unsigned char *bytes = address->bytes;

    if (address->family != AF_INET6 || memcmp(bytes, prefix, sizeof prefix) != 0)
        return;
    memmove(bytes, bytes + sizeof prefix, 4);
    memset(bytes + 4, 0, 12);
    address->family = AF_INET;
}

static bool read_address(const char *text, size_t len, struct address *address)
{
    char copy[INET6_ADDRSTRLEN];

    *address = (struct address){ 0 };
    if (len >= sizeof copy)
        return false;
    memcpy(copy, text, len);
    copy[len] = 0;
    address->family = strchr(copy, ':') ? AF_INET6 : AF_INET;
    if (inet_pton(address->family, copy, address->bytes) != 1)
        return false;
    unmap(address);
    return true;
}

static bool is_trusted(const struct address *address)
{
    for (size_t i = 0; i < http.nproxies; i++)
        if (!memcmp(&http.proxies[i], address, sizeof *address))
            return true;
    return false;
}

static bool read_proxies(void)
{
    for (const char *at = settings()->trusted_proxies; *at;) {
        size_t len;

        at += strspn(at, " ,");
        len = strcspn(at, " ,");
        if (!len)
            break;
        if (http.nproxies == PROXIES_MAX || !read_address(at, len, &http.proxies[http.nproxies])) {
            log_error("proxy_address", "address=%.*s why=\"not numeric, or too many\"", (int)len, at);
            return false;
        }
        http.nproxies++;
        at += len;
    }
    return true;
}

/* All X-Forwarded-For headers as one list, in the order they came. */
static const char *forwarded(struct req *r, const struct evkeyvalq *headers)
{
    const struct evkeyval *header;
    const char *list = "";

    TAILQ_FOREACH(header, headers, next)
    {
        if (!evutil_ascii_strcasecmp(header->key, "X-Forwarded-For"))
            list = *list ? arena_printf(r->arena, "%s,%s", list, header->value) : header->value;
        if (strlen(list) > FORWARDED_MAX)
            return "";
    }
    return list;
}

/* Walk the list from its end for as long as the one who wrote an entry is trusted. */
static void see_through(struct req *r, const char *list)
{
    size_t end = strlen(list);

    while (end > 0) {
        size_t from = end;
        struct address address;

        while (from > 0 && list[from - 1] != ',')
            from--;
        for (; from < end && list[from] == ' '; from++)
            ;
        while (end > from && list[end - 1] == ' ')
            end--;
        if (!read_address(list + from, end - from, &address))
            return;
        inet_ntop(address.family, address.bytes, r->address, sizeof r->address);
        if (!is_trusted(&address))
            return;
        while (from > 0 && list[from - 1] != ',')
            from--;
        end = from ? from - 1 : 0;
    }
}

static void find_client(struct req *r, struct evhttp_request *ev)
{
    char *peer = NULL;
    ev_uint16_t port;
    struct address address;

    evhttp_connection_get_peer(evhttp_request_get_connection(ev), &peer, &port);
    if (peer && strncmp(peer, "::ffff:", 7) == 0 && strchr(peer, '.')) /* IPv4 on a listener of both */
        peer += 7;
    snprintf(r->address, sizeof r->address, "%s", peer ? peer : "");
    if (read_address(r->address, strlen(r->address), &address) && is_trusted(&address))
        see_through(r, forwarded(r, evhttp_request_get_input_headers(ev)));
}

/* ---- framing ------------------------------------------------------------------------------------------------------------ */

/* What evhttp would read wrongly.  It takes the first of two lengths, ignores a transfer coding it does not know, and leaves
 * the body of HEAD, OPTIONS and the like in the stream, where it would be the next request.  So such a request is the last
 * one of its connection. */
struct framing {
    int lengths, codings;
    const char *length, *coding;
    bool odd; /* a name that is no token: "Content-Length :" would go unseen */
};

static bool is_token(const char *name)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";

    for (const char *c = name; *c; c++)
        if (!((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z') && !(*c >= '0' && *c <= '9') && !strchr(marks, *c))
            return false;
    return *name;
}

static struct framing framing_of(const struct evkeyvalq *headers)
{
    struct framing framing = { 0 };
    const struct evkeyval *header;

    TAILQ_FOREACH(header, headers, next)
    {
        framing.odd = framing.odd || !is_token(header->key);
        if (!evutil_ascii_strcasecmp(header->key, "Content-Length")) {
            framing.lengths++;
            framing.length = header->value;
        } else if (!evutil_ascii_strcasecmp(header->key, "Transfer-Encoding")) {
            framing.codings++;
            framing.coding = header->value;
        }
    }
    return framing;
}

static bool is_sound(const struct framing *framing)
{
    if (framing->odd || framing->lengths + framing->codings > 1)
        return false;
    if (framing->lengths && framing->length[strspn(framing->length, "0123456789")])
        return false;
    return !framing->codings || !evutil_ascii_strcasecmp(framing->coding, "chunked");
}

static bool leaves_body(const struct evhttp_request *ev, const struct framing *framing)
{
    bool reads = ev->type == EVHTTP_REQ_POST || ev->type == EVHTTP_REQ_PUT || ev->type == EVHTTP_REQ_PATCH;
    bool has = framing->codings || (framing->lengths && strspn(framing->length, "0") != strlen(framing->length));

    return !reads && has;
}

/* ---- reading a request ---------------------------------------------------------------------------------------------------- */

static const char *method_of(enum evhttp_cmd_type type)
{
    static const struct {
        enum evhttp_cmd_type type;
        const char *name;
    } methods[] = {
        { EVHTTP_REQ_GET, "GET" },     { EVHTTP_REQ_POST, "POST" },       { EVHTTP_REQ_HEAD, "HEAD" },
        { EVHTTP_REQ_PUT, "PUT" },     { EVHTTP_REQ_DELETE, "DELETE" },   { EVHTTP_REQ_OPTIONS, "OPTIONS" },
        { EVHTTP_REQ_TRACE, "TRACE" }, { EVHTTP_REQ_CONNECT, "CONNECT" }, { EVHTTP_REQ_PATCH, "PATCH" },
    };

    for (size_t i = 0; i < COUNT(methods); i++)
        if (methods[i].type == type)
            return methods[i].name;
    return "";
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that the two digits at text stand for, -1 when they are none. */
static int hex_byte(const char *text, size_t left)
{
    int high = left >= 2 ? hex_digit(text[0]) : -1, low = high >= 0 ? hex_digit(text[1]) : -1;

    return low < 0 ? -1 : high * 16 + low;
}

/* Percent-decoded text, NULL when it is no clean UTF-8. */
static const char *decode(struct arena *arena, const char *text, size_t len, bool plus)
{
    char *out = arena_alloc(arena, len + 1);
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        int byte = (unsigned char)text[i];

        if (byte == '%') {
            byte = hex_byte(text + i + 1, len - i - 1);
            i += 2;
        } else if (plus && byte == '+') {
            byte = ' ';
        }
        if (byte < ' ' || byte == 0x7f)
            return NULL;
        out[n++] = (char)byte;
    }
    return utf8_valid((struct bytes){ out, n }) ? out : NULL;
}

static bool read_query(struct req *r, const char *query)
{
    while (query && *query) {
        size_t len = strcspn(query, "&"), name = strcspn(query, "=&");
        struct param *param = &r->query[r->nquery];

        if (r->nquery == REQ_PARAMS_MAX)
            return false;
        param->name = decode(r->arena, query, name, true);
        param->value = name < len ? decode(r->arena, query + name + 1, len - name - 1, true) : "";
        if (!param->name || !param->value)
            return false;
        r->nquery += len > 0;
        query += len + (query[len] == '&');
    }
    return true;
}

static void read_body(struct req *r, struct evhttp_request *ev)
{
    struct evbuffer *input = evhttp_request_get_input_buffer(ev);
    size_t len = evbuffer_get_length(input);
    char *body = arena_alloc(r->arena, len + 1);

    evbuffer_remove(input, body, len);
    r->input = (struct bytes){ body, len };
}

/* NULL, or the code to refuse the request with. */
static const char *read_request(struct req *r, struct evhttp_request *ev)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(ev);
    const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
    struct wire *wire = r->wire;
    struct framing framing = framing_of(evhttp_request_get_input_headers(ev));

    r->method = method_of(ev->type);
    r->language = problem_language(http_header(r, "Accept-Language"));
    find_client(r, ev);
    wire->close = http.draining || !*r->method || !is_sound(&framing) || leaves_body(ev, &framing);
    r->path = path ? decode(r->arena, path, strlen(path), false) : NULL; /* tells in which protocol to refuse, too */
    if (!is_sound(&framing))
        return "bad_framing";
    read_body(r, ev);
    if (!r->path)
        return "bad_request";
    return read_query(r, evhttp_uri_get_query(uri)) ? NULL : "bad_query";
}

static struct conn *conn_under(struct evhttp_request *ev)
{
    return conn_of(bufferevent_getfd(evhttp_connection_get_bufferevent(evhttp_request_get_connection(ev))));
}

static void serve(struct evhttp_request *ev, void *arg)
{
    struct req *r = req_new();
    struct wire *wire = arena_alloc(r->arena, sizeof *wire);
    const char *wrong;

    (void)arg;
    *wire = (struct wire){ .ev = ev, .conn = conn_under(ev) };
    r->wire = wire;
    conn_begin(wire->conn);
    wire->conn->r = r;
    wrong = read_request(r, ev);
    wire->close = wire->close || wire->conn->surplus;
    if (!wrong && req_count() <= LIVE_MAX && !wire->conn->surplus) {
        req_begin(r);
        return;
    }
    if (wrong)
        refuse(r, 400, wrong, NULL);
    else
        refuse(r, 503, "busy", NULL);
    req_finish(r);
}

const char *http_header(const struct req *r, const char *name)
{
    const struct wire *wire = r->wire;

    return evhttp_find_header(evhttp_request_get_input_headers(wire->ev), name);
}

/* ---- replying ------------------------------------------------------------------------------------------------------------- */

static bool is_idle(void)
{
    return !req_count() && !http.sending;
}

static void end_drain(void *arg)
{
    (void)arg;
    if (is_idle())
        http.idle();
}

/* A connection accepted just before the drain may not have brought its request yet: be quiet for a moment first. */
static void check_idle(void)
{
    if (http.draining && is_idle())
        timer_set(http.linger, LINGER);
}

static void sent(struct evhttp_request *ev, void *arg)
{
    struct conn *conn = arg;

    (void)ev;
    conn->sending = false;
    conn_rest(conn);
    http.sending--;
    check_idle();
}

/* Its reply is evhttp's from now on. */
static void hand_over(struct wire *wire)
{
    wire->conn->r = NULL;
    wire->conn->sending = true;
    http.sending++;
    evhttp_request_set_on_complete_cb(wire->ev, sent, wire->conn);
    wire->conn = NULL;
}

void http_set_header(struct req *r, const char *name, const char *value)
{
    const struct wire *wire = r->wire;
    int bad = evhttp_add_header(evhttp_request_get_output_headers(wire->ev), name, value);

    assert(!bad);
    (void)bad;
}

static bool has_header(const struct wire *wire, const char *name)
{
    return evhttp_find_header(evhttp_request_get_output_headers(wire->ev), name) != NULL;
}

static bool is_head(const struct req *r)
{
    return !strcmp(r->method, "HEAD");
}

static void add_headers(struct req *r, const char *type, size_t len)
{
    struct wire *wire = r->wire;
    char number[24];

    if (type)
        http_set_header(r, "Content-Type", type);
    if (!has_header(wire, "Cache-Control"))
        http_set_header(r, "Cache-Control", "no-store");
    http_set_header(r, "X-Content-Type-Options", "nosniff");
    http_set_header(r, "X-Request-Id", r->id);
    if (wire->close || http.draining)
        http_set_header(r, "Connection", "close");
    if (is_head(r)) { /* the length of what GET would send, of which evhttp sees nothing */
        snprintf(number, sizeof number, "%zu", len);
        http_set_header(r, "Content-Length", number);
    }
}

/* Send what lies in the request's output buffer. */
static void send_reply(struct req *r, int status, const char *type, size_t len)
{
    struct wire *wire = r->wire;
    struct evhttp_request *ev = wire->ev;

    assert(!wire->stream);
    add_headers(r, type, len);
    if (wire->conn)
        hand_over(wire);
    evhttp_send_reply(ev, status, NULL, NULL); /* without a connection this only frees ev */
}

static struct evbuffer *output_buffer(const struct req *r)
{
    const struct wire *wire = r->wire;

    return evhttp_request_get_output_buffer(wire->ev);
}

static bool wants_body(const struct req *r)
{
    const struct wire *wire = r->wire;

    return wire->conn && !is_head(r);
}

void http_reply(struct req *r, int status, const char *type, struct bytes body)
{
    if (wants_body(r))
        evbuffer_add(output_buffer(r), body.data, body.len);
    send_reply(r, status, type, body.len);
}

/* The kernel's pages are sent as they are: nothing of the file is copied into this process. */
bool http_reply_file(struct req *r, int status, const char *type, int fd, int64_t from, size_t len)
{
    if (!wants_body(r) || !len)
        close(fd);
    else if (evbuffer_add_file(output_buffer(r), fd, from, (ev_off_t)len))
        return false;
    send_reply(r, status, type, len);
    return true;
}

/* ---- streams -------------------------------------------------------------------------------------------------------------- */

static void link_stream(struct stream *stream)
{
    stream->next = http.first;
    stream->link = &http.first;
    if (http.first)
        http.first->link = &stream->next;
    http.first = stream;
    http.streams++;
}

static void forget_stream(struct stream *stream)
{
    *stream->link = stream->next;
    if (stream->next)
        stream->next->link = stream->link;
    http.streams--;
    stream->closed(stream->arg);
    req_finish(stream->r);
    check_idle();
}

/* At the end of the turn: whoever was sending may still hold the stream. */
static void end_stream(void *arg)
{
    struct stream *stream = arg;
    struct wire *wire = stream->r->wire;

    if (wire->conn)
        hand_over(wire);
    evhttp_send_reply_end(wire->ev);
    forget_stream(stream);
}

/* Its reader owes us too much: what is queued is worthless to it, so the connection is cut. */
static void cut_stream(void *arg)
{
    struct stream *stream = arg;
    struct wire *wire = stream->r->wire;
    struct evhttp_connection *connection = evhttp_request_get_connection(wire->ev);

    if (!connection) {
        end_stream(stream);
        return;
    }
    wire->conn->r = NULL;
    evhttp_connection_free(connection); /* takes wire->ev along */
    forget_stream(stream);
}

static void finish_stream(struct stream *stream, loop_fn *how)
{
    if (stream->ending)
        return;
    stream->ending = true;
    loop_defer(how, stream);
}

/* The client has gone while its request was under way; evhttp has left the request to us. */
static void left(struct req *r)
{
    struct wire *wire = r->wire;

    wire->conn = NULL;
    r->gone = true;
    if (wire->stream)
        finish_stream(wire->stream, end_stream);
}

/* A connection has ended, by whichever side. */
static void ended(struct evhttp_connection *connection, void *arg)
{
    struct conn *conn = arg;

    (void)connection;
    if (conn->r)
        left(conn->r);
    if (conn->sending)
        http.sending--;
    conn_gone(conn);
    check_idle();
}

/* evhttp gives its connection to the callbacks of its bufferevent, and nowhere else before the first request. */
static void adopt(struct conn *conn, void *owner)
{
    assert(evhttp_connection_get_bufferevent(owner) == conn->bev);
    evhttp_connection_set_closecb(owner, ended, conn);
}

static struct bufferevent *output_of(const struct stream *stream)
{
    const struct wire *wire = stream->r->wire;

    return evhttp_connection_get_bufferevent(evhttp_request_get_connection(wire->ev));
}

struct stream *stream_open(struct req *r, void (*closed)(void *arg), void *arg)
{
    struct wire *wire = r->wire;
    struct timeval patience = { .tv_sec = settings()->write_seconds };
    static const int sending = STREAM_SENDING;
    struct stream *stream;

    if (http.draining || r->gone || http.streams >= (size_t)settings()->stream_max)
        return NULL;
    stream = arena_alloc(r->arena, sizeof *stream);
    *stream = (struct stream){ .r = r, .closed = closed, .arg = arg };
    wire->stream = stream;
    link_stream(stream);
    wire->close = true;
    http_set_header(r, "X-Accel-Buffering", "no");
    add_headers(r, "text/event-stream", 0);
    evhttp_send_reply_start(wire->ev, 200, "OK");
    evhttp_clear_headers(evhttp_request_get_input_headers(wire->ev)); /* nobody asks for them any more */
    bufferevent_set_timeouts(output_of(stream), NULL, &patience);     /* the reader says nothing for hours */
    /* Else the kernel would keep megabytes for a reader who has stopped. */
    setsockopt(bufferevent_getfd(output_of(stream)), SOL_SOCKET, SO_SNDBUF, &sending, sizeof sending);
    return stream;
}

/* False: the reader owes us too much, or is gone. */
static bool may_send(struct stream *stream, size_t len)
{
    if (stream->ending || stream->r->gone)
        return false;
    if (evbuffer_get_length(bufferevent_get_output(output_of(stream))) + len <= (size_t)settings()->stream_buffer)
        return true;
    finish_stream(stream, cut_stream);
    return false;
}

static void send_piece(const struct stream *stream, struct evbuffer *piece)
{
    const struct wire *wire = stream->r->wire;

    evhttp_send_reply_chunk(wire->ev, piece);
    evbuffer_free(piece);
}

static struct evbuffer *piece_new(void)
{
    struct evbuffer *piece = evbuffer_new();

    assert(piece);
    return piece;
}

bool stream_send(struct stream *stream, const char *text, size_t len)
{
    struct evbuffer *piece;

    if (!may_send(stream, len))
        return false;
    piece = piece_new();
    evbuffer_add(piece, text, len);
    send_piece(stream, piece);
    return true;
}

struct shared *shared_new(const char *text, size_t len)
{
    struct shared *shared = malloc(sizeof *shared + len);

    if (!shared)
        abort();
    shared->users = 1;
    shared->len = len;
    memcpy(shared->text, text, len);
    return shared;
}

void shared_drop(struct shared *shared)
{
    if (!--shared->users)
        free(shared);
}

static void drop_reference(const void *data, size_t len, void *arg)
{
    (void)data;
    (void)len;
    shared_drop(arg);
}

bool stream_send_shared(struct stream *stream, struct shared *shared)
{
    struct evbuffer *piece;

    if (!may_send(stream, shared->len))
        return false;
    piece = piece_new();
    shared->users++;
    if (evbuffer_add_reference(piece, shared->text, shared->len, drop_reference, shared))
        abort();
    send_piece(stream, piece);
    return true;
}

void stream_close(struct stream *stream)
{
    finish_stream(stream, end_stream);
}

void stream_cut(struct stream *stream)
{
    finish_stream(stream, cut_stream);
}

bool stream_is_behind(const struct stream *stream)
{
    return !stream->ending && !stream->r->gone && evbuffer_get_length(bufferevent_get_output(output_of(stream))) > 0;
}

size_t stream_count(void)
{
    return http.streams;
}

/* ---- the module ----------------------------------------------------------------------------------------------------------- */

static void library_log(int severity, const char *message)
{
    if (severity == EVENT_LOG_WARN || severity == EVENT_LOG_ERR)
        log_debug("event", "text=%s", message);
}

static void set_limits(struct evhttp *server)
{
    const struct settings *s = settings();

    evhttp_set_max_headers_size(server, s->header_max);
    evhttp_set_max_body_size(server, BODY_HARD_MAX);
    evhttp_set_allowed_methods(server, 0xffff); /* the unknown ones too: the refusal is ours */
    evhttp_set_timeout(server, s->idle_seconds);
    evhttp_set_gencb(server, serve, NULL);
}

bool http_open(int fd)
{
    event_set_log_callback(library_log);
    http.draining = false;
    http.nproxies = 0;
    if (!read_proxies())
        return false;
    http.linger = timer_new(end_drain, NULL);
    http.http = evhttp_new(loop_base());
    if (!http.http)
        return false;
    set_limits(http.http);
    evhttp_set_bevcb(http.http, conns_accept, NULL);
    http.bound = evhttp_accept_socket_with_handle(http.http, fd);
    if (http.bound)
        conns_open(evhttp_bound_socket_get_listener(http.bound), adopt);
    else
        log_error("listen_failed", "err=%s", strerror(errno));
    return http.bound != NULL;
}

void http_drain(void (*idle)(void))
{
    http.draining = true;
    http.idle = idle;
    conns_stop();
    if (http.bound)
        evhttp_del_accept_socket(http.http, http.bound);
    http.bound = NULL;
    for (struct stream *stream = http.first; stream; stream = stream->next)
        stream_close(stream);
    check_idle();
}

void http_close(void)
{
    if (http.http)
        evhttp_free(http.http);
    conns_close();
    timer_free(http.linger);
    http.http = NULL;
    http.linger = NULL;
}
