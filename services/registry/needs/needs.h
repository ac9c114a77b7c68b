#pragma once

/* The aggregate's door, for main.c. */

#include <protobuf-c/protobuf-c.h>

#include "common/service/call.h"

#define NEEDS_EXPIRE_MS 600000

extern const ProtobufCService *const needs_service;
extern const struct pg_statement *const *const needs_statements;

/* A timer's job: ends published needs past their last day. */
struct status needs_expire(struct call *call);
