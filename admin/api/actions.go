package api

import (
	"context"
	"net/http"

	"parley/people"
	"parley/store"
	"parley/webchat"
	"parley/wire/jid"
)

// Action is something that people can have a program do with a message.
type Action struct {
	ID      string   `json:"id"`
	Name    string   `json:"name" doc:"in English"`
	NameFR  string   `json:"name_fr" doc:"in French; empty: use the English name"`
	Icon    string   `json:"icon"`
	URL     string   `json:"url" doc:"where the program is asked"`
	Secret  string   `json:"secret,omitempty" doc:"signs the requests; only in the answer that creates the action, or gives it a new secret"`
	Roles   []string `json:"roles" doc:"roles of people who may use it; without roles and teams everybody may"`
	Teams   []string `json:"teams" doc:"slugs of teams whose people may use it"`
	Groups  []string `json:"groups" doc:"slugs of groups in which it can be used"`
	All     bool     `json:"all" doc:"it can be used in all conversations"`
	Tells   []string `json:"tells" doc:"what the program is told of the message: text, author, link, conversation"`
	Comment bool     `json:"comment" doc:"people may add a comment"`
	Place   int64    `json:"place" doc:"place in the order of actions, from 1"`
}

// OwnAction is an action that the caller may use.
type OwnAction struct {
	ID      string   `json:"id"`
	Name    string   `json:"name" doc:"in English"`
	NameFR  string   `json:"name_fr,omitempty" doc:"in French, if it has a name in French"`
	Icon    string   `json:"icon"`
	Comment bool     `json:"comment" doc:"it takes a comment"`
	Groups  []string `json:"groups,omitempty" doc:"slugs of the groups in which it can be used"`
	All     bool     `json:"all" doc:"it can be used in all conversations"`
}

// InAction is the action in a path, by its id.
type InAction struct {
	Action string `path:"action" maxLength:"40"`
}

// ChangeActionInput changes an action.
type ChangeActionInput struct {
	InAction
	Body people.ActionChange
}

// UseActionInput uses an action on a message.
type UseActionInput struct {
	InSaid
	InAction
	Body webchat.ActionUse
}

// Operations on actions on messages.
var (
	ListActions = op[None, []Action](
		"list-actions", http.MethodGet, "/actions", "webhooks:read",
		"Actions on messages, in order, without their secrets",
	)
	CreateAction = creates[Body[people.ActionChange], Action](
		"create-action", "/actions", "webhooks:write",
		"Define an action on messages; only this answer has its secret",
	)
	ChangeAction = op[ChangeActionInput, Action](
		"change-action", http.MethodPatch, "/actions/{action}", "webhooks:write",
		"Change an action on messages; omitted values stay",
	)
	RenewActionSecret = op[InAction, Action](
		"renew-action-secret", http.MethodPost, "/actions/{action}/secret", "webhooks:write",
		"Give an action on messages a new secret; only this answer has it, and the old one is void",
	)
	DeleteAction = op[InAction, None](
		"delete-action", http.MethodDelete, "/actions/{action}", "webhooks:write",
		"Delete an action on messages",
	)
	ListOwnActions = chats[None, []OwnAction](
		"list-own-actions", http.MethodGet, "/me/actions", "messages:read",
		"The actions on messages that the caller may use, in order",
	)
	UseAction = chats[UseActionInput, webchat.ActionAnswer](
		"use-action", http.MethodPost, "/conversations/{id}/messages/{message}/actions/{action}", "messages:write",
		"Use an action on a message; the answer is what its program has answered, within ten seconds",
	)
)

func (s *Server) actions(d *doors) {
	serve(s, d, ListActions, runsIt, func(ctx context.Context, c caller, _ *None) ([]Action, error) {
		as, err := c.p.Actions(ctx, c.actor)
		out := []Action{}
		for _, a := range as {
			shown, err := c.showAction(ctx, a)
			if err != nil {
				return nil, err
			}
			out = append(out, shown)
		}
		return out, err
	})
	serve(s, d, CreateAction, runsIt, func(ctx context.Context, c caller,
		in *Body[people.ActionChange]) (Action, error) {
		a, err := c.p.CreateAction(ctx, c.actor, in.Body)
		if err != nil {
			return Action{}, err
		}
		return c.showAction(ctx, a)
	})
	serve(s, d, ChangeAction, runsIt, func(ctx context.Context, c caller, in *ChangeActionInput) (Action, error) {
		a, err := c.p.ChangeAction(ctx, c.actor, in.Action, in.Body)
		if err != nil {
			return Action{}, err
		}
		return c.showAction(ctx, a)
	})
	serve(s, d, RenewActionSecret, runsIt, func(ctx context.Context, c caller, in *InAction) (Action, error) {
		a, err := c.p.RenewAction(ctx, c.actor, in.Action)
		if err != nil {
			return Action{}, err
		}
		return c.showAction(ctx, a)
	})
	act(s, d, DeleteAction, runsIt, func(ctx context.Context, c caller, in *InAction) error {
		return c.p.DeleteAction(ctx, c.actor, in.Action)
	})
	serve(s, d, ListOwnActions, nil, func(ctx context.Context, c caller, _ *None) ([]OwnAction, error) {
		as, err := c.p.ActionsFor(ctx, c.me)
		return OwnActions(as), err
	})
	serve(s, d, UseAction, s.inReach, func(ctx context.Context, c caller,
		in *UseActionInput) (webchat.ActionAnswer, error) {
		return inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (webchat.ActionAnswer, error) {
			at := webchat.SaidIn{Conversation: j, Message: in.Message, Action: in.Action}
			answer, err := w.Act(ctx, c.me.Name, c.credential, at, in.Body)
			if answer.Untold != nil {
				answer.Note = c.said(answer.Untold)
			}
			return answer, err
		})
	})
}

// OwnActions gives actions as the API shows them to a person: without what only administrators see.
func OwnActions(as []people.OwnAction) []OwnAction {
	out := []OwnAction{}
	for _, a := range as {
		out = append(out, OwnAction{
			ID:      a.ID,
			Name:    a.Name,
			NameFR:  a.NameFR,
			Icon:    a.Icon,
			Comment: a.Comment,
			Groups:  a.In,
			All:     len(a.Action.Groups) == 0,
		})
	}
	return out
}

func (c caller) showAction(ctx context.Context, a store.Action) (Action, error) {
	as, err := c.p.ActionAs(ctx, a)
	if err != nil {
		return Action{}, err
	}
	return Action{
		ID:      a.ID,
		Name:    a.Name,
		NameFR:  a.NameFR,
		Icon:    a.Icon,
		URL:     a.URL,
		Secret:  a.Secret,
		Roles:   *as.Roles,
		Teams:   *as.Teams,
		Groups:  *as.Groups,
		All:     len(a.Groups) == 0,
		Tells:   *as.Tells,
		Comment: a.Comment,
		Place:   a.Place,
	}, nil
}
