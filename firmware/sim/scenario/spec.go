// Package scenario plays labelled troubles on the stage: raw events of drivers
// and of the host, through the real stack, in virtual time; and scores what the
// diagnosis makes of them.
//
// Sources:
//   - THROTTLE: firmware/doc/throttle.md §4.1, the shapes S01–S36 and their ranges
//   - SCENARIOS: firmware/doc/scenarios.md, the format of a scenario file
//
// A scenario is data: a TOML file with parameters as ranges, and labels. What it
// can do stands in acts; a run draws every number from its range by a seed.
package scenario

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"swipewell/firmware/diagnose"
)

//go:embed scenarios/*.toml
var builtin embed.FS

// Range is from least to most; one number is both.
type Range [2]float64

// UnmarshalTOML takes a number or a pair.
func (r *Range) UnmarshalTOML(v any) error {
	num := func(x any) (float64, bool) {
		switch n := x.(type) {
		case int64:
			return float64(n), true
		case float64:
			return n, true
		}
		return 0, false
	}
	list, ok := v.([]any)
	if _, one := num(v); one {
		list, ok = []any{v, v}, true
	}
	if !ok || len(list) != 2 {
		return errors.New("a range is a number or a pair of them")
	}
	a, ok1 := num(list[0])
	b, ok2 := num(list[1])
	if !ok1 || !ok2 || !(a <= b) {
		return errors.New("a range goes from the smaller to the greater number")
	}
	if a < 0 || b > most {
		return fmt.Errorf("a range is within 0 and %d", most)
	}
	*r = Range{a, b}
	return nil
}

// most is the greatest number of a scenario: seconds, cards, times.
const most = 10_000

func (r Range) draw(rnd *rand.Rand) float64 { return r[0] + rnd.Float64()*(r[1]-r[0]) }

// count draws a whole number, both ends included.
func (r Range) count(rnd *rand.Rand) int {
	a, b := int(r[0]), int(r[1])
	return a + rnd.IntN(b-a+1)
}

func (r Range) or(d Range) Range {
	if r == (Range{}) {
		return d
	}
	return r
}

// Spec is one scenario.
type Spec struct {
	ID        string   `toml:"id"`
	About     string   `toml:"about"`
	Merchants []string `toml:"merchants"` // kinds that it may befall; empty: any
	Minutes   Range    `toml:"minutes"`   // how long a run is
	Hour      Range    `toml:"hour"`      // of the day at which it begins; default 9..17
	Chips     Range    `toml:"chips"`     // share of customers who insert a chip; default the merchant's
	Top       string   `toml:"top"`       // the cause
	Sub       string   `toml:"sub"`       // and its sub-cause
	Second    []string `toml:"second"`    // causes that are right as well
	Require   []string `toml:"require"`   // codes of which one must be shown, or how they begin
	Forbid    []string `toml:"forbid"`    // codes that must not be shown, or how they begin
	Acts      []Act    `toml:"act"`

	file string
}

// Act is one thing that happens. SCENARIOS lists the kinds and what each number
// means to them.
type Act struct {
	Kind    string   `toml:"kind"`
	From    Range    `toml:"from"`    // share of the run after which it begins; default 0.05..0.25
	Share   Range    `toml:"share"`   // of the events that it touches, 0..1
	Times   Range    `toml:"times"`   // how often
	Cards   Range    `toml:"cards"`   // on how many cards
	Gap     Range    `toml:"gap"`     // seconds between two of them
	Factor  Range    `toml:"factor"`  // times as much as usual
	Level   Range    `toml:"level"`   // of a signal, a rate
	Seconds Range    `toml:"seconds"` // how long a burst or a delay is
	Codes   []string `toml:"codes"`   // response codes
	Scope   string   `toml:"scope"`
}

// acts are the kinds there are, with the numbers that each needs.
var acts = map[string][]string{
	"stripe": {"share"}, "card-stripe": {"times"}, "chip": {"share"}, "card-chip": {"times"}, "hand": {"share"},
	"radio": {"level"}, "slow": {"factor"}, "lose": {"share"}, "loss": {"share"}, "route": {}, "sim": {"times"},
	"host": {"share", "codes"}, "limit-count": {"times"}, "limit-amount": {}, "repeat": {"gap"}, "chip-swipe": {"times"}, "funds": {"times"},
	"cancel": {"times"}, "enumerate": {"cards", "gap", "share"}, "cashout": {"times", "share", "gap"}, "stolen": {"cards", "codes"},
	"rotate": {"cards"}, "peak": {"factor"}, "keyed": {"times"}, "data": {"times"}, "jam": {"level"}, "motor": {"share", "gap", "seconds"}, "family": {}, "split": {"cards"},
	"storage": {"times"}, "restarts": {"times"}, "clock": {"scope"}, "tamper": {}, "reswipe": {},
}

