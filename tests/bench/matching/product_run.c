/* What the product's FindMatches costs in process and through ZeroMQ, told line by line.
 *
 *   load               reads what is published, as a process of matching does: "SECONDS
 * PROFILES" search SECONDS     the search alone, on all threads: "RATE P50_US" call SECONDS the
 * method's handler, its reply packed, on all threads: "RATE P50_US" rpc WINDOW SECONDS the
 * method of the process at ENDPOINT, with CURVE: "RATE P50_US"
 *
 * The needs of product.sql take turns.  usage: matching_product_run DSN ENDPOINT KEY_FOLDER
 * THREADS NEEDS
 */

#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "common/service/dispatch.h"
#include "common/service/service.h"
#include "matching/v1/matching.pb-c.h"
#include "services/matching/head.h"
#include "services/matching/matching.h"
#include "services/matching/search.h"
#include "services/matching/state.h"
#include "services/matching/store.h"
#include "tests/bench/bench.h"

#define TENANT "0193a000-000f-7000-8000-000000000000"
#define METHOD "matching.v1.Matches/FindMatches"
#define CALL_MS 10000
#define LIMIT 20 /* as when nothing is said */
#define WINDOW_MAX 1024
#define THREADS_MAX 64
#define NEEDS_MAX 1000000u

struct product {
    const char *dsn, *endpoint, *keys;
    unsigned threads;
    uint64_t needs;
    struct matching_settings settings;
    struct state *state;
    Wire__V1__Principal principal;
    uint64_t stop_ns;
};

/* Stands in for the room's: nobody is asked where the log ends. */
struct status
head_read(struct call *call, uint64_t *ret_head, uint64_t *ret_first_kept)
{
    (void)call;
    *ret_head = *ret_first_kept = 0;
    return OK;
}

static void
must(struct status status, const char *step)
{
    if (failed(status))
        bench_die(step, status.detail ? status.detail : code_name(status.code));
}

static struct call
make_call(const struct product *product, struct arena *arena)
{
    return (struct call){.arena = arena,
                         .clock = clock_system(),
                         .principal = &product->principal,
                         .tenant_id = product->principal.tenant_id,
                         .lang = LANG_SV,
                         .request_id = "bench",
                         .state = product->state,
                         .deadline = mono_add_ms(clock_mono(clock_system()), CALL_MS)};
}

static void
load(struct product *product)
{
    const struct pg_statement *const *const rooms[] = {matching_statements, searches_statements,
                                                       NULL};
    const struct pg_config config = {.dsn = product->dsn,
                                     .application_name = "bench",
                                     .rooms = rooms,
                                     .clock = clock_system()};
    const struct service service = {.name = "matching", .settings_values = &product->settings};
    struct service_frame frame = {.service = &service};
    const uint64_t begun = bench_now_ns();
    uint64_t head, first_kept;
    struct arena arena;
    struct pg *pg;
    void *state;

    arena_init(&arena, ARENA_CALL_BYTES);
    must(pg_create(&config, &arena, &pg), "pg_create");
    must(state_create(&frame, &arena, &state), "state_create");
    product->state = state;

    struct call call = make_call(product, &arena);

    call.pg = pg;
    must(state_load(&call, product->state, &head, &first_kept), "state_load");

    struct held held = swap_hold(&product->state->snapshots);

    (void)printf("%.2f\t%u\n", (double)(bench_now_ns() - begun) / 1e9,
                 ((const struct snapshot *)held.version)->live);
    swap_release(&held);
    pg_destroy(&pg);
    arena_fini(&arena);
}

static void
need_id(const struct product *product, uint64_t turn, char into[UUID_SIZE])
{
    (void)snprintf(into, UUID_SIZE, "0193a000-0002-7000-8000-%012lx",
                   (unsigned long)(turn % product->needs % NEEDS_MAX));
}

static size_t
make_request(const struct product *product, uint64_t turn, uint8_t *into)
{
    Matching__V1__FindMatchesRequest request = MATCHING__V1__FIND_MATCHES_REQUEST__INIT;
    Matching__V1__ProfileRef subject = MATCHING__V1__PROFILE_REF__INIT;
    char id[UUID_SIZE];

    need_id(product, turn, id);
    subject.kind = MATCHING__V1__PROFILE_KIND__NEED;
    subject.id = id;
    request.subject = &subject;
    request.limit = LIMIT;
    return protobuf_c_message_pack(&request.base, into);
}

/* ---- in process ---- */

struct runner {
    struct product *product;
    bool whole; /* the handler, not the search alone */
    unsigned number;
    pthread_t thread;
    struct bench_samples *samples;
};

