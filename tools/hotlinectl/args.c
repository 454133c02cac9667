#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct option common[] = { { "database", "CONNINFO", "" }, { NULL, NULL, NULL } };

static const struct option *find(const struct option *options, const char *name, size_t len)
{
    for (; options && options->name; options++)
        if (strlen(options->name) == len && !strncmp(options->name, name, len))
            return options;
    return NULL;
}

/* Read --name value, --name=value or --flag at argv[i]; returns how many words it took. */
static int read_option(struct args *args, int argc, char **argv)
{
    const char *name = argv[0] + 2, *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    const struct option *option = find(args->command->options, name, len);
    const char *value = equals ? equals + 1 : NULL;
    int taken = 1;

    if (!option)
        option = find(common, name, len);
    if (!option)
        fail("%s: no such option: %s", args->command->name, argv[0]);
    if (!option->value && value)
        fail("%s: --%s takes no value", args->command->name, option->name);
    if (option->value && !value) {
        if (argc < 2)
            fail("%s: --%s needs %s", args->command->name, option->name, option->value);
        value = argv[1];
        taken = 2;
    }
    if (args->n_options == ARGS_MAX)
        fail("%s: too many options", args->command->name);
    args->options[args->n_options].name = option->name;
    args->options[args->n_options++].value = value;
    return taken;
}

void args_read(struct args *args, const struct command *command, int argc, char **argv)
{
    memset(args, 0, sizeof *args);
    args->command = command;
    for (int i = 0; i < argc;) {
        if (!strncmp(argv[i], "--", 2) && argv[i][2]) {
            i += read_option(args, argc - i, argv + i);
            continue;
        }
        if (args->n == command->max)
            fail("%s: unexpected argument: %s", command->name, argv[i]);
        args->at[args->n++] = argv[i++];
    }
    if (args->n < command->min)
        fail("usage: hotlinectl %s %s (--help for the options)", command->name, command->wants);
}

const char *args_text(const struct args *args, const char *name, const char *otherwise)
{
    for (int i = args->n_options - 1; i >= 0; i--)
        if (!strcmp(args->options[i].name, name))
            return args->options[i].value ? args->options[i].value : "";
    return otherwise;
}

const char *args_must(const struct args *args, const char *name)
{
    const char *value = args_text(args, name, NULL);

    if (!value)
        fail("%s: --%s is missing", args->command->name, name);
    return value;
}

long args_number(const struct args *args, const char *name, long otherwise, long min, long max)
{
    const char *text = args_text(args, name, NULL);
    char *end;
    long value;

    if (!text)
        return otherwise;
    errno = 0;
    value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < min || value > max)
        fail("%s: --%s must be a number from %ld to %ld", args->command->name, name, min, max);
    return value;
}

int args_count(const struct args *args, const char *name)
{
    int n = 0;

    for (int i = 0; i < args->n_options; i++)
        n += !strcmp(args->options[i].name, name);
    return n;
}
