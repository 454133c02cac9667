#ifndef FILES_H
#define FILES_H

#include <stdbool.h>
#include <stdint.h>

/* Attached files on disk, below files_root:
 *
 *     new/ID         bytes of an upload as they come; its size is how far it is
 *     new/ID.info    what was promised and, once it is stored, what became of it; its time says how long it lives
 *     new/ID.done    a second name of the stored content, so that its count of names tells whether uploads still refer to it
 *     kept/AB/SHA    content under its SHA-256, never changed; AB are its first two digits
 *
 * All processes work on these by names and locks alone, so an upload goes on in whichever worker the next part reaches. */

enum { FILE_ID_SIZE = 33, FILE_SHA_SIZE = 65, FILE_TYPE_SIZE = 32, FILE_PATH_SIZE = 1024, FILE_MAX = 20 << 20 };

struct stored_file {
    char sha[FILE_SHA_SIZE];
    char type[FILE_TYPE_SIZE];
    int64_t size;
};

struct upload {
    char id[FILE_ID_SIZE];
    int64_t length;  /* promised */
    int64_t expires; /* seconds since 1970 */
    bool stored;
    struct stored_file file; /* when it is stored */
};

enum files_room { FILES_ROOM, FILES_FULL, FILES_AWAY };

/* Make the folders, as the user the workers run as.  A folder that cannot be used is logged; files are then refused, nothing else. */
void files_open(void);

/* Is there room for len more bytes and the reserve? */
enum files_room files_room(int64_t len);

/* Begin an upload of so many bytes; false: the disk would not take it (logged). */
bool files_begin(int64_t length, struct upload *upload) __attribute__((warn_unused_result));

/* Find an upload by its id, whatever its age; false: there is none. */
bool files_find(const char *id, struct upload *upload) __attribute__((warn_unused_result));

bool files_expired(const struct upload *upload);

/* Let it live from now on as long as a new one. */
void files_touch(struct upload *upload);

/* Let its time be over. */
void files_expire(const char *id);

/* Open its bytes and lock them against everybody else.  -1: errno EWOULDBLOCK somebody has the lock, ENOENT they are stored or gone. */
int files_lock(const char *id) __attribute__((warn_unused_result));

/* Forget an upload, stored or not; content stays. */
void files_forget(const char *id);

/* Write that it is stored.  False: it could not be written for sure. */
bool files_settle(const struct upload *upload) __attribute__((warn_unused_result));

/* Open content for reading; -1: it is gone, or is not as long as it should be (logged). */
int files_content(const struct stored_file *file) __attribute__((warn_unused_result));

/* The lock between those who give content another name and the one who removes it; -1: busy, or not there.  Closing it gives it back. */
int files_guard(bool removing) __attribute__((warn_unused_result));

/* Remove content if no name but that of this upload is left, and the upload with it.  The guard is held. */
void files_remove(const struct upload *upload);

/* Paths */
void files_path(char path[FILE_PATH_SIZE], const char *id, const char *ending);
void files_kept_path(char path[FILE_PATH_SIZE], const char *sha);

bool files_id_valid(const char *id);

#endif
