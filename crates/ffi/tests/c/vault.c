/* What a shop does: put, open, find, update, share, who saw, close, shred, verify. */
#include "test.h"

static void puts_and_opens(void) {
  shop shop = open_shop();
  char json[2048], other[2048];
  bool stored = true;
  order(json, sizeof json, NUMBER);
  OK(consignee_vault_put(shop.vault, S(json), &stored, &error));
  CHECK(!stored);
  order(other, sizeof other, "SO-2");
  consignee_bytes orders[] = {S(other), S("{\"order_no\":\"" NUMBER "\"}"), S(json), S(other)};
  consignee_results *results;
  consignee_bytes text;
  OK(consignee_vault_put_many(shop.vault, orders, 4, &results, &error));
  OK(consignee_results_json(results, 0, &text, &error));
  CHECK(has(text, "\"stored\":true"));
  FAILS(CONSIGNEE_INPUT, consignee_results_status(results, 1, &error));
  CHECK(strcmp(said.field, "placed_at") == 0);
  OK(consignee_results_json(results, 2, &text, &error));
  CHECK(has(text, "\"stored\":false"));
  OK(consignee_results_json(results, 3, &text, &error));
  CHECK(has(text, "\"stored\":false"));
  consignee_results_free(results);
  OK(consignee_vault_put_many(shop.vault, NULL, 0, &results, &error));
  consignee_results_free(results);
  FAILS(CONSIGNEE_INPUT, consignee_vault_put(shop.vault, S("{\"order_no\":\"" NUMBER "\",\"phone\":\"" PHONE "\"}"), NULL, &error));

  consignee_bytes numbers[] = {S(NUMBER), S("nowhere"), S("SO-2")};
  OK(consignee_vault_open(shop.vault, S("SF Express"), S("delivery"), numbers, 3, &results, &error));
  OK(consignee_results_text(results, 0, S("consignee.phone"), NONE, &text, &error));
  CHECK(is(text, PHONE));
  FAILS(CONSIGNEE_NOT_FOUND, consignee_results_text(results, 1, S("consignee.phone"), NONE, &text, &error));
  FAILS(CONSIGNEE_NOT_PERMITTED, consignee_results_text(results, 0, S("items"), NONE, &text, &error));
  consignee_bytes texts[3];
  OK(consignee_results_texts(results, S("consignee.name"), NONE, texts, 3, &error));
  CHECK(is(texts[0], NAME) && !texts[1].data && is(texts[2], NAME));
  consignee_results_free(results);
  FAILS(CONSIGNEE_NOT_PERMITTED, consignee_vault_open(shop.vault, S("SF Express"), S("accounting"), numbers, 3, &results, &error));
  FAILS(CONSIGNEE_NOT_FOUND, consignee_vault_open(shop.vault, S("nobody"), S("delivery"), numbers, 3, &results, &error));

  size_t unreadable = 9, len = 0;
  OK(consignee_vault_find(shop.vault, S("agent 17"), S("after_sale"), S("consignee.phone"), S("138 1234 5678"), &results, &unreadable, &error));
  OK(consignee_results_len(results, &len, &error));
  CHECK(len == 2 && unreadable == 0);
  consignee_order hit;
  OK(consignee_results_order(results, 0, &hit, &error));
  CHECK(hit.revision == 1);
  consignee_results *opened;
  OK(consignee_vault_open(shop.vault, S("agent 17"), S("after_sale"), &hit.alias, 1, &opened, &error));
  OK(consignee_results_status(opened, 0, &error));
  consignee_results_free(opened);
  consignee_results_free(results);
  FAILS(CONSIGNEE_NOT_PERMITTED, consignee_vault_find(shop.vault, S("SF Express"), S("delivery"), S("note"), S("x"), &results, NULL, &error));
  close_shop(&shop);
}

