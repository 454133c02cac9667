/* hotlinectl: the command line for the people who run the hotline. */

#include "ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command commands[] = {
    { "migrate", "", 0, 0, migrate_options, migrate,
      "Bring the database up to the newest schema, rules and functions" },
    { "doctor", "", 0, 0, doctor_options, doctor, "Check the installation and say what to do" },
    { "user add", "LOGIN", 1, 1, user_add_options, user_add, "Create an account" },
    { "user list", "", 0, 0, user_list_options, user_list, "List accounts" },
    { "user passwd", "LOGIN", 1, 1, user_passwd_options, user_passwd, "Set a new password and end the sessions" },
    { "user disable", "LOGIN", 1, 1, NULL, user_disable, "Close an account and end its sessions" },
    { "user roles", "[LOGIN R[,R]]", 0, 2, NULL, user_roles, "List the roles, or set the roles of an account" },
    { "unit list", "[CODE]", 0, 1, unit_list_options, unit_list, "List the units, or one unit's subtree" },
    { "unit add", "CODE", 1, 1, unit_add_options, unit_add, "Add a unit" },
    { "unit end", "CODE", 1, 1, unit_end_options, unit_end, "Let a unit end: it gets no new tickets" },
    { "unit key", "CODE UNIT", 2, 2, unit_key_options, unit_key_make,
      "Make a key for a unit's own system, or renew it; prints the key" },
    { "door", "[NAME VALUE]", 0, 2, NULL, door,
      "Show how the public doors are guarded: challenge auto, on or off; phone_code on or off" },
    { "metrics show", "", 0, 0, metrics_show_options, metrics_show, "Print the closure figures of a period" },
    { "metrics verify", "", 0, 0, metrics_verify_options, metrics_verify, "Count the figures again from the events" },
    { "metrics fold", "", 0, 0, NULL, metrics_fold, "Fold the differences that commits left into the figures" },
    { "key rotate", "", 0, 0, key_rotate_options, key_rotate,
      "Seal contact data again under a new key, while engines run" },
    { "key list", "", 0, 0, key_list_options, key_list, "List the keys of contact data and what is under each" },
    { "key drop", "ID", 1, 1, key_drop_options, key_drop, "Take a key out of the file that nothing is under any more" },
    { "audit key", "FILE", 1, 1, audit_key_options, audit_key, "Make a key to sign roots with, print its public half" },
    { "audit sign", "", 0, 0, audit_sign_options, audit_sign, "Sign a root over what has grown since the last one" },
    { "audit export", "", 0, 0, NULL, audit_export, "Print the signed roots, to be kept elsewhere" },
    { "audit verify", "", 0, 0, audit_verify_options, audit_verify, "Compute every chain and root again" },
    { "import", "FILE…", 1, ARGS_MAX, import_options, import, "Take over the history of another system (JSON Lines)" },
    { "learn", "", 0, 0, learn_options, learn, "Learn from answered tickets which unit answers for what" },
    { "mask", "", 0, 0, NULL, mask,
      "Scan words that were never scanned for personal data, so that units may read them" },
    { "spool list", "", 0, 0, spool_options, spool_list, "Show what waits in the spool and what was put aside" },
    { "spool retry", "[NUMBER…]", 0, ARGS_MAX, spool_options, spool_retry,
      "Put complaints that were put aside back into the spool (without a number: all)" },
    { "notice list", "", 0, 0, notice_list_options, notice_list, "Show the notices that could not be sent" },
    { "notice retry", "ID…", 1, ARGS_MAX, NULL, notice_retry,
      "Send notices again that could not be sent (all: every one)" },
    { "notice drop", "ID…", 1, ARGS_MAX, NULL, notice_drop, "Give notices up that could not be sent" },
    { "link add", "CODE UNIT URL|MAILBOX", 3, 3, link_add_options, link_add,
      "Tell a unit of its tickets at this address; prints the secret of a webhook" },
    { "link list", "", 0, 0, NULL, link_list, "List the webhooks and mailboxes of units" },
    { "link end", "CODE", 1, 1, NULL, link_end, "Use a webhook or mailbox no more" },
    { "export records", "", 0, 0, export_options, export_records,
      "Write the record set for the province (JSON Lines), with digest, signature and our own score" },
    { "export scores", "", 0, 0, export_scores_options, export_scores, "List the exports and their scores" },
    { "sim on", "[TIME]", 0, 1, NULL, sim_on, "Mark an empty database as a simulation, whose clock people set" },
    { "sim off", "", 0, 0, NULL, sim_off, "Let an empty simulation run in real time again" },
    { "sim set", "TIME", 1, 1, NULL, sim_set, "Set the simulation's clock" },
    { "sim now", "", 0, 0, NULL, sim_show, "Show the simulation's clock" },
    { "sim advance", "DURATION", 1, 1, NULL, sim_advance, "Move the simulation's clock: '2 days', '36 hours'" },
    { "replay", "", 0, 0, replay_options, replay, "File real complaints in a simulation and play their whole lives" },
};

_Noreturn void fail(const char *format, ...)
{
    va_list list;

    fflush(stdout);
    fputs("hotlinectl: ", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    exit(1);
}

static void help_command(const struct command *command)
{
    printf("usage: hotlinectl %s%s%s [options]\n\n%s.\n\n", command->name, *command->wants ? " " : "", command->wants,
           command->help);
    for (const struct option *o = command->options; o && o->name; o++) {
        char head[64];

        snprintf(head, sizeof head, "--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
        printf("  %-24s %s\n", head, o->help);
    }
    printf("  %-24s %s\n", "--database CONNINFO",
           "the database, as an administrator (default: $HOTLINE_ADMIN_DATABASE)");
}

static int help(void)
{
    puts("usage: hotlinectl COMMAND [arguments] [options]\n");
    for (int i = 0; i < COUNT(commands); i++) {
        char head[64];

        snprintf(head, sizeof head, "%s %s", commands[i].name, commands[i].wants);
        printf("  %-26s %s\n", head, commands[i].help);
    }
    puts("\nhotlinectl COMMAND --help lists the options of a command.");
    return 0;
}

/* How many of the given words name this command; 0 when they do not. */
static int words_of(const char *name, int argc, char **argv)
{
    size_t first = strcspn(name, " ");

    if (argc < 1 || strlen(argv[0]) != first || strncmp(argv[0], name, first) != 0)
        return 0;
    if (!name[first])
        return 1;
    return argc > 1 && !strcmp(argv[1], name + first + 1) ? 2 : 0;
}

static bool asks_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            return true;
    return false;
}

int main(int argc, char **argv)
{
    struct args args;

    argc--, argv++;
    if (argc > 1 && !strcmp(argv[0], "help"))
        argc--, argv++, argv[argc] = "--help", argc++;
    for (int i = 0; i < COUNT(commands); i++) {
        int words = words_of(commands[i].name, argc, argv);

        if (!words)
            continue;
        if (asks_help(argc, argv)) {
            help_command(&commands[i]);
            return 0;
        }
        args_read(&args, &commands[i], argc - words, argv + words);
        return commands[i].run(&args);
    }
    if (argc == 0 || asks_help(argc, argv) || !strcmp(argv[0], "help"))
        return help();
    fail("no such command: %s%s%s (hotlinectl help lists them)", argv[0], argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
}
