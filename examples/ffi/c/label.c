/* A courier's label printer: prints the orders of a bundle as labels of plain text, through the C interface of consignee.
 *
 * Key, keyring and bundle are opened once; orders are read in batches; every status is looked at; an order that does not open leaves
 * the others be. README.md says how it is built and run.
 */
#include <consignee.h>
#include <stdio.h>
#include <stdlib.h>

#include "files.h"
#include "paper.h"

/* The frame takes 4 columns. */
enum { BATCH = 1000, FRAME = 4, FEWEST_COLUMNS = 20, MOST_COLUMNS = 200 };

struct options {
  const char *key, *keyring, *passphrase_file, *try_part, *width, *bundle;
  size_t columns;
  bool pages;
};

/* Messages of the library hold no content of orders and no key: they may be printed and logged as they are. */
static int failed(const char *what, const consignee_error *error) {
  fprintf(stderr, "label: %s: %s\n", what, error->message);
  return 1;
}

/* Writes a text of an order into the line; nothing where the order has none. (For one part of many orders consignee_results_texts is
 * faster.) */
static consignee_status put_part(const consignee_results *batch, size_t index, const char *part, const char *pointer, struct line *line,
                                 consignee_error *error) {
  consignee_bytes text;
  consignee_status status = consignee_results_text(batch, index, consignee_str(part), consignee_str(pointer), &text, error);
  if (status == CONSIGNEE_OK) {
    paper_put(line, text.data, text.len);
  }
  return status == CONSIGNEE_ABSENT ? CONSIGNEE_OK : status;
}

/* The same, on a line of its own, or more than one if it is long. */
static consignee_status print_part(const consignee_results *batch, size_t index, const char *part, const char *pointer,
                                   struct line *line, consignee_error *error) {
  consignee_status status = put_part(batch, index, part, pointer, line, error);
  if (line->used > 0) {
    paper_end_line(line);
  }
  return status;
}

static consignee_status print_address(const consignee_results *batch, size_t index, struct line *line, consignee_error *error) {
  static const char address[] = "consignee.address";
  size_t lines = 0;
  consignee_status status = consignee_results_count(batch, index, consignee_str(address), consignee_str("/lines"), &lines, error);
  for (size_t i = 0; status == CONSIGNEE_OK && i < lines; i++) {
    char pointer[32];
    snprintf(pointer, sizeof pointer, "/lines/%zu", i);
    status = print_part(batch, index, address, pointer, line, error);
  }
  if (status == CONSIGNEE_OK) {
    status = put_part(batch, index, address, "/postal_code", line, error);
    paper_put(line, " ", 1);
  }
  static const char *const rest[] = {"/city", "/region", "/country"};
  for (size_t i = 0; status == CONSIGNEE_OK && i < sizeof rest / sizeof *rest; i++) {
    status = print_part(batch, index, address, rest[i], line, error);
  }
  return status == CONSIGNEE_ABSENT ? CONSIGNEE_OK : status;
}

/* A label. The alias is the parcel's number: every party has another name for the order, and none of them its number. */
static consignee_status print_label(const consignee_results *batch, size_t index, const struct options *options, consignee_error *error) {
  struct line line = {options->columns - FRAME, 0, false};
  consignee_order order;
  consignee_status status = consignee_results_order(batch, index, &order, error);
  if (status != CONSIGNEE_OK) {
    return status;
  }
  paper_edge(line.columns);
  paper_put(&line, order.alias.data, order.alias.len);
  paper_end_line(&line);
  paper_end_line(&line);
  status = print_part(batch, index, "consignee.name", "", &line, error);
  if (status == CONSIGNEE_OK) {
    status = print_part(batch, index, "consignee.phone", "", &line, error);
  }
  if (status == CONSIGNEE_OK) {
    status = print_address(batch, index, &line, error);
  }
  paper_edge(line.columns);
  puts(options->pages ? "\f" : "");
  return status;
}

/* What the courier is not given does not open: says so by the status' name. */
static consignee_status try_part(const consignee_results *batch, size_t index, const char *part, consignee_error *error) {
  consignee_bytes text;
  consignee_status status = consignee_results_text(batch, index, consignee_str(part), consignee_none(), &text, error);
  printf("%s: %s\n", part, status == CONSIGNEE_OK ? "opens" : consignee_status_name(status));
  return status;
}

/* Prints a batch, whose first order is number `first` of the bundle, from 0. Each order that fails is told, and makes the status 1. */
static int print_batch(const consignee_results *batch, size_t first, const struct options *options) {
  consignee_error error;
  size_t count = 0;
  int status = 0;
  if (consignee_results_len(batch, &count, &error) != CONSIGNEE_OK) {
    return failed(options->bundle, &error);
  }
  for (size_t i = 0; i < count; i++) {
    if ((options->try_part ? try_part(batch, i, options->try_part, &error) : print_label(batch, i, options, &error)) != CONSIGNEE_OK) {
      char what[64];
      snprintf(what, sizeof what, "order %zu of the bundle", first + i + 1);
      status = failed(what, &error);
    }
  }
  return status;
}

