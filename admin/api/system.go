package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"parley/admin"
	"parley/people"
	"parley/server"
	"parley/store"
)

// Health is how the server is.
type Health struct {
	OK           bool           `json:"ok" doc:"all checks have passed"`
	Checks       []HealthCheck  `json:"checks"`
	Version      string         `json:"version"`
	Store        string         `json:"store"`
	Started      time.Time      `json:"started"`
	Sessions     int            `json:"sessions"`
	Certificates []Certificate  `json:"certificates"`
	Mail         string         `json:"mail,omitempty" doc:"mail relay"`
	Mails        map[string]int `json:"mails" doc:"mails in the outbox, by state"`
}

// HealthCheck is one thing that has to be well.
type HealthCheck struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`
}

// Certificate is a certificate that the server shows to clients.
type Certificate struct {
	Names   []string  `json:"names"`
	Issuer  string    `json:"issuer"`
	Expires time.Time `json:"expires"`
}

// ServerInfo is about the server itself.
type ServerInfo struct {
	Version string     `json:"version"`
	Go      string     `json:"go"`
	Started time.Time  `json:"started"`
	Store   string     `json:"store" doc:"engine"`
	Hosts   []HostInfo `json:"hosts"`
}

// HostInfo counts what a hosted domain has.
type HostInfo struct {
	Domain   string `json:"domain"`
	Title    string `json:"title,omitempty"`
	Users    int    `json:"users"`
	Sessions int    `json:"sessions"`
}

// LookUp says whether to look up the published records.
type LookUp struct {
	Look bool `query:"look" doc:"look up the published records as well"`
}

// Session is a client that is signed in.
type Session struct {
	Address   string    `json:"address" doc:"full"`
	Since     time.Time `json:"since"`
	Remote    string    `json:"remote"`
	Transport string    `json:"transport"`
	Mechanism string    `json:"mechanism"`
	Available bool      `json:"available"`
	Priority  int8      `json:"priority"`
}

// FindSessions says whose sessions are asked for.
type FindSessions struct {
	Part
	Name string `query:"name" maxLength:"1023" doc:"account name; none: all accounts"`
}

// EndSessionsInput says which sessions of an account are ended.
type EndSessionsInput struct {
	InPerson
	Resource string `query:"resource" maxLength:"1023" doc:"resource of one session; none: all sessions"`
}

// Ended is the number of ended sessions.
type Ended struct {
	Closed int `json:"closed"`
}

// Report is a person's report about somebody whom the person has blocked, or about a message.
type Report struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Whom     string    `json:"whom"`
	Reason   string    `json:"reason"`
	Text     string    `json:"text,omitempty"`
	Room     string    `json:"room,omitempty" doc:"address of the room of the messages"`
	Messages []string  `json:"messages,omitempty" doc:"texts of the reported messages"`
}

// FindReports chooses reports.
type FindReports struct {
	Before string `query:"before" maxLength:"13" doc:"id of the last entry on the previous page"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

// InReport is the report in a path.
type InReport struct {
	ID string `path:"id" maxLength:"13"`
}

// Operations on the server.
var (
	GetHealth = op[None, Health](
		"get-health", http.MethodGet, "/health", "system:read",
		"The health of the server",
	)
	GetServer = everywhere(machine[None, ServerInfo](
		"get-server", http.MethodGet, "/server",
		"The server with its hosts",
	))
	ListFindings = everywhere(op[None, []admin.Finding](
		"list-findings", http.MethodGet, "/findings", "system:read",
		"All checks, made now, which may take some seconds",
	))
	ListRecords = op[LookUp, []admin.DNSRecord](
		"list-dns-records", http.MethodGet, "/dns", "system:read",
		"DNS records that the organization needs",
	)
	ListSessions = op[FindSessions, []Session](
		"list-sessions", http.MethodGet, "/sessions", "system:read",
		"Clients that are signed in now",
	)
	EndSessions = op[EndSessionsInput, Ended](
		"end-sessions", http.MethodDelete, "/people/{name}/sessions", "people:write",
		"End one or all sessions of an account; its clients can sign in again",
	)
	ListReports = op[FindReports, []Report](
		"list-reports", http.MethodGet, "/reports", "system:read",
		"Reports about blocked people and about messages, newest first",
	)
	DeleteReport = op[InReport, None](
		"delete-report", http.MethodDelete, "/reports/{id}", "system:write",
		"Delete a report",
	)
)

