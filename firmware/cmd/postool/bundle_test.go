package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBundle takes a build through make, two signers, check, show and cut.
func TestBundle(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	file := func(name, content string) string {
		if err := os.WriteFile(at(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return at(name)
	}
	do := func(want int, args ...string) (string, string) {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(context.Background(), append([]string{"bundle"}, args...), &out, &errs); code != want {
			t.Fatalf("%v: exit %d\n%.500s%s", args, code, &out, &errs)
		}
		return out.String(), errs.String()
	}
	old := strings.Repeat("an instruction or two of some build; ", 3000)
	older, image := file("old", old), file("new", old[:50_000]+"twenty lines more"+old[50_000:])
	flags := []string{"make", "--board", "demo", "--version", "1.2.0", "--floor", "1.0.0", "--schemas", "3-4", "--filter", "arm", "--base", older, image}
	made, _ := do(exitOK, flags...)
	if again, _ := do(exitOK, flags...); again != made {
		t.Error("the same files give other bytes")
	}
	for _, k := range []string{"a", "b"} {
		var pub bytes.Buffer
		if err := newSigner(at(k), &pub); err != nil {
			t.Fatal(err)
		}
		file(k+".pub", pub.String())
	}
	one, _ := do(exitOK, "sign", "--key", at("a"), file("made", made))
	two, _ := do(exitOK, "sign", "--key", at("b"), file("one", one))
	signed := file("two", two)
	keys := []string{"check", "--key", at("a.pub"), "--key", at("b.pub"), "--need", "2", "--base", older}
	if out, _ := do(exitOK, append(keys, signed)...); !strings.Contains(out, "good, 1.2.0, signed by [") {
		t.Error(out)
	}
	if _, errs := do(exitRefused, append(keys, at("one"))...); !strings.Contains(errs, "too few signatures") {
		t.Error(errs)
	}
	if out, _ := do(exitOK, "check", signed); !strings.Contains(out, "was not unpacked") || !strings.Contains(out, "not checked") {
		t.Error(out)
	}
	bad := []byte(two)
	bad[len(bad)-5] ^= 1
	do(exitRefused, append(keys, file("bad", string(bad)))...)
	do(exitRefused, append(keys, file("cut", two[:len(two)-9]))...)
	out, _ := do(exitOK, "show", signed)
	for _, want := range []string{"swipewell 1.2.0 for board demo, then nothing below 1.0.0", "schema 3 to 4", "delta", "whole", "signed by "} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	small, _ := do(exitOK, "cut", "--base", older, signed)
	if out, _ := do(exitOK, append(keys, file("small", small))...); !strings.Contains(out, "good") || len(small) >= len(two) {
		t.Error(out)
	}
	if out, _ := do(exitOK, "show", at("small")); strings.Count(out, "not in this file") != 1 {
		t.Error(out)
	}
	do(exitRefused, "cut", "--base", image, signed)
	for _, args := range [][]string{{"make", image}, {"make", "--board", "demo", "--version", "1", "--schemas", "3", image}, {"make", "--board", "demo", "--version", "1.0.0", "--schemas", "x", image},
		{"make", "--board", "demo", "--version", "1.0.0", "--schemas", "3", "--filter", "mips", image}} {
		do(exitUsage, args...)
	}
}
