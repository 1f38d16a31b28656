package console

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"swipewell/firmware/pos"
	"swipewell/firmware/recovery"
)

// command is one word of the line console. The table is the help.
type command struct {
	name, args string
	help       string // key of its words
	who        access
	fn         func(s *Shell, ctx context.Context, args []string) error
}

// access is who may use a command.
type access uint8

const (
	all    access = iota
	login         // whoever has logged in
	reader        // technicians, supervisors and field engineers: nothing is changed by it
	staff         // technicians and supervisors; what is a supervisor's alone says so itself
)

// may tells whether a role may use it, and if not, why: a key of words.
func (a access) may(r Role) (why string, ok bool) {
	switch {
	case a == all:
		return "", true
	case r == "":
		return "login-first", false
	case a >= reader && r == Cashier:
		return "not-cashier", false
	case a >= staff && r == Engineer:
		return "not-engineer", false
	}
	return "", true
}

type table []command

var errUsage = errors.New("usage")

var commands table

// The table is filled here since help prints it.
func init() {
	commands = table{
		{"help", "[WORD…]", "h-help", all, cmdHelp},
		{"status", "", "h-status", all, cmdStatus},
		{"board", "", "h-board", all, cmdBoard},
		{"signal", "", "h-signal", all, cmdSignal},
		{"login", "cashier|technician|supervisor|engineer", "h-login", all, cmdLogin},
		{"selfcheck", "[echo]", "h-selfcheck", reader, cmdSelfcheck},
		{"config", "", "h-config", reader, cmdConfig},
		{"log", "[N | -f | off] [tx STAN] [code CODE] …", "h-log", reader, cmdLog},
		{"story", "STAN", "h-story", reader, cmdStory},
		{"queue", "", "h-queue", login, cmdQueue},
		{"batch", "", "h-batch", login, cmdBatch},
		{"tx", "STAN", "h-tx", login, cmdTx},
		{"check", "", "h-check", reader, cmdCheck},
		{"close", "STAN REASON…", "h-close", staff, cmdClose},
		{"park", "STAN REASON…", "h-park", staff, cmdPark},
		{"restore", "[yes]", "h-restore", staff, cmdRestore},
		{"accept", "REASON…", "h-accept", staff, cmdAccept},
		{"why", "", "h-why", login, cmdWhy},
		{"page", "NAME", "h-page", login, cmdPage},
		{"rules", "[ID | activate]", "h-rules", reader, cmdRules},
		{"recovery", "", "h-recovery", reader, cmdRecovery},
		{"enrol", "NUMBER", "h-enrol", staff, cmdEnrol},
		{"ask", "ID BYTE SUM REQUEST", "h-ask", reader, cmdAsk},
		{"lang", "zh|en", "h-lang", all, cmdLang},
		{"term", "[probe | dumb | WxH]", "h-term", all, cmdTerm},
		{"logout", "", "h-logout", all, cmdLogout},
		{"exit", "", "h-exit", all, cmdLogout},
	}
}

// cmdHelp lists the commands that the role may use, or what may follow some words.
func cmdHelp(s *Shell, _ context.Context, args []string) error {
	if len(args) > 0 {
		s.list(s.page(), s.next(args), "")
		return nil
	}
	for _, c := range commands {
		if _, ok := c.who.may(s.who()); ok {
			fmt.Fprintf(s.page(), "%-10s%-41s%s\n", c.name, c.args, label(s.language(), c.help))
		}
	}
	fmt.Fprintln(s.page(), label(s.language(), "h-keys"))
	return nil
}

func cmdStatus(s *Shell, ctx context.Context, _ []string) error {
	st, err := s.o.Backend.Status(ctx)
	if err != nil {
		return err
	}
	WriteStatus(s.page(), s.language(), st)
	return nil
}

func cmdLogin(s *Shell, ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	return s.login(ctx, Role(args[0]))
}

func cmdLogout(s *Shell, _ context.Context, _ []string) error {
	s.logout(true)
	return nil
}

