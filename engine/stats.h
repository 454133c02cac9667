#ifndef STATS_H
#define STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers for /metrics.  They live in memory shared by all workers, one slot each, so that any worker answers for all and a
 * restarted one counts on. */

struct arena;

enum stat_kind {
    STAT_COUNTER,
    STAT_GAUGE,   /* summed over workers, 0 again when a worker starts */
    STAT_SECONDS, /* histogram of durations, observed in seconds */
    STAT_SIZES,   /* histogram of counts, 1 to 1024 */
};

struct stat {
    const char *name; /* hotlined_… */
    const char *help;
    enum stat_kind kind;
    const char *label; /* name="value" pairs, NULL without */
};

/* Before the first fork. */
bool stats_share(int slots) __attribute__((warn_unused_result));

/* This process counts in this slot from now on. */
void stats_attach(int slot);

/* Register a table; the id of its first row, the others follow.  Texts (up to 95 bytes) are copied;
 * the same name and label again, here or in another worker, gives the same id. */
int stats_register(const struct stat *table, size_t n);

void stats_add(int id, int64_t n);
void stats_set(int id, int64_t value);
void stats_observe(int id, double value);

/* Sum over all workers: for tests and readiness. */
int64_t stats_total(int id);

/* Everything as Prometheus text. */
char *stats_print(struct arena *arena);

#endif
