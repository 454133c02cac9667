#include "openapi.h"

#include <stdint.h>
#include <string.h>

#include "req.h"
#include "secret.h"

/* The path is that from the top of the tree, where make runs; the Makefile names the file as what openapi.o is made from. */
__asm__(".pushsection .rodata\n"
        "openapi_text:\n"
        ".incbin \"engine/openapi.json\"\n"
        "0:\n"
        ".balign 8\n"
        "openapi_length:\n"
        ".quad 0b - openapi_text\n"
        ".popsection\n");

extern const char openapi_text[];
extern const uint64_t openapi_length;

static enum next describe(struct req *r)
{
    const char *known = req_header(r, "If-None-Match");
    struct bytes text = { openapi_text, openapi_length };
    char digest[SECRET_HEX_SIZE], *etag;

    digest_body(text.data, text.len, digest);
    etag = arena_printf(r->arena, "\"%.16s\"", digest);
    req_set_header(r, "ETag", etag);
    req_set_header(r, "Cache-Control", "no-cache");
    if (known && strstr(known, etag))
        return reply(r, 304, NULL);
    return reply_raw(r, 200, "application/json", text);
}

static step_fn *const get_openapi[] = { describe };

static const struct route routes[] = { { "GET", "/openapi.json", get_openapi, 0 } };

bool openapi_open(void)
{
    http_routes(routes, COUNT(routes));
    return true;
}
