/* samverka demo load: the demonstration data.
 *
 * Every step has an idempotency key of its own, so a load that was interrupted is simply begun
 * again and one that is repeated changes nothing.  Keys are forgotten after two days: from then
 * on nothing is sent any more.  The day of the load and the passphrase of its accounts stand in
 * the state folder, because dates in the steps and the logins must stay the same.
 */

#include "services/cli/demo.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "registry/v1/sessions.pb-c.h"
#include "registry/v1/tenants.pb-c.h"
#include "services/cli/call.h"
#include "services/cli/cli.h"
#include "services/cli/import.h"
#include "services/cli/progress.h"

#define STEP_BYTES ((size_t)32 << 20)
#define ANSWER_BYTES ((size_t)8 << 20)
#define ATTEMPTS 5
#define REPEATABLE_MS ((int64_t)44 * 3600 * 1000) /* idempotency keys live 48 hours */
#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define PASSWORD_BYTES 10
#define PASSWORD_SIZE 20 /* four groups of four, hyphens and a NUL */

struct demo {
    struct cli *cli;
    struct arena arena; /* of a step */
    json_t *steps;
    struct demo_values values;
    int32_t today;
    char password[PASSWORD_SIZE];
    bool remembered; /* day and password come from the state folder */
};

static struct status
read_steps(struct demo *demo)
{
    const char *at = (const char *)demo_steps;
    const char *end = at + demo_steps_size;

    TRY(need(demo->steps = json_array()));
    for (size_t line = 1; at < end; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const size_t size = (size_t)((stop ? stop : end) - at);
        json_error_t error;
        json_t *step = json_loadb(at, size, JSON_REJECT_DUPLICATES, &error);

        if (!step)
            return FAIL(demo->cli->arena, INTERNAL, "line %zu of the demonstration: %s", line,
                        error.text);
        if (json_array_append_new(demo->steps, step) != 0)
            return need(NULL);
        at += size + 1;
    }
    return OK;
}

/* The state: the day of the load and the passphrase. */

static struct status
state_path(struct cli *cli, const char **ret)
{
    return need(*ret = arena_printf(cli->arena, "%s/demo", cli->settings.state_folder));
}

static struct status
load_state(struct demo *demo)
{
    const char *path;
    FILE *file;

    TRY(state_path(demo->cli, &path));
    file = fopen(path, "r");
    if (!file)
        return OK;
    demo->remembered = fscanf(file, "%" SCNd32 " %19s", &demo->today, demo->password) == 2;
    (void)fclose(file); /* it was only read */
    return OK;
}

static struct status
store_state(struct demo *demo)
{
    struct cli *cli = demo->cli;
    const char *path;
    FILE *file;
    mode_t mask;

    TRY(state_path(cli, &path));
    if (mkdir(cli->settings.state_folder, 0700) != 0 && errno != EEXIST)
        return FAIL(cli->arena, INVALID_ARGUMENT, "state_folder %s: %s",
                    cli->settings.state_folder, strerror(errno));
    mask = umask(077);
    file = fopen(path, "w");
    (void)umask(mask); /* gives the old mask, ours */
    if (!file)
        return FAIL(cli->arena, INVALID_ARGUMENT, "%s: %s", path, strerror(errno));
    fprintf(file, "%" PRId32 " %s\n", demo->today, demo->password);
    if (fclose(file) != 0)
        return FAIL(cli->arena, INVALID_ARGUMENT, "%s: %s", path, strerror(errno));
    return OK;
}

/* "k7wq-3mzp-x2hd-9rtc": 80 bits, without letters that look like others. */
static void
make_password(char ret[PASSWORD_SIZE])
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
    unsigned char random[PASSWORD_SIZE];

    randombytes_buf(random, sizeof random);
    for (size_t i = 0; i < PASSWORD_SIZE - 1; i++)
        ret[i] = i % 5 == 4 ? '-' : letters[random[i] % (sizeof letters - 1)];
    ret[PASSWORD_SIZE - 1] = '\0';
}

/* When the first step's tenant was made, out of its UUIDv7; -1: there is none. */
static struct status
find_first_load(struct demo *demo, int64_t *ret_unix_ms)
{
    json_t *request = json_object_get(json_array_get(demo->steps, 0), "request");
    Registry__V1__GetTenantRequest get = REGISTRY__V1__GET_TENANT_REQUEST__INIT;
    ProtobufCMessage *reply;
    struct status found;
    const char *id;

    *ret_unix_ms = -1;
    TRY(need(get.tenant_id = json_string_value(json_object_get(request, "slug"))));
    found =
        cli_call(demo->cli, "registry.v1.Tenants/GetTenant", &get.base,
                 &registry__v1__get_tenant_reply__descriptor, NULL, demo->cli->arena, &reply);
    if (found.code == CODE_NOT_FOUND)
        return OK;
    TRY(found);
    id = ((const Registry__V1__GetTenantReply *)reply)->tenant->tenant_id;
    *ret_unix_ms = (int64_t)(strtoull(id, NULL, 16) << 16 | strtoull(id + 9, NULL, 16));
    return OK;
}