func cmdLang(s *Shell, _ context.Context, args []string) error {
	if len(args) != 1 || args[0] != "zh" && args[0] != "en" {
		return errUsage
	}
	s.mu.Lock()
	s.lang = args[0]
	s.mu.Unlock()
	return nil
}

func cmdQueue(s *Shell, ctx context.Context, _ []string) error {
	rs, err := s.o.Backend.Queue(ctx)
	if err != nil {
		return err
	}
	st, err := s.o.Backend.Status(ctx)
	if err != nil {
		return err
	}
	WriteQueue(s.page(), s.language(), rs, st.Time.Logical)
	return nil
}

// batchLines is how many rows the cable shows; postool shows all.
const batchLines = 50

func cmdBatch(s *Shell, ctx context.Context, _ []string) error {
	var rows []pos.Sale
	more := 0
	err := s.o.Backend.Batch(ctx, func(r pos.Sale) error {
		if len(rows) == batchLines {
			rows, more = rows[1:], more+1
		}
		rows = append(rows, r)
		return nil
	})
	if err != nil {
		return err
	}
	if more > 0 {
		s.println(fmt.Sprintf("… %d", more))
	}
	WriteBatch(s.page(), s.language(), rows)
	return nil
}

func cmdTx(s *Shell, ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	return transaction(ctx, s.o, args[0], func(kind string, v any) error {
		WriteItem(s.page(), s.language(), v)
		return nil
	})
}

// supervisor tells whether one is logged in, and says so if not.
func (s *Shell) supervisor() bool {
	if s.who() != Supervisor {
		s.say("supervisor-only")
		return false
	}
	return true
}

// cmdRestore tries a restore and shows what would come of it; with "yes" a
// supervisor puts it in the place of a store that cannot be opened.
func cmdRestore(s *Shell, ctx context.Context, args []string) error {
	yes := len(args) == 1 && args[0] == "yes"
	if len(args) > 0 && !yes {
		return errUsage
	}
	if yes && !s.supervisor() {
		return nil
	}
	r, err := s.o.Backend.Restore(ctx, yes)
	if err != nil {
		return err
	}
	WriteRestore(s.page(), s.language(), r)
	return nil
}

func cmdAccept(s *Shell, ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	if !s.supervisor() {
		return nil
	}
	if err := s.o.Backend.Accept(ctx, strings.Join(args, " ")); err != nil {
		return err
	}
	s.say("accepted")
	return nil
}

// cmdClose is the supervisor's word on a record that the host cannot settle.
func cmdClose(s *Shell, ctx context.Context, args []string) error {
	return s.byHand(ctx, args, s.o.Backend.CloseRecord, "closed-ok")
}

func cmdPark(s *Shell, ctx context.Context, args []string) error {
	return s.byHand(ctx, args, s.o.Backend.ParkRecord, "parked-ok")
}

// byHand does to one record what a supervisor says, with a reason.
func (s *Shell) byHand(ctx context.Context, args []string, do func(context.Context, pos.STAN, string) (pos.Record, error), done string) error {
	if len(args) < 2 {
		return errUsage
	}
	if !s.supervisor() {
		return nil
	}
	n, err := strconv.ParseUint(args[0], 10, 20)
	if err != nil {
		return errUsage
	}
	rec, err := do(ctx, pos.STAN(n), strings.Join(args[1:], " "))
	if err != nil {
		return err
	}
	WriteItem(s.page(), s.language(), rec)
	s.say(done)
	return nil
}

// cmdRecovery prints an export as a file has it: a terminal program keeps it.
func cmdRecovery(s *Shell, ctx context.Context, _ []string) error {
	h, items, err := s.o.Backend.Recovery(ctx)
	if err != nil {
		return err
	}
	return recovery.Write(s.term, h, items)
}

func cmdCheck(s *Shell, ctx context.Context, _ []string) error {
	if err := s.o.Backend.Check(ctx); err != nil {
		return err
	}
	s.say("store-ok")
	return nil
}
