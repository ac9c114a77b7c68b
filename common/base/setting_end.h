/* No include guard: see setting.h. */
#undef SETTING_UINT
#undef SETTING_BOOL
#undef SETTING_TEXT
#undef SETTING_SECRET
#undef SETTING_STRUCT
