package world

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"swipewell/drivers/msr/msrsim"
	"swipewell/firmware/pos"
	"swipewell/firmware/sim/acquirer"
	"swipewell/hal"
)

// ErrLater says that a command comes with a later part of the work.
type ErrLater struct {
	Command string
	Part    int
}

func (e *ErrLater) Error() string {
	return fmt.Sprintf("%s comes with part %d of the work and is not there yet", e.Command, e.Part)
}

// ErrUsage says that a command's words are off.
var ErrUsage = errors.New("usage")

func usage(format string, a ...any) error {
	return fmt.Errorf("%w: %s", ErrUsage, fmt.Sprintf(format, a...))
}

// command is one word of the script language that does something.
type command func(w *World, ctx context.Context, args []string) error

// Commands are the words of the language that act. BENCH.
var commands = map[string]command{
	"start":    func(w *World, ctx context.Context, _ []string) error { return w.Start(ctx) },
	"shutdown": func(w *World, ctx context.Context, _ []string) error { return w.Shutdown(ctx) },
	"power":    (*World).power,
	"crash":    func(w *World, ctx context.Context, _ []string) error { return w.Crash(ctx) },
	"clock":    (*World).clockCmd,
	"key":      (*World).keyCmd,
	"amount":   (*World).amountCmd,
	"txn":      (*World).txnCmd,
	"pin":      (*World).pinCmd,
	"swipe":    (*World).swipeCmd,
	"card":     (*World).cardCmd,
	"line":     (*World).lineCmd,
	"modem":    (*World).modemCmd,
	"disk":     (*World).diskCmd,
	"printer":  (*World).printerCmd,
	"tamper":   func(w *World, _ context.Context, _ []string) error { return w.Panel.Tamper("case") },
	"order":    (*World).orderCmd,
	"profile":  (*World).profileCmd,
	"rules":    (*World).rulesCmd,
	"tables":   (*World).tablesCmd,
	"board":    (*World).boardCmd,
	"attend":   (*World).attendCmd,
	"login":    (*World).loginCmd,
	"insert":   (*World).insertCmd,
	"remove":   (*World).removeCmd,
}

