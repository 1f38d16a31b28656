// Package parameter reads parameter files: signed texts by which an acquirer changes in
// the field what a board file says of a merchant, its line and its waiting times.
//
// Sources:
//   - TOML: toml.io v1.0
//   - WIRE: firmware/doc/wire.md, "Parameter files"
//   - ADR 46: firmware/doc/adr/0046-signed-parameters.md
package parameter

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"swipewell/firmware/signature"
)

// Duration is a time.Duration that reads "90s".
type Duration struct{ time.Duration }

// UnmarshalText reads "90s", "2m", "500ms".
func (d *Duration) UnmarshalText(b []byte) (err error) {
	d.Duration, err = time.ParseDuration(string(b))
	return err
}

// Reason is why a parameter file is not taken. What is in force stays.
type Reason int

const (
	Form Reason = iota + 1
	Unknown
	Value
	Unsigned
	Key
	Forged
	Older
	Other
	Write
)

// reasons: code, what is wrong, what to do.
var reasons = map[Reason][3]string{
	Form:     {"F-PAR-01", "this is not a parameter file", "postool config check FILE names the line"},
	Unknown:  {"F-PAR-02", "it sets what no file may set", "take the field out; postool config get lists those that may be set"},
	Value:    {"F-PAR-03", "a value is not possible", "correct it, and have the file signed again"},
	Unsigned: {"F-PAR-04", "the file is not signed", "postool config sign --key KEYFILE FILE, by the acquirer"},
	Key:      {"F-PAR-05", "it is signed by a key that this device does not know", "have it signed by a key of [[parameters.key]]"},
	Forged:   {"F-PAR-06", "the signature does not fit: the file was changed after it was signed", "do not use the file; report where it came from"},
	Older:    {"F-PAR-07", "the file is not newer than what this device has", "ask for a file with a higher version"},
	Other:    {"F-PAR-08", "the file is for another device", "bring the file of this terminal"},
	Write:    {"F-PAR-09", "the file cannot be kept", "see check, and room on flash"},
}

// Refusal is a parameter file that is not taken.
type Refusal struct {
	Reason Reason
	What   string // the field, the line, what was found; "" the reason says all
	Err    error
}

