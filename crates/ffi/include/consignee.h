/* consignee: order records that each role opens only in part, with every opening in a tamper-evident ledger.
 *
 * Generated from crates/ffi by its test `the_header_is_what_the_code_says`: edit the Rust. docs/ffi.md has examples.
 *
 * C99 or later. Rules of every function:
 * - It returns CONSIGNEE_OK or another status. What went wrong is told in *error, memory of the caller, where that is not NULL.
 * - Outputs are written on CONSIGNEE_OK only, and are never read. No output overlaps another or an input.
 * - Inputs have a length and need no NUL; texts are UTF-8. No pointer that is passed in is kept.
 * - Objects are made by _new, _open, _read and the like, and released once by their _free; NULL is fine. They are no addresses: one
 *   that was freed, is of another kind or was made up is CONSIGNEE_BAD_HANDLE in every call, and _free lets it be.
 * - All objects may be used by several threads at once. What an object hands out as consignee_bytes is there until it is freed: do
 *   not free it while another thread reads that.
 * - A child of fork(2) has all objects but vaults, which are CONSIGNEE_LOCKED there. A fork waits for calls that are under way.
 * - Files are read and written by consignee_party_open, consignee_party_save, consignee_vault_... and consignee_ledger_verify alone.
 */

#ifndef CONSIGNEE_H
#define CONSIGNEE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__GNUC__) || defined(__clang__)
#define CONSIGNEE_MUST_USE __attribute__((warn_unused_result))
#else
#define CONSIGNEE_MUST_USE
#endif


// Version of this interface: the same number in header and library, or they do not fit. It changes when something is taken away
// or means something else; new functions leave it.
#define CONSIGNEE_ABI_VERSION 1

// Done.
#define CONSIGNEE_OK 0

// The policy does not give this to the party.
#define CONSIGNEE_NOT_PERMITTED 100

// The time in which the purpose may open the order, or in which the bundle may be read, is over.
#define CONSIGNEE_EXPIRED 101

// The party has been revoked.
#define CONSIGNEE_REVOKED 102

// No such order, party, alias or file; or a vault that is not trusted.
#define CONSIGNEE_NOT_FOUND 103

// The order's secret has been destroyed.
#define CONSIGNEE_SHREDDED 104

// The order has no value for this part.
#define CONSIGNEE_ABSENT 105

// Somebody else changed the order in between.
#define CONSIGNEE_CONFLICT 106

// There is something else under this number or name already.
#define CONSIGNEE_EXISTS 107

// A wrong key or altered bytes: deliberately not told apart.
#define CONSIGNEE_CANNOT_OPEN 108

// Older than the newest that was seen.
#define CONSIGNEE_ROLLED_BACK 109

// Bytes that no version of this library wrote.
#define CONSIGNEE_DAMAGED 110

// Bytes of a later version of this library.
#define CONSIGNEE_NEWER_FORMAT 111

// The program was compiled against another policy than the one in force.
#define CONSIGNEE_POLICY_MISMATCH 112

// The root key is missing, wrong, or kept where it must not be.
#define CONSIGNEE_ROOT_KEY 113

// Others have been writing into the vault for ten seconds, in this process or another; or the vault was unlocked before a fork.
#define CONSIGNEE_LOCKED 114

// The store or the file system failed.
#define CONSIGNEE_STORAGE 115

// More than this library takes.
#define CONSIGNEE_LIMIT 116

// Input that does not follow its format: error.field names the argument or the field.
#define CONSIGNEE_INPUT 117

// An object that is NULL, has been freed, or is of another kind. Nothing was done.
#define CONSIGNEE_BAD_HANDLE 198

// A bug in this library. Free the objects of the call, and use them for nothing else.
#define CONSIGNEE_PANIC 199

// Longest input in bytes: what is longer is CONSIGNEE_LIMIT, before any of it is read.
#define CONSIGNEE_MAX_INPUT (128 << 20)

// Most texts of one call, such as orders that are opened: more are CONSIGNEE_LIMIT.
#define CONSIGNEE_MAX_COUNT 65536

// X25519: keys of 32 bytes, short messages.
#define CONSIGNEE_KEM_X25519 1

// X-Wing: X25519 and ML-KEM-768 together, for what must stay closed to a quantum computer of later years. A draft.
#define CONSIGNEE_KEM_XWING 2

// What proves who saw an order is kept.
#define CONSIGNEE_SHRED_KEEP_EVIDENCE 0

