#include "services/registry/concepts/concepts.h"

#include "services/registry/concepts/skills.h"
#include "services/registry/concepts/store.h"
#include "services/registry/room_test.h"
#include "services/registry/tenants/tenants.h"

#define OPERATOR WIRE__V1__ROLE__OPERATOR

static struct stage stage;

static int
set_up(void **state)
{
    const struct pg_statement *const *const rooms[] = {concepts_statements, tenants_statements,
                                                       NULL};

    (void)state;
    stage_open(&stage, rooms);
    stage_act(&stage, OPERATOR, TENANT_A);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    stage_close(&stage);
    return 0;
}

/* Up to 500 concepts "x:<from> ..." of a vocabulary, labelled "<word> 001" in English. */
static struct status
import(const char *vocabulary, const char *word, size_t from, size_t count,
       Registry__V1__ImportConceptsReply **reply)
{
    Registry__V1__ImportConceptsRequest request = REGISTRY__V1__IMPORT_CONCEPTS_REQUEST__INIT;
    struct arena *arena = &stage.rpc.arena;
    Registry__V1__ConceptImport **list =
        ARENA_ARRAY(arena, Registry__V1__ConceptImport *, count + 1);

    for (size_t i = 0; i < count; i++) {
        Registry__V1__ConceptImport *concept = ARENA_NEW(arena, Registry__V1__ConceptImport);
        Registry__V1__LocalText *label = ARENA_NEW(arena, Registry__V1__LocalText);

        registry__v1__concept_import__init(concept);
        registry__v1__local_text__init(label);
        label->lang = "en";
        label->value = arena_printf(arena, "%s %03zu", word, from + i);
        concept->uri = arena_printf(arena, "%s:%zu", vocabulary, from + i);
        concept->kind = REGISTRY__V1__CONCEPT_KIND__SKILL;
        concept->labels = ARENA_ARRAY(arena, Registry__V1__LocalText *, 1);
        concept->labels[0] = label;
        concept->n_labels = 1;
        if (i > 0) {
            concept->broader_uris = ARENA_ARRAY(arena, const char *, 1);
            concept->broader_uris[0] = list[0]->uri;
            concept->n_broader_uris = 1;
        }
        list[i] = concept;
    }
    request.vocabulary = vocabulary;
    request.vocabulary_version = "1";
    request.concepts = list;
    request.n_concepts = count;
    return stage_call(&stage, concepts_service, "ImportConcepts", &request, reply);
}

static struct status
get(const char *id, Registry__V1__Concept **ret)
{
    Registry__V1__GetConceptRequest request = REGISTRY__V1__GET_CONCEPT_REQUEST__INIT;
    Registry__V1__GetConceptReply *reply;

    request.concept_id = id;
    TRY(stage_call(&stage, concepts_service, "GetConcept", &request, &reply));
    *ret = reply->concept;
    return OK;
}

static Registry__V1__ListConceptsReply *
list(const char *label, const char *lang, const char *vocabulary, uint32_t size,
     const char *token)
{
    Registry__V1__ListConceptsRequest request = REGISTRY__V1__LIST_CONCEPTS_REQUEST__INIT;
    Registry__V1__ListConceptsReply *reply;

    request.label = label;
    request.lang = lang;
    request.vocabulary = vocabulary;
    request.page_size = size;
    request.page_token = token;
    assert_ok(stage_call(&stage, concepts_service, "ListConcepts", &request, &reply));
    return reply;
}

static void
an_import_creates_refreshes_and_leaves_alone(void **state)
{
    Registry__V1__ImportConceptsReply *reply;
    Registry__V1__Concept *before, *after;

    (void)state;
    assert_ok(import("own", "welding", 0, 3, &reply));
    assert_int_equal(reply->created, 3);
    assert_string_equal(stage_event(&stage, 0), "ConceptsChanged");
    assert_ok(get("own:1", &before));
    assert_ok(import("own", "welding", 0, 4, &reply));
    assert_int_equal(reply->unchanged, 3);
    assert_int_equal(reply->created, 1);
    assert_int_equal(
        ((const Registry__V1__ConceptsChanged *)stage.rpc.events[0].data)->n_concept_ids, 1);
    assert_ok(import("own", "soldering", 0, 3, &reply));
    assert_int_equal(reply->refreshed, 3);
    assert_ok(get("own:1", &after));
    assert_string_equal(before->concept_id, after->concept_id);
    assert_string_equal(after->labels[0]->value, "soldering 001");
    assert_ok(import("own", "soldering", 0, 3, &reply));
    assert_int_equal(reply->unchanged, 3);
    assert_int_equal(stage.rpc.event_count, 0);
}

