package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parley/acts"
	"parley/internal/door"
	"parley/people"
	"parley/server"
	"parley/store"
	"parley/transfer"
	"parley/wire/jid"
)

// File is the answer of an operation that gives a file.
type File struct{ io.Reader }

// ExportQuery chooses the accounts and data of an export.
type ExportQuery struct {
	Addresses []string `query:"address,explode" doc:"addresses of accounts; none: all accounts of the host, or of all hosts if no host is named"`
	Archive   bool     `query:"archive" doc:"include messages"`
	Passwords bool     `query:"passwords" doc:"include the data that checks passwords"`
}

// ImportInput is a file of accounts to import.
type ImportInput struct {
	Merge     bool      `query:"merge" doc:"add the file's data to accounts that exist already"`
	ReuseName bool      `query:"reuse_name" doc:"reuse names of accounts that were deleted recently"`
	Content   io.Reader // the body of the request
}

// Resolve keeps the body, so that the import can read it while it arrives.
func (in *ImportInput) Resolve(hc huma.Context) []error {
	unhurried(hc)
	in.Content = hc.BodyReader()
	return nil
}

// Imported is the result of an import.
type Imported struct {
	Users    []string `json:"users" doc:"accounts created or added to"`
	Messages int      `json:"messages"`
	Problems []string `json:"problems,omitempty" doc:"data that was left out, and why"`
	More     int      `json:"more_problems,omitempty"`
	Kinds    []Kind   `json:"kinds,omitempty"`
}

// Kind counts the imported things of one kind, such as contacts or pictures.
type Kind struct {
	Name    string `json:"name"`
	Taken   int    `json:"taken"`
	LeftOut int    `json:"left_out"`
}

// Operations on files. Only the operator of the machine may use them, because the files have everything of the
// accounts.
var (
	Export = everywhere(machine[ExportQuery, File](
		"export", http.MethodGet, "/export",
		"Export accounts with all their data (XEP-0227)",
	))
	Import = everywhere(machine[ImportInput, Imported](
		"import", http.MethodPost, "/import",
		"Create accounts from such a file",
	))
	Backup = everywhere(machine[None, File](
		"backup", http.MethodGet, "/backup",
		"A backup of all data of the server",
	))
)

func (s *Server) files(d *doors) {
	stream(s, d, Export, "application/xml", s.export)
	stream(s, d, Backup, "application/x-tar", func(ctx context.Context, c caller, _ *None, w io.Writer) error {
		return s.System.Backup(ctx, c.actor, w)
	})
	serve(s, d, Import, nil, s.importAccounts)
}

// stream adds an operation that gives a file, which takes as long as it takes. An error before its first byte is the
// answer; after that the connection ends without its end, so that the other side sees that it is not whole.
func stream[I any](
	s *Server, d *doors, o Op[I, File], kind string, f func(ctx context.Context, c caller, in *I, w io.Writer) error,
) {
	register(d, o.takes, o.Operation, nil, func(_ context.Context, in *I) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			unhurried(hc)
			_, w := humago.Unwrap(hc)
			out := &begun{w: w, kind: kind}
			err := f(hc.Context(), who(hc.Context()), in, out)
			s.Log.Info("control", "do", o.OperationID, "ok", err == nil)
			switch {
			case err == nil:
			case !out.yes:
				s.refuse(d.api, hc, err)
			default:
				door.Failed(hc.Context(), s.Log, "control: "+o.OperationID, "err", err)
				panic(http.ErrAbortHandler)
			}
		}}, nil
	})
}

// unhurried removes the server's time limits from a request.
func unhurried(hc huma.Context) {
	_, w := humago.Unwrap(hc)
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{}) // a limit that cannot be set is not there
	_ = rc.SetWriteDeadline(time.Time{})
}

// begun notes that the answer has started.
type begun struct {
	w    http.ResponseWriter
	kind string // content type
	yes  bool
}

// Write starts the answer with its first bytes.
func (b *begun) Write(p []byte) (int, error) {
	if !b.yes {
		b.yes = true
		b.w.Header().Set("Content-Type", b.kind)
		b.w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(b.w).Flush() // an answer that breaks off has started, then
	}
	return b.w.Write(p)
}

func (s *Server) export(ctx context.Context, c caller, in *ExportQuery, w io.Writer) error {
	var hosts []*server.Host
	named := make(map[string]bool)
	for _, a := range in.Addresses {
		p, u, err := s.exported(ctx, c, a)
		if err != nil {
			return err
		}
		if !named["@"+p.Host()] {
			hosts = append(hosts, s.Hosts[p.Host()])
		}
		named["@"+p.Host()], named[u.Address()] = true, true
	}
	if len(in.Addresses) == 0 {
		for _, p := range c.hosts(s) {
			hosts = append(hosts, s.Hosts[p.Host()])
		}
	}
	pick := func(h *server.Host, name string) bool { return len(named) == 0 || named[name+"@"+h.Domain] }
	x := transfer.Exporter{Store: s.Config.Import.Store, Archive: in.Archive, Passwords: in.Passwords}
	if err := x.Write(ctx, w, hosts, pick); err != nil {
		return fmt.Errorf("export accounts: %w", err)
	}
	detail := acts.Detail{"count": len(in.Addresses)}
	if len(in.Addresses) == 0 {
		detail = acts.Detail{"all": true}
	}
	for _, h := range hosts {
		err := s.host(h.Domain).Note(ctx, c.actor, acts.PersonExport, strings.Join(in.Addresses, ", "), detail)
		if err != nil {
			return err
		}
	}
	return nil
}

// exported finds an account by the address in an export request, whatever its host.
func (s *Server) exported(ctx context.Context, c caller, address string) (p *people.People, u store.Person, err error) {
	name, domain, _ := strings.Cut(address, "@")
	if p = c.p; domain != "" || c.any {
		if p, err = s.operated(domain, false); err != nil {
			return nil, u, err
		}
	}
	j, err := jid.New(name, p.Host(), "")
	if err != nil {
		return nil, u, invalid("address", "{{.Address}} is not the address of a person", "Address", address)
	}
	u, err = p.Get(ctx, j.Local())
	return p, u, err
}

func (s *Server) importAccounts(ctx context.Context, c caller, in *ImportInput) (Imported, error) {
	im := transfer.Importer{
		Config: s.Config.Import,
		Merge:  in.Merge,
		Host:   func(domain string) *server.Host { return s.Hosts[domain] },
		FreeSince: func(h *server.Host) time.Time {
			since, err := s.host(h.Domain).FreeSince(c.actor, in.ReuseName)
			if err != nil { // only an owner may do this, and only owners import
				return time.Time{}
			}
			return since
		},
	}
	report, err := im.Read(ctx, in.Content)
	made := make(map[string]int)
	for _, u := range report.Users {
		_, domain, _ := strings.Cut(u, "@")
		made[domain]++
	}
	for domain, n := range made {
		nerr := s.host(domain).Note(context.WithoutCancel(ctx), c.actor, acts.PersonImport, "", acts.Detail{"made": n})
		err = errors.Join(err, nerr)
	}
	out := Imported{Users: report.Users, Messages: report.Messages, Problems: report.Problems, More: report.More}
	for _, k := range report.Kinds {
		out.Kinds = append(out.Kinds, Kind(k))
	}
	if errors.Is(err, transfer.ErrFormat) {
		return out, invalid("", "{{.Why}}; {{.Count}} accounts were imported before that", "Why", err.Error(), "Count",
			fmt.Sprint(len(report.Users)))
	}
	if err != nil {
		return out, fmt.Errorf("import accounts: %w", err)
	}
	return out, nil
}
