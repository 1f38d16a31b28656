package console

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"swipewell/firmware/journal"
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
	"level": func(f *journal.Filter, _ time.Time, v string) bool { f.Level = v; return LevelKnown(v) },
	"src":   func(f *journal.Filter, _ time.Time, v string) bool { f.Source = v; return true },
	"boot":  func(f *journal.Filter, _ time.Time, v string) bool { f.Boot = v; return true },
	"card":  func(f *journal.Filter, _ time.Time, v string) bool { f.Card = v; return true },
	"cause": func(f *journal.Filter, _ time.Time, v string) bool { f.Cause = v; return true },
	"grep":  func(f *journal.Filter, _ time.Time, v string) bool { f.Grep = v; return true },
	"since": func(f *journal.Filter, now time.Time, v string) (ok bool) { f.Since, ok = ago(now, v); return ok },
	"until": func(f *journal.Filter, now time.Time, v string) (ok bool) { f.Until, ok = ago(now, v); return ok },
}

// LevelKnown tells that a level can be asked for.
func LevelKnown(v string) bool {
	switch strings.ToUpper(v) {
	case "DEBUG", "INFO", "WARN", "ERROR":
		return true
	}
	return false
}

// ago is a length of time before now.
func ago(now time.Time, v string) (time.Time, bool) {
	d, err := time.ParseDuration(v)
	return now.Add(-d), err == nil && d > 0
}

// cmdLog: the words may come in any order.
func cmdLog(s *Shell, ctx context.Context, args []string) error {
	f, follow := journal.Filter{Last: 20}, false
	for i := 0; i < len(args); i++ {
		n, err := strconv.Atoi(args[i])
		word := logWords[args[i]]
		switch {
		case err == nil && n > 0:
			f.Last = n
		case args[i] == "-f":
			follow = true
		case args[i] == "off":
			s.stopFollow()
			return nil
		case args[i] == "verify" && len(args) == 1:
			return s.verifyLog(ctx)
		case args[i] == "stats" && len(args) == 1:
			WriteLogStats(s.term, s.language(), s.o.Journal.Stats())
			return nil
		case args[i] == "pieces" && len(args) == 1:
			return s.pieces()
		case args[i] == "piece" && len(args) == 3 && i == 0:
			off, err := strconv.ParseInt(args[2], 10, 63)
			if err != nil {
				return errUsage
			}
			return s.piece(args[1], off)
		case word != nil && i+1 < len(args):
			i++
			if !word(&f, s.o.Clock.Now().Wall, args[i]) {
				return errUsage
			}
		default:
			return errUsage
		}
	}
	if follow {
		s.say("follow-on")
		s.follow(ctx, f)
		return nil
	}
	es, err := s.o.Journal.Query(f)
	if err != nil {
		return err
	}
	for _, e := range es {
		if ctx.Err() != nil {
			return nil
		}
		s.println(EntryLine(s.language(), e))
	}
	if len(es) == 0 {
		s.say("log-empty")
		s.println(s.o.Journal.Empty(f))
	}
	return nil
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
		WriteVerify(s.term, s.language(), r)
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
	WriteStory(s.term, Look{Lang: s.language()}, args[0], st)
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