// What proves who saw an order is destroyed with it.
#define CONSIGNEE_SHRED_WITH_EVIDENCE 1

// Bytes that the library made. Wiped when they are freed. Any thread may use it, several at once, too.
typedef struct consignee_buffer consignee_buffer;

// Copies of orders, unsealed, with the keyring that opens them. Any thread may use it, several at once, too.
typedef struct consignee_bundle consignee_bundle;

// Keys of what a party's role may open. Any thread may use it, several at once, too.
typedef struct consignee_keyring consignee_keyring;

// A party on its own machine: its private key, and the vaults that it trusts. Any thread may use it; calls wait for each other.
typedef struct consignee_party consignee_party;

// What became of orders, one result for each, in their order: opened fields, or what a call without fields tells, or the error of
// this order. Its plaintext is wiped when it is freed. Any thread may use it, several at once, too.
typedef struct consignee_results consignee_results;

// Orders, their secrets, keys and ledger. Any thread may use it, several at once, too. It belongs to the process that unlocked it: in
// a forked child its calls are CONSIGNEE_LOCKED.
typedef struct consignee_vault consignee_vault;

// CONSIGNEE_OK, or what went wrong.
typedef uint32_t consignee_status;

// Bytes or UTF-8 text of some length, without a NUL at the end. As an input they are the caller's, and the library keeps no pointer
// to them; NULL with length 0 is empty. As an output they belong to the object that they were asked of, and are there until it is
// freed.
typedef struct consignee_bytes {
  // The first byte.
  const uint8_t *data;
  // How many.
  size_t len;
} consignee_bytes;

// What went wrong, in memory of the caller's: written where a call fails and the pointer is not NULL, else left as it is. Never
// holds content of an order, a key or an order number, so it may be logged.
typedef struct consignee_error {
  // The status that the function returned.
  consignee_status status;
  // Where status is CONSIGNEE_INPUT: line of the input, from 1; 0 where there are no lines.
  uint64_t line;
  // Where status is CONSIGNEE_INPUT: the argument or field that is wrong; else empty. Ends with a NUL.
  char field[128];
  // What went wrong and what to do about it, in UTF-8. Ends with a NUL; what is longer is cut.
  char message[1024];
} consignee_error;

// What a bundle says of itself. The texts are there until it is freed.
typedef struct consignee_bundle_head {
  // The party that it is for.
  struct consignee_bytes party;
  // The role that the party acts in.
  struct consignee_bytes role;
  // What the orders were shared for.
  struct consignee_bytes purpose;
  // Name of the ledger in which each copy has its entry.
  struct consignee_bytes origin;
  // When it was made, seconds since 1970.
  uint64_t issued_at;
  // When it ends, seconds since 1970; 0 where it does not. An order in it may end earlier.
  uint64_t expires_at;
  // How many orders it has.
  size_t orders;
} consignee_bundle_head;

// Where an opened, found or shared order stands.
typedef struct consignee_order {
  // What to call the order towards the party: its number, if the caller gave it or the role may open it; else the alias.
  struct consignee_bytes order;
  // The order number that this party sees in place of the real one.
  struct consignee_bytes alias;
  // Revision of the order, from 1; 0 where the call does not tell.
  uint32_t revision;
  // Number of the ledger that has the disclosure's entry.
  uint32_t ledger;
  // Index of the entry in that ledger.
  uint64_t ledger_index;
} consignee_order;

// A ledger: its number, how many entries it has, and its root hash of RFC 6962.
typedef struct consignee_ledger_state {
  // Number of the ledger: 1, and one more after each restore.
  uint32_t ledger;
  // Number of entries.
  uint64_t size;
  // Root hash.
  uint8_t root[32];
} consignee_ledger_state;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// CONSIGNEE_ABI_VERSION of the library: compare it with that of the header before anything else, and before there are threads that
// fork: it is the first call that tells the library of forks.
uint32_t consignee_abi_version(void);

// Version of the library, such as "0.1.0". Never freed.
const char *consignee_version(void);

// Name of a status in words, such as "not permitted"; "unknown" for numbers that this library does not give. Never freed.
const char *consignee_status_name(consignee_status status);

// The bytes of a buffer. They are there until it is freed.
CONSIGNEE_MUST_USE
consignee_status consignee_buffer_bytes(const struct consignee_buffer *buffer,
                                        struct consignee_bytes *bytes,
                                        struct consignee_error *error);

// Wipes a buffer and frees it. NULL, or one that was freed, is let be.
void consignee_buffer_free(struct consignee_buffer *buffer);

