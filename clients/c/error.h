#pragma once

#include "clients/c/samverka.h"

/* Fills in the error, cutting a text that is too long, and returns its code. */
__attribute__((format(printf, 3, 4))) enum samverka_code
smv_fail(struct samverka_error *error, enum samverka_code code, const char *format, ...);
enum samverka_code smv_no_memory(struct samverka_error *error);

/* Whether the text is UTF-8 as RFC 3629 has it. */
bool smv_utf8(const char *text);

#define SMV_UUID_CHARS 36
/* In small letters, as the log writes ids of tenants. */
bool smv_uuid(const char *text);
