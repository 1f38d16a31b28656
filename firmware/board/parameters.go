package board

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"swipewell/firmware/signature"
)

// Parameters say whose parameter files are believed: files that change in the
// field what a board file says of a merchant, its line and its waiting times.
type Parameters struct {
	Keys []ParametersKey `toml:"key"`
}

// ParametersKey is somebody who may sign such a file.
type ParametersKey struct {
	Name string `toml:"name"`
	Key  string `toml:"key"` // ed25519 public key, base64, made by postool keygen
}

func (f *File) checkParameters() {
	names := map[string]bool{}
	for _, k := range f.Parameters.Keys {
		if _, err := signature.Key(k.Key); err != nil {
			f.fault("parameters.key", fmt.Sprintf("the key of %q must be 32 bytes in base64", k.Name))
		}
		if k.Name == "" || names[k.Name] {
			f.fault("parameters.key", "each needs a name of its own")
		}
		names[k.Name] = true
	}
}

// ParameterKeys are those that may sign a parameter file for this board.
func (f *File) ParameterKeys() (keys []ed25519.PublicKey) {
	if len(f.wrong["parameters"]) > 0 {
		return nil
	}
	for _, k := range f.Parameters.Keys {
		if pub, err := signature.Key(k.Key); err == nil {
			keys = append(keys, pub)
		}
	}
	return keys
}

// ParamReason is why a parameter file is not taken. What is in force stays.
type ParamReason int

const (
	ParamForm ParamReason = iota + 1
	ParamUnknown
	ParamValue
	ParamUnsigned
	ParamKey
	ParamForged
	ParamOlder
	ParamOther
	ParamWrite
)

// paramReasons: code, what is wrong, what to do.
var paramReasons = map[ParamReason][3]string{
	ParamForm:     {"F-PAR-01", "this is not a parameter file", "see wire.md, section 14; postool config diff names the line"},
	ParamUnknown:  {"F-PAR-02", "it sets what no file may set", "take the field out; postool config get lists those that may be set"},
	ParamValue:    {"F-PAR-03", "a value is not possible", "correct it, and have the file signed again"},
	ParamUnsigned: {"F-PAR-04", "the file is not signed", "postool config sign --key KEYFILE FILE, by the acquirer"},
	ParamKey:      {"F-PAR-05", "it is signed by a key that this device does not know", "have it signed by a key of [[parameters.key]]"},
	ParamForged:   {"F-PAR-06", "the signature does not fit: the file was changed after it was signed", "do not use the file; report where it came from"},
	ParamOlder:    {"F-PAR-07", "the file is not newer than what this device has", "ask for a file with a higher version"},
	ParamOther:    {"F-PAR-08", "the file is for another device", "bring the file of this terminal"},
	ParamWrite:    {"F-PAR-09", "the file cannot be kept", "see check, and room on flash"},
}

// ParamRefusal is a parameter file that is not taken.
type ParamRefusal struct {
	Reason ParamReason
	What   string // the field, the line, what was found; "" the reason says all
	Err    error
}

