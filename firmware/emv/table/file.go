package table

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"swipewell/firmware/emv"
	"swipewell/firmware/emv/tlv"
	"swipewell/firmware/signature"
)

// Limits of tables, so that no file and no host can fill a device.
const (
	MaxFile = 256 << 10 // bytes of a file
	MaxKeys = 128
	MaxApps = 64
)

// Errors of a file as a whole. A record that is not in order is no error of the
// file: [File.Refused].
var (
	ErrFile  = errors.New("table: not a file of tables")
	ErrOlder = errors.New("table: older than one that this device has had")
)

// File is a file of tables: TOML that people read and compare, with a signature
// behind it. WIRE.
type File struct {
	Version int    // from 1; a device takes none that is below one it has had
	Name    string // whose tables they are
	KeyID   string // of the signature; "" if nobody has looked
	Set     Set
	Refused []error // records that are not used, as [*Refused]
}

// testSigner is the public half of the bench's signing key, whose private half is
// published with the bench. firmware/board refuses it on any other board.
const testSigner = "srg0/fKB0p2nrHfjoYaZfuasejA+qzZ3HFSUYYXzDjk="

// TestSigner tells whether a key is the published one of the bench.
func TestSigner(k ed25519.PublicKey) bool {
	return base64.StdEncoding.EncodeToString(k) == testSigner
}

// kind is how a field stands in a file.
type kind uint8

const (
	asHex   kind = iota
	asDay        // "2030-12-31"
	asBytes      // a whole number; big-endian in as many bytes as the field has
	asBCD        // a whole number; two digits a byte
	asFlag       // true is 01
	asFlip       // true is 00
)

type column struct {
	name string
	tag  tlv.Tag
	as   kind
}

var keyColumns = []column{{"rid", tagAID, asHex}, {"index", tagIndex, asHex}, {"expiry", tagExpiry, asDay}, {"exponent", tagExponent, asHex},
	{"modulus", tagModulus, asHex}, {"checksum", tagChecksum, asHex}}

var appColumns = []column{{"aid", tagAID, asHex}, {"partial", tagASI, asFlip}, {"version", tagVersion, asHex}, {"tac_default", emv.TagTACDefault, asHex},
	{"tac_online", emv.TagTACOnline, asHex}, {"tac_denial", emv.TagTACDenial, asHex}, {"floor_limit", tagFloor, asBytes}, {"random_threshold", emv.TagThreshold, asBytes},
	{"random_target", emv.TagTarget, asBCD}, {"random_max", emv.TagMaxTarget, asBCD}, {"ddol", emv.TagDDOL, asHex}, {"tdol", tagTDOL, asHex},
	{"online_pin", tagOnlinePIN, asFlag}, {"ecash_limit", TagECashLimit, asBCD}, {"contactless_floor", TagContactlessFloor, asBCD},
	{"contactless_max", TagContactlessMax, asBCD}, {"contactless_cvm", TagContactlessCVM, asBCD}}

// LoadFile reads a file as a device does: signed by a key that it knows, and not
// below the version have that it has had. Errors are those of package signature,
// ErrFile and ErrOlder.
func LoadFile(text string, keys []ed25519.PublicKey, have int) (*File, error) {
	id, err := signature.Verify(text, keys)
	if err != nil {
		return nil, err
	}
	f, err := ParseFile(text)
	if err != nil {
		return nil, err
	}
	if f.Version < have {
		return nil, fmt.Errorf("%w: version %d, had %d", ErrOlder, f.Version, have)
	}
	f.KeyID = id
	return f, nil
}

