#ifndef INTAKE_H
#define INTAKE_H

#include "req.h"

/* What every way in has in common: a complaint as a channel decoded it, and the steps that make a ticket of it. */

/* The member names a complaint's JSON may have; a channel of another protocol builds an object of these. */
extern const struct field intake_fields[];
extern const size_t intake_nfields;

/* Begin r->call for a write function: who asks, under which key, with which body. */
void call_begin(struct req *r, const char *principal);

/* Replace phone and name among an object's members by what may be stored: the call gets "contact" with ciphertext, keyed hash
 * and mask.  GO, or a refusal when the phone is no number. */
enum next contact_seal(struct req *r, cJSON *fields);

/* Step: where a protocol has no key, the same input within a day (from four in the morning on) is the same complaint. */
enum next intake_key(struct req *r);

/* Step: turn a complaint away before anything is done for it when the database has too much to do. */
enum next intake_admit(struct req *r);

/* r->json (checked by intake_fields) becomes r->call for api.intake or api.draft: contact sealed, words read, number taken,
 * query code made. */
enum next intake_prepare(struct req *r, const char *principal, const char *channel);

/* Step: store it (T05). */
enum next intake_store(struct req *r);

/* Step: where the database was away, put it into the spool instead; then the answer is 202, without a promised day.  The outcome in the
 * database may be unknown: both carry the same key, and the drain finds the one by the other.  answer_sealed follows. */
enum next intake_spool(struct req *r);

/* Step: members "x_enc" of what the database said are opened to "x", and watchers hear of a success. */
enum next answer_open(struct req *r);

/* Step: reply with what the database said; members "x_enc" are opened to "x", and watchers hear of a success. */
enum next answer_sealed(struct req *r);

/* Step: reply with what the database said under an ETag of it, or 304 when the client has just that. */
enum next answer_tagged(struct req *r);

#endif
