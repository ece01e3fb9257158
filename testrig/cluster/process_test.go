package cluster

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/testrig"
)

// journal is what a process logs, line by line. It is safe from any goroutine.
type journal struct {
	mu    sync.Mutex
	lines []string
	ended bool
	more  chan struct{} // closed when there is more
}

func newJournal() *journal { return &journal{more: make(chan struct{})} }

func (j *journal) add(line string, ended bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if ended {
		j.ended = true
	} else {
		j.lines = append(j.lines, line)
	}
	close(j.more)
	j.more = make(chan struct{})
}

// text is all of it.
func (j *journal) text() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.lines, "\n")
}

// length is how many lines there are.
func (j *journal) length() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.lines)
}

// says waits for a line that has all these texts, from the n-th line on.
func (j *journal) says(t testing.TB, n int, texts ...string) string {
	t.Helper()
	late := time.After(patience)
	for {
		j.mu.Lock()
		lines, ended, more := j.lines[n:], j.ended, j.more
		j.mu.Unlock()
		for _, line := range lines {
			n++
			if has(line, texts...) {
				return line
			}
		}
		if ended {
			t.Fatalf("the process has ended and not said %q:\n%s", texts, j.text())
		}
		select {
		case <-more:
		case <-late:
			t.Fatalf("the process does not say %q:\n%s", texts, j.text())
		}
	}
}

func has(s string, texts ...string) bool {
	for _, text := range texts {
		if !strings.Contains(s, text) {
			return false
		}
	}
	return true
}

// process is one `parley serve`, and after a kill another one on its data folder.
type process struct {
	*testing.T
	c     *cluster
	name  string
	dir   string
	base  *way // to the database
	store *gate

	mu    sync.Mutex
	cmd   *exec.Cmd // nil: it is not running
	links *way      // to its links
	done  chan struct{}
	log   *journal
	rig   *testrig.Rig
	doors map[string]string
}

// linkHost is where links are listened for. Nothing else listens there, so that they are found.
const linkHost = "127.0.0.2"

var listening = regexp.MustCompile(`msg=listening door=(\S+) address=(\S+)`)

// start runs the process, and returns when it serves.
func (p *process) start() {
	p.Helper()
	p.begin()
	p.ready()
}

// begin runs the process.
func (p *process) begin() {
	p.Helper()
	links := newWay(p, p.dialLinks, p.c.between(p))
	args := []string{"serve"}
	for _, kv := range []string{
		"data_dir=" + p.dir, "hosts=" + testrig.Host, "tls.certificate=" + p.c.cert, "tls.key=" + p.c.key,
		"store.dsn=" + p.c.dsn(p), "cluster.enabled=true", "cluster.address=" + linkHost + ":0",
		"cluster.advertise=" + links.address(), "listeners.c2s.addresses=127.0.0.1:0",
		"listeners.c2s_tls.addresses=127.0.0.1:0", "listeners.websocket.addresses=127.0.0.1:0",
		"listeners.metrics.addresses=127.0.0.1:0", "listeners.component.addresses=127.0.0.1:0",
		"federation.addresses=127.0.0.1:0", "federation.tls_addresses=127.0.0.1:0", "dns.resolver=127.0.0.1:1",
		"dns.timeout=100ms", "store.max_connections=6", "limits.archive_bytes_per_second=0",
		"limits.handshake_timeout=1m",
		"limits.auth_timeout=1m", "turn.addresses=", "web.url=https://" + testrig.Host,
	} {
		args = append(args, "--set", kv)
	}
	cmd := exec.Command(parleyBin, args...)
	out, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		p.Fatal(err)
	}
	log, done := newJournal(), make(chan struct{})
	p.mu.Lock()
	p.cmd, p.links, p.log, p.done = cmd, links, log, done
	p.mu.Unlock()
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			log.add(lines.Text(), false)
		}
		_ = cmd.Wait() // how it ended is in the log
		log.add("", true)
	}()
}

