#pragma once

/* The aggregate's door, for main.c. */

#include <protobuf-c/protobuf-c.h>

#include "common/pg/pg.h"

extern const ProtobufCService *const partnerships_service;
extern const struct pg_statement *const *const partnerships_statements;
