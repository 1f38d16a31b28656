package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"swipewell/firmware/console"
	"swipewell/hal"
)

// sample is one look at a radio link.
type sample struct {
	At         time.Duration `json:"at"` // since the survey began
	Link       string        `json:"link"`
	CSQ        int           `json:"csq"` // 99 unknown
	Registered bool          `json:"registered"`
	Roaming    bool          `json:"roaming,omitempty"`
	Operator   string        `json:"operator,omitempty"`
	State      string        `json:"state"` // of the link
}

// surveyed is what the samples of one link at one place come to.
type surveyed struct {
	Place     string   `json:"place,omitempty"`
	Link      string   `json:"link"`
	Samples   int      `json:"samples"`
	Unknown   int      `json:"unknown,omitempty"` // without a figure
	Lost      int      `json:"lost"`              // not registered
	Min       int      `json:"min"`               // CSQ
	Median    int      `json:"median"`
	Max       int      `json:"max"`
	DBm       int      `json:"dbm"` // of the median; 27.007 §8.5
	Operators []string `json:"operators,omitempty"`
	Roaming   int      `json:"roaming,omitempty"`
	Verdict   string   `json:"verdict"` // good, fair, weak, none, short
}

// fewest samples from which a place is judged.
const fewest = 5

// judge sums the samples of one link up.
func judge(place, link string, all []sample) (r surveyed) {
	r = surveyed{Place: place, Link: link, Verdict: "short"}
	var csq []int
	for _, s := range all {
		if s.Link != link {
			continue
		}
		r.Samples++
		if !s.Registered {
			r.Lost++
		}
		if s.Roaming {
			r.Roaming++
		}
		if s.Operator != "" && !slices.Contains(r.Operators, s.Operator) {
			r.Operators = append(r.Operators, s.Operator)
		}
		if s.CSQ >= 0 && s.CSQ <= 31 {
			csq = append(csq, s.CSQ)
		} else {
			r.Unknown++
		}
	}
	if len(csq) > 0 {
		slices.Sort(csq)
		r.Min, r.Median, r.Max = csq[0], csq[(len(csq)-1)/2], csq[len(csq)-1]
		r.DBm = -113 + 2*r.Median
	}
	// A tenth of the time without a network is one sale in ten that does not go.
	switch {
	case r.Samples < fewest:
	case r.Lost*2 > r.Samples || len(csq) == 0:
		r.Verdict = "none"
	case r.Lost*10 >= r.Samples || r.Median < 10 || r.Min < 4:
		r.Verdict = "weak"
	case r.Lost > 0 || r.Median < 15 || r.Min < 10:
		r.Verdict = "fair"
	default:
		r.Verdict = "good"
	}
	return r
}

// verdicts in plain words: zh, en.
var verdicts = map[string][2]string{
	"good":  {"好: 可以放在这里", "good: the terminal may stand here"},
	"fair":  {"一般: 能用; 有更好的位置就换", "fair: it works here; take a better place if there is one"},
	"weak":  {"弱: 会有交易发不出去; 换位置或外接天线", "weak: sales will fail now and then; another place, or an outside antenna"},
	"none":  {"没有网络: 不能放在这里; 检查SIM卡, 换位置", "no network: it cannot stand here; look at the SIM card, try another place"},
	"short": {"样本太少: 多测一会儿", "too few samples: survey for longer"},
}

// signalBars are the eighths of a character.
var signalBars = []rune(" ▁▂▃▄▅▆▇█")

// plot draws readings 0 to 31 as one line of at most width characters; a column is
// the least of its samples, since the least is what fails.
func plot(samples []sample, link string, width int) string {
	var v []int
	for _, s := range samples {
		if s.Link != link {
			continue
		}
		n := s.CSQ
		if n < 0 || n > 31 || !s.Registered {
			n = -1
		}
		v = append(v, n)
	}
	cols := min(width, len(v))
	var b strings.Builder
	for c := range cols {
		low := slices.Min(v[c*len(v)/cols : max((c+1)*len(v)/cols, c*len(v)/cols+1)])
		if low < 0 {
			b.WriteByte('x')
			continue
		}
		b.WriteRune(signalBars[1+low*7/31])
	}
	return b.String()
}

