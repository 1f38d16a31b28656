// Command postool asks a running posd how it is, over its service socket: for
// technicians and field engineers. It never opens the data directory's files:
// posd holds them.
//
// Sources:
//   - WIRE: firmware/doc/wire.md, the service socket
//
// Exit status: 0 done; 1 the device says no, or a check failed; 2 the command
// line is wrong; 3 posd cannot be reached. flash has some more, which its --help lists.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"swipewell/firmware/console"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit status.
const (
	exitOK          = 0
	exitRefused     = 1
	exitUsage       = 2
	exitUnreachable = 3
)

// failure is an error of a command that was understood.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

func run(ctx context.Context, args []string, out, errs io.Writer) int {
	t := &tool{out: out}
	defer t.hangUp()
	cmd := newRoot(t)
	cmd.SetArgs(bootHabit(args))
	cmd.SetOut(out)
	cmd.SetErr(errs)
	err := cmd.ExecuteContext(ctx)
	var away *console.Unreachable
	var did failure
	var end flashEnd
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &end):
		fmt.Fprintf(errs, "postool: %v\n", err)
		return end.code
	case errors.As(err, &away):
		fmt.Fprintf(errs, "postool: %v\n  %s\n", away, away.Hint())
		return exitUnreachable
	case errors.As(err, &did):
		fmt.Fprintf(errs, "postool: %v\n", err)
		return exitRefused
	}
	fmt.Fprintf(errs, "postool: %v\n  try: postool --help\n", err)
	return exitUsage
}
