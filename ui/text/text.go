// Package text holds the words of every message code, Chinese and English, in
// one row per code; and the labels of slips, logs and tools.
//
// Sources, cited by short name:
//   - HOST: specs/host.md §2, terminal texts after Q/CUP 006.6-2014 A.2
//   - THROTTLE: specs/throttle.md §1 and I11, the manner: cause, money, next step
//
// Manner. A Title says what happened, a Body what it means for the money, Next
// what to do now. Nobody is told to pay again while the fate of a payment is
// unknown; nobody is accused; nobody is told how to get round a limit of the
// bank (a test holds all three).
//
// Templates: {amount} {card} {rc} {stan} {rrn} {auth} {field} {host} {n}
// {seconds} {time} {left} {rule} {span} {kind} stand for the fields of [prompt.Args], {reason} for the
// title of the refusal RC. A part <in angle brackets> is left out when a field
// in it is empty.
package text

import (
	"strconv"
	"strings"

	"swipewell/ui/prompt"
)

// Lang names a language: "zh" or "en".
type Lang = string

const (
	ZH Lang = "zh"
	EN Lang = "en"
)

// Message is what a code says.
type Message struct {
	Title string // what happened
	Body  string // more of it, and what became of the money
	Next  string // the next step
	// Small is what a screen of three lines of 16 columns shows, paragraphs
	// divided by "\n"; empty: Title and Next.
	Small string
}

// row is one code in both languages.
type row struct {
	code   prompt.Code
	zh, en Message
}

// rows is every row, by code.
var rows = func() map[prompt.Code]row {
	all := make(map[prompt.Code]row, 256)
	for _, table := range [][]row{stepRows, moneyRows, kindRows, cardRows, netRows, deviceRows, keyRows, logRows, tableRows, ruleRows, chipRows, shopRows, causeRows, updRows, declineRows()} {
		for _, r := range table {
			all[r.code] = r
		}
	}
	return all
}()

// Get gives the templates of a code. A code without a row says so with the
// code itself; any language but "en" is Chinese.
func Get(lang Lang, code prompt.Code) Message {
	r, ok := rows[code]
	switch {
	case !ok:
		return Message{Title: string(code)}
	case lang == EN:
		return r.en
	}
	return r.zh
}

// Missing lists the codes of the catalogue that lack words in a language or a
// help page.
func Missing() []prompt.Code {
	var out []prompt.Code
	for _, e := range prompt.All() {
		r := rows[e.Code]
		if r.zh.Title == "" || r.en.Title == "" || Help(ZH, e.Help) == "" || Help(EN, e.Help) == "" {
			out = append(out, e.Code)
		}
	}
	return out
}

// Format gives the words of a code with its arguments in place.
func Format(lang Lang, code prompt.Code, a prompt.Args) Message {
	m := Get(lang, code)
	f := filler{lang, a}
	body := strings.ReplaceAll(f.fill(m.Body), " \n", "\n")
	return Message{Title: f.fill(m.Title), Body: strings.Trim(body, " \n"), Next: f.fill(m.Next), Small: f.fill(m.Small)}
}

type filler struct {
	lang Lang
	args prompt.Args
}

// nothing stands where a value outside of angle brackets is not known.
const nothing = "--"

func (f filler) fill(t string) string {
	if !strings.ContainsAny(t, "{<") {
		return t
	}
	var b strings.Builder
	for t != "" {
		i := strings.IndexByte(t, '<')
		if i < 0 {
			s, _ := f.values(t)
			b.WriteString(s)
			break
		}
		s, _ := f.values(t[:i])
		b.WriteString(s)
		part, rest, closed := strings.Cut(t[i+1:], ">")
		if s, full := f.values(part); full || !closed {
			b.WriteString(s)
		}
		t = rest
	}
	return b.String()
}

// values puts the fields in; full is false if one of them is empty.
func (f filler) values(t string) (s string, full bool) {
	full = true
	var b strings.Builder
	for t != "" {
		before, rest, open := strings.Cut(t, "{")
		b.WriteString(before)
		name, after, closed := strings.Cut(rest, "}")
		if !open || !closed {
			break
		}
		v, zero := f.value(name)
		if zero {
			full = false
		}
		b.WriteString(v)
		t = after
	}
	return b.String(), full
}

// spanIn is a length of time in the words of a language: 30min is 30分钟.
func spanIn(lang Lang, s string) string {
	if lang == EN {
		return s
	}
	for _, u := range [...][2]string{{"min", "分钟"}, {"h", "小时"}, {"s", "秒"}} {
		if n, ok := strings.CutSuffix(s, u[0]); ok {
			return n + u[1]
		}
	}
	return s
}

// oneLine is s without line ends and without the blanks that hosts pad with.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// value of a placeholder; a count of zero reads "0" but is empty for an
// optional part.
func (f filler) value(name string) (v string, zero bool) {
	a := f.args
	switch name {
	case "kind":
		if a.Kind != "" {
			v = Get(f.lang, a.Kind).Title
		}
	case "amount":
		v = a.Amount
	case "card":
		v = a.Card
	case "rc":
		v = a.RC
	case "stan":
		v = a.STAN
	case "rrn":
		v = a.RRN
	case "auth":
		v = a.Auth
	case "field":
		v = oneLine(a.Field)
	case "host":
		v = oneLine(a.Host)
	case "time":
		v = a.Time
	case "left":
		v = a.Left
	case "rule":
		v = a.Rule
	case "span":
		v = spanIn(f.lang, a.Span)
	case "n":
		return strconv.Itoa(a.N), a.N == 0
	case "seconds":
		return strconv.Itoa(a.Seconds), a.Seconds == 0
	case "reason":
		if a.RC != "" {
			v = filler{f.lang, prompt.Args{RC: a.RC}}.fill(Get(f.lang, prompt.Declined(a.RC)).Title)
		}
	}
	if v == "" {
		return nothing, true
	}
	return v, false
}
