#include "services/gateway/text.h"

#include <string.h>

#define TEXT(name, sv, fi, en) TEXT_COMPLETE(sv, fi, en);
#include "services/gateway/texts.def"
#undef TEXT

static const struct text texts[] = {
#define TEXT(name, sv, fi, en) {{sv, fi, en}},
#include "services/gateway/texts.def"
#undef TEXT
};

static const char *const names[] = {
#define TEXT(name, sv, fi, en) #name,
#include "services/gateway/texts.def"
#undef TEXT
};

const char *
text_get(enum text_name name, enum lang lang)
{
    return texts[name].in[lang];
}

const char *
text_find(const char *name, size_t size, enum lang lang)
{
    for (size_t i = 0; i < TEXT_COUNT; i++)
        if (strlen(names[i]) == size && memcmp(names[i], name, size) == 0)
            return texts[i].in[lang];
    return NULL;
}
