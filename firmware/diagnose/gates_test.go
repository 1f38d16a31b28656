package diagnose

import (
	"math"
	"testing"
	"time"
)

// TestRepeatIsExplained: the same card again is its holder's doing only if the
// payment before it went through, for the same amount, within a minute and a
// half; after an answer that did not come, a limit, a refusal or a payment that
// never left, it is not. THROTTLE §4, gates per event.
func TestRepeatIsExplained(t *testing.T) {
	again := func(end uint16, gap int32, sum int64) []Obs {
		return times(3, 30*time.Second, plain(Obs{Kind: Repeat, Code: end, N: gap, Sum: sum, Card: 7}))
	}
	for _, c := range []struct {
		name string
		list []Obs
		want uint8
	}{
		{"after an approval", again(EndApproved, 20, 100), 2},
		{"after an approval, at the edge", again(EndApproved, 90, 100), 2},
		{"after an approval, late", again(EndApproved, 91, 100), 0},
		{"after an approval, another amount", again(EndApproved, 20, 0), 0},
		{"after no answer", again(EndNoAnswer, 20, 100), 0},
		{"after a refusal or a limit", again(EndDeclined, 20, 100), 0},
		{"after what was not sent", again(EndNotSent, 20, 100), 0},
	} {
		if s := read(Base{}, c.list); s[Fast].Level != c.want {
			t.Errorf("%s: %+v, want level %d", c.name, s[Fast], c.want)
		}
	}
	// Mixed in one window: each event is judged by itself, not the window.
	if s := read(Base{}, again(EndNoAnswer, 20, 100), again(EndApproved, 20, 100)[:1]); s[Fast].N != 1 || s[Fast].Level != 1 {
		t.Errorf("one true repeat among three after no answer: %+v", s[Fast])
	}
	// Failed passes before a payment are no payments: the card was not often paid with.
	fails := times(6, 10*time.Second, func(int) Obs { return Obs{Kind: Pass, Form: 7, Code: passLRC} })
	s := read(Base{}, fails, times(1, 0, func(int) Obs { o := approved(7); o.Card, o.Form = 7, 7; return o }))
	if s[Fast].Level != 0 || s[Many].Level != 0 {
		t.Errorf("passes that did not read feed the card: %+v %+v", s[Fast], s[Many])
	}
	// Only what was approved counts as often.
	for end, want := range map[uint16]int{EndApproved: 5, EndDeclined: 0, EndNoAnswer: 0, EndNotSent: 0} {
		s := read(Base{}, times(5, time.Minute, plain(Obs{Kind: Sale, Code: end, Card: 7, Sum: 1234})))
		if s[Many].N != want {
			t.Errorf("five that ended with %d: %d count as often", end, s[Many].N)
		}
	}
}

// TestOneCardIsNotTheReader: a card that fails twelve times is that card; the
// same number of failures spread over cards is the reader, and then no card is
// blamed.
func TestOneCardIsNotTheReader(t *testing.T) {
	for _, k := range []struct {
		kind      Kind
		many, one ID
	}{{Pass, MSRMany, MSROne}, {Insert, ICCMany, ICCOne}} {
		good := times(12, time.Minute, func(i int) Obs { return Obs{Kind: k.kind, Form: uint16(i + 1)} })
		one := times(12, 5*time.Second, func(int) Obs { return Obs{Kind: k.kind, Form: 99, Code: passLRC} })
		s := read(Base{}, good, one)
		if s[k.many].Level != 0 || s[k.many].N != 2 || s[k.one].Level != 2 {
			t.Errorf("one card: many %+v, one %+v", s[k.many], s[k.one])
		}
		spread := times(12, 5*time.Second, func(i int) Obs { return Obs{Kind: k.kind, Form: uint16(50 + i), Code: passLRC} })
		s = read(Base{}, good, spread)
		if s[k.many].Level != 2 || s[k.one].Level != 0 {
			t.Errorf("many cards: many %+v, one %+v", s[k.many], s[k.one])
		}
		// Nobody else was there: half the word.
		if s = read(Base{}, one); s[k.one].Level != 2 || s[k.one].Q != .6 {
			t.Errorf("alone: %+v", s[k.one])
		}
	}
	// A pass too fast or not to the end is the hand's, not the stripe's.
	hand := times(12, time.Minute, func(i int) Obs {
		return Obs{Kind: Pass, Form: uint16(i + 1), Code: [3]uint16{passNoStart, passNoEnd, passShort}[i%3]}
	})
	if s := read(Base{}, hand); s[MSRMany].N != 0 || s[Hand].Level != 2 {
		t.Errorf("the hand: %+v, stripes %+v", s[Hand], s[MSRMany])
	}
}

