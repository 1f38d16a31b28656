package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"swipewell/firmware/journal"
	"swipewell/firmware/journal/entry"
	"swipewell/firmware/journal/query"
	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// journalCommand measures the journal against the figures that journald had.
func journalCommand() *cobra.Command {
	var dir string
	var many int
	var slow time.Duration
	c := &cobra.Command{
		Use:   "journal",
		Short: "measure the device's log: append, size, flash, story, errors, grep, opening, memory",
		Long: "Makes journals of sales as posd writes them (12 entries a sale, 8 fields and 160 bytes of payload an entry, as journald was measured with) and\n" +
			"prints each figure beside its bar. journald 252 on the same kind of machine: 28k entries/s, 732 B an entry, 46 times the payload\n" +
			"written at 10 entries/s, 8 ms for one id in 100k, 126 MB of memory.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			tmp, err := os.MkdirTemp(dir, "journal-bench-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(tmp)
			return measureJournal(cmd.OutOrStdout(), tmp, many, slow)
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "folder on the disk to be measured (default: the folder for temporary files)")
	c.Flags().IntVar(&many, "entries", 1_000_000, "size of the large journal")
	c.Flags().DurationVar(&slow, "slow", 120*time.Second, "how long 10 entries/s are written, for the flash row; 0 leaves it out")
	return c
}

// payload is what journald's client sent for such an entry: keys and values.
const payload = 160

// benchEvent is entry n of a shop's day: twelve a sale.
func benchEvent(n int) journal.Event {
	codes := [...]prompt.Code{prompt.LogSwipe, prompt.LogDecision, prompt.LogIntent, prompt.LogLink, prompt.LogSent, prompt.LogAnswer, prompt.LogOutcome, prompt.LogPrinted, prompt.LogStages, prompt.LogHealth, prompt.LogLink, prompt.LogMessage}
	sale := n / len(codes)
	e := journal.Event{Code: codes[n%len(codes)], Source: [...]string{"txn", "throttle", "link.4g", "host", "printer"}[n%5], Tx: fmt.Sprintf("cup-%06d-%06d", sale/900+1, sale%999999+1),
		Fields: []journal.Field{journal.Amount("amount", pos.Fen(int64(100+sale*37%50000))), journal.Card("card", pos.MaskedPAN(fmt.Sprintf("622588*********%04d", sale*7919%10000))),
			journal.RC("rc", "00"), journal.Word("what", "answer-accepted"), journal.Duration("took", time.Duration(200+sale*131%2900)*time.Millisecond), journal.Count("n", n%97+1)}}
	switch {
	case n%500 == 499:
		e.Level = 8
	case n%100 == 99:
		e.Level = 4
	}
	return e
}

// appendRow is the middle of three tries to record as fast as the writer takes it: events are made before, and nobody waits for
// the disk but the end, as with journald.
func appendRow(dir string, row func(what, got, bar string, ok bool)) (float64, error) {
	const n = 400_000
	es := make([]journal.Event, 30_000)
	for i := range es {
		es[i] = benchEvent(i)
		es[i].Level = 0
		if es[i].Code == prompt.LogIntent || es[i].Code == prompt.LogOutcome {
			es[i].Code = prompt.LogSent
		}
	}
	var took, used []time.Duration
	for try := range 3 {
		t, u, err := appendOnce(filepath.Join(dir, fmt.Sprint("append", try)), es, n)
		if err != nil {
			return 0, err
		}
		took, used = append(took, t), append(used, u)
	}
	at := sortedMiddle(took)
	rate := n / took[at].Seconds()
	row("append, on disk and signed at the end", fmt.Sprintf("%.0f /s", rate), "≥ 140000 /s (5 ×)", rate >= 140_000)
	row("  of processor time", fmt.Sprintf("%.1f µs", used[at].Seconds()*1e6/n), fmt.Sprintf("%.0f%% of %d processors", 100*used[at].Seconds()/took[at].Seconds()/float64(runtime.NumCPU()), runtime.NumCPU()), true)
	return rate, nil
}

func appendOnce(dir string, es []journal.Event, n int) (took, used time.Duration, err error) {
	j, err := journal.Open(journal.Opts{Dir: dir, MaxBytes: 1 << 30, Rate: -1, Queue: 1 << 13})
	if err != nil {
		return 0, 0, err
	}
	began, cpu := time.Now(), cpuTime()
	for i := range n {
		j.Record(es[i%len(es)])
		for i%512 == 511 && j.Waiting() > 6144 {
			time.Sleep(200 * time.Microsecond) // leaves the processor to the writer
		}
	}
	if err := j.Sync(true); err != nil {
		return 0, 0, err
	}
	took, used = time.Since(began), cpuTime()-cpu
	if j.Dropped() > 0 {
		return 0, 0, fmt.Errorf("%d entries dropped", j.Dropped())
	}
	return took, used, j.Close()
}