static void
search_once(const struct product *product, uint64_t turn, struct arena *arena)
{
    struct held held = swap_hold(&product->state->snapshots);
    const struct score_context context = {&product->state->rules, clock_wall(clock_system())};
    struct search search = {.context = &context, .nuts = "", .limit = LIMIT};
    char text[UUID_SIZE];
    struct uid id, viewer;
    struct hits hits;

    need_id(product, turn, text);
    if (!uid_parse(text, &id) || !uid_parse(TENANT, &viewer))
        bench_die("search", "no id");
    search.viewer = &viewer;
    search.subject = snapshot_find(held.version, KIND_NEED, &id);
    if (!search.subject)
        bench_die("search", "the need is not published");
    must(search_run(held.version, &search, arena, &hits), "search_run");
    if (hits.count != LIMIT)
        bench_die("search", "finds too few");
    swap_release(&held);
}

/* As dispatch does it for a worker: unpack, handler, pack. */
static void
call_once(const struct product *product, uint64_t turn, struct arena *arena)
{
    static const unsigned find_matches = 0; /* the first of the service */
    uint8_t packed[256];
    const struct bytes bytes = {packed, make_request(product, turn, packed)};
    struct call call = make_call(product, arena);
    ProtobufCMessage *request;
    uint8_t *reply;

    must(wire_unpack(&matching__v1__find_matches_request__descriptor, bytes, arena, &request),
         "request");
    must(dispatch_invoke(matches_service, find_matches, request, &call), METHOD);
    if (((const Matching__V1__FindMatchesReply *)call.reply)->n_candidates != LIMIT)
        bench_die(METHOD, "finds too few");
    must(need(reply = arena_alloc(arena, protobuf_c_message_get_packed_size(call.reply))),
         "pack");
    (void)protobuf_c_message_pack(call.reply, reply);
}

static void *
run_on(void *context)
{
    struct runner *runner = context;
    struct product *product = runner->product;
    struct arena arena;

    arena_init(&arena, ARENA_CALL_BYTES);
    for (uint64_t turn = runner->number; bench_now_ns() < product->stop_ns;
         turn += product->threads) {
        const uint64_t begun = bench_now_ns();

        arena_reset(&arena);
        if (runner->whole)
            call_once(product, turn, &arena);
        else
            search_once(product, turn, &arena);
        bench_sample(runner->samples, bench_now_ns() - begun);
    }
    arena_fini(&arena);
    return NULL;
}

static void
add_samples(struct bench_samples *into, const struct bench_samples *from)
{
    into->count += from->count;
    for (size_t i = 0; i < BENCH_FINE; i++)
        into->fine[i] += from->fine[i];
    for (size_t i = 0; i < BENCH_COARSE; i++)
        into->coarse[i] += from->coarse[i];
}

static struct bench_samples *
new_samples(void)
{
    struct bench_samples *samples = calloc(1, sizeof *samples);

    if (!samples)
        bench_die("samples", "no memory");
    return samples;
}

static void
run_here(struct product *product, bool whole, double seconds)
{
    struct runner runners[THREADS_MAX];
    struct bench_samples *all = new_samples();
    const uint64_t begun = bench_now_ns();

    if (!product->state)
        bench_die("usage", "load first");
    product->stop_ns = begun + (uint64_t)(seconds * 1e9);
    for (unsigned i = 0; i < product->threads; i++) {
        runners[i] = (struct runner){
            .product = product, .whole = whole, .number = i, .samples = new_samples()};
        if (pthread_create(&runners[i].thread, NULL, run_on, &runners[i]) != 0)
            bench_die("thread", "none");
    }
    for (unsigned i = 0; i < product->threads; i++) {
        (void)pthread_join(runners[i].thread, NULL);
        add_samples(all, runners[i].samples);
        free(runners[i].samples);
    }
    bench_report(all, bench_now_ns() - begun);
    free(all);
}

/* ---- through ZeroMQ ---- */

struct load {
    struct product *product;
    struct rpc_client *client;
    struct arena arena;
    struct bench_samples *samples;
    uint64_t turn;
    uint32_t under_way;
};

/* One of the window's. */
struct seat {
    struct load *load;
    uint64_t started_ns;
};

static void start_call(struct seat *seat);

static void
answered(void *context, const struct rpc_answer *answer)
{
    struct seat *seat = context;
    struct load *load = seat->load;
    const uint64_t now = bench_now_ns();
    ProtobufCMessage *reply;

    must(answer->status, METHOD);
    arena_reset(&load->arena);
    must(wire_unpack(&matching__v1__find_matches_reply__descriptor, answer->packed,
                     &load->arena, &reply),
         "reply");
    if (((const Matching__V1__FindMatchesReply *)reply)->n_candidates != LIMIT)
        bench_die(METHOD, "finds too few");
    bench_sample(load->samples, now - seat->started_ns);
    load->under_way--;
    if (now < load->product->stop_ns)
        start_call(seat);
}

