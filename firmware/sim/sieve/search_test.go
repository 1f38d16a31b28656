package sieve

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"swipewell/firmware/diagnose"
	"swipewell/firmware/journal"
	"swipewell/firmware/journal/entry"
	"swipewell/firmware/journal/seal"
	"swipewell/firmware/journal/segment"
	"swipewell/firmware/tape"
	"swipewell/firmware/txn"
	"swipewell/ui/prompt"
)

// TestMain is also a process that remembers a card, or has forgotten it.
func TestMain(m *testing.M) {
	what := os.Getenv("SIEVE_REMEMBER")
	if what == "" {
		os.Exit(m.Run())
	}
	c := Cards(1, 6)[0]
	kept := []byte(c.Track2 + c.PIN)
	if what == "no" {
		clear(kept)
	}
	c = Card{}
	os.Stdout.WriteString("ready\n")
	os.Stdin.Read(make([]byte, 1))
	os.Stdout.Write(kept[:0])
}

// The memory of another process is searched, and what it remembers is found.
func TestMemory(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	x := New(Cards(1, 6)).Search()
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "SIEVE_REMEMBER=yes")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer in.Close()
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	err = x.Memory("memory", cmd.Process.Pid)
	if errors.Is(err, ErrMemory) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[Kind]bool{}
	for _, f := range x.Found() {
		kinds[f.Kind] = true
	}
	if !kinds[PAN] || !kinds[Track] || !kinds[PIN] {
		t.Errorf("found %v", x.Found())
	}
}

// A journal's segment is packed; what it says is found all the same.
func TestTreeOpensSegments(t *testing.T) {
	cards := Cards(3, 8)
	dir := t.TempDir()
	e := entry.Entry{Seq: 1, Level: "INFO", Msg: strings.Repeat("x", 600) + cards[1].PAN + strings.Repeat("x", 600)}
	rec := e.Append(nil)
	b := segment.AppendFrame(nil, segment.Batch, segment.AppendRecord(nil, rec, seal.Hash{}), true)
	if bytes.Contains(b, []byte(cards[1].PAN)) {
		b = segment.AppendFrame(nil, segment.Batch, segment.AppendRecord(segment.AppendRecord(nil, rec, seal.Hash{}), rec, seal.Hash{}), true)
	}
	if err := os.WriteFile(filepath.Join(dir, "1.seg"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	x := New(cards).Search()
	if err := x.Tree(dir, func(string) string { return "journal" }); err != nil {
		t.Fatal(err)
	}
	if f := x.Found(); len(f) == 0 || f[0].Card != 1 || f[0].Kind != PAN {
		t.Errorf("found %+v", f)
	}
}

// A tape is packed once more; what it holds is found, too.
func TestTreeOpensTapes(t *testing.T) {
	cards := Cards(3, 8)
	dir := t.TempDir()
	r := tape.New("test", func(s string) string { return s }) // a sieve with a hole
	r.Begin(txn.State{}, nil, nil)
	r.Step(txn.Event{Kind: txn.Closed, Reason: "card " + cards[2].PAN}, txn.State{}, nil, diagnose.Ranking{})
	p, ok := r.Take()
	if !ok {
		t.Fatal("no tape")
	}
	e := entry.Entry{Seq: 1, Level: "DEBUG", Code: prompt.LogTape, Fields: []entry.Pair{{Key: journal.TapeKey, Value: base64.StdEncoding.EncodeToString(p.Bytes())}}}
	b := segment.AppendFrame(nil, segment.Batch, segment.AppendRecord(nil, e.Append(nil), seal.Hash{}), true)
	if err := os.WriteFile(filepath.Join(dir, "1.seg"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	x := New(cards).Search()
	if err := x.Tree(dir, func(string) string { return "journal" }); err != nil {
		t.Fatal(err)
	}
	if f := x.Found(); len(f) == 0 || f[0].Card != 2 || f[0].Kind != PAN {
		t.Errorf("found %+v", f)
	}
}

func TestTree(t *testing.T) {
	cards := Cards(3, 8)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, cards[1].PAN), []byte(cards[2].PIN), 0o600); err != nil {
		t.Fatal(err)
	}
	x := New(cards).Search()
	if err := x.Tree(dir, func(string) string { return "files" }); err != nil {
		t.Fatal(err)
	}
	have := map[Kind]int{}
	for _, f := range x.Found() {
		have[f.Kind] = f.Card
	}
	if have[PAN] != 1 || have[PIN] != 2 || len(have) != 2 {
		t.Errorf("found %+v", x.Found())
	}
	if p := x.Places(); len(p) != 1 || p[0].Items != 4 {
		t.Errorf("places %+v", p)
	}
}

// A text in base64 spells a packed number by chance: it is counted. The same bytes anywhere else, and
// what such a text says, are finds.
func TestSpelt(t *testing.T) {
	const pan = "6225885553644672507" // the twelve before the check digit, packed: USdFrP
	s := New([]Card{{PAN: pan}})
	run := "Qk1oZ2VhN3dYc2RmR2hKa0xtTm9QcVJzVHVWd1h5WjAxMjM0NTY3ODkrLzEy"
	in := func(text string) (found, spelt int) {
		x := s.Search()
		x.Text("text", text)
		return len(x.Found()), x.Spelt()
	}
	for _, c := range []struct {
		name, text   string
		found, spelt int
	}{
		{"in a long one", `{"tape":"` + run + "USdFrP" + run + `"}`, 0, 1},
		{"at its end", run + run + "USdFrP", 0, 1},
		{"at its beginning", "USdFrP" + run + run, 0, 1},
		{"in a short one", `{"x":"` + run[:20] + "USdFrP" + run[:20] + `"}`, 1, 0},
		{"bare", "\x00\x00USdFrP\x00", 1, 0},
		{"in words", strings.Repeat("a", 60) + "USdFrP" + strings.Repeat("b", 60), 1, 0},
		{"said by one", run + base64.StdEncoding.EncodeToString([]byte("555364467250")) + run, 1, 0},
		{"packed, and said by one", run + base64.StdEncoding.EncodeToString([]byte("USdFrP")) + run, 1, 0},
	} {
		if f, sp := in(c.text); f != c.found || sp != c.spelt {
			t.Errorf("%s: %d found, %d spelt", c.name, f, sp)
		}
	}
}

// Of a packed number in base64 every bit has to be there, at each of its three places.
func TestSays(t *testing.T) {
	s := New([]Card{{PAN: "6225885553644672507"}})
	hits := func(text []byte) (n int) {
		s.Scan(text, func(Hit) { n++ })
		return n
	}
	raw := append(append([]byte("0123456789"), "USdFrP"...), "abcdefghij"...)
	for lead := range 3 {
		b := raw[lead:]
		text := []byte(base64.StdEncoding.EncodeToString(b))
		if hits(text) == 0 {
			t.Errorf("lead %d: not found", lead)
		}
		for i := range 48 { // any bit of the six bytes
			c := append([]byte(nil), b...)
			c[10-lead+i/8] ^= 1 << (i % 8)
			if n := hits([]byte(base64.StdEncoding.EncodeToString(c))); n != 0 {
				t.Errorf("lead %d, bit %d: %d found", lead, i, n)
			}
		}
	}
}
