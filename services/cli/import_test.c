/* A run of an importer, with a cluster that keeps what it is sent. */

#include "services/cli/import.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/test.h"
#include "registry/v1/organisations.pb-c.h"

#define CALLS 16
#define KEY_SIZE 128

static struct {
    struct arena arena;
    struct cli cli;
    char folder[32];
    /* the file */
    size_t items, names; /* of each item */
    size_t bad_from, bad_count;
    size_t at;
    /* the cluster */
    size_t calls;
    char keys[CALLS][KEY_SIZE];
    size_t sent[CALLS];
    size_t fail_from, fail_count; /* calls, from 0 */
    struct status failure;
} stage;

/* In the place of connect.c. */
struct status
cli_call(struct cli *cli, const char *method, const ProtobufCMessage *request,
         const ProtobufCMessageDescriptor *reply_descriptor, const char *idempotency_key,
         struct arena *arena, ProtobufCMessage **ret)
{
    const size_t call = stage.calls++;
    const Registry__V1__ImportOrganisationsRequest *organisations =
        (const Registry__V1__ImportOrganisationsRequest *)request;
    Registry__V1__ImportOrganisationsReply *reply;

    (void)cli;
    (void)method;
    assert_ptr_equal(reply_descriptor, &registry__v1__import_organisations_reply__descriptor);
    assert_true(call < CALLS);
    assert_true(snprintf(stage.keys[call], KEY_SIZE, "%s", idempotency_key) < KEY_SIZE);
    stage.sent[call] = organisations->n_organisations;
    if (call >= stage.fail_from && call < stage.fail_from + stage.fail_count)
        return stage.failure;
    reply = ARENA_NEW(arena, Registry__V1__ImportOrganisationsReply);
    assert_non_null(reply);
    registry__v1__import_organisations_reply__init(reply);
    reply->created = (uint32_t)organisations->n_organisations;
    *ret = &reply->base;
    return OK;
}

struct status
cli_find_tenant(struct cli *cli)
{
    (void)cli;
    return OK;
}

bool
cli_flag(int *count, char **words, const char *name)
{
    (void)count;
    (void)words;
    (void)name;
    return false;
}

struct status
cli_no_more_options(struct cli *cli, int count, char **words)
{
    (void)cli;
    (void)count;
    (void)words;
    return OK;
}

/* The file. */

static struct status
rewind_items(void *context, struct arena *arena)
{
    (void)context;
    (void)arena;
    stage.at = 0;
    return OK;
}

static struct status
next_item(void *context, struct arena *arena, ProtobufCMessage **ret, size_t *ret_line,
          bool *ret_lost)
{
    Registry__V1__CreateOrganisationRequest *item;
    const size_t at = stage.at;

    (void)context;
    *ret = NULL;
    *ret_lost = false;
    *ret_line = at + 2;
    if (at == stage.items)
        return OK;
    stage.at++;
    if (at >= stage.bad_from && at < stage.bad_from + stage.bad_count)
        return FAIL_FIELD(arena, "line 9", "is made up");
    TRY(need(item = ARENA_NEW(arena, Registry__V1__CreateOrganisationRequest)));
    registry__v1__create_organisation_request__init(item);
    TRY(need(item->names = ARENA_ARRAY(arena, Registry__V1__LocalText *, stage.names + 1)));
    for (size_t i = 0; i < stage.names; i++) {
        TRY(need(item->names[i] = ARENA_NEW(arena, Registry__V1__LocalText)));
        registry__v1__local_text__init(item->names[i]);
    }
    item->n_names = stage.names;
    *ret = &item->base;
    return OK;
}

static struct status
fill_request(void *context, struct arena *arena, ProtobufCMessage **items, size_t count,
             size_t number, ProtobufCMessage **ret)
{
    Registry__V1__ImportOrganisationsRequest *request;

    (void)context;
    (void)items;
    (void)number;
    TRY(need(request = ARENA_NEW(arena, Registry__V1__ImportOrganisationsRequest)));
    registry__v1__import_organisations_request__init(request);
    request->n_organisations = count;
    *ret = &request->base;
    return OK;
}

static struct importer importer = {.what = "items",
                                   .method = "registry.v1.Organisations/ImportOrganisations",
                                   .reply =
                                       &registry__v1__import_organisations_reply__descriptor,
                                   .rewind = rewind_items,
                                   .next = next_item,
                                   .fill = fill_request};

static struct status
run_with(const struct import_options *options)
{
    stage.calls = 0;
    return import_run(&stage.cli, &importer, options);
}

