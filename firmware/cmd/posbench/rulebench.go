package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"swipewell/firmware/diagnose"
	"swipewell/firmware/sim/soak"
	"swipewell/firmware/throttle"
)

// benchScopes are the names of a card that there is not.
func benchScopes(rnd *rand.Rand) (s throttle.Scopes) {
	binary.BigEndian.PutUint64(s.Key[:], rnd.Uint64())
	binary.BigEndian.PutUint64(s.Key[8:], rnd.Uint64())
	s.Tags = throttle.Tags{Card: rnd.Uint64(), Bin8: rnd.Uint32N(300)}
	return s
}

// heap is what is in use.
func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // pools let go with the second
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// benchRules measures the rules with a full table and a full log, and the
// diagnosis with a full window.
func benchRules(dir string) ([]row, error) {
	rnd := rand.New(rand.NewPCG(1, 4))
	cards := make([]throttle.Scopes, throttle.MaxCards)
	for i := range cards {
		cards[i] = benchScopes(rnd)
	}
	before := heap()
	book := throttle.NewBook(0)
	now := throttle.Time(time.Hour)
	for i, c := range cards {
		now += time.Second
		o, rc := throttle.Approved, throttle.RC{'0', '0'}
		if i%9 == 0 {
			o, rc = throttle.Declined, throttle.RC{'5', '1'}
		}
		s := throttle.Seen{At: now, Amount: int64(100 + i%977), Outcome: o, RC: rc, Op: 1, Kind: throttle.Sale}
		book.Keep(book.Facts(c, throttle.Moment{At: now}).Card.Add(s, 1), now)
	}
	each := float64(heap()-before) / float64(book.Cards())
	for i, c := range cards {
		book.Note(throttle.Event{At: now - time.Duration(len(cards)-i)*time.Second, What: throttle.Sale, Outcome: throttle.Approved, RC: throttle.RC{'0', '0'}, Op: 1, Entry: throttle.Swiped,
			Amount: int64(100 + i%977), Tags: c.Tags}, 1)
	}
	rules := throttle.Default()
	var took []time.Duration
	for i := range 20_000 {
		began := time.Now()
		f := book.Facts(cards[i%len(cards)], throttle.Moment{At: now, Day: 1, Minute: 9 * 60})
		f.Limit = 5_000_000
		rules.Decide(throttle.Attempt{On: throttle.PreSale, What: throttle.Sale, Amount: int64(100 + i%977), Op: 1, Entry: throttle.Swiped}, f)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	us := func(d time.Duration) string { return fmt.Sprintf("%.1f µs", float64(d.Nanoseconds())/1000) }
	with, err := soak.Commits(filepath.Join(dir, "with"), true, 40)
	if err != nil {
		return nil, err
	}
	without, err := soak.Commits(filepath.Join(dir, "without"), false, 40)
	if err != nil {
		return nil, err
	}
	return []row{
		{fmt.Sprintf("a decision, %d cards tracked, p50", book.Cards()), us(took[len(took)/2]), ""},
		{fmt.Sprintf("a decision, %d cards tracked, p99", book.Cards()), us(took[len(took)*99/100]), "≤ 50 µs"},
		{"memory of a tracked card", fmt.Sprintf("%.0f B", each), "≤ 160 B"},
		{"commits of a sale: with the rules, without", fmt.Sprintf("%.2f, %.2f", with, without), "no more"},
		{"a diagnosis of a full window", us(benchDiagnosis()), ""},
	}, nil
}

// benchDiagnosis is the median time from a full window to a ranking.
func benchDiagnosis() time.Duration {
	var w diagnose.Window
	rnd := rand.New(rand.NewPCG(2, 4))
	const now = 10 * time.Hour
	for i := range 2000 {
		o := diagnose.Obs{At: now - time.Duration(2000-i)*900*time.Millisecond, Form: uint16(i / 8), Card: uint64(rnd.IntN(200)), Bin: rnd.Uint32N(40)}
		switch i % 6 {
		case 0:
			o.Kind = diagnose.Begin
		case 1, 2:
			o.Kind, o.Code = diagnose.Pass, uint16(rnd.IntN(20)/17)*2
		case 3:
			o.Kind, o.N, o.RC = diagnose.Radio, int32(8+rnd.IntN(20)), [2]byte{1}
		case 4:
			o.Kind, o.N = diagnose.Trip, 180
		case 5:
			o.Kind, o.Code, o.RC, o.Sum = diagnose.Sale, diagnose.EndApproved, [2]byte{'0', '0'}, int64(100+rnd.IntN(90_000))
		}
		w.Add(o)
	}
	var took []time.Duration
	for range 500 {
		began := time.Now()
		diagnose.Rank(w.Read(now, diagnose.Base{Trip: 150, PerHour: 30, Limit: 5_000_000, Links: 2}), w.Told(now))
		took = append(took, time.Since(began))
	}
	return median(took)
}
