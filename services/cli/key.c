/* samverka key new NAME [--folder F] */

#include "services/cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_MOST 60

static bool
name_fits(const char *name)
{
    const size_t length = strlen(name);

    if (length == 0 || length > NAME_MOST)
        return false;
    for (const char *c = name; *c; c++)
        if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '-')
            return false;
    return true;
}

struct status
key_command(struct cli *cli, int count, char **words)
{
    const char *folder;
    struct key_pair pair;

    TRY(cli_option(cli, &count, words, "--folder", &folder));
    TRY(cli_no_more_options(cli, count, words));
    if (count != 2 || strcmp(words[0], "new") != 0)
        return FAIL(cli->arena, INVALID_ARGUMENT, "key new NAME [--folder F]");
    if (!name_fits(words[1]))
        return FAIL_FIELD(cli->arena, "NAME", "must be a-z, 0-9 and hyphens, at most %d",
                          NAME_MOST);
    if (!folder)
        folder = cli->settings.key_folder;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return FAIL_FIELD(cli->arena, "--folder", "cannot be made: %s", strerror(errno));
    TRY(key_pair_create(cli->arena, &pair));
    TRY(key_pair_store(folder, words[1], &pair, cli->arena));
    printf("%s\n", pair.public_text);
    return OK;
}
