package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"swipewell/firmware/image"
	"swipewell/firmware/store"
	"swipewell/firmware/update/bundle"
)

// imageFlags are the places of an image, beside the tree that it is built from.
type imageFlags struct{ board, root, out, version string }

func (f *imageFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.board, "board", "qemu-arm64", "qemu-arm64 or qemu-armv7")
	c.Flags().StringVar(&f.root, "root", ".", "the source tree")
	c.Flags().StringVar(&f.out, "out", "", "folder of the image (default: ROOT/out/image/BOARD)")
	c.Flags().StringVar(&f.version, "version", "0.7.0", "of the build")
}

func (f *imageFlags) opts() (o image.Opts, err error) {
	if o.Board, err = image.Find(f.board); err != nil {
		return o, err
	}
	if o.Version, err = bundle.ParseVersion(f.version); err != nil {
		return o, err
	}
	lo, hi := store.Schemas()
	o.Schemas = bundle.Schemas{Lo: uint16(lo), Hi: uint16(hi)}
	o.Root, o.Cache, o.Keys, o.Out = f.root, filepath.Join(f.root, "out", "kernels"), filepath.Join(f.root, "out", "image", "keys"), f.out
	if o.Out == "" {
		o.Out = filepath.Join(f.root, "out", "image", f.board)
	}
	o.Say = func(s string) { fmt.Fprintln(os.Stderr, "image:", s) }
	return o, nil
}

func imageCommand() *cobra.Command {
	var f imageFlags
	c := &cobra.Command{Use: "image", Short: "a bootable disk of a board, from Debian's kernel, init and posd", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		o, err := f.opts()
		if err != nil {
			return err
		}
		m, err := image.Build(cmd.Context(), o)
		if err != nil {
			return err
		}
		fmt.Printf("%s %s in %s\n  kernel  %9d bytes  %s\n  archive %9d bytes  posd %d, init %d, %d modules\n", m.Board, m.Version, o.Out, m.Sizes.Kernel, m.Kernel, m.Sizes.Archive, m.Sizes.Posd, m.Sizes.Init, len(m.Modules))
		fmt.Printf("  slot    %9d bytes  SHA-256 %s\n", m.Sizes.Slot, m.Slot)
		return nil
	}}
	f.flags(c)
	return c
}
