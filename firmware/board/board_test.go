package board

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"swipewell/hal"
)

const good = `name = "t"
bench = true

[msr]
driver = "serial"
port = "/dev/no-such-port"

[acquirer]
context = "a"
tid = "20260001"
mid = "898100012340001"
hosts = ["127.0.0.1:1"]
`

func read(t *testing.T, text string) (*File, error) {
	t.Helper()
	p := filepath.Join(t.TempDir(), "b.toml")
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Read(p)
}

// A mistake is told with file, line and key.
func TestMistakesAreNamed(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"unknown key":            {`port = "/dev/no-such-port"`, "prot = \"/dev/x\"\nport = \"/dev/y\"", "b.toml:6: msr.prot: unknown key"},
		"unknown section":        {"[msr]", "[msrr]", "b.toml:4: msrr"},
		"missing port":           {"port = \"/dev/no-such-port\"\n", "", "b.toml:4: msr.port: missing"},
		"wrong driver":           {`driver = "serial"`, `driver = "usb"`, `b.toml:5: msr.driver: must be "serial" or "ttl"`},
		"short tid":              {`tid = "20260001"`, `tid = "2026"`, "b.toml:10: acquirer.tid: must have 8 characters"},
		"no hosts":               {`hosts = ["127.0.0.1:1"]`, "", "acquirer.hosts: missing"},
		"no recovery":            {"bench = true\n", "[keystore]\ndriver = \"softkeys\"\nfile = \"k\"\ntamper = \"case\"\n", "keystore.recovery: missing"},
		"bad recovery":           {"[msr]", "[keystore]\ndriver = \"softkeys\"\nfile = \"k\"\nrecovery = \"AAAA\"\n[msr]", "keystore.recovery: must be an X25519"},
		"PIN at a shop":          {"bench = true\n", "[service]\nport = \"p\"\nsupervisor = \"$argon2id$\"\n", "service.supervisor: a PIN is typed over the cable on a bench only"},
		"no PIN of a technician": {"[msr]", "[service]\nport = \"p\"\ntechnician = \"$argon2id$\"\n[msr]", "service.technician: unknown key"},
		"short key":              {"[msr]", "[service]\nport = \"p\"\n[[service.key]]\nname = \"Li\"\nkey = \"AAAA\"\n[msr]", "service.key: the key of \"Li\""},
		"role of a key":          {"[msr]", "[service]\nport = \"p\"\n[[service.key]]\nname = \"Li\"\nrole = \"boss\"\nkey = \"Brd/yJ0rl4VDPdN6m5ijyPo38D2ysswOeb52+HsiPSE=\"\n[msr]", "role must be technician, engineer"},
		"engineer at the keypad": {"[msr]", "[[operator]]\nnumber = 98\nrole = \"engineer\"\npin = \"$argon2id$\"\n[msr]", "operator.role"},
		"bad time":               {`context = "a"`, "context = \"a\"\nmax_amount = \"many\"", "acquirer.max_amount"},
	} {
		f, err := read(t, strings.Replace(good, c.from, c.to, 1))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if all := strings.Join(f.Wrong(), "\n"); !strings.Contains(all, c.want) {
			t.Errorf("%s: %q does not say %q", name, all, c.want)
		}
	}
}

func TestNotTOML(t *testing.T) {
	_, err := read(t, "name = \"t\"\n[msr\nport = 1\n")
	var e *Error
	if !errors.As(err, &e) || e.Line < 2 || e.Line > 3 {
		t.Errorf("%v", err)
	}
	if _, err := read(t, "[acquirer]\nanswer_timeout = \"soon\"\n"); err == nil || !strings.Contains(err.Error(), ":2") {
		t.Errorf("a bad duration: %v", err)
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none.toml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// A device that does not open leaves the rest running; what money depends on stops selling.
func TestReport(t *testing.T) {
	f, err := read(t, good)
	if err != nil {
		t.Fatal(err)
	}
	r := f.Open(Opts{})
	defer r.Close()
	state := map[string]hal.LoadState{}
	for _, d := range r.Report {
		state[d.Device] = d.State
		if d.State != hal.Loaded && d.Why == "" {
			t.Errorf("%s: no reason", d.Device)
		}
	}
	if state["msr"] != hal.Failed || state["panel"] != hal.Skipped || r.MSR != nil {
		t.Errorf("%v", r.Report)
	}
	if len(r.Stop) != 1 || !strings.Contains(r.Stop[0], "keystore") {
		t.Errorf("stop: %v", r.Stop)
	}
	f, _ = read(t, strings.Replace(good, "20260001", "1", 1))
	if r := f.Open(Opts{}); len(r.Stop) != 2 {
		t.Errorf("a wrong terminal id sells: %v", r.Stop)
	}
}

// Keys are opened only where somebody watches the case.
func TestKeysWantATamperLine(t *testing.T) {
	p := &gpiotest.Pin{N: "TAMPER_TEST", EdgesChan: make(chan gpio.Level, 1)}
	if err := gpioreg.Register(p); err != nil {
		t.Fatal(err)
	}
	defer gpioreg.Unregister(p.N)
	board := func(line string) *Result {
		f, err := read(t, strings.Replace(good, "bench = true", "bench = false", 1)+"\n[keystore]\ndriver = \"softkeys\"\ntamper = \""+line+"\"\nfile = \""+filepath.Join(t.TempDir(), "k")+
			"\"\nrecovery = \"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\"\n")
		if err != nil {
			t.Fatal(err)
		}
		return f.Open(Opts{})
	}
	if r := board("TAMPER_TEST"); r.Keys == nil || r.Tamper == nil || len(r.Stop) != 0 {
		t.Errorf("keys %v, tamper %v, stop %v, report %v", r.Keys, r.Tamper, r.Stop, r.Report)
	}
	for _, line := range []string{"NO_SUCH_PIN", ""} {
		if r := board(line); r.Keys != nil || len(r.Stop) == 0 {
			t.Errorf("%q: keys without a line", line)
		}
	}
}

func TestPanelOnlyOnABench(t *testing.T) {
	f, err := read(t, strings.Replace(good, "bench = true", "bench = false", 1)+"\n[panel]\nsocket = \"/tmp/none\"\n[keystore]\ndriver = \"softkeys\"\nfile = \""+filepath.Join(t.TempDir(), "k")+"\"\n")
	if err != nil {
		t.Fatal(err)
	}
	r := f.Open(Opts{})
	if r.Display != nil || r.Keys != nil || r.Bench != nil {
		t.Error("the panel or soft keys opened on a board that is no bench")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(good)
	f.Add("[[link]]\ndriver = \"at\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		p := filepath.Join(t.TempDir(), "b.toml")
		os.WriteFile(p, []byte(text), 0o600)
		if b, err := Read(p); err == nil {
			b.Wrong()
		}
	})
}