static struct status
run(void)
{
    return run_with(&(struct import_options){.fingerprint = "abc"});
}

static size_t
count_states(bool remove)
{
    DIR *folder = opendir(stage.folder);
    size_t count = 0;

    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));) {
        char path[512];

        if (entry->d_name[0] == '.')
            continue;
        count++;
        assert_true(snprintf(path, sizeof path, "%s/%s", stage.folder, entry->d_name) <
                    (int)sizeof path);
        if (remove)
            assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(closedir(folder), 0);
    return count;
}

static int
set_up(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    arena_init(&stage.arena, (size_t)64 << 20);
    stage.cli = (struct cli){.arena = &stage.arena, .clock = clock_system()};
    memcpy(stage.folder, "/tmp/samverka-import-XXXXXX", 28);
    stage.cli.settings.state_folder = mkdtemp(stage.folder);
    stage.names = 1;
    importer.pointers = false;
    return stage.cli.settings.state_folder ? 0 : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    (void)count_states(true);
    arena_fini(&stage.arena);
    return rmdir(stage.folder);
}

static void
a_run_sends_batches_and_forgets_itself_at_the_end(void **state)
{
    (void)state;
    stage.items = 2 * IMPORT_BATCH + 1;
    assert_int_equal(run().code, CODE_OK);
    assert_int_equal(stage.calls, 3);
    assert_int_equal(stage.sent[0], IMPORT_BATCH);
    assert_int_equal(stage.sent[1], IMPORT_BATCH);
    assert_int_equal(stage.sent[2], 1);
    assert_string_not_equal(stage.keys[0], stage.keys[1]);
    assert_int_equal(count_states(false), 0);
}

static void
an_empty_file_sends_nothing(void **state)
{
    (void)state;
    assert_int_equal(run().code, CODE_OK);
    assert_int_equal(stage.calls, 0);
}

static void
items_with_many_fields_make_smaller_batches(void **state)
{
    (void)state;
    stage.items = 10;
    stage.names = 1000; /* two fields and the message each */
    assert_int_equal(run().code, CODE_OK);
    assert_true(stage.calls >= 4);
    for (size_t i = 0; i < stage.calls; i++)
        assert_in_range(stage.sent[i], 1, IMPORT_FIELDS / 3000);
}

static void
one_bad_item_keeps_everything_from_being_sent(void **state)
{
    struct status status;

    (void)state;
    stage.items = 700;
    stage.bad_from = 600;
    stage.bad_count = 3;
    status = run();
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_non_null(strstr(status.detail, "3 places in the file are wrong"));
    assert_int_equal(stage.calls, 0);
    assert_int_equal(count_states(false), 0);
}

static void
a_dry_run_sends_nothing(void **state)
{
    (void)state;
    stage.items = 700;
    assert_int_equal(
        run_with(&(struct import_options){.dry_run = true, .fingerprint = "abc"}).code,
        CODE_OK);
    assert_int_equal(stage.calls, 0);
    assert_int_equal(count_states(false), 0);
}

static void
an_interrupted_run_goes_on_after_its_last_batch(void **state)
{
    char first[KEY_SIZE], third[KEY_SIZE];

    (void)state;
    stage.items = 3 * IMPORT_BATCH;
    stage.failure = (struct status){.code = CODE_PERMISSION_DENIED, .detail = "no"};
    stage.fail_from = 2;
    stage.fail_count = 1;
    assert_int_equal(run().code, CODE_PERMISSION_DENIED);
    assert_int_equal(stage.calls, 3);
    assert_int_equal(count_states(false), 1);
    memcpy(first, stage.keys[0], KEY_SIZE);
    memcpy(third, stage.keys[2], KEY_SIZE);

    stage.fail_count = 0;
    assert_int_equal(run().code, CODE_OK);
    assert_int_equal(stage.calls, 1);
    assert_string_equal(stage.keys[0], third); /* it may have been stored, unheard */
    assert_int_equal(count_states(false), 0);

    assert_int_equal(run().code, CODE_OK);
    assert_int_equal(stage.calls, 3);
    assert_string_not_equal(stage.keys[0], first);
}

static void
from_start_forgets_an_interrupted_run(void **state)
{
    (void)state;
    stage.items = 2 * IMPORT_BATCH;
    stage.failure = (struct status){.code = CODE_PERMISSION_DENIED, .detail = "no"};
    stage.fail_from = 1;
    stage.fail_count = 1;
    assert_int_equal(run().code, CODE_PERMISSION_DENIED);
    stage.fail_count = 0;
    assert_int_equal(
        run_with(&(struct import_options){.from_start = true, .fingerprint = "abc"}).code,
        CODE_OK);
    assert_int_equal(stage.calls, 2);
}

