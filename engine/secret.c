/* Everything done with a key.  Nonces are random: one contact key is good for 2^32 values, centuries of a city's complaints. */

#include "secret.h"

#include <assert.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "base.h"
#include "log.h"
#include "loop.h"
#include "settings.h"

enum {
    KEY = 32,
    NONCE = 12,
    TAG = 16,
    HASH = 32,
    KEY_ID = 17,
    MAX_KEYS = 32,
    MAX_FILE = 8192,
    WATCH_MS = 2000,
    CODE = QUERY_CODE_SIZE - 1,
    BASE64 = sodium_base64_VARIANT_URLSAFE_NO_PADDING
};

struct key {
    char id[KEY_ID];
    unsigned char bytes[KEY];
};

/* One secret on disk, one key for each use: what leaks through one use helps with no other. */
enum use {
    USE_PHONE,
    USE_DIGEST,
    USE_CODE,
    USE_CODE_HASH,
    USE_RATING,
    USE_WEBHOOK,
    USE_UNIT_KEY,
    USE_UNIT_KEY_HASH,
    USE_CHALLENGE,
    USE_PHONE_CODE,
    USE_PHONE_PROOF,
    USES
};

static const char *const use_labels[USES] = {
    "hotline phone v1",     "hotline digest v1",     "hotline code v1",       "hotline code hash v1",
    "hotline rating v1",    "hotline webhook v1",    "hotline unit key v1",   "hotline unit key hash v1",
    "hotline challenge v1", "hotline phone code v1", "hotline phone proof v1"
};

static struct {
    struct key contact[MAX_KEYS];
    size_t count, current;
    unsigned char use[USES][KEY];
    struct stat file; /* the contact keys' file as it was last looked at */
    struct timer *watch;
} keys;

static void hmac(const unsigned char key[KEY], const void *data, size_t len, unsigned char out[HASH])
{
    crypto_auth_hmacsha256(out, data, len, key);
}

static void hex(const unsigned char hash[HASH], char out[SECRET_HEX_SIZE])
{
    sodium_bin2hex(out, SECRET_HEX_SIZE, hash, HASH);
}

/* Key files */

/* Credentials of the service manager carry an access list, which shows as group bits; its folder is private already. */
static mode_t forbidden_bits(const char *path)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    bool credential = folder != NULL && *folder != '\0' && strncmp(path, folder, strlen(folder)) == 0;

    return credential ? 07 : 077;
}

static bool refuse_file(const char *path, const char *why)
{
    log_error("key_file", "path=%s why=%s", path, why);
    return false;
}

static bool read_fd(int fd, const char *path, char *text)
{
    struct stat st;
    ssize_t got;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return refuse_file(path, "not a plain file");
    if (st.st_mode & forbidden_bits(path))
        return refuse_file(path, "others may read it: chmod 600");
    if (st.st_size >= MAX_FILE || (got = read(fd, text, MAX_FILE - 1)) < 0)
        return refuse_file(path, "cannot be read or is too long");
    text[got] = '\0';
    if (strlen(text) != (size_t)got)
        return refuse_file(path, "is not text");
    return true;
}

static bool read_private(const char *path, char *text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool ok;

    if (fd < 0)
        return refuse_file(path, "cannot be opened");
    ok = read_fd(fd, path, text);
    close(fd);
    return ok;
}

bool secret_line(const char *path, char *line, size_t size)
{
    char text[MAX_FILE];
    bool ok = read_private(path, text);

    if (ok) {
        text[strcspn(text, "\r\n")] = '\0';
        ok = strlen(text) < size || refuse_file(path, "has too long a line");
    }
    if (ok)
        memcpy(line, text, strlen(text) + 1);
    sodium_memzero(text, sizeof text);
    return ok;
}

bool secret_text(const char *path, char *text, size_t size)
{
    char whole[MAX_FILE];
    bool ok = read_private(path, whole) && (strlen(whole) < size || refuse_file(path, "is too long"));

    if (ok)
        memcpy(text, whole, strlen(whole) + 1);
    sodium_memzero(whole, sizeof whole);
    return ok;
}

