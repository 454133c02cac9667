#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <magic.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "log.h"
#include "media.h"

enum { LOOKED_AT = 1 << 20 }; /* libmagic needs the beginning only */

/* A copy under way, hashed as it is written. */
struct copy {
    int fd;
    EVP_MD_CTX *hash;
    int64_t size;
    int error;
};

static const char *sniff(struct bytes file)
{
    static magic_t magic; /* loaded with the first file, for the life of the process */

    if (!magic) {
        magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR | MAGIC_NO_CHECK_ELF);
        if (magic && magic_load(magic, NULL)) {
            log_error("magic", "err=\"%s\"", magic_error(magic));
            magic_close(magic);
            magic = NULL;
        }
    }
    return magic ? magic_buffer(magic, file.data, file.len < LOOKED_AT ? file.len : LOOKED_AT) : NULL;
}

static void take_piece(void *arg, const char *data, size_t len)
{
    struct copy *copy = arg;

    EVP_DigestUpdate(copy->hash, data, len);
    copy->size += (int64_t)len;
    while (len > 0 && !copy->error) {
        ssize_t n = write(copy->fd, data, len);

        if (n < 0) {
            copy->error = errno;
        } else {
            data += n;
            len -= (size_t)n;
        }
    }
}

static const char *trouble(const char *what, int error)
{
    log_error("store_failed", "at=%s err=\"%s\"", what, strerror(error));
    return error == ENOSPC || error == EDQUOT || error == EFBIG ? "disk_full" : "files_away";
}

/* NULL, or why not. */
static const char *clean_copy(struct upload *upload, struct bytes file, const struct media *media, const char *path)
{
    struct copy copy = { .fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0400) };
    unsigned char digest[EVP_MAX_MD_SIZE];
    bool sound;

    if (copy.fd < 0)
        return trouble("open", errno);
    copy.hash = EVP_MD_CTX_new();
    EVP_DigestInit_ex(copy.hash, EVP_sha256(), NULL);
    sound = media_clean(media, file, take_piece, &copy);
    EVP_DigestFinal_ex(copy.hash, digest, NULL);
    EVP_MD_CTX_free(copy.hash);
    if (sound && !copy.error && fsync(copy.fd))
        copy.error = errno;
    close(copy.fd);
    sodium_bin2hex(upload->file.sha, sizeof upload->file.sha, digest, (FILE_SHA_SIZE - 1) / 2);
    snprintf(upload->file.type, sizeof upload->file.type, "%s", media->type);
    upload->file.size = copy.size;
    return !sound ? "bad_file" : copy.error ? trouble("write", copy.error) : NULL;
}

/* A name is there for good when its folder is. */
static bool sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && !fsync(fd);

    if (fd >= 0)
        close(fd);
    return good;
}

/* Content of the same digest is the same content; a copy that a broken disk or hand has shortened gives way to the whole one. */
static bool give_name(const char *path, const char *kept, int64_t size)
{
    struct stat info;

    if (!link(path, kept))
        return true;
    return errno == EEXIST && (!lstat(kept, &info) && info.st_size == size ? true : !rename(path, kept));
}

static const char *keep(const struct upload *upload, const char *path)
{
    char kept[FILE_PATH_SIZE], folder[FILE_PATH_SIZE], done[FILE_PATH_SIZE];
    int guard = files_guard(false);
    const char *why = NULL;

    if (guard < 0)
        return trouble("guard", errno);
    files_kept_path(kept, upload->file.sha);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(kept, '/') - kept), kept);
    files_path(done, upload->id, ".done");
    unlink(done); /* of a try before this one */
    if ((mkdir(folder, 0700) && errno != EEXIST) || !give_name(path, kept, upload->file.size) || !sync_folder(folder) ||
        link(kept, done))
        why = trouble("name", errno);
    close(guard);
    return why;
}

static const char *store(struct upload *upload, struct bytes file)
{
    const char *type = sniff(file), *why;
    const struct media *media = type ? media_sniffed(type) : NULL;
    char path[FILE_PATH_SIZE];

    if (!type)
        return "files_away";
    if (!media)
        return "bad_file_type";
    files_path(path, upload->id, ".clean");
    unlink(path);
    why = clean_copy(upload, file, media, path);
    if (!why)
        why = keep(upload, path);
    unlink(path);
    if (why)
        return why;
    upload->stored = true;
    if (!files_settle(upload))
        return trouble("record", errno);
    files_path(path, upload->id, "");
    unlink(path);
    return "stored";
}

static const char *open_and_store(const char *id)
{
    struct upload upload;
    char path[FILE_PATH_SIZE];
    struct bytes file;
    struct stat info;
    const char *said;
    void *data = MAP_FAILED;
    int fd;

    if (!files_find(id, &upload))
        return "files_away";
    if (upload.stored)
        return "stored";
    files_path(path, id, "");
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && !fstat(fd, &info) && info.st_size == upload.length)
        data = mmap(NULL, (size_t)upload.length, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        said = trouble("map", errno);
    file = (struct bytes){ data, (size_t)upload.length };
    if (data != MAP_FAILED) {
        said = store(&upload, file);
        munmap(data, file.len);
    }
    if (fd >= 0)
        close(fd);
    return said;
}

void store_upload(const char *id, char said[STORE_ANSWER_SIZE])
{
    const char *word = open_and_store(id);

    if (!strncmp(word, "bad_", 4))
        files_forget(id);
    snprintf(said, STORE_ANSWER_SIZE, "%s", word);
}
