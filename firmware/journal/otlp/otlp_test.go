package otlp

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"swipewell/firmware/journal/entry"
)

var wall = time.UnixMilli(1772337802120)

// The file was written by hand after logs.proto and its JSON mapping.
func TestGolden(t *testing.T) {
	var b bytes.Buffer
	w := New(&b, Resource{"20260001", "1.2.3"}, func(e entry.Entry) string { return map[bool]string{true: "outcome"}[e.Msg == ""] + e.Msg })
	for _, e := range []entry.Entry{
		{Seq: 7, Wall: wall, Boot: "5f0c91aa", Up: 8211 * time.Millisecond, Logical: 91822 * time.Millisecond, Level: "INFO", Code: "E-TXN-04", Source: "txn", Tx: "cup-000001-000123",
			Fields: []entry.Pair{{Key: "amount", Value: "12.80"}, {Key: "n", Value: int64(3)}, {Key: "up", Value: false}, {Key: "ratio", Value: 0.5}}},
		{Seq: 8, Wall: wall.Add(time.Second), Boot: "5f0c91aa", Level: "ERROR", Code: "E-LOG-01", Source: "board", Msg: "no modem"},
		{Seq: 9, Boot: "5f0c91aa", Level: "WARN", Code: "E-CRD-02", Source: "txn", Tx: "cup-000001-000123", Ref: "j.0102030405060708"},
	} {
		if err := w.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile("testdata/three.json")
	if err != nil {
		t.Fatal(err)
	}
	var want, got any
	if err := json.Unmarshal(golden, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// One line a batch; a transaction has one trace, and no other device has the same.
func TestLines(t *testing.T) {
	var b bytes.Buffer
	w := New(&b, Resource{}, func(entry.Entry) string { return "" })
	for i := range 2*batch + 1 {
		if err := w.Add(entry.Entry{Seq: uint64(i + 1), Wall: wall, Level: "INFO"}); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	w.Flush()
	if n := strings.Count(b.String(), "\n"); n != 3 || strings.Contains(b.String(), "traceId") {
		t.Errorf("%d lines", n)
	}
	if a := Trace("1", "x"); a != Trace("1", "x") || a == Trace("2", "x") || a == Trace("1", "y") || len(a) != 32 || Trace("1", "") != "" {
		t.Error(a)
	}
	if Severity(slog.LevelDebug) != 5 || Severity(slog.LevelWarn) != 13 {
		t.Error("severity")
	}
}