static bool read_key(const char *text, unsigned char out[KEY])
{
    size_t got;

    return strlen(text) == (size_t)2 * KEY && sodium_hex2bin(out, KEY, text, (size_t)2 * KEY, NULL, &got, NULL) == 0 &&
           got == KEY;
}

static const struct key *find_key(const char *id, size_t len)
{
    for (size_t i = 0; i < keys.count; i++)
        if (strlen(keys.contact[i].id) == len && memcmp(keys.contact[i].id, id, len) == 0)
            return &keys.contact[i];
    return NULL;
}

static bool read_contact_line(const char *line)
{
    struct key *key = &keys.contact[keys.count];
    size_t id = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789-_");

    if (keys.count == MAX_KEYS || id == 0 || id >= KEY_ID || line[id] != ':' || find_key(line, id) != NULL)
        return false;
    snprintf(key->id, sizeof key->id, "%.*s", (int)id, line);
    if (!read_key(line + id + 1, key->bytes))
        return false;
    keys.count++;
    return true;
}

static bool load_contact(const char *path, char *text)
{
    bool marked = false;
    char *rest;

    if (!read_private(path, text))
        return false;
    for (char *line = strtok_r(text, "\r\n", &rest); line != NULL; line = strtok_r(NULL, "\r\n", &rest)) {
        bool star = *line == '*';

        if (*line == '#')
            continue;
        if ((star && marked) || !read_contact_line(line + star))
            return refuse_file(path, "has a line that is not key-id:64 hex digits, or names a key twice");
        marked |= star;
        if (star || !marked)
            keys.current = keys.count - 1;
    }
    return keys.count > 0 || refuse_file(path, "has no key");
}

static bool load_hash(const char *path)
{
    char line[128];
    unsigned char master[KEY];
    bool ok;

    if (!secret_line(path, line, sizeof line))
        return false;
    ok = read_key(line, master) || refuse_file(path, "is not 64 hex digits");
    for (size_t i = 0; i < USES && ok; i++)
        hmac(master, use_labels[i], strlen(use_labels[i]), keys.use[i]);
    sodium_memzero(line, sizeof line);
    sodium_memzero(master, sizeof master);
    return ok;
}

bool secret_load(void)
{
    char text[MAX_FILE];
    bool ok;

    if (sodium_init() < 0)
        return false;
    secret_close();
    if (stat(settings()->contact_key_file, &keys.file) != 0)
        keys.file = (struct stat){ 0 };
    sodium_mlock(&keys, sizeof keys); /* as far as the limit on locked memory allows */
    ok = load_contact(settings()->contact_key_file, text) && load_hash(settings()->hash_key_file);
    sodium_memzero(text, sizeof text);
    if (!ok)
        secret_close();
    return ok;
}

static bool file_changed(struct stat *is)
{
    return stat(settings()->contact_key_file, is) == 0 &&
           (is->st_ino != keys.file.st_ino || is->st_size != keys.file.st_size ||
            is->st_mtim.tv_sec != keys.file.st_mtim.tv_sec || is->st_mtim.tv_nsec != keys.file.st_mtim.tv_nsec);
}

bool secret_refresh(void)
{
    struct key was[MAX_KEYS];
    size_t count = keys.count, current = keys.current;
    char text[MAX_FILE];
    struct stat is;
    bool ok;

    if (!file_changed(&is))
        return false;
    keys.file = is;
    memcpy(was, keys.contact, sizeof was);
    keys.count = keys.current = 0;
    ok = load_contact(settings()->contact_key_file, text);
    if (ok) {
        log_info("keys_read", "keys=%zu current=%s", keys.count, keys.contact[keys.current].id);
    } else {
        memcpy(keys.contact, was, sizeof was);
        keys.count = count;
        keys.current = current;
    }
    sodium_memzero(was, sizeof was);
    sodium_memzero(text, sizeof text);
    return ok;
}

static void look(void *arg)
{
    (void)arg;
    (void)secret_refresh();
    timer_set(keys.watch, WATCH_MS);
}

