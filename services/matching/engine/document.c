#include "services/matching/engine/document.h"

struct status
document_check(const struct document *document, uint32_t class_count)
{
    if (document->term_count > DOCUMENT_TERMS_MAX)
        return FAIL(NULL, INVALID_ARGUMENT, "a document has at most %u terms",
                    DOCUMENT_TERMS_MAX);
    for (uint32_t i = 0; i < document->term_count; i++)
        if (document->terms[i] >= DOCUMENT_TERM_LIMIT ||
            (i > 0 && document->terms[i] <= document->terms[i - 1]))
            return FAIL(NULL, INVALID_ARGUMENT, "the terms of a document do not rise");
    if (document->region >= DOCUMENT_REGIONS_MAX || document->grade >= DOCUMENT_GRADES)
        return FAIL(NULL, INVALID_ARGUMENT, "a document has no such region or grade");
    if (class_count < DOCUMENT_CLASSES_MAX && document->classes >> class_count)
        return FAIL(NULL, INVALID_ARGUMENT, "a document has no such class");
    return OK;
}
