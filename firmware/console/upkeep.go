package console

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"swipewell/ui/prompt"
	"swipewell/ui/text"
)

// Upkeep is what the console asks of who holds the cable and the slots.
type Upkeep interface {
	// Flash takes a bundle by YMODEM over this console's cable (stream: YMODEM-g),
	// puts it on trial at the next start, and gives its version.
	Flash(ctx context.Context, stream bool) (version string, err error)
	// Restart starts the program again, or says what is under way.
	Restart(ctx context.Context, by string) error
	// Pending tells whether a build waits for a start to be tried.
	Pending() bool
}

func init() {
	commands = append(commands, command{"flash", "[-g]", "h-flash", all, cmdFlash}, command{"reboot", "", "h-reboot", all, cmdReboot})
	for k, v := range map[string][2]string{
		"h-flash":   {"用 YMODEM 接收升级包(sb 文件)", "take a bundle by YMODEM (sb FILE); its signatures are its right to be here"},
		"h-reboot":  {"重新启动程序(技术员、主管;有新程序待试运行时任何人)", "start the program again (staff; anybody while a build waits for its trial)"},
		"no-upkeep": {"本机不接收升级", "this device takes no updates"},
		// without C and G, which a sender would take for the receiver's
		"flash-ready": {"请用 YMODEM 发送升级包;按两次 ^X 放弃", "Send the bundle by YMODEM now; ^X twice gives up"},
		"flash-done":  {"已写入,下次启动试运行;输入 reboot 立即启动: ", "installed, on trial at the next start; reboot starts it now: "},
		"rebooting":   {"正在重新启动", "starting again"},
	} {
		words[k] = v
	}
}

// cmdFlash needs no login: a bundle that is not signed goes nowhere. ADR 43.
func cmdFlash(s *Shell, ctx context.Context, args []string) error {
	stream := len(args) == 1 && args[0] == "-g"
	if len(args) > 0 && !stream {
		return errUsage
	}
	if s.o.Upkeep == nil {
		s.say("no-upkeep")
		return nil
	}
	s.stopFollow()
	s.say("flash-ready")
	v, err := s.o.Upkeep.Flash(ctx, stream)
	if err != nil {
		return s.coded(err)
	}
	s.println(label(s.language(), "flash-done") + v)
	return nil
}

func cmdReboot(s *Shell, ctx context.Context, args []string) error {
	switch {
	case len(args) > 0:
		return errUsage
	case s.o.Upkeep == nil:
		s.say("no-upkeep")
		return nil
	}
	if why, ok := staff.may(s.who()); !ok && !s.o.Upkeep.Pending() {
		s.say(why)
		return nil
	}
	if err := s.o.Upkeep.Restart(ctx, string(s.who())); err != nil {
		return s.coded(err)
	}
	s.say("rebooting")
	return nil
}

// coded says an error that has a code in the console's language.
func (s *Shell) coded(err error) error {
	var c interface{ Code() string }
	if s.language() == "en" || !errors.As(err, &c) {
		return err
	}
	m := text.Get(s.language(), prompt.Code(c.Code()))
	return errors.New(c.Code() + " " + m.Title + "," + m.Next)
}

// Role is who is logged in at this console, and their number.
func (s *Shell) Role() (r Role, number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.role, s.by
}

// noWay are the commands that talk with a person, or with a terminal program.
var noWay = map[string]bool{"login": true, "flash": true, "exit": true, "logout": true}

// Exec runs a command of the table for a program on the same cable, as whoever is
// logged in; ok is false if there is no such command.
func (s *Shell) Exec(ctx context.Context, argv []string) (out string, ok bool) {
	line := strings.Fields(strings.Join(argv, " "))
	if len(line) == 0 || noWay[line[0]] {
		return "", false
	}
	if !slices.ContainsFunc(commands, func(c command) bool { return c.name == line[0] }) {
		return "", false
	}
	var b bytes.Buffer
	sub := NewShell(capture{&b}, s.o)
	s.mu.Lock()
	sub.lang, sub.role, sub.by = s.lang, s.role, s.by
	s.mu.Unlock()
	sub.port.ctx = ctx
	sub.run(ctx, line)
	sub.stopFollow()
	sub.wg.Wait()
	sub.mu.Lock()
	if sub.idle != nil {
		sub.idle()
		sub.idle = nil
	}
	sub.mu.Unlock()
	s.touch()
	return strings.ReplaceAll(b.String(), "\r\n", "\n"), true
}

// capture is a port on which nobody types.
type capture struct{ b *bytes.Buffer }

func (c capture) String() string { return "smp" }
func (c capture) Halt() error    { return nil }
func (c capture) Close() error   { return nil }
func (c capture) SetBaud(int) error {
	return errors.New("no line")
}
func (c capture) Read(context.Context, []byte) (int, error) { return 0, io.EOF }
func (c capture) Write(_ context.Context, p []byte) (int, error) {
	if c.b.Len()+len(p) > 64<<10 { // an answer carries far less
		return len(p), nil
	}
	return c.b.Write(p)
}
