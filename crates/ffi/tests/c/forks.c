/* Forks: children draw other bytes, read what they inherited, have no vault of their parent's, and never wait for its threads. */
#include "test.h"
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN = 4, KEYS = 50, LINE = 256 };

static void draw(int out) {
  for (int i = 0; i < KEYS; i++) {
    consignee_buffer *key, *public_key;
    OK(consignee_party_key_new(CONSIGNEE_KEM_X25519, NONE, &key, &public_key, &error));
    char line[LINE] = {0};
    consignee_bytes bytes = bytes_of(key);
    CHECK(bytes.len < LINE);
    memcpy(line, bytes.data, bytes.len);
    CHECK(write(out, line, LINE) == LINE);
    consignee_buffer_free(key);
    consignee_buffer_free(public_key);
  }
  /* And what a generator per thread draws: record ids of a vault of its own. */
  shop own = open_shop();
  for (int i = 0; i < KEYS; i++) {
    char number[16], json[2048], line[LINE] = {0};
    snprintf(number, sizeof number, "SO-%d", i);
    order(json, sizeof json, number);
    consignee_bytes orders[] = {S(json)}, text;
    consignee_results *results;
    OK(consignee_vault_put_many(own.vault, orders, 1, &results, &error));
    OK(consignee_results_json(results, 0, &text, &error));
    CHECK(text.len < LINE && has(text, "\"stored\":true"));
    memcpy(line, text.data, text.len);
    CHECK(write(out, line, LINE) == LINE);
    consignee_results_free(results);
  }
  close_shop(&own);
}

static int compare(const void *a, const void *b) { return memcmp(a, b, LINE); }

static void children_draw_other_bytes(void) {
  int ends[2];
  CHECK(pipe(ends) == 0);
  shop warm = open_shop(); /* The parent's generator is seeded. */
  for (int child = 0; child < CHILDREN; child++) {
    if (fork() == 0) {
      if (child == 0) {
        consignee_after_fork();
      }
      close(ends[0]);
      draw(ends[1]);
      _exit(0);
    }
  }
  if (fork() == 0) { /* One that writes for the parent, which reads. */
    close(ends[0]);
    draw(ends[1]);
    _exit(0);
  }
  close(ends[1]);
  static char lines[(CHILDREN + 1) * 2 * KEYS + 1][LINE];
  size_t got = 0;
  ssize_t step;
  while (got < sizeof lines && (step = read(ends[0], (char *)lines + got, sizeof lines - got)) > 0) {
    got += (size_t)step;
  }
  size_t count = got / LINE;
  CHECK(count == (CHILDREN + 1) * 2 * KEYS);
  for (int status; wait(&status) > 0;) {
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  qsort(lines, count, LINE, compare);
  for (size_t i = 1; i < count; i++) {
    CHECK(memcmp(lines[i - 1], lines[i], LINE) != 0);
  }
  close(ends[0]);
  close_shop(&warm);
}

static void children_read_what_they_inherited(void) {
  shop shop = open_shop();
  consignee_buffer *bytes = shared_bundle(&shop, NUMBER);
  consignee_bundle *bundle;
  OK(consignee_bundle_open(shop.courier.party, shop.courier.keyring, bytes_of(bytes), &bundle, &error));
  pid_t child = fork();
  if (child == 0) {
    consignee_results *results;
    consignee_bytes text;
    consignee_bundle *again;
    OK(consignee_bundle_read(bundle, 0, 1, &results, &error));
    OK(consignee_results_text(results, 0, S("consignee.name"), NONE, &text, &error));
    CHECK(is(text, NAME));
    OK(consignee_bundle_open(shop.courier.party, shop.courier.keyring, bytes_of(bytes), &again, &error));
    consignee_bytes number = S(NUMBER);
    FAILS(CONSIGNEE_LOCKED, consignee_vault_open(shop.vault, S("SF Express"), S("delivery"), &number, 1, &results, &error));
    consignee_vault_free(shop.vault);
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  consignee_results *results;
  consignee_bytes number = S(NUMBER);
  OK(consignee_vault_open(shop.vault, S("SF Express"), S("delivery"), &number, 1, &results, &error));
  consignee_results_free(results);
  consignee_bundle_free(bundle);
  consignee_buffer_free(bytes);
  close_shop(&shop);
}

static shop busy;
static volatile int done;

static void *keep_busy(void *argument) {
  while (!done) {
    consignee_buffer *pins, *card;
    OK(consignee_party_pins(busy.courier.party, &pins, &error));
    OK(consignee_vault_card(busy.vault, &card, &error));
    consignee_buffer_free(pins);
    consignee_buffer_free(card);
  }
  return argument;
}

static void a_fork_amid_calls_leaves_no_lock_behind(void) {
  busy = open_shop();
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) {
    CHECK(pthread_create(&threads[i], NULL, keep_busy, NULL) == 0);
  }
  for (int round = 0; round < 60; round++) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      alarm(60); /* A child that waits for ever is ended, and seen. */
      consignee_buffer *pins;
      consignee_error error;
      consignee_status status = consignee_party_pins(busy.courier.party, &pins, &error);
      CHECK(status == CONSIGNEE_OK || status == CONSIGNEE_LOCKED);
      consignee_keyring_free(busy.courier.keyring);
      _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  done = 1;
  for (int i = 0; i < 3; i++) {
    pthread_join(threads[i], NULL);
  }
  close_shop(&busy);
}

int main(void) {
  children_draw_other_bytes();
  children_read_what_they_inherited();
  a_fork_amid_calls_leaves_no_lock_behind();
  puts("forks: good");
  return 0;
}
