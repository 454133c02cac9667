#ifndef FETCH_H
#define FETCH_H

#include <stdbool.h>
#include <stddef.h>

/* Requests of ours to the world outside: HTTP, and mail by SMTP.  So many at a time as fetch_max says, the others wait; certificates
 * are verified, redirects are not followed, proxies of the environment are not used.  Without TLS only where fetch_plain allows it. */

enum fetch_end {
    FETCH_ANSWERED,  /* status says what */
    FETCH_UNREACHED, /* the other side cannot have taken it */
    FETCH_UNKNOWN    /* it may or may not have taken it: no answer in time, or half of one */
};

/* Lives as long as the callback runs. */
struct fetch_reply {
    enum fetch_end end;
    int status;       /* of HTTP, or of SMTP's last word */
    const char *body; /* never NULL; cut at 64 kB */
    size_t len;
    int retry_after; /* seconds the other side asks for, 0 without */
    const char *why; /* where there is no answer: libcurl's words, which name no content */
};

typedef void fetch_fn(const struct fetch_reply *reply, void *arg);

/* Everything is copied.  A POST of body; without a body a GET; with `to` a mail. */
struct fetch {
    const char *url;
    const char *const *headers; /* "Name: value", NULL after the last; may be NULL */
    const char *body;
    size_t len;
    const char *from, *to;       /* of a mail */
    const char *user, *password; /* may be NULL */
    fetch_fn *done;              /* called once, never before fetch_start has returned */
    void *arg;
};

bool fetch_open(void) __attribute__((warn_unused_result));

/* Whoever still waits is told FETCH_UNKNOWN. */
void fetch_close(void);

void fetch_start(const struct fetch *wanted);

/* How many more could begin at once. */
int fetch_room(void);

#endif
