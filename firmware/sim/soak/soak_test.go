package soak

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func dir(t *testing.T) string {
	if d, err := os.MkdirTemp("/dev/shm", "soak-test-"); err == nil {
		t.Cleanup(func() { os.RemoveAll(d) })
		return d
	}
	return t.TempDir()
}

// Every kind of day, shortly: nothing double, nothing lost, nothing open.
func TestDays(t *testing.T) {
	for _, p := range Profiles {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			r, err := Run(Opts{Seed: 7, Sales: 250, Faults: p.Faults, Day: p.Day, Dir: dir(t), Screen: true})
			if err != nil {
				t.Fatal(err)
			}
			if r.Double+r.Lost+r.Open+r.Early+r.Slipped+r.Findings > 0 || r.Freed > 5*time.Second || r.Told < r.Approved/2 {
				t.Errorf("%+v", r)
			}
			if p.Name == "healthy" && (r.Approved != r.Sales || r.Reversed > 0) {
				t.Errorf("with no fault at all: %+v", r)
			}
			if p.Name == "mixed" && (r.Faults == 0 || r.Reversed == 0) {
				t.Errorf("no faults happened: %+v", r)
			}
		})
	}
}

// What the host finds wrong in the terminal's messages is an error of the run: here
// the cards' expiry is another in the host's books than on their stripes.
func TestFindings(t *testing.T) {
	r, err := Run(Opts{Seed: 3, Sales: 20, Dir: dir(t), Day: func(d *Day, i int) {
		if i == 10 {
			for _, c := range d.l.cards {
				if err := d.l.Host.DefineCard(c.Name, "expiry=3101"); err != nil {
					t.Error(err)
				}
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Findings < 10 || len(r.Why) == 0 || !strings.Contains(r.Why[0], "the host found: card 0200") {
		t.Errorf("%d findings, %v", r.Findings, r.Why)
	}
}

// A seed replays exactly.
func TestReplay(t *testing.T) {
	p, _ := ProfileNamed("power")
	one, err := Run(Opts{Seed: 11, Sales: 300, Faults: p.Faults, Dir: dir(t)})
	if err != nil {
		t.Fatal(err)
	}
	two, err := Run(Opts{Seed: 11, Sales: 300, Faults: p.Faults, Dir: dir(t)})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(one, two); d != "" || one.Crashes == 0 {
		t.Errorf("(-first +second):\n%s", d)
	}
}

func TestDrain(t *testing.T) {
	d, err := Drain(t.TempDir(), 300, 9600)
	if err != nil || d.Busy < 0.9 || d.Busy > 1.001 {
		t.Errorf("%+v %v", d, err)
	}
}

// The rules take no commit of their own: what they remember goes with the money.
func TestCommits(t *testing.T) {
	with, err := Commits(dir(t), true, 20)
	if err != nil {
		t.Fatal(err)
	}
	without, err := Commits(dir(t), false, 20)
	if err != nil {
		t.Fatal(err)
	}
	if with != without || without > 3 {
		t.Errorf("a sale takes %.2f commits with the rules, %.2f without", with, without)
	}
}
