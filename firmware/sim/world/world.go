// Package world is everything outside the device: it holds the simulated
// peers, the acquirer, the clock and the panel together, starts the real posd
// on a board file that names them, and cuts its power.
//
// Sources:
//   - BENCH: firmware/doc/bench.md, the words of the script language
package world

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"swipewell/drivers/at/modemsim"
	"swipewell/drivers/iso7816/cardsim"
	"swipewell/drivers/msr/msrsim"
	"swipewell/drivers/panel/panelsim"
	"swipewell/drivers/pcsc/pcscsim"
	"swipewell/drivers/softkeys"
	"swipewell/drivers/tty/ttysim"
	"swipewell/firmware/sim/acquirer"
	"swipewell/hal"
)

// Opts of New. Posd is needed.
type Opts struct {
	Machine Machine // the device; nil: posd as a process of this machine

	Dir   string // where the device's data and the sockets live; made if needed
	Posd  string // path of the posd binary
	Tool  string // path of postool, for the postool command
	Lang  string // "zh" (default), "en"
	W, H  int    // display; 320×240
	Mono  bool
	Modem string    // a real modem's serial port in place of the simulated one
	MSR   string    // a real stripe reader's port
	Chip  ChipMaker // what is on the cards' chips; nil: there are none
	Slot  string    // the kind of slot of the board, as "board icc" names it; "" none
	Host  string    // a real acquirer's address; the books are then not ours
	// Bootsel is the path of scripts/bootsel, for `board slots`; "": there are none.
	Bootsel string
	Boot    func(image []byte) ([]byte, error) // the boot record of a device with image in slot A
	User    string                             // whom posd becomes, where the bench is root
	Seed    uint64
	Log     io.Writer // what posd writes to standard error, as it comes; may be nil
}

// World is the bench.
type World struct {
	o     Opts
	Clock *hal.SteppedClock
	Host  *acquirer.Host // nil with a real one
	Modem *modemsim.Modem
	Panel *panelsim.Server

	head     *msrsim.Head
	icc      string          // the kind of slot; "" none
	iccAddr  string          // vpcd: where the device listens
	pcscd    *pcscsim.Daemon // pcsc
	pcscSock net.Listener    // where the device finds it
	slot     slot            // while there is power
	chip     *cardsim.Opts   // the card that is in it
	chipName string          // its name
	inserted *acquirer.Card  // it, until the device has shown what it is to pay

	withdrawn sync.WaitGroup  // cards on their way out
	tray      []acquirer.Card // with a real acquirer

	excused []string // findings that the script means to see

	mu         sync.Mutex
	proc       *exec.Cmd
	exited     chan struct{} // closed when proc is gone
	exitErr    error
	ptys       []*ttysim.Pair
	service    *ttysim.Pair
	svcOut     []byte // what the service cable said
	log        []string
	started    bool
	profile    map[string]string // keys of the board file that a script has set
	rules      map[string]string // and of its [rules]
	logKeys    []string          // lines of the board file's [log]
	noRecovery bool              // the board names no recovery key
	serial     string            // of the board file; "" it names none
	tables     string            // the file of tables for chip cards, "" none
	hostAddr   string
	armed      bool // a cut is armed and has not come yet
	change     chan struct{}
	version    uint64
	ledger     ledger
	attend     attendance
	closed     bool
	shownCodes map[string]bool // by any screen so far
	confirmAt  time.Duration   // boottime at which the confirm step came up last
	caption    string          // code of the last screen
	point      string          // of the armed cut
	disk       string
	answer     string // what the acquirer was told last
	hostDown   bool

	slots    string       // folder of slots and boot record; "": posd is started by itself
	slotKeys []string     // more lines of the board file's [update]
	manned   bool         // a technician is at the far end of the cable
	far      *ttysim.Pair // the technician's end of the cable
	cut      bool         // the power is off, or is meant to go: nobody starts posd again
	starts   int          // in a row, without a screen

	links, hosts []string // of the board, in order
	hostB        *front   // nil: there is one host
	cables       map[string]*front
}

// hostClock is the acquirer's: the device's wall may be stepped, the acquirer's
// is right.
type hostClock struct {
	*hal.SteppedClock
	start hal.Instant
}

