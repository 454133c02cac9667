#include "render.h"

#include <libxml/xmlwriter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"

/* The writer would say UTF-8, which some clients do not take. */
static const char declaration[] = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";

static const char *element_of(const char *list)
{
    static const struct {
        const char *list, *element;
    } names[] = {
        { "services", "service" },     { "service_requests", "request" },
        { "attributes", "attribute" }, { "service_request_updates", "request_update" },
        { "values", "value" },         { "endpoints", "endpoint" },
        { "formats", "format" },       { "notes", "note" },
        { "errors", "error" },
    };

    for (size_t i = 0; i < COUNT(names); i++)
        if (!strcmp(names[i].list, list))
            return names[i].element;
    return "value";
}

/* Memory is what the writer may run out of, nothing else. */
static void must(int written)
{
    if (written < 0)
        abort();
}

/* The length of the character at text that XML cannot carry, 0 when it can: control characters, U+FFFE and U+FFFF. */
static size_t unfit(const char *text)
{
    if ((unsigned char)*text < ' ')
        return !strchr("\t\n\r", *text);
    return text[0] == '\xef' && text[1] == '\xbf' && (unsigned char)text[2] >= 0xbe ? 3 : 0;
}

static void write_text(xmlTextWriter *writer, const char *text)
{
    const char *from = text, *at = text;

    for (; *at; at++) {
        size_t len = (unsigned char)*at < ' ' || *at == '\xef' ? unfit(at) : 0;

        if (!len)
            continue;
        if (at > from)
            must(xmlTextWriterWriteFormatString(writer, "%.*s", (int)(at - from), from));
        must(xmlTextWriterWriteString(writer, BAD_CAST "\xef\xbf\xbd"));
        at += len - 1;
        from = at + 1;
    }
    if (*from)
        must(xmlTextWriterWriteString(writer, BAD_CAST from));
}

static void write_number(xmlTextWriter *writer, double number)
{
    char text[32];

    snprintf(text, sizeof text, "%.15g", number);
    must(xmlTextWriterWriteString(writer, BAD_CAST text));
}

static void write_element(xmlTextWriter *writer, const char *name, const cJSON *value)
{
    const cJSON *child;

    must(xmlTextWriterStartElement(writer, BAD_CAST name));
    if (cJSON_IsString(value))
        write_text(writer, value->valuestring);
    else if (cJSON_IsNumber(value))
        write_number(writer, value->valuedouble);
    else if (cJSON_IsBool(value))
        must(xmlTextWriterWriteString(writer, BAD_CAST(cJSON_IsTrue(value) ? "true" : "false")));
    else
        cJSON_ArrayForEach(child, value)
            write_element(writer, cJSON_IsArray(value) ? element_of(name) : child->string, child);
    must(xmlTextWriterEndElement(writer));
}

struct bytes render_xml(struct arena *arena, const char *name, const cJSON *value)
{
    xmlBuffer *buffer = xmlBufferCreate();
    xmlTextWriter *writer = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL;
    struct bytes out;

    if (!writer)
        abort();
    must(xmlTextWriterWriteRaw(writer, BAD_CAST declaration));
    write_element(writer, name, value);
    must(xmlTextWriterFlush(writer));
    xmlFreeTextWriter(writer);
    out.len = (size_t)xmlBufferLength(buffer);
    out.data = arena_strndup(arena, (const char *)xmlBufferContent(buffer), out.len);
    xmlBufferFree(buffer);
    return out;
}
