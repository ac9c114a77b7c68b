#include "services/matching/texts.h"

#define TEXT(name, sv, fi, en) TEXT_COMPLETE(sv, fi, en);
#include "services/matching/texts.def"
#undef TEXT

static const struct text texts[TEXT_NAME_COUNT] = {
#define TEXT(name, sv, fi, en) [TEXT_##name] = {{sv, fi, en}},
#include "services/matching/texts.def"
#undef TEXT
};

static const char *const names[TEXT_NAME_COUNT] = {
#define TEXT(name, sv, fi, en) [TEXT_##name] = #name,
#include "services/matching/texts.def"
#undef TEXT
};

const char *
text_in(enum text_name name, enum lang lang)
{
    return texts[name].in[lang];
}

const char *
text_named(const char *value, enum lang lang)
{
    for (int name = TEXT_product; name < TEXT_NAME_COUNT; name++)
        if (strcmp(names[name], value) == 0)
            return texts[name].in[lang];
    return value;
}
