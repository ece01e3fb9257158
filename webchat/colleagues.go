package webchat

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"parley/internal/fault"
	"parley/people"
	"parley/store"
)

// Colleague is a person of the organization.
type Colleague struct {
	Author
	Title      string  `json:"title,omitempty"`
	Department string  `json:"department,omitempty"`
	Status     *Status `json:"status,omitempty"`
}

// Colleagues is a part of the people of the organization.
type Colleagues struct {
	People []Colleague `json:"people"`
	Total  int         `json:"total"`
}

// ColleagueSearch chooses people of the organization, by their names or shown fields, which have all of some words.
type ColleagueSearch struct {
	Words         string
	Department    string // exact; "": any
	Team          string // slug; "": any
	Others        bool   // not the person who asks
	Offset, Limit int
}

// Parts are the departments and teams of an organization.
type Parts struct {
	Departments []Part `json:"departments"`
	Teams       []Part `json:"teams"`
}

// Part is a department or a team.
type Part struct {
	Slug   string `json:"slug,omitempty" doc:"of a team"`
	Name   string `json:"name"`
	People int    `json:"people" doc:"how many, without the caller"`
}

// FindColleagues searches the organization for people, and gives a page of those it finds.
func (s *Service) FindColleagues(ctx context.Context, by people.Actor, q ColleagueSearch) (Colleagues, error) {
	out := Colleagues{People: []Colleague{}}
	words := strings.Fields(q.Words)
	f := s.colleagues(by)
	f.Words, f.Department, f.Offset, f.Limit = words[:min(len(words), 8)], q.Department, q.Offset, q.Limit
	if !q.Others {
		f.But = ""
	}
	if q.Team != "" {
		t, err := s.cfg.Org.Team(ctx, s.cfg.Host.Domain, q.Team)
		if err != nil {
			return out, err
		}
		if ok, err := s.seesTeam(ctx, by, t); err != nil || !ok {
			return out, cmp.Or(err, fault.New(fault.NotFound, "", "no such team"))
		}
		f.Team = t.ID
	}
	ps, total, err := s.cfg.Store.People(ctx, s.cfg.Host.Domain, f)
	if err != nil {
		return out, err
	}
	if err := s.cfg.People.SeenAll(ctx, by, ps); err != nil {
		return out, err
	}
	for _, p := range ps {
		status := s.StatusOf(p.Name)
		a := Author{ID: p.Address(), Address: p.Address(), Name: p.Display(), Photo: s.person(ctx, p.Name).photo}
		out.People = append(out.People, Colleague{a, p.Title, p.Department, &status})
	}
	out.Total = total
	return out, nil
}

// colleagues chooses the others whom a person can write to. Who does not run the organization finds people only by what
// they show everybody.
func (s *Service) colleagues(by people.Actor) store.PeopleFilter {
	return store.PeopleFilter{Open: !by.Runs(), State: store.StateActive, But: by.Name}
}

// seesTeam says whether a person may know who is in a team: who runs the organization may, and who may mention it.
func (s *Service) seesTeam(ctx context.Context, by people.Actor, t store.Team) (bool, error) {
	if by.Runs() {
		return true, nil
	}
	return s.cfg.Org.MayMentionTeam(ctx, s.cfg.Host.Domain, t.ID, by.Who)
}

// Parts gives the departments and teams by which a person can choose colleagues. Those without anybody else are left
// out.
func (s *Service) Parts(ctx context.Context, by people.Actor) (Parts, error) {
	out := Parts{Departments: []Part{}, Teams: []Part{}}
	host, f := s.cfg.Host.Domain, s.colleagues(by)
	departments, err := s.cfg.Store.CountByDepartment(ctx, host, f)
	if err != nil {
		return out, err
	}
	for name, n := range departments {
		out.Departments = append(out.Departments, Part{Name: name, People: n})
	}
	slices.SortFunc(out.Departments, func(a, b Part) int { return strings.Compare(a.Name, b.Name) })
	counts, err := s.cfg.Store.CountByTeam(ctx, host, f)
	if err != nil {
		return out, err
	}
	ts, err := s.cfg.Org.Teams(ctx, host)
	if err != nil {
		return out, err
	}
	for _, t := range ts {
		if counts[t.ID] == 0 {
			continue
		}
		if ok, err := s.seesTeam(ctx, by, t); err != nil {
			return out, err
		} else if ok {
			out.Teams = append(out.Teams, Part{Slug: t.Slug, Name: t.Name, People: counts[t.ID]})
		}
	}
	return out, nil
}
