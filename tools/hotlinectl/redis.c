#include "redis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "settings.h"

redisContext *redis_connect(const char *address)
{
    static const struct timeval limit = { 2, 0 };
    char host[256];
    const char *colon = strrchr(address, ':');

    if (*address == '/')
        return redisConnectUnixWithTimeout(address, limit);
    snprintf(host, sizeof host, "%.*s", colon ? (int)(colon - address) : (int)strlen(address), address);
    return redisConnectWithTimeout(host, colon ? atoi(colon + 1) : 6379, limit);
}

void redis_password(redisContext *redis, const char *path)
{
    char password[256] = "";
    FILE *file = *path ? fopen(path, "r") : NULL;

    if (!file)
        return;
    if (fgets(password, sizeof password, file)) {
        password[strcspn(password, "\r\n")] = '\0';
        freeReplyObject(redisCommand(redis, "AUTH %s", password));
    }
    fclose(file);
}

bool settings_of(const struct args *args)
{
    const char *config = args_text(args, "config", NULL);
    char name[] = "hotlinectl", option[4200];
    char *const words[] = { name, option, NULL };

    snprintf(option, sizeof option, "--config=%s", config ? config : "");
    return settings_load(config ? 2 : 1, words) == SETTINGS_RUN;
}
