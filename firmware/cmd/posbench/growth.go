package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"swipewell/firmware/backup"
	"swipewell/firmware/pos"
	"swipewell/firmware/sim/powercut"
	"swipewell/firmware/sim/soak"
	"swipewell/firmware/sim/world"
	"swipewell/firmware/store"
)

type noSeal struct{}

func (noSeal) Seal(pos.CardRef, []byte) ([]byte, error) { return make([]byte, 64), nil }

func (noSeal) Image(pos.Record, []byte) ([]byte, error) { return make([]byte, 232), nil }

// plainLog stands in for the key store: as long as what AES-GCM makes.
type plainLog struct{}

func (plainLog) Seal(dst, plain, _ []byte) ([]byte, error) {
	return append(append(dst, make([]byte, 28)...), plain...), nil
}
func (plainLog) Open(dst, sealed, _ []byte) ([]byte, error) { return append(dst, sealed[28:]...), nil }

// figure is what one sale costs a store.
type figure struct {
	commits, bytes float64
	took           time.Duration // the median of many
}

// stock is a store to begin with.
type stock struct{ rows, records int }

func benchID(i int) pos.RecordID {
	return pos.RecordID{Context: "bench", Batch: 1, STAN: pos.STAN(i + 1)}
}

func benchSale(i int) pos.Sale {
	return pos.Sale{RecordID: benchID(i), Kind: pos.KindSale, Amount: pos.Fen(1280), Asked: pos.Fen(1280), Card: pos.CardRef{byte(i)},
		Masked: "622588*********0010", Entry: "021", RC: "00", RRN: "123456789012", AuthCode: "123456", HostTime: "1123120000"}
}

func benchRecord(i int, c pos.Class, st pos.RecordState) pos.Record {
	return pos.Record{RecordID: benchID(i), Class: c, Kind: pos.KindSale, State: st, Amount: pos.Fen(1280), Card: pos.CardRef{byte(i)},
		Masked: "622588*********0010", Process: "000000", Entry: "021", Condition: "00", Type60: "2200000100050", Reason: "98", Next: 1 << 60}
}

// growth makes the three commits of a sale, with the side log before each, on
// a store that holds so much already. It lies on a RAM disk: what is measured
// is the work, not the flash.
func growth(dir string, have stock, measure int) (f figure, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return f, err
	}
	defer os.RemoveAll(dir)
	st, err := store.Open(filepath.Join(dir, "state.db"), store.Opts{})
	if err != nil {
		return f, err
	}
	defer st.Close()
	state := []byte(`{"pad":"` + strings.Repeat("s", 900) + `"}`) // about the size of a real State
	for i := 0; i < max(have.rows, have.records); {
		c := store.Change{State: state}
		for n := 0; n < 1000 && i < max(have.rows, have.records); n++ {
			if i < have.rows {
				c.PutSale = append(c.PutSale, benchSale(i))
			}
			if i < have.records {
				c.PutRecord = append(c.PutRecord, benchRecord(i, pos.ClassAdvice, pos.RecordQueued))
			}
			i++
		}
		if err := st.Commit(c, noSeal{}); err != nil {
			return f, err
		}
	}
	log, err := backup.NewLog(filepath.Join(dir, "side"), st.ID(), 0, plainLog{})
	if err != nil {
		return f, err
	}
	defer log.Close()
	st.SetLog(log)
	c0, b0 := st.Stats()
	var took []time.Duration
	for i := have.rows; i < have.rows+measure; i++ {
		rev := benchRecord(i, pos.ClassReversal, pos.RecordArmed)
		row := benchSale(i)
		done := row
		done.Printed = true
		began := time.Now()
		if err := st.Room(); err != nil {
			return f, err
		}
		for _, c := range []store.Change{
			{State: state, PutRecord: []pos.Record{rev}},
			{State: state, DropRecord: []store.RecordKey{{Class: rev.Class, ID: rev.RecordID}}, PutSale: []pos.Sale{row}},
			{State: state, PutSale: []pos.Sale{done}, Aside: true},
		} {
			if err := st.Commit(c, noSeal{}); err != nil {
				return f, err
			}
		}
		took = append(took, time.Since(began))
	}
	c1, b1 := st.Stats()
	return figure{float64(c1-c0) / float64(measure), float64(b1-b0) / float64(measure), median(took)}, nil
}

