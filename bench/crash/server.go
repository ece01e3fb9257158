package crash

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"parley/bench/load"
)

const (
	host     = "localhost"
	group    = "crash"
	room     = group + "@groups." + host
	reader   = "reader" // a member of the group who never writes
	password = "pencil-and-paper"
)

func user(i int) string { return fmt.Sprintf("u%d", i) }

// server is the program, as it runs now.
type server struct {
	cfg     Config
	cmd     *exec.Cmd
	welcome map[string]string
	tls     *tls.Config
}

func (s *server) start(ctx context.Context) error {
	args := []string{"--json", "dev", "--data-dir", s.cfg.Dir}
	for _, kv := range []string{
		"listeners.c2s.addresses=127.0.0.1:0", "listeners.c2s_tls.addresses=127.0.0.1:0",
		"listeners.websocket.addresses=127.0.0.1:0", "listeners.websocket.plain_addresses=127.0.0.1:0",
		"listeners.metrics.addresses=127.0.0.1:0", "auth.scram_iterations=4096", "log.level=warn",
		"limits.bytes_per_second=0", "limits.stanzas_per_second=0", "limits.connections_per_address=0",
		"rooms.message_rate=1000000", "rooms.message_burst=1000000",
	} {
		args = append(args, "--set", kv)
	}
	if s.cfg.DSN != "" {
		args = append(args, "--set", "store.dsn="+s.cfg.DSN)
	}
	log, err := os.OpenFile(filepath.Join(s.cfg.Dir, "server.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, s.cfg.Binary, args...)
	cmd.Env = append(os.Environ(), "PARLEY_LIMITS_ARCHIVE_BYTES_PER_SECOND=0") // programs of before do not know the key
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd, s.welcome = cmd, nil
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&s.welcome); err != nil {
		return errors.Join(fmt.Errorf("the server does not start: %w: see %s", err, log.Name()), cmd.Wait())
	}
	pem, err := os.ReadFile(s.welcome["ca"])
	if err != nil {
		return err
	}
	s.tls = &tls.Config{RootCAs: x509.NewCertPool(), ServerName: host, MinVersion: tls.VersionTLS12}
	s.tls.RootCAs.AppendCertsFromPEM(pem)
	return nil
}

// kill sends SIGKILL: the process loses what it has only in memory.
func (s *server) kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // it may have ended
	_ = s.cmd.Wait()
	s.cmd = nil
}

func (s *server) dialer() *load.Dialer {
	return &load.Dialer{Addr: s.welcome["c2s"], Domain: host, Password: password, TLS: s.tls, SpreadFrom: true}
}

// accounts makes the people and their group.
func (s *server) accounts(ctx context.Context) error {
	create := []string{"group", "create", group, "--owner", reader + "@" + host}
	for i := range s.cfg.Clients {
		if err := s.command(ctx, password+"\n", "user", "add", user(i), "--password-file", "-"); err != nil {
			return err
		}
		create = append(create, "--member", user(i)+"@"+host)
	}
	if err := s.command(ctx, password+"\n", "user", "add", reader, "--password-file", "-"); err != nil {
		return err
	}
	return s.command(ctx, "", create...)
}

func (s *server) command(ctx context.Context, in string, args ...string) error {
	c := exec.CommandContext(ctx, s.cfg.Binary, append(args, "--socket", s.welcome["socket"])...)
	c.Stdin = strings.NewReader(in)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(args[:2], " "), err, out)
	}
	return nil
}
