package diagnose

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"swipewell/ui/prompt"
	"swipewell/ui/text"
)

// TestRank: a trouble as it looks in the window is named, with its sub-cause, who
// mends it, and the figures that go into its sentence.
func TestRank(t *testing.T) {
	min := time.Minute
	for _, c := range []struct {
		want string
		who  string
		say  string // of its Chinese title
		base Base
		seen [][]Obs
	}{
		{"SYS.reader", "technician", "读卡头20次错9次", Base{}, [][]Obs{some(9, 20, min, pass(passLRC, 0), pass(passOK, 0))}},
		{"BAD.card", "customer", "这张卡4次读不出", Base{}, [][]Obs{times(12, min, pass(passOK, 0)), times(4, time.Second, func(int) Obs { return Obs{Kind: Pass, Form: 99, Code: passLRC} })}},
		{"OPR.technique", "cashier", "(8次)", Base{}, [][]Obs{some(8, 20, min, pass(passNoEnd, PaceBad), pass(passOK, 0))}},
		{"OPR.flow", "cashier", "连续取消重来6次", Base{}, [][]Obs{times(6, min, plain(Obs{Kind: Cancel}))}},
		{"OPR.interface", "cashier", "刷了3次", Base{}, [][]Obs{times(3, min, plain(Obs{Kind: Misuse, Code: 1}))}},
		{"OPR.repeat", "cashier", "12s", Base{}, [][]Obs{times(3, min, plain(Obs{Kind: Repeat, Code: EndApproved, N: 12, Sum: 100}))}},
		{"OPR.funds", "customer", "3次", Base{}, [][]Obs{times(3, min, func(i int) Obs { o := declined("51")(i); o.Card = 7; return o })}},
		{"NET.signal", "cashier", "CSQ 6),3笔", Base{}, [][]Obs{times(12, 20*time.Second, plain(Obs{Kind: Radio, N: 6, RC: [2]byte{1}})), times(3, min, plain(Obs{Kind: Sale, Code: EndNoAnswer}))}},
		{"NET.route", "technician", "主通道中断", Base{Links: 2}, [][]Obs{times(3, min, plain(Obs{Kind: Dial, Code: 8})), times(3, min, plain(Obs{Kind: Dial, Link: 1}))}},
		{"NET.sim", "technician", "4次", Base{}, [][]Obs{times(4, min, plain(Obs{Kind: Dial, Code: 3}))}},
		{"NET.quality", "technician", "丢包", Base{}, [][]Obs{times(1, min, plain(Obs{Kind: Segments, Code: 200, N: 30}))}},
		{"LIM.count", "customer", "返回65", Base{}, [][]Obs{times(2, min, declined("65"))}},
		{"LIM.amount", "customer", "返回61", Base{}, [][]Obs{times(3, min, declined("61"))}},
		{"LIM.host", "acquirer", "银行系统忙(96),已4次", Base{}, [][]Obs{times(4, min, declined("96")), times(2, min, plain(Obs{Kind: Echo}))}},
		{"PEAK", "cashier", "忙6倍", Base{PerHour: 12}, [][]Obs{times(12, 30*time.Second, plain(Obs{Kind: Begin}))}},
		{"BAD.keyed", "cashier", "4次校验不对", Base{}, [][]Obs{times(4, min, plain(Obs{Kind: Input, Code: 1}))}},
		{"BAD.data", "technician", "(4次)", Base{}, [][]Obs{times(4, min, plain(Obs{Kind: Input, Code: 2}))}},
		{"SYS.storage", "technician", "3次", Base{}, [][]Obs{times(3, min, plain(Obs{Kind: Write, Code: 1}))}},
		{"SYS.software", "technician", "重启5次", Base{}, [][]Obs{times(5, min, plain(Obs{Kind: Restart, Code: 1}))}},
		{"SYS.clock", "technician", "时钟不准", Base{}, [][]Obs{times(1, min, plain(Obs{Kind: Jump, N: -86400}))}},
		{"SYS.tamper", "acquirer", "机壳", Base{}, [][]Obs{times(1, min, plain(Obs{Kind: Tamper}))}},
		{"FRD.testing", "supervisor", "主管", Base{}, [][]Obs{times(8, 20*time.Second, func(i int) Obs { o := declined("14")(i); o.Bin = 5; return o })}},
		{"FRD.stolen", "supervisor", "主管", Base{}, [][]Obs{times(3, min, declined("43"))}},
		{"FRD.cashout", "supervisor", "主管", Base{Limit: 1000}, [][]Obs{times(5, 5*min, func(i int) Obs { o := approved(1); o.Sum = 990; return o })}},
		{"EXT.radio", "cashier", "受干扰", Base{}, [][]Obs{times(12, 20*time.Second, func(i int) Obs { return Obs{Kind: Radio, N: 18, Code: 6, RC: [2]byte{byte(i % 2)}} })}},
		{"NONE", "nobody", "", Base{}, [][]Obs{times(2, min, plain(Obs{Kind: Confirm}))}},
		{"NONE", "nobody", "", Base{}, [][]Obs{times(8, 3*min, approved)}},
	} {
		w := windowOf(c.seen...)
		r := Rank(w.Read(now, c.base), Told{})
		top := r.Top[0].Row
		if !r.Sure || top.Name() != c.want || top.Who != c.who {
			t.Errorf("want %s by %s, got %v (sure %v, by %s)", c.want, c.who, r, r.Sure, top.Who)
			continue
		}
		if title := text.Format(text.ZH, top.Code, r.Args(w, now)).Title; !strings.Contains(title, c.say) {
			t.Errorf("%s says %q, want %q in it", c.want, title, c.say)
		}
		if ev := r.Evidence(); len(ev) == 0 || len(ev) > 5 || ev[0].Nats <= 0 {
			t.Errorf("%s: evidence %+v", c.want, ev)
		}
	}
}

