package console

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"swipewell/hal"
	"swipewell/ui/prompt"
	"swipewell/ui/text"
)

// States of an item of a self-check.
const (
	OK     = "ok"
	Warn   = "warn"   // works, and wants attention
	Fail   = "fail"   // no good
	Absent = "absent" // not fitted
)

// Checked is one item of a self-check.
type Checked struct {
	Item  string      `json:"item"`
	State string      `json:"state"`
	Code  prompt.Code `json:"code,omitempty"` // of what is wrong: its page says what to do
	Text  string      `json:"text,omitempty"` // a figure, a driver, a reason
}

// SelfCheck is what a device finds when it looks at itself. No money moves.
type SelfCheck struct {
	Version  string    `json:"version"`
	Build    string    `json:"build,omitempty"` // SHA-256 of the program that runs, in hex
	Board    string    `json:"board"`
	Serial   string    `json:"serial,omitempty"` // as the board file has it
	Terminal string    `json:"terminal"`
	Merchant string    `json:"merchant"`
	Bench    bool      `json:"bench,omitempty"`
	At       time.Time `json:"at"`
	Keys     []KeyItem `json:"keys"`
	Items    []Checked `json:"items"`
}

// KeyItem is one key by its check value.
type KeyItem struct {
	Slot hal.KeySlot `json:"slot"`
	KCV  string      `json:"kcv,omitempty"` // three bytes in hex; "" there is none
}

// Count tells how many items are in a state.
func (c SelfCheck) Count(state string) (n int) {
	for _, x := range c.Items {
		if x.State == state {
			n++
		}
	}
	return n
}

// Prober is a Backend that can look at its devices, store, keys and line; with
// echo it asks the host for a sign of life.
type Prober interface {
	SelfCheck(ctx context.Context, echo bool) (SelfCheck, error)
	// Links are the ways to the host, their signal asked for anew where that
	// disturbs nobody.
	Links(ctx context.Context) ([]Link, error)
}

// field answers what concerns the device in the field.
func (s *Server) field(ctx context.Context, q Request, send func(kind string, v any) error) error {
	switch p, ok := s.o.Backend.(Prober); {
	case !ok:
	case q.Cmd == "selfcheck":
		c, err := p.SelfCheck(ctx, q.Name == "echo")
		if err != nil {
			return err
		}
		return send("selfcheck", c)
	case q.Cmd == "signal":
		ls, err := p.Links(ctx)
		if err != nil {
			return err
		}
		for _, l := range ls {
			if err := send("link", l); err != nil {
				return err
			}
		}
		return nil
	}
	switch p, ok := s.o.Backend.(Parameters); {
	case !ok:
	case q.Cmd == "config":
		c, err := p.Config(ctx)
		if err != nil {
			return err
		}
		return send("config", c)
	case q.Cmd == "config-diff":
		r, err := p.TryConfig(ctx, q.Text)
		if err != nil {
			return err
		}
		return send("config-report", r)
	case q.Cmd == "config-set":
		r, err := p.SetConfig(ctx, q.Text)
		if err != nil {
			return err
		}
		return send("config-report", r)
	}
	if q.Cmd == "service-note" {
		return s.serviceNote(q)
	}
	return s.care(ctx, q, send)
}

// WriteSelfcheck prints a self-check: what is wrong first by its mark, and under it
// what to do.
func WriteSelfcheck(w io.Writer, lang string, c SelfCheck) {
	fmt.Fprintf(w, "%s  %s  %s  %s\n", c.Terminal, c.Board, c.Version, c.At.Format(dayForm))
	for _, x := range c.Items {
		mark := label(lang, "sc-"+x.State)
		line := pad(mark, 8) + pad(ItemName(lang, x.Item), 20) + x.Text
		fmt.Fprintln(w, trimRight(line))
		if x.Code == "" {
			continue
		}
		fmt.Fprintln(w, trimRight(pad("", 8)+explainCheck(lang, x)))
	}
	fmt.Fprintf(w, "%d %s, %d %s, %d %s\n", c.Count(OK), label(lang, "sc-ok"), c.Count(Warn), label(lang, "sc-warn"), c.Count(Fail), label(lang, "sc-fail"))
}

