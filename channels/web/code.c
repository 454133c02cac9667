#include "code.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SLOT = 600, AGAIN_SECONDS = 60, PROOF_SECONDS = 24 * 3600, DIGITS = PHONE_CODE_SIZE - 1 };

static const struct api_fn api_phone_code = { .name = "phone_code", .write = true };

/* A phone whose code is asked for or tried. */
struct asked {
    char phone[PHONE_SIZE], hash[SECRET_HEX_SIZE];
};

static bool is_wanted(void)
{
    return catalog_phone_code() && outbox_can_send("sms");
}

bool code_read(const char *typed, char out[PHONE_CODE_SIZE])
{
    size_t n = 0;

    for (; *typed; typed++) {
        if (*typed == ' ')
            continue;
        if (!strncmp(typed, "\xef\xbc", 2) && (unsigned char)typed[2] >= 0x90 && (unsigned char)typed[2] <= 0x99)
            typed += 2; /* full width: U+FF10 to U+FF19 */
        else if (*typed < '0' || *typed > '9')
            return false;
        if (n == DIGITS)
            return false;
        out[n++] = (char)('0' + ((unsigned char)*typed & 15));
    }
    out[n] = '\0';
    return n == DIGITS;
}

/* The proof: "1767225600." and 64 hex digits. */

long code_proof_until(const char *proof)
{
    size_t digits = strspn(proof, "0123456789");

    if (digits < 1 || digits > 12 || proof[digits] != '.' || strlen(proof + digits + 1) != SECRET_HEX_SIZE - 1)
        return 0;
    return strtol(proof, NULL, 10);
}

static bool proves(const char *proof, const char *phone_hmac)
{
    char wanted[SECRET_HEX_SIZE];
    long until;

    if (!proof || (until = code_proof_until(proof)) < time(NULL))
        return false;
    phone_proof(phone_hmac, until, wanted);
    return secret_same(wanted, strchr(proof, '.') + 1);
}

enum next code_check_proof(struct req *r)
{
    const char *given = json_text(r->json, "phone");
    char phone[PHONE_SIZE], hash[SECRET_HEX_SIZE];

    if (!is_wanted() || !given || phone_normalise(given, phone) != PHONE_MOBILE)
        return GO;
    phone_hash(phone, hash);
    return proves(req_header(r, "X-Phone-Proof"), hash) ? GO : refuse(r, 403, "phone_code_needed", NULL);
}

/* POST /v1/phone-codes: send one.  Nobody learns here whether a phone is known. */

static enum next bad_phone(struct req *r)
{
    return refuse(r, 422, "bad_inputs",
                  why_field(r->arena, "phone", "bad_phone", "短信只能发到手机，请填写 11 位手机号。",
                            "A message goes to a mobile phone only: 11 digits, please."));
}

static enum next take_phone(struct req *r, const struct field *fields, size_t nfields)
{
    struct asked *asked = arena_alloc(r->arena, sizeof *asked);

    if (!is_wanted())
        return refuse(r, 409, "no_phone_codes", NULL);
    r->json = json_read(r->arena, r->input, fields, nfields, &r->why);
    if (!r->json)
        return refuse(r, 422, r->why->code, r->why);
    if (phone_normalise(json_text(r->json, "phone"), asked->phone) != PHONE_MOBILE)
        return bad_phone(r);
    phone_hash(asked->phone, asked->hash);
    r->state = asked;
    return GO;
}

static const char *hash_of(const struct req *r)
{
    return ((const struct asked *)r->state)->hash;
}

static enum next read_phone(struct req *r)
{
    static const struct field fields[] = { { "phone", JSON_PHONE, .must = true } };

    return take_phone(r, fields, COUNT(fields));
}

static enum next count_address(struct req *r)
{
    return limited(r, LIMIT_SMS, r->address);
}

static enum next count_phone(struct req *r)
{
    return limited(r, LIMIT_SMS_PHONE, hash_of(r));
}

static enum next count_again(struct req *r)
{
    return limited(r, LIMIT_SMS_AGAIN, hash_of(r));
}

static enum next send_code(struct req *r)
{
    const struct asked *asked = r->state;
    char code[PHONE_CODE_SIZE];

    phone_code(asked->hash, time(NULL) / SLOT, code);
    call_begin(r, "public");
    cJSON_AddStringToObject(r->call, "phone_hmac", asked->hash);
    cJSON_AddStringToObject(r->call, "phone_enc", secret_seal(r->arena, asked->phone, "phone"));
    cJSON_AddStringToObject(r->call, "code_enc", secret_seal(r->arena, code, "query_code"));
    cJSON_AddNumberToObject(r->call, "seconds", SLOT);
    return channel_call(r, &api_phone_code, r->call);
}

static enum next tell_sent(struct req *r)
{
    const struct asked *asked = r->state;
    char mask[PHONE_MASK_SIZE];
    cJSON *body = json_object(r->arena);

    if (r->answer.status != 202)
        return reply(r, r->answer.status, r->answer.body);
    phone_mask(asked->phone, mask);
    cJSON_AddStringToObject(body, "phone", mask);
    cJSON_AddNumberToObject(body, "good_seconds", SLOT);
    cJSON_AddNumberToObject(body, "again_seconds", AGAIN_SECONDS);
    return reply_json(r, 202, body);
}

step_fn *const post_code[] = {
    count_address, challenge_ask, read_phone, count_again, count_phone, send_code, tell_sent
};

/* POST /v1/phone-codes/check: a code for a proof. */

static enum next read_try(struct req *r)
{
    static const struct field fields[] = {
        { "phone", JSON_PHONE, .must = true },
        { "code", JSON_WORD, .must = true, .max = 40 },
    };

    return take_phone(r, fields, COUNT(fields));
}

static enum next count_try(struct req *r)
{
    return limited(r, LIMIT_TRY, arena_printf(r->arena, "%s %s", r->address, hash_of(r)));
}

static enum next count_try_phone(struct req *r)
{
    return limited(r, LIMIT_TRY_PHONE, hash_of(r));
}

/* One that was sent in this slot or at the end of the one before. */
static bool is_right(struct req *r)
{
    char typed[PHONE_CODE_SIZE], now[PHONE_CODE_SIZE], before[PHONE_CODE_SIZE];

    if (!code_read(json_text(r->json, "code"), typed))
        return false;
    phone_code(hash_of(r), time(NULL) / SLOT, now);
    phone_code(hash_of(r), time(NULL) / SLOT - 1, before);
    return secret_same(typed, now) || secret_same(typed, before);
}

static enum next give_proof(struct req *r)
{
    long until = time(NULL) + PROOF_SECONDS;
    cJSON *body = json_object(r->arena);
    char proof[SECRET_HEX_SIZE];

    if (!is_right(r))
        return refuse(r, 422, "bad_inputs",
                      why_field(r->arena, "code", "wrong_code", "验证码不对或已过期，请核对短信，或再发一次。",
                                "This is not the code, or it is too old: look at the message again, or have it sent "
                                "again."));
    phone_proof(hash_of(r), until, proof);
    cJSON_AddStringToObject(body, "proof", arena_printf(r->arena, "%ld.%s", until, proof));
    cJSON_AddNumberToObject(body, "good_seconds", PROOF_SECONDS);
    return reply_json(r, 200, body);
}

step_fn *const post_code_check[] = { read_try, count_try, count_try_phone, give_proof };
