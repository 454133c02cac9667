#ifndef UPLOAD_H
#define UPLOAD_H

#include "req.h"

/* Files of tickets: taken in parts by tus 1.0 (with creation, creation-with-upload, termination, expiration and checksum) at
 * /v1/uploads, named in a complaint or an action by their ids, sent to whom the database lets see the ticket. */

enum { UPLOADS_MOST = 9 }; /* of one complaint or action */

extern const struct field upload_fields; /* one id, for a list of them in a table of fields */

bool upload_open(void) __attribute__((warn_unused_result));
void upload_close(void);

/* What the call has to know of the uploads named in ids (a list; NULL: none): "files", a list of {"upload","sha256","type","size"} in their
 * order, without the last three where there is no such upload.  They live from now on as long as new ones. */
void upload_name(cJSON *call, const cJSON *ids);

/* Is one of them not there?  Then the reason for a refusal, else NULL. */
const struct why *upload_missing(struct arena *arena, const cJSON *call);

/* Step: the database has answered {"file","type","size","name"}: send that file, or what it says instead. */
enum next upload_send(struct req *r);

#endif
