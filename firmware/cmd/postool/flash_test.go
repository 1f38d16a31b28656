package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swipewell/drivers/tty"
	"swipewell/firmware/flash"
	"swipewell/firmware/sim/flashsim"
	"swipewell/firmware/update/updatesim"
)

func flashNoise(n int, seed uint64) []byte {
	r, b := rand.New(rand.NewPCG(seed, 1)), make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// flashDesk is a laptop with a terminal on a cable and a bundle in a file.
type flashDesk struct {
	t          *testing.T
	dir        string
	port, file string
	term       *flashsim.Terminal
}

func newFlashDesk(t *testing.T, set func(*flashsim.Opts)) *flashDesk {
	t.Helper()
	dir := t.TempDir()
	d := &flashDesk{t: t, dir: dir, port: filepath.Join(dir, "ttyUSB0"), file: filepath.Join(dir, "2.0.0.swb")}
	old := flashNoise(60_000, 1)
	slots, err := updatesim.New(old, 1<<20, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := flashsim.Opts{Link: d.port, Slots: slots, Room: 1 << 20, Serial: "SW000042", Rates: []int{3_000_000}, Settle: 100 * time.Millisecond}
	if set != nil {
		set(&o)
	}
	if d.term, err = flashsim.New(o); err != nil {
		t.Fatal(err)
	}
	if err := d.term.Plug(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.term.Close)
	b, err := updatesim.Bundle(flashNoise(60_000, 2), updatesim.Board, old)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.file, b.File(), 0o600); err != nil {
		t.Fatal(err)
	}
	return d
}

// flash runs the command and gives what it printed and its status.
func (d *flashDesk) flash(args ...string) (out, errs string, code int) {
	d.t.Helper()
	var o, e bytes.Buffer
	code = run(d.t.Context(), append([]string{"flash", "--record", filepath.Join(d.dir, "records", "flash.jsonl"), "--by", "Li Na"}, args...), &o, &e)
	return o.String(), e.String(), code
}

func (d *flashDesk) records() (rs []record) {
	d.t.Helper()
	b, err := os.ReadFile(filepath.Join(d.dir, "records", "flash.jsonl"))
	if err != nil {
		return nil
	}
	for l := range strings.Lines(string(b)) {
		var r record
		if err := json.Unmarshal([]byte(l), &r); err != nil {
			d.t.Fatal(err)
		}
		rs = append(rs, r)
	}
	return rs
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in:\n%s", p, text)
		}
	}
}

func TestFlash(t *testing.T) {
	t.Parallel()
	d := newFlashDesk(t, nil)
	out, _, code := d.flash("--port", d.port, "--dry-run", d.file)
	if code != exitOK || len(d.records()) != 0 {
		t.Errorf("a dry run: %d, %d records", code, len(d.records()))
	}
	contains(t, out, "SW000042", "dry-run: would send", "bytes")

	out, errs, code := d.flash("--port", d.port, d.file)
	if code != exitOK {
		t.Fatalf("%d\n%s%s", code, out, errs)
	}
	contains(t, out, "SW000042 at ", "confirmed: it runs 2.0.0", "1.0.0 → 2.0.0", "3000000 baud", "flash.jsonl and the terminal's journal")
	contains(t, errs, "sending", "installing", "restarting")
	rs := d.records()
	if len(rs) != 1 || rs[0].By != "Li Na" || rs[0].Laptop == "" || rs[0].Serial != "SW000042" || rs[0].Outcome != flash.Confirmed || time.Since(rs[0].When) > time.Minute {
		t.Errorf("%+v", rs)
	}
	if n := d.term.Notes(); len(n) != 1 || n[0].By != "Li Na" {
		t.Errorf("%+v", n)
	}
	out, _, code = d.flash("--port", d.port, "--json", d.file)
	var r record
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != exitOK || r.Outcome != flash.UpToDate {
		t.Errorf("%d %v %s", code, err, out)
	}
}

