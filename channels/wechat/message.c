#include "message.h"

#include <libxml/parser.h>
#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "json.h"

enum { PATH_MOST = 256, ANSWER_BYTES = 2047 /* the platform's limit of a text is 2,048 */ };

struct reading {
    struct arena *arena;
    struct wechat_message *message;
    xmlParserCtxt *parser;
    char path[PATH_MOST]; /* of the open elements below the first, with dots */
    size_t depth, len;    /* len: of text */
    char *text;
    bool bad;
};

/* ---- in --------------------------------------------------------------------------------------------------------------- */

static void give_up(struct reading *in)
{
    in->bad = true;
    xmlStopParser(in->parser);
}

static void on_start(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int nspaces,
                     const xmlChar **spaces, int nattributes, int ndefaulted, const xmlChar **attributes)
{
    struct reading *in = arg;
    size_t path = strlen(in->path), len = strlen((const char *)name);

    (void)prefix, (void)uri, (void)nspaces, (void)spaces, (void)nattributes, (void)ndefaulted, (void)attributes;
    if (in->bad)
        return;
    if (++in->depth > MESSAGE_DEPTH_MOST || path + len + 2 > PATH_MOST) {
        give_up(in);
        return;
    }
    if (in->depth > 1) {
        if (path)
            in->path[path++] = '.';
        memcpy(in->path + path, name, len + 1);
    }
    in->len = 0;
}

/* Blanks around a text are the sender's line ends, not the citizen's words. */
static const char *trimmed(struct arena *arena, const char *text, size_t len)
{
    while (len && strchr(" \t\r\n", text[len - 1]))
        len--;
    while (len && strchr(" \t\r\n", *text))
        text++, len--;
    return arena_strndup(arena, text, len);
}

static void on_end(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct reading *in = arg;
    struct wechat_message *message = in->message;
    char *dot;

    (void)name, (void)prefix, (void)uri;
    if (in->bad)
        return;
    if (in->depth-- > 1) {
        if (message->n == MESSAGE_MEMBERS_MOST) {
            give_up(in);
            return;
        }
        message->members[message->n++] = (struct member){ .name = arena_strdup(in->arena, in->path),
                                                          .value = trimmed(in->arena, in->text, in->len) };
    }
    dot = strrchr(in->path, '.');
    *(dot ? dot : in->path) = '\0';
    in->len = 0;
}

static void on_text(void *arg, const xmlChar *text, int len)
{
    struct reading *in = arg;

    if (in->bad)
        return;
    if (in->len + (size_t)len > MESSAGE_TEXT_MOST) {
        give_up(in);
        return;
    }
    memcpy(in->text + in->len, text, (size_t)len);
    in->len += (size_t)len;
}

/* Called before anything of it is read. */
static void on_doctype(void *arg, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    (void)name, (void)external, (void)system;
    give_up(arg);
}

static bool parse(struct reading *in, struct bytes text)
{
    xmlSAXHandler handler = {
        .initialized = XML_SAX2_MAGIC,
        .internalSubset = on_doctype,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .cdataBlock = on_text,
    };
    bool good;

    in->parser = xmlCreatePushParserCtxt(&handler, in, NULL, 0, NULL);
    if (!in->parser)
        abort();
    xmlCtxtUseOptions(in->parser, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_IGNORE_ENC);
    good = xmlParseChunk(in->parser, text.data, (int)text.len, 1) == XML_ERR_OK && in->parser->wellFormed && !in->bad;
    xmlFreeParserCtxt(in->parser);
    return good;
}

const char *wechat_member(const struct wechat_message *message, const char *name)
{
    for (size_t i = 0; i < message->n; i++)
        if (!strcmp(message->members[i].name, name))
            return message->members[i].value;
    return NULL;
}

/* ---- what it is ---------------------------------------------------------------------------------------------------------- */

struct named {
    const char *name;
    enum wechat_kind kind;
};

