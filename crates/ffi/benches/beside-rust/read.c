/* The same as examples/read.rs through the C interface: read KEY KEYRING BUNDLE ROUNDS. */
#define _POSIX_C_SOURCE 200809L
#include <consignee.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH = 1000 };

static void check(consignee_status status, const consignee_error *error) {
  if (status != CONSIGNEE_OK) {
    fprintf(stderr, "read: %s\n", error->message);
    exit(1);
  }
}

static uint8_t *content(const char *path, size_t *len) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END)) {
    perror(path);
    exit(1);
  }
  *len = (size_t)ftell(file);
  rewind(file);
  uint8_t *bytes = malloc(*len);
  if (!bytes || fread(bytes, 1, *len, file) != *len) {
    perror(path);
    exit(1);
  }
  fclose(file);
  return bytes;
}

/* Bytes of name, phone and city of all orders. */
static size_t letters(const consignee_bundle *bundle, size_t orders) {
  static const char *const parts[][2] = {{"consignee.name", ""}, {"consignee.phone", ""}, {"consignee.address", "/city"}};
  consignee_error error;
  size_t sum = 0;
  for (size_t first = 0; first < orders; first += BATCH) {
    static consignee_bytes texts[BATCH];
    consignee_results *batch;
    size_t count;
    check(consignee_bundle_read(bundle, first, BATCH, &batch, &error), &error);
    check(consignee_results_len(batch, &count, &error), &error);
    for (size_t part = 0; part < 3; part++) {
      check(consignee_results_texts(batch, consignee_str(parts[part][0]), consignee_str(parts[part][1]), texts, count, &error),
            &error);
      for (size_t i = 0; i < count; i++) {
        sum += texts[i].len;
      }
    }
    consignee_results_free(batch);
  }
  return sum;
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fputs("usage: read KEY KEYRING BUNDLE ROUNDS\n", stderr);
    return 2;
  }
  consignee_error error;
  consignee_party *party;
  consignee_keyring *keyring;
  consignee_bundle *bundle;
  consignee_bundle_head head;
  size_t keyring_len, bundle_len, sum = 0;
  uint8_t *keyring_bytes = content(argv[2], &keyring_len), *bundle_bytes = content(argv[3], &bundle_len);
  check(consignee_party_open(consignee_str(argv[1]), consignee_none(), &party, &error), &error);
  check(consignee_keyring_open(party, (consignee_bytes){keyring_bytes, keyring_len}, &keyring, &error), &error);
  check(consignee_bundle_open(party, keyring, (consignee_bytes){bundle_bytes, bundle_len}, &bundle, &error), &error);
  check(consignee_bundle_describe(bundle, &head, &error), &error);
  double best = 1e300;
  for (long round = atol(argv[4]); round > 0; round--) {
    struct timespec begun, ended;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    sum = letters(bundle, head.orders);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    double taken = (double)(ended.tv_sec - begun.tv_sec) * 1e9 + (double)(ended.tv_nsec - begun.tv_nsec);
    best = taken < best ? taken : best;
  }
  printf("%.1f %zu\n", best / (double)head.orders, sum);
  consignee_bundle_free(bundle);
  consignee_keyring_free(keyring);
  consignee_party_free(party);
  free(keyring_bytes);
  free(bundle_bytes);
  return 0;
}
