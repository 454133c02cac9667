#ifndef LIMIT_H
#define LIMIT_H

#include <stdbool.h>

#include "req.h"

/* How often something may happen (IPv6 addresses count by their /64 network), counted in Redis for all workers, in a bounded table of this process when Redis is away. */

enum limit_kind {
    LIMIT_SUBMIT,       /* complaints of one address */
    LIMIT_SUBMIT_PHONE, /* complaints of one phone hash */
    LIMIT_QUERY,        /* look-ups of one address */
    LIMIT_CODE,         /* wrong query codes for one ticket number from one address */
    LIMIT_LOGIN,        /* failed logins from one address */
    LIMIT_LOGIN_NAME,   /* failed logins under one name */
    LIMIT_STAFF,        /* requests of one session */
    LIMIT_APP,          /* requests of one application's key */
    LIMIT_UPLOAD,       /* uploads begun from one address */
    LIMIT_SMS,          /* codes sent for one address */
    LIMIT_SMS_PHONE,    /* codes sent to one phone hash */
    LIMIT_SMS_AGAIN,    /* … one right after the other */
    LIMIT_TRY,          /* codes tried for one phone hash from one address */
    LIMIT_TRY_PHONE,    /* … from any address */
    LIMIT_KINDS
};

bool limit_open(void) __attribute__((warn_unused_result));

/* Of an IPv6 address the /64 network, since whoever has one address has all of it; any other address as it is. */
void limit_network(const char *address, char out[REQ_ADDRESS_SIZE]);

/* Count one and GO on, or refuse with 429 too_many and Retry-After.  A step calls it last and returns what it returned. */
enum next limited(struct req *r, enum limit_kind kind, const char *key);

/* The same without counting: for what counts only when it fails. */
enum next limit_spent(struct req *r, enum limit_kind kind, const char *key);

/* Count one, as far as there is room. */
void limit_count(enum limit_kind kind, const char *key);

#endif
