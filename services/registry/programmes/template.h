#pragma once

/* Text templates of rule sets.
 *
 *     {over}                     the value as its kind is shown in the language
 *     {options:or}               a list joined by "or" instead of "and"
 *     {add:company|companies}    one of two forms, by the number in the value
 */

#include <stdbool.h>
#include <stddef.h>

struct template_piece {
    bool placeholder;
    const char *text; /* literal text, or the placeholder's name; not NUL-terminated */
    size_t size;
    bool joined_by_or;
    const char *one, *other; /* NULL: no forms */
    size_t one_size, other_size;
};

enum template_step { TEMPLATE_END, TEMPLATE_PIECE, TEMPLATE_BROKEN };

/* Takes the next piece at *cursor and moves it on.  BROKEN: a brace without its partner, an
 * empty name or form, a character that a name may not have. */
enum template_step template_next(const char **cursor, struct template_piece *ret);
