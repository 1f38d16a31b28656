package soak

import "time"

// Profile is a kind of day.
type Profile struct {
	Name, About string
	Faults      Faults
	Day         func(d *Day, i int)
}

// Profiles are the days that a soak lives through, seed by seed. i counts
// orders; an order and its pause take about 20 virtual seconds.
var Profiles = []Profile{
	{Name: "healthy", About: "no faults: every order is approved and nothing is ever reversed"},
	{Name: "mixed", About: "a little of everything", Faults: Mixed},
	{Name: "dead-line", About: "the line is dead for a day", Faults: Mixed, Day: func(d *Day, i int) {
		switch i % 2000 {
		case 500:
			d.Line(false)
		case 700: // forms that end unsent are quick: the day is made of waiting
			d.l.Wait(24 * time.Hour)
			d.Line(true)
		}
	}},
	{Name: "flapping", About: "the line comes and goes", Faults: Mixed, Day: func(d *Day, i int) { d.Line(i%7 > 1) }},
	{Name: "host-91", About: "the host answers 91 for an hour", Faults: Mixed, Day: func(d *Day, i int) {
		switch i % 1500 {
		case 200:
			d.Host("decline", "91")
		case 400:
			d.Host("decline", "off")
		}
	}},
	{Name: "clock", About: "the wall clock jumps, to 1970 as well", Faults: Mixed, Day: func(d *Day, i int) {
		if i%97 == 0 {
			d.Jump(time.Duration(i%13-6) * 3000 * time.Hour)
		}
		if i%1009 == 0 {
			d.l.Clock.Wall = time.Unix(0, 0).Add(-d.l.Clock.Boot)
		}
	}},
	{Name: "disk", About: "the disk is full, and then fails", Faults: Mixed, Day: func(d *Day, i int) {
		switch i % 1000 {
		case 100:
			d.Disk("full")
		case 110, 320:
			d.Disk("")
		case 300:
			d.Disk("eio")
		}
	}},
	{Name: "day-end", About: "a settlement every hundred orders, during all that", Faults: Mixed, Day: func(d *Day, i int) {
		d.Line(i%11 > 1)
		if i%100 == 99 {
			d.Settle()
		}
	}},
	{Name: "power", About: "the power fails all the time", Faults: func() Faults { f := Mixed; f.Crash = 40; return f }()},
}

// ProfileNamed finds a profile.
func ProfileNamed(name string) (Profile, bool) {
	for _, p := range Profiles {
		if p.Name == name {
			return p, true
		}
	}
	return Profile{}, false
}
