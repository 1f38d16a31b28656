package board

import (
	"path/filepath"
	"strings"
	"testing"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"swipewell/drivers/iso7816/cardsim"
	"swipewell/drivers/tty/ttysim"
	"swipewell/drivers/vpcd/vpcdsim"
	"swipewell/hal"
)

// slotted opens a board with this section and gives its slot and report line.
func slotted(t *testing.T, bench, section string) (hal.ChipReader, hal.DeviceReport) {
	t.Helper()
	f, err := read(t, strings.Replace(good, "bench = true", "bench = "+bench, 1)+"\n[icc]\n"+section)
	if err != nil {
		t.Fatal(err)
	}
	r := f.Open(Opts{})
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, d := range r.Report {
		if d.Device == "icc" {
			return r.Chip, d
		}
	}
	t.Fatal("no report of the slot")
	return nil, hal.DeviceReport{}
}

func answer(c []byte) []byte { return []byte{0x6A, 0x82} }

// used puts the slot through one APDU.
func used(t *testing.T, r hal.ChipReader, insert func()) {
	t.Helper()
	insert()
	if err := r.WaitCard(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if _, err := r.PowerUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Transmit(t.Context(), nil, []byte{0, 0xA4, 4, 0}); err != nil || string(got) != "\x6A\x82" {
		t.Errorf("% X %v", got, err)
	}
}

// The serial slot on the bench: contacts on a socket.
func TestICCOnTheBench(t *testing.T) {
	far, err := ttysim.Open(ttysim.Opts{})
	if err != nil {
		t.Fatal(err)
	}
	sim, err := cardsim.Listen(cardsim.SlotOpts{Socket: filepath.Join(t.TempDir(), "lines"), Line: far, Clock: hal.SystemClock{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close(); sim.Close() })
	r, d := slotted(t, "true", "driver = \"iso7816-serial\"\nport = \""+far.Path()+"\"\nlines = \""+sim.Path()+"\"\n")
	if d.State != hal.Loaded || !strings.Contains(d.Driver, "iso7816") {
		t.Fatal(d)
	}
	used(t, r, func() { sim.Insert(cardsim.New(cardsim.Opts{App: answer, Protocol: 1})) })
}

// The serial slot of a real board: GPIO lines by their names.
func TestICCPins(t *testing.T) {
	far, err := ttysim.Open(ttysim.Opts{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	pins := map[string]*gpiotest.Pin{}
	for i, n := range []string{"ICC_VCC", "ICC_RST", "ICC_IN"} {
		pins[n] = &gpiotest.Pin{N: n, Num: 900 + i, EdgesChan: make(chan gpio.Level, 1)}
		if err := gpioreg.Register(pins[n]); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { gpioreg.Unregister(n) })
	}
	section := "driver = \"iso7816-serial\"\nport = \"" + far.Path() + "\"\nvcc = \"ICC_VCC\"\nrst = \"ICC_RST\"\nvcc_low = true\npresent_low = true\nrules = \"iso\"\npresent = "
	r, d := slotted(t, "false", section+"\"ICC_IN\"\n")
	if d.State != hal.Loaded || pins["ICC_VCC"].Read() != gpio.High || pins["ICC_RST"].Read() != gpio.Low {
		t.Errorf("%v, VCC %v, RST %v", d, pins["ICC_VCC"].Read(), pins["ICC_RST"].Read())
	}
	if in, err := r.Present(); in || err != nil {
		t.Errorf("a card: %v", err)
	}
	if _, d := slotted(t, "false", section+"\"ICC_NONE\"\n"); d.State != hal.Failed || !strings.Contains(d.Why, "ICC_NONE") {
		t.Errorf("%v", d)
	}
}

func TestICCVirtual(t *testing.T) {
	r, d := slotted(t, "false", "driver = \"vpcd\"\nlisten = \"127.0.0.1:0\"\n")
	if d.State != hal.Loaded {
		t.Fatal(d)
	}
	addr := strings.Trim(strings.TrimPrefix(d.Driver, "vpcd "), "()")
	used(t, r, func() {
		c, err := vpcdsim.Dial(addr, []byte{0x3B, 0x60, 0, 0}, answer, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Remove)
	})
	if r, d := slotted(t, "false", "driver = \"pcsc\"\nsocket = \"/nowhere/pcscd.comm\"\n"); d.State != hal.Failed || r != nil || !strings.Contains(d.Why, "/nowhere") {
		t.Errorf("%v", d)
	}
	if _, d := slotted(t, "false", "driver = \"vpcd\"\nlisten = \"nowhere\"\n"); d.State != hal.Failed {
		t.Errorf("%v", d)
	}
}

func TestICCMistakes(t *testing.T) {
	for _, c := range []struct{ bench, section, want string }{
		{"true", "driver = \"usb\"\n", `icc.driver: must be`},
		{"true", "driver = \"iso7816-serial\"\nlines = \"/x\"\n", "icc.port: missing"},
		{"true", "driver = \"iso7816-serial\"\nport = \"/x\"\n", "icc.present: missing"},
		{"false", "driver = \"iso7816-serial\"\nport = \"/x\"\nlines = \"/x\"\n", "icc.lines: only on a board with bench = true"},
		{"true", "driver = \"pcsc\"\nrules = \"mine\"\n", "icc.rules"},
		{"true", "driver = \"vpcd\"\nhz = 13\n", "icc.hz"},
		{"true", "driver = \"vpcd\"\nbaud = 9600\n", "icc.baud: unknown key"},
		{"true", "driver = \"iso7816-serial\"\nport = \"/no/such\"\nlines = \"/no/such\"\n", "no such file"},
		{"true", "driver = \"iso7816-serial\"\nport = \"/no/such\"\npresent = \"ICC_NONE\"\n", "no GPIO named"},
	} {
		r, d := slotted(t, c.bench, c.section)
		if d.State != hal.Failed || r != nil || !strings.Contains(d.Why, c.want) {
			t.Errorf("%s: %v, want %q", c.section, d, c.want)
		}
	}
}
