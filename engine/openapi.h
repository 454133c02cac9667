#ifndef OPENAPI_H
#define OPENAPI_H

#include <stdbool.h>

/* GET /openapi.json: the description of every route, built into the program from openapi.json beside this file. */
bool openapi_open(void) __attribute__((warn_unused_result));

#endif
