#include "admin.h"
#include "base.h"
#include "cache.h"
#include "catalog.h"
#include "challenge.h"
#include "channels.h"
#include "db.h"
#include "desk.h"
#include "feed.h"
#include "fetch.h"
#include "helper.h"
#include "limit.h"
#include "number.h"
#include "openapi.h"
#include "outbox.h"
#include "parent.h"
#include "secret.h"
#include "session.h"
#include "settings.h"
#include "spool.h"
#include "static.h"
#include "sweep.h"
#include "upload.h"

/* The parts of the daemon, opened in this order and closed in reverse. */
static const struct module modules[] = {
    { .name = "secrets", .prepare = secret_load, .open = secret_watch, .close = secret_close },
    { .name = "cache", .prepare = cache_prepare, .open = cache_open, .close = cache_close },
    { .name = "helper", .open = helper_open, .close = helper_close },
    { .name = "database", .open = db_open, .close = db_close, .problem = spool_uncovered, .note = db_state },
    { .name = "catalog", .open = catalog_open, .close = catalog_close, .problem = catalog_problem },
    { .name = "numbers", .open = number_open, .close = number_close },
    { .name = "spool", .open = spool_open, .close = spool_close, .note = spool_note },
    { .name = "limits", .open = limit_open },
    { .name = "challenge", .open = challenge_open, .close = challenge_close, .note = challenge_note },
    { .name = "session", .open = session_open },
    { .name = "feed", .open = feed_open, .close = feed_close },
    { .name = "uploads", .open = upload_open, .close = upload_close },
    { .name = "desk", .open = desk_open },
    { .name = "admin", .open = admin_open },
    { .name = "fetch", .open = fetch_open, .close = fetch_close },
    { .name = "channels", .prepare = channels_prepare, .open = channels_open, .close = channels_close },
    { .name = "outbox", .open = outbox_open, .drain = outbox_drain, .close = outbox_close, .note = outbox_note },
    { .name = "description", .open = openapi_open },
    { .name = "sweep", .open = sweep_open, .close = sweep_close },
    { .name = "pages", .prepare = static_load, .open = static_open },
};

static const struct service services[] = {
    { .name = "helper", .prepare = helper_prepare, .run = helper_run },
    { .name = "files", .run = helper_run_files },
};

int main(int argc, char *argv[])
{
    switch (settings_load(argc, argv)) {
    case SETTINGS_SHOWN:
        return 0;
    case SETTINGS_BAD:
        return 2;
    case SETTINGS_RUN:
        break;
    }
    return parent_run(modules, COUNT(modules), services, COUNT(services));
}