// ready waits until the process serves.
func (p *process) ready() {
	p.Helper()
	p.log.says(p, 0, "msg=listening", "door=metrics")
	doors := make(map[string]string)
	for _, m := range listening.FindAllStringSubmatch(p.log.text(), -1) {
		doors[m[1]] = m[2]
	}
	p.mu.Lock()
	p.doors, p.rig = doors, testrig.Attach(p, doors, p.c.roots)
	p.mu.Unlock()
	p.poll("the control socket", func() bool {
		c, err := net.Dial("unix", p.socket())
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
}

// poll asks again and again what nobody tells.
func (p *process) poll(what string, is func() bool) {
	p.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	late := time.After(patience)
	for !is() {
		select {
		case <-again.C:
		case <-late:
			p.Fatalf("%s: still not %s", p.name, what)
		}
	}
}

// port is the port of one of its doors.
func (p *process) port(door string) string {
	p.Helper()
	_, port, err := net.SplitHostPort(p.doors[door])
	if err != nil {
		p.Fatal(err)
	}
	return port
}

func (p *process) socket() string { return filepath.Join(p.dir, "parley.sock") }

// run runs a command against this process, and gives its output and whether it worked.
func (p *process) run(stdin string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, parleyBin, append(args, "--socket", p.socket())...)
	c.Stdin = strings.NewReader(stdin)
	out, err := c.CombinedOutput()
	return string(out), err
}

// parley runs a command that has to work.
func (p *process) parley(stdin string, args ...string) string {
	p.Helper()
	out, err := p.run(stdin, args...)
	if err != nil {
		p.Fatalf("%s: parley %s: %v\n%s", p.name, strings.Join(args, " "), err, out)
	}
	return out
}

func (p *process) signal(s syscall.Signal) {
	p.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.Fatalf("%s: %v", p.name, err)
	}
}

// kill ends the process as kill -9 does. Nothing answers at the address of its links any more.
func (p *process) kill() {
	p.mu.Lock()
	cmd, links, done := p.cmd, p.links, p.done
	p.cmd = nil
	p.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Kill() // it may have ended
	<-done
	links.close()
}

// ended waits for the process to end by itself.
func (p *process) ended() {
	p.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.Fatalf("%s does not end:\n%s", p.name, p.log.text())
	}
	p.kill()
}

// running gives the process's id; 0 if it is not running.
func (p *process) running() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// dialLinks connects to where the process waits for links.
func (p *process) dialLinks() (net.Conn, error) {
	all, err := sockets(p.running())
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if host, _, err := net.SplitHostPort(s.local); err == nil && s.listens && host == linkHost {
			return net.Dial("tcp4", s.local)
		}
	}
	return nil, fmt.Errorf("%s waits for no links", p.name)
}

// socket is a TCP socket of a process.
type socket struct {
	local   string
	listens bool
}

// sockets finds the TCP sockets of a process, by its open files (proc(5)).
func sockets(pid int) (all []socket, err error) {
	var inodes []string
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, f.Name()))
		if err != nil {
			continue // it has just been closed
		}
		if inode, ok := strings.CutPrefix(to, "socket:["); ok {
			inodes = append(inodes, strings.TrimSuffix(inode, "]"))
		}
	}
	table, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/tcp", pid))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		if len(fields) < 10 || !slices.Contains(inodes, fields[9]) {
			continue
		}
		if a, err := address(fields[1]); err == nil {
			all = append(all, socket{a, fields[3] == "0A"})
		}
	}
	return all, nil
}

// address reads an address as the kernel writes it: "0100007F:1F90".
func address(s string) (string, error) {
	host, port, _ := strings.Cut(s, ":")
	b, err := hex.DecodeString(host)
	if err != nil || len(b) != 4 {
		return "", fmt.Errorf("no address: %q", s)
	}
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return "", err
	}
	ip := make(net.IP, 4)
	binary.LittleEndian.PutUint32(ip, binary.BigEndian.Uint32(b))
	return net.JoinHostPort(ip.String(), strconv.FormatUint(n, 10)), nil
}
