#include "tests/bench/events/run.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define NS_PER_S 1000000000u

const char *
bench_text(const struct bench_args *args, const char *name, const char *fallback)
{
    const size_t size = strlen(name);

    for (int i = 1; i < args->count; i++)
        if (strncmp(args->texts[i], name, size) == 0 && args->texts[i][size] == '=')
            return args->texts[i] + size + 1;
    if (!fallback)
        bench_die("there is no argument", name);
    return fallback;
}

uint64_t
bench_number(const struct bench_args *args, const char *name, uint64_t fallback)
{
    const char *text = bench_text(args, name, "");
    char *end;
    uint64_t value;

    if (!*text)
        return fallback;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno || *end)
        bench_die("not a number", text);
    return value;
}

void
bench_print(const char *name, double value)
{
    (void)printf("%s\t%.3f\n", name, value);
}

static void
print_one(const char *prefix, const char *name, double value)
{
    (void)printf("%s_%s\t%.1f\n", prefix, name, value);
}

void
bench_print_samples(const char *prefix, const struct bench_samples *samples)
{
    if (!samples->count)
        return;
    print_one(prefix, "mean_us", (double)samples->sum_ns / 1000 / (double)samples->count);
    print_one(prefix, "p50_us", bench_quantile(samples, 0.50));
    print_one(prefix, "p99_us", bench_quantile(samples, 0.99));
    print_one(prefix, "max_us", bench_quantile(samples, 1.00));
}

double
bench_cpu_us(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage); /* cannot fail with this argument */
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void
add_samples(struct bench_samples *into, const struct bench_samples *from)
{
    into->count += from->count;
    into->sum_ns += from->sum_ns;
    for (size_t i = 0; i < BENCH_FINE; i++)
        into->fine[i] += from->fine[i];
    for (size_t i = 0; i < BENCH_COARSE; i++)
        into->coarse[i] += from->coarse[i];
}

static void
await(sem_t *semaphore, const char *what)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until); /* cannot fail with this clock */
    until.tv_sec += BENCH_PATIENCE_MS / 1000;
    while (sem_timedwait(semaphore, &until) != 0)
        if (errno != EINTR)
            bench_die(what, "not in time");
}

void
bench_connected(struct bench_publisher *publisher)
{
    (void)sem_post(&publisher->load->connected); /* far below its limit */
    (void)pthread_barrier_wait(&publisher->load->start);
}

bool
bench_goes_on(const struct bench_publisher *publisher)
{
    const struct bench_load *load = publisher->load;

    if (load->events)
        return publisher->sent < load->events;
    return bench_now_ns() < load->stop_ns;
}

/* The publishers of a paced load take turns, so that their events spread evenly. */
uint64_t
bench_await_due(struct bench_publisher *publisher)
{
    const struct bench_load *load = publisher->load;
    uint64_t due_ns, expirations;
    struct itimerspec at = {0};

    if (!load->rate)
        return bench_now_ns();
    due_ns = load->begun_ns + (publisher->sent * load->publishers + publisher->number) *
                                  NS_PER_S / (load->rate * load->publishers);
    if (due_ns <= bench_now_ns())
        return due_ns;
    at.it_value.tv_sec = (time_t)(due_ns / NS_PER_S);
    at.it_value.tv_nsec = (long)(due_ns % NS_PER_S);
    if (timerfd_settime(publisher->timer_fd, TFD_TIMER_ABSTIME, &at, NULL) != 0 ||
        read(publisher->timer_fd, &expirations, sizeof expirations) < 0)
        bench_die("timer", strerror(errno));
    return due_ns;
}

void
bench_acknowledged(struct bench_publisher *publisher, uint64_t due_ns)
{
    publisher->acknowledged++;
    bench_sample(&publisher->samples, bench_now_ns() - due_ns);
}

static void
print_load(const struct bench_load *load, struct bench_publisher *const *publishers)
{
    struct bench_samples *all = &publishers[0]->samples, *others = &publishers[0]->others;
    const uint64_t ended_ns = bench_now_ns();
    const double cpu_us = bench_cpu_us();
    uint64_t sent = 0;

    for (unsigned i = 0; i < load->publishers; i++) {
        if (publishers[i]->acknowledged != publishers[i]->sent)
            bench_die("publisher", "an event was not acknowledged");
        sent += publishers[i]->sent;
        if (!i)
            continue;
        add_samples(all, &publishers[i]->samples);
        add_samples(others, &publishers[i]->others);
    }
    bench_print("begun_ns", (double)load->begun_ns);
    bench_print("ended_ns", (double)ended_ns);
    bench_print("sent", (double)sent);
    bench_print_samples("ack", all);
    bench_print_samples("other", others);
    bench_print("cpu_us", cpu_us);
}

struct publishing {
    struct bench_publisher *publisher;
    void (*publish)(struct bench_publisher *);
};

static void *
run_publisher(void *argument)
{
    const struct publishing *publishing = argument;

    publishing->publish(publishing->publisher);
    return NULL;
}

