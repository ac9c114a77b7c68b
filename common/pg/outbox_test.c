#include "common/pg/outbox.h"

#include <string.h>

#include "common/base/uuid.h"
#include "common/pg/pg_test.h"
#include "common/wire/contract.h"
#include "io/cloudevents/v1/cloudevents.pb-c.h"

typedef Io__Cloudevents__V1__CloudEvent Event;
typedef Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue Value;

#define PUBLIC_TYPE "org.samverka.need.published.v1"
#define INTERNAL_TYPE "org.samverka.concepts.changed.v1"
#define SUBJECT "0190c000-0000-7000-8000-00000000000c"

static const struct pg_statement *const *const rooms[] = {outbox_statements, NULL};

static struct arena arena;
static struct pg *pg;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    test_run("postgres", NULL, "DELETE FROM events.outbox");
    pg = test_pg("app_registry", rooms);
    outbox_set_source("https://samverka.example/");
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    pg_destroy(&pg);
    arena_fini(&arena);
    return 0;
}

static void
begin(struct pg_tx *tx, const char *tenant_id)
{
    const struct pg_scope scope = scope_of(tenant_id, TEST_MS);

    assert_ok(pg_tx_begin(pg, &scope, &arena, tx));
}

/* A message of the contract by its event type: this layer knows no service's own. */
static ProtobufCMessage *
message_of(const char *type)
{
    const struct contract_event *event = contract_find_event_type(type);
    ProtobufCMessage *message;

    assert_non_null(event);
    message = arena_alloc(&arena, event->descriptor->sizeof_message);
    assert_non_null(message);
    protobuf_c_message_init(event->descriptor, message);
    return message;
}

static const char **
field_of(ProtobufCMessage *message, const char *name)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);

    assert_non_null(field);
    return (const char **)((char *)message + field->offset);
}

/* The one row of the outbox, unpacked; `ret_internal` is its column. */
static Event *
taken(bool *ret_internal)
{
    static const struct pg_statement all = {
        "all", "SELECT tenant_id, internal, event FROM events.outbox"};
    static const struct pg_statement *const room[] = {&all, NULL};
    const struct pg_statement *const *const own_rooms[] = {room, NULL};
    const struct pg_scope scope = scope_of(NULL, TEST_MS);
    scoped(pg_destroy) struct pg *other = test_pg("postgres", own_rooms);
    scoped(pg_tx_end) struct pg_tx tx = {0};
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const uint8_t *bytes;
    const char *tenant_id;
    size_t size;
    Event *event;

    assert_ok(pg_tx_begin(other, &scope, &arena, &tx));
    assert_ok(pg_query(&tx, &all, PG_NONE, &rows));
    assert_ok(pg_one_row(
        &rows, &arena,
        PG_OUT(pg_to_text(&tenant_id), pg_to_bool(ret_internal), pg_to_bytes(&bytes, &size))));
    assert_string_equal(tenant_id, TENANT_A);
    event = (Event *)protobuf_c_message_unpack(&io__cloudevents__v1__cloud_event__descriptor,
                                               NULL, size, bytes);
    assert_non_null(event);
    return event;
}

static const Value *
attribute(const Event *event, const char *name)
{
    for (size_t i = 0; i < event->n_attributes; i++)
        if (strcmp(event->attributes[i]->key, name) == 0)
            return event->attributes[i]->value;
    return NULL;
}

static const char *
text_of(const Event *event, const char *name)
{
    const Value *value = attribute(event, name);

    if (!value)
        return "(absent)";
    assert_int_equal(
        value->attr_case,
        IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_STRING);
    return value->ce_string;
}

static void
put_and_commit(const struct outbox_event *event)
{
    struct pg_tx tx = {0};

    begin(&tx, TENANT_A);
    assert_false(tx.wrote_outbox);
    assert_ok(outbox_put(&tx, event));
    assert_true(tx.wrote_outbox);
    assert_ok(pg_tx_commit(&tx));
}

