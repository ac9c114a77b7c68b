/* Prints what happens: its position, type and id.
 *
 * usage: follow ENDPOINTS SERVER_PUBLIC_KEY_FILE OWN_KEY_NAME [AFTER [THROUGH [TYPE]...]]
 *
 * Ends when everything up to THROUGH (0: never) has been seen. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <samverka.h>

static int
complain(const struct samverka_error *error)
{
    fprintf(stderr, "follow: %s: %s\n", samverka_code_name(error->code), error->text);
    return 1;
}

int
main(int count, char **words)
{
    struct samverka_keys keys;
    char server_key[SAMVERKA_KEY_SIZE];
    struct samverka_place place = {NULL, server_key, &keys};
    struct samverka_wish wish = {0};
    struct samverka_follow *follow = NULL;
    struct samverka_batch batch = {0};
    struct samverka_error error;
    uint64_t through = count > 5 ? strtoull(words[5], NULL, 10) : 0;

    if (count < 4)
        return fputs("usage: follow ENDPOINTS SERVER_KEY_FILE KEY_NAME [AFTER]\n", stderr), 2;
    place.endpoints = words[1];
    wish.after = count > 4 ? strtoull(words[4], NULL, 10) : 0;
    wish.types = count > 6 ? (const char *const *)words + 6 : NULL;
    if (samverka_public_key_load(words[2], server_key, &error) != SAMVERKA_OK ||
        samverka_keys_load(words[3], &keys, &error) != SAMVERKA_OK ||
        samverka_follow_open(&place, &wish, &follow, &error) != SAMVERKA_OK)
        return complain(&error);
    while (!through || batch.through < through) {
        enum samverka_code code = samverka_follow_next(follow, 1000, &batch, &error);

        if (code == SAMVERKA_TIMEOUT || code == SAMVERKA_UNREACHABLE)
            continue;
        if (code != SAMVERKA_OK)
            break;
        for (size_t i = 0; i < batch.count; i++)
            printf("%" PRIu64 " %s %s\n", samverka_event_position(batch.events[i]),
                   samverka_event_type(batch.events[i]), samverka_event_id(batch.events[i]));
        fflush(stdout);
    }
    samverka_follow_close(follow);
    return !through || batch.through < through ? complain(&error) : 0;
}
