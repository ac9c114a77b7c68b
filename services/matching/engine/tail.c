#include "services/matching/engine/tail.h"

#include "services/matching/engine/base.h"

#define PAGE_TERMS 256u
#define PAGES (DOCUMENT_TERM_LIMIT / PAGE_TERMS)
#define CHUNK_BYTES ((size_t)256 << 10)
#define LIST_LEAST 4u

struct tail_page {
    struct tail_list lists[PAGE_TERMS];
};

struct tail_chunk {
    struct tail_chunk *next;
    size_t used, size;
    _Alignas(64) char memory[];
};

static void *
get(struct tail *tail, size_t size)
{
    struct tail_chunk *chunk = tail->chunks;

    size = (size + 7) / 8 * 8;
    if (!chunk || chunk->size - chunk->used < size) {
        const size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;

        chunk = calloc(1, sizeof *chunk + room);
        if (!chunk)
            return NULL;
        chunk->size = room;
        chunk->next = tail->chunks;
        tail->chunks = chunk;
        tail->bytes += room;
    }
    chunk->used += size;
    return &chunk->memory[chunk->used - size];
}

void
tail_drop(struct tail *tail)
{
    if (!tail || --tail->references > 0)
        return;
    while (tail->chunks) {
        struct tail_chunk *next = tail->chunks->next;

        free(tail->chunks);
        tail->chunks = next;
    }
    free(tail->pages);
    free(tail);
}

static struct status
make_columns(struct tail *tail)
{
    const size_t room = tail->room;

    TRY(need(tail->ids = get(tail, room * sizeof *tail->ids)));
    TRY(need(tail->items = get(tail, room * sizeof *tail->items)));
    TRY(need(tail->from = get(tail, room * sizeof *tail->from)));
    TRY(need(tail->until = get(tail, room * sizeof *tail->until)));
    TRY(need(tail->order = get(tail, room * sizeof *tail->order)));
    TRY(need(tail->regions = get(tail, room * sizeof *tail->regions)));
    TRY(need(tail->grades = get(tail, room * sizeof *tail->grades)));
    TRY(need(tail->terms = get(tail, room * sizeof *tail->terms)));
    TRY(need(tail->term_counts = get(tail, room * sizeof *tail->term_counts)));
    TRY(need(tail->planes = get(tail, room / 64 * tail->class_count * sizeof *tail->planes)));
    tail->id_slot_count = 2 * tail->room;
    TRY(need(tail->id_slots = get(tail, tail->id_slot_count * sizeof *tail->id_slots)));
    for (uint32_t i = 0; i < tail->id_slot_count; i++)
        atomic_init(&tail->id_slots[i], TAIL_NONE);
    tail->pages = calloc(PAGES, sizeof *tail->pages);
    return need(tail->pages);
}

struct status
tail_create(uint32_t room, uint32_t class_count, struct tail **ret)
{
    struct tail *tail = calloc(1, sizeof *tail);
    struct status made = need(tail);

    if (failed(made))
        return made;
    tail->references = 1;
    tail->room = room;
    tail->class_count = class_count;
    made = make_columns(tail);
    if (failed(made)) {
        tail_drop(tail);
        return made;
    }
    *ret = tail;
    return OK;
}

static struct tail_list *
own_list(struct tail *tail, uint32_t term)
{
    struct tail_page *page =
        atomic_load_explicit(&tail->pages[term / PAGE_TERMS], memory_order_relaxed);

    if (!page) {
        page = get(tail, sizeof *page);
        if (!page)
            return NULL;
        atomic_store_explicit(&tail->pages[term / PAGE_TERMS], page, memory_order_release);
    }
    return &page->lists[term % PAGE_TERMS];
}

/* Makes room for one more place and the end mark. */
static struct status
grow_list(struct tail *tail, struct tail_list *list)
{
    const uint32_t room = list->room ? list->room * 2u : LIST_LEAST;
    const _Atomic(uint16_t) *old = atomic_load_explicit(&list->places, memory_order_relaxed);
    _Atomic(uint16_t) *places = get(tail, room * sizeof *places);

    TRY(need(places));
    for (uint32_t i = 0; i < room; i++)
        atomic_init(&places[i], i < list->count
                                    ? atomic_load_explicit(&old[i], memory_order_relaxed)
                                    : TAIL_NONE);
    atomic_store_explicit(&list->places, places, memory_order_release);
    list->room = room;
    return OK;
}

