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

/* For a protocol of its own instead: nothing was found, but nobody could say what is in the spool. */
bool follow_unsure(const struct req *r);

/* What a citizen still says about a ticket: an action, its inputs in r->json.  follow_begin, then the steps follow_ask and follow_take, then
 * a step that calls follow_say; answer_sealed replies. */

/* Begin r->call with who speaks: number, and the code or the token of a rating link.  False: neither can be one. */
bool follow_begin(struct req *r, const char *principal, const char *number, const char *code, const char *token);

/* For a word that needs no more than that the complaint exists: where it still waits in the spool, the word is put behind it, and the answer
 * is 202.  Three steps between follow_ask and follow_take. */
enum next follow_look(struct req *r);
enum next follow_put(struct req *r, const char *action);
enum next follow_told(struct req *r);

/* Look the ticket up, and lock it; r->answer.status 404: no such number, or another code. */
enum next follow_ask(struct req *r);
enum next follow_take(struct req *r);

/* Do it: followup, supplement, withdraw, rate, object. */
enum next follow_say(struct req *r, const char *action);

#endif
