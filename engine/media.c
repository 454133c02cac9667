#include "media.h"

#include <stdint.h>
#include <string.h>

/* What is kept is listed, never what is dropped: nobody knows all the places where programs put positions. */

static unsigned byte_at(struct bytes file, size_t at)
{
    return (unsigned char)file.data[at];
}

static uint32_t big16(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;

    return (uint32_t)b[0] << 8 | b[1];
}

static uint32_t big32(const char *at)
{
    return big16(at) << 16 | big16(at + 2);
}

static uint32_t little32(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;

    return (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

static bool begins(struct bytes text, const char *with, size_t len)
{
    return text.len >= len && !memcmp(text.data, with, len);
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (!memcmp(name, *names, 4))
            return true;
    return false;
}

static bool clean_nothing(struct bytes file, media_sink *sink, void *arg)
{
    sink(arg, file.data, file.len);
    return true;
}

/* ---- JPEG ----------------------------------------------------------------------------------------------------------------- */

enum {
    SOI = 0xd8,
    EOI = 0xd9,
    SOS = 0xda,
    APP0 = 0xe0,
    APP1 = 0xe1,
    APP2 = 0xe2,
    APP14 = 0xee,
    APP15 = 0xef,
    COM = 0xfe
};

/* Exif's own numbers, in the order of bytes that it chose. */
static uint32_t exif16(const char *tiff, size_t at)
{
    uint32_t n = big16(tiff + at);

    return *tiff == 'M' ? n : (n >> 8 | (n & 0xff) << 8);
}

static uint32_t exif32(const char *tiff, size_t at)
{
    return *tiff == 'M' ? big32(tiff + at) : little32(tiff + at);
}

/* 1 to 8; 1 where nothing is said. */
static int orientation_of(struct bytes exif)
{
    enum { HEAD = 6, ENTRY = 12, ORIENTATION = 0x112, SHORT = 3 };
    const char *tiff = exif.data + HEAD;
    size_t len = exif.len > HEAD ? exif.len - HEAD : 0, at, n;

    if (!begins(exif, "Exif\0\0", HEAD) || len < 8 || (memcmp(tiff, "MM\0*", 4) && memcmp(tiff, "II*\0", 4)))
        return 1;
    at = exif32(tiff, 4);
    if (at > len - 2)
        return 1;
    n = exif16(tiff, at);
    for (at += 2; n-- > 0 && at + ENTRY <= len; at += ENTRY)
        if (exif16(tiff, at) == ORIENTATION && exif16(tiff, at + 2) == SHORT) {
            uint32_t value = exif16(tiff, at + 8);

            return value >= 1 && value <= 8 ? (int)value : 1;
        }
    return 1;
}

static void give_orientation(int orientation, media_sink *sink, void *arg)
{
    char segment[] = "\xff\xe1\0\x22"
                     "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0.\0\0\0\0\0";

    segment[29] = (char)orientation;
    sink(arg, segment, sizeof segment);
}

static bool is_kept(int marker, struct bytes body)
{
    if (marker == APP0 || marker == APP14)
        return true;
    if (marker == APP2)
        return begins(body, "ICC_PROFILE", 12);
    return !(marker >= APP0 && marker <= APP15) && marker != COM;
}

/* The end of a scan's data: the next marker that is no restart, or the end of the file. */
static size_t scan_end(struct bytes file, size_t at)
{
    for (; at + 1 < file.len; at++) {
        unsigned next = byte_at(file, at + 1);

        if (byte_at(file, at) == 0xff && next != 0 && next != 0xff && !(next >= 0xd0 && next <= 0xd7))
            return at;
    }
    return file.len;
}

static bool clean_jpeg(struct bytes file, media_sink *sink, void *arg)
{
    bool turned = false, scanned = false;
    size_t at = 2, from;

    if (!begins(file, "\xff\xd8", 2))
        return false;
    sink(arg, file.data, 2);
    while (at + 4 <= file.len && byte_at(file, at) == 0xff) {
        int marker = (int)byte_at(file, at + 1);
        struct bytes body;
        size_t len;

        if (marker == 0xff) { /* filling */
            at++;
            continue;
        }
        if (marker == EOI)
            break;
        len = big16(file.data + at + 2);
        if (marker < 0xc0 || (marker >= 0xd0 && marker <= SOI) || len < 2 || at + 2 + len > file.len)
            return false;
        body = (struct bytes){ file.data + at + 4, len - 2 };
        if (marker == APP1 && !turned && orientation_of(body) > 1) {
            give_orientation(orientation_of(body), sink, arg);
            turned = true;
        }
        if (is_kept(marker, body))
            sink(arg, file.data + at, len + 2);
        at += len + 2;
        if (marker == SOS) {
            from = at;
            at = scan_end(file, at);
            sink(arg, file.data + from, at - from);
            scanned = true;
        }
    }
    if (at < file.len && (byte_at(file, at) != 0xff || (at + 1 < file.len && byte_at(file, at + 1) != EOI)))
        return false;
    sink(arg, "\xff\xd9", 2); /* what follows is another picture, a film, or hidden */
    return scanned;
}

/* ---- PNG ------------------------------------------------------------------------------------------------------------------ */

static bool clean_png(struct bytes file, media_sink *sink, void *arg)
{
    static const char *const kept[] = { "tRNS", "gAMA", "cHRM", "sRGB", "iCCP", "sBIT", "pHYs",
                                        "bKGD", "acTL", "fcTL", "fdAT", "cICP", NULL };
    size_t at = 8;

    if (!begins(file, "\x89PNG\r\n\x1a\n", 8))
        return false;
    sink(arg, file.data, 8);
    while (at + 12 <= file.len) {
        size_t len = big32(file.data + at);
        const char *name = file.data + at + 4;

        if (len > file.len - at - 12)
            return false;
        if (!(*name & 0x20) || is_one_of(name, kept)) /* a capital: nobody can do without it */
            sink(arg, file.data + at, len + 12);
        at += len + 12;
        if (!memcmp(name, "IEND", 4))
            return true;
    }
    return false;
}

/* ---- WebP ----------------------------------------------------------------------------------------------------------------- */

static const char *const webp_kept[] = { "VP8 ", "VP8L", "VP8X", "ALPH", "ANIM", "ANMF", "ICCP", NULL };

/* Bytes that are kept after "WEBP"; 0: it is broken.  With a sink they are given to it. */
static size_t webp_chunks(struct bytes file, media_sink *sink, void *arg)
{
    enum { EXIF = 0x08, XMP = 0x04 };
    size_t at = 12, sum = 0, end = (size_t)little32(file.data + 4) + 8;

    if (end > file.len)
        return 0;
    while (at + 8 <= end) {
        const char *name = file.data + at;
        size_t len = little32(file.data + at + 4), whole = 8 + len + (len & 1);

        if (len > end - at - 8)
            return 0;
        if (is_one_of(name, webp_kept)) {
            bool extended = !memcmp(name, "VP8X", 4) && len >= 1;
            char flags = extended ? (char)(name[8] & ~(EXIF | XMP)) : 0;

            if (sink && extended) {
                sink(arg, name, 8);
                sink(arg, &flags, 1);
                sink(arg, name + 9, len - 1);
            } else if (sink) {
                sink(arg, name, 8 + len);
            }
            if (sink && (len & 1))
                sink(arg, "", 1);
            sum += whole;
        }
        at += whole;
    }
    return sum;
}

static bool clean_webp(struct bytes file, media_sink *sink, void *arg)
{
    char head[12] = "RIFF....WEBP";
    size_t sum;

    if (!begins(file, "RIFF", 4) || file.len < 12 || memcmp(file.data + 8, "WEBP", 4) != 0)
        return false;
    sum = webp_chunks(file, NULL, NULL);
    if (!sum)
        return false;
    sum += 4;
    for (int i = 0; i < 4; i++)
        head[4 + i] = (char)(sum >> (8 * i));
    sink(arg, head, sizeof head);
    return webp_chunks(file, sink, arg) > 0;
}

/* ---- MP4, QuickTime, M4A ---------------------------------------------------------------------------------------------------- */

enum { BOX_DEPTH = 4 };

static void give_zeros(size_t n, media_sink *sink, void *arg)
{
    static const char zeros[4096];

    for (; n > 0; n -= n < sizeof zeros ? n : sizeof zeros)
        sink(arg, zeros, n < sizeof zeros ? n : sizeof zeros);
}

/* Boxes keep their places, since the tables of a film name places in the file: what goes becomes empty room. */
static bool clean_boxes(struct bytes file, int depth, media_sink *sink, void *arg)
{
    static const char *const blanked[] = { "udta", "meta", "uuid", "free", "skip", "wide", "XMP_", NULL };
    static const char *const opened[] = { "moov", "trak", "mdia", "moof", "traf", NULL };
    size_t at = 0;

    while (file.len - at >= 8) {
        const char *name = file.data + at + 4;
        uint64_t len = big32(file.data + at);
        size_t head = 8;

        if (len == 1 && file.len - at >= 16) {
            len = (uint64_t)big32(file.data + at + 8) << 32 | big32(file.data + at + 12);
            head = 16;
        } else if (len == 0 && depth == 0) {
            len = file.len - at;
        }
        if (len < head || len > file.len - at)
            return false;
        if (is_one_of(name, blanked)) {
            sink(arg, file.data + at, 4);
            sink(arg, "free", 4);
            sink(arg, file.data + at + 8, head - 8);
            give_zeros((size_t)len - head, sink, arg);
        } else if (depth < BOX_DEPTH && is_one_of(name, opened)) {
            sink(arg, file.data + at, head);
            if (!clean_boxes((struct bytes){ file.data + at + head, (size_t)len - head }, depth + 1, sink, arg))
                return false;
        } else {
            sink(arg, file.data + at, (size_t)len);
        }
        at += (size_t)len;
    }
    give_zeros(file.len - at, sink, arg); /* QuickTime ends some lists with four zeros */
    return true;
}

static bool clean_film(struct bytes file, media_sink *sink, void *arg)
{
    return file.len >= 8 && !memcmp(file.data + 4, "ftyp", 4) && clean_boxes(file, 0, sink, arg);
}

/* ---- the table ------------------------------------------------------------------------------------------------------------- */

/* HEIC is not here: its position cannot be taken out without decoding it, and phones hand over JPEG when they are asked for it. */
static const struct {
    const char *sniffed;
    struct media media;
} kinds[] = {
    { "image/jpeg", { "image/jpeg", ".jpg", true, clean_jpeg } },
    { "image/png", { "image/png", ".png", true, clean_png } },
    { "image/webp", { "image/webp", ".webp", true, clean_webp } },
    { "video/mp4", { "video/mp4", ".mp4", true, clean_film } },
    { "video/quicktime", { "video/quicktime", ".mov", true, clean_film } },
    { "video/3gpp", { "video/3gpp", ".3gp", true, clean_film } },
    { "audio/x-m4a", { "audio/mp4", ".m4a", true, clean_film } },
    { "audio/mpeg", { "audio/mpeg", ".mp3", true, clean_nothing } },
    { "audio/amr", { "audio/amr", ".amr", false, clean_nothing } },
    { "audio/x-wav", { "audio/wav", ".wav", true, clean_nothing } },
    { "audio/ogg", { "audio/ogg", ".ogg", true, clean_nothing } },
    { "application/pdf", { "application/pdf", ".pdf", false, clean_nothing } },
};

const struct media *media_sniffed(const char *type)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (!strcasecmp(kinds[i].sniffed, type))
            return &kinds[i].media;
    return NULL;
}

const struct media *media_stored(const char *type)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (!strcmp(kinds[i].media.type, type))
            return &kinds[i].media;
    return NULL;
}

bool media_clean(const struct media *media, struct bytes file, media_sink *sink, void *arg)
{
    return media->clean(file, sink, arg);
}