// cpuTime is what this process has used of the processors: on a machine with other
// work it tells what the figure would be on a quiet one.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func fill(j *journal.Journal, n int) error {
	for i := range n {
		j.Record(benchEvent(i))
		if i%256 == 255 && j.Waiting() > 200 {
			if err := j.Sync(false); err != nil {
				return err
			}
		}
	}
	return j.Sync(false)
}

// medianOf five tries.
func medianOf(f func() error) (time.Duration, error) {
	var ds []time.Duration
	for range 5 {
		began := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		ds = append(ds, time.Since(began))
	}
	return ds[sortedMiddle(ds)], nil
}

func sortedMiddle(ds []time.Duration) int {
	for i := range ds {
		less := 0
		for k := range ds {
			if ds[k] < ds[i] || ds[k] == ds[i] && k < i {
				less++
			}
		}
		if less == len(ds)/2 {
			return i
		}
	}
	return 0
}

func treeSize(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "reserve" {
			st, err := d.Info()
			if err == nil {
				n += st.Size()
			}
			return err
		}
		return err
	})
	return n, err
}

func measureJournal(w io.Writer, dir string, many int, slow time.Duration) error {
	row := func(what, got, bar string, ok bool) {
		mark := "ok"
		if !ok {
			mark = "MISSED"
		}
		fmt.Fprintf(w, "%-46s %14s   %-22s %s\n", what, got, bar, mark)
	}
	rate, err := appendRow(dir, row)
	if err != nil {
		return err
	}
	journaldRows(dir, rate, row)
	big := journal.Opts{Dir: filepath.Join(dir, "big"), MaxBytes: 2 << 30, Rate: -1, Age: 1 << 62, Grave: 1 << 62}
	fmt.Fprintf(w, "%d entries on %d processors, %s/%s\n", many, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)

	j, err := journal.Open(big)
	if err != nil {
		return err
	}
	if err := fill(j, many); err != nil {
		return err
	}
	if j.Dropped() > 0 {
		return fmt.Errorf("%d entries dropped", j.Dropped())
	}
	if err := j.Close(); err != nil {
		return err
	}
	size, err := treeSize(big.Dir)
	if err != nil {
		return err
	}
	each := float64(size) / float64(many)
	row("an entry archived, with index and seal", fmt.Sprintf("%.1f B", each), fmt.Sprintf("≤ %.0f B (0.2 × payload)", 0.2*payload), each <= 0.2*payload)

	// Live: what 10 entries/s leave in the segment under way, in batches of two seconds.
	live := journal.Opts{Dir: filepath.Join(dir, "live"), Rate: -1, MaxBytes: 64 << 20}
	if j, err = journal.Open(live); err != nil {
		return err
	}
	for i := range 2000 {
		e := benchEvent(i)
		if e.Code == prompt.LogIntent || e.Code == prompt.LogOutcome {
			e.Code = prompt.LogSent // batches as they are without money
		}
		e.Level = 0
		j.Record(e)
		if i%20 == 19 {
			if err := j.Sync(false); err != nil {
				return err
			}
		}
	}
	if size, err = treeSize(live.Dir); err != nil {
		return err
	}
	j.Close()
	row("an entry live, batches of 20", fmt.Sprintf("%.0f B", float64(size)/2000), "≤ 200 B", float64(size)/2000 <= 200)

	opening, err := openOnly(big)
	if err != nil {
		return err
	}
	row("opening, "+thousands(many), opening.Round(100*time.Microsecond).String(), "≤ 50 ms", opening <= 50*time.Millisecond)
	set, err := journal.Folder(big.Dir)
	if err != nil {
		return err
	}
	small := journal.Opts{Dir: filepath.Join(dir, "small"), MaxBytes: 2 << 30, Rate: -1, NoSync: true}
	if j, err = journal.Open(small); err != nil {
		return err
	}
	if err := fill(j, 100_000); err != nil {
		return err
	}
	for _, c := range []struct {
		name string
		ask  func(journal.Filter) ([]entry.Entry, error)
		n    int
		bar  time.Duration
	}{{"100k, while it is written", j.Query, 100_000, 10 * time.Millisecond}, {thousands(many) + ", from the folder", set.All, many, 50 * time.Millisecond}} {
		stan := fmt.Sprintf("%06d", (c.n/12/2)%999999+1)
		found := 0
		took, err := medianOf(func() error {
			es, err := c.ask(journal.Filter{Tx: stan})
			found = len(es)
			return err
		})
		if err != nil {
			return err
		}
		row("a sale's story in "+c.name+fmt.Sprintf(" (%d)", found), took.Round(10*time.Microsecond).String(), "≤ "+c.bar.String(), took <= c.bar && found >= 12)
		took, err = medianOf(func() error {
			es, err := c.ask(journal.Filter{Level: "error", Last: 100})
			found = len(es)
			return err
		})
		if err != nil {
			return err
		}
		row("the last 100 errors of "+c.name, took.Round(10*time.Microsecond).String(), "≤ 20ms", took <= 20*time.Millisecond && found == 100)
	}
	j.Close()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for _, g := range []string{"answer-accepted took=1.3s", "nothing-like-this", "took=1\\.2.*s"} {
		found := 0
		cpu := cpuTime()
		took, err := medianOf(func() error {
			found = 0
			return set.Each(query.Filter{Grep: g}, func(*entry.Entry) bool { found++; return true })
		})
		if err != nil {
			return err
		}
		per := float64(many) / took.Seconds()
		bar, ok := "≥ 1000000 /s", per >= 1e6
		if strings.ContainsAny(g, "\\") {
			bar, ok = "(an expression: no bar)", true
		}
		row(fmt.Sprintf("grep %q (%d)", g, found), fmt.Sprintf("%.2f M/s", per/1e6), bar, ok)
		used := (cpuTime() - cpu) / 5
		row("  if it had the processors alone", fmt.Sprintf("%.2f M/s", float64(many)/(used.Seconds()/float64(runtime.NumCPU()))/1e6), fmt.Sprintf("%.0f%% of %d processors", 100*used.Seconds()/took.Seconds()/float64(runtime.NumCPU()), runtime.NumCPU()), true)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	row("memory kept by reading all of it", fmt.Sprintf("%.1f MB", float64(after.HeapAlloc)/1e6-float64(before.HeapAlloc)/1e6), "flat: ≤ 8 MB", int64(after.HeapAlloc)-int64(before.HeapAlloc) <= 8<<20)
	took, err := medianOf(func() error { _, err := journal.VerifyFolder(live.Dir, nil); return err })
	if err != nil {
		return err
	}
	row("verify of 2000 entries", took.Round(100*time.Microsecond).String(), "(no bar)", true)
	if slow > 0 {
		return flashRow(dir, slow, row)
	}
	return nil
}

func thousands(n int) string {
	if n >= 1_000_000 {
		return strconv.Itoa(n/1_000_000) + "M"
	}
	return strconv.Itoa(n/1000) + "k"
}

// openOnly is Open without what the writer does then.
func openOnly(o journal.Opts) (time.Duration, error) {
	var all []time.Duration
	for range 5 {
		began := time.Now()
		j, err := journal.Open(o)
		all = append(all, time.Since(began))
		if err != nil {
			return 0, err
		}
		if err := j.Close(); err != nil {
			return 0, err
		}
	}
	return all[sortedMiddle(all)], nil
}

// flashRow writes 10 entries/s in a process of its own, whose write_bytes the
// kernel counts.
func flashRow(dir string, slow time.Duration, row func(what, got, bar string, ok bool)) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	out, err := exec.Command(self, "journal-slow", filepath.Join(dir, "slow"), slow.String()).Output()
	if err != nil {
		return err
	}
	var n, written int64
	if _, err := fmt.Sscan(string(out), &n, &written); err != nil {
		return err
	}
	times := float64(written) / float64(n*payload)
	what := fmt.Sprintf("written at 10/s over %s (%d kB for %d kB)", slow, written/1000, n*payload/1000)
	if written == 0 {
		row(what, "none", "a RAM disk counts nothing", true)
		return nil
	}
	row(what, fmt.Sprintf("%.2f ×", times), "≤ 2 × payload", times <= 2)
	return nil
}

// journalSlow is the process of flashRow.
func journalSlow() *cobra.Command {
	return &cobra.Command{
		Use: "journal-slow DIR DURATION", Hidden: true, Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := time.ParseDuration(args[1])
			if err != nil {
				return err
			}
			j, err := journal.Open(journal.Opts{Dir: args[0], Rate: -1})
			if err != nil {
				return err
			}
			from, err := writeBytes()
			if err != nil {
				return err
			}
			n := int(d.Seconds() * 10)
			for i := range n {
				e := benchEvent(i)
				if e.Code == prompt.LogIntent || e.Code == prompt.LogOutcome {
					e.Code = prompt.LogSent // money and errors do not wait, and are few
				}
				e.Level = 0
				j.Record(e)
				time.Sleep(100 * time.Millisecond)
			}
			if err := j.Sync(false); err != nil {
				return err
			}
			to, err := writeBytes()
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), n, to-from)
			return j.Close()
		},
	}
}

func writeBytes() (n int64, err error) {
	b, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "write_bytes: "); ok {
			return strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		}
	}
	return 0, fmt.Errorf("no write_bytes in /proc/self/io")
}
