#include "stats.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arena.h"
#include "base.h"
#include "log.h"

enum { SERIES_MAX = 512, CELLS_MAX = 4096, TEXT_SIZE = 96 };

/* One writer per slot; readers of other workers want whole values, not an order. */
typedef _Atomic int64_t cell;

struct series {
    char name[TEXT_SIZE], help[TEXT_SIZE], label[TEXT_SIZE];
    enum stat_kind kind;
    int first; /* its first cell */
};

/* What all workers share: the list of series, which only grows, and behind it a row of cells for each slot. */
struct shared {
    pthread_mutex_t lock; /* robust: a worker may die in it */
    _Atomic int count;
    int cells;
    struct series series[SERIES_MAX];
    cell slots[][CELLS_MAX];
};

static const double second_bounds[] = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10 };
static const double size_bounds[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024 };

static struct {
    struct shared *shared;
    int slots, slot;
} stats;

struct bounds {
    const double *at;
    int n;
};

static struct bounds bounds_of(enum stat_kind kind)
{
    if (kind == STAT_SECONDS)
        return (struct bounds){ second_bounds, COUNT(second_bounds) };
    if (kind == STAT_SIZES)
        return (struct bounds){ size_bounds, COUNT(size_bounds) };
    return (struct bounds){ NULL, 0 };
}

static bool is_histogram(enum stat_kind kind)
{
    return kind == STAT_SECONDS || kind == STAT_SIZES;
}

/* A histogram has a cell per bucket, one above them, and the sum in millionths. */
static int cells_of(enum stat_kind kind)
{
    return is_histogram(kind) ? bounds_of(kind).n + 2 : 1;
}

bool stats_share(int slots)
{
    size_t size = sizeof(struct shared) + (size_t)slots * sizeof(cell[CELLS_MAX]);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attr;

    if (memory == MAP_FAILED) {
        log_error("stats_memory", "slots=%d", slots);
        return false;
    }
    stats.shared = memory;
    stats.slots = slots;
    stats.slot = 0;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&stats.shared->lock, &attr);
    pthread_mutexattr_destroy(&attr);
    return true;
}

static cell *own(int index)
{
    return &stats.shared->slots[stats.slot][index];
}

static int64_t sum(int index)
{
    int64_t total = 0;

    for (int slot = 0; slot < stats.slots; slot++)
        total += atomic_load_explicit(&stats.shared->slots[slot][index], memory_order_relaxed);
    return total;
}

/* A worker that starts holds nothing yet, whatever the one before it in this slot held. */
void stats_attach(int slot)
{
    assert(slot >= 0 && slot < stats.slots);
    stats.slot = slot;
    for (int id = 0; id < stats.shared->count; id++)
        if (stats.shared->series[id].kind == STAT_GAUGE)
            stats_set(id, 0);
}

/* A process that shares nothing (a unit test) counts for itself. */
static void ensure_shared(void)
{
    if (!stats.shared) {
        bool good = stats_share(1);

        assert(good);
        (void)good;
    }
}

static int known(const struct stat *stat)
{
    const char *label = stat->label ? stat->label : "";

    for (int id = 0; id < stats.shared->count; id++)
        if (!strcmp(stats.shared->series[id].name, stat->name) && !strcmp(stats.shared->series[id].label, label))
            return id;
    return -1;
}

static int add_series(const struct stat *stat)
{
    struct shared *shared = stats.shared;
    struct series *series;
    int id = known(stat);

    if (id >= 0)
        return id;
    id = shared->count;
    assert(id < SERIES_MAX && shared->cells + cells_of(stat->kind) <= CELLS_MAX);
    series = &shared->series[id];
    snprintf(series->name, sizeof series->name, "%s", stat->name);
    snprintf(series->help, sizeof series->help, "%s", stat->help);
    snprintf(series->label, sizeof series->label, "%s", stat->label ? stat->label : "");
    series->kind = stat->kind;
    series->first = shared->cells;
    shared->cells += cells_of(stat->kind);
    shared->count = id + 1;
    return id;
}

