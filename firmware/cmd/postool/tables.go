package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"swipewell/firmware/emv/table"
	"swipewell/firmware/pos"
)

// tables groups the files of keys and applications for chip cards; no device is
// needed for it.
func (t *tool) tables() *cobra.Command {
	c := &cobra.Command{Use: "tables", Short: "files of keys and applications for chip cards: make, show, check, sign; without a device",
		Example: "  postool tables make --version 4 --name \"my bank\" records.hex > bank.tables\n  postool tables sign --key bank.key bank.tables > signed.tables\n  postool tables check --key bank.pub signed.tables",
		Args:    cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	c.AddCommand(t.tablesMake(), t.tablesShow(), t.tablesCheck(), tablesSign())
	return c
}

// tablesMake turns an acquirer's records, a line of hexadecimal each, into a file.
func (t *tool) tablesMake() *cobra.Command {
	var f table.File
	c := &cobra.Command{Use: "make --version N [--name WHO] FILE", Short: "make a file, unsigned, of an acquirer's records: data objects in hexadecimal, one record a line; exit 1 if one is refused",
		Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readTables(args[0])
			if err != nil {
				return err
			}
			var refused []error
			for i, line := range strings.Split(text, "\n") {
				line = strings.ReplaceAll(strings.TrimSpace(line), " ", "")
				if line == "" || line[0] == '#' {
					continue
				}
				if err := addRecord(&f.Set, line); err != nil {
					refused = append(refused, fmt.Errorf("%s:%d: %w", args[0], i+1, err))
				}
			}
			if f.Version < 1 {
				return errors.New("--version: a whole number from 1 on, above that of the file before")
			}
			if _, err := io.WriteString(t.out, f.Text()); err != nil {
				return err
			}
			return wrapped(errors.Join(refused...))
		}}
	c.Flags().IntVar(&f.Version, "version", 0, "of the file; a device takes none below one it has had")
	c.Flags().StringVar(&f.Name, "name", "", "whose tables they are")
	c.MarkFlagRequired("version")
	return c
}

// addRecord tells a key from an application by the index that only a key has.
func addRecord(s *table.Set, line string) error {
	b, err := hex.DecodeString(line)
	if err != nil {
		return errors.New("not hexadecimal")
	}
	if strings.Contains(strings.ToUpper(line), "9F2201") {
		k, err := table.ParseKey(b)
		if err != nil {
			return err
		}
		return s.PutKey(k)
	}
	a, err := table.ParseApp(b)
	if err != nil {
		return err
	}
	return s.PutApp(a)
}

func (t *tool) tablesShow() *cobra.Command {
	return &cobra.Command{Use: "show FILE", Short: "the keys and applications of a file, one line each, with what is refused", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := readTables(args[0])
			if err != nil {
				return err
			}
			f, err := table.ParseFile(text)
			if err != nil {
				return failure{fmt.Errorf("%s: %w", args[0], err)}
			}
			today := time.Now().In(pos.CST).Format("20060102")
			fmt.Fprintf(t.out, "version %d  %s\n", f.Version, f.Name)
			for _, k := range f.Set.Keys() {
				note := ""
				if err := k.Usable(today); err != nil {
					note = "  not used: " + errors.Unwrap(err).Error()
				}
				fmt.Fprintf(t.out, "key  %v  %4d bits  e %X  until %s%s\n", k.KeyID, 8*len(k.Modulus), k.Exponent, k.Expiry, note)
			}
			for _, a := range f.Set.Apps() {
				how := "whole name"
				if a.Partial {
					how = "and longer"
				}
				fmt.Fprintf(t.out, "app  %-32s  %s  version %X  floor %X\n", a.Name(), how, a.Data[0x9F09], a.Data[0x9F1B])
			}
			for _, err := range f.Refused {
				fmt.Fprintf(t.out, "refused  %v\n", err)
			}
			return nil
		}}
}

func (t *tool) tablesCheck() *cobra.Command {
	var key string
	c := &cobra.Command{Use: "check FILE...", Short: "say what is wrong with a file; exit 1 if anything is, be it one record", Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, path := range args {
				text, f, err := goodTables(path)
				if err != nil {
					return err
				}
				signed := "its signature was not looked at"
				if key != "" {
					if signed, err = signedBy(text, key); err != nil {
						return failure{fmt.Errorf("%s: %w", path, err)}
					}
				}
				fmt.Fprintf(t.out, "%s: good, version %d, %d keys, %d applications, %s\n", path, f.Version, len(f.Set.Keys()), len(f.Set.Apps()), signed)
			}
			return nil
		}}
	c.Flags().StringVar(&key, "key", "", "public key (base64, or a file with it): the signature must fit")
	return c
}

func readTables(path string) (string, error) { return readText(path, table.MaxFile) }

// goodTables is a file of which nothing is refused.
func goodTables(path string) (string, *table.File, error) {
	text, err := readTables(path)
	if err != nil {
		return "", nil, err
	}
	f, err := table.ParseFile(text)
	if err == nil {
		err = errors.Join(f.Refused...)
	}
	if err != nil {
		return "", nil, failure{fmt.Errorf("%s: %w", path, err)}
	}
	return text, f, nil
}

func tablesSign() *cobra.Command {
	return signCommand("print FILE with its signature; a file with a record that is refused is not signed", func(path string) (string, error) {
		text, _, err := goodTables(path)
		return text, err
	})
}
