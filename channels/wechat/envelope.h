#ifndef WECHAT_ENVELOPE_H
#define WECHAT_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "json.h"

struct arena;

/* How the platform signs and encrypts what it sends to an official account, and what it wants to hear. */

enum { APPID_MAX = 63, TOKEN_MAX = 63, AES_KEY_BYTES = 32, SIGNATURE_SIZE = 41 };

struct account {
    char appid[APPID_MAX + 1], token[TOKEN_MAX + 1];
    unsigned char key[AES_KEY_BYTES];
    bool has_key;
};

/* The numbers of the platform's own libraries; 0: nothing is wrong. */
enum envelope_fault {
    ENVELOPE_GOOD = 0,
    ENVELOPE_BAD_SIGNATURE = -40001,
    ENVELOPE_BAD_XML = -40002,
    ENVELOPE_BAD_KEY = -40004,
    ENVELOPE_BAD_APPID = -40005,
    ENVELOPE_BAD_CIPHER = -40007,
    ENVELOPE_BAD_BUFFER = -40008,
};

/* The 43 characters of an EncodingAESKey.  False: they are none. */
bool envelope_key(struct account *account, const char *encoding_aes_key) __attribute__((warn_unused_result));

/* SHA-1 in hexadecimal of the texts sorted and joined: token, timestamp, nonce and, where it is not NULL, the ciphertext. */
void envelope_sign(const struct account *account, const char *timestamp, const char *nonce, const char *encrypted,
                   char out[SIGNATURE_SIZE]);

/* Is that the signature?  Takes as long for a wrong one. */
bool envelope_signed(const struct account *account, const char *timestamp, const char *nonce, const char *encrypted,
                     const char *given) __attribute__((warn_unused_result));

/* The text within a ciphertext of the platform's, in the arena. */
enum envelope_fault envelope_open(struct arena *arena, const struct account *account, const char *encrypted,
                                  struct bytes *text) __attribute__((warn_unused_result));

/* The ciphertext of a text, with these 16 bytes before it: random ones, but for a test. */
char *envelope_seal(struct arena *arena, const struct account *account, const unsigned char salt[16],
                    struct bytes text);

#endif
