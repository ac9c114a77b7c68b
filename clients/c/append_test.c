/* Adding events with libsamverka, to servers that say what they like; and keys. */

#include "clients/c/test_stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
start_append(struct stage *stage, unsigned window)
{
    const struct samverka_place place = {.endpoints = stage->endpoints};

    const struct samverka_producer producer = {
        .source = "/test", .tenant_id = TENANT, .next_batch = 1, .window = window};

    assert_int_equal(samverka_append_open(&place, &producer, &stage->append, &stage->error),
                     SAMVERKA_OK);
}

static uint64_t
add_batch(struct stage *stage, const char *data)
{
    static const char *const attributes[] = {"programme", "KTP", NULL};
    struct samverka_new_event event = {.type = "org.example.thing.v1",
                                       .subject = "s",
                                       .time_unix_ms = 1700000000123,
                                       .data_type = "type.example/x",
                                       .data = data,
                                       .data_size = strlen(data),
                                       .attributes = attributes};
    uint64_t number = 0;
    char id[37];

    samverka_new_id(id);
    event.id = id;
    assert_int_equal(samverka_append_event(stage->append, &event, &stage->error), SAMVERKA_OK);
    (void)samverka_append_send(stage->append, &number, &stage->error);
    return number;
}

static struct test_server *
heard_append(struct stage *stage, uint64_t number)
{
    struct test_server *server = stage_heard(stage);

    assert_int_equal(server->frame->frame_case, FRAME(APPEND));
    assert_string_equal(server->frame->append->source, "/test");
    assert_string_equal(server->frame->append->tenant_id, TENANT);
    assert_int_equal(server->frame->append->batch_number, number);
    assert_true(server->body_size > 0);
    return server;
}

static void
a_window_of_batches_gets_its_outcomes_in_any_order(void **state)
{
    struct test_server *server;
    Io__Cloudevents__V1__CloudEventBatch *batch;
    struct stage stage;

    (void)state;
    stage_open(&stage, 1);
    start_append(&stage, 2);
    assert_int_equal(add_batch(&stage, "one"), 1);
    assert_int_equal(add_batch(&stage, "two"), 2);
    assert_int_equal(add_batch(&stage, "three"), 0);
    assert_int_equal(stage.error.code, SAMVERKA_FULL);
    (void)heard_append(&stage, 1);
    server = heard_append(&stage, 2);
    batch = (Io__Cloudevents__V1__CloudEventBatch *)protobuf_c_message_unpack(
        &io__cloudevents__v1__cloud_event_batch__descriptor, NULL, server->body_size,
        server->body);
    assert_non_null(batch);
    assert_int_equal(batch->n_events, 1);
    assert_string_equal(batch->events[0]->source, "/test");
    assert_string_equal(batch->events[0]->proto_data->type_url, "type.example/x");
    assert_memory_equal(batch->events[0]->proto_data->value.data, "two", 3);
    assert_int_equal(batch->events[0]->n_attributes, 3);
    protobuf_c_message_free_unpacked(&batch->base, NULL);
    test_server_outcome(server, 2, CODE(OK), 12);
    assert_int_equal(stage_come(&stage), SAMVERKA_OK);
    assert_int_equal(stage.outcome.batch_number, 2);
    assert_int_equal(stage.outcome.first_position, 12);
    test_server_outcome(server, 1, CODE(KEY_REUSED), 0);
    assert_int_equal(stage_come(&stage), SAMVERKA_CONFLICT);
    assert_int_equal(stage.outcome.batch_number, 1);
    assert_int_equal(samverka_append_waiting(stage.append), 0);
    assert_int_equal(samverka_append_next(stage.append, 0, &stage.outcome, &stage.error),
                     SAMVERKA_INVALID);
    stage_close(&stage);
}

