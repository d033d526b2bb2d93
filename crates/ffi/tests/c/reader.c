/* What a party does: keys, trust, keyrings, bundles, fields. */
#include "test.h"

static void keys_and_trust(void) {
  shop shop = open_shop();
  consignee_buffer *key, *public_key, *again, *print, *pins;
  consignee_party *party;
  OK(consignee_party_key_new(CONSIGNEE_KEM_XWING, NONE, &key, &public_key, &error));
  CHECK(has(bytes_of(key), KEY_PREFIX) && has(bytes_of(public_key), "consignee-party-pub-v1:"));
  OK(consignee_party_new(bytes_of(key), NONE, NONE, &party, &error));
  OK(consignee_party_public_key(party, &again, &print, &error));
  CHECK(bytes_of(again).len == bytes_of(public_key).len && has(bytes_of(again), "consignee-party-pub-v1:"));
  CHECK(bytes_of(print).len == 24);
  consignee_buffer_free(again);
  OK(consignee_party_public_key(party, NULL, NULL, &error));
  OK(consignee_party_save(party, &error));
  /* Not trusted before its fingerprint was compared. */
  FAILS(CONSIGNEE_NOT_FOUND, consignee_party_distrust(party, bytes_of(shop.card), &error));
  FAILS(CONSIGNEE_CANNOT_OPEN, consignee_party_trust(party, bytes_of(shop.card), bytes_of(print), &error));
  FAILS(CONSIGNEE_CANNOT_OPEN, consignee_party_trust(party, bytes_of(shop.card), NONE, &error));
  FAILS(CONSIGNEE_INPUT, consignee_party_trust(party, S("no card"), bytes_of(print), &error));
  FAILS(CONSIGNEE_INPUT, consignee_card_fingerprint(S("no card"), &again, &error));
  consignee_buffer_free(print);
  OK(consignee_card_fingerprint(bytes_of(shop.card), &print, &error));
  OK(consignee_party_trust(party, bytes_of(shop.card), bytes_of(print), &error));
  OK(consignee_party_pins(party, &pins, &error));
  CHECK(has(bytes_of(pins), "consignee-trust-v1\n"));
  OK(consignee_party_distrust(party, bytes_of(shop.card), &error));
  consignee_party_free(party);
  /* With the pins it trusts again. */
  OK(consignee_party_new(bytes_of(key), NONE, bytes_of(pins), &party, &error));
  OK(consignee_party_distrust(party, bytes_of(shop.card), &error));
  consignee_party_free(party);
  FAILS(CONSIGNEE_DAMAGED, consignee_party_new(bytes_of(key), NONE, S("no pins"), &party, &error));
  FAILS(CONSIGNEE_DAMAGED, consignee_party_new(bytes_of(public_key), NONE, NONE, &party, &error));
  consignee_bytes cut = bytes_of(key);
  cut.len -= 20;
  FAILS(CONSIGNEE_DAMAGED, consignee_party_new(cut, NONE, NONE, &party, &error));
  FAILS(CONSIGNEE_INPUT, consignee_party_key_new(7, NONE, &key, &public_key, &error));
  CHECK(strcmp(said.field, "kem") == 0);
  FAILS(CONSIGNEE_ROOT_KEY, consignee_party_key_new(CONSIGNEE_KEM_X25519, S("short"), &key, &public_key, &error));
  consignee_buffer_free(key);
  consignee_buffer_free(public_key);
  consignee_buffer_free(print);
  consignee_buffer_free(pins);
  close_shop(&shop);
}

