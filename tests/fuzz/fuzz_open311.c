/* Any bytes as a form, and any text as an answer: what form_read lets through is UTF-8 and written the same way again; the XML of an
 * answer is XML that a parser of others reads, with the same words in it. */

#include <assert.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/complaint.h"
#include "app/form.h"
#include "app/render.h"
#include "arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const types[] = {
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data; charset=utf-8; boundary=\"--a b\"",
    "application/json",
    NULL,
};

/* As the renderer promises: what XML cannot carry is U+FFFD. */
static char *carried(struct arena *arena, const char *text)
{
    char *out = arena_alloc(arena, 3 * strlen(text) + 1), *at = out;

    for (const char *c = text; *c; c++) {
        bool high = c[0] == '\xef' && c[1] == '\xbf' && (c[2] == '\xbe' || c[2] == '\xbf');

        if (high || ((unsigned char)*c < ' ' && !strchr("\t\n\r", *c))) {
            at = stpcpy(at, "\xef\xbf\xbd");
            c += high ? 2 : 0;
        } else {
            *at++ = *c;
        }
    }
    return out;
}

static void check_xml(struct arena *arena, const struct form *form)
{
    cJSON *list = json_list(arena), *row = cJSON_CreateObject();
    struct bytes text;
    xmlNode *node;
    xmlDoc *doc;
    size_t i = 0;

    cJSON_AddItemToArray(list, row);
    for (; i < form->n; i++)
        cJSON_AddItemToObject(row, "word", cJSON_CreateString(form->params[i].value));
    cJSON_AddNullToObject(row, "nothing");
    cJSON_AddNumberToObject(row, "number", (double)form->n);
    text = render_xml(arena, "service_requests", list);
    doc = xmlReadMemory(text.data, (int)text.len, NULL, NULL,
                        XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    assert(doc);
    node = xmlDocGetRootElement(doc)->children->children;
    for (i = 0; i < form->n; i++, node = node->next) {
        xmlChar *read = xmlNodeGetContent(node);

        assert(!strcmp((char *)read, carried(arena, form->params[i].value)));
        xmlFree(read);
    }
    assert(!strcmp((const char *)node->name, "nothing"));
    xmlFreeDoc(doc);
}

static void check_form(struct arena *arena, const struct form *form)
{
    struct bytes once = form_canonical(arena, form);

    assert(utf8_valid(once));
    assert(form->n <= FORM_MOST);
    for (size_t i = 0; i < form->n; i++) {
        const char *value = form_value(form, form->params[i].name);

        assert(!value || !is_blank(value));
    }
}

/* A service with a question of each kind. */
static const char service_text[] =
    "{\"code\":\"010302\",\"zh\":\"井盖\",\"en\":\"Cover\",\"type\":\"help\",\"attributes\":["
    "{\"code\":\"a\",\"datatype\":\"singlevaluelist\",\"zh\":\"甲\",\"choices\":[{\"key\":\"1\",\"zh\":\"一\"}]},"
    "{\"code\":\"b\",\"datatype\":\"multivaluelist\",\"zh\":\"乙\",\"choices\":[{\"key\":\"1\",\"zh\":\"一\"}]},"
    "{\"code\":\"c\",\"datatype\":\"number\",\"zh\":\"丙\",\"choices\":[]},"
    "{\"code\":\"d\",\"datatype\":\"datetime\",\"zh\":\"丁\",\"choices\":[]},"
    "{\"code\":\"e\",\"datatype\":\"text\",\"zh\":\"戊\",\"choices\":[]}]}";

static void check_complaint(struct arena *arena, const struct form *form)
{
    struct req r = { .arena = arena };
    const struct why *why = NULL;
    cJSON *service = json_any(arena, (struct bytes){ service_text, strlen(service_text) }, &why), *attributes;
    cJSON *complaint = complaint_read(&r, form, service, &attributes, &why);

    assert(service);
    if (!complaint)
        assert(why->nfaults > 0);
    else
        assert(json_text(complaint, "content") && cJSON_GetArraySize(cJSON_GetObjectItem(attributes, "media")) <= 9);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < COUNT(types); i++) {
        struct arena *arena = arena_new();
        char *copy = malloc(size + 1); /* of its own, so that a byte too far is seen */
        const struct why *why = NULL;
        struct form *form;

        memcpy(copy, data, size);
        copy[size] = '\0';
        form = form_read(arena, types[i], (struct bytes){ copy, size }, &why);
        if (form) {
            check_form(arena, form);
            check_xml(arena, form);
            check_complaint(arena, form);
        } else {
            assert(why->code && why->zh && why->en);
        }
        free(copy);
        arena_free(arena);
    }
    return 0;
}