static void
an_event_leaves_as_a_cloud_event_with_all_its_attributes(void **state)
{
    ProtobufCMessage *data = message_of(PUBLIC_TYPE);
    const struct outbox_event put = {.data = data,
                                     .subject = SUBJECT,
                                     .audience = "public",
                                     .partition_key = "p",
                                     .traceparent = "00-11-22-01",
                                     .correlation_id = "r",
                                     .programme = "KTP",
                                     .organisation_type = "company",
                                     .nuts = "SE312",
                                     .nace = "62.01",
                                     .isced_f = "0613",
                                     .esco = "a,b"};
    const struct wall before = clock_wall(clock_system());
    const Value *time, *schema;
    ProtobufCMessage *back;
    bool internal = true;
    Event *event;

    (void)state;
    *field_of(data, "need_id") = SUBJECT;
    *field_of(data, "organisation_id") = TENANT_B;
    put_and_commit(&put);
    event = taken(&internal);
    assert_false(internal);
    assert_true(uuid_valid(event->id) && event->id[14] == '7');
    assert_string_equal(event->spec_version, "1.0");
    assert_string_equal(event->type, "org.samverka.need.published.v1");
    assert_string_equal(event->source, "https://samverka.example/tenants/" TENANT_A);
    assert_string_equal(text_of(event, "subject"), SUBJECT);
    assert_string_equal(text_of(event, "datacontenttype"), "application/protobuf");
    assert_string_equal(text_of(event, "partitionkey"), "p");
    assert_string_equal(text_of(event, "tenantid"), TENANT_A);
    assert_string_equal(text_of(event, "audience"), "public");
    assert_string_equal(text_of(event, "traceparent"), "00-11-22-01");
    assert_string_equal(text_of(event, "correlationid"), "r");
    assert_string_equal(text_of(event, "programme"), "KTP");
    assert_string_equal(text_of(event, "organisationtype"), "company");
    assert_string_equal(text_of(event, "nuts"), "SE312");
    assert_string_equal(text_of(event, "nace"), "62.01");
    assert_string_equal(text_of(event, "iscedf"), "0613");
    assert_string_equal(text_of(event, "esco"), "a,b");
    assert_non_null(schema = attribute(event, "dataschema"));
    assert_string_equal(schema->ce_uri,
                        "https://samverka.example/schemas/org.samverka.need.published.v1.json");
    assert_non_null(time = attribute(event, "time"));
    assert_true(time->ce_timestamp->seconds >= before.unix_ms / 1000);
    assert_int_equal(event->data_case, IO__CLOUDEVENTS__V1__CLOUD_EVENT__DATA_PROTO_DATA);
    assert_string_equal(event->proto_data->type_url,
                        "type.googleapis.com/registry.v1.NeedPublished");
    back = protobuf_c_message_unpack(data->descriptor, NULL, event->proto_data->value.len,
                                     event->proto_data->value.data);
    assert_string_equal(*field_of(back, "need_id"), SUBJECT);
    assert_string_equal(*field_of(back, "organisation_id"), TENANT_B);
    protobuf_c_message_free_unpacked(back, NULL);
    protobuf_c_message_free_unpacked(&event->base, NULL);
}

static void
without_an_address_of_ours_the_schema_is_a_name(void **state)
{
    const struct outbox_event put = {.data = message_of(PUBLIC_TYPE), .subject = SUBJECT};
    const Value *schema;
    bool internal = true;
    Event *event;

    (void)state;
    outbox_set_source("/samverka");
    put_and_commit(&put);
    outbox_set_source("https://samverka.example");
    event = taken(&internal);
    assert_string_equal(event->source, "/samverka/tenants/" TENANT_A);
    assert_non_null(schema = attribute(event, "dataschema"));
    assert_string_equal(schema->ce_uri, "urn:samverka:proto:registry.v1.NeedPublished");
    protobuf_c_message_free_unpacked(&event->base, NULL);
}

static void
what_is_not_given_is_left_out_or_has_its_default(void **state)
{
    ProtobufCMessage *data = message_of(PUBLIC_TYPE);
    const struct outbox_event put = {.data = data, .subject = SUBJECT, .programme = ""};
    bool internal = true;
    Event *event;

    (void)state;
    put_and_commit(&put);
    event = taken(&internal);
    assert_string_equal(text_of(event, "audience"), TENANT_A);
    assert_string_equal(text_of(event, "partitionkey"), SUBJECT);
    assert_null(attribute(event, "programme"));
    assert_null(attribute(event, "traceparent"));
    assert_int_equal(event->n_attributes, 7);
    protobuf_c_message_free_unpacked(&event->base, NULL);
}