func (e *ParamRefusal) Error() string {
	r := paramReasons[e.Reason]
	s := r[0] + ": " + r[1]
	if e.What != "" {
		s += " (" + e.What + ")"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s + "; " + r[2]
}

func (e *ParamRefusal) Unwrap() error { return e.Err }

// Code of the reason, as firmware/doc has it.
func (r ParamReason) Code() string { return paramReasons[r][0] }

// MaxParameters bounds a parameter file.
const MaxParameters = 16 << 10

// ParamFile is a parameter file: what it leaves out stays as the board file has it.
type ParamFile struct {
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
func refuse(r ParamReason, what string, err error) error { return &ParamRefusal{r, what, err} }

// ParseParameters reads a parameter file, signed or not. The error is a *ParamRefusal.
func ParseParameters(text string) (*ParamFile, error) {
	if len(text) > MaxParameters {
		return nil, refuse(ParamForm, fmt.Sprintf("over %d KiB", MaxParameters>>10), nil)
	}
	body, _ := signature.Split(text)
	var p ParamFile
	md, err := toml.Decode(body, &p)
	if err != nil {
		var pe toml.ParseError
		if errors.As(err, &pe) {
			return nil, refuse(ParamForm, fmt.Sprintf("line %d", pe.Position.Line), errors.New(pe.Message))
		}
		return nil, refuse(ParamForm, "", err)
	}
	if un := md.Undecoded(); len(un) > 0 {
		var names []string
		for _, k := range un {
			names = append(names, k.String())
		}
		slices.Sort(names)
		return nil, refuse(ParamUnknown, strings.Join(names, ", "), nil)
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return &p, nil
}

// check says which value is not possible.
func (p *ParamFile) check() error {
	if p.Version < 1 || p.Version > 1<<30 {
		return refuse(ParamValue, "version: must be 1 or more", nil)
	}
	if p.Terminal != "" && len(p.Terminal) != 8 {
		return refuse(ParamValue, "terminal: must have 8 characters", nil)
	}
	for name, s := range map[string]*string{"merchant.name": p.Merchant.Name, "merchant.name_en": p.Merchant.NameEN, "service.phone": p.Service.Phone, "service.contract": p.Service.Contract} {
		if s == nil {
			continue
		}
		if n := utf8.RuneCountInString(*s); n == 0 || n > 40 || !utf8.ValidString(*s) || strings.IndexFunc(*s, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
			return refuse(ParamValue, name+": 1 to 40 characters that can be printed", nil)
		}
	}
	if p.Acquirer.Hosts != nil && (len(p.Acquirer.Hosts) == 0 || len(p.Acquirer.Hosts) > 8) {
		return refuse(ParamValue, "acquirer.hosts: 1 to 8 addresses", nil)
	}
	for _, h := range p.Acquirer.Hosts {
		host, port, err := net.SplitHostPort(h)
		n, perr := strconv.Atoi(port)
		if err != nil || perr != nil || host == "" || n < 1 || n > 65535 || strings.ContainsFunc(h, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return refuse(ParamValue, fmt.Sprintf("acquirer.hosts: %q is not host:port", h), nil)
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
			return refuse(ParamValue, fmt.Sprintf("%s: %d s to %d s", name, b.low, b.high), nil)
		}
	}
	return nil
}

// LoadParameters reads a file that a device may believe: signed by one of keys, for
// the terminal tid, and newer than have. The error is a *ParamRefusal.
func LoadParameters(text string, keys []ed25519.PublicKey, tid string, have int) (*ParamFile, error) {
	// The signature comes first: what nobody signed is not read any further.
	if len(text) > MaxParameters {
		return nil, refuse(ParamForm, fmt.Sprintf("over %d KiB", MaxParameters>>10), nil)
	}
	id, err := signature.Verify(text, keys)
	switch {
	case errors.Is(err, signature.ErrUnsigned):
		return nil, refuse(ParamUnsigned, "", nil)
	case errors.Is(err, signature.ErrUnknownKey):
		return nil, refuse(ParamKey, "", err)
	case err != nil:
		return nil, refuse(ParamForged, "", err)
	}
	p, err := ParseParameters(text)
	if err != nil {
		return nil, err
	}
	p.KeyID = id
	switch {
	case p.Terminal != "" && p.Terminal != tid:
		return nil, refuse(ParamOther, p.Terminal, nil)
	case p.Version <= have:
		return nil, refuse(ParamOlder, fmt.Sprintf("version %d, and %d is in force", p.Version, have), nil)
	}
	return p, nil
}

// ParamSetting is one parameter and what a board has for it.
type ParamSetting struct {
	Name, Value string
}

// With is the board file as a parameter file changes it; f itself stays. nil changes
// nothing.
func (f *File) With(p *ParamFile) *File {
	n := *f
	if f.Acquirer != nil {
		a := *f.Acquirer
		n.Acquirer = &a
	}
	if f.Service != nil {
		s := *f.Service
		n.Service = &s
	}
	if p == nil {
		return &n
	}
	set(&n.Merchant.Name, p.Merchant.Name)
	set(&n.Merchant.NameEN, p.Merchant.NameEN)
	if n.Service != nil {
		set(&n.Service.Phone, p.Service.Phone)
		set(&n.Service.Contract, p.Service.Contract)
	}
	if a := n.Acquirer; a != nil {
		if p.Acquirer.Hosts != nil {
			a.Hosts, n.HostList = slices.Clone(p.Acquirer.Hosts), nil
		}
		set(&a.AnswerTimeout, p.Acquirer.AnswerTimeout)
		set(&a.DialTimeout, p.Acquirer.DialTimeout)
		set(&a.IdleClose, p.Acquirer.IdleClose)
		set(&a.CardTimeout, p.Acquirer.CardTimeout)
		set(&a.ConfirmTime, p.Acquirer.ConfirmTime)
		set(&a.PINTimeout, p.Acquirer.PINTimeout)
	}
	return &n
}

func set[T any](dst *T, v *T) {
	if v != nil {
		*dst = *v
	}
}

// Settings are the parameters that a file may change, as f has them.
func (f *File) Settings() (list []ParamSetting) {
	add := func(name string, v any) {
		s := ""
		switch v := v.(type) {
		case string:
			s = v
		case Duration:
			if v.Duration > 0 {
				s = v.String()
			}
		}
		list = append(list, ParamSetting{name, s})
	}
	s, a := f.Service, f.Acquirer
	if s == nil {
		s = &Service{}
	}
	if a == nil {
		a = &Acquirer{}
	}
	var hosts []string
	for _, h := range f.Hosts() {
		hosts = append(hosts, h.Address)
	}
	add("merchant.name", f.Merchant.Name)
	add("merchant.name_en", f.Merchant.NameEN)
	add("service.phone", s.Phone)
	add("service.contract", s.Contract)
	add("acquirer.hosts", strings.Join(hosts, " "))
	add("acquirer.answer_timeout", a.AnswerTimeout)
	add("acquirer.dial_timeout", a.DialTimeout)
	add("acquirer.idle_close", a.IdleClose)
	add("acquirer.card_timeout", a.CardTimeout)
	add("acquirer.confirm_timeout", a.ConfirmTime)
	add("acquirer.pin_timeout", a.PINTimeout)
	return list
}

// Sets are the names of the parameters that a file sets.
func (p *ParamFile) Sets() map[string]bool {
	sets := map[string]bool{}
	bare := &File{Service: &Service{}, Acquirer: &Acquirer{}}
	for _, x := range bare.With(p).Settings() {
		sets[x.Name] = x.Value != ""
	}
	return sets
}
