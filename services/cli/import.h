#pragma once

/* Imports: read all, check all, then send in batches, noting how far it has come.
 *
 * A run is named by what it imports, for whom, and the bytes of the file.  While it is under
 * way a file of that name in the state folder holds its number and how many batches have been
 * sent; each batch's idempotency key is made from that number, so a run that was interrupted
 * goes on after its last batch, and a batch whose answer was lost has no second effect.
 */

#include "common/base/csv.h"
#include "services/cli/cli.h"
#include "services/cli/source.h"

/* The most of one batch: what a service takes (wire/message.h), with room for the head. */
#define IMPORT_BATCH 500
#define IMPORT_FIELDS 9000
#define IMPORT_BYTES ((size_t)900 << 10)
#define IMPORT_ERRORS 20 /* told at most */

/* One kind of import. */
struct importer {
    const char *what;   /* "organisations" */
    const char *method; /* "registry.v1.Organisations/ImportOrganisations" */
    const ProtobufCMessageDescriptor *reply;
    void *context;
    bool pointers; /* items stand at JSON pointers, not in lines */
    /* Begins from the first item again. */
    struct status (*rewind)(void *context, struct arena *arena);
    /* The next item; *ret NULL at the end.  `ret_line` is where it stands: a line from 1, or an
     * item from 0.  INVALID_ARGUMENT
     * with the place as field: the item is not usable; the next call goes on after it, unless
     * *ret_lost is set. */
    struct status (*next)(void *context, struct arena *arena, ProtobufCMessage **ret,
                          size_t *ret_line, bool *ret_lost);
    /* The request of a batch; `number` is the batch's, from 0. */
    struct status (*fill)(void *context, struct arena *arena, ProtobufCMessage **items,
                          size_t count, size_t number, ProtobufCMessage **ret);
};

struct import_options {
    bool dry_run, from_start;
    const char *fingerprint; /* of the files */
};

/* Checks everything, then sends everything. */
must_use struct status import_run(struct cli *cli, const struct importer *importer,
                                  const struct import_options *options);

/* A CSV with a header line. */
struct table {
    struct csv csv;
    const char *names[CSV_COLUMNS];
    size_t count;
    const char *fields[CSV_COLUMNS]; /* of the record read last */
};

/* Reads the header.  INVALID_ARGUMENT: there is none, or a name comes twice. */
must_use struct status table_open(struct table *table, const struct source *source,
                                  struct arena *arena);
/* *ret_any is false at the end.  A failure inside a record means the rest is lost. */
must_use struct status table_next(struct table *table, struct arena *arena, bool *ret_any);
/* The column's number, or -1. */
int table_column(const struct table *table, const char *name);
/* The field of the record, "" when there is no such column. */
const char *table_field(const struct table *table, int column);
/* INVALID_ARGUMENT: a column that is not among `names` (a NULL ends them). */
must_use struct status table_only(const struct table *table, struct arena *arena,
                                  const char *const *names);
/* A whole number of at most `most`; 0 when the field is empty or there is no such column. */
must_use struct status table_number(const struct table *table, struct arena *arena,
                                    const char *column, uint32_t most, uint32_t *ret);
/* INVALID_ARGUMENT "line N, column NAME". */
must_use struct status table_bad(const struct table *table, struct arena *arena,
                                 const char *column, const char *reason);

/* A number of an enum by its name in lower or upper case, hyphens as underscores; -1: unknown.
 */
int import_enum(const ProtobufCEnumDescriptor *descriptor, const char *name);

/* A batch of ConceptImport messages as a request. */
must_use struct status import_fill_concepts(struct arena *arena, const char *vocabulary,
                                            const char *version, ProtobufCMessage **items,
                                            size_t count, ProtobufCMessage **ret);

must_use struct status import_yso(struct cli *cli, int count, char **files,
                                  struct import_options *options);
must_use struct status import_esco(struct cli *cli, int count, char **files,
                                   struct import_options *options);
must_use struct status import_organisations(struct cli *cli, const char *file,
                                            struct import_options *options);
must_use struct status import_people(struct cli *cli, const char *file,
                                     struct import_options *options);
