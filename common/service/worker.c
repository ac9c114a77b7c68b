#include "common/service/worker.h"

#define WORKER_OWN_BYTES ((size_t)4 << 20)

static struct status
make_pg(struct worker *worker, unsigned index)
{
    const struct frame *frame = worker->frame;
    char *name;

    TRY(need(name = arena_printf(&worker->own, "%s/%u %s", frame->service->name, index,
                                 frame->instance)));
    return pg_create(&(struct pg_config){.dsn = frame->settings.pg_dsn,
                                         .password = frame->settings.pg_password,
                                         .application_name = name,
                                         .rooms = frame->rooms,
                                         .clock = frame->open.clock,
                                         .pooled = frame->settings.pg_pooled},
                     &worker->own, &worker->pg);
}

static struct status
make_rpc(struct worker *worker)
{
    struct frame *frame = worker->frame;

    TRY(rpc_client_create(&(struct rpc_client_config){.zmq_context = frame->open.zmq_context,
                                                      .resolver = frame->open.resolver,
                                                      .clock = frame->open.clock,
                                                      .curve = frame->settings.curve,
                                                      .own = frame->open.own_key},
                          &worker->own, &worker->rpc));
    for (size_t i = 0; frame->service->calls && frame->service->calls[i]; i++) {
        const char *name = frame->service->calls[i];
        const char *endpoints = common_settings_endpoints(&frame->settings, name);
        char public_text[KEY_TEXT_SIZE] = "";

        if (!endpoints)
            return FAIL(&worker->own, INTERNAL, "no endpoints are known for %s", name);
        if (frame->settings.curve)
            TRY(key_public_load(frame->settings.key_folder, name, &worker->own, public_text));
        TRY(rpc_client_add(worker->rpc, name, endpoints,
                           frame->settings.curve ? public_text : NULL, &worker->own));
    }
    return OK;
}

static struct status
make(struct worker *worker, unsigned index)
{
    const unsigned uses = worker->frame->service->uses;

    if (uses & USES_POSTGRES)
        TRY(make_pg(worker, index));
    if (uses & USES_REDIS)
        TRY(cache_create(worker->frame->cache_shared, &worker->own, &worker->cache));
    if (uses & USES_RPC)
        TRY(make_rpc(worker));
    return OK;
}

void *
worker_start(void *context, unsigned index)
{
    struct worker *worker = calloc(1, sizeof *worker);

    if (!worker)
        abort(); /* nothing has been promised yet, and nothing can be */
    worker->frame = context;
    arena_init(&worker->own, WORKER_OWN_BYTES);
    arena_init(&worker->job, ARENA_CALL_BYTES);
    worker->start = make(worker, index);
    if (failed(worker->start))
        log_error("worker cannot be made", KV("worker", index),
                  KV("detail", worker->start.detail));
    return worker;
}

void
worker_stop(void *context)
{
    struct worker *worker = context;

    rpc_client_destroy(&worker->rpc);
    cache_destroy(&worker->cache);
    pg_destroy(&worker->pg);
    arena_fini(&worker->job);
    arena_fini(&worker->own);
    free(worker);
}

void
worker_own_call(struct worker *worker, uint32_t limit_ms, struct call *ret)
{
    struct frame *frame = worker->frame;

    arena_reset(&worker->job);
    *ret = (struct call){
        .arena = &worker->job,
        .pg = worker->pg,
        .cache = worker->cache,
        .rpc = worker->rpc,
        .clock = frame->open.clock,
        .principal = &frame->own_principal,
        .tenant_id = "",
        .lang = LANG_EN,
        .request_id = "",
        .deadline = mono_add_ms(clock_mono(frame->open.clock), limit_ms),
        .state = frame->open.state,
        .doorbell = frame->open.doorbell,
    };
}
