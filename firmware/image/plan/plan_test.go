package plan

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"
)

func good() Plan {
	return Plan{Version: "1.2.3", Modules: []string{"a.ko", "b.ko"}, Data: Mount{Device: "/dev/vda4", Dir: "/data", Type: "ext4", Flags: []string{"nosuid", "noatime"}},
		Bench: "/dev/vdb", Streams: []string{"p"}, Relay: []Relay{{"p", "/data/posd/posd.sock"}}, Seed: []Seed{{"/run/bench/k", "/data/keys/k"}}, Own: []string{"/dev/ttyS0"}, User: 1000,
		Posd: []string{"/bin/posd", "--board", "/b.toml"}, Start: Duration(30 * time.Second), Life: Duration(20 * time.Second), Watchdogs: []string{"/dev/watchdog0"}, Timeout: Duration(5 * time.Second)}
}

func TestPlanRoundTrip(t *testing.T) {
	b, err := json.Marshal(good())
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(p)
	if err != nil || string(again) != string(b) {
		t.Errorf("%s\n%s %v", again, b, err)
	}
}

func TestPlansThatCannotBe(t *testing.T) {
	for name, spoil := range map[string]func(*Plan){
		"no program":                func(p *Plan) { p.Posd = nil },
		"a program by chance":       func(p *Plan) { p.Posd[0] = "posd" },
		"no data":                   func(p *Plan) { p.Data.Device = "" },
		"no type":                   func(p *Plan) { p.Data.Type = "" },
		"an unknown flag":           func(p *Plan) { p.Data.Flags = []string{"noexec", "fast"} },
		"no limit at the start":     func(p *Plan) { p.Start = 0 },
		"no limit of life":          func(p *Plan) { p.Life = -1 },
		"a watchdog without time":   func(p *Plan) { p.Timeout = Duration(time.Millisecond) },
		"a watchdog slower than we": func(p *Plan) { p.Timeout = p.Life },
		"root":                      func(p *Plan) { p.User = 0 },
		"a module with a path":      func(p *Plan) { p.Modules[0] = "../a.ko" },
		"a module twice":            func(p *Plan) { p.Modules[1] = "a.ko" },
		"a seed that leads out":     func(p *Plan) { p.Seed[0].To = "/data/../etc/k" },
		"a device that leads out":   func(p *Plan) { p.Own[0] = "/dev/../ttyS0" },
		"a stream with a path":      func(p *Plan) { p.Streams[0] = "../p" },
		"a relay without its port":  func(p *Plan) { p.Relay[0].Stream = "q" },
		"a relay on no bench":       func(p *Plan) { p.Bench = "" },
		"a bench by chance":         func(p *Plan) { p.Bench, p.Relay = "vdb", nil },
	} {
		p := good()
		spoil(&p)
		if err := p.Check(); !errors.Is(err, ErrPlan) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"", "{", "[]", `{"posd":["/bin/posd"],"shell":"/bin/sh"}`, `{"start":"soon"}`} {
		if _, err := Parse([]byte(text)); !errors.Is(err, ErrPlan) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	b, _ := json.Marshal(good())
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b)
		if err == nil && p.Check() != nil {
			t.Error("parsed, and cannot be carried out")
		}
	})
}

func TestSlot(t *testing.T) {
	for line, want := range map[string]string{
		"console=ttyAMA0 quiet swipewell.slot=A\n": "A", "swipewell.slot=B": "B", "quiet": "", "swipewell.slot=C": "", "swipewell.slot=": "",
		"swipewell.slot=A swipewell.slot=B": "B", "xswipewell.slot=A": "", "swipewell.slot=a": "",
	} {
		if have := Slot(line); have != want {
			t.Errorf("%q: %q, not %q", line, have, want)
		}
	}
}

// What is mounted must find its folder and be mounted behind what it needs.
func TestKernelMounts(t *testing.T) {
	var dirs []string
	for _, m := range Kernel() {
		dirs = append(dirs, m.Dir)
		if !slices.Contains(m.Flags, "nosuid") || m.Dir != "/dev" && !slices.Contains(m.Flags, "nodev") || !slices.Contains(m.Flags, "noexec") {
			t.Errorf("%s is mounted with %v", m.Dir, m.Flags)
		}
		for _, f := range m.Flags {
			if !known[f] {
				t.Errorf("%s: flag %q", m.Dir, f)
			}
		}
	}
	if !slices.Equal(dirs, []string{"/proc", "/sys", "/dev", "/run"}) {
		t.Error(dirs)
	}
}

func TestPolicy(t *testing.T) {
	s := time.Second
	type step struct {
		e     Ended
		want  What
		pause time.Duration
	}
	for name, steps := range map[string][]step{
		"told to stop":                {{Ended{At: 9 * s, Told: PowerOff}, PowerOff, 0}},
		"told, and killed":            {{Ended{At: 9 * s, Status: -1, Told: Reboot}, Reboot, 0}},
		"asks for the loader":         {{Ended{At: 9 * s, Status: Again, Alive: true}, Reboot, 0}},
		"asks before it was alive":    {{Ended{At: 1 * s, Status: Again}, Reboot, 0}},
		"never came up":               {{Ended{At: 1 * s, Status: 1}, Restart, s}, {Ended{At: 3 * s, Status: -1}, Reboot, 0}},
		"ends without an order":       {{Ended{At: 60 * s, Alive: true}, Restart, s}},
		"crashes again and again":     {{Ended{At: 60 * s, Status: 2, Alive: true}, Restart, s}, {Ended{At: 70 * s, Status: 2, Alive: true}, Restart, 2 * s}, {Ended{At: 80 * s, Status: 2, Alive: true}, Restart, 4 * s}, {Ended{At: 90 * s, Status: 2, Alive: true}, Reboot, 0}},
		"crashes once in a long time": {{Ended{At: 60 * s, Status: 2, Alive: true}, Restart, s}, {Ended{At: 60*s + Window, Status: 2, Alive: true}, Restart, s}, {Ended{At: 60*s + 2*Window, Status: 2, Alive: true}, Restart, s}, {Ended{At: 60*s + 3*Window, Status: 2, Alive: true}, Restart, s}},
	} {
		var p Policy
		for i, x := range steps {
			if what, pause := p.Next(x.e); what != x.want || pause != x.pause {
				t.Errorf("%s, step %d: %v after %v, not %v after %v", name, i, what, pause, x.want, x.pause)
			}
		}
	}
}

func TestJudge(t *testing.T) {
	p := good()
	for _, x := range []struct {
		since time.Duration
		alive bool
		want  Health
	}{
		{0, false, Well}, {30 * time.Second, false, Well}, {31 * time.Second, false, Silent},
		{20 * time.Second, true, Well}, {21 * time.Second, true, Silent},
	} {
		if have := p.Judge(x.since, x.alive); have != x.want {
			t.Errorf("%v silent, alive %v: %v", x.since, x.alive, have)
		}
	}
}
