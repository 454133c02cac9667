#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "arena.h"
#include "phone.h"
#include "secret.h"
#include "settings.h"

/* The vectors below were made with another implementation (Python's hmac and cryptography) from these keys. */
#define K1 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define K2 "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
#define MASTER "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"

static char folder[] = "/tmp/hotline-secret-XXXXXX";
static char contact[64], hash[64];
static struct arena *arena;

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file;

    unlink(path); /* it may be one that even its owner cannot write */
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static bool load(const char *keys)
{
    write_file(contact, keys, 0600);
    return secret_load();
}

static void set_files(const char *contact_file, const char *hash_file)
{
    char one[128], two[128];
    char *argv[] = { "hotlined", one, two };

    snprintf(one, sizeof one, "--contact-key-file=%s", contact_file);
    snprintf(two, sizeof two, "--hash-key-file=%s", hash_file);
    assert_int_equal(settings_load(3, argv), SETTINGS_RUN);
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(contact, sizeof contact, "%s/contact", folder);
    snprintf(hash, sizeof hash, "%s/hash", folder);
    write_file(hash, MASTER "\n", 0600);
    arena = arena_new();
    set_files(contact, hash);
    assert_true(load("k1:" K1 "\nk2:" K2 "\n"));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    secret_close();
    arena_free(arena);
    unlink(contact);
    unlink(hash);
    return rmdir(folder);
}

static int load_both(void **state)
{
    (void)state;
    return load("k1:" K1 "\nk2:" K2 "\n") ? 0 : -1;
}

static void values_sealed_elsewhere_open_here(void **state)
{
    static const char *const vectors[][3] = {
        { "v1.k1.wMHCw8TFxsfIycrLMXsfV0dJpWao6c00x-1fjFqfmPb5pbky60uZ", "phone", "13800138000" },
        { "v1.k2.wMHCw8TFxsfIycrLjR2yFDPgrXP0T9S0zMf0yWYjELPhRWazKA", "name", "王小明" },
        { "v1.k1.wMHCw8TFxsfIycrL9YsOgRUwvXFfhr4L7mlCag", "phone", "" },
    };

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(secret_open(arena, vectors[i][0], vectors[i][1]), vectors[i][2]);
}

static void a_sealed_value_opens_again_and_never_looks_the_same(void **state)
{
    char *once = secret_seal(arena, "13800138000", "phone"), *twice = secret_seal(arena, "13800138000", "phone");

    (void)state;
    assert_string_not_equal(once, twice);
    assert_memory_equal(once, "v1.k2.", 6);
    assert_string_equal(secret_open(arena, once, "phone"), "13800138000");
    assert_string_equal(secret_open(arena, twice, "phone"), "13800138000");
}

static void a_sealed_value_cannot_move_to_another_field(void **state)
{
    (void)state;
    assert_null(secret_open(arena, secret_seal(arena, "13800138000", "phone"), "name"));
}

static void no_changed_character_goes_unseen(void **state)
{
    char *token = secret_seal(arena, "13800138000", "phone");

    (void)state;
    for (size_t i = 0; token[i] != '\0'; i++) {
        char was = token[i];

        token[i] = was == 'A' ? 'B' : 'A';
        assert_null(secret_open(arena, token, "phone"));
        token[i] = was;
    }
    assert_non_null(secret_open(arena, token, "phone"));
}

