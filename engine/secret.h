#ifndef SECRET_H
#define SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

enum { SECRET_HEX_SIZE = 65, QUERY_CODE_SIZE = 9, RATING_TOKEN_SIZE = 32, PHONE_CODE_SIZE = 7 };

/* Read the keys of settings() before anything else here is called.  contact_key_file: lines `key-id:64 hex digits`, the
 * current key is the one marked by a leading *, else the last; all of them can read.  hash_key_file: 64 hex digits. */
bool secret_load(void) __attribute__((warn_unused_result));

/* Read the contact keys again if their file has changed; true when new ones are in use.  A file that cannot be read or has a fault
 * leaves the keys as they are, and is logged.  Whoever meets a value under a key it does not know looks at once. */
bool secret_refresh(void);

/* A worker looks at the file every two seconds from now on, until secret_close. */
bool secret_watch(void) __attribute__((warn_unused_result));

/* The first line of a file that only its owner may read; logs why not. */
bool secret_line(const char *path, char *line, size_t size) __attribute__((warn_unused_result));

/* The same for a whole file of up to 8 kB. */
bool secret_text(const char *path, char *text, size_t size) __attribute__((warn_unused_result));

/* Wipe all keys. */
void secret_close(void);

/* Encrypt text for the field so named; the token (v1.<key id>.<base64url>) opens only for the same field. */
char *secret_seal(struct arena *arena, const char *text, const char *field);

/* The text of a token, NULL when it was altered, belongs to another field or its key is unknown. */
char *secret_open(struct arena *arena, const char *token, const char *field) __attribute__((warn_unused_result));

/* Was this token sealed under a key that is no longer the current one? */
bool secret_is_stale(const char *token);

/* Keyed hash of a normalised phone number, the only form in which numbers are looked up. */
void phone_hash(const char *phone, char out[SECRET_HEX_SIZE]);

/* Keyed digest of a raw request body: tells a repeat from another request under the same key. */
void digest_body(const void *body, size_t len, char out[SECRET_HEX_SIZE]);

/* The code a citizen follows a ticket with: the same request gets the same code again. */
void query_code(const char *principal, const char *route, const char *key, const char *digest,
                char out[QUERY_CODE_SIZE]);

/* What is stored of a code, however it was typed (case, blanks, dashes, O for 0, I and L for 1).  False: not a code. */
bool query_code_hash(const char *typed, char out[SECRET_HEX_SIZE]) __attribute__((warn_unused_result));

/* The token of a link to rate this round of a ticket: nothing of it is stored, and the database says whether it was used. */
void rating_token(const char *number, int round, char out[RATING_TOKEN_SIZE]);

/* The round that a token of this ticket is for; -1: it is none of ours. */
int rating_round(const char *number, const char *token);

/* HMAC-SHA256 of a text under a secret that another system shares, in hexadecimal. */
void secret_sign(const char *secret, const char *text, char out[SECRET_HEX_SIZE]);

/* Is that what secret_sign gives?  Takes as long for a wrong one. */
bool secret_signed(const char *secret, const char *text, const char *given) __attribute__((warn_unused_result));

/* Are these the same?  Takes as long for others of the same length. */
bool secret_same(const char *a, const char *b) __attribute__((warn_unused_result));

/* What signs the calls to a webhook, by the webhook's key id ("police.1"): nothing of it is stored. */
void webhook_secret(const char *key, char out[SECRET_HEX_SIZE]);

/* The key of a unit's own system: the same request gets the same one again, and of it only the keyed hash is stored. */
void unit_key(const char *code, const char *key, const char *digest, char out[SECRET_HEX_SIZE]);
void unit_key_hash(const char *unit_key, char out[SECRET_HEX_SIZE]);

/* Only we can have made this challenge, for a client of this network. */
void challenge_sign(const char *challenge, const char *network, char out[SECRET_HEX_SIZE]);

/* The code that is sent to a phone in this slot of time: nothing of it is stored.  And what shows until then (in seconds since
 * 1970) that somebody has read one on that phone. */
void phone_code(const char *phone_hmac, long slot, char out[PHONE_CODE_SIZE]);
void phone_proof(const char *phone_hmac, long until, char out[SECRET_HEX_SIZE]);

/* A new session token (32 random bytes, base64url), and the form in which any token is stored. */
char *session_token(struct arena *arena);
void session_hash(const char *token, char out[SECRET_HEX_SIZE]);

/* Sixteen digits whose two check digits fit (ISO 7064 mod 97-10). */
bool ticket_no_valid(const char *number);

#endif
