#include "phone.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The city whose local numbers people give without an area code. */
static const char home_area[] = "0754";

/* What people put between digits, the full-width forms their keyboards make included. */
static const char *const separators[] = { " ", "\t", "-", "(", ")", ".", "　", "－", "（", "）", "—", "–" };

static size_t separator_length(const char *at)
{
    for (size_t i = 0; i < sizeof separators / sizeof *separators; i++) {
        size_t len = strlen(separators[i]);

        if (strncmp(at, separators[i], len) == 0)
            return len;
    }
    return 0;
}

/* One digit, ASCII or full-width (U+FF10 to U+FF19): its length in bytes, else 0. */
static size_t digit_at(const char *at, char *digit)
{
    const unsigned char *u = (const unsigned char *)at;

    if (*u >= '0' && *u <= '9') {
        *digit = *at;
        return 1;
    }
    if (u[0] == 0xef && u[1] == 0xbc && u[2] >= 0x90 && u[2] <= 0x99) {
        *digit = (char)('0' + (u[2] - 0x90));
        return 3;
    }
    return 0;
}

/* Copy the digits; false when something else is there or there are more than room for. */
static bool only_digits(const char *raw, char *out, size_t size)
{
    size_t used = 0;

    while (*raw != '\0') {
        char digit;
        size_t len = digit_at(raw, &digit);

        if (len > 0) {
            if (used + 1 >= size)
                return false;
            out[used++] = digit;
        } else if ((len = separator_length(raw)) == 0) {
            return false;
        }
        raw += len;
    }
    out[used] = '\0';
    return used > 0;
}

static size_t plus_length(const char *raw)
{
    if (*raw == '+')
        return 1;
    return strncmp(raw, "＋", strlen("＋")) == 0 ? strlen("＋") : 0;
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool is_mobile(const char *digits)
{
    return strlen(digits) == 11 && digits[0] == '1' && digits[1] >= '3';
}

/* Emergency and operators' numbers (110, 12345, 10086, 95588, 96110) and the 400 and 800 lines. */
static bool is_service(const char *digits)
{
    size_t len = strlen(digits);

    if (starts(digits, "400") || starts(digits, "800"))
        return len == 10;
    if (starts(digits, "11") || starts(digits, "12"))
        return len >= 3 && len <= 6;
    if (starts(digits, "10"))
        return len == 5;
    return (starts(digits, "95") || starts(digits, "96")) && len >= 5 && len <= 8;
}

/* Area codes have three digits for 010 and 02x, four for 03xx to 09xx; numbers have seven or eight and start with 2 to 8. */
static bool is_landline(const char *digits)
{
    size_t area = starts(digits, "010") || starts(digits, "02") ? 3 : 4;
    size_t len = strlen(digits);

    if (digits[0] != '0' || (area == 4 && (digits[1] < '3' || digits[1] > '9')))
        return false;
    return len >= area + 7 && len <= area + 8 && digits[area] >= '2' && digits[area] <= '8';
}

static bool is_local(const char *digits)
{
    size_t len = strlen(digits);

    return (len == 7 || len == 8) && digits[0] >= '2' && digits[0] <= '8';
}

static enum phone_kind classify(const char *digits)
{
    if (is_mobile(digits))
        return PHONE_MOBILE;
    if (is_landline(digits))
        return PHONE_LANDLINE;
    return is_service(digits) ? PHONE_SERVICE : PHONE_BAD;
}

/* Skip the country code.  Without + or 00, an 86 counts as one only before a mobile number. */
static const char *national(const char *digits, bool plus)
{
    if (starts(digits, "0086"))
        return digits + 4;
    if (starts(digits, "86") && (plus || is_mobile(digits + 2)))
        return digits + 2;
    return plus ? "" : digits;
}

enum phone_kind phone_normalise(const char *raw, char out[PHONE_SIZE])
{
    char digits[24] = "", with_area[32];
    const char *number;
    bool abroad;
    enum phone_kind kind;

    out[0] = '\0';
    while (separator_length(raw) > 0)
        raw += separator_length(raw);
    if (!only_digits(raw + plus_length(raw), digits, sizeof digits))
        return PHONE_BAD;
    number = national(digits, plus_length(raw) > 0);
    abroad = number != digits;
    if (number[0] == '0' && is_mobile(number + 1)) /* the trunk 0 once dialled before other cities' mobiles */
        number++;
    if (classify(number) == PHONE_BAD) { /* abroad the 0 of the area code is left out, at home the whole code */
        snprintf(with_area, sizeof with_area, "%s%s", abroad ? "0" : is_local(number) ? home_area : "", number);
        number = with_area;
    }
    kind = classify(number);
    if (kind != PHONE_BAD)
        memcpy(out, number, strlen(number) + 1); /* twelve digits at most */
    return kind;
}

void phone_mask(const char *phone, char out[PHONE_MASK_SIZE])
{
    size_t len = strlen(phone);
    int head = starts(phone, "010") || starts(phone, "02") ? 3 : 4;

    if (is_mobile(phone))
        snprintf(out, PHONE_MASK_SIZE, "%.3s****%s", phone, phone + 7);
    else if (is_landline(phone))
        snprintf(out, PHONE_MASK_SIZE, "%.*s-****%s", head, phone, phone + len - 4);
    else
        snprintf(out, PHONE_MASK_SIZE, "%s", is_service(phone) ? phone : "****");
}

/* Bytes of the UTF-8 character at text; names are valid UTF-8 by the time they come here. */
static size_t character_length(const char *text)
{
    size_t len = *text != '\0';

    while (len > 0 && len < 4 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len++;
    return len;
}

void name_mask(const char *name, char *out, size_t size)
{
    assert(size >= 8);
    snprintf(out, size, "%.*s**", (int)character_length(name), name);
}
