package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"swipewell/firmware/cmd/posbench/page"
	"swipewell/firmware/pos"
	"swipewell/firmware/sim/card"
	"swipewell/firmware/sim/world"
)

func serveCommand() *cobra.Command {
	var s shared
	var listen, dir, slot string
	var slots bool
	c := &cobra.Command{Use: "serve", Short: "the device and its world on a page", Args: cobra.NoArgs}
	s.flags(c)
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:8583", "address of the page; loopback only")
	c.Flags().StringVar(&dir, "dir", "", "folder of the device (default: a new one, removed at the end)")
	c.Flags().StringVar(&slot, "slot", "serial", "card slot: serial, vpcd, pcsc (a real pcscd; needs root) or none")
	c.Flags().BoolVar(&slots, "slots", false, "posd lies in two slots, takes builds over the cable, and is started by scripts/bootsel")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if !slices.Contains([]string{"serial", "vpcd", "pcsc", "none"}, slot) {
			return fmt.Errorf("--slot %q: want serial, vpcd, pcsc or none", slot)
		}
		if dir == "" {
			d, err := os.MkdirTemp("", "posbench-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(d)
			dir = d
		}
		abs, err := filepath.Abs(dir)
		if err != nil {
			return err
		}
		o, err := s.opts(abs)
		if err != nil {
			return err
		}
		o.Slot = slot
		return serve(cmd.Context(), o, listen, slots)
	}
	return c
}

// serve runs one world and its page until ctx ends.
func serve(ctx context.Context, o world.Opts, listen string, slots bool) error {
	host, _, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("--listen %s: the page is for this machine only", listen)
	}
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	w, err := world.New(o)
	if err != nil {
		ln.Close()
		return err
	}
	defer w.Close()
	w.SetAttend(false) // a person is the cashier here
	if slots {
		if err := w.Do(ctx, "board", "slots"); err != nil {
			return err
		}
	}
	if err := w.Start(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "posbench: the device did not start:", err)
	}
	if slots {
		fmt.Printf("the technician's end of the cable is %s; builds are signed by %s\n", w.ServicePath(), filepath.Join(w.DeskDir(), "build.key"))
	}
	srv := &http.Server{Handler: page.Handler(&onPage{w: w, ctx: ctx, chips: card.Names()}), ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	fmt.Printf("the bench is at http://%s  (device folder %s; ctrl-c ends it)\n", ln.Addr(), o.Dir)
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// onPage is the world as the page wants it.
type onPage struct {
	w     *world.World
	ctx   context.Context
	chips []string // names of the cards that have one

	mu   sync.Mutex
	unit page.Unit
	at   time.Time
}

func (d *onPage) Snapshot() page.State {
	s := d.w.Summary()
	v := s.Panel
	st := page.State{Version: s.Version, Power: page.PowerOff, Caption: v.Caption, PIN: v.PINActive || v.Caption.Secret, Lamps: v.Lamps, Sounds: v.Sounds, Paper: v.Paper,
		Disk: s.Disk, Armed: s.Armed, Points: world.Points(), Clock: page.Clock{WallMS: s.Wall.UnixMilli(), Zone: 480}}
	switch {
	case s.Power && v.Connected && v.Caption.Code != "":
		st.Power = page.PowerOn
	case s.Power:
		st.Power = page.PowerStarting
	}
	for _, c := range d.w.Cards() {
		st.Cards = append(st.Cards, page.Card{Name: c.Name, About: c.About, Chip: slices.Contains(d.chips, c.Name)})
	}
	realModem, realMSR, realHost := d.w.Real()
	st.NoTray = realMSR
	st.Unit = d.unitNow(s.Power)
	st.Host = page.Host{Real: realHost, Up: s.HostUp, Answer: s.Answer}
	if rc, ok := strings.CutPrefix(s.Answer, "decline "); ok {
		st.Host.Answer, st.Host.Decline = "normal", rc
	}
	st.Slot = page.Slot{Kind: s.Slot.Kind, Card: s.Slot.Card, State: slotState(s.Slot)}
	st.Issuer = page.Issuer{ARPC: s.Issuer.ARPC, Decision: s.Issuer.Decision, Scripts: s.Issuer.Scripts}
	m := s.Modem
	st.Line = page.Line{Real: realModem, Up: !m.Down, CSQ: m.CSQ, Reg: m.Reg, Hung: m.Hung}
	for _, f := range []struct {
		on   bool
		word string
	}{{m.Slow > 0, "slow " + m.Slow.String()}, {m.Rate > 0, fmt.Sprintf("rate %d", m.Rate)}, {m.Lose > 0, fmt.Sprintf("lose %d", m.Lose)},
		{m.Cutting, "cut"}, {m.Hold > 0, "hold " + m.Hold.String()}} {
		if f.on {
			st.Line.Faults = append(st.Line.Faults, f.word)
		}
	}
	st.Books = page.Books{Bookings: s.Bookings, Net: pos.Fen(s.Net.Minor).String(), Double: s.Double, Lost: -1, Open: -1}
	if realHost {
		st.Books.Bookings = -1
	}
	return st
}

// slotState is the slot in a word.
func slotState(s world.Slot) string {
	switch {
	case s.Card == "":
		return page.SlotEmpty
	case s.Powered:
		return page.SlotPowered
	}
	return page.SlotCard
}

// unitNow asks the device at most a few times a second.
func (d *onPage) unitNow(power bool) page.Unit {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !power {
		return page.Unit{Batch: -1, Queue: -1}
	}
	if time.Since(d.at) > 300*time.Millisecond {
		sales, queue, total := d.w.Unit(d.ctx)
		d.unit, d.at = page.Unit{Batch: sales, Queue: queue, Total: total}, time.Now()
	}
	return d.unit
}

func (d *onPage) Frame() (image.Image, uint64) {
	v, _ := d.w.Panel.View()
	if v.Frame == nil {
		return nil, 0
	}
	return v.Frame, uint64(v.Frames) + 1
}

func (d *onPage) Paper() []page.Slip {
	v, _ := d.w.Panel.View()
	var out []page.Slip
	for _, s := range v.Slips {
		out = append(out, page.Slip{Lines: s.Lines, Whole: s.Whole})
	}
	return out
}

func (d *onPage) Changed(after uint64) <-chan struct{} { return d.w.Changed(after) }

func (d *onPage) Do(cmd string) error {
	words := strings.Fields(cmd)
	if len(words) == 0 {
		return errors.New("no command")
	}
	return d.w.Do(d.ctx, words[0], words[1:]...)
}

func (d *onPage) LogTail(after int) ([]string, int) {
	all := d.w.Log()
	if after < 0 || after > len(all) {
		after = 0
	}
	return all[after:], len(all)
}