func (s *Server) system(d *doors) {
	serve(s, d, GetHealth, runsIt, s.health)
	serve(s, d, GetServer, nil, s.info)
	serve(s, d, ListFindings, runsIt, func(ctx context.Context, _ caller, _ *None) ([]admin.Finding, error) {
		return some(s.System.Findings(ctx), nil)
	})
	serve(s, d, ListRecords, runsIt, func(ctx context.Context, c caller, in *LookUp) ([]admin.DNSRecord, error) {
		return some(s.System.Records(ctx, c.host(), in.Look), nil)
	})
	listAll(s, d, ListSessions, runsIt, s.listSessions)
	serve(s, d, EndSessions, doesTo(people.Disable, true),
		func(ctx context.Context, c caller, in *EndSessionsInput) (Ended, error) {
			n, err := c.p.EndDevices(ctx, c.actor, in.Name, in.Resource)
			return Ended{n}, err
		})
	serve(s, d, ListReports, runsIt, s.listReports)
	act(s, d, DeleteReport, runsIt, func(ctx context.Context, c caller, in *InReport) error {
		return c.p.DeleteReport(ctx, c.actor, in.ID)
	})
}

func (s *Server) health(ctx context.Context, c caller, _ *None) (Health, error) {
	in := s.System.Info(ctx, c.host())
	out := Health{
		OK:           true,
		Checks:       []HealthCheck{},
		Version:      in.Version,
		Store:        in.Store,
		Started:      in.Started,
		Sessions:     in.Sessions,
		Certificates: []Certificate{},
		Mail:         in.Mail,
	}
	for _, k := range s.System.Health(ctx) {
		out.OK = out.OK && k.OK
		out.Checks = append(out.Checks, HealthCheck(k))
	}
	for _, k := range in.Certificates {
		out.Certificates = append(out.Certificates, Certificate{k.Names, k.Issuer, k.Expires})
	}
	var err error
	out.Mails, err = s.Store.CountMails(ctx, c.host())
	return out, err
}

func (s *Server) info(ctx context.Context, c caller, _ *None) (ServerInfo, error) {
	in := s.System.Info(ctx, c.host())
	out := ServerInfo{Version: in.Version, Go: in.Go, Started: in.Started, Store: in.Engine, Hosts: []HostInfo{}}
	for _, p := range s.People {
		users, err := s.Store.CountUsers(ctx, p.Host())
		if err != nil {
			return out, err
		}
		out.Hosts = append(out.Hosts, HostInfo{
			Domain:   p.Host(),
			Title:    p.Policy().Title,
			Users:    users,
			Sessions: s.System.Info(ctx, p.Host()).Sessions,
		})
	}
	return out, nil
}

func (s *Server) listSessions(ctx context.Context, c caller, in *FindSessions) (out []Session, err error) {
	add := func(a *server.Account) bool {
		for _, x := range a.Sessions() {
			presence, priority := x.Presence()
			out = append(out, Session{
				Address:   x.JID.String(),
				Since:     x.Started,
				Remote:    x.Info.Remote,
				Transport: x.Info.Transport,
				Mechanism: x.Info.Mechanism,
				Available: presence != nil,
				Priority:  priority,
			})
		}
		return true
	}
	h := s.Hosts[c.host()]
	if in.Name == "" {
		h.Accounts(add)
	} else {
		u, err := c.p.Get(ctx, in.Name)
		if err != nil {
			return nil, err
		}
		add(h.Account(u.Name))
	}
	slices.SortFunc(out, func(a, b Session) int { return strings.Compare(a.Address, b.Address) })
	return out, nil
}

func (s *Server) listReports(ctx context.Context, c caller, in *FindReports) ([]Report, error) {
	var before store.ID
	if in.Before != "" {
		var err error
		if before, err = store.ParseID(in.Before); err != nil {
			return nil, invalid("before", "{{.ID}} is not a report", "ID", in.Before)
		}
	}
	rs, err := c.p.Reports(ctx, c.actor, before, in.Limit)
	out := []Report{}
	for _, r := range rs {
		out = append(out, Report{
			ID:       r.ID.String(),
			At:       r.ID.Time(),
			By:       r.By,
			Whom:     r.Who,
			Reason:   r.Reason,
			Text:     r.Text,
			Room:     r.Room,
			Messages: r.Said,
		})
	}
	return out, err
}
