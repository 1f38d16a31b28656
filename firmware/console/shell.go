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

	mu   sync.Mutex // guards what follows: a timer may log out
	lang string
	role Role
	by   int         // the person's number; 0 unknown
	idle func() bool // stops the idle timer

	answered asked // of the reading loop

	unfollow context.CancelFunc // ends log -f; nil if none
	wg       sync.WaitGroup

	hist          history
	width, height int                // of the terminal; height 0: it has not said, and nothing is paged
	asked         bool               // how large it is
	greeted       bool               // somebody has typed a line since the port was opened
	endMore       context.CancelFunc // ends a wait at --More--; nil if there is none
	out           sync.Mutex         // held while --More-- stands at the cursor
	paged         *pager             // of the command that runs
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
	s.port.keys.size = s.sized
	s.term.History = &s.hist
	s.term.AutoCompleteCallback = s.complete
	s.setSize(plainWidth, 0)
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
		line, err := s.readLine()
		switch {
		case ctx.Err() != nil:
			return nil
		case s.port.err != nil:
			s.port.err = nil
			s.port.have = append(s.port.have[:0], dropLine...) // a PIN may be half typed
			s.port.setDumb(false)
			s.logout(false)
			s.newcomer()
			hal.Sleep(ctx, s.o.Clock, time.Second)
		case errors.Is(err, io.EOF): // ^C, ^D
			s.stopFollow()
			if s.who() != "" {
				s.logout(true)
			}
		case err != nil && !errors.Is(err, term.ErrPasteIndicator):
			hal.Sleep(ctx, s.o.Clock, time.Second)
		default:
			s.run(ctx, strings.Fields(line))
			s.mu.Lock()
			first := !s.greeted
			s.greeted = true
			s.mu.Unlock()
			if first {
				s.ask()
			}
		}
	}
	return nil
}

// readLine reads a line; io.EOF: it was given up.
func (s *Shell) readLine() (string, error) {
	line, err := s.term.ReadLine()
	if s.port.gaveUp() {
		return "", io.EOF
	}
	return line, err
}

// readPassword is readLine without an echo.
func (s *Shell) readPassword(prompt string) (string, error) {
	pin, err := s.term.ReadPassword(prompt)
	if s.port.gaveUp() {
		return "", io.EOF
	}
	return pin, err
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

// println prints a line above the one that is being typed; several goroutines may
// call it.
func (s *Shell) println(line string) {
	s.out.Lock()
	defer s.out.Unlock()
	s.term.Write([]byte(line + "\n"))
}

// page is where a command writes what may be long.
func (s *Shell) page() io.Writer {
	if s.paged == nil {
		return s.term
	}
	return s.paged
}

func (s *Shell) say(key string) { s.println(label(s.language(), key)) }

// run carries out one line.
func (s *Shell) run(ctx context.Context, words []string) {
	if len(words) == 0 {
		return
	}
	c, many := commands.match(words[0])
	switch {
	case c != nil:
	case len(many) > 1:
		s.println(label(s.language(), "which-command") + strings.Join(many, " "))
		return
	default:
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
	words = s.whole(*c, words)
	s.paged = &pager{s: s, ctx: ctx}
	err := c.fn(s, ctx, words[1:])
	s.paged.flush()
	s.paged = nil
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
		})
	}
}

// Pulled is told that the cable is out: nobody is logged in from then on.
func (s *Shell) Pulled() { s.logout(false) }

// logout forgets who is there; tell prints it.
func (s *Shell) logout(tell bool) {
	s.mu.Lock()
	was, by := s.role, s.by
	s.role, s.by = "", 0
	if s.endMore != nil {
		s.endMore()
	}
	if s.idle != nil {
		s.idle()
		s.idle = nil
	}
	s.mu.Unlock()
	s.stopFollow()
	if was == "" {
		return
	}
	s.hist.forget()
	s.newcomer()
	s.term.SetPrompt(s.prompt())
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
func (s *Shell) follow(ctx context.Context, f journal.Filter, look Look) {
	s.stopFollow()
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	s.unfollow = cancel
	s.mu.Unlock()
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		err := s.o.Journal.Follow(ctx, f, func(e journal.Entry) error {
			var b strings.Builder
			if err := writeEntry(&b, look, e); err != nil {
				return err
			}
			s.println(strings.TrimRight(b.String(), "\n"))
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
