package target

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// process is a server's process in a process group of its own, which dies with
// the benchmark, whatever ends that.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string
	done chan struct{} // Closed when it has ended.
}

type command struct {
	name string
	args []string
	env  []string // Beside PATH and LANG.
	dir  string
	user string // Account to run as if we are root; "" for our own.
}

// asUser returns the credential of a system user, nil unless we are root.
func asUser(name string) (*syscall.Credential, error) {
	if name == "" || os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}

// own gives everything below path to the user that a command will run as.
func own(path, userName string) error {
	cred, err := asUser(userName)
	if err != nil || cred == nil {
		return err
	}
	return filepath.WalkDir(path, func(p string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(p, int(cred.Uid), int(cred.Gid))
	})
}

func (c command) build(ctx context.Context) (*exec.Cmd, error) {
	cred, err := asUser(c.user)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, c.name, c.args...)
	cmd.Dir = c.dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH") + ":/usr/sbin:/sbin", "LANG=C.UTF-8", "HOME=" + c.dir},
		c.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Credential: cred}
	return cmd, nil
}

// run runs c to its end and returns its output.
func (c command) run(ctx context.Context, stdin []byte) ([]byte, error) {
	cmd, err := c.build(ctx)
	if err != nil {
		return nil, err
	}
	cmd.Stdin = bytes.NewReader(stdin)
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", filepath.Base(c.name), err, bytes.TrimSpace(errOut.Bytes()))
	}
	return out, nil
}

// start runs c in the background, with its output in dir/NAME.log.
func (c command) start(name string) (*process, error) {
	cmd, err := c.build(context.Background())
	if err != nil {
		return nil, err
	}
	p := &process{name: name, cmd: cmd, log: filepath.Join(c.dir, name+".log"), done: make(chan struct{})}
	f, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.done)
		cmd.Wait()
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// tail returns the end of what the process has printed.
func (p *process) tail() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(b[max(0, len(b)-2000):]))
}

// stop asks the process to end and, five seconds later, ends its group.
func (p *process) stop() {
	sig := syscall.SIGTERM
	if p.name == "postgres" {
		sig = syscall.SIGINT // "Fast": does not wait for its clients.
	}
	p.cmd.Process.Signal(sig)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
	}
	if err := syscall.Kill(-p.pid(), syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		fmt.Fprintf(os.Stderr, "bench: end %s: %v\n", p.name, err)
	}
	<-p.done
}

// firstLine returns the first line a command prints, for versions.
func firstLine(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return "unknown version"
	}
	line, _, _ := bytes.Cut(out, []byte("\n"))
	return string(bytes.TrimSpace(line))
}

// haveProgram returns an error that says how to get a program that is missing.
func haveProgram(name, debian string) error {
	if _, err := exec.LookPath(name); err != nil {
		return fmt.Errorf("%s is not installed (Debian: apt install %s)", name, debian)
	}
	return nil
}
