#include "keys.h"

#include <string.h>
#include <sys/stat.h>

#include "arena.h"
#include "channel.h"

enum { KEYS_MOST = 256, NAME_MAX_LEN = 32, KEY_MAX = 256, FILE_MAX = 8192 };

struct key {
    const char *name, *hash;
};

static struct {
    struct arena *arena;
    struct key keys[KEYS_MOST];
    size_t n;
    struct timespec changed;
} own;

static bool is_name(const char *name, size_t len)
{
    return len >= 1 && len <= NAME_MAX_LEN && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-") == len;
}

static bool is_hash(const char *hash)
{
    return strlen(hash) == SECRET_HEX_SIZE - 1 && strspn(hash, "0123456789abcdef") == SECRET_HEX_SIZE - 1;
}

/* "name:hash"; empty lines and those that begin with # say nothing. */
static bool take_line(char *line, struct key *keys, size_t *n)
{
    char *colon = strchr(line, ':');

    if (!*line || *line == '#')
        return true;
    if (!colon || *n == KEYS_MOST)
        return false;
    *colon = '\0';
    keys[*n] = (struct key){ .name = line, .hash = colon + 1 };
    return is_name(line, strlen(line)) && is_hash(keys[(*n)++].hash);
}

static bool load(const char *path)
{
    struct arena *arena = arena_new();
    char *text = arena_alloc(arena, FILE_MAX), *line;
    struct key keys[KEYS_MOST];
    size_t n = 0;
    bool good = secret_text(path, text, FILE_MAX);

    while (good && text && (line = strsep(&text, "\n")))
        good = take_line(line, keys, &n);
    if (!good) {
        log_warn("app_keys", "file=%s why=\"a line is name:hash, the hash in 64 lower-case hex digits\"", path);
        arena_free(arena);
        return false;
    }
    arena_free(own.arena);
    own.arena = arena;
    memcpy(own.keys, keys, sizeof keys);
    own.n = n;
    return true;
}

static void refresh(void)
{
    const char *path = settings()->app_key_file;
    struct stat st;

    if (!*path || stat(path, &st) || !memcmp(&st.st_mtim, &own.changed, sizeof own.changed))
        return;
    own.changed = st.st_mtim;
    (void)load(path);
}

const char *keys_find(const char *key)
{
    char hash[SECRET_HEX_SIZE];

    refresh();
    if (!key || strlen(key) > KEY_MAX)
        return NULL;
    session_hash(key, hash);
    for (size_t i = 0; i < own.n; i++)
        if (!strcmp(own.keys[i].hash, hash))
            return own.keys[i].name;
    return NULL;
}

bool keys_open(void)
{
    const char *path = settings()->app_key_file;
    struct stat st;

    if (!*path)
        return true;
    if (!stat(path, &st))
        own.changed = st.st_mtim;
    return load(path);
}

void keys_close(void)
{
    arena_free(own.arena);
    own.arena = NULL;
    own.n = 0;
}
