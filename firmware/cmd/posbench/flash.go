package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"swipewell/drivers/tty"
	"swipewell/firmware/flash"
	"swipewell/firmware/sim/flashsim"
	"swipewell/firmware/update/bundle"
	"swipewell/firmware/update/flashwire"
	"swipewell/firmware/update/updatesim"
	"swipewell/hal"
)

// flashCommand measures what an update over the service cable takes.
func flashCommand() *cobra.Command {
	var rate int
	var peers bool
	c := &cobra.Command{
		Use:   "flash",
		Short: "measure updates over the service cable: line use, whole build, small changes, pulled cables; beside sz and sb",
		Long: "Builds posd for arm64 three times (as it is, with another version string, with a function of 20 lines more), and brings each to a\n" +
			"terminal over a pseudo-terminal whose bytes take their time: 10 bits a byte of the rate, by the machine's own clock, so that all\n" +
			"seconds here are real. Line use is the file's bytes over the bytes that the rate allows from the end of the first frame of\n" +
			"data to the end of the last; a time is from the first question to the build read back in its slot and on trial, of the small changes the fastest of three. sz and sb go over the\n" +
			"same wire. Their bytes run from when the pseudo-terminal hands them over, and may catch up\n" +
			"0.2 s; ours from when they were written, as on a UART. A frame is hit with a chance of 1 in 100 by one bit turned over, of 1,041 bytes each. Takes about five minutes.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := os.MkdirTemp("", "flash-bench-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			m := &flashMeter{ctx: cmd.Context(), w: cmd.OutOrStdout(), errs: cmd.ErrOrStderr(), dir: dir, rate: rate, peers: peers}
			return m.measure()
		},
	}
	c.Flags().IntVar(&rate, "rate", 115_200, "of the line, bytes/s")
	c.Flags().BoolVar(&peers, "peers", true, "sz and sb too, where lrzsz is installed")
	return c
}

// flashMeter makes the rows.
type flashMeter struct {
	ctx     context.Context
	w, errs io.Writer
	dir     string
	rate    int // bytes/s
	peers   bool
	missed  int
	doing   string
	shown   time.Time
}

func (m *flashMeter) say(what string) { m.doing = what; m.line(what) }

// line is written over the last one on a terminal.
func (m *flashMeter) line(s string) {
	m.shown = time.Now()
	if f, ok := m.errs.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprintf(m.errs, "\r%-100.100s", s)
		return
	}
	fmt.Fprintln(m.errs, s)
}

func (m *flashMeter) progress(p flash.Progress) {
	every := 10 * time.Second
	if f, ok := m.errs.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		every = 200 * time.Millisecond
	}
	if p.All > 0 && p.Stage == flash.Sending && time.Since(m.shown) > every {
		m.line(fmt.Sprintf("%s: %d %%, %.1f kB/s, ETA %v", m.doing, 100*p.Have/p.All, p.Rate/1000, p.ETA.Round(time.Second)))
	}
}

func (m *flashMeter) row(what, got, goal string, ok bool) {
	mark := "ok"
	switch {
	case goal == "":
		mark = ""
	case !ok:
		mark = "MISSED"
		m.missed++
	}
	if f, isFile := m.errs.(*os.File); isFile && term.IsTerminal(int(f.Fd())) {
		fmt.Fprintf(m.errs, "\r%100s\r", "")
	}
	fmt.Fprintf(m.w, "%-52s %-30s %-9s %s\n", what, got, goal, mark)
}

// session brings a bundle to a terminal that runs old.
func (m *flashMeter) session(what string, b *bundle.Bundle, old []byte, f flashsim.Faults, pulls []int64) (measured, error) {
	m.say(what)
	slots, err := updatesim.New(bytes.Clone(old), int64(b.Manifest.Size)+1<<20, nil)
	if err != nil {
		return measured{}, err
	}
	port := filepath.Join(m.dir, "ttyUSB0")
	t, err := flashsim.New(flashsim.Opts{Link: port, Slots: slots, Room: 32 << 20, Serial: "BENCH1", Safe: 10 * m.rate, Faults: f, Settle: 100 * time.Millisecond})
	if err != nil {
		return measured{}, err
	}
	if err := t.Plug(); err != nil {
		return measured{}, err
	}
	defer t.Close()
	failed := make(chan error, len(pulls))
	t.PullAt(pulls, func() {
		time.Sleep(200 * time.Millisecond)
		if err := t.Plug(); err != nil {
			failed <- err
		}
	})
	r := flash.Run(m.ctx, flash.Opts{Bundle: b, Clock: hal.SystemClock{}, Safe: 10 * m.rate, Show: m.progress, Open: func(path string, baud int) (flash.Port, error) {
		p, err := tty.Open(tty.Opts{Path: path, Baud: baud})
		if err != nil {
			return nil, err
		}
		return wired{p, t}, nil
	}}, []flash.Found{{Path: port}})[0]
	select {
	case err = <-failed:
	default:
	}
	if r.Outcome != flash.Confirmed {
		err = errors.Join(err, fmt.Errorf("%s: %s %s %s", what, r.Outcome, r.Code, r.Text))
	}
	return measured{r, t.Came(), t.Span()}, err
}

