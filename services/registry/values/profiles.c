#include "services/registry/values/profiles.h"

#include "registry/v1/profiles.pb-c.h"

#define KEYS_MOST 250

static struct status
tell_some(struct call *call, enum profile_change change, const char *kind,
          const char *const *ids, size_t count)
{
    Registry__V1__ProfilesChanged changed = REGISTRY__V1__PROFILES_CHANGED__INIT;
    Registry__V1__ProfilesWithdrawn withdrawn = REGISTRY__V1__PROFILES_WITHDRAWN__INIT;
    Registry__V1__ProfileKey **keys;

    TRY(need(keys = ARENA_ARRAY(call->arena, Registry__V1__ProfileKey *, count)));
    for (size_t i = 0; i < count; i++) {
        TRY(need(keys[i] = ARENA_NEW(call->arena, Registry__V1__ProfileKey)));
        registry__v1__profile_key__init(keys[i]);
        keys[i]->kind = kind;
        keys[i]->id = ids[i];
    }
    changed.profiles = withdrawn.profiles = keys;
    changed.n_profiles = withdrawn.n_profiles = count;
    return call_emit(call,
                     (struct outbox_event){
                         .data = change == PROFILE_CHANGED ? &changed.base : &withdrawn.base,
                         .subject = ids[0],
                     });
}

struct status
profiles_tell(struct call *call, enum profile_change change, const char *kind,
              const char *const *ids, size_t count)
{
    for (size_t from = 0; from < count; from += KEYS_MOST)
        TRY(tell_some(call, change, kind, ids + from,
                      count - from < KEYS_MOST ? count - from : KEYS_MOST));
    return OK;
}