bool secret_watch(void)
{
    keys.watch = timer_new(look, NULL);
    timer_set(keys.watch, WATCH_MS);
    return true;
}

void secret_close(void)
{
    if (keys.watch)
        timer_free(keys.watch);
    sodium_memzero(&keys, sizeof keys);
}

/* Sealing */

/* Encrypt: out takes nonce, ciphertext and tag. */
static bool encrypt(const struct key *key, const char *text, int len, const char *field, unsigned char *out)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    unsigned char *body = out + NONCE;
    int n;
    bool ok;

    randombytes_buf(out, NONCE);
    ok = ctx != NULL && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, out) &&
         EVP_EncryptUpdate(ctx, NULL, &n, (const unsigned char *)field, (int)strlen(field)) &&
         EVP_EncryptUpdate(ctx, body, &n, (const unsigned char *)text, len) &&
         EVP_EncryptFinal_ex(ctx, body + len, &n) && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, body + len);
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

/* Decrypt len bytes of ciphertext between nonce and tag; what is in text counts only when the tag fits. */
static bool decrypt(const struct key *key, unsigned char *sealed, int len, const char *field, unsigned char *text)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n;
    bool ok;

    ok = ctx != NULL && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, sealed) &&
         EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)field, (int)strlen(field)) &&
         EVP_DecryptUpdate(ctx, text, &n, sealed + NONCE, len) &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, sealed + NONCE + len) &&
         EVP_DecryptFinal_ex(ctx, text + n, &n) > 0;
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

char *secret_seal(struct arena *arena, const char *text, const char *field)
{
    const struct key *key = &keys.contact[keys.current];
    size_t len = strlen(text), raw_size = NONCE + len + TAG, size = sodium_base64_ENCODED_LEN(raw_size, BASE64);
    unsigned char *raw = arena_alloc(arena, raw_size);
    char *token = arena_alloc(arena, size + KEY_ID + 4);
    int head = snprintf(token, KEY_ID + 4, "v1.%s.", key->id);
    bool ok;

    assert(keys.count > 0 && len < 1 << 24);
    ok = encrypt(key, text, (int)len, field, raw);
    assert(ok);
    sodium_bin2base64(token + head, size, raw, raw_size, BASE64);
    return token;
}

/* The key a token names, and in *body where its base64 starts. */
static const struct key *key_of(const char *token, const char **body)
{
    const char *id = token + 3, *dot;

    if (strncmp(token, "v1.", 3) != 0 || (dot = strchr(id, '.')) == NULL)
        return NULL;
    *body = dot + 1;
    return find_key(id, (size_t)(dot - id));
}

char *secret_open(struct arena *arena, const char *token, const char *field)
{
    const char *body;
    const struct key *key = key_of(token, &body);
    unsigned char *raw, *text;
    size_t size, len;

    if (key == NULL && secret_refresh()) /* sealed by who read the new file first */
        key = key_of(token, &body);
    if (key == NULL || (size = strlen(body)) > 1 << 25)
        return NULL;
    raw = arena_alloc(arena, size + 1);
    if (sodium_base642bin(raw, size, body, size, NULL, &len, NULL, BASE64) != 0 || len < NONCE + TAG)
        return NULL;
    len -= NONCE + TAG;
    text = arena_alloc(arena, len + 1);
    if (!decrypt(key, raw, (int)len, field, text)) {
        sodium_memzero(text, len);
        return NULL;
    }
    text[len] = '\0';
    return (char *)text;
}

bool secret_is_stale(const char *token)
{
    const char *body;

    return key_of(token, &body) != &keys.contact[keys.current];
}

/* Keyed hashes and codes */

static void keyed_hex(enum use use, const void *data, size_t len, char out[SECRET_HEX_SIZE])
{
    unsigned char hash[HASH];

    hmac(keys.use[use], data, len, hash);
    hex(hash, out);
}

void phone_hash(const char *phone, char out[SECRET_HEX_SIZE])
{
    keyed_hex(USE_PHONE, phone, strlen(phone), out);
}

