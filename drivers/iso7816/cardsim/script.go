package cardsim

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"time"
)

// Script is a machine that knows one conversation by heart: it awaits bytes and
// sends others. What does not fit is noted in Wrong, and it is silent from then on.
type Script struct {
	ATR   []byte
	Steps [][2][]byte // awaited, sent
	Wrong error
	in    []byte
	at    int
	line  Line
}

// NewScript reads pairs of hex strings.
func NewScript(atr string, steps ...[2]string) *Script {
	s := &Script{ATR: must(atr), line: atReset(false)}
	for _, st := range steps {
		s.Steps = append(s.Steps, [2][]byte{must(st[0]), must(st[1])})
	}
	return s
}

func must(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(fmt.Sprintf("cardsim: %q: %v", s, err))
	}
	return b
}

// Reset begins the conversation anew.
func (s *Script) Reset(bool) []Char {
	s.in, s.at, s.Wrong = nil, 0, nil
	return chars(s.ATR)
}

// Line is that of a T=0 card.
func (s *Script) Line() Line { return s.line }

// Receive sends the step's answer once all of what it awaits has come.
func (s *Script) Receive(b byte, _ bool, _ time.Duration) []Char {
	s.in = append(s.in, b)
	if s.Wrong != nil {
		return nil
	}
	if s.at >= len(s.Steps) || !bytes.HasPrefix(s.Steps[s.at][0], s.in) {
		s.Wrong = fmt.Errorf("cardsim: step %d: % X", s.at+1, s.in)
		return nil
	}
	if len(s.in) < len(s.Steps[s.at][0]) {
		return nil
	}
	out := chars(s.Steps[s.at][1])
	s.in = nil
	s.at++
	return out
}

// Over tells whether the whole conversation took place, and nothing else.
func (s *Script) Over() error {
	if s.Wrong == nil && (s.at < len(s.Steps) || len(s.in) > 0) {
		return fmt.Errorf("cardsim: ended in step %d of %d", s.at+1, len(s.Steps))
	}
	return s.Wrong
}