// TestUndecided: two causes that are as likely are both given, none is named, and
// one test is, that of the first of them that has one. Which pairs of signals are so
// is the weights' affair; that there are such pairs is not.
func TestUndecided(t *testing.T) {
	undecided := 0
	for a := range signals {
		for b := range a {
			var s Signals
			s[a], s[b] = Signal{Level: 1, Q: .7, N: 3}, Signal{Level: 1, Q: .7, N: 3}
			r := Rank(s, Told{})
			first, second := r.Top[0], r.Top[1]
			if sure := first.P >= .45 && first.P-second.P >= .10; sure != r.Sure || sure != (r.Test == "") {
				t.Errorf("%v: sure %v, test %q", r, r.Sure, r.Test)
			}
			if r.Sure {
				continue
			}
			undecided++
			want := cmp.Or(first.Row.Test, second.Row.Test, "other-card")
			if r.Test != want {
				t.Errorf("%v: test %q, want %q", r, r.Test, want)
			}
		}
	}
	if undecided < 20 {
		t.Errorf("only %d pairs of signals leave it open", undecided)
	}
	// Nothing seen is no trouble, and quiet.
	if r := Rank(Signals{}, Told{}); !r.Quiet() || r.Top[0].Row.Cause != NONE {
		t.Errorf("nothing: %v", r)
	}
}

// anySignals draws what a window could make of anything.
func anySignals(t *rapid.T, out ...ID) (s Signals) {
	for i := range s {
		if !slices.Contains(out, ID(i)) && rapid.IntRange(0, 2).Draw(t, "there") == 0 {
			s[i] = Signal{Level: uint8(rapid.IntRange(1, 2).Draw(t, "level")), Q: rapid.Float64Range(0, 1).Draw(t, "q"), N: rapid.IntRange(0, 50).Draw(t, "n"), Of: rapid.IntRange(0, 50).Draw(t, "of")}
		}
	}
	return s
}

