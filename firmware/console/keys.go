package console

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// keys makes of what the far end types what x/term can take. Terminal programs
// end a line with CR, LF or both, in one read or two, send BS or DEL, and write
// Home, End and the arrows in three ways (VT100, xterm, application mode); a port
// at a wrong rate gives bytes that are no text. None of that may stop the editor:
// x/term waits for the end of a sequence for good, and reads into no room at all
// once 256 bytes of one have come.
type keys struct {
	esc  []byte // a sequence under way, without its ESC
	on   bool   // one is
	rune []byte // a character under way
	cr   bool   // the last byte was CR: an LF behind it belongs to it
	// size is told the place of the cursor that the terminal reports.
	size func(w, h int)
}

// Longest sequence that is waited for; a cursor report has nine bytes.
const maxEscape = 16

// The control characters that x/term has a use for: editing of the line, tab. ^C
// and ^D are not among them: [portStream.Read].
const controls = "\x01\x02\x05\x06\x09\x0b\x0c\x0e\x10\x14\x15\x17"

// dropLine empties the line: to its end, and all before it.
const dropLine = "\x05\x15"

// take appends to dst what in comes to.
func (k *keys) take(dst, in []byte) []byte {
	for _, b := range in {
		if k.on {
			if done := k.sequence(b); done != "" {
				dst = append(dst, done...)
			}
			if k.on || b >= 0x20 {
				continue
			}
			// A control character ends a sequence that never came to its end.
		}
		cr := k.cr
		k.cr = b == '\r'
		switch {
		case len(k.rune) > 0 || b >= utf8.RuneSelf:
			dst = k.character(dst, b)
		case b == 0x1b:
			k.on, k.esc = true, k.esc[:0]
		case b == '\n' && cr:
		case b == '\n', b == '\r':
			dst = append(dst, '\r')
		case b == 0x08, b == 0x7f:
			dst = append(dst, 0x7f)
		case b == 0x03, b == 0x04:
			dst = append(dst, 0x03)
		case b >= 0x20, strings.IndexByte(controls, b) >= 0:
			dst = append(dst, b)
		}
	}
	return dst
}

// character takes one byte of a character beyond ASCII; what is none is left out.
func (k *keys) character(dst []byte, b byte) []byte {
	k.rune = append(k.rune, b)
	if !utf8.FullRune(k.rune) {
		return dst
	}
	r, n := utf8.DecodeRune(k.rune)
	switch rest := b; {
	case r != utf8.RuneError && n == len(k.rune):
		k.rune = k.rune[:0]
		if unicode.IsGraphic(r) {
			dst = utf8.AppendRune(dst, r)
		}
	default: // the byte that broke it may begin something of its own
		again := len(k.rune) > 1
		k.rune = k.rune[:0]
		if again {
			return k.take(dst, []byte{rest})
		}
	}
	return dst
}

// sequence takes one byte behind an ESC, and gives the key at its end.
func (k *keys) sequence(b byte) string {
	if b < 0x20 || b >= 0x7f {
		k.on = b == 0x1b
		k.esc = k.esc[:0]
		return ""
	}
	k.esc = append(k.esc, b)
	switch {
	case len(k.esc) == 1 && (b == '[' || b == 'O'):
		return ""
	case len(k.esc) > 1 && k.esc[0] == '[' && b < 0x40:
		k.on = len(k.esc) < maxEscape
		return ""
	}
	k.on = false
	args, last := string(k.esc[1:max(len(k.esc)-1, 1)]), b
	switch {
	case len(k.esc) < 2: // Alt and a key
	case args == "" && strings.IndexByte("ABCDHF", last) >= 0:
		return "\x1b[" + string(last)
	case k.esc[0] == 'O':
	case last == '~':
		return map[string]string{"1": "\x1b[H", "7": "\x1b[H", "4": "\x1b[F", "8": "\x1b[F", "3": "\x1b[3~"}[args]
	case (last == 'C' || last == 'D') && (args == "1;3" || args == "1;5"):
		return "\x1b[1;3" + string(last)
	case last == 'R' && k.size != nil:
		row, col, _ := strings.Cut(args, ";")
		h, err1 := strconv.Atoi(row)
		w, err2 := strconv.Atoi(col)
		if err1 == nil && err2 == nil {
			k.size(w, h)
		}
	}
	return ""
}
