// Command posbench is everything outside the device: it makes the serial lines
// and the panel, runs an acquirer, starts the real posd, and shows the world on
// a page, plays it from scripts, or measures it. See firmware/doc/bench.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"swipewell/firmware/sim/qemu"
	"swipewell/firmware/sim/world"
)

// shared are the flags of every command that builds a world.
type shared struct {
	posd, tool, modem, msr, host, lang, size, qemu string
}

func (s *shared) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&s.posd, "posd", "", "posd binary (default: beside posbench, or on PATH)")
	f.StringVar(&s.qemu, "qemu", "", "folder of an image: the device is a virtual machine that boots it")
	f.StringVar(&s.modem, "modem", "", "serial port of a real AT modem")
	f.StringVar(&s.msr, "msr", "", "serial port of a real stripe reader")
	f.StringVar(&s.host, "host", "", "HOST:PORT of another acquirer")
	f.StringVar(&s.lang, "lang", "zh", "language of the device: zh or en")
	f.StringVar(&s.size, "size", "320x240", "display: 320x240 in colour or 128x64 in one bit")
}

// opts turns the flags into a world's options.
func (s *shared) opts(dir string) (world.Opts, error) {
	o := world.Opts{Dir: dir, Modem: s.modem, MSR: s.msr, Host: s.host, Lang: s.lang, Chip: wallet()}
	w, h, ok := strings.Cut(s.size, "x")
	var err1, err2 error
	o.W, err1 = strconv.Atoi(w)
	o.H, err2 = strconv.Atoi(h)
	if !ok || err1 != nil || err2 != nil || o.W < 64 || o.H < 32 {
		return o, fmt.Errorf("--size %q: want 320x240 or 128x64", s.size)
	}
	o.Mono = o.H <= 64
	if s.lang != "zh" && s.lang != "en" {
		return o, fmt.Errorf("--lang %q: want zh or en", s.lang)
	}
	var err error
	if s.qemu != "" {
		if s.qemu, err = filepath.Abs(s.qemu); err != nil {
			return o, err
		}
		m, err := qemu.New(qemu.Opts{Image: s.qemu})
		if err != nil {
			return o, err
		}
		o.Machine, o.User = m, "posd"
	}
	if o.Posd, err = beside("posd", s.posd); err != nil {
		return o, err
	}
	o.Bootsel, o.Boot = bootsel(), bootRecord
	o.Tool, err = beside("postool", s.tool)
	if err != nil {
		o.Tool = ""
	}
	return o, nil
}

// beside finds a binary: as told, beside this one, or on PATH.
func beside(name, told string) (string, error) {
	if told != "" {
		return filepath.Abs(told)
	}
	if exe, err := os.Executable(); err == nil {
		if p := filepath.Join(filepath.Dir(exe), name); isFile(p) {
			return p, nil
		}
	}
	p, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is neither beside posbench nor on PATH; make build, or say --%s", name, name)
	}
	return filepath.Abs(p)
}

func isFile(p string) bool {
	st, err := os.Stat(p)
	return err == nil && st.Mode().IsRegular()
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	root := &cobra.Command{Use: "posbench", Short: "the virtual bench around a card terminal", SilenceUsage: true, SilenceErrors: true}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(runCommand(), serveCommand(), cardsCommand(), cardCommand(), benchCommand(), crashCommand(), imagesCommand(), soakCommand(), sieveCommand(), scenariosCommand(), daysCommand(), modelCommand(), journalCommand(), flashCommand(), journalSlow(), journaldRun(), imageCommand(), qemuCommand())
	if err := root.ExecuteContext(ctx); err != nil {
		if !errors.Is(err, errFailed) {
			fmt.Fprintln(os.Stderr, "posbench:", err)
		}
		os.Exit(1)
	}
}

// errFailed says that something was found wrong and has been told already.
var errFailed = errors.New("failed")

func cardsCommand() *cobra.Command {
	return &cobra.Command{Use: "cards", Short: "the test cards of the tray, by name", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		cards, err := world.Tray()
		if err != nil {
			return err
		}
		for _, c := range cards {
			fmt.Printf("%-20s %s\n", c.Name, c.About)
		}
		return nil
	}}
}
