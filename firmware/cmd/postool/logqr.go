package main

import (
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"swipewell/firmware/journal/qr"
)

// qr opens what a camera read from the device's screen.
func (t *tool) qr() *cobra.Command {
	l := &logFlags{t: t, form: "short"}
	cmd := &cobra.Command{
		Use:   "qr [FILE…]",
		Short: "entries from the texts of QR codes that the device showed, a line each, in any order",
		Long: "The device's page of the log (menu 9 6 5) shows the last entries, or those of the last transaction, as a row of QR codes. Read them with\n" +
			"anything that reads QR codes, put their texts into files, a line each, or give them on the input. Which ones are missing is said.",
		Example: "  postool log qr codes.txt\n  zbarimg -q --raw photos/*.jpg | postool log qr -o full",
		RunE: func(cmd *cobra.Command, args []string) error {
			var texts []string
			take := func(r io.Reader) error {
				b, err := io.ReadAll(io.LimitReader(r, 1<<20))
				texts = append(texts, strings.Split(string(b), "\n")...)
				return err
			}
			if len(args) == 0 {
				if err := take(cmd.InOrStdin()); err != nil {
					return failure{err}
				}
			}
			for _, name := range args {
				f, err := os.Open(name)
				if err == nil {
					err = take(f)
					f.Close()
				}
				if err != nil {
					return failure{err}
				}
			}
			b, err := qr.Join(texts)
			if err != nil {
				return failure{err}
			}
			es, err := qr.Unpack(b)
			if err != nil {
				return failure{err}
			}
			if _, err := l.ready(); err != nil {
				return err
			}
			for _, e := range es {
				if err := t.entry(l.look(), e); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&l.form, "output", "o", "short", "short, full, json or cat")
	cmd.Flags().BoolVar(&l.utc, "utc", false, "times in UTC")
	return cmd
}
