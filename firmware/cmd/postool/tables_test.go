package main

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"swipewell/firmware/emv/table"
)

// TestTables takes an acquirer's records through make, check, sign and show.
func TestTables(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	k := table.Key{Modulus: slices.Repeat([]byte{0xA5}, 128), Exponent: []byte{3}, Expiry: "20491231"}
	k.RID, k.Index = [5]byte{0xA0, 0, 0, 3, 0x33}, 1
	sum := sha1.Sum(slices.Concat(k.RID[:], []byte{k.Index}, k.Modulus, k.Exponent))
	k.Checksum = sum[:]
	records := "# of the bank\n" + hex.EncodeToString(k.Append(nil)) + "\n\n" +
		"9F0608A000000333010101 DF010100 9F08020030 DF1105DC4000A800 DF1205DC4004F800 DF13050010000000 9F1B0400002710\n"
	file := func(name, text string) string {
		if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return at(name)
	}
	do := func(want int, args ...string) (string, string) {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(context.Background(), append([]string{"tables"}, args...), &out, &errs); code != want {
			t.Fatalf("%v: exit %d\n%s%s", args, code, &out, &errs)
		}
		return out.String(), errs.String()
	}
	text, _ := do(exitOK, "make", "--version", "4", "--name", "bank", file("records", records))
	made := file("made", text)
	if out, _ := do(exitOK, "check", made); !strings.Contains(out, "good, version 4, 1 keys, 1 applications") {
		t.Error(out)
	}
	if out, _ := do(exitOK, "show", made); !strings.Contains(out, "key  A000000333/01  1024 bits  e 03  until 20491231\n") || !strings.Contains(out, "app  A000000333010101") {
		t.Error(out)
	}
	var pub bytes.Buffer
	if err := newSigner(at("key"), &pub); err != nil {
		t.Fatal(err)
	}
	signed, _ := do(exitOK, "sign", "--key", at("key"), made)
	if out, _ := do(exitOK, "check", "--key", file("pub", pub.String()), file("signed", signed)); !strings.Contains(out, "signed by ") {
		t.Error(out)
	}
	do(exitRefused, "check", "--key", at("pub"), made)
	do(exitRefused, "check", "--key", at("pub"), file("changed", strings.Replace(signed, "10000", "90000", 1)))
	bad := file("bad", strings.Replace(text, "A5A5", "A5A7", 1))
	for _, args := range [][]string{{"check", bad}, {"sign", "--key", at("key"), bad}} {
		if _, errs := do(exitRefused, args...); !strings.Contains(errs, "A000000333/01: wrong checksum") {
			t.Error(errs)
		}
	}
	if out, _ := do(exitOK, "show", bad); !strings.Contains(out, "refused  A000000333/01: wrong checksum") {
		t.Error(out)
	}
	if out, errs := do(exitRefused, "make", "--version", "1", file("more", records+"9F0608A000000333010102DF7F00\n")); !strings.Contains(errs, "more:5: A000000333010102: unknown tag DF7F") || !strings.Contains(out, "A000000333010101") {
		t.Error(errs)
	}
	do(exitUsage, "make", "--version", "0", at("records"))
}
