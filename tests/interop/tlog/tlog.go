// Reads a published ledger with golang.org/x/mod/sumdb, which knows nothing of this project: `note` opens checkpoints, `tlog` reads
// tiles and checks proofs. And makes a log of its own from entries of a published one, for this project's program to read.
//
//	tlog check DIR VKEY [EARLIER-CHECKPOINT]      the whole log, and that it continues an earlier checkpoint
//	tlog proof VKEY FILE.tlog-proof ENTRY-FILE    one proof
//	tlog cosigned VKEY WITNESS-VKEY CHECKPOINT    a checkpoint with a cosignature
//	tlog entry DIR INDEX                          writes the bytes of an entry
//	tlog make FROM DIR SIZE NAME                  a log of FROM's first SIZE entries; prints its key
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Tiles have 2^8 hashes. Go's paths name that height, those of C2SP tlog-tiles do not.
const height = 8

type folder string

func (f folder) Height() int { return height }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var read [][]byte
	for _, tile := range tiles {
		data, err := os.ReadFile(f.path(tile))
		if err != nil {
			return nil, err
		}
		read = append(read, data)
	}
	return read, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) path(tile tlog.Tile) string {
	if tile.L < 0 {
		return filepath.Join(string(f), "audit", strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1))
	}
	return filepath.Join(string(f), "public", strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
}

// What the checkpoint says, its signature not looked at.
func (f folder) size() int64 {
	text := must(os.ReadFile(filepath.Join(string(f), "public", "checkpoint")))
	return must(strconv.ParseInt(strings.Split(string(text), "\n")[1], 10, 64))
}

// The tiles of a log of this size. Go lists narrower partial ones too, which were there at smaller sizes.
func tiles(size int64) []tlog.Tile {
	var all []tlog.Tile
	for _, tile := range tlog.NewTiles(height, 0, size) {
		hashes := size >> (height * tile.L)
		if tile.W == 1<<height || int64(tile.W) == hashes-tile.N<<height {
			all = append(all, tile)
		}
	}
	return all
}

// The entries of the log's first size, each hashed as a bundle has it.
func (f folder) entries(size int64) [][]byte {
	var entries [][]byte
	for _, tile := range tiles(size) {
		if tile.L != 0 {
			continue
		}
		width := tile.W
		tile.L = -1
		data := must(os.ReadFile(f.path(tile)))
		for ; len(data) >= 2; width-- {
			length := 2 + int(binary.BigEndian.Uint16(data))
			if len(data) < length {
				log.Fatalf("%s: an entry is cut off", f.path(tile))
			}
			entries = append(entries, data[2:length])
			data = data[length:]
		}
		if width != 0 || len(data) != 0 {
			log.Fatalf("%s: it does not have %d entries", f.path(tile), tile.W)
		}
	}
	return entries
}

type checkpoint struct {
	origin string
	tree   tlog.Tree
}

// A checkpoint that the log with this key signed under its name, and that all others known cosigned.
func open(msg []byte, vkey string, others ...note.Verifier) checkpoint {
	verifiers := append(others, must(note.NewVerifier(vkey)))
	opened := must(note.Open(msg, note.VerifierList(verifiers...)))
	if len(opened.Sigs) != len(verifiers) {
		log.Fatalf("%d of %d keys have signed", len(opened.Sigs), len(verifiers))
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifiers[len(others)].Name() {
		log.Fatalf("no checkpoint of %s: %q", vkey, opened.Text)
	}
	size := must(strconv.ParseInt(lines[1], 10, 64))
	return checkpoint{lines[0], tlog.Tree{N: size, Hash: must(tlog.ParseHash(lines[2]))}}
}

func check(dir folder, vkey string, earlier []string) {
	tree := open(must(os.ReadFile(filepath.Join(string(dir), "public", "checkpoint"))), vkey).tree
	hashes := tlog.TileHashReader(tree, dir)
	entries := dir.entries(tree.N)
	if int64(len(entries)) != tree.N {
		log.Fatalf("%d entries of %d", len(entries), tree.N)
	}
	for index, entry := range entries {
		proof := must(tlog.ProveRecord(tree.N, int64(index), hashes))
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(index), tlog.RecordHash(entry)); err != nil {
			log.Fatalf("entry %d: %v", index, err)
		}
	}
	for _, file := range earlier {
		old := open(must(os.ReadFile(file)), vkey).tree
		proof := must(tlog.ProveTree(tree.N, old.N, hashes))
		try(tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash))
		fmt.Printf("Go: %d entries, each with its proof; they continue the first %d\n", tree.N, old.N)
	}
	if len(earlier) == 0 {
		fmt.Printf("Go: %d entries, each with its proof\n", tree.N)
	}
}

