#include "services/notifications/smtp.h"

#include <curl/curl.h>
#include <string.h>

struct upload {
    const struct buffer *mail;
    size_t sent;
    const struct clock *clock;
    struct mono deadline;
};

static size_t
read_upload(char *into, size_t size, size_t count, void *context)
{
    struct upload *upload = context;
    const size_t left = upload->mail->size - upload->sent;
    const size_t room = size * count;
    const size_t part = left < room ? left : room;

    memcpy(into, upload->mail->data + upload->sent, part);
    upload->sent += part;
    return part;
}

/* libcurl's own time limit ends the transfer, but then it says QUIT and waits two minutes for
 * the answer; this ends that, too.  FORBID_REUSE lets it happen while we are asked. */
static int
over(void *context, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
    const struct upload *upload = context;

    (void)down_all;
    (void)down;
    (void)up_all;
    (void)up;
    return mono_left_ms(upload->deadline, clock_mono(upload->clock)) == 0;
}

static void
easy_cleanup(CURL **curl)
{
    curl_easy_cleanup(*curl);
}

static void
slist_cleanup(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

static struct status
configure(CURL *curl, const struct mail_settings *settings, const char *from,
          const struct curl_slist *recipients, struct upload *upload, struct arena *arena)
{
    bool ok = curl_easy_setopt(curl, CURLOPT_URL, settings->smtp_url) == CURLE_OK;

    ok &= curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK;
    ok &= curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from) == CURLE_OK;
    ok &= curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients) == CURLE_OK;
    ok &= curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_upload) == CURLE_OK;
    ok &= curl_easy_setopt(curl, CURLOPT_READDATA, upload) == CURLE_OK;
    ok &= curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L) == CURLE_OK;
    ok &= curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    ok &= curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)settings->send_ms) == CURLE_OK;
    ok &= curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK;
    ok &= curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
    ok &= curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, over) == CURLE_OK;
    ok &= curl_easy_setopt(curl, CURLOPT_XFERINFODATA, upload) == CURLE_OK;
    ok &= curl_easy_setopt(curl, CURLOPT_USE_SSL,
                           settings->tls_required ? (long)CURLUSESSL_ALL
                                                  : (long)CURLUSESSL_TRY) == CURLE_OK;
    if (*settings->user) {
        ok &= curl_easy_setopt(curl, CURLOPT_USERNAME, settings->user) == CURLE_OK;
        ok &= curl_easy_setopt(curl, CURLOPT_PASSWORD, settings->password) == CURLE_OK;
    }
    return ok ? OK : FAIL(arena, INTERNAL, "the mail settings are not usable");
}

/* A server that refuses us (greeting, TLS, login) says nothing about the mail: somebody will
 * put that right.  libcurl tells a refused sender or recipient by CURLE_SEND_ERROR; after that
 * the text was on its way. */
static bool
is_about_mail(CURLcode result, const struct upload *upload)
{
    return result == CURLE_SEND_ERROR || upload->sent > 0;
}

struct status
smtp_send(const struct mail_settings *settings, const char *from, const char *to,
          const struct buffer *mail, const struct clock *clock, struct arena *arena)
{
    scoped(easy_cleanup) CURL *curl = curl_easy_init();
    scoped(slist_cleanup) struct curl_slist *recipients = NULL;
    struct upload upload = {.mail = mail,
                            .clock = clock,
                            .deadline = mono_add_ms(clock_mono(clock), settings->send_ms)};
    long answer = 0;

    TRY(need(curl));
    TRY(need(recipients = curl_slist_append(NULL, to)));
    TRY(configure(curl, settings, from, recipients, &upload, arena));

    CURLcode result = curl_easy_perform(curl);

    if (result == CURLE_ABORTED_BY_CALLBACK)
        result = CURLE_OPERATION_TIMEDOUT; /* over() */
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
    if (result == CURLE_OK)
        return OK;
    if (answer >= 500 && answer < 600 && is_about_mail(result, &upload))
        return FAIL(arena, FAILED_PRECONDITION, "the mail server answered %ld", answer);
    return FAIL(arena, UNAVAILABLE, "the mail server: %s (%ld)", curl_easy_strerror(result),
                answer);
}
