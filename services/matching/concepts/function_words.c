#include "services/matching/concepts/function_words.h"

#include "common/base/attr.h"

#include <stdlib.h>
#include <string.h>

/* In the order of their bytes. */
static const char *const swedish[] = {
    "all",    "alla",   "allt",   "alltså", "andra",  "annan",    "annat",  "att",   "av",
    "bara",   "bland",  "bli",    "blir",   "både",   "de",       "dem",    "den",   "denna",
    "deras",  "dess",   "dessa",  "det",    "detta",  "dig",      "din",    "dina",  "ditt",
    "du",     "där",    "därför", "då",     "efter",  "eftersom", "ej",     "eller", "en",
    "er",     "era",    "ert",    "ett",    "från",   "få",       "får",    "för",   "genom",
    "ha",     "hade",   "han",    "har",    "helt",   "hennes",   "hos",    "hur",   "här",
    "i",      "ibland", "icke",   "igen",   "in",     "inga",     "ingen",  "inget", "inom",
    "inte",   "ju",     "kan",    "kunde",  "kunna",  "man",      "med",    "medan", "mellan",
    "men",    "mer",    "mest",   "mig",    "min",    "mina",     "mindre", "mitt",  "mot",
    "mycket", "många",  "måste",  "ni",     "nog",    "nu",       "när",    "någon", "något",
    "några",  "och",    "också",  "olika",  "om",     "oss",      "på",     "redan", "samma",
    "samt",   "sedan",  "sig",    "sin",    "sina",   "sitt",     "själv",  "ska",   "skall",
    "skulle", "som",    "så",     "sådan",  "sådana", "till",     "under",  "upp",   "ur",
    "ut",     "utan",   "vad",    "var",    "vara",   "varit",    "varje",  "vars",  "vem",
    "vi",     "via",    "vid",    "vilka",  "vilken", "vilket",   "vill",   "vår",   "våra",
    "vårt",   "än",     "ännu",   "är",     "även",   "åt",       "över",
};

/* In the order of their bytes. */
static const char *const finnish[] = {
    "ainakin", "ei",        "eikä",   "eivät",   "eli",     "ennen",   "ettei",    "että",
    "he",      "heidän",    "hän",    "hänen",   "itse",    "ja",      "jo",       "joiden",
    "joihin",  "joilla",    "joille", "joissa",  "joista",  "joka",    "jokainen", "joko",
    "jolla",   "jolle",     "jonka",  "jos",     "joskus",  "jossa",   "josta",    "jota",
    "jotka",   "jotta",     "juuri",  "kaikkea", "kaikki",  "kanssa",  "koska",    "kuin",
    "kuinka",  "kuitenkin", "kun",    "kuten",   "kyllä",   "lisäksi", "me",       "meidän",
    "meillä",  "mikä",      "minkä",  "minä",    "missä",   "mistä",   "mitkä",    "mitä",
    "mukaan",  "mutta",     "muu",    "muun",    "muut",    "myös",    "myöten",   "ne",
    "niiden",  "niin",      "niissä", "niitä",   "noin",    "nyt",     "näiden",   "näissä",
    "näitä",   "nämä",      "ole",    "oleva",   "olevat",  "oli",     "olisi",    "olla",
    "olleet",  "on",        "ovat",   "se",      "sekin",   "sekä",    "sen",      "siihen",
    "siinä",   "siis",      "siitä",  "sillä",   "sitä",    "tai",     "te",       "teidän",
    "tämä",    "tämän",     "tässä",  "tästä",   "tätä",    "usein",   "vaan",     "vai",
    "vaikka",  "vain",      "vielä",  "voi",     "voidaan", "voimme",  "voivat",   "yhä",
    "yli",
};

/* In the order of their bytes. */
static const char *const english[] = {
    "a",      "about", "above", "after",   "again",   "all",     "also",   "although", "am",
    "an",     "and",   "any",   "are",     "as",      "at",      "be",     "because",  "been",
    "before", "being", "below", "between", "both",    "but",     "by",     "can",      "cannot",
    "could",  "did",   "do",    "does",    "doing",   "down",    "during", "each",     "either",
    "etc",    "few",   "for",   "from",    "further", "had",     "has",    "have",     "having",
    "he",     "her",   "here",  "hers",    "him",     "his",     "how",    "however",  "i",
    "if",     "in",    "into",  "is",      "it",      "its",     "itself", "may",      "me",
    "might",  "more",  "most",  "much",    "must",    "my",      "nor",    "not",      "of",
    "off",    "on",    "once",  "only",    "or",      "other",   "our",    "ours",     "out",
    "over",   "own",   "per",   "same",    "shall",   "she",     "should", "since",    "so",
    "some",   "such",  "than",  "that",    "the",     "their",   "theirs", "them",     "then",
    "there",  "these", "they",  "this",    "those",   "through", "to",     "too",      "under",
    "until",  "up",    "upon",  "us",      "very",    "via",     "was",    "we",       "were",
    "what",   "when",  "where", "whether", "which",   "while",   "who",    "whom",     "whose",
    "why",    "will",  "with",  "within",  "without", "would",   "you",    "your",     "yours",
};

static int
compare(const void *key, const void *item)
{
    return strcmp(key, *(const char *const *)item);
}

bool
function_word(enum lang lang, const char *word)
{
    static const struct {
        const char *const *words;
        size_t count;
    } lists[LANG_COUNT] = {[LANG_SV] = {swedish, COUNT_OF(swedish)},
                           [LANG_FI] = {finnish, COUNT_OF(finnish)},
                           [LANG_EN] = {english, COUNT_OF(english)}};

    return bsearch(word, lists[lang].words, lists[lang].count, sizeof *lists[lang].words,
                   compare);
}