// fastest of three: of a second or less the most is the terminal's processor, which
// here is a part of a busy machine's.
func (m *flashMeter) fastest(what string, b *bundle.Bundle, old []byte) (best measured, err error) {
	for i := range 3 {
		r, err := m.session(what, b, old, flashsim.Faults{}, nil)
		if err != nil {
			return r, err
		}
		if i == 0 || r.Transfer < best.Transfer {
			best = r
		}
	}
	return best, nil
}

// wired is a port that tells the wire when it was written to.
type wired struct {
	*tty.Port
	t *flashsim.Terminal
}

func (p wired) Write(ctx context.Context, b []byte) (int, error) {
	p.t.Wrote(len(b))
	return p.Port.Write(ctx, b)
}

// measured is a result and what was on the wire: what lay in a driver's queue when
// the cable was pulled was not.
type measured struct {
	flash.Result
	came int64
	span time.Duration // of the data on the wire
}

// use of the line while data went over it, without the first frame, whose end is
// where the time begins.
func (m *flashMeter) use(r measured) float64 {
	return 100 * float64(r.Bytes-flashwire.MaxData) / (float64(m.rate) * r.span.Seconds())
}

func (m *flashMeter) measure() error {
	x, err := makeFlashBuilds(m.ctx, m.dir, m.say)
	if err != nil {
		return err
	}
	size := x.whole.Manifest.Size
	fmt.Fprintf(m.w, "posd for arm64, %d bytes; a line of %d bytes/s, real time\n", size, m.rate)
	hit := flashsim.Faults{Hit: 0.01, Seed: 9}

	clean, err := m.session("the whole build, clean", x.whole, x.old, flashsim.Faults{}, nil)
	if err != nil {
		return err
	}
	m.row("line use, clean", fmt.Sprintf("%.1f %%", m.use(clean)), "≥ 97 %", m.use(clean) >= 97)
	noisy, err := m.session("the whole build, 1 % of the frames hit", x.whole, x.old, hit, nil)
	if err != nil {
		return err
	}
	m.row("line use, 1 % of the frames hit", fmt.Sprintf("%.1f %%, %d frames again", m.use(noisy), noisy.Again), "≥ 94 %", m.use(noisy) >= 94)

	var pulls []int64
	for k := range int64(10) {
		pulls = append(pulls, clean.came*(k+1)/11)
	}
	pulled, err := m.session("the whole build, ten pulled cables", x.whole, x.old, flashsim.Faults{}, pulls)
	if err != nil {
		return err
	}
	extra := 100 * float64(pulled.came-clean.came) / float64(clean.came)
	m.row("ten pulled cables", fmt.Sprintf("%.2f %% more bytes, %d breaks", extra, pulled.Breaks), "≤ 2 %", extra <= 2 && pulled.Breaks == 10)

	code, err := m.fastest("a change of 20 lines", x.deltaCode, x.old)
	if err != nil {
		return err
	}
	version, err := m.fastest("another version string", x.deltaVersion, x.old)
	if err != nil {
		return err
	}
	base, err := m.zmodem(x, size)
	if err != nil {
		return err
	}
	for _, r := range []struct {
		what string
		res  measured
		most float64
	}{{"the whole build", clean, 0.30}, {"a change of 20 lines", code, 0.02}, {"another version string", version, 0.005}} {
		share := r.res.Transfer / base
		m.row(r.what, fmt.Sprintf("%.2f s, %d bytes: %.4f of sz", r.res.Transfer, r.res.Bytes, share), fmt.Sprintf("≤ %g", r.most), share <= r.most)
	}
	if m.missed > 0 {
		return fmt.Errorf("%d figures missed their goal", m.missed)
	}
	return nil
}