void
bench_publish(struct bench_args args, void (*publish)(struct bench_publisher *))
{
    static struct bench_load load;
    struct bench_publisher *publishers[BENCH_PUBLISHERS_MAX];
    struct publishing publishing[BENCH_PUBLISHERS_MAX];
    const uint64_t seconds = bench_number(&args, "seconds", 2);

    load.args = args;
    load.publishers = (unsigned)bench_number(&args, "publishers", 1);
    load.window = bench_number(&args, "window", 1);
    load.rate = bench_number(&args, "rate", 0);
    load.events = bench_number(&args, "events", 0);
    load.run = bench_now_ns();
    if (!load.publishers || load.publishers > BENCH_PUBLISHERS_MAX || !load.window)
        bench_die("usage", "publishers= is 1 to 64, window= at least 1");
    (void)sem_init(&load.connected, 0, 0); /* cannot fail with these values */
    (void)pthread_barrier_init(&load.start, NULL, load.publishers + 1);
    for (unsigned i = 0; i < load.publishers; i++) {
        struct bench_publisher *publisher = publishers[i] = calloc(1, sizeof *publisher);

        if (!publisher)
            bench_die("publisher", "no memory");
        publisher->load = &load;
        publisher->number = i;
        publisher->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
        publishing[i] = (struct publishing){publisher, publish};
        if (pthread_create(&publisher->thread, NULL, run_publisher, &publishing[i]) != 0)
            bench_die("publisher", "no thread");
    }
    for (unsigned i = 0; i < load.publishers; i++)
        await(&load.connected, "connect");
    load.begun_ns = bench_now_ns();
    load.stop_ns = load.begun_ns + seconds * NS_PER_S;
    (void)pthread_barrier_wait(&load.start);
    for (unsigned i = 0; i < load.publishers; i++)
        (void)pthread_join(publishers[i]->thread, NULL); /* each is joined once */
    print_load(&load, publishers);
}

void
bench_ready(struct bench_follower *follower)
{
    (void)sem_post(&follower->crowd->ready); /* far below its limit */
}

bool
bench_has_all(const struct bench_follower *follower)
{
    return follower->received >= atomic_load(&follower->crowd->total);
}

void
bench_received(struct bench_follower *follower, uint64_t due_ns)
{
    const uint64_t now = bench_now_ns();

    if (!follower->received++)
        follower->first_ns = now;
    follower->last_ns = now;
    bench_sample(&follower->samples, now > due_ns ? now - due_ns : 0);
}

static void
print_crowd(const struct bench_crowd *crowd, struct bench_follower *const *followers)
{
    struct bench_follower *all = followers[0];
    const double cpu_us = bench_cpu_us();

    for (unsigned i = 1; i < crowd->threads; i++) {
        const struct bench_follower *one = followers[i];

        all->received = one->received < all->received ? one->received : all->received;
        all->first_ns = one->first_ns < all->first_ns ? one->first_ns : all->first_ns;
        all->last_ns = one->last_ns > all->last_ns ? one->last_ns : all->last_ns;
        add_samples(&all->samples, &one->samples);
    }
    bench_print("begun_ns", (double)crowd->begun_ns);
    bench_print("received", (double)all->received);
    bench_print("first_ns", (double)all->first_ns);
    bench_print("last_ns", (double)all->last_ns);
    bench_print_samples("latency", &all->samples);
    bench_print("cpu_us", cpu_us);
}

struct following {
    struct bench_follower *follower;
    void (*follow)(struct bench_follower *);
};

static void *
run_follower(void *argument)
{
    const struct following *following = argument;

    following->follow(following->follower);
    return NULL;
}

static uint64_t
read_total(void)
{
    char line[32];

    if (!fgets(line, sizeof line, stdin))
        bench_die("standard input", "ended before the total was told");
    return strtoull(line, NULL, 10);
}

void
bench_follow(struct bench_args args, void (*follow)(struct bench_follower *))
{
    static struct bench_crowd crowd;
    struct bench_follower *followers[BENCH_FOLLOWERS_MAX];
    struct following following[BENCH_FOLLOWERS_MAX];

    crowd.begun_ns = bench_now_ns();
    crowd.args = args;
    crowd.threads = (unsigned)bench_number(&args, "threads", 1);
    atomic_init(&crowd.total, bench_number(&args, "total", UINT64_MAX));
    if (!crowd.threads || crowd.threads > BENCH_FOLLOWERS_MAX)
        bench_die("usage", "threads= is 1 to 64");
    (void)sem_init(&crowd.ready, 0, 0); /* cannot fail with these values */
    for (unsigned i = 0; i < crowd.threads; i++) {
        struct bench_follower *follower = followers[i] = calloc(1, sizeof *follower);

        if (!follower)
            bench_die("follower", "no memory");
        follower->crowd = &crowd;
        follower->number = i;
        following[i] = (struct following){follower, follow};
        if (pthread_create(&follower->thread, NULL, run_follower, &following[i]) != 0)
            bench_die("follower", "no thread");
    }
    for (unsigned i = 0; i < crowd.threads; i++)
        await(&crowd.ready, "follow");
    (void)printf("ready\n");
    (void)fflush(stdout);
    if (atomic_load(&crowd.total) == UINT64_MAX)
        atomic_store(&crowd.total, read_total());
    for (unsigned i = 0; i < crowd.threads; i++)
        (void)pthread_join(followers[i]->thread, NULL); /* each is joined once */
    print_crowd(&crowd, followers);
}
