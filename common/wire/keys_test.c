#include "common/wire/keys.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/test.h"

struct place {
    struct arena arena;
    char folder[64];
};

static int
place_open(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    if (!place)
        return -1;
    arena_init(&place->arena, 1 << 20);
    (void)snprintf(place->folder, sizeof place->folder, "/tmp/keys-test-XXXXXX");
    *state = place;
    return mkdtemp(place->folder) ? 0 : -1;
}

static void
path_of(const struct place *place, const char *file, char ret[128])
{
    (void)snprintf(ret, 128, "%s/%s", place->folder, file);
}

static int
place_close(void **state)
{
    static const char *const files[] = {"registry.key", "registry.pub", "matching.key",
                                        "matching.pub"};
    struct place *place = *state;
    char path[128];

    for (size_t i = 0; i < COUNT_OF(files); i++) {
        path_of(place, files[i], path);
        (void)unlink(path); /* ENOENT: the test made none */
    }
    (void)rmdir(place->folder);
    arena_fini(&place->arena);
    free(place);
    return 0;
}

static void
write_file(const struct place *place, const char *file, const char *text)
{
    char path[128];
    FILE *out;

    path_of(place, file, path);
    (void)unlink(path); /* may be there, and read only */
    out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static void
a_stored_pair_is_read_back_and_its_secret_is_for_the_owner_alone(void **state)
{
    struct place *place = *state;
    struct key_pair made, read;
    char public_text[KEY_TEXT_SIZE], path[128];
    struct stat info;

    assert_int_equal(key_pair_create(&place->arena, &made).code, CODE_OK);
    assert_int_equal(key_pair_store(place->folder, "registry", &made, &place->arena).code,
                     CODE_OK);
    assert_int_equal(key_pair_load(place->folder, "registry", &place->arena, &read).code,
                     CODE_OK);
    assert_string_equal(read.public_text, made.public_text);
    assert_string_equal(read.secret_text, made.secret_text);
    assert_int_equal(
        key_public_load(place->folder, "registry", &place->arena, public_text).code, CODE_OK);
    assert_string_equal(public_text, made.public_text);
    path_of(place, "registry.key", path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0400);
}

static void
an_existing_key_is_left_alone(void **state)
{
    struct place *place = *state;
    struct key_pair first, second, read;

    assert_int_equal(key_pair_create(&place->arena, &first).code, CODE_OK);
    assert_int_equal(key_pair_create(&place->arena, &second).code, CODE_OK);
    assert_int_equal(key_pair_store(place->folder, "registry", &first, &place->arena).code,
                     CODE_OK);
    assert_int_equal(key_pair_store(place->folder, "registry", &second, &place->arena).code,
                     CODE_ALREADY_EXISTS);
    assert_int_equal(key_pair_load(place->folder, "registry", &place->arena, &read).code,
                     CODE_OK);
    assert_string_equal(read.secret_text, first.secret_text);
}

static void
missing_and_broken_files_are_told_apart(void **state)
{
    struct place *place = *state;
    char text[KEY_TEXT_SIZE];

    assert_int_equal(key_public_load(place->folder, "matching", &place->arena, text).code,
                     CODE_NOT_FOUND);
    write_file(place, "matching.pub", "too short\n");
    assert_int_equal(key_public_load(place->folder, "matching", &place->arena, text).code,
                     CODE_INVALID_ARGUMENT);
    write_file(place, "matching.pub", "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hIDx");
    assert_int_equal(key_public_load(place->folder, "matching", &place->arena, text).code,
                     CODE_INVALID_ARGUMENT);
    write_file(place, "matching.pub", "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID\n");
    assert_int_equal(key_public_load(place->folder, "matching", &place->arena, text).code,
                     CODE_OK);
}

static void
a_secret_must_belong_to_its_public_key(void **state)
{
    struct place *place = *state;
    struct key_pair one, two, read;

    assert_int_equal(key_pair_create(&place->arena, &one).code, CODE_OK);
    assert_int_equal(key_pair_create(&place->arena, &two).code, CODE_OK);
    write_file(place, "matching.pub", one.public_text);
    write_file(place, "matching.key", two.secret_text);
    assert_int_equal(key_pair_load(place->folder, "matching", &place->arena, &read).code,
                     CODE_INVALID_ARGUMENT);
}

static void
a_name_cannot_leave_the_folder(void **state)
{
    struct place *place = *state;
    struct key_pair pair;
    char text[KEY_TEXT_SIZE];

    assert_int_equal(key_pair_create(&place->arena, &pair).code, CODE_OK);
    assert_int_equal(key_pair_store(place->folder, "../up", &pair, &place->arena).code,
                     CODE_INVALID_ARGUMENT);
    assert_int_equal(key_public_load(place->folder, "", &place->arena, text).code,
                     CODE_INVALID_ARGUMENT);
}

static void
key_texts_are_z85_of_forty_characters(void **state)
{
    (void)state;
    assert_true(key_text_valid("Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"));
    assert_false(key_text_valid("Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hI"));
    assert_false(key_text_valid("Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID "));
    assert_false(key_text_valid("Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{h D"));
    assert_false(key_text_valid(""));
    assert_false(key_text_valid(NULL));
}

int
main(void)
{
#define PLACED(test) cmocka_unit_test_setup_teardown(test, place_open, place_close)
    const struct CMUnitTest tests[] = {
        PLACED(a_stored_pair_is_read_back_and_its_secret_is_for_the_owner_alone),
        PLACED(an_existing_key_is_left_alone),
        PLACED(missing_and_broken_files_are_told_apart),
        PLACED(a_secret_must_belong_to_its_public_key),
        PLACED(a_name_cannot_leave_the_folder),
        cmocka_unit_test(key_texts_are_z85_of_forty_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
