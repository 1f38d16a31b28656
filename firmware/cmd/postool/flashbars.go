package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"swipewell/firmware/flash"
)

// bars show each terminal: a bar where the output is a terminal, else a line for
// each every ten seconds. What a human should do is a line of its own, once.
type bars struct {
	w    io.Writer
	p    *mpb.Progress // nil: lines
	mu   sync.Mutex    // of by
	line sync.Mutex    // of w
	by   map[string]*flashBar
	wait time.Duration // between lines
}

type flashBar struct {
	bar   *mpb.Bar
	last  flash.Progress
	told  string
	shown time.Time
	stage flash.Stage
}

const lineEvery = 10 * time.Second

func newBars(w io.Writer, ports []flash.Found) *bars {
	b := &bars{w: w, by: map[string]*flashBar{}, wait: lineEvery}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		b.p = mpb.New(mpb.WithOutput(w), mpb.WithWidth(24))
	}
	for _, p := range ports {
		x := &flashBar{last: flash.Progress{Port: p.Path}}
		b.by[p.Path] = x
		if b.p == nil {
			continue
		}
		text := func(of func(flash.Progress) string) decor.Decorator {
			return decor.Any(func(decor.Statistics) string {
				b.mu.Lock()
				defer b.mu.Unlock()
				return of(x.last)
			})
		}
		x.bar = b.p.New(0, mpb.BarStyle().Lbound("[").Filler("#").Tip("#").Padding("-").Rbound("]"),
			mpb.PrependDecorators(text(barName)), mpb.AppendDecorators(text(barText)))
	}
	return b
}

func barName(p flash.Progress) string {
	if p.Name != "" {
		return p.Name + " "
	}
	return p.Port + " "
}

// barText is what stands behind a bar: the transfer in figures, else the stage.
func barText(p flash.Progress) string {
	if p.Stage != flash.Sending {
		s := " " + string(p.Stage)
		if p.Stage == flash.OnTrial {
			s += " " + p.Words
		}
		return s
	}
	share := int64(0)
	if p.All > 0 {
		share = 100 * p.Have / p.All
	}
	s := fmt.Sprintf(" %3d %%  %d of %d kB", share, p.Have>>10, p.All>>10)
	if p.Rate > 0 {
		s += fmt.Sprintf("  %.1f kB/s", p.Rate/1024)
	}
	if p.ETA > 0 {
		s += "  ETA " + p.ETA.Round(time.Second).String()
	}
	if p.Saved > 0 {
		s += fmt.Sprintf("  %d kB saved", p.Saved>>10)
	}
	if p.Kept > 0 {
		s += fmt.Sprintf("  %d kB were there", p.Kept>>10)
	}
	return fmt.Sprintf("%s  %d baud", s, p.Baud)
}

// show takes a progress; any goroutine may call it.
func (b *bars) show(p flash.Progress) {
	b.mu.Lock()
	x := b.by[p.Port]
	x.last = p
	told := p.Stage == flash.Waiting && p.Words != x.told // how it ended is in the report
	if told {
		x.told = p.Words
	}
	line := b.p == nil && (p.Stage != x.stage || time.Since(x.shown) >= b.wait)
	if line {
		x.shown, x.stage = time.Now(), p.Stage
	}
	b.mu.Unlock()
	out := b.w
	if b.p != nil {
		out = b.p
		x.bar.SetTotal(p.All, p.Stage == flash.Ended)
		x.bar.SetCurrent(p.Have)
		if p.Stage == flash.Ended {
			x.bar.Abort(false)
		}
	}
	b.line.Lock()
	defer b.line.Unlock()
	switch {
	case told:
		fmt.Fprintf(out, "%s: %s\n", strings.TrimSpace(barName(p)), p.Words)
	case line && p.Stage != flash.Ended:
		fmt.Fprintf(out, "%s: %s%s\n", strings.TrimSpace(barName(p)), p.Stage, strings.TrimPrefix(barText(p), " "+string(p.Stage)))
	}
}

func (b *bars) end() {
	if b.p != nil {
		b.p.Wait()
	}
}
