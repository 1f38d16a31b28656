package console

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"swipewell/firmware/journal"
	"swipewell/firmware/journal/query"
	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// logWords are what may follow log, beside a number: a word and its value.
var logWords = map[string]func(f *journal.Filter, now time.Time, v string) bool{
	"tx": func(f *journal.Filter, _ time.Time, v string) bool {
		f.Tx = v
		if n, err := strconv.ParseUint(v, 10, 20); err == nil {
			f.Tx = pos.STAN(n).String()
		}
		return true
	},
	"code": func(f *journal.Filter, _ time.Time, v string) bool {
		f.Code = prompt.Code(strings.ToUpper(v))
		return true
	},
	"level": func(f *journal.Filter, _ time.Time, v string) (ok bool) { f.Level, ok = query.ParseLevel(v); return ok },
	"src":   func(f *journal.Filter, _ time.Time, v string) bool { f.Source = v; return true },
	"boot":  func(f *journal.Filter, _ time.Time, v string) bool { f.Boot = v; return true },
	"card":  func(f *journal.Filter, _ time.Time, v string) bool { f.Card = v; return true },
	"cause": func(f *journal.Filter, _ time.Time, v string) bool { f.Cause = v; return true },
	"grep":  func(f *journal.Filter, _ time.Time, v string) bool { f.Grep = v; return true },
	"since": func(f *journal.Filter, now time.Time, v string) (ok bool) { f.Since, ok = ago(now, v); return ok },
	"until": func(f *journal.Filter, now time.Time, v string) (ok bool) { f.Until, ok = ago(now, v); return ok },
}

// logFlags are journalctl's and postool's names of the same.
var logFlags = map[string]string{
	"-u": "src", "--unit": "src", "-p": "level", "--priority": "level", "-S": "since", "--since": "since", "-U": "until", "--until": "until",
	"-b": "boot", "--boot": "boot", "-g": "grep", "--grep": "grep", "--tx": "tx", "--card": "card", "--cause": "cause", "--code": "code",
}

// logForms are how entries may be printed.
var logForms = []string{"short", "full", "cat", "json"}

// ago is a moment as postool reads it; a blank ends a word at the cable, and the
// zone is the device's.
func ago(now time.Time, v string) (time.Time, bool) {
	w, ok := query.ParseWhen(v, pos.CST)
	if !ok {
		return time.Time{}, false
	}
	return w.Of(now), true
}

// nextLog is what may follow log.
func nextLog(args []string) (list []word) {
	if n := len(args); n > 0 {
		last := args[n-1]
		if w, ok := logFlags[last]; ok {
			last = w
		}
		switch last {
		case "-o":
			for _, f := range logForms {
				list = append(list, word{f, "w-o-" + f})
			}
			return list
		case "level":
			return []word{{"debug", ""}, {"info", ""}, {"warn", ""}, {"error", ""}}
		case "-n":
			return []word{{"N", "w-log-N"}, {"all", "w-log-all"}}
		case "off", "verify", "stats", "pieces":
			return nil
		case "story":
			if n == 1 {
				return []word{{"STAN", "w-log-tx"}}
			}
			return nil
		case "since", "until":
			return []word{{"TIME", "w-log-TIME"}}
		}
		if logWords[last] != nil {
			return []word{{strings.ToUpper(last), "w-log-" + last}}
		}
	}
	list = []word{{"N", "w-log-N"}, {"-f", "w-log-f"}}
	if len(args) == 0 {
		list = append(list, word{"off", "w-log-off"}, word{"verify", "w-log-verify"}, word{"stats", "w-log-stats"}, word{"story", "h-story"}, word{"top", "w-log-top"}, word{"pieces", "w-log-pieces"}, word{"piece", "w-log-piece"})
	}
	list = append(list, word{"-n", "w-log-N"}, word{"-o", "w-log-o"})
	for _, f := range slices.Sorted(maps.Keys(logFlags)) {
		list = append(list, word{f, "w-log-" + logFlags[f]})
	}
	for _, w := range slices.Sorted(maps.Keys(logWords)) {
		list = append(list, word{w, "w-log-" + w})
	}
	return list
}

