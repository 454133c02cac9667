#ifndef TEXT_HANT_H
#define TEXT_HANT_H

#include <stdint.h>

/* The simplified form of a traditional character (噪聲 → 噪声), else the character itself.  Character for character, by ICU's
 * tables: right for finding and comparing, not for printing. */
uint32_t hant_simplify(uint32_t cp);

#endif