// TestFlashStatus: each end has its own.
func TestFlashStatus(t *testing.T) {
	t.Parallel()
	other := func(d *flashDesk, change func(b []byte) []byte) string {
		b, err := os.ReadFile(d.file)
		if err != nil {
			d.t.Fatal(err)
		}
		path := filepath.Join(d.dir, "other.swb")
		if err := os.WriteFile(path, change(b), 0o600); err != nil {
			d.t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		name string
		set  func(*flashsim.Opts)
		args func(*flashDesk) []string
		code int
		says []string // on either output
	}{
		{"rolled back", func(o *flashsim.Opts) { o.Trial = flashsim.Crashes }, func(d *flashDesk) []string { return []string{"--port", d.port, d.file} }, exitRolledBack,
			[]string{"rolled-back", "runs 1.0.0 again", "do: read its log"}},
		{"not confirmed", func(o *flashsim.Opts) { o.Trial = flashsim.Endless }, func(d *flashDesk) []string { return []string{"--port", d.port, "--wait", "1s", d.file} }, exitUnconfirmed,
			[]string{"not ended after 1s", "do: leave the terminal on"}},
		{"another board", nil, func(d *flashDesk) []string {
			b, err := updatesim.Bundle(flashNoise(5000, 3), "other")
			if err != nil {
				d.t.Fatal(err)
			}
			return []string{"--port", d.port, other(d, func([]byte) []byte { return b.File() })}
		}, exitRefused, []string{"F-UPD-03", "another board", "do: send the bundle of this board"}},
		{"a cut file", nil, func(d *flashDesk) []string {
			return []string{"--port", d.port, other(d, func(b []byte) []byte { return b[:len(b)-500] })}
		}, exitFile, []string{"cut or changed", "No terminal was touched"}},
		{"a flipped byte", nil, func(d *flashDesk) []string {
			return []string{"--port", d.port, other(d, func(b []byte) []byte { b[len(b)-500] ^= 4; return b })}
		}, exitFile, []string{"cut or changed"}},
		{"no bundle at all", nil, func(d *flashDesk) []string {
			return []string{"--port", d.port, other(d, func([]byte) []byte { return []byte("MZ is another kind of file") })}
		}, exitFile, []string{"postool bundle made"}},
		{"no such file", nil, func(d *flashDesk) []string { return []string{"--port", d.port, "/nonexistent"} }, exitFile, []string{"no such file"}},
		{"a rate that is none", nil, func(d *flashDesk) []string { return []string{"--port", d.port, "--baud", "9600", d.file} }, exitUsage, []string{"at least 115200"}},
		{"busy port", nil, func(d *flashDesk) []string {
			p, err := tty.Open(tty.Opts{Path: d.port})
			if err != nil {
				d.t.Fatal(err)
			}
			d.t.Cleanup(func() { p.Close() })
			return []string{"--port", d.port, d.file}
		}, exitNoDevice, []string{"another program has the port", "do: end the terminal program"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newFlashDesk(t, c.set)
			out, errs, code := d.flash(c.args(d)...)
			if code != c.code {
				t.Errorf("status %d, want %d\n%s%s", code, c.code, out, errs)
			}
			contains(t, out+errs, c.says...)
			if f := d.term.Facts(); c.code != exitUnconfirmed && f.Version != "1.0.0" {
				t.Errorf("it runs %s", f.Version)
			}
		})
	}
}

// TestFlashFinds: adapters by their lasting name, and which of them has a terminal.
func TestFlashFinds(t *testing.T) {
	t.Parallel()
	d := newFlashDesk(t, nil)
	dev := t.TempDir()
	byID := filepath.Join(dev, "serial", "by-id")
	f := &flashFlags{t: &tool{out: &bytes.Buffer{}}, dev: dev, probe: 300 * time.Millisecond, record: filepath.Join(d.dir, "r")}
	try := func(all bool) (string, string, error) {
		var out, errs bytes.Buffer
		f.t.out, f.errs, f.all, f.ports = &out, &errs, all, nil
		f.o.Max = 3_000_000
		err := f.run(t.Context(), d.file)
		return out.String(), errs.String(), err
	}
	if _, _, err := try(false); err == nil || err.(flashEnd).code != exitNoDevice || !strings.Contains(err.Error(), "plug the service cable in") {
		t.Errorf("%v", err)
	}
	if err := os.MkdirAll(byID, 0o700); err != nil {
		t.Fatal(err)
	}
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, name); err != nil {
			t.Fatal(err)
		}
	}
	link(d.port, filepath.Join(byID, "usb-FTDI_FT232R_A1-if00-port0"))
	link(d.port, filepath.Join(dev, "ttyUSB3")) // the same one
	deaf := newFlashDesk(t, nil)
	deaf.term.Deaf(true)
	link(deaf.port, filepath.Join(dev, "ttyACM0"))
	if found := flash.Find(dev); len(found) != 2 || found[0].Name != "FTDI FT232R A1" || found[0].Path != filepath.Join(byID, "usb-FTDI_FT232R_A1-if00-port0") {
		t.Fatalf("%+v", found)
	}
	if n := flash.Named(dev, filepath.Join(dev, "ttyUSB3")); n.Name != "FTDI FT232R A1" {
		t.Errorf("%+v", n)
	}
	out, errs, err := try(false)
	if err != nil {
		t.Errorf("%v\n%s", err, errs)
	}
	contains(t, errs, "FTDI FT232R A1  terminal SW000042, board demo, runs 1.0.0", "no terminal answers")
	contains(t, out, "confirmed")
	deaf.term.Deaf(false)
	if _, _, err := try(false); err == nil || !strings.Contains(err.Error(), "2 terminals answer: name one with --port, or say --all") {
		t.Errorf("%v", err)
	}
	out, _, err = try(true)
	if err != nil {
		t.Error(err)
	}
	contains(t, out, "up-to-date", "confirmed")
}

// TestFlashLines: where there is no terminal to draw on, a line at each stage and
// one in ten seconds, and what a human should do, once.
func TestFlashLines(t *testing.T) {
	t.Parallel()
	var w bytes.Buffer
	b := newBars(&w, []flash.Found{{Path: "/dev/ttyUSB0"}})
	p := flash.Progress{Port: "/dev/ttyUSB0", Name: "SW1", Stage: flash.Sending, Have: 512 << 10, All: 1 << 20, Kept: 100 << 10, Saved: 9 << 20, Rate: 90 << 10, ETA: 6 * time.Second, Baud: 921_600}
	for range 100 {
		b.show(p)
	}
	p.Stage, p.Words = flash.Waiting, "plug the cable in"
	b.show(p)
	b.show(p)
	b.end()
	want := "SW1:  50 %  512 of 1024 kB  90.0 kB/s  ETA 6s  9216 kB saved  100 kB were there  921600 baud\nSW1: plug the cable in\n"
	if got := strings.ReplaceAll(w.String(), "SW1: sending", "SW1:"); got != want {
		t.Errorf("%q\n%q", got, want)
	}
	if s := fmt.Sprint(barText(flash.Progress{Stage: flash.OnTrial})); !strings.Contains(s, "on trial") {
		t.Error(s)
	}
}
