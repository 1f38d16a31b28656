package world

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"swipewell/firmware/pos"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// items of the menu that start what a script asks for.
var items = map[string]prompt.Code{
	"void": prompt.TitleVoid, "refund": prompt.TitleRefund, "balance": prompt.TitleBalance, "preauth": prompt.TitlePreAuth,
	"preauth-void": prompt.TitlePreAuthVoid, "complete": prompt.TitleComplete, "complete-advice": prompt.TitleCompleteAdvice,
	"complete-void": prompt.TitleCompleteVoid, "offline": prompt.TitleOffline, "adjust": prompt.TitleAdjust, "tip": prompt.TitleTip,
	"settle": prompt.MenuSettle, "signon": prompt.MenuSignOn, "signoff": prompt.MenuSignOff, "echo": prompt.MenuEcho, "params": prompt.MenuParams,
	"upload": prompt.MenuUpload, "tables": prompt.MenuTables, "reprint": prompt.MenuReprint, "status": prompt.MenuStatus, "reprint-totals": prompt.MenuLastSettle,
}

// txnCmd presses the keys that start a transaction, then keys each argument
// where the device asks for a number or an amount; "last" takes what the device
// offers.
func (w *World) txnCmd(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return usage("txn KIND [ARG…]")
	}
	if args[0] == "sale" {
		if len(args) > 1 {
			return w.amountCmd(ctx, args[1:])
		}
		if err := w.input(ctx, 5*time.Second, "amount", "ack"); err != nil {
			return err
		}
		return w.press(ctx, hal.KeyCancel)
	}
	item, ok := items[args[0]]
	if !ok {
		return usage("no transaction %q", args[0])
	}
	if err := w.input(ctx, 5*time.Second, "amount", "ack"); err != nil {
		return err
	}
	switch args[0] {
	case "void", "refund", "complete", "complete-advice", "complete-void":
		w.mu.Lock()
		if w.ledger.meant == nil {
			w.ledger.meant = map[string]int{}
		}
		w.ledger.meant[args[0]]++
		w.mu.Unlock()
	}
	for _, name := range txn.MenuKeys(item) {
		k, ok := hal.ParseKey(name)
		if !ok {
			return usage("no key %q", name)
		}
		if err := w.press(ctx, k); err != nil {
			return err
		}
	}
	for _, arg := range args[1:] {
		if err := w.input(ctx, 5*time.Second, "number", "amount"); err != nil {
			return err
		}
		digits := strings.TrimSpace(arg)
		v, _ := w.Panel.View()
		switch {
		case arg == "last":
			digits = ""
		case v.Caption.Input == "amount":
			a, err := pos.ParseAmount(arg)
			if err != nil {
				return usage("txn %s: %q is no amount", args[0], arg)
			}
			digits = strconv.FormatInt(a.Minor, 10)
		}
		if strings.Trim(digits, "0123456789") != "" {
			return usage("txn %s: %q has more than digits", args[0], arg)
		}
		if err := w.keys(ctx, digits); err != nil {
			return err
		}
	}
	return nil
}

// loginCmd logs a role in at the service port, with the bench's PINs.
func (w *World) loginCmd(ctx context.Context, args []string) error {
	if len(args) != 1 || !slices.Contains([]string{"cashier", "supervisor", "technician", "engineer"}, args[0]) {
		return usage("login cashier|supervisor|technician|engineer")
	}
	return w.login(ctx, args[0])
}