// ParseFile reads a file and does not look at its signature.
func ParseFile(text string) (*File, error) {
	if len(text) > MaxFile {
		return nil, fmt.Errorf("%w: over %d KiB", ErrFile, MaxFile>>10)
	}
	body, _ := signature.Split(text)
	var raw struct {
		Version int              `toml:"version"`
		Name    string           `toml:"name"`
		Keys    []map[string]any `toml:"key"`
		Apps    []map[string]any `toml:"app"`
	}
	md, err := toml.Decode(body, &raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	switch extra := md.Undecoded(); {
	case len(extra) > 0:
		return nil, fmt.Errorf("%w: unknown key %v", ErrFile, extra[0])
	case raw.Version < 1:
		return nil, fmt.Errorf("%w: a version from 1 on", ErrFile)
	case len(raw.Keys) > MaxKeys || len(raw.Apps) > MaxApps:
		return nil, fmt.Errorf("%w: over %d keys or %d applications", ErrFile, MaxKeys, MaxApps)
	}
	f := &File{Version: raw.Version, Name: raw.Name}
	for _, row := range raw.Keys {
		f.add(row, keyColumns, func(b []byte) error {
			k, err := ParseKey(b)
			if err != nil {
				return err
			}
			if _, ok := f.Set.Key(k.KeyID); ok {
				return refuse(k.String(), ErrTwice)
			}
			return f.Set.PutKey(k)
		})
	}
	for _, row := range raw.Apps {
		f.add(row, appColumns, func(b []byte) error {
			a, err := ParseApp(b)
			if err != nil {
				return err
			}
			if _, ok := f.Set.App(a.AID); ok {
				return refuse(a.Name(), ErrTwice)
			}
			return f.Set.PutApp(a)
		})
	}
	return f, nil
}

// add makes a record of a row of the file, so that both come in by one door.
func (f *File) add(row map[string]any, columns []column, put func([]byte) error) {
	b, err := fromRow(row, columns)
	if err == nil {
		err = put(b)
	}
	if err != nil {
		f.Refused = append(f.Refused, err)
	}
}

func fromRow(row map[string]any, columns []column) (b []byte, err error) {
	name := rowName(row)
	for _, c := range columns {
		v, ok := row[c.name]
		if !ok {
			continue
		}
		value, ok := c.read(v)
		if !ok {
			return nil, refuse(name, fmt.Errorf("%s: %w", c.name, ErrValue))
		}
		b = tlv.Append(b, c.tag, value)
	}
	for _, k := range slices.Sorted(maps.Keys(row)) {
		if !slices.ContainsFunc(columns, func(c column) bool { return c.name == k }) {
			return nil, refuse(name, fmt.Errorf("%w %s", ErrUnknown, k))
		}
	}
	return b, nil
}

// rowName is what a row calls itself, for an error.
func rowName(row map[string]any) string {
	hexOf := func(k string) string {
		s, _ := row[k].(string)
		if b, err := hex.DecodeString(s); err != nil || len(b) == 0 || len(b) > 16 {
			return "?"
		}
		return strings.ToUpper(s)
	}
	if _, ok := row["rid"]; ok {
		return hexOf("rid") + "/" + hexOf("index")
	}
	return hexOf("aid")
}

// size is how many bytes a number takes.
func (c column) size() int { return appFields[c.tag].max }

func (c column) read(v any) ([]byte, bool) {
	switch v := v.(type) {
	case string:
		switch c.as {
		case asHex:
			b, err := hex.DecodeString(v)
			return b, err == nil
		case asDay:
			s := strings.ReplaceAll(v, "-", "")
			return bcdOf(s), len(v) == 10 && v[4] == '-' && v[7] == '-' && Day(s)
		}
	case int64:
		switch {
		case v < 0:
			return nil, false
		case c.as == asBytes && v <= math.MaxUint32:
			return []byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}, true
		case c.as == asBCD:
			s := fmt.Sprintf("%0*d", 2*c.size(), v)
			return bcdOf(s), len(s) == 2*c.size()
		}
	case bool:
		if c.as == asFlag || c.as == asFlip {
			if v == (c.as == asFlag) {
				return []byte{1}, true
			}
			return []byte{0}, true
		}
	}
	return nil, false
}

// bcdOf packs digits; nothing of a text that has others.
func bcdOf(s string) []byte {
	if len(s)%2 != 0 || strings.Trim(s, "0123456789") != "" {
		return nil
	}
	return bcd(s)
}

func (c column) write(b []byte) string {
	switch c.as {
	case asDay:
		s := hex.EncodeToString(b)
		return strconv.Quote(s[:4] + "-" + s[4:6] + "-" + s[6:])
	case asBytes:
		n := uint32(0)
		for _, x := range b {
			n = n<<8 | uint32(x)
		}
		return strconv.FormatUint(uint64(n), 10)
	case asBCD:
		s := strings.TrimLeft(hex.EncodeToString(b), "0")
		if s == "" {
			s = "0"
		}
		return s
	case asFlag:
		return strconv.FormatBool(b[0] == 1)
	case asFlip:
		return strconv.FormatBool(b[0] == 0)
	}
	return strconv.Quote(strings.ToUpper(hex.EncodeToString(b)))
}

// Text is the file, unsigned: the same set gives the same text.
func (f *File) Text() string {
	var s strings.Builder
	fmt.Fprintf(&s, "# Tables for chip cards. Amounts are in the smallest unit of the currency.\nversion = %d\nname = %s\n", f.Version, quote(f.Name))
	for _, k := range f.Set.keys {
		row(&s, "key", k.Append(nil), keyColumns)
	}
	for _, a := range f.Set.apps {
		row(&s, "app", a.Append(nil), appColumns)
	}
	return s.String()
}

func row(s *strings.Builder, head string, record []byte, columns []column) {
	fmt.Fprintf(s, "\n[[%s]]\n", head)
	for _, c := range columns {
		if v, ok := tlv.Find(record, c.tag); ok {
			fmt.Fprintf(s, "%s = %s\n", c.name, c.write(v))
		}
	}
}

// quote writes a TOML string of one line.
func quote(s string) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F || r == 0xFFFD {
			return -1
		}
		return r
	}, s)
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(clean) + `"`
}