func benchStore(ctx context.Context, o world.Opts, dir string) ([]row, error) {
	ram, err := os.MkdirTemp(ramDisk(), "posbench-growth-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(ram)
	stocks := []stock{{0, 0}, {10_000, 0}, {100_000, 0}, {10_000, 10_000}}
	have := map[stock]figure{}
	for round := range 4 { // one to warm up, then the best of three
		for _, x := range stocks {
			f, err := growth(filepath.Join(ram, "s"), x, 500)
			if err != nil {
				return nil, err
			}
			if old := have[x]; round <= 1 || f.took < old.took {
				have[x] = f
			}
		}
	}
	var rows []row
	for i, x := range stocks {
		f, base, goal := have[x], have[stocks[1]], "± 20 % of 10,000"
		switch i {
		case 0:
			goal = ""
		case 1:
			base, goal = have[stocks[0]], "≤ 2.5 × empty"
		}
		if goal != "" {
			goal += fmt.Sprintf(": %.2f × bytes, %.2f × time", f.bytes/base.bytes, float64(f.took)/float64(base.took))
		}
		rows = append(rows, row{fmt.Sprintf("a sale, %d in the batch, %d in the outbox: bytes, time", x.rows, x.records),
			fmt.Sprintf("%.0f B, %.0f µs", f.bytes, float64(f.took.Nanoseconds())/1000), goal})
	}
	// The whole terminal, too: what the loop does of each step.
	none := time.Duration(0)
	for _, have := range []int{0, 10_000} {
		d, err := soak.Pace(filepath.Join(ram, fmt.Sprint("pace", have)), have, 400)
		if err != nil {
			return nil, err
		}
		goal := ""
		if none == 0 {
			none = d
		} else {
			goal = fmt.Sprintf("≤ 3 × with none: %.2f ×", float64(d)/float64(none))
		}
		rows = append(rows, row{fmt.Sprintf("a whole sale, terminal and host in one process, %d advices waiting", have), fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000), goal})
	}
	real, err := growthOnDisk(filepath.Join(dir, "disk"))
	if err != nil {
		return nil, err
	}
	rows = append(rows, row{"a sale on this disk, 10,000 in the batch: commits, time", fmt.Sprintf("%.0f, %.2f ms", real.commits, float64(real.took.Microseconds())/1000), ""})
	return append(rows, benchSyncs(ctx, o)...), nil
}

func growthOnDisk(dir string) (figure, error) { return growth(dir, stock{10_000, 0}, 100) }

// benchSyncs counts what a sale makes durable, by a disk that sees each sync.
func benchSyncs(ctx context.Context, o world.Opts) []row {
	o.Dir += "-syncs"
	n, err := powercut.SyncsPerSale(ctx, o, 8)
	switch {
	case errors.Is(err, powercut.ErrNoFUSE):
		return []row{{"fdatasyncs of a sale", "needs FUSE", "6 before the customer is told"}}
	case err != nil:
		return []row{{"fdatasyncs of a sale", err.Error(), "6 before the customer is told"}}
	}
	return []row{{"fdatasyncs of a sale: before the customer is told, behind", fmt.Sprintf("%d, %d", n.Before, n.Behind), "6 before the customer is told"}}
}

// benchDrain forwards 200 offline sales over a line of 9,600 bit/s, with a sale
// in the midst of them; then 10,000 in virtual time.
func benchDrain(ctx context.Context, o world.Opts) ([]row, error) {
	const count, rate = 200, 9600
	o.Dir += "-drain"
	w, err := world.New(o)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	steps := [][]string{{"profile", "offline.each=500.00", "offline.total=500000.00", "offline.count=1000", "offline.age=24h"}, {"start"}, {"txn", "signon"}, {"clock", "advance", "5s"}, {"line", "down"}}
	for i := range count { // a card each: the rules have nothing to ask
		name := fmt.Sprintf("advice-%d", i)
		steps = append(steps, []string{"card", name}, []string{"txn", "offline", "1.00", "123456"}, []string{"swipe", name}, []string{"key", "enter"}, []string{"key", "enter"})
	}
	steps = append(steps, []string{"line", "up"}, []string{"line", "rate", fmt.Sprint(rate)})
	for _, s := range steps {
		if err := w.Do(ctx, s[0], s[1:]...); err != nil {
			return nil, fmt.Errorf("%v: %w", s, err)
		}
	}
	d, err := w.Drain(ctx, count, rate, progressTo(os.Stderr))
	if err != nil {
		return nil, err
	}
	v, err := soak.Drain(filepath.Join(o.Dir, "virtual"), 10_000, rate)
	if err != nil {
		return nil, err
	}
	return []row{
		{fmt.Sprintf("%d advices over 9,600 bit/s: the line is busy", count), fmt.Sprintf("%.1f %%", 100*d.Busy), "≥ 90 %"},
		{"messages that a sale in the midst of them waits for", fmt.Sprint(d.Waited), "≤ 1"},
		{"10,000 advices over 9,600 bit/s, virtual time: busy", fmt.Sprintf("%.1f %% in %v", 100*v.Busy, v.Took.Round(time.Second)), "≥ 90 %"},
	}, nil
}
