package console

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// What terminal programs send becomes what the editor knows, however it is cut into
// reads.
func TestKeys(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"CR", "a\rb\r", "a\rb\r"},
		{"LF", "a\nb\n", "a\rb\r"},
		{"CRLF", "a\r\nb\r\n", "a\rb\r"},
		{"CR NUL", "a\r\x00b", "a\rb"},
		{"empty lines", "\r\n\r\n\n", "\r\r\r"},
		{"BS and DEL", "a\x08b\x7f", "a\x7fb\x7f"},
		{"arrows", "\x1b[A\x1b[D", "\x1b[A\x1b[D"},
		{"application mode", "\x1bOA\x1bOF", "\x1b[A\x1b[F"},
		{"home and end", "\x1b[1~\x1b[4~\x1b[7~\x1b[8~", "\x1b[H\x1b[F\x1b[H\x1b[F"},
		{"delete", "\x1b[3~", "\x1b[3~"},
		{"words", "\x1b[1;5D\x1b[1;3C", "\x1b[1;3D\x1b[1;3C"},
		{"paste marks", "\x1b[200~x\x1b[201~", "x"},
		{"a lone ESC and a line", "\x1b\rq", "\rq"},
		{"two ESC", "\x1b\x1b[A", "\x1b[A"},
		{"Alt", "\x1bbx", "x"},
		{"without an end", "\x1b[" + strings.Repeat("1", 300) + "~x\r", strings.Repeat("1", 300-maxEscape+1) + "~x\r"},
		{"^C and ^D", "12\x03\x04", "12\x03\x03"},
		{"function keys", "\x1b[15~\x1b[24;2~x", "x"},
		{"Chinese", "银行", "银行"},
		{"half a character", "\xe9\x93a", "a"},
		{"noise", "\xff\xfe\x80a\x9b1", "a1"},
		{"C1 and invisible ones", "a\u0085b\u202ec", "abc"},
		{"controls", "\x00\x07\x1ca", "a"},
	} {
		for cut := range len(c.in) + 1 {
			var k keys
			got := k.take(k.take(nil, []byte(c.in[:cut])), []byte(c.in[cut:]))
			if string(got) != c.want {
				t.Errorf("%s, cut at %d: %q, want %q", c.name, cut, got, c.want)
				break
			}
		}
	}
}

// Any bytes: the editor ends each line, and what it is given is text and keys that
// it knows. Without the filter 256 bytes of a sequence hang it for good.
func FuzzLine(f *testing.F) {
	for _, s := range []string{"status\r", "\x1b[A\x1b[B\r", "\x1b[12;34R\r", "log -\t?\r", "\x1b[" + strings.Repeat("0;", 200) + "m\r", "close 1 银行\x7f\x7f\r", "\x1b[200~\x03\r", "?\t\x15?\r"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var k keys
		out := k.take(nil, in)
		if !utf8.Valid(out) {
			t.Fatalf("%q gives %q", in, out)
		}
		if len(k.esc) > maxEscape {
			t.Fatalf("a sequence of %d bytes is waited for", len(k.esc))
		}
		s := &Shell{port: &portStream{ctx: t.Context(), port: &deadEnd{in: append(slices.Clone(in), '\r', '\r')}}, lang: "en", role: Technician}
		s.term = term.NewTerminal(s.port, "> ")
		s.port.keys.size = s.sized
		s.term.AutoCompleteCallback = s.complete
		s.term.History = &s.hist
		s.asked = true
		for i := 0; ; i++ {
			line, err := s.readLine()
			if s.port.err != nil {
				break
			}
			if err == nil {
				if c, _ := commands.match(first(line)); c != nil {
					if w := s.whole(*c, strings.Fields(line)); len(w) != len(strings.Fields(line)) {
						t.Fatalf("%q became %q", line, w)
					}
				}
			}
			if i > len(in)+4 {
				t.Fatal("it never ends")
			}
		}
	})
}

func first(line string) string {
	if f := strings.Fields(line); len(f) > 0 {
		return f[0]
	}
	return ""
}

// deadEnd is a port that has some bytes, and then no more.
type deadEnd struct {
	in []byte
}

