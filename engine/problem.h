#ifndef PROBLEM_H
#define PROBLEM_H

#include "json.h"

/* Problem documents (RFC 9457): {"type","title","status","code","detail","fields":[{"name","code","detail"}]}. */

#define PROBLEM_TYPE "application/problem+json"

enum language { LANGUAGE_ZH, LANGUAGE_EN };

/* Which of our two languages an Accept-Language header prefers; NULL and anything unclear: Chinese. */
enum language problem_language(const char *accept_language);

/* The document.  why may be NULL: then the code's own sentence is said. */
char *problem_make(struct arena *arena, int status, const char *code, const struct why *why, enum language language);

/* What a code of the engine means; never NULL. */
const struct why *problem_why(const char *code);

/* The reason in a problem document of the database, whose sentences are in one language; *code (in the arena) is its code. */
const struct why *problem_read(struct arena *arena, const char *body, const char **code);

/* A reason in both languages, for refusals found outside a table of fields. */
const struct why *why_new(struct arena *arena, const char *zh, const char *en);

/* The same about one field. */
const struct why *why_field(struct arena *arena, const char *name, const char *code, const char *zh, const char *en);

#endif