static void
an_internal_event_says_so(void **state)
{
    ProtobufCMessage *data = message_of(INTERNAL_TYPE);
    const struct outbox_event put = {.data = data, .subject = SUBJECT, .audience = "public"};
    bool internal = false;
    Event *event;

    (void)state;
    put_and_commit(&put);
    event = taken(&internal);
    assert_true(internal);
    assert_string_equal(text_of(event, "audience"), "internal");
    protobuf_c_message_free_unpacked(&event->base, NULL);
}

static void
an_event_goes_with_its_transaction(void **state)
{
    ProtobufCMessage *data = message_of(PUBLIC_TYPE);
    const struct outbox_event put = {.data = data, .subject = SUBJECT};
    struct pg_tx tx = {0};

    (void)state;
    begin(&tx, TENANT_A);
    assert_ok(outbox_put(&tx, &put));
    pg_tx_end(&tx);
    assert_int_equal(test_number("SELECT count(*) FROM events.outbox"), 0);
}

static void
an_event_in_the_name_of_another_tenant_is_refused(void **state)
{
    ProtobufCMessage *data = message_of(PUBLIC_TYPE);
    const struct outbox_event put = {.data = data, .subject = SUBJECT, .tenant_id = TENANT_B};
    scoped(pg_tx_end) struct pg_tx tx = {0};

    (void)state;
    begin(&tx, TENANT_A);
    assert_ok(outbox_put(&tx, &put)); /* goes with the commit, and is refused there */
    assert_code(pg_tx_commit(&tx), INTERNAL);
    assert_int_equal(test_number("SELECT count(*) FROM events.outbox"), 0);
}

static void
what_is_no_event_or_nobodys_is_refused(void **state)
{
    ProtobufCMessage *data = message_of(PUBLIC_TYPE);
    Event other = IO__CLOUDEVENTS__V1__CLOUD_EVENT__INIT;
    const struct outbox_event no_event = {.data = &other.base, .subject = SUBJECT};
    const struct outbox_event no_subject = {.data = data};
    const struct outbox_event event = {.data = data, .subject = SUBJECT};
    scoped(pg_tx_end) struct pg_tx tx = {0};

    (void)state;
    begin(&tx, TENANT_A);
    assert_code(outbox_put(&tx, &no_event), INTERNAL);
    assert_code(outbox_put(&tx, &no_subject), INTERNAL);
    pg_tx_end(&tx);
    begin(&tx, NULL);
    assert_code(outbox_put(&tx, &event), INTERNAL);
}

static void
sixteen_kib_is_the_limit_of_all_of_it(void **state)
{
    ProtobufCMessage *data = message_of(PUBLIC_TYPE);
    const struct outbox_event put = {.data = data, .subject = SUBJECT};
    static char large[16 << 10];
    size_t largest = 0;

    (void)state;
    memset(large, 'x', sizeof large - 1);
    *field_of(data, "need_id") = large;
    for (size_t cut = 1; cut < 1000; cut += 10) {
        struct pg_tx tx = {0};
        struct status status;

        large[sizeof large - cut] = '\0';
        begin(&tx, TENANT_A);
        status = outbox_put(&tx, &put);
        pg_tx_end(&tx);
        if (!failed(status)) {
            largest = sizeof large - cut;
            break;
        }
        assert_code(status, TOO_LARGE);
    }
    assert_in_range(largest, (16 << 10) - 900,
                    (16 << 10) - 300); /* the envelope takes the rest */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_event_leaves_as_a_cloud_event_with_all_its_attributes),
        TEST(without_an_address_of_ours_the_schema_is_a_name),
        TEST(what_is_not_given_is_left_out_or_has_its_default),
        TEST(an_internal_event_says_so),
        TEST(an_event_goes_with_its_transaction),
        TEST(an_event_in_the_name_of_another_tenant_is_refused),
        TEST(what_is_no_event_or_nobodys_is_refused),
        TEST(sixteen_kib_is_the_limit_of_all_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