func (d *deadEnd) String() string    { return "dead end" }
func (d *deadEnd) Halt() error       { return nil }
func (d *deadEnd) Close() error      { return nil }
func (d *deadEnd) SetBaud(int) error { return nil }
func (d *deadEnd) Read(_ context.Context, b []byte) (int, error) {
	n := copy(b, d.in)
	if d.in = d.in[n:]; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}
func (d *deadEnd) Write(_ context.Context, b []byte) (int, error) { return len(b), nil }

// type_ sends bytes and waits until the console has said something that fits.
func (c *cable) type_(t *testing.T, s, want string) string {
	t.Helper()
	c.mu.Lock()
	from := c.out.Len()
	c.mu.Unlock()
	c.in <- []byte(s)
	re := regexp.MustCompile(want)
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		c.mu.Lock()
		said := c.out.String()[from:]
		c.mu.Unlock()
		if re.MatchString(said) {
			return said
		}
		select {
		case <-c.got:
		case <-time.After(20 * time.Millisecond):
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t.Fatalf("%q brought %q, not %s", s, c.out.String()[from:], want)
	return ""
}

func TestCompletion(t *testing.T) {
	s := &Shell{lang: "en", port: &portStream{}, role: Technician}
	s.term = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{nil, io.Discard}, "")
	for _, c := range []struct{ in, want string }{
		{"stat", "status "},
		{"sel", "selfcheck "},
		{"selfcheck e", "selfcheck echo "},
		{"sel e", "sel echo "},
		{"login t", "login technician "},
		{"login s|x", "login supervisor x"},
		{"log ver", "log verify "},
		{"log -p w", "log -p warn "},
		{"log --unt", "log --until "},
		{"log -o f", "log -o full "},
		{"page wh", "page why "},
		{"help sel", "help selfcheck "},
		{"lang z", "lang zh "},
		{"restore y", "restore yes "}, // a person sees it before enter
		{"s", "s"},                    // more than one, no longer beginning
		{"re", "re"},
		{"rest", "restore "},
		{"close 12", "close 12"},
		{"nonsense x", "nonsense x"},
		{"", ""},
	} {
		before, after, _ := strings.Cut(c.in, "|")
		line, pos, ok := s.complete(before+after, len(before), '\t')
		if !ok || line != c.want || pos > len(line) {
			t.Errorf("%q: %q at %d, want %q", c.in, line, pos, c.want)
		}
	}
	if _, _, ok := s.complete("close 12 why", 12, '?'); ok {
		t.Error("a ? in a reason is a ?")
	}
	if _, _, ok := s.complete("close 12 ", 9, '?'); !ok {
		t.Error("a ? where a reason is to begin lists it")
	}
	s.role = ""
	if line, _, _ := s.complete("clo", 3, '\t'); line != "clo" {
		t.Error("nobody is told of a command that is not for them")
	}
}

