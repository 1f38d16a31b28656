package tape

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
)

// flat is a value as paths and texts: "Durable.Clock.Day": "20512". What is zero is not
// in it.
type flat map[string]string

// names are the numbers that cards have on one tape. A desk that runs a tape again
// has numbers for names already: they stay as they are.
type names struct {
	plain bool // names are numbers
	refs  map[pos.CardRef]uint32
	keys  map[throttle.Key]uint32
	cards map[uint64]uint32
	bins  map[uint32]uint32
	sieve func(string) string
}

func newNames(sieve func(string) string) *names {
	return &names{refs: map[pos.CardRef]uint32{}, keys: map[throttle.Key]uint32{}, cards: map[uint64]uint32{}, bins: map[uint32]uint32{}, sieve: sieve}
}

func number[K comparable](m map[K]uint32, k K) uint32 {
	n, ok := m[k]
	if !ok {
		n = uint32(len(m) + 1)
		m[k] = n
	}
	return n
}

func (n *names) ref(r pos.CardRef) uint32 {
	if n.plain {
		return binary.BigEndian.Uint32(r[12:])
	}
	return number(n.refs, r)
}

func (n *names) key(k throttle.Key) uint32 {
	if n.plain {
		return binary.BigEndian.Uint32(k[12:])
	}
	return number(n.keys, k)
}

func (n *names) tags(t throttle.Tags) throttle.Tags {
	if n.plain {
		return t
	}
	if t.Card != 0 {
		t.Card = uint64(number(n.cards, t.Card))
	}
	if t.Bin8 != 0 {
		t.Bin8 = number(n.bins, t.Bin8)
	}
	return t
}

// masked keeps what is masked. PCIDSS.
func masked(m pos.MaskedPAN) string {
	digits := 0
	for _, r := range m {
		if r >= '0' && r <= '9' {
			digits++
		}
	}
	if digits > 10 {
		return "****"
	}
	return string(m)
}

// size stands for what is not kept.
func size(s string) string {
	if s == "" || strings.HasPrefix(s, "#") {
		return s
	}
	return "#" + strconv.Itoa(len(s))
}

// add puts v into f under the path.
func (n *names) add(f flat, path string, v reflect.Value) {
	if v.IsZero() {
		return
	}
	switch x := v.Interface().(type) {
	case pos.CardRef:
		f[path] = strconv.FormatUint(uint64(n.ref(x)), 10)
		return
	case throttle.Key:
		f[path] = strconv.FormatUint(uint64(n.key(x)), 10)
		return
	case throttle.Card:
		row := hex.EncodeToString(x.AppendRow(nil))
		f[path] = strconv.FormatUint(uint64(n.key(x.Key)), 10) + " " + row
		return
	case throttle.Tags:
		x = n.tags(x)
		f[path] = fmt.Sprintf("%d %d", x.Card, x.Bin8)
		return
	case pos.MaskedPAN:
		f[path] = masked(x)
		return
	case pos.Chip:
		x.ICC = size(x.ICC)
		v = reflect.ValueOf(x)
	case txn.Says:
		x.Scripts = size(x.Scripts)
		v = reflect.ValueOf(x)
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if t := v.Type().Field(i); t.IsExported() {
				n.add(f, join(path, t.Name), v.Field(i))
			}
		}
	case reflect.Array, reflect.Slice:
		for i := range v.Len() {
			n.add(f, join(path, strconv.Itoa(i)), v.Index(i))
		}
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			f[path] = n.sieve(v.String())
			return
		}
		f[path] = v.String()
	case reflect.Bool:
		f[path] = "1"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		f[path] = strconv.FormatInt(v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		f[path] = strconv.FormatUint(v.Uint(), 10)
	case reflect.Float64:
		f[path] = strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	// Pointers (the rules, the log of the desk) are no facts of a step.
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (n *names) flatten(v any) flat {
	f := flat{}
	n.add(f, "", reflect.ValueOf(v))
	return f
}

var errPath = errors.New("tape: a field that this build does not know")

// build puts a flat value into the struct that p points to.
func (f flat) build(p any) error {
	for path, s := range f {
		if err := set(reflect.ValueOf(p).Elem(), path, s); err != nil {
			return fmt.Errorf("%w: %s=%q", err, path, s)
		}
	}
	return nil
}

func set(v reflect.Value, path, s string) error {
	for path != "" {
		var name string
		name, path, _ = strings.Cut(path, ".")
		switch v.Kind() {
		case reflect.Struct:
			if v = v.FieldByName(name); !v.IsValid() || !v.CanSet() {
				return errPath
			}
		case reflect.Array:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= v.Len() {
				return errPath
			}
			v = v.Index(i)
		default:
			return errPath
		}
	}
	switch v.Interface().(type) {
	case pos.CardRef:
		k, err := named(s)
		v.Set(reflect.ValueOf(pos.CardRef(k)))
		return err
	case throttle.Key:
		k, err := named(s)
		v.Set(reflect.ValueOf(throttle.Key(k)))
		return err
	case throttle.Card:
		key, row, _ := strings.Cut(s, " ")
		k, err := named(key)
		if err != nil {
			return err
		}
		b, err := hex.DecodeString(row)
		if err != nil {
			return err
		}
		c, err := throttle.ParseCard(throttle.Key(k), b)
		v.Set(reflect.ValueOf(c))
		return err
	case throttle.Tags:
		var t throttle.Tags
		_, err := fmt.Sscan(s, &t.Card, &t.Bin8)
		v.Set(reflect.ValueOf(t))
		return err
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Bool:
		v.SetBool(s == "1")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(s, 10, v.Type().Bits())
		v.SetInt(n)
		return err
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, err := strconv.ParseUint(s, 10, v.Type().Bits())
		v.SetUint(n)
		return err
	case reflect.Float64:
		x, err := strconv.ParseFloat(s, 64)
		v.SetFloat(x)
		return err
	default:
		return errPath
	}
	return nil
}

// named is a card's number as the sixteen bytes of a name.
func named(s string) (k [16]byte, err error) {
	n, err := strconv.ParseUint(s, 10, 32)
	binary.BigEndian.PutUint32(k[12:], uint32(n))
	return k, err
}

// delta is what has changed from one flat value to the next.
type delta struct {
	Put  flat     `json:"+,omitempty"`
	Gone []string `json:"~,omitempty"`
}

func (f flat) to(next flat) (d delta) {
	for k, v := range next {
		if f[k] != v {
			if d.Put == nil {
				d.Put = flat{}
			}
			d.Put[k] = v
		}
	}
	for k := range f {
		if _, ok := next[k]; !ok {
			d.Gone = append(d.Gone, k)
		}
	}
	return d
}

// with is the next flat value.
func (f flat) with(d delta) flat {
	out := make(flat, len(f)+len(d.Put))
	for k, v := range f {
		out[k] = v
	}
	for _, k := range d.Gone {
		delete(out, k)
	}
	for k, v := range d.Put {
		out[k] = v
	}
	return out
}
