/* Adds each line of standard input as an event of its own; prints where batches came to stand.
 * usage: append ENDPOINTS SERVER_PUBLIC_KEY_FILE OWN_KEY_NAME SOURCE NEXT_BATCH TYPE */

#include <inttypes.h>
#include <samverka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum samverka_code
settle(struct samverka_append *append, size_t most, struct samverka_error *error)
{
    enum samverka_code code = SAMVERKA_OK;
    struct samverka_outcome outcome;

    while (code == SAMVERKA_OK && samverka_append_waiting(append) > most) {
        code = samverka_append_next(append, 1000, &outcome, error);
        if (code == SAMVERKA_OK)
            printf("%" PRIu64 " %" PRIu64 "\n", outcome.batch_number, outcome.first_position);
        else if (code == SAMVERKA_TIMEOUT || code == SAMVERKA_UNREACHABLE)
            code = SAMVERKA_OK; /* it repeats by itself */
    }
    return code;
}

int
main(int count, char **words)
{
    struct samverka_keys keys;
    char server_key[SAMVERKA_KEY_SIZE], id[37], line[4096];
    struct samverka_place place = {words[1], server_key, &keys};
    struct samverka_producer producer = {NULL, NULL, 0, 8};
    struct samverka_append *append = NULL;
    struct samverka_error error = {SAMVERKA_INVALID, "six words are needed", 0};
    uint64_t number;
    int bad = count != 7;

    if (!bad) {
        producer.source = words[4];
        producer.next_batch = strtoull(words[5], NULL, 10);
        bad = samverka_public_key_load(words[2], server_key, &error) != SAMVERKA_OK ||
              samverka_keys_load(words[3], &keys, &error) != SAMVERKA_OK ||
              samverka_append_open(&place, &producer, &append, &error) != SAMVERKA_OK;
    }
    while (!bad && fgets(line, sizeof line, stdin)) {
        struct samverka_new_event event = {id, words[6], NULL, 0, NULL, line, 0, NULL};

        samverka_new_id(id);
        event.data_size = strcspn(line, "\n");
        bad = samverka_append_event(append, &event, &error) != SAMVERKA_OK ||
              settle(append, 7, &error) != SAMVERKA_OK ||
              samverka_append_send(append, &number, &error) != SAMVERKA_OK;
    }
    bad = bad || settle(append, 0, &error) != SAMVERKA_OK;
    samverka_append_close(append);
    if (bad)
        fprintf(stderr, "append: %s: %s\n", samverka_code_name(error.code), error.text);
    return bad;
}
