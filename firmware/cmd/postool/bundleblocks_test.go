package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestBundleBlocks: --blocks, what show says of them, and a file cut for a device by
// the blocks that its build has.
func TestBundleBlocks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	file := func(name string, parts ...[]byte) string {
		if err := os.WriteFile(at(name), slices.Concat(parts...), 0o600); err != nil {
			t.Fatal(err)
		}
		return at(name)
	}
	do := func(want int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(context.Background(), append([]string{"bundle"}, args...), &out, &errs); code != want {
			t.Fatalf("%v: exit %d\n%.500s%s", args, code, &out, &errs)
		}
		return out.String() + errs.String()
	}
	const block = 1 << 16
	kernel, fdt := flashNoise(2*block, 1), []byte{0xD0, 0x0D, 0xFE, 0xED}
	old := file("old", kernel, flashNoise(block, 2))
	image := file("image", kernel, flashNoise(9000, 3))
	other := file("other", flashNoise(9000, 4))
	isFIT := file("fit", fdt, flashNoise(9000, 5))
	flags := []string{"make", "--board", "demo", "--version", "1.2.0", "--schemas", "3"}
	for _, c := range []struct {
		name string
		args []string
		want bool
	}{
		{"a program", []string{other}, false},
		{"a FIT", []string{isFIT}, true},
		{"a FIT, and off", []string{"--blocks", "off", isFIT}, false},
		{"a base that shares", []string{"--base", old, image}, true},
		{"a base that does not", []string{"--base", old, other}, false},
		{"on", []string{"--blocks", "on", other}, true},
	} {
		made := do(exitOK, append(slices.Clone(flags), c.args...)...)
		if again := do(exitOK, append(slices.Clone(flags), c.args...)...); again != made {
			t.Errorf("%s: the same files give other bytes", c.name)
		}
		if out := do(exitOK, "show", file("made", []byte(made))); strings.Contains(out, "blocks ") != c.want {
			t.Errorf("%s:\n%s", c.name, out)
		}
	}
	do(exitUsage, append(slices.Clone(flags), "--blocks", "some", image)...)

	made := file("made", []byte(do(exitOK, append(slices.Clone(flags), "--blocks", "on", image)...)))
	contains(t, do(exitOK, "show", made), "3 of 3, of 64 KiB each", "whole")
	slim := do(exitOK, "cut", "--base", old, made)
	if len(slim) > 12_000 {
		t.Errorf("%d bytes for a block of 9000", len(slim))
	}
	cut := file("cut", []byte(slim))
	contains(t, do(exitOK, "show", cut), "1 of 3, of 64 KiB each", "not in this file")
	var facts struct {
		Payloads []payloadFacts `json:"payloads"`
	}
	if err := json.Unmarshal([]byte(do(exitOK, "show", "--json", cut)), &facts); err != nil || !slices.ContainsFunc(facts.Payloads, func(p payloadFacts) bool {
		return p.Kind == "blocks" && p.Here && p.Blocks != nil && *p.Blocks == blockFacts{1, 3, block}
	}) {
		t.Errorf("%+v %v", facts, err)
	}
	if out := do(exitOK, "check", "--base", old, cut); strings.Contains(out, "not unpacked") || !strings.Contains(out, "good") {
		t.Error(out)
	}
	contains(t, do(exitOK, "check", cut), "its blocks were not unpacked")
	contains(t, do(exitOK, "check", "--base", other, cut), "its blocks were not unpacked")
	do(exitOK, "check", made)
	contains(t, do(exitRefused, "cut", "--base", other, cut), "neither in it nor in the build")
	bad := []byte(slim)
	bad[len(bad)-9] ^= 1
	do(exitRefused, "check", file("bad", bad))
}
