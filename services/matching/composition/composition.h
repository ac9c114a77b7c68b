#pragma once

/* The doors of the room, for main.c. */

#include "common/service/service.h"

extern const ProtobufCService *const compositions_service;
extern const struct pg_statement *const *const composition_statements;

/* Timer: solves what is queued, one after the other. */
#define COMPOSITION_JOB_MS 250
struct status composition_job_run(struct call *call);
