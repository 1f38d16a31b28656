package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
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
	Fields  []Pair // in the order in which they were given
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
	Fields  json.RawMessage `json:"f,omitempty"`
}

// MarshalJSON writes the line of the package comment.
func (e Entry) MarshalJSON() ([]byte, error) {
	l := line{Seq: e.Seq, Wall: e.Wall.In(pos.CST).Format(wallForm), Boot: e.Boot, Up: e.Up.Milliseconds(), Logical: e.Logical.Milliseconds(),
		Level: e.Level, Code: e.Code, Source: e.Source, Tx: e.Tx, Msg: e.Msg}
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
		return fmt.Errorf("journal: %w", err)
	}
	*e = Entry{Seq: l.Seq, Wall: wall, Boot: l.Boot, Up: time.Duration(l.Up) * time.Millisecond, Logical: time.Duration(l.Logical) * time.Millisecond,
		Level: l.Level, Code: l.Code, Source: l.Source, Tx: l.Tx, Msg: l.Msg}
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

var errFields = errors.New("journal: fields are not flat")

// Get is a field's value, nil if it is not there.
func (e Entry) Get(key string) any {
	for _, p := range e.Fields {
		if p.Key == key {
			return p.Value
		}
	}
	return nil
}

// Text is the fields as people read them: "amount=12.80 rc=00".
func (e Entry) Text() string {
	var b strings.Builder
	for i, p := range e.Fields {
		if i > 0 {
			b.WriteByte(' ')
		}
		v := fmt.Sprint(p.Value)
		if strings.ContainsAny(v, " \"\n\t") {
			v = fmt.Sprintf("%q", v)
		}
		fmt.Fprintf(&b, "%s=%s", p.Key, v)
	}
	return b.String()
}
