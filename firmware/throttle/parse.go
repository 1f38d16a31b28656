package throttle

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/signature"
)

// Sort of a rule file.
type Sort uint8

const (
	SortRules    Sort = iota // a whole set
	SortProfile              // changes for a kind of merchant, by who signs
	SortMerchant             // changes of the merchant's own: tighter ones only
)

var sortNames = []string{"rules", "profile", "merchant"}

// File is what a text says, before it is applied to anything.
type File struct {
	Sort    Sort
	Name    string // of the set, or of the profile
	Base    string // of a profile or a merchant's file: the set it is for
	Version int
	Classes []Class
	Rules   []Rule // SortRules: whole; else only what is named in Touched
	Touched []touch
	Set     Settings
	Named   map[string]token // settings that the file names
}

// touch is an `adjust`: the fields that it names.
type touch struct {
	rule   Rule
	fields []string
	at     token
}

// Parse reads a rule file. What is wrong comes as Errors, all of it, each with
// line and column. A signature line is not looked at (see Verify).
func Parse(name, text string) (*File, error) {
	body, _ := signature.Split(text)
	toks, errs := lex(name, body)
	p := &parser{file: name, toks: toks, errs: errs, out: &File{Named: map[string]token{}}}
	if toks != nil {
		p.parse()
	}
	if len(p.errs) > 0 {
		slices.SortStableFunc(p.errs, func(a, b *Error) int {
			if a.Line != b.Line {
				return a.Line - b.Line
			}
			return a.Col - b.Col
		})
		return nil, p.errs[:min(len(p.errs), 50)]
	}
	return p.out, nil
}

type parser struct {
	file string
	toks []token
	at   int
	errs Errors
	out  *File
}

// bad ends the reading of one field.
type bad struct{}

func (p *parser) peek() token { return p.toks[p.at] }

func (p *parser) next() token {
	t := p.toks[p.at]
	if t.kind != endToken {
		p.at++
	}
	return t
}

func (p *parser) complain(t token, format string, a ...any) {
	p.errs = append(p.errs, &Error{p.file, t.line, t.col, fmt.Sprintf(format, a...)})
}

func (p *parser) fail(t token, format string, a ...any) {
	p.complain(t, format, a...)
	panic(bad{})
}

// guarded runs f and takes its failure; false if it failed.
func (p *parser) guarded(f func()) (ok bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, mine := r.(bad); !mine {
				panic(r)
			}
			ok = false
		}
	}()
	f()
	return true
}

func (p *parser) lines() {
	for p.peek().kind == newline {
		p.next()
	}
}

func (p *parser) is(text string) bool {
	t := p.peek()
	return (t.kind == punct || t.kind == word) && strings.EqualFold(t.text, text)
}

func (p *parser) accept(text string) bool {
	if p.is(text) {
		p.next()
		return true
	}
	return false
}

func (p *parser) expect(text string) token {
	t := p.peek()
	if !p.is(text) {
		p.fail(t, "%v where '%s' is wanted", t, text)
	}
	return p.next()
}

func (p *parser) word(what string) token {
	t := p.peek()
	if t.kind != word {
		p.fail(t, "%v where %s is wanted", t, what)
	}
	return p.next()
}

func (p *parser) parse() {
	p.lines()
	if !p.guarded(p.header) {
		return
	}
	for {
		p.lines()
		t := p.peek()
		if t.kind == endToken {
			break
		}
		before := p.at
		ok := p.guarded(func() {
			switch t := p.next(); {
			case t.kind == word && t.text == "class":
				p.class()
			case t.kind == word && t.text == "settings":
				p.settings()
			case t.kind == word && t.text == "rule" && p.out.Sort == SortRules:
				p.rule(t)
			case t.kind == word && t.text == "adjust" && p.out.Sort != SortRules:
				p.adjust(t)
			case t.kind == word && t.text == "rule":
				p.fail(t, "a %s changes rules by 'adjust', it makes none", sortNames[p.out.Sort])
			case t.kind == word && t.text == "adjust":
				p.fail(t, "a whole set has rules, and adjusts none")
			default:
				p.fail(t, "%v where 'rule', 'adjust', 'class' or 'settings' is wanted", t)
			}
		})
		if !ok {
			p.skipBlock(before)
		}
	}
	p.whole()
}

// skipBlock goes on behind the block in which something failed.
func (p *parser) skipBlock(from int) {
	depth := 0
	for i := from; i < p.at; i++ {
		switch p.toks[i].text {
		case "{":
			depth++
		case "}":
			depth--
		}
	}
	for {
		t := p.peek()
		if t.kind == endToken || depth <= 0 && t.kind == newline {
			return
		}
		p.next()
		switch t.text {
		case "{":
			depth++
		case "}":
			if depth--; depth <= 0 {
				return
			}
		}
	}
}

