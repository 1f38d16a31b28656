package board

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"

	"swipewell/firmware/parameter"
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
	for _, k := range f.Params.Keys {
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
	for _, k := range f.Params.Keys {
		if pub, err := signature.Key(k.Key); err == nil {
			keys = append(keys, pub)
		}
	}
	return keys
}

// Setting is one parameter and what a board has for it.
type Setting struct {
	Name, Value string
}

// With is the board file as a parameter file changes it; f itself stays. nil changes
// nothing.
func (f *File) With(p *parameter.File) *File {
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
		wait(&a.AnswerTimeout, p.Acquirer.AnswerTimeout)
		wait(&a.DialTimeout, p.Acquirer.DialTimeout)
		wait(&a.IdleClose, p.Acquirer.IdleClose)
		wait(&a.CardTimeout, p.Acquirer.CardTimeout)
		wait(&a.ConfirmTime, p.Acquirer.ConfirmTime)
		wait(&a.PINTimeout, p.Acquirer.PINTimeout)
	}
	return &n
}

func set[T any](dst *T, v *T) {
	if v != nil {
		*dst = *v
	}
}

func wait(dst *Duration, v *parameter.Duration) {
	if v != nil {
		dst.Duration = v.Duration
	}
}

// Settings are the parameters that a file may change, as f has them.
func (f *File) Settings() (list []Setting) {
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
		list = append(list, Setting{name, s})
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
func Sets(p *parameter.File) map[string]bool {
	sets := map[string]bool{}
	bare := &File{Service: &Service{}, Acquirer: &Acquirer{}}
	for _, x := range bare.With(p).Settings() {
		sets[x.Name] = x.Value != ""
	}
	return sets
}
