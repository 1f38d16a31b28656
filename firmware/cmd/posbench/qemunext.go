package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"swipewell/firmware/image"
	"swipewell/firmware/update/bundle"
)

// nextSuffix names the folder of the build after that of an image, badSuffix that of
// one of the same version that crashes at its start.
const nextSuffix, badSuffix = "-next", "-bad"

// qemuNext makes the build that an update brings: another version, and a function of
// twenty lines more; and one that must not stay, signed as well as it.
func qemuNext() *cobra.Command {
	var f imageFlags
	var next string
	c := &cobra.Command{Use: "next", Short: "the build after that of an image, in a folder beside it: what an update over the cable brings", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		o, err := f.opts()
		if err != nil {
			return err
		}
		now, err := image.ReadManifest(o.Out)
		if err != nil {
			return err
		}
		if o.Version, err = bundle.ParseVersion(next); err != nil {
			return err
		}
		if now.Version == o.Version.String() {
			return fmt.Errorf("qemu: the image is build %s itself", now.Version)
		}
		dir, err := os.MkdirTemp("", "posbench-qemu-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		root, err := filepath.Abs(o.Root)
		if err != nil {
			return err
		}
		if o.Overlay, err = overlayOf(root, dir); err != nil {
			return err
		}
		o.Out += nextSuffix
		m, err := image.Build(cmd.Context(), o)
		if err != nil {
			return err
		}
		bad, err := image.Other(cmd.Context(), o, badProgram, "-X main.behave=crash")
		if err != nil {
			return err
		}
		dir = strings.TrimSuffix(o.Out, nextSuffix) + badSuffix
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		err = os.WriteFile(filepath.Join(dir, image.SlotFile), bad, 0o644)
		if err != nil {
			return err
		}
		fmt.Printf("%s %s in %s, SHA-256 %s; that of %s is %s\n", m.Board, m.Version, o.Out, m.Slot, now.Version, now.Slot)
		return nil
	}}
	f.flags(c)
	c.Flags().StringVar(&next, "next", "0.8.0", "version of the build")
	return c
}