// To be called in the child by whoever forks without fork(2), whose children pthread_atfork does not see: after clone(2). After
// fork(2) the library calls it by itself. From then on nothing that is drawn at random is what the parent draws. It frees no locks:
// let no other thread be in a call of this library at such a fork.
void consignee_after_fork(void);

// Makes a private key: what its file holds, under a passphrase where one is given (8 characters at least), and the public half to be
// sent to the shop. kem is CONSIGNEE_KEM_XWING or CONSIGNEE_KEM_X25519.
CONSIGNEE_MUST_USE
consignee_status consignee_party_key_new(uint32_t kem,
                                         struct consignee_bytes passphrase,
                                         struct consignee_buffer **key,
                                         struct consignee_buffer **public_key,
                                         struct consignee_error *error);

// A party of a key that the caller keeps: what a key file holds, with its passphrase where it is locked, else empty. pins are what
// consignee_party_pins gave before, or empty for a party that trusts no vault yet.
CONSIGNEE_MUST_USE
consignee_status consignee_party_new(struct consignee_bytes key,
                                     struct consignee_bytes passphrase,
                                     struct consignee_bytes pins,
                                     struct consignee_party **party,
                                     struct consignee_error *error);

// A party of a key file, with the pins beside it in FILE.trust, if there are any. Reads these two files.
CONSIGNEE_MUST_USE
consignee_status consignee_party_open(struct consignee_bytes key_file,
                                      struct consignee_bytes passphrase,
                                      struct consignee_party **party,
                                      struct consignee_error *error);

// Writes the pins of a party of consignee_party_open beside its key file, if anything has changed. Of any other party it does nothing:
// keep consignee_party_pins.
CONSIGNEE_MUST_USE
consignee_status consignee_party_save(struct consignee_party *party,
                                      struct consignee_error *error);

// The vaults that a party trusts, and the newest it has seen of them, as text: to be kept after each keyring and bundle, and given to
// consignee_party_new. Not secret, but whoever can alter it can have the party trust another vault.
CONSIGNEE_MUST_USE
consignee_status consignee_party_pins(const struct consignee_party *party,
                                      struct consignee_buffer **pins,
                                      struct consignee_error *error);

// The public half of a party's key, as the line of text that the shop is sent; and its fingerprint, to be read out by telephone.
// Either may be NULL.
CONSIGNEE_MUST_USE
consignee_status consignee_party_public_key(const struct consignee_party *party,
                                            struct consignee_buffer **public_key,
                                            struct consignee_buffer **fingerprint,
                                            struct consignee_error *error);

// Fingerprint of a vault's card, to be compared with what the shop reads out by telephone.
CONSIGNEE_MUST_USE
consignee_status consignee_card_fingerprint(struct consignee_bytes card_text,
                                            struct consignee_buffer **fingerprint,
                                            struct consignee_error *error);

// Trusts the vault of this card, whose fingerprint is what was compared by telephone: whoever passes off a card of his own can send
// orders that no shop has. CONSIGNEE_CANNOT_OPEN where the card has another fingerprint.
CONSIGNEE_MUST_USE
consignee_status consignee_party_trust(struct consignee_party *party,
                                       struct consignee_bytes card_text,
                                       struct consignee_bytes fingerprint,
                                       struct consignee_error *error);

// Trusts the vault of this card no more. CONSIGNEE_NOT_FOUND where it was not trusted.
CONSIGNEE_MUST_USE
consignee_status consignee_party_distrust(struct consignee_party *party,
                                          struct consignee_bytes card_text,
                                          struct consignee_error *error);

// Asks a vault that the party trusts for orders, by the aliases by which it knows them: a signed request, to be sent to the shop. It
// is good for a day, once.
CONSIGNEE_MUST_USE
consignee_status consignee_party_request(const struct consignee_party *party,
                                         struct consignee_bytes card_text,
                                         struct consignee_bytes purpose,
                                         const struct consignee_bytes *aliases,
                                         size_t count,
                                         struct consignee_buffer **request,
                                         struct consignee_error *error);

// Frees a party, and wipes its key. NULL, or one that was freed, is let be.
void consignee_party_free(struct consignee_party *party);

// Takes a keyring, in its bytes or in base64. An older one than the newest that was taken is CONSIGNEE_ROLLED_BACK.
CONSIGNEE_MUST_USE
consignee_status consignee_keyring_open(struct consignee_party *party,
                                        struct consignee_bytes bytes,
                                        struct consignee_keyring **keyring,
                                        struct consignee_error *error);

