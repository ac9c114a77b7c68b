/* The peer of http_bench.py: libmicrohttpd with epoll and nothing around it.
 * usage: http_bare PORT BYTES ; answers every request with so many bytes of JSON. */

#include <microhttpd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct answer {
    char *body;
    size_t size;
};

static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *url,
           const char *method, const char *version, const char *data, size_t *data_size,
           void **state)
{
    const struct answer *answer = context;
    static int seen;
    struct MHD_Response *response;
    enum MHD_Result result;

    (void)url;
    (void)method;
    (void)version;
    (void)data;
    (void)data_size;
    if (!*state) {
        *state = &seen;
        return MHD_YES;
    }
    response =
        MHD_create_response_from_buffer(answer->size, answer->body, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    (void)MHD_add_response_header(response, "Content-Type", "application/json");
    result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

int
main(int argc, char **argv)
{
    struct answer answer = {NULL, argc == 3 ? strtoul(argv[2], NULL, 10) : 0};
    struct MHD_Daemon *daemon;
    sigset_t ends;
    int which;

    if (answer.size == 0 || !(answer.body = malloc(answer.size)))
        return 2;
    memset(answer.body, 'x', answer.size);
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD,
                              (unsigned short)strtoul(argv[1], NULL, 10), NULL, NULL,
                              on_request, &answer, MHD_OPTION_END);
    if (!daemon)
        return 1;
    (void)sigwait(&ends, &which);
    MHD_stop_daemon(daemon);
    free(answer.body);
    return 0;
}