static void what_is_no_token_does_not_open(void **state)
{
    static const char *const bad[] = { "",
                                       "v1",
                                       "v1.",
                                       "v1..",
                                       "v1.k1",
                                       "v1.k1.",
                                       "v1.k1.AAAA",
                                       "v2.k1.AAAA",
                                       "v1.k9.AAAA",
                                       "v1.k1.====",
                                       "v1.k1.wMHCw8TFxsfIycrL9YsOgRUwvXFfhr4L7mlCag==" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(secret_open(arena, bad[i], "phone"));
}

static void a_marked_key_is_current_and_the_others_still_read(void **state)
{
    char *old, *new;

    (void)state;
    old = secret_seal(arena, "old", "x");
    assert_false(secret_is_stale(old));
    assert_true(load("# rotated\n\n*k1:" K1 "\nk2:" K2 "\n"));
    new = secret_seal(arena, "new", "x");
    assert_memory_equal(new, "v1.k1.", 6);
    assert_true(secret_is_stale(old));
    assert_string_equal(secret_open(arena, old, "x"), "old");
    assert_true(load("k1:" K1 "\n"));
    assert_null(secret_open(arena, old, "x"));
    assert_string_equal(secret_open(arena, new, "x"), "new");
}

/* Another file under the same name, as a rotation puts it there. */
static void replace(const char *text)
{
    char beside[80];

    snprintf(beside, sizeof beside, "%s.new", contact);
    write_file(beside, text, 0600);
    assert_int_equal(rename(beside, contact), 0);
}

static void a_new_key_is_read_from_the_file_while_running(void **state)
{
    char *old, *new;

    (void)state;
    assert_true(load("k1:" K1 "\n"));
    assert_false(secret_refresh());
    old = secret_seal(arena, "13800138000", "phone");
    replace("k1:" K1 "\n*k2:" K2 "\n");
    assert_true(secret_refresh());
    new = secret_seal(arena, "13800138000", "phone");
    assert_true(strncmp(new, "v1.k2.", 6) == 0);
    assert_true(secret_is_stale(old));
    assert_string_equal(secret_open(arena, old, "phone"), "13800138000");
    assert_false(secret_refresh());
}

static void a_value_under_a_key_read_first_by_another_opens(void **state)
{
    char *new;

    (void)state;
    assert_true(load("k1:" K1 "\n*k2:" K2 "\n"));
    new = secret_seal(arena, "13800138000", "phone");
    assert_true(load("k1:" K1 "\n"));
    assert_null(secret_open(arena, new, "phone"));
    replace("k1:" K1 "\n*k2:" K2 "\n");
    assert_string_equal(secret_open(arena, new, "phone"), "13800138000");
}

static void a_broken_file_leaves_the_keys_as_they_are(void **state)
{
    char *sealed;

    (void)state;
    assert_true(load("k1:" K1 "\n"));
    sealed = secret_seal(arena, "13800138000", "phone");
    replace("k1:" K1 "\n*k2:half a key\n");
    assert_false(secret_refresh());
    assert_string_equal(secret_open(arena, sealed, "phone"), "13800138000");
    assert_true(strncmp(secret_seal(arena, "1", "phone"), "v1.k1.", 6) == 0);
    replace("k1:" K1 "\n*k2:" K2 "\n");
    assert_true(secret_refresh());
}

static void key_files_with_faults_are_refused(void **state)
{
    static const char *const bad[] = { "",
                                       "# nothing\n",
                                       "k1:00\n",
                                       "k1:" K1 "00\n",
                                       "k1 " K1 "\n",
                                       ":" K1 "\n",
                                       "k1:" K1 "\nk1:" K2 "\n",
                                       "*k1:" K1 "\n*k2:" K2 "\n",
                                       "a-key-id-of-18-chr:" K1 "\n",
                                       "k1:zz" K1 "\n" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(load(bad[i]));
}

static void a_key_file_others_can_read_is_refused(void **state)
{
    (void)state;
    write_file(contact, "k1:" K1 "\n", 0640);
    assert_false(secret_load());
    write_file(contact, "k1:" K1 "\n", 0604);
    assert_false(secret_load());
    write_file(contact, "k1:" K1 "\n", 0400);
    assert_true(secret_load());
    set_files("/nonexistent", hash);
    assert_false(secret_load());
    set_files(folder, hash);
    assert_false(secret_load());
    set_files(contact, contact);
    assert_false(secret_load());
    set_files(contact, hash);
    assert_true(secret_load());
}

static void credentials_of_the_service_manager_may_have_group_bits(void **state)
{
    (void)state;
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    write_file(contact, "k1:" K1 "\n", 0440);
    assert_true(secret_load());
    write_file(contact, "k1:" K1 "\n", 0444);
    assert_false(secret_load());
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void hashes_and_codes_match_their_vectors(void **state)
{
    char out[SECRET_HEX_SIZE], code[QUERY_CODE_SIZE];

    (void)state;
    phone_hash("13800138000", out);
    assert_string_equal(out, "a0bb14725c6fc9902075808afe296f0c92603a01bfb546d0335d3c6c8ab10d9f");
    digest_body("{\"type\":\"complaint\"}", 20, out);
    assert_string_equal(out, "7c96152d5ba8890bfafb729e34dfd3479c20297921ac49d0ca4bb454911cba8c");
    query_code("public", "/v1/tickets", "0123456789abcdefghijkl",
               "abababababababababababababababababababababababababababababababab", code);
    assert_string_equal(code, "42G6JWNY");
    session_hash("token", out);
    assert_string_equal(out, "3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0");
}

static void parts_of_a_code_do_not_run_into_each_other(void **state)
{
    char one[QUERY_CODE_SIZE], two[QUERY_CODE_SIZE];

    (void)state;
    query_code("ab", "c", "d", "e", one);
    query_code("a", "bc", "d", "e", two);
    assert_string_not_equal(one, two);
}

static void a_code_is_known_however_it_is_typed(void **state)
{
    static const char *const same[] = { "7K3M9Q2X", "7k3m9q2x", "7K3M-9Q2X", " 7k3m 9q2x ", "7-K-3-M-9-Q-2-X" };
    char out[SECRET_HEX_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_true(query_code_hash(same[i], out));
        assert_string_equal(out, "8c13d2f4ee4a6d1bcca3abc46490705d73a4c735ccd53732a1b40f8a25dbc922");
    }
    assert_true(query_code_hash("oIlLOo0O", out));
    assert_string_equal(out, "be3b9354bcab6d5ac7d5663db3ddf86be0efeb358a7bad86ab86895370d5ea39");
}

static void a_rating_token_opens_its_own_ticket_and_round(void **state)
{
    char token[RATING_TOKEN_SIZE], other[RATING_TOKEN_SIZE], spoilt[RATING_TOKEN_SIZE];

    (void)state;
    rating_token("2603022000000150", 0, token);
    rating_token("2603022000000150", 12, other);
    assert_int_equal(strlen(token), strlen("0-0123456789ABCDEF"));
    assert_int_equal(rating_round("2603022000000150", token), 0);
    assert_int_equal(rating_round("2603022000000150", other), 12);
    assert_int_equal(rating_round("2603022000000247", token), -1);
    for (size_t i = 0; token[i] != '\0'; i++) {
        memcpy(spoilt, token, sizeof spoilt);
        spoilt[i] = spoilt[i] == '1' ? '2' : '1';
        assert_int_equal(rating_round("2603022000000150", spoilt), -1);
    }
}

static void what_is_no_rating_token_is_for_no_round(void **state)
{
    static const char *const bad[] = { "",
                                       "0",
                                       "0-",
                                       "-",
                                       "-1-0123456789ABCDEF",
                                       "99999-0123456789ABCDEF",
                                       "0-0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(rating_round("2603022000000150", bad[i]), -1);
}

static void what_cannot_be_a_code_has_no_hash(void **state)
{
    static const char *const bad[] = { "", "7K3M9Q2", "7K3M9Q2XX", "7K3M9Q2U", "7K3M9Q2*", "７K3M9Q2X" };
    char out[SECRET_HEX_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(query_code_hash(bad[i], out));
}

static void session_tokens_are_long_and_never_the_same(void **state)
{
    const char *one = session_token(arena), *two = session_token(arena);

    (void)state;
    assert_int_equal(strlen(one), 43);
    assert_string_not_equal(one, two);
}

static void one_wrong_or_swapped_digit_spoils_a_ticket_number(void **state)
{
    char number[] = "1801021000000126";

    (void)state;
    assert_true(ticket_no_valid(number));
    for (size_t i = 0; i < 16; i++) {
        char was = number[i];

        number[i] = was == '9' ? '0' : (char)(was + 1);
        assert_false(ticket_no_valid(number));
        number[i] = was;
    }
    assert_false(ticket_no_valid("1801012000000126"));
    assert_false(ticket_no_valid("180102100000012"));
    assert_false(ticket_no_valid("18010210000001260"));
    assert_false(ticket_no_valid("180102100000012a"));
    assert_false(ticket_no_valid(""));
}

static void numbers_are_stored_in_one_form(void **state)
{
    static const struct {
        const char *raw, *is;
        enum phone_kind kind;
    } numbers[] = {
        { "13800138000", "13800138000", PHONE_MOBILE },
        { "138-0013-8000", "13800138000", PHONE_MOBILE },
        { " +86 138 0013 8000 ", "13800138000", PHONE_MOBILE },
        { "008613800138000", "13800138000", PHONE_MOBILE },
        { "8613800138000", "13800138000", PHONE_MOBILE },
        { "013800138000", "13800138000", PHONE_MOBILE },
        { "１３８００１３８０００", "13800138000", PHONE_MOBILE },
        { "＋86（138）00138000", "13800138000", PHONE_MOBILE },
        { "88881234", "075488881234", PHONE_LANDLINE },
        { "0754-88881234", "075488881234", PHONE_LANDLINE },
        { "(0754) 8888 1234", "075488881234", PHONE_LANDLINE },
        { "+86 754 88881234", "075488881234", PHONE_LANDLINE },
        { "+86 0754 88881234", "075488881234", PHONE_LANDLINE },
        { "0754－8888－1234", "075488881234", PHONE_LANDLINE },
        { "020-83123456", "02083123456", PHONE_LANDLINE },
        { "010-65123456", "01065123456", PHONE_LANDLINE },
        { "86123456", "075486123456", PHONE_LANDLINE },
        { "12345", "12345", PHONE_SERVICE },
        { "110", "110", PHONE_SERVICE },
        { "10086", "10086", PHONE_SERVICE },
        { "95588", "95588", PHONE_SERVICE },
        { "400-810-8888", "4008108888", PHONE_SERVICE },
    };
    char out[PHONE_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_int_equal(phone_normalise(numbers[i].raw, out), numbers[i].kind);
        assert_string_equal(out, numbers[i].is);
    }
}

static void what_cannot_be_dialled_is_no_number(void **state)
{
    static const char *const bad[] = { "",
                                       "+",
                                       "-",
                                       "abc",
                                       "1380013800",
                                       "138001380000",
                                       "12800138000",
                                       "+85291234567",
                                       "0754-1234567",
                                       "0054-88881234",
                                       "13800138000x",
                                       "1",
                                       "5555",
                                       "99999999999999999999999999",
                                       "\xef\xbc",
                                       "+86",
                                       "0086",
                                       "汕头" };
    char out[PHONE_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(phone_normalise(bad[i], out), PHONE_BAD);
        assert_string_equal(out, "");
    }
}

static void masks_show_who_is_meant_but_not_the_number(void **state)
{
    static const char *const masks[][2] = { { "13800138000", "138****8000" },
                                            { "075488881234", "0754-****1234" },
                                            { "02083123456", "020-****3456" },
                                            { "12345", "12345" },
                                            { "5555", "****" },
                                            { "", "****" } };
    char out[PHONE_MASK_SIZE], name[8];

    (void)state;
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        phone_mask(masks[i][0], out);
        assert_string_equal(out, masks[i][1]);
    }
    name_mask("王小明", name, sizeof name);
    assert_string_equal(name, "王**");
    name_mask("John", name, sizeof name);
    assert_string_equal(name, "J**");
    name_mask("", name, sizeof name);
    assert_string_equal(name, "**");
}

static void a_challenge_is_for_one_network(void **state)
{
    char one[SECRET_HEX_SIZE], again[SECRET_HEX_SIZE], other[SECRET_HEX_SIZE];

    (void)state;
    challenge_sign("c0ffee", "2001:db8::", one);
    challenge_sign("c0ffee", "2001:db8::", again);
    assert_string_equal(one, again);
    challenge_sign("c0ffee", "2001:db9::", other);
    assert_string_not_equal(one, other);
    challenge_sign("c0ffee2", "001:db8::", other);
    assert_string_not_equal(one, other);
}

static void a_phone_has_one_code_of_six_digits_at_a_time(void **state)
{
    char code[PHONE_CODE_SIZE], again[PHONE_CODE_SIZE], proof[SECRET_HEX_SIZE], other[SECRET_HEX_SIZE];
    int same = 0;

    (void)state;
    for (long slot = 0; slot < 1000; slot++) {
        phone_code("a phone", slot, code);
        assert_int_equal(strspn(code, "0123456789"), 6);
        phone_code("a phone", slot, again);
        assert_string_equal(code, again);
        phone_code("a phone", slot + 1, again);
        same += !strcmp(code, again);
        phone_code("another", slot, again);
        same += !strcmp(code, again);
    }
    assert_true(same < 5);
    phone_proof("a phone", 1790000000, proof);
    phone_proof("a phone", 1790000001, other);
    assert_false(secret_same(proof, other));
    phone_proof("another", 1790000000, other);
    assert_false(secret_same(proof, other));
    assert_true(secret_same(proof, proof));
    assert_false(secret_same(proof, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_sealed_elsewhere_open_here),
        cmocka_unit_test(a_sealed_value_opens_again_and_never_looks_the_same),
        cmocka_unit_test(a_sealed_value_cannot_move_to_another_field),
        cmocka_unit_test(no_changed_character_goes_unseen),
        cmocka_unit_test(what_is_no_token_does_not_open),
        cmocka_unit_test_teardown(a_marked_key_is_current_and_the_others_still_read, load_both),
        cmocka_unit_test_teardown(a_new_key_is_read_from_the_file_while_running, load_both),
        cmocka_unit_test_teardown(a_value_under_a_key_read_first_by_another_opens, load_both),
        cmocka_unit_test_teardown(a_broken_file_leaves_the_keys_as_they_are, load_both),
        cmocka_unit_test_teardown(key_files_with_faults_are_refused, load_both),
        cmocka_unit_test_teardown(a_key_file_others_can_read_is_refused, load_both),
        cmocka_unit_test_teardown(credentials_of_the_service_manager_may_have_group_bits, load_both),
        cmocka_unit_test(hashes_and_codes_match_their_vectors),
        cmocka_unit_test(parts_of_a_code_do_not_run_into_each_other),
        cmocka_unit_test(a_code_is_known_however_it_is_typed),
        cmocka_unit_test(what_cannot_be_a_code_has_no_hash),
        cmocka_unit_test(session_tokens_are_long_and_never_the_same),
        cmocka_unit_test(a_rating_token_opens_its_own_ticket_and_round),
        cmocka_unit_test(what_is_no_rating_token_is_for_no_round),
        cmocka_unit_test(a_challenge_is_for_one_network),
        cmocka_unit_test(a_phone_has_one_code_of_six_digits_at_a_time),
        cmocka_unit_test(one_wrong_or_swapped_digit_spoils_a_ticket_number),
        cmocka_unit_test(numbers_are_stored_in_one_form),
        cmocka_unit_test(what_cannot_be_dialled_is_no_number),
        cmocka_unit_test(masks_show_who_is_meant_but_not_the_number),
    };

    return cmocka_run_group_tests_name("secret", tests, set_up, tear_down);
}
