#include "services/matching/test_stage.h"

#include "common/pg/cursor.h"
#include "services/matching/head.h"
#include "services/matching/store.h"

uint64_t stage_head, stage_first_kept;

struct status
head_read(struct call *call, uint64_t *ret_head, uint64_t *ret_first_kept)
{
    (void)call;
    *ret_head = stage_head;
    *ret_first_kept = stage_first_kept;
    return OK;
}

void
stage_sql(const char *sql)
{
    test_run("postgres", NULL, sql);
}

/* Tables with the columns of registry's views stand in for those, so that nothing here depends
 * on how registry keeps what it publishes. */
static void
set_scene(void)
{
    static const char *const once[] = {
        "CREATE SCHEMA stage",
        "CREATE TABLE stage.profiles AS TABLE registry.published_profiles WITH NO DATA",
        "ALTER TABLE stage.profiles ALTER wished_concept_ids SET DEFAULT '{}', "
        "ALTER wished_concept_weights SET DEFAULT '{}', ALTER wished_nuts SET DEFAULT '{}', "
        "ALTER wished_tags SET DEFAULT '{}'",
        "CREATE TABLE stage.concepts AS TABLE registry.published_concepts WITH NO DATA",
        "CREATE OR REPLACE VIEW registry.published_profiles AS TABLE stage.profiles",
        "CREATE OR REPLACE VIEW registry.published_concepts AS TABLE stage.concepts",
        "ALTER VIEW registry.published_profiles SET (security_invoker = false)",
        "ALTER VIEW registry.published_concepts SET (security_invoker = false)",
        "ALTER VIEW registry.published_profiles OWNER TO postgres",
        "ALTER VIEW registry.published_concepts OWNER TO postgres",
    };

    if (test_number("SELECT count(*) FROM pg_namespace WHERE nspname = 'stage'") == 0) {
        /* The real ones must be readable with the rights of the service's role. */
        test_run("app_matching", NULL, "SELECT count(*) FROM registry.published_profiles");
        test_run("app_matching", NULL, "SELECT count(*) FROM registry.published_concepts");
        for (size_t i = 0; i < COUNT_OF(once); i++)
            stage_sql(once[i]);
    }
    stage_sql(
        "TRUNCATE stage.profiles, stage.concepts, matching.suggestion, matching.listener, "
        "matching.idempotency, matching.saved_search, "
        "matching.search_hit, matching.roll, matching.shard_counts, events.outbox");
}

#define CONCEPTS                                                                               \
    "INSERT INTO stage.concepts (id, uri, broader, label_sv, label_fi, label_en, alt_sv, "     \
    "alt_fi, alt_en) VALUES "                                                                  \
    "('" STAGE_AREA "', 'urn:1', '{}', 'energi', 'energia', 'energy', '{}', '{}', '{}'), "     \
    "('" STAGE_ENERGY "', 'urn:2', '{" STAGE_AREA "}', 'energieffektivisering', "              \
    "'energiatehokkuus', 'energy efficiency', '{}', '{}', '{}'), "                             \
    "('" STAGE_WELDING "', 'urn:3', '{}', 'svetsning', 'hitsaus', 'welding', '{}', '{}', "     \
    "'{}')"

/* A statement that publishes a profile; all columns that matter here. */
static void
publish(const char *kind, const char *id, const char *tenant, const char *visibility,
        const char *concept, const char *text_sv, const char *text_fi)
{
    const bool person = strcmp(kind, "person") == 0;
    char sql[2048];

    (void)snprintf(
        sql, sizeof sql,
        "INSERT INTO stage.profiles (kind, id, tenant_id, person_kind, "
        "owner_organisation_id, organisation_type, visibility, shared_with, concept_ids, "
        "concept_weights, text_sv, text_fi, text_en, nuts, languages, isced_f, eqf, "
        "focus, themes, capacity, sme, version, updated_at) VALUES ('%s', '%s', '%s', "
        "'%s', '%s', 'company', '%s', '{}', '{%s}', '{1000}', '%s', '%s', '', 'SE312', "
        "'{}', '{}', 0, '{}', '{}', 1, false, 1, now())",
        kind, id, tenant, person ? "researcher" : "", person ? STAGE_UNIVERSITY : STAGE_COMPANY,
        visibility, concept, text_sv, text_fi);
    stage_sql(sql);
}

void
stage_publish_hidden(void)
{
    publish("person", STAGE_HIDDEN, TENANT_A, "private", STAGE_ENERGY, "Ville vara dold.", "");
}

void
stage_publish_researcher(void)
{
    publish("person", STAGE_RESEARCHER, TENANT_A, "private", STAGE_ENERGY,
            "Forskar om energi i industrin.", "");
}

static void
fill_database(void)
{
    stage_sql(CONCEPTS);
    publish("need", STAGE_NEED, TENANT_A, "private", STAGE_ENERGY,
            "Vi vill satsa på energieffektivisering i produktionen.", "");
    stage_publish_researcher();
    publish("person", STAGE_FINN, TENANT_B, "public", STAGE_ENERGY, "",
            "Tutkin energiatehokkuutta teollisuudessa.");
    publish("person", STAGE_FOREIGN, TENANT_B, "private", STAGE_ENERGY, "", "Vain meille.");
    publish("person", STAGE_WELDER, TENANT_A, "private", STAGE_WELDING, "Svetsar.", "");
}