// Commands lists the words that act, sorted; "host" is apart, since its
// "sees" is a check.
func Commands() []string {
	var names []string
	for n := range commands {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Do carries out one command of the script language.
func (w *World) Do(ctx context.Context, name string, args ...string) error {
	defer w.changed()
	if name == "host" {
		_, err := w.hostCmd(args)
		return err
	}
	c, ok := commands[name]
	if !ok {
		return usage("no command %q", name)
	}
	return c(w, ctx, args)
}

func (w *World) power(ctx context.Context, args []string) error {
	switch {
	case len(args) == 1 && args[0] == "on":
		return w.PowerOn(ctx)
	case len(args) == 1 && args[0] == "cut":
		w.PowerCut()
		return nil
	case len(args) == 3 && args[0] == "cut" && args[1] == "at":
		n, settle := strings.CutPrefix(strings.NewReplacer("tables:", "settle:", "log:", "settle:").Replace(args[2]), "settle:")
		if i, err := strconv.Atoi(n); !slices.Contains(points, args[2]) && (!settle || err != nil || i < 1) {
			return usage("power cut at %s|settle:N|tables:N|log:N", strings.Join(points, "|"))
		}
		w.Arm(args[2])
		return nil
	}
	return usage("power on | power cut [at POINT]")
}

// points where the power can fail.
var points = []string{"before-intent", "intent", "before-send", "sent", "answer", "outcome", "printing", "outbox-try"}

// untilNext is how long it is until the next time that a clock shows 15:04, or
// until the next Monday on which it does.
func untilNext(now time.Time, words []string) (time.Duration, error) {
	at, err := time.Parse("15:04", words[len(words)-1])
	if err != nil {
		return 0, usage("clock set [Mon] 15:04")
	}
	t := time.Date(now.Year(), now.Month(), now.Day(), at.Hour(), at.Minute(), 0, 0, now.Location())
	for range 8 {
		if t.After(now) && (len(words) == 1 || t.Weekday().String()[:3] == words[0]) {
			return t.Sub(now), nil
		}
		t = t.AddDate(0, 0, 1)
	}
	return 0, usage("clock set %s: no such day; Mon Tue Wed Thu Fri Sat Sun", words[0])
}

func (w *World) clockCmd(ctx context.Context, args []string) error {
	if len(args) == 3 && args[0] == "set" || len(args) == 2 && args[0] == "set" && len(args[1]) == 5 {
		d, err := untilNext(w.Clock.Now().Wall.In(pos.CST), args[1:])
		if err != nil {
			return err
		}
		w.Panel.StepWall(d)
		return w.settleDevice(ctx)
	}
	if len(args) != 2 {
		return usage("clock advance D | step D | set T")
	}
	if args[0] == "set" {
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02"} {
			if t, err := time.ParseInLocation(layout, args[1], pos.CST); err == nil {
				w.Panel.StepWall(t.Sub(w.Clock.Now().Wall))
				return w.settleDevice(ctx)
			}
		}
		return usage("clock set %q: not a time", args[1])
	}
	if args[0] == "advance" && len(args[1]) == 5 && args[1][2] == ':' {
		d, err := untilNext(w.Clock.Now().Wall.In(pos.CST), args[1:])
		if err != nil {
			return err
		}
		return w.Advance(ctx, d)
	}
	d, err := time.ParseDuration(args[1])
	if err != nil {
		return usage("clock %s %q: not a duration", args[0], args[1])
	}
	switch args[0] {
	case "advance":
		if d < 0 {
			return usage("clock advance goes forward; clock step may go back")
		}
		return w.Advance(ctx, d)
	case "step":
		w.Panel.StepWall(d)
		return w.settleDevice(ctx)
	}
	return usage("clock advance D | step D | set T")
}

func (w *World) settleDevice(ctx context.Context) error {
	if w.Running() {
		w.Panel.Settle(ctx)
	}
	return nil
}

// keyCmd presses keys one after another; each is dealt with before the next,
// as no finger is quicker.
func (w *World) keyCmd(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return usage("key K…")
	}
	for _, name := range args {
		k, ok := hal.ParseKey(name)
		if !ok {
			return usage("no key %q", name)
		}
		if err := w.press(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) press(ctx context.Context, k hal.Key) error {
	w.keyed()
	w.mu.Lock()
	armed, on := w.armed, w.attend.on
	w.mu.Unlock()
	if k == hal.KeyEnter && on {
		w.read()
	}
	if err := w.Panel.Key(k); err != nil {
		return fmt.Errorf("key: %w", err) // not which: it may be a digit of a PIN
	}
	err := w.Panel.Settle(ctx)
	w.keyed()
	if err != nil && armed {
		return nil // this very key led to the cut that the script armed
	}
	return err
}

// keys of digits.
func digits(s string) []hal.Key {
	var ks []hal.Key
	for _, c := range s {
		ks = append(ks, hal.Key0+hal.Key(c-'0'))
	}
	return ks
}

// input waits for the device to take something, and lets the cashier pass
// steps before it.
func (w *World) input(ctx context.Context, limit time.Duration, what ...string) error {
	return w.waitFor(ctx, limit, "the device waits for "+strings.Join(what, " or "), func() (bool, error) {
		v, _ := w.Panel.View()
		return slices.Contains(what, v.Caption.Input), nil
	})
}

func (w *World) amountCmd(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return usage("amount 12.80")
	}
	a, err := pos.ParseAmount(args[0])
	if err != nil {
		return usage("amount %q", args[0])
	}
	if err := w.input(ctx, 5*time.Second, "amount", "ack"); err != nil {
		return err
	}
	return w.keys(ctx, strconv.FormatInt(a.Minor, 10))
}

// keys presses digits, then enter.
func (w *World) keys(ctx context.Context, s string) error {
	for _, k := range append(digits(s), hal.KeyEnter) {
		if err := w.press(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

// pinCmd keys a PIN. The digits are not kept.
func (w *World) pinCmd(ctx context.Context, args []string) error {
	if len(args) != 1 || strings.Trim(args[0], "0123456789") != "" {
		return usage("pin DIGITS")
	}
	err := w.waitFor(ctx, 5*time.Second, "the PIN step", func() (bool, error) {
		v, _ := w.Panel.View()
		if v.Caption.Input == "confirm" {
			return false, w.press(ctx, hal.KeyEnter)
		}
		return v.Caption.Input == "pin" && v.PINActive, nil
	})
	if err != nil {
		return err
	}
	for _, k := range append(digits(args[0]), hal.KeyEnter) {
		if err := w.press(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) swipeCmd(ctx context.Context, args []string) error {
	if len(args) != 1 && (len(args) != 3 || args[1] != "-quality") {
		return usage("swipe CARD [-quality lrc|parity|short|reverse|noise]")
	}
	q := msrsim.Clean
	if len(args) == 3 {
		q = msrsim.Quality(args[2])
	}
	c, ok := w.Card(args[0])
	if !ok {
		return usage("no card %q in the tray", args[0])
	}
	if w.head == nil {
		return errors.New("swipe: the stripe reader is a real one: draw the card there")
	}
	w.input(ctx, 2*time.Second, "card", "token") // drawn anyway, as people do
	v0, _ := w.Panel.View()
	if wait := w.soon(c.PAN, amountOn(v0.Caption.Lines)); wait > 0 && v0.Caption.Input == "card" {
		if err := w.Panel.Advance(ctx, wait, w.settle); err != nil {
			return err
		}
	}
	w.presented(c, string(q))
	if err := w.head.Swipe(msrsim.Tracks{Track1: c.Track1(), Track2: c.Track2()}, q); err != nil {
		return err
	}
	v, _ := w.Panel.View()
	at := v.Frames
	w.keyed()
	limit := now().Add(time.Second)
	for w.Running() && now().Before(limit) {
		v, next := w.Panel.View()
		if v.Frames != at {
			break
		}
		tick, stop := hal.After(hal.SystemClock{}, 100*time.Millisecond)
		select {
		case <-next:
		case <-tick:
		}
		stop()
	}
	return w.settleDevice(ctx)
}

// Card is a card of the tray.
func (w *World) Card(name string) (acquirer.Card, bool) {
	for _, c := range w.Cards() {
		if c.Name == name {
			return c, true
		}
	}
	return acquirer.Card{}, false
}

// Cards is the tray.
func (w *World) Cards() []acquirer.Card {
	if w.Host == nil {
		return w.tray
	}
	return w.Host.Cards()
}

func (w *World) cardCmd(_ context.Context, args []string) error {
	if len(args) == 0 {
		return usage("card NAME field=value…")
	}
	if w.Host == nil {
		return errNoBooks
	}
	return w.Host.DefineCard(args[0], args[1:]...)
}

func (w *World) lineCmd(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "eth" {
		return w.ethCmd(args[1:])
	}
	if len(args) > 0 && args[0] == "4g" {
		args = args[1:]
	}
	if len(args) == 1 {
		switch args[0] {
		case "up":
			w.Modem.LineUp()
			return nil
		case "down":
			w.Modem.LineDown()
			return nil
		}
	}
	if len(args) != 2 {
		return usage("line [4g] up|down|slow D|rate BPS|lose PCT|cut N|hold D")
	}
	switch args[0] {
	case "slow", "hold":
		d, err := time.ParseDuration(args[1])
		if err != nil || d < 0 {
			return usage("line %s %q: not a duration", args[0], args[1])
		}
		if args[0] == "slow" {
			w.Modem.Slow(d)
		} else {
			w.Modem.Hold(d)
		}
		return nil
	case "rate", "lose", "cut":
		n, err := number(args[1])
		if err != nil {
			return err
		}
		map[string]func(int){"rate": w.Modem.Rate, "lose": w.Modem.Lose, "cut": w.Modem.Cut}[args[0]](n)
		return nil
	}
	return usage("line [4g] up|down|slow D|rate BPS|lose PCT|cut N|hold D")
}

// number is a count of bytes, bits or per cent.
func number(s string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSuffix(s, "%"))
	if err != nil || n < 0 {
		return 0, usage("%q is not a number", s)
	}
	return n, nil
}

func (w *World) modemCmd(ctx context.Context, args []string) error {
	n := 0
	if len(args) == 2 {
		var err error
		if n, err = strconv.Atoi(args[1]); err != nil {
			return usage("modem %s %q: not a number", args[0], args[1])
		}
	}
	switch strings.Join(args[:min(1, len(args))], "") + strconv.Itoa(len(args)) {
	case "hang1":
		w.Modem.Hang()
	case "reset1":
		w.Modem.Reset()
	case "csq2":
		w.Modem.SetCSQ(n)
	case "reg2":
		w.Modem.SetReg(n)
	case "ber2":
		w.Modem.SetBER(n)
	default:
		return usage("modem hang|reset|csq N|ber N|reg N")
	}
	return w.settleDevice(ctx)
}

func (w *World) diskCmd(ctx context.Context, args []string) error {
	if len(args) != 1 || !slices.Contains([]string{"full", "readonly", "eio", "ok"}, args[0]) {
		return usage("disk full|readonly|eio|ok")
	}
	if args[0] == "ok" {
		args[0] = ""
	}
	w.Panel.SetStoreFault(args[0])
	w.mu.Lock()
	w.disk = args[0]
	w.mu.Unlock()
	return w.settleDevice(ctx)
}

func (w *World) printerCmd(ctx context.Context, args []string) error {
	if len(args) != 1 || args[0] != "out" && args[0] != "ok" {
		return usage("printer out|ok")
	}
	w.Panel.SetPaper(args[0] == "ok")
	return w.settleDevice(ctx)
}

func (w *World) orderCmd(_ context.Context, args []string) error {
	if len(args) != 2 {
		return usage("order ID AMOUNT")
	}
	a, err := pos.ParseAmount(args[1])
	if err != nil {
		return usage("order: %q is not an amount", args[1])
	}
	w.Order(args[0], a)
	return nil
}

func (w *World) attendCmd(_ context.Context, args []string) error {
	if len(args) != 1 || args[0] != "on" && args[0] != "off" {
		return usage("attend on|off")
	}
	w.SetAttend(args[0] == "on")
	return nil
}

// Ask is a command of the acquirer that has an answer, as "findings" has.
func (w *World) Ask(args ...string) (string, error) {
	defer w.changed()
	return w.hostCmd(args)
}

func (w *World) hostCmd(args []string) (string, error) {
	if w.Host == nil {
		return "", errors.New("host: the acquirer is a real one")
	}
	if len(args) == 2 && (args[1] == "up" || args[1] == "down") && args[0] == "b" {
		if w.hostB == nil {
			return "", usage("host b: this board has no such host: board hosts a b, before start")
		}
		if args[1] == "up" {
			return "", w.hostB.Up()
		}
		w.hostB.Down()
		return "", nil
	}
	if len(args) == 2 && args[0] == "a" {
		args = args[1:]
	}
	if len(args) > 1 && args[0] == "excuse" {
		w.mu.Lock()
		w.excused = append(w.excused, args[1:]...)
		w.mu.Unlock()
		return "", nil
	}
	out, err := w.Host.Command(args...)
	if err == nil && len(args) > 0 {
		w.mu.Lock()
		switch args[0] {
		case "up", "down":
			w.hostDown = args[0] == "down"
		case "answer":
			w.answer = strings.Join(args[1:], " ")
		case "decline", "approve":
			w.answer = strings.Join(args, " ")
		}
		w.mu.Unlock()
	}
	return out, err
}

// Tray is the default card tray, without a world.
func Tray() ([]acquirer.Card, error) {
	h, err := acquirer.New(acquirer.Opts{Clock: hal.SystemClock{}})
	if err != nil {
		return nil, err
	}
	defer h.Close()
	return h.Cards(), nil
}
