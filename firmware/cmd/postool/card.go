package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"swipewell/drivers/pcsc"
	"swipewell/drivers/vpcd"
	"swipewell/firmware/board"
	"swipewell/firmware/emv/dump"
	"swipewell/hal"
)

// reader says which slot a card is to be read in.
type reader struct {
	pcsc, name, vpcd, board string
	wait                    time.Duration
}

// card groups what is asked of a chip card; no device is needed, and none may hold the slot.
func (t *tool) card() *cobra.Command {
	c := &cobra.Command{Use: "card", Short: "a chip card in a reader of this machine, without a device",
		Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	var r reader
	d := &cobra.Command{
		Use:   "dump",
		Short: "what a chip card says of itself, as a tree: numbers masked, tracks and names not shown",
		Long: `dump reads a card: directory, applications, profile, file locator, records, counters. Each application's
transaction counter rises by one; no cryptogram is asked for and no PIN is tried. The card number is masked; tracks,
names and certificates are told by their length.`,
		Example: "  postool card dump --pcsc " + pcsc.DefaultSocket + "\n  postool card dump --vpcd 127.0.0.1:35963\n  postool card dump --board board.toml",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return t.cardDump(cmd.Context(), r) },
	}
	f := d.Flags()
	f.StringVar(&r.pcsc, "pcsc", "", "socket of pcscd")
	f.StringVar(&r.name, "reader", "", "with --pcsc: the reader's name, else the first")
	f.StringVar(&r.vpcd, "vpcd", "", "address at which a virtual card connects")
	f.StringVar(&r.board, "board", "", "a board file: its [icc]")
	f.DurationVar(&r.wait, "wait", 30*time.Second, "how long to wait for a card")
	d.MarkFlagsOneRequired("pcsc", "vpcd", "board")
	d.MarkFlagsMutuallyExclusive("pcsc", "vpcd", "board")
	c.AddCommand(d)
	return c
}

// open is the slot and what closes it.
func (r reader) open() (hal.ChipReader, io.Closer, error) {
	switch {
	case r.pcsc != "":
		s, err := pcsc.New(pcsc.Opts{Socket: r.pcsc, Reader: r.name, Clock: hal.SystemClock{}})
		return s, s, err
	case r.vpcd != "":
		s, err := vpcd.Listen(vpcd.Opts{Addr: r.vpcd, Clock: hal.SystemClock{}})
		return s, s, err
	}
	f, err := board.Read(r.board)
	if err != nil {
		return nil, nil, err
	}
	b, err := f.OpenSlot()
	if err != nil {
		return nil, nil, err
	}
	return b.Chip, b, nil
}

func (t *tool) cardDump(ctx context.Context, r reader) error {
	slot, c, err := r.open()
	if err != nil {
		return failure{err}
	}
	defer c.Close()
	waiting, cancel := context.WithTimeout(ctx, r.wait)
	defer cancel()
	if err := slot.WaitCard(waiting, true); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("no card in %v", r.wait)
		}
		return failure{err}
	}
	reset, err := slot.PowerUp(ctx)
	if err != nil {
		return failure{err}
	}
	defer slot.PowerDown()
	tree, err := dump.Read(reset.ATR, func(capdu []byte) ([]byte, error) { return slot.Transmit(ctx, nil, capdu) })
	if t.json {
		if e := json.NewEncoder(t.out).Encode(tree); e != nil {
			return failure{e}
		}
	} else {
		fmt.Fprint(t.out, tree)
	}
	if err != nil {
		return failure{fmt.Errorf("the card was not read to its end: %w", err)}
	}
	return nil
}
