package console

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"swipewell/firmware/journal"
	"swipewell/firmware/journal/export"
	"swipewell/firmware/journal/query"
	"swipewell/firmware/journal/verify"
)

// Logs is what the log's commands ask a Backend beside the journal itself; one that
// does not have it knows no anchors.
type Logs interface {
	// Anchors are the checkpoints that were kept with money.
	Anchors(ctx context.Context) ([]journal.Anchor, error)
	// Manifest says whose journal it is.
	Manifest() export.Manifest
}

// StreamReport is what a check of one stream of the log found.
type StreamReport struct {
	Stream string `json:"stream"`
	Root   string `json:"root,omitempty"` // the key that it was checked against, in hex
	verify.Report
}

// chunk is how much of an export goes into one reply.
const chunk = 32 << 10

// log answers what concerns the log.
func (s *Server) log(ctx context.Context, q Request, send func(kind string, v any) error) error {
	j := s.o.Journal
	logs, _ := s.o.Backend.(Logs)
	switch q.Cmd {
	case "log":
		now := s.o.Clock.Now().Wall
		if q.Ago > 0 {
			q.Filter.Since = now.Add(-q.Ago)
		}
		if q.AgoUntil > 0 {
			q.Filter.Until = now.Add(-q.AgoUntil)
		}
		if q.Follow {
			return j.Follow(ctx, q.Filter, func(e journal.Entry) error { return send("entry", e) })
		}
		es, err := j.Query(q.Filter)
		if err != nil {
			return err
		}
		for _, e := range es {
			if err := send("entry", e); err != nil {
				return err
			}
		}
		if len(es) == 0 {
			return send("empty", j.Empty(q.Filter))
		}
		return nil
	case "log-boots":
		if err := j.Sync(false); err != nil {
			return err
		}
		for _, b := range j.Set().Boots() {
			if err := send("boot", b); err != nil {
				return err
			}
		}
		return nil
	case "log-stats":
		return send("stats", j.Stats())
	case "log-verify":
		var kept []journal.Anchor
		if logs != nil {
			var err error
			if kept, err = logs.Anchors(ctx); err != nil {
				return err
			}
		}
		rs, err := j.Verify(kept)
		if err != nil {
			return err
		}
		return Reports(rs, func(r StreamReport) error { return send("verify", r) })
	case "log-pieces":
		var m export.Manifest
		if logs != nil {
			m = logs.Manifest()
		}
		m, ps, err := j.Pieces(m)
		if err != nil {
			return err
		}
		if err := send("manifest", m); err != nil {
			return err
		}
		for _, p := range ps {
			if err := send("piece", p); err != nil {
				return err
			}
		}
		return nil
	case "log-piece":
		buf := make([]byte, chunk)
		n, err := j.ReadPiece(q.Name, int64(q.N), buf)
		if n > 0 {
			err = errors.Join(err, send("chunk", buf[:n]))
		}
		return err
	case "log-export":
		var m export.Manifest
		if logs != nil {
			m = logs.Manifest()
		}
		r, w := io.Pipe()
		defer r.Close()
		go func() { w.CloseWithError(j.Export(w, m)) }()
		buf := make([]byte, chunk)
		for {
			n, err := io.ReadFull(r, buf)
			if n > 0 {
				if err := send("chunk", buf[:n]); err != nil {
					return err
				}
			}
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil
			}
			if err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("no such request: %q", q.Cmd)
}

// Reports gives what a check found, stream by stream.
func Reports(rs map[string]verify.Report, fn func(StreamReport) error) error {
	var names []string
	for n := range rs {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		r := rs[n]
		if err := fn(StreamReport{n, hex.EncodeToString(r.Root[:]), r}); err != nil {
			return err
		}
	}
	return nil
}

// WriteVerify prints what a check of a stream found.
func WriteVerify(w io.Writer, lang string, r StreamReport) {
	word := "log-whole"
	if !r.Whole() {
		word = "log-broken"
	}
	fmt.Fprintf(w, "%s%s  %d %s (%d-%d), %s %d", pad(r.Stream, 6), label(lang, word), r.Entries, label(lang, "log-entries"), r.First, r.Last, label(lang, "log-signed"), r.Proven)
	if r.Removed > 0 {
		fmt.Fprintf(w, ", %d %s", r.Removed, label(lang, "log-removed"))
	}
	switch {
	case r.Rooted:
		fmt.Fprintf(w, ", %s", label(lang, "log-rooted"))
	case r.Anchored:
		fmt.Fprintf(w, ", %s", label(lang, "log-anchored"))
	}
	fmt.Fprintln(w)
	if !r.Whole() {
		fmt.Fprintf(w, "      %s %d\n", label(lang, "log-first-bad"), r.FirstBad())
	}
	for _, f := range r.Findings {
		fmt.Fprintf(w, "      %s %s\n", pad(string(f.Kind), 9), f.Text)
	}
	for _, f := range r.Notes {
		fmt.Fprintf(w, "      %s %s\n", pad(string(f.Kind), 9), f.Text)
	}
}

// WriteBoots prints the starts of which the log has entries, counted back from the last.
func WriteBoots(w io.Writer, bs []query.Boot, zone *time.Location) {
	for i, b := range bs {
		fmt.Fprintf(w, "%4d  %s  %8d  %s - %s\n", i+1-len(bs), b.ID, b.First, time.UnixMilli(b.From).In(zone).Format(dayForm), time.UnixMilli(b.To).In(zone).Format(dayForm))
	}
}

// WriteLogStats prints what the log holds and costs; the zone is that of its times.
func WriteLogStats(w io.Writer, lang string, st journal.Stats, zone *time.Location) {
	row := func(key, text string) { fmt.Fprintln(w, pad(label(lang, key), 24)+text) }
	budget := ""
	if st.DayBytes > 0 {
		budget = fmt.Sprintf("  (%s %s)", label(lang, "log-budget"), size(uint64(st.DayBytes)))
	}
	row("log-today", size(uint64(st.Today))+budget)
	if st.LastDay > 0 {
		row("log-last-day", size(uint64(st.LastDay)))
	}
	row("log-written", size(uint64(st.Written)))
	row("log-last", fmt.Sprint(st.Seq))
	if st.Dropped > 0 {
		row("dropped", fmt.Sprint(st.Dropped))
	}
	if st.Held > 0 {
		row("log-held", fmt.Sprint(st.Held))
	}
	for _, name := range journal.StreamNames {
		s := st.Streams[name]
		row("log-stream", fmt.Sprintf("%s  %d %s, %d %s, %s", pad(name, 5), s.Entries, label(lang, "log-entries"), s.Segments, label(lang, "log-segments"), size(uint64(s.Bytes))))
		if s.From > 0 {
			row("log-oldest", fmt.Sprintf("%s  %d  %s", pad(name, 5), s.Oldest, time.UnixMilli(s.From).In(zone).Format("2006-01-02 15:04")))
		}
	}
}

// Look is how entries are shown.
type Look struct {
	Lang  string
	Form  string         // short, full, cat
	Zone  *time.Location // nil means the device's
	Color bool
}

// colors of a terminal, by level (ECMA-48 SGR).
var colors = map[string]string{"ERROR": "\x1b[31m", "WARN": "\x1b[33m", "DEBUG": "\x1b[2m"}

// WriteEntry prints an entry.
func WriteEntry(w io.Writer, o Look, e journal.Entry) {
	text := ""
	switch o.Form {
	case "cat":
		text = words1(o.Lang, e)
		if t := shortFields(e).Text(); t != "" {
			text += " " + t
		}
	case "full":
		text = fullEntry(o, e)
	default:
		text = entryLine(o.Lang, o.Zone, e)
	}
	if c := colors[e.Level]; o.Color && c != "" {
		text = c + text + "\x1b[0m"
	}
	fmt.Fprintln(w, text)
}

// fullEntry is an entry with all that it has, a line each.
func fullEntry(o Look, e journal.Entry) string {
	var b strings.Builder
	b.WriteString(entryLine(o.Lang, o.Zone, e))
	row := func(key, text string) {
		if text != "" {
			fmt.Fprintf(&b, "\n    %s %s", pad(key, 10), text)
		}
	}
	row("seq", fmt.Sprint(e.Seq))
	row("boot", e.Boot)
	row("up", e.Up.String())
	row("logical", e.Logical.String())
	row("level", e.Level)
	row("source", e.Source)
	row("card", e.Ref)
	row("who", whoActs(o.Lang, e.Code))
	for _, f := range shortFields(e).Fields {
		row(f.Key, strings.ReplaceAll(fmt.Sprint(f.Value), "\n", "\n               "))
	}
	if len(e.Unknown) > 0 {
		row("unknown", fmt.Sprintf("%x", e.Unknown))
	}
	return b.String()
}
