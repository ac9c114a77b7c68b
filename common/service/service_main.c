#include "common/service/service.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/service/frame.h"

#define EXIT_USAGE 2

struct arguments {
    const char *settings_file;
    bool settings, settings_doc, ping;
};

static bool
parse_arguments(int argc, char **argv, struct arguments *ret)
{
    struct arguments arguments = {0};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--settings") == 0)
            arguments.settings = true;
        else if (strcmp(argv[i], "--settings-doc") == 0)
            arguments.settings_doc = true;
        else if (strcmp(argv[i], "--ping") == 0)
            arguments.ping = true;
        else if (strcmp(argv[i], "--settings-file") == 0 && i + 1 < argc)
            arguments.settings_file = argv[++i];
        else
            return false;
    }
    *ret = arguments;
    return true;
}

/* Every thread made from here on inherits the mask; signals are read from a descriptor. */
static void
block_signals(struct frame *frame)
{
    (void)sigemptyset(&frame->signals);
    (void)sigaddset(&frame->signals, SIGTERM);
    (void)sigaddset(&frame->signals, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &frame->signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* Secrets stay out of core files and away from debuggers; the sanitizers need to look in. */
static void
hide_memory(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

static void
name_instance(struct frame *frame)
{
    char host[64] = "localhost";

    (void)gethostname(host, sizeof host - 1);
    host[sizeof host - 1] = '\0';
    (void)snprintf(frame->instance, sizeof frame->instance, "%s:%ld", host, (long)getpid());
}

static struct status
set_up_log(struct frame *frame)
{
    enum log_level level;

    if (!log_level_parse(frame->settings.log_level, &level))
        return FAIL_FIELD(&frame->arena, "log_level", "must be debug, info, warn or error");
    log_init(frame->service->name, frame->instance, level);
    return OK;
}

/* Runs to the end of the drain.  The exit code. */
static int
run(struct frame *frame)
{
    struct status status = frame_setup(frame, &frame->arena);

    if (!failed(status))
        status = loop_run(frame, &frame->arena);
    if (failed(status))
        log_error("cannot start", KV("code", code_name(status.code)),
                  KV("field", status.field ? status.field : ""),
                  KV("detail", status.detail ? status.detail : ""));
    if (frame->cut_short) {
        /* What still runs is rolled back by its end; waiting for it is what the limit forbids.
         */
        log_warn("drain cut short");
        if (frame->service->stop)
            frame->service->stop(&frame->open);
        _exit(EXIT_FAILURE);
    }
    frame_teardown(frame);
    if (!failed(status))
        log_info("stopped");
    return failed(status) ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int
serve(struct frame *frame, const struct arguments *arguments, const struct setting_set *sets)
{
    struct status status = setting_load(sets, arguments->settings_file, environ, &frame->arena);

    if (!failed(status))
        status = set_up_log(frame);
    if (failed(status)) {
        (void)fprintf(stderr, "samverka-%s: %s: %s\n", frame->service->name,
                      status.field ? status.field : "settings",
                      status.detail ? status.detail : code_name(status.code));
        return EXIT_USAGE;
    }
    if (arguments->settings) {
        setting_print(sets, stdout);
        return EXIT_SUCCESS;
    }
    if (arguments->ping)
        return ping_run(frame->service, &frame->settings, &frame->arena);
    return run(frame);
}

int
service_main(int argc, char **argv, const struct service *service)
{
    struct frame *frame = calloc(1, sizeof *frame);
    struct arguments arguments;
    int code;

    if (!frame || sodium_init() < 0)
        return EXIT_FAILURE;
    frame->service = service;
    frame->signal_fd = -1;
    frame->open.clock = clock_system();
    frame->open.service = service;
    frame->open.settings = &frame->settings;
    frame->open.instance = frame->instance;
    frame->started = clock_wall(frame->open.clock);
    arena_init(&frame->arena, FRAME_ARENA_BYTES);
    const struct setting_set sets[] = {
        {common_settings_table, &frame->settings},
        {service->settings, service->settings ? service->settings_values : NULL},
        {0},
    };

    hide_memory();
    block_signals(frame);
    name_instance(frame);
    if (!parse_arguments(argc, argv, &arguments)) {
        (void)fprintf(
            stderr,
            "usage: samverka-%s [--settings-file FILE] [--settings | --settings-doc | "
            "--ping]\n",
            service->name);
        code = EXIT_USAGE;
    } else if (arguments.settings_doc) {
        setting_print_markdown(sets, stdout);
        code = EXIT_SUCCESS;
    } else {
        code = serve(frame, &arguments, sets);
    }
    arena_fini(&frame->arena);
    free(frame);
    return code;
}
