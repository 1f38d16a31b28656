package table_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"swipewell/firmware/emv/table"
	"swipewell/firmware/signature"
)

func signer(seed string) (ed25519.PublicKey, ed25519.PrivateKey) {
	k := ed25519.NewKeyFromSeed([]byte(strings.Repeat(seed, 32)[:32]))
	return k.Public().(ed25519.PublicKey), k
}

func sample(t testing.TB) *table.File {
	t.Helper()
	f := &table.File{Version: 3, Name: `测试 "a"`}
	a, err := table.ParseApp(record(appPairs...))
	for _, err := range []error{err, f.Set.PutKey(made(1, 128, "03")), f.Set.PutKey(made(0x0B, 248, "010001")), f.Set.PutApp(a)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func TestFileText(t *testing.T) {
	text := sample(t).Text()
	for _, want := range []string{"version = 3\nname = \"测试 \\\"a\\\"\"\n", "[[key]]\nrid = \"A000000333\"\nindex = \"01\"\nexpiry = \"2030-12-31\"\nexponent = \"03\"\nmodulus = \"A5A5",
		"aid = \"A000000333010101\"\npartial = true\nversion = \"0030\"\ntac_default = \"DC4000A800\"\n", "floor_limit = 10000\nrandom_threshold = 3000\nrandom_target = 50\nrandom_max = 99\n",
		"online_pin = true\necash_limit = 100000\ncontactless_floor = 0\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	f, err := table.ParseFile(text)
	if err != nil || len(f.Refused) != 0 || f.Text() != text || f.Version != 3 {
		t.Errorf("%v %v\n%s", err, f.Refused, f.Text())
	}
}

// TestFileRecords: a record that is not in order is refused by its name, and the
// rest is used.
func TestFileRecords(t *testing.T) {
	text := sample(t).Text()
	sumLine := func() string {
		i := strings.Index(text, "checksum = ")
		return text[i : i+strings.IndexByte(text[i:], '\n')]
	}()
	twice := text + text[strings.Index(text, "\n[[app]]"):]
	for _, c := range []struct{ name, text, want string }{
		{"wrong checksum", strings.Replace(text, sumLine, `checksum = "`+strings.Repeat("00", 20)+`"`, 1), "A000000333/01: wrong checksum"},
		{"unknown field of a key", strings.Replace(text, sumLine, sumLine+"\nowner = \"x\"", 1), "A000000333/01: unknown tag owner"},
		{"unknown field of an application", strings.Replace(text, "online_pin", "offline_pin", 1), "A000000333010101: unknown tag offline_pin"},
		{"a number too large", strings.Replace(text, "random_max = 99", "random_max = 100", 1), "A000000333010101: random_max: wrong value"},
		{"a number below nothing", strings.Replace(text, "floor_limit = 10000", "floor_limit = -1", 1), "A000000333010101: floor_limit: wrong value"},
		{"a text for a number", strings.Replace(text, "floor_limit = 10000", "floor_limit = \"10000\"", 1), "A000000333010101: floor_limit: wrong value"},
		{"a number for a flag", strings.Replace(text, "online_pin = true", "online_pin = 1", 1), "A000000333010101: online_pin: wrong value"},
		{"a day that is none", strings.Replace(text, "2030-12-31", "2030-02-31", 1), "A000000333/01: expiry: wrong value"},
		{"half a byte", strings.Replace(text, `index = "01"`, `index = "1"`, 1), "A000000333/?: index: wrong value"},
		{"twice", twice, "A000000333010101: twice"},
	} {
		if c.text == text {
			t.Fatal(c.name + ": nothing was changed")
		}
		f, err := table.ParseFile(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if len(f.Refused) != 1 {
			t.Errorf("%s: refused %v", c.name, f.Refused)
			continue
		}
		check(t, c.name, f.Refused[0], c.want)
		if n := len(f.Set.Keys()) + len(f.Set.Apps()); n != 2 && c.name != "twice" {
			t.Errorf("%s: %d records are left", c.name, n)
		}
	}
}

func TestFileWhole(t *testing.T) {
	pub, priv := signer("a")
	_, other := signer("b")
	text := signature.Sign(sample(t).Text(), priv)
	keys := []ed25519.PublicKey{pub}
	for _, c := range []struct {
		name, text string
		have       int
		want       error
	}{
		{"good", text, 0, nil}, {"the same again", text, 3, nil}, {"older", text, 4, table.ErrOlder},
		{"unsigned", sample(t).Text(), 0, signature.ErrUnsigned}, {"by another", signature.Sign(text, other), 0, signature.ErrUnknownKey},
		{"changed", strings.Replace(text, "10000", "90000", 1), 0, signature.ErrSignature},
		{"no version", signature.Sign("name = \"a\"\n", priv), 0, table.ErrFile},
		{"not TOML", signature.Sign("version = \n", priv), 0, table.ErrFile},
		{"unknown key", signature.Sign("version = 1\nowner = \"a\"\n", priv), 0, table.ErrFile},
		{"too long", signature.Sign("version = 1\n"+strings.Repeat("# long\n", table.MaxFile/7), priv), 0, table.ErrFile},
		{"too many", signature.Sign("version = 1\n"+strings.Repeat("[[app]]\n", table.MaxApps+1), priv), 0, table.ErrFile},
	} {
		f, err := table.LoadFile(c.text, keys, c.have)
		if !errors.Is(err, c.want) || err == nil && (f.KeyID != signature.KeyID(pub) || len(f.Set.Keys()) != 2) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestFileRoundTrip: any set is read back from its text.
func TestFileRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := table.File{Version: rapid.IntRange(1, 1<<30).Draw(t, "version"), Name: rapid.String().Draw(t, "name")}
		for range rapid.IntRange(0, 3).Draw(t, "n") {
			if err := f.Set.PutKey(genKey(t)); err != nil {
				t.Fatal(err)
			}
			if err := f.Set.PutApp(genApp(t)); err != nil {
				t.Fatal(err)
			}
		}
		got, err := table.ParseFile(f.Text())
		if err != nil || len(got.Refused) > 0 {
			t.Fatal(err, got)
		}
		if string(wire(&got.Set)) != string(wire(&f.Set)) || got.Version != f.Version || got.Text() != f.Text() {
			t.Fatalf("%s\n%s", f.Text(), got.Text())
		}
	})
}

func FuzzFile(f *testing.F) {
	f.Add(sample(f).Text())
	f.Add("version = 1\n[[key]]\nrid = \"A0\"\n[[app]]\naid = 3\n")
	f.Fuzz(func(t *testing.T, s string) {
		x, err := table.ParseFile(s)
		if err != nil {
			return
		}
		again, err := table.ParseFile(x.Text())
		if err != nil || again.Text() != x.Text() || len(again.Refused) != 0 {
			t.Fatalf("%v\n%s", err, x.Text())
		}
	})
}

// Example shows what becomes of a file in which one record is not in order.
func Example() {
	f, err := table.ParseFile("version = 1\n[[app]]\naid = \"A000000333010101\"\npartial = true\n")
	fmt.Println(err, f.Refused, len(f.Set.Apps()))
	// Output: <nil> [A000000333010101: DF11 missing] 0
}