static void
another_file_does_not_go_on_with_it(void **state)
{
    (void)state;
    stage.items = 2 * IMPORT_BATCH;
    stage.failure = (struct status){.code = CODE_PERMISSION_DENIED, .detail = "no"};
    stage.fail_from = 1;
    stage.fail_count = 1;
    assert_int_equal(run().code, CODE_PERMISSION_DENIED);
    stage.fail_count = 0;
    assert_int_equal(run_with(&(struct import_options){.fingerprint = "def"}).code, CODE_OK);
    assert_int_equal(stage.calls, 2);
}

static void
a_state_that_cannot_be_is_passed_over(void **state)
{
    char path[512];
    DIR *folder;
    FILE *file;

    (void)state;
    stage.items = 2 * IMPORT_BATCH;
    stage.failure = (struct status){.code = CODE_PERMISSION_DENIED, .detail = "no"};
    stage.fail_from = 1;
    stage.fail_count = 1;
    assert_int_equal(run().code, CODE_PERMISSION_DENIED);
    folder = opendir(stage.folder);
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            assert_true(snprintf(path, sizeof path, "%s/%s", stage.folder, entry->d_name) <
                        (int)sizeof path);
    assert_int_equal(closedir(folder), 0);
    file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "0123456789abcdef0123456789abcdef 99\n");
    assert_int_equal(fclose(file), 0);
    stage.fail_count = 0;
    assert_int_equal(run().code, CODE_OK);
    assert_int_equal(stage.calls, 2);
}

static void
a_part_of_the_cluster_that_is_away_is_asked_again_with_the_same_key(void **state)
{
    (void)state;
    stage.items = 1;
    stage.failure = (struct status){.code = CODE_UNAVAILABLE, .detail = "away"};
    stage.fail_count = 2;
    assert_int_equal(run().code, CODE_OK);
    assert_int_equal(stage.calls, 3);
    assert_string_equal(stage.keys[0], stage.keys[2]);
}

static void
a_refusal_names_the_line_of_the_item(void **state)
{
    struct status status;

    (void)state;
    stage.items = IMPORT_BATCH + 20;
    stage.failure = (struct status){.code = CODE_INVALID_ARGUMENT,
                                    .field = "organisations[17].names[0].value",
                                    .detail = "must not be empty"};
    stage.fail_from = 1;
    stage.fail_count = 1;
    status = run();
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.field, "line 519, names[0].value");
    assert_non_null(strstr(status.detail, "must not be empty"));
    assert_non_null(strstr(status.detail, "1 of 2"));
}

static void
a_refusal_in_a_file_without_lines_is_a_pointer(void **state)
{
    struct status status;

    (void)state;
    importer.pointers = true;
    stage.items = 3;
    stage.failure = (struct status){
        .code = CODE_INVALID_ARGUMENT, .field = "organisations[1]", .detail = "is no good"};
    stage.fail_count = 1;
    status = run();
    assert_string_equal(status.field, "/3");
}

static void
a_refusal_without_an_item_stays_as_it_is(void **state)
{
    struct status status;

    (void)state;
    stage.items = 1;
    stage.failure = (struct status){
        .code = CODE_INVALID_ARGUMENT, .field = "idempotency_key", .detail = "is no good"};
    stage.fail_count = 1;
    status = run();
    assert_string_equal(status.field, "idempotency_key");
    assert_string_equal(status.detail, "is no good");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define PLAY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        PLAY(a_run_sends_batches_and_forgets_itself_at_the_end),
        PLAY(an_empty_file_sends_nothing),
        PLAY(items_with_many_fields_make_smaller_batches),
        PLAY(one_bad_item_keeps_everything_from_being_sent),
        PLAY(a_dry_run_sends_nothing),
        PLAY(an_interrupted_run_goes_on_after_its_last_batch),
        PLAY(from_start_forgets_an_interrupted_run),
        PLAY(another_file_does_not_go_on_with_it),
        PLAY(a_state_that_cannot_be_is_passed_over),
        PLAY(a_part_of_the_cluster_that_is_away_is_asked_again_with_the_same_key),
        PLAY(a_refusal_names_the_line_of_the_item),
        PLAY(a_refusal_in_a_file_without_lines_is_a_pointer),
        PLAY(a_refusal_without_an_item_stays_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
