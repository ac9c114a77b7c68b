#include "services/matching/engine/dead.h"

static size_t
size_of(uint32_t pages)
{
    return sizeof(struct dead) + pages * sizeof(struct dead_page *);
}

struct dead *
dead_create(uint32_t places)
{
    const uint32_t pages = places / (DEAD_PAGE_WORDS * 64) + 1;
    struct dead *dead = calloc(1, size_of(pages));

    if (dead) {
        dead->references = 1;
        dead->page_count = pages;
    }
    return dead;
}

void
dead_hold(struct dead *dead)
{
    dead->references++;
}

void
dead_drop(struct dead *dead)
{
    if (!dead || --dead->references > 0)
        return;
    for (uint32_t i = 0; i < dead->page_count; i++)
        if (dead->pages[i] && --dead->pages[i]->references == 0)
            free(dead->pages[i]);
    free(dead);
}

/* The page, which nobody else holds. */
static struct dead_page *
own_page(struct dead *dead, uint32_t number)
{
    struct dead_page *old = dead->pages[number];
    struct dead_page *page;

    if (old && old->references == 1)
        return old;
    page = calloc(1, sizeof *page);
    if (!page)
        return NULL;
    if (old) {
        memcpy(page->words, old->words, sizeof page->words);
        old->references--;
    }
    page->references = 1;
    dead->pages[number] = page;
    return page;
}

/* A copy of the table that shares the pages. */
static struct dead *
copy(const struct dead *dead)
{
    struct dead *made = malloc(size_of(dead->page_count));

    if (!made)
        return NULL;
    memcpy(made, dead, size_of(dead->page_count));
    made->references = 1;
    for (uint32_t i = 0; i < made->page_count; i++)
        if (made->pages[i])
            made->pages[i]->references++;
    return made;
}

struct status
dead_set(struct dead **dead, uint32_t place)
{
    const uint32_t block = place / 64;
    struct dead_page *page;

    if ((*dead)->references > 1) {
        struct dead *own = copy(*dead);

        TRY(need(own));
        dead_drop(*dead);
        *dead = own;
    }
    page = own_page(*dead, block / DEAD_PAGE_WORDS);
    TRY(need(page));
    page->words[block % DEAD_PAGE_WORDS] |= UINT64_C(1) << (place % 64);
    return OK;
}
