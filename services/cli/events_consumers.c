/* samverka events consumers, and events forget USER CONSUMER. */

#include "services/cli/events.h"

#include <inttypes.h>

#include "events/v1/log.pb-c.h"

/* "-" where a column has nothing, so that every line has as many. */
static const char *
shown(const char *text)
{
    return *text ? text : "-";
}

static void
print_follower(const Events__V1__Follower *f)
{
    printf("%s\t%s\t%s\t%u\t%" PRIu64 "\t%" PRIu64 "\t%u\t%s\t", shown(f->user_id),
           shown(f->consumer), shown(f->instance), f->members, f->position, f->lag,
           f->events_per_second,
           f->blocked     ? "blocked"
           : *f->instance ? "reads"
                          : "away");
    for (size_t i = 0; i < f->n_types; i++)
        printf("%s%s", i ? "," : "", f->types[i]);
    puts(f->n_types ? "" : "-");
}

struct status
events_consumers(struct cli *cli)
{
    Events__V1__ListFollowersRequest request = EVENTS__V1__LIST_FOLLOWERS_REQUEST__INIT;
    const Events__V1__ListFollowersReply *list;
    ProtobufCMessage *reply;

    TRY(cli_call(cli, "events.v1.Log/ListFollowers", &request.base,
                 &events__v1__list_followers_reply__descriptor, NULL, cli->arena, &reply));
    list = (const Events__V1__ListFollowersReply *)reply;
    puts("user\tconsumer\tinstance\tmembers\tposition\tlag\tevents/s\tstate\ttypes");
    for (size_t i = 0; i < list->n_followers; i++)
        print_follower(list->followers[i]);
    fprintf(stderr, "the log ends at %" PRIu64 "; %u events a second enter it\n", list->head,
            list->events_per_second);
    return OK;
}

struct status
events_forget(struct cli *cli, const char *user, const char *consumer)
{
    Events__V1__ForgetConsumerRequest request = EVENTS__V1__FORGET_CONSUMER_REQUEST__INIT;
    ProtobufCMessage *reply;

    request.user_id = user;
    request.consumer = consumer;
    return cli_call(cli, "events.v1.Log/ForgetConsumer", &request.base,
                    &events__v1__forget_consumer_reply__descriptor, NULL, cli->arena, &reply);
}
