#include "static.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "http.h"
#include "log.h"
#include "req.h"
#include "settings.h"

enum { FILES_MAX = 2000, BYTES_MAX = 64 << 20, DEPTH_MAX = 8, PATH_SIZE = 1024 };

struct file {
    char *path; /* below web_root, without a leading slash */
    struct bytes content;
    char etag[24];
};

static struct {
    struct file files[FILES_MAX];
    size_t n, bytes;
} pages;

/* ---- loading -------------------------------------------------------------------------------------------------------------- */

/* FNV-1a: tells versions of our own files apart, nothing more. */
static void make_etag(struct file *file)
{
    unsigned long long hash = 14695981039346656037ull;

    for (size_t i = 0; i < file->content.len; i++)
        hash = (hash ^ (unsigned char)file->content.data[i]) * 1099511628211ull;
    snprintf(file->etag, sizeof file->etag, "\"%016llx\"", hash);
}

static bool load_file(const char *path, const char *name, size_t size)
{
    struct file *file = &pages.files[pages.n];
    FILE *in = fopen(path, "re");
    char *data = malloc(size + 1);
    bool good = in && data && fread(data, 1, size, in) == size;

    if (in)
        fclose(in);
    if (!good) {
        log_error("page_unreadable", "path=%s err=%s", path, strerror(errno));
        free(data);
        return false;
    }
    file->path = strdup(name);
    file->content.data = data;
    file->content.len = size;
    make_etag(file);
    pages.n++;
    pages.bytes += size;
    return true;
}

static bool load_folder(const char *path, const char *name, int depth);

static bool load_entry(const char *folder, const char *below, const char *entry, int depth)
{
    char path[PATH_SIZE], name[PATH_SIZE];
    struct stat info;

    if (entry[0] == '.')
        return true;
    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, entry) >= sizeof path)
        return false;
    snprintf(name, sizeof name, "%s%s%s", below, *below ? "/" : "", entry);
    if (stat(path, &info))
        return false;
    if (S_ISDIR(info.st_mode))
        return load_folder(path, name, depth + 1);
    if (!S_ISREG(info.st_mode))
        return true;
    if (pages.n == FILES_MAX || pages.bytes + (size_t)info.st_size > BYTES_MAX) {
        log_error("pages_too_large", "files=%zu bytes=%zu", pages.n, pages.bytes);
        return false;
    }
    return load_file(path, name, (size_t)info.st_size);
}

static bool load_folder(const char *path, const char *name, int depth)
{
    struct dirent **entries = NULL;
    int n = depth <= DEPTH_MAX ? scandir(path, &entries, NULL, alphasort) : -1;
    bool good = n >= 0;

    if (!good)
        log_error("pages_unreadable", "path=%s err=%s", path, strerror(errno));
    for (int i = 0; i < n; i++) {
        good = good && load_entry(path, name, entries[i]->d_name, depth);
        free(entries[i]);
    }
    free(entries);
    return good;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

bool static_load(void)
{
    if (!*settings()->web_root)
        return true;
    if (!load_folder(settings()->web_root, "", 0))
        return false;
    qsort(pages.files, pages.n, sizeof *pages.files, by_path);
    log_info("pages", "files=%zu bytes=%zu", pages.n, pages.bytes);
    return true;
}

/* ---- serving -------------------------------------------------------------------------------------------------------------- */

static const struct file *find(const char *path)
{
    struct file wanted = { .path = (char *)path };

    return bsearch(&wanted, pages.files, pages.n, sizeof *pages.files, by_path);
}

static const char *type_of(const char *path)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        { ".html", "text/html; charset=utf-8" },
        { ".js", "text/javascript; charset=utf-8" },
        { ".mjs", "text/javascript; charset=utf-8" },
        { ".css", "text/css; charset=utf-8" },
        { ".json", "application/json" },
        { ".map", "application/json" },
        { ".webmanifest", "application/manifest+json" },
        { ".svg", "image/svg+xml" },
        { ".png", "image/png" },
        { ".jpg", "image/jpeg" },
        { ".webp", "image/webp" },
        { ".ico", "image/x-icon" },
        { ".woff2", "font/woff2" },
        { ".woff", "font/woff" },
        { ".txt", "text/plain; charset=utf-8" },
    };
    const char *ending = strrchr(path, '.');

    for (size_t i = 0; ending && i < COUNT(types); i++)
        if (!strcmp(types[i].ending, ending))
            return types[i].type;
    return "application/octet-stream";
}

/* No inline script and no style element; style attributes are let through because the charts' tooltips are made of them. */
static const char policy[] =
    "default-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'";

/* Names below assets/ carry a digest of their content. */
static const char *caching_of(const struct file *file)
{
    return strncmp(file->path, "assets/", 7) ? "no-cache" : "public, max-age=31536000, immutable";
}

static const struct file *compressed(const struct req *r, const struct file *file)
{
    const char *accepted = req_header(r, "Accept-Encoding");

    return accepted && strstr(accepted, "gzip") ? find(arena_printf(r->arena, "%s.gz", file->path)) : NULL;
}

static enum next send_file(struct req *r, const struct file *file)
{
    const struct file *small = compressed(r, file);
    const char *type = type_of(file->path), *known = req_header(r, "If-None-Match");

    req_set_header(r, "ETag", file->etag);
    req_set_header(r, "Cache-Control", caching_of(file));
    req_set_header(r, "Vary", "Accept-Encoding");
    if (known && strstr(known, file->etag))
        return reply(r, 304, NULL);
    req_set_header(r, "Referrer-Policy", "same-origin");
    if (!strncmp(type, "text/html", 9))
        req_set_header(r, "Content-Security-Policy", policy);
    if (small)
        req_set_header(r, "Content-Encoding", "gzip");
    return reply_raw(r, 200, type, small ? small->content : file->content);
}

static enum next send_named(struct req *r, const char *path)
{
    const struct file *file = find(path);

    return file ? send_file(r, file) : refuse(r, 404, "no_such_route", NULL);
}

static enum next send_start(struct req *r)
{
    return send_named(r, "index.html");
}

static enum next send_any(struct req *r)
{
    return send_named(r, req_param(r, "file"));
}

/* The desk finds its page from the address by itself. */
static enum next send_desk(struct req *r)
{
    const struct file *file = find(r->path + 1);

    if (!file)
        file = find("desk/index.html");
    return file ? send_file(r, file) : send_start(r);
}

static step_fn *const get_start[] = { send_start };
static step_fn *const get_any[] = { send_any };
static step_fn *const get_desk[] = { send_desk };

static const struct route routes[] = {
    { "GET", "/", get_start, ROUTE_RAW },
    { "GET", "/file", get_start, ROUTE_RAW }, /* the citizen's pages, opened by their address or reloaded */
    { "GET", "/follow", get_start, ROUTE_RAW },
    { "GET", "/desk", get_desk, ROUTE_RAW },
    { "GET", "/desk/{page*}", get_desk, ROUTE_RAW },
    { "GET", "/{file*}", get_any, ROUTE_RAW },
};

bool static_open(void)
{
    if (pages.n)
        http_routes(routes, COUNT(routes));
    return true;
}
