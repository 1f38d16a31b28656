package powercut

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

const journalWork = "POWERCUT_JOURNAL"

func journalOpts(dir string, lives int) journal.Opts {
	return journal.Opts{Dir: dir, MaxBytes: 256 << 10, Rate: -1, Clock: hal.NewSteppedClock(nil, time.Unix(1_772_000_000+int64(lives)*100, 0))}
}

// TestMain is also the workload: it writes a journal in the folder that it is
// told, over several lives, and says what has been acknowledged.
func TestMain(m *testing.M) {
	dir := os.Getenv(journalWork)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := writeJournal(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func writeJournal(dir string) error {
	for life := range 4 {
		j, err := journal.Open(journalOpts(dir, life))
		if err != nil {
			return err
		}
		for i := range 900 {
			e := journal.Event{Code: prompt.LogSent, Source: "txn", Tx: fmt.Sprintf("cup-000001-%06d", life*1000+i), Fields: []journal.Field{
				journal.Amount("amount", pos.Fen(int64(i))), journal.Count("n", i*7919%10007), journal.Word("what", fmt.Sprint(i*2654435761))}}
			if i%40 == 39 {
				e.Level = slog.LevelWarn
			}
			j.Record(e)
			if i%30 == 29 {
				if err := j.Sync(false); err != nil {
					return err
				}
				fmt.Println(j.Stats().Seq)
			}
		}
		if life == 2 {
			if err := j.Close(); err != nil {
				return err
			}
		} // the other lives end as a power cut ends them
	}
	return nil
}

// A cut at any moment: what was acknowledged is there, the seal fits, and the
// cut is told of. Nothing is taken for an edit that a power cut did.
func TestJournalImages(t *testing.T) {
	base, err := os.MkdirTemp("", "journal-images-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(base)
	at, back := filepath.Join(base, "at"), filepath.Join(base, "back")
	for _, d := range []string{at, back} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	var acked atomic.Uint64
	l, unmount, err := Mount(at, back, func() Facts { return Facts{High: pos.STAN(acked.Load())} }, func(string) bool { return false })
	if errors.Is(err, ErrNoFUSE) {
		t.Skip("kernel: needs FUSE and the right to mount: " + err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), journalWork+"="+at)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for sc := bufio.NewScanner(out); sc.Scan(); {
		var n uint64
		if _, err := fmt.Sscan(sc.Text(), &n); err != nil {
			t.Error(err)
		}
		acked.Store(n)
	}
	if err := errors.Join(cmd.Wait(), unmount()); err != nil {
		t.Fatal(err)
	}
	if acked.Load() < 3600 {
		t.Fatalf("%d entries acknowledged", acked.Load())
	}
	r := rand.New(rand.NewPCG(7, 512))
	d, images, torn, told := NewDisk(), 0, 0, 0
	for i, op := range l.Ops {
		if images < 150 && r.IntN(1+len(l.Ops)/150) == 0 {
			images++
			tn, td := judgeJournal(t, filepath.Join(base, "image"), d.Image(r, Style(r.IntN(int(styles)))), uint64(l.Facts[op.Fact].High), fmt.Sprintf("op %d of %d", i, len(l.Ops)))
			torn, told = torn+tn, told+td
			if t.Failed() {
				return
			}
		}
		d.Do(op)
	}
	t.Logf("%d images of %d ops, %d with a torn end, %d told of the cut", images, len(l.Ops), torn, told)
	if torn == 0 || told < images/2 {
		t.Error("the images show no cuts")
	}
}

// judgeJournal opens an image as the next start does.
func judgeJournal(t *testing.T, dir string, image map[string][]byte, acked uint64, moment string) (torn, told int) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for name, b := range image {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := journalOpts(dir, 9)
	o.NoSync = true
	j, err := journal.Open(o)
	if err != nil {
		t.Errorf("%s: %v", moment, err)
		return 0, 0
	}
	defer j.Close()
	rs, err := j.Verify(nil)
	if err != nil {
		t.Errorf("%s: %v", moment, err)
		return 0, 0
	}
	oldest := uint64(0)
	for name, r := range rs {
		if !r.Whole() {
			t.Errorf("%s: %s: %+v", moment, name, r.Findings)
		}
		oldest = max(oldest, r.First)
	}
	es, err := j.Query(journal.Filter{})
	if err != nil {
		t.Errorf("%s: %v", moment, err)
		return 0, 0
	}
	have := map[uint64]bool{}
	for _, e := range es {
		have[e.Seq] = true
		switch e.Get("what") {
		case "unclean-end":
			if e.Boot == j.BootID() {
				told = 1
				if n, ok := e.Get("torn").(int64); ok && n > 0 {
					torn = 1
				}
			}
		case "cut", "key-lost":
			t.Errorf("%s: a power cut was taken for an edit: %+v", moment, e)
		}
	}
	for seq := max(oldest, 1); seq <= acked; seq++ {
		if !have[seq] {
			t.Errorf("%s: entry %d was acknowledged and is gone (%d were, the oldest is %d)", moment, seq, acked, oldest)
			return torn, told
		}
	}
	return torn, told
}
