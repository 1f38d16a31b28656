package throttle

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error is one thing wrong with a rule file, and where.
type Error struct {
	File      string
	Line, Col int // from 1; a column counts characters
	Why       string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Why)
}

// Errors are all that is wrong with a file, in its order.
type Errors []*Error

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, x := range e {
		lines[i] = x.Error()
	}
	return strings.Join(lines, "\n")
}

// kind of a token.
type tokenKind uint8

const (
	endToken tokenKind = iota
	word               // letters, digits, _ . % -
	quoted
	punct   // one of { } ( ) , : = or >= <= > < +=
	newline // also ';'
)

type token struct {
	kind      tokenKind
	text      string
	line, col int
}

func (t token) String() string {
	switch t.kind {
	case endToken:
		return "the end of the file"
	case newline:
		return "the end of the line"
	case quoted:
		return fmt.Sprintf("%q", t.text)
	}
	return "'" + t.text + "'"
}

// maxText bounds a file: rules are a few pages.
const maxText = 256 << 10

// lex cuts a file into tokens.
func lex(file, text string) (out []token, errs Errors) {
	line, col := 1, 1
	fail := func(why string) { errs = append(errs, &Error{file, line, col, why}) }
	if len(text) > maxText {
		fail("the file is too long for rules")
		return nil, errs
	}
	if !utf8.ValidString(text) {
		for i, r := range text {
			if r == utf8.RuneError {
				if _, n := utf8.DecodeRuneInString(text[i:]); n == 1 {
					fail("not UTF-8")
					return nil, errs
				}
			}
			if col++; r == '\n' {
				line, col = line+1, 1
			}
		}
	}
	text = strings.TrimPrefix(text, "\ufeff")
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		at := token{line: line, col: col}
		take := func(kind tokenKind, bytes int) {
			at.kind, at.text = kind, text[:bytes]
			out = append(out, at)
			col += utf8.RuneCountInString(text[:bytes])
			text = text[bytes:]
		}
		switch {
		case r == '\n':
			take(newline, 1)
			line, col = line+1, 1
		case r == ';':
			take(newline, 1)
		case r == ' ' || r == '\t' || r == '\r':
			text = text[n:]
			col++
		case r == '#':
			i := strings.IndexByte(text, '\n')
			if i < 0 {
				i = len(text)
			}
			text = text[i:]
		case r == '"':
			end := strings.IndexAny(text[1:], "\"\n")
			if end < 0 || text[1+end] == '\n' {
				fail("a text without its closing quote")
				if end < 0 {
					end = len(text) - 1
				}
				text = text[1+end:]
				continue
			}
			at.kind, at.text = quoted, text[1:1+end]
			out = append(out, at)
			col += utf8.RuneCountInString(text[:end+2])
			text = text[end+2:]
		case strings.HasPrefix(text, ">=") || strings.HasPrefix(text, "<=") || strings.HasPrefix(text, "+="):
			take(punct, 2)
		case strings.ContainsRune("{}(),:=<>+/", r):
			take(punct, 1)
		case wordRune(r):
			i := strings.IndexFunc(text, func(r rune) bool { return !wordRune(r) })
			if i < 0 {
				i = len(text)
			}
			take(word, i)
		default:
			fail(fmt.Sprintf("%q does not belong here", r))
			text = text[n:]
			col++
		}
	}
	return append(out, token{line: line, col: col}), errs
}

func wordRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '.' || r == '%' || r == '-'
}