// explainCheck is a code, what it says, and what to do about this item.
func explainCheck(lang string, x Checked) string {
	title := Explain(lang, x.Code)
	if w, ok := texts(string(x.Code)); ok {
		title = string(x.Code) + " " + pick(lang, w)
	}
	todo := text.Format(lang, x.Code, prompt.Args{}).Next
	for _, key := range []string{"do-" + string(x.Code), "do-" + string(x.Code) + "-" + x.Item} {
		if w, ok := texts(key); ok {
			todo = pick(lang, w)
		}
	}
	return title + ": " + todo
}

// ItemName is what people call an item; a device that has no name here is called
// as in the board file.
func ItemName(lang, item string) string {
	if w, ok := texts("sc." + item); ok {
		return pick(lang, w)
	}
	return item
}

func trimRight(s string) string {
	for len(s) > 0 && s[len(s)-1] == ' ' {
		s = s[:len(s)-1]
	}
	return s
}

// WriteBoard prints the board's report.
func WriteBoard(w io.Writer, lang string, s Status) {
	fmt.Fprintln(w, s.Board, s.Version)
	for _, d := range s.Devices {
		fmt.Fprintln(w, trimRight(pad(d.Device, 14)+pad(label(lang, d.State), 10)+pad(d.Driver, 34)+" "+d.Why))
	}
}

// WriteLinks prints the ways to the host.
func WriteLinks(w io.Writer, lang string, ls []Link) {
	for _, l := range ls {
		op := ""
		if l.Signal != nil {
			op = l.Signal.Operator
		}
		fmt.Fprintln(w, trimRight(pad(l.Name, 10)+pad(label(lang, linkState(l.State)), 12)+pad(signal(lang, l), 34)+op+"  "+l.Driver))
	}
}

func cmdBoard(s *Shell, ctx context.Context, _ []string) error {
	st, err := s.o.Backend.Status(ctx)
	if err != nil {
		return err
	}
	WriteBoard(s.page(), s.language(), st)
	return nil
}

func cmdSignal(s *Shell, ctx context.Context, _ []string) error {
	if p, ok := s.o.Backend.(Prober); ok {
		ls, err := p.Links(ctx)
		if err != nil {
			return err
		}
		WriteLinks(s.page(), s.language(), ls)
		return nil
	}
	st, err := s.o.Backend.Status(ctx)
	if err != nil {
		return err
	}
	WriteLinks(s.page(), s.language(), st.Links)
	return nil
}

func cmdSelfcheck(s *Shell, ctx context.Context, args []string) error {
	echo := len(args) == 1 && args[0] == "echo"
	p, ok := s.o.Backend.(Prober)
	if len(args) > 0 && !echo || !ok {
		return errUsage
	}
	c, err := p.SelfCheck(ctx, echo)
	if err != nil {
		return err
	}
	WriteSelfcheck(s.page(), s.language(), c)
	return nil
}

// SelfCheck asks for a self-check.
func (c *Client) SelfCheck(ctx context.Context, echo bool) (r SelfCheck, err error) {
	q := Request{Cmd: "selfcheck"}
	if echo {
		q.Name = "echo"
	}
	err = c.one(ctx, q, &r)
	return r, err
}

// Links asks for the ways to the host and their signal.
func (c *Client) Links(ctx context.Context) (ls []Link, err error) {
	err = c.Do(ctx, Request{Cmd: "signal"}, func(r Reply) error {
		var l Link
		err := json.Unmarshal(r.Data, &l)
		ls = append(ls, l)
		return err
	})
	return ls, err
}
