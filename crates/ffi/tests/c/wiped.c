/* Plaintext and keys are gone from memory when they are freed. Each block is looked at as it is given back to the allocator, and the
 * whole heap afterwards: what is in it then is what a later reader of the memory, a core dump or swap would find. */
#define _GNU_SOURCE
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The allocator of the C library, in whose place this program's stands. */
void *__libc_malloc(size_t size);
void __libc_free(void *block);

static const char *volatile sought[8];
static volatile size_t found;
static volatile int looking, telling;

static size_t times_in(const void *block, size_t size) {
  size_t times = 0;
  for (size_t i = 0; i < sizeof sought / sizeof *sought; i++) {
    times += sought[i] && memmem(block, size, sought[i], strlen(sought[i]));
  }
  return times;
}

void *malloc(size_t size) {
  void *block = __libc_malloc(size);
  if (block) { /* What others left there is not taken for what is left by whoever has it now. */
    memset(block, 0x5a, malloc_usable_size(block));
  }
  return block;
}

void free(void *block) {
  if (block && !looking) { /* What is not looked at is no finding of the look at the heap afterwards. */
    memset(block, 0x5a, malloc_usable_size(block));
  }
  if (block && looking) {
    size_t times = times_in(block, malloc_usable_size(block));
    found += times;
    if (times && telling) {
      looking = 0;
      fprintf(stderr, "a block of %zu bytes is freed with a value in it\n", malloc_usable_size(block));
      abort();
    }
  }
  __libc_free(block);
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

/* In how many of the sought texts there is something in memory that can be written, but for the stack, which is this program's. */
static size_t on_the_heap(void) {
  size_t times = 0;
  char line[512];
  FILE *maps = fopen("/proc/self/maps", "r");
  CHECK(maps);
  while (fgets(line, sizeof line, maps)) {
    unsigned long first, end;
    char rights[5];
    CHECK(sscanf(line, "%lx-%lx %4s", &first, &end, rights) == 3);
    if (rights[0] == 'r' && rights[1] == 'w' && !strstr(line, "[stack]")) {
      times += times_in((const void *)first, end - first);
    }
  }
  fclose(maps);
  return times;
}

static void gone(const char *what) {
  looking = 0;
  if (found) {
    fprintf(stderr, "%s: %zu blocks were freed with plaintext or keys in them\n", what, (size_t)found);
    abort();
  }
  found = on_the_heap();
  if (found) {
    fprintf(stderr, "%s: plaintext or keys are on the heap in %zu places\n", what, (size_t)found);
    abort();
  }
}

/* The longest piece of the key in a key file that a C string can hold, which is nearly always all of it. */
static void root_key(const char *path, char root[33]) {
  char line[256] = "", piece[33] = "";
  FILE *file = fopen(path, "r");
  CHECK(file && fgets(line, sizeof line, file) && fclose(file) == 0);
  const char *digits = strchr(line, ':');
  CHECK(digits);
  for (size_t i = 0, used = 0; i < 32; i++) {
    unsigned byte;
    CHECK(sscanf(digits + 1 + 2 * i, "%2x", &byte) == 1);
    used = byte ? used + 1 : 0;
    piece[used ? used - 1 : 0] = (char)byte;
    if (used > strlen(root)) {
      memcpy(root, piece, used);
      root[used] = 0;
    }
  }
  CHECK(strlen(root) >= 8);
  explicit_bzero(line, sizeof line);
  explicit_bzero(piece, sizeof piece);
}

int main(void) {
  static const char *const values[] = {NAME, PHONE, STREET, TITLE};
  shop shop = open_shop();
  consignee_buffer *bytes = shared_bundle(&shop, NUMBER), *lines;
  consignee_bytes number = S(NUMBER), dear = S("SO-9"), text, texts[1];
  size_t count;
  OK(consignee_vault_put(shop.vault,
                         S("{\"order_no\":\"SO-9\",\"placed_at\":\"2026-11-11T20:14:05+08:00\",\"consignee\":{\"name\":\"x\",\"phone\":\"1\","
                           "\"address\":{\"lines\":[\"x\"],\"city\":\"x\",\"country\":\"CN\"}},\"items\":[],"
                           "\"amount\":{\"value\":\"98765432.10\",\"currency\":\"CNY\"}}"),
                         NULL, &error));
  consignee_results *results;
  consignee_bundle *bundle;
  OK(consignee_vault_share(shop.vault, S("Yixing Pottery"), S("fulfilment"), &number, 1, 0, &lines, &results, &error));
  consignee_results_free(results);

  /* The test itself: a block that is not wiped is seen, and what is left of it. */
  seek(values, 4);
  CHECK(on_the_heap() == 0);
  char *left = strdup("a text of some length with " NAME " in it");
  free(left);
  looking = 0;
  CHECK(found == 1 && on_the_heap() == 1);
  free(strdup("another text of the same length, in its place"));
  CHECK(on_the_heap() == 0);
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

  /* As a text of its own, and in JSON, and what stands in it. */
  OK(consignee_vault_add_party(shop.vault, S("books"), S("finance"), NONE, NONE, &error));
  static const char *const amounts[] = {"98765432.10", "98765432"};
  seek(amounts, 2);
  OK(consignee_vault_open(shop.vault, S("books"), S("accounting"), &dear, 1, &results, &error));
  OK(consignee_results_text(results, 0, S("amount"), NONE, &text, &error));
  CHECK(is(text, "98765432.10 CNY"));
  OK(consignee_results_text(results, 0, S("amount"), S("/value"), &text, &error));
  OK(consignee_results_count(results, 0, S("amount"), S("/value"), &count, &error));
  OK(consignee_results_json(results, 0, &text, &error));
  CHECK(has(text, "98765432.10"));
  consignee_results_free(results);
  gone("an amount");

  seek(values, 4);
  OK(consignee_vault_open(shop.vault, S("SF Express"), S("delivery"), &number, 1, &results, &error));
  OK(consignee_results_json(results, 0, &text, &error));
  CHECK(has(text, PHONE));
  consignee_results_free(results);
  gone("an order that was opened in the vault");

  /* The vault opens for itself what a change leaves as it is. */
  seek(values, 4);
  uint32_t revision;
  OK(consignee_vault_update(shop.vault, number, 1, S("{\"note\":\"ring twice\"}"), &revision, &error));
  CHECK(revision == 2);
  gone("an order that was changed");

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

  /* The root key of a vault in a folder, after work of each kind. */
  const char *folder = getenv("CONSIGNEE_TEST_SHOP");
  CHECK(folder);
  char path[512], key_path[512], root[33] = {0};
  snprintf(path, sizeof path, "%s/vault", folder);
  snprintf(key_path, sizeof key_path, "%s/key", folder);
  root_key(key_path, root);
  const char *const roots[] = {root};
  seek(roots, 1);
  consignee_vault *vault;
  consignee_buffer *answer;
  OK(consignee_vault_unlock(S(path), S(key_path), &vault, &error));
  OK(consignee_vault_open(vault, S("SF Express"), S("delivery"), &number, 1, &results, &error));
  consignee_results_free(results);
  OK(consignee_vault_update(vault, number, 1, S("{\"note\":\"ring twice\"}"), &revision, &error));
  OK(consignee_vault_who_saw(vault, number, &answer, &error));
  consignee_buffer_free(answer);
  OK(consignee_vault_add_party(vault, S("DHL"), S("courier"), NONE, NONE, &error));
  looking = 0;
  CHECK(on_the_heap() > 0); /* It is there while it is needed. */
  looking = 1;
  consignee_vault_free(vault);
  gone("a root key");

  consignee_buffer_free(bytes);
  consignee_buffer_free(lines);
  close_shop(&shop);
  puts("wiped: good");
  return 0;
}