static void
a_full_batch_is_announced_in_parts_that_fit(void **state)
{
    Registry__V1__ImportConceptsReply *reply;

    (void)state;
    assert_ok(import("own", "welding", 0, 500, &reply));
    assert_int_equal(reply->created, 500);
    assert_int_equal(stage.rpc.event_count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_true(protobuf_c_message_get_packed_size(stage.rpc.events[i].data) < 15000);
    assert_field(import("own", "welding", 0, 501, &reply), INVALID_ARGUMENT, "concepts");
    assert_field(import("own", "welding", 0, 0, &reply), INVALID_ARGUMENT, "concepts");
}

static void
a_concept_is_found_by_id_and_uri_with_what_is_broader(void **state)
{
    Registry__V1__ImportConceptsReply *reply;
    Registry__V1__Concept *by_uri, *by_id, *top;

    (void)state;
    assert_ok(import("own", "welding", 0, 2, &reply));
    assert_ok(get("own:0", &top));
    assert_ok(get("own:1", &by_uri));
    assert_ok(get(by_uri->concept_id, &by_id));
    assert_string_equal(by_id->uri, "own:1");
    assert_int_equal(by_id->n_broader_ids, 1);
    assert_string_equal(by_id->broader_ids[0], top->concept_id);
    assert_true(by_id->active);
    assert_code(get("own:9", &top), NOT_FOUND);
    assert_code(get(NOBODYS, &top), NOT_FOUND);
    assert_field(get("", &top), INVALID_ARGUMENT, "concept_id");
}

static void
a_search_shows_beginnings_first_and_pages_without_gaps(void **state)
{
    Registry__V1__ImportConceptsReply *reply;
    const Registry__V1__ListConceptsReply *page;
    size_t seen = 0;

    (void)state;
    assert_ok(import("own", "arc WELDING", 0, 5, &reply));
    page = list("Weld", "en", "", 1, "");
    assert_int_equal(page->n_concepts, 1);
    assert_string_equal(page->concepts[0]->concept_id, CONCEPT_2);
    for (const char *token = page->next_page_token; *token; token = page->next_page_token) {
        page = list("Weld", "en", "", 2, token);
        for (size_t i = 0; i < page->n_concepts; i++) {
            char label[30];

            (void)snprintf(label, sizeof label, "arc WELDING %03zu", seen++);
            assert_string_equal(page->concepts[i]->labels[0]->value, label);
        }
    }
    assert_int_equal(seen, 5);
    assert_int_equal(list("100%", "en", "", 0, "")->n_concepts, 0);
}

static void
a_list_is_ordered_by_the_language_asked_for(void **state)
{
    (void)state;
    assert_string_equal(list("", "sv", "", 0, "")->concepts[0]->concept_id, CONCEPT_1);
    stage_sql("UPDATE registry.concept SET sort_sv = 'zzz' WHERE id = '" CONCEPT_1 "'");
    assert_string_equal(list("", "sv", "", 0, "")->concepts[0]->concept_id, CONCEPT_2);
    assert_string_equal(list("", "en", "", 0, "")->concepts[0]->concept_id, CONCEPT_1);
}

static struct status
activate_beside(const char *vocabulary, bool beside, uint32_t *ret)
{
    Registry__V1__ActivateVocabularyRequest request =
        REGISTRY__V1__ACTIVATE_VOCABULARY_REQUEST__INIT;
    Registry__V1__ActivateVocabularyReply *reply;

    request.vocabulary = vocabulary;
    request.beside = beside;
    TRY(stage_call(&stage, concepts_service, "ActivateVocabulary", &request, &reply));
    *ret = reply->active_concepts;
    return OK;
}

static struct status
activate(const char *vocabulary, uint32_t *ret)
{
    return activate_beside(vocabulary, false, ret);
}

static void
a_vocabulary_may_stand_beside_the_one_in_use(void **state)
{
    Registry__V1__ImportConceptsReply *reply;
    Registry__V1__Concept *concept;
    uint32_t active;

    (void)state;
    assert_ok(import("yso", "welding", 0, 3, &reply));
    assert_ok(activate_beside("yso", true, &active));
    assert_int_equal(active, 3);
    assert_int_equal(list("", "en", "", 0, "")->n_concepts, 5);
    assert_ok(get(CONCEPT_1, &concept));
    assert_true(concept->active);
    assert_ok(activate("yso", &active));
    assert_int_equal(list("", "en", "", 0, "")->n_concepts, 3);
}

static void
another_vocabulary_waits_until_it_is_activated(void **state)
{
    Registry__V1__ImportConceptsReply *reply;
    Registry__V1__Concept *concept;
    uint32_t active;

    (void)state;
    assert_ok(import("esco", "welding", 0, 3, &reply));
    assert_int_equal(stage.rpc.event_count, 0);
    assert_ok(get("esco:0", &concept));
    assert_false(concept->active);
    assert_int_equal(list("", "en", "", 0, "")->n_concepts, 2);
    assert_int_equal(list("", "en", "esco", 0, "")->n_concepts, 3);
    assert_ok(activate("esco", &active));
    assert_int_equal(active, 3);
    assert_int_equal(stage.rpc.event_count, 1);
    assert_int_equal(
        ((const Registry__V1__ConceptsChanged *)stage.rpc.events[0].data)->n_concept_ids, 0);
    assert_int_equal(list("", "en", "", 0, "")->n_concepts, 3);
    assert_ok(get(CONCEPT_1, &concept)); /* stays readable */
    assert_false(concept->active);
    assert_code(activate("unheard", &active), NOT_FOUND);
    assert_int_equal(list("", "en", "", 0, "")->n_concepts, 3);
}

static void
a_uri_of_another_vocabulary_is_refused(void **state)
{
    Registry__V1__ImportConceptsReply *reply;

    (void)state;
    stage_sql("UPDATE registry.concept SET uri = 'esco:2' WHERE id = '" CONCEPT_1 "'");
    assert_field(import("esco", "welding", 0, 3, &reply), ALREADY_EXISTS, "concepts[2].uri");
}

static void
without_a_tenant_the_host_announces_and_its_lack_is_said(void **state)
{
    Registry__V1__ImportConceptsReply *reply;
    uint32_t active;

    (void)state;
    stage_act(&stage, OPERATOR, "");
    assert_code(import("own", "welding", 0, 1, &reply), FAILED_PRECONDITION);
    assert_code(activate("own", &active), FAILED_PRECONDITION);
    stage_sql("UPDATE registry.tenant SET host = true WHERE id = '" TENANT_B "'");
    assert_ok(import("own", "welding", 0, 1, &reply));
    assert_int_equal(stage.rpc.event_count, 1);
    assert_ok(activate("own", &active));
}

static void
skills_get_labels_in_the_language_or_the_nearest(void **state)
{
    Registry__V1__Skill first = REGISTRY__V1__SKILL__INIT, second = REGISTRY__V1__SKILL__INIT,
                        third = REGISTRY__V1__SKILL__INIT;
    Registry__V1__Skill *one[] = {&first}, *two[] = {&second, &third};
    const struct skill_list lists[] = {{one, 1}, {NULL, 0}, {two, 2}};
    struct skill_missing missing;

    (void)state;
    first.concept_id = third.concept_id = CONCEPT_1;
    second.concept_id = CONCEPT_2;
    stage_begin(&stage, TENANT_A);
    assert_ok(skills_label(&stage.tx, &stage.rpc.arena, LANG_SV, lists, 3, &missing));
    assert_false(missing.any);
    assert_string_equal(first.label, "energiledning");
    assert_string_equal(second.label, "welding");
    assert_string_equal(third.label, "energiledning");
    assert_ok(skills_label(&stage.tx, &stage.rpc.arena, LANG_FI, lists, 1, NULL));
    assert_string_equal(first.label, "energy management");
    third.concept_id = NOBODYS;
    assert_ok(skills_label(&stage.tx, &stage.rpc.arena, LANG_SV, lists, 3, &missing));
    assert_true(missing.any && missing.list == 2 && missing.item == 1);
    assert_field(skills_require(&stage.tx, &stage.rpc.arena, LANG_SV, "skills", two, 2),
                 FAILED_PRECONDITION, "skills[1].concept_id");
    assert_ok(skills_label(&stage.tx, &stage.rpc.arena, LANG_SV, NULL, 0, &missing));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_import_creates_refreshes_and_leaves_alone),
        TEST(a_full_batch_is_announced_in_parts_that_fit),
        TEST(a_concept_is_found_by_id_and_uri_with_what_is_broader),
        TEST(a_search_shows_beginnings_first_and_pages_without_gaps),
        TEST(a_list_is_ordered_by_the_language_asked_for),
        TEST(a_vocabulary_may_stand_beside_the_one_in_use),
        TEST(another_vocabulary_waits_until_it_is_activated),
        TEST(a_uri_of_another_vocabulary_is_refused),
        TEST(without_a_tenant_the_host_announces_and_its_lack_is_said),
        TEST(skills_get_labels_in_the_language_or_the_nearest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
