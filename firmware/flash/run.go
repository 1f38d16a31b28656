package flash

import (
	"context"
	"errors"
	"sync"
	"time"

	"swipewell/firmware/update/bundle"
	"swipewell/firmware/update/flashwire"
	"swipewell/hal"
)

// Opts of a run. Bundle, Open and Clock must be there.
type Opts struct {
	Bundle *bundle.Bundle
	// Open opens a port at a rate; [ErrBusy] if another program has it.
	Open     func(path string, baud int) (Port, error)
	Clock    hal.Clock
	Safe     int           // the rate at rest; 0: 115200
	Max      int           // the highest rate to ask for; 0: flashwire.MaxRate
	DryRun   bool          // ask and judge, send nothing
	By       string        // who does it
	Laptop   string        // on which machine
	First    time.Duration // for the first answer of a device; 0: 10 s
	Patience time.Duration // for a cable or a device that is away; 0: 5 min
	Confirm  time.Duration // for the end of a trial; 0: 12 min
	// Login is for the device's console, before the first frame; Logout for the same
	// port at the end, if the device has not started again since. nil: nobody logs in.
	Login, Logout func(ctx context.Context, p Port) error
	Gone          func(path string) bool // nil: the file system is asked
	Show          func(Progress)         // called often, by several goroutines; may be nil
}

// Rates that are tried, from fast to slow: what adapters and UARTs commonly can.
var Rates = []int{3_000_000, 2_000_000, 1_500_000, 1_152_000, 1_000_000, 921_600, 460_800, 230_400}

// Stage of a device, for whoever watches.
type Stage string

const (
	Looking    Stage = "looking"    // for an answer
	Sending    Stage = "sending"    // Have of All bytes are there
	Installing Stage = "installing" // all are there; the device writes and reads back
	Restarting Stage = "restarting"
	OnTrial    Stage = "on trial"
	Waiting    Stage = "waiting" // for a human: see Words
	Ended      Stage = "ended"
)

// Progress of one device.
type Progress struct {
	Port  string // as Found.Path
	Name  string // the device's serial number once it is known
	Stage Stage
	Have  int64 // bytes of the file that the device has
	All   int64
	Kept  int64         // of them there before this run
	Saved int64         // bytes of the image that need not be sent
	Rate  float64       // bytes/s, of what came in this run
	ETA   time.Duration // of the transfer; 0: not known
	Baud  int
	Words string // what a human should know or do
}

// Outcome of a device.
type Outcome string

const (
	Confirmed   Outcome = "confirmed"
	UpToDate    Outcome = "up-to-date" // it ran the build already
	WouldSend   Outcome = "dry-run"
	Refused     Outcome = "refused"
	NoDevice    Outcome = "no-device"
	LineFailed  Outcome = "line-failed"
	RolledBack  Outcome = "rolled-back"
	Unconfirmed Outcome = "unconfirmed" // the trial did not end in time
	Stopped     Outcome = "stopped"     // by the human
)

// Result of a device: what was done, what it came to, and what to do now.
type Result struct {
	Port     string  `json:"port"`
	Board    string  `json:"board,omitempty"`
	Serial   string  `json:"serial,omitempty"`
	From     string  `json:"from,omitempty"`
	To       string  `json:"to"`
	Sum      string  `json:"sum"`
	Outcome  Outcome `json:"result"`
	Code     string  `json:"code,omitempty"` // of a refusal: F-UPD-…
	Text     string  `json:"text,omitempty"`
	Hint     string  `json:"hint,omitempty"`
	Sent     Sent    `json:"sent,omitempty"`
	Bytes    int64   `json:"bytes"`            // of the file that was needed
	Image    int64   `json:"image"`            // of the build
	Line     int64   `json:"line"`             // that left this machine
	Again    int     `json:"again"`            // frames that were sent again
	Breaks   int     `json:"breaks"`           // times that the cable or the device was away
	Baud     int     `json:"baud"`             // last agreed
	Seconds  float64 `json:"seconds"`          // all of it
	Transfer float64 `json:"transfer_seconds"` // from the first question to the build in its slot and on trial
	Noted    bool    `json:"noted"`            // the device took the service record
}

// Service is the record of it.
func (r Result) Service(o Opts) flashwire.Service {
	return flashwire.Service{When: o.Clock.Now().Wall, By: o.By, Laptop: o.Laptop, Serial: r.Serial, From: r.From, To: r.To, Sum: r.Sum,
		Sent: string(r.Sent), Bytes: r.Bytes, Line: r.Line, Seconds: r.Seconds, Result: string(r.Outcome), Code: r.Code}
}

func (o *Opts) defaults() {
	if o.Safe == 0 {
		o.Safe = 115_200
	}
	if o.Max == 0 {
		o.Max = flashwire.MaxRate
	}
	if o.First == 0 {
		o.First = 10 * time.Second
	}
	if o.Patience == 0 {
		o.Patience = 5 * time.Minute
	}
	if o.Confirm == 0 {
		o.Confirm = 12 * time.Minute
	}
	if o.Gone == nil {
		o.Gone = gone
	}
	if o.Show == nil {
		o.Show = func(Progress) {}
	}
}

// Run flashes the devices on these ports, all at once, and gives a result for each
// in the order of the ports. It returns when the last has ended; ctx stops it: what
// the devices have is kept, and the next run goes on there.
func Run(ctx context.Context, o Opts, ports []Found) []Result {
	o.defaults()
	x := &files{b: o.Bundle}
	results := make([]Result, len(ports))
	var all sync.WaitGroup
	for i, p := range ports {
		all.Go(func() {
			d := &device{o: &o, files: x, port: p, ceiling: o.Max}
			results[i] = d.run(ctx)
		})
	}
	all.Wait()
	return results
}

// Probe tells which of the ports have a device that answers, and what it says.
func Probe(ctx context.Context, o Opts, ports []Found, wait time.Duration) map[string]flashwire.Facts {
	o.defaults()
	var mu sync.Mutex
	var all sync.WaitGroup
	found := map[string]flashwire.Facts{}
	for _, p := range ports {
		all.Go(func() {
			port, err := o.Open(p.Path, o.Safe)
			if err != nil {
				return
			}
			l := newLink(ctx, port, o.Clock, o.Safe)
			defer l.close()
			a := flashwire.NewHello(wait)
			if l.ask(ctx, a) == nil {
				mu.Lock()
				found[p.Path] = a.Facts
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return found
}

// troubled takes apart what a device or the laptop's own judgement said no with.
func (r *Result) troubled(err error) {
	var t *flashwire.Trouble
	if errors.As(err, &t) {
		r.Code, r.Text, r.Hint = t.Code, t.Text, t.Hint
		return
	}
	r.Text = err.Error()
}
