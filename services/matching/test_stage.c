#include "services/matching/test_stage.h"

#include "services/matching/head.h"
#include "services/matching/rules.h"
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

#define TENANTS                                                                                \
    "INSERT INTO registry.tenant (id, slug, name, locale) VALUES "                             \
    "('" TENANT_A "', 'dalarna', 'Dalarna', 'sv'), ('" TENANT_B                                \
    "', 'karelia', 'Karelia', 'fi')"

#define ORGANISATIONS                                                                          \
    "INSERT INTO registry.organisation (id, created_by_tenant, name_langs, name_values, "      \
    "name_translated, name_folded, name_sort, type, ownership, country, nuts, headcount) "     \
    "VALUES ('" STAGE_COMPANY "', '" TENANT_A "', '{sv}', '{Bolaget}', '{f}', 'bolaget', "     \
    "'bolaget', 3, 2, 'SE', 'SE312', 40), "                                                    \
    "('" STAGE_UNIVERSITY "', '" TENANT_A "', '{sv}', '{Skolan}', '{f}', 'skolan', 'skolan', " \
    "1, 1, 'SE', 'SE312', NULL)"

#define CONCEPT(number, sv, fi, en, broader)                                                   \
    "('0193a000-0000-7000-8ccc-00000000000" number "', 'urn:c" number                          \
    "', 'samverka', '1', 1, "                                                                  \
    "'" sv "', '" fi "', '" en "', '" sv "', '" broader "', 'x')"

#define CONCEPTS                                                                               \
    "INSERT INTO registry.concept (id, uri, vocabulary, vocabulary_version, kind, label_sv, "  \
    "label_fi, label_en, label_folded, broader_uris, content_hash) VALUES " CONCEPT(           \
        "1", "energi", "energia", "energy",                                                    \
        "{}") ", " CONCEPT("2", "energieffektivisering", "energiatehokkuus",                   \
                           "energy efficiency",                                                \
                           "{urn:c1}") ", " CONCEPT("3", "svetsning", "hitsaus", "welding",    \
                                                    "{}")

#define NEED                                                                                   \
    "INSERT INTO registry.need (tenant_id, id, organisation_id, text_langs, text_values, "     \
    "text_translated, concept_ids, concept_weights, nuts, visibility, state) VALUES "          \
    "('" TENANT_A "', '" STAGE_NEED "', '" STAGE_COMPANY "', '{sv}', "                         \
    "'{Vi vill satsa på energieffektivisering i produktionen.}', '{f}', "                     \
    "'{" STAGE_ENERGY "}', '{1000}', 'SE312', 1, 2)"

/* kind, visibility and talent pool as registry has them; `concept` 2 is energy efficiency. */
#define PERSON(tenant, id, kind, visibility, lang, text, concept, pool)                        \
    "('" tenant "', '" id "', " kind ", 'Namn Namnsson', 'namn', '{" lang "}', '{" text        \
    "}', '{f}', "                                                                              \
    "'{0193a000-0000-7000-8ccc-00000000000" concept "}', '{1000}', 'SE312', " visibility       \
                                                    ", " pool ")"

#define PEOPLE                                                                                         \
    "INSERT INTO registry.person (tenant_id, id, kind, display_name, name_sort, about_langs, "         \
    "about_values, about_translated, concept_ids, concept_weights, nuts, visibility, "                 \
    "talent_pool) VALUES " PERSON(                                                                     \
        TENANT_A, STAGE_RESEARCHER, "1", "1", "sv", "Forskar om energi i industrin.", "2",             \
        "true") ", " PERSON(TENANT_B, STAGE_FINN, "1", "3", "fi",                                      \
                            "Tutkin energiatehokkuutta teollisuudessa.", "2",                          \
                            "true") ", " PERSON(TENANT_A, STAGE_HIDDEN, "2", "1", "sv",                \
                                                "Vill vara dold.", "2",                                \
                                                "false") ", " PERSON(TENANT_B, STAGE_FOREIGN,          \
                                                                     "1", "1", "fi",                   \
                                                                     "Vain meille.", "2",              \
                                                                     "true") ", " PERSON(TENANT_A,     \
                                                                                         STAGE_WELDER, \
                                                                                         "1",          \
                                                                                         "1",          \
                                                                                         "sv",         \
                                                                                         "Sve"         \
                                                                                         "tsa"         \
                                                                                         "r.",         \
                                                                                         "3",          \
                                                                                         "tru"         \
                                                                                         "e")

static void
clear_database(void)
{
    stage_sql("TRUNCATE registry.person, registry.need, registry.concept, "
              "registry.organisation, registry.tenant, matching.suggestion, matching.listener, "
              "matching.idempotency, events.outbox CASCADE");
}

static void
fill_database(void)
{
    stage_sql(TENANTS);
    stage_sql(ORGANISATIONS);
    stage_sql(CONCEPTS);
    stage_sql(NEED);
    stage_sql(PEOPLE);
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
    clear_database();
    fill_database();
    stage_head = 0;
    stage_first_kept = 0;
    rpc_test_init(&stage->test, WIRE__V1__ROLE__PARTNERSHIP_OFFICER);
    stage->test.principal.tenant_id = TENANT_A;
    stage->test.call.clock = clock_system();
    stage->settings = (struct matching_settings){.suggest_least = 45000,
                                                 .suggest_most = 10,
                                                 .substance_least = 3000,
                                                 .boosts = "",
                                                 .rural_nuts = ""};
    for (unsigned i = 0; i < STAGE_INSTANCES; i++) {
        const struct pg_statement *const *const lists[] = {matching_statements,
                                                           outbox_statements, NULL};

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

static void
hear(struct stage *stage, unsigned instance, uint64_t position, const char *method,
     const ProtobufCMessage *event)
{
    ProtobufCMessage *ack;

    set_instance(stage, instance);
    stage->test.call.position = position;
    assert_ok(rpc_test_call_into(&stage->test, matching_inbox.service, method, event, &ack));
}

void
stage_changed(struct stage *stage, unsigned instance, uint64_t position, const char *kind,
              const char *id)
{
    Registry__V1__ProfilesChanged event = REGISTRY__V1__PROFILES_CHANGED__INIT;
    Registry__V1__ProfileKey key = REGISTRY__V1__PROFILE_KEY__INIT;
    Registry__V1__ProfileKey *keys[] = {&key};

    key.kind = kind;
    key.id = id;
    event.n_profiles = 1;
    event.profiles = keys;
    hear(stage, instance, position, "ProfilesChanged", &event.base);
}

void
stage_concepts_changed(struct stage *stage, unsigned instance, uint64_t position)
{
    const Registry__V1__ConceptsChanged event = REGISTRY__V1__CONCEPTS_CHANGED__INIT;

    hear(stage, instance, position, "ConceptsChanged", &event.base);
}

struct status
stage_call(struct stage *stage, unsigned instance, const char *method, bool write,
           const ProtobufCMessage *request, ProtobufCMessage **ret)
{
    const struct pg_scope scope = scope_of(stage->test.principal.tenant_id, TEST_MS);
    scoped(pg_tx_end) struct pg_tx tx = {0};

    set_instance(stage, instance);
    TRY(pg_tx_begin(stage->pg[instance], &scope, &stage->test.arena, &tx));
    stage->test.call.tx = &tx;
    TRY(rpc_test_call_into(&stage->test, matches_service, method, request, ret));
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
