package main

import (
	"bufio"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// lifeFD is where posd finds the pipe of its signs of life; SWIPEWELL_LIFE names it.
const lifeFD = 3

func (m *machine) child() int { return int(m.pid.Load()) }

// start starts posd with two pipes: what it logs, and its signs of life.
func (m *machine) start() error {
	logR, logW, err := os.Pipe()
	if err != nil {
		return err
	}
	defer logW.Close()
	lifeR, lifeW, err := os.Pipe()
	if err != nil {
		return err
	}
	defer lifeW.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	env := []string{"SWIPEWELL_SLOT=" + m.slot, fmt.Sprintf("SWIPEWELL_LIFE=%d", lifeFD), "GOTRACEBACK=single", "PATH=", "HOME=/"}
	select {
	case <-m.life: // of the one before
	default:
	}
	m.last = m.now()
	m.starting.Lock()
	p, err := os.StartProcess(m.plan.Posd[0], m.plan.Posd, &os.ProcAttr{Dir: "/", Env: env, Files: []*os.File{null, logW, logW, lifeW}})
	if err == nil {
		m.pid.Store(int64(p.Pid))
		p.Release()
	}
	m.starting.Unlock()
	if err != nil {
		logR.Close()
		lifeR.Close()
		return err
	}
	go func() {
		defer logR.Close()
		sc := bufio.NewScanner(logR)
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			m.log.line(sc.Text())
		}
	}()
	go func() {
		defer lifeR.Close()
		var b [16]byte
		for {
			if n, err := lifeR.Read(b[:]); n == 0 || err != nil {
				return
			}
			select {
			case m.life <- struct{}{}:
			default:
			}
		}
	}()
	return nil
}

func (m *machine) signal(s unix.Signal) {
	if pid := m.child(); pid > 0 {
		unix.Kill(pid, s)
	}
}