// Shares are shares; the first is the likeliest; it is named from 45 % on if the
// next is ten behind; else there is a test that has words.
func TestRankIsARanking(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Rank(anySignals(t), Told{})
		sum, seen := 0.0, map[Cause]bool{}
		for i, x := range r.Top {
			sum += x.P
			seen[x.Row.Cause] = true
			if x.P < 0 || i > 0 && x.P > r.Top[i-1].P {
				t.Fatalf("not a ranking: %v", r.Top)
			}
		}
		if math.Abs(sum-1) > 1e-9 || len(seen) != int(Causes) {
			t.Fatalf("%d causes share %v", len(seen), sum)
		}
		if r.Sure != (r.Top[0].P >= .45 && r.Top[0].P-r.Top[1].P >= .10) {
			t.Fatalf("%.3f before %.3f is sure: %v", r.Top[0].P, r.Top[1].P, r.Sure)
		}
		if r.Sure != (r.Test == "") || r.Test != "" && !text.HasLine("test."+r.Test) {
			t.Fatalf("sure %v, test %q", r.Sure, r.Test)
		}
	})
}

// suspects are the signals that speak for FRD.
func suspects() (ids []ID) {
	for i := range fitted.Signals {
		if l := fitted.Signals[i][FRD]; l[0] > 0 || l[1] > 0 {
			ids = append(ids, ID(i))
		}
	}
	return ids
}

// What has nothing to do with it never raises the score of FRD, and without any
// evidence for it FRD stays below what its prior gives it against NONE alone.
func TestNobodyIsSuspectedForNothing(t *testing.T) {
	if len(suspects()) < 6 {
		t.Fatalf("only %v speak for FRD", suspects())
	}
	most := math.Exp((fitted.Priors[FRD] - fitted.Priors[NONE]) / fitted.Temper)
	rapid.Check(t, func(t *rapid.T) {
		s := anySignals(t)
		i := ID(rapid.IntRange(0, int(signals)-1).Draw(t, "more"))
		if !slices.Contains(suspects(), i) {
			with := s
			with[i] = Signal{Level: 2, Q: 1}
			s[i] = Signal{}
			if a, b := fitted.Scores(s)[FRD], fitted.Scores(with)[FRD]; b > a {
				t.Fatalf("%v raises FRD from %v to %v", i, a, b)
			}
		}
		r := Rank(anySignals(t, suspects()...), Told{})
		for _, x := range r.Top {
			if x.Row.Cause == FRD && x.P > most {
				t.Fatalf("FRD has %.3f for nothing: %v", x.P, r)
			}
		}
	})
}

// anyObs draws what no driver would send as well.
func anyObs(t *rapid.T) Obs {
	return Obs{Kind: Kind(rapid.IntRange(0, int(kinds)+2).Draw(t, "kind")), At: time.Duration(rapid.OneOf(rapid.Int64Range(int64(now-time.Hour), int64(now+time.Hour)), rapid.Int64()).Draw(t, "at")),
		Form: rapid.Uint16Range(0, 5).Draw(t, "form"), Op: rapid.Uint8().Draw(t, "op"), Link: rapid.Uint8().Draw(t, "link"),
		Code: rapid.OneOf(rapid.Uint16Range(0, 20), rapid.Uint16()).Draw(t, "code"), N: rapid.OneOf(rapid.Int32Range(-1, 100), rapid.Int32()).Draw(t, "n"),
		RC:   rapid.SampledFrom([][2]byte{{}, {'0', '0'}, {'5', '1'}, {'9', '6'}, {'4', '3'}, {1}, {255, 255}}).Draw(t, "rc"),
		Card: rapid.Uint64Range(0, 4).Draw(t, "card"), Bin: rapid.Uint32Range(0, 3).Draw(t, "bin"), Sum: rapid.OneOf(rapid.Int64Range(0, 500_000), rapid.Int64()).Draw(t, "sum")}
}