/* The plaintext of one batch is in memory at a time; consignee_results_free wipes it. */
static int print_bundle(const consignee_bundle *bundle, const struct options *options) {
  consignee_error error;
  consignee_bundle_head head;
  int status = 0;
  if (consignee_bundle_describe(bundle, &head, &error) != CONSIGNEE_OK) {
    return failed(options->bundle, &error);
  }
  for (size_t first = 0; first < head.orders; first += BATCH) {
    consignee_results *batch = NULL;
    if (consignee_bundle_read(bundle, first, BATCH, &batch, &error) != CONSIGNEE_OK) {
      return failed(options->bundle, &error);
    }
    status |= print_batch(batch, first, options);
    consignee_results_free(batch);
  }
  return status;
}

static int open_and_print(consignee_party *party, consignee_bytes keyring_bytes, consignee_bytes bundle_bytes,
                          const struct options *options) {
  consignee_error error;
  consignee_keyring *keyring = NULL;
  consignee_bundle *bundle = NULL;
  int status;
  if (consignee_keyring_open(party, keyring_bytes, &keyring, &error) != CONSIGNEE_OK) {
    status = failed(options->keyring, &error);
  } else if (consignee_bundle_open(party, keyring, bundle_bytes, &bundle, &error) != CONSIGNEE_OK) {
    status = failed(options->bundle, &error);
  } else {
    status = print_bundle(bundle, options);
  }
  consignee_bundle_free(bundle);
  consignee_keyring_free(keyring);
  /* The newest that was seen is kept beside the key, also where the bundle was refused: what is older is refused tomorrow. */
  return consignee_party_save(party, &error) == CONSIGNEE_OK ? status : failed(options->key, &error);
}

static int run(const struct options *options) {
  consignee_error error;
  consignee_party *party = NULL;
  char passphrase[1024] = "";
  unsigned char *keyring = NULL, *bundle = NULL;
  size_t keyring_len, bundle_len;
  int status = 1;
  if (options->passphrase_file && !file_secret(options->passphrase_file, passphrase, sizeof passphrase)) {
    return 1;
  }
  if (consignee_party_open(consignee_str(options->key), consignee_str(passphrase), &party, &error) != CONSIGNEE_OK) {
    failed(options->key, &error);
  } else if (file_content(options->keyring, &keyring, &keyring_len) && file_content(options->bundle, &bundle, &bundle_len)) {
    status = open_and_print(party, (consignee_bytes){keyring, keyring_len}, (consignee_bytes){bundle, bundle_len}, options);
  }
  wipe(passphrase, sizeof passphrase);
  free(bundle);
  free(keyring);
  consignee_party_free(party);
  return status;
}

static bool parse(char **words, struct options *options) {
  const struct {
    const char *name, **value;
  } known[] = {{"--key", &options->key}, {"--keyring", &options->keyring}, {"--passphrase-file", &options->passphrase_file},
               {"--try", &options->try_part}, {"--width", &options->width}};
  for (; *words; words++) {
    const char **value = strncmp(*words, "--", 2) != 0 ? &options->bundle : NULL;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
      if (strcmp(*words, known[i].name) == 0) {
        value = known[i].value;
        words++;
        break;
      }
    }
    if (value && *words && !*value) {
      *value = *words;
    } else if (!value && strcmp(*words, "--pages") == 0) {
      options->pages = true;
    } else {
      return false;
    }
  }
  options->columns = options->width ? strtoul(options->width, NULL, 10) : 40;
  return options->key && options->keyring && options->bundle && options->columns >= FEWEST_COLUMNS && options->columns <= MOST_COLUMNS;
}

int main(int argc, char **argv) {
  struct options options = {0};
  if (argc < 2 || !parse(argv + 1, &options)) {
    fputs("usage: label --key FILE --keyring FILE [--passphrase-file FILE] [--width COLUMNS] [--pages] [--try PART] BUNDLE\n", stderr);
    return 2;
  }
  if (consignee_abi_version() != CONSIGNEE_ABI_VERSION) {
    fputs("label: this program was compiled for another version of the library: compile it again\n", stderr);
    return 1;
  }
  if (!paper_init()) {
    fputs("label: this machine has no locale of UTF-8\n", stderr);
    return 1;
  }
  int status = run(&options);
  if (fflush(stdout) != 0 || ferror(stdout)) {
    perror("label: standard output");
    return 1;
  }
  return status;
}
