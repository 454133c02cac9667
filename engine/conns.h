#ifndef CONNS_H
#define CONNS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* The connections of a worker: how many there may be, what each waits for and for how long.  What they carry is http.c's. */

struct bufferevent;
struct event_base;
struct evconnlistener;
struct req;

enum conn_state {
    CONN_IDLE,     /* nothing of a request has come yet */
    CONN_READING,  /* a request is coming in */
    CONN_ANSWERING /* it is here, and its answer is not yet with the kernel */
};

struct conn {
    TAILQ_ENTRY(conn) next; /* in the list of its state, in the order of since */
    struct bufferevent *bev;
    enum conn_state state;
    int64_t since; /* loop_now() */
    bool surplus;  /* one too many: its first request is refused and it ends */

    struct req *r; /* http.c's: the request under way */
    bool sending;  /* likewise: its reply is */
};

/* Watch this listener, which goes on being its owner's.  adopt(conn, owner) is told of every connection before its first request;
 * owner is the argument of its bufferevent's callbacks. */
void conns_open(struct evconnlistener *listener, void (*adopt)(struct conn *conn, void *owner));

/* The listener is about to go. */
void conns_stop(void);
void conns_close(void);

/* The bufferevent of a connection that is being accepted; evhttp's callback. */
struct bufferevent *conns_accept(struct event_base *base, void *arg);

/* The connection of this descriptor, adopted by now. */
struct conn *conn_of(int fd);

/* A request has come whole; its reply is with the kernel and the next one may come. */
void conn_begin(struct conn *conn);
void conn_rest(struct conn *conn);

/* It has ended and is freed. */
void conn_gone(struct conn *conn);

#endif
