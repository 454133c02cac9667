#include "hant.h"

#include <stdlib.h>
#include <unicode/utrans.h>

/* One block holds nearly every character in use; what lies outside stays as it is. */
enum { FIRST = 0x4e00, COUNT = 0x5200, PASSES = 2 };

/* Asking ICU costs a microsecond a character, so it is asked once for all of them; 0: nothing has been asked yet. */
static UChar simple[COUNT];

/* Every character on a line of its own, so that no rule sees two of them together. */
static int32_t write_lines(UChar *lines)
{
    for (int32_t i = 0; i < COUNT; i++) {
        lines[2 * i] = simple[i];
        lines[2 * i + 1] = '\n';
    }
    return 2 * COUNT;
}

static void read_lines(const UChar *lines, int32_t len)
{
    if (len != 2 * COUNT)
        return;
    for (int32_t i = 0; i < COUNT; i++)
        if (lines[2 * i] >= FIRST && lines[2 * i] < FIRST + COUNT && lines[2 * i + 1] == '\n')
            simple[i] = lines[2 * i];
}

/* Twice: what one pass makes may itself be simplified, and a text folded twice must stay the same. */
static void ask_icu(void)
{
    static const UChar name[] = u"Hant-Hans";
    UErrorCode error = U_ZERO_ERROR;
    UTransliterator *hans = utrans_openU(name, -1, UTRANS_FORWARD, NULL, 0, NULL, &error);
    UChar *lines = malloc(3 * COUNT * sizeof *lines);

    if (!lines)
        abort();
    for (int32_t i = 0; i < COUNT; i++)
        simple[i] = (UChar)(FIRST + i);
    for (int pass = 0; pass < PASSES && U_SUCCESS(error); pass++) {
        int32_t len = write_lines(lines), limit = len;

        utrans_transUChars(hans, lines, &len, 3 * COUNT, 0, &limit, &error);
        if (U_SUCCESS(error))
            read_lines(lines, len);
    }
    free(lines);
    utrans_close(hans);
}

uint32_t hant_simplify(uint32_t cp)
{
    if (cp < FIRST || cp >= FIRST + COUNT)
        return cp;
    if (!simple[0])
        ask_icu();
    return simple[cp - FIRST];
}
