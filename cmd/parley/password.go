package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

const maxPassword = 4096

// readPassword reads a password: from a file ("-": standard input), twice from a terminal, or from the first line of
// standard input. It is never an argument: others could see it in the list of processes.
func (a *app) readPassword(ctx context.Context, file, who string) (string, error) {
	switch {
	case file == "-":
		return firstLine(a.in)
	case file != "":
		f, err := os.Open(file)
		if err != nil {
			return "", fmt.Errorf("password file: %w", err)
		}
		defer f.Close()
		return firstLine(f)
	}
	tty, ok := a.in.(*os.File)
	if !ok || !term.IsTerminal(int(tty.Fd())) {
		return firstLine(a.in)
	}
	return a.askTwice(ctx, tty, who)
}

// askTwice reads a password without echo. On an interrupt it restores the terminal and ends.
func (a *app) askTwice(ctx context.Context, tty *os.File, who string) (string, error) {
	// Raw before the prompt is shown, or the terminal would echo early typing.
	before, err := term.MakeRaw(int(tty.Fd()))
	if err != nil {
		return "", err
	}
	type answer struct {
		first, again string
		err          error
	}
	got := make(chan answer, 1)
	go func() {
		t := term.NewTerminal(struct {
			io.Reader
			io.Writer
		}{tty, a.err}, "")
		var n answer
		if n.first, n.err = t.ReadPassword("New password for " + printable(who) + ": "); n.err == nil {
			n.again, n.err = t.ReadPassword("Again: ")
		}
		got <- n
	}()
	var n answer
	select {
	case n = <-got:
	case <-ctx.Done(): // nobody waits for the reader: the process ends
		n.err = io.EOF
	}
	if err := term.Restore(int(tty.Fd()), before); err != nil {
		return "", err
	}
	switch {
	case errors.Is(n.err, io.EOF): // Ctrl-C, Ctrl-D or a signal
		fmt.Fprintln(a.err)
		return "", errors.New("interrupted: nothing was changed")
	case n.err != nil:
		return "", n.err
	case n.first != n.again:
		return "", errors.New("the two passwords are not the same: nothing was changed, try again")
	case len(n.first) > maxPassword:
		return "", errLong
	case n.first == "":
		return "", errors.New("no password was given: nothing was changed")
	}
	return n.first, nil
}

var errLong = fmt.Errorf("the password is longer than %d bytes", maxPassword)

func firstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxPassword+2)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	if len(line) > maxPassword {
		return "", errLong
	}
	if line == "" {
		return "", errors.New("no password was given: its first line is empty")
	}
	return line, nil
}

// confirm asks the user to type the name of the thing to delete. yes answers already.
func (a *app) confirm(yes bool, what, name string) error {
	if yes {
		return nil
	}
	tty, ok := a.in.(*os.File)
	if !ok || !term.IsTerminal(int(tty.Fd())) {
		return usage("you cannot undo this: confirm it with --yes")
	}
	fmt.Fprintf(a.err, "%s\nYou cannot undo this. Type %s to continue: ", what, printable(name))
	line, err := bufio.NewReader(io.LimitReader(a.in, maxPassword)).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != name {
		return errors.New("not confirmed: nothing was changed")
	}
	return nil
}