func (c hostClock) Now() hal.Instant {
	n := c.SteppedClock.Now()
	n.Wall = c.start.Wall.Add(n.Boot - c.start.Boot)
	return n
}

// New builds the world with the power off.
func New(o Opts) (*World, error) {
	if o.W == 0 {
		o.W, o.H = 320, 240
	}
	if o.Lang == "" {
		o.Lang = "zh"
	}
	if err := os.MkdirAll(filepath.Join(o.Dir, "data"), 0o700); err != nil {
		return nil, err
	}
	w := &World{o: o, change: make(chan struct{}), attend: attendance{on: true}, shownCodes: map[string]bool{},
		links: []string{"4g"}, hosts: []string{"a"}, cables: map[string]*front{}}
	w.Clock = hal.NewSteppedClock(hal.SystemClock{}, hal.SystemClock{}.Now().Wall)
	w.Modem = modemsim.New(modemsim.Opts{Clock: w.Clock, Seed: o.Seed, Dial: w.dialModem})
	host, err := acquirer.New(acquirer.Opts{Clock: hostClock{w.Clock, w.Clock.Now()}})
	if err != nil {
		return nil, err
	}
	addr := o.Host
	if addr == "" {
		w.Host, addr = host, host.Addr()
	} else { // a real acquirer: only the tray of cards is ours
		w.tray = host.Cards()
		host.Close()
	}
	tmk, err := hex.DecodeString(acquirer.BenchTMK)
	if err != nil {
		return nil, err
	}
	if err := softkeys.Provision(w.path("keys.json"), tmk); err != nil {
		return nil, err
	}
	w.Panel, err = panelsim.Listen(panelsim.Opts{Socket: w.path("panel.sock"), Clock: w.Clock, Caption: w.captioned, Slip: w.printed})
	if err != nil {
		return nil, err
	}
	go w.watchPanel()
	w.hostAddr = addr
	if err := errors.Join(w.layDesk(), w.layTables(1)); err != nil {
		return nil, err
	}
	w.tables = w.path("cards.tables")
	if o.Slot != "" {
		if err := w.fitSlot(o.Slot); err != nil {
			return nil, err
		}
	}
	return w, os.WriteFile(w.path("bench.toml"), []byte(w.board(addr)), 0o600)
}

func (w *World) path(name string) string { return filepath.Join(w.o.Dir, name) }

// Socket is the service socket that postool asks.
func (w *World) Socket() string { return w.path("data/posd.sock") }

// board is the board file of this bench.
func (w *World) board(addr string) string {
	modem, msr := w.o.Modem, w.o.MSR
	if modem == "" {
		modem = w.path("modem")
	}
	if msr == "" {
		msr = w.path("msr")
	}
	return fmt.Sprintf(`# The virtual bench: every port is a pseudo-terminal or a socket of posbench.
name = "bench"
bench = true
lang = %q

[merchant]
name = "刷得好测试商户"
name_en = "Swipewell Test Shop"

[display]
width = %d
height = %d
mono = %v

[panel]
socket = %q

[msr]
driver = "serial"
port = %q
baud = 9600

%s%s
[keystore]
driver = "softkeys"
file = %q
%s
[service]
port = %q
baud = 115200
cashier = %q
supervisor = %q

%s%s%s%s
[acquirer]
context = "bench"
tid = %q
mid = %q
tpdu = "6000030000"
header = "603100310000"
%s%s`, w.o.Lang, w.o.W, w.o.H, w.o.Mono, w.path("panel.sock"), msr, w.slotText(), w.linkText(modem), w.path("keys.json"), w.recoveryText(), w.path("service"), pinHash(), pinHash(), serviceKeys(), people(), tablesKeyText()+paramsText()+w.serialText()+w.rulesText(), w.processText()+w.logText()+w.updateText(), acquirer.BenchTID, acquirer.BenchMID, w.profileText(), w.hostText(addr))
}

// linkText is the links of the board file.
func (w *World) linkText(modem string) string {
	text := ""
	for _, l := range w.links {
		if l == "eth" {
			text += "[[link]]\nname = \"eth\"\ndriver = \"tcp\"\n\n"
			continue
		}
		text += fmt.Sprintf("[[link]]\nname = %q\ndriver = \"at\"\nport = %q\nbaud = 115200\napn = \"CMNET\"\n\n", l, modem)
	}
	return text
}

