#include "common/base/test.h"

#include <stdlib.h>
#include <string.h>

#include "common/event/event_json.h"
#include "services/gateway/ingest_json.h"
#include "services/gateway/ingest_request.h"

#define HEAD                                                                                   \
    "\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/crm\",\"type\":\"com.example.made\""

struct state {
    struct arena arena;
    struct event_json *events;
};

static int
set_up(void **context)
{
    static struct state state;

    arena_init(&state.arena, ARENA_CALL_BYTES);
    *context = &state;
    return failed(event_json_create(&state.arena, &state.events)) ? -1 : 0;
}

static int
tear_down(void **context)
{
    struct state *state = *context;

    event_json_destroy(&state->events);
    arena_fini(&state->arena);
    return 0;
}

static struct status
take_in(struct state *state, const char *text, bool batch,
        Io__Cloudevents__V1__CloudEventBatch *ret)
{
    return ingest_json_read(text, strlen(text), batch, &state->arena, ret);
}

static const Io__Cloudevents__V1__CloudEvent *
must_take(struct state *state, const char *text)
{
    Io__Cloudevents__V1__CloudEventBatch batch;
    const struct status status = take_in(state, text, false, &batch);

    if (failed(status))
        fail_msg("%s: %s %s", text, status.field, status.detail);
    return batch.events[0];
}

static void
assert_refused(struct state *state, const char *text, bool batch, const char *field)
{
    Io__Cloudevents__V1__CloudEventBatch read;
    const struct status status = take_in(state, text, batch, &read);

    if (status.code != CODE_INVALID_ARGUMENT)
        fail_msg("%s is taken", text);
    if (!status.field || strcmp(status.field, field) != 0)
        fail_msg("%s: at %s, not %s (%s)", text, status.field, field, status.detail);
}

static void
assert_comes_out(struct state *state, const char *in, const char *out)
{
    scoped(buffer_fini) struct buffer text = {0};

    buffer_init(&text, 1 << 20);
    assert_int_equal(
        event_json_write(state->events, must_take(state, in), &state->arena, &text).code,
        CODE_OK);
    assert_string_equal((const char *)text.data, out);
}

static void
what_goes_in_comes_out(void **context)
{
    struct state *state = *context;

    assert_comes_out(state, "{" HEAD "}", "{" HEAD "}");
    assert_comes_out(state,
                     "{" HEAD ",\"subject\":\"x\",\"time\":\"2026-01-01T00:30:00+02:00\","
                     "\"tries\":3,\"last\":false,\"dataschema\":\"https://a.example/s\"}",
                     "{" HEAD ",\"subject\":\"x\",\"time\":\"2025-12-31T22:30:00Z\","
                     "\"tries\":3,\"last\":false,\"dataschema\":\"https://a.example/s\"}");
    assert_comes_out(state,
                     "{" HEAD ",\"data\" : { \"a b\" : [ 1.50, \"c \\\" d\" ,null ] }\n}",
                     "{" HEAD ",\"datacontenttype\":\"application/json\","
                     "\"data\":{\"a b\":[1.50,\"c \\\" d\",null]}}");
    assert_comes_out(state, "{\"data\":\"hej\",\"datacontenttype\":\"text/plain\"," HEAD "}",
                     "{" HEAD ",\"datacontenttype\":\"text/plain\",\"data\":\"hej\"}");
    assert_comes_out(state, "{" HEAD ",\"data\":\"hej\"}",
                     "{" HEAD ",\"datacontenttype\":\"application/json\",\"data\":\"hej\"}");
    assert_comes_out(state, "{" HEAD ",\"data_base64\":\"AP8=\"}",
                     "{" HEAD ",\"datacontenttype\":\"application/octet-stream\","
                     "\"data_base64\":\"AP8=\"}");
    assert_comes_out(state, "{" HEAD ",\"data\":null,\"time\":null,\"data_base64\":null}",
                     "{" HEAD "}");
}

static void
attributes_have_the_types_of_the_protobuf_format(void **context)
{
    const Io__Cloudevents__V1__CloudEvent *event =
        must_take(*context, "{" HEAD ",\"time\":\"2026-01-01T00:00:00.5Z\",\"n\":-7,\"b\":true,"
                            "\"dataschema\":\"urn:x\",\"nuts\":\"SE312\"}");

    assert_string_equal(event->spec_version, "1.0");
    assert_int_equal(event->n_attributes, 5);
    assert_int_equal(event->attributes[0]->value->ce_timestamp->seconds, 1767225600);
    assert_int_equal(event->attributes[0]->value->ce_timestamp->nanos, 500000000);
    assert_int_equal(event->attributes[1]->value->ce_integer, -7);
    assert_true(event->attributes[2]->value->ce_boolean);
    assert_string_equal(event->attributes[3]->value->ce_uri, "urn:x");
    assert_string_equal(event->attributes[4]->value->ce_string, "SE312");
}

