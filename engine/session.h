#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "req.h"

/* Who asks.  A session lives in the database; Redis keeps a copy of the actor for a minute. */

struct actor {
    int64_t user, unit;
    const char *login, *name, *unit_name;
    const char *const *roles; /* NULL at the end */
    bool tickets;             /* sees any tickets at all */
    bool all;                 /* sees all of them, not only those of the unit's subtree */
    bool sealed;              /* sealed ones too */
};

/* Where the hash of a session that somebody ended is told to all workers. */
extern const char session_closed_channel[];

/* Add the routes of /v1/session. */
bool session_open(void) __attribute__((warn_unused_result));

/* A step for routes that need somebody signed in: fills r->session, r->user and the actor, else 401 no_session.  A cookie
 * with an unsafe method must come from our own pages, else 403 bad_origin. */
enum next session_load(struct req *r);

/* The actor of a request behind session_load. */
const struct actor *session_actor(const struct req *r);

/* The actor in the database's words; NULL when this is none. */
struct actor *actor_read(struct arena *arena, struct bytes json) __attribute__((warn_unused_result));

bool actor_has(const struct actor *actor, const char *role);

#endif
