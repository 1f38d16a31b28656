package journal

import (
	"log/slog"
	"strings"

	"swipewell/ui/prompt"
)

// Crashed records how the life before this one fell: its first line, and its
// stack without arguments, which passes the sieve.
func (j *Journal) Crashed(code prompt.Code, head, stack string) {
	if j == nil {
		return
	}
	const most = 12 << 10
	j.add(Entry{Level: slog.LevelError.String(), Code: code, Source: "posd", Msg: clip(Sieve(head), 400), Fields: []Pair{{Key: "stack", Value: clip(Sieve(bare(stack)), most)}}})
}

// bare takes the arguments of calls, and registers, out of a stack: they are words of memory, and a block or a
// key that is passed by value would stand there byte by byte, where no sieve knows it.
func bare(stack string) string {
	var b strings.Builder
	for line := range strings.Lines(stack) {
		text := strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(text, "\t"): // a place: file, line and offset
		case register(text):
			continue
		case strings.HasSuffix(text, ")"):
			if i := openOf(text); i >= 0 && strings.Contains(text[i:], "0x") {
				text = text[:i] + "(...)"
			}
		}
		b.WriteString(text)
		b.WriteByte('\n')
	}
	return b.String()
}

// openOf is where the parenthesis begins that ends a line; -1: nowhere.
func openOf(s string) int {
	depth := 0
	for i := len(s) - 1; i >= 0; i-- {
		switch s[i] {
		case ')':
			depth++
		case '(':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// register tells that a line is one of a dump of registers: "rax    0x1f".
func register(s string) bool {
	f := strings.Fields(s)
	return len(f) == 2 && len(f[0]) <= 8 && strings.HasPrefix(f[1], "0x")
}
