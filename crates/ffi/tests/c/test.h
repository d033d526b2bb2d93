/* What the tests share: checks, and a shop in memory with a courier and a supplier who have keys. */
#ifndef TEST_H
#define TEST_H

#define _GNU_SOURCE
#include <consignee.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "Canary-Name"
#define PHONE "13812345678"
#define STREET "Canary-Street 1"
#define TITLE "Canary-Teapot"
#define NUMBER "CANARY-1001"
#define KEY_PREFIX "consignee-party-v1:"

#define CHECK(condition)                                                                  \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      fprintf(stderr, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__, __func__, #condition); \
      abort();                                                                            \
    }                                                                                     \
  } while (0)

/* A call that succeeds, and leaves the error as it is. */
#define OK(call)                                                                    \
  do {                                                                              \
    consignee_error error;                                                          \
    memset(&error, 0x5a, sizeof error);                                             \
    consignee_status status = call;                                                 \
    if (status != CONSIGNEE_OK) {                                                   \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, error.message); \
      abort();                                                                      \
    }                                                                               \
    CHECK(error.status == 0x5a5a5a5a && error.message[0] == 0x5a);                  \
  } while (0)

/* A call that fails with this status; what it says is in `said` after it. */
#define FAILS(expected, call)                                                                           \
  do {                                                                                                  \
    consignee_error error;                                                                              \
    memset(&error, 0x5a, sizeof error);                                                                 \
    consignee_status status = call;                                                                     \
    if (status != (expected)) {                                                                         \
      fprintf(stderr, "%s:%d: %s: status %u, not %u: %s\n", __FILE__, __LINE__, #call, status, (unsigned)(expected), \
              status ? error.message : "");                                                             \
      abort();                                                                                          \
    }                                                                                                   \
    check_error(&error, status);                                                                        \
    said = error;                                                                                       \
  } while (0)

static __thread consignee_error said __attribute__((unused));

/* A message says something, ends, and tells no content. */
static inline void check_error(const consignee_error *error, consignee_status status) {
  static const char *const secrets[] = {NAME, PHONE, STREET, TITLE, NUMBER, KEY_PREFIX};
  CHECK(error->status == status);
  CHECK(memchr(error->message, 0, sizeof error->message) && memchr(error->field, 0, sizeof error->field));
  CHECK(strlen(error->message) > 10);
  CHECK(status == CONSIGNEE_INPUT || (error->field[0] == 0 && error->line == 0));
  for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
    CHECK(!strstr(error->message, secrets[i]) && !strstr(error->field, secrets[i]));
  }
}

static inline consignee_bytes bytes_of(const consignee_buffer *buffer) {
  consignee_bytes bytes;
  OK(consignee_buffer_bytes(buffer, &bytes, &error));
  CHECK(bytes.data);
  return bytes;
}

static inline int is(consignee_bytes bytes, const char *text) {
  return bytes.len == strlen(text) && memcmp(bytes.data, text, bytes.len) == 0;
}

static inline int has(consignee_bytes bytes, const char *text) { return memmem(bytes.data, bytes.len, text, strlen(text)) != NULL; }

#define S consignee_str
#define NONE consignee_none()

/* An order of this number, with the canaries in it. */
static inline void order(char *room, size_t size, const char *number) {
  snprintf(room, size,
           "{\"order_no\":\"%s\",\"placed_at\":\"2026-11-11T20:14:05+08:00\",\"consignee\":{\"name\":\"" NAME
           "\",\"phone\":\"" PHONE "\",\"address\":{\"lines\":[\"" STREET
           "\",\"2\"],\"city\":\"Nanjing\",\"country\":\"CN\"}},\"items\":[{\"sku\":\"T-1\",\"title\":\"" TITLE
           "\",\"quantity\":3,\"unit_price\":\"88.00\",\"supplier\":\"Yixing\"},{\"sku\":\"T-2\",\"title\":\"Cup\","
           "\"quantity\":1,\"unit_price\":\"8.50\",\"supplier\":\"Jing\"}],\"amount\":{\"value\":\"272.50\",\"currency\":\"CNY\"}}",
           number);
}

/* Under Valgrind, where a call takes a hundred times as long: fewer rounds, no passphrases. */
static inline int slowly(void) { return getenv("CONSIGNEE_TEST_SLOWLY") != NULL; }

typedef struct {
  consignee_party *party;
  consignee_keyring *keyring;
  consignee_buffer *keyring_bytes;
} link_t_;

#ifndef WITHOUT_VAULTS
typedef struct {
  consignee_vault *vault;
  link_t_ courier, supplier;
  consignee_buffer *card;
} shop;

static inline void add(shop *shop, link_t_ *link, const char *name, const char *role, const char *lines) {
  consignee_buffer *key, *public_key, *fingerprint;
  OK(consignee_party_key_new(CONSIGNEE_KEM_X25519, NONE, &key, &public_key, &error));
  OK(consignee_vault_add_party(shop->vault, S(name), S(role), S(lines), bytes_of(public_key), &error));
  OK(consignee_party_new(bytes_of(key), NONE, NONE, &link->party, &error));
  OK(consignee_card_fingerprint(bytes_of(shop->card), &fingerprint, &error));
  OK(consignee_party_trust(link->party, bytes_of(shop->card), bytes_of(fingerprint), &error));
  OK(consignee_vault_issue_keyring(shop->vault, S(name), &link->keyring_bytes, &error));
  OK(consignee_keyring_open(link->party, bytes_of(link->keyring_bytes), &link->keyring, &error));
  consignee_buffer_free(key);
  consignee_buffer_free(public_key);
  consignee_buffer_free(fingerprint);
}

static inline shop open_shop(void) {
  shop shop;
  char json[2048];
  OK(consignee_vault_in_memory(NONE, &shop.vault, &error));
  OK(consignee_vault_card(shop.vault, &shop.card, &error));
  add(&shop, &shop.courier, "SF Express", "courier", "");
  add(&shop, &shop.supplier, "Yixing Pottery", "supplier", "Yixing");
  OK(consignee_vault_add_party(shop.vault, S("agent 17"), S("support"), NONE, NONE, &error));
  order(json, sizeof json, NUMBER);
  bool stored = false;
  OK(consignee_vault_put(shop.vault, S(json), &stored, &error));
  CHECK(stored);
  return shop;
}

static inline void close_shop(shop *shop) {
  link_t_ *links[] = {&shop->courier, &shop->supplier};
  for (size_t i = 0; i < 2; i++) {
    consignee_keyring_free(links[i]->keyring);
    consignee_buffer_free(links[i]->keyring_bytes);
    consignee_party_free(links[i]->party);
  }
  consignee_buffer_free(shop->card);
  consignee_vault_free(shop->vault);
}

/* A bundle of one order for the courier. */
static inline consignee_buffer *shared_bundle(const shop *shop, const char *number) {
  consignee_bytes numbers[] = {S(number)};
  consignee_buffer *bundle;
  consignee_results *results;
  OK(consignee_vault_share(shop->vault, S("SF Express"), S("delivery"), numbers, 1, 0, &bundle, &results, &error));
  CHECK(bundle);
  consignee_results_free(results);
  return bundle;
}

#endif
#endif
