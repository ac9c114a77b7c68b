/* No include guard: see setting.h. */
#define SETTING_UINT(name, fallback, min, max, unit, doc) uint64_t name;
#define SETTING_BOOL(name, fallback, doc) bool name;
#define SETTING_TEXT(name, fallback, doc) const char *name;
#define SETTING_SECRET(name, doc) const char *name;
