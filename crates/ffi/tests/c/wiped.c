/* Plaintext and keys are gone from memory when they are freed. Each block is looked at as it is given back to the allocator: what is in
 * it then is what a later reader of the memory, a core dump or swap would find. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *volatile sought[8];
static volatile size_t found;
static volatile int looking, telling;
static void (*next_free)(void *);

static void look(const void *block) {
  if (!block || !looking) {
    return;
  }
  size_t size = malloc_usable_size((void *)(uintptr_t)block);
  for (size_t i = 0; i < sizeof sought / sizeof *sought; i++) {
    if (sought[i] && memmem(block, size, sought[i], strlen(sought[i]))) {
      found++;
      if (telling) {
        looking = 0;
        fprintf(stderr, "a block of %zu bytes is freed with %s in it\n", size, sought[i]);
        abort();
      }
    }
  }
}

void free(void *block) {
  if (!next_free) {
    next_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
  }
  look(block);
  next_free(block);
}

/* What a block held before it was given out is overwritten, so that it is not taken for what the library left in it. */
void *malloc(size_t size) {
  static void *(*next_malloc)(size_t);
  if (!next_malloc) {
    next_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
  }
  void *block = next_malloc(size);
  return block ? memset(block, 0xa5, malloc_usable_size(block)) : NULL;
}

void *realloc(void *block, size_t size) {
  /* As one that always moves: what it leaves behind is looked at. */
  void *moved = malloc(size);
  if (moved && block) {
    size_t old = malloc_usable_size(block);
    memcpy(moved, block, old < size ? old : size);
    free(block);
  }
  return moved;
}

#include "test.h"

/* What is freed from here on is looked at for these. */
static void seek(const char *const *texts, size_t count) {
  for (size_t i = 0; i < sizeof sought / sizeof *sought; i++) {
    sought[i] = i < count ? texts[i] : NULL;
  }
  found = 0;
  looking = 1;
}

static void gone(const char *what) {
  looking = 0;
  if (found) {
    fprintf(stderr, "%s: %zu blocks were freed with plaintext or keys in them\n", what, (size_t)found);
    abort();
  }
}

int main(void) {
  static const char *const values[] = {NAME, PHONE, STREET, TITLE};
  shop shop = open_shop();
  consignee_buffer *bytes = shared_bundle(&shop, NUMBER), *lines;
  consignee_bytes number = S(NUMBER), text, texts[1];
  consignee_results *results;
  consignee_bundle *bundle;
  OK(consignee_vault_share(shop.vault, S("Yixing Pottery"), S("fulfilment"), &number, 1, 0, &lines, &results, &error));
  consignee_results_free(results);

  /* The test itself: a block that is not wiped is seen. */
  seek(values, 4);
  char *left = strdup("a " NAME " in a block");
  free(left);
  looking = 0;
  CHECK(found == 1);
  /* Ends at the first block, for a debugger. */
  telling = getenv("CONSIGNEE_TEST_TELL") != NULL;

  seek(values, 4);
  OK(consignee_bundle_open(shop.courier.party, shop.courier.keyring, bytes_of(bytes), &bundle, &error));
  OK(consignee_bundle_read(bundle, 0, 1, &results, &error));
  OK(consignee_results_text(results, 0, S("consignee.name"), NONE, &text, &error));
  CHECK(is(text, NAME));
  OK(consignee_results_text(results, 0, S("consignee.address"), NONE, &text, &error));
  OK(consignee_results_texts(results, S("consignee.phone"), NONE, texts, 1, &error));
  OK(consignee_results_json(results, 0, &text, &error));
  CHECK(has(text, STREET));
  consignee_results_free(results);
  consignee_bundle_free(bundle);
  OK(consignee_bundle_open(shop.supplier.party, shop.supplier.keyring, bytes_of(lines), &bundle, &error));
  OK(consignee_bundle_read(bundle, 0, 1, &results, &error));
  OK(consignee_results_text(results, 0, S("items"), S("/0/title"), &text, &error));
  CHECK(is(text, TITLE));
  OK(consignee_results_json(results, 0, &text, &error));
  CHECK(has(text, TITLE));
  consignee_results_free(results);
  consignee_bundle_free(bundle);
  gone("a bundle");

  seek(values, 4);
  OK(consignee_vault_open(shop.vault, S("SF Express"), S("delivery"), &number, 1, &results, &error));
  OK(consignee_results_json(results, 0, &text, &error));
  CHECK(has(text, PHONE));
  consignee_results_free(results);
  gone("an order that was opened in the vault");

  /* Keys: the digits of a private key, and the bytes of a keyring's keys stand in no block that is freed. */
  consignee_buffer *key, *public_key;
  OK(consignee_party_key_new(CONSIGNEE_KEM_X25519, NONE, &key, &public_key, &error));
  char digits[33] = {0};
  memcpy(digits, bytes_of(key).data + strlen(KEY_PREFIX) + 4, 32);
  const char *const secrets[] = {digits};
  seek(secrets, 1);
  consignee_party *party;
  OK(consignee_party_new(bytes_of(key), NONE, NONE, &party, &error));
  consignee_party_free(party);
  consignee_buffer_free(key);
  consignee_buffer_free(public_key);
  gone("a private key");

  consignee_buffer_free(bytes);
  consignee_buffer_free(lines);
  close_shop(&shop);
  puts("wiped: good");
  return 0;
}
