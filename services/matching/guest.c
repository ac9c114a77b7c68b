#include "services/matching/guest.h"

#include "services/matching/index.h"
#include "services/matching/words.h"

#define SCRATCH_BYTES ((size_t)16 << 20)

struct guest_maker {
    struct dictionary unknown; /* terms that the snapshot does not have */
    struct words *words;
    struct arena scratch;
    struct profile_maker maker;
    struct profile *guests[GUESTS_MAX];
    size_t count;
};

void
guest_maker_destroy(struct guest_maker **maker)
{
    struct guest_maker *gone = take(maker);

    if (!gone)
        return;
    for (size_t i = 0; i < gone->count; i++)
        profile_drop(gone->guests[i]);
    dictionary_fini(&gone->unknown);
    words_destroy(&gone->words);
    arena_fini(&gone->scratch);
    free(gone);
}

struct status
guest_maker_create(const struct snapshot *snapshot, struct arena *arena,
                   struct guest_maker **ret)
{
    scoped(guest_maker_destroy) struct guest_maker *made = calloc(1, sizeof *made);

    TRY(need(made));
    arena_init(&made->scratch, SCRATCH_BYTES);
    TRY(words_create(arena, &made->words));
    made->maker = (struct profile_maker){.vocabulary = snapshot->vocabulary,
                                         .dictionary = &made->unknown,
                                         .words = made->words,
                                         .scratch = &made->scratch,
                                         .known = index_dictionary(snapshot->index),
                                         .known_count = snapshot->term_count -
                                                        vocabulary_terms(snapshot->vocabulary)};
    *ret = take(&made);
    return OK;
}

struct status
guest_make(struct guest_maker *maker, const struct profile_row *row, struct arena *arena,
           const struct profile **ret)
{
    if (maker->count == GUESTS_MAX)
        return FAIL(arena, RESOURCE_EXHAUSTED, "more than %d profiles in one request",
                    GUESTS_MAX);
    TRY(profile_create(&maker->maker, row, arena, &maker->guests[maker->count]));
    *ret = maker->guests[maker->count++];
    return OK;
}
