// Package otlp writes entries as OpenTelemetry log records in JSON, a line of LogsData for each
// batch, as collectors' file receivers read them.
//
// Sources:
//   - OTLP: OpenTelemetry protocol 1.x, opentelemetry/proto/logs/v1/logs.proto, and its JSON mapping: trace ids in hex, 64-bit numbers
//     as strings, enums as numbers, names in lowerCamelCase
//   - LOGDATA: OpenTelemetry logs data model, severity numbers
//   - FILE: OpenTelemetry file exporter, one line of JSON a message
//
// A source is a scope, a transaction a trace, the event's code the event name. What is no part of
// the data model is an attribute swipewell.*, and fields keep their names.
package otlp

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strconv"

	"swipewell/firmware/journal/entry"
)

// Resource is whose entries they are; what is empty is left out.
type Resource struct {
	Terminal string // service.instance.id
	Build    string // service.version
}

type (
	data struct {
		ResourceLogs []resourceLogs `json:"resourceLogs"`
	}
	resourceLogs struct {
		Resource  attributes  `json:"resource"`
		ScopeLogs []scopeLogs `json:"scopeLogs"`
	}
	attributes struct {
		Attributes []keyValue `json:"attributes"`
	}
	scopeLogs struct {
		Scope      scope    `json:"scope"`
		LogRecords []record `json:"logRecords"`
	}
	scope struct {
		Name string `json:"name"`
	}
	keyValue struct {
		Key   string `json:"key"`
		Value value  `json:"value"`
	}
	value struct {
		String *string  `json:"stringValue,omitempty"`
		Bool   *bool    `json:"boolValue,omitempty"`
		Int    *string  `json:"intValue,omitempty"` // int64: a string in JSON
		Double *float64 `json:"doubleValue,omitempty"`
	}
	record struct {
		Time     string     `json:"timeUnixNano"`
		Observed string     `json:"observedTimeUnixNano"`
		Severity int        `json:"severityNumber"`
		Text     string     `json:"severityText"`
		Body     *value     `json:"body,omitempty"`
		Fields   []keyValue `json:"attributes,omitempty"`
		Trace    string     `json:"traceId,omitempty"`
		Event    string     `json:"eventName,omitempty"`
	}
)

func text(s string) value   { return value{String: &s} }
func whole(n int64) value   { s := strconv.FormatInt(n, 10); return value{Int: &s} }
func real(f float64) value  { return value{Double: &f} }
func yesNo(on bool) value   { return value{Bool: &on} }
func nano(ms int64) string  { return strconv.FormatInt(ms*1e6, 10) }
func known(s string) *value { v := text(s); return &v }

// Severity is a level's number: LOGDATA has four a name, of which ours is the first.
func Severity(l slog.Level) int {
	switch {
	case l >= slog.LevelError:
		return 17
	case l >= slog.LevelWarn:
		return 13
	case l >= slog.LevelInfo:
		return 9
	}
	return 5
}

// Trace is a transaction's trace id: the same for the same device and transaction, wherever its
// entries are exported; "" for no transaction.
func Trace(terminal, tx string) string {
	if tx == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("swipewell trace " + terminal + " " + tx))
	return hex.EncodeToString(sum[:16])
}

// batch is how many entries a line has at most.
const batch = 512

// Writer makes lines of entries.
type Writer struct {
	w   io.Writer
	r   Resource
	say func(entry.Entry) string
	es  []entry.Entry
}

// New makes a writer; say gives the words of an entry, its body.
func New(w io.Writer, r Resource, say func(entry.Entry) string) *Writer {
	return &Writer{w: w, r: r, say: say}
}

// Add takes an entry.
func (w *Writer) Add(e entry.Entry) error {
	if w.es = append(w.es, e); len(w.es) < batch {
		return nil
	}
	return w.Flush()
}

// Flush writes what is left.
func (w *Writer) Flush() error {
	if len(w.es) == 0 {
		return nil
	}
	res := []keyValue{{"service.name", text("posd")}, {"service.namespace", text("swipewell")}}
	if w.r.Terminal != "" {
		res = append(res, keyValue{"service.instance.id", text(w.r.Terminal)})
	}
	if w.r.Build != "" {
		res = append(res, keyValue{"service.version", text(w.r.Build)})
	}
	l := resourceLogs{Resource: attributes{res}}
	at := map[string]int{}
	for _, e := range w.es {
		i, ok := at[e.Source]
		if !ok {
			i = len(l.ScopeLogs)
			at[e.Source] = i
			l.ScopeLogs = append(l.ScopeLogs, scopeLogs{Scope: scope{e.Source}})
		}
		l.ScopeLogs[i].LogRecords = append(l.ScopeLogs[i].LogRecords, w.record(e))
	}
	w.es = w.es[:0]
	b, err := json.Marshal(data{[]resourceLogs{l}})
	if err != nil {
		return err
	}
	_, err = w.w.Write(append(b, '\n'))
	return err
}

func (w *Writer) record(e entry.Entry) record {
	t := nano(max(e.Wall.UnixMilli(), 0))
	if e.Wall.IsZero() {
		t = "0" // not known, by LOGDATA
	}
	r := record{Time: t, Observed: t, Severity: Severity(entry.Level(e.Level)), Text: e.Level, Trace: Trace(w.r.Terminal, e.Tx), Event: string(e.Code)}
	if s := w.say(e); s != "" {
		r.Body = known(s)
	}
	add := func(k string, v value) { r.Fields = append(r.Fields, keyValue{k, v}) }
	add("swipewell.seq", whole(int64(min(e.Seq, 1<<62))))
	add("swipewell.boot", text(e.Boot))
	add("swipewell.up_ms", whole(e.Up.Milliseconds()))
	add("swipewell.logical_ms", whole(e.Logical.Milliseconds()))
	if e.Tx != "" {
		add("swipewell.tx", text(e.Tx))
	}
	if e.Ref != "" {
		add("swipewell.card", text(e.Ref))
	}
	for _, f := range e.Fields {
		switch v := f.Value.(type) {
		case int64:
			add(f.Key, whole(v))
		case bool:
			add(f.Key, yesNo(v))
		case float64:
			add(f.Key, real(v))
		default:
			add(f.Key, text(fmt.Sprint(v)))
		}
	}
	return r
}