// A beginning that only one command has is that command; words that do something
// for good are written out.
func TestPrefixes(t *testing.T) {
	s := &Shell{lang: "en"}
	for _, c := range []struct{ in, want string }{
		{"selfc e", "selfcheck echo"},
		{"log ver", "log verify"},
		{"log -p war", "log -p warn"},
		{"log 5", "log 5"},
		{"restore y", "restore y"},
		{"restore yes", "restore yes"},
		{"rules act", "rules act"}, // a rule may be called so
		{"close 1 because", "close 1 because"},
		{"log grep ver", "log grep ver"},
	} {
		w := strings.Fields(c.in)
		cmd, many := commands.match(w[0])
		if cmd == nil {
			t.Errorf("%s: %v", c.in, many)
			continue
		}
		if got := strings.Join(s.whole(*cmd, w), " "); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
	for in, want := range map[string]int{"s": 4, "st": 2, "rest": 1, "zz": 0, "": 0, "log": 1} {
		cmd, many := commands.match(in)
		if n := len(many); n != want && !(want == 1 && cmd != nil) {
			t.Errorf("%q: %v, want %d", in, many, want)
		}
	}
}

// Every word that a person can be shown has both languages.
func TestWordsAreWhole(t *testing.T) {
	for k, w := range words {
		if w[0] == "" || w[1] == "" {
			t.Errorf("%s lacks a language", k)
		}
	}
	names := map[string]bool{}
	for _, c := range commands {
		if _, ok := texts(c.help); !ok || names[c.name] {
			t.Errorf("%s has no help, or stands twice", c.name)
		}
		names[c.name] = true
		for _, w := range c.next(nil) {
			if _, ok := texts(w.help); !ok && c.name != "page" && w.help != "" {
				t.Errorf("%s %s has no line of help: %s", c.name, w.text, w.help)
			}
		}
	}
	for _, w := range nextLog(nil) {
		if _, ok := texts(w.help); !ok {
			t.Errorf("log %s: no words for %s", w.text, w.help)
		}
	}
	for _, n := range []string{"status", "board", "log", "queue", "tx", "selfcheck", "signal", "config", "term"} {
		if !names[n] {
			t.Errorf("there is no %s", n)
		}
	}
}

// ? and tab at the cable; history brings commands back and nothing else.
func TestLineAtTheCable(t *testing.T) {
	d, _ := newLogins(t)
	said := d.cable.type_(t, "log?", `logout .*\n(.|\n)*swipewell> log(\x1b\[3Dlog)?$`)
	if strings.Contains(said, "log?") {
		t.Errorf("the ? was typed: %q", said)
	}
	d.cable.type_(t, "\x15\r", "swipewell> $")
	d.cable.type_(t, "?", `status .*\n(.|\n)*swipewell> $`)
	d.cable.type_(t, "he\t", "help ")
	d.cable.type_(t, "lan\t", "help lang ")
	d.cable.type_(t, "\x15\r", "swipewell> $")
	d.cable.type_(t, "lang en\r", "swipewell> $")

	// A PIN at the wrong prompt, one at the right prompt, one given up.
	d.cable.type_(t, "2580\r", "no such command")
	d.cable.type_(t, "login supervisor\r", "PIN: $")
	said = d.cable.type_(t, "7913\x03", "swipewell> $")
	time.Sleep(20 * time.Millisecond)
	if n := strings.Count(d.cable.said(), "swipewell> "); n > 40 {
		t.Fatalf("^C floods the cable: %d prompts", n)
	}
	if es, _ := d.log.Query(journal.Filter{Grep: "wrong-pin"}); len(es) > 0 {
		t.Error("giving up is no try")
	}
	said += d.cable.type_(t, "\r", "swipewell> $")
	if strings.Contains(said, "79") {
		t.Errorf("a PIN that was given up is shown: %q", said)
	}
	d.cable.type_(t, "login supervisor\r", "PIN: $")
	d.cable.type_(t, "2580\r", "supervisor# $")
	for range 6 {
		if said = d.cable.type_(t, "\x1b[Az", "z$"); strings.Contains(said, "2580") || strings.Contains(said, "7913") {
			t.Fatalf("history has a PIN: %q", said)
		}
	}
	d.cable.type_(t, "\x15lang en\r", "supervisor# $")
	if said = d.cable.type_(t, "\x1b[A", "lang en$"); said == "" {
		t.Error("no history")
	}
	d.cable.type_(t, "\x15logout\r", "swipewell> $")
	said = d.cable.type_(t, "\x1b[A\x1b[A\r", "swipewell> $")
	if strings.Contains(said, "lang") {
		t.Errorf("the next person has the history: %q", said)
	}
}

// A challenge's answer is not kept, and a tab in it completes nothing.
func TestAnswerIsNotKept(t *testing.T) {
	d, _ := newLogins(t)
	d.cable.type_(t, "login technician\r", "answer: $")
	d.cable.type_(t, "SWR1.secret\r", "wrong answer")
	if said := d.cable.type_(t, "\x1b[A", "login technician"); strings.Contains(said, "secret") {
		t.Errorf("%q", said)
	}
}

// The screen as a terminal shows it: enough of VT100 for the editor.
type screen struct {
	rows [][]rune
	x, y int
}

func (s *screen) put(r rune, width int) {
	for len(s.rows) <= s.y {
		s.rows = append(s.rows, nil)
	}
	row := s.rows[s.y]
	for len(row) < s.x+width {
		row = append(row, ' ')
	}
	row[s.x] = r
	for i := 1; i < width; i++ {
		row[s.x+i] = 0
	}
	s.rows[s.y] = row
	s.x += width
}

func (s *screen) write(b string) {
	seq := regexp.MustCompile(`^\x1b\[([0-9]*)([A-Z])`)
	for len(b) > 0 {
		if m := seq.FindStringSubmatch(b); m != nil {
			n := 1
			fmt.Sscan(m[1], &n)
			switch m[2] {
			case "D":
				s.x = max(0, s.x-n)
			case "C":
				s.x += n
			case "A":
				s.y = max(0, s.y-n)
			case "B":
				s.y += n
			case "K":
				if s.y < len(s.rows) && s.x < len(s.rows[s.y]) {
					s.rows[s.y] = s.rows[s.y][:s.x]
				}
			}
			b = b[len(m[0]):]
			continue
		}
		r, n := utf8.DecodeRuneInString(b)
		b = b[n:]
		switch r {
		case '\r':
			s.x = 0
		case '\n':
			s.y++
		default:
			s.put(r, Columns(string(r)))
		}
	}
}

func (s *screen) line(i int) string {
	if i >= len(s.rows) {
		return ""
	}
	return strings.TrimRight(strings.ReplaceAll(string(s.rows[i]), "\x00", ""), " ")
}

// Lines of the log come between two keys, and the typed line is whole after each,
// Chinese words in it or not.
func TestLogNeverTearsTheTypedLine(t *testing.T) {
	for _, typed := range []string{"close 123 the bank has", "close 123 银行已确认", ""} {
		d, _ := newLogins(t)
		d.cable.type_(t, "login supervisor\r", "PIN: $")
		d.cable.type_(t, "2580\r", "supervisor# $")
		d.cable.type_(t, "log -f\r", "supervisor# $")
		d.cable.mu.Lock()
		from := d.cable.out.Len()
		d.cable.mu.Unlock()
		count := func() int {
			d.cable.mu.Lock()
			defer d.cable.mu.Unlock()
			return strings.Count(d.cable.out.String()[from:], "what=between-two-keys")
		}
		n := 0
		for _, r := range typed + " x" {
			d.cable.in <- []byte(string(r))
			d.log.Record(journal.Event{Code: prompt.LogLink, Source: fmt.Sprint("s", n), Fields: []journal.Field{journal.Word("what", "between-two-keys")}})
			n++
			for end := time.Now().Add(5 * time.Second); count() < n && time.Now().Before(end); time.Sleep(time.Millisecond) {
			}
		}
		d.cable.mu.Lock()
		said := d.cable.out.String()[from:]
		d.cable.mu.Unlock()
		s := screen{}
		s.write("swipewell supervisor# ")
		s.write(said)
		whole := 0
		for i := range s.rows {
			switch l := s.line(i); {
			case strings.HasSuffix(l, "what=between-two-keys") && regexp.MustCompile(`^\d\d-\d\d `).MatchString(l):
				whole++
			case strings.Contains(l, " E-SVC-01 "):
			case i == len(s.rows)-1 && l == "swipewell supervisor# "+typed+" x":
			case l != "":
				t.Errorf("row %d: %q", i, l)
			}
		}
		if whole != n {
			t.Errorf("%d of %d lines of the log are whole:\n%q", whole, n, said)
		}
	}
}

// A terminal that says how tall it is gets pages; one that does not, and a script,
// gets all at once.
func TestPaging(t *testing.T) {
	d, _ := newLogins(t)
	said := d.cable.line(t, "help")
	if strings.Contains(said, "--More--") {
		t.Fatal("paged without knowing the height")
	}
	if !strings.Contains(d.cable.said(), probe) {
		t.Fatal("the terminal was not asked")
	}
	d.cable.in <- []byte("\x1b[6;120R")
	said = d.cable.type_(t, "help\r", "--More-- $")
	if n := strings.Count(said, "\n"); n != 6 {
		t.Errorf("%d lines on a screen of 6: %q", n, said)
	}
	said = d.cable.type_(t, "\r", "--More-- $")
	if n := strings.Count(said, "\n"); n != 1 {
		t.Errorf("enter gave %d lines", n)
	}
	d.cable.type_(t, "q", "swipewell> $")
	if said = d.cable.line(t, "term"); !strings.Contains(said, "120x6") {
		t.Errorf("%q", said)
	}
	// Noise in place of an answer, and an answer that nobody asked for, change nothing.
	d.cable.in <- []byte("\x1b[24;132R\x1b[0;0R\x1b[99999;99999R")
	if said = d.cable.line(t, "term"); !strings.Contains(said, "120x6") {
		t.Errorf("%q", said)
	}
	d.cable.line(t, "term dumb")
	if said = d.cable.line(t, "help"); strings.Contains(said, "--More--") || strings.Contains(said, "\x1b") {
		t.Errorf("dumb: %q", said)
	}
	if said = d.cable.line(t, "help log ?"); strings.Contains(said, "swipewell> swipewell") {
		t.Errorf("dumb: %q", said)
	}
}

func (c *cable) said() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.String()
}

