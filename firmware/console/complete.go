package console

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"swipewell/firmware/txn"
)

// word is what may come next on a line: itself, or in capitals the name of what
// is to be put there.
type word struct {
	text string
	help string // key of its words; "" has none
}

// place tells that it stands for something else.
func (w word) place() bool { r, _ := utf8.DecodeRuneInString(w.text); return unicode.IsUpper(r) }

// match finds a command by its name or by a beginning that no other has; many are
// those that have it.
func (t table) match(name string) (c *command, many []string) {
	for i := range t {
		switch {
		case t[i].name == name:
			return &t[i], nil
		case name != "" && strings.HasPrefix(t[i].name, name):
			c, many = &t[i], append(many, t[i].name)
		}
	}
	if len(many) != 1 {
		c = nil
	}
	return c, many
}

// nextWords are what may follow a command where its line in the table does not
// say all: args are the words so far.
var nextWords map[string]func(args []string) []word

// It is filled here since help looks at it.
func init() {
	nextWords = map[string]func(args []string) []word{
		"log": nextLog,
		"page": func(args []string) (list []word) {
			if len(args) == 0 {
				for _, n := range txn.PageNames() {
					list = append(list, word{n, ""})
				}
			}
			return list
		},
		"help": func(args []string) []word {
			if len(args) == 0 {
				var list []word
				for _, c := range commands {
					list = append(list, word{c.name, c.help})
				}
				return list
			}
			if c, _ := commands.match(args[0]); c != nil && c.name != "help" {
				return c.next(args[1:])
			}
			return nil
		},
	}
}

// next is what may follow these words of the command.
func (c command) next(args []string) []word {
	if f := nextWords[c.name]; f != nil {
		return f(args)
	}
	groups := parseArgs(c.args)
	n := len(args)
	switch {
	case n < len(groups):
	case len(groups) > 0 && strings.HasSuffix(groups[len(groups)-1][0], "…"):
		n = len(groups) - 1
	default:
		return nil
	}
	var list []word
	for _, t := range groups[n] {
		t = strings.TrimSuffix(t, "…")
		list = append(list, word{t, "w-" + c.name + "-" + t})
	}
	return list
}

// parseArgs reads "[ID | activate] REASON…": places, each with its alternatives.
func parseArgs(s string) (groups [][]string) {
	s = strings.NewReplacer(" | ", "|", "[", "", "]", "").Replace(s)
	for _, f := range strings.Fields(s) {
		groups = append(groups, strings.Split(f, "|"))
	}
	return groups
}

// next is what may follow these words, for the role that is logged in.
func (s *Shell) next(words []string) (list []word) {
	if len(words) > 0 {
		c, _ := commands.match(words[0])
		if c == nil {
			return nil
		}
		if _, ok := c.who.may(s.who()); !ok {
			return nil
		}
		return c.next(s.whole(*c, words)[1:])
	}
	for _, c := range commands {
		if _, ok := c.who.may(s.who()); ok {
			list = append(list, word{c.name, c.help})
		}
	}
	return list
}

// wholeOnly are words that a person must write out.
var wholeOnly = []string{"yes"}

// whole writes beginnings out that only one word has. Where anything may stand, a
// word stays as it was typed.
func (s *Shell) whole(c command, words []string) []string {
	out := []string{c.name}
	for _, w := range words[1:] {
		may := c.next(out[1:])
		var fit []string
		for _, m := range may {
			switch {
			case m.place() && m.text != "N", m.text == w:
				fit = []string{w, w} // as it is
			case strings.HasPrefix(m.text, w) && w != "-" && w != "--" && !slices.Contains(wholeOnly, m.text):
				fit = append(fit, m.text)
			}
		}
		if len(fit) == 1 {
			w = fit[0]
		}
		out = append(out, w)
	}
	return out
}

// list prints words with what they mean, those that begin with part.
func (s *Shell) list(w io.Writer, words []word, part string) {
	lang, n := s.language(), 0
	for _, x := range words {
		if !strings.HasPrefix(x.text, part) {
			continue
		}
		help := ""
		if _, ok := texts(x.help); ok {
			help = label(lang, x.help)
		}
		fmt.Fprintf(w, "  %-14s %s\n", x.text, help)
		n++
	}
	if n == 0 {
		fmt.Fprintln(w, "  "+label(lang, "no-more-words"))
	}
}

// complete is x/term's callback: tab completes the word at the cursor, ? lists
// what may stand there. A ? within a text of one's own is a ?.
func (s *Shell) complete(line string, pos int, key rune) (string, int, bool) {
	if key != '\t' && key != '?' || s.hist.isOff() || s.port.isDumb() {
		return "", 0, false
	}
	before := line[:pos]
	words := strings.Fields(before)
	part := ""
	if len(words) > 0 && !strings.HasSuffix(before, " ") {
		part, words = words[len(words)-1], words[:len(words)-1]
	}
	may := s.next(words)
	var fit []string
	free := false
	for _, m := range may {
		if m.place() {
			free = true
		} else if strings.HasPrefix(m.text, part) {
			fit = append(fit, m.text)
		}
	}
	if key == '?' {
		if part != "" && len(fit) == 0 && free {
			return "", 0, false
		}
		s.show(may, part, free)
		return line, pos, true
	}
	if len(fit) == 0 {
		return line, pos, true
	}
	whole := fit[0]
	for _, f := range fit[1:] {
		n := 0
		for n < len(whole) && n < len(f) && whole[n] == f[n] {
			n++
		}
		whole = whole[:n]
	}
	if len(fit) == 1 {
		whole += " "
	} else if whole == part {
		s.show(may, part, free)
		return line, pos, true
	}
	rest := strings.TrimPrefix(line[pos:], " ")
	done := before[:len(before)-len(part)] + whole
	return done + rest, len(done), true
}

// show lists words above the typed line.
func (s *Shell) show(may []word, part string, free bool) {
	var b strings.Builder
	if part == "" || !free {
		s.list(&b, may, part)
	} else { // what is named in capitals stays in the list
		var list []word
		for _, m := range may {
			if m.place() || strings.HasPrefix(m.text, part) {
				list = append(list, m)
			}
		}
		s.list(&b, list, "")
	}
	s.println(strings.TrimRight(b.String(), "\n"))
}