int stats_register(const struct stat *table, size_t n)
{
    int first = 0;

    ensure_shared();
    if (pthread_mutex_lock(&stats.shared->lock) == EOWNERDEAD)
        pthread_mutex_consistent(&stats.shared->lock);
    for (size_t i = 0; i < n; i++) {
        int id = add_series(&table[i]);

        if (i == 0)
            first = id;
        assert(id == first + (int)i);
    }
    pthread_mutex_unlock(&stats.shared->lock);
    return first;
}

/* Plain load and store: nobody else writes to this slot. */
static void add(int index, int64_t n)
{
    atomic_store_explicit(own(index), atomic_load_explicit(own(index), memory_order_relaxed) + n, memory_order_relaxed);
}

void stats_add(int id, int64_t n)
{
    add(stats.shared->series[id].first, n);
}

void stats_set(int id, int64_t value)
{
    atomic_store_explicit(own(stats.shared->series[id].first), value, memory_order_relaxed);
}

void stats_observe(int id, double value)
{
    struct bounds bounds = bounds_of(stats.shared->series[id].kind);
    int bucket = 0;

    while (bucket < bounds.n && value > bounds.at[bucket])
        bucket++;
    add(stats.shared->series[id].first + bucket, 1);
    add(stats.shared->series[id].first + bounds.n + 1, (int64_t)(value * 1e6));
}

int64_t stats_total(int id)
{
    return sum(stats.shared->series[id].first);
}

static void print_histogram(FILE *out, int id)
{
    const struct series *stat = &stats.shared->series[id];
    struct bounds bounds = bounds_of(stat->kind);
    const char *label = stat->label, *comma = *label ? "," : "";
    int64_t count = 0;

    for (int i = 0; i < bounds.n; i++) {
        count += sum(stats.shared->series[id].first + i);
        fprintf(out, "%s_bucket{%s%sle=\"%g\"} %lld\n", stat->name, label, comma, bounds.at[i], (long long)count);
    }
    count += sum(stats.shared->series[id].first + bounds.n);
    fprintf(out, "%s_bucket{%s%sle=\"+Inf\"} %lld\n", stat->name, label, comma, (long long)count);
    fprintf(out, "%s_sum{%s} %.6f\n", stat->name, label,
            (double)sum(stats.shared->series[id].first + bounds.n + 1) / 1e6);
    fprintf(out, "%s_count{%s} %lld\n", stat->name, label, (long long)count);
}

static void print_series(FILE *out, int id)
{
    const struct series *stat = &stats.shared->series[id];

    if (is_histogram(stat->kind))
        print_histogram(out, id);
    else if (*stat->label)
        fprintf(out, "%s{%s} %lld\n", stat->name, stat->label, (long long)stats_total(id));
    else
        fprintf(out, "%s %lld\n", stat->name, (long long)stats_total(id));
}

/* All series of one name stand together under one head, as the format wants it. */
static void print_family(FILE *out, int first)
{
    const struct series *stat = &stats.shared->series[first];
    const char *type = is_histogram(stat->kind) ? "histogram" : stat->kind == STAT_GAUGE ? "gauge" : "counter";

    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", stat->name, stat->help, stat->name, type);
    for (int id = first; id < stats.shared->count; id++)
        if (!strcmp(stats.shared->series[id].name, stat->name))
            print_series(out, id);
}

static bool is_first(int id)
{
    for (int i = 0; i < id; i++)
        if (!strcmp(stats.shared->series[i].name, stats.shared->series[id].name))
            return false;
    return true;
}

char *stats_print(struct arena *arena)
{
    char *text = NULL, *copy;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert(out);
    for (int id = 0; id < stats.shared->count; id++)
        if (is_first(id))
            print_family(out, id);
    fclose(out);
    copy = arena_strndup(arena, text, len);
    free(text);
    return copy;
}