// Frees a keyring, and wipes its keys. Bundles that were opened with it keep theirs. NULL, or one that was freed, is let be.
void consignee_keyring_free(struct consignee_keyring *keyring);

// Unseals a bundle, in its bytes or in base64. Its orders are opened by consignee_bundle_read.
CONSIGNEE_MUST_USE
consignee_status consignee_bundle_open(struct consignee_party *party,
                                       const struct consignee_keyring *keyring,
                                       struct consignee_bytes bytes,
                                       struct consignee_bundle **bundle,
                                       struct consignee_error *error);

// What a bundle says of itself.
CONSIGNEE_MUST_USE
consignee_status consignee_bundle_describe(const struct consignee_bundle *bundle,
                                           struct consignee_bundle_head *head,
                                           struct consignee_error *error);

// Opens count orders of a bundle from index first on, counted from 0: fewer where it ends before. One result for each, in their
// order; one that does not open leaves the others be. A thousand at once are fast, and their plaintext is in memory until the results
// are freed.
CONSIGNEE_MUST_USE
consignee_status consignee_bundle_read(const struct consignee_bundle *bundle,
                                       size_t first,
                                       size_t count,
                                       struct consignee_results **results,
                                       struct consignee_error *error);

// Wipes a bundle and frees it. Results that were read of it stay. NULL, or one that was freed, is let be.
void consignee_bundle_free(struct consignee_bundle *bundle);

// How many results there are.
CONSIGNEE_MUST_USE
consignee_status consignee_results_len(const struct consignee_results *results,
                                       size_t *len,
                                       struct consignee_error *error);

// What became of the order of this index, from 0: CONSIGNEE_OK, or its error.
CONSIGNEE_MUST_USE
consignee_status consignee_results_status(const struct consignee_results *results,
                                          size_t index,
                                          struct consignee_error *error);

// What to call the order of this index, and where its entry stands. Fails with the order's error.
CONSIGNEE_MUST_USE
consignee_status consignee_results_order(const struct consignee_results *results,
                                         size_t index,
                                         struct consignee_order *order,
                                         struct consignee_error *error);

// The result of this index as one JSON object: of an opened order its order, alias, revision, party, role, purpose, and its opened
// fields under "fields". Fails with the order's error.
CONSIGNEE_MUST_USE
consignee_status consignee_results_json(const struct consignee_results *results,
                                        size_t index,
                                        struct consignee_bytes *json,
                                        struct consignee_error *error);

// One part of the opened order of this index as text, without JSON: such as "consignee.name". What has several texts is asked for by
// a JSON Pointer (RFC 6901) within it, as its JSON has them: "/city" of an address, "/lines/0", "/0/title" of items, "/value" of an
// amount; the empty pointer is the part itself, of an address all of it in one line.
//
// Fails with the order's error; with CONSIGNEE_NOT_PERMITTED for a part that the purpose does not open, CONSIGNEE_ABSENT for one that
// the order has not (or has not at the pointer), CONSIGNEE_INPUT for one that there is not.
CONSIGNEE_MUST_USE
consignee_status consignee_results_text(const struct consignee_results *results,
                                        size_t index,
                                        struct consignee_bytes part,
                                        struct consignee_bytes pointer,
                                        struct consignee_bytes *text,
                                        struct consignee_error *error);

// The same text of all results in one call, which is fast: texts has room for count of them, which is their number. Where an order
// failed, or has nothing there, data is NULL; consignee_results_text says why. Fails as that does for what is the same for all orders:
// CONSIGNEE_NOT_PERMITTED, CONSIGNEE_INPUT.
CONSIGNEE_MUST_USE
consignee_status consignee_results_texts(const struct consignee_results *results,
                                         struct consignee_bytes part,
                                         struct consignee_bytes pointer,
                                         struct consignee_bytes *texts,
                                         size_t count,
                                         struct consignee_error *error);

// How many things there are at a pointer: lines of an address at "/lines", rows of a list at "", columns of its first row at "/0"; 1
// for a text. Fails as consignee_results_text does.
CONSIGNEE_MUST_USE
consignee_status consignee_results_count(const struct consignee_results *results,
                                         size_t index,
                                         struct consignee_bytes part,
                                         struct consignee_bytes pointer,
                                         size_t *count,
                                         struct consignee_error *error);

