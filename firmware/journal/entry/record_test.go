package entry

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

func drawn(t *rapid.T) Entry {
	e := Entry{Seq: rapid.Uint64Min(1).Draw(t, "seq"), Wall: time.UnixMilli(rapid.Int64Range(1, 4e12).Draw(t, "wall")).In(pos.CST),
		Up: time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "up")) * time.Millisecond, Logical: time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "logical")) * time.Millisecond,
		Boot: rapid.String().Draw(t, "boot"), Level: rapid.SampledFrom([]string{"DEBUG", "INFO", "WARN", "ERROR", "INFO+2"}).Draw(t, "level"),
		Code: prompt.Code(rapid.String().Draw(t, "code")), Source: rapid.String().Draw(t, "source"), Tx: rapid.String().Draw(t, "tx"),
		Msg: rapid.String().Draw(t, "msg"), Ref: rapid.String().Draw(t, "ref")}
	for range rapid.IntRange(0, 4).Draw(t, "fields") {
		e.Fields = append(e.Fields, Pair{Key: rapid.StringMatching(`[a-z_.]{1,8}`).Draw(t, "key"), Value: rapid.OneOf(rapid.String().AsAny(), rapid.Int64().AsAny(),
			rapid.Bool().AsAny(), rapid.Float64Range(-1e9, 1e9).AsAny()).Draw(t, "value")})
	}
	return e
}

func TestRecordRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawn(t)
		b := e.Append(nil)
		got, err := Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(e, got); d != "" {
			t.Fatal(d)
		}
		if SeqOf(b) != e.Seq {
			t.Fatal("its number is not its first part")
		}
	})
}

// A part of a newer version is kept, and written again as it was.
func TestUnknownPartsAreKept(t *testing.T) {
	e := Entry{Seq: 7, Wall: time.UnixMilli(1).In(pos.CST), Level: "INFO", Tx: "x"}
	b := append(e.Append(nil), 60<<1|1, 3, 'n', 'e', 'w', 61<<1, 0x85, 0x01)
	got, err := Parse(b)
	if err != nil || string(got.Unknown) != string(b[len(b)-8:]) {
		t.Fatalf("%+v %v", got, err)
	}
	if again := got.Append(nil); string(again) != string(b) {
		t.Errorf("%x, was %x", again, b)
	}
	raw, err := got.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var back Entry
	if err := back.UnmarshalJSON(raw); err != nil || string(back.Unknown) != string(got.Unknown) {
		t.Errorf("%s %v", raw, err)
	}
}

// FuzzParse: bytes from anywhere are a record or refused; what is one is written and read to the same.
func FuzzParse(f *testing.F) {
	e := Entry{Seq: 7, Wall: time.UnixMilli(1e12).In(pos.CST), Level: "WARN", Tx: "x", Fields: []Pair{{Key: "a", Value: int64(1)}, {Key: "b", Value: true}, {Key: "c", Value: 1.5}}}
	f.Add(e.Append(nil))
	f.Add([]byte{2, 1, 22, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := Parse(raw)
		if err != nil {
			return
		}
		again, err := Parse(e.Append(nil))
		if err != nil {
			t.Fatalf("%+v: %v", e, err)
		}
		for i := range e.Fields { // NaN is not itself
			if f, ok := e.Fields[i].Value.(float64); ok && f != f {
				e.Fields[i].Value, again.Fields[i].Value = 0.0, 0.0
			}
		}
		if d := cmp.Diff(e, again); d != "" {
			t.Error(d)
		}
	})
}
