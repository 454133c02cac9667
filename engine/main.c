#include "base.h"
#include "db.h"
#include "parent.h"
#include "settings.h"
#include "static.h"

/* The parts of the daemon, opened in this order and closed in reverse. */
static const struct module modules[] = {
    { .name = "database", .open = db_open, .close = db_close, .problem = db_state },
    { .name = "pages", .prepare = static_load, .open = static_open },
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
    return parent_run(modules, COUNT(modules), NULL, 0);
}