// Wipes results and frees them, and with them all texts that were asked of them. NULL, or what was freed, is let be.
void consignee_results_free(struct consignee_results *results);

// Unlocks the vault in a folder by a key file. Waits at most 10 seconds for another writer.
CONSIGNEE_MUST_USE
consignee_status consignee_vault_unlock(struct consignee_bytes folder,
                                        struct consignee_bytes key_file,
                                        struct consignee_vault **vault,
                                        struct consignee_error *error);

// Unlocks the vault in a folder by a passphrase, which takes about a second.
CONSIGNEE_MUST_USE
consignee_status consignee_vault_unlock_with_passphrase(struct consignee_bytes folder,
                                                        struct consignee_bytes passphrase,
                                                        struct consignee_vault **vault,
                                                        struct consignee_error *error);

// Unlocks the vault in a folder by a key of 32 bytes that the caller keeps elsewhere.
CONSIGNEE_MUST_USE
consignee_status consignee_vault_unlock_with_key(struct consignee_bytes folder,
                                                 struct consignee_bytes key,
                                                 struct consignee_vault **vault,
                                                 struct consignee_error *error);

// A vault in memory, gone when it is freed: for tests of programs. policy is TOML text; empty for the built-in one.
CONSIGNEE_MUST_USE
consignee_status consignee_vault_in_memory(struct consignee_bytes policy,
                                           struct consignee_vault **vault,
                                           struct consignee_error *error);

// Compares the vault's ledger with the checkpoint in a file outside of it, and keeps the file up to date from then on: a vault that is
// behind it opens nothing any more (CONSIGNEE_ROLLED_BACK).
CONSIGNEE_MUST_USE
consignee_status consignee_vault_keep_checkpoint(struct consignee_vault *vault,
                                                 struct consignee_bytes file,
                                                 struct consignee_error *error);

// Adds a party in a role. lines is what it is called in the lines of orders, for a supplier; empty for its name. public_key is what it
// sent, for one that is sent bundles; else empty.
CONSIGNEE_MUST_USE
consignee_status consignee_vault_add_party(struct consignee_vault *vault,
                                           struct consignee_bytes name,
                                           struct consignee_bytes role,
                                           struct consignee_bytes lines,
                                           struct consignee_bytes public_key,
                                           struct consignee_error *error);

// The vault's card, which parties trust, as a line of text.
CONSIGNEE_MUST_USE
consignee_status consignee_vault_card(struct consignee_vault *vault,
                                      struct consignee_buffer **card_text,
                                      struct consignee_error *error);

// A keyring for a party that has a key, to be sent to it. Has its entry in the ledger.
CONSIGNEE_MUST_USE
consignee_status consignee_vault_issue_keyring(struct consignee_vault *vault,
                                               struct consignee_bytes party,
                                               struct consignee_buffer **keyring,
                                               struct consignee_error *error);

// Stores an order, as JSON in the built-in order's form, or under a policy with fields of its own, these. stored says whether it is
// new; it may be NULL. The same order once more is not stored again, and no error.
CONSIGNEE_MUST_USE
consignee_status consignee_vault_put(struct consignee_vault *vault,
                                     struct consignee_bytes order,
                                     bool *stored,
                                     struct consignee_error *error);

// Stores orders, each as JSON: one result for each, in their order, as {"record_id": …, "stored": true}. One that fails leaves the
// others be. A failure of the whole call means that none is acknowledged, and that it may simply be repeated.
CONSIGNEE_MUST_USE
consignee_status consignee_vault_put_many(struct consignee_vault *vault,
                                          const struct consignee_bytes *orders,
                                          size_t count,
                                          struct consignee_results **results,
                                          struct consignee_error *error);

// Opens orders as a party for a purpose, each by its number or an alias: one result for each, in their order. The entries are in the
// ledger before any plaintext exists, with one disk sync for all.
CONSIGNEE_MUST_USE
consignee_status consignee_vault_open(const struct consignee_vault *vault,
                                      struct consignee_bytes party,
                                      struct consignee_bytes purpose,
                                      const struct consignee_bytes *orders,
                                      size_t count,
                                      struct consignee_results **results,
                                      struct consignee_error *error);

// Finds orders by the value of a field that has an index, as a party for a purpose: the newest first, as aliases for
// consignee_vault_open. A search is a disclosure, and has its entries. unreadable is the number of orders that may have the value and
// do not open; it may be NULL.
CONSIGNEE_MUST_USE
consignee_status consignee_vault_find(const struct consignee_vault *vault,
                                      struct consignee_bytes party,
                                      struct consignee_bytes purpose,
                                      struct consignee_bytes field,
                                      struct consignee_bytes value,
                                      struct consignee_results **results,
                                      size_t *unreadable,
                                      struct consignee_error *error);