// hostText is its hosts.
func (w *World) hostText(addr string) string {
	text := ""
	for _, h := range w.hosts {
		a := addr
		if w.Host != nil {
			a = w.boardAddr(h)
		}
		text += fmt.Sprintf("\n[[host]]\nname = %q\naddress = %q\ncontext = \"bench\"\n", h, a)
	}
	return text
}

// changed wakes whoever watches the world.
func (w *World) changed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.version++
	close(w.change)
	w.change = make(chan struct{})
}

// watch gives a channel that is closed at the next change.
func (w *World) watch() (uint64, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.version, w.change
}

// watchPanel turns the panel's changes into the world's, and carries out an
// armed cut when the device has reached its point.
func (w *World) watchPanel() {
	for {
		v, next := w.Panel.View()
		w.changed()
		w.mu.Lock()
		armed, closed := w.armed, w.closed
		w.mu.Unlock()
		if closed {
			return
		}
		if armed && v.Reached != "" {
			w.PowerCut()
			continue
		}
		<-next
	}
}

// Running tells whether posd has power.
func (w *World) Running() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.proc != nil
}

// Start is the first power-on: what checks count begins here.
func (w *World) Start(ctx context.Context) error {
	w.mu.Lock()
	again := w.started
	w.started = true
	w.mu.Unlock()
	if w.Host != nil && !again {
		w.Host.Mark()
	}
	return w.PowerOn(ctx)
}

// PowerOn gives everything power and waits for the device's first screen.
func (w *World) PowerOn(ctx context.Context) error {
	if err := w.waitArmed(ctx); err != nil {
		return err
	}
	if w.Running() {
		return errors.New("the power is on already")
	}
	if err := w.plug(); err != nil {
		return err
	}
	w.mu.Lock()
	w.cut, w.starts = false, 0
	w.mu.Unlock()
	return w.run(ctx)
}

// Crash is the program ending by SIGKILL while the machine, the modem and the
// panel go on; the program is started again, as its supervisor does.
func (w *World) Crash(ctx context.Context) error {
	w.mu.Lock()
	cmd, exited := w.proc, w.exited
	w.mu.Unlock()
	if cmd == nil {
		return errors.New("crash: the power is off")
	}
	if err := cmd.Process.Kill(); err != nil {
		return err
	}
	<-exited
	w.mu.Lock()
	slots := w.slots != ""
	w.mu.Unlock()
	if slots { // whoever watches over it starts it again
		if err := w.waitFor(ctx, 20*time.Second, "posd's next life", func() (bool, error) { return w.Running(), nil }); err != nil {
			return err
		}
		return w.firstScreen(ctx)
	}
	err := w.waitFor(ctx, 5*time.Second, "the panel's connection to end", func() (bool, error) {
		v, _ := w.Panel.View()
		return !v.Connected, nil
	})
	if err != nil {
		return err
	}
	return w.run(ctx)
}

// run starts posd and waits for its first screen.
func (w *World) run(ctx context.Context) error {
	if err := w.start(ctx); err != nil {
		return err
	}
	return w.firstScreen(ctx)
}

// start starts posd, by its loader if there is one.
func (w *World) start(context.Context) error {
	cmd, err := w.device()
	if err != nil {
		return err
	}
	cmd.Env = append(os.Environ(), "GOTRACEBACK=single")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	errs, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("posd: %w", err)
	}
	exited := make(chan struct{})
	w.mu.Lock()
	w.proc, w.exited, w.exitErr = cmd, exited, nil
	w.mu.Unlock()
	go w.readLog(cmd, errs, exited)
	return nil
}

