// Package entry is one fact of the entry: its JSON line for people and
// programs, and its record on disk.
//
// Sources:
//   - FLASHLOGS: flash_logs §3, the fields of an entry
//   - JSON: RFC 8259
//
// A record is a chain of parts, each a byte number<<1|form and then a varint
// (form 0) or a varint length and bytes (form 1): 1 seq, 2 wall (Unix
// milliseconds), 3 up, 4 logical (milliseconds), 5 boot, 6 level (log/slog's, plus 16),
// 7 code, 8 source, 9 tx, 10 msg, 11 a field (key, 0, kind s i f b, text), 12 a
// card's name. A part with another number is of a newer version: it is kept.
package entry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// Entry is one line of the journal.
type Entry struct {
	Seq     uint64
	Wall    time.Time
	Boot    string        // id of the start of the program
	Up      time.Duration // since then
	Logical time.Duration // the device's logical time
	Level   string        // DEBUG INFO WARN ERROR
	Code    prompt.Code
	Source  string
	Tx      string
	Msg     string // of a plain line
	Ref     string // a card's name in the journal; never beside a masked number
	Fields  []Pair // in the order in which they were given
	Unknown []byte // parts of a newer version, as they were
}

// Pair is a field as it was written: Value is a string, int64, float64 or bool.
type Pair struct {
	Key   string
	Value any
}

// wallForm is RFC 3339 with milliseconds.
const wallForm = "2006-01-02T15:04:05.000Z07:00"

// line is an Entry's form on disk and on the service socket.
type line struct {
	Seq     uint64          `json:"seq"`
	Wall    string          `json:"t"`
	Boot    string          `json:"boot"`
	Up      int64           `json:"up"`
	Logical int64           `json:"log"`
	Level   string          `json:"lvl"`
	Code    prompt.Code     `json:"code"`
	Source  string          `json:"src,omitempty"`
	Tx      string          `json:"tx,omitempty"`
	Msg     string          `json:"msg,omitempty"`
	Ref     string          `json:"ref,omitempty"`
	Unknown []byte          `json:"unknown,omitempty"`
	Fields  json.RawMessage `json:"f,omitempty"`
}

// MarshalJSON writes the line of the package comment.
func (e Entry) MarshalJSON() ([]byte, error) {
	l := line{Seq: e.Seq, Wall: e.Wall.In(pos.CST).Format(wallForm), Boot: e.Boot, Up: e.Up.Milliseconds(), Logical: e.Logical.Milliseconds(),
		Level: e.Level, Code: e.Code, Source: e.Source, Tx: e.Tx, Msg: e.Msg, Ref: e.Ref, Unknown: e.Unknown}
	if len(e.Fields) > 0 {
		var b bytes.Buffer
		for i, p := range e.Fields {
			k, err := json.Marshal(p.Key)
			if err != nil {
				return nil, err
			}
			v, err := json.Marshal(p.Value)
			if err != nil {
				return nil, err
			}
			b.WriteByte("{,"[min(i, 1)])
			b.Write(k)
			b.WriteByte(':')
			b.Write(v)
		}
		b.WriteByte('}')
		l.Fields = b.Bytes()
	}
	return json.Marshal(l)
}

// UnmarshalJSON is the inverse; unknown keys are ignored.
func (e *Entry) UnmarshalJSON(raw []byte) error {
	var l line
	if err := json.Unmarshal(raw, &l); err != nil {
		return err
	}
	wall, err := time.Parse(wallForm, l.Wall)
	if err != nil {
		return fmt.Errorf("entry: %w", err)
	}
	*e = Entry{Seq: l.Seq, Wall: wall, Boot: l.Boot, Up: time.Duration(l.Up) * time.Millisecond, Logical: time.Duration(l.Logical) * time.Millisecond,
		Level: l.Level, Code: l.Code, Source: l.Source, Tx: l.Tx, Msg: l.Msg, Ref: l.Ref, Unknown: l.Unknown}
	if len(l.Fields) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(l.Fields))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errFields
	}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return err
		}
		key, ok := k.(string)
		var v any
		if err := d.Decode(&v); err != nil || !ok {
			return errFields
		}
		switch x := v.(type) {
		case json.Number:
			if n, err := x.Int64(); err == nil {
				v = n
			} else if f, err := x.Float64(); err == nil {
				v = f
			} else {
				return errFields
			}
		case string, bool:
		default:
			return errFields
		}
		e.Fields = append(e.Fields, Pair{key, v})
	}
	return nil
}

var errFields = errors.New("entry: fields are not flat")

// Get is a field's value, nil if it is not there.
func (e Entry) Get(key string) any {
	for _, p := range e.Fields {
		if p.Key == key {
			return p.Value
		}
	}
	return nil
}
