#ifndef REDIS_H
#define REDIS_H

#include <hiredis/hiredis.h>

#include "ctl.h"

/* Connect to one of the engine's Redis; NULL or a context with err set when it does not answer within 2 s. */
redisContext *redis_connect(const char *address);

/* Say the password in a file, if one is set. */
void redis_password(redisContext *redis, const char *path);

/* Read the engine's settings from --config and the environment. */
bool settings_of(const struct args *args) __attribute__((warn_unused_result));

#endif