func (e *Refusal) Error() string {
	r := reasons[e.Reason]
	s := r[0] + ": " + r[1]
	if e.What != "" {
		s += " (" + e.What + ")"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s + "; " + r[2]
}

func (e *Refusal) Unwrap() error { return e.Err }

// Code of the reason, as firmware/doc has it.
func (r Reason) Code() string { return reasons[r][0] }

// MaxFile bounds a parameter file.
const MaxFile = 16 << 10

// File is a parameter file: what it leaves out stays as the board file has it.
type File struct {
	Version  int    `toml:"version"`  // counts up
	Terminal string `toml:"terminal"` // TID of the only device it is for; "" every one that knows the key
	Merchant struct {
		Name   *string `toml:"name"`
		NameEN *string `toml:"name_en"`
	} `toml:"merchant"`
	Service struct {
		Phone    *string `toml:"phone"`
		Contract *string `toml:"contract"`
	} `toml:"service"`
	Acquirer struct {
		Hosts         []string  `toml:"hosts"`
		AnswerTimeout *Duration `toml:"answer_timeout"`
		DialTimeout   *Duration `toml:"dial_timeout"`
		IdleClose     *Duration `toml:"idle_close"`
		CardTimeout   *Duration `toml:"card_timeout"`
		ConfirmTime   *Duration `toml:"confirm_timeout"`
		PINTimeout    *Duration `toml:"pin_timeout"`
	} `toml:"acquirer"`

	KeyID string `toml:"-"` // who signed it; "" nobody
}

// refuse makes the answer to a file that is not taken.
func refuse(r Reason, what string, err error) error { return &Refusal{r, what, err} }

// Parse reads a parameter file, signed or not. The error is a *Refusal.
func Parse(text string) (*File, error) {
	if len(text) > MaxFile {
		return nil, refuse(Form, fmt.Sprintf("over %d KiB", MaxFile>>10), nil)
	}
	body, _ := signature.Split(text)
	var p File
	md, err := toml.Decode(body, &p)
	if err != nil {
		var pe toml.ParseError
		if errors.As(err, &pe) {
			return nil, refuse(Form, fmt.Sprintf("line %d", pe.Position.Line), errors.New(pe.Message))
		}
		return nil, refuse(Form, "", err)
	}
	if un := md.Undecoded(); len(un) > 0 {
		var names []string
		for _, k := range un {
			names = append(names, k.String())
		}
		slices.Sort(names)
		return nil, refuse(Unknown, strings.Join(names, ", "), nil)
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return &p, nil
}

// check says which value is not possible.
func (p *File) check() error {
	if p.Version < 1 || p.Version > 1<<30 {
		return refuse(Value, "version: must be 1 or more", nil)
	}
	if p.Terminal != "" && len(p.Terminal) != 8 {
		return refuse(Value, "terminal: must have 8 characters", nil)
	}
	for name, s := range map[string]*string{"merchant.name": p.Merchant.Name, "merchant.name_en": p.Merchant.NameEN, "service.phone": p.Service.Phone, "service.contract": p.Service.Contract} {
		if s == nil {
			continue
		}
		if n := utf8.RuneCountInString(*s); n == 0 || n > 40 || !utf8.ValidString(*s) || strings.IndexFunc(*s, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
			return refuse(Value, name+": 1 to 40 characters that can be printed", nil)
		}
	}
	if p.Acquirer.Hosts != nil && (len(p.Acquirer.Hosts) == 0 || len(p.Acquirer.Hosts) > 8) {
		return refuse(Value, "acquirer.hosts: 1 to 8 addresses", nil)
	}
	for _, h := range p.Acquirer.Hosts {
		host, port, err := net.SplitHostPort(h)
		n, perr := strconv.Atoi(port)
		if err != nil || perr != nil || host == "" || n < 1 || n > 65535 || strings.ContainsFunc(h, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return refuse(Value, fmt.Sprintf("acquirer.hosts: %q is not host:port", h), nil)
		}
	}
	// A time too short would make every sale an unknown one, and too long a queue.
	for name, b := range map[string]struct {
		d         *Duration
		low, high int
	}{
		"acquirer.answer_timeout": {p.Acquirer.AnswerTimeout, 10, 180}, "acquirer.dial_timeout": {p.Acquirer.DialTimeout, 5, 180}, "acquirer.idle_close": {p.Acquirer.IdleClose, 1, 3600},
		"acquirer.card_timeout": {p.Acquirer.CardTimeout, 10, 600}, "acquirer.confirm_timeout": {p.Acquirer.ConfirmTime, 5, 600}, "acquirer.pin_timeout": {p.Acquirer.PINTimeout, 15, 600},
	} {
		if b.d != nil && (b.d.Seconds() < float64(b.low) || b.d.Seconds() > float64(b.high)) {
			return refuse(Value, fmt.Sprintf("%s: %d s to %d s", name, b.low, b.high), nil)
		}
	}
	return nil
}

// Load reads a file that a device may believe: signed by one of keys, for
// the terminal tid, and newer than have. The error is a *Refusal.
func Load(text string, keys []ed25519.PublicKey, tid string, have int) (*File, error) {
	// The signature comes first: what nobody signed is not read any further.
	if len(text) > MaxFile {
		return nil, refuse(Form, fmt.Sprintf("over %d KiB", MaxFile>>10), nil)
	}
	id, err := signature.Verify(text, keys)
	switch {
	case errors.Is(err, signature.ErrUnsigned):
		return nil, refuse(Unsigned, "", nil)
	case errors.Is(err, signature.ErrUnknownKey):
		return nil, refuse(Key, "", err)
	case err != nil:
		return nil, refuse(Forged, "", err)
	}
	p, err := Parse(text)
	if err != nil {
		return nil, err
	}
	p.KeyID = id
	switch {
	case p.Terminal != "" && p.Terminal != tid:
		return nil, refuse(Other, p.Terminal, nil)
	case p.Version <= have:
		return nil, refuse(Older, fmt.Sprintf("version %d, and %d is in force", p.Version, have), nil)
	}
	return p, nil
}
