/* What a caller may do wrong: NULL, lengths that cannot be, text that is none, handles that are none. Each has its status, no output is
 * written, and nothing crashes. */
#include "test.h"

/* Outputs of a call that failed are as they were. */
#define PATTERN 0x5a
typedef union {
  consignee_buffer *buffer;
  consignee_party *party;
  consignee_keyring *keyring;
  consignee_bundle *bundle;
  consignee_results *results;
  consignee_vault *vault;
  consignee_bytes bytes;
  consignee_bundle_head head;
  consignee_order order;
  consignee_ledger_state state;
  size_t size;
  uint32_t number;
  bool yes;
  uint8_t raw[256];
} output;

static output outs[2];

static void fresh(void) { memset(outs, PATTERN, sizeof outs); }

static void untouched(void) {
  for (size_t i = 0; i < sizeof outs; i++) {
    CHECK(((uint8_t *)outs)[i] == PATTERN);
  }
}

/* A call that fails, whether it is asked why or not. */
#define REFUSED(expected, call)                                                                           \
  do {                                                                                                    \
    consignee_error *error = &said;                                                                       \
    fresh();                                                                                              \
    consignee_status status = call;                                                                       \
    if (status != (expected)) {                                                                           \
      fprintf(stderr, "%s:%d: status %u, not %u: %s\n", __FILE__, __LINE__, status, (unsigned)(expected), #call); \
      abort();                                                                                            \
    }                                                                                                     \
    check_error(&said, status);                                                                           \
    untouched();                                                                                          \
    error = NULL;                                                                                         \
    CHECK((call) == (expected));                                                                          \
    untouched();                                                                                          \
  } while (0)

static shop here;
static consignee_buffer *bundle_bytes;
static consignee_bundle *bundle;
static consignee_results *results;

/* Every function with this in place of its object. */
static void every_call(const void *bad) {
  void *handle = (void *)(uintptr_t)bad;
  consignee_bytes number = S(NUMBER);
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_buffer_bytes(handle, &outs[0].bytes, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_party_save(handle, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_party_pins(handle, &outs[0].buffer, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_party_public_key(handle, &outs[0].buffer, &outs[1].buffer, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_party_distrust(handle, bytes_of(here.card), error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_party_request(handle, bytes_of(here.card), S("delivery"), NULL, 0, &outs[0].buffer, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_keyring_open(handle, bytes_of(here.courier.keyring_bytes), &outs[0].keyring, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_bundle_open(handle, here.courier.keyring, bytes_of(bundle_bytes), &outs[0].bundle, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_bundle_open(here.courier.party, handle, bytes_of(bundle_bytes), &outs[0].bundle, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_bundle_describe(handle, &outs[0].head, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_bundle_read(handle, 0, 1, &outs[0].results, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_results_len(handle, &outs[0].size, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_results_status(handle, 0, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_results_order(handle, 0, &outs[0].order, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_results_json(handle, 0, &outs[0].bytes, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_results_text(handle, 0, S("consignee.name"), NONE, &outs[0].bytes, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_results_texts(handle, S("consignee.name"), NONE, &outs[0].bytes, 1, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_results_count(handle, 0, S("consignee.name"), NONE, &outs[0].size, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_vault_keep_checkpoint(handle, S("/nowhere"), error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_vault_add_party(handle, S("x"), S("courier"), NONE, NONE, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_vault_card(handle, &outs[0].buffer, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_vault_issue_keyring(handle, S("SF Express"), &outs[0].buffer, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_vault_put(handle, S("{}"), &outs[0].yes, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_vault_put_many(handle, NULL, 0, &outs[0].results, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_vault_open(handle, S("SF Express"), S("delivery"), &number, 1, &outs[0].results, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_vault_find(handle, S("x"), S("x"), S("x"), S("x"), &outs[0].results, &outs[1].size, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_vault_update(handle, number, 1, S("{}"), &outs[0].number, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_vault_share(handle, S("x"), S("x"), &number, 1, 0, &outs[0].buffer, &outs[1].results, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_vault_share_request(handle, S("x"), 0, &outs[0].buffer, &outs[1].results, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_vault_who_saw(handle, number, &outs[0].buffer, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_vault_close_order(handle, number, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_vault_shred(handle, number, S("x"), CONSIGNEE_SHRED_KEEP_EVIDENCE, error));
  REFUSED(CONSIGNEE_BAD_HANDLE, consignee_vault_ledger_state(handle, &outs[0].state, error));
  consignee_buffer_free(handle);
  consignee_party_free(handle);
  consignee_keyring_free(handle);
  consignee_bundle_free(handle);
  consignee_results_free(handle);
  consignee_vault_free(handle);
}

static void handles(void) {
  consignee_buffer *freed = shared_bundle(&here, NUMBER);
  consignee_buffer_free(freed);
  uint64_t on_the_stack[64] = {0};
  static const char text[] = "no object";
  every_call(NULL);
  every_call(freed);
  every_call(on_the_stack);
  every_call(text);
  every_call((const void *)(uintptr_t)1);
  every_call((const void *)UINTPTR_MAX);
  /* Of another kind: each of the objects at hand where it does not belong. */
  FAILS(CONSIGNEE_BAD_HANDLE, consignee_buffer_bytes((consignee_buffer *)here.vault, &outs[0].bytes, &error));
  FAILS(CONSIGNEE_BAD_HANDLE, consignee_party_save((consignee_party *)here.courier.keyring, &error));
  FAILS(CONSIGNEE_BAD_HANDLE, consignee_bundle_read((consignee_bundle *)results, 0, 1, &outs[0].results, &error));
  FAILS(CONSIGNEE_BAD_HANDLE, consignee_results_len((consignee_results *)bundle, &outs[0].size, &error));
  FAILS(CONSIGNEE_BAD_HANDLE, consignee_vault_card((consignee_vault *)here.courier.party, &outs[0].buffer, &error));
  FAILS(CONSIGNEE_BAD_HANDLE, consignee_bundle_open(here.courier.party, (consignee_keyring *)bundle, bytes_of(bundle_bytes), &outs[0].bundle, &error));
  consignee_vault_free((consignee_vault *)here.courier.party);
  consignee_results_free((consignee_results *)here.vault);
  consignee_buffer_free((consignee_buffer *)results);
  OK(consignee_results_status(results, 0, &error));
  /* Twice, and after another took its place. */
  consignee_buffer_free(freed);
  for (int i = 0; i < 1000; i++) {
    consignee_buffer *next;
    OK(consignee_vault_card(here.vault, &next, &error));
    CHECK(next != freed);
    consignee_buffer_free(freed);
    (void)bytes_of(next);
    consignee_buffer_free(next);
  }
}

static void outputs_that_are_null(void) {
  consignee_bytes number = S(NUMBER);
  consignee_buffer *key;
  REFUSED(CONSIGNEE_INPUT, consignee_buffer_bytes(bundle_bytes, NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_party_key_new(CONSIGNEE_KEM_X25519, NONE, NULL, &outs[0].buffer, error));
  REFUSED(CONSIGNEE_INPUT, consignee_party_key_new(CONSIGNEE_KEM_X25519, NONE, &outs[0].buffer, NULL, error));
  OK(consignee_party_key_new(CONSIGNEE_KEM_X25519, NONE, &key, &outs[0].buffer, &error));
  consignee_buffer_free(outs[0].buffer);
  consignee_bytes key_bytes = bytes_of(key);
  REFUSED(CONSIGNEE_INPUT, consignee_party_new(key_bytes, NONE, NONE, NULL, error));
  consignee_buffer_free(key);
  REFUSED(CONSIGNEE_INPUT, consignee_party_open(S("x"), NONE, NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_party_pins(here.courier.party, NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_card_fingerprint(bytes_of(here.card), NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_party_request(here.courier.party, bytes_of(here.card), S("x"), NULL, 0, NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_keyring_open(here.courier.party, bytes_of(here.courier.keyring_bytes), NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_bundle_open(here.courier.party, here.courier.keyring, bytes_of(bundle_bytes), NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_bundle_describe(bundle, NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_bundle_read(bundle, 0, 1, NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_results_len(results, NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_results_order(results, 0, NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_results_json(results, 0, NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_results_text(results, 0, S("consignee.name"), NONE, NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_results_texts(results, S("consignee.name"), NONE, NULL, 1, error));
  REFUSED(CONSIGNEE_INPUT, consignee_results_count(results, 0, S("consignee.name"), NONE, NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_vault_unlock(S("x"), S("x"), NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_vault_unlock_with_passphrase(S("x"), S("x"), NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_vault_unlock_with_key(S("x"), S("x"), NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_vault_in_memory(NONE, NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_vault_card(here.vault, NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_vault_issue_keyring(here.vault, S("SF Express"), NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_vault_put_many(here.vault, NULL, 0, NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_vault_open(here.vault, S("SF Express"), S("delivery"), &number, 1, NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_vault_find(here.vault, S("x"), S("x"), S("x"), S("x"), NULL, NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_vault_share(here.vault, S("x"), S("x"), &number, 1, 0, NULL, &outs[0].results, error));
  REFUSED(CONSIGNEE_INPUT, consignee_vault_share(here.vault, S("x"), S("x"), &number, 1, 0, &outs[0].buffer, NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_vault_share_request(here.vault, S("x"), 0, NULL, NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_vault_who_saw(here.vault, number, NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_vault_ledger_state(here.vault, NULL, error));
  REFUSED(CONSIGNEE_INPUT, consignee_ledger_verify(S("x"), S("x"), NONE, NONE, NULL, error));
}

/* In each place where bytes or text go in. */
static void inputs(consignee_bytes bad, consignee_status expected) {
  consignee_bytes number = S(NUMBER), card = bytes_of(here.card);
  consignee_party *party = here.courier.party;
  consignee_vault *vault = here.vault;
  consignee_bytes fine = S("x");
  REFUSED(expected, consignee_party_key_new(CONSIGNEE_KEM_X25519, bad, &outs[0].buffer, &outs[1].buffer, error));
  REFUSED(expected, consignee_party_new(fine, bad, NONE, &outs[0].party, error));
  REFUSED(expected, consignee_party_open(bad, NONE, &outs[0].party, error));
  REFUSED(expected, consignee_party_trust(party, bad, fine, error));
  REFUSED(expected, consignee_party_trust(party, card, bad, error));
  REFUSED(expected, consignee_party_distrust(party, bad, error));
  REFUSED(expected, consignee_card_fingerprint(bad, &outs[0].buffer, error));
  REFUSED(expected, consignee_party_request(party, bad, fine, &fine, 1, &outs[0].buffer, error));
  REFUSED(expected, consignee_party_request(party, card, bad, &fine, 1, &outs[0].buffer, error));
  REFUSED(expected, consignee_party_request(party, card, fine, &bad, 1, &outs[0].buffer, error));
  REFUSED(expected, consignee_results_text(results, 0, bad, NONE, &outs[0].bytes, error));
  REFUSED(expected, consignee_results_text(results, 0, S("consignee.name"), bad, &outs[0].bytes, error));
  REFUSED(expected, consignee_results_texts(results, bad, NONE, &outs[0].bytes, 1, error));
  REFUSED(expected, consignee_results_texts(results, S("consignee.name"), bad, &outs[0].bytes, 1, error));
  REFUSED(expected, consignee_results_count(results, 0, bad, NONE, &outs[0].size, error));
  REFUSED(expected, consignee_results_count(results, 0, S("consignee.name"), bad, &outs[0].size, error));
  REFUSED(expected, consignee_vault_unlock(bad, fine, &outs[0].vault, error));
  REFUSED(expected, consignee_vault_unlock(fine, bad, &outs[0].vault, error));
  REFUSED(expected, consignee_vault_unlock_with_passphrase(fine, bad, &outs[0].vault, error));
  REFUSED(expected, consignee_vault_in_memory(bad, &outs[0].vault, error));
  REFUSED(expected, consignee_vault_keep_checkpoint(vault, bad, error));
  REFUSED(expected, consignee_vault_add_party(vault, bad, fine, NONE, NONE, error));
  REFUSED(expected, consignee_vault_add_party(vault, fine, bad, NONE, NONE, error));
  REFUSED(expected, consignee_vault_add_party(vault, fine, fine, bad, NONE, error));
  REFUSED(expected, consignee_vault_add_party(vault, fine, fine, NONE, bad, error));
  REFUSED(expected, consignee_vault_issue_keyring(vault, bad, &outs[0].buffer, error));
  REFUSED(expected, consignee_vault_put(vault, bad, &outs[0].yes, error));
  REFUSED(expected, consignee_vault_put_many(vault, &bad, 1, &outs[0].results, error));
  REFUSED(expected, consignee_vault_open(vault, bad, fine, &number, 1, &outs[0].results, error));
  REFUSED(expected, consignee_vault_open(vault, fine, bad, &number, 1, &outs[0].results, error));
  REFUSED(expected, consignee_vault_open(vault, fine, fine, &bad, 1, &outs[0].results, error));
  REFUSED(expected, consignee_vault_find(vault, bad, fine, fine, fine, &outs[0].results, NULL, error));
  REFUSED(expected, consignee_vault_find(vault, fine, fine, bad, fine, &outs[0].results, NULL, error));
  REFUSED(expected, consignee_vault_find(vault, fine, fine, fine, bad, &outs[0].results, NULL, error));
  REFUSED(expected, consignee_vault_update(vault, bad, 1, fine, &outs[0].number, error));
  REFUSED(expected, consignee_vault_update(vault, number, 1, bad, &outs[0].number, error));
  REFUSED(expected, consignee_vault_share(vault, bad, fine, &number, 1, 0, &outs[0].buffer, &outs[1].results, error));
  REFUSED(expected, consignee_vault_share(vault, fine, fine, &bad, 1, 0, &outs[0].buffer, &outs[1].results, error));
  REFUSED(expected, consignee_vault_who_saw(vault, bad, &outs[0].buffer, error));
  REFUSED(expected, consignee_vault_close_order(vault, bad, error));
  REFUSED(expected, consignee_vault_shred(vault, bad, fine, CONSIGNEE_SHRED_KEEP_EVIDENCE, error));
  REFUSED(expected, consignee_vault_shred(vault, number, bad, CONSIGNEE_SHRED_KEEP_EVIDENCE, error));
  REFUSED(expected, consignee_ledger_verify(bad, card, NONE, NONE, &outs[0].buffer, error));
  REFUSED(expected, consignee_ledger_verify(fine, bad, NONE, NONE, &outs[0].buffer, error));
}

/* Where any bytes may go in. */
static void binary_inputs(consignee_bytes bad, consignee_status expected) {
  REFUSED(expected, consignee_party_new(bad, NONE, NONE, &outs[0].party, error));
  REFUSED(expected, consignee_keyring_open(here.courier.party, bad, &outs[0].keyring, error));
  REFUSED(expected, consignee_bundle_open(here.courier.party, here.courier.keyring, bad, &outs[0].bundle, error));
  REFUSED(expected, consignee_vault_share_request(here.vault, bad, 0, &outs[0].buffer, &outs[1].results, error));
}

static void lengths_and_text(void) {
  consignee_bytes null = {NULL, 1}, endless = {(const uint8_t *)"x", SIZE_MAX}, too_long = {(const uint8_t *)"x", CONSIGNEE_MAX_INPUT + 1};
  consignee_bytes latin = S("caf\xe9"), cut = S("\xe7\x8e");
  inputs(null, CONSIGNEE_INPUT);
  inputs(endless, CONSIGNEE_LIMIT);
  inputs(too_long, CONSIGNEE_LIMIT);
  inputs(latin, CONSIGNEE_INPUT);
  inputs(cut, CONSIGNEE_INPUT);
  binary_inputs(null, CONSIGNEE_INPUT);
  binary_inputs(endless, CONSIGNEE_LIMIT);
  binary_inputs(latin, CONSIGNEE_DAMAGED);
  binary_inputs(NONE, CONSIGNEE_DAMAGED);
  consignee_bytes number = S(NUMBER);
  REFUSED(CONSIGNEE_INPUT, consignee_vault_open(here.vault, S("x"), S("x"), NULL, 3, &outs[0].results, error));
  REFUSED(CONSIGNEE_LIMIT, consignee_vault_open(here.vault, S("x"), S("x"), &number, SIZE_MAX, &outs[0].results, error));
  REFUSED(CONSIGNEE_LIMIT, consignee_vault_put_many(here.vault, &number, CONSIGNEE_MAX_COUNT + 1, &outs[0].results, error));
  REFUSED(CONSIGNEE_INPUT, consignee_vault_put_many(here.vault, NULL, SIZE_MAX, &outs[0].results, error));
  CHECK(strstr(said.message, "orders"));
  /* A message and a field that are longer than their room are cut between characters. */
  char long_name[512] = "{\"";
  for (int i = 0; i < 120; i++) {
    strcat(long_name, "\xe7\x8e\x8b");
  }
  strcat(long_name, "\":1}");
  FAILS(CONSIGNEE_INPUT, consignee_vault_put(here.vault, S(long_name), NULL, &error));
}

int main(void) {
  here = open_shop();
  bundle_bytes = shared_bundle(&here, NUMBER);
  OK(consignee_bundle_open(here.courier.party, here.courier.keyring, bytes_of(bundle_bytes), &bundle, &error));
  OK(consignee_bundle_read(bundle, 0, 1, &results, &error));
  handles();
  outputs_that_are_null();
  lengths_and_text();
  consignee_results_free(results);
  consignee_bundle_free(bundle);
  consignee_buffer_free(bundle_bytes);
  close_shop(&here);
  puts("misuse: good");
  return 0;
}
