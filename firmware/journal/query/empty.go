package query

import (
	"strconv"
	"strings"
	"time"
)

// Empty tells, of a query that found nothing, which of its conditions is in the
// way, its times with their zone: one that nothing in the journal fits, or the first that leaves nothing of what those before it left.
func (s Set) Empty(f Filter) string {
	type cond struct {
		name string
		put  func(*Filter)
	}
	var cs []cond
	add := func(on bool, name string, put func(*Filter)) {
		if on {
			cs = append(cs, cond{name, put})
		}
	}
	add(f.AfterSeq > 0, "--cursor "+strconv.FormatUint(f.AfterSeq, 10), func(g *Filter) { g.AfterSeq = f.AfterSeq })
	add(!f.Since.IsZero(), "--since "+f.Since.Format(time.RFC3339), func(g *Filter) { g.Since = f.Since })
	add(!f.Until.IsZero(), "--until "+f.Until.Format(time.RFC3339), func(g *Filter) { g.Until = f.Until })
	add(f.Boot != "", "--boot "+f.Boot, func(g *Filter) { g.Boot = f.Boot })
	add(f.Tx != "", "--tx "+f.Tx, func(g *Filter) { g.Tx = f.Tx })
	add(f.Card != "", "--card "+f.Card, func(g *Filter) { g.Card = f.Card })
	add(f.Code != "", "--code "+string(f.Code), func(g *Filter) { g.Code = f.Code })
	add(f.Cause != "", "--cause "+f.Cause, func(g *Filter) { g.Cause = f.Cause })
	add(f.Source != "", "-u "+f.Source, func(g *Filter) { g.Source = f.Source })
	add(f.Level != "", "-p "+strings.ToLower(f.Level), func(g *Filter) { g.Level = f.Level })
	add(f.Grep != "", "--grep "+f.Grep, func(g *Filter) { g.Grep = f.Grep })
	some := func(g Filter) bool {
		g.Last = 1
		es, err := s.All(g)
		return err != nil || len(es) > 0
	}
	if !some(Filter{}) {
		return "the journal is empty"
	}
	for _, c := range cs {
		var g Filter
		if c.put(&g); !some(g) {
			return "nothing fits " + c.name
		}
	}
	var g Filter
	for i, c := range cs {
		if c.put(&g); !some(g) {
			var before []string
			for _, b := range cs[:i] {
				before = append(before, b.name)
			}
			return "nothing of " + strings.Join(before, " ") + " fits " + c.name + " as well"
		}
	}
	return ""
}