static const struct named kinds[] = {
    { "text", WECHAT_TEXT },   { "image", WECHAT_IMAGE },       { "voice", WECHAT_VOICE },
    { "video", WECHAT_VIDEO }, { "shortvideo", WECHAT_VIDEO },  { "location", WECHAT_LOCATION },
    { "link", WECHAT_LINK },   { "device_text", WECHAT_NOTED }, { "device_event", WECHAT_NOTED },
    { "file", WECHAT_NOTED },  { "hardware", WECHAT_NOTED },    { "miniprogrampage", WECHAT_NOTED },
    { "music", WECHAT_NOTED }, { "news", WECHAT_NOTED },        { "transfer_customer_service", WECHAT_NOTED },
};

/* The platform writes them in capitals here and small letters there. */
static const struct named events[] = {
    { "subscribe", WECHAT_SUBSCRIBE },
    { "unsubscribe", WECHAT_UNSUBSCRIBE },
    { "scan", WECHAT_SUBSCRIBE },
    { "click", WECHAT_CLICK },
    { "location", WECHAT_NOTED },
    { "view", WECHAT_NOTED },
    { "view_miniprogram", WECHAT_NOTED },
    { "scancode_push", WECHAT_NOTED },
    { "scancode_waitmsg", WECHAT_NOTED },
    { "pic_sysphoto", WECHAT_NOTED },
    { "pic_photo_or_album", WECHAT_NOTED },
    { "pic_weixin", WECHAT_NOTED },
    { "location_select", WECHAT_NOTED },
    { "templatesendjobfinish", WECHAT_NOTED },
    { "masssendjobfinish", WECHAT_NOTED },
    { "subscribe_msg_popup_event", WECHAT_NOTED },
    { "subscribe_msg_change_event", WECHAT_NOTED },
    { "subscribe_msg_sent_event", WECHAT_NOTED },
    { "qualification_verify_success", WECHAT_NOTED },
    { "qualification_verify_fail", WECHAT_NOTED },
    { "naming_verify_success", WECHAT_NOTED },
    { "naming_verify_fail", WECHAT_NOTED },
    { "annual_renew", WECHAT_NOTED },
    { "verify_expired", WECHAT_NOTED },
    { "kf_create_session", WECHAT_NOTED },
    { "kf_close_session", WECHAT_NOTED },
    { "kf_switch_session", WECHAT_NOTED },
    { "poi_check_notify", WECHAT_NOTED },
    { "wificonnected", WECHAT_NOTED },
    { "shakearoundusershake", WECHAT_NOTED },
    { "card_pass_check", WECHAT_NOTED },
    { "card_not_pass_check", WECHAT_NOTED },
    { "card_pay_order", WECHAT_NOTED },
    { "card_sku_remind", WECHAT_NOTED },
    { "user_get_card", WECHAT_NOTED },
    { "user_gifting_card", WECHAT_NOTED },
    { "user_del_card", WECHAT_NOTED },
    { "user_consume_card", WECHAT_NOTED },
    { "user_pay_from_pay_cell", WECHAT_NOTED },
    { "user_view_card", WECHAT_NOTED },
    { "user_enter_session_from_card", WECHAT_NOTED },
    { "update_member_card", WECHAT_NOTED },
    { "submit_membercard_user_info", WECHAT_NOTED },
    { "user_scan_product", WECHAT_NOTED },
    { "user_scan_product_enter_session", WECHAT_NOTED },
    { "user_scan_product_async", WECHAT_NOTED },
    { "user_scan_product_verify_action", WECHAT_NOTED },
    { "user_authorize_invoice", WECHAT_NOTED },
    { "update_invoice_status", WECHAT_NOTED },
    { "submit_invoice_title", WECHAT_NOTED },
    { "enter_agent", WECHAT_NOTED },
    { "batch_job_result", WECHAT_NOTED },
    { "change_contact", WECHAT_NOTED },
    { "open_approval_change", WECHAT_NOTED },
    { "sys_approval_change", WECHAT_NOTED },
    { "modify_calendar", WECHAT_NOTED },
    { "delete_calendar", WECHAT_NOTED },
    { "modify_schedule", WECHAT_NOTED },
    { "delete_schedule", WECHAT_NOTED },
    { "book_meeting_room", WECHAT_NOTED },
    { "cancel_meeting_room", WECHAT_NOTED },
};