// Who walks away at --More-- leaves nothing for the next.
func TestLogoutEndsMore(t *testing.T) {
	d, _ := newLogins(t)
	d.cable.type_(t, "login supervisor\r", "PIN: $")
	d.cable.type_(t, "2580\r", "supervisor# $")
	d.cable.type_(t, "term 60x8\r", "supervisor# $")
	d.cable.type_(t, "help\r", "--More-- $")
	d.clock.Jump(idleLogout + time.Second)
	said := d.cable.type_(t, "", `logged out(.|\n)*swipewell> $`)
	if strings.Contains(said, "enrol") {
		t.Errorf("what was left is shown: %q", said)
	}
	d.cable.type_(t, " \r", "swipewell> $")
}

// emptyBatch is a Backend with no sale and nothing queued.
type emptyBatch struct{ Backend }

func (emptyBatch) Batch(context.Context, func(pos.Sale) error) error { return nil }
func (emptyBatch) Queue(context.Context) ([]pos.Record, error)       { return nil, nil }

// log has journalctl's habits.
func TestLogWords(t *testing.T) {
	d, _ := newLogins(t)
	d.opts.Backend = emptyBatch{}
	d.power()
	d.log.Record(journal.Event{Code: prompt.LogMessage, Source: "txn", Tx: "cup-000001-000042"})
	for i := range 30 {
		d.log.Record(journal.Event{Code: prompt.LogMessage, Source: map[bool]string{true: "link.4g", false: "txn"}[i%3 == 0], Fields: []journal.Field{journal.Word("what", fmt.Sprintf("number-%d.", i))}})
	}
	d.log.Sync(false)
	d.cable.type_(t, "login supervisor\r", "PIN: $")
	d.cable.type_(t, "2580\r", "supervisor# $")
	for _, c := range []struct {
		in, want, not string
	}{
		{"log -n 3", "number-29", "number-20"},
		{"log -u link -n 5", "number-27", "number-28"},
		{"log --grep number.2[0-3]", "number-23", "number-24"},
		{"log -g number.5[.] -o json -n all", `"what":"number-5."`, "number-6"},
		{"log -p error", "no such entries", "number"},
		{"log --since 00:00 -n 1", "number-29|do=command", "number-28"},
		{"log --until 2001-01-01", "no such entries", "number"},
		{"log -o cat -u txn -n 1", "(?m)^.*number-29", "02-25"},
		{"log -o yaml", "usage", "number"},
		{"log --since yesterday-ish", "usage", "number"},
		{"log -g [", "missing closing", "number"},
		{"log -n -4", "usage", "number"},
		{"log -p 3", "no such entries", "number"},
		{"log -p warning -S -1h", "no such entries", "number"},
		{"log -S yesterday -n 1", "number-29|do=command", "number-28"},
		{"log -n 1 -b", "number-29|do=command", "number-28"},
		{"log -b -n 1", "number-29|do=command", "number-28"},
		{"log -b -1", "no such entries", "number"},
		{"log top", "entries, [0-9]+ that tell of something wrong", "usage"},
		{"log top -u nobody", "nothing fits -u nobody", "usage"},
		{"log top -f", "usage", "entries"},
		{"log story 777777", "777777", "usage"},
		{"log story 42", "(?m)^Transaction cup-000001-000042$", "usage"},
		{"log story", "usage", "entries"},
	} {
		said := strings.ReplaceAll(d.cable.line(t, c.in), "\r", "")
		_, said, _ = strings.Cut(said, "\n") // what was typed
		if !regexp.MustCompile(c.want).MatchString(said) || strings.Contains(said, c.not) {
			t.Errorf("%s:\n%s", c.in, said)
		}
	}
}

var _ hal.ServicePort = (*deadEnd)(nil)
