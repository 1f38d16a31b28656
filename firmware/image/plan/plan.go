// Package plan is what an image tells its first program: which modules to load,
// what to mount, what to start and how long it may be silent. It is a file of the
// slot, and thus signed with it.
//
// Sources:
//   - KERNEL: Linux Documentation/admin-guide/kernel-parameters.rst, whose
//     command line names the slot; Documentation/watchdog/watchdog-api.rst
//   - MOUNT: mount(2), ext4(5)
package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// File is where the plan stands in the slot.
const File = "/etc/init.json"

// StreamDir has a link for each of [Plan.Streams].
const StreamDir = "/run/port"

// Plan of one slot.
type Plan struct {
	Version string `json:"version"` // of the build, for the log
	// Modules are files below /lib/modules, each behind those it needs.
	Modules []string `json:"modules"`
	Data    Mount    `json:"data"` // the data partition
	// Bench is a device that holds a tar, unpacked to /run/bench: the world of a
	// virtual bench. Only an image for the bench names one.
	Bench string `json:"bench,omitempty"`
	// Streams are ports of virtio consoles by their names: each becomes a link in
	// StreamDir, since the kernel numbers them as it finds them.
	Streams []string `json:"streams,omitempty"`
	Relay   []Relay  `json:"relay,omitempty"` // for a bench only
	Seed    []Seed   `json:"seed,omitempty"`
	// Own are devices and folders that posd opens again once it is no longer root.
	Own   []string `json:"own,omitempty"`
	User  int      `json:"user"`  // whose they become; also the group
	Posd  []string `json:"posd"`  // the program and its words
	Start Duration `json:"start"` // from its start to its first sign of life
	Life  Duration `json:"life"`  // between two
	// Watchdogs are tried in order; the timeout is what the first that opens is set to.
	Watchdogs []string `json:"watchdogs"`
	Timeout   Duration `json:"timeout"`
}

// Mount is one file system.
type Mount struct {
	Device string   `json:"device"`
	Dir    string   `json:"dir"`
	Type   string   `json:"type"`
	Flags  []string `json:"flags,omitempty"` // nosuid nodev noexec noatime ro
	Data   string   `json:"data,omitempty"`  // the file system's own options
}

// Seed is a file that is copied where there is none yet.
type Seed struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Relay is a stream whose bytes go to a socket of posd's.
type Relay struct {
	Stream string `json:"stream"`
	Socket string `json:"socket"`
}

// Duration reads and writes "30s".
type Duration time.Duration

// MarshalText writes "30s".
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads "30s".
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}

// Kernel are the file systems that come with every kernel, in the order in which
// they are mounted. The root is the slot's archive in memory and becomes read-only
// once they are there.
func Kernel() []Mount {
	return []Mount{
		{Device: "proc", Dir: "/proc", Type: "proc", Flags: []string{"nosuid", "nodev", "noexec"}},
		{Device: "sysfs", Dir: "/sys", Type: "sysfs", Flags: []string{"nosuid", "nodev", "noexec"}},
		{Device: "devtmpfs", Dir: "/dev", Type: "devtmpfs", Flags: []string{"nosuid", "noexec"}},
		{Device: "tmpfs", Dir: "/run", Type: "tmpfs", Flags: []string{"nosuid", "nodev", "noexec"}, Data: "mode=0755,size=8m"},
	}
}

// ErrPlan is a plan that cannot be carried out.
var ErrPlan = errors.New("plan: cannot be carried out")

// Parse reads a plan. Unknown members are refused: a plan is of one build with
// its first program.
func Parse(b []byte) (p Plan, err error) {
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, fmt.Errorf("%w: %w", ErrPlan, err)
	}
	return p, p.Check()
}

// Check finds what would stop the first program half-way.
func (p Plan) Check() error {
	wrong := func(format string, a ...any) error { return fmt.Errorf("%w: "+format, append([]any{ErrPlan}, a...)...) }
	clean := func(s string) bool { return path.IsAbs(s) && path.Clean(s) == s }
	switch {
	case len(p.Posd) == 0 || !clean(p.Posd[0]):
		return wrong("no program to start")
	case !clean(p.Data.Device) || !clean(p.Data.Dir) || p.Data.Type == "":
		return wrong("no data partition")
	case p.Start <= 0 || p.Life <= 0:
		return wrong("start and life must be more than nothing")
	case time.Duration(p.Timeout) < time.Second || p.Timeout >= p.Life:
		return wrong("a watchdog of %v, and signs of life every %v", time.Duration(p.Timeout), time.Duration(p.Life))
	case p.User < 1:
		return wrong("devices for user %d", p.User)
	case p.Bench != "" && !clean(p.Bench):
		return wrong("bench %q", p.Bench)
	}
	for _, f := range p.Data.Flags {
		if !known[f] {
			return wrong("mount flag %q", f)
		}
	}
	seen := map[string]bool{}
	for _, m := range p.Modules {
		if m == "" || m != path.Base(m) || !strings.HasSuffix(m, ".ko") || seen[m] {
			return wrong("module %q", m)
		}
		seen[m] = true
	}
	for _, s := range p.Streams {
		if s == "" || s == "." || s == ".." || s != path.Base(s) {
			return wrong("stream %q", s)
		}
	}
	for _, r := range p.Relay {
		if p.Bench == "" || !slices.Contains(p.Streams, r.Stream) || !clean(r.Socket) {
			return wrong("relay %q to %q", r.Stream, r.Socket)
		}
	}
	for _, s := range p.Seed {
		if !clean(s.From) || !clean(s.To) {
			return wrong("seed %q to %q", s.From, s.To)
		}
	}
	for _, o := range append(append([]string{}, p.Own...), p.Watchdogs...) {
		if !clean(o) {
			return wrong("device %q", o)
		}
	}
	return nil
}

var known = map[string]bool{"nosuid": true, "nodev": true, "noexec": true, "noatime": true, "ro": true}

// Slot is the slot that the loader has chosen, "A" or "B", by the kernel's
// command line; "" if it says none, or another.
func Slot(cmdline string) string {
	slot := ""
	for _, w := range strings.Fields(cmdline) {
		if v, ok := strings.CutPrefix(w, "swipewell.slot="); ok {
			slot = v // the last word counts, as with the kernel's own
		}
	}
	if slot != "A" && slot != "B" {
		return ""
	}
	return slot
}