// header is `rules NAME version N`, `profile NAME for BASE version N`, or
// `merchant for BASE version N`.
func (p *parser) header() {
	t := p.word("'rules', 'profile' or 'merchant'")
	i := slices.Index(sortNames, t.text)
	if i < 0 {
		p.fail(t, "%v where 'rules', 'profile' or 'merchant' is wanted", t)
	}
	p.out.Sort = Sort(i)
	if p.out.Sort != SortMerchant {
		p.out.Name = p.word("a name").text
	}
	if p.out.Sort != SortRules {
		p.expect("for")
		p.out.Base = p.word("the name of a set").text
	}
	p.expect("version")
	v := p.word("a number")
	n, err := strconv.Atoi(v.text)
	if err != nil || n < 1 {
		p.fail(v, "a version is a number from 1 on, not %v", v)
	}
	p.out.Version = n
	if t := p.peek(); t.kind != newline && t.kind != endToken {
		p.fail(t, "%v behind the version", t)
	}
}

// class is `class NAME { RC… }`.
func (p *parser) class() {
	t := p.word("a name")
	if slices.ContainsFunc(p.out.Classes, func(c Class) bool { return c.Name == t.text }) {
		p.fail(t, "class %s stands twice", t.text)
	}
	if len(p.out.Classes) == 16 {
		p.fail(t, "more than 16 classes")
	}
	c := Class{Name: t.text}
	p.lines()
	p.expect("{")
	for p.lines(); !p.accept("}"); p.lines() {
		if p.accept(",") {
			continue
		}
		c.RCs = append(c.RCs, p.rc())
	}
	p.out.Classes = append(p.out.Classes, c)
}

func (p *parser) rc() RC {
	t := p.word("a response code")
	if len(t.text) != 2 || strings.Trim(t.text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		p.fail(t, "%v is no response code: DE 39 has two digits or capitals", t)
	}
	return RC{t.text[0], t.text[1]}
}

// id reads R00 to R99, with a stage a to h.
func (p *parser) id() (ID, token) {
	t := p.word("the id of a rule")
	s := t.text
	ok := len(s) >= 3 && len(s) <= 4 && s[0] == 'R'
	n, stage := 0, 0
	if ok {
		var err error
		n, err = strconv.Atoi(s[1:3])
		ok = err == nil
	}
	if ok && len(s) == 4 {
		if stage = int(s[3]-'a') + 1; stage < 1 || stage > 8 {
			ok = false
		}
	}
	if !ok {
		p.fail(t, "%v is no id of a rule: R00 to R99, with a stage a to h", t)
	}
	return MakeID(n, stage), t
}

// block reads `{ field: … }` and calls f for each field.
func (p *parser) block(f func(name token)) {
	p.lines()
	p.expect("{")
	for {
		p.lines()
		if p.accept("}") {
			return
		}
		t := p.peek()
		if t.kind == endToken {
			p.fail(t, "a block without its '}'")
		}
		ok := p.guarded(func() {
			name := p.word("the name of a field")
			p.expect(":")
			f(name)
			if t := p.peek(); t.kind != newline && !p.is("}") {
				p.fail(t, "%v behind the value of %s", t, name.text)
			}
		})
		if !ok { // go on with the next field
			for p.peek().kind != newline && p.peek().kind != endToken && !p.is("}") {
				p.next()
			}
		}
	}
}

func (p *parser) rule(at token) {
	id, t := p.id()
	if slices.ContainsFunc(p.out.Rules, func(r Rule) bool { return r.ID == id }) {
		p.complain(t, "rule %v stands twice", id)
	}
	r := Rule{ID: id, Line: at.line, On: PreSale, Cap: MayTighten}
	seen := map[string]bool{}
	p.block(func(name token) {
		if seen[name.text] {
			p.fail(name, "%s stands twice in %v", name.text, id)
		}
		seen[name.text] = true
		p.field(&r, name)
	})
	for _, want := range []string{"action", "text", "why"} {
		if !seen[want] {
			p.complain(t, "rule %v has no %s", id, want)
		}
	}
	if !seen["window"] {
		p.complain(t, "rule %v has no window", id)
	}
	p.out.Rules = append(p.out.Rules, r)
}

