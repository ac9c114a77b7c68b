#pragma once

/* The reader's lower half: the text as tokens, and errors that name their place.  For the
 * json family, and for readers of JSON that is no message of the contract. */

#include "common/json/json_plan.h"

/* Where the reader is: a member's name, or an index in a list. */
struct json_step {
    enum { JSON_STEP_NONE, JSON_STEP_NAME, JSON_STEP_INDEX } kind;
    const char *name;
    size_t size; /* of the name, or the index */
};

struct json_reader {
    const char *at, *end;
    struct arena *arena;
    unsigned depth; /* steps taken = containers open */
    unsigned keys;
    const struct json_fields *closed; /* of the outermost message */
    struct json_step path[JSON_DEPTH];
};

enum json_token {
    JSON_TOKEN_STRING,
    JSON_TOKEN_NUMBER,
    JSON_TOKEN_TRUE,
    JSON_TOKEN_FALSE,
    JSON_TOKEN_NULL,
    JSON_TOKEN_OBJECT,
    JSON_TOKEN_ARRAY,
    JSON_TOKEN_BAD,
};

/* INVALID_ARGUMENT at the place the reader stands. */
must_use struct status json_refuse(struct json_reader *reader, const char *reason);

/* The next character that is not space; NUL at the end. */
static inline char
json_peek(struct json_reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\n' ||
                                        *reader->at == '\r' || *reader->at == '\t'))
        reader->at++;
    return reader->at < reader->end ? *reader->at : '\0';
}

/* Takes the next character if it is this one. */
static inline bool
json_accept(struct json_reader *reader, char wanted)
{
    if (json_peek(reader) != wanted)
        return false;
    reader->at++;
    return true;
}

/* The string that begins here, unescaped.  With `keep` it lives in the arena and ends in a NUL;
 * without, it may be a slice of the text. */
must_use struct status json_take_string(struct json_reader *reader, bool keep,
                                        struct json_slice *ret);

/* A scalar and its text, or the kind of container that begins here (its bracket is taken). */
must_use struct status json_take_token(struct json_reader *reader, bool keep,
                                       enum json_token *ret, struct json_slice *ret_text);

/* Goes one level down; `reader->depth--` comes back. */
must_use struct status json_open(struct json_reader *reader);

/* A member's name and colon.  The name stays in the path until the next one. */
must_use struct status json_take_key(struct json_reader *reader, struct json_slice *ret);

/* Any value, held to the limits of json.h, no name twice in an object; its own text, without
 * the space around it. */
must_use struct status json_take_value(struct json_reader *reader, struct json_slice *ret);
