/* No include guard: see setting.h. */
#define SETTING_UINT(name, fallback, min, max, unit, doc)                                      \
    {#name, SETTING_KIND_UINT, offsetof(SETTING_STRUCT, name), #fallback, min, max, unit, doc},
#define SETTING_BOOL(name, fallback, doc)                                                      \
    {#name, SETTING_KIND_BOOL, offsetof(SETTING_STRUCT, name), #fallback, 0, 0, NULL, doc},
#define SETTING_TEXT(name, fallback, doc)                                                      \
    {#name, SETTING_KIND_TEXT, offsetof(SETTING_STRUCT, name), fallback, 0, 0, NULL, doc},
#define SETTING_SECRET(name, doc)                                                              \
    {#name, SETTING_KIND_SECRET, offsetof(SETTING_STRUCT, name), "", 0, 0, NULL, doc},
