#include "common/base/setting.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/utf8.h"

#define PREFIX "SAMVERKA_"
/* The test tools' own variables: where with-servers put its Postgres and Redis. */
#define TEST_PREFIX PREFIX "TEST_"
#define FILE_SUFFIX "_FILE"
#define NAME_BYTES 64
#define VALUE_BYTES 4096 /* a line of a file, and so a value */

struct found {
    const struct setting *setting;
    void *values;
};

static struct found
find(const struct setting_set *sets, const char *name)
{
    for (; sets->table; sets++)
        for (const struct setting *at = sets->table; at->name; at++)
            if (!strcmp(at->name, name))
                return (struct found){at, sets->values};
    return (struct found){0};
}

static void *
member(const struct found *found)
{
    return (char *)found->values + found->setting->offset;
}

static struct status
parse_uint(const struct setting *setting, const char *text, struct arena *arena, uint64_t *ret)
{
    unsigned long long number = 0;
    char *end = NULL;

    errno = 0;
    if (isdigit((unsigned char)text[0]))
        number = strtoull(text, &end, 10);
    if (!end || *end || errno || number < setting->min || number > setting->max)
        return FAIL_FIELD(arena, setting->name,
                          "%s must be a whole number from %llu to %llu (%s)", setting->name,
                          (unsigned long long)setting->min, (unsigned long long)setting->max,
                          setting->unit);
    *ret = number;
    return OK;
}

static struct status
parse_bool(const struct setting *setting, const char *text, struct arena *arena, bool *ret)
{
    if (!strcmp(text, "true") || !strcmp(text, "yes") || !strcmp(text, "1"))
        *ret = true;
    else if (!strcmp(text, "false") || !strcmp(text, "no") || !strcmp(text, "0"))
        *ret = false;
    else
        return FAIL_FIELD(arena, setting->name, "%s must be true or false", setting->name);
    return OK;
}

/* The value itself is never part of a failure: it may be a secret. */
static struct status
assign(const struct found *found, const char *text, struct arena *arena)
{
    const struct setting *setting = found->setting;

    switch (setting->kind) {
    case SETTING_KIND_UINT:
        return parse_uint(setting, text, arena, member(found));
    case SETTING_KIND_BOOL:
        return parse_bool(setting, text, arena, member(found));
    case SETTING_KIND_TEXT:
    case SETTING_KIND_SECRET:
    case SETTING_KIND_END:
        break;
    }
    if (!utf8_text(text, strlen(text)))
        return FAIL_FIELD(arena, setting->name, "%s must be UTF-8", setting->name);
    text = arena_copy(arena, text);
    TRY(need(text));
    *(const char **)member(found) = text;
    return OK;
}

static struct status
load_defaults(const struct setting_set *sets, struct arena *arena)
{
    for (; sets->table; sets++)
        for (const struct setting *at = sets->table; at->name; at++)
            TRY(assign(&(struct found){at, sets->values}, at->default_text, arena));
    return OK;
}

static void
close_file(FILE **file)
{
    if (*file)
        (void)fclose(*file); /* only read from */
}

/* Reads a line without its end.  False at the end of the file; `*ret_long`: it did not fit. */
static bool
read_line(FILE *file, char line[VALUE_BYTES], bool *ret_long)
{
    size_t size;

    if (!fgets(line, VALUE_BYTES, file))
        return false;
    size = strlen(line);
    *ret_long = size == VALUE_BYTES - 1 && line[size - 1] != '\n';
    while (size && (line[size - 1] == '\n' || line[size - 1] == '\r'))
        line[--size] = '\0';
    return true;
}

static char *
trim(char *text)
{
    size_t size;

    while (*text == ' ' || *text == '\t')
        text++;
    size = strlen(text);
    while (size && (text[size - 1] == ' ' || text[size - 1] == '\t'))
        text[--size] = '\0';
    return text;
}

/* `name = value`; an empty line or a comment is nothing. */
static struct status
load_line(const struct setting_set *sets, char *line, const char *file, unsigned number,
          struct arena *arena)
{
    char *name = trim(line);
    char *equals = strchr(name, '=');
    struct found found;

    if (!*name || *name == '#')
        return OK;
    if (!equals)
        return FAIL_FIELD(arena, name, "%s line %u is not \"name = value\"", file, number);
    *equals = '\0';
    name = trim(name);
    found = find(sets, name);
    if (!found.setting)
        return FAIL_FIELD(arena, name, "%s line %u: there is no setting %s", file, number,
                          name);
    return assign(&found, trim(equals + 1), arena);
}

static struct status
load_file(const struct setting_set *sets, const char *path, struct arena *arena)
{
    scoped(close_file) FILE *file = fopen(path, "re");
    char line[VALUE_BYTES];
    bool too_long = false;

    if (!file)
        return FAIL_FIELD(arena, "settings-file", "%s cannot be read: %s", path,
                          strerror(errno));
    for (unsigned number = 1; read_line(file, line, &too_long); number++) {
        if (too_long)
            return FAIL_FIELD(arena, "settings-file", "%s line %u is longer than %d bytes",
                              path, number, VALUE_BYTES - 1);
        TRY(load_line(sets, line, path, number, arena));
    }
    if (ferror(file))
        return FAIL_FIELD(arena, "settings-file", "%s cannot be read", path);
    return OK;
}

/* The first line of the file is the value: secrets come as files, and files end in a newline.
 */