static struct state *
make_state(struct stage *stage)
{
    const struct service service = {.name = "matching", .settings_values = &stage->settings};
    struct service_frame frame = {.service = &service};
    void *state;

    assert_ok(state_create(&frame, &stage->test.arena, &state));
    return state;
}

void
stage_begin(struct stage *stage)
{

    memset(stage, 0, sizeof *stage);
    log_init("matching", "test", LOG_WARN_LEVEL); /* without the notices of TRUNCATE */
    set_scene();
    fill_database();
    cursor_set_secret((const unsigned char[CURSOR_SECRET_BYTES]){7});
    stage_head = 0;
    stage_first_kept = 0;
    rpc_test_init(&stage->test, WIRE__V1__ROLE__PARTNERSHIP_OFFICER);
    stage->test.principal.tenant_id = TENANT_A;
    stage->test.call.clock = clock_system();
    stage->settings = (struct matching_settings){.shard = "1/1",
                                                 .suggest_least = 45000,
                                                 .suggest_most = 10,
                                                 .substance_least = 3000,
                                                 .boosts = "",
                                                 .rural_nuts = ""};
    for (unsigned i = 0; i < STAGE_INSTANCES; i++) {
        const struct pg_statement *const *const lists[] = {
            matching_statements, searches_statements, outbox_statements, NULL};

        stage->pg[i] = test_pg("app_matching", lists);
        assert_ok(pg_connect(stage->pg[i], in_ms(TEST_MS), &stage->test.arena));
        stage->state[i] = make_state(stage);
    }
}

void
stage_end(struct stage *stage)
{
    for (unsigned i = 0; i < STAGE_INSTANCES; i++) {
        state_destroy(stage->state[i]);
        pg_destroy(&stage->pg[i]);
    }
    rpc_test_fini(&stage->test);
}

static void
set_instance(struct stage *stage, unsigned instance)
{
    struct call *call = &stage->test.call;

    call->pg = stage->pg[instance];
    call->state = stage->state[instance];
    call->tx = NULL;
    call->position = 0;
    call->deadline = in_ms(TEST_MS);
}

uint64_t
stage_start(struct stage *stage, unsigned instance)
{
    uint64_t after = UINT64_MAX;

    set_instance(stage, instance);
    assert_ok(matching_inbox.start(&stage->test.call, &after));
    return after;
}

void
stage_set_shard(struct stage *stage, unsigned instance, uint32_t number, uint32_t count)
{
    stage->state[instance]->shard = (struct shard){number, count};
}

void
stage_exchange(struct stage *stage, unsigned instance)
{
    set_instance(stage, instance);
    assert_ok(exchange_run(&stage->test.call));
    matching_inbox.reached(stage->state[instance], 0, 0);
}

void
stage_hear(struct stage *stage, unsigned instance, uint64_t position, const char *method,
           const ProtobufCMessage *event)
{
    ProtobufCMessage *ack;

    set_instance(stage, instance);
    stage->test.call.position = position;
    assert_ok(rpc_test_call_into(&stage->test, matching_inbox.service, method, event, &ack));
}

struct status
stage_try_changed(struct stage *stage, unsigned instance, uint64_t position, const char *kind,
                  const char *id)
{
    Registry__V1__ProfilesChanged event = REGISTRY__V1__PROFILES_CHANGED__INIT;
    Registry__V1__ProfileKey key = REGISTRY__V1__PROFILE_KEY__INIT;
    Registry__V1__ProfileKey *keys[] = {&key};
    ProtobufCMessage *ack;

    key.kind = kind;
    key.id = id;
    event.n_profiles = 1;
    event.profiles = keys;
    set_instance(stage, instance);
    stage->test.call.position = position;
    return rpc_test_call_into(&stage->test, matching_inbox.service, "ProfilesChanged",
                              &event.base, &ack);
}

void
stage_changed(struct stage *stage, unsigned instance, uint64_t position, const char *kind,
              const char *id)
{
    assert_ok(stage_try_changed(stage, instance, position, kind, id));
}

void
stage_concepts_changed(struct stage *stage, unsigned instance, uint64_t position)
{
    const Registry__V1__ConceptsChanged event = REGISTRY__V1__CONCEPTS_CHANGED__INIT;

    stage_hear(stage, instance, position, "ConceptsChanged", &event.base);
}

struct status
stage_call(struct stage *stage, unsigned instance, const char *method, bool write,
           const ProtobufCMessage *request, ProtobufCMessage **ret)
{
    return stage_call_of(stage, matches_service, instance, method, write, request, ret);
}

struct status
stage_call_of(struct stage *stage, const ProtobufCService *service, unsigned instance,
              const char *method, bool write, const ProtobufCMessage *request,
              ProtobufCMessage **ret)
{
    const struct pg_scope scope = scope_of(stage->test.principal.tenant_id, TEST_MS);
    scoped(pg_tx_end) struct pg_tx tx = {0};

    set_instance(stage, instance);
    TRY(pg_tx_begin(stage->pg[instance], &scope, &stage->test.arena, &tx));
    stage->test.call.tx = &tx;
    TRY(rpc_test_call_into(&stage->test, service, method, request, ret));
    stage->test.call.tx = NULL;
    return write ? pg_tx_commit(&tx) : OK;
}

int64_t
stage_announced(const char *type)
{
    char sql[256];

    (void)snprintf(
        sql, sizeof sql,
        "SELECT count(*) FROM events.outbox WHERE position('%s'::bytea IN event) > 0", type);
    return test_number(sql);
}
