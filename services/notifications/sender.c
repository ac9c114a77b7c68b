/* Sending mails, one after the other: lease, ask registry for the address, send, note.  SMTP
 * cannot be exactly once: the row is committed as SENDING before the mail goes, the Message-ID
 * is the row's id, and only a try that nobody noted is repeated. */

#include "services/notifications/notifications.h"

#include <string.h>

#include "common/base/metric.h"
#include "registry/v1/accounts.pb-c.h"
#include "services/notifications/mail.h"
#include "services/notifications/smtp.h"
#include "services/notifications/store.h"

#define BAG_MAILS 10 /* of one tenant in a row, so that others get their turn */
#define CONTACT_MS 5000
#define NOTE_MS 5000 /* between the end of a try and the end of its lease */

static struct metric mails = METRIC("mails_total", METRIC_COUNTER,
                                    "mails handed over, put off or given up", "result", NULL);

static struct status
contact_of(struct call *call, const char *tenant_id, const char *account_id,
           Registry__V1__GetContactReply **ret)
{
    Registry__V1__GetContactRequest request = REGISTRY__V1__GET_CONTACT_REQUEST__INIT;
    Wire__V1__Principal principal = *call->principal;
    struct rpc_options options = call_forward(call, NULL);
    ProtobufCMessage *reply;

    principal.tenant_id = tenant_id;
    options.principal = &principal;
    options.deadline = mono_add_ms(clock_mono(call->clock), CONTACT_MS);
    request.account_id = account_id;
    TRY(rpc_call(call->rpc, "registry.v1.Accounts/GetContact", &request.base,
                 &registry__v1__get_contact_reply__descriptor, &options, call->arena, &reply));
    *ret = (Registry__V1__GetContactReply *)reply;
    return OK;
}

static const char *
host_of(const char *address)
{
    const char *at = strrchr(address, '@');

    return at ? at + 1 : "samverka.invalid";
}

static struct status
write_mail(struct call *call, const struct mail_settings *settings, const struct mail_row *row,
           const Registry__V1__GetContactReply *contact, struct buffer *into)
{
    const enum lang lang = lang_parse(contact->language);
    struct message_words words;
    struct mail mail = {.from = settings->from,
                        .from_name = settings->name,
                        .to = contact->email,
                        .to_name = contact->display_name,
                        .language = lang_tag(lang),
                        .date = clock_wall(call->clock)};

    TRY(rules_words(call->arena, row->kind, row->detail, lang, &words));
    TRY(rules_letter(call->arena, &words, contact->display_name, settings->public_url, lang,
                     &mail.body));
    mail.subject = words.title;
    TRY(need(mail.message_id =
                 arena_printf(call->arena, "%s@%s", row->message_id, host_of(settings->from))));
    return mail_write(&mail, call->arena, into);
}

static struct status
send_one(struct call *call, const char *tenant_id, const struct mail_row *row)
{
    const struct notifications_state *state = call->state;
    Registry__V1__GetContactReply *contact;
    scoped(buffer_fini) struct buffer text = {0};

    buffer_init(&text, MAIL_BYTES);
    TRY(contact_of(call, tenant_id, row->account_id, &contact));
    TRY(write_mail(call, &state->mail, row, contact, &text));
    return smtp_send(&state->mail, state->mail.from, contact->email, &text, call->clock,
                     call->arena);
}

/* Gone for good: the account has left, the server refuses, or it was tried often enough. */
static bool
hopeless(struct status status, const struct mail_row *row)
{
    return row->attempts >= MAIL_ATTEMPTS || status.code == CODE_NOT_FOUND ||
           status.code == CODE_FAILED_PRECONDITION || status.code == CODE_INVALID_ARGUMENT;
}

static struct status
note(struct call *call, const char *tenant_id, const struct mail_row *row, struct status sent)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    Notifications__V1__MailState state = NOTIFICATIONS__V1__MAIL_STATE__MAIL_SENT;
    int64_t seconds = 0;

    if (failed(sent) && hopeless(sent, row)) {
        state = NOTIFICATIONS__V1__MAIL_STATE__MAIL_PARKED;
        log_warn("mail parked", KV("message_id", row->message_id), KV("reason", sent.detail),
                 KV("attempts", row->attempts));
    } else if (failed(sent)) {
        state = NOTIFICATIONS__V1__MAIL_STATE__MAIL_PENDING;
        seconds = rules_retry_seconds(row->attempts);
        log_info("mail put off", KV("message_id", row->message_id), KV("reason", sent.detail),
                 KV("seconds", seconds));
    }
    metric_add(&mails, !failed(sent) ? "sent" : seconds ? "put_off" : "parked", NULL, 1);
    TRY(call_begin(call, tenant_id, false, &tx));
    TRY(store_mail_done(&tx, row, state, seconds, failed(sent) ? sent.detail : ""));
    TRY(store_tie_bag(&tx));
    return call_commit(call);
}

/* A lease lasts as long as a try may take, so that no two senders have the same mail. */
static int
lease_ms(const struct call *call)
{
    const struct notifications_state *state = call->state;

    return CONTACT_MS + (int)state->mail.send_ms + NOTE_MS;
}

static struct status
take_mail(struct call *call, const char *tenant_id, struct mail_row **ret)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct mail_row *row;

    TRY(call_begin(call, tenant_id, false, &tx));
    TRY(store_take_mail(&tx, call->arena, lease_ms(call), &row));
    TRY(store_tie_bag(&tx));
    TRY(call_commit(call));
    *ret = row;
    return OK;
}

static struct status
empty_bag(struct call *call, const char *tenant_id)
{
    /* What there is no time for is not begun: the next run has it. */
    for (int i = 0; i < BAG_MAILS; i++) {
        struct mail_row *row;

        if (mono_left_ms(call->deadline, clock_mono(call->clock)) < lease_ms(call))
            break;
        TRY(take_mail(call, tenant_id, &row));
        if (!row)
            break;
        TRY(note(call, tenant_id, row, send_one(call, tenant_id, row)));
    }
    return OK;
}

struct status
sender_run(struct call *call)
{
    const char **tenants;
    size_t count;

    {
        scoped(pg_tx_end) struct pg_tx tx = {0};

        TRY(call_begin(call, NULL, true, &tx));
        TRY(store_bags_due(&tx, call->arena, &tenants, &count));
    }
    for (size_t i = 0; i < count; i++)
        TRY(empty_bag(call, tenants[i]));
    return OK;
}