static void
what_is_no_event_is_refused_at_its_place(void **context)
{
    struct state *state = *context;
    const struct {
        const char *text, *field;
    } wrong[] = {
        {"", ""},
        {"[]", ""},
        {"{}", "/specversion"},
        {"{\"specversion\":\"1.0\",\"source\":\"/a\",\"type\":\"t\"}", "/id"},
        {"{\"specversion\":\"0.3\"}", "/specversion"},
        {"{\"specversion\":1.0}", "/specversion"},
        {"{\"id\":7}", "/id"},
        {"{\"id\":\"\"}", "/id"},
        {"{\"source\":\"a b\"}", "/source"},
        {"{" HEAD "} x", ""},
        {"{" HEAD ",\"id\":\"1\"}", "/id"},
        {"{" HEAD ",\"time\":null,\"time\":null}", "/time"},
        {"{" HEAD ",\"time\":\"today\"}", "/time"},
        {"{" HEAD ",\"Time\":\"x\"}", "/Time"},
        {"{" HEAD ",\"a_b\":\"x\"}", "/a_b"},
        {"{" HEAD ",\"\":\"x\"}", ""},
        {"{" HEAD ",\"n\":1.5}", "/n"},
        {"{" HEAD ",\"n\":2147483648}", "/n"},
        {"{" HEAD ",\"o\":{}}", "/o"},
        {"{" HEAD ",\"o\":[]}", "/o"},
        {"{" HEAD ",\"x\":\"\\u0007\"}", "/x"},
        {"{" HEAD ",\"x\":\"\\u0085\"}", "/x"},
        {"{" HEAD ",\"data\":{\"a\":{\"b\":1,\"c\":2,\"b\":1}}}", "/data/a/b"},
        {"{" HEAD ",\"data\":[1,{\"a\":tru}]}", "/data/1/a"},
        {"{" HEAD ",\"data\":1,\"data\":1}", "/data"},
        {"{" HEAD ",\"data\":1,\"data_base64\":\"AA==\"}", "/data"},
        {"{" HEAD ",\"data_base64\":\"*\"}", "/data_base64"},
        {"{" HEAD ",\"datacontenttype\":\"text/xml\",\"data\":{}}", "/data"},
    };

    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_refused(state, wrong[i].text, false, wrong[i].field);
}

static void
what_is_the_logs_to_give_is_refused(void **context)
{
    static const char *const names[] = {"sequence", "tenantsequence", "tenantid", "audience",
                                        "originsequence"};
    char text[256], field[64];

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        snprintf(text, sizeof text, "[{" HEAD "},{" HEAD ",\"%s\":\"1\"}]", names[i]);
        snprintf(field, sizeof field, "/1/%s", names[i]);
        assert_refused(*context, text, true, field);
    }
}

static char *
repeat(struct state *state, const char *before, const char *part, size_t count,
       const char *after)
{
    scoped(buffer_fini) struct buffer text = {0};

    buffer_init(&text, 1 << 20);
    buffer_puts(&text, before);
    for (size_t i = 0; i < count; i++)
        buffer_printf(&text, part, i);
    buffer_puts(&text, after);
    return arena_copy_n(&state->arena, text.data, text.size);
}

static void
a_batch_has_its_limits(void **context)
{
    struct state *state = *context;
    Io__Cloudevents__V1__CloudEventBatch batch;
    const char *event = "{" HEAD ",\"n\":%zu},";

    assert_refused(state, "[]", true, "");
    assert_refused(state, "[{" HEAD "},]", true, "/1");
    assert_refused(state, "[{" HEAD "},{\"id\":\"1\"}]", true, "/1/specversion");
    assert_int_equal(
        take_in(state, repeat(state, "[", event, 999, "{" HEAD "}]"), true, &batch).code,
        CODE_OK);
    assert_int_equal(batch.n_events, 1000);
    assert_refused(state, repeat(state, "[", event, 1000, "{" HEAD "}]"), true, "/1000");
}

