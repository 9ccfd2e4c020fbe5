/* main.c - mapictl: words to a command, arguments taken apart. */
#include "backend/base/log.h"
#include "backend/base/utf.h"
#include "deploy/mapictl/ctl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command commands[] = {
#define COMMAND(fn, words, args, help) { cmd_##fn, words, args, help },
#include "deploy/mapictl/command.def"
#undef COMMAND
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

/* Options that stand alone; every other takes the next argument as its value. */
static const char *const alone[] = { "--password-stdin", "--no-password", "--no-mailbox", "--with-mailbox", "--revoke", "--request", "--response", "--full", "--prune", "--dry-run", "--force" };

/* All commands, or those of one group ("user"). */
static void help(FILE *f, const char *group)
{
    size_t n = strlen(group);
    fprintf(f, "usage: mapictl [--config FILE] [--json] COMMAND [ARGUMENTS]\n\n");
    for (size_t i = 0; i < COMMANDS; i++)
        if (n == 0 || (strncmp(commands[i].words, group, n) == 0 && commands[i].words[n] == ' '))
            fprintf(f, "  %-15s %s\n  %-15s   %s\n", commands[i].words, commands[i].arguments, "", commands[i].help);
    fprintf(f, "\nmapictl COMMAND --help shows one.  The configuration is the server's: --config, or $MAPIHTTPD_CONFIG.\n"
               "Exit codes: 0 done, 1 could not be done, 2 wrong usage, 3 a check or probe found a fault.\n");
}

static bool is_group(const char *word)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strncmp(commands[i].words, word, strlen(word)) == 0 && commands[i].words[strlen(word)] == ' ')
            return true;
    return false;
}

static int help_one(const struct command *c)
{
    printf("usage: mapictl %s %s\n%s\n", c->words, c->arguments, c->help);
    return CTL_OK;
}

static bool stands_alone(const char *option)
{
    for (size_t i = 0; i < sizeof alone / sizeof alone[0]; i++)
        if (strcmp(alone[i], option) == 0)
            return true;
    return false;
}

/* Does the command allow this option?  Its usage line names it. */
static bool allowed(const struct command *c, const char *option)
{
    const char *at = strstr(c->arguments, option);
    size_t n = strlen(option);
    return at != NULL && strchr(" ]|", at[n]) != NULL;
}

static const struct command *find(int argc, char **argv, int *used)
{
    char two[64];
    snprintf(two, sizeof two, "%s %s", argv[0], argc > 1 ? argv[1] : "");
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].words, two) == 0) {
            *used = 2;
            return &commands[i];
        }
        if (strcmp(commands[i].words, argv[0]) == 0) {
            *used = 1;
            return &commands[i];
        }
    }
    return NULL;
}

/* Global options may stand anywhere; "--" ends options. */
static int take_apart(struct ctl *c, int argc, char **argv)
{
    bool plain = false;
    c->argv = arena_array(c->a, char *, (size_t)argc + 1);
    for (int i = 0; i < argc; i++) {
        if (plain || strncmp(argv[i], "--", 2) != 0)
            c->argv[c->argc++] = argv[i];
        else if (argv[i][2] == '\0')
            plain = true;
        else if (strcmp(argv[i], "--json") == 0)
            c->json = true;
        else if (strcmp(argv[i], "--help") == 0)
            exit(help_one(c->command));
        else if (!allowed(c->command, argv[i]) || c->options == sizeof c->option / sizeof c->option[0]) {
            fprintf(stderr, "mapictl: %s does not know %s\n", c->command->words, argv[i]);
            return ctl_usage(c);
        } else if (stands_alone(argv[i])) {
            c->option[c->options].name = argv[i];
            c->option[c->options++].value = "";
        } else if (i + 1 == argc) {
            fprintf(stderr, "mapictl: %s needs a value\n", argv[i]);
            return ctl_usage(c);
        } else {
            c->option[c->options].name = argv[i];
            c->option[c->options++].value = argv[i + 1];
            i++;
        }
    }
    return CTL_OK;
}

/* Names and texts are kept as UTF-8; names of files may be anything. */
static int check_texts(struct ctl *c)
{
    const char *wrong = NULL, *usage = c->command->arguments;
    bool files = strstr(usage, "FILE") != NULL || strstr(usage, "DIRECTORY") != NULL;
    for (int i = 0; i < c->argc && !files; i++)
        wrong = utf8_valid(blob_str(c->argv[i])) ? wrong : c->argv[i];
    for (size_t i = 0; i < c->options; i++)
        wrong = utf8_valid(blob_str(c->option[i].value)) ? wrong : c->option[i].value;
    if (wrong == NULL)
        return CTL_OK;
    ctl_fail(c, ctl_text(c, wrong), "is not UTF-8: look at the character set of your terminal (LANG)");
    return CTL_USAGE;
}

static int configure(struct ctl *c)
{
    const char *why = NULL, *env = getenv("MAPIHTTPD_CONFIG");
    c->config = config_load(c->a, c->config_path != NULL ? c->config_path : env, &why);
    if (c->config == NULL)
        return ctl_fail(c, "configuration", why);
    log_open(NULL, LOGL_WARN, false);
    return CTL_OK;
}

int main(int argc, char **argv)
{
    static struct ctl c; /* not on the stack: who leaves early leaves nothing behind that nobody holds */
    c.a = arena_new((size_t)1 << 32);
    int at = 1, used = 0;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        if (strcmp(argv[at], "--json") == 0)
            c.json = true;
        else if (strcmp(argv[at], "--config") == 0 && at + 1 < argc)
            c.config_path = argv[++at];
        else {
            bool asked = strcmp(argv[at], "--help") == 0;
            help(asked ? stdout : stderr, "");
            return asked ? CTL_OK : CTL_USAGE;
        }
    }
    if (at + 1 < argc && strcmp(argv[at + 1], "--help") == 0 && is_group(argv[at])) {
        help(stdout, argv[at]);
        return CTL_OK;
    }
    if (at == argc || (c.command = find(argc - at, argv + at, &used)) == NULL) {
        if (at < argc)
            fprintf(stderr, "mapictl: no command \"%s%s%s\"\n", argv[at], at + 1 < argc ? " " : "", at + 1 < argc ? argv[at + 1] : "");
        help(stderr, "");
        return CTL_USAGE;
    }
    int rc = take_apart(&c, argc - at - used, argv + at + used);
    if (rc == CTL_OK)
        rc = check_texts(&c);
    if (rc == CTL_OK)
        rc = configure(&c);
    if (rc == CTL_OK)
        rc = c.command->run(&c);
    arena_free(c.a);
    return rc;
}
