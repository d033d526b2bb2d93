/* Eight threads on the same objects, each freeing its own. */
#include "test.h"
#include <pthread.h>

enum { THREADS = 8 };

static shop here;
static consignee_bundle *bundle;
static consignee_results *common;

static void *work(void *argument) {
  int own = (int)(intptr_t)argument;
  char number[32], json[2048];
  for (int round = 0; round < (slowly() ? 2 : 12); round++) {
    snprintf(number, sizeof number, "SO-%d-%d", own, round);
    order(json, sizeof json, number);
    OK(consignee_vault_put(here.vault, S(json), NULL, &error));
    consignee_bytes numbers[] = {S(number), S(NUMBER)}, text;
    consignee_results *results, *read;
    consignee_buffer *bytes;
    consignee_bundle *own_bundle;
    OK(consignee_vault_open(here.vault, S("SF Express"), S("delivery"), numbers, 2, &results, &error));
    for (size_t i = 0; i < 2; i++) {
      OK(consignee_results_text(results, i, S("consignee.name"), NONE, &text, &error));
      CHECK(is(text, NAME));
    }
    consignee_results_free(results);
    OK(consignee_vault_share(here.vault, S("SF Express"), S("delivery"), numbers, 2, 0, &bytes, &results, &error));
    consignee_results_free(results);
    OK(consignee_bundle_open(here.courier.party, here.courier.keyring, bytes_of(bytes), &own_bundle, &error));
    OK(consignee_bundle_read(own_bundle, 0, 2, &read, &error));
    consignee_bundle_free(own_bundle);
    consignee_buffer_free(bytes);
    OK(consignee_results_text(read, 1, S("consignee.address"), NONE, &text, &error));
    CHECK(is(text, STREET ", 2, Nanjing, CN"));
    consignee_results_free(read);
    /* What all share. */
    OK(consignee_bundle_read(bundle, 0, 1, &read, &error));
    consignee_results_free(read);
    OK(consignee_results_text(common, 0, S("consignee.address"), NONE, &text, &error));
    CHECK(is(text, STREET ", 2, Nanjing, CN"));
    OK(consignee_results_json(common, 0, &text, &error));
    CHECK(has(text, NAME));
    OK(consignee_party_pins(here.courier.party, &bytes, &error));
    consignee_buffer_free(bytes);
    FAILS(CONSIGNEE_NOT_FOUND, consignee_vault_who_saw(here.vault, S("nowhere"), &bytes, &error));
  }
  return NULL;
}

/* One frees what the others use: each call has it whole, or is told that it is gone. */
static consignee_buffer *volatile contested;

static void *use(void *argument) {
  for (int i = 0; i < (slowly() ? 500 : 20000); i++) {
    consignee_error error;
    consignee_bytes bytes;
    consignee_status status = consignee_buffer_bytes(contested, &bytes, &error);
    CHECK(status == CONSIGNEE_OK || status == CONSIGNEE_BAD_HANDLE);
  }
  return argument;
}

static void *replace(void *argument) {
  for (int i = 0; i < (slowly() ? 20 : 500); i++) {
    consignee_buffer *next, *old = contested;
    OK(consignee_vault_card(here.vault, &next, &error));
    contested = next;
    consignee_buffer_free(old);
    consignee_buffer_free(old);
  }
  return argument;
}

static void run(void *(*body)(void *), void *(*first)(void *)) {
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) {
    CHECK(pthread_create(&threads[i], NULL, i == 0 ? first : body, (void *)i) == 0);
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
  }
}

int main(void) {
  here = open_shop();
  consignee_buffer *bytes = shared_bundle(&here, NUMBER);
  OK(consignee_bundle_open(here.courier.party, here.courier.keyring, bytes_of(bytes), &bundle, &error));
  OK(consignee_bundle_read(bundle, 0, 1, &common, &error));
  run(work, work);
  OK(consignee_vault_card(here.vault, (consignee_buffer **)&contested, &error));
  run(use, replace);
  consignee_buffer_free(contested);
  consignee_results_free(common);
  consignee_bundle_free(bundle);
  consignee_buffer_free(bytes);
  close_shop(&here);
  puts("threads: good");
  return 0;
}
