package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReplayCommand(t *testing.T) {
	dir := t.TempDir()
	good, err := os.ReadFile("../../emv/testdata/oracle/sda_static.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]string{
		"good.json": string(good), "differs.json": strings.Replace(string(good), "80A8000008", "80A8000009", 1), "broken.json": "{", "notes.txt": "x",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"emv", "replay", dir, "--json"}, &out, &errs); code != exitRefused {
		t.Errorf("status %d: %s", code, errs.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines:\n%s", len(lines), out.String())
	}
	for _, l := range lines {
		var r struct {
			File    string
			Pass    bool
			Outcome any
			Tags    map[string]string
		}
		if err := json.Unmarshal([]byte(l), &r); err != nil {
			t.Fatal(err)
		}
		isGood := strings.HasSuffix(r.File, "good.json")
		if r.Pass != isGood || isGood && (r.Outcome != 0.0 || r.Tags["95"] != "4200000000") {
			t.Errorf("%s", l)
		}
	}
	out.Reset()
	if code := run(t.Context(), []string{"emv", "replay", filepath.Join(dir, "good.json")}, &out, &errs); code != exitOK || !strings.HasPrefix(out.String(), "ok ") {
		t.Errorf("status %d: %s", code, out.String())
	}
	if code := run(t.Context(), []string{"emv", "replay", filepath.Join(dir, "none")}, &out, &errs); code != exitRefused {
		t.Errorf("status %d", code)
	}
	if code := run(t.Context(), []string{"emv", "replay"}, &out, &errs); code != exitUsage {
		t.Errorf("status %d", code)
	}
}
