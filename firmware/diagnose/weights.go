package diagnose

import "math"

// Weights turn signals into shares of causes: a prior for each, and what each
// signal at each of its levels adds, in nats.
type Weights struct {
	Priors  [Causes]float64
	Temper  float64 // scores are divided by it before they become shares: calibration
	Signals [signals][Causes]levels
}

// levels of a weight: at level 1 and at level 2.
type levels [2]float64

// scale is what people's weights are multiplied by: they are cautious.
// THROTTLE §4.
const scale = 1.8

// HandWeights are those that people wrote down before anything was measured.
// THROTTLE §4.
func HandWeights() Weights {
	w := hand
	for i := range w.Signals {
		for c := range w.Signals[i] {
			w.Signals[i][c][0] *= scale
			w.Signals[i][c][1] *= scale
		}
	}
	return w
}

// Fitted are those in force.
func Fitted() Weights { return fitted }

// Len is how many numbers weights are, for who fits them.
func (w *Weights) Len() int { return int(Causes) + int(signals)*int(Causes)*2 }

func (w *Weights) at(i int) *float64 {
	if i < int(Causes) {
		return &w.Priors[i]
	}
	i -= int(Causes)
	return &w.Signals[i/(2*int(Causes))][i/2%int(Causes)][i%2]
}

// At is the i-th number.
func (w *Weights) At(i int) float64 { return *w.at(i) }

// Set changes the i-th number.
func (w *Weights) Set(i int, v float64) { *w.at(i) = v }

// Free tells whether a fit may move a number: a signal speaks of the causes that
// people gave it, and of no others. Numbers without a reason are not explained
// to anybody. Priors stay: how often a cause is met in a shop is not how often a
// scenario was written for it.
func (w *Weights) Free(i int) bool {
	return i >= int(Causes) && hand.Signals[(i-int(Causes))/(2*int(Causes))][(i-int(Causes))/2%int(Causes)] != levels{}
}

// Each calls f with every number that the score of a cause is made of, and what
// it is multiplied by.
func (w *Weights) Each(c Cause, s Signals, f func(i int, x float64)) {
	f(int(c), 1)
	for k := range s {
		if s[k].Level > 0 {
			f(int(Causes)+(k*int(Causes)+int(c))*2+int(s[k].Level)-1, s[k].Q)
		}
	}
}

// Scores are sums of nats.
func (w *Weights) Scores(s Signals) (score [Causes]float64) {
	score = w.Priors
	for i := range s {
		if s[i].Level == 0 {
			continue
		}
		for c := range score {
			score[c] += w.Signals[i][c][s[i].Level-1] * s[i].Q
		}
	}
	return score
}

// Shares make one of the scores.
func (w *Weights) Shares(s Signals) [Causes]float64 { return w.share(w.Scores(s)) }

func (w *Weights) share(p [Causes]float64) [Causes]float64 {
	for c := range p {
		p[c] /= w.Temper
	}
	top, sum := math.Inf(-1), 0.0
	for _, v := range p {
		top = max(top, v)
	}
	for c := range p {
		p[c] = math.Exp(p[c] - top)
		sum += p[c]
	}
	for c := range p {
		p[c] /= sum
	}
	return p
}

var hand = Weights{
	Temper: 1,
	Priors: [Causes]float64{NONE: -.6, OPR: -1, NET: -1.2, LIM: -1.2, BAD: -1.5, SYS: -1.6, PEAK: -1.8, FRD: -2.2, EXT: -2.2},
	Signals: [signals][Causes]levels{

		MSRMany: {SYS: {1, 2.2}, EXT: {.2, .4}},
		MSROne:  {BAD: {1, 2}, SYS: {-.4, -.8}},
		Hand:    {OPR: {1, 2}, SYS: {-.2, -.5}},
		ICCMany: {SYS: {1, 2.2}, EXT: {.2, .4}},
		ICCOne:  {BAD: {1, 2}, SYS: {-.4, -.8}},
		CSQ:     {NET: {.9, 1.9}, EXT: {.2, .4}},
		BER:     {EXT: {1, 2}, NET: {.2, .3}},
		Reg:     {NET: {.5, 1}, EXT: {.4, 1}},
		SIM:     {NET: {1.2, 2.4}},
		RTT:     {NET: {.6, 1.2}, PEAK: {.5, .8}},
		TMO:     {NET: {.8, 1.6}, PEAK: {.2, .4}, EXT: {.2, .4}},
		ReTx:    {NET: {.9, 1.8}, EXT: {.3, .5}},
		EchoBad: {NET: {.8, 1.6}, LIM: {-.3, -.6}},
		HostBad: {LIM: {1, 1.8}, NET: {-.6, -1.2}},
		Limit:   {LIM: {1.6, 2.8}},
		HostRC:  {LIM: {1, 1.8}, PEAK: {.2, .3}},
		Pickup:  {FRD: {1, 2.6}},
		InputRC: {BAD: {1.2, 2.2}},
		Format:  {BAD: {1.4, 2.6}, OPR: {.2, .2}},
		Funds:   {OPR: {1.2, 2.2}},
		Fast:    {OPR: {1.3, 1.9}, FRD: {.2, .4}, NONE: {-.6, -.6}},
		Many:    {FRD: {.8, 1.6}},
		BIN:     {FRD: {1.8, 3.2}},
		Sums:    {FRD: {1.2, 2.4}},
		Undo:    {OPR: {1, 2}},
		Wrong:   {OPR: {1.1, 2.1}},
		Busy:    {PEAK: {1.2, 2.4}},
		Queue:   {PEAK: {1, 2}},
		Machine: {SYS: {.7, 1.4}, PEAK: {.3, .5}},
		Disk:    {SYS: {1.6, 3}},
		Clock:   {SYS: {1.4, 2.6}},
		Case:    {SYS: {1.6, 3.2}, FRD: {.3, .8}},
		Starts:  {SYS: {1.4, 2.6}},
		Both:    {EXT: {1.5, 2.9}, SYS: {-.3, -.6}, NET: {-.3, -.6}},
		Backup:  {NET: {.9, 1.8}, LIM: {-.2, -.4}},
		Meant:   {NONE: {1.4, 2.6}, FRD: {-.8, -.8}, OPR: {-.6, -.6}},
		Shared:  {NONE: {1, 2}, OPR: {-.3, -.3}, PEAK: {-.3, -.3}},
		Well:    {NONE: {1, 2}},
	},
}
