// Opens what a vault of consignee has shared with a party, with nothing but the JDK's own cryptography (17 or later). Made from
// docs/format.md alone; F1, F2 … are its sentences. To be copied into a program of your own.
//
//     java examples/java/ReadBundle.java KEY.key KEYRING BUNDLE CARD
//
// prints one line of JSON for each order, as `consignee read --json` does. CARD is the shop's card, whose fingerprint was
// compared by telephone before. Exit status 1 where anything was refused, with the outcome's name.
//
// What it does not do:
// - It keeps no state. A program that does refuses a keyring older than the newest it has taken (F103), and takes for the time
//   the latest it has ever seen, so that a clock that is set back opens nothing (F106). It compares no fingerprints.
// - It reads keys of X25519 that no passphrase locks: `consignee party keygen --kem x25519`. The JDK has neither ML-KEM with
//   seeds (X-Wing) nor Argon2id.
// - It does not check the grammar of json values (F33), which the vault has checked, and prints them without white space.
// - Keys are not wiped from memory.

import java.io.IOException;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import javax.crypto.Cipher;
import javax.crypto.KeyAgreement;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

public final class ReadBundle {
    public static void main(String[] args) throws IOException {
        if (args.length != 4) {
            System.err.println("usage: java ReadBundle.java KEY.key KEYRING BUNDLE CARD");
            System.exit(2);
        }
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        boolean refused = false;
        try {
            PartyKey key = PartyKey.read(Files.readString(Path.of(args[0]), StandardCharsets.ISO_8859_1));
            Card card = Card.read(Files.readString(Path.of(args[3]), StandardCharsets.ISO_8859_1));
            // -Dnow=SECONDS, for tests.
            long now = Long.getLong("now", System.currentTimeMillis() / 1000);
            Keyring keyring = Keyring.parse(open("CNSK", Files.readAllBytes(Path.of(args[1])), card, key));
            Bundle bundle = Bundle.parse(open("CNSB", Files.readAllBytes(Path.of(args[2])), card, key), card.vault());
            now = Math.max(now, Math.max(keyring.issued(), bundle.issued()));
            need(!isOver(bundle.expires(), now), "expired", "the bundle has ended");
            for (Copy copy : bundle.copies()) {
                try {
                    out.print(open(keyring, bundle, copy, now) + "\n");
                } catch (Refused e) {
                    refused = true;
                    System.err.println(e.getMessage());
                }
            }
        } catch (Refused e) {
            refused = true;
            System.err.println(e.getMessage());
        }
        out.flush();
        System.exit(refused ? 1 : 0);
    }

    /** An outcome of section 1, and what it is about. */
    @SuppressWarnings("serial")
    static final class Refused extends RuntimeException {
        Refused(String outcome, String about) {
            super(outcome + ": " + about);
        }
    }

    static void need(boolean condition, String outcome, String about) {
        if (!condition) {
            throw new Refused(outcome, about);
        }
    }

    // ---- Bytes (section 1)

    static final class Bytes {
        private final byte[] data;
        private int at = 0;

        Bytes(byte[] data) {
            this.data = data;
        }

        byte[] take(long length) {
            need(length <= data.length - at, "damaged", "bytes are missing");
            at += (int) length;
            return Arrays.copyOfRange(data, at - (int) length, at);
        }

        byte[] before() {
            return Arrays.copyOf(data, at);
        }

        int left() {
            return data.length - at;
        }

        private ByteBuffer number(int length) {
            return ByteBuffer.wrap(take(length)).order(ByteOrder.LITTLE_ENDIAN);
        }

        int u8() {
            return take(1)[0] & 0xff;
        }

        int u16() {
            return number(2).getShort() & 0xffff;
        }

        int u24() {
            return u16() | u8() << 16;
        }

        long u32() {
            return number(4).getInt() & 0xffff_ffffL;
        }

        long u64() {
            return number(8).getLong();
        }

        byte[] lp() {
            return take(u32());
        }

