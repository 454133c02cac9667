#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "settings.h"

enum { ID_BYTES = 16, HOUR = 3600 };

static bool is_hex(const char *text, size_t len)
{
    return strlen(text) == len && strspn(text, "0123456789abcdef") == len;
}

bool files_id_valid(const char *id)
{
    return is_hex(id, FILE_ID_SIZE - 1);
}

void files_path(char path[FILE_PATH_SIZE], const char *id, const char *ending)
{
    snprintf(path, FILE_PATH_SIZE, "%s/new/%s%s", settings()->files_root, id, ending);
}

void files_kept_path(char path[FILE_PATH_SIZE], const char *sha)
{
    snprintf(path, FILE_PATH_SIZE, "%s/kept/%.2s/%s", settings()->files_root, sha, sha);
}

static bool make_folder(const char *name)
{
    char path[FILE_PATH_SIZE];

    snprintf(path, sizeof path, "%s/%s", settings()->files_root, name);
    return !mkdir(path, 0700) || errno == EEXIST;
}

void files_open(void)
{
    if (!*settings()->files_root)
        return;
    if (!make_folder("") || !make_folder("new") || !make_folder("kept"))
        log_error("files_folder", "path=%s err=\"%s\"", settings()->files_root, strerror(errno));
}

enum files_room files_room(int64_t len)
{
    struct statvfs disk;
    char path[FILE_PATH_SIZE];

    files_path(path, "", "");
    if (!*settings()->files_root || statvfs(path, &disk))
        return FILES_AWAY;
    return (int64_t)(disk.f_bavail * disk.f_frsize) - len < (int64_t)settings()->files_reserve_mb << 20 ? FILES_FULL
                                                                                                        : FILES_ROOM;
}

/* ---- what is known of an upload -------------------------------------------------------------------------------------------- */

static bool write_all(int fd, const char *text, size_t len)
{
    return write(fd, text, len) == (ssize_t)len;
}

/* Whole or not at all, also when the machine fails in the middle. */
static bool write_info(const struct upload *upload)
{
    char path[FILE_PATH_SIZE], draft[FILE_PATH_SIZE], text[256];
    int len = upload->stored ? snprintf(text, sizeof text, "%lld %s %lld %s\n", (long long)upload->length,
                                        upload->file.sha, (long long)upload->file.size, upload->file.type)
                             : snprintf(text, sizeof text, "%lld\n", (long long)upload->length);
    int fd;
    bool good;

    files_path(path, upload->id, ".info");
    files_path(draft, upload->id, ".draft");
    fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    good = write_all(fd, text, (size_t)len) && (!upload->stored || !fsync(fd));
    close(fd);
    if (good && !rename(draft, path))
        return true;
    unlink(draft);
    return false;
}

bool files_settle(const struct upload *upload)
{
    return write_info(upload);
}

static bool read_info(const char *text, struct upload *upload)
{
    long long length, size;
    int n = sscanf(text, "%lld %64s %lld %31s", &length, upload->file.sha, &size, upload->file.type);

    if (n != 1 && n != 4)
        return false;
    upload->length = length;
    upload->stored = n == 4;
    upload->file.size = upload->stored ? size : 0;
    return !upload->stored || is_hex(upload->file.sha, FILE_SHA_SIZE - 1);
}

bool files_find(const char *id, struct upload *upload)
{
    char path[FILE_PATH_SIZE], text[256];
    struct stat info;
    ssize_t len;
    int fd;

    if (!*settings()->files_root || !files_id_valid(id))
        return false;
    files_path(path, id, ".info");
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    len = read(fd, text, sizeof text - 1);
    *upload = (struct upload){ .expires = fstat(fd, &info) ? 0 : info.st_mtime + settings()->upload_hours * HOUR };
    close(fd);
    text[len > 0 ? len : 0] = 0;
    memcpy(upload->id, id, FILE_ID_SIZE);
    return read_info(text, upload);
}

bool files_expired(const struct upload *upload)
{
    return upload->expires <= time(NULL);
}

void files_touch(struct upload *upload)
{
    char path[FILE_PATH_SIZE];

    files_path(path, upload->id, ".info");
    if (!utimensat(AT_FDCWD, path, NULL, 0))
        upload->expires = time(NULL) + settings()->upload_hours * HOUR;
}

void files_expire(const char *id)
{
    static const struct timespec long_ago[2] = { { 0 }, { 0 } };
    char path[FILE_PATH_SIZE];

    files_path(path, id, ".info");
    if (utimensat(AT_FDCWD, path, long_ago, 0))
        log_error("upload_expire", "err=\"%s\"", strerror(errno));
}

bool files_begin(int64_t length, struct upload *upload)
{
    unsigned char bytes[ID_BYTES];
    char path[FILE_PATH_SIZE];
    int fd;

    *upload = (struct upload){ .length = length, .expires = time(NULL) + settings()->upload_hours * HOUR };
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(upload->id, sizeof upload->id, bytes, sizeof bytes);
    files_path(path, upload->id, "");
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && write_info(upload))
        return true;
    log_error("upload_begin", "err=\"%s\"", strerror(errno));
    unlink(path);
    return false;
}

/* Who removes the bytes holds the lock; a lock on what is removed meanwhile is worth nothing. */
int files_lock(const char *id)
{
    char path[FILE_PATH_SIZE];
    struct stat info;
    int fd;

    files_path(path, id, "");
    fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        close(fd);
        errno = EWOULDBLOCK;
        return -1;
    }
    if (fstat(fd, &info) || !info.st_nlink) {
        close(fd);
        errno = ENOENT;
        return -1;
    }
    return fd;
}

void files_forget(const char *id)
{
    static const char *const endings[] = { "", ".done", ".clean", ".draft", ".info" };
    char path[FILE_PATH_SIZE];

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        files_path(path, id, endings[i]);
        unlink(path);
    }
}

/* ---- content -------------------------------------------------------------------------------------------------------------- */

int files_content(const struct stored_file *file)
{
    char path[FILE_PATH_SIZE];
    struct stat info;
    int fd = -1;

    if (is_hex(file->sha, FILE_SHA_SIZE - 1)) {
        files_kept_path(path, file->sha);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    }
    if (fd >= 0 && !fstat(fd, &info) && info.st_size == file->size)
        return fd;
    log_error("file_gone", "file=%s err=\"%s\"", file->sha, fd < 0 ? strerror(errno) : "another length");
    if (fd >= 0)
        close(fd);
    return -1;
}

int files_guard(bool removing)
{
    char path[FILE_PATH_SIZE];
    int fd;

    files_path(path, "", ".guard");
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && flock(fd, removing ? LOCK_EX | LOCK_NB : LOCK_SH)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

void files_remove(const struct upload *upload)
{
    enum { OWN_NAMES = 2 }; /* in kept, and the upload's */
    char path[FILE_PATH_SIZE];
    struct stat info;

    files_kept_path(path, upload->file.sha);
    if (!lstat(path, &info) && info.st_nlink <= OWN_NAMES)
        unlink(path);
    files_forget(upload->id);
}
