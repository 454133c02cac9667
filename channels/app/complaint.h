#ifndef APP_COMPLAINT_H
#define APP_COMPLAINT_H

#include "form.h"

/* A posted form as a complaint, in the members of intake_fields; what else the application keeps with it goes into *attributes.
 * NULL: *why says what is wrong, in the form's own names. */
cJSON *complaint_read(struct req *r, const struct form *form, const cJSON *service, cJSON **attributes,
                      const struct why **why) __attribute__((warn_unused_result));

/* A sentence of a service or one of its attributes in the caller's language; NULL when there is none. */
const char *said(const struct req *r, const cJSON *thing, const char *zh, const char *en);

/* What a field of the engine is called in a form. */
const char *form_name(const char *field);

/* Is one of an attribute's choices this one? */
const cJSON *choice_of(const cJSON *attribute, const char *key);

#endif
