#include "form.h"

#include <stdio.h>
#include <string.h>

#include "arena.h"

enum { BOUNDARY_MAX = 70 };

static const struct why not_form = {
    .code = "not_form",
    .zh = "请求内容应为 application/x-www-form-urlencoded 或 multipart/form-data",
    .en = "the body must be application/x-www-form-urlencoded or multipart/form-data",
};
static const struct why bad_form = { .code = "bad_form", .zh = "表单格式不正确", .en = "the form is malformed" };
static const struct why bad_bytes = {
    .code = "bad_bytes",
    .zh = "表单含有不是 UTF-8 的字节",
    .en = "the form contains bytes that are not UTF-8",
};
static const struct why too_many = { .code = "too_many",
                                     .zh = "表单的参数过多",
                                     .en = "the form has too many parameters" };
static const struct why no_files = {
    .code = "no_files",
    .zh = "不接收文件，请用 media_url 给出地址",
    .en = "files are not taken: give their address as media_url",
};

bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

static const struct why *add(struct form *form, const char *name, size_t name_len, const char *value, size_t value_len)
{
    if (!utf8_valid((struct bytes){ name, name_len }) || !utf8_valid((struct bytes){ value, value_len }))
        return &bad_bytes;
    if (form->n == FORM_MOST)
        return &too_many;
    form->params[form->n++] = (struct param){ .name = name, .value = value };
    return NULL;
}

/* ---- a=b&c=d ---------------------------------------------------------------------------------------------------------- */

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decoded; NULL: two digits are missing after a percent sign. */
static char *decode(struct arena *arena, const char *text, size_t len, size_t *got)
{
    char *out = arena_alloc(arena, len + 1);

    *got = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i] == '+' ? ' ' : text[i];

        if (c == '%') {
            int high = i + 2 < len ? digit(text[i + 1]) : -1, low = i + 2 < len ? digit(text[i + 2]) : -1;

            if (high < 0 || low < 0)
                return NULL;
            c = (char)(high * 16 + low);
            i += 2;
        }
        out[(*got)++] = c;
    }
    return out;
}

static const struct why *read_pair(struct arena *arena, struct form *form, const char *text, size_t len)
{
    const char *equals = memchr(text, '=', len);
    size_t name_len = equals ? (size_t)(equals - text) : len, value_len = equals ? len - name_len - 1 : 0, n, v;
    char *name = decode(arena, text, name_len, &n), *value = decode(arena, text + len - value_len, value_len, &v);

    return name && value ? add(form, name, n, value, v) : &bad_form;
}

static const struct why *read_urlencoded(struct arena *arena, struct form *form, struct bytes body)
{
    const char *at = body.data, *end = body.data + body.len;
    const struct why *why = NULL;

    while (at < end && !why) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        size_t len = (size_t)((stop ? stop : end) - at);

        if (len > 0)
            why = read_pair(arena, form, at, len);
        at += len + 1;
    }
    return why;
}

/* ---- multipart ---------------------------------------------------------------------------------------------------------- */

/* The value of a parameter of a header, `name="attribute[type]"; …`, between from and end; NULL: not there. */
static char *header_param(struct arena *arena, const char *from, const char *end, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = from; at + len < end; at++) {
        const char *value = at + len + 1, *stop;
        bool starts = at == from || strchr("; \t", at[-1]);

        if (!starts || strncasecmp(at, name, len) != 0 || at[len] != '=')
            continue;
        if (value < end && *value == '"') {
            value++;
            stop = memchr(value, '"', (size_t)(end - value));
        } else
            for (stop = value; stop < end && !strchr("; \t\r\n", *stop); stop++)
                ;
        return stop ? arena_strndup(arena, value, (size_t)(stop - value)) : NULL;
    }
    return NULL;
}

