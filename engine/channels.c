#include "channels.h"

#include "channel.h"
#include "log.h"

static const struct channel *const channels[] = { &channel_web };

static size_t opened;

bool channels_open(void)
{
    for (; opened < COUNT(channels); opened++)
        if (!channels[opened]->open()) {
            log_error("channel_failed", "name=%s", channels[opened]->name);
            return false;
        }
    return true;
}

void channels_close(void)
{
    while (opened-- > 0)
        if (channels[opened]->close)
            channels[opened]->close();
    opened = 0;
}
