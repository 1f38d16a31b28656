package segment

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"swipewell/firmware/journal/entry"
	"swipewell/firmware/journal/seal"
	"swipewell/ui/prompt"
)

// made is a segment of n entries in batches of ten, with a checkpoint each 50.
func made(t testing.TB, n int) ([]byte, []int) {
	t.Helper()
	k, err := seal.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := k.Begin(0, seal.Hash{}, seal.Bounds{})
	out, h := Begin(c), c.Prev
	cuts := []int{len(out)}
	for i := 0; i < n; i += 10 {
		var batch []byte
		for q := i + 1; q <= min(i+10, n); q++ {
			e := entry.Entry{Seq: uint64(q), Wall: time.UnixMilli(int64(1e12 + q*1000)), Level: []string{"INFO", "WARN", "ERROR"}[q%100/98], Code: prompt.Code(fmt.Sprintf("E-T%02d-01", q%7)),
				Source: "txn", Tx: fmt.Sprintf("cup-000001-%06d", q/8), Fields: []entry.Pair{{Key: "amount", Value: "12.80"}, {Key: "n", Value: int64(q)}}}
			rec := e.Append(nil)
			h = h.Next(rec)
			batch = AppendRecord(batch, rec, h)
		}
		out = AppendFrame(out, Batch, batch, true)
		if i%50 == 40 {
			out = AppendFrame(out, Check, k.Check(uint64(i+10), h).Append(nil), false)
		}
		cuts = append(cuts, len(out))
	}
	return out, cuts
}

func seqs(b []byte) (out []uint64, m Meta) {
	m = Walk("x", b, func(_ []byte, seq uint64) { out = append(out, seq) })
	return out, m
}

// Packed, a segment has the same entries in the same chain, and its index finds them.
func TestArchive(t *testing.T) {
	live, _ := made(t, 3000)
	before, m := seqs(live)
	packedBytes, pm, ok := Archive("x", live)
	if !ok {
		t.Fatal("not packed")
	}
	after, am := seqs(packedBytes)
	if !slices.Equal(before, after) || len(after) != 3000 || am.Chain != m.Chain || am.Checks != m.Checks || !am.Clean || m.Clean {
		t.Fatalf("%d entries, %+v %+v", len(after), m, am)
	}
	sm, err := Stat("x", bytes.NewReader(packedBytes), int64(len(packedBytes)))
	if err != nil || !sm.Closed || sm.First != 1 || sm.Last != 3000 || sm.Chain != m.Chain || sm.Next != m.Next || sm.Cert != m.Cert || sm.Levels != pm.Levels {
		t.Fatalf("%+v %v", sm, err)
	}
	if len(packedBytes) > 3000*22 || len(packedBytes) > len(live)*3/4 {
		t.Errorf("packed %d of %d bytes", len(packedBytes), len(live))
	}
	x := Open(bytes.NewReader(packedBytes), int64(len(packedBytes)))
	find := func(w Want) (n int, blocks int) {
		bs := x.Pick(w)
		for _, b := range bs {
			raw, err := ReadBlock(bytes.NewReader(packedBytes), b, nil)
			if err != nil {
				t.Fatal(err)
			}
			Records(raw, func(rec []byte, _ [4]byte) bool { n++; return true })
		}
		return n, len(bs)
	}
	all := len(x.Blocks)
	if n, b := find(Want{}); n != 3000 || b != all {
		t.Errorf("%d entries in %d blocks", n, b)
	}
	for name, w := range map[string]Want{"tx": {Marks: []uint32{Mark("000200")}}, "tx in full": {Marks: []uint32{Mark("cup-000001-000200")}}, "time": {From: 1e12 + 1500*1000, To: 1e12 + 1510*1000}, "after": {After: 2990}} {
		if _, b := find(w); b == 0 || b > 2 {
			t.Errorf("%s: %d blocks of %d", name, b, all)
		}
	}
	if _, b := find(Want{Code: func(c string) bool { return c == "none" }}); b != 0 {
		t.Errorf("a code that is nowhere: %d blocks", b)
	}
}

// Wherever a file is cut, what was whole before is shown, and the rest named.
func TestTornAnywhere(t *testing.T) {
	live, cuts := made(t, 60)
	for end := range len(live) {
		got, m := seqs(live[:end])
		whole, at := 0, 0
		for i, c := range cuts {
			if c <= end {
				whole, at = i*10, c
			}
		}
		if len(got) != whole && len(got) != whole+10 { // a checkpoint behind a whole batch may be the torn part
			t.Fatalf("cut at %d: %d entries, want %d", end, len(got), whole)
		}
		if end != at && end > cuts[0] && len(got) == whole && (len(m.Damage) != 1 || !m.Damage[0].Tail || m.Damage[0].To != int64(end)) {
			t.Fatalf("cut at %d: %+v", end, m.Damage)
		}
	}
}

// A hole costs what it hits, and is named by its range.
func TestHole(t *testing.T) {
	live, cuts := made(t, 200)
	rapid.Check(t, func(t *rapid.T) {
		b := bytes.Clone(live)
		from := rapid.IntRange(cuts[0], len(b)-40).Draw(t, "from")
		n := rapid.IntRange(1, 30).Draw(t, "n")
		for i := range n {
			b[from+i] ^= byte(1 + i%254)
		}
		got, m := seqs(b)
		if len(got) < 170 || len(got) > 200 || !slices.IsSorted(got) {
			t.Fatalf("%d entries", len(got))
		}
		if len(m.Damage) == 0 || m.Damage[0].From > int64(from) || m.Damage[len(m.Damage)-1].To < int64(from+n) {
			t.Fatalf("%d+%d: %v", from, n, m.Damage)
		}
		if strings.Contains(fmt.Sprint(m.Damage), "%") {
			t.Fatal("not words")
		}
	})
}

// A newer version's frames are kept, and its file is not packed by us.
func TestNewerVersion(t *testing.T) {
	live, _ := made(t, 20)
	f := AppendFrame(nil, 'Q', []byte("from the future"), false)
	f[7] = Version + 1
	s := sum(f)
	f[16], f[17], f[18], f[19] = byte(s>>24), byte(s>>16), byte(s>>8), byte(s)
	b := append(bytes.Clone(live), f...)
	got, m := seqs(b)
	if len(got) != 20 || !m.Newer() || len(m.Damage) > 0 {
		t.Errorf("%d entries, %+v", len(got), m)
	}
	if _, _, ok := Archive("x", b); ok {
		t.Error("packed what it does not know")
	}
}

// FuzzSegment: bytes from anywhere are walked to their end; what is whole is
// shown, and all bytes are either in a frame or in a damage.
func FuzzSegment(f *testing.F) {
	live, _ := made(f, 30)
	packedBytes, _, _ := Archive("x", live)
	f.Add(live)
	f.Add(packedBytes)
	f.Add(live[:len(live)-7])
	f.Add(append([]byte("junk"), live[100:]...))
	f.Fuzz(func(t *testing.T, b []byte) {
		var in int64
		ds := Scan(b, func(f Frame) bool { in += f.Size; return true })
		for _, d := range ds {
			in += d.To - d.From
		}
		if in != int64(len(b)) {
			t.Errorf("%d of %d bytes", in, len(b))
		}
		Walk("x", b, func([]byte, uint64) {})
		Stat("x", bytes.NewReader(b), int64(len(b)))
		if x := Open(bytes.NewReader(b), int64(len(b))); x != nil {
			for _, k := range x.Pick(Want{Marks: []uint32{1}, Levels: 1}) {
				ReadBlock(bytes.NewReader(b), k, nil)
			}
		}
		Archive("x", b)
	})
}