// Whatever is seen, there is a ranking with words, shares that are numbers and
// qualities from 0 to 1.
func TestAnythingCanBeSeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &Window{}
		for range rapid.IntRange(0, 60).Draw(t, "n") {
			w.Add(anyObs(t))
		}
		b := Base{Trip: rapid.Float64Range(0, 5000).Draw(t, "trip"), PerHour: rapid.Float64Range(0, 500).Draw(t, "hour"), Odd: rapid.Bool().Draw(t, "odd"),
			P90: rapid.Int64Range(0, 1000).Draw(t, "p90"), Limit: rapid.Int64Range(0, 1_000_000).Draw(t, "limit"), Links: rapid.IntRange(0, 3).Draw(t, "links")}
		s := w.Read(now, b)
		for i := range s {
			if s[i].Level > 2 || !(s[i].Q >= 0 && s[i].Q <= 1) {
				t.Fatalf("%v: %+v", ID(i), s[i])
			}
		}
		r := Rank(s, Told{})
		for _, x := range r.Top {
			if math.IsNaN(x.P) {
				t.Fatalf("%v", r)
			}
		}
		if m := text.Format(text.EN, r.Top[0].Row.Code, r.Args(w, now)); m.Title == "" || strings.ContainsAny(m.Title, "{}") {
			t.Fatalf("%q", m.Title)
		}
		r.Evidence()
		if again := w.Read(now, b); again != s {
			t.Fatal("a window reads otherwise the second time")
		}
	})
}

// The order of what is seen in the same instant does not matter: one of each
// kind, with one customer in front. (A start of the next form and the end of the
// payment before it are one after the other by their nature; so are two words of
// one modem.)
func TestSameInstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a, b Window
		for i := range rapid.IntRange(1, 12).Draw(t, "instants") {
			at, form := now-time.Duration(40*(12-i))*time.Second, uint16(i)
			var group []Obs
			for k := NoKind + 1; k < kinds; k++ {
				if k == Begin && rapid.Bool().Draw(t, "skip") || rapid.IntRange(0, 2).Draw(t, "not") > 0 {
					continue
				}
				o := anyObs(t)
				o.Kind, o.At, o.Form = k, at, form
				group = append(group, o)
			}
			if i := slices.IndexFunc(group, func(o Obs) bool { return o.Kind == Begin }); i >= 0 && slices.ContainsFunc(group, func(o Obs) bool { return o.Kind == Sale }) {
				group = slices.Delete(group, i, i+1)
			}
			for _, o := range group {
				a.Add(o)
			}
			for _, o := range rapid.Permutation(group).Draw(t, "order") {
				b.Add(o)
			}
		}
		base := Base{Trip: 200, PerHour: 10, Limit: 500_000, Links: 2}
		if x, y := a.Read(now, base), b.Read(now, base); x != y {
			for i := range x {
				if x[i] != y[i] {
					t.Errorf("%v: %+v and %+v", ID(i), x[i], y[i])
				}
			}
		}
	})
}

// The window keeps the youngest and gives them oldest first.
func TestWindow(t *testing.T) {
	w := &Window{}
	for i := range keep + 100 {
		w.Add(Obs{Kind: Load, At: time.Duration(i + 1), N: int32(i)})
	}
	next := int32(100)
	w.each(1<<62, 1<<62, func(o *Obs) {
		if o.N != next {
			t.Fatalf("%d, want %d", o.N, next)
		}
		next++
	})
	if o, ok := w.Last(Load); !ok || o.N != keep+99 || next != keep+100 || w.Seq() != keep+100 {
		t.Errorf("last %v %v, %d of %d", o, ok, next, w.Seq())
	}
	if _, ok := w.Last(Echo); ok {
		t.Error("an echo that never was")
	}
	w = windowOf(times(2, time.Minute, func(i int) Obs { return Obs{Kind: Dial, Link: 1, Code: uint16(i)} }))
	if o, ok := w.LastDial(1); !ok || o.Code != 1 {
		t.Errorf("%v %v", o, ok)
	}
	if _, ok := w.LastDial(0); ok {
		t.Error("a link that was not dialled")
	}
}

