#pragma once

/* How the cluster is: what each service says of itself, asked every two seconds.  Loop thread.
 */

#include "services/gateway/gateway.h"

struct cluster;

must_use struct status cluster_create(struct gateway *gateway, struct arena *arena,
                                      struct cluster **ret);
/* No question may be under way: the client is destroyed. */
void cluster_destroy(struct cluster **cluster);

/* Each second. */
void cluster_tick(struct cluster *cluster);