static void
an_event_has_its_limits(void **context)
{
    struct state *state = *context;
    Io__Cloudevents__V1__CloudEventBatch batch;
    struct status status;

    must_take(state, repeat(state, "{" HEAD, ",\"a%zu\":1", INGEST_ATTRIBUTES, "}"));
    assert_refused(state, repeat(state, "{" HEAD, ",\"a%zu\":1", INGEST_ATTRIBUTES + 1, "}"),
                   false, "/a50");
    assert_refused(state, repeat(state, "{" HEAD, ",\"a%zu\":null", 61, "}"), false, "/a60");
    assert_refused(state, repeat(state, "{" HEAD ",\"data\":", "[", 32, ""), false,
                   "/data/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0");
    status = take_in(state,
                     repeat(state, "[{" HEAD "},{" HEAD ",\"data\":\"", "%07zu", 2400, "\"}]"),
                     true, &batch);
    assert_int_equal(status.code, CODE_TOO_LARGE);
    assert_string_equal(status.field, "/1");
    assert_int_equal(
        take_in(state, repeat(state, "{", "%099zu", 3000, "}"), false, &batch).code,
        CODE_TOO_LARGE);
}

static void
what_a_producer_calls_json_and_is_none_goes_out_as_its_bytes(void **context)
{
    struct state *state = *context;
    scoped(buffer_fini) struct buffer text = {0};
    Io__Cloudevents__V1__CloudEvent *event =
        (Io__Cloudevents__V1__CloudEvent *)(uintptr_t)must_take(state, "{" HEAD ",\"data\":1}");

    event->text_data = "1}\n\ndata: 2";
    buffer_init(&text, 1 << 20);
    assert_int_equal(event_json_write(state->events, event, &state->arena, &text).code,
                     CODE_OK);
    assert_string_equal((const char *)text.data,
                        "{" HEAD ",\"datacontenttype\":\"application/json\","
                        "\"data_base64\":\"MX0KCmRhdGE6IDI=\"}");
}

static void
the_content_type_says_how_events_come(void **context)
{
    struct state *state = *context;
    const struct {
        const char *type;
        bool headers;
        enum ingest_mode mode;
    } good[] = {
        {"application/cloudevents+json", false, INGEST_STRUCTURED},
        {"Application/CloudEvents+JSON; charset=utf-8", true, INGEST_STRUCTURED},
        {"application/cloudevents-batch+json", false, INGEST_BATCH},
        {"application/json", true, INGEST_BINARY},
        {NULL, true, INGEST_BINARY},
    };
    static const char *const bad[] = {"application/json", "application/cloudevents+avro", NULL};
    enum ingest_mode mode;

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_int_equal(
            ingest_mode_of(good[i].type, good[i].headers, &state->arena, &mode).code, CODE_OK);
        assert_int_equal(mode, good[i].mode);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(ingest_mode_of(bad[i], false, &state->arena, &mode).code,
                         CODE_UNSUPPORTED_MEDIA_TYPE);
    assert_int_equal(ingest_mode_of(bad[1], true, &state->arena, &mode).code,
                     CODE_UNSUPPORTED_MEDIA_TYPE);
}

static struct ingest_batch
batch_of(struct state *state, const char *sender, const char *key, const char *events)
{
    Io__Cloudevents__V1__CloudEventBatch read;
    struct ingest_batch batch;

    assert_int_equal(take_in(state, events, true, &read).code, CODE_OK);
    assert_int_equal(
        ingest_batch_of(NULL, NULL, sender, key, &read, &state->arena, &batch).code, CODE_OK);
    assert_string_equal(batch.source, "/crm");
    assert_true(batch.number >= (uint64_t)1 << 62 && batch.number <= INT64_MAX);
    return batch;
}

static void
a_repeat_is_the_same_batch_and_nothing_else_is(void **context)
{
    struct state *state = *context;
    const char *one = "[{" HEAD "}]", *two = "[{" HEAD "},{" HEAD "}]";
    const uint64_t number = batch_of(state, "a", NULL, one).number;

    assert_true(number == batch_of(state, "a", NULL, "[{" HEAD ",\"data\":2}]").number);
    assert_true(number != batch_of(state, "b", NULL, one).number);
    assert_true(number != batch_of(state, "a", NULL, two).number);
    assert_true(number != batch_of(state, "a", "1", one).number);
    assert_true(batch_of(state, "a", "k", one).number == batch_of(state, "a", "k", two).number);
    assert_true(batch_of(state, "a", "k", one).number != batch_of(state, "a", "l", one).number);
}

