#include "services/notifications/webhooks/content.h"

#include <stdio.h>
#include <string.h>

#include "common/base/test.h"
#include "registry/v1/needs.pb-c.h"

#define BINARY NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_BINARY
#define STRUCTURED NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_STRUCTURED
#define BATCH NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_BATCH

typedef Io__Cloudevents__V1__CloudEvent__AttributesEntry Entry;
typedef Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue Value;

static struct arena arena;
static struct event_json *json;

static struct {
    Io__Cloudevents__V1__CloudEvent event;
    Entry entries[8], *list[8];
    Value values[8];
} sample;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)4 << 20);
    return failed(event_json_create(&arena, &json));
}

static int
tear_down(void **state)
{
    (void)state;
    event_json_destroy(&json);
    arena_fini(&arena);
    return 0;
}

static void
begin(void)
{
    io__cloudevents__v1__cloud_event__init(&sample.event);
    sample.event.attributes = sample.list;
    sample.event.id = "id-1";
    sample.event.source = "/samverka";
    sample.event.spec_version = "1.0";
    sample.event.type = "org.samverka.need.published.v1";
}

static Value *
add(const char *name)
{
    const size_t i = sample.event.n_attributes++;

    io__cloudevents__v1__cloud_event__attributes_entry__init(&sample.entries[i]);
    io__cloudevents__v1__cloud_event__cloud_event_attribute_value__init(&sample.values[i]);
    sample.entries[i].key = name;
    sample.entries[i].value = &sample.values[i];
    sample.list[i] = &sample.entries[i];
    return &sample.values[i];
}

static void
set(const char *name, const char *text)
{
    Value *value = add(name);

    value->attr_case =
        IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_STRING;
    value->ce_string = text;
}

static struct content
make(Notifications__V1__WebhookMode mode)
{
    struct content content = {0};

    assert_false(failed(content_make(json, &sample.event, mode, &arena, &content)));
    return content;
}

static void
attributes_become_percent_encoded_headers(void **state)
{
    Value *number;
    struct content content;

    (void)state;
    begin();
    set("subject", "Å \"x\" 100%\r\nX-Evil: 1");
    number = add("priority");
    number->attr_case =
        IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_INTEGER;
    number->ce_integer = -7;
    content = make(BINARY);
    assert_non_null(strstr(content.headers, "ce-id: id-1\n"));
    assert_non_null(strstr(content.headers, "ce-specversion: 1.0\n"));
    assert_non_null(
        strstr(content.headers, "ce-subject: %C3%85%20%22x%22%20100%25%0D%0AX-Evil:%201\n"));
    assert_non_null(strstr(content.headers, "ce-priority: -7\n"));
    assert_null(strstr(content.headers, "\nX-Evil"));
    assert_null(strstr(content.headers, "content-type"));
    assert_int_equal(content.size, 0);
}

static void
a_name_that_breaks_out_of_its_header_is_left_out(void **state)
{
    static const char *const names[] = {"a: b\r\nx-evil", "x y", "Ä", "", "UPPER", "a-b"};
    struct content content;

    (void)state;
    begin();
    for (size_t i = 0; i < COUNT_OF(names); i++)
        set(names[i], "evil");
    content = make(BINARY);
    assert_null(strstr(content.headers, "evil"));
    assert_non_null(strstr((const char *)make(STRUCTURED).body, "\"UPPER\":\"evil\""));
}

static void
a_content_type_that_ends_its_header_is_replaced(void **state)
{
    struct content content;

    (void)state;
    begin();
    set("datacontenttype", "text/plain\r\nX-Evil: 1");
    sample.event.data_case = IO__CLOUDEVENTS__V1__CLOUD_EVENT__DATA_TEXT_DATA;
    sample.event.text_data = "hej";
    content = make(BINARY);
    assert_non_null(strstr(content.headers, "content-type: application/octet-stream\n"));
    assert_int_equal(content.size, 3);
    assert_memory_equal(content.body, "hej", 3);
}

static void
bytes_that_nobody_knows_are_the_body_as_they_are(void **state)
{
    static uint8_t bytes[] = {0, 1, 2, 0xff};
    struct content content;

    (void)state;
    begin();
    set("datacontenttype", "application/x-own");
    sample.event.data_case = IO__CLOUDEVENTS__V1__CLOUD_EVENT__DATA_BINARY_DATA;
    sample.event.binary_data = (ProtobufCBinaryData){sizeof bytes, bytes};
    content = make(BINARY);
    assert_non_null(strstr(content.headers, "content-type: application/x-own\n"));
    assert_int_equal(content.size, sizeof bytes);
    assert_memory_equal(content.body, bytes, sizeof bytes);
}

static void
known_data_is_json_in_every_mode(void **state)
{
    Registry__V1__NeedPublished data = REGISTRY__V1__NEED_PUBLISHED__INIT;
    Google__Protobuf__Any any;
    uint8_t packed[128];
    struct content content;

    (void)state;
    begin();
    google__protobuf__any__init(&any);
    data.need_id = "0193a000-0000-7000-8000-000000000001";
    any.type_url = arena_copy(&arena, "type.googleapis.com/registry.v1.NeedPublished");
    any.value.len = protobuf_c_message_pack(&data.base, packed);
    any.value.data = packed;
    sample.event.data_case = IO__CLOUDEVENTS__V1__CLOUD_EVENT__DATA_PROTO_DATA;
    sample.event.proto_data = &any;
    content = make(BINARY);
    assert_non_null(strstr(content.headers, "content-type: application/json\n"));
    assert_non_null(strstr((const char *)content.body,
                           "\"needId\":\"0193a000-0000-7000-8000-000000000001\""));
    assert_int_equal(content.body[0], '{');
    content = make(STRUCTURED);
    assert_string_equal(content.headers,
                        "content-type: application/cloudevents+json; charset=UTF-8\n");
    assert_non_null(strstr((const char *)content.body, "\"data\":{"));
    assert_string_equal(make(BATCH).headers, "");
    assert_memory_equal(make(BATCH).body, content.body, content.size);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_become_percent_encoded_headers),
        cmocka_unit_test(a_name_that_breaks_out_of_its_header_is_left_out),
        cmocka_unit_test(a_content_type_that_ends_its_header_is_replaced),
        cmocka_unit_test(bytes_that_nobody_knows_are_the_body_as_they_are),
        cmocka_unit_test(known_data_is_json_in_every_mode),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