void digest_body(const void *body, size_t len, char out[SECRET_HEX_SIZE])
{
    keyed_hex(USE_DIGEST, body, len, out);
}

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* The first 40 bits, five to a character. */
static void write_code(const unsigned char *hash, char out[QUERY_CODE_SIZE])
{
    uint64_t bits = 0;

    for (size_t i = 0; i < 5; i++)
        bits = bits << 8 | hash[i];
    for (size_t i = 0; i < CODE; i++)
        out[i] = crockford[bits >> (5 * (CODE - 1 - i)) & 31];
    out[CODE] = '\0';
}

/* Each part goes in behind its length (four bytes, high first), so that no two lists of parts read the same. */
static void hash_part(crypto_auth_hmacsha256_state *state, const char *part)
{
    size_t len = strlen(part);
    const unsigned char prefix[] = { (unsigned char)(len >> 24), (unsigned char)(len >> 16), (unsigned char)(len >> 8),
                                     (unsigned char)len };

    crypto_auth_hmacsha256_update(state, prefix, sizeof prefix);
    crypto_auth_hmacsha256_update(state, (const unsigned char *)part, len);
}

void query_code(const char *principal, const char *route, const char *key, const char *digest,
                char out[QUERY_CODE_SIZE])
{
    const char *const parts[] = { principal, route, key, digest };
    crypto_auth_hmacsha256_state state;
    unsigned char hash[HASH];

    crypto_auth_hmacsha256_init(&state, keys.use[USE_CODE], KEY);
    for (size_t i = 0; i < COUNT(parts); i++)
        hash_part(&state, parts[i]);
    crypto_auth_hmacsha256_final(&state, hash);
    write_code(hash, out);
    sodium_memzero(&state, sizeof state);
}

/* The character Crockford's alphabet means by c, '\0' when it means none. */
static char code_character(char c)
{
    if (c >= 'a' && c <= 'z')
        c = (char)(c - 'a' + 'A');
    if (c == 'O')
        return '0';
    if (c == 'I' || c == 'L')
        return '1';
    return c != '\0' && strchr(crockford, c) != NULL ? c : '\0';
}

static bool normalise_code(const char *typed, char out[QUERY_CODE_SIZE])
{
    size_t used = 0;

    for (; *typed != '\0'; typed++) {
        char c = code_character(*typed);

        if (*typed == ' ' || *typed == '-')
            continue;
        if (c == '\0' || used == CODE)
            return false;
        out[used++] = c;
    }
    out[used] = '\0';
    return used == CODE;
}

bool query_code_hash(const char *typed, char out[SECRET_HEX_SIZE])
{
    char code[QUERY_CODE_SIZE];

    if (!normalise_code(typed, code))
        return false;
    keyed_hex(USE_CODE_HASH, code, CODE, out);
    return true;
}

/* "0-3JZ8Q…": the round, and 80 bits that only we can make. */
void rating_token(const char *number, int round, char out[RATING_TOKEN_SIZE])
{
    char text[64], high[QUERY_CODE_SIZE], low[QUERY_CODE_SIZE];
    unsigned char hash[HASH];
    int len = snprintf(text, sizeof text, "%.16s/%d", number, round);

    hmac(keys.use[USE_RATING], text, (size_t)len, hash);
    write_code(hash, high);
    write_code(hash + 5, low);
    snprintf(out, RATING_TOKEN_SIZE, "%d-%s%s", round, high, low);
}

int rating_round(const char *number, const char *token)
{
    char wanted[RATING_TOKEN_SIZE];
    size_t digits = strspn(token, "0123456789");
    int round;

    if (digits < 1 || digits > 4 || strlen(token) >= sizeof wanted)
        return -1;
    round = atoi(token);
    rating_token(number, round, wanted);
    return strlen(token) == strlen(wanted) && !sodium_memcmp(token, wanted, strlen(wanted)) ? round : -1;
}