static void
a_source_may_count_its_batches_itself(void **context)
{
    struct state *state = *context;
    static const char *const wrong[] = {
        NULL, "", "0", "-1", "x", "1 ", "4611686018427387904", "99999999999999999999"};
    Io__Cloudevents__V1__CloudEventBatch read;
    struct ingest_batch batch;

    assert_int_equal(take_in(state, "[{" HEAD "}]", true, &read).code, CODE_OK);
    assert_int_equal(ingest_batch_of("/c", "17", "a", NULL, &read, &state->arena, &batch).code,
                     CODE_OK);
    assert_string_equal(batch.source, "/c");
    assert_int_equal(batch.number, 17);
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_string_equal(
            ingest_batch_of("/c", wrong[i], "a", NULL, &read, &state->arena, &batch).field,
            "/Samverka-Batch-Number");
    assert_string_equal(
        ingest_batch_of(NULL, "1", "a", NULL, &read, &state->arena, &batch).field,
        "/Samverka-Source");
}

static void
several_sources_need_a_number_of_their_own(void **context)
{
    struct state *state = *context;
    Io__Cloudevents__V1__CloudEventBatch read;
    struct ingest_batch batch;

    assert_int_equal(take_in(state,
                             "[{" HEAD "},{\"specversion\":\"1.0\",\"id\":\"2\","
                             "\"source\":\"/erp\",\"type\":\"t\"}]",
                             true, &read)
                         .code,
                     CODE_OK);
    assert_string_equal(
        ingest_batch_of(NULL, NULL, "a", NULL, &read, &state->arena, &batch).field,
        "/1/source");
    assert_int_equal(ingest_batch_of("/", "1", "a", NULL, &read, &state->arena, &batch).code,
                     CODE_OK);
}

static void
the_logs_complaints_are_told_where_they_belong(void **context)
{
    struct arena *arena = &((struct state *)*context)->arena;
    const struct {
        const char *field;
        enum ingest_mode mode;
        const char *pointer;
    } cases[] = {
        {"batch.events[3].attributes.subject", INGEST_BATCH, "/3/subject"},
        {"batch.events[3]", INGEST_BATCH, "/3"},
        {"batch.events[0].spec_version", INGEST_STRUCTURED, "/specversion"},
        {"batch.events[0].type", INGEST_BINARY, "/ce-type"},
        {"batch.events[0]", INGEST_STRUCTURED, ""},
        {"source", INGEST_BATCH, "/Samverka-Source"},
        {"batch_number", INGEST_BATCH, "/Samverka-Batch-Number"},
        {"batch", INGEST_BATCH, ""},
        {"principal.tenant_id", INGEST_BATCH, ""},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(ingest_pointer(cases[i].field, cases[i].mode, arena),
                            cases[i].pointer);
}

static void
headers_are_quoted_and_percent_encoded_as_cloudevents_says(void **context)
{
    struct arena *arena = &((struct state *)*context)->arena;
    static const char *const pairs[][2] = {
        {"plain", "plain"},
        {"Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"a+b", "a+b"},
        {"\"q \\\" %41\"", "q \" A"},
        {"\"", "\""},
        {"", ""}};
    static const char *const wrong[] = {"%", "%4", "%zz", "%00", "%ff"};
    const char *value;

    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        assert_int_equal(ingest_header_value(pairs[i][0], arena, &value).code, CODE_OK);
        assert_string_equal(value, pairs[i][1]);
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_int_equal(ingest_header_value(wrong[i], arena, &value).code,
                         CODE_INVALID_ARGUMENT);
}

#define TEST(name) cmocka_unit_test(name)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_goes_in_comes_out),
        TEST(attributes_have_the_types_of_the_protobuf_format),
        TEST(what_is_no_event_is_refused_at_its_place),
        TEST(what_is_the_logs_to_give_is_refused),
        TEST(a_batch_has_its_limits),
        TEST(an_event_has_its_limits),
        TEST(what_a_producer_calls_json_and_is_none_goes_out_as_its_bytes),
        TEST(the_content_type_says_how_events_come),
        TEST(a_repeat_is_the_same_batch_and_nothing_else_is),
        TEST(a_source_may_count_its_batches_itself),
        TEST(several_sources_need_a_number_of_their_own),
        TEST(the_logs_complaints_are_told_where_they_belong),
        TEST(headers_are_quoted_and_percent_encoded_as_cloudevents_says),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