// Every cause has words in both languages, a step, and somebody who can mend it;
// and each sub-cause is the one that its own signals make.
func TestEveryCauseHasWords(t *testing.T) {
	codes := map[prompt.Code]bool{}
	for _, row := range Table() {
		if codes[row.Code] {
			t.Errorf("%s: its code is another's", row.Name())
		}
		codes[row.Code] = true
		if _, ok := prompt.Lookup(row.Code); !ok {
			t.Errorf("%s is not in the catalogue", row.Code)
		}
		for _, lang := range []text.Lang{text.ZH, text.EN} {
			if m := text.Get(lang, row.Code); m.Title == "" || m.Body == "" || m.Next == "" {
				t.Errorf("%s in %s: %+v", row.Name(), lang, m)
			}
		}
		for _, k := range []string{"cause." + row.Name(), "who." + row.Who} {
			if !text.HasLine(k) {
				t.Errorf("%s has no words", k)
			}
		}
		if row.Test != "" && !text.HasLine("test."+row.Test) {
			t.Errorf("the test of %s has no words", row.Name())
		}
		if len(row.By) == 0 {
			t.Errorf("%s follows from nothing", row.Name())
			continue
		}
		var s Signals
		s[row.By[0]] = Signal{Level: 2, Q: 1, N: 4, Of: 4}
		switch row.Code { // what tells those apart that share a signal
		case prompt.CauseCount, prompt.CauseData:
			s[row.By[0]].Of = 0
		}
		if got := subOf(row.Cause, s, Told{}); got.Code != row.Code {
			t.Errorf("%v alone makes %s, not %s", row.By[0], got.Name(), row.Name())
		}
		if c, ok := ParseCause(row.Cause.String()); !ok || c != row.Cause {
			t.Errorf("%v does not read back", row.Cause)
		}
	}
	if _, ok := ParseCause("sys"); ok {
		t.Error("a cause that is none")
	}
}

// TestWeights: what a fit may move is what people gave a reason for, and each
// number is where it says.
func TestWeights(t *testing.T) {
	w := HandWeights()
	free := 0
	for i := range w.Len() {
		old := w.At(i)
		w.Set(i, old+1)
		if w.At(i) != old+1 {
			t.Fatalf("number %d", i)
		}
		w.Set(i, old)
		if w.Free(i) {
			free++
		}
	}
	if w != HandWeights() || free == 0 || free > w.Len()/3 {
		t.Errorf("%d of %d are free", free, w.Len())
	}
	rapid.Check(t, func(t *rapid.T) {
		s, w := anySignals(t), Fitted()
		for c, want := range w.Scores(s) {
			got := 0.0
			w.Each(Cause(c), s, func(i int, x float64) { got += w.At(i) * x })
			if math.Abs(got-want) > 1e-9 {
				t.Fatalf("%v: %v, want %v", Cause(c), got, want)
			}
		}
	})
}

func BenchmarkRank(b *testing.B) {
	w := &Window{}
	for i := range keep { // half an hour of a busy till with troubles
		at := now - time.Duration(keep-i)*1700*time.Millisecond
		o := Obs{At: at, Form: uint16(i / 8)}
		switch i % 8 {
		case 0:
			o.Kind = Begin
		case 1, 2:
			o.Kind, o.Code = Pass, uint16(i%24/8)
		case 3:
			o.Kind, o.N, o.RC = Radio, int32(8+i%10), [2]byte{1}
		case 4:
			o.Kind, o.N = Trip, 180
		case 5:
			o.Kind, o.Code, o.Card, o.Bin, o.Sum = Sale, EndApproved, uint64(i), uint32(i%40), int64(100*i)
			if i%40 == 5 {
				o.Code, o.RC = EndDeclined, [2]byte{'5', '1'}
			}
		case 6:
			o.Kind, o.Code, o.N = Repeat, EndApproved, 40
		case 7:
			o.Kind, o.Code = Insert, uint16(i%16/15)
		}
		w.Add(o)
	}
	b.ReportAllocs()
	for b.Loop() {
		Rank(w.Read(now, Base{Trip: 150, PerHour: 30, Limit: 5_000_000, Links: 2}), Told{})
	}
}