static void files(void) {
  char folder[] = "/tmp/consignee-c-XXXXXX", path[64], trust[80];
  CHECK(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/key", folder);
  snprintf(trust, sizeof trust, "%s.trust", path);
  consignee_buffer *key, *public_key, *print;
  consignee_party *party;
  shop shop = open_shop();
  FAILS(CONSIGNEE_NOT_FOUND, consignee_party_open(S(path), NONE, &party, &error));
  OK(consignee_party_key_new(CONSIGNEE_KEM_X25519, NONE, &key, &public_key, &error));
  FILE *file = fopen(path, "wb");
  CHECK(file && fwrite(bytes_of(key).data, 1, bytes_of(key).len, file) == bytes_of(key).len && fclose(file) == 0);
  char command[128];
  snprintf(command, sizeof command, "chmod 644 %s", path);
  CHECK(system(command) == 0);
  FAILS(CONSIGNEE_STORAGE, consignee_party_open(S(path), NONE, &party, &error));
  snprintf(command, sizeof command, "chmod 600 %s", path);
  CHECK(system(command) == 0);
  OK(consignee_party_open(S(path), NONE, &party, &error));
  OK(consignee_card_fingerprint(bytes_of(shop.card), &print, &error));
  OK(consignee_party_trust(party, bytes_of(shop.card), bytes_of(print), &error));
  CHECK(!fopen(trust, "rb"));
  OK(consignee_party_save(party, &error));
  file = fopen(trust, "rb");
  CHECK(file && fclose(file) == 0);
  consignee_party_free(party);
  FAILS(CONSIGNEE_INPUT, consignee_party_open(NONE, NONE, &party, &error));
  CHECK(strcmp(said.field, "key_file") == 0);
  consignee_buffer_free(key);
  consignee_buffer_free(public_key);
  consignee_buffer_free(print);
  close_shop(&shop);
  snprintf(command, sizeof command, "rm -r %s", folder);
  CHECK(system(command) == 0);
}

static void locked_key(void) {
  if (slowly()) {
    puts("locked keys are left out: Argon2id takes minutes here");
    return;
  }
  consignee_buffer *key, *public_key;
  consignee_party *party;
  OK(consignee_party_key_new(CONSIGNEE_KEM_X25519, S("correct horse"), &key, &public_key, &error));
  FAILS(CONSIGNEE_CANNOT_OPEN, consignee_party_new(bytes_of(key), NONE, NONE, &party, &error));
  FAILS(CONSIGNEE_CANNOT_OPEN, consignee_party_new(bytes_of(key), S("correct house"), NONE, &party, &error));
  OK(consignee_party_new(bytes_of(key), S("correct horse"), NONE, &party, &error));
  consignee_party_free(party);
  consignee_buffer_free(key);
  consignee_buffer_free(public_key);
}

static void bundles(void) {
  shop shop = open_shop();
  char json[2048];
  for (int n = 1; n < 30; n++) {
    char number[16];
    snprintf(number, sizeof number, "SO-%d", n);
    order(json, sizeof json, number);
    OK(consignee_vault_put(shop.vault, S(json), NULL, &error));
  }
  consignee_bytes numbers[30] = {S(NUMBER)};
  char room[30][16];
  for (int n = 1; n < 30; n++) {
    snprintf(room[n], sizeof room[n], "SO-%d", n);
    numbers[n] = S(room[n]);
  }
  numbers[7] = S("SO-nowhere");
  consignee_buffer *bytes;
  consignee_results *shared, *results;
  OK(consignee_vault_share(shop.vault, S("SF Express"), S("delivery"), numbers, 30, 3600, &bytes, &shared, &error));
  size_t len = 0;
  OK(consignee_results_len(shared, &len, &error));
  CHECK(len == 30);
  consignee_order where;
  OK(consignee_results_order(shared, 3, &where, &error));
  FAILS(CONSIGNEE_NOT_FOUND, consignee_results_status(shared, 7, &error));
  FAILS(CONSIGNEE_NOT_FOUND, consignee_results_order(shared, 7, &where, &error));

  consignee_bundle *bundle;
  consignee_bundle_head head;
  OK(consignee_bundle_open(shop.courier.party, shop.courier.keyring, bytes_of(bytes), &bundle, &error));
  OK(consignee_bundle_describe(bundle, &head, &error));
  CHECK(is(head.party, "SF Express") && is(head.role, "courier") && is(head.purpose, "delivery") && head.orders == 29);
  CHECK(head.expires_at >= head.issued_at + 3590 && head.expires_at <= head.issued_at + 3610 && has(head.origin, "consignee/"));

  OK(consignee_bundle_read(bundle, 2, 2, &results, &error));
  OK(consignee_results_len(results, &len, &error));
  CHECK(len == 2);
  consignee_order read;
  OK(consignee_results_order(results, 1, &read, &error));
  CHECK(read.alias.len == where.alias.len && memcmp(read.alias.data, where.alias.data, read.alias.len) == 0);
  CHECK(read.revision == 1 && read.ledger == 1 && read.ledger_index == where.ledger_index);
  CHECK(read.order.len == read.alias.len);
  consignee_bytes text, again;
  size_t count;
#define TEXT(part, pointer) OK(consignee_results_text(results, 0, S(part), S(pointer), &text, &error))
  TEXT("consignee.name", "");
  CHECK(is(text, NAME));
  TEXT("consignee.address", "/lines/1");
  CHECK(is(text, "2"));
  TEXT("consignee.address", "/region");
  CHECK(text.len == 0 && text.data);
  TEXT("consignee.address", "");
  CHECK(is(text, STREET ", 2, Nanjing, CN"));
  OK(consignee_results_text(results, 0, S("consignee.address"), NONE, &again, &error));
  CHECK(again.data == text.data);
  OK(consignee_results_count(results, 0, S("consignee.address"), S("/lines"), &count, &error));
  CHECK(count == 2);
  OK(consignee_results_count(results, 0, S("consignee.name"), NONE, &count, &error));
  CHECK(count == 1);
  OK(consignee_results_json(results, 0, &text, &error));
  CHECK(has(text, NAME) && has(text, STREET) && has(text, "\"role\":\"courier\"") && !has(text, TITLE) && !has(text, NUMBER));
  FAILS(CONSIGNEE_ABSENT, consignee_results_text(results, 0, S("consignee.address"), S("/lines/2"), &text, &error));
  FAILS(CONSIGNEE_ABSENT, consignee_results_count(results, 0, S("consignee.address"), S("/planet"), &count, &error));
  FAILS(CONSIGNEE_INPUT, consignee_results_text(results, 0, S("consignee.address"), S("/lines"), &text, &error));
  FAILS(CONSIGNEE_INPUT, consignee_results_text(results, 0, S("items"), NONE, &text, &error));
  FAILS(CONSIGNEE_INPUT, consignee_results_text(results, 2, S("consignee.name"), NONE, &text, &error));
  CHECK(strcmp(said.field, "index") == 0);
  FAILS(CONSIGNEE_INPUT, consignee_results_status(results, SIZE_MAX, &error));
  FAILS(CONSIGNEE_INPUT, consignee_results_json(results, 2, &text, &error));

  consignee_bytes texts[2];
  OK(consignee_results_texts(results, S("consignee.phone"), NONE, texts, 2, &error));
  CHECK(is(texts[0], PHONE) && is(texts[1], PHONE));
  OK(consignee_results_texts(results, S("consignee.address"), S("/lines/5"), texts, 2, &error));
  CHECK(!texts[0].data && !texts[1].data);
  FAILS(CONSIGNEE_INPUT, consignee_results_texts(results, S("items"), NONE, texts, 2, &error));
  FAILS(CONSIGNEE_INPUT, consignee_results_texts(results, S("consignee.phone"), NONE, texts, 1, &error));
  FAILS(CONSIGNEE_INPUT, consignee_results_texts(results, S("consignee.phone"), NONE, NULL, 2, &error));
  FAILS(CONSIGNEE_INPUT, consignee_results_texts(shared, S("consignee.phone"), NONE, texts, 30, &error));
  FAILS(CONSIGNEE_INPUT, consignee_results_text(shared, 0, S("consignee.phone"), NONE, &text, &error));
  OK(consignee_results_json(shared, 0, &text, &error));
  CHECK(has(text, "\"ledger_index\":"));
  /* Results outlive bundle and keyring. */
  consignee_keyring_free(shop.courier.keyring);
  consignee_bundle_free(bundle);
  TEXT("consignee.name", "");
  CHECK(is(text, NAME));
  consignee_results_free(results);

  OK(consignee_keyring_open(shop.courier.party, bytes_of(shop.courier.keyring_bytes), &shop.courier.keyring, &error));
  OK(consignee_bundle_open(shop.courier.party, shop.courier.keyring, bytes_of(bytes), &bundle, &error));
  const size_t ranges[][3] = {{0, 29, 29}, {0, SIZE_MAX, 29}, {28, 1000, 1}, {29, 1, 0}, {SIZE_MAX, SIZE_MAX, 0}, {3, 0, 0}};
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
    OK(consignee_bundle_read(bundle, ranges[i][0], ranges[i][1], &results, &error));
    OK(consignee_results_len(results, &len, &error));
    CHECK(len == ranges[i][2]);
    OK(consignee_results_texts(results, S("consignee.name"), NONE, len ? (consignee_bytes[29]){{0}} : NULL, len, &error));
    consignee_results_free(results);
  }
  consignee_bundle_free(bundle);

  /* Cut, altered, somebody else's, and what was never one. */
  consignee_bytes whole = bytes_of(bytes);
  uint8_t *copy = malloc(whole.len);
  CHECK(copy);
  const size_t near = slowly() ? 60 : 1, far = slowly() ? 600 : 97;
  for (size_t cut = 0; cut < whole.len; cut += cut < 200 ? near : far) {
    memcpy(copy, whole.data, cut);
    consignee_status status = consignee_bundle_open(shop.courier.party, shop.courier.keyring, (consignee_bytes){copy, cut}, &bundle, &said);
    CHECK(status == CONSIGNEE_DAMAGED || status == CONSIGNEE_CANNOT_OPEN);
    check_error(&said, status);
  }
  for (size_t at = 0; at < whole.len; at += at < 200 ? near : far) {
    memcpy(copy, whole.data, whole.len);
    copy[at] ^= 1;
    consignee_status status = consignee_bundle_open(shop.courier.party, shop.courier.keyring, (consignee_bytes){copy, whole.len}, &bundle, &said);
    CHECK(status != CONSIGNEE_OK && status != CONSIGNEE_PANIC);
    check_error(&said, status);
  }
  free(copy);
  FAILS(CONSIGNEE_CANNOT_OPEN, consignee_bundle_open(shop.supplier.party, shop.supplier.keyring, whole, &bundle, &error));
  FAILS(CONSIGNEE_DAMAGED, consignee_keyring_open(shop.courier.party, whole, &shop.courier.keyring, &error));
  consignee_buffer_free(bytes);
  consignee_results_free(shared);
  close_shop(&shop);
}

