package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swipewell/firmware/journal"
	"swipewell/firmware/journal/qr"
)

func TestBar(t *testing.T) {
	for _, tc := range []struct {
		have, kept, all int64
		took            time.Duration
		want            string
	}{
		{0, 0, 1 << 20, 0, "[------------------------]   0%  0 of 1024 kB"},
		{512 << 10, 0, 1 << 20, 10 * time.Second, "[############------------]  50%  512 of 1024 kB  51.2 kB/s  ETA 10s"},
		{512 << 10, 256 << 10, 1 << 20, 10 * time.Second, "[############------------]  50%  512 of 1024 kB  (256 kB were here)  25.6 kB/s  ETA 20s"},
		{1 << 20, 0, 1 << 20, time.Second, "[########################] 100%  1024 of 1024 kB  1024.0 kB/s"},
		{0, 0, 0, time.Second, "[########################] 100%  0 of 0 kB"},
	} {
		if got := barLine(tc.have, tc.kept, tc.all, tc.took); got != tc.want {
			t.Errorf("got  %s\nwant %s", got, tc.want)
		}
	}
}

// Texts of two files make the entries again; one that is missing is named.
func TestQR(t *testing.T) {
	e := journal.Entry{Seq: 1, Wall: time.UnixMilli(1772337802120), Boot: "5f0c91aa", Level: "INFO", Code: "E-LOG-01", Source: "x", Msg: strings.Repeat("hello 123 ", 30)}
	for i := range 60 {
		e.Fields = append(e.Fields, journal.Pair{Key: "n", Value: int64(i * i * 7919)})
	}
	b, err := qr.Pack([]journal.Entry{e})
	if err != nil {
		t.Fatal(err)
	}
	texts, err := qr.Texts(b, 154)
	if err != nil || len(texts) < 3 {
		t.Fatal(len(texts), err)
	}
	dir := t.TempDir()
	one, two := filepath.Join(dir, "1"), filepath.Join(dir, "2")
	os.WriteFile(one, []byte(strings.Join(texts[1:], "\r\n")), 0o600)
	os.WriteFile(two, []byte(texts[0]), 0o600)
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"log", "qr", "-o", "cat", one, two}, &out, &errs); code != exitOK || !strings.Contains(out.String(), "hello 123") {
		t.Errorf("%d %s %s", code, out.String(), errs.String())
	}
	if code := run(t.Context(), []string{"log", "qr", one}, &out, &errs); code != exitRefused || !strings.Contains(errs.String(), "missing: 1") {
		t.Errorf("%d %s", code, errs.String())
	}
}
