package world

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"swipewell/drivers/iso7816/cardsim"
	"swipewell/drivers/pcsc/pcscsim"
	"swipewell/drivers/tty/ttysim"
	"swipewell/drivers/vpcd/vpcdsim"
	"swipewell/firmware/sim/card"
	"swipewell/hal"
)

// ChipMaker gives the chip of a card of the tray by what personalises it; p is nil
// for a card that has none. Nil: it is mute.
type ChipMaker func(name string, p *card.Profile) (*cardsim.Opts, error)

// slot is where the bench's cards go in.
type slot interface {
	insert(o cardsim.Opts)
	remove()
	// powered tells that the device still gives it power, as far as is known.
	powered() bool
	// notice is how long the device needs to see that the slot is empty.
	notice() time.Duration
	close()
}

// slotText is the slot of the board file.
func (w *World) slotText() string {
	text := ""
	switch w.icc {
	case "serial":
		text = fmt.Sprintf("[icc]\ndriver = \"iso7816-serial\"\nport = %q\nlines = %q\n", w.path("icc"), w.path("icc.lines"))
	case "vpcd":
		text = fmt.Sprintf("[icc]\ndriver = \"vpcd\"\nlisten = %q\n", w.iccAddr)
	case "pcsc":
		text = fmt.Sprintf("[icc]\ndriver = \"pcsc\"\nsocket = %q\n", w.path("pcscd.sock"))
	default:
		return ""
	}
	return text + w.tablesText() + "\n"
}

// fitSlot makes what a kind of slot needs before its board file is written.
func (w *World) fitSlot(kind string) error {
	switch kind {
	case "none":
		kind = ""
	case "vpcd":
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		w.iccAddr = ln.Addr().String()
		ln.Close()
	case "pcsc":
		if why := pcscsim.Missing(); why != "" {
			return fmt.Errorf("board icc pcsc: %s", why)
		}
		if w.pcscd != nil {
			break
		}
		dir := w.path("pcscd")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		d, err := pcscsim.Start(context.Background(), dir)
		if err != nil {
			return err
		}
		w.pcscd = d
		if err := w.lendPCSC(); err != nil {
			return err
		}
	}
	w.icc = kind
	return nil
}

// plugSlot makes the slot anew; a card that was in is still in.
func (w *World) plugSlot(open func(name string) (*ttysim.Pair, error)) error {
	var s slot
	switch w.icc {
	case "serial":
		line, err := open("icc")
		if err != nil {
			return err
		}
		c, err := cardsim.Listen(cardsim.SlotOpts{Socket: w.path("icc.lines"), Line: line, Clock: w.Clock})
		if err != nil {
			return err
		}
		s = serialSlot{c}
	case "vpcd":
		s = &virtualSlot{wait: handTime, dial: func() (net.Conn, error) { return net.Dial("tcp", w.iccAddr) }}
	case "pcsc":
		s = &virtualSlot{wait: 600 * time.Millisecond, dial: w.pcscd.Dial} // pcscd looks every 400 ms
	default:
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slot = s
	if w.chip != nil {
		s.insert(*w.chip)
	}
	return nil
}

type serialSlot struct{ c *cardsim.Slot }

func (s serialSlot) insert(o cardsim.Opts) { s.c.Insert(cardsim.New(o)) }
func (s serialSlot) remove()               { s.c.Remove() }
func (s serialSlot) powered() bool         { return s.c.Powered() }
func (s serialSlot) notice() time.Duration { return handTime }
func (s serialSlot) close()                { s.c.Close() }

// virtualSlot is a card that connects to its reader, once the reader listens.
type virtualSlot struct {
	dial func() (net.Conn, error)
	wait time.Duration
	stop context.CancelFunc
	done chan struct{}
}

func (s *virtualSlot) insert(o cardsim.Opts) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	s.stop, s.done = stop, done
	atr, app := cardsim.New(o).ATR(), o.App
	if o.Mute || app == nil {
		app = func([]byte) []byte { return []byte{0x6F, 0x00} }
	}
	if o.Mute {
		atr = []byte{0x55, 0x55} // noise: by no ATR a virtual reader sees no card
	}
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			if c, err := s.dial(); err == nil {
				card := vpcdsim.Serve(c, atr, app, o.Reset)
				<-ctx.Done()
				card.Remove()
				return
			}
			hal.Sleep(ctx, hal.SystemClock{}, 20*time.Millisecond)
		}
	}()
}

