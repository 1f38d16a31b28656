package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"swipewell/firmware/care"
	"swipewell/firmware/terminal"
)

// care is what the pages beside selling are told.
func (d *device) care() terminal.Care {
	c := terminal.Care{Built: buildTime(), CertDays: d.certDays, BackupHours: d.backupHours, Update: d.waiting, Activate: d.activate, Train: d.train, Notice: d.updateNote}
	if dir := d.file.Log.Stick; dir != "" {
		c.Stick = &terminal.Stick{Here: func() bool { return stickHere(dir, d.file.Bench) }, Copy: func(int) (string, error) { return d.copyLog(dir) }}
	}
	if !d.file.Bench { // the machine under a bench is not the device
		c.Load = load
	}
	if s := d.file.Service; s != nil {
		c.Phone, c.Contract = s.Phone, s.Contract
	}
	for _, a := range d.file.Assets {
		x := care.Asset{Key: assetKeys[a.Kind], Value: a.Value}
		if day, err := time.Parse(time.DateOnly, a.Until); err == nil {
			x.Due = int32(day.Unix() / 86400)
		}
		c.Assets = append(c.Assets, x)
	}
	return c
}

// assetKeys are the kinds of the board file among the texts.
var assetKeys = map[string]string{"serial": "as.serial", "place": "as.place", "sim": "as.sim", "seal": "as.seal", "deposit": "as.deposit", "contract": "as.contract", "cert": "as.cert"}

// load is how much of the processor or of the memory is in use, in per cent, the
// greater of both; -1 not known. proc(5): /proc/loadavg is a mean over a minute.
func load() int {
	var minute, total, free float64
	if b, err := os.ReadFile("/proc/loadavg"); err != nil {
		return -1
	} else if _, err := fmt.Sscan(string(b), &minute); err != nil {
		return -1
	}
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return -1
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			fmt.Sscan(v, &total)
		} else if v, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			fmt.Sscan(v, &free)
		}
	}
	n := int(minute / float64(runtime.NumCPU()) * 100)
	if total > 0 {
		n = max(n, int((total-free)/total*100))
	}
	return min(n, 100)
}

// buildTime is when the sources of this program were committed; zero if the
// build does not say.
func buildTime() time.Time {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return time.Time{}
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			if t, err := time.Parse(time.RFC3339, s.Value); err == nil {
				return t
			}
		}
	}
	return time.Time{}
}

// certDays is how long the certificate lasts by which a host is believed: the
// first that ends; below 0 if none is used.
func (d *device) certDays() int {
	left := -1
	for _, l := range d.file.Links {
		if !l.TLS {
			continue
		}
		b, err := os.ReadFile(l.CA)
		if err != nil {
			return 0
		}
		for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				continue
			}
			if n := max(int(c.NotAfter.Sub(d.board.Clock.Now().Wall)/(24*time.Hour)), 0); left < 0 || n < left {
				left = n
			}
		}
	}
	return left
}

// Page is one of the pages of the screen, for who sits at the cable.
func (b backend) Page(ctx context.Context, name, lang string) (text string, err error) {
	t, _ := b.current()
	if t == nil {
		return "", errNoTerminal
	}
	if derr := t.Do(ctx, func() { text, err = t.PageText(name, lang) }); derr != nil {
		return "", derr
	}
	return text, err
}

// Alerts are those that their routes have not taken, or all.
func (b backend) Alerts(ctx context.Context, all bool) (list []care.Alert, err error) {
	t, _ := b.current()
	if t == nil {
		return nil, errNoTerminal
	}
	err = t.Do(ctx, func() { list = t.Alerts(all) })
	return list, err
}

// TakeAlert is the receipt of whoever an alert is for.
func (b backend) TakeAlert(ctx context.Context, n int) (a care.Alert, err error) {
	t, _ := b.current()
	if t == nil {
		return a, errNoTerminal
	}
	if derr := t.Do(ctx, func() { a, err = t.TakeAlert(n) }); derr != nil {
		return a, derr
	}
	return a, err
}

// Limits is the report for the bank.
func (b backend) Limits(ctx context.Context) (list []care.LimitSum, err error) {
	t, _ := b.current()
	if t == nil {
		return nil, errNoTerminal
	}
	err = t.Do(ctx, func() { list = t.Limits() })
	return list, err
}

// Seals is the chain of what must be provable; the error says where it breaks.
func (b backend) Seals(ctx context.Context) (list []care.Seal, broken, err error) {
	t, _ := b.current()
	if t == nil {
		return nil, nil, errNoTerminal
	}
	err = t.Do(ctx, func() { list, broken = t.Seals() })
	return list, broken, err
}

// Enrol takes the next card as a supervisor's token.
func (b backend) Enrol(ctx context.Context, who int) error {
	t, _ := b.current()
	if t == nil {
		return errNoTerminal
	}
	return t.Enrol(ctx, who)
}