// Changes fields of an order whose revision is the one given: a JSON object of fields, null to clear one. new_revision is the one it
// has then; it may be NULL. CONSIGNEE_CONFLICT where the order has another revision by now: read it again and repeat.
CONSIGNEE_MUST_USE
consignee_status consignee_vault_update(struct consignee_vault *vault,
                                        struct consignee_bytes order,
                                        uint32_t revision,
                                        struct consignee_bytes patch,
                                        uint32_t *new_revision,
                                        struct consignee_error *error);

// Copies of orders for a party that has a key, in one signed bundle, to be sent to it; each is entered as a disclosure first. One
// result for each order, in their order; bundle is NULL where none of them could be shared. valid is in seconds, 0 for as long as the
// purpose gives.
CONSIGNEE_MUST_USE
consignee_status consignee_vault_share(const struct consignee_vault *vault,
                                       struct consignee_bytes party,
                                       struct consignee_bytes purpose,
                                       const struct consignee_bytes *orders,
                                       size_t count,
                                       uint64_t valid,
                                       struct consignee_buffer **bundle,
                                       struct consignee_results **results,
                                       struct consignee_error *error);

// The same for what a party asked in a signed request, whose hash is in each entry. A request is taken once.
CONSIGNEE_MUST_USE
consignee_status consignee_vault_share_request(const struct consignee_vault *vault,
                                               struct consignee_bytes request,
                                               uint64_t valid,
                                               struct consignee_buffer **bundle,
                                               struct consignee_results **results,
                                               struct consignee_error *error);

// Who saw an order, by its number or an alias: a JSON object with a summary, and under "entries" every entry that the ledgers have of
// it, the oldest first.
CONSIGNEE_MUST_USE
consignee_status consignee_vault_who_saw(const struct consignee_vault *vault,
                                         struct consignee_bytes order,
                                         struct consignee_buffer **answer,
                                         struct consignee_error *error);

// Ends an order's life: it is not shared any more, and what ends is over.
CONSIGNEE_MUST_USE
consignee_status consignee_vault_close_order(struct consignee_vault *vault,
                                             struct consignee_bytes order,
                                             struct consignee_error *error);

// Destroys the secret of an order: nobody opens it any more. mode is CONSIGNEE_SHRED_KEEP_EVIDENCE or CONSIGNEE_SHRED_WITH_EVIDENCE.
// Cannot be undone; not final against old copies of secrets.db together with the root key.
CONSIGNEE_MUST_USE
consignee_status consignee_vault_shred(struct consignee_vault *vault,
                                       struct consignee_bytes order,
                                       struct consignee_bytes reason,
                                       uint32_t mode,
                                       struct consignee_error *error);

// Number, size and root of the ledger that openings are entered in.
CONSIGNEE_MUST_USE
consignee_status consignee_vault_ledger_state(const struct consignee_vault *vault,
                                              struct consignee_ledger_state *state,
                                              struct consignee_error *error);

// Verifies what a vault has published in a folder, without any secret but with the vault's card: that all entries are there and hash
// to what was signed. The answer is a JSON array with an object for each ledger. witnesses is the text of a policy that names those who
// must have cosigned, checkpoint one that was kept elsewhere, which the published ledger must continue; else empty.
CONSIGNEE_MUST_USE
consignee_status consignee_ledger_verify(struct consignee_bytes folder,
                                         struct consignee_bytes card_text,
                                         struct consignee_bytes witnesses,
                                         struct consignee_bytes checkpoint,
                                         struct consignee_buffer **answer,
                                         struct consignee_error *error);

// Frees a vault: its keys are wiped when no call uses it any more. NULL, or one that was freed, is let be.
void consignee_vault_free(struct consignee_vault *vault);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


/* A text that ends with a NUL, as an input. NULL is empty. */
static inline consignee_bytes consignee_str(const char *text) {
  consignee_bytes bytes = {(const uint8_t *)text, text ? strlen(text) : 0};
  return bytes;
}

/* No bytes: for inputs that may be empty. */
static inline consignee_bytes consignee_none(void) {
  consignee_bytes bytes = {NULL, 0};
  return bytes;
}

#endif  /* CONSIGNEE_H */
