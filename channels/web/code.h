#ifndef WEB_CODE_H
#define WEB_CODE_H

#include "channel.h"

/* Where the city asks for it (door.phone_code), who files shows that the mobile phone is theirs: a code goes there by short message, and who
 * types it gets a proof for a day, which the complaint then brings along in X-Phone-Proof.  Code and proof are keyed hashes of the phone and the time:
 * nothing is stored, the same code is sent again within its ten minutes, so that of two messages either is right, and each is good for ten
 * minutes more.  Landlines hear no message and are not asked; while no message can be sent at all, nobody is. */

/* Step: refuse a complaint in r->json with 403 phone_code_needed where it lacks a proof. */
enum next code_check_proof(struct req *r);

/* Steps of POST /v1/phone-codes and POST /v1/phone-codes/check. */
extern step_fn *const post_code[], *const post_code_check[];

/* Six digits out of what was typed, blanks and full-width digits among them; false: it is no code. */
bool code_read(const char *typed, char out[PHONE_CODE_SIZE]) __attribute__((warn_unused_result));

/* The end of a proof's life, 0: it has not the form of one. */
long code_proof_until(const char *proof);

#endif