static void
start_call(struct seat *seat)
{
    struct load *load = seat->load;
    uint8_t packed[256];
    const struct bytes request = {packed, make_request(load->product, load->turn++, packed)};
    const struct rpc_options options = {.principal = &load->product->principal,
                                        .deadline =
                                            mono_add_ms(clock_mono(clock_system()), CALL_MS)};

    seat->started_ns = bench_now_ns();
    load->under_way++;
    must(rpc_start(load->client, METHOD, request, &options, answered, seat, &load->arena),
         "rpc_start");
}

static void
run_window(struct load *load, unsigned window, double seconds)
{
    struct seat *seats = calloc(window, sizeof *seats);
    struct pollfd item = {.fd = rpc_client_fd(load->client), .events = POLLIN};
    const uint64_t begun = bench_now_ns();

    if (!seats)
        bench_die("window", "no memory");
    load->product->stop_ns = begun + (uint64_t)(seconds * 1e9);
    for (unsigned i = 0; i < window; i++) {
        seats[i].load = load;
        start_call(&seats[i]);
    }
    while (load->under_way > 0) {
        (void)poll(&item, 1, rpc_client_next_ms(load->client)); /* EINTR: polled again */
        rpc_client_poll(load->client);
    }
    bench_report(load->samples, bench_now_ns() - begun);
    free(seats);
}

static void
run_rpc(struct product *product, unsigned window, double seconds)
{
    struct load load = {.product = product, .samples = new_samples()};
    struct rpc_client_config config = {.clock = clock_system(), .curve = true};
    struct key_pair own;
    char server[KEY_TEXT_SIZE];

    arena_init(&load.arena, ARENA_CALL_BYTES);
    must(key_pair_load(product->keys, "operator", &load.arena, &own), "key");
    must(key_public_load(product->keys, "matching", &load.arena, server), "key");
    config.own = &own;
    config.zmq_context = zmq_ctx_new();
    must(resolver_create(&load.arena, &config.resolver), "resolver_create");
    must(rpc_client_create(&config, &load.arena, &load.client), "rpc_client_create");
    must(rpc_client_add(load.client, "matching", product->endpoint, server, &load.arena),
         "rpc_client_add");
    run_window(&load, window, seconds);
    rpc_client_destroy(&load.client);
    resolver_destroy(&config.resolver);
    (void)zmq_ctx_term(config.zmq_context);
    arena_fini(&load.arena);
    free(load.samples);
}

static void
obey(struct product *product, const char *line)
{
    unsigned window;
    double seconds;

    if (strcmp(line, "load") == 0)
        load(product);
    else if (sscanf(line, "search %lf", &seconds) == 1)
        run_here(product, false, seconds);
    else if (sscanf(line, "call %lf", &seconds) == 1)
        run_here(product, true, seconds);
    else if (sscanf(line, "rpc %u %lf", &window, &seconds) == 2 && window >= 1 &&
             window <= WINDOW_MAX)
        run_rpc(product, window, seconds);
    else
        bench_die("unknown", line);
    (void)fflush(stdout);
}

int
main(int argc, char **argv)
{
    static Wire__V1__Role roles[] = {WIRE__V1__ROLE__PARTNERSHIP_OFFICER};
    static struct product product;
    char line[256];

    if (argc != 6)
        bench_die("usage", "matching_product_run DSN ENDPOINT KEY_FOLDER THREADS NEEDS");
    product = (struct product){
        .dsn = argv[1],
        .endpoint = argv[2],
        .keys = argv[3],
        .threads = (unsigned)strtoul(argv[4], NULL, 10),
        .needs = strtoull(argv[5], NULL, 10),
        .settings = {.shard = "1/1", .substance_least = 3000, .boosts = "", .rural_nuts = ""}};
    if (product.threads < 1 || product.threads > THREADS_MAX || product.needs < 1)
        bench_die("usage", "1 to 64 threads, 1 need or more");
    log_init("bench", "matching", LOG_ERROR_LEVEL);
    wire__v1__principal__init(&product.principal);
    product.principal.kind = WIRE__V1__PRINCIPAL__KIND__PERSON;
    product.principal.subject_id = "0193a000-0000-7000-8000-000000000001";
    product.principal.tenant_id = TENANT;
    product.principal.roles = roles;
    product.principal.n_roles = 1;
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        obey(&product, line);
    }
    return 0;
}
