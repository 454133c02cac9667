#ifndef STORE_H
#define STORE_H

/* What is done with an upload whose bytes are all there.  It reads and writes whole files and waits for the disk, so a helper process does
 * it. */

enum { STORE_ANSWER_SIZE = 32 };

/* The content is recognised, cleaned, hashed, written for good and recorded as the upload's.  said: "stored"; "bad_file_type", "bad_file"
 * (the upload is then forgotten); "disk_full", "files_away" (it stays as it is and may be tried again).  Doing it twice does no harm. */
void store_upload(const char *id, char said[STORE_ANSWER_SIZE]);

#endif