static void suppliers_lines(void) {
  shop shop = open_shop();
  consignee_bytes numbers[] = {S(NUMBER)}, text;
  consignee_buffer *bytes;
  consignee_bundle *bundle;
  consignee_results *results;
  size_t count;
  OK(consignee_vault_share(shop.vault, S("Yixing Pottery"), S("fulfilment"), numbers, 1, 0, &bytes, &results, &error));
  consignee_results_free(results);
  OK(consignee_bundle_open(shop.supplier.party, shop.supplier.keyring, bytes_of(bytes), &bundle, &error));
  OK(consignee_bundle_read(bundle, 0, 1, &results, &error));
  OK(consignee_results_count(results, 0, S("items"), NONE, &count, &error));
  CHECK(count == 1);
  OK(consignee_results_text(results, 0, S("items"), S("/0/quantity"), &text, &error));
  CHECK(is(text, "3"));
  OK(consignee_results_text(results, 0, S("items"), S("/0/title"), &text, &error));
  CHECK(is(text, TITLE));
  OK(consignee_results_text(results, 0, S("items"), S("/0/unit_price"), &text, &error));
  CHECK(is(text, "88.00"));
  OK(consignee_results_count(results, 0, S("items"), S("/0"), &count, &error));
  CHECK(count == 5);
  FAILS(CONSIGNEE_ABSENT, consignee_results_text(results, 0, S("items"), S("/1/title"), &text, &error));
  FAILS(CONSIGNEE_INPUT, consignee_results_text(results, 0, S("consignee.phone"), NONE, &text, &error));
  consignee_results_free(results);
  consignee_bundle_free(bundle);
  consignee_buffer_free(bytes);
  close_shop(&shop);
}

