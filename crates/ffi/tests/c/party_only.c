/* What a party needs, on the library without vaults: argv[1] is a key file with its pins beside it, then a keyring and a bundle. */
#include "test.h"

static consignee_bytes content(const char *path) {
  static uint8_t room[2][65536];
  static int next;
  FILE *file = fopen(path, "rb");
  CHECK(file && next < 2);
  consignee_bytes bytes = {room[next], fread(room[next], 1, sizeof room[next], file)};
  next++;
  CHECK(bytes.len > 0 && fclose(file) == 0);
  return bytes;
}

int main(int count, char **paths) {
  CHECK(count == 4);
  consignee_party *party;
  consignee_keyring *keyring;
  consignee_bundle *bundle;
  consignee_results *results;
  consignee_bytes text;
  OK(consignee_party_open(S(paths[1]), NONE, &party, &error));
  OK(consignee_keyring_open(party, content(paths[2]), &keyring, &error));
  OK(consignee_bundle_open(party, keyring, content(paths[3]), &bundle, &error));
  OK(consignee_party_save(party, &error));
  OK(consignee_bundle_read(bundle, 0, 1, &results, &error));
  OK(consignee_results_text(results, 0, S("consignee.name"), NONE, &text, &error));
  CHECK(is(text, NAME));
  FAILS(CONSIGNEE_INPUT, consignee_results_text(results, 0, S("items"), NONE, &text, &error));
  consignee_results_free(results);
  consignee_bundle_free(bundle);
  consignee_keyring_free(keyring);
  consignee_party_free(party);
  puts("party_only: good");
  return 0;
}
