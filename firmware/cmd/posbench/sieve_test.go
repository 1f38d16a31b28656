package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"swipewell/firmware/sim/sieve"
	"swipewell/firmware/sim/world"
)

// A short life of the sieve: nothing is found of what the device leaves, and what is
// planted beside it is, in every place that a device writes.
func TestSieve(t *testing.T) {
	t.Parallel()
	cards := sieve.Cards(3, 21)
	real := real(t)
	o, err := real.opts(filepath.Join(t.TempDir(), "w"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := world.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var r sieved
	l := &sieveLife{w: w, x: sieve.New(cards).Search(), cards: cards, r: &r, out: io.Discard}
	planted := map[string]string{
		"data/note.txt": cards[0].Track2, "data/backup/note": fmt.Sprintf("%x", cards[1].PAN), "note.recovery": cards[2].PIN,
	}
	for name, text := range planted {
		path := filepath.Join(w.Dir(), name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.live(t.Context(), 100, time.Now()); err != nil {
		t.Fatal(err)
	}
	kinds := map[sieve.Kind]bool{}
	for _, f := range l.x.Found() {
		if kinds[f.Kind] = true; !strings.Contains(f.Place, "note") && f.Place != "bench files" {
			t.Errorf("found %s in %s, %s", f.Kind, f.Place, f.Encoding)
		}
	}
	if !kinds[sieve.PAN] || !kinds[sieve.Track] || !kinds[sieve.PIN] {
		t.Errorf("what was planted is not found: %v", l.x.Found())
	}
	var places []string
	for _, p := range l.x.Places() {
		places = append(places, p.Name)
	}
	for _, want := range []string{"screens", "slips", "postool", "service cable", "acquirer", "page", "export", "upload of the log", "log and stacks", "file data/state.db", "file data/journal/info/*.seg", "bench files"} {
		if !slices.Contains(places, want) {
			t.Errorf("%s is not searched, but %v", want, places)
		}
	}
	if r.Visits != 3 || r.Lived["sale"] < 2 || r.Lived["reversal"] != 1 || r.Lived["tracks opened"] == 0 || r.Lived["settlement"] == 0 {
		t.Errorf("%d visits, lived %v", r.Visits, r.Lived)
	}
}

// Others' numbers and PINs, and what is wrong with a file of them, by line.
func TestSieveFiles(t *testing.T) {
	dir := t.TempDir()
	file := func(text string) string {
		f := filepath.Join(dir, fmt.Sprint(len(text)))
		if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return f
	}
	pans := file("# ours\r\n4111111111111111\r\n\r\n6225880000000000010\r\n")
	cards, err := sieveRun{pans: pans, pins: file("1234\n864209753124\n"), seed: 1}.cards()
	if err != nil || len(cards) != 2 || cards[0].PAN != "4111111111111111" || cards[1].PIN != "864209753124" || !strings.HasPrefix(cards[1].Track2, cards[1].PAN+"=") {
		t.Errorf("%d cards, %v", len(cards), err)
	}
	for text, want := range map[string]string{"4111111111111111\n41111x\n": "line 2 is not a card number of 13 to 19 digits", "# none\n": "no card number in it", "62258800000000000100\n": "line 1"} {
		if _, err := (sieveRun{pans: file(text)}).cards(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "41111") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{"123\n", "1234567890123\n", "12a4\n"} {
		if _, err := (sieveRun{count: 1, pins: file(text)}).cards(); err == nil || !strings.Contains(err.Error(), "line 1 is not a PIN of 4 to 12 digits") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What fails a run is in what it prints.
func TestSieveSays(t *testing.T) {
	for want, r := range map[string]sieved{
		"FOUND: pan in slips, bcd, 2 times":               {Found: []sieve.Found{{Place: "slips", Kind: sieve.PAN, Encoding: "bcd", Count: 2}}},
		"the acquirer found: pin-repeat 0200 STAN 000009": {Findings: []string{"pin-repeat 0200 STAN 000009"}},
		"core file": {Core: true},
	} {
		if r.clean() || !strings.Contains(r.text(false), want) {
			t.Errorf("%q is not said, or fails nothing:\n%s", want, r.text(false))
		}
	}
	if !(sieved{Lived: map[string]int{"sale": 1}}).clean() {
		t.Error("a clean run is not")
	}
}