// cmdLog: the words may come in any order.
func cmdLog(s *Shell, ctx context.Context, args []string) error {
	f, follow, look := journal.Filter{Last: 20}, false, Look{Lang: s.language()}
	top := len(args) > 0 && args[0] == "top"
	switch {
	case top: // of all that fits, as postool log top
		f.Last, args = 0, args[1:]
	case len(args) > 0 && args[0] == "story":
		return cmdStory(s, ctx, args[1:])
	}
	for i := 0; i < len(args); i++ {
		n, err := strconv.Atoi(args[i])
		name := args[i]
		if w, ok := logFlags[name]; ok {
			name = w
		}
		word := logWords[name]
		switch {
		case err == nil && n > 0:
			f.Last = n
		case top && (args[i] == "-f" || args[i] == "-o"):
			return errUsage
		case args[i] == "-f":
			follow = true
		case args[i] == "off":
			s.stopFollow()
			return nil
		case args[i] == "verify" && len(args) == 1:
			return s.verifyLog(ctx)
		case args[i] == "stats" && len(args) == 1:
			WriteLogStats(s.page(), s.language(), s.o.Journal.Stats(), pos.CST)
			return nil
		case args[i] == "pieces" && len(args) == 1:
			return s.pieces()
		case args[i] == "piece" && len(args) == 3 && i == 0:
			off, err := strconv.ParseInt(args[2], 10, 63)
			if err != nil {
				return errUsage
			}
			return s.piece(args[1], off)
		case args[i] == "-n" && i+1 < len(args):
			i++
			if f.Last, err = strconv.Atoi(args[i]); args[i] != "all" && (err != nil || f.Last < 0) {
				return errUsage
			}
		case args[i] == "-o" && i+1 < len(args):
			i++
			if look.Form = args[i]; !slices.Contains(logForms, look.Form) {
				return errUsage
			}
		case name == "boot" && (i+1 == len(args) || strings.HasPrefix(args[i+1], "-") && !isBack(args[i+1])): // alone: the last
			f.Boot = "0"
		case word != nil && i+1 < len(args):
			i++
			if !word(&f, s.o.Clock.Now().Wall, args[i]) {
				return errUsage
			}
		default:
			return errUsage
		}
	}
	if f.Grep != "" || f.Boot != "" || f.Tx != "" { // a mistake in an expression is told before anything runs
		if _, err := f.Matcher(); err != nil {
			return err
		}
	}
	if top {
		return s.top(ctx, f, look)
	}
	if follow {
		s.say("follow-on")
		s.follow(ctx, f, look)
		return nil
	}
	es, err := s.o.Journal.Query(f)
	if err != nil {
		return err
	}
	out := s.page()
	for _, e := range es {
		if ctx.Err() != nil || s.paged != nil && s.paged.stop {
			return nil
		}
		if err := writeEntry(out, look, e); err != nil {
			return err
		}
	}
	if len(es) == 0 {
		s.say("log-empty")
		s.println(s.o.Journal.Empty(f))
	}
	return nil
}

// isBack tells a start that is counted back: -1.
func isBack(v string) bool { n, err := strconv.Atoi(v); return err == nil && n < 0 }

// topMost are the lines of each table of log top.
const topMost = 10

// top prints what fails most.
func (s *Shell) top(ctx context.Context, f journal.Filter, look Look) error {
	if err := s.o.Journal.Sync(false); err != nil {
		return err
	}
	var t Top
	err := s.o.Journal.Set().Each(f, func(e *journal.Entry) bool {
		t.Add(look.Zone, *e)
		return ctx.Err() == nil
	})
	if err == nil && t.seen == 0 {
		s.say("log-empty")
		s.println(s.o.Journal.Empty(f))
		return nil
	}
	if err == nil {
		t.Write(s.page(), look, topMost)
	}
	return err
}

// writeEntry prints an entry in a form, JSON among them.
func writeEntry(w io.Writer, look Look, e journal.Entry) error {
	if look.Form != "json" {
		WriteEntry(w, look, e)
		return nil
	}
	b, err := json.Marshal(e)
	if err == nil {
		_, err = fmt.Fprintf(w, "%s\n", b)
	}
	return err
}

func (s *Shell) verifyLog(ctx context.Context) error {
	var kept []journal.Anchor
	if l, ok := s.o.Backend.(Logs); ok {
		var err error
		if kept, err = l.Anchors(ctx); err != nil {
			return err
		}
	}
	rs, err := s.o.Journal.Verify(kept)
	if err != nil {
		return err
	}
	return Reports(rs, func(r StreamReport) error {
		WriteVerify(s.page(), s.language(), r)
		return nil
	})
}

// cmdStory tells one transaction as a page.
func cmdStory(s *Shell, ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	var st Story
	err := transaction(ctx, s.o, args[0], func(_ string, v any) error {
		st.Take(v)
		return nil
	})
	if err != nil {
		return err
	}
	WriteStory(s.page(), Look{Lang: s.language()}, args[0], st)
	return nil
}

// Take adds one piece of what the device knows.
func (s *Story) Take(v any) {
	switch v := v.(type) {
	case pos.Sale:
		s.Sales = append(s.Sales, v)
	case pos.Record:
		s.Records = append(s.Records, v)
	case explained:
		s.Records = append(s.Records, v.Record)
	case journal.Entry:
		s.Entries = append(s.Entries, v)
	}
}

// TakeReply adds one item of a reply to tx.
func (s *Story) TakeReply(r Reply) error {
	switch r.Kind {
	case "sale":
		return takeJSON[pos.Sale](s, r)
	case "reversal":
		return takeJSON[pos.Record](s, r)
	case "entry":
		return takeJSON[journal.Entry](s, r)
	}
	return nil
}

func takeJSON[T any](s *Story, r Reply) error {
	var v T
	if err := json.Unmarshal(r.Data, &v); err != nil {
		return err
	}
	s.Take(v)
	return nil
}
