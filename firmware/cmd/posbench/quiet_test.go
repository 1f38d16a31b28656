package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A script's log has no digit that it keyed for a PIN, and all that it did.
func TestQuietLog(t *testing.T) {
	for line, want := range map[string]string{
		"> pin 864209": "> pin ******",
		"> host issuer script pin-change 8642 71": "> host issuer script pin-change **** **",
		"> key 2 5 8 0 enter":                     "> key * * * * enter",
		"> key menu 9 1":                          "> key menu 9 1",
		"> amount 12.80":                          "> amount 12.80",
		"> card x pan=6225880000000010":           "> card x pan=****************",
		"> prompt P-PIN-01":                       "> prompt P-PIN-01",
		"[stdout]\nPIN key 59C421":                "[stdout]\nPIN key 59C421",
	} {
		if got := quiet(line + "\n"); got != want+"\n" {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// What the acquirer finds wrong fails a run whose lines all passed, unless the script
// means it.
func TestFindingsFailARun(t *testing.T) {
	f := filepath.Join(t.TempDir(), "x.txtar")
	// The account changes while the device holds the card: as if it had sent another's.
	sale := "start\nattend off\namount 12.80\nswipe cup-debit-1\nclock advance 2s\ncard cup-debit-1 expiry=3101\nkey enter\nkey enter\nprompt D-HST-54\n"
	for script, want := range map[string]string{sale: "card 0200", "host excuse card\n" + sale: ""} {
		os.WriteFile(f, []byte(script), 0o600)
		r := play(t.Context(), real(t), f, false)
		if r.OK != (want == "") || !strings.Contains(r.Error, want) {
			t.Errorf("ok %v, %q, want %q\n%s", r.OK, r.Error, want, r.log)
		}
	}
}