func (s *virtualSlot) remove() {
	if s.stop != nil {
		s.stop()
		<-s.done
		s.stop = nil
	}
}

func (s *virtualSlot) powered() bool         { return false }
func (s *virtualSlot) notice() time.Duration { return s.wait }
func (s *virtualSlot) close()                { s.remove() }

// insertCmd puts a card of the tray in the slot.
func (w *World) insertCmd(ctx context.Context, args []string) error {
	switch {
	case w.o.Chip == nil:
		return &ErrLater{"insert", 5}
	case len(args) == 0:
		return usage("%s", insertUsage)
	case w.icc == "":
		return errors.New("insert: this board has no slot: board icc serial, before start")
	}
	c, known := w.Card(args[0])
	var o *cardsim.Opts
	var err error
	if !known || c.Chip() != nil { // of a stripe alone the slot has no answer
		o, err = w.o.Chip(args[0], c.Chip())
	}
	if err != nil {
		return err
	}
	if o == nil {
		o = &cardsim.Opts{Knobs: cardsim.Knobs{Mute: true}}
	}
	faults, err := parseChipFaults(args[1:])
	if err != nil {
		return err
	}
	if len(faults) > 0 {
		o = faulty(*o, faults, w.withdraw)
	}
	w.withdrawn.Wait()
	if known && w.Running() {
		if v, _ := w.Panel.View(); v.Caption.Input != "amount" { // before the amount, on purpose
			w.input(ctx, time.Second, "card") // put in anyway, as people do
		}
		w.holdOut(c)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.chip != nil {
		return errors.New("insert: a card is in already")
	}
	w.chip, w.chipName = o, args[0]
	if w.slot != nil {
		w.slot.insert(*o)
	}
	return nil
}

// CardIn tells whether a card is in the slot.
func (w *World) CardIn() bool {
	w.withdrawn.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.chip != nil
}

// withdraw takes the card out in the middle of a command: whoever calls is the card,
// and cannot wait for itself.
func (w *World) withdraw() {
	w.mu.Lock()
	slot, in := w.slot, w.chip != nil
	w.chip = nil
	w.mu.Unlock()
	if in && slot != nil {
		w.withdrawn.Go(slot.remove)
		w.changed()
	}
}

// handTime is how long a hand needs at least between taking one card out and
// putting another in: a device sees the slot empty in between.
const handTime = 100 * time.Millisecond

// removeCmd takes it out, and waits until the device has noticed.
func (w *World) removeCmd(ctx context.Context, args []string) error {
	switch {
	case w.o.Chip == nil:
		return &ErrLater{"remove", 5}
	case len(args) != 0:
		return usage("remove")
	}
	w.withdrawn.Wait()
	w.mu.Lock()
	slot, in := w.slot, w.chip != nil
	w.chip = nil
	w.mu.Unlock()
	if !in {
		return errors.New("remove: no card is in")
	}
	if slot == nil {
		return nil
	}
	slot.remove()
	for range 20 {
		if err := hal.Sleep(ctx, hal.SystemClock{}, slot.notice()); err != nil || !slot.powered() {
			return err
		}
	}
	return errors.New("remove: the device keeps an empty slot under power")
}

// lendPCSC puts the daemon's socket where a device finds it that may look into no
// other process: the daemon lives in namespaces of its own, behind /proc.
func (w *World) lendPCSC() error {
	l, err := net.Listen("unix", w.path("pcscd.sock"))
	if err != nil {
		return err
	}
	if err := os.Chmod(w.path("pcscd.sock"), 0o666); err != nil {
		return errors.Join(err, l.Close())
	}
	w.pcscSock = l
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // the world ends
			}
			up, err := net.Dial("unix", w.pcscd.Socket())
			if err != nil {
				c.Close()
				continue
			}
			for _, way := range [][2]net.Conn{{up, c}, {c, up}} {
				go func() {
					io.Copy(way[0], way[1])
					up.Close()
					c.Close()
				}()
			}
		}
	}()
	return nil
}
