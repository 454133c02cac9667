#ifndef NOTICE_H
#define NOTICE_H

#include "channel.h"

/* The ways of this folder.  prepare reads what a way needs of files; false: it cannot be used as it is set, and that is logged. */
bool sms_prepare(void);
bool mail_prepare(void);

extern const struct way way_sms, way_mail, way_webhook;

/* text with each {name} of the list replaced by its value; a name that is not in the list stays as it is. */
struct word {
    const char *name, *value;
};
char *notice_fill(struct arena *arena, const char *text, const struct word *words, size_t n);

/* The words of a message to a citizen, its code and its link filled in. */
const char *notice_text(struct message *m);

/* Gateways as sms_file says; NULL where it says it wrongly, and why is then set.  Apart for the fuzzer. */
struct gateway;
struct gateway *sms_read(struct arena *arena, struct bytes text, size_t *n, const char **why);

#endif
