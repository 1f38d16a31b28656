package scenario

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"swipewell/firmware/diagnose"
	"swipewell/ui/prompt"
)

// Error says what is wrong with a scenario file, with the key at the beginning of
// Why.
type Error struct {
	File string
	Line int // from 1
	Why  string
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Why) }

// Parse reads one scenario. Every error is an *Error.
func Parse(file, text string) (s Spec, err error) {
	md, err := toml.Decode(text, &s)
	if err != nil {
		return s, decodeError(file, err)
	}
	s.file = file
	// at is the error of a key: act 0 is before the first act.
	at := func(act int, key, format string, a ...any) (Spec, error) {
		why := fmt.Sprintf(format, a...)
		if key != "" {
			why = key + ": " + why
		}
		if act > 0 {
			why = fmt.Sprintf("act %d: %s", act, why)
		}
		return s, &Error{file, lineOf(text, act, key), why}
	}
	if unknown := md.Undecoded(); len(unknown) > 0 {
		k, act := unknown[0], 0
		if len(k) > 1 && k[0] == "act" {
			act = -1
		}
		return s, &Error{file, lineOf(text, act, k[len(k)-1]), k.String() + ": no such key"}
	}
	cause := func(c string) bool { _, ok := diagnose.ParseCause(c); return ok }
	if s.ID == "" {
		return at(0, "id", "a scenario has one")
	}
	if len(s.Acts) == 0 && s.Top != "NONE" {
		return at(0, "act", "a scenario has one at least")
	}
	if !cause(s.Top) {
		return at(0, "top", "no cause %q", s.Top)
	}
	if s.Sub != "" && !slices.ContainsFunc(diagnose.Table(), func(r diagnose.Row) bool { return r.Name() == s.Top+"."+s.Sub }) {
		return at(0, "sub", "%s has no %q", s.Top, s.Sub)
	}
	for _, c := range s.Second {
		if !cause(c) {
			return at(0, "second", "no cause %q", c)
		}
	}
	for _, m := range s.Merchants {
		if _, ok := merchants[m]; !ok {
			return at(0, "merchants", "no kind %q", m)
		}
	}
	for _, list := range []struct {
		key   string
		codes []string
	}{{"require", s.Require}, {"forbid", s.Forbid}} {
		for _, c := range list.codes {
			if c == "" || !slices.ContainsFunc(prompt.All(), func(e prompt.Entry) bool { return strings.HasPrefix(string(e.Code), c) }) {
				return at(0, list.key, "no code begins with %q", c)
			}
		}
	}
	s.Minutes, s.Hour = s.Minutes.or(Range{10, 45}), s.Hour.or(Range{9, 17})
	switch {
	case s.Chips[1] > 1:
		return at(0, "chips", "a share is from 0 to 1")
	case s.Minutes[0] < 1 || s.Minutes[1] > 240:
		return at(0, "minutes", "from 1 to 240")
	case s.Hour[1] > 23:
		return at(0, "hour", "from 0 to 23")
	}
	for i, a := range s.Acts {
		if key, why := a.wrong(); why != "" {
			return at(i+1, key, "%s", why)
		}
	}
	return s, nil
}

// wrong is what is wrong with an act, and with which of its keys.
func (a *Act) wrong() (key, why string) {
	need, ok := acts[a.Kind]
	if !ok {
		return "kind", fmt.Sprintf("no kind %q", a.Kind)
	}
	have := map[string]bool{"share": a.Share != Range{}, "times": a.Times != Range{}, "cards": a.Cards != Range{}, "gap": a.Gap != Range{}, "factor": a.Factor != Range{},
		"level": a.Level != Range{}, "codes": len(a.Codes) > 0, "scope": a.Scope != "", "seconds": a.Seconds != Range{}}
	for _, n := range need {
		if !have[n] {
			return "kind", fmt.Sprintf("%s needs %s", a.Kind, n)
		}
	}
	if a.Share[1] > 1 {
		return "share", "a share is from 0 to 1"
	}
	if a.From[1] > 1 {
		return "from", "a share is from 0 to 1"
	}
	if a.Scope != "" && !slices.Contains(scopes[a.Kind], a.Scope) {
		return "scope", fmt.Sprintf("%s knows no %q", a.Kind, a.Scope)
	}
	for _, c := range a.Codes {
		if !responseCode.MatchString(c) {
			return "codes", fmt.Sprintf("%q is no response code", c)
		}
	}
	return "", ""
}

var (
	responseCode = regexp.MustCompile(`^[0-9A-Z]{2}$`)
	badType      = regexp.MustCompile(`line (\d+) \(last key "(.*?)"\): (.*)`)
)

// decodeError is an error of the TOML reader with its place.
func decodeError(file string, err error) error {
	e := &Error{File: file, Line: 1, Why: err.Error()}
	var pe toml.ParseError
	if errors.As(err, &pe) {
		if e.Line, e.Why = max(pe.Position.Line, 1), pe.Message; pe.LastKey != "" {
			e.Why = pe.LastKey + ": " + pe.Message
		}
	} else if m := badType.FindStringSubmatch(err.Error()); m != nil {
		e.Line, _ = strconv.Atoi(m[1])
		e.Why = m[2] + ": " + m[3]
	}
	return e
}

// lineOf is the line of a key in the n-th act (0: before the first, -1: in any);
// without it, the line of the act.
func lineOf(text string, n int, key string) int {
	act, line := 0, 1
	for i, l := range strings.Split(text, "\n") {
		l = strings.TrimSpace(l)
		if strings.HasPrefix(l, "[[") {
			if act++; act == n {
				line = i + 1
			}
			continue
		}
		if name, _, ok := strings.Cut(l, "="); ok && (act == n || n < 0) && strings.Trim(name, " \t\"'") == key {
			return i + 1
		}
	}
	return line
}