// plug makes the serial lines anew and gives the modem power.
func (w *World) plug() error {
	var ps []*ttysim.Pair
	open := func(name string) (*ttysim.Pair, error) {
		p, err := ttysim.Open(ttysim.Opts{Link: w.path(name), Clock: w.Clock})
		if err == nil {
			ps = append(ps, p)
		}
		return p, err
	}
	if w.o.Modem == "" {
		p, err := open("modem")
		if err != nil {
			return err
		}
		w.Modem.Plug(p)
	}
	if w.o.MSR == "" {
		p, err := open("msr")
		if err != nil {
			return err
		}
		w.head = msrsim.NewHead(p, w.o.Seed)
	}
	if err := w.plugSlot(open); err != nil {
		return err
	}
	svc, err := open("service")
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.ptys, w.service, w.svcOut = ps, svc, nil
	w.mu.Unlock()
	go w.readService(svc)
	return w.plugCable()
}

func (w *World) unplug() {
	w.Modem.Unplug()
	w.mu.Lock()
	ps, slot := w.ptys, w.slot
	w.ptys, w.service, w.slot = nil, nil, nil
	w.mu.Unlock()
	for _, p := range ps {
		p.Close()
	}
	if slot != nil {
		slot.close()
	}
}

// readLog collects posd's standard error until it ends, then notes its end.
func (w *World) readLog(cmd *exec.Cmd, r io.Reader, exited chan struct{}) {
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		line := sc.Text()
		if w.o.Log != nil {
			fmt.Fprintln(w.o.Log, line)
		}
		w.mu.Lock()
		w.log = append(w.log, line)
		w.mu.Unlock()
		w.changed()
	}
	err := cmd.Wait()
	w.mu.Lock()
	if w.proc == cmd {
		w.proc, w.exitErr = nil, err
	}
	w.mu.Unlock()
	close(exited)
	w.changed()
	w.again()
}

func (w *World) lastLogLocked() string {
	return strings.Join(w.log[max(0, len(w.log)-3):], "\n")
}

// Log is every line that posd logged since the beginning.
func (w *World) Log() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.log...)
}

// PowerCut takes the power from everything at once: SIGKILL, hung-up lines, a
// dark screen.
func (w *World) PowerCut() {
	w.mu.Lock()
	w.cut = true
	cmd, exited := w.proc, w.exited
	if cmd == nil {
		w.armed = false
	}
	w.mu.Unlock()
	if cmd == nil {
		return
	}
	cmd.Process.Kill()
	w.unplug()
	w.Panel.Cut()
	<-exited
	w.Panel.Arm()
	w.mu.Lock()
	w.armed, w.point = false, "" // last: whoever waits to switch on again waits for all of it
	w.mu.Unlock()
	w.changed()
}

// Shutdown is SIGTERM; it waits for exit 0.
func (w *World) Shutdown(ctx context.Context) error {
	w.mu.Lock()
	w.cut = true
	cmd, exited := w.proc, w.exited
	w.mu.Unlock()
	if cmd == nil {
		return errors.New("the power is off")
	}
	if err := w.tellToStop(cmd); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	limit, stop := hal.After(hal.SystemClock{}, w.stopTime())
	defer stop()
	select {
	case <-exited:
	case <-limit:
		return fmt.Errorf("the device did not end within %v of being told to", w.stopTime())
	case <-ctx.Done():
		return ctx.Err()
	}
	w.unplug()
	w.Panel.Cut()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.exitErr != nil {
		return fmt.Errorf("posd ended with %w", w.exitErr)
	}
	return nil
}

// Arm cuts the power at a named point of the next sale.
func (w *World) Arm(point string) {
	w.mu.Lock()
	w.armed, w.point = true, point
	w.mu.Unlock()
	w.Panel.Arm(point)
}

// waitArmed waits for an armed cut that has not come yet.
func (w *World) waitArmed(ctx context.Context) error {
	return w.waitFor(ctx, 60*time.Second, "the armed power cut", func() (bool, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return !w.armed, nil
	})
}

// Close takes the power and ends the world.
func (w *World) Close() {
	w.PowerCut()
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.Panel.Close()
	if w.pcscSock != nil {
		w.pcscSock.Close()
	}
	if w.pcscd != nil {
		w.pcscd.Stop()
	}
	for _, c := range w.cables {
		c.Down()
	}
	if w.hostB != nil {
		w.hostB.Down()
	}
	if w.far != nil {
		w.far.Close()
	}
	if w.Host != nil {
		w.Host.Close()
	}
}
