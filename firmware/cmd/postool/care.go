package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"swipewell/firmware/care"
	"swipewell/firmware/console"
	"swipewell/firmware/txn"
	"swipewell/ui/text"
)

// page prints a page of the device's screen.
func (t *tool) page() *cobra.Command {
	return &cobra.Command{Use: "page NAME", Short: "a page of the screen: " + strings.Join(txn.PageNames(), " "), Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return t.printPage(cmd, args[0]) }}
}

func (t *tool) why() *cobra.Command {
	return &cobra.Command{Use: "why", Short: "why things go wrong lately: the cause, how sure, the evidence with its weights", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return t.printPage(cmd, "why") }}
}

func (t *tool) printPage(cmd *cobra.Command, name string) error {
	return t.ask(cmd.Context(), console.Request{Cmd: "page", Name: name, Lang: t.lang()}, func(r console.Reply) error {
		var s string
		if err := json.Unmarshal(r.Data, &s); err != nil {
			return err
		}
		fmt.Fprintln(t.out, s)
		return nil
	})
}

// alerts lists what waits for somebody, and gives the receipt.
func (t *tool) alerts() *cobra.Command {
	var all, follow, take bool
	c := &cobra.Command{Use: "alerts", Short: "what the device tells the acquirer, maintenance, security: those that nobody has taken", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := console.Request{Cmd: "alerts", Follow: follow}
			if all {
				q.Name = "all"
			}
			var list []care.Alert
			err := t.ask(cmd.Context(), q, func(r console.Reply) error {
				var a care.Alert
				if err := json.Unmarshal(r.Data, &a); err != nil {
					return err
				}
				console.WriteAlert(t.out, a)
				if take && follow && a.Taken == 0 {
					return t.ask(cmd.Context(), console.Request{Cmd: "take", N: a.N}, func(console.Reply) error { return nil })
				}
				list = append(list, a)
				return nil
			})
			if err != nil || !take {
				return err
			}
			for _, a := range list {
				if a.Taken == 0 {
					if err := t.ask(cmd.Context(), console.Request{Cmd: "take", N: a.N}, func(console.Reply) error { return nil }); err != nil {
						return err
					}
				}
			}
			return nil
		}}
	f := c.Flags()
	f.BoolVar(&all, "all", false, "also those that were taken")
	f.BoolVarP(&follow, "follow", "f", false, "go on with new ones until interrupted")
	f.BoolVar(&take, "take", false, "give the receipt for each that is printed: the device counts it as delivered")
	return c
}

// limits is the report for the bank, for a spreadsheet or for people.
func (t *tool) limits() *cobra.Command {
	var asCSV bool
	c := &cobra.Command{Use: "limits", Short: "what banks' limits cost in thirty days: codes, counts, sums", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := csv.NewWriter(t.out)
			defer w.Flush()
			if asCSV && !t.json {
				if err := w.Write([]string{"code", "count", "sum", "paid_otherwise", "lost", "first", "last"}); err != nil {
					return err
				}
			}
			return t.ask(cmd.Context(), console.Request{Cmd: "limits"}, func(r console.Reply) error {
				var l care.LimitSum
				if err := json.Unmarshal(r.Data, &l); err != nil {
					return err
				}
				at := func(n int64) string { return time.Unix(n, 0).UTC().Add(care.Zone).Format("2006-01-02 15:04:05") }
				money := func(n int64) string { return fmt.Sprintf("%d.%02d", n/100, n%100) }
				if asCSV {
					return w.Write([]string{l.RC, strconv.Itoa(l.N), money(l.Sum), strconv.Itoa(l.Won), money(l.Lost), at(l.First), at(l.Last)})
				}
				fmt.Fprintf(t.out, "%s  %4d times  %12s  %4d paid another way  %12s lost  %s - %s\n", l.RC, l.N, money(l.Sum), l.Won, money(l.Lost), at(l.First), at(l.Last))
				return nil
			})
		}}
	c.Flags().BoolVar(&asCSV, "csv", false, "comma-separated, with a head")
	return c
}

// seals prints the chain of what must be provable; exit 1 if it was changed.
func (t *tool) seals() *cobra.Command {
	return &cobra.Command{Use: "seals", Short: "the chain of sealed entries: approvals, refunds, rules, tickets, ...; exit 1 if it was changed", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n := 0
			err := t.ask(cmd.Context(), console.Request{Cmd: "seals"}, func(r console.Reply) error {
				var s care.Seal
				if err := json.Unmarshal(r.Data, &s); err != nil {
					return err
				}
				n++
				fmt.Fprintf(t.out, "%6d  %s  %-20s %-28s by %02d  %s\n", s.N, time.Unix(s.At, 0).UTC().Add(care.Zone).Format("2006-01-02 15:04:05"), text.Line(t.lang(), s.What), s.Text, s.By, s.Mac[:16])
				return nil
			})
			if err == nil && !t.json {
				fmt.Fprintf(t.out, "%d entries, the chain is whole\n", n)
			}
			return err
		}}
}
