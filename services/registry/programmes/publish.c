#include "services/registry/programmes/publish.h"

#include <string.h>

#include "services/registry/programmes/programmes.h"
#include "services/registry/programmes/store.h"
#include "services/registry/registry.h"

static const struct published_rule_set *
find_published(const struct published_rule_set *published, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(published[i].name, name))
            return &published[i];
    }
    return NULL;
}

static struct status
publish(struct call *call, const struct rule_set *set)
{
    Registry__V1__RuleSetPublished event = REGISTRY__V1__RULE_SET_PUBLISHED__INIT;
    bool is_new;

    TRY(store_publish(call->tx, set, &is_new));
    if (!is_new)
        return OK;
    event.programme_code = set->programme;
    event.rule_set_version = set->name;
    event.checksum = set->checksum;
    return call_emit(call, (struct outbox_event){.data = &event.base,
                                                 .subject = set->name,
                                                 .audience = "public",
                                                 .programme = set->programme});
}

/* Publishes what is not published yet, in the host tenant's name. */
static struct status
publish_missing(struct call *call, const struct programmes *programmes)
{
    struct published_rule_set *published;
    size_t count;

    TRY(store_published(call->tx, call->arena, &published, &count));
    for (size_t i = 0; i < programmes_count(programmes); i++) {
        const struct rule_set *set = programmes_at(programmes, i);
        const struct published_rule_set *known = find_published(published, count, set->name);
        if (!known)
            TRY(publish(call, set));
        else if (strcmp(known->checksum, set->checksum))
            return FAIL(call->arena, FAILED_PRECONDITION,
                        "%s differs from the one published: a change needs a new version",
                        set->name);
    }
    return OK;
}

struct status
programmes_publish(struct call *call)
{
    const struct registry_state *state = call->state;
    const char *host;

    {
        scoped(pg_tx_end) struct pg_tx tx = {0};
        TRY(call_begin(call, NULL, true, &tx));
        TRY(store_host_tenant(&tx, call->arena, &host));
        TRY(call_commit(call));
    }
    if (!*host)
        return OK; /* the next turn will find it */
    {
        scoped(pg_tx_end) struct pg_tx tx = {0};
        TRY(call_begin(call, host, false, &tx));
        TRY(publish_missing(call, state->programmes));
        return call_commit(call);
    }
}