static void
batches_without_an_outcome_are_repeated_where_somebody_leads(void **state)
{
    struct test_server *first, *second;
    struct stage stage;
    uint8_t body[4096];
    size_t size;

    (void)state;
    stage_open(&stage, 2);
    start_append(&stage, 4);
    (void)add_batch(&stage, "one");
    (void)add_batch(&stage, "two");
    first = heard_append(&stage, 1);
    size = first->body_size;
    assert_true(size <= sizeof body);
    memcpy(body, first->body, size);
    (void)heard_append(&stage, 2);
    test_server_outcome(first, 1, CODE(UNAVAILABLE), 0);
    second = heard_append(&stage, 1);
    assert_ptr_not_equal(first, second);
    assert_int_equal(second->body_size, size);
    assert_memory_equal(second->body, body, size);
    (void)heard_append(&stage, 2);
    test_server_outcome(second, 1, CODE(OK), 5);
    assert_int_equal(stage_come(&stage), SAMVERKA_OK);
    /* It says nothing of the other: after the silence the next one hears of it. */
    first = heard_append(&stage, 2);
    assert_ptr_not_equal(first, second);
    test_server_outcome(first, 2, CODE(RESOURCE_EXHAUSTED), 0);
    assert_ptr_equal(heard_append(&stage, 2), first);
    test_server_outcome(first, 2, CODE(OK), 6);
    assert_int_equal(stage_come(&stage), SAMVERKA_OK);
    assert_int_equal(stage.outcome.last_position, 6);
    stage_close(&stage);
}

static void
events_that_the_log_would_not_take_are_refused_before_they_are_sent(void **state)
{
    static char large[20000];
    static const char *const upper[] = {"Programme", "KTP", NULL};
    static const char *const twice[] = {"subject", "x", NULL};
    const struct samverka_new_event events[] = {
        {.id = "", .type = "t"},
        {.id = "i", .type = NULL},
        {.id = "i", .type = "\xc3"},
        {.id = "i", .type = "t", .data = large, .data_size = sizeof large},
        {.id = "i", .type = "t", .data = large, .data_size = (size_t)1 << 40},
        {.id = "i", .type = "t", .attributes = upper},
        {.id = "i", .type = "t", .subject = "s", .attributes = twice},
        {.id = "i", .type = "t", .time_unix_ms = -1},
    };
    const struct samverka_new_event good = {.id = "i", .type = "t"};
    struct stage stage;
    uint64_t number;

    (void)state;
    stage_open(&stage, 1);
    start_append(&stage, 1);
    assert_int_equal(samverka_append_send(stage.append, &number, &stage.error),
                     SAMVERKA_INVALID);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        assert_int_equal(samverka_append_event(stage.append, &events[i], &stage.error),
                         SAMVERKA_INVALID);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(samverka_append_event(stage.append, &good, &stage.error), SAMVERKA_OK);
    assert_int_equal(samverka_append_event(stage.append, &good, &stage.error), SAMVERKA_FULL);
    stage_close(&stage);
}

static void
keys_are_kept_in_files_and_never_overwritten(void **state)
{
    char folder[] = "/tmp/samverka-keys-XXXXXX", name[64], path[80], text[SAMVERKA_KEY_SIZE];
    struct samverka_keys keys, found;
    struct samverka_error error;
    struct stat file;

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(name, sizeof name, "%s/mine", folder);
    assert_int_equal(samverka_keys_load(name, &found, &error), SAMVERKA_SYSTEM);
    assert_int_equal(samverka_keys_generate(&keys, &error), SAMVERKA_OK);
    assert_int_equal(samverka_keys_store(name, &keys, &error), SAMVERKA_OK);
    assert_int_equal(samverka_keys_store(name, &keys, &error), SAMVERKA_SYSTEM);
    assert_int_equal(samverka_keys_load(name, &found, &error), SAMVERKA_OK);
    assert_memory_equal(&found, &keys, sizeof keys);
    (void)snprintf(path, sizeof path, "%s.key", name);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0400);
    assert_int_equal(samverka_public_key_load("/dev/null", text, &error), SAMVERKA_INVALID);
    assert_int_equal(unlink(path), 0);
    (void)snprintf(path, sizeof path, "%s.pub", name);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_of_batches_gets_its_outcomes_in_any_order),
        cmocka_unit_test(batches_without_an_outcome_are_repeated_where_somebody_leads),
        cmocka_unit_test(events_that_the_log_would_not_take_are_refused_before_they_are_sent),
        cmocka_unit_test(keys_are_kept_in_files_and_never_overwritten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