/* All that may fail comes before anything is appended; an empty list more does no harm. */
static struct status
make_room(struct tail *tail, const struct document *document, const uint32_t **ret_terms)
{
    uint32_t *terms = get(tail, (document->term_count + 1u) * sizeof *terms);

    TRY(need(terms));
    if (document->term_count > 0)
        memcpy(terms, document->terms, document->term_count * sizeof *terms);
    for (uint32_t i = 0; i < document->term_count; i++) {
        struct tail_list *list = own_list(tail, terms[i]);

        TRY(need(list));
        if (list->count + 1 >= list->room)
            TRY(grow_list(tail, list));
    }
    *ret_terms = terms;
    return OK;
}

static void
put_id(struct tail *tail, uint64_t id, uint16_t place)
{
    uint32_t slot = base_slot(id, tail->id_slot_count);

    while (atomic_load_explicit(&tail->id_slots[slot], memory_order_relaxed) != TAIL_NONE)
        slot = slot + 1 == tail->id_slot_count ? 0 : slot + 1;
    atomic_store_explicit(&tail->id_slots[slot], place, memory_order_release);
}

struct status
tail_put(struct tail *tail, const struct document *document)
{
    const uint32_t place = tail->count;
    _Atomic(uint64_t) *planes = &tail->planes[place / 64 * tail->class_count];

    TRY(make_room(tail, document, &tail->terms[place]));
    tail->term_counts[place] = document->term_count;
    tail->ids[place] = document->id;
    tail->items[place] = document->item;
    tail->from[place] = document->from;
    tail->until[place] = document->until;
    tail->order[place] = document->order;
    tail->regions[place] = document->region;
    tail->grades[place] = document->grade;
    for (uint32_t i = 0; i < tail->class_count; i++)
        if (document->classes >> i & 1)
            atomic_fetch_or_explicit(&planes[i], UINT64_C(1) << (place % 64),
                                     memory_order_relaxed);
    for (uint32_t i = 0; i < document->term_count; i++) {
        struct tail_list *list = own_list(tail, tail->terms[place][i]);
        _Atomic(uint16_t) *places = atomic_load_explicit(&list->places, memory_order_relaxed);

        atomic_store_explicit(&places[list->count++], (uint16_t)place, memory_order_relaxed);
    }
    put_id(tail, document->id, (uint16_t)place);
    tail->count++;
    return OK;
}

const _Atomic(uint16_t) *
tail_list(const struct tail *tail, uint32_t term)
{
    const struct tail_page *page;

    if (term >= DOCUMENT_TERM_LIMIT)
        return NULL;
    page = atomic_load_explicit(&tail->pages[term / PAGE_TERMS], memory_order_acquire);
    return page ? atomic_load_explicit(&page->lists[term % PAGE_TERMS].places,
                                       memory_order_acquire)
                : NULL;
}

uint32_t
tail_find(const struct tail *tail, uint32_t count, uint64_t id,
          bool (*is)(void *context, uint32_t place), void *context)
{
    uint32_t slot = base_slot(id, tail->id_slot_count);
    uint32_t place;

    while ((place = atomic_load_explicit(&tail->id_slots[slot], memory_order_acquire)) !=
           TAIL_NONE) {
        if (place < count && tail->ids[place] == id && is(context, place))
            return place;
        slot = slot + 1 == tail->id_slot_count ? 0 : slot + 1;
    }
    return UINT32_MAX;
}

void
tail_read(const struct tail *tail, uint32_t place, struct document *ret)
{
    const _Atomic(uint64_t) *planes = &tail->planes[place / 64 * tail->class_count];
    uint64_t classes = 0;

    for (uint32_t i = 0; i < tail->class_count; i++)
        classes |= (atomic_load_explicit(&planes[i], memory_order_relaxed) >> (place % 64) & 1)
                   << i;
    *ret = (struct document){.id = tail->ids[place],
                             .item = tail->items[place],
                             .terms = tail->terms[place],
                             .term_count = tail->term_counts[place],
                             .classes = classes,
                             .region = tail->regions[place],
                             .order = tail->order[place],
                             .from = tail->from[place],
                             .until = tail->until[place],
                             .grade = tail->grades[place]};
}
