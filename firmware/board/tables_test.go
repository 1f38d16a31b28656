package board

import (
	"crypto/ed25519"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"swipewell/firmware/signature"
	"swipewell/hal"
)

// tablesText is a file with one key in order and one with a wrong checksum.
func tablesText() string {
	n := slices.Repeat([]byte{0xA5}, 128)
	h := sha1.Sum(slices.Concat([]byte{0xA0, 0, 0, 3, 0x33, 1}, n, []byte{3}))
	key := "[[key]]\nrid = \"A000000333\"\nindex = \"%s\"\nexpiry = \"2049-12-31\"\nexponent = \"03\"\nmodulus = \"" + hex.EncodeToString(n) + "\"\nchecksum = \"" + hex.EncodeToString(h[:]) + "\"\n"
	return "version = 3\n" + fmt.Sprintf(key, "01") + fmt.Sprintf(key, "0B")
}

func TestTables(t *testing.T) {
	priv := ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", ed25519.SeedSize)))
	pub := base64.StdEncoding.EncodeToString(priv.Public().(ed25519.PublicKey))
	test := ed25519.NewKeyFromSeed([]byte("swipewell bench: TEST KEY tables"))
	testPub := base64.StdEncoding.EncodeToString(test.Public().(ed25519.PublicKey))
	dir := t.TempDir()
	file := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	signed := file("signed", signature.Sign(tablesText(), priv))
	byTest := file("test", signature.Sign(tablesText(), test))
	icc := func(path string) string {
		return fmt.Sprintf("[icc]\ndriver = \"vpcd\"\nlisten = \"127.0.0.1:0\"\ntables = %q\n", path)
	}
	key := func(name, k string) string {
		return fmt.Sprintf("[[tables.key]]\nname = %q\nkey = %q\n", name, k)
	}
	for _, c := range []struct {
		name, bench, text string
		state             hal.LoadState
		why               string
		keys              int
	}{
		{"good", "false", icc(signed) + key("acquirer", pub), hal.Loaded, "A000000333/0B: wrong checksum", 1},
		{"no slot", "true", key("acquirer", pub), hal.Skipped, "not in the board file", 0},
		{"no such file", "true", icc("/dev/null/none") + key("acquirer", pub), hal.Failed, "not a directory", 0},
		{"not signed", "true", icc(file("bare", tablesText())) + key("acquirer", pub), hal.Failed, "not signed", 0},
		{"by somebody else", "true", icc(byTest) + key("acquirer", pub), hal.Failed, "does not know", 0},
		{"the test key on a bench", "true", icc(byTest) + key("bench", testPub), hal.Loaded, "0B", 1},
		{"the test key in a shop", "false", icc(byTest) + key("bench", testPub), hal.Failed, "only on a board with bench = true", 0},
		{"nobody may sign", "true", icc(signed), hal.Failed, "nobody may sign", 0},
		{"a key that is none", "true", icc(signed) + key("acquirer", "AAAA"), hal.Failed, "must be 32 bytes", 0},
		{"a name twice", "true", icc(signed) + key("a", pub) + key("a", testPub), hal.Failed, "a name of its own", 0},
	} {
		f, err := read(t, strings.Replace(good, "bench = true", "bench = "+c.bench, 1)+"\n"+c.text)
		if err != nil {
			t.Fatal(c.name, err)
		}
		r := f.Open(Opts{})
		i := slices.IndexFunc(r.Report, func(d hal.DeviceReport) bool { return d.Device == "tables" })
		if d := r.Report[i]; d.State != c.state || !strings.Contains(d.Why, c.why) {
			t.Errorf("%s: %v", c.name, d)
		}
		n := 0
		if r.Tables != nil {
			n = len(r.Tables.Set.Keys())
		}
		if n != c.keys {
			t.Errorf("%s: %d keys", c.name, n)
		}
		if err := r.Close(); err != nil {
			t.Error(c.name, err)
		}
	}
}
