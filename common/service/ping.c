/* --ping: asks the instance that these settings describe, as the containers' health check does.
 */

#include <string.h>

#include "common/service/frame.h"
#include "wire/v1/admin.pb-c.h"

#define PING_MS 2000

/* An instance that takes requests at every address is asked at loopback. */
static char *
reachable(struct arena *arena, const char *bind)
{
    static const char *const every[] = {"tcp://0.0.0.0:", "tcp://*:"};

    for (size_t i = 0; i < COUNT_OF(every); i++)
        if (strncmp(bind, every[i], strlen(every[i])) == 0)
            return arena_printf(arena, "tcp://127.0.0.1:%s", bind + strlen(every[i]));
    return arena_copy(arena, bind);
}

static struct status
call_ping(struct rpc_client *client, const struct common_settings *settings,
          const struct key_pair *own, struct arena *arena)
{
    const Wire__V1__PingRequest request = WIRE__V1__PING_REQUEST__INIT;
    const struct clock *clock = clock_system();
    const char *endpoint = reachable(arena, settings->rpc_bind);
    ProtobufCMessage *reply;

    TRY(need(endpoint));
    if (strchr(endpoint, '*'))
        return FAIL_FIELD(arena, "rpc_bind", "has no fixed port to ask");
    TRY(rpc_client_add(client, "wire", endpoint, settings->curve ? own->public_text : NULL,
                       arena));
    return rpc_call(client, "wire.v1.Admin/Ping", &request.base,
                    &wire__v1__ping_reply__descriptor,
                    &(struct rpc_options){
                        .deadline = mono_add_ms(clock_mono(clock), PING_MS),
                    },
                    arena, &reply);
}

static struct status
ping(const struct service *service, const struct common_settings *settings, void *zmq_context,
     struct arena *arena)
{
    scoped(resolver_destroy) struct resolver *resolver = NULL;
    scoped(rpc_client_destroy) struct rpc_client *client = NULL;
    struct key_pair own = {0};

    if (settings->curve)
        TRY(key_pair_load(settings->key_folder, service->name, arena, &own));
    TRY(resolver_create(arena, &resolver));
    TRY(rpc_client_create(&(struct rpc_client_config){.zmq_context = zmq_context,
                                                      .resolver = resolver,
                                                      .clock = clock_system(),
                                                      .curve = settings->curve,
                                                      .own = settings->curve ? &own : NULL},
                          arena, &client));
    return call_ping(client, settings, &own, arena);
}

int
ping_run(const struct service *service, const struct common_settings *settings,
         struct arena *arena)
{
    void *zmq_context = zmq_ctx_new();
    struct status status = need(zmq_context);

    if (!failed(status)) {
        status = ping(service, settings, zmq_context, arena);
        (void)zmq_ctx_term(zmq_context);
    }
    if (failed(status))
        (void)fprintf(stderr, "samverka-%s does not answer: %s: %s\n", service->name,
                      code_name(status.code), status.detail ? status.detail : "");
    return failed(status) ? EXIT_FAILURE : EXIT_SUCCESS;
}
