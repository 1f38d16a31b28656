package tty_test

import (
	"testing"

	"swipewell/drivers/tty"
	"swipewell/hal/haltest"
)

func TestConformance(t *testing.T) {
	haltest.ServicePort(t, func(t *testing.T) haltest.ServicePortBench {
		far, p := pair(t, tty.Opts{Baud: 115200})
		return haltest.ServicePortBench{Port: p, Far: far}
	})
}
