// Command posd is the device: it opens the board, the store and the way to the
// host, and serves the cashier until it is told to stop.
//
//	posd --board FILE --data DIR
//
// It logs JSON lines to standard error and to DIR/journal, answers
// postool on DIR/posd.sock, and stops cleanly on SIGTERM.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"swipewell/firmware/board"
	"swipewell/firmware/card"
	"swipewell/firmware/jail"
	"swipewell/firmware/journal"
	"swipewell/firmware/store"
	"swipewell/firmware/terminal"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// version is set by the linker where a build has one.
var version = "dev"

func main() {
	err := jail.Steady()
	if err == nil {
		err = jail.Hush()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "posd:", err)
		os.Exit(1)
	}
	os.Exit(run(os.Args[1:]))
}

const usage = `posd is the card terminal's firmware.

Usage:
  posd --board FILE --data DIR

Flags:
  --board FILE  board file (TOML)
  --data DIR    folder for the store, the journal and the service socket
  --version     the version, and ends
`

// run is the command line, and gives the exit status. The two words that posd
// starts itself with are told nowhere else. The library of the other commands
// is half a megabyte, for a program with two flags on a device with little
// flash.
func run(args []string) int {
	if len(args) > 0 {
		switch word, rest := args[0], args[1:]; {
		case word == "judge" && len(rest) == 1: // reads a store in a process with limits, and says what is wrong with it
			return store.JudgeMain(rest[0])
		case word == "judges": // starts judges for the posd whose pipe this is
			return judgesMain(rest)
		}
	}
	var boardFile, data string
	var told bool
	flags := flag.NewFlagSet("posd", flag.ContinueOnError)
	flags.StringVar(&boardFile, "board", "", "")
	flags.StringVar(&data, "data", "", "")
	flags.BoolVar(&told, "version", false, "")
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(usage)
		return 0
	case err != nil:
	case told:
		fmt.Println("posd", version)
		return 0
	case flags.NArg() > 0:
		err = fmt.Errorf("unknown word %q", flags.Arg(0))
	case boardFile == "" || data == "":
		err = errors.New("--board FILE and --data DIR are needed")
	default:
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		err = serve(ctx, boardFile, data)
	}
	if errors.Is(err, errRestart) {
		return exitRestart
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "posd:", err)
		return 1
	}
	return 0
}

// serve runs the device until ctx ends or the bench takes the power.
func serve(ctx context.Context, boardFile, data string) error {
	var conceal [16]byte
	rand.Read(conceal[:]) // never fails
	card.Conceal(conceal)
	clear(conceal[:])
	f, err := board.Read(boardFile)
	if err != nil {
		return fmt.Errorf("%s: %w", prompt.BoardFile, err)
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	late := &lateJournal{}
	b := f.Open(board.Opts{Event: late.event})
	defer b.Close()
	d := &device{file: f, board: b, data: data, start: b.Clock.Now()}
	var crashErr error
	j, err := journal.Open(journal.Opts{First: func(j *journal.Journal) { crashErr = catchCrash(j, filepath.Join(data, "crash.txt")) },
		Dir: filepath.Join(data, "journal"), Clock: b.Clock, Mirror: os.Stderr, Open: d.openCases, DayBytes: f.Log.DayBytes(), MaxBytes: f.Log.Bytes(),
		Age: time.Duration(f.Log.KeepDays) * 24 * time.Hour, Grave: time.Duration(f.Log.Grave) * 24 * time.Hour})
	if j == nil {
		return err
	}
	defer j.Close()
	late.open(j)
	log := slog.New(j.Handler())
	if err != nil {
		log.Error("journal", "err", err)
	}
	d.journal, d.log = j, log
	if crashErr != nil {
		log.Warn("crash", "err", crashErr)
	}
	j.Record(journal.Event{Code: prompt.LogBoot, Source: "posd", Fields: []journal.Field{journal.Word("version", version), journal.Word("board", f.Name)}})
	for _, r := range b.Report {
		lvl := slog.LevelInfo
		if r.State == hal.Failed {
			lvl = slog.LevelError
		}
		j.Record(journal.Event{Code: prompt.LogDevice, Level: lvl, Source: "board", Fields: []journal.Field{
			journal.Word("device", r.Device), journal.Word("state", r.State.String()), journal.Word("driver", r.Driver), journal.Word("why", r.Why)}})
	}
	for _, why := range f.Wrong() {
		j.Record(journal.Event{Code: prompt.BoardFile, Level: slog.LevelError, Source: "board", Fields: []journal.Field{journal.Err(errors.New(why))}})
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if b.Gone != nil {
		go func() {
			<-b.Gone
			cancel(errGone)
		}()
	}
	if err := d.settle(); err != nil {
		log.Error("process", "err", err)
		return err
	}
	defer d.judges.Close()
	go func() { // whoever watches over posd starts both again
		select {
		case <-d.judges.Gone():
			cancel(store.ErrJudges)
		case <-ctx.Done():
		}
	}()
	d.openUpdates(ctx, cancel)
	late.mu.Lock()
	late.then = d.redraw
	late.mu.Unlock()
	go d.watchTamper(ctx)
	go d.watchKernel(ctx)
	if err := d.findDog(); err != nil {
		return err
	}
	go d.live(ctx)
	err = d.run(ctx)
	j.Record(journal.Event{Code: prompt.LogStop, Source: "posd"})
	for _, why := range []error{errGone, store.ErrJudges, errRestart} {
		if errors.Is(context.Cause(ctx), why) {
			return why
		}
	}
	return err
}

var errGone = errors.New("the panel is gone: on a bench, that is the power")

// pauses between starts after a failed commit: what stopped it may last.
var pauses = [...]time.Duration{100 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second}

// run serves, and starts again through the boot path after a failed commit.
func (d *device) run(ctx context.Context) error {
	if err := d.listen(ctx); err != nil {
		d.log.Error("service", "err", err)
	}
	d.lock()
	for fails := 0; ; fails++ {
		began := d.board.Clock.Now().Boot
		err := d.session(ctx)
		if ctx.Err() != nil {
			return err
		}
		if errors.Is(err, errAgain) || errors.Is(err, hal.ErrTampered) {
			fails = -1
			continue
		}
		if !errors.Is(err, terminal.ErrCommit) {
			return err
		}
		d.log.Error("starting again from what is on flash", "err", err)
		if d.board.Clock.Now().Boot-began > time.Minute {
			fails = 0
		}
		if hal.Sleep(ctx, d.board.Clock, pauses[min(fails, len(pauses)-1)]) != nil {
			return nil
		}
	}
}
