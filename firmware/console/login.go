package console

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/term"

	"swipewell/firmware/journal"
	"swipewell/firmware/role"
	"swipewell/firmware/role/challenge"
)

// login lets somebody of a role in: by challenge where the role has keys, else by
// PIN where the board lets it. A try is counted as a wrong one, on the flash, before
// it is looked at: whoever cuts the power then has had it.
func (s *Shell) login(ctx context.Context, who Role) error {
	if s.who() != "" {
		s.logout(true)
	}
	byKey := s.o.Desk.Has(who)
	if !role.Known(who) || s.o.Locks == nil || !byKey && s.o.Logins[who] == "" {
		s.say("no-role")
		s.note("login", "", false, journal.Word("why", "no-role"))
		return nil
	}
	if left := s.o.Locks.Left(string(who)); left > 0 {
		s.locked(left)
		s.note("login", who, false, journal.Word("why", "locked"))
		return nil
	}
	if byKey {
		return s.byKey(who)
	}
	pin, err := s.readPassword(label(s.language(), "pin-ask"))
	if err != nil {
		return nil // ^C, or the port: Run sees it
	}
	left, err := s.o.Locks.Wrong(string(who))
	if err != nil {
		return err
	}
	digits := []byte(pin)
	ok := role.Verify(s.o.Logins[who], digits)
	clear(digits)
	if !ok {
		s.refused(who, 0, left, "wrong-pin", "pin-wrong")
		return nil
	}
	return s.enter(who, 0)
}

// byKey shows a challenge and takes the answer. An empty line gives up; any other
// that is not the answer is a wrong try.
func (s *Shell) byKey(who Role) error {
	now := s.o.Clock.Now()
	text, err := s.o.Desk.Ask(who, now.Wall, now.Boot, rand.Reader)
	if err != nil {
		return err
	}
	s.say("challenge")
	s.println(text)
	s.term.SetPrompt(label(s.language(), "answer-ask"))
	var line string
	s.hist.private(func() { line, err = s.readLine() })
	s.term.SetPrompt(s.prompt())
	if err != nil && !errors.Is(err, term.ErrPasteIndicator) || strings.TrimSpace(line) == "" {
		return nil
	}
	left, err := s.o.Locks.Wrong(string(who))
	if err != nil {
		return err
	}
	out := s.o.Desk.Answer(line, s.o.Clock.Now().Boot)
	if out.Kind != challenge.Granted {
		s.refused(who, out.Number, left, out.Kind.String(), "answer-wrong")
		return nil
	}
	return s.enter(out.Role, out.Number)
}

// refused says so, and how long the role is locked now.
func (s *Shell) refused(who Role, by int, left time.Duration, why, say string) {
	fields := []journal.Field{journal.Word("why", why)}
	if left > 0 {
		fields = append(fields, journal.Count("minutes", minutes(left)))
	}
	s.record("login", who, by, false, fields...)
	s.say(say)
	if left > 0 {
		s.locked(left)
	}
}

func (s *Shell) locked(left time.Duration) {
	s.println(fmt.Sprintf(label(s.language(), "locked"), minutes(left)))
}

// minutes rounds up: nobody is told to come too early.
func minutes(d time.Duration) int { return int((d + time.Minute - 1) / time.Minute) }

func (s *Shell) enter(who Role, by int) error {
	if err := s.o.Locks.Right(string(who)); err != nil {
		return err
	}
	s.mu.Lock()
	s.role, s.by = who, by
	s.mu.Unlock()
	s.touch()
	s.note("login", who, true)
	s.println(label(s.language(), "logged-in") + string(who))
	return nil
}