static void changes(void) {
  shop shop = open_shop();
  uint32_t revision = 0;
  OK(consignee_vault_update(shop.vault, S(NUMBER), 1, S("{\"note\":\"ring twice\"}"), &revision, &error));
  CHECK(revision == 2);
  FAILS(CONSIGNEE_CONFLICT, consignee_vault_update(shop.vault, S(NUMBER), 1, S("{\"note\":\"ring\"}"), &revision, &error));
  FAILS(CONSIGNEE_INPUT, consignee_vault_update(shop.vault, S(NUMBER), 2, S("{\"planet\":1}"), NULL, &error));
  consignee_buffer *answer, *bundle;
  consignee_results *results;
  consignee_bytes numbers[] = {S(NUMBER)};
  consignee_buffer_free(shared_bundle(&shop, NUMBER));
  OK(consignee_vault_who_saw(shop.vault, S(NUMBER), &answer, &error));
  CHECK(has(bytes_of(answer), "\"way\":\"copied\"") && has(bytes_of(answer), "SF Express") && has(bytes_of(answer), "\"summary\""));
  CHECK(!has(bytes_of(answer), NAME));
  consignee_buffer_free(answer);
  FAILS(CONSIGNEE_NOT_FOUND, consignee_vault_who_saw(shop.vault, S("nowhere"), &answer, &error));
  OK(consignee_vault_close_order(shop.vault, S(NUMBER), &error));
  OK(consignee_vault_share(shop.vault, S("SF Express"), S("delivery"), numbers, 1, 0, &bundle, &results, &error));
  CHECK(!bundle);
  FAILS(CONSIGNEE_EXPIRED, consignee_results_status(results, 0, &error));
  consignee_results_free(results);
  FAILS(CONSIGNEE_INPUT, consignee_vault_shred(shop.vault, S(NUMBER), S("asked for"), 9, &error));
  OK(consignee_vault_shred(shop.vault, S(NUMBER), S("asked for"), CONSIGNEE_SHRED_KEEP_EVIDENCE, &error));
  FAILS(CONSIGNEE_SHREDDED, consignee_vault_shred(shop.vault, S(NUMBER), S("x"), CONSIGNEE_SHRED_WITH_EVIDENCE, &error));
  OK(consignee_vault_open(shop.vault, S("agent 17"), S("after_sale"), numbers, 1, &results, &error));
  FAILS(CONSIGNEE_SHREDDED, consignee_results_status(results, 0, &error));
  consignee_results_free(results);
  consignee_ledger_state state;
  OK(consignee_vault_ledger_state(shop.vault, &state, &error));
  CHECK(state.ledger == 1 && state.size > 8);
  close_shop(&shop);
}

/* On a vault in a folder that the command line made, with what it published: CONSIGNEE_TEST_SHOP. */
static void folder(void) {
  const char *shop = getenv("CONSIGNEE_TEST_SHOP");
  if (!shop) {
    fputs("CONSIGNEE_TEST_SHOP is not set: tests/run makes one\n", stderr);
    abort();
  }
  char path[6][512], card[1024];
  const char *const names[] = {"vault", "key", "published", "card", "kept", "published/public/checkpoint"};
  for (size_t i = 0; i < 6; i++) {
    snprintf(path[i], sizeof path[i], "%s/%s", shop, names[i]);
  }
  consignee_vault *vault;
  consignee_results *results;
  consignee_buffer *answer;
  consignee_bytes text, numbers[] = {S(NUMBER)};
  OK(consignee_vault_unlock(S(path[0]), S(path[1]), &vault, &error));
  OK(consignee_vault_open(vault, S("SF Express"), S("delivery"), numbers, 1, &results, &error));
  OK(consignee_results_text(results, 0, S("consignee.name"), NONE, &text, &error));
  CHECK(is(text, NAME));
  consignee_results_free(results);
  FAILS(CONSIGNEE_STORAGE, consignee_vault_keep_checkpoint(vault, S(path[2]), &error));
  OK(consignee_vault_keep_checkpoint(vault, S(path[4]), &error));
  consignee_vault_free(vault);
  FILE *file = fopen(path[3], "rb");
  CHECK(file);
  card[fread(card, 1, sizeof card - 1, file)] = 0;
  fclose(file);
  OK(consignee_ledger_verify(S(path[2]), S(card), NONE, NONE, &answer, &error));
  CHECK(has(bytes_of(answer), "\"entries_verified\":true") && has(bytes_of(answer), "\"ledger\":1"));
  consignee_buffer_free(answer);
  char signed_[2048];
  file = fopen(path[5], "rb");
  CHECK(file);
  signed_[fread(signed_, 1, sizeof signed_ - 1, file)] = 0;
  fclose(file);
  OK(consignee_ledger_verify(S(path[2]), S(card), NONE, S(signed_), &answer, &error));
  consignee_buffer_free(answer);
  FAILS(CONSIGNEE_NOT_FOUND, consignee_ledger_verify(S(path[0]), S(card), NONE, NONE, &answer, &error));
  FAILS(CONSIGNEE_INPUT, consignee_ledger_verify(S(path[2]), S("x"), NONE, NONE, &answer, &error));
  FAILS(CONSIGNEE_DAMAGED, consignee_ledger_verify(S(path[2]), S(card), NONE, S("x"), &answer, &error));
  FAILS(CONSIGNEE_ROOT_KEY, consignee_vault_unlock(S(path[0]), S(path[3]), &vault, &error));
  FAILS(CONSIGNEE_ROOT_KEY, consignee_vault_unlock_with_key(S(path[0]), (consignee_bytes){(const uint8_t *)card, 32}, &vault, &error));
  FAILS(CONSIGNEE_INPUT, consignee_vault_unlock_with_key(S(path[0]), S("x"), &vault, &error));
  FAILS(CONSIGNEE_ROOT_KEY, consignee_vault_unlock_with_passphrase(S(path[0]), S("correct horse"), &vault, &error));
  FAILS(CONSIGNEE_NOT_FOUND, consignee_vault_unlock(S("/nowhere"), S(path[1]), &vault, &error));
  CHECK(strlen(said.message) > 20);
  FAILS(CONSIGNEE_INPUT, consignee_vault_in_memory(S("[fields]\nx = 7"), &vault, &error));
}

int main(void) {
  puts_and_opens();
  changes();
  folder();
  puts("vault: good");
  return 0;
}