/* One step. */

static struct status
read_actor(struct demo *demo, json_t *as, struct cli_actor *actor)
{
    const struct {
        const char *name;
        const char **into;
    } ids[] = {{"account", &actor->account_id},
               {"person", &actor->person_id},
               {"organisation", &actor->organisation_id}};
    json_t *roles = json_object_get(as, "roles");

    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        const char *name = json_string_value(json_object_get(as, ids[i].name));

        *ids[i].into = "";
        if (name)
            TRY(demo_values_text(&demo->values, &demo->arena, name, ids[i].into));
    }
    for (size_t i = 0; i < json_array_size(roles) && i < CLI_ROLES_MOST; i++) {
        const char *name = json_string_value(json_array_get(roles, i));
        const int role = name ? import_enum(&wire__v1__role__descriptor, name) : -1;

        if (role <= 0)
            return FAIL(&demo->arena, INVALID_ARGUMENT, "there is no role %s",
                        name ? name : "of that kind");
        actor->roles[actor->role_count++] = (Wire__V1__Role)role;
    }
    return OK;
}

static void
free_text(char **text)
{
    free(*text);
}

static void
drop(json_t **json)
{
    json_decref(*json);
}

/* Sends the request; a part of the cluster that is away for a while is waited for. */
static struct status
send_step(struct demo *demo, const char *method, json_t *request, const char *id,
          struct buffer *answer)
{
    scoped(free_text) char *text = json_dumps(request, JSON_COMPACT);
    char *key = arena_printf(&demo->arena, "demo-%s", id);
    struct status sent = OK;

    TRY(need(text));
    TRY(need(key));
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        buffer_clear(answer);
        sent = call_json(demo->cli, method, text, strlen(text), key, &demo->arena, answer);
        if (!failed(sent) || code_retry(sent.code) == RETRY_NEVER)
            break;
    }
    return sent;
}

static struct status
call_step(struct demo *demo, json_t *step, json_t *request, const char *id, json_t **ret)
{
    scoped(buffer_fini) struct buffer answer = {0};
    const char *method = json_string_value(json_object_get(step, "call"));
    json_error_t error;

    buffer_init(&answer, ANSWER_BYTES);
    TRY(send_step(demo, method, request, id, &answer));
    *ret = json_loadb((const char *)answer.data, answer.size, 0, &error);
    if (!*ret)
        return FAIL(&demo->arena, INTERNAL, "the reply cannot be read: %s", error.text);
    return OK;
}

/* Gives names to all that a call lists, page by page. */
static struct status
learn_pages(struct demo *demo, json_t *step, json_t *request, const char *id)
{
    json_t *learn = json_object_get(step, "learn");
    const char *list = json_string_value(json_object_get(learn, "list"));
    const char *key = json_string_value(json_object_get(learn, "key"));
    const char *prefix = json_string_value(json_object_get(learn, "prefix"));

    for (;;) {
        scoped(drop) json_t *reply = NULL;
        const char *token;

        TRY(call_step(demo, step, request, id, &reply));
        TRY(demo_values_learn_list(&demo->values, &demo->arena, json_object_get(reply, list),
                                   prefix, key));
        token = json_string_value(json_object_get(reply, "nextPageToken"));
        if (!token || !*token)
            return OK;
        if (json_object_set_new(request, "pageToken", json_string(token)) != 0)
            return need(NULL);
    }
}

static struct status
take_step(struct demo *demo, json_t *step, const char *id)
{
    const char *tenant = json_string_value(json_object_get(step, "tenant"));
    json_t *as = json_object_get(step, "as");
    struct cli_actor actor = {0};
    scoped(drop) json_t *request = NULL;
    scoped(drop) json_t *reply = NULL;

    demo->cli->tenant = NULL;
    demo->cli->actor = NULL;
    if (tenant)
        TRY(demo_values_text(&demo->values, &demo->arena, tenant, &demo->cli->tenant));
    if (as) {
        TRY(read_actor(demo, as, &actor));
        demo->cli->actor = &actor;
    }
    TRY(demo_values_fill(&demo->values, &demo->arena, json_object_get(step, "request"),
                         &request));
    if (json_object_get(step, "learn"))
        return learn_pages(demo, step, request, id);
    TRY(call_step(demo, step, request, id, &reply));
    return demo_values_learn(&demo->values, id, reply);
}

