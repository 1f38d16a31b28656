package journal

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"time"

	"swipewell/ui/prompt"
)

// Handler lets log/slog write into the journal: the same lines, the same
// sieve. The attributes "code", "src" and "tx" fill the entry's own places;
// groups become dotted keys. What an attribute's key names as secret (pan,
// track2, pin, mak …) and every []byte comes out as stars.
func (j *Journal) Handler() slog.Handler { return handler{j: j} }

type handler struct {
	j     *Journal
	attrs []slog.Attr // with their groups in the key
	group string
}

func (h handler) Enabled(_ context.Context, l slog.Level) bool {
	return h.j != nil && l >= h.j.o.Level
}

func (h handler) WithGroup(name string) slog.Handler {
	if name != "" {
		h.group += name + "."
	}
	return h
}

func (h handler) WithAttrs(as []slog.Attr) slog.Handler {
	h.attrs = h.attrs[:len(h.attrs):len(h.attrs)]
	for _, a := range as {
		a.Key = h.group + a.Key
		h.attrs = append(h.attrs, a)
	}
	return h
}

func (h handler) Handle(_ context.Context, r slog.Record) error {
	e := Entry{Level: r.Level.String(), Code: prompt.LogMessage, Msg: clip(Sieve(r.Message), 400)}
	for _, a := range h.attrs {
		attr(&e, "", a)
	}
	r.Attrs(func(a slog.Attr) bool {
		attr(&e, h.group, a)
		return true
	})
	h.j.add(e)
	return nil
}

// attr adds one attribute, or those of a group.
func attr(e *Entry, prefix string, a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, b := range v.Group() {
			attr(e, prefix, b)
		}
		return
	}
	key := prefix + a.Key
	if a.Equal(slog.Attr{}) {
		return
	}
	if secretKey(key) {
		e.Fields = append(e.Fields, Pair{Key: key, Value: stars})
		return
	}
	switch key {
	case "code":
		e.Code = prompt.Code(clip(word(v.String()), 16))
		return
	case "src", "source":
		e.Source = clip(word(v.String()), 48)
		return
	case "tx":
		e.Tx = clip(word(v.String()), 80)
		return
	}
	if p := plain(v); p != nil {
		e.Fields = append(e.Fields, Pair{Key: clip(Sieve(key), 48), Value: p})
	}
}

// plain is a value as the journal may hold it.
func plain(v slog.Value) any {
	switch v.Kind() {
	case slog.KindBool:
		return v.Bool()
	case slog.KindInt64:
		return number("", v.Int64()).val
	case slog.KindUint64:
		if s := fmt.Sprint(v.Uint64()); Sieve(s) != s {
			return stars
		} else if v.Uint64() > 1<<62 {
			return s
		}
		return int64(v.Uint64())
	case slog.KindFloat64:
		if s := fmt.Sprintf("%.0f", v.Float64()); Sieve(s) != s {
			return stars
		}
		return Sieve(fmt.Sprint(v.Float64()))
	case slog.KindDuration:
		return v.Duration().String()
	case slog.KindTime:
		return v.Time().Format(time.RFC3339Nano)
	case slog.KindString:
		return clip(Sieve(v.String()), 400)
	}
	switch x := v.Any().(type) {
	case nil:
		return nil
	case []byte:
		return stars
	case error:
		return clip(Sieve(x.Error()), 400)
	case fmt.Stringer:
		return clip(Sieve(x.String()), 400)
	}
	// A struct or a map may hold anything, so only its type is told.
	switch r := reflect.ValueOf(v.Any()); r.Kind() {
	case reflect.String:
		return clip(Sieve(r.String()), 400)
	case reflect.Bool:
		return r.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return number("", r.Int()).val
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return number("", int64(r.Uint())).val
	}
	if ss, ok := v.Any().([]string); ok {
		return clip(Sieve(strings.Join(ss, " ")), 400)
	}
	return fmt.Sprintf("(%T)", v.Any())
}

// secretKey tells that a key's last word names what is never logged.
func secretKey(key string) bool {
	k := strings.ToLower(key[strings.LastIndexByte(key, '.')+1:])
	switch k {
	case "de2", "de14", "de35", "de36", "de45", "de52", "de55":
		return true
	}
	switch strings.TrimRight(k, "0123456789_-") {
	case "pan", "track", "pin", "pinblock", "pin_block", "cvv", "cvn", "cvc", "expiry", "exp", "keyvalue", "key_value",
		"cryptogram", "tmk", "pik", "mak", "tdk", "secret", "password":
		return true
	}
	return false
}
