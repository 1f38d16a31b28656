package board

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"

	"periph.io/x/conn/v3/driver/driverreg"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
	_ "periph.io/x/host/v3/gpioioctl" // the only host driver a terminal's board needs; host/v3 would pull in every SoC

	"swipewell/drivers/at"
	"swipewell/drivers/msr"
	"swipewell/drivers/panel"
	"swipewell/drivers/pinio"
	"swipewell/drivers/softkeys"
	"swipewell/drivers/tcp"
	"swipewell/drivers/tty"
	"swipewell/firmware/emv/table"
	"swipewell/hal"
)

// Opts of Open.
type Opts struct {
	// Event is told what links do, for the log: "registered", "ladder reset".
	Event func(device, what string)
}

// Result is an opened board.
type Result struct {
	*hal.Board
	// Stop lists why no sale is safe on this board; empty: sell.
	Stop []string
	// Tables is the file of keys and applications for chip cards; nil: there is
	// none that is believed. Whether it is older than one before is not known here.
	Tables *table.File
	// Kernel gives the kernel's messages; nil: they cannot be read. KernelGrows: it is a file,
	// and its end is not the last.
	Kernel      io.Reader
	KernelGrows bool
	// Update is where builds lie; nil: this device takes none.
	Update *Slots
	// Gone is closed when the board lost its panel: on the bench, the power.
	Gone    <-chan struct{}
	closers []io.Closer
}

// Close closes what was opened, last first.
func (r *Result) Close() error {
	var errs []error
	for _, c := range slices.Backward(r.closers) {
		errs = append(errs, c.Close())
	}
	r.closers = nil
	return errors.Join(errs...)
}

// opener collects the report while devices are opened.
type opener struct {
	f *File
	o Opts
	r *Result
}

// Open opens every device that the file names. It never fails as a whole: what
// did not open stands in the report, and Stop says whether money is concerned.
func (f *File) Open(o Opts) *Result {
	if o.Event == nil {
		o.Event = func(string, string) {}
	}
	op := &opener{f: f, o: o, r: &Result{Board: &hal.Board{Name: f.Name, Clock: hal.SystemClock{}}}}
	if !f.Bench {
		op.r.SetWall = hal.SetSystemWall
	}
	op.device("panel", f.Panel != nil, op.panel) // first: it brings the clock
	op.device("msr", f.MSR != nil, op.msr)
	op.device("icc", f.ICC != nil, op.icc)
	op.tables()
	op.links()
	op.device("tamper", f.Keystore != nil && f.Keystore.Tamper != "" && len(f.wrong["keystore"]) == 0, op.tamper)
	op.kmsg()
	op.device("keystore", f.Keystore != nil, op.keystore)
	op.device("service", f.Service != nil, op.service)
	op.device("update", f.Update != nil, op.update)
	op.rest()
	if op.r.Keys == nil {
		op.r.Stop = append(op.r.Stop, "keystore: without keys no message can be believed")
	}
	for _, w := range f.wrong["acquirer"] {
		op.r.Stop = append(op.r.Stop, w)
		op.report("acquirer", "", hal.Failed, w)
	}
	return op.r
}

func (op *opener) report(device, driver string, st hal.LoadState, why string) {
	op.r.Report = append(op.r.Report, hal.DeviceReport{Device: device, Driver: driver, State: st, Why: why})
}

// device opens one section, unless the file is wrong about it: then nobody
// knows what was meant, and it stays closed.
func (op *opener) device(name string, fitted bool, open func() (string, error)) {
	switch wrong := op.f.wrong[name]; {
	case len(wrong) > 0:
		op.report(name, "", hal.Failed, strings.Join(wrong, "; "))
	case !fitted:
		op.report(name, "", hal.Skipped, "not in the board file")
	default:
		driver, err := open()
		if err != nil {
			op.report(name, driver, hal.Failed, err.Error())
			return
		}
		op.report(name, driver, hal.Loaded, "")
	}
}

