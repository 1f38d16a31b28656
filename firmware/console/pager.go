package console

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Size of a terminal that does not say it: VT100.
const (
	plainWidth  = 80
	plainHeight = 24
)

// probe asks the terminal where its lower right corner is; the cursor comes back
// to where it was. The answer comes among the keys.
const probe = "\x1b7\x1b[999;999H\x1b[6n\x1b8"

// sized takes the terminal's answer, which may be noise.
func (s *Shell) sized(w, h int) {
	if w < 20 || h < 5 || w > 999 || h > 999 || s.port.isDumb() {
		return
	}
	s.mu.Lock()
	asked := s.asked
	s.asked = false
	s.mu.Unlock()
	if asked {
		s.setSize(w, h)
	}
}

// newcomer forgets the terminal: who comes next may have another.
func (s *Shell) newcomer() {
	s.mu.Lock()
	s.greeted, s.asked = false, false
	s.mu.Unlock()
	s.setSize(plainWidth, 0)
}

// ask asks for the size once a person has typed a line, so that no port on which
// nobody is gets a byte.
func (s *Shell) ask() {
	if s.port.isDumb() {
		return
	}
	s.mu.Lock()
	s.asked = true
	s.mu.Unlock()
	io.WriteString(s.port, probe)
}

// pager writes the output of a command, and waits at the end of each screen where
// the terminal has said how tall it is.
type pager struct {
	s    *Shell
	ctx  context.Context
	part []byte
	used int
	stop bool // the reader has had enough
}

func (p *pager) Write(b []byte) (int, error) {
	p.part = append(p.part, b...)
	for {
		i := bytes.IndexByte(p.part, '\n')
		if i < 0 {
			return len(b), p.s.port.failed()
		}
		p.line(p.part[:i+1])
		p.part = p.part[i+1:]
	}
}

func (p *pager) line(line []byte) {
	if p.stop {
		return
	}
	p.s.mu.Lock()
	w, h := p.s.width, p.s.height
	p.s.mu.Unlock()
	if h > 0 {
		rows := max(1, (Columns(strings.TrimRight(string(line), "\r\n"))+w-1)/w)
		if p.used+rows > h-1 && p.used > 0 {
			if p.more(h); p.stop {
				return
			}
		}
		p.used += rows
	}
	p.s.term.Write(line)
}

// flush writes a last line without an end.
func (p *pager) flush() {
	if len(p.part) > 0 {
		p.line(append(p.part, '\n'))
		p.part = nil
	}
}

// more waits for a key. Lines of the log wait meanwhile; a logout ends it, and
// nothing of what is left is shown to whoever comes next.
func (p *pager) more(h int) {
	s := p.s
	s.out.Lock()
	defer s.out.Unlock()
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	s.mu.Lock()
	was := s.role
	s.endMore = cancel
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.endMore = nil
		if s.role != was {
			p.stop = true
		}
	}()
	const text = "--More-- "
	io.WriteString(s.port, text)
	key, err := s.port.key(ctx)
	io.WriteString(s.port, "\r"+strings.Repeat(" ", len(text))+"\r")
	switch {
	case err != nil && ctx.Err() == nil: // the port: Run shall see it, too
		s.port.err = err
		p.stop = true
	case err != nil, strings.IndexByte("qQ\x03", key) >= 0:
		p.stop = true
	case key == '\r' || key == 'j':
		p.used = h - 2
	default:
		p.used = 0
	}
}

// cmdTerm says how the console sees the terminal, and sets it.
func cmdTerm(s *Shell, _ context.Context, args []string) error {
	if len(args) > 1 {
		return errUsage
	}
	if len(args) == 0 {
		s.mu.Lock()
		w, h := s.width, s.height
		s.mu.Unlock()
		switch {
		case s.port.isDumb():
			s.say("term-dumb")
		case h == 0:
			s.println(fmt.Sprintf("%dx%d  %s", plainWidth, plainHeight, label(s.language(), "term-unknown")))
		default:
			s.println(fmt.Sprintf("%dx%d", w, h))
		}
		return nil
	}
	switch args[0] {
	case "dumb":
		s.port.setDumb(true)
		s.setSize(plainWidth, 0)
		s.say("term-dumb")
		return nil
	case "probe":
		s.port.setDumb(false)
		s.ask()
		return nil
	}
	ws, hs, ok := strings.Cut(args[0], "x")
	w, err1 := strconv.Atoi(ws)
	h, err2 := strconv.Atoi(hs)
	if !ok || err1 != nil || err2 != nil || w < 20 || h < 5 || w > 999 || h > 999 {
		return errUsage
	}
	s.port.setDumb(false)
	s.setSize(w, h)
	return nil
}

// setSize takes a size; height 0: there is no paging.
func (s *Shell) setSize(w, h int) {
	s.mu.Lock()
	s.width, s.height = w, h
	s.mu.Unlock()
	s.term.SetSize(w, max(h, plainHeight))
}
