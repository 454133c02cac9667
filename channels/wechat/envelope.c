#include "envelope.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"

/* Before encryption: 16 random bytes, the length of the text (four bytes, high first), the text, the appid; filled up to whole blocks
 * of 32, each byte of the filling telling how many there are. */
enum {
    SALT = 16,
    HEAD = SALT + 4,
    FILLING = 32,
    ENCODED_KEY = 43,
    CIPHER_BLOCK = 16,
    SHA1_BYTES = 20,
};

/* OpenSSL looks an algorithm up by its name for each use, unless it was fetched. */
static const EVP_MD *sha1_algorithm(void)
{
    static EVP_MD *fetched;

    if (!fetched)
        fetched = EVP_MD_fetch(NULL, "SHA1", NULL);
    return fetched;
}

static const EVP_CIPHER *aes_algorithm(void)
{
    static EVP_CIPHER *fetched;

    if (!fetched)
        fetched = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    return fetched;
}

/* Base64 in whole groups of four, with its padding where it ends only; -1: it is none. */
static int decode(unsigned char *out, const char *text, size_t len)
{
    size_t padding = 0;

    if (!len || len % 4 || len > INT32_MAX)
        return -1;
    if (text[len - 1] == '=')
        padding = 1 + (text[len - 2] == '=');
    if (memchr(text, '=', len - padding) ||
        EVP_DecodeBlock(out, (const unsigned char *)text, (int)len) != (int)(len / 4 * 3))
        return -1;
    return (int)(len / 4 * 3 - padding);
}

bool envelope_key(struct account *account, const char *encoding_aes_key)
{
    unsigned char bytes[AES_KEY_BYTES + 1];
    char padded[ENCODED_KEY + 2];

    if (strlen(encoding_aes_key) != ENCODED_KEY)
        return false;
    snprintf(padded, sizeof padded, "%s=", encoding_aes_key);
    account->has_key = decode(bytes, padded, ENCODED_KEY + 1) == AES_KEY_BYTES;
    memcpy(account->key, bytes, AES_KEY_BYTES);
    explicit_bzero(bytes, sizeof bytes);
    explicit_bzero(padded, sizeof padded);
    return account->has_key;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void envelope_sign(const struct account *account, const char *timestamp, const char *nonce, const char *encrypted,
                   char out[SIGNATURE_SIZE])
{
    const char *texts[] = { account->token, timestamp, nonce, encrypted };
    size_t n = encrypted ? 4 : 3;
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *sha1 = EVP_MD_CTX_new();

    qsort(texts, n, sizeof *texts, by_text);
    if (!sha1 || !EVP_DigestInit_ex(sha1, sha1_algorithm(), NULL))
        abort();
    for (size_t i = 0; i < n; i++)
        if (!EVP_DigestUpdate(sha1, texts[i], strlen(texts[i])))
            abort();
    if (!EVP_DigestFinal_ex(sha1, digest, NULL))
        abort();
    EVP_MD_CTX_free(sha1);
    for (size_t i = 0; i < SHA1_BYTES; i++)
        sprintf(out + 2 * i, "%02x", digest[i]);
}

bool envelope_signed(const struct account *account, const char *timestamp, const char *nonce, const char *encrypted,
                     const char *given)
{
    char right[SIGNATURE_SIZE];

    envelope_sign(account, timestamp, nonce, encrypted, right);
    return strlen(given) == SIGNATURE_SIZE - 1 && !CRYPTO_memcmp(right, given, SIGNATURE_SIZE - 1);
}

/* Both directions of AES-256-CBC over whole blocks; the first half of the key is the initial vector, as the platform has it. */
static bool run_cipher(const struct account *account, bool seal, const unsigned char *in, unsigned char *out,
                       size_t len)
{
    EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
    int done = 0, rest = 0;
    bool good;

    if (!aes)
        abort();
    good = EVP_CipherInit_ex(aes, aes_algorithm(), NULL, account->key, account->key, seal) &&
           EVP_CIPHER_CTX_set_padding(aes, 0) && EVP_CipherUpdate(aes, out, &done, in, (int)len) &&
           EVP_CipherFinal_ex(aes, out + done, &rest);
    EVP_CIPHER_CTX_free(aes);
    return good && (size_t)done + (size_t)rest == len;
}

/* Bytes without the filling, 0: it is not as it has to be. */
static size_t unfilled(const unsigned char *plain, size_t len)
{
    size_t filling = plain[len - 1];

    if (!filling || filling > FILLING || filling > len)
        return 0;
    for (size_t i = len - filling; i < len; i++)
        if (plain[i] != filling)
            return 0;
    return len - filling;
}

enum envelope_fault envelope_open(struct arena *arena, const struct account *account, const char *encrypted,
                                  struct bytes *text)
{
    size_t encoded = strlen(encrypted), len, appid = strlen(account->appid), said;
    unsigned char *cipher, *plain;
    int bytes;

    if (!account->has_key)
        return ENVELOPE_BAD_KEY;
    cipher = arena_alloc(arena, encoded / 4 * 3 + 3);
    bytes = decode(cipher, encrypted, encoded);
    if (bytes <= 0 || bytes % CIPHER_BLOCK)
        return ENVELOPE_BAD_CIPHER;
    plain = arena_alloc(arena, (size_t)bytes + CIPHER_BLOCK);
    if (!run_cipher(account, false, cipher, plain, (size_t)bytes))
        return ENVELOPE_BAD_CIPHER;
    len = unfilled(plain, (size_t)bytes);
    if (len < HEAD)
        return ENVELOPE_BAD_BUFFER;
    said = (size_t)plain[SALT] << 24 | (size_t)plain[SALT + 1] << 16 | (size_t)plain[SALT + 2] << 8 | plain[SALT + 3];
    if (said > len - HEAD)
        return ENVELOPE_BAD_BUFFER;
    if (len - HEAD - said != appid || CRYPTO_memcmp(plain + HEAD + said, account->appid, appid) != 0)
        return ENVELOPE_BAD_APPID;
    *text = (struct bytes){ arena_strndup(arena, (char *)plain + HEAD, said), said };
    return ENVELOPE_GOOD;
}

char *envelope_seal(struct arena *arena, const struct account *account, const unsigned char salt[16], struct bytes text)
{
    size_t appid = strlen(account->appid), len = HEAD + text.len + appid, filling = FILLING - len % FILLING;
    unsigned char *plain = arena_alloc(arena, len + filling),
                  *cipher = arena_alloc(arena, len + filling + CIPHER_BLOCK);
    char *out = arena_alloc(arena, (len + filling + 2) / 3 * 4 + 1);

    memcpy(plain, salt, SALT);
    for (int i = 0; i < 4; i++)
        plain[SALT + i] = (unsigned char)(text.len >> (24 - 8 * i));
    memcpy(plain + HEAD, text.data, text.len);
    memcpy(plain + HEAD + text.len, account->appid, appid);
    memset(plain + len, (int)filling, filling);
    if (!run_cipher(account, true, plain, cipher, len + filling))
        abort();
    EVP_EncodeBlock((unsigned char *)out, cipher, (int)(len + filling));
    return out;
}
