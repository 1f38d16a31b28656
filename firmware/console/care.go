package console

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"swipewell/firmware/care"
	"swipewell/hal"
)

// care answers what the pages beside selling know.
func (s *Server) care(ctx context.Context, q Request, send func(kind string, v any) error) error {
	b := s.o.Backend
	switch q.Cmd {
	case "page":
		text, err := b.Page(ctx, q.Name, q.Lang)
		if err != nil {
			return err
		}
		return send("page", text)
	case "alerts":
		sent := map[int]bool{}
		for {
			list, err := b.Alerts(ctx, q.Name == "all")
			if err != nil {
				return err
			}
			for _, a := range list {
				if q.Follow && sent[a.N*1000+a.Count] {
					continue
				}
				sent[a.N*1000+a.Count] = true
				if err := send("alert", a); err != nil {
					return err
				}
			}
			if !q.Follow {
				return nil
			}
			if hal.Sleep(ctx, s.o.Clock, time.Second) != nil {
				return nil
			}
		}
	case "take":
		a, err := b.TakeAlert(ctx, q.N)
		if err != nil {
			return err
		}
		return send("alert", a)
	case "limits":
		list, err := b.Limits(ctx)
		if err != nil {
			return err
		}
		for _, l := range list {
			if err := send("limit", l); err != nil {
				return err
			}
		}
		return nil
	case "recovery":
		h, items, err := b.Recovery(ctx)
		if err != nil {
			return err
		}
		if err := send("recovery-head", h); err != nil {
			return err
		}
		for _, it := range items {
			if err := send("recovery", it); err != nil {
				return err
			}
		}
		return nil
	case "seals":
		list, broken, err := b.Seals(ctx)
		if err != nil {
			return err
		}
		for _, x := range list {
			if err := send("seal", x); err != nil {
				return err
			}
		}
		return broken
	case "rules":
		r, err := b.Rules(ctx)
		if err != nil {
			return err
		}
		return send("rules", r)
	case "rules-try":
		r, err := b.TryRules(ctx, q.Text, q.N)
		if err != nil {
			return err
		}
		return send("report", r)
	case "rules-load":
		r, err := b.LoadRules(ctx, q.Text)
		if err != nil {
			return err
		}
		return send("report", r)
	}
	return fmt.Errorf("no such command: %q", q.Cmd)
}

// WriteReport prints what another set would change.
func WriteReport(w io.Writer, r RulesReport) {
	fmt.Fprintf(w, "rules %s version %d (in force: %d)\n", r.Name, r.Version, r.Have)
	for _, c := range r.Changes {
		fmt.Fprintln(w, " ", c)
	}
	if len(r.Changes) == 0 {
		fmt.Fprintln(w, "  no change")
	}
	span := "all that the device remembers"
	if r.Days > 0 {
		span = strconv.Itoa(r.Days) + " days"
	}
	fmt.Fprintf(w, "tried on %s: %d attempts; %d more stopped, %d less\n", span, r.Is.Attempts, r.More, r.Less)
	fmt.Fprintf(w, "%-8s %8s %8s\n", "rule", "was", "would be")
	for _, id := range sortedKeys(r.Was.Hits, r.Is.Hits) {
		fmt.Fprintf(w, "%-8s %8d %8d\n", id, r.Was.Hits[id], r.Is.Hits[id])
	}
	if r.Waits {
		fmt.Fprintln(w, "taken; it waits until a supervisor has seen it: menu, shop, watch, rules, enter")
	}
}

func sortedKeys(ms ...map[string]int) (keys []string) {
	seen := map[string]bool{}
	for _, m := range ms {
		for k := range m {
			if !seen[k] {
				seen[k] = true
				keys = append(keys, k)
			}
		}
	}
	for i := range keys {
		for j := i + 1; j < len(keys); j++ {
			if keys[j] < keys[i] {
				keys[i], keys[j] = keys[j], keys[i]
			}
		}
	}
	return keys
}

// WriteAlert prints one alert on one line.
func WriteAlert(w io.Writer, a care.Alert) {
	state := "queued"
	if a.Taken != 0 {
		state = "taken"
	}
	if !a.Open() {
		state += ", seen"
	}
	fmt.Fprintf(w, "%s  %s  grave %d  %-12s  %-24s x%d  %s  %s\n", a.No(), time.Unix(a.At, 0).UTC().Add(care.Zone).Format("01-02 15:04"), a.Grave, a.Route, a.Key, a.Count, state,
		strings.Join(a.Facts, " "))
}

// cmdPage shows a page of the device on the cable.
func cmdPage(s *Shell, ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	text, err := s.o.Backend.Page(ctx, args[0], s.language())
	if err != nil {
		return err
	}
	fmt.Fprintln(s.page(), strings.TrimRight(text, "\n"))
	return nil
}

func cmdWhy(s *Shell, ctx context.Context, args []string) error {
	if len(args) != 0 {
		return errUsage
	}
	return cmdPage(s, ctx, []string{"why"})
}

// cmdRules shows the rules in force, or one of them; a supervisor activates a set
// that waits.
func cmdRules(s *Shell, ctx context.Context, args []string) error {
	if len(args) == 1 && args[0] == "activate" {
		if !s.supervisor() {
			return nil
		}
		if err := s.o.Backend.ActivateRules(ctx); err != nil {
			return err
		}
		s.say("rules-active")
		return nil
	}
	if len(args) > 1 {
		return errUsage
	}
	r, err := s.o.Backend.Rules(ctx)
	if err != nil {
		return err
	}
	s.println(fmt.Sprintf("rules %s version %d %s %s", r.Name, r.Version, r.KeyID, r.Profile))
	if r.Waiting != "" {
		s.println("waiting: " + r.Waiting)
	}
	for _, x := range r.Rules {
		head, _, _ := strings.Cut(x, " {")
		if len(args) == 1 && !strings.EqualFold(strings.TrimPrefix(head, "rule "), args[0]) {
			continue
		}
		if len(args) == 0 {
			fmt.Fprintln(s.page(), head)
			continue
		}
		fmt.Fprintln(s.page(), strings.TrimRight(x, "\n"))
	}
	return nil
}

// cmdEnrol takes the next card as the token of a supervisor.
func cmdEnrol(s *Shell, ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return errUsage
	}
	if !s.supervisor() {
		return nil
	}
	s.say("enrol-swipe")
	ctx, cancel := hal.WithTimeout(ctx, s.o.Clock, time.Minute)
	defer cancel()
	if err := s.o.Backend.Enrol(ctx, n); err != nil {
		return err
	}
	s.say("enrolled")
	return nil
}