static struct status
assign_from_file(const struct found *found, const char *path, struct arena *arena)
{
    const char *name = found->setting->name;
    scoped(close_file) FILE *file = fopen(path, "re");
    char line[VALUE_BYTES] = "";
    bool too_long = false;

    if (!file)
        return FAIL_FIELD(arena, name, "the file of %s cannot be read: %s", name,
                          strerror(errno));
    if (!read_line(file, line, &too_long) && ferror(file))
        return FAIL_FIELD(arena, name, "the file of %s cannot be read", name);
    if (too_long)
        return FAIL_FIELD(arena, name, "the file of %s has a line longer than %d bytes", name,
                          VALUE_BYTES - 1);
    return assign(found, line, arena);
}

/* The setting's name in "SAMVERKA_RPC_BIND"'s `size` last bytes; empty: no setting can have it.
 */
static void
name_of(const char *variable, size_t size, char ret[NAME_BYTES])
{
    ret[0] = '\0';
    if (size >= NAME_BYTES)
        return;
    for (size_t i = 0; i < size; i++) {
        if (islower((unsigned char)variable[i])) {
            ret[0] = '\0'; /* one spelling only */
            return;
        }
        ret[i] = (char)tolower((unsigned char)variable[i]);
    }
    ret[size] = '\0';
}

static const char *
variable_find(char *const *environ_, const char *name, size_t size)
{
    for (; *environ_; environ_++)
        if (!strncmp(*environ_, name, size) && (*environ_)[size] == '=')
            return *environ_ + size + 1;
    return NULL;
}

/* One "SAMVERKA_X=value". */
static struct status
load_variable(const struct setting_set *sets, char *const *environ_, const char *variable,
              struct arena *arena)
{
    const size_t size = strcspn(variable, "=");
    const size_t prefix = strlen(PREFIX), suffix = strlen(FILE_SUFFIX);
    const char *value = variable + size + (variable[size] == '=');
    char name[NAME_BYTES];
    struct found found;

    name_of(variable + prefix, size - prefix, name);
    found = find(sets, name);
    if (found.setting)
        return assign(&found, value, arena);
    if (size > prefix + suffix && !strncmp(variable + size - suffix, FILE_SUFFIX, suffix)) {
        name_of(variable + prefix, size - prefix - suffix, name);
        found = find(sets, name);
    }
    if (!found.setting)
        return FAIL_FIELD(arena, arena_copy_n(arena, variable, size),
                          "the environment's %.*s is no setting of this service", (int)size,
                          variable);
    if (variable_find(environ_, variable, size - suffix))
        return FAIL_FIELD(arena, name, "%s is set twice: as a value and as a file", name);
    return assign_from_file(&found, value, arena);
}

struct status
setting_load(const struct setting_set *sets, const char *file, char *const *environ_,
             struct arena *arena)
{
    TRY(load_defaults(sets, arena));
    if (file)
        TRY(load_file(sets, file, arena));
    for (char *const *at = environ_; at && *at; at++)
        if (!strncmp(*at, PREFIX, strlen(PREFIX)) &&
            strncmp(*at, TEST_PREFIX, strlen(TEST_PREFIX)) != 0)
            TRY(load_variable(sets, environ_, *at, arena));
    return OK;
}

static void
print_value(const struct found *found, FILE *out)
{
    switch (found->setting->kind) {
    case SETTING_KIND_UINT:
        (void)fprintf(out, "%llu %s", *(const unsigned long long *)member(found),
                      found->setting->unit);
        break;
    case SETTING_KIND_BOOL:
        (void)fputs(*(const bool *)member(found) ? "true" : "false", out);
        break;
    case SETTING_KIND_TEXT:
        (void)fputs(*(const char *const *)member(found), out);
        break;
    case SETTING_KIND_SECRET:
        (void)fputs(**(const char *const *)member(found) ? "(set)" : "(empty)", out);
        break;
    case SETTING_KIND_END:
        break;
    }
}

/* Whoever prints looks at ferror(out) at the end, so single results are not looked at here. */
void
setting_print(const struct setting_set *sets, FILE *out)
{
    for (; sets->table; sets++)
        for (const struct setting *at = sets->table; at->name; at++) {
            (void)fprintf(out, "# %s\n%s = ", at->doc, at->name);
            print_value(&(struct found){at, sets->values}, out);
            (void)fputc('\n', out);
        }
}

static void
print_default(const struct setting *setting, FILE *out)
{
    if (setting->kind == SETTING_KIND_SECRET)
        (void)fputs("secret", out);
    else if (!*setting->default_text)
        (void)fputs("empty", out);
    else
        (void)fprintf(out, "`%s`", setting->default_text);
    if (setting->kind == SETTING_KIND_UINT)
        (void)fprintf(out, " | %llu to %llu %s", (unsigned long long)setting->min,
                      (unsigned long long)setting->max, setting->unit);
    else
        (void)fputs(setting->kind == SETTING_KIND_BOOL ? " | `true`, `false`" : " | text", out);
}

void
setting_print_markdown(const struct setting_set *sets, FILE *out)
{
    (void)fputs("| Setting | Environment | Default | Bounds | Meaning |\n"
                "|---|---|---|---|---|\n",
                out);
    for (; sets->table; sets++)
        for (const struct setting *at = sets->table; at->name; at++) {
            (void)fprintf(out, "| `%s` | `" PREFIX, at->name);
            for (const char *letter = at->name; *letter; letter++)
                (void)fputc(toupper((unsigned char)*letter), out);
            (void)fputs("` | ", out);
            print_default(at, out);
            (void)fprintf(out, " | %s |\n", at->doc);
        }
}