// TestMuted: what one signal explains, weighs less in another.
func TestMuted(t *testing.T) {
	quiet := func() (s Signals) {
		for i := range s {
			s[i] = Signal{Level: 2, Q: 1}
		}
		for _, i := range [...]ID{BER, Both, HostBad, BIN, Meant, Case, Funds} {
			s[i] = Signal{}
		}
		return s
	}
	for _, c := range []struct {
		by    ID
		level uint8
		what  map[ID]float64
	}{
		{HostBad, 1, map[ID]float64{TMO: .3, EchoBad: .3}},
		{BER, 2, map[ID]float64{CSQ: .5, SIM: .3, TMO: .5, EchoBad: .5, Backup: .5}},
		{BER, 1, map[ID]float64{SIM: .3, TMO: .5, EchoBad: .5, Backup: .5}},
		{Both, 1, map[ID]float64{MSROne: .7, ICCOne: .7, ReTx: .7, TMO: .7, EchoBad: .7, Backup: .7}},
		{Both, 2, map[ID]float64{MSROne: .4, ICCOne: .4, ReTx: .4, TMO: .4, EchoBad: .4, Backup: .4}},
		{BIN, 1, map[ID]float64{InputRC: .3, Limit: .5, Busy: .3, Queue: .3}},
		{Meant, 1, map[ID]float64{Fast: .3, Many: .5}},
		{Case, 2, map[ID]float64{Starts: .5}},
		{Funds, 1, map[ID]float64{Fast: .5}},
	} {
		s := quiet()
		s[c.by] = Signal{Level: c.level, Q: 1}
		(&Window{}).gates(&s)
		for i := range s {
			want := 1.0
			if q, ok := c.what[ID(i)]; ok {
				want = q
			}
			if s[i].Level > 0 && math.Abs(s[i].Q-want) > 1e-12 {
				t.Errorf("%v at %d: %v has quality %v, want %v", c.by, c.level, ID(i), s[i].Q, want)
			}
		}
		if c.by == BER && (s[CSQ].Level == 1) != (c.level == 2) {
			t.Errorf("bit errors at %d leave the weak signal at %d", c.level, s[CSQ].Level)
		}
	}
	// Through the window: an echo that is answered and a bank that is busy.
	busy := times(3, time.Minute, declined("96"))
	lost := times(3, time.Minute, plain(Obs{Kind: Sale, Code: EndNoAnswer}))
	without, with := read(Base{}, lost, busy), read(Base{}, lost, busy, times(1, 0, plain(Obs{Kind: Echo})))
	if with[HostBad].Level == 0 || math.Abs(with[TMO].Q-.3*without[TMO].Q) > 1e-9 {
		t.Errorf("no answers weigh %v beside a busy bank, %v without an echo", with[TMO].Q, without[TMO].Q)
	}
}

// TestWell: all is well only while nothing else is wrong.
func TestWell(t *testing.T) {
	good := times(6, 4*time.Minute, approved)
	if s := read(Base{}, good); s[Well].Level != 2 {
		t.Errorf("six sales: %+v", s[Well])
	}
	if s := read(Base{}, good, times(5, time.Second, plain(Obs{Kind: Cancel}))); s[Well].Level != 0 {
		t.Errorf("and five cancels: %+v", s[Well])
	}
	if s := read(Base{}, good, times(1, 0, plain(Obs{Kind: Confirm}))); s[Well].Level != 2 {
		t.Errorf("and a second payment that was meant: %+v", s[Well])
	}
	// Taking away what was wrong leaves what was well.
	s := read(Base{}, good, times(1, 0, plain(Obs{Kind: Tamper})))
	for _, f := range Families() {
		if f.Name == "device" {
			if s = s.Without(f); s[Well].Level != 2 || s[Case] != (Signal{}) {
				t.Errorf("without the device: %+v %+v", s[Well], s[Case])
			}
		}
	}
}
