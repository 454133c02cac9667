#ifndef TEXTS_H
#define TEXTS_H

/* Complaints as people wrote them, read from JSON Lines files. */

struct text {
    char *title, *content;
    char *type, *division, *category; /* NULL where the file says nothing */
};

/* Append the file's complaints to those read so far; lines that are no complaint are counted and left out.  Ends the program
 * when the file cannot be read. */
void texts_read(const char *path);

int texts_count(void);
const struct text *texts_at(int i);
void texts_free(void);

#endif