// scopes are the words that a kind knows beside "", and what they mean is told
// with the kind.
var scopes = map[string][]string{"host": {"issuer", "all", "any"}, "clock": {"1970", "2000", "step", "any"}, "radio": {"weak"}, "jam": {"weak"}}

// lasts are the kinds that touch every event until the end of the run.
var lasts = map[string]bool{"stripe": true, "chip": true, "hand": true, "radio": true, "slow": true, "lose": true, "loss": true, "route": true, "sim": true,
	"host": true, "peak": true, "jam": true, "motor": true, "reswipe": true}

// Load reads the scenarios of a folder; "" means those of the build.
func Load(dir string) (all []Spec, err error) {
	fsys, root := fs.FS(builtin), "scenarios"
	if dir != "" {
		fsys, root = os.DirFS(dir), "."
	}
	files, err := fs.Glob(fsys, filepath.ToSlash(filepath.Join(root, "*.toml")))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("scenario: no *.toml in %q: %w", dir, errors.Join(err, fs.ErrNotExist))
	}
	for _, f := range files {
		b, err := fs.ReadFile(fsys, f)
		if err != nil {
			return nil, fmt.Errorf("scenario: %w", err)
		}
		s, err := Parse(filepath.Base(f), string(b))
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(all, func(x Spec) bool { return x.ID == s.ID }); i >= 0 {
			return nil, &Error{s.file, 1, fmt.Sprintf("id: %s is the scenario of %s", s.ID, all[i].file)}
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Spec) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
}

// Accepts tells whether a cause is right for a scenario.
func (s Spec) Accepts(c diagnose.Cause) bool {
	return c.String() == s.Top || slices.Contains(s.Second, c.String())
}

// merchant is the background: how a shop is on an ordinary day.
type merchant struct {
	perHour float64
	median  float64 // yuan
	spread  float64 // of the logarithm
	chips   float64 // share of customers who insert a chip
	limit   int64   // fen
}

var merchants = map[string]merchant{
	"conv":   {40, 25, .8, .2, 2_000_000},
	"resto":  {16, 180, .6, .4, 5_000_000},
	"fuel":   {24, 260, .4, .4, 1_000_000},
	"super":  {55, 90, .9, .3, 5_000_000},
	"clinic": {20, 120, 1.0, .3, 10_000_000},
	"fair":   {45, 50, .3, .2, 1_000_000},
	"hotel":  {9, 600, .7, .5, 20_000_000},
	"booth":  {14, 150, .8, .3, 500_000},
}

// merchantNames in a fixed order.
func merchantNames() (names []string) {
	for n := range merchants {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// drawn is a scenario with its numbers.
type drawn struct {
	spec     Spec
	merchant string
	m        merchant
	length   time.Duration
	hour     int
	acts     []part
}

// part is an act with its numbers.
type part struct {
	Act
	from, until time.Duration
	share       float64
	times       int
	cards       int
	gap         Range
	factor      float64
	level       float64
	seconds     float64
	side        bool // of the second cause of a compound run: weaker
}

func draw(s Spec, other *Spec, rnd *rand.Rand) drawn {
	names := s.Merchants
	if len(names) == 0 {
		names = merchantNames()
	}
	d := drawn{spec: s, merchant: names[rnd.IntN(len(names))]}
	d.m = merchants[d.merchant]
	d.length = time.Duration(s.Minutes.draw(rnd) * float64(time.Minute))
	d.hour = s.Hour.count(rnd)
	if s.Chips != (Range{}) {
		d.m.chips = s.Chips.draw(rnd)
	}
	for _, a := range s.Acts {
		d.acts = append(d.acts, d.part(a, rnd, false))
	}
	if other != nil {
		for _, a := range other.Acts {
			d.acts = append(d.acts, d.part(a, rnd, true))
		}
	}
	return d
}

// part draws an act. The second cause of a compound run comes late, and is as
// weak as its ranges let it be.
func (d *drawn) part(a Act, rnd *rand.Rand, side bool) part {
	from := a.From.or(Range{.05, .25})
	if side {
		from = Range{.6, .8}
		low := func(r Range) Range { return Range{r[0], r[0]} }
		a.Share, a.Times, a.Cards, a.Factor = low(a.Share), low(a.Times), low(a.Cards), low(a.Factor)
	}
	return part{Act: a, from: time.Duration(from.draw(rnd) * float64(d.length)), until: d.length, share: a.Share.draw(rnd), times: a.Times.count(rnd), cards: a.Cards.count(rnd),
		gap: a.Gap, factor: a.Factor.draw(rnd), level: a.Level.draw(rnd), seconds: a.Seconds.draw(rnd), side: side}
}
