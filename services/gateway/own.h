#pragma once

/* What the gateway answers itself: the handlers that routes.def names. */

struct exchange;

void own_session_create(struct exchange *exchange); /* session.c */
void own_session_get(struct exchange *exchange);
void own_session_delete(struct exchange *exchange);
void own_events_page(struct exchange *exchange);   /* event_page.c */
void own_events_ingest(struct exchange *exchange); /* ingest.c */
void own_events_stream(struct exchange *exchange); /* stream.c */
void own_log_page(struct exchange *exchange);      /* log_page.c */
void own_log_event(struct exchange *exchange);     /* log_page.c */
void own_cluster(struct exchange *exchange);       /* cluster.c */
void own_openapi(struct exchange *exchange);       /* document.c */
void own_asyncapi(struct exchange *exchange);
void own_schemas(struct exchange *exchange);
void own_schema(struct exchange *exchange);
void own_schema_proto(struct exchange *exchange);
void own_schema_proto_standard(struct exchange *exchange);
void own_home(struct exchange *exchange); /* page.c */
void own_docs(struct exchange *exchange);
void own_problem_page(struct exchange *exchange);
void own_asset(struct exchange *exchange);
