#include "services/cli/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>

#include "common/base/test.h"

static struct arena arena;
static char folder[] = "/tmp/samverka-source-XXXXXX";
static char path[64];

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)1 << 20);
    if (!mkdtemp(folder))
        return -1;
    return snprintf(path, sizeof path, "%s/file", folder) < (int)sizeof path ? 0 : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    (void)unlink(path);
    return rmdir(folder);
}

static void
write_file(const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void
add_member(zip_t *archive, const char *name, const char *text)
{
    zip_source_t *source = zip_source_buffer(archive, text, strlen(text), 0);

    assert_non_null(source);
    assert_true(zip_file_add(archive, name, source, ZIP_FL_OVERWRITE) >= 0);
}

static void
write_zip(void)
{
    int error;
    zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &error);

    assert_non_null(archive);
    add_member(archive, "esco/digitalskills_en.csv", "not this one");
    add_member(archive, "esco/skills_en.csv", "conceptUri,preferredLabel\n");
    assert_int_equal(zip_close(archive), 0);
}

static void
a_plain_file_is_read_whole(void **state)
{
    scoped(source_fini) struct source source = {0};

    (void)state;
    write_file("a,b\n", 4);
    assert_int_equal(source_read(path, "ignored.csv", &arena, &source).code, CODE_OK);
    assert_int_equal(source.size, 4);
    assert_string_equal(source.text, "a,b\n");
    assert_false(source_is_zip(path));
}

static void
a_packed_file_is_unpacked_and_a_cut_one_refused(void **state)
{
    scoped(source_fini) struct source source = {0};
    gzFile file = gzopen(path, "wb");
    char text[4096];
    FILE *plain;
    long size;

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i * i % 23);
    assert_non_null(file);
    for (int i = 0; i < 600; i++)
        assert_int_equal(gzwrite(file, text, sizeof text), (int)sizeof text);
    assert_int_equal(gzclose(file), Z_OK);
    assert_int_equal(source_read(path, "", &arena, &source).code, CODE_OK);
    assert_int_equal(source.size, 600 * sizeof text);
    assert_memory_equal(source.text + 599 * sizeof text, text, sizeof text);
    source_fini(&source);
    plain = fopen(path, "rb");
    assert_non_null(plain);
    assert_int_equal(fseek(plain, 0, SEEK_END), 0);
    size = ftell(plain);
    (void)fclose(plain);
    assert_int_equal(truncate(path, size / 2), 0);
    assert_int_equal(source_read(path, "", &arena, &source).code, CODE_INVALID_ARGUMENT);
    assert_null(source.text);
}

static void
a_file_that_is_not_there_is_said(void **state)
{
    struct source source = {0};

    (void)state;
    assert_int_equal(source_read("/nowhere/at/all.csv", "x", &arena, &source).code,
                     CODE_NOT_FOUND);
    assert_null(source.text);
}

static void
a_member_is_found_by_its_own_name_in_any_folder(void **state)
{
    scoped(source_fini) struct source source = {0};

    (void)state;
    write_zip();
    assert_true(source_is_zip(path));
    assert_int_equal(source_read(path, "skills_en.csv", &arena, &source).code, CODE_OK);
    assert_string_equal(source.text, "conceptUri,preferredLabel\n");
    assert_string_equal(source.name, "esco/skills_en.csv");
}

static void
the_first_member_of_a_kind_is_found(void **state)
{
    scoped(source_fini) struct source source = {0};

    (void)state;
    write_zip();
    assert_int_equal(source_read(path, ".csv", &arena, &source).code, CODE_OK);
    assert_string_equal(source.text, "not this one");
}

static void
a_member_that_is_missing_is_said(void **state)
{
    struct source source = {0};

    (void)state;
    write_zip();
    assert_int_equal(source_read(path, "skills_sv.csv", &arena, &source).code, CODE_NOT_FOUND);
    assert_null(source.text);
}

static void
a_broken_zip_is_refused(void **state)
{
    struct source source = {0};
    char bytes[4096];
    size_t size;
    FILE *file;

    (void)state;
    write_file("PK\003\004 and then nothing", 22);
    assert_int_equal(source_read(path, ".csv", &arena, &source).code, CODE_INVALID_ARGUMENT);
    write_zip();
    file = fopen(path, "rb");
    assert_non_null(file);
    size = fread(bytes, 1, sizeof bytes, file);
    assert_int_equal(fclose(file), 0);
    write_file(bytes, size / 2);
    assert_int_equal(source_read(path, ".csv", &arena, &source).code, CODE_INVALID_ARGUMENT);
    assert_null(source.text);
}

static void
a_member_that_does_not_unpack_is_refused(void **state)
{
    struct source source = {0};
    char bytes[4096];
    size_t size;
    FILE *file;
    char *packed;

    (void)state;
    write_zip();
    file = fopen(path, "rb");
    assert_non_null(file);
    size = fread(bytes, 1, sizeof bytes, file);
    assert_int_equal(fclose(file), 0);
    packed = memmem(bytes, size, "skills_en.csv", strlen("skills_en.csv"));
    assert_non_null(packed);
    packed[strlen("skills_en.csv") + 3] ^= 0x55;
    write_file(bytes, size);
    assert_int_equal(source_read(path, ".csv", &arena, &source).code, CODE_INVALID_ARGUMENT);
    assert_null(source.text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_file_is_read_whole),
        cmocka_unit_test(a_packed_file_is_unpacked_and_a_cut_one_refused),
        cmocka_unit_test(a_file_that_is_not_there_is_said),
        cmocka_unit_test(a_member_is_found_by_its_own_name_in_any_folder),
        cmocka_unit_test(the_first_member_of_a_kind_is_found),
        cmocka_unit_test(a_member_that_is_missing_is_said),
        cmocka_unit_test(a_broken_zip_is_refused),
        cmocka_unit_test(a_member_that_does_not_unpack_is_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