        String text(long length) {
            try {
                return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(take(length))).toString();
            } catch (CharacterCodingException e) {
                throw new Refused("damaged", "no UTF-8");
            }
        }

        String str8() {
            return text(u8());
        }

        String str() {
            return text(u32());
        }

        void end() {
            need(left() == 0, "damaged", "bytes are left over");
        }
    }

    static byte[] join(byte[]... pieces) {
        int length = Arrays.stream(pieces).mapToInt(piece -> piece.length).sum();
        ByteBuffer all = ByteBuffer.allocate(length);
        Arrays.stream(pieces).forEach(all::put);
        return all.array();
    }

    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    static byte[] xor(byte[] a, byte[] b) {
        byte[] sum = a.clone();
        for (int i = 0; i < sum.length; i++) {
            sum[i] ^= b[i];
        }
        return sum;
    }

    static byte[] unbase64(String text, String outcome) {
        try {
            byte[] bytes = Base64.getDecoder().decode(text);
            need(Base64.getEncoder().encodeToString(bytes).equals(text), outcome, "not the one base64 of its bytes");
            return bytes;
        } catch (IllegalArgumentException e) {
            throw new Refused(outcome, "no base64");
        }
    }

    // ---- Cryptography of the JDK

    interface Work<T> {
        T run() throws GeneralSecurityException;
    }

    /** F48: wrong keys and altered bytes are one outcome. */
    static <T> T openWith(Work<T> work) {
        try {
            return work.run();
        } catch (GeneralSecurityException e) {
            throw new Refused("cannot open", "wrong key or altered bytes");
        }
    }

    static byte[] sha256(byte[]... pieces) {
        return openWith(() -> MessageDigest.getInstance("SHA-256").digest(join(pieces)));
    }

    static byte[] hmac(byte[] key, byte[]... pieces) {
        return openWith(() -> {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(join(pieces));
        });
    }

    static byte[] x25519(byte[] privateKey, byte[] publicKey) {
        return openWith(() -> {
            KeyFactory keys = KeyFactory.getInstance("X25519");
            byte[] pkcs8 = join(HexFormat.of().parseHex("302e020100300506032b656e04220420"), privateKey);
            byte[] x509 = join(HexFormat.of().parseHex("302a300506032b656e032100"), publicKey);
            KeyAgreement agreement = KeyAgreement.getInstance("X25519");
            agreement.init(keys.generatePrivate(new PKCS8EncodedKeySpec(pkcs8)));
            agreement.doPhase(keys.generatePublic(new X509EncodedKeySpec(x509)), true);
            return agreement.generateSecret(); // refuses what would be zeros
        });
    }

    static boolean verifies(byte[] publicKey, byte[] message, byte[] signature) {
        if (!isStrictPoint(publicKey) || !isStrictPoint(Arrays.copyOf(signature, 32))) {
            return false;
        }
        try {
            byte[] x509 = join(HexFormat.of().parseHex("302a300506032b6570032100"), publicKey);
            PublicKey key = KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(x509));
            Signature ed25519 = Signature.getInstance("Ed25519");
            ed25519.initVerify(key);
            ed25519.update(message);
            return ed25519.verify(signature);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    /** Whether it is an Ed25519 point, and not one of small order, which the JDK takes: three doublings do not give the neutral one. */
    static boolean isStrictPoint(byte[] point) {
        BigInteger p = BigInteger.TWO.pow(255).subtract(BigInteger.valueOf(19)), one = BigInteger.ONE;
        BigInteger d = BigInteger.valueOf(-121_665).multiply(BigInteger.valueOf(121_666).modInverse(p)).mod(p);
        byte[] bigEndian = new byte[32];
        for (int i = 0; i < 32; i++) {
            bigEndian[i] = point[31 - i];
        }
        BigInteger y = new BigInteger(1, bigEndian).clearBit(255);
        boolean isPoint = y.compareTo(p) < 0;
        // x² follows from y, and y of the double from both.
        for (int i = 0; i < 3 && isPoint; i++) {
            BigInteger yy = y.multiply(y).mod(p);
            BigInteger xx = yy.subtract(one).multiply(d.multiply(yy).add(one).modInverse(p)).mod(p);
            isPoint = xx.modPow(p.shiftRight(1), p).compareTo(one) <= 0; // a square
            y = isPoint ? yy.add(xx).multiply(one.subtract(d.multiply(xx).multiply(yy)).modInverse(p)).mod(p) : y;
        }
        return isPoint && !y.equals(one);
    }

    // ---- Suites (section 2)

    static byte[] aead(int suite, byte[] key, byte[] nonce, byte[] associatedData, byte[] ciphertext) {
        return openWith(() -> {
            Cipher cipher = Cipher.getInstance(suite == 1 ? "AES/GCM/NoPadding" : "ChaCha20-Poly1305");
            SecretKeySpec secret = new SecretKeySpec(key, suite == 1 ? "AES" : "ChaCha20");
            cipher.init(Cipher.DECRYPT_MODE, secret, suite == 1 ? new GCMParameterSpec(128, nonce) : new IvParameterSpec(nonce));
            cipher.updateAAD(associatedData);
            return cipher.doFinal(ciphertext);
        });
    }

    static byte[] kdf(int suite, byte[] key, byte[] x) {
        return suite == 1 ? kdfOfXaes(key, x) : hchacha20(key, join(ascii("cns1"), x));
    }

    static byte[] kdfOfXaes(byte[] key, byte[] x) {
        return openWith(() -> {
            Cipher aes = Cipher.getInstance("AES/ECB/NoPadding");
            aes.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"));
            byte[] l = aes.doFinal(new byte[16]), c = new byte[16];
            for (int i = 0; i < 16; i++) {
                c[i] = (byte) (l[i] << 1 | (i < 15 ? (l[i + 1] & 0xff) >> 7 : 0));
            }
            if (l[0] < 0) {
                c[15] ^= (byte) 0x87;
            }
            return join(
                    aes.doFinal(xor(join(bytes(0, 1, 'X', 0), x), c)), aes.doFinal(xor(join(bytes(0, 2, 'X', 0), x), c)));
        });
    }

    static byte[] hchacha20(byte[] key, byte[] nonce) {
        ByteBuffer in = ByteBuffer.wrap(join(ascii("expand 32-byte k"), key, nonce)).order(ByteOrder.LITTLE_ENDIAN);
        int[] s = new int[16];
        for (int i = 0; i < 16; i++) {
            s[i] = in.getInt();
        }
        for (int round = 0; round < 20; round++) {
            for (int i = 0; i < 4; i++) {
                int shift = round % 2; // columns, then diagonals
                quarter(s, i, 4 + (i + shift) % 4, 8 + (i + 2 * shift) % 4, 12 + (i + 3 * shift) % 4);
            }
        }
        ByteBuffer out = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
        for (int i : new int[] {0, 1, 2, 3, 12, 13, 14, 15}) {
            out.putInt(s[i]);
        }
        return out.array();
    }

    static void quarter(int[] s, int a, int b, int c, int d) {
        s[a] += s[b];
        s[d] = Integer.rotateLeft(s[d] ^ s[a], 16);
        s[c] += s[d];
        s[b] = Integer.rotateLeft(s[b] ^ s[c], 12);
        s[a] += s[b];
        s[d] = Integer.rotateLeft(s[d] ^ s[a], 8);
        s[c] += s[d];
        s[b] = Integer.rotateLeft(s[b] ^ s[c], 7);
    }

    // ---- Key and card (section 14)

    static byte[] line(String text, String prefix, String label, boolean hex, String outcome) {
        String line = text.replaceAll("[ \\t\\n\\f\\r]+$", "");
        int dash = line.length() - 9;
        need(line.startsWith(prefix) && dash >= prefix.length() && line.charAt(dash) == '-', outcome, "no such line");
        String digits = line.substring(prefix.length(), dash);
        need(!hex || digits.matches("([0-9A-Fa-f]{2})*"), outcome, "no digits");
        byte[] bytes = hex ? HexFormat.of().parseHex(digits) : unbase64(digits, outcome);
        byte[] hash = sha256(lengthAnd(ascii(label)), lengthAnd(bytes));
        String check = HexFormat.of().formatHex(hash, 0, 4);
        need(check.equalsIgnoreCase(line.substring(dash + 1)), outcome, "the checksum is another's");
        return bytes;
    }

    static byte[] lengthAnd(byte[] bytes) {
        byte[] length = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(bytes.length).array();
        return join(length, bytes);
    }

    record PartyKey(byte[] opening, byte[] publicKey) {
        static PartyKey read(String text) {
            need(!text.startsWith("consignee-party-locked-v1:"), "cannot open", "the key is locked, and the JDK has no Argon2id");
            Bytes bytes = new Bytes(line(text, "consignee-party-v1:", "consignee/v1/party-key", true, "damaged"));
            need(bytes.left() == 66, "damaged", "length of the key");
            int kem = bytes.u16();
            need(kem != 0x647a, "cannot open", "a key of X-Wing, which the JDK does not have: party keygen --kem x25519");
            need(kem == 0x0020, "newer format", "KEM of the key");
            byte[] opening = bytes.take(32);
            return new PartyKey(opening, x25519(opening, join(bytes(9), new byte[31])));
        }
    }

    record Card(byte[] vault, byte[] issuing) {
        static Card read(String text) {
            Bytes bytes = new Bytes(line(text, "consignee-vault-card-v1:", "consignee/v1/vault-card", false, "input"));
            need(bytes.left() > 80 && bytes.left() <= 80 + 255, "input", "length of the card");
            Card card = new Card(bytes.take(16), bytes.take(32));
            byte[] ledger = bytes.take(32);
            need(isStrictPoint(card.issuing) && isStrictPoint(ledger), "input", "keys of the card");
            need(isOrigin(bytes.take(bytes.left())), "input", "origin of the card");
            return card;
        }
    }

    static boolean isOrigin(byte[] text) {
        boolean printable = true;
        for (byte c : text) {
            printable &= c > 0x20 && c < 0x7f && c != '+';
        }
        return printable && text.length > 0;
    }

    // ---- Envelope (section 14)

    static byte[] open(String magic, byte[] file, Card card, PartyKey key) {
        int longest = magic.equals("CNSK") ? 1 << 20 : 64 << 20;
        byte[] binary = file;
        if (!new String(file, StandardCharsets.ISO_8859_1).startsWith("CNS")) {
            String text = new String(file, StandardCharsets.ISO_8859_1).replaceAll("[ \\t\\n\\f\\r]", "");
            binary = unbase64(text, "damaged");
        }
        need(binary.length <= longest, "damaged", "too long");
        Bytes bytes = new Bytes(binary);
        need(Arrays.equals(bytes.take(4), ascii(magic)), "damaged", "magic");
        int format = bytes.u8();
        need(format != 0, "damaged", "format 0");
        need(format == 1, "newer format", "format");
        int kem = bytes.u16();
        need(kem == 0x0020 || kem == 0x647a, "newer format", "KEM");
        byte[] vault = bytes.take(16);
        bytes.take(16 + 32); // the party's key id, and the policy's digest
        need(isOrigin(bytes.take(bytes.u8())), "damaged", "origin");
        byte[] outside = bytes.before();
        byte[] encapsulated = bytes.take(kem == 0x0020 ? 32 : 1120);
        byte[] ciphertext = bytes.lp();
        need(ciphertext.length >= 16, "damaged", "no tag");
        byte[] signed = bytes.before();
        byte[] signature = bytes.take(64);
        bytes.end();

        need(Arrays.equals(vault, card.vault()), "not found", "of another vault than the card");
        // Before anything is decapsulated: what anybody may have made is not.
        byte[] message = join(ascii("consignee/v1/file"), sha256(signed));
        need(verifies(card.issuing(), message, signature), "cannot open", "not signed by the vault of the card");
        need(kem == 0x0020, "cannot open", "sealed to a key of another kind");
        return hpke(key, encapsulated, outside, ciphertext);
    }

    /** HPKE, mode base: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. */
    static byte[] hpke(PartyKey key, byte[] encapsulated, byte[] info, byte[] ciphertext) {
        byte[] kem = join(ascii("KEM"), bytes(0, 0x20));
        byte[] agreed = extract(new byte[32], kem, "eae_prk", x25519(key.opening(), encapsulated));
        byte[] shared = expand(agreed, kem, "shared_secret", join(encapsulated, key.publicKey()), 32);
        byte[] hpke = join(ascii("HPKE"), bytes(0, 0x20, 0, 1, 0, 2));
        byte[] context = join(
                new byte[1],
                extract(new byte[32], hpke, "psk_id_hash", new byte[0]),
                extract(new byte[32], hpke, "info_hash", info));
        byte[] secret = extract(shared, hpke, "secret", new byte[0]);
        byte[] nonce = expand(secret, hpke, "base_nonce", context, 12);
        return aead(1, expand(secret, hpke, "key", context, 32), nonce, new byte[0], ciphertext);
    }

    static byte[] extract(byte[] salt, byte[] id, String label, byte[] x) {
        return hmac(salt, ascii("HPKE-v1"), id, ascii(label), x);
    }

    static byte[] expand(byte[] key, byte[] id, String label, byte[] x, int length) {
        return Arrays.copyOf(hmac(key, bytes(0, length), ascii("HPKE-v1"), id, ascii(label), x, bytes(1)), length);
    }

    // ---- Keyring and bundle (section 14)

    record Part(int type, String name) {}

    record Epoch(int suite, Map<Integer, byte[]> keys) {}

    record Keyring(long issued, Map<Integer, Part> parts, Map<Long, Epoch> epochs) {
        static Keyring parse(byte[] payload) {
            Bytes bytes = new Bytes(payload);
            long issued = bytes.u64();
            bytes.str8(); // party
            bytes.str8(); // role
            Map<Integer, Part> parts = new HashMap<>();
            int count = bytes.u8();
            need(count >= 1 && count <= 96, "damaged", "number of parts");
            for (int i = 0, last = 0; i < count; i++) {
                int f = bytes.u16(), type = bytes.u8();
                need(f > last && type >= 1 && type <= 9, "damaged", "parts of the keyring");
                parts.put(f, new Part(type, bytes.str8()));
                last = f;
            }
            Map<Long, Epoch> epochs = new HashMap<>();
            count = bytes.u16();
            need(count >= 1 && count <= 1024, "damaged", "number of epochs");
            long lastEpoch = -1;
            for (int i = 0; i < count; i++) {
                long number = bytes.u32();
                Epoch epoch = new Epoch(bytes.u8(), new HashMap<>());
                need(epoch.suite == 1 || epoch.suite == 2, "newer format", "suite");
                need(number > lastEpoch, "damaged", "epochs of the keyring");
                int keys = bytes.u8();
                for (int k = 0, last = 0; k < keys; k++) {
                    int f = bytes.u16();
                    need(f > last && parts.containsKey(f), "damaged", "keys of the keyring");
                    epoch.keys.put(f, bytes.take(32));
                    last = f;
                }
                epochs.put(number, epoch);
                lastEpoch = number;
            }
            bytes.end();
            return new Keyring(issued, parts, epochs);
        }
    }

    record Copy(long revision, long expires, String alias, Sealed record, Map<Integer, byte[]> ticket) {}

    record Bundle(long issued, long expires, String party, String role, String purpose, List<Copy> copies) {
        static Bundle parse(byte[] payload, byte[] vault) {
            Bytes bytes = new Bytes(payload);
            long issued = bytes.u64(), expires = bytes.u64();
            String party = bytes.str8(), role = bytes.str8(), purpose = bytes.str8();
            int permitted = bytes.u8();
            for (int i = 0, last = 0; i < permitted; i++) {
                int f = bytes.u16();
                need(f > last, "damaged", "parts of the bundle");
                last = f;
            }
            long count = bytes.u32();
            need(count >= 1 && count <= 65_536, "damaged", "number of copies");
            List<Copy> copies = new ArrayList<>();
            for (long i = 0; i < count; i++) {
                bytes.u64(); // index of its entry in the ledger
                long revision = bytes.u32(), end = bytes.u64();
                String alias = bytes.text(16);
                need(isAlias(alias), "damaged", "alias");
                Sealed record = Sealed.parse(bytes.lp());
                need(record.revision == 0 && Arrays.equals(record.vault, vault), "damaged", "no copy of this vault");
                Map<Integer, byte[]> ticket = new TreeMap<>();
                record.parts.keySet().forEach(f -> ticket.put(f, bytes.take(32)));
                copies.add(new Copy(revision, end, alias, record, ticket));
            }
            bytes.end();
            return new Bundle(issued, expires, party, role, purpose, copies);
        }
    }

    static boolean isOver(long end, long now) {
        return end != 0 && Long.compareUnsigned(now, end) > 0;
    }

    /** As section 9 writes it, its check numeral right. */
    static boolean isAlias(String text) {
        String digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        if (!text.matches("[" + digits + "]{4}-[" + digits + "]{4}-[" + digits + "]{4}-[" + digits + "]")) {
            return false;
        }
        String written = text.replace("-", "");
        int sum = digits.indexOf(written.charAt(12)), factor = 1;
        for (int j = 0; j < 12; j++) {
            factor = timesX(factor);
            int power = factor;
            for (int bit = digits.indexOf(written.charAt(j)); bit != 0; bit >>= 1) {
                sum ^= (bit & 1) * power;
                power = timesX(power);
            }
        }
        return sum == 0;
    }

    static int timesX(int element) {
        return element << 1 ^ (element >> 4) * 0b100101;
    }

    // ---- Sealed record (section 3)

    record Sealed(int suite, byte[] vault, long revision, long epoch, byte[] n1, byte[] n2, byte[] bound, Map<Integer, byte[]> parts) {
        static Sealed parse(byte[] record) {
            need(record.length <= 16_777_216, "damaged", "F3: length of the record");
            Bytes bytes = new Bytes(record);
            need(Arrays.equals(bytes.take(4), ascii("CNSR")), "damaged", "F1: magic");
            int format = bytes.u8();
            need(format != 0, "damaged", "F1: format 0");
            need(format == 1, "newer format", "F1: format");
            int suite = bytes.u8();
            need(suite == 1 || suite == 2, "newer format", "F1: suite");
            byte[] vault = bytes.take(16);
            bytes.take(16); // record id
            long revision = bytes.u32(), epoch = bytes.u32();
            bytes.take(16); // policy
            byte[] n1 = bytes.take(10);
            int count = bytes.u8();
            need(count >= 1 && count <= 96, "damaged", "F22");
            Map<Integer, Integer> lengths = new LinkedHashMap<>();
            for (int i = 0, last = 0; i < count; i++) {
                int f = bytes.u16(), length = bytes.u24();
                need(f > last, "damaged", "F2");
                need(length >= 16 && length <= 1_048_592, "damaged", "F3: length of a part");
                lengths.put(f, length);
                last = f;
            }
            byte[] bound = bytes.before(), n2 = bytes.take(12);
            Map<Integer, byte[]> parts = new LinkedHashMap<>();
            lengths.forEach((f, length) -> parts.put(f, bytes.take(length)));
            bytes.end();
            return new Sealed(suite, vault, revision, epoch, n1, n2, bound, parts);
        }

        /** The padded value of a part, from the two halves of its key. */
        byte[] open(int f, byte[] fieldKey, byte[] ticket) {
            byte[] dek = xor(kdf(suite, fieldKey, join(n1, new byte[2])), ticket);
            byte[] data = join(bound, bytes(f, f >> 8));
            byte[] filled = Arrays.copyOf(data, (data.length + 63) / 64 * 64);
            return aead(suite, dek, n2, filled, parts.get(f));
        }
    }

    static String open(Keyring keyring, Bundle bundle, Copy copy, long now) {
        need(!isOver(copy.expires, now), "expired", "an order of the bundle has ended");
        Epoch epoch = keyring.epochs.get(copy.record.epoch);
        need(epoch != null, "cannot open", "the keyring has no key of the order's epoch: ask for a new one");
        need(epoch.suite == copy.record.suite, "damaged", "F8");
        Map<String, String> fields = new LinkedHashMap<>();
        copy.ticket.forEach((f, ticket) -> {
            byte[] fieldKey = epoch.keys.get(f);
            need(fieldKey != null, "cannot open", "the keyring has no key of a part: ask for a new one");
            Part part = keyring.parts.get(f);
            fields.put(part.name, value(copy.record.open(f, fieldKey, ticket), part.type));
        });
        Map<String, String> order = new LinkedHashMap<>();
        order.put("order", fields.getOrDefault("order_no", quoted(copy.alias)));
        order.put("alias", quoted(copy.alias));
        order.put("revision", Long.toString(copy.revision));
        order.put("party", quoted(bundle.party));
        order.put("role", quoted(bundle.role));
        order.put("purpose", quoted(bundle.purpose));
        order.put("fields", object(fields));
        return object(order);
    }

    // ---- Values (section 5), as JSON

    static final Map<Integer, Integer> FIXED = Map.of(2, 2, 3, 9, 4, 13, 5, 16);

    static String value(byte[] padded, int type) {
        need(padded.length <= 1_048_576, "damaged", "F17");
        Bytes bytes = new Bytes(padded);
        int tag = bytes.u8();
        need(tag == type, "damaged", "F16");
        String json = switch (tag) {
            case 1 -> quoted(bytes.str());
            case 2 -> Boolean.toString(bool(bytes));
            case 3 -> Long.toString(bytes.u64());
            case 4 -> money(bytes);
            case 5 -> timestamp(bytes);
            case 6 -> address(bytes);
            case 7 -> list(bytes);
            case 8 -> quoted(Base64.getEncoder().encodeToString(bytes.lp()));
            default -> withoutWhiteSpace(bytes.str());
        };
        int length = bytes.before().length;
        need(padded.length == FIXED.getOrDefault(tag, padded(length)), "damaged", "F15: length");
        for (byte zero : bytes.take(bytes.left())) {
            need(zero == 0, "damaged", "F15");
        }
        return json;
    }

    static int padded(int n) {
        int e = 31 - Integer.numberOfLeadingZeros(n);
        int step = n <= 32 ? 32 : n <= 256 ? 16 : 1 << e - (32 - Integer.numberOfLeadingZeros(e));
        return (n + step - 1) / step * step;
    }

    static boolean bool(Bytes bytes) {
        int value = bytes.u8();
        need(value <= 1, "damaged", "F31");
        return value == 1;
    }

    static String decimal(Bytes bytes) {
        long digits = bytes.u64();
        int scale = bytes.u8();
        long most = 1_000_000_000_000_000_000L;
        need(digits > -most && digits < most && scale <= 18, "damaged", "F28");
        return BigDecimal.valueOf(digits, scale).toPlainString();
    }

    static String money(Bytes bytes) {
        String amount = decimal(bytes);
        String currency = new String(bytes.take(3), StandardCharsets.ISO_8859_1);
        need(currency.matches("[A-Z]{3}"), "damaged", "F29");
        return "{\"value\":" + quoted(amount) + ",\"currency\":" + quoted(currency) + "}";
    }

    static String timestamp(Bytes bytes) {
        long seconds = bytes.u64(), nanos = bytes.u32();
        int offset = (short) bytes.u16(), digits = bytes.u8();
        boolean zulu = offset == Short.MIN_VALUE;
        need(digits <= 9 && nanos < 1_000_000_000 && nanos % (long) Math.pow(10, 9 - digits) == 0, "damaged", "F30");
        need(zulu || Math.abs(offset) <= 1439, "damaged", "F30: offset");
        // Years 1 to 9999; before the sum, which might overflow.
        need(Math.abs(seconds) < 1L << 40, "damaged", "F30: year");
        long local = seconds + (zulu ? 0 : offset * 60L);
        need(local >= -62_135_596_800L && local <= 253_402_300_799L, "damaged", "F30: year");
        LocalDateTime time = LocalDateTime.ofEpochSecond(local, 0, ZoneOffset.UTC);
        String text = time.format(DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss"));
        if (digits > 0) {
            text += "." + String.format(Locale.ROOT, "%09d", nanos).substring(0, digits);
        }
        int minutes = Math.abs(offset);
        text += zulu ? "Z" : String.format(Locale.ROOT, "%s%02d:%02d", offset < 0 ? "-" : "+", minutes / 60, minutes % 60);
        return quoted(text);
    }

    static String address(Bytes bytes) {
        List<String> lines = new ArrayList<>();
        for (int count = bytes.u8(); count > 0; count--) {
            lines.add(quoted(bytes.str()));
        }
        Map<String, String> address = new LinkedHashMap<>();
        address.put("lines", "[" + String.join(",", lines) + "]");
        for (String name : List.of("city", "region", "postal_code", "country")) {
            address.put(name, quoted(bytes.str()));
        }
        return object(address);
    }

    static String list(Bytes bytes) {
        List<String> columns = new ArrayList<>(), rows = new ArrayList<>();
        int width = bytes.u8();
        need(width <= 64, "damaged", "F17: columns");
        for (int i = 0; i < width; i++) {
            columns.add(bytes.str8());
        }
        need(new HashSet<>(columns).size() == width, "damaged", "F32: columns");
        long count = bytes.u32();
        need(count <= 65_536 && count * Math.max(width, 1) <= bytes.left() && (width > 0 || count == 0), "damaged", "F32");
        for (long i = 0; i < count; i++) {
            Map<String, String> row = new LinkedHashMap<>();
            for (String column : columns) {
                switch (bytes.u8()) {
                    case 0 -> {}
                    case 1 -> row.put(column, quoted(bytes.str()));
                    case 2 -> row.put(column, Boolean.toString(bool(bytes)));
                    case 3 -> row.put(column, Long.toString(bytes.u64()));
                    case 4 -> row.put(column, quoted(decimal(bytes)));
                    default -> throw new Refused("damaged", "F31: cell");
                }
            }
            rows.add(object(row));
        }
        return "[" + String.join(",", rows) + "]";
    }

    // ---- JSON

    static String object(Map<String, String> members) {
        List<String> pairs = new ArrayList<>();
        members.forEach((name, value) -> pairs.add(quoted(name) + ":" + value));
        return "{" + String.join(",", pairs) + "}";
    }

    static String quoted(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            int known = "\"\\\b\f\n\r\t".indexOf(c);
            if (known >= 0) {
                json.append('\\').append("\"\\bfnrt".charAt(known));
            } else if (c < 0x20) {
                json.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        return json.append('"').toString();
    }

    static String withoutWhiteSpace(String json) {
        StringBuilder kept = new StringBuilder();
        boolean inText = false;
        for (int i = 0; i < json.length(); i++) {
            char c = json.charAt(i);
            if (inText && c == '\\' && i + 1 < json.length()) {
                kept.append(c).append(json.charAt(++i));
                continue;
            }
            inText ^= c == '"';
            if (inText || " \t\n\r".indexOf(c) < 0) {
                kept.append(c);
            }
        }
        return kept.toString();
    }
}
