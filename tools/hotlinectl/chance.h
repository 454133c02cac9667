#ifndef CHANCE_H
#define CHANCE_H

#include <stdint.h>

/* Numbers that look drawn by lot and are the same for the same seed. */
struct chance {
    uint64_t state;
};

static inline uint64_t chance_next(struct chance *chance)
{
    uint64_t x = chance->state += 0x9e3779b97f4a7c15;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

/* From min to max, both included. */
static inline int chance_between(struct chance *chance, int min, int max)
{
    return min + (int)(chance_next(chance) % (uint64_t)(max - min + 1));
}

static inline int chance_percent(struct chance *chance, int percent)
{
    return chance_between(chance, 1, 100) <= percent;
}

#endif