void secret_sign(const char *secret, const char *text, char out[SECRET_HEX_SIZE])
{
    crypto_auth_hmacsha256_state state;
    unsigned char hash[HASH];

    crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret, strlen(secret));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)text, strlen(text));
    crypto_auth_hmacsha256_final(&state, hash);
    hex(hash, out);
    sodium_memzero(&state, sizeof state);
}

bool secret_signed(const char *secret, const char *text, const char *given)
{
    char wanted[SECRET_HEX_SIZE];

    secret_sign(secret, text, wanted);
    return strlen(given) == SECRET_HEX_SIZE - 1 && sodium_memcmp(wanted, given, SECRET_HEX_SIZE - 1) == 0;
}

bool secret_same(const char *a, const char *b)
{
    return strlen(a) == strlen(b) && sodium_memcmp(a, b, strlen(a)) == 0;
}

void webhook_secret(const char *key, char out[SECRET_HEX_SIZE])
{
    keyed_hex(USE_WEBHOOK, key, strlen(key), out);
}

static void hash_parts(enum use use, const char *const parts[], size_t n, unsigned char hash[HASH])
{
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, keys.use[use], KEY);
    for (size_t i = 0; i < n; i++)
        hash_part(&state, parts[i]);
    crypto_auth_hmacsha256_final(&state, hash);
    sodium_memzero(&state, sizeof state);
}

void unit_key(const char *code, const char *key, const char *digest, char out[SECRET_HEX_SIZE])
{
    const char *const parts[] = { code, key, digest };
    unsigned char hash[HASH];

    hash_parts(USE_UNIT_KEY, parts, COUNT(parts), hash);
    hex(hash, out);
}

void challenge_sign(const char *challenge, const char *network, char out[SECRET_HEX_SIZE])
{
    const char *const parts[] = { challenge, network };
    unsigned char hash[HASH];

    hash_parts(USE_CHALLENGE, parts, COUNT(parts), hash);
    hex(hash, out);
}

static void hash_moment(enum use use, const char *phone_hmac, long moment, unsigned char hash[HASH])
{
    char text[24];
    const char *const parts[] = { phone_hmac, text };

    snprintf(text, sizeof text, "%ld", moment);
    hash_parts(use, parts, COUNT(parts), hash);
}

void phone_code(const char *phone_hmac, long slot, char out[PHONE_CODE_SIZE])
{
    unsigned char hash[HASH];
    uint64_t bits;

    hash_moment(USE_PHONE_CODE, phone_hmac, slot, hash);
    memcpy(&bits, hash, sizeof bits);
    snprintf(out, PHONE_CODE_SIZE, "%06u", (unsigned)(bits % 1000000));
}

void phone_proof(const char *phone_hmac, long until, char out[SECRET_HEX_SIZE])
{
    unsigned char hash[HASH];

    hash_moment(USE_PHONE_PROOF, phone_hmac, until, hash);
    hex(hash, out);
}

void unit_key_hash(const char *unit_key, char out[SECRET_HEX_SIZE])
{
    keyed_hex(USE_UNIT_KEY_HASH, unit_key, strlen(unit_key), out);
}

/* Session tokens have 256 random bits, so a plain hash is enough: nothing to guess, nothing to look up in a table. */
char *session_token(struct arena *arena)
{
    unsigned char bytes[KEY];
    size_t size = sodium_base64_ENCODED_LEN(sizeof bytes, BASE64);
    char *token = arena_alloc(arena, size);

    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2base64(token, size, bytes, sizeof bytes, BASE64);
    sodium_memzero(bytes, sizeof bytes);
    return token;
}

void session_hash(const char *token, char out[SECRET_HEX_SIZE])
{
    unsigned char hash[HASH];

    crypto_hash_sha256(hash, (const unsigned char *)token, strlen(token));
    hex(hash, out);
}

bool ticket_no_valid(const char *number)
{
    unsigned rest = 0;
    size_t len;

    for (len = 0; number[len] >= '0' && number[len] <= '9' && len < 17; len++)
        rest = (rest * 10 + (unsigned)(number[len] - '0')) % 97;
    return len == 16 && number[16] == '\0' && rest == 1;
}
