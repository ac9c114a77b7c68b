#include "services/matching/assignment/news.h"

#include "common/base/uuid.h"
#include "services/matching/assignment/store_amend.h"

#define ACCOUNTS_MAX 250 /* of one event */

static struct status
tell_some(struct call *call, const char *news_id, const char *round_id,
          Matching__V1__RoundNews news, const char **accounts, size_t count, bool last)
{
    Matching__V1__RoundTold told = MATCHING__V1__ROUND_TOLD__INIT;

    told.round_id = round_id;
    told.news_id = news_id;
    told.news = news;
    told.account_ids = accounts;
    told.n_account_ids = count;
    told.officers = last;
    return call_emit(call, (struct outbox_event){.data = &told.base, .subject = round_id});
}

struct status
news_tell(struct call *call, const char *round_id, Matching__V1__RoundNews news,
          const struct news_circle *circle)
{
    const char **accounts = NULL;
    char news_id[UUID_SIZE];
    size_t count = 0;

    /* A result that only officers see concerns nobody else. */
    if (news != MATCHING__V1__ROUND_NEWS__NEWS_SOLVED)
        TRY(store_audience(call->tx, call->arena, round_id, circle, &accounts, &count));
    uuid_v7(call->clock, news_id);
    for (; count > ACCOUNTS_MAX; count -= ACCOUNTS_MAX, accounts += ACCOUNTS_MAX)
        TRY(tell_some(call, news_id, round_id, news, accounts, ACCOUNTS_MAX, false));
    return tell_some(call, news_id, round_id, news, accounts, count, true);
}
