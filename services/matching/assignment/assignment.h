#pragma once

/* The doors of rounds and timetables, for matching's main.c. */

#include "common/service/service.h"

extern const ProtobufCService *const rounds_service;
extern const ProtobufCService *const timetables_service;
extern const struct pg_statement *const *const rounds_statements;

/* Takes a person out of the rounds of the call's tenant, in transactions of its own: what
 * stands of an ended round stays under a code that means nobody; a round that has not ended
 * loses the student, and is to be solved again.  Another time it does nothing. */
must_use struct status rounds_erase(struct call *call, const char *person_id);

/* Looks for rounds that are to be solved so often. */
#define ROUNDS_SOLVE_MS 500

/* Timer: solves what is requested.  Any number of instances may run it: a round is leased, and
 * one whose instance dies is taken again when its lease ends, with the same result. */
must_use struct status rounds_solve(struct call *call);