static struct status
take_steps(struct demo *demo)
{
    const size_t count = json_array_size(demo->steps);
    struct cli *cli = demo->cli;

    TRY(demo_values_init(&demo->values, demo->today, demo->password));
    for (size_t i = 0; i < count; i++) {
        json_t *step = json_array_get(demo->steps, i);
        const char *id = json_string_value(json_object_get(step, "id"));

        TRY(need(id));
        arena_reset(&demo->arena);

        const struct status taken = take_step(demo, step, id);

        cli->actor = NULL; /* both point into what goes with the step */
        cli->tenant = NULL;
        if (failed(taken)) {
            char *place = arena_printf(cli->arena, "step %s%s%s", id, taken.field ? ", " : "",
                                       taken.field ? taken.field : "");

            return (struct status){
                .code = taken.code,
                .field = place,
                .detail = arena_copy(cli->arena, taken.detail ? taken.detail : "")};
        }
        progress_show(i + 1, count, id);
    }
    return OK;
}

/* What is told. */

/* Whether the passphrase is the accounts': an earlier load may have made them with another. */
static struct status
password_fits(struct demo *demo, const char *email, bool *ret)
{
    Registry__V1__SignInRequest request = REGISTRY__V1__SIGN_IN_REQUEST__INIT;
    ProtobufCMessage *reply;
    struct status signed_in;

    request.email = email;
    request.password = demo->password;
    signed_in =
        cli_call(demo->cli, "registry.v1.Sessions/SignIn", &request.base,
                 &registry__v1__sign_in_reply__descriptor, NULL, demo->cli->arena, &reply);
    *ret = !failed(signed_in);
    return signed_in.code == CODE_UNAUTHENTICATED ? OK : signed_in;
}

static const char *
member(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

/* What a newcomer may ask first. */
static void
print_tries(const struct demo *demo)
{
    const char *need_id = member(demo->values.ids, "need/linje-energi");

    printf("\nTwo things to try:\n");
    if (*need_id)
        printf("  %s --tenant hogskolan-dalarna --lang sv call matching.v1.Matches/FindMatches "
               "'{\"subject\": {\"kind\": \"NEED\", \"id\": \"%s\"}, \"limit\": 3}'\n",
               program_invocation_name, need_id);
    else
        printf("  %s --tenant hogskolan-dalarna call registry.v1.Needs/ListNeeds "
               "'{\"pageSize\": 5}'\n",
               program_invocation_name);
    printf("  %s --tenant hogskolan-dalarna --lang sv call "
           "registry.v1.Indicators/GetIndicator '{\"code\": \"ktp-offered\"}'\n",
           program_invocation_name);
}

static struct status
print_logins(struct demo *demo)
{
    bool fits, first = true;

    for (size_t i = 0; i < json_array_size(demo->steps); i++) {
        json_t *step = json_array_get(demo->steps, i);
        json_t *login = json_object_get(step, "login");
        const char *email = member(json_object_get(step, "request"), "email");

        if (!login)
            continue;
        if (first) {
            TRY(password_fits(demo, email, &fits));
            printf("\nDemonstration logins at %s, password of all: %s\n\n",
                   demo->cli->settings.gateway_url,
                   fits ? demo->password : "(as it was told when they were made)");
            first = false;
        }
        printf("  %-42s %-20s %s\n", email, member(login, "who"), member(login, "where"));
    }
    print_tries(demo);
    return OK;
}

/* Loads all, unless it was loaded so long ago that a repeat would not be recognised. */
static struct status
load(struct demo *demo)
{
    const struct mono begun = clock_mono(demo->cli->clock);
    const int64_t now_ms = clock_wall(demo->cli->clock).unix_ms;
    int64_t loaded_ms;
    const char *day;

    TRY(read_steps(demo));
    TRY(load_state(demo));
    TRY(find_first_load(demo, &loaded_ms));
    if (!demo->remembered || loaded_ms < 0) {
        make_password(demo->password);
        demo->today = (int32_t)((loaded_ms < 0 ? now_ms : loaded_ms) / DAY_MS);
        TRY(store_state(demo));
    }
    if (loaded_ms >= 0 && now_ms - loaded_ms > REPEATABLE_MS) {
        TRY(demo_date(demo->cli->arena, (int32_t)(loaded_ms / DAY_MS), &day));
        printf("The demonstration's tenants have been here since %s: nothing was sent.\n", day);
        return print_logins(demo);
    }
    TRY(take_steps(demo));
    printf("%zu steps of demonstration data in %.1f s\n", json_array_size(demo->steps),
           (double)mono_micros_between(begun, clock_mono(demo->cli->clock)) / 1e6);
    return print_logins(demo);
}

struct status
demo_command(struct cli *cli, int count, char **words)
{
    struct demo demo = {.cli = cli};

    TRY(cli_no_more_options(cli, count, words));
    if (count != 1 || strcmp(words[0], "load") != 0)
        return FAIL(cli->arena, INVALID_ARGUMENT, "demo load");
    arena_init(&demo.arena, STEP_BYTES);

    const struct status loaded = load(&demo);

    demo_values_fini(&demo.values);
    json_decref(demo.steps);
    arena_fini(&demo.arena);
    return loaded;
}
