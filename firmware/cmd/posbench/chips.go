package main

import (
	"fmt"
	"sync"

	"github.com/spf13/cobra"

	"swipewell/drivers/iso7816/cardsim"
	"swipewell/firmware/emv/dump"
	"swipewell/firmware/sim/card"
	"swipewell/firmware/sim/world"
)

// wallet gives the chips of the tray: each card is made once and keeps its counter,
// its PIN tries and what scripts did to it, however often it goes in. A card that has
// no chip gives nil, which is mute.
func wallet() world.ChipMaker {
	var mu sync.Mutex
	cards := map[string]*card.Card{}
	return func(name string, p *card.Profile) (*cardsim.Opts, error) {
		mu.Lock()
		defer mu.Unlock()
		if p == nil {
			return nil, fmt.Errorf("no card %q in the tray", name)
		}
		key := name + " " + p.PAN + " " + p.Expiry // another number is another card
		c := cards[key]
		if c == nil {
			var err error
			if c, err = card.New(*p); err != nil {
				return nil, err
			}
			cards[key] = c
		}
		own := c.Profile()
		return &cardsim.Opts{App: c.Transmit, Reset: c.Reset, Protocol: own.Protocol, Knobs: cardsim.Knobs{Mute: own.Mute}}, nil
	}
}

func cardCommand() *cobra.Command {
	return &cobra.Command{Use: "card NAME", Short: "what a chip card of the tray says of itself, as a tree (postool card dump)", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := card.Load(args[0])
			if err != nil {
				return err
			}
			o, err := wallet()(args[0], &p)
			switch {
			case err != nil:
				return err
			case o == nil || o.Mute:
				return fmt.Errorf("%s: no answer to reset", args[0])
			}
			chip := cardsim.New(*o)
			chip.Reset(false)
			tree, err := dump.Read(chip.ATR(), func(capdu []byte) ([]byte, error) { return o.App(capdu), nil })
			if err != nil {
				return err
			}
			fmt.Fprint(c.OutOrStdout(), tree)
			return nil
		}}
}