// szUse is the line use of sz on a quiet machine, where it was measured at 93.2 %
// of 115,200 B/s.
const szUse = 0.932

// zmodem gives the time of sz for the whole build, and rows for peers. Without
// lrzsz, and on a machine so busy that it is slower, the time is szUse's.
func (m *flashMeter) zmodem(x *flashBuilds, size int64) (float64, error) {
	ideal := float64(size) / float64(m.rate)
	if _, err := exec.LookPath("sz"); err != nil || !m.peers {
		m.row("sz, the whole build", "not run: taken as 93.2 % of the line", "", true)
		return ideal / szUse, nil
	}
	base, err := m.peer("sz, the whole build", x.file, []string{"sz", "-b", "-q"}, []string{"rz", "-b", "-q", "-y"}, flashsim.Faults{})
	if err != nil {
		return 0, err
	}
	m.row("sz, the whole build, clean", fmt.Sprintf("%.2f s, line use %.1f %%", base, 100*ideal/base), "", true)
	part := filepath.Join(m.dir, "part")
	const partSize = 2 << 20
	if err := os.WriteFile(part, x.code[:partSize], 0o600); err != nil {
		return 0, err
	}
	for _, p := range []struct {
		what       string
		send, recv []string
		f          flashsim.Faults
	}{
		{"sz, 2 MiB, 1 % of the frames hit", []string{"sz", "-b", "-q"}, []string{"rz", "-b", "-q", "-y"}, flashsim.Faults{Hit: 0.01, Seed: 9}},
		{"sb -k, 2 MiB, clean", []string{"sb", "-b", "-k", "-q"}, []string{"rb", "-b", "-q", "-y"}, flashsim.Faults{}},
		{"sb -k, 2 MiB, 1 % of the frames hit", []string{"sb", "-b", "-k", "-q"}, []string{"rb", "-b", "-q", "-y"}, flashsim.Faults{Hit: 0.01, Seed: 9}},
	} {
		took, err := m.peer(p.what, part, p.send, p.recv, p.f)
		if err != nil {
			m.row(p.what, err.Error(), "", true)
			continue
		}
		m.row(p.what, fmt.Sprintf("%.2f s, line use %.1f %%", took, 100*partSize/float64(m.rate)/took), "", true)
	}
	return min(base, ideal/szUse), nil
}

// peer sends a file with programs of others over the same wire, and gives the
// seconds until the receiver has ended.
func (m *flashMeter) peer(what, file string, send, recv []string, f flashsim.Faults) (float64, error) {
	m.say(what)
	ctx, stop := context.WithTimeout(m.ctx, 10*time.Minute)
	defer stop()
	near, far, err := flashsim.Relay(ctx, hal.SystemClock{}, 10*m.rate, f)
	if err != nil {
		return 0, err
	}
	into := filepath.Join(m.dir, "received")
	if err := os.MkdirAll(into, 0o700); err != nil {
		return 0, err
	}
	defer os.RemoveAll(into)
	start := func(port string, args []string) (*exec.Cmd, error) {
		t, err := os.OpenFile(port, os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		defer t.Close()
		c := exec.CommandContext(ctx, args[0], args[1:]...)
		c.Dir, c.Stdin, c.Stdout = into, t, t
		return c, c.Start()
	}
	r, err := start(far, recv)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	s, err := start(near, append(send, file))
	if err != nil {
		return 0, errors.Join(err, r.Process.Kill(), r.Wait())
	}
	err = r.Wait()
	took := time.Since(began).Seconds()
	// rb flushes its last answer away as it ends, and sb would ask for it for minutes.
	late := time.AfterFunc(2*time.Second, func() { s.Process.Kill() })
	serr := s.Wait()
	if late.Stop() {
		err = errors.Join(err, serr)
	}
	if err != nil {
		return 0, err
	}
	got, err := os.ReadFile(filepath.Join(into, filepath.Base(file)))
	want, werr := os.ReadFile(file)
	if err := errors.Join(err, werr); err != nil {
		return 0, err
	}
	if !bytes.Equal(got, want) {
		return 0, errors.New("another file arrived")
	}
	return took, nil
}
