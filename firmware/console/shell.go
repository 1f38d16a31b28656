package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"swipewell/firmware/journal"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// idleLogout ends a login that nobody uses.
const idleLogout = 10 * time.Minute

// Shell is the line console on the service cable. Any terminal program will
// do: VT100 keys edit the line and recall earlier ones, and lines of the log
// appear above the line that is being typed.
type Shell struct {
	o    Opts
	port *portStream
	term *term.Terminal

	mu   sync.Mutex // guards lang, role, idle and unfollow: a timer may log out
	lang string
	role Role
	by   int         // the person's number; 0 unknown
	idle func() bool // stops the idle timer

	asked asked // of the reading loop

	unfollow context.CancelFunc // ends log -f; nil if none
	wg       sync.WaitGroup
}

// NewShell is a console on a port. Run starts it.
func NewShell(port hal.ServicePort, o Opts) *Shell {
	if o.Clock == nil {
		o.Clock = hal.SystemClock{}
	}
	if o.Lang == "" {
		o.Lang = "en"
	}
	s := &Shell{o: o, port: &portStream{port: port}, lang: o.Lang}
	s.term = term.NewTerminal(s.port, "")
	s.term.SetSize(160, 24)
	return s
}

// Run serves the port until ctx ends (nil). A port that fails is tried again:
// the cable may have been pulled.
func (s *Shell) Run(ctx context.Context) error {
	defer s.wg.Wait()
	defer s.logout(false)
	s.port.ctx = ctx
	for ctx.Err() == nil {
		s.term.SetPrompt(s.prompt())
		line, err := s.term.ReadLine()
		switch {
		case ctx.Err() != nil:
			return nil
		case s.port.err != nil:
			s.port.err = nil
			s.logout(false)
			hal.Sleep(ctx, s.o.Clock, time.Second)
		case errors.Is(err, io.EOF): // ^C, ^D
			s.println("")
			s.stopFollow()
			if s.who() != "" {
				s.logout(true)
			}
		case err != nil && !errors.Is(err, term.ErrPasteIndicator):
			hal.Sleep(ctx, s.o.Clock, time.Second)
		default:
			s.run(ctx, strings.Fields(line))
		}
	}
	return nil
}

func (s *Shell) prompt() string {
	if r := s.who(); r != "" {
		return "swipewell " + string(r) + "# "
	}
	return "swipewell> "
}

func (s *Shell) language() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lang
}

func (s *Shell) println(line string) { s.term.Write([]byte(line + "\n")) }

func (s *Shell) say(key string) { s.println(label(s.language(), key)) }

// run carries out one line.
func (s *Shell) run(ctx context.Context, words []string) {
	if len(words) == 0 {
		return
	}
	c, ok := commands.find(words[0])
	if !ok {
		s.say("no-command")
		return
	}
	who := s.who()
	if why, ok := c.who.may(who); !ok {
		s.note("denied", who, false, journal.Word("command", c.name))
		s.say(why)
		return
	}
	s.touch()
	err := c.fn(s, ctx, words[1:])
	carrying := c.name == "log" && len(words) == 4 && words[1] == "piece" || c.name == "ask" && len(words) > 2 && words[2] != "0"
	if who != "" && !carrying { // what asked for the first of it was noted
		s.note("command", who, err == nil, journal.Word("command", c.name))
	}
	switch {
	case errors.Is(err, errUsage):
		s.println(label(s.language(), "usage") + c.name + " " + c.args)
	case err != nil && ctx.Err() == nil:
		s.println(err.Error())
	}
}

func (s *Shell) who() Role {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.role
}

// touch starts the idle time again.
func (s *Shell) touch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle != nil {
		s.idle()
		s.idle = nil
	}
	if s.role != "" {
		s.idle = s.o.Clock.AfterFunc(idleLogout, func() {
			s.logout(true)
			s.term.SetPrompt(s.prompt())
		})
	}
}

// logout forgets who is there; tell prints it.
func (s *Shell) logout(tell bool) {
	s.mu.Lock()
	was, by := s.role, s.by
	s.role, s.by = "", 0
	if s.idle != nil {
		s.idle()
		s.idle = nil
	}
	s.mu.Unlock()
	s.stopFollow()
	if was == "" {
		return
	}
	s.record("logout", was, by, true)
	if tell {
		s.say("logged-out")
	}
}

// note keeps what people do at the cable.
func (s *Shell) note(what string, r Role, ok bool, more ...journal.Field) {
	s.mu.Lock()
	by := s.by
	s.mu.Unlock()
	s.record(what, r, by, ok, more...)
}

func (s *Shell) record(what string, r Role, by int, ok bool, more ...journal.Field) {
	s.o.Journal.Record(journal.Event{Code: prompt.LogService, Source: "console", Fields: append([]journal.Field{
		journal.Word("do", what), journal.Word("role", string(r)), journal.Count("who", by), journal.Flag("ok", ok)}, more...)})
}

// follow prints new entries above the typed line until stopFollow.
func (s *Shell) follow(ctx context.Context, f journal.Filter) {
	s.stopFollow()
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	s.unfollow = cancel
	s.mu.Unlock()
	lang := s.language()
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		err := s.o.Journal.Follow(ctx, f, func(e journal.Entry) error {
			s.println(EntryLine(lang, e))
			return s.port.failed()
		})
		if err != nil && ctx.Err() == nil {
			s.println(fmt.Sprintf("log: %v", err))
		}
	}()
}

func (s *Shell) stopFollow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unfollow != nil {
		s.unfollow()
		s.unfollow = nil
	}
}

// portStream makes a stream of a service port for x/term. Reads end with ctx.
type portStream struct {
	ctx  context.Context
	port hal.ServicePort
	err  error // of the last Read; owned by the reader

	mu   sync.Mutex
	werr error
}

func (p *portStream) Read(b []byte) (int, error) {
	n, err := p.port.Read(p.ctx, b)
	if err != nil {
		p.err = err
		return n, io.EOF
	}
	return n, nil
}

func (p *portStream) Write(b []byte) (int, error) {
	n, err := p.port.Write(p.ctx, b)
	p.mu.Lock()
	p.werr = err
	p.mu.Unlock()
	return n, err
}

// failed is the error of the last write.
func (p *portStream) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.werr
}
