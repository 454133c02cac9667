#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

/* Bytes on the wire: requests in, replies and streams out.  What a request means is req.h's. */

struct req;
struct stream;

/* A bound, listening socket for HTTP, or -1.  Several of one address share its connections. */
int http_listen(const char *address, int port) __attribute__((warn_unused_result));

/* The port a listening socket got. */
int http_port(int fd);

/* Serve the connections of this listening socket, which becomes ours. */
bool http_open(int fd) __attribute__((warn_unused_result));

/* Accept nothing more, end every connection after its reply, end all streams; idle() once nothing is under way. */
void http_drain(void (*idle)(void));
void http_close(void);

/* A header of the request, NULL when it was not sent. */
const char *http_header(const struct req *r, const char *name);

/* A header for the reply; name and value are copied.  Values with control characters are refused by assertion. */
void http_set_header(struct req *r, const char *name, const char *value);

/* Send the reply; req.h's reply() is what handlers call. */
void http_reply(struct req *r, int status, const char *type, struct bytes body);

/* The same with len bytes of an open file from there on; fd becomes ours.  False: nothing was sent, answer something else. */
bool http_reply_file(struct req *r, int status, const char *type, int fd, int64_t from, size_t len)
    __attribute__((warn_unused_result));

/* Answer with a stream of server-sent events; the step then returns WAIT and the request ends with its stream.
 * closed(arg) is called once, whoever closes it.  The request's headers are forgotten.  NULL: too many streams, answer 503. */
struct stream *stream_open(struct req *r, void (*closed)(void *arg), void *arg) __attribute__((warn_unused_result));

/* Send text in the event-stream format.  False: the reader is too slow (or gone) and the stream is being closed. */
bool stream_send(struct stream *stream, const char *text, size_t len);
void stream_close(struct stream *stream);

/* At once, without what its reader has not taken yet. */
void stream_cut(struct stream *stream);

/* Has its reader not taken yet what was sent before? */
bool stream_is_behind(const struct stream *stream);

/* Text that many streams may owe without a copy for each; it goes when its maker and all of them have dropped it. */
struct shared;
struct shared *shared_new(const char *text, size_t len);
void shared_drop(struct shared *shared);
bool stream_send_shared(struct stream *stream, struct shared *shared);

/* Streams open now. */
size_t stream_count(void);

#endif