static enum wechat_kind find_kind(const struct named *names, size_t n, const char *name)
{
    for (size_t i = 0; name && i < n; i++)
        if (!strcasecmp(names[i].name, name))
            return names[i].kind;
    return WECHAT_UNKNOWN;
}

static enum wechat_kind kind_of(const struct wechat_message *message)
{
    const char *kind = wechat_member(message, "MsgType");

    if (kind && !strcmp(kind, "event"))
        return find_kind(events, COUNT(events), wechat_member(message, "Event"));
    return find_kind(kinds, COUNT(kinds), kind);
}

/* The platform's advice: a message by its MsgId, an event by sender and time. */
static const char *id_of(struct arena *arena, const struct wechat_message *message)
{
    const char *id = wechat_member(message, "MsgId"), *time = wechat_member(message, "CreateTime"),
               *event = wechat_member(message, "Event"), *key = wechat_member(message, "EventKey");

    if (id && *id && !event)
        return arena_printf(arena, "m%.32s", id);
    return arena_printf(arena, "e%.20s.%.60s.%.60s", time ? time : "", event ? event : "", key ? key : "");
}

struct wechat_message *wechat_read(struct arena *arena, struct bytes text)
{
    struct wechat_message *message;
    struct reading in = { .arena = arena };
    const char *to, *from;

    if (!text.len || !utf8_valid(text))
        return NULL;
    message = in.message = arena_alloc(arena, sizeof *message);
    in.text = malloc(MESSAGE_TEXT_MOST);
    if (!in.text)
        abort();
    if (!parse(&in, text))
        message = NULL;
    free(in.text);
    if (!message)
        return NULL;
    to = wechat_member(message, "ToUserName");
    from = wechat_member(message, "FromUserName");
    message->to = to ? to : "";
    message->from = from ? from : "";
    message->encrypted = wechat_member(message, "Encrypt");
    message->kind = kind_of(message);
    message->id = id_of(arena, message);
    return message;
}

/* ---- out ----------------------------------------------------------------------------------------------------------------- */

/* Memory is what the writer may run out of, nothing else. */
static void must(int written)
{
    if (written < 0)
        abort();
}

static struct bytes print_xml(struct arena *arena, const struct member *members, size_t n)
{
    xmlBuffer *buffer = xmlBufferCreate();
    xmlTextWriter *writer = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL;
    struct bytes out;

    if (!writer)
        abort();
    must(xmlTextWriterStartElement(writer, BAD_CAST "xml"));
    for (size_t i = 0; i < n; i++)
        must(xmlTextWriterWriteElement(writer, BAD_CAST members[i].name, BAD_CAST members[i].value));
    must(xmlTextWriterEndElement(writer));
    must(xmlTextWriterFlush(writer));
    xmlFreeTextWriter(writer);
    out.len = (size_t)xmlBufferLength(buffer);
    out.data = arena_strndup(arena, (const char *)xmlBufferContent(buffer), out.len);
    xmlBufferFree(buffer);
    return out;
}

struct bytes wechat_answer(struct arena *arena, const struct wechat_message *message, const char *text, long long now)
{
    size_t len = strlen(text);

    if (len > ANSWER_BYTES)
        for (len = ANSWER_BYTES; ((unsigned char)text[len] & 0xc0) == 0x80;)
            len--;
    return print_xml(arena,
                     (struct member[]){ { "ToUserName", message->from },
                                        { "FromUserName", message->to },
                                        { "CreateTime", arena_printf(arena, "%lld", now) },
                                        { "MsgType", "text" },
                                        { "Content", arena_strndup(arena, text, len) } },
                     5);
}

struct bytes wechat_envelope(struct arena *arena, const char *encrypted, const char *signature, const char *timestamp,
                             const char *nonce)
{
    return print_xml(
        arena,
        (struct member[]){
            { "Encrypt", encrypted }, { "MsgSignature", signature }, { "TimeStamp", timestamp }, { "Nonce", nonce } },
        4);
}
