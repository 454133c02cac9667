#ifndef FOLLOW_H
#define FOLLOW_H

#include "req.h"

/* A ticket as its citizen sees it, be it in the database or still in the spool.  Three steps, in this order. */

/* r->call names "number" and "code_hash".  The spool is asked first: what has left it is in the database for sure. */
enum next follow_spooled(struct req *r);

/* Ask the database, unless the spool has it. */
enum next follow_stored(struct req *r);

/* Reply.  r->answer.status 404: no such number, or another code. */
enum next follow_reply(struct req *r);

#endif
