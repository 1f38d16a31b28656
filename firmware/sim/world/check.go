package world

import (
	"context"
	"errors"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"swipewell/drivers/panel/panelsim"
	"swipewell/firmware/console"
	"swipewell/firmware/pos"
	"swipewell/hal"
)

// A Check is one question about the world. ok tells whether it holds now;
// have says what was found instead.
type Check func(ctx context.Context) (ok bool, have string, err error)

// Hold waits for a check; with not it looks once and wants the contrary.
func (w *World) Hold(ctx context.Context, limit time.Duration, not bool, c Check) error {
	have := ""
	if not {
		w.settleDevice(ctx)
		ok, have, err := c(ctx)
		if err == nil && ok {
			err = errors.New("it holds, and must not")
			if have != "" {
				err = fmt.Errorf("%w: %s", err, have)
			}
		}
		return err
	}
	err := w.waitFor(ctx, limit, "waiting", func() (ok bool, err error) {
		ok, have, err = c(ctx)
		return ok, err
	})
	if err != nil && have != "" {
		return fmt.Errorf("%w; there is: %s", err, have)
	}
	return err
}

// matches tries a pattern on lines, and on them joined by blanks.
func matches(re *regexp.Regexp, lines []string) bool {
	return re.MatchString(strings.Join(lines, "\n")) || re.MatchString(strings.Join(lines, " "))
}

// Screen: the text that the screen shows now.
func (w *World) Screen(re *regexp.Regexp) Check {
	return w.screen(func(v panelsim.View) bool { return matches(re, v.Caption.Lines) })
}

// Prompt: the screen shows this code, as its message or as its note.
func (w *World) Prompt(code string) Check {
	return w.screen(func(v panelsim.View) bool {
		if v.Caption.Code == code {
			return true
		}
		n := len(v.Caption.Lines)
		return n > 0 && strings.Contains(strings.Join(v.Caption.Lines[max(0, n-2):], " "), code)
	})
}

func (w *World) screen(ok func(panelsim.View) bool) Check {
	return func(context.Context) (bool, string, error) {
		v, _ := w.Panel.View()
		if v.Connected && ok(v) {
			w.looked()
			return true, "", nil
		}
		have := v.Caption.Code + " " + strings.Join(v.Caption.Lines, " | ")
		if !v.Connected {
			have = "a dark screen"
		}
		return false, have, nil
	}
}

// PaperHas: something printed matches.
func (w *World) PaperHas(re *regexp.Regexp) Check {
	return func(context.Context) (bool, string, error) {
		v, _ := w.Panel.View()
		for _, s := range v.Slips {
			if matches(re, strings.Split(slipText(s), "\n")) {
				return true, "", nil
			}
		}
		return false, fmt.Sprintf("%d slips: %s", len(v.Slips), strings.ReplaceAll(w.Paper(), "\n", " | ")), nil
	}
}

// Lamp: a lamp's state.
func (w *World) Lamp(name, state string) Check {
	return func(context.Context) (bool, string, error) {
		v, _ := w.Panel.View()
		have := v.Lamps[name]
		if have == "" {
			have = "off"
		}
		return have == state, name + " " + have, nil
	}
}

// LogHas: a line of the log matches.
func (w *World) LogHas(re *regexp.Regexp) Check {
	return func(context.Context) (bool, string, error) {
		for _, l := range w.Log() {
			if re.MatchString(l) {
				return true, l, nil
			}
		}
		return false, "no such line", nil
	}
}

// HostSees: the host got at least n requests of this type since start.
func (w *World) HostSees(mti string, n int) Check {
	return func(context.Context) (bool, string, error) {
		if w.Host == nil {
			return false, "", errNoBooks
		}
		have := w.Host.Seen(mti)
		return have >= n, fmt.Sprintf("%d of %s", have, mti), nil
	}
}

// BatchIs: the device's batch has n rows that count in its totals, of that sum
// (debits less credits) unless amount is nil.
func (w *World) BatchIs(n int, amount *pos.Amount) Check {
	return func(ctx context.Context) (bool, string, error) {
		rows, err := w.Batch(ctx)
		if err != nil {
			return false, err.Error(), nil
		}
		var t pos.Totals
		for _, r := range rows {
			t.Of(r)
		}
		have, sum := t.DebitN+t.CreditN, t.Debit-t.Credit
		return have == n && (amount == nil || sum == amount.Minor), fmt.Sprintf("%d rows of %s", have, pos.Fen(sum)), nil
	}
}

// OutboxIs: n records wait.
func (w *World) OutboxIs(n int) Check {
	return func(ctx context.Context) (bool, string, error) {
		s, err := w.status(ctx)
		if err != nil {
			return false, err.Error(), nil
		}
		have := s.Reversals + s.Unresolved + s.Advices + s.Refused
		return have == n, fmt.Sprintf("%d waiting", have), nil
	}
}

// Snapshot writes the screen as a picture.
func (w *World) Snapshot(path string) error {
	v, _ := w.Panel.View()
	if v.Frame == nil {
		return errors.New("snapshot: the screen is dark")
	}
	w.looked()
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := png.Encode(f, v.Frame); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// Postool runs postool against this device.
func (w *World) Postool(ctx context.Context, args ...string) (out string, err error) {
	if w.o.Tool == "" {
		return "", errors.New("postool is not beside posbench")
	}
	cmd := exec.CommandContext(ctx, w.o.Tool, append([]string{"--socket", w.Socket()}, args...)...)
	b, err := cmd.CombinedOutput()
	return string(b), err
}

// Findings are what the acquirer found wrong with the device's messages.
func (w *World) Findings() (out []string) {
	if w.Host == nil {
		return nil
	}
	for _, f := range w.Host.Findings() {
		out = append(out, f.String())
	}
	return out
}

// Faults are the findings that are an error of the run: all that a script has not
// excused.
func (w *World) Faults() (out []string) {
	if w.Host == nil {
		return nil
	}
	w.mu.Lock()
	excused := slices.Clone(w.excused)
	w.mu.Unlock()
	for _, f := range w.Host.Faults(excused...) {
		out = append(out, f.String())
	}
	return out
}

// CheckStore asks the device to check its store.
func (w *World) CheckStore(ctx context.Context) error {
	ctx, cancel := hal.WithTimeout(ctx, hal.SystemClock{}, 30*time.Second)
	defer cancel()
	c, err := console.Dial(ctx, w.Socket())
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Do(ctx, console.Request{Cmd: "check"}, func(console.Reply) error { return nil })
}
