/* One of several workers that share a durable consumer: each event is given to one of them, in
 * order per partition key, and to another when this one ends before it acknowledges.
 *
 * usage: worker ENDPOINTS SERVER_PUBLIC_KEY_FILE OWN_KEY_NAME CONSUMER
 *
 * Start as many as there is work for; what is not acknowledged comes again, so work must bear
 * to be done twice: here, a line is printed. */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include <samverka.h>

static volatile sig_atomic_t ended;

static void
end(int number)
{
    ended = number;
}

int
main(int count, char **words)
{
    struct samverka_keys keys;
    char server_key[SAMVERKA_KEY_SIZE];
    struct samverka_place place = {words[1], server_key, &keys};
    struct samverka_wish wish = {0};
    struct samverka_follow *follow = NULL;
    struct samverka_batch batch;
    struct samverka_error error = {SAMVERKA_INVALID, "four words are needed", 0};
    enum samverka_code code = SAMVERKA_INVALID;

    wish.consumer = count == 5 ? words[4] : NULL;
    wish.shared = true;
    wish.credit = 256; /* what one worker holds at most */
    if (count == 5 && samverka_public_key_load(words[2], server_key, &error) == SAMVERKA_OK &&
        samverka_keys_load(words[3], &keys, &error) == SAMVERKA_OK)
        code = samverka_follow_open(&place, &wish, &follow, &error);
    signal(SIGTERM, end);
    while (!ended &&
           (code == SAMVERKA_OK || code == SAMVERKA_TIMEOUT || code == SAMVERKA_UNREACHABLE)) {
        code = samverka_follow_next(follow, 1000, &batch, &error);
        if (code != SAMVERKA_OK)
            continue;
        for (size_t i = 0; i < batch.count; i++)
            printf("%" PRIu64 " %s\n", samverka_event_position(batch.events[i]),
                   samverka_event_id(batch.events[i]));
        fflush(stdout);
        if (batch.delivery)
            code = samverka_follow_ack(follow, batch.delivery, &error);
    }
    samverka_follow_close(follow);
    if (!ended)
        fprintf(stderr, "worker: %s: %s\n", samverka_code_name(error.code), error.text);
    return !ended;
}
