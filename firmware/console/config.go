package console

import (
	"context"
	"errors"
	"fmt"
	"io"

	"swipewell/firmware/journal"
	"swipewell/ui/prompt"
)

// Parameters is a Backend whose parameters a signed file may change.
type Parameters interface {
	// Config are those in force.
	Config(ctx context.Context) (Config, error)
	// TryConfig says what a file would change, signed or not. SetConfig takes a
	// signed, newer one.
	TryConfig(ctx context.Context, text string) (ConfigReport, error)
	SetConfig(ctx context.Context, text string) (ConfigReport, error)
}

// Config are the parameters in force.
type Config struct {
	Version int     `json:"version"` // of the file; 0: only the board's own
	KeyID   string  `json:"key,omitempty"`
	Waiting int     `json:"waiting,omitempty"` // version that is in force from the next start on; 0 none
	Params  []Param `json:"params"`
}

// Param is one parameter.
type Param struct {
	Name  string `json:"name"`  // as a file has it: "acquirer.answer_timeout"
	Value string `json:"value"` // as a file writes it; "" unset: the build's
	From  string `json:"from"`  // "file", "board" or "build"
}

// ConfigReport is what a file changes.
type ConfigReport struct {
	Version int           `json:"version"`
	Have    int           `json:"have"`
	KeyID   string        `json:"key,omitempty"` // "" not signed
	Changes []ParamChange `json:"changes"`
	Taken   bool          `json:"taken,omitempty"`
	// When it counts: "now" or "start", the next one.
	When string `json:"when,omitempty"`
}

// ParamChange is one parameter that differs.
type ParamChange struct {
	Name string `json:"name"`
	Was  string `json:"was"`
	Is   string `json:"is"`
}

// WriteConfig prints the parameters in force.
func WriteConfig(w io.Writer, lang string, c Config) {
	fmt.Fprintf(w, "%s %d", label(lang, "cf-version"), c.Version)
	if c.KeyID != "" {
		fmt.Fprintf(w, "  %s %s", label(lang, "cf-signed"), c.KeyID)
	}
	if c.Waiting > 0 {
		fmt.Fprintf(w, "  (%s %d)", label(lang, "cf-waiting"), c.Waiting)
	}
	fmt.Fprintln(w)
	for _, p := range c.Params {
		fmt.Fprintln(w, trimRight(pad(p.Name, 28)+pad(label(lang, "cf-"+p.From), 8)+p.Value))
	}
}

// WriteConfigReport prints what a file changes.
func WriteConfigReport(w io.Writer, lang string, r ConfigReport) {
	signed := label(lang, "cf-unsigned")
	if r.KeyID != "" {
		signed = label(lang, "cf-signed") + " " + r.KeyID
	}
	fmt.Fprintf(w, "%s %d (%s %d)  %s\n", label(lang, "cf-version"), r.Version, label(lang, "cf-have"), r.Have, signed)
	for _, c := range r.Changes {
		fmt.Fprintf(w, "  %s: %s -> %s\n", c.Name, or(c.Was, "-"), or(c.Is, "-"))
	}
	if len(r.Changes) == 0 {
		fmt.Fprintln(w, " ", label(lang, "cf-same"))
	}
	if r.Taken {
		fmt.Fprintln(w, label(lang, "cf-taken-"+r.When))
	}
}

func or(s, v string) string {
	if s == "" {
		return v
	}
	return s
}

func cmdConfig(s *Shell, ctx context.Context, _ []string) error {
	p, ok := s.o.Backend.(Parameters)
	if !ok {
		return errUsage
	}
	c, err := p.Config(ctx)
	if err != nil {
		return err
	}
	WriteConfig(s.page(), s.language(), c)
	return nil
}

// notes are what a tool may have the journal keep: what was done, by whom, and
// the sum of what it wrote about it.
var notes = map[string]bool{"provision": true, "survey": true}

const maxNote = 96 // what the journal keeps of a word

func (s *Server) serviceNote(q Request) error {
	if !notes[q.Name] {
		return fmt.Errorf("no such note: %q", q.Name)
	}
	if len(q.Text) > maxNote {
		return errors.New("a note has at most 96 bytes")
	}
	s.o.Journal.Record(journal.Event{Code: prompt.LogService, Source: "console", Fields: []journal.Field{
		journal.Word("do", q.Name), journal.Word("what", q.Text), journal.Flag("ok", q.N == 0)}})
	return s.o.Journal.Sync(true)
}
