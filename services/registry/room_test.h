#pragma once

/* A stage for tests of registry's rooms against a real Postgres: two tenants, an organisation
 * or two, handlers called through the door in transactions of their own.  For tests alone; link
 * `service_test` first, so that what is announced is kept in stage.rpc.events. */

#include <sodium.h>
#include <string.h>

#include "common/pg/cursor.h"
#include "common/pg/pg_test.h"
#include "common/service/rpc_test.h"
#include "common/wire/contract.h"

#define OFFICER WIRE__V1__ROLE__PARTNERSHIP_OFFICER
#define COMPANY_A "0190a000-0000-7000-8000-0000000000c1" /* made by tenant A, in SE312 */
#define COMPANY_B "0190a000-0000-7000-8000-0000000000c2" /* without a region */
#define ACCOUNT_A "0190a000-0000-7000-8000-0000000000d1" /* a member of tenant A */
#define CONCEPT_1                                                                              \
    "0190a000-0000-7000-8000-0000000000e1" /* "energiledning", "energy management" */
#define CONCEPT_2 "0190a000-0000-7000-8000-0000000000e2" /* "welding" in English alone */
#define NOBODYS "0190a000-0000-7000-8000-00000000ffff"   /* the id of nothing */

struct stage {
    struct rpc_test rpc;
    struct pg *pg;
    struct pg_tx tx;
};

static const char *const stage_facts[] = {
    "TRUNCATE registry.tenant, registry.organisation, registry.concept, registry.account "
    "CASCADE",
    "INSERT INTO registry.tenant (id, slug, name, locale) VALUES "
    "('" TENANT_A "', 'tenant-a', 'A', 'sv'), ('" TENANT_B "', 'tenant-b', 'B', 'fi')",
    "INSERT INTO registry.organisation (id, created_by_tenant, name_langs, name_values, "
    "name_translated, name_folded, name_sort, type, ownership, country, nuts, nace) VALUES "
    "('" COMPANY_A "', '" TENANT_A
    "', '{sv}', '{Dalafrakt}', '{f}', 'dalafrakt', 'dalafrakt', 3, "
    "2, 'SE', 'SE312', '49.41'), "
    "('" COMPANY_B "', '" TENANT_A "', '{sv}', '{Falu Verkstad}', '{f}', 'falu verkstad', "
    "'falu verkstad', 3, 2, 'SE', NULL, NULL)",
    "INSERT INTO registry.concept (id, uri, vocabulary, vocabulary_version, kind, label_sv, "
    "label_en, label_folded, content_hash, sort_sv, sort_fi, sort_en) VALUES "
    "('" CONCEPT_1 "', 'x:1', 'own', '1', 1, 'energiledning', 'energy management', "
    "'energiledning', '1', 'energiledning', 'energy management', 'energy management'), "
    "('" CONCEPT_2
    "', 'x:2', 'own', '1', 1, '', 'welding', 'welding', '2', 'welding', 'welding', "
    "'welding')",
    "INSERT INTO registry.account (id, email, email_folded, display_name, password_hash, "
    "language, "
    "tenant_ids) VALUES ('" ACCOUNT_A "', 'a@example.org', 'a@example.org', 'Anna', 'x', 'sv', "
    "'{" TENANT_A "}')",
};

/* Runs as the superuser, whom no policy binds. */
static inline void
stage_sql(const char *sql)
{
    test_run("postgres", NULL, sql);
}

static inline void
stage_open(struct stage *stage, const struct pg_statement *const *const *rooms)
{
    const unsigned char secret[CURSOR_SECRET_BYTES] = {1};

    log_init("test", "", LOG_ERROR_LEVEL);
    assert_true(sodium_init() >= 0);
    cursor_set_secret(secret);
    for (size_t i = 0; i < COUNT_OF(stage_facts); i++)
        stage_sql(stage_facts[i]);
    stage_sql(
        "INSERT INTO registry.membership (tenant_id, account_id, roles) VALUES ('" TENANT_A
        "', '" ACCOUNT_A "', '{13}')");
    rpc_test_init(&stage->rpc, OFFICER);
    stage->rpc.principal.tenant_id = TENANT_A;
    stage->rpc.principal.subject_id = ACCOUNT_A;
    stage->pg = test_pg("app_registry", rooms);
    stage->rpc.call.pg = stage->pg;
}

static inline void
stage_close(struct stage *stage)
{
    pg_tx_end(&stage->tx);
    pg_destroy(&stage->pg);
    rpc_test_fini(&stage->rpc);
}

static inline void
stage_begin(struct stage *stage, const char *tenant_id)
{
    const struct pg_scope scope = scope_of(tenant_id, TEST_MS);

    assert_ok(pg_tx_begin(stage->pg, &scope, &stage->rpc.arena, &stage->tx));
    stage->rpc.call.tx = &stage->tx;
}

/* Who calls from now on: one role, in a tenant ("" for none). */
static inline void
stage_act(struct stage *stage, Wire__V1__Role role, const char *tenant_id)
{
    stage->rpc.roles[0] = role;
    stage->rpc.principal.n_roles = 1;
    stage->rpc.principal.tenant_id = tenant_id;
    stage->rpc.principal.person_id = "";
    stage->rpc.principal.organisation_id = "";
}

/* As the framework calls: the contract's roles, a transaction in the caller's tenant, committed
 * when the handler agrees. */
static inline struct status
stage_call_into(struct stage *stage, const ProtobufCService *service, const char *method,
                const ProtobufCMessage *request, ProtobufCMessage **ret)
{
    const char *tenant_id = stage->rpc.principal.tenant_id;
    char name[100];
    const struct contract_rpc *rpc;
    struct status status;

    (void)snprintf(name, sizeof name, "%s/%s", service->descriptor->name, method);
    rpc = contract_find_rpc(name);
    if (!rpc)
        fail_msg("the contract has no %s", name);
    if (!(rpc->role_mask & (1u << stage->rpc.roles[0] | 1u << WIRE__V1__ROLE__ANYONE)))
        fail_msg("%s is not for role %d", name, (int)stage->rpc.roles[0]);
    stage->rpc.event_count = 0;
    if (rpc->transaction == WIRE__V1__TRANSACTION__NONE) { /* the handler opens what it needs */
        stage->rpc.call.tx = NULL;
        stage->rpc.call.deadline = in_ms(TEST_MS);
        return rpc_test_call_into(&stage->rpc, service, method, request, ret);
    }
    stage_begin(stage, *tenant_id ? tenant_id : NULL);
    status = rpc_test_call_into(&stage->rpc, service, method, request, ret);
    if (failed(status))
        pg_tx_end(&stage->tx);
    else
        status = pg_tx_commit(&stage->tx);
    return status;
}
#define stage_call(stage, service, method, request, reply)                                     \
    stage_call_into((stage), (service), (method), &(request)->base,                            \
                    (ProtobufCMessage **)(void *)(reply))

#define assert_field(step, name, wanted)                                                       \
    do {                                                                                       \
        const struct status field_status_ = (step);                                            \
        assert_string_equal(code_name(field_status_.code), #name);                             \
        assert_non_null(field_status_.field);                                                  \
        assert_string_equal(field_status_.field, wanted);                                      \
    } while (0)

/* The type of an announced event. */
static inline const char *
stage_event(const struct stage *stage, size_t index)
{
    assert_true(index < stage->rpc.event_count);
    return stage->rpc.events[index].data->descriptor->short_name;
}