func proof(vkey, file, entryFile string) {
	head, msg, found := bytes.Cut(must(os.ReadFile(file)), []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "index ") {
		log.Fatalf("%s: no proof", file)
	}
	index := must(strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64))
	var hashes tlog.RecordProof
	for _, line := range lines[2:] {
		hashes = append(hashes, must(tlog.ParseHash(line)))
	}
	tree := open(msg, vkey).tree
	try(tlog.CheckRecord(hashes, tree.N, tree.Hash, index, tlog.RecordHash(must(os.ReadFile(entryFile)))))
	fmt.Printf("Go: entry %d is in the log\n", index)
}

// A witness's key (C2SP tlog-cosignature), which Go's package does not know.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.hash }
func (w witness) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), msg)
	return ed25519.Verify(w.key, []byte(signed), sig[8:])
}

func newWitness(vkey string) witness {
	parts := strings.SplitN(vkey, "+", 3)
	key := must(base64.StdEncoding.DecodeString(parts[2]))
	id := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	hash := binary.BigEndian.Uint32(id[:])
	if key[0] != 4 || parts[1] != fmt.Sprintf("%08x", hash) {
		log.Fatalf("%s: no key of a witness", vkey)
	}
	return witness{parts[0], hash, key[1:]}
}

// Stored hashes, as Go numbers them.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var read []tlog.Hash
	for _, index := range indexes {
		read = append(read, s[index])
	}
	return read, nil
}

func make_(from, to folder, size int64, name string) {
	private, public, err := note.GenerateKey(rand.Reader, name)
	try(err)
	var hashes stored
	entries := from.entries(from.size())[:size]
	for index, entry := range entries {
		hashes = append(hashes, must(tlog.StoredHashes(int64(index), entry, hashes))...)
	}
	for _, tile := range tiles(size) {
		write(to.path(tile), must(tlog.ReadTileData(tile, hashes)))
		if tile.L == 0 {
			first, bundle := tile.N<<height, []byte(nil)
			for _, entry := range entries[first : first+int64(tile.W)] {
				bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(entry)))
				bundle = append(bundle, entry...)
			}
			tile.L = -1
			write(to.path(tile), bundle)
		}
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", name, size, must(tlog.TreeHash(size, hashes)))
	signed := must(note.Sign(&note.Note{Text: text}, must(note.NewSigner(private))))
	write(filepath.Join(string(to), "public", "checkpoint"), signed)
	fmt.Println(public)
}

func write(path string, data []byte) {
	try(os.MkdirAll(filepath.Dir(path), 0o700))
	try(os.WriteFile(path, data, 0o600))
}

func must[T any](value T, err error) T {
	try(err)
	return value
}

func try(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("tlog: ")
	args := os.Args[1:]
	command := ""
	if len(args) > 0 {
		command = args[0]
	}
	switch {
	case command == "check" && len(args) >= 3:
		check(folder(args[1]), args[2], args[3:])
	case command == "proof" && len(args) == 4:
		proof(args[1], args[2], args[3])
	case command == "cosigned" && len(args) == 4:
		tree := open(must(os.ReadFile(args[3])), args[1], newWitness(args[2])).tree
		fmt.Printf("Go: %d entries are cosigned\n", tree.N)
	case command == "entry" && len(args) == 3:
		index := must(strconv.ParseInt(args[2], 10, 64))
		dir := folder(args[1])
		must(os.Stdout.Write(dir.entries(dir.size())[index]))
	case command == "make" && len(args) == 5:
		make_(folder(args[1]), folder(args[2]), must(strconv.ParseInt(args[3], 10, 64)), args[4])
	default:
		log.Fatal("check, proof, cosigned, entry or make; see the head of tlog.go")
	}
}