/* The line of this header among those from head to end; its end in *stop. */
static const char *find_header(const char *head, const char *end, const char *name, const char **stop)
{
    size_t len = strlen(name);

    for (const char *line = head; line < end; line = *stop + 2) {
        *stop = memmem(line, (size_t)(end - line), "\r\n", 2);
        if (!*stop)
            *stop = end;
        if ((size_t)(*stop - line) > len && !strncasecmp(line, name, len) && line[len] == ':')
            return line + len + 1;
    }
    return NULL;
}

static const struct why *read_part(struct arena *arena, struct form *form, const char *part, const char *end)
{
    const char *blank = memmem(part, (size_t)(end - part), "\r\n\r\n", 4), *stop = NULL, *value;
    const char *disposition = blank ? find_header(part, blank, "Content-Disposition", &stop) : NULL;
    char *name = disposition ? header_param(arena, disposition, stop, "name") : NULL;

    if (!name)
        return &bad_form;
    value = blank + 4;
    if (header_param(arena, disposition, stop, "filename"))
        return end > value ? &no_files : NULL; /* browsers send an empty one where nothing was chosen */
    return add(form, name, strlen(name), arena_strndup(arena, value, (size_t)(end - value)), (size_t)(end - value));
}

/* CR LF, two dashes and the boundary stand between the parts; in front of the first the line end may be missing. */
static const struct why *read_parts(struct arena *arena, struct form *form, struct bytes body, const char *boundary)
{
    const char *line = arena_printf(arena, "\r\n--%s", boundary), *end = body.data + body.len;
    size_t len = strlen(line);
    const char *at = body.len >= len - 2 && !memcmp(body.data, line + 2, len - 2) ? body.data + len - 2 : NULL;
    const struct why *why = NULL;

    while (at && !why) {
        const char *next;

        if (end - at >= 2 && !memcmp(at, "--", 2))
            return NULL;
        next = end - at >= 2 && !memcmp(at, "\r\n", 2) ? memmem(at, (size_t)(end - at), line, len) : NULL;
        if (!next)
            return &bad_form;
        if (next >= at + 2)
            why = read_part(arena, form, at + 2, next);
        at = next + len;
    }
    return why ? why : &bad_form;
}

/* ---- either ---------------------------------------------------------------------------------------------------------------- */

struct form *form_read(struct arena *arena, const char *content_type, struct bytes body, const struct why **why)
{
    struct form *form = arena_alloc(arena, sizeof *form);
    const char *type = content_type ? content_type : "";
    size_t len = strcspn(type, "; ");

    if (len == 33 && !strncasecmp(type, "application/x-www-form-urlencoded", len)) {
        *why = read_urlencoded(arena, form, body);
    } else if (len == 19 && !strncasecmp(type, "multipart/form-data", len)) {
        const char *boundary = header_param(arena, type + len, type + strlen(type), "boundary");

        *why = boundary && *boundary && strlen(boundary) <= BOUNDARY_MAX ? read_parts(arena, form, body, boundary)
                                                                         : &bad_form;
    } else {
        *why = &not_form;
    }
    return *why ? NULL : form;
}

const char *form_value(const struct form *form, const char *name)
{
    for (size_t i = 0; i < form->n; i++)
        if (!strcmp(form->params[i].name, name) && !is_blank(form->params[i].value))
            return form->params[i].value;
    return NULL;
}

/* Each name and value with its length in front, so that no two forms are written the same. */
struct bytes form_canonical(struct arena *arena, const struct form *form)
{
    size_t size = 1, len = 0;
    char *out;

    for (size_t i = 0; i < form->n; i++)
        size += strlen(form->params[i].name) + strlen(form->params[i].value) + 48;
    out = arena_alloc(arena, size);
    for (size_t i = 0; i < form->n; i++) {
        const struct param *param = &form->params[i];

        len += (size_t)snprintf(out + len, size - len, "%zu:%s%zu:%s", strlen(param->name), param->name,
                                strlen(param->value), param->value);
    }
    return (struct bytes){ out, len };
}
