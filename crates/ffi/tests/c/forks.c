/* Forks: children draw other bytes, read what they inherited, have no vault of their parent's, and never wait for its threads. */
#include "test.h"
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN = 4, MOST_KEYS = 50, LINE = 256 };

static int keys(void) { return slowly() ? 5 : MOST_KEYS; }

static void draw(int out) {
  for (int i = 0; i < keys(); i++) {
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
  for (int i = 0; i < keys(); i++) {
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
  static char lines[(CHILDREN + 1) * 2 * MOST_KEYS + 1][LINE];
  size_t got = 0;
  ssize_t step;
  while (got < sizeof lines && (step = read(ends[0], (char *)lines + got, sizeof lines - got)) > 0) {
    got += (size_t)step;
  }
  size_t count = got / LINE;
  CHECK(count == (size_t)(CHILDREN + 1) * 2 * keys());
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
static consignee_buffer *busy_bytes;
static consignee_results *volatile shared;
static consignee_vault *on_disk;
/* A vault for the children, and its key. */
static char other[512], key_file[512];
static volatile int done;
/* Until all are there: AddressSanitizer has locks of its own, which a thread that begins holds, and a child would wait for. */
static pthread_barrier_t all_run;

/* Calls of all kinds, at some of which each fork happens: those that draw, lock, write texts, and write to a disk. */
static void *keep_busy(void *argument) {
  int own = (int)(intptr_t)argument;
  pthread_barrier_wait(&all_run);
  while (!done) {
    consignee_buffer *pins, *key, *public_key;
    consignee_bundle *bundle;
    consignee_results *results;
    consignee_bytes text, number = S(NUMBER);
    OK(consignee_party_pins(busy.courier.party, &pins, &error));
    OK(consignee_party_key_new(CONSIGNEE_KEM_X25519, NONE, &key, &public_key, &error));
    OK(consignee_bundle_open(busy.courier.party, busy.courier.keyring, bytes_of(busy_bytes), &bundle, &error));
    OK(consignee_bundle_read(bundle, 0, 1, &results, &error));
    if (own == 0) { /* The others write texts of it while it is new. */
      shared = results;
    }
    consignee_error gone;
    if (consignee_results_json(shared, 0, &text, &gone) != CONSIGNEE_OK) {
      CHECK(gone.status == CONSIGNEE_BAD_HANDLE);
    }
    consignee_vault *vault = own % 2 == 1 && on_disk ? on_disk : busy.vault;
    consignee_results *opened;
    OK(consignee_vault_open(vault, S("SF Express"), S("delivery"), &number, 1, &opened, &error));
    consignee_results_free(opened);
    consignee_results_free(results);
    consignee_bundle_free(bundle);
    consignee_buffer_free(pins);
    consignee_buffer_free(key);
    consignee_buffer_free(public_key);
  }
  return argument;
}

/* What a child does with all that it inherited, while it alone goes on of all the threads. */
static void in_child(void) {
  alarm(20); /* A child that waits for ever is ended, and seen. */
  consignee_buffer *pins;
  consignee_bundle *bundle;
  consignee_results *results, *opened;
  consignee_bytes text, number = S(NUMBER);
  consignee_error gone;
  if (consignee_results_json(shared, 0, &text, &gone) == CONSIGNEE_OK) {
    CHECK(has(text, NAME));
  }
  OK(consignee_party_pins(busy.courier.party, &pins, &error));
  consignee_buffer_free(pins);
  OK(consignee_bundle_open(busy.courier.party, busy.courier.keyring, bytes_of(busy_bytes), &bundle, &error));
  OK(consignee_bundle_read(bundle, 0, 1, &results, &error));
  OK(consignee_results_text(results, 0, S("consignee.address"), NONE, &text, &error));
  CHECK(is(text, STREET ", 2, Nanjing, CN"));
  FAILS(CONSIGNEE_LOCKED, consignee_vault_open(busy.vault, S("SF Express"), S("delivery"), &number, 1, &opened, &error));
  if (on_disk) {
    FAILS(CONSIGNEE_LOCKED, consignee_vault_open(on_disk, S("SF Express"), S("delivery"), &number, 1, &opened, &error));
    consignee_vault_free(on_disk);
    /* One of its own, in which nobody's lock is held who is not there: of the library, or of SQLite. */
    OK(consignee_vault_unlock(S(other), S(key_file), &on_disk, &error));
    OK(consignee_vault_open(on_disk, S("SF Express"), S("delivery"), &number, 1, &opened, &error));
    consignee_results_free(opened);
    consignee_vault_free(on_disk);
  }
  consignee_results_free(results);
  consignee_bundle_free(bundle);
  close_shop(&busy);
  _exit(0);
}

static void a_fork_amid_calls_leaves_no_lock_behind(void) {
  enum { WORKERS = 4 };
  const char *folder = getenv("CONSIGNEE_TEST_SHOP");
  if (folder) {
    char vault[512];
    snprintf(vault, sizeof vault, "%s/vault", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    snprintf(key_file, sizeof key_file, "%s/key", folder);
    OK(consignee_vault_unlock(S(vault), S(key_file), &on_disk, &error));
  }
  busy = open_shop();
  busy_bytes = shared_bundle(&busy, NUMBER);
  pthread_t threads[WORKERS];
  CHECK(pthread_barrier_init(&all_run, NULL, WORKERS + 1) == 0);
  for (intptr_t i = 0; i < WORKERS; i++) {
    CHECK(pthread_create(&threads[i], NULL, keep_busy, (void *)i) == 0);
  }
  pthread_barrier_wait(&all_run);
  int rounds = slowly() ? 5 : 100;
  for (int round = 0; round < rounds; round++) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      in_child();
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  done = 1;
  for (int i = 0; i < WORKERS; i++) {
    pthread_join(threads[i], NULL);
  }
  consignee_buffer_free(busy_bytes);
  close_shop(&busy);
  consignee_vault_free(on_disk);
}

int main(void) {
  children_draw_other_bytes();
  children_read_what_they_inherited();
  a_fork_amid_calls_leaves_no_lock_behind();
  puts("forks: good");
  return 0;
}
