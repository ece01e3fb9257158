package clients

import (
	"bufio"
	"context"
	"os/exec"
	"strings"
	"testing"
)

// sendxmpp is go-sendxmpp as alice; it trusts the CA of `parley dev` and nothing else.
func (s *server) sendxmpp(ctx context.Context, program string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, program,
		append([]string{"--username", "alice@localhost", "--password", pw}, args...)...)
	c.Env = append(s.env(), "SSL_CERT_FILE="+s.welcome["ca"], "SSL_CERT_DIR="+s.dir)
	return c
}

func TestSendxmpp(t *testing.T) {
	program := needProgram(t, "go-sendxmpp")
	needSlixmpp(t)
	t.Parallel()
	s := startServer(t)
	s.parley("", "group", "create", "ops", "--name", "Operations", "--owner", "bob@localhost",
		"--member", "alice@localhost")
	const room = "ops@groups.localhost"
	bob := s.peer("bob@localhost/desk", room)

	starttls, direct := "localhost:"+s.port("c2s"), "localhost:"+s.port("c2s_tls")
	send := func(line string, args ...string) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		c := s.sendxmpp(ctx, program, args...)
		c.Stdin = strings.NewReader(line + "\n")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("go-sendxmpp %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	send("backup done", "--jserver", starttls, "bob@localhost")
	bob.message("alice@localhost", "chat", "backup done")
	send("over TLS at once", "--jserver", direct, "--tls", "bob@localhost")
	bob.message("alice@localhost", "chat", "over TLS at once")
	send("disk is full", "--jserver", starttls, "--chatroom", "--alias", "alice", room)
	bob.message(room+"/alice", "groupchat", "disk is full")

	// Messages sent while alice is away are there when she listens.
	bob.send("alice@localhost", "chat", "thanks, I look at it")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := s.sendxmpp(ctx, program, "--jserver", starttls, "--listen")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs lockedBuffer
	c.Stderr = &errs
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var heard []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		heard = append(heard, lines.Text())
		if strings.HasSuffix(lines.Text(), "thanks, I look at it") {
			cancel() // it listens for ever
			c.Wait()
			return
		}
	}
	t.Errorf("go-sendxmpp --listen: %v, heard %q\n%s", c.Wait(), heard, &errs)
}
