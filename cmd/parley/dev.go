package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"parley/config"
	"parley/internal/background"
	"parley/node"
	"parley/node/devcert"
)

const devDataDir = "parley-data"

func (a *app) devCommand() *cobra.Command {
	var offset int
	var seed string
	c := &cobra.Command{
		Use:   "dev",
		Short: "Try parley: no questions, loopback only, data in ./parley-data",
		Args:  cobra.NoArgs,
		Long: `Runs a server to try parley: it asks nothing, listens on loopback only, keeps its data in ./parley-data and makes a
certificate of its own. Delete that directory to start over. The environment, --set and the other flags change it as they
change ` + "`parley serve`.",
		RunE: func(c *cobra.Command, _ []string) error {
			if seed != "" && seed != "demo" {
				return usage("--seed knows only demo")
			}
			var tls devcert.Files
			var cfg *config.Config
			cfg, err := config.LoadDev(config.DevOptions{DataDir: devDataDir, PortOffset: offset,
				Certificate: func(dir string, hosts []config.Host) (_, _ string, err error) {
					tls, err = devcert.Ensure(filepath.Join(dir, "tls"), certNames(hosts), time.Now())
					return tls.Cert, tls.Key, err
				}}, c.Flags())
			if err != nil {
				return err
			}
			return a.run(c.Context(), cfg, func(ctx context.Context, n *node.Node) error {
				a.welcome(n, cfg, tls)
				if seed != "" {
					if err := a.seed(ctx, n, cfg.Hosts[0].Domain); err != nil {
						return err
					}
				}
				a.firstOwner(ctx, n, cfg)
				return nil
			}, "stop it, or use other ports with --port-offset 1000")
		},
	}
	f := c.Flags()
	config.Flags(f)
	config.HostFlag(f)
	a.takeOverFlag(c)
	f.IntVar(&offset, "port-offset", 0, "add this number to every port if the usual ports are taken")
	f.StringVar(&seed, "seed", "", "demo: create accounts with a group and a theme to look at")
	return c
}

// certNames are the domains that the certificate has to be valid for: hosts and their services.
func certNames(hosts []config.Host) (names []string) {
	d := config.Default()
	for _, h := range hosts {
		names = append(names, h.Domain, d.Rooms.Label+"."+h.Domain, d.Groups.SpacesLabel+"."+h.Domain)
	}
	return names
}

// welcome prints the addresses of the server and the next steps.
func (a *app) welcome(n *node.Node, cfg *config.Config, tls devcert.Files) {
	host := cfg.Hosts[0].Domain
	ws := cfg.Listeners.WebSocket.Path
	if a.json {
		a.encode(a.out, map[string]any{
			"host":            host,
			"ca":              tls.CA,
			"socket":          cfg.Listeners.Control.Path,
			"data_dir":        cfg.DataDir,
			"c2s":             address(n, "c2s"),
			"c2s_tls":         address(n, "c2s_tls"),
			"websocket":       address(n, "websocket"),
			"websocket_plain": address(n, "websocket_plain"),
			"web":             n.WebURL(host),
			"metrics":         address(n, "metrics"),
		})
		return
	}
	var b strings.Builder
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "  %-14s"+format+"\n", append([]any{what}, args...)...)
	}
	fmt.Fprintf(&b, "\nparley is running for %s. Only programs on this machine can reach it.\n\n", host)
	if u := n.WebURL(host); u != "" {
		line("Pages", "%s (and mails that are not sent: %s/dev/outbox)", u, u)
	}
	line("XMPP", "%s (STARTTLS), %s (TLS)", address(n, "c2s"), address(n, "c2s_tls"))
	line("WebSocket", "wss://%s%s (TLS), ws://%s%s", address(n, "websocket"), ws, address(n, "websocket_plain"), ws)
	line("Health", "http://%s/healthz", address(n, "metrics"))
	line("Data", "%s (delete it to start over)", cfg.DataDir)
	if tls.CA != "" {
		line("Certificate", "clients have to trust %s", tls.CA)
	}
	fmt.Fprintf(&b, "\nNext, in another terminal:\n\n  %s user add alice@%s\n  %s user add bob@%s\n\n",
		program(), host, program(), host)
	fmt.Fprintf(&b, "Then sign in with Gajim, Dino, Profanity or another XMPP client (README.md has the steps). If "+
		"it asks for\na server, that is %s. Ctrl-C stops parley.\n\n", address(n, "c2s"))
	fmt.Fprint(a.out, b.String())
}

// firstOwner prints, for each host that nobody is in charge of, the link that makes its first owner. The server serves
// meanwhile: while the store does not answer, firstOwner tries again until ctx ends.
func (a *app) firstOwner(ctx context.Context, n *node.Node, cfg *config.Config) {
	for _, h := range cfg.Hosts {
		background.Keep(ctx, n.Log, "link of the first owner of "+h.Domain, func(ctx context.Context) error {
			link, err := n.FirstOwner(ctx, h.Domain)
			if err == nil && link != "" {
				a.showFirstOwner(h.Domain, link)
			}
			return err
		})
	}
}

func (a *app) showFirstOwner(host, link string) {
	if a.json {
		a.encode(a.out, map[string]string{"host": host, "first_owner": link})
		return
	}
	fmt.Fprintf(a.out, "%s has no owner yet. Open this link, once, to create the owner's account:\n\n  %s\n\n",
		host, link)
}

func address(n *node.Node, door string) string {
	if a := n.Addr(door); a != nil {
		return a.String()
	}
	return "closed"
}

// program is how this program was started, as the next command line has to begin.
func program() string {
	if exe, err := os.Executable(); err == nil && goRun(exe) {
		return "go run ./cmd/parley"
	}
	return filepath.Base(os.Args[0])
}

// inCache is a program that `go run` keeps in the cache of builds, wherever that is: since Go 1.24
// it is run from there.
var inCache = regexp.MustCompile(`[/\\][0-9a-f]{2}[/\\][0-9a-f]{64}-d[/\\]`)

// goRun says whether a program was made by `go run`.
func goRun(exe string) bool { return strings.Contains(exe, "go-build") || inCache.MatchString(exe) }