func (p *parser) adjust(at token) {
	id, t := p.id()
	if slices.ContainsFunc(p.out.Touched, func(x touch) bool { return x.rule.ID == id }) {
		p.complain(t, "%v is adjusted twice", id)
	}
	x := touch{rule: Rule{ID: id, Line: at.line}, at: t}
	p.block(func(name token) {
		if slices.Contains(x.fields, name.text) {
			p.fail(name, "%s stands twice in %v", name.text, id)
		}
		switch name.text {
		case "window", "measure", "action", "unless", "this", "override", "why":
		default:
			p.fail(name, "%s of a rule cannot be adjusted", name.text)
		}
		x.fields = append(x.fields, name.text)
		p.field(&x.rule, name)
	})
	p.out.Touched = append(p.out.Touched, x)
}

// settings are the switches of a profile.
func (p *parser) settings() {
	s := &p.out.Set
	p.block(func(name token) {
		if _, twice := p.out.Named[name.text]; twice {
			p.fail(name, "%s stands twice", name.text)
		}
		p.out.Named[name.text] = name
		switch name.text {
		case "quantity":
			s.Quantity = p.asked()
		case "order_ref":
			s.OrderRef = p.asked()
		case "keyed":
			s.Keyed = p.asked()
		case "limit":
			s.Limit = p.money()
		case "card_day":
			s.CardDay = p.money()
		case "terminal_day":
			s.Desk = p.money()
		case "typo":
			s.Typo = int(p.count())
		case "read":
			s.Read = p.duration(0, 10*time.Second)
		case "confirm":
			s.Confirm = p.duration(15*time.Second, 120*time.Second)
		default:
			p.fail(name, "no setting %s", name.text)
		}
	})
}

func (p *parser) asked() Asked {
	t := p.word("off, optional or required")
	i := slices.Index(askedNames, t.text)
	if i < 0 {
		p.fail(t, "%v where off, optional or required is wanted", t)
	}
	return Asked(i)
}

// whole checks what only the whole file can tell.
func (p *parser) whole() {
	if p.out.Sort != SortRules {
		return
	}
	known := map[string]bool{"other": true}
	for _, c := range p.out.Classes {
		known[c.Name] = true
	}
	for _, r := range p.out.Rules {
		for _, c := range r.Match.Classes {
			if !known[c] {
				p.complain(token{line: r.Line, col: 1}, "rule %v names class %s, which the file does not have", r.ID, c)
			}
		}
	}
	slices.SortStableFunc(p.out.Rules, func(a, b Rule) int { return int(a.ID) - int(b.ID) })
}

// Values.

func (p *parser) duration(least, most time.Duration) time.Duration {
	t := p.word("a length of time, as 600s")
	s := t.text
	var d time.Duration
	var err error
	if n, day := strings.CutSuffix(s, "d"); day {
		var days int
		days, err = strconv.Atoi(n)
		d = time.Duration(days) * 24 * time.Hour
	} else {
		d, err = time.ParseDuration(s)
	}
	if err != nil {
		p.fail(t, "%v is no length of time: 600s, 10m, 24h, 7d", t)
	}
	if d < least || d > most {
		p.fail(t, "%v is not from %v to %v", t, least, most)
	}
	return d
}

// aMonth bounds windows; a device remembers a month.
const aMonth = 31 * 24 * time.Hour

func (p *parser) count() int64 {
	t := p.word("a number")
	n, err := strconv.ParseInt(t.text, 10, 64)
	if err != nil || n < 0 || n > 1_000_000 {
		p.fail(t, "%v is no count", t)
	}
	return n
}

// money is "none" or an amount.
func (p *parser) money() int64 {
	t := p.word("an amount, as 1000.00")
	if t.text == "none" {
		return 0
	}
	a, err := pos.ParseAmount(t.text)
	if err != nil {
		p.fail(t, "%v is no amount: 1000.00", t)
	}
	return a.Minor
}

// percent is "80%".
func (p *parser) percent(t token) (int, bool) {
	s, ok := strings.CutSuffix(t.text, "%")
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 1000 {
		p.fail(t, "%v is no share", t)
	}
	return n, true
}

// oneOf reads a word of a list and gives its place.
func (p *parser) oneOf(what string, list []string) int {
	t := p.word(what)
	i := slices.Index(list, t.text)
	if i < 0 || t.text == "" {
		p.fail(t, "%v is no %s; there are %s", t, what, strings.Join(slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" }), ", "))
	}
	return i
}

// set reads `in {a, b}`, or one word.
func (p *parser) set(each func()) {
	if !p.accept("in") {
		p.accept("=")
		each()
		return
	}
	p.expect("{")
	for {
		p.lines()
		each()
		p.lines()
		if p.accept("}") {
			return
		}
		p.expect(",")
	}
}
