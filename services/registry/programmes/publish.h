#pragma once

/* A timer of registry: what is built in becomes public fact and event, once. */

#include "common/service/call.h"

#define PROGRAMMES_PUBLISH_MS 10000

/* FAILED_PRECONDITION: a document was changed after its version had been published. */
must_use struct status programmes_publish(struct call *call);