// kmsg opens the kernel's messages while posd may: later it is no longer root. A kernel
// that shows none is no fault of the board.
func (op *opener) kmsg() {
	path := op.f.Log.Kmsg
	switch {
	case path == "off":
		op.report("kmsg", "", hal.Skipped, "off in the board file")
		return
	case path == "" && op.f.Bench:
		op.report("kmsg", "", hal.Skipped, "a bench, and not in the board file")
		return
	case path == "":
		path = "/dev/kmsg"
	}
	flags := os.O_RDONLY
	st, err := os.Stat(path)
	if err == nil && st.Mode()&os.ModeNamedPipe != 0 {
		flags = os.O_RDWR // it has no end when a writer goes
	}
	var f *os.File
	if err == nil {
		f, err = os.OpenFile(path, flags|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	}
	if err != nil {
		op.report("kmsg", "", hal.Skipped, err.Error())
		return
	}
	op.keep(f)
	op.r.Kernel, op.r.KernelGrows = f, st.Mode().IsRegular()
	op.report("kmsg", path, hal.Loaded, "")
}

func (op *opener) keep(c io.Closer) { op.r.closers = append(op.r.closers, c) }

func (op *opener) panel() (string, error) {
	d := op.f.Display
	p, err := panel.Open(panel.Opts{Socket: op.f.Panel.Socket, Size: panel.Size{W: d.Width, H: d.Height, Mono: d.Mono}, Base: hal.SystemClock{}})
	if err != nil {
		return "panel", err
	}
	op.keep(p)
	b := op.r.Board
	b.Clock, b.Bench, b.SetWall = p.Clock(), p.Bench(), p.SetWall
	b.Display, b.Keypad, b.PINPad = p.Display(), p.Keypad(), p.PINPad()
	b.Printer, b.Sounder, b.Lamps, b.Tamper = p.Printer(), p.Sounder(), p.Lamps(), p.Tamper()
	op.r.Gone = p.Done()
	return p.String(), nil
}

func (op *opener) msr() (string, error) {
	m := op.f.MSR
	if m.Driver == "ttl" {
		return op.msrTTL(m)
	}
	port, err := tty.Open(tty.Opts{Path: m.Port, Baud: m.Baud})
	if err != nil {
		return "msr-serial", err
	}
	op.keep(port)
	r, err := msr.NewSerial(port, msr.Opts{Clock: op.r.Clock})
	if err != nil {
		return "msr-serial", err
	}
	op.r.MSR = r
	return r.String(), nil
}

func (op *opener) msrTTL(m *MSR) (string, error) {
	if _, err := driverreg.Init(); err != nil {
		return "msr-ttl", err
	}
	pin := func(name string) (gpio.PinIn, error) {
		p := gpioreg.ByName(name)
		if p == nil {
			return nil, fmt.Errorf("no GPIO named %q on this board", name)
		}
		return p, nil
	}
	clock, err := pin(m.Clock)
	if err != nil {
		return "msr-ttl", err
	}
	data, err := pin(m.Data)
	if err != nil {
		return "msr-ttl", err
	}
	var present gpio.PinIn
	if m.Present != "" {
		if present, err = pin(m.Present); err != nil {
			return "msr-ttl", err
		}
	}
	r, err := msr.NewTTL(clock, data, present, msr.Opts{Clock: op.r.Clock})
	if err != nil {
		return "msr-ttl", err
	}
	op.r.MSR = r
	return r.String(), nil
}

// links are opened one by one: a dead one leaves the others.
func (op *opener) links() {
	if w := op.f.wrong["link"]; len(w) > 0 {
		op.report("link", "", hal.Failed, strings.Join(w, "; "))
		return
	}
	for i, l := range op.f.Links {
		name := l.Name
		if name == "" {
			name = fmt.Sprintf("%d", i+1)
		}
		d, err := op.link(name, l)
		if err != nil {
			op.report("link."+name, l.Driver, hal.Failed, err.Error())
			continue
		}
		op.r.Links = append(op.r.Links, hal.NamedLink{Name: name, Dialer: d})
		op.report("link."+name, d.String(), hal.Loaded, "")
	}
	if len(op.f.Links) == 0 {
		op.report("link", "", hal.Skipped, "not in the board file")
	}
}

func (op *opener) link(name string, l Link) (hal.Dialer, error) {
	if l.Driver == "tcp" {
		o := tcp.Opts{Clock: op.r.Clock, TLS: l.TLS, ServerName: l.Server}
		if l.CA != "" {
			pem, err := os.ReadFile(l.CA)
			if err != nil {
				return nil, err
			}
			o.CA = pem
		}
		return tcp.New(o)
	}
	open := func() (at.Port, error) { return tty.Open(tty.Opts{Path: l.Port, Baud: l.Baud, HangUpOnClose: true}) }
	port, err := open()
	if err != nil {
		return nil, err
	}
	m, err := at.New(port, at.Opts{Clock: op.r.Clock, APN: l.APN, Name: name, Mode: at.Mode(l.Mode), Reopen: open,
		Observe: func(e at.Event) { op.o.Event("link."+name, e.String()) }})
	if err != nil {
		port.Close()
		return nil, err
	}
	op.keep(m)
	return m, nil
}

func (op *opener) keystore() (string, error) {
	k := op.f.Keystore
	if k.Tamper != "" && op.r.Tamper == nil {
		return "softkeys", errors.New("its tamper line is not watched")
	}
	s, err := softkeys.Open(softkeys.Opts{Path: k.File, Bench: op.f.Bench, TamperFitted: k.Tamper != ""})
	if err != nil {
		return "softkeys", err
	}
	op.r.Keys = s
	return s.String(), nil
}

// tamper is the line that protects the keys; on a bench the panel has one.
func (op *opener) tamper() (string, error) {
	if op.r.Tamper != nil {
		return op.r.Tamper.String(), nil
	}
	p := gpioreg.ByName(op.f.Keystore.Tamper)
	if p == nil {
		return "gpio", fmt.Errorf("no GPIO named %q on this board", op.f.Keystore.Tamper)
	}
	t, err := pinio.NewTamper(p)
	if err != nil {
		return "gpio", err
	}
	op.r.Tamper = t
	return t.String(), nil
}

// service is the technician's cable, as bytes.
func (op *opener) service() (string, error) {
	p, err := tty.Open(tty.Opts{Path: op.f.Service.Port, Baud: op.f.Service.Baud})
	if err != nil {
		return "tty", err
	}
	op.keep(p)
	op.r.Service = cable{p}
	return p.String(), nil
}

// cable is a tty as a hal.ServicePort.
type cable struct{ *tty.Port }

func (c cable) Read(ctx context.Context, b []byte) (int, error)  { return c.Port.Read(ctx, b) }
func (c cable) Write(ctx context.Context, b []byte) (int, error) { return c.Port.Write(ctx, b) }

// rest reports mistakes in sections that open nothing, and in unknown ones.
func (op *opener) rest() {
	known := []string{"panel", "msr", "icc", "tables", "link", "tamper", "keystore", "service", "update", "acquirer"}
	var names []string
	for section := range op.f.wrong {
		if !slices.Contains(known, section) {
			names = append(names, section)
		}
	}
	slices.Sort(names)
	for _, n := range names {
		op.report(n, "", hal.Failed, strings.Join(op.f.wrong[n], "; "))
	}
}