static void requests(void) {
  shop shop = open_shop();
  consignee_bytes numbers[] = {S(NUMBER)};
  consignee_results *results;
  consignee_order where;
  consignee_buffer *request, *bytes;
  consignee_bundle *bundle;
  OK(consignee_vault_open(shop.vault, S("SF Express"), S("delivery"), numbers, 1, &results, &error));
  OK(consignee_results_order(results, 0, &where, &error));
  CHECK(is(where.order, NUMBER));
  OK(consignee_party_request(shop.courier.party, bytes_of(shop.card), S("delivery"), &where.alias, 1, &request, &error));
  consignee_results_free(results);
  OK(consignee_vault_share_request(shop.vault, bytes_of(request), 0, &bytes, &results, &error));
  OK(consignee_bundle_open(shop.courier.party, shop.courier.keyring, bytes_of(bytes), &bundle, &error));
  consignee_results_free(results);
  consignee_buffer_free(bytes);
  consignee_bundle_free(bundle);
  FAILS(CONSIGNEE_EXISTS, consignee_vault_share_request(shop.vault, bytes_of(request), 0, &bytes, &results, &error));
  FAILS(CONSIGNEE_INPUT, consignee_party_request(shop.courier.party, bytes_of(shop.card), S("delivery"), numbers, 1, &bytes, &error));
  CHECK(strcmp(said.field, "aliases") == 0);
  FAILS(CONSIGNEE_INPUT, consignee_party_request(shop.courier.party, bytes_of(shop.card), S("delivery"), NULL, 0, &bytes, &error));
  consignee_buffer_free(request);
  close_shop(&shop);
}

int main(void) {
  CHECK(consignee_abi_version() == CONSIGNEE_ABI_VERSION);
  CHECK(strcmp(consignee_version(), "0.1.0") == 0);
  CHECK(strcmp(consignee_status_name(CONSIGNEE_NOT_PERMITTED), "not permitted") == 0);
  CHECK(strcmp(consignee_status_name(CONSIGNEE_OK), "ok") == 0 && strcmp(consignee_status_name(7), "unknown") == 0);
  keys_and_trust();
  files();
  locked_key();
  bundles();
  suppliers_lines();
  requests();
  puts("reader: good");
  return 0;
}
