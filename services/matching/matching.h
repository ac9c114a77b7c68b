#pragma once

/* The doors of the room. */

#include "common/service/service.h"

extern const ProtobufCService *const matches_service;
extern const ProtobufCService *const shards_service;
extern const ProtobufCService *const texts_service;
extern const struct service_inbox matching_inbox;