func (t *tool) survey() *cobra.Command {
	var long, every time.Duration
	var place string
	c := &cobra.Command{
		Use:   "survey",
		Short: "signal, registration and operator over some minutes: a table, a plot and a verdict",
		Long: "Ask the device for the signal of its radio links again and again, and say whether the terminal may stand here. Run it once for each\n" +
			"place, with --place. The device asks its modem each time, unless a sale has the line. Exit 1: no network, or no radio.",
		Example: "  postool survey --for 2m --every 5s --place counter\n  postool survey --for 30s --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if every < 200*time.Millisecond || long < every || long > 24*time.Hour {
				return fmt.Errorf("--for %v --every %v: at least 200ms apart, and no longer than a day", long, every)
			}
			all, err := t.sampleLinks(cmd.Context(), cmd.ErrOrStderr(), long, every)
			if err != nil {
				return err
			}
			return t.surveyed(cmd.Context(), place, all)
		},
	}
	c.Flags().DurationVar(&long, "for", 2*time.Minute, "for how long")
	c.Flags().DurationVar(&every, "every", 5*time.Second, "how often")
	c.Flags().StringVar(&place, "place", "", "what to call this place")
	return c
}

// sampleLinks asks until the time is over or a person has had enough.
func (t *tool) sampleLinks(ctx context.Context, told io.Writer, long, every time.Duration) (all []sample, err error) {
	clock := hal.SystemClock{}
	began := clock.Now().Boot
	for n := 0; ; n++ {
		ls, err := t.links(ctx)
		if err != nil {
			return nil, err
		}
		at := clock.Now().Boot - began
		for _, l := range ls {
			if l.Signal == nil {
				continue
			}
			s := sample{At: at.Round(time.Millisecond), Link: l.Name, CSQ: l.Signal.CSQ, Registered: l.Signal.Registered, Roaming: l.Signal.Roaming, Operator: l.Signal.Operator, State: l.State}
			all = append(all, s)
			if t.json {
				if err := json.NewEncoder(t.out).Encode(s); err != nil {
					return nil, err
				}
			} else if isTerminal() {
				fmt.Fprintf(told, "\r%5s  %-8s CSQ %2d  %s   ", at.Round(time.Second), s.Link, s.CSQ, s.Operator)
			}
		}
		next := time.Duration(n+1) * every
		if next > long {
			break
		}
		if hal.Sleep(ctx, clock, began+next-clock.Now().Boot) != nil {
			break
		}
	}
	if !t.json && isTerminal() {
		fmt.Fprintln(told)
	}
	return all, nil
}

func (t *tool) links(ctx context.Context) ([]console.Link, error) {
	var ls []console.Link
	err := t.items(ctx, console.Request{Cmd: "signal"}, func(r console.Reply) error {
		var l console.Link
		err := json.Unmarshal(r.Data, &l)
		ls = append(ls, l)
		return err
	})
	return ls, err
}

// surveyed prints what the samples come to; the device's log keeps it.
func (t *tool) surveyed(ctx context.Context, place string, all []sample) error {
	var names []string
	for _, s := range all {
		if !slices.Contains(names, s.Link) {
			names = append(names, s.Link)
		}
	}
	if len(names) == 0 {
		return failure{errors.New("this device has no radio link")}
	}
	bad := false
	for _, n := range names {
		r := judge(place, n, all)
		bad = bad || r.Verdict == "none"
		note := console.Request{Cmd: "service-note", Name: "survey", Text: strings.TrimSpace(clipTo(place, 40) + fmt.Sprintf(" %s %s csq %d-%d-%d", clipTo(n, 16), r.Verdict, r.Min, r.Median, r.Max))}
		if err := t.items(ctx, note, func(console.Reply) error { return nil }); err != nil {
			return err
		}
		if t.json {
			if err := json.NewEncoder(t.out).Encode(r); err != nil {
				return err
			}
			continue
		}
		if place != "" {
			fmt.Fprintf(t.out, "%s  ", place)
		}
		fmt.Fprintf(t.out, "%s  %s\n", n, strings.Join(r.Operators, ", "))
		fmt.Fprintf(t.out, "  31 |%s| 0 .. 31; x: no network\n", plot(all, n, 60))
		fmt.Fprintf(t.out, "  samples %d, without network %d, roaming %d\n", r.Samples, r.Lost, r.Roaming)
		fmt.Fprintf(t.out, "  CSQ min %d, median %d (%d dBm), max %d\n", r.Min, r.Median, r.DBm, r.Max)
		w := verdicts[r.Verdict]
		fmt.Fprintf(t.out, "  %s\n", map[bool]string{true: w[0], false: w[1]}[t.zh])
	}
	if bad {
		return failure{errors.New("no network here")}
	}
	return nil
}
