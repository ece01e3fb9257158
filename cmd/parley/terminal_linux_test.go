package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// openTerminal makes a pseudo-terminal: the test's side and the program's.
func openTerminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { ours.Close() })
	ioctl := func(req uintptr, v *uint32) {
		if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, ours.Fd(), req, uintptr(unsafe.Pointer(v))); e != 0 {
			t.Skipf("no pseudo-terminals here: %v", e)
		}
	}
	var unlock, n uint32
	ioctl(syscall.TIOCSPTLCK, &unlock)
	ioctl(syscall.TIOCGPTN, &n)
	theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { theirs.Close() })
	return ours, theirs
}

// until reads what the program writes to the terminal up to a text.
func until(t *testing.T, r *bufio.Reader, want string) string {
	t.Helper()
	var got bytes.Buffer
	for !strings.HasSuffix(got.String(), want) {
		b, err := r.ReadByte()
		if err != nil {
			t.Fatalf("%v after %q", err, &got)
		}
		got.WriteByte(b)
	}
	return got.String()
}

// A password is asked for twice and never shown.
func TestPasswordPrompt(t *testing.T) {
	d := startDev(t)
	t.Setenv("PARLEY_SOCKET", d.welcome["socket"])
	try := func(again string) (seen string, err error) {
		ours, theirs := openTerminal(t)
		c := command(t, "user", "add", "alice")
		c.Stdin, c.Stdout, c.Stderr = theirs, theirs, theirs
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		r := bufio.NewReader(ours)
		seen = until(t, r, "New password for alice: ")
		fmt.Fprintln(ours, pw)
		seen += until(t, r, "Again: ")
		fmt.Fprintln(ours, again)
		err = c.Wait()
		theirs.Close()
		for {
			b, e := r.ReadByte()
			if e != nil { // EIO: the other side is closed
				return seen, err
			}
			seen += string(b)
		}
	}
	seen, err := try("Other-Horse-77")
	if err == nil || !strings.Contains(seen, "not the same") {
		t.Errorf("%v: %q", err, seen)
	}
	seen, err = try(pw)
	if err != nil || !strings.Contains(seen, "alice@localhost: added") {
		t.Errorf("%v: %q", err, seen)
	}
	if strings.Contains(seen, pw) {
		t.Error("the password was shown")
	}
}

// Ctrl-C at the prompt ends the command and restores the terminal.
func TestInterruptAtThePrompt(t *testing.T) {
	d := startDev(t)
	t.Setenv("PARLEY_SOCKET", d.welcome["socket"])
	ours, theirs := openTerminal(t)
	c := command(t, "user", "add", "alice")
	c.Stdin, c.Stdout, c.Stderr = theirs, theirs, theirs
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(ours)
	until(t, r, "New password for alice: ")
	fmt.Fprint(ours, "\x03")
	if err := c.Wait(); err == nil {
		t.Error("it went on")
	}
	until(t, r, "interrupted: nothing was changed")
	fmt.Fprint(ours, "visible\n")
	until(t, r, "visible") // the echo is on again
}
