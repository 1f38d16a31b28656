package pos

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Currency is an ISO4217 numeric code.
type Currency uint16

// CNY is the yuan: two decimals.
const CNY Currency = 156

// Amount is money in minor units (fen). Never a float.
type Amount struct {
	Minor    int64
	Currency Currency
}

// Yuan makes an amount of so many fen.
func Fen(minor int64) Amount { return Amount{Minor: minor, Currency: CNY} }

// MaxMinor is what DE 4 (n12) can carry.
const MaxMinor = 999_999_999_999

// String is the amount with two decimals and no sign of currency: "12.80".
func (a Amount) String() string {
	sign, m := "", a.Minor
	if m < 0 {
		sign, m = "-", -m
	}
	return fmt.Sprintf("%s%d.%02d", sign, m/100, m%100)
}

// ErrAmount says that a text is not an amount.
var ErrAmount = errors.New("pos: not an amount")

// ParseAmount reads "12.80", "12.8" or "12" as CNY; no sign, no grouping.
func ParseAmount(s string) (Amount, error) {
	whole, frac, _ := strings.Cut(s, ".")
	if len(frac) > 2 || whole == "" || strings.HasSuffix(s, ".") {
		return Amount{}, fmt.Errorf("%w: %q", ErrAmount, s)
	}
	frac += "00"[len(frac):]
	for _, r := range whole + frac {
		if r < '0' || r > '9' {
			return Amount{}, fmt.Errorf("%w: %q", ErrAmount, s)
		}
	}
	m, err := strconv.ParseInt(whole+frac, 10, 64)
	if err != nil || m > MaxMinor {
		return Amount{}, fmt.Errorf("%w: %q", ErrAmount, s)
	}
	return Fen(m), nil
}
