#include "channels.h"

#include "channel.h"
#include "log.h"

static const struct channel *const channels[] = { &channel_web, &channel_app, &channel_notice, &channel_unit,
                                                  &channel_exchange, &channel_wechat };

static size_t opened;

bool channels_prepare(void)
{
    for (size_t i = 0; i < COUNT(channels); i++)
        if (channels[i]->prepare && !channels[i]->prepare()) {
            log_error("channel_failed", "name=%s", channels[i]->name);
            return false;
        }
    return true;
}

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
